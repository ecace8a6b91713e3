"""The network as a whole, forward and back: twins of ``refimpl.method.network``.

In float32 with a multiple of 8 channels, all layers run in one sweep (``kernels.tools.sweep``) by Winograd's
convolution.  Otherwise one layer runs after the other, as in the reference, by the functions of
``kernels.convolution``.  The rounding of an output cell depends on its place in its 4x4 tile, counted from the corner
of the image.
"""

from __future__ import annotations

import numpy as np
from numba import config

from kernels.tools.padded_planes import plane_of, work_planes, zero_plane
from kernels.tools.simd import LANES
from kernels.tools.sweep import sweep
from kernels.tools.sweep_plan import TASKS, bands_of, plan, regions_of
from kernels.tools.threads import run_tasks, workers
from kernels.tools.winograd import chosen_edge, work_size
from kernels.tools.winograd_products import PANEL
from kernels.tools.winograd_weights import padded_channels, weights_size
from kernels.tools.work_memory import work_array
from refimpl.method import network as reference


def forward(network, image, activations=None):
    """``image`` (H, W) plus the residual that the network finds; the input of each layer goes into ``activations``."""
    if activations is not None or not suits(network, image):
        return reference.forward.reference(network, image, activations)
    return run_sweep(network, image, (0, image.shape[0], 0, image.shape[1]))[0]


def loss_and_gradients(network, image, target, mask):
    """Mean of |forward(image) - target| over ``mask``, and its gradient: a network of ``network``'s shape."""
    if not suits(network, image):
        return reference.loss_and_gradients.reference(network, image, target, mask)
    count = reference.cells_of(mask, image, target)
    target, mask = np.ascontiguousarray(target, np.float32), np.ascontiguousarray(mask, np.bool_)
    window = 0, image.shape[0], 0, image.shape[1]
    _, loss, gradients = run_sweep(network, image, window, target, mask, count)
    return loss, gradients


def suits(network, image):
    """Whether the sweep can run this network on this image."""
    float32 = image.dtype == network.parameters.dtype == np.float32
    return float32 and network.channels % LANES == 0 and network.depth > 1 and image.size > 0 and not config.DISABLE_JIT


def layer_starts(network):
    """Where the weights of each layer begin in the parameters."""
    sizes = [layer.weights.size + (layer.bias.size if network.bias else 0) for layer in network.layers]
    return np.cumsum([0, *sizes[:-1]])


def layer_biases(network):
    """(depth + 1, C): the bias of each layer, and a last row of 0."""
    biases = np.zeros((network.depth + 1, network.channels), np.float32)
    for row, layer in zip(biases, network.layers):
        if layer.bias is not None:
            row[: layer.bias.size] = layer.bias
    return biases


def run_sweep(network, image, window, target=None, mask=None, count=0):
    """Output, loss and gradients; loss and gradients only with a target and a mask of ``count`` cells.

    ``window`` = (top, bottom, left, right): the cells of the output that are wanted; all others are undefined.
    """
    shape, depth, channels, edge = image.shape, network.depth, network.channels, chosen_edge()
    bands, back = bands_of(*shape, len(edge)), target is not None
    # The last layer takes four columns at a time.  If it begins at a multiple of 4, it never reads beyond the planes.
    window = *window[:2], window[2] // 4 * 4, window[3]
    regions = regions_of(depth, shape, window, len(edge))
    stages = plan(depth, bands, padded_channels(channels) // PANEL, back, regions)
    most, wide, size = int(stages[:, TASKS].max()), depth - 2, weights_size(channels, channels, edge)
    output, gradients = np.empty(shape, np.float32), np.empty(network.parameters.size if back else 0, np.float32)
    turned = work_array("turned weights", (depth if back else 0, 9 * channels * channels))
    if back:
        turned[-1, : 9 * channels] = network.layers[-1].weights[::-1, ::-1].ravel()
    thin_sums, losses = np.empty((2, bands, 3, 3, channels), np.float32), np.zeros(bands)
    bias_sums = np.zeros((depth, bands, channels if network.bias else 1))
    run_tasks(
        sweep, bands, np.zeros(1, np.int64), np.zeros(most * len(stages), np.int64), stages, bands,
        layer_starts(network), np.ascontiguousarray(network.parameters), layer_biases(network), plane_of(image),
        target if back else output, mask if back else np.empty((0, 0), np.bool_),
        np.float32(1 / np.float32(count)) if back else np.float32(0), output, zero_plane(shape),
        work_planes("planes", depth + 1 if back else 2, (*shape, channels)),
        work_array("weights", ((2 if back else 1) * wide, size)), turned,
        work_array("sums", (2 if back else 0, bands, size)), thin_sums, bias_sums, losses, gradients,
        work_array("sweep", (workers(bands), work_size(channels, channels, edge))), edge,
    )  # fmt: skip
    if not back:
        return output, 0.0, None
    gradients = network.like(gradients)
    gradients.layers[0].weights[:, :, 0] = thin_sums[0].sum(axis=0)
    gradients.layers[-1].weights[..., 0] = thin_sums[1].sum(axis=0)[::-1, ::-1]
    if network.bias:
        for layer, sums in zip(gradients.layers, bias_sums.sum(axis=1)):
            layer.bias[...] = sums[: layer.bias.size]
    return output, float(losses.sum() / count), gradients
