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

from kernels.simd import LANES, at_least, broadcast, inner, kernel, load, multiply_add, splat, store, where_positive
from kernels.threads import run_parts, work_array, workers

OUT, IN = 4, 6
"""Edge of an output tile and of the input that it depends on."""
POINTS = IN * IN
BLOCK = 32
"""Tiles that go through the three steps together."""
PANEL = 2 * LANES
"""Output channels that the matrix product computes at a time; C_out is padded to a multiple of it inside."""
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
def load6(a, first, step, t, c):
    """Six vectors a[first + k step, t, c : c + 8]."""
    return (
        load(a, (first, t, c)),
        load(a, (first + step, t, c)),
        load(a, (first + 2 * step, t, c)),
        load(a, (first + 3 * step, t, c)),
        load(a, (first + 4 * step, t, c)),
        load(a, (first + 5 * step, t, c)),
    )


@inner
def store6(a, first, step, t, c, six):
    """The reverse of ``load6``."""
    store(a, (first, t, c), six[0])
    store(a, (first + step, t, c), six[1])
    store(a, (first + 2 * step, t, c), six[2])
    store(a, (first + 3 * step, t, c), six[3])
    store(a, (first + 4 * step, t, c), six[4])
    store(a, (first + 5 * step, t, c), six[5])


@inner
def copy_patch(x, i, j, edge, patch):
    """patch[:edge, :edge] = x[i : i + edge, j : j + edge], 0 outside of x."""
    for r in range(edge):
        for s in range(edge):
            inside = 0 <= i + r < x.shape[0] and 0 <= j + s < x.shape[1]
            for c in range(0, x.shape[2], LANES):
                store(patch, (r, s, c), load(x, (i + r, j + s, c)) if inside else splat(0.0))


@inner
def within(x, i, j, edge):
    return i >= 0 and j >= 0 and i + edge <= x.shape[0] and j + edge <= x.shape[1]


@inner
def transform_input(x, i, j, v, t, patch, columns):
    """v[:, t] = B^T x[i : i + 6, j : j + 6] B."""
    source = x
    if not within(x, i, j, IN):
        copy_patch(x, i, j, IN, patch)
        source, i, j = patch, 0, 0
    for c in range(0, x.shape[2], LANES):
        for s in range(IN):
            store6(columns, s, IN, 0, 0, evaluate_input(*load6(source, i, 1, j + s, c)))
        for p in range(IN):
            store6(v, IN * p, 1, t, c, evaluate_input(*load6(columns, IN * p, 1, 0, 0)))


@inner
def transform_output_gradient(dy, i, j, d, t, patch, columns):
    """d[:, t] = A dy[i : i + 4, j : j + 4] A^T."""
    source = dy
    if not within(dy, i, j, OUT):
        copy_patch(dy, i, j, OUT, patch)
        source, i, j = patch, 0, 0
    for c in range(0, dy.shape[2], LANES):
        for s in range(OUT):
            a, b = load(source, (i, j + s, c)), load(source, (i + 1, j + s, c))
            e, f = load(source, (i + 2, j + s, c)), load(source, (i + 3, j + s, c))
            store6(columns, s, IN, 0, 0, evaluate_output_gradient(a, b, e, f))
        for p in range(IN):
            a, b = load(columns, (IN * p, 0, 0)), load(columns, (IN * p + 1, 0, 0))
            e, f = load(columns, (IN * p + 2, 0, 0)), load(columns, (IN * p + 3, 0, 0))
            store6(d, IN * p, 1, t, c, evaluate_output_gradient(a, b, e, f))


@inner
def put(y, i, j, c, v, floor, active, masked):
    """y[i, j, c : c + 8] = max(v, floor), and 0 where ``active`` is not positive; nothing outside of y."""
    if i < y.shape[0]:
        if masked:
            v = where_positive(load(active, (i, j, c)), v)
        store(y, (i, j, c), at_least(v, floor))


@inner
def transform_output(m, t, y, i, j, bias, floor, active, masked, columns):
    """y[i : i + 4, j : j + 4] = A^T m[:, t] A + bias, finished by ``put``."""
    for c in range(0, y.shape[2], LANES):
        z = load(bias, c)
        for p in range(IN):
            a, b, d, e = interpolate_output(*load6(m, IN * p, 1, t, c))
            store(columns, (IN * p, 0, 0), a)
            store(columns, (IN * p + 1, 0, 0), b)
            store(columns, (IN * p + 2, 0, 0), d)
            store(columns, (IN * p + 3, 0, 0), e)
        for s in range(min(OUT, y.shape[1] - j)):
            a, b, d, e = interpolate_output(*load6(columns, s, IN, 0, 0))
            put(y, i, j + s, c, a + z, floor, active, masked)
            put(y, i + 1, j + s, c, b + z, floor, active, masked)
            put(y, i + 2, j + s, c, d + z, floor, active, masked)
            put(y, i + 3, j + s, c, e + z, floor, active, masked)


