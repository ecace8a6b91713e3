"""Bicubic resizing, with and without invalid cells: twins of ``refimpl.method.resize``.

The reference goes through memory once for every tap of either axis.  Here an output row is finished before the next
one begins: the input rows that it needs are added up, weighted, into one row that stays in the nearest cache, and the
columns' taps are applied to that row.  Every loop runs along columns, so LLVM makes vector code of it.  In doubling and
halving, all cells whose taps do not meet the edge have the same taps, and these cells have a loop of their own.

Sums are those of the reference: the rows' axis first, taps in their order, each product rounded.  The first product is
added to -0.0, which changes no number.  So the bytes are the reference's too.

Work is cut into rectangles of about 2^18 output cells.  That is enough to pay for handing them to a thread, and few
enough columns for the input rows of one output row to stay in the second cache.
"""

from __future__ import annotations

import functools

import numpy as np

from kernels.tools.compiled import inner, kernel
from kernels.tools.threads import run_parts
from refimpl.method.resize import HALF, bicubic_taps, check_shape

RESIZE_PART_CELLS, RESIZE_PART_COLUMNS = 2**18, 4096
"""Output cells of a part, and its columns at most."""
PLAIN, NORMALISE, ADD = 0, 1, 2
"""What is done with a resized row: it is stored, divided by the valid share, or added to what is there."""

ANY, DOUBLE, HALVE = 0, 1, 2
"""The kind of resizing along the columns."""


def resize_bicubic(image, shape):
    """(rows, cols) to ``shape``; float32 stays float32, anything else becomes float64."""
    check_shape(shape)
    image = contiguous_float(image)
    out = np.empty(shape, image.dtype)
    resize_into(out, image, np.ones((1, 1), bool), np.empty((1, 1), bool), PLAIN)
    return out


def resize_valid(image, valid, shape):
    """``resize_bicubic`` over valid cells only, and which cells have half of their weight or more from valid cells."""
    image, valid = contiguous_float(image), np.ascontiguousarray(valid, bool)
    if image.shape != valid.shape:
        raise ValueError(f"expected valid of shape {image.shape}, got {valid.shape}")
    if valid.all():
        return resize_bicubic(image, shape), np.ones(shape, bool)
    check_shape(shape)
    out, enough = np.empty(shape, image.dtype), np.empty(shape, bool)
    resize_into(out, image, valid, enough, NORMALISE)
    return out, enough


def contiguous_float(image):
    """The image as a contiguous array: float32 stays float32, anything else becomes float64."""
    return np.ascontiguousarray(image, np.float32 if image.dtype == np.float32 else np.float64)


