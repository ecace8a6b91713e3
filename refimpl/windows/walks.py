"""Windows for a walk over a raster that is larger than memory.

Section "Raster data".  A window holds whole tiles of the files that refimpl writes (refimpl/formats/blocks.py), so that
a walk decodes each tile once.  Windows depend only on the raster's shape, so that sums over them are the same for any
number of threads and workers.
"""

from __future__ import annotations

from refimpl.earth.grid import Window
from refimpl.formats.blocks import FILE_TILE

WINDOW_CELLS = 2**21
"""Cells of a window, about."""
WRITTEN = (FILE_TILE, 8 * FILE_TILE)
"""Rows and columns that are computed at once while a source of little work is written: whole tiles of the file."""


def windows(shape: tuple[int, int], most: int = WINDOW_CELLS) -> list[Window]:
    """Windows (row start, row stop, column start, column stop) of about ``most`` cells that cover (rows, cols).

    They follow row by row.  Each holds one or more whole tiles of 512 x 512 cells, cut at the raster's edge.

    >>> windows((600, 1500), 2**19)
    [(0, 512, 0, 1024), (0, 512, 1024, 1500), (512, 600, 0, 1024), (512, 600, 1024, 1500)]
    """
    width = max(most // FILE_TILE**2, 1) * FILE_TILE
    across = -(-shape[1] // FILE_TILE) * FILE_TILE
    down = FILE_TILE * max(width // across, 1)  # narrow rasters: several rows of tiles
    return tiles_of(shape, (down, width))


def tiles_of(shape: tuple[int, int], tile: tuple[int, int]) -> list[Window]:
    """The raster cut into tiles of (rows, cols), row by row.

    >>> tiles_of((3, 4), (2, 3))
    [(0, 2, 0, 3), (0, 2, 3, 4), (2, 3, 0, 3), (2, 3, 3, 4)]
    """
    rows, cols = shape
    return [
        (top, min(top + tile[0], rows), left, min(left + tile[1], cols))
        for top in range(0, rows, tile[0])
        for left in range(0, cols, tile[1])
    ]
