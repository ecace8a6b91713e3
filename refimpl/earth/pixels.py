"""Where a point of one grid's CRS falls among the pixels of another grid.

Section "Raster data".  Pixel coordinates are (u, v): u to the right in columns, v down in rows, (0, 0) the upper left
corner of the upper left pixel; pixel (i, j) is [j, j + 1] x [i, i + 1].  float64; nan off the map.
"""

from __future__ import annotations

import numpy as np

from refimpl.earth.grid import Grid
from refimpl.earth.projection import transform_points, wrapped

_SNAP = 1e-9
"""Pixel coordinates this close to a whole number are that number, so that edges equal but for rounding are equal."""


def pixel_coordinates(source: Grid, target: Grid, x, y) -> tuple[np.ndarray, np.ndarray]:
    """Points of the target's CRS as fractional column and row (u, v) in the source's pixels.

    Longitudes are taken on the turn nearest to the middle of a geographic source (0 to 360 or -180 to 180 alike).

    >>> from refimpl.earth.projection import WGS84
    >>> grid = Grid(WGS84, (0, 90, 1, -1), (180, 360))
    >>> [float(c) for c in pixel_coordinates(grid, grid, -0.5, 0.25)]
    [359.5, 89.75]
    """
    x, y = transform_points(target.crs, source.crs, x, y)
    x0, y0, dx, dy = source.transform
    if source.crs.kind == "geographic":
        middle = x0 + dx * source.shape[1] / 2
        x = middle + wrapped(x - middle)
    u, v = snapped((x - x0) / dx), snapped((y - y0) / dy)
    shape = np.broadcast_shapes(u.shape, v.shape)
    return (np.array(np.broadcast_to(u, shape)), np.array(np.broadcast_to(v, shape)))


def snapped(coordinate: np.ndarray) -> np.ndarray:
    """Pixel coordinates of which those that are whole numbers but for rounding are whole.

    >>> snapped(np.array([2.9999999999, 2.99])).tolist()
    [3.0, 2.99]
    """
    whole = np.round(coordinate)
    return np.where(np.abs(coordinate - whole) < _SNAP, whole, coordinate)
