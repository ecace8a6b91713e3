"""Fig. 6: the cells of two maps against each other on logarithmic axes, as a density of points.

Emission spans many powers of ten, and a national map has millions of cells: single points would cover each other, so
that the number of cells in each square of the plot is drawn instead.
"""

from __future__ import annotations

import os

import numpy as np
from PIL import Image

from refimpl.figures.axes import Frame, colour_bar, colour_bar_width
from refimpl.figures.canvas import INK, MARGIN, MUTED, SMALL_LABEL, SUBTITLE, Canvas, footer_height, heading_height
from refimpl.figures.colour import Scale
from refimpl.figures.typeset import fitted
from refimpl.metrics import pearson_r, spearman_rho

SIDE, SQUARE = 640, 4
"""Pixels of the plot and of a square in which cells are counted."""
DECADES = 7.0
"""Powers of ten that are drawn at most, below the largest value."""
LINE = (60, 64, 72)


def cells_figure(
    observed,
    estimated,
    path: str | os.PathLike,
    title: str,
    names: tuple[str, str] = ("observed", "estimated"),
    subtitle: str = "",
    footer: str = "",
    units: str = "",
) -> Image.Image:
    """Draw how many cells have which value in both maps, with r and rho of all cells, and return the picture.

    Parameters
    ----------
    observed, estimated : (n,) values of the same cells, 0 or more, across and up; ``names`` label the axes.

    r and rho are those of all n cells; cells with a 0 on either side have no place on logarithmic axes and are counted
    in the caption.

    Raises
    ------
    ValueError
        No cell, or lengths that differ.
    """
    observed, estimated = np.asarray(observed, float).ravel(), np.asarray(estimated, float).ravel()
    if observed.size == 0 or observed.size != estimated.size:
        raise ValueError(f"expected as many cells (at least one) in both, got {observed.size} and {estimated.size}")
    counts, reach, drawn = counted(observed, estimated)
    scale = Scale("log", 1.0, float(max(counts.max(), 2)))
    bar_width, top = colour_bar_width(scale, "cells"), heading_height(subtitle) + 34
    left = MARGIN + 112
    canvas = Canvas(left + SIDE + 40 + bar_width + MARGIN, top + SIDE + 78 + footer_height(footer))
    canvas.heading(title, subtitle, footer)
    frame = Frame(left, top, left + SIDE, top + SIDE, reach, reach, y_log=True, x_log=True)
    text, size = fitted(caption(observed, estimated, drawn), SMALL_LABEL, SIDE)
    canvas.text(left, top - 14, text, size, MUTED)
    behind = f", {units}" if units else ""
    frame.draw(canvas, names[0] + behind, names[1] + behind)
    _draw_counts(canvas, left, top, counts, scale)
    ends = np.array(reach)
    canvas.line(np.stack([frame.x(ends), frame.y(ends)], axis=1), 1.5, LINE)
    numbers = {"r": pearson_r(observed, estimated), "rho": spearman_rho(observed, estimated)}
    for row, (name, value) in enumerate(numbers.items()):
        shown = f"{value:.3f}" if np.isfinite(value) else "n/a"
        canvas.text(left + 16, top + 24 + 26 * row, f"{name} = {shown}", SUBTITLE, INK, "lm")
    canvas.text(frame.right + 6, frame.top, "1:1", SMALL_LABEL, MUTED, "lm")
    colour_bar(canvas, scale, left + SIDE + 40, top + 28, SIDE - 28, "cells", False, False)
    return canvas.save(path)


def _draw_counts(canvas: Canvas, left: int, top: int, counts: np.ndarray, scale: Scale):
    """The squares that hold a cell, over the grid lines."""
    paper = np.array(canvas.image.crop((left, top, left + SIDE, top + SIDE)))
    large = counts[::-1].repeat(SQUARE, axis=0).repeat(SQUARE, axis=1)
    canvas.picture(left, top, np.where(large[..., None] > 0, scale.paint(large, large > 0), paper))


def counted(observed: np.ndarray, estimated: np.ndarray) -> tuple[np.ndarray, tuple[float, float], int]:
    """(squares up, squares across) int64 counts, the range of both axes, and how many cells are in it.

    >>> counts, reach, drawn = counted(np.array([1.0, 10.0, 0.0]), np.array([1.0, 10.0, 5.0]))
    >>> drawn, counts.sum().item(), counts[0, 0].item(), counts[-1, -1].item()
    (2, 2, 1, 1)
    """
    squares, both = SIDE // SQUARE, (observed > 0) & (estimated > 0)
    across, up = np.log10(observed[both]), np.log10(estimated[both])
    if not across.size:
        return np.zeros((squares, squares), np.int64), (0.1, 10.0), 0
    high = max(across.max(), up.max())
    low = max(min(across.min(), up.min()), high - DECADES)
    low, high = (low, high) if high - low > 0.1 else (low - 0.5, high + 0.5)
    inside = (across >= low) & (up >= low)
    place = [np.minimum((v[inside] - low) / (high - low) * squares, squares - 1).astype(np.int64) for v in (up, across)]
    counts = np.bincount(place[0] * squares + place[1], minlength=squares**2).reshape(squares, squares)
    return counts, (float(10.0**low), float(10.0**high)), int(inside.sum())


def caption(observed: np.ndarray, estimated: np.ndarray, drawn: int) -> str:
    """How many cells are compared, and why some are not drawn.

    >>> caption(np.array([1.0, 0.0, 2.0]), np.array([1.0, 3.0, 2.0]), 2)
    '3 cells; not drawn: 1 with 0 in one map or both'
    """
    zero = int(np.count_nonzero((observed <= 0) | (estimated <= 0)))
    small = observed.size - drawn - zero
    why = [f"{zero:,} with 0 in one map or both"] if zero else []
    why += [f"{small:,} below the axes"] if small else []
    return f"{observed.size:,} cells" + (f"; not drawn: {', '.join(why)}" if why else "")
