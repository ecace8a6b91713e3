"""Rasters onto another grid: area-weighted mean of a density, sum of counts, nearest class.

Section "Raster data"; D04 names the working grid.  A density (per km2) becomes the mean over the target cell, each
source pixel weighted by the true area of its overlap; a count per cell is shared out by overlap, so that its sum stays;
a class is that of the pixel which contains the cell's centre.  Means and sums are float64, classes keep their dtype.

Target corners are carried into the source's pixel coordinates in blocks of rows, so that memory is bounded by the two
rasters.  ``cover`` and ``coverage`` (refimpl/raster/zones.py) make and check the working grid.
"""

from __future__ import annotations

import numpy as np

from refimpl.errors import InputError, did_you_mean
from refimpl.raster.grid import Grid, Raster
from refimpl.raster.overlap import overlap_sums
from refimpl.raster.pixels import pixel_coordinates

_BLOCK_POINTS = 2**17


def warp(raster: Raster, grid: Grid, kind: str, minimum_valid: float = 0.0) -> Raster:
    """The raster on another grid as its ``kind`` demands: "density", "count" or "class" (which knows no minimum).

    Raises
    ------
    InputError
        Another kind, or a ``minimum_valid`` that is no share.
    """
    kinds = ("density", "count", "class")
    if kind not in kinds:
        raise InputError(f"unknown kind {kind!r} of a raster{did_you_mean(str(kind), kinds)}")
    if kind == "class":
        _check_share(minimum_valid)
        return warp_nearest(raster, grid)
    return (warp_mean if kind == "density" else warp_sum)(raster, grid, minimum_valid)


def _check_share(minimum_valid: float) -> None:
    if not 0 <= minimum_valid <= 1:
        raise InputError(f"minimum_valid is {minimum_valid}; expected a share of the cell, from 0 to 1")


def warp_mean(raster: Raster, grid: Grid, minimum_valid: float = 0.0) -> Raster:
    """The area-weighted mean of a density over the cells of ``grid``, over valid pixels only.

    A cell is valid where valid pixels cover at least the share ``minimum_valid`` of it (0: any overlap, so that the
    coast is not lost).  On the raster's own grid the values are returned as they are.

    >>> from refimpl.raster.projection import ALBERS_CHINA
    >>> source = Raster.masked([[1.0, 2.0, 6.0]], [[True, True, True]], Grid(ALBERS_CHINA, (0, 0, 2, -2), (1, 3)))
    >>> warp_mean(source, Grid(ALBERS_CHINA, (0, 0, 3, -2), (1, 2))).values.round(12).tolist()
    [[1.333333333333, 4.666666666667]]
    """
    _check_share(minimum_valid)
    if raster.grid == grid:
        return Raster(raster.values.astype(float), raster.valid.copy(), grid, raster.units)
    values, valid = np.zeros(grid.shape), np.zeros(grid.shape, bool)
    for rows, (weighted, weight, covered) in _overlap_blocks(raster, grid, raster.grid.cell_areas()):
        valid[rows] = (weight > 0) & (covered >= minimum_valid * (1 - 1e-9))
        np.divide(weighted, weight, out=values[rows], where=valid[rows])
    return Raster(values, valid, grid, raster.units)


def warp_sum(raster: Raster, grid: Grid, minimum_valid: float = 0.0) -> Raster:
    """Counts per pixel shared out to the cells of ``grid`` by overlap; where ``grid`` covers all, the sum is conserved.

    >>> from refimpl.raster.projection import ALBERS_CHINA
    >>> source = Raster.masked([[1.0, 2.0, 6.0]], [[True, True, True]], Grid(ALBERS_CHINA, (0, 0, 2, -2), (1, 3)))
    >>> warp_sum(source, Grid(ALBERS_CHINA, (0, 0, 3, -2), (1, 2))).values.tolist()
    [[2.0, 7.0]]
    """
    _check_share(minimum_valid)
    if raster.grid == grid:
        return Raster(raster.values.astype(float), raster.valid.copy(), grid, raster.units)
    values, valid = np.zeros(grid.shape), np.zeros(grid.shape, bool)
    for rows, (weighted, weight, covered) in _overlap_blocks(raster, grid, np.ones(raster.grid.shape[0])):
        valid[rows] = (weight > 0) & (covered >= minimum_valid * (1 - 1e-9))
        values[rows] = np.where(valid[rows], weighted, 0.0)
    return Raster(values, valid, grid, raster.units)


