"""3x3 convolutions between wide layers, by Winograd's F(4x4, 3x3) in float32; used by ``kernels.network``.

Shapes: x (H, W, C_in), dy and y (H, W, C_out), weights (3, 3, C_in, C_out); any H, W >= 1; C_in, C_out multiples of 8.

Why it works.  Multiply a polynomial with 3 coefficients by one with 4: the product has degree 5, so its values at 6 points
determine it, and at each point the product costs one multiplication, not 3 x 4 in all.  Toom and Cook's method is
this: evaluate both, multiply point by point, interpolate.  With the points 0, 1, -1, 2, -2 and infinity (the
leading coefficient) nearly all arithmetic around the products is with small integers.  What a network needs is not the
product but its transpose: 4 neighbouring outputs y_i = sum_k w_k x_{i+k} of 6 inputs.  A bilinear algorithm is transposed
by transposing its matrices: evaluation of the 4-polynomial becomes the last step, interpolation the first:

    y = A^T [(G w) * (B^T x)]                       * is the product point by point

           4  0 -5  0  1  0        6  0  0                 1  1  1  1  1  0
           0 -4 -4  1  1  0       -4 -4 -4                 0  1 -1  2 -2  0
    B^T =  0  4 -4 -1  1  0   G = -4  4 -4 / 24    A^T =   0  1  1  4  4  0
           0 -2 -1  2  1  0        1  2  4                 0  1 -1  8 -8  1
           0  2 -1 -2  1  0        1 -2  4
           0  4  0 -5  0  1        0  0 24

Row p of G and of A holds the powers of point p (evaluation); row p of B^T the coefficients of prod_{q != p} (t - q), Lagrange's
basis polynomial without its denominator prod_{q != p} (p - q), which has been moved into G: 1/4, -1/6, -1/6, 1/24,
1/24, 1 (4 x 6 / 24 and so on).  In two dimensions the matrices act on rows and on columns of a tile:

    y = A^T [(G w G^T) * (B^T x B)] A               36 products for 16 outputs, where the definition takes 144

Summed over C_in the products become, for each of the 36 points, a matrix product (tiles x C_in) by (C_in x C_out): nearly all
of the time.  The gradient of the weights is the transpose of the same formula, a matrix product over the tiles:

    dw = G^T [sum over tiles of (B^T x B) * (A dy A^T)] G

The gradient of x is the convolution of dy with the weights turned by 180 degrees and transposed (see ``kernels.network``).
The price is rounding: relative rms error about 1.4e-6, against 3e-7 for direct sums.  A value's rounding depends on its
place in its tile, so a raster that is cut up gives the same bytes only if cuts are multiples of 4.
Where x holds a NaN or an infinity, all outputs of its tile may be NaN.

Sources: A. Lavin and S. Gray, Fast Algorithms for Convolutional Neural Networks, 2015 (arXiv:1509.09308), section 4;
S. Winograd, Arithmetic Complexity of Computations, 1980.

What makes it fast: 32 tiles at a time, so that their points stay in the processor's second cache; the matrix product
holds 4 tiles x 16 channels of running sums in registers.  Tiles that reach over the border are copied into a small
patch with zeros around, so that no padded copy of the whole is made.
"""

from __future__ import annotations

import numpy as np

from kernels.simd import (
    LANES, at_least, behind, broadcast, inner, kernel, load, multiply_add, pointer, splat, store, where_positive,
)
from kernels.threads import run_parts, work_array, workers

OUT, IN = 4, 6
"""Edge of an output tile and of the input that it depends on."""
POINTS = IN * IN
BLOCK = 32
"""Tiles that go through the three steps together."""
PANEL = 2 * LANES
"""Output channels that the matrix product computes at a time; C_out is padded to a multiple of it inside."""
POINT = (BLOCK + 1) * LANES
GROUP = POINTS * POINT
"""Transformed tiles are laid out (channel group, point, tile, 8): floats from one point, and one group, to the next."""
COLUMNS = POINTS * LANES
"""Floats in which a tile rests between the transform of its columns and that of its rows."""
MOST_PARTS = 64
MOST_SUMS = 8
"""Partial sums of a weight gradient: the same for any number of threads, so that the total is, too."""


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
            four = load(columns, k), load(columns, k + LANES), load(columns, k + 2 * LANES), load(columns, k + 3 * LANES)
            store6(d, group * GROUP + p * IN * POINT + t * LANES, POINT, evaluate_output_gradient(*four))


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
def store2(a, k, step, first, second):
    store(a, k, first)
    store(a, k + step, second)


