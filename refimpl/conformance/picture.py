"""Picture of a wrong raster or image: expected, got, and their difference, with the worst cell marked.

The first two share one colour scale, that of the expected one.  The difference is blue where a value is too small, and
red where it is too large.  Arrays are drawn as rasters of square cells, row 0 at the top.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from refimpl.conformance.difference import Difference
from refimpl.conformance.judge import Result
from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA
from refimpl.figures.axes import colour_bar, colour_bar_width, swatches
from refimpl.figures.canvas import FAINT, INK, LABEL, MARGIN, PAPER, Canvas, footer_height, heading_height
from refimpl.figures.colour import NODATA, Scale
from refimpl.figures.display import pixel_shape, sample

ROOM = (420, 420)
"""Most rows and columns of pixels of a panel."""
LARGEST_CELL = 56
GAP = 30
ONE_SIDED = (20, 150, 110)
"""Colour of cells that have a value on one side only; neither colour map contains it."""
LEAST_BAR = 170
"""Least height of a colour bar in pixels."""
LARGEST, SMALLEST = 1e150, 1e-290
"""Magnitudes that are drawn: differences of larger values overflow, and smaller ones are taken for 0."""


@dataclass(frozen=True)
class Panel:
    """One of the three panels; ``odd`` marks the cells that have a value on one side only, ``scale`` colours cells."""

    caption: str
    raster: Raster
    odd: np.ndarray | None
    scale: Scale


def pictures_of(result: Result, folder: Path) -> tuple[Path, ...]:
    """Draw each wrong raster or two-dimensional array of a result into ``folder``."""
    paths = []
    for one in result.wrong:
        if one.shown is not None and all(map(_drawable, one.shown)):
            by = "" if result.by in ("program", "function") else f"-{result.by}"
            path = Path(folder) / f"{result.case.id}-{one.of.rsplit('.', 1)[0]}{by}.png"
            picture(one, f"{result.case.id}: {one.of}", path)
            paths.append(path)
    return tuple(paths)


def _drawable(answer) -> bool:
    """Whether an answer is two-dimensional and has a cell to draw."""
    values = answer.values if isinstance(answer, Raster) else answer
    return values.ndim == 2 and values.size > 0


def picture(one: Difference, title: str, path: Path) -> None:
    """Draw one difference as a PNG with three panels."""
    expected, got = map(as_raster, one.shown)
    got = replaced(got, expected.grid)
    panels = _panels(expected, got)
    shapes = [pixel_shape(p.raster.grid, p.raster.grid.bounds, ROOM, LARGEST_CELL) for p in panels]
    bars = [colour_bar_width(panel.scale, "") for panel in panels]
    widths = [max(shape[1], 150) + 14 + bar for shape, bar in zip(shapes, bars, strict=True)]
    height = max(LEAST_BAR, *(shape[0] for shape in shapes))
    top = heading_height(one.sentence) + 34
    footer = _footer(one)
    foot = footer_height(footer) + (34 if any(map(_has_odd, panels)) else 10)
    canvas = Canvas(max(2 * MARGIN + sum(widths) + GAP * (len(panels) - 1), 760), top + height + foot)
    canvas.heading(title, one.sentence, footer)
    left = MARGIN
    for panel, shape, width, bar in zip(panels, shapes, widths, bars, strict=True):
        canvas.text(left, top - 14, panel.caption, LABEL + 2, INK)
        worst = one.at if panel.raster.values.shape == expected.values.shape == got.values.shape else None
        _draw(canvas, panel, left, top, shape, worst)
        values = panel.raster.values[panel.raster.valid]
        beyond = bool((values < panel.scale.low).any()), bool((values > panel.scale.high).any())
        colour_bar(canvas, panel.scale, left + width - bar, top, max(shape[0], LEAST_BAR), "", *beyond)
        left += width + GAP
    if any(map(_has_odd, panels)):
        swatches(canvas, MARGIN, top + height + 16, [(NODATA, "no data"), (ONE_SIDED, "a value on one side only")])
    canvas.save(path)


def as_raster(answer: np.ndarray | Raster) -> Raster:
    """An array as a raster of square cells; what is not finite is invalid."""
    if isinstance(answer, Raster):
        values, valid, grid = answer.values.astype(float), answer.valid, answer.grid
    else:
        values, valid = answer.astype(float), np.isfinite(answer)
        grid = Grid(ALBERS_CHINA, (0, 0, 1000, -1000), values.shape)
    return Raster.masked(np.clip(np.where(valid, values, 0.0), -LARGEST, LARGEST), valid, grid)


def replaced(got: Raster, grid: Grid) -> Raster:
    """The cells of ``got`` placed on ``grid``, or drawn as squares: with a wrong georeference nothing might show."""
    if got.values.shape == grid.shape:
        return replace(got, grid=grid)
    if (got.grid.crs, got.grid.transform) == (grid.crs, grid.transform):
        return got
    return replace(got, grid=Grid(ALBERS_CHINA, (0, 0, 1000, -1000), got.values.shape))


def _panels(expected: Raster, got: Raster) -> list[Panel]:
    """Expected, got and, where they have one shape, got minus expected."""
    values = expected.values[expected.valid]
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    # A constant map is drawn in one colour from the middle of the scale.
    margin = 0.0 if high - low > SMALLEST else max(abs(high), SMALLEST) / 2
    shared = Scale("linear", low - margin, high + margin)
    panels = [Panel("expected", expected, None, shared), Panel("got", got, None, shared)]
    if expected.values.shape != got.values.shape:
        return panels
    both = expected.valid & got.valid
    raster = Raster.masked(np.where(both, got.values - expected.values, 0.0), both, expected.grid)
    reach = float(np.abs(raster.values).max())
    reach = reach if reach > SMALLEST else 1.0
    scale = Scale("diverging", -reach, reach)
    return [*panels, Panel("got - expected", raster, expected.valid ^ got.valid, scale)]


def _has_odd(panel: Panel) -> bool:
    return panel.odd is not None and bool(panel.odd.any())


def _draw(canvas: Canvas, panel: Panel, left: int, top: int, shape: tuple[int, int], worst: Sequence[int] | None):
    """Draw the cells in a thin frame, and a frame around the worst cell."""
    grid = panel.raster.grid
    pixels = panel.scale.paint(*sample(panel.raster, grid.bounds, shape))
    if _has_odd(panel):
        odd = Raster(panel.odd.astype(float), np.ones(panel.odd.shape, bool), grid)
        pixels[sample(odd, grid.bounds, shape)[0] > 0] = ONE_SIDED
    canvas.picture(left, top, pixels)
    canvas.box(left - 1, top - 1, left + shape[1] + 1, top + shape[0] + 1, outline=FAINT)
    if worst is None or len(worst) != 2:
        return
    down, across = shape[0] / grid.shape[0], shape[1] / grid.shape[1]
    row, col = top + worst[0] * down, left + worst[1] * across
    # A cell smaller than the frame gets the frame around it, so that the place is seen.
    slack = max(0.0, 5 - min(down, across) / 2)
    for inset, colour in ((-1, PAPER), (0, INK), (1, INK), (2, PAPER)):
        edge = slack - inset
        canvas.box(col - edge, row - edge, col + across + edge, row + down + edge, outline=colour)


def _footer(one: Difference) -> str:
    """The worst cell in words."""
    if one.expected is None:
        return f"{one.cell} (framed)" if one.cell else ""
    return f"worst cell (framed): {one.cell}, expected {one.expected:.9g}, got {one.got:.9g}"
