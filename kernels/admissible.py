"""Which windows of an image may serve as a crop: the twin of ``refimpl.method.training_pairs.admissible``.

The reference takes differences of a summed-area table.  Here the counts run along with the window: for every column
the number of valid cells, and of valid cells that are not 0, in the last ``size`` rows is kept up to date; along a row,
the window's count gains the column that enters and loses the one that leaves.  Counts are whole numbers, so the result
is exact.
"""

from __future__ import annotations

import numpy as np

from kernels.tools.compiled import kernel


def admissible(image, valid, size):
    """(rows - size + 1, cols - size + 1) bool: at least half of a window's cells are valid, and not all of these 0."""
    valid = np.ascontiguousarray(valid, bool)
    out = np.empty((valid.shape[0] - size + 1, valid.shape[1] - size + 1), bool)
    half_valid_and_lit(valid, np.ascontiguousarray(valid & (image != 0)), size, out)
    return out


@kernel
def half_valid_and_lit(valid, lit, size, out):
    """out = at least half of the window's size x size cells are valid, and at least one of them is lit (not 0)."""
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
