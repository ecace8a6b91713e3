"""One iteration of back-projection in two passes over the fine image: twins of ``refimpl.method.back_projection``.

The first pass reads the fine image and writes the difference, which is a quarter of its size.  The second pass
interpolates the difference row by row, as ``kernels.resize`` does, and adds each row while it is in the nearest cache.
Sums are those of the reference, taken in its order, so the bytes are the same too.
"""

from __future__ import annotations

import numpy as np

from kernels.resize import ADD, contiguous_float, resize_into, rows_of_part
from kernels.tools.compiled import kernel
from kernels.tools.threads import run_parts


def coarse_difference(fine, coarse, valid):
    """``coarse`` (rows, cols) less the mean of the four children of each cell in ``fine``; 0 at invalid cells."""
    fine = contiguous_float(fine)
    coarse, valid = np.ascontiguousarray(coarse, fine.dtype), np.ascontiguousarray(valid, bool)
    _check(fine, coarse, valid)
    difference = np.empty(coarse.shape, fine.dtype)
    band = rows_of_part(coarse.shape[1])
    run_parts(difference_part, -(-coarse.shape[0] // band), band, fine, coarse, valid, difference)
    return difference


def add_upsampled(fine, difference, valid):
    """``fine`` += the interpolated ``difference`` in place, and 0 at the children of invalid cells."""
    if fine.dtype not in (np.float32, np.float64) or not fine.flags.c_contiguous:
        raise ValueError(f"expected a C-contiguous float array to add to, got {fine.dtype} with strides {fine.strides}")
    difference, valid = np.ascontiguousarray(difference, fine.dtype), np.ascontiguousarray(valid, bool)
    _check(fine, difference, valid)
    resize_into(fine, difference, valid, np.empty((1, 1), bool), ADD)


def _check(fine, coarse, valid):
    if fine.shape != (2 * coarse.shape[0], 2 * coarse.shape[1]) or valid.shape != coarse.shape:
        shapes = fine.shape, coarse.shape, valid.shape
        raise ValueError(f"expected a fine image twice as high and wide as the coarse one and its mask, got {shapes}")


@kernel
def difference_part(part, worker, band, fine, coarse, valid, difference):
    for i in range(part * band, min(part * band + band, len(coarse))):
        upper, lower, wanted, use, out = fine[2 * i], fine[2 * i + 1], coarse[i], valid[i], difference[i]
        zero = fine.dtype.type(0)
        for j in range(out.size):
            total = (upper[2 * j] + upper[2 * j + 1]) + (lower[2 * j] + lower[2 * j + 1])
            out[j] = wanted[j] - total / fine.dtype.type(4) if use[j] else zero
