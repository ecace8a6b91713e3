"""The matrix products in Winograd's convolution (``winograd``), which take nearly all of its time.

Both keep 4 x 16 running sums in eight vector registers and read two vectors and four scalars for eight multiply-adds.
A processor with two multiply-add units of four cycles' latency needs exactly this to do two in every cycle.  Each sum
runs over its terms in order, so a tile's values do not depend on which tiles are computed with it.
"""

from __future__ import annotations

from kernels.tools.compiled import inner
from kernels.tools.simd import LANES, broadcast, load, multiply_add, splat, store

PANEL = 2 * LANES
"""Output channels that are computed at a time; C_out is padded to a multiple of it."""
TOGETHER = 4
"""Tiles, or input channels, that are computed at a time: numbers of tiles are padded to a multiple of it."""


@inner
def store2(a, k, first, second):
    store(a, k, first)
    store(a, k + LANES, second)


@inner
def multiply_panel(v, u, m, row, count, c_in):
    """m[t, :16] = v[t, :c_in] @ u[:c_in, :16] for ``count`` tiles t, ``row`` floats apart (and for up to 3 more)."""
    for t in range(0, count, TOGETHER):
        a0 = a1 = b0 = b1 = c0 = c1 = d0 = d1 = splat(0.0)
        n = t * row
        for k in range(c_in):
            u0, u1 = load(u, k * PANEL), load(u, k * PANEL + LANES)
            s = broadcast(v, n + k)
            a0, a1 = multiply_add(s, u0, a0), multiply_add(s, u1, a1)
            s = broadcast(v, n + row + k)
            b0, b1 = multiply_add(s, u0, b0), multiply_add(s, u1, b1)
            s = broadcast(v, n + 2 * row + k)
            c0, c1 = multiply_add(s, u0, c0), multiply_add(s, u1, c1)
            s = broadcast(v, n + 3 * row + k)
            d0, d1 = multiply_add(s, u0, d0), multiply_add(s, u1, d1)
        store2(m, n, a0, a1)
        store2(m, n + row, b0, b1)
        store2(m, n + 2 * row, c0, c1)
        store2(m, n + 3 * row, d0, d1)


@inner
def add_products(v, v_row, d, d_row, count, g, c_in, fresh):
    """g[i, :16] = sum over ``count`` tiles t of v[t, i] d[t, :16], added to what g holds unless it is ``fresh``."""
    for i in range(0, c_in, TOGETHER):
        k = i * PANEL
        a0 = a1 = b0 = b1 = c0 = c1 = e0 = e1 = splat(0.0)
        if not fresh:
            a0, a1 = load(g, k), load(g, k + LANES)
            b0, b1 = load(g, k + PANEL), load(g, k + PANEL + LANES)
            c0, c1 = load(g, k + 2 * PANEL), load(g, k + 2 * PANEL + LANES)
            e0, e1 = load(g, k + 3 * PANEL), load(g, k + 3 * PANEL + LANES)
        for t in range(count):
            d0, d1 = load(d, t * d_row), load(d, t * d_row + LANES)
            n = t * v_row + i
            s = broadcast(v, n)
            a0, a1 = multiply_add(s, d0, a0), multiply_add(s, d1, a1)
            s = broadcast(v, n + 1)
            b0, b1 = multiply_add(s, d0, b0), multiply_add(s, d1, b1)
            s = broadcast(v, n + 2)
            c0, c1 = multiply_add(s, d0, c0), multiply_add(s, d1, c1)
            s = broadcast(v, n + 3)
            e0, e1 = multiply_add(s, d0, e0), multiply_add(s, d1, e1)
        store2(g, k, a0, a1)
        store2(g, k + PANEL, b0, b1)
        store2(g, k + 2 * PANEL, c0, c1)
        store2(g, k + 3 * PANEL, e0, e1)
