"""The range of a coarse map of any size, and a map without its negative values (D08, D09)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from refimpl.earth.grid import Raster, Source, Window
from refimpl.method.image_range import QUANTILE, ImageRange, clip_negative, no_valid_cell
from refimpl.windows.quantiles import order_statistics
from refimpl.windows.walks import windows


@dataclass(frozen=True)
class Measured:
    """The ``range`` of a map without its negative values, and the number of valid cells ``clipped`` to 0 (D08)."""

    range: ImageRange
    clipped: int


def measure(coarse: Source) -> Measured:
    """D08 and D09 for a map of any size: its range and the number of its negative cells, found in walks over the map.

    The range equals that of ``refimpl.method.image_range.measure_range`` to the bit.

    Raises
    ------
    InputError
        No cell is valid.

    >>> from refimpl.earth.grid import Grid
    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> grid = Grid(ALBERS_CHINA, (0, 0, 1, -1), (1, 3))
    >>> measure(Raster(np.array([[-4.0, 5.0, 0.0]]), np.array([[True, True, False]]), grid))
    Measured(range=ImageRange(minimum=0.0, scale=4.9995), clipped=1)
    """
    negative: dict[Window, int] = {}

    def blocks():
        for window in windows(coarse.grid.shape):
            part, negative[window] = clip_negatives(coarse.part(window))
            yield part.values[part.valid]

    if not any(block.size for block in blocks()):
        raise no_valid_cell()
    found = order_statistics(blocks, QUANTILE)
    scale = found.quantile(found.minimum) or found.maximum - found.minimum or 1.0
    return Measured(ImageRange(found.minimum, scale), sum(negative.values()))


def clip_negatives(raster: Raster) -> tuple[Raster, int]:
    """D08: the raster with its negative values set to 0, and the number of valid cells that this changed."""
    negative = raster.valid & (raster.values < 0)
    count = int(np.count_nonzero(negative))
    return replace(raster, values=clip_negative(raster.values)) if count else raster, count
