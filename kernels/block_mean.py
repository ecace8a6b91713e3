"""The mean of the valid cells of each 2x2 block: the twin of ``refimpl.method.resize.downsample_mean_valid``.

For each output row the two input rows, with 0 at invalid cells, and the numbers of valid cells are written into rows of
even length, which stay in the nearest cache.  Then every block is summed in the same way, without a branch, also at the
edges.
"""

from __future__ import annotations

import numpy as np

from kernels.resize import contiguous_float, rows_of_part
from kernels.tools.compiled import kernel
from kernels.tools.threads import run_parts


def downsample_mean_valid(image, valid):
    """The mean over the valid cells of each 2x2 block, and which blocks have one; (ceil(rows / 2), ceil(cols / 2))."""
    image, valid = contiguous_float(image), np.ascontiguousarray(valid, bool)
    if image.shape != valid.shape:
        raise ValueError(f"expected valid of shape {image.shape}, got {valid.shape}")
    shape = tuple((n + 1) // 2 for n in image.shape)
    mean, some = np.empty(shape, image.dtype), np.empty(shape, bool)
    band = rows_of_part(shape[1])
    run_parts(mean_part, -(-shape[0] // band), band, image, valid, mean, some)
    return mean, some


@kernel
def mean_part(part, worker, band, image, valid, mean, some):
    """Some rows of blocks; cells below a last odd row, and beside a last odd column, count as invalid."""
    rows, cols = image.shape
    values, counts = np.zeros((2, 2 * mean.shape[1]), image.dtype), np.zeros(2 * mean.shape[1], image.dtype)
    zero, one, nowhere = image.dtype.type(0), image.dtype.type(1), np.zeros(cols, np.bool_)
    for i in range(part * band, min(part * band + band, mean.shape[0])):
        for r in range(2):
            k = min(2 * i + r, rows - 1)
            row, use, value, before = image[k], valid[k], values[r], one if r else zero
            if 2 * i + r == rows:
                use = nowhere
            for j in range(cols):
                value[j] = row[j] if use[j] else zero
                counts[j] = counts[j] * before + (one if use[j] else zero)
        upper, lower, mean_row, some_row = values[0], values[1], mean[i], some[i]
        for j in range(mean_row.size):
            total = (upper[2 * j] + upper[2 * j + 1]) + (lower[2 * j] + lower[2 * j + 1])
            count = counts[2 * j] + counts[2 * j + 1]
            mean_row[j] = total / max(count, one)
            some_row[j] = count > zero
