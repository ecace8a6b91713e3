"""The network of Fig. 8: 3x3 convolutions with ReLU between them, added to the interpolated image (D10, D11).

Shocher, Cohen & Irani 2018, section 3.1: 8 layers of 64 channels learn the residual between the interpolated image and
the fine one.  Activations are (H, W, C), channels last; weights (3, 3, C_in, C_out); images (H, W).  Everything
follows the dtype of its input: training uses float32, the gradient check float64.

A network is one 1-D array of parameters, layer after layer (weights, then bias), and views into it: the optimiser sees
one vector, and gradients are a network of the same shape.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import numpy as np

from refimpl.errors import InputError
from refimpl.twins import twin

LAST_LAYER_GAIN = 0.03
"""Factor on the He weights of the last layer (D11): training starts near the interpolated image."""


@dataclass(frozen=True)
class Layer:
    """Views of one layer: ``weights`` (3, 3, C_in, C_out) and ``bias`` (C_out,) or None."""

    weights: np.ndarray
    bias: np.ndarray | None


@dataclass(frozen=True)
class Network:
    """``parameters`` (n,) of ``depth`` convolutions with ``channels`` between them, with or without bias.

    >>> Network(np.zeros(parameter_count(8, 64, False), np.float32)).layers[1].weights.shape
    (3, 3, 64, 64)
    """

    parameters: np.ndarray
    depth: int = 8
    channels: int = 64
    bias: bool = False

    def __post_init__(self):
        if self.depth < 1 or self.channels < 1:
            raise ValueError(f"expected layers and channels from 1 up, got {self.depth} and {self.channels}")
        expected = (parameter_count(self.depth, self.channels, self.bias),)
        if self.parameters.shape != expected:
            raise ValueError(f"expected parameters of shape {expected}, got {self.parameters.shape}")

    @functools.cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, as views into ``parameters``."""
        layers, start = [], 0
        for shape in layer_shapes(self.depth, self.channels):
            middle = start + int(np.prod(shape))
            end = middle + (shape[3] if self.bias else 0)
            weights = self.parameters[start:middle].reshape(shape)
            layers.append(Layer(weights, self.parameters[middle:end] if self.bias else None))
            start = end
        return tuple(layers)

    def like(self, parameters: np.ndarray) -> Network:
        """A network of the same shape over other parameters."""
        return replace(self, parameters=parameters)


def layer_shapes(depth: int, channels: int) -> list[tuple[int, int, int, int]]:
    """Shape of the weights of each layer: 1 channel in at the first, 1 out at the last.

    >>> layer_shapes(3, 64)
    [(3, 3, 1, 64), (3, 3, 64, 64), (3, 3, 64, 1)]
    """
    widths = [1] + [channels] * (depth - 1) + [1]
    return [(3, 3, before, after) for before, after in zip(widths, widths[1:])]


def parameter_count(depth: int, channels: int, bias: bool) -> int:
    """Number of parameters of a network.

    >>> parameter_count(8, 64, False)
    222336
    """
    return sum(9 * c_in * c_out + (c_out if bias else 0) for _, _, c_in, c_out in layer_shapes(depth, channels))


def initialise(
    rng: np.random.Generator, layers: int = 8, channels: int = 64, bias: bool = False, scheme: str = "he",
    dtype=np.float32,
) -> Network:  # fmt: skip
    """A network with random weights, drawn layer by layer, and biases of 0 (D11).

    ``"he"``: normal with variance 2 / (9 C_in), the last layer times 0.03.  ``"published"``: N(0, 0.1 / (9 C_in)),
    whose second number is read as the variance, as the notation has it: the first gradients are then about 10^-8, as
    D11 reports; with a standard deviation of that size they would be about 10^-19.

    >>> network = initialise(np.random.default_rng(1), layers=3, channels=8)
    >>> network.parameters.shape, network.parameters.dtype
    ((720,), dtype('float32'))

    Raises
    ------
    InputError
        Another scheme, fewer than 2 layers or no channel.
    """
    if scheme not in ("he", "published"):
        raise InputError(f"unknown scheme {scheme!r} of the first weights; expected 'he' or 'published'")
    if layers < 2 or channels < 1:
        raise InputError(f"layers is {layers} and channels {channels}; expected layers from 2 and channels from 1 up")
    numerator = {"he": 2.0, "published": 0.1}[scheme]
    network = Network(np.zeros(parameter_count(layers, channels, bias), dtype), layers, channels, bias)
    for layer in network.layers:
        deviation = np.sqrt(numerator / (9 * layer.weights.shape[2]))
        layer.weights[...] = rng.normal(0.0, deviation, layer.weights.shape)
    if scheme == "he":
        network.layers[-1].weights[...] *= LAST_LAYER_GAIN
    return network


@twin("kernels.convolution")
def convolve(x: np.ndarray, weights: np.ndarray, bias: np.ndarray | None, relu: bool) -> np.ndarray:
    """y[i,j,o] = sum_{r,s,c} x[i+r-1, j+s-1, c] weights[r,s,c,o] + bias[o], then max(0, y) if ``relu``.

    ``x`` (H, W, C_in) is 0 beyond its edge; returns (H, W, C_out) of the dtype of ``x``.

    >>> weights = np.zeros((3, 3, 1, 1)); weights[1, 2] = 1.0          # the neighbour to the right
    >>> convolve(np.arange(6.0).reshape(2, 3, 1), weights, None, False)[:, :, 0]
    array([[1., 2., 0.],
           [4., 5., 0.]])
    """
    rows, cols, c_in = x.shape
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    y = np.zeros((rows * cols, weights.shape[3]), x.dtype)
    for r in range(3):
        for s in range(3):
            y += padded[r : r + rows, s : s + cols].reshape(rows * cols, c_in) @ weights[r, s]
    if bias is not None:
        y += bias
    return (np.maximum(y, 0) if relu else y).reshape(rows, cols, -1)


