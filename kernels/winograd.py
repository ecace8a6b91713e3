"""3x3 convolutions between wide layers, by Winograd's F(4x4, 3x3) in float32; used by ``kernels.network``.

Shapes: x (H, W, C_in), dy and y (H, W, C_out), weights (3, 3, C_in, C_out); any H and W; C_in, C_out multiples of 8.

Why it works.  Multiply a polynomial of 3 coefficients by one of 4: the product has degree 5, so its values at 6
points determine it, and at a point the product of two polynomials is one multiplication.  Toom and Cook's method is
this: evaluate both at 6 points, multiply, interpolate; 6 multiplications where the schoolbook takes 12.  With the
points 0, 1, -1, 2, -2 and infinity (the leading coefficient) the data meet small integers only.  A network needs not
the product but its transpose: 4 neighbouring outputs y_i = sum_k w_k x_{i+k} of 6 inputs.  A bilinear method is
transposed by transposing its matrices: interpolation becomes the first step, evaluation of the 4-polynomial the last:

    y = A^T [(G w) * (B^T x)]                       * is the product point by point

           4  0 -5  0  1  0        6  0  0                 1  1  1  1  1  0
           0 -4 -4  1  1  0       -4 -4 -4                 0  1 -1  2 -2  0
    B^T =  0  4 -4 -1  1  0   G = -4  4 -4 / 24    A^T =   0  1  1  4  4  0
           0 -2 -1  2  1  0        1  2  4                 0  1 -1  8 -8  1
           0  2 -1 -2  1  0        1 -2  4
           0  4  0 -5  0  1        0  0 24

Row p of A and of G evaluates at point p: its entries are powers of p, or, at infinity, the last coefficient.  Row p of
B^T holds the coefficients of the product of (t - q) over the other finite points q, Lagrange's basis polynomial without
its denominator, the product of (p - q): that has been moved into G, whose rows carry the factors 1/4, -1/6, -1/6, 1/24,
1/24 and 1.  In two dimensions the matrices act on the columns and the rows of a tile:

    y = A^T [(G w G^T) * (B^T x B)] A               36 products for 16 outputs; the definition takes 144

Summed over C_in the products become, at each of the 36 points, a matrix product (tiles x C_in) by (C_in x C_out).
The gradient of the weights is the transpose of the same formula, with matrix products over the tiles:

    dw = G^T [sum over tiles of (B^T x B) * (A dy A^T)] G

The gradient of x is the convolution of dy with the weights turned by 180 degrees and transposed (see
``kernels.network``).

The price is rounding: a relative rms error of about 1.7e-6, against 3e-7 of direct sums.  A value's rounding depends
on its place in its tile, so a cut of a raster gives the bytes of the whole only where it starts at multiples of 4.  A
NaN or an infinity in x may make NaN of every output of the tiles that read it.

What makes it fast: blocks of tiles that stay in the second cache through all three steps, matrix products in
registers (``kernels.winograd_products``), no padded copies: a tile that reaches over the border is read through a
small patch.

Sources: A. L. Toom 1963 and S. A. Cook 1966 (the method); S. Winograd, Arithmetic Complexity of Computations, 1980;
A. Lavin and S. Gray, Fast Algorithms for Convolutional Neural Networks, 2015, arXiv:1509.09308, section 4.
"""

from __future__ import annotations

import numpy as np

from kernels.memory import result_array, work_array
from kernels.simd import LANES, behind, kernel, load, pointer, splat, store
from kernels.threads import run_parts, workers
from kernels.winograd_products import PANEL, add_products, multiply_panel
from kernels.winograd_tiles import (
    BLOCK,
    COLUMNS,
    GROUP,
    IN,
    OUT,
    POINT,
    POINTS,
    evaluate_weights,
    interpolate_weight_gradient,
    load6,
    store6,
    transform_input,
    transform_output,
    transform_output_gradient,
    work_places,
)

MOST_PARTS = 64
"""Parts of a forward pass, enough to keep any number of threads evenly busy."""
MOST_SUMS = 8
"""Partial sums of a weight gradient: fixed by the shape alone, and so the same for any number of threads."""


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
    """sums[part] = sum over this part's tiles of (B^T x B) * (A dy A^T), laid out (panel, C_in, point, 16)."""
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
    # PANEL values more than needed: else the same place of all 36 points would fall on one set of the cache.
    u = work_array("winograd weights", (POINTS, (_panels(c_out) * c_in + 1) * PANEL))
    transform_weights(weights, u, work[0])
    y = result_array(x.shape[:2] + (c_out,))
    masked = active is not None  # if not, any array serves for ``active``: it is not read
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
