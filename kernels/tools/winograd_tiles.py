"""The steps of Winograd's convolution for one tile; ``winograd`` explains why they work.

``edge`` is a tuple as long as the edge of an output tile.  Its values mean nothing, but its length is known when a
kernel is compiled, so one source gives F(4x4, 3x3) and F(2x2, 3x3), each with steps and loops that are constants.

The functions evaluate_... and interpolate_... apply a matrix to vectors of 8 channels, and compute a sum that occurs
twice in it once.  A tile is transformed column by column into ``columns``, and from there row by row.

Transformed tiles (v of x, d of dy, m of the products) are laid out (point, tile, channel), with ``slot`` floats from
one point to the next and ``row`` from one tile to the next, so a matrix product finds what it reads side by side.
"""

from __future__ import annotations

from kernels.tools.compiled import inner
from kernels.tools.simd import LANES, at_least, load, multiply_add, store, where_positive

COLUMNS_FLOATS = 36 * LANES
"""Size of ``columns``: the floats of a tile whose columns are transformed and whose rows are not yet."""


@inner
def evaluate_input(x):
    """B^T x."""
    if len(x) == 4:
        return x[0] - x[2], x[1] + x[2], x[2] - x[1], x[3] - x[1]
    even = multiply_add(-4.0, x[2], x[4])
    odd = multiply_add(-4.0, x[1], x[3])
    even2 = x[4] - x[2]
    odd2 = 2.0 * (x[3] - x[1])
    first = multiply_add(-5.0, x[2], multiply_add(4.0, x[0], x[4]))
    last = multiply_add(-5.0, x[3], multiply_add(4.0, x[1], x[5]))
    return first, even + odd, even - odd, even2 + odd2, even2 - odd2, last


@inner
def interpolate_output(m):
    """A^T m."""
    if len(m) == 4:
        return m[0] + (m[1] + m[2]), m[1] - m[2] + m[3]
    even, odd, even2, odd2 = m[1] + m[2], m[1] - m[2], m[3] + m[4], m[3] - m[4]
    first = m[0] + (even + even2)
    return first, multiply_add(2.0, odd2, odd), multiply_add(4.0, even2, even), multiply_add(8.0, odd2, odd) + m[5]


@inner
def evaluate_output_gradient(y):
    """A y."""
    if len(y) == 2:
        return y[0], y[0] + y[1], y[0] - y[1], y[1]
    even, odd = y[0] + y[2], y[1] + y[3]
    even2, odd2 = multiply_add(4.0, y[2], y[0]), multiply_add(8.0, y[3], 2.0 * y[1])
    return y[0], even + odd, even - odd, even2 + odd2, even2 - odd2, y[3]


@inner
def evaluate_weights(a, b, c, edge):
    """G (a, b, c)."""
    if len(edge) == 2:
        even, odd = 0.5 * (a + c), 0.5 * b
        return a, even + odd, even - odd, c
    even, odd = (-1 / 6) * (a + c), (1 / 6) * b
    even2, odd2 = multiply_add(1 / 24, a, (1 / 6) * c), (1 / 12) * b
    return 0.25 * a, even - odd, even + odd, even2 + odd2, even2 - odd2, c


@inner
def interpolate_weight_gradient(g):
    """G^T g."""
    if len(g) == 4:
        even, odd = 0.5 * (g[1] + g[2]), 0.5 * (g[1] - g[2])
        return g[0] + even, odd, even + g[3]
    even, odd, even2, odd2 = g[1] + g[2], g[1] - g[2], g[3] + g[4], g[3] - g[4]
    first = multiply_add(1 / 24, even2, multiply_add(-1 / 6, even, 0.25 * g[0]))
    return first, multiply_add(1 / 12, odd2, (-1 / 6) * odd), multiply_add(1 / 6, even2 - even, g[5])


@inner
def load_outputs(a, k, step, edge):
    """The vectors at k, k + step, ...: as many as the length of ``edge``."""
    if len(edge) == 2:
        return load(a, k), load(a, k + step)
    return load(a, k), load(a, k + step), load(a, k + 2 * step), load(a, k + 3 * step)


