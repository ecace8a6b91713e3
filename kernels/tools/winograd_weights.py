"""Weights and their gradient, transformed to Winograd's points and back; ``winograd`` explains the method.

Transformed weights and partial sums of their gradient are laid out (point, panel, input channel, 16 output channels).
"""

from __future__ import annotations

from kernels.tools.compiled import inner
from kernels.tools.simd import LANES, behind, load, store
from kernels.tools.winograd_products import PANEL
from kernels.tools.winograd_tiles import (
    COLUMNS_FLOATS,
    evaluate_weights,
    interpolate_weight_gradient,
    load_points,
    store_all,
)

PAD = LINE = 16
"""Floats of a cache line, and of the gap between two points: without it the same place of all points would fall on one
set of a cache."""


def padded_channels(channels: int) -> int:
    """Channels in whole panels."""
    return -(-channels // PANEL) * PANEL


def weights_size(c_in: int, c_out: int, edge: tuple) -> int:
    """Floats of transformed weights, and of a partial sum of their gradient."""
    return (len(edge) + 2) ** 2 * (padded_channels(c_out) * c_in + PAD)


@inner
def round_up(n, to):
    return (n + to - 1) // to * to


@inner
def whole(n, size):
    """How many pieces of ``size`` it takes to hold n."""
    return (n + size - 1) // size


@inner
def transform_weights(w, c_in, c_out, u, columns, edge):
    """u[p, panel, i, :16] = (G w G^T)[p] for input channel i and the panel's 16 output channels."""
    size, plane, step = len(edge) + 2, c_in * c_out, round_up(c_out, PANEL) * c_in + PAD
    for n in range(round_up(c_out, PANEL) * c_in // LANES):
        i, o = n // 2 % c_in, (n // 2 // c_in * 2 + n % 2) * LANES
        if o < c_out:
            for s in range(3):
                k = s * plane + i * c_out + o
                line = evaluate_weights(load(w, k), load(w, k + 3 * plane), load(w, k + 6 * plane), edge)
                store_all(columns, s * LANES, 3 * LANES, line)
            start = n * LANES
            for p in range(size):
                k = p * 3 * LANES
                line = evaluate_weights(load(columns, k), load(columns, k + LANES), load(columns, k + 2 * LANES), edge)
                store_all(u, p * size * step + start, step, line)


@inner
def finish_weight_gradient(sums, count, sums_step, dw, panel, c_in, c_out, columns, edge):
    """dw = G^T (sum of ``count`` partial sums, in order) G for the 16 output channels of a panel."""
    size, plane, step = len(edge) + 2, c_in * c_out, round_up(c_out, PANEL) * c_in + PAD
    total, length = behind(columns, COLUMNS_FLOATS), c_in * PANEL
    for p in range(size * size):
        for q in range(count):
            for k in range(0, length, LANES):
                value = load(sums, q * sums_step + p * step + panel * length + k)
                store(total, p * length + k, value if q == 0 else load(total, p * length + k) + value)
    for i in range(c_in):
        for o in range(panel * PANEL, min((panel + 1) * PANEL, c_out), LANES):
            start = i * PANEL + o % PANEL
            for s in range(size):
                line = interpolate_weight_gradient(load_points(total, start + s * length, size * length, edge))
                store_all(columns, s * LANES, size * LANES, line)
            for r in range(3):
                line = interpolate_weight_gradient(load_points(columns, r * size * LANES, LANES, edge))
                store_all(dw, 3 * r * plane + i * c_out + o, plane, line)