def warp_nearest(raster: Raster, grid: Grid) -> Raster:
    """The class of the source pixel that contains the centre of each cell of ``grid``, in the raster's dtype.

    A centre on the edge of two pixels belongs to the right and lower one.

    >>> from refimpl.raster.projection import ALBERS_CHINA
    >>> classes = np.array([[11, 12]], np.uint8)
    >>> source = Raster(classes, classes > 0, Grid(ALBERS_CHINA, (0, 0, 2, -2), (1, 2)))
    >>> warp_nearest(source, Grid(ALBERS_CHINA, (1, 0, 2, -2), (1, 2))).values.tolist()
    [[12, 0]]
    """
    values, valid = np.zeros(grid.shape, raster.values.dtype), np.zeros(grid.shape, bool)
    for start, stop in _row_blocks(grid):
        x, y = grid.centres(start, stop)
        u, v = pixel_coordinates(raster.grid, grid, x[None, :], y[:, None])
        inside = (u >= 0) & (u < raster.grid.shape[1]) & (v >= 0) & (v < raster.grid.shape[0])  # False for nan
        row, col = np.where(inside, v, 0).astype(np.intp), np.where(inside, u, 0).astype(np.intp)
        valid[start:stop] = inside & raster.valid[row, col]
        values[start:stop] = np.where(valid[start:stop], raster.values[row, col], values.dtype.type(0))
    return Raster(values, valid, grid, raster.units)


def cropped(raster: Raster, grid: Grid) -> Raster:
    """The part of ``raster`` that any cell of ``grid`` touches (all of it where that cannot be told), pixels unchanged.

    >>> from refimpl.raster.projection import ALBERS_CHINA
    >>> source = Raster(np.arange(16.0).reshape(4, 4), np.ones((4, 4), bool), Grid(ALBERS_CHINA, (0, 4, 1, -1), (4, 4)))
    >>> cropped(source, Grid(ALBERS_CHINA, (2, 3, 1, -1), (1, 1))).values.shape
    (1, 1)
    """
    low, high = np.full(2, np.inf), np.full(2, -np.inf)
    for start, stop in _row_blocks(grid):
        x, y = grid.edges(start, stop)
        corners = np.stack(pixel_coordinates(raster.grid, grid, x[None, :], y[:, None])).reshape(2, -1)
        low, high = np.minimum(low, corners.min(1)), np.maximum(high, corners.max(1))
    if not np.isfinite([low, high]).all():
        return raster
    (rows, cols), (x0, y0, dx, dy) = raster.grid.shape, raster.grid.transform
    left, top = (int(np.clip(np.floor(edge), 0, size - 1)) for edge, size in zip(low, (cols, rows)))
    right = int(np.clip(np.ceil(high[0]), left + 1, cols))
    bottom = int(np.clip(np.ceil(high[1]), top + 1, rows))
    window = np.s_[top:bottom, left:right]
    part = Grid(raster.grid.crs, (x0 + left * dx, y0 + top * dy, dx, dy), (bottom - top, right - left))
    return Raster(raster.values[window], raster.valid[window], part, raster.units)


def _row_blocks(grid: Grid):
    step = max(1, _BLOCK_POINTS // (grid.shape[1] + 1))
    return [(start, min(start + step, grid.shape[0])) for start in range(0, grid.shape[0], step)]


def _overlap_blocks(raster: Raster, grid: Grid, weights: np.ndarray):
    """(slice of rows, overlap sums) for each block of rows of ``grid``."""
    values, valid = np.ascontiguousarray(raster.values), np.ascontiguousarray(raster.valid)
    for start, stop in _row_blocks(grid):
        x, y = grid.edges(start, stop)
        u, v = pixel_coordinates(raster.grid, grid, x[None, :], y[:, None])
        turns = (0.0,)
        if _torn(u, raster.grid).any():
            u, turns = _continued(u, raster.grid)
        sums = [overlap_sums(values, valid, weights, u + turn, v) for turn in turns]
        yield slice(start, stop), tuple(sum(parts) for parts in zip(*sums))


def _turn(source: Grid) -> float:
    """Pixels once round the Earth, along the equator."""
    return (360.0 if source.crs.kind == "geographic" else 2 * np.pi * source.crs.a) / source.transform[2]


def _torn(u: np.ndarray, source: Grid) -> np.ndarray:
    """Which upper or lower edges of cells would reach half round the Earth: they cross the seam of the source's map."""
    with np.errstate(invalid="ignore"):
        return np.abs(np.diff(u, axis=1)) > _turn(source) / 2


def _continued(u: np.ndarray, source: Grid) -> tuple[np.ndarray, tuple[float, ...]]:
    """The corner lattice continued across the seam, and the shifts at which it has to be laid on the source.

    Longitudes repeat after a turn; a projected map does not, and there the cells beside the seam are given up.
    """
    turn, turns = _turn(source), (0.0,)
    u = u.copy()
    if source.crs.kind == "geographic":
        turns = (-turn, 0.0, turn)
        u[1:, 0] -= turn * np.cumsum(np.round(np.nan_to_num(np.diff(u[:, 0])) / turn))
        u[:, 1:] -= turn * np.cumsum(np.round(np.nan_to_num(np.diff(u, axis=1)) / turn), axis=1)
    torn = _torn(u, source)
    u[:, :-1][torn] = np.nan
    u[:, 1:][torn] = np.nan
    return u, turns
