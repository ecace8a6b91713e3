"""The convolution and Adam kernels against plain float64 oracles written here from the definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.adam import adam_step
from kernels.convolution import convolve, convolve_backward_data, convolve_backward_weights
from refimpl.errors import InputError

SIZES = [(1, 1), (2, 3), (5, 7), (31, 30), (64, 64)]
WIDE = [(8, 8), (8, 24), (16, 64), (24, 16), (64, 64)]
THIN = [(1, 8), (1, 24), (1, 64), (8, 1), (24, 1), (64, 1)]
OTHER = [(1, 1), (3, 5), (2, 8), (8, 12)]

# Winograd's relative rms error is about 1.7e-6 on normal numbers, whatever the depth of the sums: the large entries of
# its matrices enlarge the rounding unit 6e-8.  Few values scatter more, hence 4e-6; a wrong tap is an error of 1e-2.
WINOGRAD_RMS = 4e-6
# Direct float32 sums of n terms err by about sqrt(n) 2^-24 of the rms: 1.4e-6 for the 576 terms of a 64-channel layer,
# and for weight gradients over 64 x 64 pixels no more, because partial sums of 8 rows are added.
DIRECT_RMS = 2e-6


def windows(x):
    """(H, W, C, 3, 3): the neighbourhood of every pixel, zeros beyond the border, float64."""
    padded = np.pad(np.asarray(x, np.float64), ((1, 1), (1, 1), (0, 0)))
    return np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(0, 1))


def convolve_oracle(x, weights):
    return np.einsum("ijcrs,rsco->ijo", windows(x), np.asarray(weights, np.float64), optimize=True)


def weight_gradient_oracle(x, dy):
    return np.einsum("ijcrs,ijo->rsco", windows(x), np.asarray(dy, np.float64), optimize=True)


def data_gradient_oracle(dy, weights):
    """Every output hands its gradient back along the taps that it was made of: the chain rule, not a convolution."""
    dy, weights = np.asarray(dy, np.float64), np.asarray(weights, np.float64)
    height, width = dy.shape[:2]
    dx = np.zeros((height + 2, width + 2, weights.shape[2]))
    for r in range(3):
        for s in range(3):
            dx[r : r + height, s : s + width] += dy @ weights[r, s].T
    return dx[1:-1, 1:-1]


def layer(seed, size, channels, dtype=np.float32):
    """x, weights, bias, dy of one layer, standard normal; weights scaled so that outputs are of order one."""
    rng = np.random.default_rng([seed, *size, *channels])
    c_in, c_out = channels
    x, dy = rng.standard_normal(size + (c_in,)), rng.standard_normal(size + (c_out,))
    weights = rng.standard_normal((3, 3, c_in, c_out)) / np.sqrt(9 * c_in)
    return tuple(a.astype(dtype) for a in (x, weights, rng.standard_normal(c_out), dy))


def relative_rms(got, expected):
    assert got.shape == expected.shape
    return np.linalg.norm(got - expected) / max(np.linalg.norm(expected), 1e-300)  # 0 of 0 is no error


def limit_of(channels):
    return WINOGRAD_RMS if channels in WIDE else DIRECT_RMS


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", WIDE + THIN + OTHER)
def test_float32_layers_follow_the_definition_in_both_directions(size, channels):
    x, weights, bias, dy = layer(1, size, channels)
    limit = limit_of(channels)
    plain = convolve_oracle(x, weights)
    assert relative_rms(convolve(x, weights, None, False), plain) < limit
    assert relative_rms(convolve(x, weights, bias, False), plain + bias) < limit
    assert relative_rms(convolve(x, weights, bias, True), np.maximum(plain + bias, 0)) < limit
    dx = data_gradient_oracle(dy, weights)
    assert relative_rms(convolve_backward_data(dy, weights, None), dx) < limit
    assert relative_rms(convolve_backward_data(dy, weights, x), np.where(x > 0, dx, 0)) < limit
    assert relative_rms(convolve_backward_weights(x, dy), weight_gradient_oracle(x, dy)) < limit


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (14, 15)])
@pytest.mark.parametrize("channels", [(8, 8), (1, 8), (8, 1), (3, 5)])
def test_float64_layers_are_computed_in_float64(size, channels):
    x, weights, bias, dy = layer(2, size, channels, np.float64)
    y = convolve(x, weights, bias, True)
    dx, dw = convolve_backward_data(dy, weights, x), convolve_backward_weights(x, dy)
    assert {y.dtype, dx.dtype, dw.dtype} == {np.dtype(np.float64)}
    # Sums of at most 210 terms of order one: some 1e-15 of rounding; float32 anywhere inside would show as 1e-7.
    assert np.allclose(y, np.maximum(convolve_oracle(x, weights) + bias, 0), rtol=0, atol=1e-12)
    assert np.allclose(dx, np.where(x > 0, data_gradient_oracle(dy, weights), 0), rtol=0, atol=1e-12)
    assert np.allclose(dw, weight_gradient_oracle(x, dy), rtol=0, atol=1e-12)


def test_one_float64_argument_makes_the_result_float64():
    x, weights, bias, dy = layer(3, (5, 7), (8, 8))
    assert convolve(x, weights.astype(np.float64), bias, False).dtype == np.float64
    assert convolve_backward_data(dy.astype(np.float64), weights, x).dtype == np.float64
    assert convolve_backward_weights(x, dy.astype(np.float64)).dtype == np.float64
    assert convolve(x, weights, bias.astype(np.float64), False).dtype == np.float32  # x and weights decide


@pytest.mark.parametrize("channels", [(64, 64), (8, 24), (1, 64), (64, 1), (3, 5)])
def test_any_number_of_threads_gives_the_same_bytes(monkeypatch, channels):
    x, weights, bias, dy = layer(4, (77, 50), channels)
    seen = set()
    for threads in (1, 2, 3, 5):
        monkeypatch.setenv("REFIMPL_THREADS", str(threads))
        results = (
            convolve(x, weights, bias, True),
            convolve_backward_data(dy, weights, x),
            convolve_backward_weights(x, dy),
        )
        seen.add(b"".join(result.tobytes() for result in results))
    assert len(seen) == 1


@pytest.mark.parametrize("channels", [(64, 64), (1, 64), (64, 1)])
def test_a_cut_at_a_multiple_of_4_with_a_halo_gives_the_bytes_of_the_whole(channels):
    x, weights, bias, _ = layer(5, (64, 64), channels)
    whole = convolve(x, weights, bias, True)
    # The outermost ring of a cut sees zeros where the whole sees its neighbours; 4 pixels of halo keep it away.
    cut = convolve(x[12:50, 20:61], weights, bias, True)
    assert cut[4:-4, 4:-4].tobytes() == whole[16:46, 24:57].tobytes()


def test_inputs_are_not_changed_and_need_not_be_contiguous():
    for channels in [(8, 16), (1, 8), (8, 1), (3, 5)]:
        arrays = layer(6, (11, 9), channels)
        strided = [np.repeat(np.asfortranarray(a), 2, axis=0)[::2] for a in arrays]
        assert not strided[0].flags.c_contiguous
        kept = [a.copy() for a in strided]
        for one, other in zip(results_of(*arrays), results_of(*strided)):
            assert one.tobytes() == other.tobytes()
        assert all(np.array_equal(a, b) for a, b in zip(strided, kept))


def results_of(x, weights, bias, dy):
    return (
        convolve(x, weights, bias, True),
        convolve_backward_data(dy, weights, x),
        convolve_backward_weights(x, dy),
    )


def test_a_result_stays_as_it_is_when_the_next_call_reuses_the_work_memory():
    x, weights, bias, dy = layer(7, (40, 40), (64, 64))
    first = results_of(x, weights, bias, dy)
    kept = [a.copy() for a in first]
    results_of(2 * x, weights, bias, 3 * dy)
    results_of(*layer(8, (5, 7), (8, 24)))
    assert all(np.array_equal(a, b) for a, b in zip(first, kept))
    again = results_of(x, weights, bias, dy)
    assert all(a.tobytes() == b.tobytes() for a, b in zip(again, kept))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_no_value_that_the_definition_makes_nan_comes_out_finite(bad):
    for channels in [(8, 8), (1, 8), (8, 1), (3, 5)]:
        for place in [(0, 0), (3, 3), (5, 6), (9, 10)]:
            x, weights, bias, dy = layer(9, (10, 11), channels)
            x[place + (0,)] = bad
            touched = np.zeros((10, 11), bool)
            touched[max(place[0] - 1, 0) : place[0] + 2, max(place[1] - 1, 0) : place[1] + 2] = True
            y = convolve(x, weights, bias, False)
            assert not np.isfinite(y[touched]).any()
            # Winograd spoils at most the 4x4 tiles that read the value: none begins more than 4 pixels away.
            reach = 5 if channels == (8, 8) else 1
            rows, columns = np.abs(np.arange(10) - place[0]), np.abs(np.arange(11) - place[1])
            assert np.isfinite(y[(rows[:, None] > reach) | (columns > reach)]).all()
            assert not np.isfinite(convolve_backward_weights(x, dy)[1, 1, 0]).any()
            if np.isnan(bad):
                assert np.isnan(convolve(x, weights, bias, True)[touched]).all()  # ReLU must not turn NaN into 0


def test_nothing_flows_back_where_the_activation_is_zero_negative_or_nan():
    for channels in [(8, 8), (8, 1), (1, 8), (3, 5)]:
        x, weights, _, dy = layer(10, (6, 6), channels)
        x[0, 0, 0], x[1, 1, 0], x[2, 2, 0], x[3, 3, 0] = 0.0, -0.0, np.nan, 1e-40
        dx = convolve_backward_data(dy, weights, x)
        assert dx[0, 0, 0] == dx[1, 1, 0] == dx[2, 2, 0] == 0
        assert dx[3, 3, 0] != 0


def test_gradients_are_transposes_of_the_forward_operation():
    """<y(x, w), dy> is bilinear: it equals <x, dx> and <w, dw>, whatever the algorithm."""
    for channels in [(64, 64), (1, 64), (64, 1)]:
        x, weights, _, dy = layer(11, (33, 34), channels)
        forward = np.vdot(convolve(x, weights, None, False).astype(np.float64), dy)
        scale = np.linalg.norm(dy) * np.linalg.norm(convolve_oracle(x, weights))
        # Products of float32 arrays with relative rms errors below 4e-6 and random signs.
        assert abs(np.vdot(x, convolve_backward_data(dy, weights, None).astype(np.float64)) - forward) < 1e-6 * scale
        assert abs(np.vdot(weights, convolve_backward_weights(x, dy).astype(np.float64)) - forward) < 1e-6 * scale


def test_shapes_that_do_not_fit_are_refused():
    x, weights, bias, dy = layer(12, (4, 5), (8, 16))
    for call in (
        lambda: convolve(x[..., :4], weights, bias, True),
        lambda: convolve(x, weights, bias[:3], True),
        lambda: convolve(x[..., 0], weights, bias, True),
        lambda: convolve_backward_data(dy[..., :8], weights, None),
        lambda: convolve_backward_data(dy, weights, x[:3]),
        lambda: convolve_backward_weights(x, dy[:3]),
    ):
        with pytest.raises(ValueError):
            call()


def adam_oracle(parameters, gradients, rate, beta1, beta2, epsilon):
    """Kingma and Ba's averages written as sums over all gradients so far, without recursion, in float64."""
    path = [np.asarray(parameters, np.float64)]
    for t in range(1, len(gradients) + 1):
        g = np.asarray(gradients[:t], np.float64)
        ages = np.arange(t)[::-1, None]
        mean = ((1 - beta1) * beta1**ages * g).sum(0) / (1 - beta1**t)
        square = ((1 - beta2) * beta2**ages * g**2).sum(0) / (1 - beta2**t)
        path.append(path[-1] - rate * mean / (np.sqrt(square) + epsilon))
    return path


