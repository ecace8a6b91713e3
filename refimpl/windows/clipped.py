"""Sources that keep some cells of others: those that touch a zone, and those that several sources have in common.

Section "Raster data"; D19.
"""

from __future__ import annotations

import numpy as np

from refimpl.earth.grid import Raster, Source, Window
from refimpl.windows.computed import Computed


def touching(fine_zones: Raster) -> np.ndarray:
    """Cells (rows, cols) of the coarse grid that lie in a zone, wholly or in part, from zones at half its cell size.

    A cell on a coast or border is kept even if its centre is in no zone: the fine map needs it.
    """
    rows, cols = (size // 2 for size in fine_zones.values.shape)
    return (fine_zones.values.reshape(rows, 2, cols, 2) > 0).any(axis=(1, 3))


class Touching(Computed):
    """A source without the cells that touch no zone; ``fine_zones`` are codes at half its cell size.

    >>> from refimpl.earth.grid import Grid
    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> one = Raster(np.array([[5.0, 7.0]]), np.ones((1, 2), bool), Grid(ALBERS_CHINA, (0, 0, 2, -2), (1, 2)))
    >>> codes = np.array([[0, 11, 0, 0], [0, 0, 0, 0]])
    >>> Touching(one, Raster(codes, codes > 0, one.grid.refined())).part((0, 1, 0, 2)).valid.tolist()
    [[True, False]]
    """

    def __init__(self, source: Source, fine_zones: Source):
        super().__init__(source.grid, source.units, source.dtype)
        self.source, self.fine_zones = source, fine_zones

    def part(self, window: Window) -> Raster:
        """The cells of a window; where no zone is, the source is not read."""
        touched = touching(self.fine_zones.part(tuple(2 * edge for edge in window)))
        if not touched.any():
            return Raster.unchecked(np.zeros(touched.shape, self.dtype), touched, self.grid.part(window), self.units)
        part = self.source.part(window)
        return Raster.masked(part.values, part.valid & touched, part.grid, part.units)


class Together(Computed):
    """The cells that are valid in every one of several sources on one grid: 1 there, and invalid elsewhere."""

    def __init__(self, sources: list[Source]):
        super().__init__(sources[0].grid, "", np.uint8)
        self.sources = sources

    def part(self, window: Window) -> Raster:
        """The cells of a window."""
        valid = np.logical_and.reduce([source.part(window).valid for source in self.sources])
        return Raster.unchecked(valid.view(np.uint8), valid, self.grid.part(window))
