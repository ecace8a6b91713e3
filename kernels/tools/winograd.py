"""3x3 convolutions between wide layers, by Winograd's F(4x4, 3x3) or F(2x2, 3x3) in float32.

Shapes: x (H, W, C_in), dy and y (H, W, C_out), weights (3, 3, C_in, C_out); any H and W; C_in, C_out multiples of 8.
x, dy and y lie in planes with a border of zeros (``padded_planes``), so no tile reaches out of memory.

Why it works.  Multiply a polynomial of 3 coefficients by one of 4: the product has degree 5, so its values at 6
points determine it, and at a point the product of two polynomials is one multiplication.  Toom and Cook's method is
this: evaluate both at 6 points, multiply, interpolate; 6 multiplications where the schoolbook takes 12.  With the
points 0, 1, -1, 2, -2 and infinity (the leading coefficient) the data are multiplied by small integers only.  What a
network needs is the transpose of the product: 4 neighbouring outputs y_i = sum_k w_k x_{i+k} of 6 inputs.  A bilinear
method is transposed by transposing its matrices: interpolation becomes the first step, evaluation of the 4-polynomial
the last:

    y = A^T [(G w) * (B^T x)]                       * is the product point by point

           4  0 -5  0  1  0        6  0  0                 1  1  1  1  1  0
           0 -4 -4  1  1  0       -4 -4 -4                 0  1 -1  2 -2  0
    B^T =  0  4 -4 -1  1  0   G = -4  4 -4 / 24    A^T =   0  1  1  4  4  0
           0 -2 -1  2  1  0        1  2  4                 0  1 -1  8 -8  1
           0  2 -1 -2  1  0        1 -2  4
           0  4  0 -5  0  1        0  0 24

Row p of A and of G evaluates at point p: its entries are powers of p, or, at infinity, the last coefficient.  Row p of
B^T holds the coefficients of the product of (t - q) over the other finite points q, Lagrange's basis polynomial without
its denominator, the product of (p - q).  The denominators stand in G, whose rows carry the factors 1/4, -1/6, -1/6,
1/24, 1/24 and 1.  In two dimensions the matrices act on the columns and the rows of a tile:

    y = A^T [(G w G^T) * (B^T x B)] A               36 products for 16 outputs; the definition takes 144

Summed over C_in the products become, at each of the 36 points, a matrix product (tiles x C_in) by (C_in x C_out).
The gradient of the weights is the transpose of the same formula, with matrix products over the tiles:

    dw = G^T [sum over tiles of (B^T x B) * (A dy A^T)] G

The gradient of x is the convolution of dy with the weights turned by 180 degrees and transposed (see
``kernels.convolution``).

The price is rounding: a relative rms error of about 1.7e-6, against 3e-7 of direct sums.  F(2x2, 3x3) takes the points
0, 1, -1 and infinity, whose powers are only 0 and 1; it is as exact as direct sums, for 64 products of 16 outputs:

           1  0 -1  0        2  0  0
    B^T =  0  1  1  0   G =  1  1  1 / 2    A^T =  1  1  1  0
           0 -1  1  0        1 -1  1               0  1 -1  1
           0 -1  0  1        0  0  2

A value's rounding depends on its place in its tile, so a cut of a raster gives the bytes of the whole only where it
starts at multiples of 4 (or 2).  A NaN or an infinity in x may make NaN of every output of the tiles that read it.

Three things make it fast: blocks of tiles stay in the second cache through all three steps; matrix products are taken
in registers (``winograd_products``); and while a block is multiplied, the processor is asked for the pixels that the
next block will read, so that it need not wait for them.  The products m of a point are written over the transformed
tiles v of the point before it, which are no longer needed: a block takes half the memory, and twice as many tiles fit.

Sources: A. L. Toom 1963 and S. A. Cook 1966 (the method); S. Winograd, Arithmetic Complexity of Computations, 1980;
A. Lavin and S. Gray, Fast Algorithms for Convolutional Neural Networks, 2015, arXiv:1509.09308, section 4.
"""

from __future__ import annotations

import os

from kernels.tools.compiled import inner
from kernels.tools.simd import behind, prefetch, splat
from kernels.tools.winograd_products import PANEL, TOGETHER, add_products, multiply_panel
from kernels.tools.winograd_tiles import COLUMNS_FLOATS, transform_input, transform_output, transform_output_gradient
from kernels.tools.winograd_weights import LINE, PAD, padded_channels, round_up, whole
from refimpl.errors import InputError

MOST_TILES = {4: 16, 2: 36}
"""Tiles of a block, by the edge of a tile; multiples of 4 that leave room in a cache of 512 KiB for the next block."""


def chosen_edge() -> tuple[int, ...]:
    """A tuple as long as the edge of an output tile: ``REFIMPL_WINOGRAD``, 4 (fast, the default) or 2 (more exact).

    Raises
    ------
    InputError
        REFIMPL_WINOGRAD is neither 2 nor 4.
    """
    text = os.environ.get("REFIMPL_WINOGRAD", "").strip() or "4"
    if text not in ("2", "4"):
        raise InputError(
            f"REFIMPL_WINOGRAD: {text!r} is not a size of tiles; expected 4 (F(4x4, 3x3), fast) or 2 (F(2x2, 3x3), "
            "as exact as direct convolution), or unset it for 4"
        )
    return (0,) * int(text)


def work_size(c_in: int, c_out: int, edge: tuple) -> int:
    """Floats that a thread needs to work in."""
    points, row = (len(edge) + 2) ** 2, max(padded_channels(c_in), padded_channels(c_out))
    return COLUMNS_FLOATS + 2 * (points + 1) * (MOST_TILES[len(edge)] * row + PAD)


