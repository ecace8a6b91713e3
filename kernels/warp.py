"""Kernel of refimpl/raster/overlap.py.

Idea: one cell at a time, so that nothing larger than the answer is stored; the four edges of the cell are kept in
local variables, invalid pixels are never integrated, and an edge that misses a pixel's column costs two comparisons.
Sums run in the reference's order (rows, then columns of pixels).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

NOISE, NOISE_FLOOR = 1e-12, 1e-15


@njit(cache=True, nogil=True, inline="never")
def edge_integral(u1, v1, u2, v2, i, j):
    left, right = max(min(u1, u2), j), min(max(u1, u2), j + 1.0)
    if not right > left:
        return 0.0
    run = u2 - u1
    low, high = v1 + (left - u1) / run * (v2 - v1) - i, v1 + (right - u1) / run * (v2 - v1) - i
    if low > high:
        low, high = high, low
    width = right - left if run > 0 else left - right
    if high <= 0.0:
        return 0.0
    if low >= 1.0:
        return width
    mean = (min(max(low, 0.0), 1.0) + min(max(high, 0.0), 1.0)) / 2
    if high > low:
        rise = high - low
        begin, end = min(max(-low / rise, 0.0), 1.0), min(max((1 - low) / rise, 0.0), 1.0)
        mean = (end - begin) * mean + (1 - end)
    return width * mean


@njit(cache=True, nogil=True)
def overlap_sums(values, valid, weights, u, v):
    rows, cols = values.shape
    height, width = u.shape[0] - 1, u.shape[1] - 1
    weighted, weight, covered = np.zeros((height, width)), np.zeros((height, width)), np.zeros((height, width))
    for r in range(height):
        for c in range(width):
            u0, u1, u2, u3 = u[r, c], u[r, c + 1], u[r + 1, c + 1], u[r + 1, c]
            v0, v1, v2, v3 = v[r, c], v[r, c + 1], v[r + 1, c + 1], v[r + 1, c]
            if not math.isfinite(u0 + u1 + u2 + u3 + v0 + v1 + v2 + v3):
                continue
            left, top = math.floor(min(u0, u1, u2, u3)), math.floor(min(v0, v1, v2, v3))
            # A quadrilateral far off the source is left out before its bounds become integers.
            if left >= cols or top >= rows or max(u0, u1, u2, u3) <= 0 or max(v0, v1, v2, v3) <= 0:
                continue
            u0, u1, u2, u3 = u0 - left, u1 - left, u2 - left, u3 - left
            v0, v1, v2, v3 = v0 - top, v1 - top, v2 - top, v3 - top
            area = (u1 - u0) * (v1 + v0 - 2 * v0) / 2 + (u2 - u1) * (v2 + v1 - 2 * v0) / 2
            area += (u3 - u2) * (v3 + v2 - 2 * v0) / 2 + (u0 - u3) * (v0 + v3 - 2 * v0) / 2
            least = NOISE * abs(area) + NOISE_FLOOR
            last_i = min(int(math.ceil(max(v0, v1, v2, v3))), rows - int(top))
            last_j = min(int(math.ceil(max(u0, u1, u2, u3))), cols - int(left))
            sum_value, sum_weight, sum_overlap = 0.0, 0.0, 0.0
            for i in range(max(0, -int(top)), last_i):
                for j in range(max(0, -int(left)), last_j):
                    if not valid[int(top) + i, int(left) + j]:
                        continue
                    overlap = edge_integral(u0, v0, u1, v1, i, j) + edge_integral(u1, v1, u2, v2, i, j)
                    overlap += edge_integral(u2, v2, u3, v3, i, j)
                    overlap += edge_integral(u3, v3, u0, v0, i, j)
                    if area < 0:
                        overlap = -overlap
                    if overlap > least:
                        share = overlap * weights[int(top) + i]
                        sum_value += share * values[int(top) + i, int(left) + j]
                        sum_weight += share
                        sum_overlap += overlap
            weighted[r, c], weight[r, c] = sum_value, sum_weight
            covered[r, c] = min(sum_overlap / abs(area), 1.0) if area != 0 else 0.0
    return weighted, weight, covered
