"""What the cells of each zone add up to, without loss.

Section "Raster data"; D03.  Sums are compensated: a sum is the exact sum but for its last bit, so that it does not
depend on the order of the cells.  Blocks of a raster are added from pairs, each a sum and what its rounding lost.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from refimpl.twins import twin


def exact_pair(terms: Iterable[float]) -> tuple[float, float]:
    """The exact sum as the nearest double, and the double nearest to the rest; nan where it is beyond all doubles.

    >>> exact_pair([1e16, 1.0]), exact_pair([1e308, 1e308])
    ((1e+16, 1.0), (nan, nan))
    """
    terms = [float(term) for term in terms]
    try:
        high = math.fsum(terms)
        return high, math.fsum([*terms, -high])
    except (OverflowError, ValueError):  # a term or the sum is infinite
        return math.nan, math.nan


@twin("kernels.zonal")
def zonal_pairs(values, valid, zones, weights):
    """As ``province_totals.zonal_sums``, each sum with what its rounding lost: totals and areas are (2, k), the sum and the rest.

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
