"""Bilinear and cubic interpolation between the centres of pixels, without invalid pixels.

Section "Raster data": "Resample".  The value of pixel (i, j) stands at its centre, u = j + 1/2 and v = i + 1/2 in pixel
coordinates.  A point is valid if the pixel that contains it is valid.

- Bilinear: the weighted mean of the four pixels about the point.  Pixels that are invalid or off the raster are left
  out, and the other weights are divided by their sum.  So nodata has no influence.
- Cubic: Keys's kernel with a = -1/2 over sixteen pixels.  If one of them is missing, the value is the bilinear one.

Source: Keys 1981, IEEE Trans. ASSP 29, eq. 15.
"""

from __future__ import annotations

import numpy as np

from refimpl.twins import twin


@twin("kernels.interpolation")
def sample_points(values, valid, u, v, cubic):
    """Interpolated values at points in pixel coordinates.

    Parameters
    ----------
    values, valid : (rows, cols) real, 0 where not valid, and (rows, cols) bool.
    u, v : (R, C) float64, fractional columns and rows; nan off the map.
    cubic : bool; false for bilinear.

    Returns
    -------
    values : (R, C) float64, 0 where not valid.
    valid : (R, C) bool.

    >>> u, v = np.array([[0.5, 0.75, 1.0, 2.5]]), np.full((1, 4), 0.5)
    >>> found, known = sample_points.reference(np.array([[2.0, 4.0]]), np.ones((1, 2), bool), u, v, False)
    >>> found.tolist(), known.tolist()
    ([[2.0, 2.5, 3.0, 0.0]], [[True, True, True, False]])
    """
    (rows, cols), here = values.shape, np.isfinite(u) & np.isfinite(v)
    x, y = np.where(here, u, -1.0), np.where(here, v, -1.0)
    here &= (x >= 0) & (x < cols) & (y >= 0) & (y < rows)
    x, y = np.where(here, x, 0.0), np.where(here, y, 0.0)
    here &= valid[y.astype(int), x.astype(int)]
    left, top = np.floor(x - 0.5).astype(int), np.floor(y - 0.5).astype(int)
    right_share, lower_share = x - 0.5 - left, y - 0.5 - top
    total, weight = np.zeros(u.shape), np.zeros(u.shape)
    for i, vertical in enumerate((1 - lower_share, lower_share)):
        for j, horizontal in enumerate((1 - right_share, right_share)):
            value, known = _pixel(values, valid, top + i, left + j)
            share = np.where(known, vertical * horizontal, 0.0)
            total, weight = total + share * value, weight + share
    found = np.divide(total, weight, out=np.zeros(u.shape), where=here)
    if cubic:
        whole, total = here.copy(), np.zeros(u.shape)
        for i, vertical in enumerate(cubic_weights(lower_share), -1):
            for j, horizontal in enumerate(cubic_weights(right_share), -1):
                value, known = _pixel(values, valid, top + i, left + j)
                whole, total = whole & known, total + vertical * horizontal * value
        found = np.where(whole, total, found)
    return found, here


def _pixel(values, valid, row, col):
    """Values of pixels as float64, and whether each pixel is on the raster and valid."""
    inside = (row >= 0) & (row < values.shape[0]) & (col >= 0) & (col < values.shape[1])
    row, col = np.where(inside, row, 0), np.where(inside, col, 0)
    return values[row, col].astype(float), inside & valid[row, col]


def cubic_weights(share):
    """Cubic weights of four pixels in a row, for a point at ``share`` of the way from the second to the third.

    >>> [float(weight) for weight in cubic_weights(np.float64(0.5))]
    [-0.0625, 0.5625, 0.5625, -0.0625]
    """
    t, s = share, 1 - share
    return (
        -0.5 * t * s * s,
        1 + t * t * (1.5 * t - 2.5),
        1 + s * s * (1.5 * s - 2.5),
        -0.5 * s * t * t,
    )
