"""Warps between grids: exact polygons of target cells laid over the pixels of the source, by GEOS."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tests.peers.second_implementation.files import Task
from tests.peers.second_implementation.grids import Grid, read_grid
from tests.peers.second_implementation.rasters import Raster, band

SLIVER = 1e-9
"""Parts of a pixel below this are the rounding of coordinates, not overlap."""


@dataclass(frozen=True)
class Overlaps:
    """Target cell, source pixel and the part of the pixel covered, one entry a pair; each target's size in pixels."""

    target: np.ndarray
    source: np.ndarray
    part: np.ndarray
    size: np.ndarray


def carried(target: Grid, source: Grid, rows: np.ndarray, cols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions (row, column) of the target grid as positions of the source's, NaN off a map."""
    x0, y0, dx, dy = target.transform
    x, y = x0 + cols * dx, y0 + rows * dy
    if not target.crs.same(source.crs):
        x, y = source.crs.forward(*target.crs.inverse(x, y))
    x0, y0, dx, dy = source.transform
    row, col = (y - y0) / dy, (x - x0) / dx
    near = lambda v: np.where(np.abs(v - np.round(v)) < SLIVER, np.round(v), v)  # noqa: E731
    return near(row), near(col)


def turn_of(source: Grid) -> float | None:
    """The pixels of one turn of 360 degrees, where the source has longitudes."""
    return 360 / source.transform[2] if source.crs.kind == "geographic" else None


def polygons_of(target: Grid, source: Grid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows and columns (cells, 4) of the corners of target cells in source pixels, and which cells have all four."""
    rows, cols = (index.ravel() for index in np.indices(target.shape))
    corners = [carried(target, source, rows + i, cols + j) for i, j in ((0, 0), (0, 1), (1, 1), (1, 0))]
    r, c = (np.stack(part, axis=1) for part in zip(*corners, strict=True))
    whole = np.isfinite(r).all(axis=1) & np.isfinite(c).all(axis=1)
    turn = turn_of(source)
    if turn:
        # A polygon across the date line is drawn on one side of it.
        c = c[:, :1] + (c - c[:, :1] + turn / 2) % turn - turn / 2
    return np.where(whole[:, None], r, 0), np.where(whole[:, None], c, 0), whole


def overlaps(target: Grid, source: Grid) -> Overlaps:
    """Every overlap of a target cell with a source pixel."""
    import shapely

    r, c, whole = polygons_of(target, source)
    polygons = shapely.polygons(np.stack([c, r], axis=2))
    turn = turn_of(source)
    found = [(np.zeros(0, int), np.zeros(0, int), np.zeros(0))]
    for shift in (0,) if turn is None else (-turn, 0, turn):
        for cell in np.flatnonzero(whole):
            rows, cols = _pixels(r[cell], c[cell] + shift, source.shape)
            box = shapely.box(cols - shift, rows, cols + 1 - shift, rows + 1)
            part = shapely.area(shapely.intersection(polygons[cell], box))
            keep = part > SLIVER
            found.append((np.full(keep.sum(), cell), (rows * source.shape[1] + cols)[keep], part[keep]))
    target_cell, pixel, part = (np.concatenate(each) for each in zip(*found, strict=True))
    return Overlaps(target_cell, pixel, part, np.where(whole, shapely.area(polygons), 0))


def _pixels(r: np.ndarray, c: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the source's pixels in the rectangle about a polygon."""
    top, bottom = max(int(np.floor(r.min())), 0), min(int(np.ceil(r.max())), shape[0])
    left, right = max(int(np.floor(c.min())), 0), min(int(np.ceil(c.max())), shape[1])
    rows, cols = np.mgrid[top : max(bottom, top), left : max(right, left)]
    return rows.ravel(), cols.ravel()


def warp_values(source: Raster, target: Grid, kind: str, minimum_valid: float = 0.0) -> Raster:
    """A density (mean) or a count (shared out) on the target grid."""
    found = overlaps(target, source.grid)
    cells = target.shape[0] * target.shape[1]
    inside = source.valid.ravel()[found.source]
    total = lambda weight: np.bincount(found.target, weight, cells)  # noqa: E731
    area = np.repeat(source.grid.areas(), source.grid.shape[1])[found.source]
    values = source.values.ravel()[found.source]
    covered = total(found.part * inside)
    weight = found.part * inside * (area if kind == "density" else 1)
    result = total(weight * values)
    if kind == "density":
        result = result / np.where(covered > 0, total(weight), 1)
    valid = (covered > 0) & (covered >= (minimum_valid - SLIVER) * found.size)
    return Raster(np.where(valid, result, 0).reshape(target.shape), valid.reshape(target.shape), target)


def warp_class(source: Raster, target: Grid) -> Raster:
    """The class at each target cell's centre, in the source's type."""
    rows, cols = np.indices(target.shape)
    r, c = carried(target, source.grid, rows + 0.5, cols + 0.5)
    turn = turn_of(source.grid)
    if turn:
        c = np.where((c < 0) | (c >= source.grid.shape[1]), c % turn, c)
    there = np.isfinite(r) & np.isfinite(c)
    r, c = np.floor(np.where(there, r, -1)).astype(int), np.floor(np.where(there, c, -1)).astype(int)
    there &= (r >= 0) & (r < source.grid.shape[0]) & (c >= 0) & (c < source.grid.shape[1])
    r, c = np.where(there, r, 0), np.where(there, c, 0)
    valid = there & source.valid[r, c]
    return Raster(np.where(valid, source.values[r, c], 0), valid, target, source.raw[r, c], source.nodata)


def warp(task: Task) -> dict:
    """A raster on another grid."""
    kind = task.choice("kind", ("density", "count", "class"))
    minimum_valid = task.number("minimum_valid", lambda v: 0 <= v <= 1, "a part in [0, 1]", 0)
    target, source = read_grid(task), band(task, "source")
    warped = warp_class(source, target) if kind == "class" else warp_values(source, target, kind, minimum_valid)
    return {"warped.tif": warped}
