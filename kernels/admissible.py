"""Twin of ``refimpl.method.training_pairs.admissible``: counts that run with the window, in place of a summed-area table.

For every column the number of valid cells, and of valid cells that are not 0, in the last ``size`` rows is kept up to
date; along a row, a window's count changes by the column that enters and the one that leaves.  Whole numbers, so exact.
"""

from __future__ import annotations

import numpy as np

from kernels.tools.compiled import kernel


def admissible(image, valid, size):
    """(rows - size + 1, cols - size + 1) bool: half of the cells valid or more, and not all of these 0."""
    valid = np.ascontiguousarray(valid, bool)
    out = np.empty((valid.shape[0] - size + 1, valid.shape[1] - size + 1), bool)
    half_valid_and_lit(valid, np.ascontiguousarray(valid & (image != 0)), size, out)
    return out


@kernel
def half_valid_and_lit(valid, lit, size, out):
    """Both counts at least: half of size x size, and 1."""
    rows, cols = valid.shape
    inside, bright = np.zeros(cols, np.int32), np.zeros(cols, np.int32)
    for i in range(rows):
        for j in range(cols):
            inside[j] += valid[i, j]
            bright[j] += lit[i, j]
        if i >= size:
            for j in range(cols):
                inside[j] -= valid[i - size, j]
                bright[j] -= lit[i - size, j]
        if i >= size - 1:
            row, many, some = out[i - size + 1], np.int64(0), np.int64(0)
            for j in range(size - 1):
                many += inside[j]
                some += bright[j]
            for j in range(row.size):
                many += inside[j + size - 1]
                some += bright[j + size - 1]
                row[j] = 2 * many >= size * size and some > 0
                many -= inside[j]
                some -= bright[j]
