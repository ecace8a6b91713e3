"""The base class of sources that are computed or read window by window.

Section "Raster data".
"""

from __future__ import annotations

import numpy as np

from refimpl.earth.grid import Grid, Raster, Window


class Computed:
    """A source; a subclass defines ``part``.  ``values`` and ``valid`` are for small rasters.

    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> grid = Grid(ALBERS_CHINA, (0, 0, 1, -1), (1, 2))
    >>> class Ones(Computed):
    ...     def part(self, window):
    ...         here = self.grid.part(window)
    ...         return Raster(np.ones(here.shape), np.ones(here.shape, bool), here)
    >>> Ones(grid).values.tolist()
    [[1.0, 1.0]]
    """

    def __init__(self, grid: Grid, units: str = "", dtype=float):
        self.grid, self.units, self.dtype = grid, units, np.dtype(dtype)

    def part(self, window: Window) -> Raster:
        """The cells of (row start, row stop, column start, column stop)."""
        raise NotImplementedError

    def whole(self) -> Raster:
        """All of it, in memory."""
        return self.part((0, self.grid.shape[0], 0, self.grid.shape[1]))

    @property
    def values(self) -> np.ndarray:
        """All values (rows, cols), computed anew at each call."""
        return self.whole().values

    @property
    def valid(self) -> np.ndarray:
        """The whole mask (rows, cols), computed anew at each call."""
        return self.whole().valid
