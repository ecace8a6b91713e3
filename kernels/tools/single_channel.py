"""3x3 convolutions from one channel to many and from many to one, by the definition, in float32.

The first layer of the network reads one channel and the last one writes one.  They take 64 times less arithmetic than a
layer between two wide ones, so Winograd's transforms would cost more than they save.  The sums of the definition are
computed directly, eight channels at a time.

Each function computes one row, or four pixels of one.  ``x`` and ``wide`` are pointers into planes with a border of
zeros (or rows with a zero on either side); a row begins at pixel 0, and the pixel before it is its left neighbour.
``w`` is (3, 3, channels).
"""

from __future__ import annotations

from kernels.tools.compiled import inner
from kernels.tools.simd import (
    LANES,
    at_least,
    broadcast,
    load,
    multiply_add,
    splat,
    store,
    sum_lanes,
    where_positive,
)


@inner
def widen_row(x, above, here, below, w, bias, floor, active, masked, y, start, width, channels):
    """y[j, :] = max(floor, sum_{r,s} x[r, j + s - 1] w[r, s, :] + bias); if ``masked``, 0 where not ``active`` > 0."""
    lowest = splat(floor)
    for c in range(0, channels, LANES):
        z = load(bias, c)
        w0, w1, w2 = load3(w, c, channels)
        w3, w4, w5 = load3(w, c + 3 * channels, channels)
        w6, w7, w8 = load3(w, c + 6 * channels, channels)
        for j in range(width):
            a = dot3(x, above + j - 1, w0, w1, w2, z)
            b = dot3(x, here + j - 1, w3, w4, w5, splat(0.0))
            total = dot3(x, below + j - 1, w6, w7, w8, a) + b
            k = start + j * channels + c
            if masked:
                total = where_positive(load(active, k), total)
            store(y, k, at_least(total, lowest))


@inner
def load3(a, k, step):
    return load(a, k), load(a, k + step), load(a, k + 2 * step)


@inner
def dot3(x, n, w0, w1, w2, start):
    """start + x[n] w0 + x[n + 1] w1 + x[n + 2] w2."""
    start = multiply_add(broadcast(x, n), w0, start)
    start = multiply_add(broadcast(x, n + 1), w1, start)
    return multiply_add(broadcast(x, n + 2), w2, start)


@inner
def narrow_four(wide, above, here, below, w, y, channels):
    """y[j] = sum_{r,s,c} wide[r, j + s - 1, c] w[r, s, c] for the four pixels from j = 0 on."""
    a0 = a1 = a2 = b0 = b1 = b2 = splat(0.0)
    c0 = c1 = c2 = d0 = d1 = d2 = splat(0.0)
    for r in range(3):
        k = (above if r == 0 else here if r == 1 else below) - channels
        for c in range(0, channels, LANES):
            w0, w1, w2 = load3(w, 3 * r * channels + c, channels)
            n = k + c
            a0 = multiply_add(load(wide, n), w0, a0)
            x = load(wide, n + channels)
            a1, b0 = multiply_add(x, w1, a1), multiply_add(x, w0, b0)
            x = load(wide, n + 2 * channels)
            a2, b1, c0 = multiply_add(x, w2, a2), multiply_add(x, w1, b1), multiply_add(x, w0, c0)
            x = load(wide, n + 3 * channels)
            b2, c1, d0 = multiply_add(x, w2, b2), multiply_add(x, w1, c1), multiply_add(x, w0, d0)
            x = load(wide, n + 4 * channels)
            c2, d1 = multiply_add(x, w2, c2), multiply_add(x, w1, d1)
            d2 = multiply_add(load(wide, n + 5 * channels), w2, d2)
    y[0] = sum_lanes(a0 + a1 + a2)
    y[1] = sum_lanes(b0 + b1 + b2)
    y[2] = sum_lanes(c0 + c1 + c2)
    y[3] = sum_lanes(d0 + d1 + d2)


@inner
def correlate_row(x, above, here, below, wide, start, sums, width, channels):
    """sums[r, s, :] += sum over j of x[r, j + s - 1] wide[j, :]."""
    for c in range(0, channels, LANES):
        a0, a1, a2 = load3(sums, c, channels)
        a3, a4, a5 = load3(sums, c + 3 * channels, channels)
        a6, a7, a8 = load3(sums, c + 6 * channels, channels)
        for j in range(width):
            v = load(wide, start + j * channels + c)
            a0, a1, a2 = add3(x, above + j - 1, v, a0, a1, a2)
            a3, a4, a5 = add3(x, here + j - 1, v, a3, a4, a5)
            a6, a7, a8 = add3(x, below + j - 1, v, a6, a7, a8)
        store3(sums, c, channels, a0, a1, a2)
        store3(sums, c + 3 * channels, channels, a3, a4, a5)
        store3(sums, c + 6 * channels, channels, a6, a7, a8)


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
