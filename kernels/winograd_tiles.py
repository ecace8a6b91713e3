"""The steps of Winograd's F(4x4, 3x3) for one tile; why they work stands in ``kernels.winograd``.

The functions evaluate_... and interpolate_... apply a matrix to vectors of 8 channels, and take sums that occur twice
in it once.  A tile is transformed column by column into ``columns``, and from there row by row.

Transformed tiles (v of x, d of dy, m of the products) are laid out (channel group, point, tile, 8 channels): steps
from one point to the next are constants, and a matrix product finds what it reads side by side.
"""

from __future__ import annotations

from kernels.simd import LANES, at_least, behind, inner, load, multiply_add, pointer, splat, store, where_positive

OUT, IN = 4, 6
"""Edge of an output tile and of the input that it depends on."""
POINTS = IN * IN
BLOCK = 32
"""Tiles that go through the three steps together: their points stay in the processor's second cache."""
POINT = (BLOCK + 1) * LANES
GROUP = POINTS * POINT
"""Floats from one point, and from one channel group, to the next; the odd tile keeps points off the same cache set."""
COLUMNS = POINTS * LANES
"""Floats in which a tile rests between its columns and its rows."""


@inner
def evaluate_input(a, b, c, d, e, f):
    """B^T (a, b, c, d, e, f)."""
    even = multiply_add(-4.0, c, e)
    odd = multiply_add(-4.0, b, d)
    even2 = e - c
    odd2 = 2.0 * (d - b)
    first = multiply_add(-5.0, c, multiply_add(4.0, a, e))
    last = multiply_add(-5.0, d, multiply_add(4.0, b, f))
    return first, even + odd, even - odd, even2 + odd2, even2 - odd2, last


@inner
def interpolate_output(a, b, c, d, e, f):
    """A^T (a, b, c, d, e, f)."""
    even, odd, even2, odd2 = b + c, b - c, d + e, d - e
    first = a + (even + even2)
    return first, multiply_add(2.0, odd2, odd), multiply_add(4.0, even2, even), multiply_add(8.0, odd2, odd) + f


@inner
def evaluate_output_gradient(a, b, c, d):
    """A (a, b, c, d)."""
    even, odd = a + c, b + d
    even2, odd2 = multiply_add(4.0, c, a), multiply_add(8.0, d, 2.0 * b)
    return a, even + odd, even - odd, even2 + odd2, even2 - odd2, d


@inner
def evaluate_weights(a, b, c):
    """G (a, b, c)."""
    even, odd = (-1 / 6) * (a + c), (1 / 6) * b
    even2, odd2 = multiply_add(1 / 24, a, (1 / 6) * c), (1 / 12) * b
    return 0.25 * a, even - odd, even + odd, even2 + odd2, even2 - odd2, c


@inner
def interpolate_weight_gradient(a, b, c, d, e, f):
    """G^T (a, b, c, d, e, f)."""
    even, odd, even2, odd2 = b + c, b - c, d + e, d - e
    first = multiply_add(1 / 24, even2, multiply_add(-1 / 6, even, 0.25 * a))
    return first, multiply_add(1 / 12, odd2, (-1 / 6) * odd), multiply_add(1 / 6, even2 - even, f)


@inner
def load6(a, start, step):
    """The vectors at start, start + step, ..., start + 5 step."""
    return (
        load(a, start),
        load(a, start + step),
        load(a, start + 2 * step),
        load(a, start + 3 * step),
        load(a, start + 4 * step),
        load(a, start + 5 * step),
    )


@inner
def store6(a, start, step, six):
    """The reverse of ``load6``."""
    store(a, start, six[0])
    store(a, start + step, six[1])
    store(a, start + 2 * step, six[2])
    store(a, start + 3 * step, six[3])
    store(a, start + 4 * step, six[4])
    store(a, start + 5 * step, six[5])


