"""Cells of two maps against each other on logarithmic axes, as a density of points (Fig. 6).

Emission spans many powers of ten, and a national map has millions of cells.  Single points would cover each other, so
the number of cells in each square of the plot is drawn instead.  The maps are walked window by window.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

from refimpl.figures.axes import Frame, colour_bar, colour_bar_width
from refimpl.figures.canvas import INK, MARGIN, MUTED, SMALL_LABEL, SUBTITLE, Canvas, footer_height, heading_height
from refimpl.figures.colour import Scale
from refimpl.figures.typeset import fitted

SIDE, SQUARE = 640, 4
"""Pixels along a side of the plot, and of a square in which cells are counted."""
DECADES = 7.0
"""Most powers of ten that are drawn, down from the largest value."""
LINE = (60, 64, 72)


Pairs = Callable[[], Iterable[tuple[np.ndarray, np.ndarray]]]
"""Called for each walk over the maps: gives the values of the same cells in both, block by block, (n,) each."""


def cells_figure(
    pairs: Pairs,
    path: str | os.PathLike,
    title: str,
    numbers: Mapping[str, float],
    names: tuple[str, str] = ("observed", "estimated"),
    subtitle: str = "",
    footer: str = "",
    units: str = "",
) -> Image.Image:
    """Draw how many cells have which value in both maps, and return the picture.

    Parameters
    ----------
    pairs : observed values (drawn across) and estimated values (drawn up), 0 or more; called twice.
    numbers : printed in the corner by name, such as r and rho of all cells.
    names : labels of the axes.

    Cells with a 0 on either side have no place on logarithmic axes and are counted in the caption.

    Raises
    ------
    ValueError
        No cell.
    """
    found = counted(pairs)
    if not found.cells:
        raise ValueError("no cell to draw, expected at least one")
    counts, reach = found.counts, found.reach
    scale = Scale("log", 1.0, float(max(counts.max(), 2)))
    bar_width, top = colour_bar_width(scale, "cells"), heading_height(subtitle) + 34
    left = MARGIN + 112
    canvas = Canvas(left + SIDE + 40 + bar_width + MARGIN, top + SIDE + 78 + footer_height(footer))
    canvas.heading(title, subtitle, footer)
    frame = Frame(left, top, left + SIDE, top + SIDE, reach, reach, y_log=True, x_log=True)
    text, size = fitted(caption(found), SMALL_LABEL, SIDE)
    canvas.text(left, top - 14, text, size, MUTED)
    behind = f", {units}" if units else ""
    frame.draw(canvas, names[0] + behind, names[1] + behind)
    _draw_counts(canvas, left, top, counts, scale)
    ends = np.array(reach)
    canvas.line(np.stack([frame.x(ends), frame.y(ends)], axis=1), 1.5, LINE)
    for row, (name, value) in enumerate(numbers.items()):
        shown = f"{value:.3f}" if np.isfinite(value) else "n/a"
        canvas.text(left + 16, top + 24 + 26 * row, f"{name} = {shown}", SUBTITLE, INK, "lm")
    canvas.text(frame.right + 6, frame.top, "1:1", SMALL_LABEL, MUTED, "lm")
    colour_bar(canvas, scale, left + SIDE + 40, top + 28, SIDE - 28, "cells", False, False)
    return canvas.save(path)


def _draw_counts(canvas: Canvas, left: int, top: int, counts: np.ndarray, scale: Scale):
    """Draw the squares that hold a cell over the grid lines."""
    paper = np.array(canvas.image.crop((left, top, left + SIDE, top + SIDE)))
    large = counts[::-1].repeat(SQUARE, axis=0).repeat(SQUARE, axis=1)
    canvas.picture(left, top, np.where(large[..., None] > 0, scale.paint(large, large > 0), paper))


@dataclass(frozen=True, eq=False)
class Counted:
    """Numbers of cells by their two values."""

    counts: np.ndarray
    """(squares up, squares across) int64."""
    reach: tuple[float, float]
    """The range of both axes."""
    cells: int
    zero: int
    """Cells with 0 in one map or both."""

    @property
    def drawn(self) -> int:
        """Cells within the range."""
        return int(self.counts.sum())


def counted(pairs: Pairs) -> Counted:
    """Count cells by their two values, in two walks: one for the ends of the axes, one to count.

    >>> found = counted(lambda: [(np.array([1.0, 10.0]), np.array([1.0, 10.0])), (np.array([0.0]), np.array([5.0]))])
    >>> found.cells, found.zero, found.drawn, found.counts[0, 0].item(), found.counts[-1, -1].item()
    (3, 1, 2, 1, 1)
    """
    squares, cells, zero = SIDE // SQUARE, 0, 0
    low, high = np.inf, -np.inf
    for observed, estimated in pairs():
        across, up = _logarithms(observed, estimated)
        cells, zero = cells + observed.size, zero + observed.size - across.size
        for values in (across, up):
            low, high = min(low, values.min(initial=np.inf)), max(high, values.max(initial=-np.inf))
    counts = np.zeros(squares**2, np.int64)
    if low > high:
        return Counted(counts.reshape(squares, squares), (0.1, 10.0), cells, zero)
    low = max(low, high - DECADES)
    low, high = (low, high) if high - low > 0.1 else (low - 0.5, high + 0.5)
    for observed, estimated in pairs():
        across, up = _logarithms(observed, estimated)
        inside = (across >= low) & (up >= low)
        place = [np.minimum((v[inside] - low) / (high - low) * squares, squares - 1).astype(int) for v in (up, across)]
        counts += np.bincount(place[0] * squares + place[1], minlength=squares**2)
    return Counted(counts.reshape(squares, squares), (float(10.0**low), float(10.0**high)), cells, zero)


def _logarithms(observed: np.ndarray, estimated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logarithms to base 10 of the cells that are positive in both."""
    both = (observed > 0) & (estimated > 0)
    return np.log10(observed[both], dtype=float), np.log10(estimated[both], dtype=float)


def caption(found: Counted) -> str:
    """How many cells are compared, and why some are not drawn.

    >>> caption(Counted(np.array([[2]]), (1.0, 2.0), cells=3, zero=1))
    '3 cells; not drawn: 1 with 0 in one map or both'
    """
    small = found.cells - found.drawn - found.zero
    why = [f"{found.zero:,} with 0 in one map or both"] if found.zero else []
    why += [f"{small:,} below the axes"] if small else []
    return f"{found.cells:,} cells" + (f"; not drawn: {', '.join(why)}" if why else "")
