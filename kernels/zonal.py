"""Kernel of refimpl/raster/zonal.py.

Idea: one pass over the cells with a running sum per zone, kept as an unevaluated pair (high, low) of doubles: each
addition keeps its rounding error (Knuth's two-sum), so that the result is the exact sum but for the last bit.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def zonal_sums(values, zones, weights, n_zones):
    rows, cols = values.shape
    if zones.shape != values.shape or weights.shape[0] != rows:
        raise ValueError("values and zones must have one shape, and weights one number per row")
    high, low = np.zeros(n_zones), np.zeros(n_zones)
    for row in range(rows):
        weight = weights[row]
        for col in range(cols):
            code = np.int64(zones[row, col])
            if code == 0:
                continue
            if code < 0 or code >= n_zones:
                raise ValueError("a zone code is negative or not below n_zones")
            term = np.float64(values[row, col]) * weight
            total = high[code] + term
            part = total - high[code]
            rest = low[code] + ((high[code] - (total - part)) + (term - part))
            high[code] = total + rest
            low[code] = rest - (high[code] - total)
    return high
