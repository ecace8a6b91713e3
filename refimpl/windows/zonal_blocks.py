"""Zonal sums of a raster block by block: a raster in a file never lies in memory as a whole.

Section "Raster data"; D03.  Each function yields, for one block of rows after the other, the codes (k,) int64 of the
zones in it, their totals and areas (2, k) float64 as pairs (``exact_pair``), and their counts (k,) int64.
Of a raster under polygons only the rows and columns of their bounding box are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from refimpl.earth.grid import Raster, Source, Window
from refimpl.earth.polygon_sums import polygon_sums
from refimpl.earth.polygons import Edges, Polygons, edges_on
from refimpl.earth.warped import Warped
from refimpl.earth.zone_labels import warn_astray
from refimpl.windows.zonal_sums import zonal_pairs

if TYPE_CHECKING:
    from refimpl.formats.geotiff import RasterFile

SumsOfBlock = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
BLOCK_CELLS = 2**22


def blocks(window: Window, cells: int = BLOCK_CELLS) -> Iterator[Window]:
    """Blocks of whole rows of a window, of about so many cells.

    >>> list(blocks((0, 5, 2, 4), 4))
    [(0, 2, 2, 4), (2, 4, 2, 4), (4, 5, 2, 4)]
    """
    top, bottom, left, right = window
    step = max(1, cells // max(right - left, 1))
    for start in range(top, bottom, step):
        yield start, min(start + step, bottom), left, right


def _blocks_read(raster: Raster | RasterFile, window: Window) -> Iterator[Window]:
    """Blocks where the raster is in a file; what is in memory already is one block, for threads to share out."""
    return blocks(window, raster.values.size if isinstance(raster, Raster) else BLOCK_CELLS)


def label_parts(raster: Raster | RasterFile, zones: Source, align: bool) -> Iterator[SumsOfBlock]:
    """By codes on the raster's grid; ``align`` brings them there, each cell taking the zone at its centre.

    Raises
    ------
    ValueError
        The zones are not integers from 0 up, or lie on another grid and ``align`` is not set.
    """
    grid = raster.grid
    if zones.dtype.kind not in "iu":
        raise ValueError(f"zones of {zones.dtype}, expected integer codes from 0 up")
    if zones.grid != grid and not align:
        raise ValueError("raster and zones lie on different grids; pass align=True, or warp_nearest the zones first")
    areas, window = grid.cell_areas(), (0, grid.shape[0], 0, grid.shape[1])
    held = zones.grid == grid and isinstance(zones, Raster)
    for window in _blocks_read(raster, window) if held else blocks(window):
        part, rows = raster.part(window), slice(*window[:2])
        # A cell without a zone holds code 0: invalid cells of a Raster do.
        here = zones if zones.grid == grid else Warped(zones, grid, "nearest")
        codes = here.part(window).values
        yield zonal_pairs(part.values, part.valid, codes, areas[rows])


def polygon_parts(raster: Raster | RasterFile, polygons: Polygons, by_area: bool) -> Iterator[SumsOfBlock]:
    """By the exact share of each cell that the polygons of a zone cover, or by the cell's centre."""
    edges, areas = _edges_in_window(raster, polygons)
    astray = np.zeros(edges.codes.size, bool)
    for window in _blocks_read(raster, edges.window):
        part, rows = raster.part(window), slice(*window[:2])
        totals, sums, counts, here = polygon_sums(part.values, part.valid, areas[rows], edges, rows.start, by_area)
        astray |= here
        met = counts[1] > 0
        yield edges.codes[met], totals[:, met], sums[:, met], counts[0, met]
    warn_astray(polygons, edges.codes[astray])


def _edges_in_window(raster: Raster | RasterFile, polygons: Polygons) -> tuple[Edges, np.ndarray]:
    """The polygons' edges, u counted from the first column of their window, and the area of a cell of each row."""
    edges = edges_on(polygons, raster.grid)
    ends = edges.ends - np.array([edges.window[2], 0.0, edges.window[2], 0.0])
    return edges._replace(ends=ends), raster.grid.cell_areas()
