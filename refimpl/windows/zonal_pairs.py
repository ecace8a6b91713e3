"""Sums over the cells of each zone, each with what its rounding lost.

Section "Raster data"; D03.  The sums of a block of cells are pairs (refimpl/earth/exact_pair.py), so that the blocks of
a raster add up to the exact sum, rounded once.
"""

from __future__ import annotations

import numpy as np

from refimpl.earth.exact_pair import exact_pair
from refimpl.twins import twin


@twin("kernels.zonal")
def zonal_pairs(values, valid, zones, weights):
    """Sums over the valid cells of each zone, without loss.

    The first number of each pair equals ``refimpl.method.province_totals.zonal_sums``.

    Parameters
    ----------
    values, valid : (rows, cols) real, finite where valid, and bool.
    zones : (rows, cols) integer codes, 0 outside.
    weights : (rows,) float64, one per row: the area of a cell in km2.

    Returns
    -------
    codes : (k,) int64, ascending: every code that occurs except 0, also of zones without a valid cell.
    totals : (2, k) float64, sum of value x weight, and what its rounding lost.
    areas : (2, k) float64, sum of the weights, and what its rounding lost.
    counts : (k,) int64, number of valid cells.

    Raises
    ------
    ValueError
        Shapes differ or a code is negative.

    >>> values, zones = np.array([[1e16, 1.0, 8.0]]), np.array([[1, 1, 5]])
    >>> [each.tolist() for each in zonal_pairs.reference(values, values > 0, zones, np.ones(1))]
    [[1, 5], [[1e+16, 8.0], [1.0, 0.0]], [[2.0, 1.0], [0.0, 0.0]], [2, 1]]
    """
    if not values.shape == valid.shape == zones.shape or weights.shape != values.shape[:1]:
        raise ValueError("values, valid and zones must have one shape, and weights one number per row")
    codes = np.unique(zones[zones != 0]).astype(np.int64)
    if (codes < 0).any():
        raise ValueError(f"zone code {codes[0]}, expected codes from 0 up")
    every = np.broadcast_to(weights[:, None], values.shape)
    inside = [valid & (zones == code) for code in codes.tolist()]
    totals = [exact_pair(values[cells].astype(float) * every[cells]) for cells in inside]
    areas = [exact_pair(every[cells]) for cells in inside]
    counts = [np.count_nonzero(cells) for cells in inside]
    totals, areas = (np.array(each, float).reshape(-1, 2).T for each in (totals, areas))
    return codes, totals, areas, np.array(counts, np.int64)
