"""Inference piece by piece: the pieces do not show, invalid cells cost nothing, memory stays what it is."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kernels.inference as kernel
import refimpl.windows.inference as reference
from refimpl.method.network import forward, initialise
from refimpl.twins import backend
from refimpl.windows.inference import halo, infer


def some_network(depth=8, channels=8, bias=True, dtype=np.float32):
    rng = np.random.default_rng([depth, channels])
    network = initialise(rng, depth, channels, bias, dtype=dtype)
    network.parameters[:] += (0.02 * rng.standard_normal(network.parameters.size)).astype(dtype)
    return network


def some_image(shape, dtype=np.float32):
    return np.random.default_rng(list(shape)).random(shape).astype(dtype)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_pieces_and_windows_have_the_bytes_of_the_whole(data):
    shape = data.draw(st.tuples(st.integers(1, 90), st.integers(1, 90)))
    depth, piece = data.draw(st.integers(2, 9)), data.draw(st.sampled_from([4, 8, 20, 32, 512]))
    tiles = data.draw(st.sampled_from(["4", "4", "2"]))
    top, left = data.draw(st.integers(0, shape[0])), data.draw(st.integers(0, shape[1]))
    window = top, data.draw(st.integers(top, shape[0])), left, data.draw(st.integers(left, shape[1]))
    network, image = some_network(depth), some_image(shape)
    valid = np.random.default_rng(data.draw(st.integers(0, 9))).random(shape) < data.draw(
        st.sampled_from([0.0, 0.005, 0.5, 1.0])
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REFIMPL_WINOGRAD", tiles)
        patch.setattr(kernel, "PIECE", piece)
        expected = np.where(valid, forward(network, image), np.float32(0))
        got = infer(network, image, valid, window)
    assert got.dtype == np.float32
    assert got.tobytes() == np.ascontiguousarray(expected[window[0] : window[1], window[2] : window[3]]).tobytes()


@pytest.mark.parametrize("depth", [2, 3, 4, 5, 8])
def test_a_cell_depends_on_as_many_cells_as_the_halo_says_and_not_on_one_less(depth):
    # Cuts at multiples of 4, as tiles demand; the output next to them is far enough, or one cell too near.
    network, image = some_network(depth), some_image((96, 92))
    whole = forward(network, image)
    near, enough = set(), set()
    for start in range(4, 24, 4):
        for beyond in range(4):
            for short in (0, 1):
                stop = 96 - start
                first = start + halo(depth) - short + beyond
                last = stop - halo(depth) + short - beyond
                cut = forward(network, image[start:stop])[first - start : last - start]
                (near if short and not beyond else enough).add(cut.tobytes() == whole[first:last].tobytes())
    assert enough == {True} and near == {False}


def test_the_default_network_on_several_pieces_gives_the_bytes_of_the_whole(monkeypatch):
    monkeypatch.setattr(kernel, "PIECE", 64)
    network, image = some_network(8, 64), some_image((150, 131))
    whole = forward(network, image)
    assert infer(network, image, image >= 0).tobytes() == whole.tobytes()


def test_the_result_is_that_of_float64_by_the_definition():
    network, image = some_network(8, 16), some_image((70, 60))
    with backend("numpy"):
        expected = forward(network.like(network.parameters.astype(np.float64)), image.astype(np.float64))
    # Eight layers, each with a relative error of some 1e-6 of values of order 1.
    assert np.abs(infer(network, image, image >= 0) - expected).max() < 1e-5


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_reference_computes_the_same_piece_by_piece(monkeypatch, dtype):
    network, image = some_network(5, 8, dtype=dtype), some_image((41, 30), dtype)
    valid = some_image((30, 41)).T > 0.4
    monkeypatch.setattr(reference, "PIECE", 16)
    with backend("numpy"):
        whole = np.where(valid, forward(network, image), 0)
        for window in (None, (3, 37, 11, 30), (0, 1, 0, 1), (5, 5, 2, 9)):
            top, bottom, left, right = window or (0, 41, 0, 30)
            got = infer(network, image, valid, window)
            assert got.dtype == dtype and got.shape == (bottom - top, right - left)
            # NumPy's products of other shapes may add in another order.
            assert np.allclose(got, whole[top:bottom, left:right], rtol=0, atol=1e-5 if dtype == np.float32 else 1e-13)


@pytest.mark.parametrize("chosen", ["numba", "numpy"])
def test_pieces_without_a_valid_cell_are_not_computed(monkeypatch, chosen):
    monkeypatch.setattr(kernel, "PIECE", 16)
    monkeypatch.setattr(reference, "PIECE", 16)
    seen = []
    run, plain = kernel.run_sweep, reference._forward_around
    monkeypatch.setattr(kernel, "run_sweep", lambda *a: seen.append(a) or run(*a))
    monkeypatch.setattr(reference, "_forward_around", lambda *a: seen.append(a) or plain(*a))
    network, image = some_network(3), some_image((64, 64))
    valid = np.zeros((64, 64), bool)
    valid[20, 40] = valid[50:60, 3] = True
    with backend(chosen):
        output = infer(network, image, valid)
        assert len(seen) == 2 and np.count_nonzero(output) == 11
        assert np.allclose(output, np.where(valid, forward(network, image), 0), rtol=0, atol=1e-6)


def test_what_invalid_cells_hold_reaches_their_neighbours_but_not_the_output():
    network, image = some_network(4), some_image((20, 20))
    valid = np.ones((20, 20), bool)
    valid[10, 10] = False
    image[10, 10] = 7
    output = infer(network, image, valid)
    assert output[10, 10] == 0 and np.array_equal(output[valid], forward(network, image)[valid])


@pytest.mark.parametrize("chosen", ["numba", "numpy"])
def test_progress_rises_to_one(monkeypatch, chosen):
    monkeypatch.setattr(kernel, "PIECE", 16)
    monkeypatch.setattr(reference, "PIECE", 16)
    heard = []
    listener = type("Listener", (), {"update": lambda self, share, note="": heard.append(share)})()
    with backend(chosen):
        infer(some_network(3), some_image((40, 30)), np.ones((40, 30), bool), progress=listener)
    assert heard == sorted(heard) and heard[-1] == 1 and len(heard) >= 3


@pytest.mark.parametrize("chosen", ["numba", "numpy"])
def test_windows_and_masks_that_do_not_fit_are_refused(chosen):
    network, image = some_network(3), some_image((9, 8))
    with backend(chosen):
        for valid, window in (((8, 8), None), ((9, 8), (0, 10, 0, 8)), ((9, 8), (4, 3, 0, 8)), ((9, 8), (0, 9, -1, 8))):
            with pytest.raises(ValueError, match="expected a window inside"):
                infer(network, image, np.ones(valid, bool), window)


def test_any_number_of_threads_gives_the_same_bytes(monkeypatch):
    network, image = some_network(8, 16), some_image((90, 100))
    monkeypatch.setattr(kernel, "PIECE", 64)
    seen = set()
    for threads in ("1", "2", "3", "8"):
        monkeypatch.setenv("REFIMPL_THREADS", threads)
        seen.add(infer(network, image, image > 0.2).tobytes())
    assert len(seen) == 1


def test_memory_does_not_grow_with_the_image(monkeypatch):
    monkeypatch.setattr(kernel, "PIECE", 64)
    network, peaks = some_network(4, 8), []
    for side in (128, 512):
        image = some_image((side, side))
        valid = np.ones(image.shape, bool)
        infer(network, image, valid)
        tracemalloc.start()
        infer(network, image, valid)
        peaks.append(tracemalloc.get_traced_memory()[1] - 4 * side**2)  # less the output
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0] + 50_000