@inner
def block_size(tiles, most):
    """Tiles of a block, where blocks are of nearly equal size: a multiple of 4, as 4 tiles are multiplied together."""
    blocks = max(whole(tiles, most), 1)
    return max(round_up(whole(tiles, blocks), TOGETHER), TOGETHER)


@inner
def convolve_tiles(source, target, tiles, across, c_in, c_out, u, bias, floor, active, masked, columns, edge):
    """Compute y of ``tiles`` tiles, which lie in rows of ``across`` tiles.

    ``source`` = (x, above, start, below, step): where the rows of the first tile's input begin, its upper neighbour
    and its lower one included, and how far a row of x is from the next.  ``target`` = (y, start, step, rows, cols):
    the same of the output, and how many rows and columns of y there are from the first tile on.
    """
    x, above, start, below, step = source
    y, y_start, y_step, rows, cols = target
    out, size, most = len(edge), len(edge) + 2, 16 if len(edge) == 4 else 36
    row = round_up(max(c_in, c_out), PANEL)
    slot, panel_step, point_step = most * row + PAD, c_in * PANEL, round_up(c_out, PANEL) * c_in + PAD
    m = behind(columns, COLUMNS_FLOATS)
    v, lowest, panels, together = behind(m, slot), splat(floor), whole(c_out, PANEL), block_size(tiles, most)
    for first in range(0, tiles, together):
        last = min(first + together, tiles)
        for n in range(first, last):
            k = n // across * out * step + n % across * out * c_in
            v_tile = behind(v, (n - first) * row)
            transform_input(x, above + k, start + k, below + k, step, c_in, v_tile, slot, columns, edge)
        for p in range(size * size):
            for panel in range(panels):
                u_panel = behind(u, p * point_step + panel * panel_step)
                m_panel = behind(m, p * slot + panel * PANEL)
                multiply_panel(behind(v, p * slot), u_panel, m_panel, row, last - first, c_in)
                a, b = share_of(panel, panels, first, last)
                fetch_input(source, a + last - first, b + last - first, across, c_in, p // size, p % size, edge)
                fetch_output(y, y_start, y_step, a, b, across, c_out, p // size, p % size, edge)
        for n in range(first, last):
            i, j = n // across * out, n % across * out
            k = y_start + i * y_step + j * c_out
            m_tile, finish = behind(m, (n - first) * row), (bias, lowest, active, masked)
            transform_output(m_tile, slot, y, k, y_step, rows - i, cols - j, c_out, finish, columns, edge)


@inner
def share_of(panel, panels, first, last):
    """The tiles whose pixels are asked for with this panel; if all were asked for at once, other loads would wait."""
    return first + panel * (last - first) // panels, first + (panel + 1) * (last - first) // panels


@inner
def fetch_input(source, first, last, across, channels, r, s, edge):
    """Ask for pixel (r, s) of some input tiles, unless the neighbour on the left has it too."""
    x, above, start, below, step = source
    out = len(edge)
    if s >= 2:
        k = above if r == 0 else below if r == out + 1 else start + (r - 1) * step
        for n in range(first, last):
            fetch_pixel(x, k + n // across * out * step + (n % across * out + s) * channels, channels)


@inner
def fetch_output(y, start, step, first, last, across, channels, r, s, edge):
    """Ask for pixel (r, s) of some output tiles."""
    out = len(edge)
    if r < out and s < out:
        for n in range(first, last):
            fetch_pixel(y, start + (n // across * out + r) * step + (n % across * out + s) * channels, channels)


@inner
def fetch_pixel(x, k, channels):
    for c in range(0, channels, LINE):
        prefetch(x, k + c)


@inner
def sum_tiles(source, target, tiles, across, c_in, c_out, g, columns, edge):
    """g = sum over tiles of (B^T x B) * (A dy A^T), laid out like the transformed weights.

    ``source`` is as in ``convolve_tiles``; ``target`` = (dy, start, step).
    """
    x, above, start, below, step = source
    dy, dy_start, dy_step = target
    out, size, most = len(edge), len(edge) + 2, 16 if len(edge) == 4 else 36
    v_row, d_row = c_in, round_up(c_out, PANEL)
    v_slot, d_slot = most * v_row + PAD, most * d_row + PAD
    panel_step, point_step = c_in * PANEL, d_row * c_in + PAD
    v = behind(columns, COLUMNS_FLOATS)
    d, panels, together = behind(v, size * size * v_slot), whole(c_out, PANEL), block_size(tiles, most)
    for first in range(0, tiles, together):
        last = min(first + together, tiles)
        for n in range(first, last):
            i, j = n // across * out, n % across * out
            k = i * step + j * c_in
            v_tile, d_tile = behind(v, (n - first) * v_row), behind(d, (n - first) * d_row)
            transform_input(x, above + k, start + k, below + k, step, c_in, v_tile, v_slot, columns, edge)
            k = dy_start + i * dy_step + j * c_out
            transform_output_gradient(dy, k, dy_step, c_out, d_tile, d_slot, columns, edge)
        for p in range(size * size):
            for panel in range(panels):
                g_panel = behind(g, p * point_step + panel * panel_step)
                d_panel = behind(d, p * d_slot + panel * PANEL)
                add_products(behind(v, p * v_slot), v_row, d_panel, d_row, last - first, g_panel, c_in, first == 0)
                a, b = share_of(panel, panels, last, 2 * last - first)
                fetch_input(source, a, b, across, c_in, p // size, p % size, edge)
                fetch_output(dy, dy_start, dy_step, a, b, across, c_out, p // size, p % size, edge)