@pytest.mark.parametrize("dtype, limit", [(np.float64, 1e-14), (np.float32, 2e-7)])
def test_adam_follows_its_closed_form(dtype, limit):
    rng = np.random.default_rng(13)
    start = rng.standard_normal(37).astype(dtype)
    gradients = (rng.standard_normal((6, 37)) * 10.0 ** rng.integers(-6, 3, 37)).astype(dtype)
    parameters, first, second = start.copy(), np.zeros(37, dtype), np.zeros(37, dtype)
    kept = gradients.copy()
    for step, expected in enumerate(adam_oracle(start, gradients, 0.01, 0.9, 0.99, 1e-8)[1:], start=1):
        assert adam_step(parameters, gradients[step - 1], first, second, step, 0.01, 0.9, 0.99, 1e-8) is None
        # A parameter of order one is rounded once a step, and the step is 0.01: rounding units, times the steps so far.
        assert np.max(np.abs(parameters - expected)) < limit * step * 2
    assert np.array_equal(gradients, kept)


def test_the_first_adam_step_is_the_rate_against_the_sign_of_the_gradient():
    parameters, gradients = np.zeros(3), np.array([2.0, -3.0, 0.0])
    adam_step(parameters, gradients, np.zeros(3), np.zeros(3), 1, 0.5, 0.9, 0.999, 0.0 + 1e-300)
    assert np.allclose(parameters, [-0.5, 0.5, 0.0], rtol=1e-15)


