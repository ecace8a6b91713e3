"""Choice of the window for a closer look (Fig. 3), found without holding the whole map in memory.

A square slides over the cells; the square with the greatest sum is taken.  Cells are first turned into whole numbers,
in steps of a power of two so small that the square's sum just fits in 62 bits.  (In a square of 100 x 100 cells, some
48 bits remain for a cell.)  Sums of whole numbers do not round: equal squares have equal sums wherever they lie.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from refimpl.earth.grid import Source, Window
from refimpl.figures.area_mean import windows_in
from refimpl.figures.display import Bounds


def pick_window(source: Source, size: float, most: float | None = None) -> Bounds:
    """The square of side ``size`` (units of the CRS) with the greatest sum of values, centred on their centre of mass.

    (xmin, ymin, xmax, ymax) lies on cell edges inside the grid.  Of equal squares the northernmost is taken, then the
    westernmost; where no value is positive, the middle of the grid.  Only as many rows of cells as the square has are
    in memory.

    Parameters
    ----------
    most : the greatest value, or any number that no value exceeds; where it is known, a walk over the raster is saved.

    >>> from refimpl.earth.grid import Grid, Raster
    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> grid = Grid(ALBERS_CHINA, (0, 0, 1, -1), (5, 5))
    >>> pick_window(Raster.masked(np.diag([1.0, 2.0, 4.0, 9.0, 8.0]), np.ones((5, 5)), grid), 2)
    (3.0, -5.0, 5.0, -3.0)
    """
    x0, y0, dx, dy = source.grid.transform
    height, width = source.grid.shape
    rows, cols = (int(np.clip(round(size / step), 1, limit)) for step, limit in ((-dy, height), (dx, width)))
    row, col = (height - rows) // 2, (width - cols) // 2
    most = _greatest(source) if most is None else most
    if most > 0:
        row, col = greatest_square(source, (rows, cols), most)
        row, col = _centred(source, (row, row + rows, col, col + cols))
    return x0 + col * dx, y0 + (row + rows) * dy, x0 + (col + cols) * dx, y0 + row * dy


def _greatest(source: Source) -> float:
    """The greatest value, or 0 if all are less."""
    whole = (0, source.grid.shape[0], 0, source.grid.shape[1])
    return max(float(source.part(window).values.max(initial=0)) for window in windows_in(source.grid.shape, whole))


def greatest_square(source: Source, shape: tuple[int, int], most: float) -> tuple[int, int]:
    """First row and column of the square of ``shape`` cells with the greatest sum of positive values."""
    rows, cols = shape
    shift = 62 - (rows * cols).bit_length() - int(np.frexp(most)[1])
    kept = np.zeros((rows, source.grid.shape[1]), np.int64)
    column = np.zeros(source.grid.shape[1], np.int64)
    best, place = -1, (0, 0)
    for row, values in _rows(source):
        line = np.rint(np.ldexp(np.maximum(values, 0).astype(float), shift)).astype(np.int64)
        column += line - kept[row % rows]
        kept[row % rows] = line
        if row + 1 < rows:
            continue
        # The running sum can overflow and wrap around in int64; its differences are still right.
        running = np.concatenate([[0], np.cumsum(column)])
        sums = running[cols:] - running[:-cols]
        west = int(np.argmax(sums))
        if sums[west] > best:
            best, place = int(sums[west]), (row + 1 - rows, west)
    return place


def _rows(source: Source) -> Iterator[tuple[int, np.ndarray]]:
    """Each row's number and values (cols,), from north to south; invalid cells hold 0."""
    height, width = source.grid.shape
    for top, bottom in dict.fromkeys(window[:2] for window in windows_in((height, width), (0, height, 0, width))):
        yield from enumerate(source.part((top, bottom, 0, width)).values, top)


def _centred(source: Source, window: Window) -> tuple[int, int]:
    """First row and column of a window of the same size, on the centre of mass of this one, inside the grid."""
    part = source.part(window)
    weights = np.where(part.valid, np.maximum(part.values, 0), 0).astype(float)
    total, first = weights.sum(), []
    for axis, start, stop, size in zip((1, 0), window[::2], window[1::2], source.grid.shape):
        count = stop - start
        centre = float(weights.sum(axis=axis) @ (np.arange(count) + 0.5) / total) if total > 0 else count / 2
        first.append(int(np.clip(start + round(centre - count / 2), 0, size - count)))
    return first[0], first[1]
