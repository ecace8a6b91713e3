"""The network as a whole: the sweep of the kernels against layer after layer, float64, threads, and 200 steps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.convolution import convolve, convolve_backward_data, convolve_backward_weights
from kernels.tools.sweep_plan import bands_of, plan, regions_of
from refimpl.method.adam import BETA1, BETA2, EPSILON, adam_step
from refimpl.method.network import forward, initialise, loss_and_gradients
from refimpl.twins import backend


def case(seed, shape, depth=8, channels=8, bias=False):
    """A network whose last layer matters, an image, a target and a mask."""
    rng = np.random.default_rng([seed, *shape, depth, channels])
    network = initialise(rng, depth, channels, bias)
    network.parameters[:] += 0.02 * rng.standard_normal(network.parameters.size).astype(np.float32)
    image, target = rng.random((2, *shape), np.float32)
    mask = rng.random(shape) < 0.7
    mask.flat[0] = True
    return network, image, target, mask


def layer_by_layer(network, image, target, mask):
    """Output, loss and gradients from the functions of single layers, which have tests of their own."""
    x, inputs = image[:, :, None], []
    for number, layer in enumerate(network.layers, start=1):
        inputs.append(x)
        x = convolve(x, layer.weights, layer.bias, number < network.depth)
    output = image + x[:, :, 0]
    error = np.where(mask, output - target, np.float32(0))
    scale = np.float32(1) / np.float32(np.count_nonzero(mask))
    dy, gradients = (np.sign(error) * scale)[:, :, None], []
    for x, layer in zip(inputs[::-1], network.layers[::-1]):
        gradients.insert(0, (convolve_backward_weights(x, dy), dy.astype(np.float64).sum(axis=(0, 1))))
        dy = convolve_backward_data(dy, layer.weights, x)
    return output, np.abs(error).astype(np.float64).sum() / np.count_nonzero(mask), gradients


@settings(max_examples=30, deadline=None)
@given(
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.integers(2, 9),
    st.sampled_from([8, 16, 24]),
    st.booleans(),
    st.sampled_from(["2", "4"]),
)
def test_the_sweep_gives_the_bytes_of_the_layers_one_by_one(shape, depth, channels, bias, tiles):
    network, image, target, mask = case(1, shape, depth, channels, bias)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REFIMPL_WINOGRAD", tiles)
        output, loss, expected = layer_by_layer(network, image, target, mask)
        got_loss, gradients = loss_and_gradients(network, image, target, mask)
        assert forward(network, image).tobytes() == output.tobytes()
    assert abs(got_loss - loss) <= 1e-14 * loss  # float64 sums in another order
    for layer, (weights, sums) in zip(gradients.layers, expected):
        assert layer.weights.tobytes() == weights.tobytes()
        if bias:  # sums of float32 numbers in float64, rounded once: an ulp of float32, or of what cancels
            limit = 1e-7 * np.abs(sums) + 1e-12
            assert (np.abs(layer.bias - sums) <= limit).all()


@pytest.mark.parametrize("depth, channels, bias", [(8, 16, False), (9, 8, True), (2, 8, True)])
def test_loss_and_gradients_are_those_of_float64(depth, channels, bias):
    network, image, target, mask = case(2, (33, 30), depth, channels, bias)
    double = network.like(network.parameters.astype(np.float64))
    with backend("numpy"):
        fine = forward(double, image.astype(np.float64))
        loss, gradients = loss_and_gradients(double, *(a.astype(np.float64) for a in (image, target)), mask)
    got_loss, got = loss_and_gradients(network, image, target, mask)
    assert np.abs(forward(network, image) - fine).max() < 1e-5
    assert abs(got_loss / loss - 1) < 1e-6
    # A unit near zero may fall on the other side of the ReLU: single gradients then differ by their share of the cells.
    error = np.linalg.norm(got.parameters - gradients.parameters) / np.linalg.norm(gradients.parameters)
    assert error < 5e-3


@pytest.mark.parametrize("shape", [(64, 64), (77, 50), (5, 3)])
def test_any_number_of_threads_gives_the_same_bytes(monkeypatch, shape):
    network, image, target, mask = case(3, shape, 8, 16, True)
    seen = set()
    for threads in ("1", "2", "3", "8"):
        monkeypatch.setenv("REFIMPL_THREADS", threads)
        for _ in range(3):
            loss, gradients = loss_and_gradients(network, image, target, mask)
            seen.add((loss, gradients.parameters.tobytes(), forward(network, image).tobytes()))
    assert len(seen) == 1


@pytest.mark.parametrize("tiles", ["2", "4"])
def test_two_hundred_steps_of_training_follow_float64(monkeypatch, tiles):
    monkeypatch.setenv("REFIMPL_WINOGRAD", tiles)
    rng = np.random.default_rng(4)
    network = initialise(rng, 8, 8)
    double = network.like(network.parameters.astype(np.float64))
    row, col = np.mgrid[:16, :18] / 5
    losses = np.zeros((2, 200))
    moments = np.zeros((2, network.parameters.size), np.float32), np.zeros((2, network.parameters.size))
    for step in range(1, 201):
        target = np.sin(row + rng.random()) * np.cos(col + rng.random()) ** 2
        image = target + 0.2 * np.sin(3 * row) * np.sin(2 * col)
        mask = rng.random(target.shape) < 0.8
        for k, (one, dtype, chosen) in enumerate(((network, np.float32, "numba"), (double, np.float64, "numpy"))):
            with backend(chosen):
                losses[k, step - 1], gradients = loss_and_gradients(
                    one, image.astype(dtype), target.astype(dtype), mask
                )
                adam_step(one.parameters, gradients.parameters, *moments[k], step, 3e-4, BETA1, BETA2, EPSILON)
    means = losses.reshape(2, 10, 20).mean(axis=2)
    assert means[1, -1] < 0.5 * means[1, 0], "the network did not learn"
    # Training is chaotic, so single steps part slowly; means over 20 steps stay within a percent.
    assert np.abs(means[0] / means[1] - 1).max() < 0.01
    assert np.abs(losses[0, :20] / losses[1, :20] - 1).max() < 1e-4


def test_a_masked_cell_counts_for_nothing_whatever_it_holds():
    network, image, target, mask = case(5, (12, 13), 4)
    loss, gradients = loss_and_gradients(network, image, target, mask)
    for anything in (1e30, np.nan, np.inf):
        other = np.where(mask, target, np.float32(anything))
        again, same = loss_and_gradients(network, image, other, mask)
        assert again == loss and np.array_equal(same.parameters, gradients.parameters)


def test_a_nan_in_a_target_makes_the_loss_nan():
    network, image, target, mask = case(6, (12, 13), 4)
    target[0, 0] = np.nan
    assert np.isnan(loss_and_gradients(network, image, target, mask)[0])


def test_an_output_that_hits_its_target_has_no_gradient():
    network, image, _, mask = case(7, (9, 8), 4)
    loss, gradients = loss_and_gradients(network, image, forward(network, image), mask)
    assert loss == 0 and not gradients.parameters.any()


def test_inputs_are_not_changed_and_need_not_be_contiguous():
    network, image, target, mask = case(8, (12, 17), 5)
    expected = loss_and_gradients(network, image, target, mask)
    kept = network.parameters.copy()
    got = loss_and_gradients(network, *(np.asfortranarray(a) for a in (image, target, mask)))
    assert got[0] == expected[0] and np.array_equal(got[1].parameters, expected[1].parameters)
    assert np.array_equal(network.parameters, kept) and not np.shares_memory(got[1].parameters, network.parameters)


def test_shapes_that_do_not_fit_are_refused():
    network, image, target, mask = case(9, (6, 7), 3)
    for arguments in ((image, target[:5], mask), (image, target, mask[:, :6])):
        with pytest.raises(ValueError):
            loss_and_gradients(network, *arguments)


def test_what_the_kernels_are_not_made_for_goes_layer_by_layer():
    for channels, dtype in ((6, np.float32), (8, np.float64)):
        network = initialise(np.random.default_rng(10), 3, channels, dtype=dtype)
        image, target = np.random.default_rng(11).random((2, 7, 6)).astype(dtype)
        with backend("numpy"):
            expected, gradients = loss_and_gradients(network, image, target, image > 0)
        loss, got = loss_and_gradients(network, image, target, image > 0)
        assert got.parameters.dtype == dtype and abs(loss - expected) < 1e-6
        assert np.allclose(got.parameters, gradients.parameters, rtol=1e-4, atol=1e-6)


@given(st.integers(1, 5000), st.integers(1, 5000), st.sampled_from([2, 4]))
def test_bands_are_never_empty(height, width, out):
    bands, down = bands_of(height, width, out), -(-height // out)
    edges = [b * down // bands for b in range(bands + 1)]
    assert all(a < b for a, b in zip(edges, edges[1:])) and edges[-1] == down and bands <= 16


@pytest.mark.parametrize("back", [False, True])
def test_every_task_needs_tasks_of_lower_numbers_only(back):
    stages = plan(8, 5, 4, back, regions_of(8, (30, 40), (0, 30, 0, 40), 4))
    for number, stage in enumerate(stages):
        near, all_of, first = stage[4], stage[5], stage[2]
        assert near < number and all_of < number
        assert first == (0 if number == 0 else stages[number - 1][2] + stages[number - 1][3])