@inner
def multiply_panel(v, u, m, count, groups):
    """m[:2, :count] = sum over groups of v[group, :count] @ u[group], four tiles at a time (beyond count: leftovers)."""
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


@inner
def work_places(work, c_in, c_out):
    """Pointers to columns, patch, v and m (or d) in a thread's work memory."""
    columns = pointer(work)
    patch = behind(columns, COLUMNS)
    v = behind(patch, IN * IN * max(c_in, c_out))
    return columns, patch, v, behind(v, c_in // LANES * GROUP)


@kernel
def transform_weights(weights, u_array, columns_array):
    """u[p, panel, i, :16] = (G w G^T)[p] for input channel i and the panel's 16 output channels."""
    w, u, columns = pointer(weights), pointer(u_array), pointer(columns_array)
    depth, c_out = weights.shape[2:]
    plane, row = depth * c_out, 3 * depth * c_out
    for i in range(depth):
        for o in range(0, c_out, LANES):
            for s in range(3):
                k = s * plane + i * c_out + o
                six = evaluate_weights(load(w, k), load(w, k + row), load(w, k + 2 * row))
                store6(columns, s * LANES, IN * LANES, six)
            start = (o // PANEL * depth + i) * PANEL + o % PANEL
            for p in range(IN):
                k = p * IN * LANES
                six = evaluate_weights(load(columns, k), load(columns, k + LANES), load(columns, k + 2 * LANES))
                store6(u, p * IN * u_array.shape[1] + start, u_array.shape[1], six)


@kernel
def convolve_tiles(part, worker, parts, x_array, u_array, biases, floor, active_array, masked, y_array, work):
    """This part's blocks of tiles, from x to y."""
    height, width, c_in = x_array.shape
    c_out = y_array.shape[2]
    x, u, y = pointer(x_array), pointer(u_array), pointer(y_array)
    bias, active = pointer(biases), pointer(active_array)
    columns, patch, v, m = work_places(work[worker], c_in, c_out)
    across = (width + OUT - 1) // OUT
    tiles = (height + OUT - 1) // OUT * across
    blocks = (tiles + BLOCK - 1) // BLOCK
    panels = (c_out + PANEL - 1) // PANEL
    lowest = splat(floor)
    for block in range(part * blocks // parts, (part + 1) * blocks // parts):
        first = block * BLOCK
        count = min(BLOCK, tiles - first)
        for t in range(count):
            i, j = (first + t) // across * OUT - 1, (first + t) % across * OUT - 1
            transform_input(x, height, width, c_in, i, j, v, t, patch, columns)
        for p in range(POINTS):
            for panel in range(panels):
                u_panel = behind(u, p * u_array.shape[1] + panel * c_in * PANEL)
                m_panel = behind(m, 2 * panel * GROUP + p * POINT)
                multiply_panel(behind(v, p * POINT), u_panel, m_panel, count, c_in // LANES)
        for t in range(count):
            i, j = (first + t) // across * OUT, (first + t) % across * OUT
            transform_output(m, t, y, height, width, c_out, i, j, bias, lowest, active, masked, columns)


@kernel
def sum_products(part, worker, parts, x_array, dy_array, sums, work):
    """sums[part] = sum over this part's tiles of (B^T x B) * (A dy A^T), laid out (panel and C_in, point, 16)."""
    height, width, c_in = x_array.shape
    c_out = dy_array.shape[2]
    x, dy, g = pointer(x_array), pointer(dy_array), pointer(sums[part])
    columns, patch, v, d = work_places(work[worker], c_in, c_out)
    across = (width + OUT - 1) // OUT
    tiles = (height + OUT - 1) // OUT * across
    blocks = (tiles + BLOCK - 1) // BLOCK
    panels = (c_out + PANEL - 1) // PANEL
    sums[part] = 0.0
    for block in range(part * blocks // parts, (part + 1) * blocks // parts):
        first = block * BLOCK
        count = min(BLOCK, tiles - first)
        for t in range(count):
            i, j = (first + t) // across * OUT, (first + t) % across * OUT
            transform_input(x, height, width, c_in, i - 1, j - 1, v, t, patch, columns)
            transform_output_gradient(dy, height, width, c_out, i, j, d, t, patch, columns)
        for p in range(POINTS):
            for panel in range(panels):
                start = (panel * c_in * POINTS + p) * PANEL
                d_panel = behind(d, 2 * panel * GROUP + p * POINT)
                add_products(behind(v, p * POINT), d_panel, count, behind(g, start), c_in // LANES)


@kernel
def finish_weight_gradient(part, worker, parts, sums, dw_array, work):
    """dw = G^T (sum of sums[q] in order of q) G for this part's input channels."""
    columns, g, dw = pointer(work[worker]), pointer(sums), pointer(dw_array)
    depth, c_out = dw_array.shape[2:]
    plane, row = depth * c_out, 3 * depth * c_out
    for i in range(part * depth // parts, (part + 1) * depth // parts):
        for o in range(0, c_out, LANES):
            start = (o // PANEL * depth + i) * POINTS * PANEL + o % PANEL
            for p in range(POINTS):
                total = load(g, start + p * PANEL)
                for q in range(1, sums.shape[0]):
                    total = total + load(g, q * sums.shape[1] + start + p * PANEL)
                store(columns, p * LANES, total)
            for p in range(IN):
                k = p * IN * LANES
                a, b, c = interpolate_weight_gradient(*load6(columns, k, LANES))
                store(columns, k, a)
                store(columns, k + LANES, b)
                store(columns, k + 2 * LANES, c)
            for s in range(3):
                k = s * plane + i * c_out + o
                a, b, c = interpolate_weight_gradient(*load6(columns, s * LANES, IN * LANES))
                store(dw, k, a)
                store(dw, k + row, b)
                store(dw, k + 2 * row, c)


def _panels(channels: int) -> int:
    return -(-channels // PANEL)


def _blocks(x: np.ndarray) -> int:
    tiles = -(-x.shape[0] // OUT) * -(-x.shape[1] // OUT)
    return -(-tiles // BLOCK)


def _work(n: int, c_in: int, c_out: int) -> np.ndarray:
    """What ``work_places`` takes apart, for n threads."""
    size = COLUMNS + IN * IN * max(c_in, c_out) + (c_in // LANES + 2 * _panels(c_out)) * GROUP
    return work_array("winograd", (n, size))


def convolve_wide(x, weights, bias, floor, active=None):
    """max(floor, x * weights + bias), or 0 where ``active`` is given and not positive; all float32 and C-contiguous."""
    c_in, c_out = weights.shape[2:]
    parts = min(_blocks(x), MOST_PARTS)
    work = _work(workers(parts), c_in, c_out)
    # PANEL values more than needed: else the same place of the 36 points falls on one set of the cache.
    u = work_array("winograd weights", (POINTS, (_panels(c_out) * c_in + 1) * PANEL))
    transform_weights(weights, u, work[0])
    y = np.empty(x.shape[:2] + (c_out,), np.float32)
    masked = active is not None
    run_parts(convolve_tiles, parts, parts, x, u, bias, floor, active if masked else y, masked, y, work)
    return y


def convolve_wide_backward_weights(x, dy):
    """dw (3, 3, C_in, C_out) of x (H, W, C_in) and dy (H, W, C_out); all float32 and C-contiguous."""
    c_in, c_out = x.shape[2], dy.shape[2]
    parts = min(-(-_blocks(x) // 2), MOST_SUMS)
    work = _work(max(workers(parts), workers(4)), c_in, c_out)
    sums = work_array("winograd sums", (parts, _panels(c_out) * c_in * POINTS * PANEL))
    run_parts(sum_products, parts, parts, x, dy, sums, work)
    dw = np.empty((3, 3, c_in, c_out), np.float32)
    run_parts(finish_weight_gradient, 4, 4, sums, dw, work)
    return dw