def test_adam_refuses_arrays_that_do_not_belong_together():
    a, b = np.zeros(3), np.zeros(4)
    for arrays in ((a, b, a, a), (a, a.astype(np.float32), a, a)):
        with pytest.raises(ValueError):
            adam_step(*arrays, 1, 0.1, 0.9, 0.999, 1e-8)


@settings(max_examples=40, deadline=None)
@given(
    st.tuples(st.integers(1, 19), st.integers(1, 19)),
    st.sampled_from(WIDE[:4] + THIN[:2] + THIN[3:5]),
    st.sampled_from(["2", "4"]),
    st.sampled_from([1.0, 1e-42, 1e15]),
    st.integers(0, 99),
)
def test_layers_of_any_size_follow_the_definition(size, channels, tiles, magnitude, seed):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REFIMPL_WINOGRAD", tiles)
        x, weights, bias, dy = layer(1000 + seed, size, channels)
        x, dy = (a * np.float32(magnitude) for a in (x, dy))
        got = results_of(x, weights, bias * 0, dy)
    plain = np.maximum(convolve_oracle(x, weights), 0)
    dx = np.where(x > 0, data_gradient_oracle(dy, weights), 0)
    # Numbers near 1e-42 are multiples of the smallest one, 1.4e-45: each of the (at most 6 x 6 x 24) terms is rounded
    # to one, after products with entries of the matrices up to 8.
    floor = 2000 * 1.4e-45
    for one, expected in zip(got, (plain, dx)):
        limit = limit_of(channels) * np.sqrt(np.mean(expected**2)) * 3 + floor  # small samples scatter
        assert np.sqrt(np.mean((one - expected) ** 2)) <= limit
    if magnitude == 1.0:
        assert relative_rms(got[2], weight_gradient_oracle(x, dy)) < 3 * limit_of(channels)


