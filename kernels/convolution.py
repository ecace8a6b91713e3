"""The three operations of one 3x3 convolution layer: twins of ``refimpl.method.network``.

The network itself runs all its layers together (``kernels.network``), by the same steps and to the same bytes.

Shapes: x (H, W, C_in), y and dy (H, W, C_out), weights (3, 3, C_in, C_out), any H and W, zeros beyond the border.
With "*" for the sum that ``convolve`` defines, the gradient of x is dy * (weights turned by 180 degrees, C_in and
C_out swapped): the same function with other weights.

The way in which a layer is computed follows from dtype and channels:

    float32, C_in and C_out multiples of 8             Winograd, ``kernels.tools.winograd``
    float32, one of them 1, the other a multiple of 8  the sums as defined, ``kernels.tools.single_channel``
    anything else                                      plain loops, in float32 or float64 as given

Under NUMBA_DISABLE_JIT every layer takes the last way, because the vectors exist in compiled code only.
If one of the arrays x, weights and dy is not float32, the result is float64.  Results are fresh arrays; inputs are not
changed and need not be contiguous.  The same input gives the same bytes for any number of threads.
"""

from __future__ import annotations

import numpy as np
from numba import config

from kernels.tools.convolution_parts import (
    add_convolution_plain,
    add_weight_gradient_plain,
    convolve_part,
    correlate_part,
    finish_part,
    narrow_part,
    sum_part,
    weights_part,
    widen_part,
)
from kernels.tools.padded_planes import inside_of, plane_of, zero_plane
from kernels.tools.simd import LANES
from kernels.tools.sweep_plan import bands_of
from kernels.tools.threads import run_parts, workers
from kernels.tools.winograd import chosen_edge, work_size
from kernels.tools.winograd_weights import weights_size
from kernels.tools.work_memory import work_array


def convolve(x, weights, bias, relu):
    """y[i, j, o] = sum_{r,s,c} x[i+r-1, j+s-1, c] weights[r, s, c, o] + bias[o], then max(0, .) if ``relu``.

    ``bias`` (C_out,) or None; a NaN stays NaN under ``relu``.
    """
    dtype = _dtype(x, weights)
    x, weights = _contiguous(x, 3, dtype), _contiguous(weights, 4, dtype)
    if weights.shape[:3] != (3, 3, x.shape[2]):
        raise ValueError(f"expected weights of shape (3, 3, {x.shape[2]}, C_out), got {weights.shape}")
    bias = np.zeros(weights.shape[3], dtype) if bias is None else _contiguous(bias, 1, dtype)
    if bias.shape != weights.shape[3:]:
        raise ValueError(f"expected a bias of shape {weights.shape[3:]}, got {bias.shape}")
    return _convolve(x, weights, bias, dtype.type(0 if relu else -np.inf), None)


def convolve_backward_data(dy, weights, active):
    """dx (H, W, C_in), the gradient of a layer's input; 0 where ``active`` (H, W, C_in), if given, is not positive.

    ``active`` is the layer's input if that came out of a ReLU: where it is 0 nothing flows back.
    """
    dtype = _dtype(dy, weights)
    dy = _contiguous(dy, 3, dtype)
    if weights.ndim != 4 or weights.shape[:2] != (3, 3) or weights.shape[3] != dy.shape[2]:
        raise ValueError(f"expected weights of shape (3, 3, C_in, {dy.shape[2]}), got {weights.shape}")
    turned = _contiguous(weights[::-1, ::-1].swapaxes(2, 3), 4, dtype)
    if active is not None:
        if active.shape != dy.shape[:2] + turned.shape[3:]:
            raise ValueError(f"expected active of shape {dy.shape[:2] + turned.shape[3:]}, got {active.shape}")
        active = _contiguous(active if active.dtype == dtype else active > 0, 3, dtype)
    return _convolve(dy, turned, np.zeros(turned.shape[3], dtype), dtype.type(-np.inf), active)


