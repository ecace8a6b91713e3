"""Sums and modes of the pixels under quadrilateral cells: twins of ``refimpl.earth.overlap``.

One cell is computed at a time, so nothing larger than the answer is stored, and a cell without a valid pixel is left at
once.  Each edge of the cell walks through the pixels that it crosses and leaves two numbers in each: ``full``, the
signed width that it spans there, which it adds to every pixel above, and ``part``, which it adds to this pixel.  From
the last row of pixels upward, a pixel's overlap with the cell is its ``part`` plus the sum of the ``full`` of the
pixels below it.  So an edge touches the few pixels on its way and no others.  Invalid pixels are passed over.  Blocks
of rows of cells are computed side by side.  Indices in the inner loops are unsigned: a signed one costs a test whether
it counts from the end.
"""

from __future__ import annotations

import math

import numpy as np

from kernels.tools.compiled import inner, kernel
from kernels.tools.threads import run_parts

OVERLAP_NOISE, OVERLAP_NOISE_FLOOR, ALIKE = 1e-12, 1e-15, 1e-9
OVERLAP_PART_CELLS = 4096


def overlap_sums(values, valid, weights, u, v):
    sums = np.zeros((3, u.shape[0] - 1, u.shape[1] - 1))
    _by_rows(sum_rows, values, valid, weights, u, v, sums)
    return tuple(sums)


def overlap_modes(values, valid, weights, u, v):
    shape = u.shape[0] - 1, u.shape[1] - 1
    modes, covered = np.zeros(shape, values.dtype), np.zeros(shape)
    _by_rows(mode_rows, values, valid, weights, u, v, modes, covered)
    return modes, covered


