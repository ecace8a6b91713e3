"""The self-ensemble of a part of the map: turns, windows, the median, and that the part does not show in the result."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from refimpl.method.back_projection import back_project
from refimpl.method.image_range import compress, expand
from refimpl.method.network import initialise
from refimpl.method.resize import upsample_valid
from refimpl.method.settings import UpscaleSettings
from refimpl.method.super_resolution import median
from refimpl.method.training_pairs import rotate_mirror, turned
from refimpl.twins import backend
from refimpl.windows.ensemble import ensemble, turned_window
from refimpl.windows.inference import infer
from refimpl.windows.reach import Cut, reach

SMALL = UpscaleSettings(layers=3, channels=8, back_projection=2)


WINDOWS = ((0, 31, 0, 23), (0, 1, 0, 1), (30, 31, 22, 23), (5, 6, 3, 20), (9, 24, 4, 5), (14, 29, 11, 23))


def some_map(rows=31, cols=23):
    """A linear coarse image with a coast and a gap of whole rows, and its mask."""
    rng = np.random.default_rng(1)
    valid = np.ones((rows, cols), bool)
    valid[:9, 13:], valid[17 : rows // 2 + 7] = False, False
    coarse = np.where(valid, rng.random((rows, cols)) ** 3, 0)
    return coarse, valid


def part(network, coarse, valid, options, window, progress=None):
    """The ensemble of a window, from as much of the map as it is said to need."""
    whole = Cut(coarse, valid, (0, coarse.shape[0], 0, coarse.shape[1]), coarse.shape)
    far = reach(options, network.depth)
    return ensemble(network, whole.around(window, far.within + far.network), window, options, progress)


def children_of(window):
    return np.s_[2 * window[0] : 2 * window[1], 2 * window[2] : 2 * window[3]]


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


def everything_at_once(network, coarse, valid, options):
    """The eight outputs of the whole map, each corrected, and their median: the definition, without parts."""
    outputs, inside = [], np.kron(valid, np.ones((2, 2), bool))
    image = upsample_valid(compress(coarse, options.transform).astype(np.float32), valid)
    for turn in range(8):
        output = infer(network, rotate_mirror(image, turn), rotate_mirror(inside, turn))
        back = np.rot90(output[:, ::-1] if turn >= 4 else output, -(turn % 4))
        linear = expand(back.astype(float), options.transform)
        outputs.append(back_project(linear, coarse, valid, options.back_projection, options.downsampling))
    return np.median(outputs, axis=0)


@pytest.mark.parametrize("change", [
    {}, {"transform": "log"}, {"downsampling": "bicubic"}, {"back_projection": 0}, {"back_projection": 5},
])
def test_any_part_has_the_bytes_of_the_whole_map(change):
    options = replace(SMALL, **change)
    network, (coarse, valid) = some_network(), some_map()
    expected = everything_at_once(network, coarse, valid, options)
    for window in WINDOWS:
        found = part(network, coarse, valid, options, window)
        assert found.tobytes() == np.ascontiguousarray(expected[children_of(window)]).tobytes()


def test_without_the_ensemble_it_is_the_networks_output_as_it_is():
    (coarse, valid), network = some_map(), some_network()
    image = upsample_valid(coarse.astype(np.float32), valid)
    expected = infer(network, image, np.kron(valid, np.ones((2, 2), bool))).astype(float)
    for window in WINDOWS:
        found = part(network, coarse, valid, replace(SMALL, self_ensemble=False), window)
        assert found.tobytes() == np.ascontiguousarray(expected[children_of(window)]).tobytes()


def test_the_plain_reference_gives_the_same_map_up_to_rounding():
    network, (coarse, valid) = some_network(), some_map()
    found = part(network, coarse, valid, SMALL, WINDOWS[0])
    with backend("numpy"):
        expected = everything_at_once(network, coarse, valid, SMALL)
        for window in WINDOWS:
            plain = part(network, coarse, valid, SMALL, window)
            assert np.abs(plain - expected[children_of(window)]).max() < 3e-6
    image = upsample_valid(coarse, valid)
    assert np.abs(found - image).max() > 0.3
    assert np.abs(found - expected).max() < 3e-6            # float32 sums of up to 72 products, three layers


def test_progress_runs_from_0_to_1_and_never_backwards():
    class Recorder:
        seen = []

        def update(self, fraction, note=""):
            self.seen.append(fraction)

    part(some_network(), *some_map(), SMALL, WINDOWS[0], Recorder())
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
