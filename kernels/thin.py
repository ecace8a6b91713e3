"""3x3 convolutions from one channel to many and back, direct, in float32; used by ``kernels.network``.

The first layer of the network reads one channel and the last writes one: 64 times less arithmetic than between two
wide layers, so that Winograd's transforms would cost more than they save.  The sums of the definition are taken as
they stand, eight channels at a time.  The one-channel side is small and is copied with a border of zeros; the wide
side is not, and loops stop at its edge instead.

Shapes: plane (H, W) the one-channel side, padded (H + 2, W + 2) with zeros around; wide (H, W, C), C a multiple of 8;
w (3, 3, C).  All C-contiguous.
"""

from __future__ import annotations

import numpy as np

from kernels.memory import result_array
from kernels.simd import (
    LANES,
    at_least,
    behind,
    broadcast,
    inner,
    kernel,
    load,
    multiply_add,
    pointer,
    splat,
    store,
    sum_lanes,
    where_positive,
)
from kernels.threads import run_parts

ROWS = 8
"""Rows a part at least; the number of parts follows from the height alone."""
MOST_PARTS = 16


@kernel
def widen_rows(part, worker, parts, padded, w_array, biases, floor, active_array, masked, y_array):
    """y[i, j, :] = max(floor, sum_{r,s} padded[i + r, j + s] w[r, s, :] + bias), 0 where active is not positive."""
    height, width, channels = y_array.shape
    w, bias, active, y = pointer(w_array), pointer(biases), pointer(active_array), pointer(y_array)
    lowest, edge = splat(floor), width + 2
    for i in range(part * height // parts, (part + 1) * height // parts):
        x = behind(pointer(padded), i * edge)
        for c in range(0, channels, LANES):
            z = load(bias, c)
            w0, w1, w2 = load(w, c), load(w, channels + c), load(w, 2 * channels + c)
            w3, w4, w5 = load(w, 3 * channels + c), load(w, 4 * channels + c), load(w, 5 * channels + c)
            w6, w7, w8 = load(w, 6 * channels + c), load(w, 7 * channels + c), load(w, 8 * channels + c)
            for j in range(width):
                n = j + edge
                a = dot3(x, j, w0, w1, w2, z)
                b = dot3(x, n, w3, w4, w5, splat(0.0))
                total = dot3(x, n + edge, w6, w7, w8, a) + b
                k = (i * width + j) * channels + c
                if masked:
                    total = where_positive(load(active, k), total)
                store(y, k, at_least(total, lowest))


@inner
def dot3(x, n, w0, w1, w2, start):
    """start + x[n] w0 + x[n + 1] w1 + x[n + 2] w2."""
    start = multiply_add(broadcast(x, n), w0, start)
    start = multiply_add(broadcast(x, n + 1), w1, start)
    return multiply_add(broadcast(x, n + 2), w2, start)


@kernel
def narrow_rows(part, worker, parts, wide, w_array, plane):
    """plane[i, j] = sum_{r,s,c} wide[i + r - 1, j + s - 1, c] w[r, s, c]."""
    height, width, channels = wide.shape
    x, w = pointer(wide), pointer(w_array)
    for i in range(part * height // parts, (part + 1) * height // parts):
        for j in range(width):
            left = centre = right = splat(0.0)
            for r in range(max(0, 1 - i), min(3, height + 1 - i)):
                k, n = ((i + r - 1) * width + j) * channels, 3 * r * channels
                for c in range(0, channels, LANES):
                    if j > 0:
                        left = multiply_add(load(x, k + c - channels), load(w, n + c), left)
                    centre = multiply_add(load(x, k + c), load(w, n + c + channels), centre)
                    if j + 1 < width:
                        right = multiply_add(load(x, k + c + channels), load(w, n + c + 2 * channels), right)
            plane[i, j] = sum_lanes(left + centre + right)


@kernel
def correlate_rows(part, worker, parts, padded, wide, sums_array):
    """sums[part, r, s, :] = sum over this part's i and all j of padded[i + r, j + s] wide[i, j, :]."""
    height, width, channels = wide.shape
    sums_array[part] = 0.0
    y, sums, edge = pointer(wide), pointer(sums_array[part]), width + 2
    for i in range(part * height // parts, (part + 1) * height // parts):
        x = behind(pointer(padded), i * edge)
        for c in range(0, channels, LANES):
            g = behind(sums, c)
            a0, a1, a2 = load(g, 0), load(g, channels), load(g, 2 * channels)
            a3, a4, a5 = load(g, 3 * channels), load(g, 4 * channels), load(g, 5 * channels)
            a6, a7, a8 = load(g, 6 * channels), load(g, 7 * channels), load(g, 8 * channels)
            for j in range(width):
                v = load(y, (i * width + j) * channels + c)
                a0, a1, a2 = add3(x, j, v, a0, a1, a2)
                a3, a4, a5 = add3(x, j + edge, v, a3, a4, a5)
                a6, a7, a8 = add3(x, j + 2 * edge, v, a6, a7, a8)
            store3(g, 0, channels, a0, a1, a2)
            store3(g, 3 * channels, channels, a3, a4, a5)
            store3(g, 6 * channels, channels, a6, a7, a8)


@inner
def add3(x, n, v, a, b, c):
    """a + x[n] v, b + x[n + 1] v, c + x[n + 2] v."""
    a, b = multiply_add(broadcast(x, n), v, a), multiply_add(broadcast(x, n + 1), v, b)
    return a, b, multiply_add(broadcast(x, n + 2), v, c)


@inner
def store3(a, k, step, first, second, third):
    store(a, k, first)
    store(a, k + step, second)
    store(a, k + 2 * step, third)


def _parts(height: int) -> int:
    return min(-(-height // ROWS), MOST_PARTS)


def widen(plane, w, bias, floor, active=None):
    """(H, W, C) from one channel: max(floor, plane * w + bias), 0 where ``active`` is given and not positive."""
    y = result_array(plane.shape + w.shape[2:])
    parts, masked = _parts(len(plane)), active is not None
    run_parts(widen_rows, parts, parts, np.pad(plane, 1), w, bias, floor, active if masked else y, masked, y)
    return y


def narrow(wide, w):
    """(H, W) from many channels: wide * w."""
    plane = np.empty(wide.shape[:2], np.float32)
    parts = _parts(len(plane))
    run_parts(narrow_rows, parts, parts, wide, w, plane)
    return plane


def correlate(plane, wide):
    """(3, 3, C): sum_{i,j} plane[i + r - 1, j + s - 1] wide[i, j, :], partial sums of fixed rows added in order."""
    parts = _parts(len(plane))
    sums = np.empty((parts, 3, 3, wide.shape[2]), np.float32)
    run_parts(correlate_rows, parts, parts, np.pad(plane, 1), wide, sums)
    return sums.sum(axis=0)