def _by_rows(kernel_of_rows, values, valid, weights, u, v, *results):
    """Run a kernel on blocks of rows of cells, side by side."""
    rows, cols = u.shape[0] - 1, u.shape[1] - 1
    step = max(1, OVERLAP_PART_CELLS // max(cols, 1))
    values, valid, weights, u, v = (np.ascontiguousarray(each) for each in (values, valid, weights, u, v))
    run_parts(kernel_of_rows, -(-rows // step), values, valid, weights, u, v, step, *results)


@inner
def bounding_box(u, v, r, c, valid, box):
    """Fill ``box`` with the bounds (top, bottom, left, right) of the pixels around a cell; whether one is valid."""
    rows, cols = valid.shape
    u0, u1, u2, u3 = u[r, c], u[r, c + 1], u[r + 1, c + 1], u[r + 1, c]
    v0, v1, v2, v3 = v[r, c], v[r, c + 1], v[r + 1, c + 1], v[r + 1, c]
    if not math.isfinite(u0 + u1 + u2 + u3 + v0 + v1 + v2 + v3):
        return False
    left, right = min(min(u0, u1), min(u2, u3)), max(max(u0, u1), max(u2, u3))
    top, bottom = min(min(v0, v1), min(v2, v3)), max(max(v0, v1), max(v2, v3))
    # A quadrilateral far off the source is left out here, because its bounds might exceed every integer.
    if left >= cols or top >= rows or right <= 0 or bottom <= 0:
        return False
    box[0], box[1] = int(math.floor(max(top, 0.0))), int(math.ceil(min(bottom, float(rows))))
    box[2], box[3] = int(math.floor(max(left, 0.0))), int(math.ceil(min(right, float(cols))))
    for i in range(box[0], box[1]):
        for j in range(box[2], box[3]):
            if valid[i, j]:
                return True
    return False


@inner
def cell_area(u, v, r, c):
    """Signed area of a cell in pixels; coordinates are taken relative to its first corner."""
    x1, x2, x3 = u[r, c + 1] - u[r, c], u[r + 1, c + 1] - u[r, c], u[r + 1, c] - u[r, c]
    y1, y2, y3 = v[r, c + 1] - v[r, c], v[r + 1, c + 1] - v[r, c], v[r + 1, c] - v[r, c]
    return ((x1 * y2 - x2 * y1) + (x2 * y3 - x3 * y2)) / 2


@inner
def walk(xa, ya, xb, yb, side, rows, cols, part, full):
    """Leave the numbers of the edge (xa, ya) to (xb, yb) in the pixels of a box; row ``rows`` stands for all below."""
    if xa == xb:
        return
    begin, end, slope = min(xa, xb), max(xa, xb), (yb - ya) / (xb - xa)
    sign = side if xb > xa else -side
    for j in range(max(int(math.floor(begin)), 0), min(int(math.ceil(end)), cols)):
        enter, leave = max(begin, float(j)), min(end, j + 1.0)
        one, other = ya + (enter - xa) * slope, ya + (leave - xa) * slope
        low, high, width = min(one, other), max(one, other), sign * (leave - enter)
        if high <= 0.0:
            continue
        i = int(math.floor(min(low, float(rows))))
        if i >= rows:
            full[np.uint64(rows * cols + j)] += width
        elif i >= 0 and high <= i + 1:
            k = np.uint64(i * cols + j)
            part[k] += width * ((low + high) / 2 - i)
            full[k] += width
        else:
            density = width / (high - low)
            for row in range(max(i, 0), min(int(math.ceil(high)), rows)):
                upper, lower = max(low, float(row)), min(high, row + 1.0)
                share = density * (lower - upper)
                k = np.uint64(row * cols + j)
                part[k] += share * ((upper + lower) / 2 - row)
                full[k] += share
            if high > rows:
                full[rows * cols + j] += density * (high - rows)


@inner
def walk_round(u, v, r, c, box, area, part, full):
    """Walk along all four edges of a cell, from the upper left corner to the upper right one first."""
    rows, cols, left, top = box[1] - box[0], box[3] - box[2], float(box[2]), float(box[0])
    for k in range(rows * cols):
        part[k] = 0.0
    for k in range((rows + 1) * cols):
        full[k] = 0.0
    x0, x1, x2, x3 = u[r, c] - left, u[r, c + 1] - left, u[r + 1, c + 1] - left, u[r + 1, c] - left
    y0, y1, y2, y3 = v[r, c] - top, v[r, c + 1] - top, v[r + 1, c + 1] - top, v[r + 1, c] - top
    side = -1.0 if area >= 0 else 1.0  # the walk is clockwise on a map, rows downward
    walk(x0, y0, x1, y1, side, rows, cols, part, full)
    walk(x1, y1, x2, y2, side, rows, cols, part, full)
    walk(x2, y2, x3, y3, side, rows, cols, part, full)
    walk(x3, y3, x0, y0, side, rows, cols, part, full)


@kernel
def sum_rows(part_number, worker, values, valid, weights, u, v, step, sums):
    box, part, full = np.empty(4, np.int64), np.empty(64), np.empty(64)
    flat_values, flat_valid = values.reshape(-1), valid.reshape(-1)
    for r in range(part_number * step, min((part_number + 1) * step, u.shape[0] - 1)):
        for c in range(u.shape[1] - 1):
            if not bounding_box(u, v, r, c, valid, box):
                continue
            rows, cols = box[1] - box[0], box[3] - box[2]
            if full.size < (rows + 1) * cols:
                part, full = np.empty(2 * (rows + 1) * cols), np.empty(2 * (rows + 1) * cols)
            area = cell_area(u, v, r, c)
            walk_round(u, v, r, c, box, area, part, full)
            area = abs(area)
            least = OVERLAP_NOISE * area + OVERLAP_NOISE_FLOOR
            sum_value, sum_weight, sum_overlap = 0.0, 0.0, 0.0
            wide = np.uint64(cols)
            for i in range(rows - 1, -1, -1):
                row_value, row_overlap = 0.0, 0.0
                here, there = np.uint64(i * cols), np.uint64((box[0] + i) * valid.shape[1] + box[2])
                for j in range(wide):
                    below = full[here + wide + j]
                    full[here + j] += below
                    overlap = part[here + j] + below
                    taken = overlap if flat_valid[there + j] & (overlap > least) else 0.0  # & and not "and": no branch
                    row_value += taken * flat_values[there + j]
                    row_overlap += taken
                weight = weights[box[0] + i]
                sum_value += row_value * weight
                sum_weight += row_overlap * weight
                sum_overlap += row_overlap
            sums[0, r, c], sums[1, r, c] = sum_value, sum_weight
            sums[2, r, c] = min(sum_overlap / area, 1.0) if area != 0 else 0.0


@kernel
def mode_rows(part_number, worker, values, valid, weights, u, v, step, modes, covered):
    box, part, full = np.empty(4, np.int64), np.empty(64), np.empty(64)
    classes, shares = np.empty(16, values.dtype), np.empty(16)
    flat_values, flat_valid = values.reshape(-1), valid.reshape(-1)
    for r in range(part_number * step, min((part_number + 1) * step, u.shape[0] - 1)):
        for c in range(u.shape[1] - 1):
            if not bounding_box(u, v, r, c, valid, box):
                continue
            rows, cols = box[1] - box[0], box[3] - box[2]
            if full.size < (rows + 1) * cols:
                part, full = np.empty(2 * (rows + 1) * cols), np.empty(2 * (rows + 1) * cols)
            area = cell_area(u, v, r, c)
            walk_round(u, v, r, c, box, area, part, full)
            area = abs(area)
            least, known, sum_overlap = OVERLAP_NOISE * area + OVERLAP_NOISE_FLOOR, 0, 0.0
            wide = np.uint64(cols)
            for i in range(rows - 1, -1, -1):
                here, there = np.uint64(i * cols), np.uint64((box[0] + i) * valid.shape[1] + box[2])
                for j in range(wide):
                    below = full[here + wide + j]
                    full[here + j] += below
                    overlap = part[here + j] + below
                    if overlap > least and flat_valid[there + j]:
                        value, k = flat_values[there + j], 0
                        while k < known and classes[k] != value:
                            k += 1
                        if k == known:
                            if known == classes.size:
                                classes = np.concatenate((classes, np.empty_like(classes)))
                                shares = np.concatenate((shares, np.empty_like(shares)))
                            classes[k], shares[k], known = value, 0.0, known + 1
                        shares[k] += overlap * weights[box[0] + i]
                        sum_overlap += overlap
            largest, best = 0.0, -1
            for k in range(known):
                largest = max(largest, shares[k])
            for k in range(known):
                if shares[k] >= largest * (1 - ALIKE) and (best < 0 or classes[k] < classes[best]):
                    best = k
            if known:
                modes[r, c], covered[r, c] = classes[best], min(sum_overlap / area, 1.0) if area != 0 else 0.0