@inner
def multiply_panel(v, p, u, panel, m, count):
    """m[p, :count, panel] = v[p, :count] @ u[p, panel], four tiles at a time (the last ones may be leftovers)."""
    depth = v.shape[2]
    start = panel * depth
    c = panel * PANEL
    for t in range(0, count, 4):
        a0 = a1 = b0 = b1 = d0 = d1 = e0 = e1 = splat(0.0)
        for k in range(depth):
            u0, u1 = load(u, (p, start + k, 0)), load(u, (p, start + k, LANES))
            s = broadcast(v, (p, t, k))
            a0, a1 = multiply_add(s, u0, a0), multiply_add(s, u1, a1)
            s = broadcast(v, (p, t + 1, k))
            b0, b1 = multiply_add(s, u0, b0), multiply_add(s, u1, b1)
            s = broadcast(v, (p, t + 2, k))
            d0, d1 = multiply_add(s, u0, d0), multiply_add(s, u1, d1)
            s = broadcast(v, (p, t + 3, k))
            e0, e1 = multiply_add(s, u0, e0), multiply_add(s, u1, e1)
        store2(m, p, t, c, a0, a1)
        store2(m, p, t + 1, c, b0, b1)
        store2(m, p, t + 2, c, d0, d1)
        store2(m, p, t + 3, c, e0, e1)


@inner
def store2(a, i, j, c, first, second):
    store(a, (i, j, c), first)
    store(a, (i, j, c + LANES), second)


@inner
def add_products(v, d, p, count, g, panel):
    """g[panel, :, p] += v[p, :count]^T @ d[p, :count, panel], four channels of v at a time."""
    depth = v.shape[2]
    c = panel * PANEL
    for i in range(0, depth, 4):
        row = panel * depth + i
        a0, a1 = load(g, (row, p, 0)), load(g, (row, p, LANES))
        b0, b1 = load(g, (row + 1, p, 0)), load(g, (row + 1, p, LANES))
        e0, e1 = load(g, (row + 2, p, 0)), load(g, (row + 2, p, LANES))
        f0, f1 = load(g, (row + 3, p, 0)), load(g, (row + 3, p, LANES))
        for t in range(count):
            d0, d1 = load(d, (p, t, c)), load(d, (p, t, c + LANES))
            s = broadcast(v, (p, t, i))
            a0, a1 = multiply_add(s, d0, a0), multiply_add(s, d1, a1)
            s = broadcast(v, (p, t, i + 1))
            b0, b1 = multiply_add(s, d0, b0), multiply_add(s, d1, b1)
            s = broadcast(v, (p, t, i + 2))
            e0, e1 = multiply_add(s, d0, e0), multiply_add(s, d1, e1)
            s = broadcast(v, (p, t, i + 3))
            f0, f1 = multiply_add(s, d0, f0), multiply_add(s, d1, f1)
        store2(g, row, p, 0, a0, a1)
        store2(g, row + 1, p, 0, b0, b1)
        store2(g, row + 2, p, 0, e0, e1)
        store2(g, row + 3, p, 0, f0, f1)


