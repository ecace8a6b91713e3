"""Pixel coordinates of points: where a point of one CRS falls among the pixels of a grid.

Section "Raster data".  Pixel coordinates are (u, v): u counts columns to the right, v counts rows down, and (0, 0) is
the upper left corner of the upper left pixel.  Pixel (i, j) is [j, j + 1] x [i, i + 1].  float64; nan off the map.
"""

from __future__ import annotations

import numpy as np

from refimpl.earth.grid import Grid
from refimpl.earth.projection import transform_points, wrapped

_SNAP = 1e-9
"""Pixel coordinates closer than this to a whole number become that number, so that rounding separates no edges."""


def pixel_coordinates(source: Grid, target: Grid, x, y) -> tuple[np.ndarray, np.ndarray]:
    """Points of the target's CRS as fractional column and row (u, v) in the source's pixels.

    On a geographic source, longitudes are shifted by whole turns to within 180 degrees of its middle.  So it does not
    matter whether they run from 0 to 360 or from -180 to 180.

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
    """Pixel coordinates with those within rounding (1e-9) of a whole number set to that number.

    >>> snapped(np.array([2.9999999999, 2.99])).tolist()
    [3.0, 2.99]
    """
    whole = np.round(coordinate)
    return np.where(np.abs(coordinate - whole) < _SNAP, whole, coordinate)