def rows_of_part(cols):
    """Rows of one part of a result of ``cols`` columns."""
    return max(RESIZE_PART_CELLS // max(min(cols, RESIZE_PART_COLUMNS), 1), 1)


def resize_into(out, image, valid, inside, finish):
    """Resize ``image`` to the shape of ``out``; ``finish`` decides what ``valid`` and ``inside`` are used for."""
    if 0 in out.shape:
        return
    if 0 in image.shape:
        raise ValueError(f"an image of shape {image.shape} has no cell to resize")
    _, row_indices, row_weights, _ = _axis(image.shape[0], out.shape[0], image.dtype)
    way, indices, weights, blocks = _axis(image.shape[1], out.shape[1], image.dtype)
    band = rows_of_part(out.shape[1])
    taps = row_indices, row_weights, indices, weights
    parts = -(-out.shape[0] // band) * len(blocks)
    run_parts(resize_part, parts, band, image, valid, *taps, blocks, way, image.dtype.type(HALF), finish, out, inside)


@functools.lru_cache(maxsize=64)
def _axis(n_in, n_out, dtype):
    """The kind of resizing, the ``bicubic_taps`` as contiguous arrays of this dtype, and the blocks of columns.

    A block is a row of six numbers: it makes the outputs [begin, end), of which [first, last) have a loop of their own,
    from the inputs [left, right).
    """
    indices, weights = bicubic_taps(n_in, n_out)
    way, edge = (DOUBLE, 4) if n_out == 2 * n_in else (HALVE, 2) if n_in == 2 * n_out else (ANY, n_out)
    blocks = []
    for begin in range(0, n_out, RESIZE_PART_COLUMNS):
        end = min(begin + RESIZE_PART_COLUMNS, n_out)
        first = min(max(begin, edge), end)  # the taps of cells nearer to the edge are mirrored
        last = max(min(end, n_out - edge), first)
        cells = indices[begin:end]
        blocks.append((begin, end, first, last, cells.min(), cells.max() + 1))
    return way, np.array(indices, order="C"), np.array(weights, dtype, order="C"), np.array(blocks)


@kernel
def resize_part(
    part, worker, band, image, valid, row_indices, row_weights, indices, weights, blocks, way, half, finish, out, inside
):
    """One block of columns of one band of rows; NORMALISE needs two planes, the image and the share of valid cells."""
    begin, end, first, last, left, right = blocks[part % len(blocks)]
    top = part // len(blocks) * band
    planes = 2 if finish == NORMALISE else 1
    total, row = np.empty((planes, right - left), image.dtype), np.empty((planes, end - begin), image.dtype)
    for i in range(top, min(top + band, out.shape[0])):
        if planes == 2:
            weigh_valid_rows(image, valid, row_indices[i], row_weights[i], left, right, total)
        else:
            weigh_rows(image, row_indices[i], row_weights[i], left, right, total[0])
        for plane in range(planes):
            target = out[i, begin:end] if finish == PLAIN else row[plane]
            weigh_any(total[plane], left, indices, weights, begin, first, last, end, target)
            if last > first:
                source, target = total[plane, indices[first, 0] - left :], target[first - begin : last - begin]
                if way == DOUBLE:
                    weigh_double(source, weights, target)
                else:
                    weigh_half(source, weights, target)
        if finish == NORMALISE:
            divide(row, half, out[i, begin:end], inside[i, begin:end])
        elif finish == ADD:
            add_to_children(row[0], valid[i // 2, begin // 2 :], out[i, begin:end])


@inner
def weigh_rows(image, indices, weights, left, right, total):
    """total[j] = the weighted sum of rows ``indices`` of the image at column left + j."""
    for j in range(right - left):
        total[j] = -0.0
    for tap in range(indices.size):
        row, w = image[indices[tap], left:right], weights[tap]
        for j in range(right - left):
            total[j] += row[j] * w


@inner
def weigh_valid_rows(image, valid, indices, weights, left, right, totals):
    """``weigh_rows`` of the image, with 0 at invalid cells, and of the mask, with 1 at valid cells."""
    zero, one, total, share = image.dtype.type(0), image.dtype.type(1), totals[0], totals[1]
    for j in range(right - left):
        total[j], share[j] = -0.0, -0.0
    for tap in range(indices.size):
        row, use, w = image[indices[tap], left:right], valid[indices[tap], left:right], weights[tap]
        for j in range(right - left):
            total[j] += (row[j] if use[j] else zero) * w
            share[j] += (one if use[j] else zero) * w


@inner
def weigh_any(row, left, indices, weights, begin, first, last, end, out):
    """The outputs [begin, first) and [last, end), each of which has its own taps."""
    before = first - begin
    for k in range(before + end - last):
        j = begin + k if k < before else last + k - before
        total = row[indices[j, 0] - left] * weights[j, 0]
        for tap in range(1, indices.shape[1]):
            total += row[indices[j, tap] - left] * weights[j, tap]
        out[j - begin] = total


@inner
def weigh_double(row, weights, out):
    """Two outputs for each cell; the second one's taps begin one cell further on."""
    a, b, c, d = weights[0, 0], weights[0, 1], weights[0, 2], weights[0, 3]
    e, f, g, h = weights[1, 0], weights[1, 1], weights[1, 2], weights[1, 3]
    for j in range(out.size // 2):
        out[2 * j] = row[j] * a + row[j + 1] * b + row[j + 2] * c + row[j + 3] * d
        out[2 * j + 1] = row[j + 1] * e + row[j + 2] * f + row[j + 3] * g + row[j + 4] * h


@inner
def weigh_half(row, weights, out):
    """One output for every two cells."""
    a, b, c, d = weights[0, 0], weights[0, 1], weights[0, 2], weights[0, 3]
    e, f, g, h = weights[0, 4], weights[0, 5], weights[0, 6], weights[0, 7]
    for j in range(out.size):
        near = row[2 * j] * a + row[2 * j + 1] * b + row[2 * j + 2] * c + row[2 * j + 3] * d
        out[j] = near + row[2 * j + 4] * e + row[2 * j + 5] * f + row[2 * j + 6] * g + row[2 * j + 7] * h


@inner
def divide(planes, half, out, inside):
    """Sum by share where the share is half or more, else 0."""
    total, share, zero = planes[0], planes[1], half - half
    for j in range(out.size):
        inside[j] = share[j] >= half
        out[j] = total[j] / share[j] if share[j] >= half else zero


@inner
def add_to_children(row, valid, out):
    """out += row at the two children of each valid cell; 0 at those of the others."""
    zero = row.dtype.type(0)
    for j in range(out.size // 2):
        out[2 * j] = out[2 * j] + row[2 * j] if valid[j] else zero
        out[2 * j + 1] = out[2 * j + 1] + row[2 * j + 1] if valid[j] else zero