def convolve_backward_weights(x, dy):
    """dw (3, 3, C_in, C_out) = sum_{i,j} x[i+r-1, j+s-1, c] dy[i, j, o], the gradient of a layer's weights."""
    dtype = _dtype(x, dy)
    x, dy = _contiguous(x, 3, dtype), _contiguous(dy, 3, dtype)
    if x.shape[:2] != dy.shape[:2]:
        raise ValueError(f"expected x and dy of one height and width, got {x.shape} and {dy.shape}")
    way = _way(dtype, x.shape, dy.shape[2])
    if way == "wide":
        return _correlate_wide(x, dy)
    if way == "widen":
        return _correlate(x, dy)[:, :, np.newaxis, :]
    if way == "narrow":  # x and dy change places, and with them the sign of every offset
        return np.ascontiguousarray(_correlate(dy, x)[::-1, ::-1, :, np.newaxis])
    dw = np.zeros((3, 3, x.shape[2], dy.shape[2]), dtype)
    add_weight_gradient_plain(x, dy, dw)
    return dw


def _convolve(x, weights, bias, floor, active):
    """max(floor, x * weights + bias), or 0 where ``active`` is given and not positive."""
    way = _way(x.dtype, x.shape, weights.shape[3])
    if way in ("wide", "widen"):
        y = zero_plane(x.shape[:2] + weights.shape[3:])
        mask = y if active is None else plane_of(active)
        run = _convolve_wide if way == "wide" else _widen
        run(plane_of(x), weights, bias, float(floor), mask, active is not None, y, x.shape)
        return inside_of(y, x.shape).copy()
    y = np.zeros(x.shape[:2] + weights.shape[3:], x.dtype)
    if way == "narrow":
        parts = bands_of(*x.shape[:2], 4)
        run_parts(narrow_part, parts, parts, plane_of(x), weights, y)
    else:
        add_convolution_plain(x, weights, y)
    y = np.maximum(y + bias, floor)
    return y if active is None else np.where(active > 0, y, x.dtype.type(0))


def _convolve_wide(x, weights, bias, floor, active, masked, y, shape):
    edge, (c_in, c_out), parts = chosen_edge(), weights.shape[2:], bands_of(*shape[:2], len(chosen_edge()))
    work = work_array("convolution", (workers(parts), work_size(c_in, c_out, edge)))
    u = work_array("convolution weights", (weights_size(c_in, c_out, edge),))
    arrays = x, weights, u, bias, floor, active, masked, y, shape[0], shape[1], work, edge
    weights_part(0, 0, weights, u, work, edge)
    run_parts(convolve_part, parts, parts, *arrays)


def _widen(x, weights, bias, floor, active, masked, y, shape):
    parts = bands_of(*shape[:2], 4)
    run_parts(widen_part, parts, parts, x, weights, bias, floor, active, masked, y, shape[0], shape[1])


def _correlate_wide(x, dy):
    edge, c_in, c_out = chosen_edge(), x.shape[2], dy.shape[2]
    parts = bands_of(*x.shape[:2], len(edge))
    work = work_array("convolution", (workers(parts), work_size(c_in, c_out, edge)))
    sums = work_array("convolution sums", (parts, weights_size(c_in, c_out, edge)))
    dw = np.empty((3, 3, c_in, c_out), np.float32)
    run_parts(sum_part, parts, parts, plane_of(x), plane_of(dy), sums, x.shape[0], x.shape[1], work, edge)
    finish_part(0, 0, sums, dw, work, edge)
    return dw


def _correlate(plane, wide):
    """(3, 3, C): sum_{i,j} plane[i + r - 1, j + s - 1] wide[i, j, :], sums of fixed bands of rows added in order."""
    out = len(chosen_edge())  # the bands of the sweep: the same sums, to the bit
    parts = bands_of(*wide.shape[:2], out)
    sums = np.empty((parts, 3, 3, wide.shape[2]), np.float32)
    run_parts(correlate_part, parts, parts, plane_of(plane), plane_of(wide), sums, wide.shape[0], wide.shape[1], out)
    return sums.sum(axis=0)


def _way(dtype, shape, c_out):
    height, width, c_in = shape
    if dtype == np.float32 and height * width * c_in * c_out > 0 and not config.DISABLE_JIT:
        if c_in % LANES == 0 and c_out % LANES == 0:
            return "wide"
        if c_in == 1 and c_out % LANES == 0:
            return "widen"
        if c_out == 1 and c_in % LANES == 0:
            return "narrow"
    return "plain"


def _dtype(*arrays):
    return np.dtype(np.float32 if all(array.dtype == np.float32 for array in arrays) else np.float64)


def _contiguous(array, ndim, dtype):
    if array.ndim != ndim:
        raise ValueError(f"expected an array of {ndim} dimensions, got shape {array.shape}")
    return np.ascontiguousarray(array, dtype)
