"""Working-set selection for ``kernels.smo``: two passes over the samples that find the next pair.

The first pass also applies the last step to the residual.

Idea: a loop that keeps one running maximum waits for it at every sample.  Here each of 256 neighbouring samples has a
running maximum of its own (a lane), so the loops compare neighbours, several in one instruction.  At the end the
largest lane is found, and in it the sample; of equal samples the first one in the first lane is taken.  Short loops
follow each other over one block while it is in the nearest cache, and each writes to one or two arrays: the compiler
gives up on loops whose arrays could overlap in more ways.  The added 0.0 makes the compiler store every lane: without
it, masked stores write only the lanes whose maximum has changed, which takes longer than all the rest.

Shapes: residual, up, low, diagonal and the rows of kernel values (size,) float64; lanes (4, BLOCK) is work memory.
"""

from __future__ import annotations

import numpy as np

from kernels.tools.compiled import inner
from kernels.tools.kernel_values import BLOCK

TAU = 1e-12


@inner
def first_of_pair(step, row_i, row_j, residual, up, low, lanes):
    """Subtract step * (row_i - row_j) from the residual; return i, m(a), M(a) and the largest |residual|."""
    best, least, peaks = lanes[0], lanes[1], lanes[2]
    width = min(residual.size, BLOCK)
    for k in range(width):
        best[k], least[k], peaks[k] = -np.inf, np.inf, 0.0
    for first in range(0, residual.size, BLOCK):
        r, u, l = residual[first : first + BLOCK], up[first : first + BLOCK], low[first : first + BLOCK]
        x, z = row_i[first : first + BLOCK], row_j[first : first + BLOCK]
        for k in range(r.size):
            r[k] -= step * (x[k] - z[k])
        for k in range(r.size):
            best[k] = max(best[k], r[k] + u[k]) + 0.0
        for k in range(r.size):
            least[k] = min(least[k], r[k] + l[k]) + 0.0
            peaks[k] = max(peaks[k], abs(r[k])) + 0.0
    lane, bottom, peak = 0, np.inf, 0.0
    for k in range(width):
        lane = k if best[k] > best[lane] else lane
        bottom, peak = min(bottom, least[k]), max(peak, peaks[k])
    i = lane
    for k in range(lane, residual.size, BLOCK):
        i = k if residual[k] + up[k] > residual[i] + up[i] else i
    return i, best[lane], bottom, peak


@inner
def second_of_pair(i, top, row, residual, low, diagonal, lanes):
    """The j whose pair with i lowers the objective most: (m(a) - v_j)^2 / curvature, where v_j < m(a)."""
    best, gains, own = lanes[0], lanes[1], diagonal[i]
    width = min(residual.size, BLOCK)
    for k in range(width):
        best[k] = 0.0
    for first in range(0, residual.size, BLOCK):
        r, l = residual[first : first + BLOCK], low[first : first + BLOCK]
        d, x = diagonal[first : first + BLOCK], row[first : first + BLOCK]
        for k in range(r.size):
            gains[k] = gain(top - (r[k] + l[k]), own + d[k] - 2.0 * x[k])
        for k in range(r.size):
            best[k] = max(best[k], gains[k]) + 0.0
    lane = 0
    for k in range(width):
        lane = k if best[k] > best[lane] else lane
    j, largest = lane, -1.0
    for k in range(lane, residual.size, BLOCK):
        value = gain(top - (residual[k] + low[k]), own + diagonal[k] - 2.0 * row[k])
        if value > largest:
            j, largest = k, value
    return j


@inner
def gain(drop, curvature):
    """drop^2 / curvature; 0 where the drop is not positive; TAU in place of a curvature that is not positive."""
    drop = max(drop, 0.0)
    return drop * drop / (curvature if curvature > 0.0 else TAU)
