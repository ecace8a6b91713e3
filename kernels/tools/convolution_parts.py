"""The compiled parts of ``kernels.convolution``: each computes some rows of one layer, or its share of a sum.

Arrays are planes with a border of zeros (``padded_planes``), except in the plain loops at the end.
"""

from __future__ import annotations

import numpy as np

from kernels.tools.compiled import kernel
from kernels.tools.simd import pointer
from kernels.tools.single_channel import narrow_four
from kernels.tools.sweep import correlate_rows, widen_rows
from kernels.tools.winograd import convolve_tiles, sum_tiles
from kernels.tools.winograd_products import PANEL
from kernels.tools.winograd_weights import finish_weight_gradient, transform_weights, whole


@kernel
def weights_part(part, worker, weights, u, work, edge):
    c_in, c_out = weights.shape[2:]
    transform_weights(pointer(weights), c_in, c_out, pointer(u), pointer(work[worker]), edge)


@kernel
def convolve_part(part, worker, parts, x, weights, u, bias, floor, active, masked, y, height, width, work, edge):
    """This part's rows of tiles of a wide layer."""
    (c_in, c_out), out = weights.shape[2:], len(edge)
    down, across = whole(height, out), whole(width, out)
    first, last = part * down // parts, (part + 1) * down // parts
    step, y_step = x.shape[1] * c_in, x.shape[1] * c_out
    corner, start = (first * out + 1) * step, (first * out + 1) * y_step + c_out
    source = pointer(x), corner - step, corner, corner + out * step, step
    target = pointer(y), start, y_step, height - first * out, width
    tiles = (last - first) * across
    places = pointer(bias), floor, pointer(active), masked, pointer(work[worker])
    convolve_tiles(source, target, tiles, across, c_in, c_out, pointer(u), *places, edge)


@kernel
def sum_part(part, worker, parts, x, dy, sums, height, width, work, edge):
    """This part's share of the weight gradient of a wide layer."""
    c_in, c_out, out = x.shape[2], dy.shape[2], len(edge)
    down, across = whole(height, out), whole(width, out)
    first, last = part * down // parts, (part + 1) * down // parts
    step, dy_step = x.shape[1] * c_in, x.shape[1] * c_out
    corner = (first * out + 1) * step
    source = pointer(x), corner - step, corner, corner + out * step, step
    target = pointer(dy), (first * out + 1) * dy_step + c_out, dy_step
    columns = pointer(work[worker])
    sum_tiles(source, target, (last - first) * across, across, c_in, c_out, pointer(sums[part]), columns, edge)


@kernel
def finish_part(part, worker, sums, dw, work, edge):
    c_in, c_out = dw.shape[2:]
    columns = pointer(work[worker])
    for panel in range(whole(c_out, PANEL)):
        finish_weight_gradient(pointer(sums), len(sums), sums.shape[1], pointer(dw), panel, c_in, c_out, columns, edge)


@kernel
def widen_part(part, worker, parts, x, weights, bias, floor, active, masked, y, height, width):
    top, bottom = part * height // parts, (part + 1) * height // parts
    places = pointer(weights), pointer(bias), floor, pointer(active), masked, pointer(y)
    widen_rows(pointer(x), x.shape[1], top, bottom, 0, width, *places, y.shape[2])


@kernel
def narrow_part(part, worker, parts, x, weights, y):
    height, width, _ = y.shape
    channels = x.shape[2]
    four = np.empty(4, np.float32)
    for i in range(part * height // parts, (part + 1) * height // parts):
        for j in range(0, width, 4):
            k, step = ((i + 1) * x.shape[1] + j + 1) * channels, x.shape[1] * channels
            narrow_four(pointer(x), k - step, k, k + step, pointer(weights), pointer(four), channels)
            for n in range(min(4, width - j)):
                y[i, j + n, 0] = four[n]


@kernel
def correlate_part(part, worker, parts, x, wide, sums, height, width, out):
    down = whole(height, out)
    top, bottom = part * down // parts * out, min((part + 1) * down // parts * out, height)
    correlate_rows(pointer(x), x.shape[1], top, bottom, pointer(wide), sums[part], width, wide.shape[2])


@kernel
def add_convolution_plain(x, weights, y):
    """y += x * weights, term by term."""
    height, width, c_in = x.shape
    for i in range(height):
        for j in range(width):
            for r in range(max(0, 1 - i), min(3, height + 1 - i)):
                for s in range(max(0, 1 - j), min(3, width + 1 - j)):
                    for c in range(c_in):
                        value = x[i + r - 1, j + s - 1, c]
                        for o in range(y.shape[2]):
                            y[i, j, o] += value * weights[r, s, c, o]


@kernel
def add_weight_gradient_plain(x, dy, dw):
    """dw += the weight gradient, term by term."""
    height, width, c_in = x.shape
    for i in range(height):
        for j in range(width):
            for r in range(max(0, 1 - i), min(3, height + 1 - i)):
                for s in range(max(0, 1 - j), min(3, width + 1 - j)):
                    for c in range(c_in):
                        value = x[i + r - 1, j + s - 1, c]
                        for o in range(dy.shape[2]):
                            dw[r, s, c, o] += value * dy[i, j, o]