@kernel
def transform_weights(part, worker, parts, weights, u, columns_of):
    """u[:, panel, i] = G w G^T for this part's input channels i."""
    columns = columns_of[worker]
    depth = weights.shape[2]
    for i in range(part * depth // parts, (part + 1) * depth // parts):
        for o in range(0, weights.shape[3], LANES):
            for s in range(3):
                a, b, c = load(weights, (0, s, i, o)), load(weights, (1, s, i, o)), load(weights, (2, s, i, o))
                store6(columns, s, IN, 0, 0, evaluate_weights(a, b, c))
            for p in range(IN):
                a, b, c = load(columns, (IN * p, 0, 0)), load(columns, (IN * p + 1, 0, 0)), load(columns, (IN * p + 2, 0, 0))
                store6(u, IN * p, 1, o // PANEL * depth + i, o % PANEL, evaluate_weights(a, b, c))


@kernel
def convolve_tiles(part, worker, parts, x, u, bias, floor, active, masked, y, v_of, m_of, patch_of, columns_of):
    """This part's blocks of tiles, from x to y."""
    v, m, patch, columns = v_of[worker], m_of[worker], patch_of[worker], columns_of[worker]
    across = (x.shape[1] + OUT - 1) // OUT
    tiles = (x.shape[0] + OUT - 1) // OUT * across
    blocks = (tiles + BLOCK - 1) // BLOCK
    lowest = splat(floor)
    for block in range(part * blocks // parts, (part + 1) * blocks // parts):
        first = block * BLOCK
        count = min(BLOCK, tiles - first)
        for t in range(count):
            transform_input(x, (first + t) // across * OUT - 1, (first + t) % across * OUT - 1, v, t, patch, columns)
        for p in range(POINTS):
            for panel in range(m.shape[2] // PANEL):
                multiply_panel(v, p, u, panel, m, count)
        for t in range(count):
            i, j = (first + t) // across * OUT, (first + t) % across * OUT
            transform_output(m, t, y, i, j, bias, lowest, active, masked, columns)


@kernel
def sum_products(part, worker, parts, x, dy, g_of, v_of, d_of, patch_of, columns_of):
    """g_of[part] = sum over this part's tiles of (B^T x B) * (A dy A^T), laid out (panel and C_in, point, 16)."""
    v, d, patch, columns = v_of[worker], d_of[worker], patch_of[worker], columns_of[worker]
    across = (x.shape[1] + OUT - 1) // OUT
    tiles = (x.shape[0] + OUT - 1) // OUT * across
    blocks = (tiles + BLOCK - 1) // BLOCK
    g = g_of[part]
    g[:] = 0.0
    for block in range(part * blocks // parts, (part + 1) * blocks // parts):
        first = block * BLOCK
        count = min(BLOCK, tiles - first)
        for t in range(count):
            i, j = (first + t) // across * OUT, (first + t) % across * OUT
            transform_input(x, i - 1, j - 1, v, t, patch, columns)
            transform_output_gradient(dy, i, j, d, t, patch, columns)
        for p in range(POINTS):
            for panel in range(d.shape[2] // PANEL):
                add_products(v, d, p, count, g, panel)


@kernel
def finish_weight_gradient(part, worker, parts, g_of, dw, columns_of):
    """dw = G^T (sum of g_of in order) G for this part's input channels."""
    columns = columns_of[worker]
    depth = dw.shape[2]
    for i in range(part * depth // parts, (part + 1) * depth // parts):
        for o in range(0, dw.shape[3], LANES):
            row, lane = o // PANEL * depth + i, o % PANEL
            for p in range(POINTS):
                total = load(g_of, (0, row, p, lane))
                for q in range(1, g_of.shape[0]):
                    total = total + load(g_of, (q, row, p, lane))
                store(columns, (p, 0, 0), total)
            for p in range(IN):
                a, b, c = interpolate_weight_gradient(*load6(columns, IN * p, 1, 0, 0))
                store(columns, (IN * p, 0, 0), a)
                store(columns, (IN * p + 1, 0, 0), b)
                store(columns, (IN * p + 2, 0, 0), c)
            for s in range(3):
                a, b, c = interpolate_weight_gradient(*load6(columns, s, IN, 0, 0))
                store(dw, (0, s, i, o), a)
                store(dw, (1, s, i, o), b)
                store(dw, (2, s, i, o), c)


def _padded(channels: int) -> int:
    return -(-channels // PANEL) * PANEL


def _blocks(x: np.ndarray) -> int:
    tiles = -(-x.shape[0] // OUT) * -(-x.shape[1] // OUT)
    return -(-tiles // BLOCK)


def convolve_wide(x, weights, bias, floor, active=None):
    """max(floor, x * weights + bias), or 0 where ``active`` is given and not positive; all float32 and C-contiguous."""
    c_in, c_out = weights.shape[2:]
    # One row more than needed, here and below: without it equal places of the 36 points fall on the same cache set.
    u = work_array("u", (POINTS, _padded(c_out) // PANEL * c_in + 1, PANEL))
    parts = min(_blocks(x), 64)
    n = workers(parts)
    columns = work_array("columns", (max(n, workers(4)), POINTS, 1, LANES))
    run_parts(transform_weights, 4, 4, weights, u, columns)
    v = work_array("v", (n, POINTS, BLOCK + 1, c_in))
    m = work_array("m", (n, POINTS, BLOCK + 1, _padded(c_out)))
    patch = work_array("patch", (n, IN, IN, c_in))
    y = np.empty(x.shape[:2] + (c_out,), np.float32)
    masked = active is not None
    run_parts(convolve_tiles, parts, parts, x, u, bias, floor, active if masked else y, masked, y, v, m, patch, columns)
    return y


def convolve_wide_backward_weights(x, dy):
    """dw (3, 3, C_in, C_out) of x (H, W, C_in) and dy (H, W, C_out); all float32 and C-contiguous."""
    c_in, c_out = x.shape[2], dy.shape[2]
    parts = min(-(-_blocks(x) // 2), MOST_SUMS)
    n = workers(parts)
    columns = work_array("columns", (max(n, workers(4)), POINTS, 1, LANES))
    v = work_array("v", (n, POINTS, BLOCK + 1, c_in))
    d = work_array("m", (n, POINTS, BLOCK + 1, _padded(c_out)))
    patch = work_array("patch", (n, IN, IN, max(c_in, c_out)))
    g = work_array("g", (parts, _padded(c_out) // PANEL * c_in, POINTS, PANEL))
    run_parts(sum_products, parts, parts, x, dy, g, v, d, patch, columns)
    dw = np.empty((3, 3, c_in, c_out), np.float32)
    run_parts(finish_weight_gradient, 4, 4, g, dw, columns)
    return dw