@twin("kernels.convolution")
def convolve_backward_data(dy: np.ndarray, weights: np.ndarray, active: np.ndarray | None) -> np.ndarray:
    """Gradient of the loss with respect to the input x of ``convolve``, from that with respect to its output.

    dx[i,j,c] = sum_{r,s,o} dy[i-r+1, j-s+1, o] weights[r,s,c,o]: a convolution with the weights turned by 180 degrees.
    ``dy`` (H, W, C_out); returns (H, W, C_in), 0 where ``active`` (H, W, C_in), the ReLU output that was x, is not > 0.

    >>> weights = np.zeros((3, 3, 1, 1)); weights[1, 2] = 1.0
    >>> convolve_backward_data(np.arange(6.0).reshape(2, 3, 1), weights, None)[:, :, 0]
    array([[0., 0., 1.],
           [0., 3., 4.]])
    """
    dx = convolve.reference(dy, weights[::-1, ::-1].swapaxes(2, 3), None, False)
    if active is not None:
        dx[~(active > 0)] = 0
    return dx


@twin("kernels.convolution")
def convolve_backward_weights(x: np.ndarray, dy: np.ndarray) -> np.ndarray:
    """Gradient of the loss with respect to the weights: dw[r,s,c,o] = sum_{i,j} x[i+r-1, j+s-1, c] dy[i,j,o].

    ``x`` (H, W, C_in), ``dy`` (H, W, C_out); returns (3, 3, C_in, C_out).

    >>> convolve_backward_weights(np.ones((2, 3, 1)), np.ones((2, 3, 1)))[:, :, 0, 0]
    array([[2., 3., 2.],
           [4., 6., 4.],
           [2., 3., 2.]])
    """
    rows, cols, c_in = x.shape
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    flat = dy.reshape(rows * cols, -1)
    dw = np.empty((3, 3, c_in, flat.shape[1]), x.dtype)
    for r in range(3):
        for s in range(3):
            dw[r, s] = padded[r : r + rows, s : s + cols].reshape(rows * cols, c_in).T @ flat
    return dw


@twin("kernels.network")
def forward(network: Network, image: np.ndarray, activations: list | None = None) -> np.ndarray:
    """The fine image (H, W): ``image``, which is the interpolated one, plus the residual that the network finds.

    The input of each layer is appended to ``activations``, if given: training needs them.

    >>> network = Network(np.zeros(18), depth=2, channels=1)
    >>> network.layers[0].weights[1, 1] = 2.0; network.layers[1].weights[1, 1] = 0.5  # the residual is max(0, image)
    >>> forward(network, np.array([[1.0, -2.0]]))
    array([[ 2., -2.]])
    """
    x = np.ascontiguousarray(image)[:, :, None]
    for number, layer in enumerate(network.layers, start=1):
        if activations is not None:
            activations.append(x)
        x = convolve(x, layer.weights, layer.bias, number < network.depth)
    return image + x[:, :, 0]


@twin("kernels.network")
def loss_and_gradients(
    network: Network, image: np.ndarray, target: np.ndarray, mask: np.ndarray
) -> tuple[float, Network]:
    """Eq. 2: mean of |forward(image) - target| over the cells of ``mask`` (D15), and its gradient, as a network.

    ``image``, ``target`` (H, W), ``mask`` (H, W) bool with at least one cell.  The subgradient of |.| at 0 is 0.

    Raises
    ------
    ValueError
        Shapes differ, or no cell of ``mask`` is true.

    >>> network = Network(np.zeros(9), depth=1, channels=1)  # finds no residual
    >>> image, target, mask = np.ones((1, 2)), np.full((1, 2), 4.0), np.array([[True, False]])
    >>> loss, gradients = loss_and_gradients(network, image, target, mask)
    >>> loss, gradients.layers[0].weights[1, :, 0, 0]  # -1 for the cell itself and for its right neighbour
    (3.0, array([ 0., -1., -1.]))
    """
    count = cells_of(mask, image, target)
    activations: list[np.ndarray] = []
    error = forward(network, image, activations) - target
    loss = float(np.sum(np.abs(error), where=mask, dtype=np.float64) / count)

    gradients = network.like(np.empty_like(network.parameters))
    dy = np.where(mask, np.sign(error) / error.dtype.type(count), error.dtype.type(0))[:, :, None]
    for number in reversed(range(network.depth)):
        x, layer, gradient = activations[number], network.layers[number], gradients.layers[number]
        gradient.weights[...] = convolve_backward_weights(x, dy)
        if gradient.bias is not None:
            gradient.bias[...] = dy.sum(axis=(0, 1), dtype=np.float64)
        if number > 0:
            dy = convolve_backward_data(dy, layer.weights, x)
    return loss, gradients


def cells_of(mask: np.ndarray, image: np.ndarray, target: np.ndarray) -> int:
    """How many cells the loss counts, if ``target`` and ``mask`` fit the image.

    >>> cells_of(np.eye(3, dtype=bool), np.zeros((3, 3)), np.zeros((3, 3)))
    3
    """
    if not image.shape == target.shape == mask.shape:
        shapes = f"{image.shape}, {target.shape} and {mask.shape}"
        raise ValueError(f"expected three arrays of one shape, got image, target and mask of {shapes}")
    if not mask.any():
        raise ValueError("mask has no cell that is true; a loss needs at least one")
    return int(np.count_nonzero(mask))
