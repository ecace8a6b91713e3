"""The network (D10, D11): convolutions by counting, gradients by central differences in float64."""

import itertools

import numpy as np
import pytest

from refimpl.method.network import (
    Network,
    convolve,
    convolve_backward_data,
    convolve_backward_weights,
    forward,
    initialise,
    layer_shapes,
    loss_and_gradients,
    parameter_count,
)
from refimpl.twins import backend


@pytest.fixture(autouse=True)
def plain_reference():
    with backend("numpy"):
        yield


def counted_convolution(x, weights, bias, relu):
    """The definition, index by index."""
    rows, cols, c_in = x.shape
    y = np.zeros((rows, cols, weights.shape[3]))
    for i, j, r, s in itertools.product(range(rows), range(cols), range(3), range(3)):
        if 0 <= i + r - 1 < rows and 0 <= j + s - 1 < cols:
            for c, o in itertools.product(range(c_in), range(weights.shape[3])):
                y[i, j, o] += x[i + r - 1, j + s - 1, c] * weights[r, s, c, o]
    y = y if bias is None else y + bias
    return np.maximum(y, 0) if relu else y


@pytest.mark.parametrize("shape, c_in, c_out", [((4, 6), 3, 2), ((1, 5), 1, 4), ((3, 1), 4, 1), ((1, 1), 2, 3)])
@pytest.mark.parametrize("relu", [False, True])
def test_convolution_is_what_its_formula_says(shape, c_in, c_out, relu):
    rng = np.random.default_rng(1)
    x, weights, bias = rng.normal(size=(*shape, c_in)), rng.normal(size=(3, 3, c_in, c_out)), rng.normal(size=c_out)
    for b in (bias, None):
        # At most 36 products of order 1 in another order: some 36 x 1e-16.
        assert np.abs(convolve(x, weights, b, relu) - counted_convolution(x, weights, b, relu)).max() < 2e-14


def test_a_single_weight_shifts_the_image_towards_it_and_brings_in_zeros():
    x = np.arange(12.0).reshape(3, 4, 1)
    weights = np.zeros((3, 3, 1, 1))
    weights[0, 1] = 1                                       # the neighbour above
    assert convolve(x, weights, None, False)[:, :, 0].tolist() == [[0, 0, 0, 0], [0, 1, 2, 3], [4, 5, 6, 7]]


@pytest.mark.parametrize("c_in, c_out", [(1, 3), (3, 2), (4, 1)])
def test_the_backward_passes_are_the_transposes_of_the_forward_pass(c_in, c_out):
    # <convolve(x, w), dy> is linear in x and in w, so both gradients have closed forms as inner products.
    rng = np.random.default_rng(2)
    x, weights, dy = rng.normal(size=(5, 4, c_in)), rng.normal(size=(3, 3, c_in, c_out)), rng.normal(size=(5, 4, c_out))
    product = np.sum(convolve(x, weights, None, False) * dy)
    assert abs(np.sum(convolve_backward_data(dy, weights, None) * x) - product) < 1e-12
    assert abs(np.sum(convolve_backward_weights(x, dy) * weights) - product) < 1e-12
    other = rng.normal(size=x.shape)
    product = np.sum(convolve(other, weights, None, False) * dy)
    assert abs(np.sum(convolve_backward_data(dy, weights, None) * other) - product) < 1e-12


def test_no_gradient_passes_where_the_unit_was_not_active():
    rng = np.random.default_rng(3)
    dy, weights, active = rng.normal(size=(4, 5, 2)), rng.normal(size=(3, 3, 3, 2)), rng.normal(size=(4, 5, 3))
    active[0, 0] = 0
    masked, full = convolve_backward_data(dy, weights, active), convolve_backward_data(dy, weights, None)
    assert np.array_equal(masked, np.where(active > 0, full, 0)) and full[0, 0].all()


def signs_of_units(network, image, target):
    """Signs of every unit and of the error: the loss is linear in one weight as long as none of them changes."""
    activations = []
    error = forward(network, image, activations) - target
    return [np.sign(a) for a in activations[1:]] + [np.sign(error)]