@inner
def load_points(a, k, step, edge):
    """The vectors at k, k + step, ...: two more than the length of ``edge``."""
    if len(edge) == 2:
        return load(a, k), load(a, k + step), load(a, k + 2 * step), load(a, k + 3 * step)
    return (
        load(a, k),
        load(a, k + step),
        load(a, k + 2 * step),
        load(a, k + 3 * step),
        load(a, k + 4 * step),
        load(a, k + 5 * step),
    )


@inner
def load_column(x, above, k, below, step, edge):
    """One column of an input tile: a vector from the row above, those of the output's rows, one from the row below."""
    if len(edge) == 2:
        return load(x, above), load(x, k), load(x, k + step), load(x, below)
    return (
        load(x, above),
        load(x, k),
        load(x, k + step),
        load(x, k + 2 * step),
        load(x, k + 3 * step),
        load(x, below),
    )


@inner
def store_all(a, k, step, line):
    """Store the vectors of ``line`` at k, k + step, ..."""
    store(a, k, line[0])
    store(a, k + step, line[1])
    if len(line) > 2:
        store(a, k + 2 * step, line[2])
    if len(line) > 3:
        store(a, k + 3 * step, line[3])
    if len(line) > 4:
        store(a, k + 4 * step, line[4])
        store(a, k + 5 * step, line[5])


@inner
def transform_input(x, above, start, below, step, channels, v, slot, columns, edge):
    """v[p] = (B^T x B)[p], where the rows of x begin at ``above``, ``start``, ``start + step``, ... and ``below``."""
    size = len(edge) + 2
    for c in range(0, channels, LANES):
        for s in range(size):
            k = s * channels + c
            line = load_column(x, above + k, start + k, below + k, step, edge)
            store_all(columns, s * LANES, size * LANES, evaluate_input(line))
        for p in range(size):
            line = load_points(columns, p * size * LANES, LANES, edge)
            store_all(v, p * size * slot + c, slot, evaluate_input(line))


@inner
def transform_output_gradient(dy, start, step, channels, d, slot, columns, edge):
    """d[p] = (A dy A^T)[p]."""
    out, size = len(edge), len(edge) + 2
    for c in range(0, channels, LANES):
        for s in range(out):
            line = load_outputs(dy, start + s * channels + c, step, edge)
            store_all(columns, s * LANES, out * LANES, evaluate_output_gradient(line))
        for p in range(size):
            line = load_outputs(columns, p * out * LANES, LANES, edge)
            store_all(d, p * size * slot + c, slot, evaluate_output_gradient(line))


@inner
def transform_output(m, slot, y, start, step, rows, cols, channels, finish, columns, edge):
    """The first ``rows`` x ``cols`` cells of y = A^T m A + bias, stored by ``put``."""
    out, size, (bias, floor, active, masked) = len(edge), len(edge) + 2, finish
    for c in range(0, channels, LANES):
        z = load(bias, c)
        for s in range(size):
            line = load_points(m, s * slot + c, size * slot, edge)
            store_all(columns, s * LANES, size * LANES, interpolate_output(line))
        for r in range(min(out, rows)):
            line = interpolate_output(load_points(columns, r * size * LANES, LANES, edge))
            put_row(y, start + r * step + c, channels, cols, line, z, floor, active, masked)


@inner
def put_row(y, k, step, cols, line, z, floor, active, masked):
    """``put`` of the first ``cols`` vectors of ``line``."""
    put(y, k, line[0] + z, floor, active, masked)
    if cols > 1:
        put(y, k + step, line[1] + z, floor, active, masked)
    if len(line) > 2:
        if cols > 2:
            put(y, k + 2 * step, line[2] + z, floor, active, masked)
        if cols > 3:
            put(y, k + 3 * step, line[3] + z, floor, active, masked)


@inner
def put(y, k, value, floor, active, masked):
    """y[k : k + 8] = max(value, floor), and 0 where ``active`` is not positive."""
    if masked:
        value = where_positive(load(active, k), value)
    store(y, k, at_least(value, floor))