@pytest.mark.parametrize("tiles, limits", [("2", (3.5e-7, 3.5e-7, 6e-7)), ("4", (2.5e-6, 2.5e-6, 2.5e-6))])
def test_small_tiles_are_as_exact_as_direct_convolution(monkeypatch, tiles, limits):
    """F(2x2, 3x3) has matrices of 0, 1 and 1/2 only: 2.6e-7, where F(4x4, 3x3) has 1.7e-6.

    The gradient of the weights adds up 900 tiles in float32, whatever the tiles: 4.7e-7.
    """
    monkeypatch.setenv("REFIMPL_WINOGRAD", tiles)
    x, weights, _, dy = layer(15, (61, 58), (64, 64))
    expected = convolve_oracle(x, weights), data_gradient_oracle(dy, weights), weight_gradient_oracle(x, dy)
    got = (
        convolve(x, weights, None, False),
        convolve_backward_data(dy, weights, None),
        convolve_backward_weights(x, dy),
    )
    errors = [relative_rms(one, two) for one, two in zip(got, expected)]
    assert all(error < limit for error, limit in zip(errors, limits)), errors
    assert tiles == "2" or min(errors) > 5e-7  # else the choice had no effect


@pytest.mark.parametrize("text", ["3", "6", "four", "-2", "2.0"])
def test_a_wrong_size_of_tiles_is_one_sentence(monkeypatch, text):
    monkeypatch.setenv("REFIMPL_WINOGRAD", text)
    x, weights, _, _ = layer(16, (4, 4), (8, 8))
    with pytest.raises(InputError, match="REFIMPL_WINOGRAD: .* expected 4 .* or 2 .*") as caught:
        convolve(x, weights, None, False)
    assert "\n" not in str(caught.value)