@pytest.mark.parametrize("depth, bias", [(8, False), (8, True), (9, False), (9, True)])
def test_gradients_agree_with_central_differences_in_float64(depth, bias):
    rng = np.random.default_rng(4 + depth)
    network = initialise(rng, depth, 8, bias, dtype=np.float64)
    network.parameters[:] += 0.02 * rng.normal(size=network.parameters.size)   # biases and a last layer that matter
    image, target, mask = rng.random((6, 7)), rng.random((6, 7)), rng.random((6, 7)) < 0.7
    _, gradients = loss_and_gradients(network, image, target, mask)
    start, step, checked = 0, 1e-6, 0
    for number, (layer, gradient) in enumerate(zip(network.layers, gradients.layers)):
        size = layer.weights.size + (layer.bias.size if bias else 0)
        picked = rng.choice(size, min(size, 40), replace=False)
        picked = np.unique(np.append(picked, np.arange(layer.weights.size, size)))  # every bias, and 40 weights
        numerical, analytical = [], []
        for index in start + picked:
            losses, signs = [], []
            for sign in (1, -1):
                moved = network.like(network.parameters.copy())
                moved.parameters[index] += sign * step
                losses.append(masked_loss(moved, image, target, mask))
                signs.append(signs_of_units(moved, image, target))
            if all(np.array_equal(a, b) for a, b in zip(*signs)):
                numerical.append((losses[0] - losses[1]) / (2 * step))
                analytical.append(gradients.parameters[index])
        numerical, analytical = np.array(numerical), np.array(analytical)
        assert np.linalg.norm(analytical) > 1e-5, f"layer {number} has no gradient to check"
        # Between kinks the loss is linear in one weight: rounding, 1e-16 / 1e-6, is left, of gradients of 1e-3.
        assert np.linalg.norm(numerical - analytical) < 1e-6 * np.linalg.norm(analytical), f"layer {number}"
        start, checked = start + size, checked + len(numerical)
    assert start == network.parameters.size and checked > 0.9 * 40 * (depth - 2)


def masked_loss(network, image, target, mask):
    return np.abs(forward(network, image) - target)[mask].mean()


def test_the_loss_is_the_mean_absolute_error_of_the_masked_cells():
    rng = np.random.default_rng(5)
    network = initialise(rng, 3, 8, dtype=np.float64)
    image, target, mask = rng.random((6, 7)), rng.random((6, 7)), rng.random((6, 7)) < 0.5
    loss, gradients = loss_and_gradients(network, image, target, mask)
    assert abs(loss - masked_loss(network, image, target, mask)) < 1e-15
    elsewhere = np.where(mask, target, 1e6)
    other_loss, other_gradients = loss_and_gradients(network, image, elsewhere, mask)
    assert other_loss == loss and np.array_equal(other_gradients.parameters, gradients.parameters)


def test_an_output_that_hits_its_target_has_no_gradient():
    network = initialise(np.random.default_rng(6), 3, 8, dtype=np.float64)
    image = np.random.default_rng(7).random((5, 5))
    loss, gradients = loss_and_gradients(network, image, forward(network, image), np.ones((5, 5), bool))
    assert loss == 0 and not gradients.parameters.any()


def test_a_network_of_zeros_returns_the_interpolated_image():
    image = np.random.default_rng(8).random((5, 6))
    assert np.array_equal(forward(Network(np.zeros(parameter_count(8, 8, True)), 8, 8, True), image), image)


def test_relu_follows_every_layer_but_the_last():
    # One channel with 1, 1, -1 at the centre: 2 passes and becomes -2, -3 is stopped; after the last layer nothing is.
    network = Network(np.zeros(parameter_count(3, 8, False)), 3, 8)
    for layer, value in zip(network.layers, (1.0, 1.0, -1.0)):
        layer.weights[1, 1, 0, 0] = value
    image = np.array([[2.0, -3.0]])
    assert forward(network, image).tolist() == [[2.0 - 2.0, -3.0]]


def test_the_layers_are_views_of_one_vector_without_gaps():
    network = initialise(np.random.default_rng(9), 8, 16, bias=True)
    assert [layer.weights.shape for layer in network.layers] == layer_shapes(8, 16)
    parts = [part.ravel() for layer in network.layers for part in (layer.weights, layer.bias)]
    assert np.array_equal(np.concatenate(parts), network.parameters)
    assert all(np.shares_memory(part, network.parameters) and part.flags.c_contiguous for part in parts)


def test_the_default_network_has_the_published_size():
    network = initialise(np.random.default_rng(10))
    assert network.parameters.dtype == np.float32 and len(network.layers) == 8
    assert network.parameters.size == 9 * (64 + 6 * 64 * 64 + 64)


@pytest.mark.parametrize("scheme, numerator, last", [("he", 2.0, 0.03), ("published", 0.1, 1.0)])
def test_first_weights_have_the_variance_of_their_scheme(scheme, numerator, last):
    network = initialise(np.random.default_rng(11), 4, 64, True, scheme, np.float64)
    for number, layer in enumerate(network.layers):
        n, c_in = layer.weights.size, layer.weights.shape[2]
        expected = numerator / (9 * c_in) * (last**2 if number == 3 else 1)
        # The variance of n normal numbers scatters by sqrt(2 / n); four of those.
        assert abs(layer.weights.var() / expected - 1) < 4 * np.sqrt(2 / n)
        assert not layer.bias.any()


def test_the_same_generator_gives_the_same_network_and_another_does_not():
    first, again, other = (initialise(np.random.default_rng(seed), 3, 8).parameters for seed in (1, 1, 2))
    assert first.tobytes() == again.tobytes() != other.tobytes()
