"""The linear image of a coarse map as a source: what crops for the training are drawn from (D08, D09, D15)."""

from __future__ import annotations

import numpy as np

from refimpl.raster.grid import Raster, Source, Window
from refimpl.zssr.intensity import ImageRange, clip_negatives


class LinearImage:
    """``coarse`` shifted and scaled by ``image_range``, its negative values 0, in ``dtype``; 0 at invalid cells.

    >>> from refimpl.raster.grid import Grid
    >>> from refimpl.raster.projection import ALBERS_CHINA
    >>> coarse = Raster(np.array([[2.0, 8.0]]), np.ones((1, 2), bool), Grid(ALBERS_CHINA, (0, 0, 1, -1), (1, 2)))
    >>> LinearImage(coarse, ImageRange(2.0, 4.0)).part((0, 1, 0, 2)).values.tolist()
    [[0.0, 1.5]]
    """

    def __init__(self, coarse: Source, image_range: ImageRange, dtype: np.dtype | type = np.float32):
        self.coarse, self.image_range = coarse, image_range
        self.grid, self.units, self.dtype = coarse.grid, "", np.dtype(dtype)

    def part(self, window: Window) -> Raster:
        """The cells of (row start, row stop, column start, column stop)."""
        part, _ = clip_negatives(self.coarse.part(window))
        image = self.image_range.to_image(part.values, part.valid).astype(self.dtype, copy=False)
        return Raster.unchecked(image, part.valid, part.grid, self.units)
