"""The self-ensemble in strips: turns, windows, the median, and that the strips do not show in the result."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import refimpl.zssr.ensemble as module
from refimpl.twins import backend
from refimpl.zssr.augment import rotate_mirror, turned
from refimpl.zssr.back_projection import back_project
from refimpl.zssr.ensemble import STRIP_BYTES, ensemble, median, strip_height, turned_window
from refimpl.zssr.inference import infer
from refimpl.zssr.intensity import compress, expand
from refimpl.zssr.network import initialise
from refimpl.zssr.resize import upsample_valid
from refimpl.zssr.settings import UpscaleSettings

SMALL = UpscaleSettings(layers=3, channels=8, back_projection=2)


def some_map(rows=31, cols=23, transform="linear"):
    """A linear coarse image with a coast and a gap of whole rows, its mask, and the network's input."""
    rng = np.random.default_rng(1)
    valid = np.ones((rows, cols), bool)
    valid[:9, 13:], valid[17 : rows // 2 + 7] = False, False
    coarse = np.where(valid, rng.random((rows, cols)) ** 3, 0)
    return upsample_valid(compress(coarse, transform).astype(np.float32), valid), coarse, valid


def some_network(layers=3):
    network = initialise(np.random.default_rng(2), layers, 8)
    network.layers[-1].weights[...] *= 30                   # a residual as large as the image
    return network


@settings(max_examples=60, deadline=None)
@given(hnp.array_shapes(min_dims=2, max_dims=2, max_side=6), st.integers(0, 7), st.data())
def test_a_window_lies_in_the_turned_image_where_its_cells_do(shape, turn, data):
    top, left = data.draw(st.integers(0, shape[0])), data.draw(st.integers(0, shape[1]))
    bottom, right = data.draw(st.integers(top, shape[0])), data.draw(st.integers(left, shape[1]))
    image = np.arange(np.prod(shape)).reshape(shape)
    first, stop, begin, end = turned_window((top, bottom, left, right), shape, turn)
    assert np.array_equal(turned(image, turn)[first:stop, begin:end], turned(image[top:bottom, left:right], turn))
    assert np.shares_memory(turned(image, turn), image)


def everything_at_once(network, image, coarse, valid, options):
    """The eight outputs of the whole map, each corrected, and their median: the definition, without strips."""
    outputs, inside = [], np.kron(valid, np.ones((2, 2), bool))
    for turn in range(8):
        output = infer(network, rotate_mirror(image, turn), rotate_mirror(inside, turn))
        back = np.rot90(output[:, ::-1] if turn >= 4 else output, -(turn % 4))
        linear = expand(back.astype(float), options.transform)
        outputs.append(back_project(linear, coarse, valid, options.back_projection, options.downsampling))
    return np.median(outputs, axis=0)


@pytest.mark.parametrize("change", [
    {}, {"transform": "log"}, {"downsampling": "bicubic"}, {"back_projection": 0}, {"back_projection": 5},
])
def test_strips_of_any_height_give_the_bytes_of_the_whole_map(change):
    options = replace(SMALL, **change)
    network, arguments = some_network(), some_map(transform=options.transform)
    expected = everything_at_once(network, *arguments, options).tobytes()
    for height in (1, 2, 3, 7, 16, 30, 31, 100):
        assert ensemble(network, *arguments, options, height=height).tobytes() == expected


def test_without_the_ensemble_it_is_the_networks_output_as_it_is():
    (image, coarse, valid), network = some_map(), some_network()
    options = replace(SMALL, self_ensemble=False)
    expected = infer(network, image, np.kron(valid, np.ones((2, 2), bool))).astype(float).tobytes()
    for height in (1, 4, 31):
        assert ensemble(network, image, coarse, valid, options, height=height).tobytes() == expected


def test_the_plain_reference_gives_the_same_map_up_to_rounding():
    network, arguments = some_network(), some_map()
    found = ensemble(network, *arguments, SMALL, height=5)
    with backend("numpy"):
        expected = ensemble(network, *arguments, SMALL, height=9)
    assert np.abs(found - arguments[0]).max() > 0.3
    assert np.abs(found - expected).max() < 3e-6            # float32 sums of up to 72 products, three layers


def test_rows_pass_through_the_network_once_and_strips_without_a_valid_cell_not_at_all(monkeypatch):
    (image, coarse, valid), network, windows = some_map(), some_network(), []

    def recording(network, image, valid, window, progress):
        windows.append(window)
        return infer(network, image, valid, window, progress)

    monkeypatch.setattr(module, "infer", recording)
    ensemble(network, image, coarse, valid, SMALL, height=4)
    first_turn = [window[:2] for window in windows[::8]]
    # Rows 17 to 21 are empty: the strip 16-19 has a valid row, 20-23 too; two iterations reach 4 rows further.
    assert first_turn == [(0, 16), (16, 24), (24, 32), (32, 40), (40, 48), (48, 56), (56, 62)]
    windows.clear()
    valid[8:24] = False
    ensemble(network, np.where(np.kron(valid, np.ones((2, 2))), image, 0), coarse, valid, SMALL, height=4)
    assert [window[:2] for window in windows[::8]] == [(0, 16), (16, 24), (40, 62)]


def test_memory_beyond_the_result_does_not_grow_with_the_rows():
    peaks, network = [], some_network()
    for rows in (64, 512):
        rng = np.random.default_rng(3)
        coarse, valid = rng.random((rows, 96)), np.ones((rows, 96), bool)
        image = upsample_valid(coarse.astype(np.float32), valid)
        ensemble(network, image[:16], coarse[:8], valid[:8], SMALL)                 # compiles
        tracemalloc.start()
        fine = ensemble(network, image, coarse, valid, SMALL, height=8)
        peaks.append(tracemalloc.get_traced_memory()[1] - fine.nbytes - image.size)  # the result, and its mask
        tracemalloc.stop()
    # A hundred bytes for each call that Python has not yet cleared away; eight whole outputs would be 20 times more.
    assert peaks[1] < 1.25 * peaks[0]


def test_the_outputs_of_a_strip_fit_in_the_memory_they_may_take():
    for columns in (2, 1960, 10_000, 80_000):
        assert STRIP_BYTES * 0.8 < strip_height(columns, 8) * 2 * columns * 8 * 8 <= STRIP_BYTES
    assert strip_height(10**9, 8) == 1


def test_progress_runs_from_0_to_1_and_never_backwards():
    class Recorder:
        seen = []

        def update(self, fraction, note=""):
            self.seen.append(fraction)

    ensemble(some_network(), *some_map(), SMALL, Recorder(), height=8)
    assert Recorder.seen == sorted(Recorder.seen) and 0 < Recorder.seen[0] and abs(Recorder.seen[-1] - 1) < 1e-12


@settings(max_examples=100, deadline=None)
@given(hnp.arrays(np.float64, st.tuples(st.sampled_from([1, 2, 3, 8, 8, 8]), st.integers(1, 4), st.integers(1, 9)),
                  elements=st.floats(-5, 5) | st.sampled_from([0.0, 1.0, 5e-324])))
def test_the_median_lies_between_the_middle_two(images):
    # Rank by rank, in Python.
    expected = np.empty(images.shape[1:])
    for place in np.ndindex(expected.shape):
        ranked = sorted(images[:, *place].tolist())
        expected[place] = (ranked[(len(ranked) - 1) // 2] + ranked[len(ranked) // 2]) / 2
    for kind in (np.float64, np.float32):
        for name in ("numpy", "numba"):
            with backend(name):
                found = median(images.astype(kind))
            # Exact in float64; the float32 numbers are rounded before, and their mean once more.
            assert np.abs(found - expected).max() <= (0 if kind is np.float64 else 1e-6) and found.dtype == kind


def test_every_order_of_eight_ranks_is_sorted_right():
    # A network of comparisons is right if it is right for all zeros and ones (Knuth, volume 3, section 5.3.4).
    bits = np.array([[n >> k & 1 for n in range(256)] for k in range(8)], float).reshape(8, 16, 16)
    ones = bits.sum(axis=0)
    assert np.array_equal(median(bits), np.where(ones < 4, 0, np.where(ones > 4, 1, 0.5)))
