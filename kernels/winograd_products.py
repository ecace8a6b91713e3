"""The matrix products in Winograd's convolution, where nearly all of the time goes; see ``kernels.winograd``.

Both keep 4 x 16 running sums in eight vector registers and read two vectors and four scalars for eight multiply-adds:
that is what a processor with two multiply-add units of four cycles' latency needs to do two in every cycle.  Each sum
runs over its terms in order, so a tile's values do not depend on which tiles are computed with it.
"""

from __future__ import annotations

from kernels.simd import LANES, broadcast, inner, load, multiply_add, splat, store
from kernels.winograd_tiles import GROUP, POINTS

PANEL = 2 * LANES
"""Output channels that are computed at a time; C_out is padded to a multiple of it inside."""


@inner
def store2(a, k, step, first, second):
    store(a, k, first)
    store(a, k + step, second)


@inner
def multiply_panel(v, u, m, count, groups):
    """m[:2, :count] = sum over groups of v[group, :count] @ u[group], four tiles at a time (leftovers beyond count)."""
    for t in range(0, count * LANES, 4 * LANES):
        a0 = a1 = b0 = b1 = c0 = c1 = d0 = d1 = splat(0.0)
        for group in range(groups):
            for k in range(LANES):
                n = (group * LANES + k) * PANEL
                u0, u1 = load(u, n), load(u, n + LANES)
                n = group * GROUP + t + k
                s = broadcast(v, n)
                a0, a1 = multiply_add(s, u0, a0), multiply_add(s, u1, a1)
                s = broadcast(v, n + LANES)
                b0, b1 = multiply_add(s, u0, b0), multiply_add(s, u1, b1)
                s = broadcast(v, n + 2 * LANES)
                c0, c1 = multiply_add(s, u0, c0), multiply_add(s, u1, c1)
                s = broadcast(v, n + 3 * LANES)
                d0, d1 = multiply_add(s, u0, d0), multiply_add(s, u1, d1)
        store2(m, t, GROUP, a0, a1)
        store2(m, t + LANES, GROUP, b0, b1)
        store2(m, t + 2 * LANES, GROUP, c0, c1)
        store2(m, t + 3 * LANES, GROUP, d0, d1)


@inner
def add_products(v, d, count, g, groups):
    """g[i, :16] += sum over t of v[i, t] d[t, :16], four channels i at a time."""
    row = POINTS * PANEL
    for i in range(0, groups * LANES, 4):
        k = i * row
        a0, a1 = load(g, k), load(g, k + LANES)
        b0, b1 = load(g, k + row), load(g, k + row + LANES)
        c0, c1 = load(g, k + 2 * row), load(g, k + 2 * row + LANES)
        e0, e1 = load(g, k + 3 * row), load(g, k + 3 * row + LANES)
        first = i // LANES * GROUP + i % LANES
        for t in range(0, count * LANES, LANES):
            d0, d1 = load(d, t), load(d, t + GROUP)
            n = first + t
            s = broadcast(v, n)
            a0, a1 = multiply_add(s, d0, a0), multiply_add(s, d1, a1)
            s = broadcast(v, n + 1)
            b0, b1 = multiply_add(s, d0, b0), multiply_add(s, d1, b1)
            s = broadcast(v, n + 2)
            c0, c1 = multiply_add(s, d0, c0), multiply_add(s, d1, c1)
            s = broadcast(v, n + 3)
            e0, e1 = multiply_add(s, d0, e0), multiply_add(s, d1, e1)
        store2(g, k, LANES, a0, a1)
        store2(g, k + row, LANES, b0, b1)
        store2(g, k + 2 * row, LANES, c0, c1)
        store2(g, k + 3 * row, LANES, e0, e1)
