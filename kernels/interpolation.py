"""Values of a raster at points, bilinear or cubic: the twin of ``refimpl.earth.interpolation.sample_points``.

Points are computed one at a time, in the reference's order of additions.  Blocks of rows of points are computed side by
side.
"""

from __future__ import annotations

import math

import numpy as np

from kernels.tools.compiled import inner, kernel
from kernels.tools.threads import run_parts

PART_POINTS = 2**14


def sample_points(values, valid, u, v, cubic):
    values, valid, u, v = (np.ascontiguousarray(each) for each in (values, valid, u, v))
    found, known = np.zeros(u.shape), np.zeros(u.shape, bool)
    step = max(1, PART_POINTS // max(u.shape[1], 1))
    run_parts(sample_rows, -(-u.shape[0] // step), values, valid, u, v, cubic, step, found, known)
    return found, known


@inner
def cubic_weight(place, share):
    """Keys's weight of pixel ``place`` (0 to 3), for a point that lies ``share`` of the way from pixel 1 to pixel 2."""
    t, s = share, 1 - share
    if place == 0:
        return -0.5 * t * s * s
    if place == 1:
        return 1 + t * t * (1.5 * t - 2.5)
    if place == 2:
        return 1 + s * s * (1.5 * s - 2.5)
    return -0.5 * s * t * t


@kernel
def sample_rows(part, worker, values, valid, u, v, cubic, step, found, known):
    rows, cols = values.shape
    for r in range(part * step, min((part + 1) * step, u.shape[0])):
        for c in range(u.shape[1]):
            x, y = u[r, c], v[r, c]
            # nan fails every comparison
            if not (x >= 0 and x < cols and y >= 0 and y < rows) or not valid[int(y), int(x)]:
                continue
            left, top = int(math.floor(x - 0.5)), int(math.floor(y - 0.5))
            right_share, lower_share = x - 0.5 - left, y - 0.5 - top
            total, weight, whole = 0.0, 0.0, cubic
            if cubic:
                whole = top >= 1 and left >= 1 and top + 2 < rows and left + 2 < cols
                for i in range(4):
                    for j in range(4):
                        if whole and valid[top + i - 1, left + j - 1]:
                            share = cubic_weight(i, lower_share) * cubic_weight(j, right_share)
                            total += share * values[top + i - 1, left + j - 1]
                        else:
                            whole = False
            if not whole:
                total = 0.0
                for i in range(2):
                    for j in range(2):
                        row, col = top + i, left + j
                        if 0 <= row and row < rows and 0 <= col and col < cols and valid[row, col]:
                            share = (lower_share if i else 1 - lower_share) * (right_share if j else 1 - right_share)
                            total += share * values[row, col]
                            weight += share
                total /= weight
            found[r, c], known[r, c] = total, True
