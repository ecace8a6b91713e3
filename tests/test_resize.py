"""Resizing (D16): taps by hand, polynomials that Keys's kernel reproduces, and masks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from refimpl.zssr.augment import rotate_mirror
from refimpl.zssr.resize import (
    bicubic_taps,
    downsample,
    downsample_mean,
    downsample_mean_valid,
    resize_bicubic,
    resize_valid,
    upsample,
    upsample_valid,
)

MASKS = hnp.arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9)))


def test_taps_for_shrinking_by_two_are_those_worked_out_by_hand():
    indices, weights = bicubic_taps(32, 16)
    half = [-0.01171875, -0.03515625, 0.11328125, 0.43359375]
    assert weights[8].tolist() == half + half[::-1]
    assert indices[8].tolist() == [13, 14, 15, 16, 17, 18, 19, 20]      # centred between cells 16 and 17


def test_taps_for_doubling_are_those_worked_out_by_hand():
    # Keys, a = -0.5, at 0.25, 0.75, 1.25, 1.75: 0.8671875, 0.2265625, -0.0703125, -0.0234375.
    indices, weights = bicubic_taps(8, 16)
    nonzero = {int(i): float(w) for i, w in zip(indices[9], weights[9]) if w}
    assert nonzero == {3: -0.0703125, 4: 0.8671875, 5: 0.2265625, 6: -0.0234375}    # centre of cell 9 is at 4.25
    nonzero = {int(i): float(w) for i, w in zip(indices[8], weights[8]) if w}
    assert nonzero == {2: -0.0234375, 3: 0.2265625, 4: 0.8671875, 5: -0.0703125}    # and of cell 8 at 3.75


def test_the_image_is_mirrored_about_its_edge_not_about_its_first_cell():
    indices, _ = bicubic_taps(16, 8)
    assert indices[0].tolist() == [2, 1, 0, 0, 1, 2, 3, 4]
    assert indices[7].tolist() == [11, 12, 13, 14, 15, 15, 14, 13]


def test_an_axis_shorter_than_the_kernel_is_mirrored_again_and_again():
    assert resize_bicubic(np.array([[5.0]]), (2, 2)).tolist() == [[5.0, 5.0], [5.0, 5.0]]
    assert set(bicubic_taps(2, 1)[0][0]) == {0, 1}


@pytest.mark.parametrize("n_out", [5, 9, 10, 16, 18, 20, 31, 40])
def test_a_constant_image_stays_constant_at_every_size(n_out):
    resized = resize_bicubic(np.full((20, 13), 7.0), (n_out, n_out))
    assert np.abs(resized - 7).max() < 1e-14 * 7 * 10        # a few roundings in a sum of up to 18 x 18 products


@pytest.mark.parametrize("n_out", [40, 60, 17])
def test_enlarging_reproduces_a_quadratic_inside(n_out):
    # Keys 1981: a = -0.5 is exact for polynomials of degree two; an error of half a cell would shift it.
    n_in = 16
    centres = (np.arange(n_out) + 0.5) * n_in / n_out
    cells = np.arange(n_in) + 0.5
    inside = (centres > 3) & (centres < n_in - 3)
    resized = resize_bicubic(np.repeat((cells**2)[None], 16, 0), (16, n_out))
    assert np.abs(resized[8, inside] - centres[inside] ** 2).max() < 1e-11      # values up to 169, rounding only
    resized = resize_bicubic(np.repeat((cells**2)[:, None], 16, 1), (n_out, 16))
    assert np.abs(resized[inside, 8] - centres[inside] ** 2).max() < 1e-11


def test_shrinking_suppresses_a_pattern_that_the_coarse_grid_cannot_hold():
    checkers = np.indices((32, 32)).sum(axis=0) % 2 - 0.5
    inside = resize_bicubic(checkers, (16, 16))[2:-2, 2:-2]
    assert np.abs(inside).max() < 1e-15                     # symmetric taps cancel


def test_resizing_is_one_matrix_for_each_axis():
    rng = np.random.default_rng(1)
    image = rng.normal(size=(12, 20))

    def matrix(n_in, n_out):
        dense = np.zeros((n_out, n_in))
        for row, (indices, weights) in enumerate(zip(*bicubic_taps(n_in, n_out))):
            np.add.at(dense[row], indices, weights)
        return dense

    expected = matrix(12, 7) @ image @ matrix(20, 33).T
    assert np.abs(resize_bicubic(image, (7, 33)) - expected).max() < 1e-14 * 10     # other order of summation


@pytest.mark.parametrize("turn", range(8))
def test_doubling_and_halving_do_not_prefer_a_direction(turn):
    image = np.random.default_rng(2).normal(size=(10, 14))
    for resize in (upsample, downsample_mean, lambda i: resize_bicubic(i, (i.shape[0] // 2, i.shape[1] // 2))):
        difference = resize(rotate_mirror(image, turn)) - rotate_mirror(resize(image), turn)
        assert np.abs(difference).max() < 1e-14     # rounding of values of order 1


def test_mean_of_blocks_by_hand_with_an_odd_last_row_and_column():
    image = np.array([[1.0, 2.0, 3.0], [5.0, 6.0, 5.0], [7.0, 9.0, 2.0]])
    assert downsample_mean(image).tolist() == [[3.5, 4.0], [8.0, 2.0]]


def test_mean_over_valid_cells_leaves_the_others_out():
    image = np.array([[1.0, 100.0, 3.0, 5.0], [3.0, 100.0, 100.0, 100.0]])
    valid = np.array([[True, False, True, True], [True, False, False, False]])
    values, inside = downsample_mean_valid(image, valid)
    assert values.tolist() == [[2.0, 4.0]] and inside.tolist() == [[True, True]]
    values, inside = downsample_mean_valid(image[:, 2:3], valid[:, 2:3])        # a single valid cell is enough
    assert values.tolist() == [[3.0]] and inside.tolist() == [[True]]
    values, inside = downsample_mean_valid(image[:, 1:2], valid[:, 1:2])
    assert values.tolist() == [[0.0]] and inside.tolist() == [[False]]


@settings(max_examples=60, deadline=None)
@given(MASKS)
def test_doubling_with_a_mask_fills_the_children_of_valid_cells_and_no_others(valid):
    fine = upsample_valid(np.full(valid.shape, 3.0), valid)
    children = valid.repeat(2, 0).repeat(2, 1)
    assert np.array_equal(fine != 0, children)
    assert np.abs(fine[children] - 3).max(initial=0) < 1e-13    # a constant map stays constant up to its coast


@pytest.mark.parametrize("kind", ["mean", "bicubic"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_invalid_cells_hold_never_matters_and_the_dtype_stays(kind, dtype):
    rng = np.random.default_rng(3)
    image, valid = rng.random((12, 10)).astype(dtype), rng.random((12, 10)) < 0.6
    other = np.where(valid, image, dtype(1e30))
    for resize in (lambda i: downsample(i, valid, kind)[0], lambda i: upsample_valid(i, valid)):
        assert resize(image).dtype == dtype
        assert np.array_equal(resize(image), resize(other))
    assert downsample(image, np.ones_like(valid), kind)[0].dtype == upsample(image).dtype == dtype


def test_a_cell_cut_exactly_in_half_is_valid():
    valid = np.zeros((8, 16), bool)
    valid[:, :7] = True                                     # the edge runs through the middle of coarse column 3
    for dtype in (np.float32, np.float64):
        assert resize_valid(np.ones((8, 16), dtype), valid, (4, 8))[1][0].tolist() == [True] * 4 + [False] * 4
