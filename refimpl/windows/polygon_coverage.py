"""Shares of the area of polygon zones that lie in a grid and on its valid cells.

Section "Raster data"; D03.  All areas are taken in the grid's plane, row by row: the part of a polygon in a row, in
cells, times the true area of a cell of that row.  The rows continue beyond the grid to the ends of the polygons, so
that the area outside is measured like the area inside.
"""

from __future__ import annotations

import numpy as np

from refimpl.earth.grid import Grid, Raster, Source
from refimpl.earth.polygon_sums import polygon_sums
from refimpl.earth.polygons import Polygons, carried, edges_between, edges_on, pixels_of
from refimpl.windows.zonal_statistics import row_blocks


def whole_areas(polygons: Polygons, grid: Grid) -> np.ndarray:
    """Area in km2 of each of ``polygons.zones`` in the plane of ``grid``, in and outside of it, (k,) float64.

    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> square = np.array([0.0, 7e3, 7e3, 0.0, 0.0]), np.array([0.0, 0.0, 1e4, 1e4, 0.0])
    >>> zone = Polygons(*square, np.array([0, 5]), np.array([True]), np.array([11]), ALBERS_CHINA)
    >>> whole_areas(zone, Grid(ALBERS_CHINA, (5e3, 5e3, 1e3, -1e3), (2, 2))).tolist()
    [70.0]
    """
    codes, moved = polygons.zones, carried(polygons, grid.crs)
    if not moved.x.size:
        return np.zeros(codes.size)
    u, v = pixels_of(moved, grid)
    left, top, bottom = np.floor(u.min()), int(np.floor(v.min())), int(np.ceil(v.max()))
    ends, signs, of_edge, _ = edges_between(moved, u - left + 1, v, (bottom, np.inf), top)
    # One entry for each edge and each row that it crosses.
    first, last = np.floor(ends[:, 1]).astype(int), np.ceil(ends[:, 3]).astype(int) - 1
    count = last - first + 1
    edge = np.repeat(np.arange(count.size), count)
    row = np.arange(edge.size) - np.repeat(np.cumsum(count) - count, count) + first[edge]
    u1, v1, u2, v2 = ends[edge].T
    begin, end = np.maximum(v1, row), np.minimum(v2, row + 1.0)
    middle = u1 + ((begin + end) / 2 - v1) * ((u2 - u1) / (v2 - v1))
    parts = -signs[edge] * (end - begin) * middle * _cell_areas(grid, top, bottom)[row - top]
    return np.bincount(np.searchsorted(codes, of_edge)[edge], parts, codes.size)


def _cell_areas(grid: Grid, top: int, bottom: int) -> np.ndarray:
    """Area of a cell of each row from ``top`` to ``bottom``, which may lie above and below the grid."""
    (x0, y0, dx, dy), (rows, cols) = grid.transform, grid.shape
    first, last = min(top, 0), max(bottom, rows)
    if grid.crs.kind == "geographic":  # no row reaches beyond a pole
        first, last = max(first, int(np.ceil((90 - y0) / dy))), min(last, int(np.floor((-90 - y0) / dy)))
    elif grid.crs.kind == "transverse_mercator":  # rows beyond the grid take the area at its edge
        first, last = 0, rows
    first, last = min(first, 0), max(last, rows)
    areas = Grid(grid.crs, (x0, y0 + first * dy, dx, dy), (last - first, cols)).cell_areas()
    return np.pad(areas, (max(first - top, 0), max(bottom - last, 0)), mode="edge")[max(top - first, 0) :]


def covered_areas(polygons: Polygons, raster: Source) -> np.ndarray:
    """Area in km2 of each of ``polygons.zones`` on the valid cells of a raster, read block by block, (k,) float64.

    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> square = np.array([0.0, 7e3, 7e3, 0.0, 0.0]), np.array([0.0, 0.0, 1e4, 1e4, 0.0])
    >>> zone = Polygons(*square, np.array([0, 5]), np.array([True]), np.array([11]), ALBERS_CHINA)
    >>> grid = Grid(ALBERS_CHINA, (4.5e3, 5e3, 1e3, -1e3), (1, 3))
    >>> covered_areas(zone, Raster.masked(np.ones((1, 3)), [[True, False, True]], grid)).tolist()
    [1.5]
    """
    edges, areas = edges_on(polygons, raster.grid), raster.grid.cell_areas()
    total = np.zeros(polygons.zones.size)
    for first, last, *columns in row_blocks((*edges.window[:2], 0, raster.grid.shape[1])):
        valid = raster.part((first, last, *columns)).valid
        nothing = np.broadcast_to(np.float32(0), valid.shape)
        total += polygon_sums(nothing, valid, areas[first:last], edges, first, True)[1].sum(0)
    return total


def shares_inside(polygons: Polygons, grid: Grid, raster: Source | None = None) -> np.ndarray:
    """The part of each of ``polygons.zones`` in ``grid``, or on a raster's valid cells, in [0, 1], (k,) float64.

    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> square = np.array([0.0, 7e3, 7e3, 0.0, 0.0]), np.array([0.0, 0.0, 1e4, 1e4, 0.0])
    >>> zone = Polygons(*square, np.array([0, 5]), np.array([True]), np.array([11]), ALBERS_CHINA)
    >>> shares_inside(zone, Grid(ALBERS_CHINA, (0, 1e4, 1e3, -1e3), (5, 7))).tolist()
    [0.5]
    """
    raster = whole_grid(grid) if raster is None else raster
    whole = np.maximum(whole_areas(polygons, grid), np.finfo(float).tiny)
    return np.clip(covered_areas(polygons, raster) / whole, 0, 1)


def whole_grid(grid: Grid, valid: np.ndarray | None = None) -> Raster:
    """A raster of zeros on ``grid`` that takes no memory, valid everywhere or where ``valid`` is true.

    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> bool(whole_grid(Grid(ALBERS_CHINA, (0, 0, 1, -1), (2, 2))).valid.all())
    True
    """
    valid = np.broadcast_to(True, grid.shape) if valid is None else valid
    return Raster.unchecked(np.broadcast_to(np.uint8(0), grid.shape), valid, grid)
