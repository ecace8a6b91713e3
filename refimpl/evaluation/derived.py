"""Rasters computed window by window, as they are read, so that a map larger than memory can be judged (Figs. 4-6).

The functions bring to one window what lies at another scale or comes in another form: zones as codes, coarse cells,
the part of a file under the map.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from refimpl.earth.grid import Grid, Raster, Source, Window
from refimpl.earth.warp import touched
from refimpl.windows.computed import Computed
from refimpl.windows.walks import windows


class Cropped(Computed):
    """The part of ``source`` that cells of ``grid`` touch (``touched``); making it reads no cell."""

    def __init__(self, source: Source, grid: Grid):
        self.source, self.window = source, touched(source.grid, grid)
        super().__init__(source.grid.part(self.window), source.units, source.dtype)

    def part(self, window: Window) -> Raster:
        """The cells of (row start, row stop, column start, column stop), counted from the part's corner."""
        (top, _, left, _), (first, last, start, stop) = self.window, window
        found = self.source.part((top + first, top + last, left + start, left + stop))
        return Raster.unchecked(found.values, found.valid, self.grid.part(window), found.units)


class Floats(Computed):
    """``source`` in float64, whatever type its file holds."""

    def __init__(self, source: Source):
        super().__init__(source.grid, source.units)
        self.source = source

    def part(self, window: Window) -> Raster:
        """The cells of (row start, row stop, column start, column stop)."""
        found = self.source.part(window)
        return Raster.unchecked(found.values.astype(float, copy=False), found.valid, found.grid, self.units)


def like(source: Source, computed: Source) -> Source:
    """``computed``, brought into memory if the ``source`` that it is made of is in memory."""
    shape = computed.grid.shape
    return computed.part((0, shape[0], 0, shape[1])) if isinstance(source, Raster) else computed


def codes_in(zones: Source | np.ndarray, window: Window) -> np.ndarray:
    """(rows, cols) integer codes of a window, 0 outside.

    >>> codes_in(np.array([[11, 12, 0]]), (0, 1, 1, 3)).tolist()
    [[12, 0]]
    """
    if isinstance(zones, np.ndarray):
        return zones[window[0] : window[1], window[2] : window[3]]
    return zones.part(window).values


def parts(source: Source) -> Iterator[Raster]:
    """All of a source, window after window."""
    return (source.part(window) for window in windows(source.grid.shape))


def any_in_zones(source: Source, zones: Source | np.ndarray) -> bool:
    """Whether a cell with a value lies in a zone; the walk ends at the first window that has one."""
    return any(
        (source.part(window).valid & (codes_in(zones, window) > 0)).any() for window in windows(source.grid.shape)
    )


def under(coarse: Source, window: Window, factor: int = 2) -> Raster:
    """The coarse cells around the fine cells of a window, each repeated for all its fine cells there (D19).

    ``factor`` fine cells lie along a side of a coarse one.

    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> coarse = Raster(np.array([[1, 2]]), np.ones((1, 2), bool), Grid(ALBERS_CHINA, (0, 0, 2, -2), (1, 2)))
    >>> under(coarse, (1, 2, 1, 4)).values.tolist()
    [[1, 2, 2]]
    """
    top, bottom, left, right = window
    found = coarse.part((top // factor, -(-bottom // factor), left // factor, -(-right // factor)))
    (i, j), (rows, cols) = (top % factor, left % factor), (bottom - top, right - left)
    cells = np.s_[i : i + rows, j : j + cols]
    values, valid = (np.repeat(np.repeat(each, factor, 0), factor, 1)[cells] for each in (found.values, found.valid))
    return Raster.unchecked(values, valid, coarse.grid.refined(factor).part(window), found.units)


def times_finer(fine: Grid, coarse: Grid) -> int:
    """How many fine cells lie along a side of a coarse one.

    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> coarse = Grid(ALBERS_CHINA, (0, 0, 2, -2), (1, 2))
    >>> times_finer(coarse.refined(4), coarse)
    4
    """
    return fine.shape[0] // coarse.shape[0]
