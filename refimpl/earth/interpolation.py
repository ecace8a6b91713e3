"""Values between the centres of pixels: bilinear and cubic interpolation that knows of invalid pixels.

Section "Raster data": "Resample".  A value stands for the centre of its pixel, (i + 1/2, j + 1/2) in pixel coordinates.
Bilinear: the four pixels about the point; those that are invalid or off the raster drop out, and the weights of the
others are divided by their sum, so that nodata never bleeds in.  Cubic: Keys's kernel with a = -1/2 over sixteen
pixels; where one of them is missing, bilinear.  A point is valid if the pixel that contains it is.
Source: Keys 1981, IEEE Trans. ASSP 29, eq. 15.
"""

from __future__ import annotations

import numpy as np

from refimpl.twins import twin


@twin("kernels.interpolation")
def sample_points(values, valid, u, v, cubic):
    """The values at points in pixel coordinates.

    Parameters
    ----------
    values, valid : (rows, cols) real and bool; 0 where not valid.
    u, v : (R, C) float64, columns and rows; nan off the map.
    cubic : bool; bilinear if not.

    Returns
    -------
    (R, C) float64, 0 where there is none, and (R, C) bool.

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
    """Values of pixels as float64, and whether they are there and valid."""
    inside = (row >= 0) & (row < values.shape[0]) & (col >= 0) & (col < values.shape[1])
    row, col = np.where(inside, row, 0), np.where(inside, col, 0)
    return values[row, col].astype(float), inside & valid[row, col]


def cubic_weights(share):
    """Weights of the four pixels about a point that lies ``share`` of the way from the second to the third.

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
