"""Twelve independent chains of multiply-adds, which keep two units of four cycles' latency busy."""

from __future__ import annotations

from kernels.tools.compiled import kernel
from kernels.tools.simd import multiply_add, pointer, splat, store


@kernel
def chains(part, worker, turns, sums):
    x, y = splat(0.999), splat(0.001)
    a = b = c = d = e = f = g = h = i = j = k = m = splat(0.5)
    for _ in range(turns):
        a, b, c = multiply_add(a, x, y), multiply_add(b, x, y), multiply_add(c, x, y)
        d, e, f = multiply_add(d, x, y), multiply_add(e, x, y), multiply_add(f, x, y)
        g, h, i = multiply_add(g, x, y), multiply_add(h, x, y), multiply_add(i, x, y)
        j, k, m = multiply_add(j, x, y), multiply_add(k, x, y), multiply_add(m, x, y)
    total = a + b + c + d + e + f + g + h + i + j + k + m
    store(pointer(sums), part * 8, total)