@inner
def copy_patch(x, height, width, channels, i, j, edge, patch):
    """patch[:edge, :edge] = x[i : i + edge, j : j + edge], 0 outside of x."""
    for r in range(edge):
        for s in range(edge):
            inside = 0 <= i + r < height and 0 <= j + s < width
            for c in range(0, channels, LANES):
                values = load(x, ((i + r) * width + j + s) * channels + c) if inside else splat(0.0)
                store(patch, (r * edge + s) * channels + c, values)


@inner
def reaches_out(height, width, i, j, edge):
    """Does the square of ``edge`` from (i, j) reach over the border?"""
    return i < 0 or j < 0 or i + edge > height or j + edge > width


@inner
def transform_input(x, height, width, channels, i, j, v, t, patch, columns):
    """v[:, :, t] = B^T x[i : i + 6, j : j + 6] B."""
    start, row = (i * width + j) * channels, width * channels
    if reaches_out(height, width, i, j, IN):
        copy_patch(x, height, width, channels, i, j, IN, patch)
        x, start, row = patch, 0, IN * channels
    for group in range(channels // LANES):
        for s in range(IN):
            six = evaluate_input(*load6(x, start + s * channels + group * LANES, row))
            store6(columns, s * LANES, IN * LANES, six)
        for p in range(IN):
            six = evaluate_input(*load6(columns, p * IN * LANES, LANES))
            store6(v, group * GROUP + p * IN * POINT + t * LANES, POINT, six)


@inner
def transform_output_gradient(dy, height, width, channels, i, j, d, t, patch, columns):
    """d[:, :, t] = A dy[i : i + 4, j : j + 4] A^T."""
    start, row = (i * width + j) * channels, width * channels
    if reaches_out(height, width, i, j, OUT):
        copy_patch(dy, height, width, channels, i, j, OUT, patch)
        dy, start, row = patch, 0, OUT * channels
    for group in range(channels // LANES):
        for s in range(OUT):
            k = start + s * channels + group * LANES
            four = load(dy, k), load(dy, k + row), load(dy, k + 2 * row), load(dy, k + 3 * row)
            store6(columns, s * LANES, IN * LANES, evaluate_output_gradient(*four))
        for p in range(IN):
            k = p * IN * LANES
            a, b = load(columns, k), load(columns, k + LANES)
            c, e = load(columns, k + 2 * LANES), load(columns, k + 3 * LANES)
            store6(d, group * GROUP + p * IN * POINT + t * LANES, POINT, evaluate_output_gradient(a, b, c, e))


@inner
def put(y, k, value, floor, active, masked):
    """y[k : k + 8] = max(value, floor), and 0 where ``active`` is not positive."""
    if masked:
        value = where_positive(load(active, k), value)
    store(y, k, at_least(value, floor))


@inner
def transform_output(m, t, y, height, width, channels, i, j, bias, floor, active, masked, columns):
    """y[i : i + 4, j : j + 4] = A^T m[:, :, t] A + bias, finished by ``put``; nothing outside of y."""
    row = width * channels
    rows = height - i
    for group in range(channels // LANES):
        z = load(bias, group * LANES)
        for p in range(IN):
            k = p * IN * LANES
            a, b, c, d = interpolate_output(*load6(m, group * GROUP + p * IN * POINT + t * LANES, POINT))
            store(columns, k, a)
            store(columns, k + LANES, b)
            store(columns, k + 2 * LANES, c)
            store(columns, k + 3 * LANES, d)
        for s in range(min(OUT, width - j)):
            k = (i * width + j + s) * channels + group * LANES
            a, b, c, d = interpolate_output(*load6(columns, s * LANES, IN * LANES))
            put(y, k, a + z, floor, active, masked)
            if rows > 1:
                put(y, k + row, b + z, floor, active, masked)
            if rows > 2:
                put(y, k + 2 * row, c + z, floor, active, masked)
            if rows > 3:
                put(y, k + 3 * row, d + z, floor, active, masked)


@inner
def work_places(work, c_in, c_out):
    """Pointers to columns, patch, v and m (or d) in a thread's work memory."""
    columns = pointer(work)
    patch = behind(columns, COLUMNS)
    v = behind(patch, IN * IN * max(c_in, c_out))
    return columns, patch, v, behind(v, c_in // LANES * GROUP)
