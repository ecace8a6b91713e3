"""Kernel of refimpl/raster/overlap.py.

Idea: one cell at a time, so that nothing larger than the answer is stored, and cells without a valid pixel are left at
once.  An edge of the cell crosses a column of pixels between the same two heights whatever the row: these are worked
out once for each edge and column, and what is left for a pixel is a trapezoid.  Invalid pixels are never integrated.
Sums run in the reference's order (rows, then columns of pixels); blocks of rows of cells run side by side.
"""

from __future__ import annotations

import math

import numpy as np

from kernels.compiled import inner, kernel
from kernels.threads import run_parts

NOISE, NOISE_FLOOR = 1e-12, 1e-15
PART_CELLS = 4096


def overlap_sums(values, valid, weights, u, v):
    shape = u.shape[0] - 1, u.shape[1] - 1
    sums = np.zeros((3, *shape))
    step = max(1, PART_CELLS // max(shape[1], 1))
    values, valid, weights, u, v = (np.ascontiguousarray(each) for each in (values, valid, weights, u, v))
    run_parts(sum_rows, -(-shape[0] // step), values, valid, weights, u, v, step, sums)
    return tuple(sums)


@inner
def edge_integral(width, low, high):
    """Integral of clamp(v, 0, 1) over a signed width in which v runs from ``low`` to ``high``."""
    if width == 0.0 or high <= 0.0:
        return 0.0
    if low >= 1.0:
        return width
    mean = (min(max(low, 0.0), 1.0) + min(max(high, 0.0), 1.0)) / 2
    if high > low:
        rise = high - low
        begin, end = min(max(-low / rise, 0.0), 1.0), min(max((1 - low) / rise, 0.0), 1.0)
        mean = (end - begin) * mean + (1 - end)
    return width * mean


@kernel
def sum_rows(part, worker, values, valid, weights, u, v, step, sums):
    rows, cols = values.shape
    width = u.shape[1] - 1
    x, y, crossing = np.empty(5), np.empty(5), np.empty((4 * 16, 3))
    for r in range(part * step, min((part + 1) * step, u.shape[0] - 1)):
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
            above, before = int(top), int(left)
            first_i, last_i = max(0, -above), min(int(math.ceil(max(v0, v1, v2, v3))), rows - above)
            first_j, last_j = max(0, -before), min(int(math.ceil(max(u0, u1, u2, u3))), cols - before)
            found = False
            for i in range(above + first_i, above + last_i):
                for j in range(before + first_j, before + last_j):
                    found |= valid[i, j]
            if not found:
                continue
            area = (u1 - u0) * (v1 + v0 - 2 * v0) / 2 + (u2 - u1) * (v2 + v1 - 2 * v0) / 2
            area += (u3 - u2) * (v3 + v2 - 2 * v0) / 2 + (u0 - u3) * (v0 + v3 - 2 * v0) / 2
            least = NOISE * abs(area) + NOISE_FLOOR
            if crossing.shape[0] < 4 * (last_j - first_j):
                crossing = np.empty((8 * (last_j - first_j), 3))
            x[0], x[1], x[2], x[3], x[4] = u0, u1, u2, u3, u0
            y[0], y[1], y[2], y[3], y[4] = v0, v1, v2, v3, v0
            for j in range(first_j, last_j):
                for edge in range(4):
                    # The signed width of the edge in this column (0: it misses it), its lower and its upper v there.
                    x1, x2, y1, y2, k = x[edge], x[edge + 1], y[edge], y[edge + 1], 4 * (j - first_j) + edge
                    enter, leave = max(min(x1, x2), j), min(max(x1, x2), j + 1.0)
                    crossing[k, 0] = 0.0
                    if leave > enter:
                        run = x2 - x1
                        one, other = y1 + (enter - x1) / run * (y2 - y1), y1 + (leave - x1) / run * (y2 - y1)
                        crossing[k, 0] = leave - enter if run > 0 else enter - leave
                        crossing[k, 1], crossing[k, 2] = min(one, other), max(one, other)
            sum_value, sum_weight, sum_overlap = 0.0, 0.0, 0.0
            for i in range(first_i, last_i):
                for j in range(first_j, last_j):
                    if not valid[above + i, before + j]:
                        continue
                    k, overlap = 4 * (j - first_j), 0.0
                    for edge in range(k, k + 4):
                        overlap += edge_integral(crossing[edge, 0], crossing[edge, 1] - i, crossing[edge, 2] - i)
                    if area < 0:
                        overlap = -overlap
                    if overlap > least:
                        share = overlap * weights[above + i]
                        sum_value += share * values[above + i, before + j]
                        sum_weight += share
                        sum_overlap += overlap
            sums[0, r, c], sums[1, r, c] = sum_value, sum_weight
            sums[2, r, c] = min(sum_overlap / abs(area), 1.0) if area != 0 else 0.0
