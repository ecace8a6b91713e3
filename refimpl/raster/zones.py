"""Zones (provinces) and the working grid: make a grid that covers them, and tell how much of each it holds.

Section "Raster data".  A zone raster holds integer codes, 0 outside.  A province that the edge of the grid cuts must not
receive its whole total, so that the run compares each zone's area inside the grid with its area in the zone raster.
Areas are true areas (D03), km2.  Both functions walk the zone raster in blocks of rows: 32 million cells fit in small memory.
"""

from __future__ import annotations

import math

import numpy as np

from refimpl.raster.grid import Grid, Raster
from refimpl.raster.pixels import pixel_coordinates
from refimpl.raster.projection import CRS, transform_points

_BLOCK_CELLS = 2**20


def cover(zones: Raster, crs: CRS, cell_size: float) -> Grid:
    """The smallest grid of square cells, edges at multiples of ``cell_size``, which covers every cell with a zone.

    The extent is that of the corners of the outermost zone cells; a map is continuous, so that no inner cell reaches
    further.

    Raises
    ------
    ValueError
        No cell has a zone, a zone cell lies off the map of ``crs``, or the cell size is not a positive number.

    >>> from refimpl.raster.projection import ALBERS_CHINA
    >>> zones = Raster(np.array([[0, 11]]), np.array([[True, True]]), Grid(ALBERS_CHINA, (0, 0, 7, -7), (1, 2)))
    >>> cover(zones, ALBERS_CHINA, 5.0).bounds
    (5.0, -10.0, 15.0, 0.0)
    """
    if not (math.isfinite(cell_size) and cell_size > 0):
        raise ValueError(f"cell size {cell_size}, expected a positive number of metres or degrees")
    low, high = np.full(2, np.inf), np.full(2, -np.inf)
    for start, stop in _row_blocks(zones):
        x, y = _outline_corners(zones, start, stop)
        corners = np.stack(transform_points(zones.grid.crs, crs, x, y)).reshape(2, -1)
        if not np.all(np.isfinite(corners)):
            raise ValueError(f"rows {start} to {stop} of the zones lie partly off the map of {crs.describe()}")
        if corners.size:
            low, high = np.minimum(low, corners.min(1)), np.maximum(high, corners.max(1))
    if not np.all(np.isfinite(low)):
        raise ValueError("no cell of the zone raster has a zone")
    # An extent that ends on a cell's edge but for rounding ends there.
    first = np.floor(low / cell_size + 1e-9)
    last = np.ceil(high / cell_size - 1e-9)
    cols, rows = (int(number) for number in last - first)
    west, north = float(first[0] * cell_size + 0.0), float(last[1] * cell_size + 0.0)  # + 0.0: no negative zero
    return Grid(crs, (west, north, cell_size, -cell_size), (max(rows, 1), max(cols, 1)))


def _outline_corners(zones: Raster, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
    """x and y of the four corners of the zone cells in rows start to stop that have a side without a zone."""
    rows, cols = zones.grid.shape
    above, below = max(start - 1, 0), min(stop + 1, rows)
    inside = np.zeros((stop - start + 2, cols + 2), bool)
    inside[above - start + 1 : below - start + 1, 1:-1] = (zones.values[above:below] != 0) & zones.valid[above:below]
    inner = inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
    row, col = np.nonzero(inside[1:-1, 1:-1] & ~inner)
    x, y = zones.grid.edges()
    row = row + start
    return np.stack([x[col], x[col + 1], x[col], x[col + 1]]), np.stack([y[row], y[row], y[row + 1], y[row + 1]])


def inside_shares(zones: Raster, grid: Grid, valid: np.ndarray | None = None) -> dict[int, float]:
    """Share of each zone's area that lies inside ``grid``, by code; 1.0 where all of it does.

    A cell of the zone raster is inside if its centre falls in ``grid``, and, where ``valid`` (rows, cols of ``grid``) is
    given, on a valid cell.  Cells are counted in whole numbers per row, so that the shares do not depend on any order.

    >>> from refimpl.raster.projection import ALBERS_CHINA
    >>> zones = Raster(np.array([[11, 11, 11, 12]]), np.ones((1, 4), bool), Grid(ALBERS_CHINA, (0, 0, 1, -1), (1, 4)))
    >>> inside_shares(zones, Grid(ALBERS_CHINA, (1, 0, 1, -1), (1, 3)))
    {11: 0.6666666666666666, 12: 1.0}
    """
    if zones.values.dtype.kind not in "iu":
        raise ValueError(f"zones of {zones.values.dtype}, expected integer codes")
    if valid is not None and np.shape(valid) != grid.shape:
        raise ValueError(f"valid {np.shape(valid)}, expected the grid's {grid.shape}")
    n_codes, areas = int(zones.values.max()) + 1, zones.grid.cell_areas()
    counts = np.zeros((2, zones.grid.shape[0], n_codes), np.int64)
    for start, stop in _row_blocks(zones):
        codes = np.where(zones.valid[start:stop], zones.values[start:stop], 0).astype(np.intp)
        codes += n_codes * np.arange(stop - start)[:, None]  # one bin for each row and code
        inside = _centres_inside(zones, grid, valid, start, stop)
        for count, chosen in zip(counts, (codes.ravel(), codes[inside])):
            count[start:stop] = np.bincount(chosen, minlength=(stop - start) * n_codes).reshape(stop - start, n_codes)
    held, whole = ([math.fsum(column) for column in (count * areas[:, None]).T] for count in counts[::-1])
    return {code: held[code] / whole[code] for code in range(1, n_codes) if whole[code] > 0}


def _centres_inside(zones: Raster, grid: Grid, valid, start: int, stop: int) -> np.ndarray:
    """Which cells of rows start to stop have their centre in ``grid`` (and on a valid cell)."""
    x, y = zones.grid.centres(start, stop)
    u, v = pixel_coordinates(grid, zones.grid, x[None, :], y[:, None])
    inside = (u >= 0) & (u < grid.shape[1]) & (v >= 0) & (v < grid.shape[0])  # False for nan
    if valid is not None:
        inside &= np.asarray(valid, bool)[np.where(inside, v, 0).astype(np.intp), np.where(inside, u, 0).astype(np.intp)]
    return inside


def clip_to_zones(raster: Raster, zones: Raster) -> Raster:
    """``raster`` without the cells that have no zone; both on one grid.

    Raises
    ------
    ValueError
        The grids differ.
    """
    if raster.grid != zones.grid:
        raise ValueError("raster and zones lie on different grids; warp_nearest the zones first")
    return Raster.masked(raster.values, raster.valid & zones.valid & (zones.values != 0), raster.grid, raster.units)


def _row_blocks(zones: Raster):
    step = max(1, _BLOCK_CELLS // zones.grid.shape[1])
    return [(start, min(start + step, zones.grid.shape[0])) for start in range(0, zones.grid.shape[0], step)]
