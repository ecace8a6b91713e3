"""Resizing (D16): taps by hand, polynomials that Keys's kernel reproduces, masks, and kernels byte for byte."""

import os
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import kernels.resize
from refimpl.method.resize import (
    bicubic_taps,
    downsample,
    downsample_mean_valid,
    resize_bicubic,
    resize_valid,
    upsample_valid,
)
from refimpl.method.training_pairs import rotate_mirror
from refimpl.twins import backend

MASKS = hnp.arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9)))


@contextmanager
def small_parts():
    """Kernels cut their work into many small parts, as they do with large images."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels.resize, "RESIZE_PART_CELLS", 24)
        patch.setattr(kernels.resize, "RESIZE_PART_COLUMNS", 8)
        kernels.resize._axis.cache_clear()
        yield
    kernels.resize._axis.cache_clear()


def keys_by_definition(distance):
    """Keys 1981, equation 15, with a = -1/2."""
    d = abs(distance)
    if d < 1:
        return 1.5 * d**3 - 2.5 * d**2 + 1
    return -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2 if d < 2 else 0.0


def matrix_by_definition(n_in, n_out):
    """(n_out, n_in): how much of each cell is in each cell of the result, the image mirrored on and on at its edges."""
    matrix, scale = np.zeros((n_out, n_in)), n_in / n_out
    for o in range(n_out):
        centre, stretch = (o + 0.5) * scale, max(scale, 1.0)
        reach = range(int(centre - 2 * stretch) - 2, int(centre + 2 * stretch) + 3)
        weights = {i: keys_by_definition((i + 0.5 - centre) / stretch) for i in reach}
        for i, weight in weights.items():
            while not 0 <= i < n_in:
                i = -1 - i if i < 0 else 2 * n_in - 1 - i
            matrix[o, i] += weight / sum(weights.values())
    return matrix


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
    for resize in (doubled, mean_of_blocks, lambda i: resize_bicubic(i, (i.shape[0] // 2, i.shape[1] // 2))):
        difference = resize(rotate_mirror(image, turn)) - rotate_mirror(resize(image), turn)
        assert np.abs(difference).max() < 1e-14     # rounding of values of order 1


def test_mean_of_blocks_by_hand_with_an_odd_last_row_and_column():
    image = np.array([[1.0, 2.0, 3.0], [5.0, 6.0, 5.0], [7.0, 9.0, 2.0]])
    assert mean_of_blocks(image).tolist() == [[3.5, 4.0], [8.0, 2.0]]


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
    assert downsample(image, np.ones_like(valid), kind)[0].dtype == doubled(image).dtype == dtype


def test_a_cell_cut_exactly_in_half_is_valid():
    valid = np.zeros((8, 16), bool)
    valid[:, :7] = True                                     # the edge runs through the middle of coarse column 3
    for dtype in (np.float32, np.float64):
        assert resize_valid(np.ones((8, 16), dtype), valid, (4, 8))[1][0].tolist() == [True] * 4 + [False] * 4


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_cell_cut_exactly_in_half_is_valid_at_every_scale_whatever_the_rounding(dtype):
    for n_in in range(2, 40, 2):                            # the edge runs through the middle of the middle cell
        valid = np.arange(n_in) < n_in // 2
        for n_out in range(1, 40, 2):
            middle = resize_valid(np.ones((n_in, n_in), dtype), np.tile(valid, (n_in, 1)), (n_out, n_out))[1]
            assert middle[:, n_out // 2].all()


SIDES = st.integers(1, 13)


@st.composite
def resizings(draw):
    """An image, its mask and a shape: any, doubled or halved along each axis; float32 or float64."""
    old, new = [], []
    for _ in range(2):
        side, way = draw(SIDES), draw(st.sampled_from(["any", "double", "halve"]))
        old.append(2 * side if way == "halve" else side)
        new.append({"any": draw(SIDES), "double": 2 * side, "halve": side}[way])
    width = draw(st.sampled_from([32, 64]))
    numbers = st.floats(-4, 4, width=width, allow_subnormal=True)
    tiny = float(np.nextafter(np.zeros(1, f"f{width // 8}"), 1)[0])
    image = draw(hnp.arrays(f"f{width // 8}", old, elements=numbers | st.sampled_from([0.0, -0.0, tiny, -5 * tiny])))
    mask = draw(hnp.arrays(bool, old) | st.sampled_from([np.zeros(old, bool), np.ones(old, bool)]))
    return image, mask, tuple(new)


def doubled(image):
    return resize_bicubic(image, (2 * image.shape[0], 2 * image.shape[1]))


def mean_of_blocks(image):
    return downsample_mean_valid(image, np.ones(image.shape, bool))[0]


def both(function, *arguments):
    with backend("numpy"):
        expected = function(*arguments)
    with backend("numba"):
        return function(*arguments), expected


@settings(max_examples=150, deadline=None)
@given(resizings())
def test_resizing_is_the_sum_that_the_definition_says(case):
    image, valid, shape = case
    rows, cols = (matrix_by_definition(*n) for n in zip(image.shape, shape))
    expected = rows @ np.where(valid, image, 0).astype(float) @ cols.T
    share = rows @ valid.astype(float) @ cols.T
    eps = np.finfo(image.dtype).eps
    for name in ("numpy", "numba"):
        with backend(name):
            plain, (values, enough) = resize_bicubic(image, shape), resize_valid(image, valid, shape)
        # Some 60 taps an axis at most (13 cells to 1), absolute weights that add up to 1.3, each product rounded.
        assert np.abs(plain - rows @ image.astype(float) @ cols.T).max() < 60 * eps * 4
        sure = np.abs(share - 0.5) > 2e-6                   # half a share is valid up to 1e-6, and rounding
        assert np.array_equal(enough[sure], share[sure] > 0.5)
        quotient = expected / np.where(share > 0.4, share, 1)
        assert np.abs(values - quotient)[enough].max(initial=0) < 200 * eps * 4
        assert not values[~enough].any() and plain.dtype == values.dtype == image.dtype


@settings(max_examples=200, deadline=None)
@given(resizings())
def test_the_kernels_give_the_bytes_of_the_reference(case):
    image, valid, shape = case
    with small_parts():
        results = [both(resize_valid, image, valid, shape), both(downsample_mean_valid, image, valid)]
        results += [[(answer,) for answer in both(resize_bicubic, image, shape)]]
    for found, expected in results:
        for one, other in zip(found, expected, strict=True):
            assert one.tobytes() == other.tobytes() and one.dtype == other.dtype and one.shape == other.shape


@settings(max_examples=50, deadline=None)
@given(resizings())
def test_the_mean_of_blocks_is_the_mean_of_their_valid_cells(case):
    image, valid, _ = case
    values, some = downsample_mean_valid(image, valid)
    for row, col in np.ndindex(values.shape):
        block = np.s_[2 * row : 2 * row + 2, 2 * col : 2 * col + 2]
        cells = image[block][valid[block]].astype(float)
        assert some[row, col] == (cells.size > 0)
        # Three additions and a division, of numbers up to 4; a denormal sum is exact.
        assert abs(values[row, col] - (cells.mean() if cells.size else 0)) <= 16 * np.finfo(image.dtype).eps


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_any_number_of_threads_gives_the_same_bytes(monkeypatch, dtype):
    rng = np.random.default_rng(4)
    image, valid, answers = rng.random((46, 62)).astype(dtype), rng.random((46, 62)) < 0.7, set()
    for threads in "1238":
        monkeypatch.setenv("REFIMPL_THREADS", threads)
        with small_parts():
            results = [downsample_mean_valid(image, valid)]
            for shape in ((92, 124), (23, 31), (41, 56)):
                results += [(resize_bicubic(image, shape),), resize_valid(image, valid, shape)]
        answers.add(b"".join(array.tobytes() for result in results for array in result))
    assert len(answers) == 1


def test_images_larger_than_a_part_come_out_whole():
    # More than 2^18 cells and 4,096 columns, in both directions, at the sizes that the kernels really use.
    image = np.random.default_rng(5).random((70, 9001)).astype(np.float32)
    valid = np.random.default_rng(6).random(image.shape) < 0.7
    for shape in ((140, 18002), (35, 4501), (63, 8101)):
        for one, other in zip(*both(resize_valid, image, valid, shape)):
            assert one.tobytes() == other.tobytes()
    for turned in (image, image.T):
        found, expected = both(resize_bicubic, turned, (2 * turned.shape[0], 2 * turned.shape[1]))
        assert found.tobytes() == expected.tobytes()


def test_invalid_cells_may_hold_anything_and_an_image_need_not_be_contiguous():
    rng = np.random.default_rng(7)
    image, valid = rng.random((10, 12)), rng.random((10, 12)) < 0.6
    for fill in (np.nan, np.inf, 1e300):
        holed = np.where(valid, image, fill)[::-1].T
        for found, expected in zip(resize_valid(holed, valid[::-1].T, (24, 20)),
                                   resize_valid(np.where(valid, image, 0)[::-1].T, valid[::-1].T, (24, 20))):
            assert np.array_equal(found, expected)
        assert np.isfinite(downsample_mean_valid(holed, valid[::-1].T)[0]).all()


def test_masks_of_another_shape_are_refused():
    image, valid = np.ones((3, 4)), np.ones((4, 3), bool)
    for call in (lambda: resize_valid(image, valid, (6, 8)), lambda: downsample_mean_valid(image, valid)):
        with backend("numba"), pytest.raises(ValueError, match=r"expected valid of shape \(3, 4\), got \(4, 3\)"):
            call()


def test_the_kernels_work_without_compilation():
    program = (
        "import numpy as np; from refimpl.method.resize import *; from refimpl.twins import backend\n"
        "from refimpl.method.back_projection import back_project\n"
        "def answers():\n"
        "    rng = np.random.default_rng(1); image, valid = rng.random((8, 10)), rng.random((8, 10)) < 0.6\n"
        "    found = [resize_bicubic(image, s) for s in ((16, 20), (4, 5), (7, 9))] + [back_project(\n"
        "        rng.random((16, 20)), image, valid, 2)]\n"
        "    return found + [*resize_valid(image, valid, (16, 20)), *downsample_mean_valid(image, valid)]\n"
        "found = answers()\n"
        "with backend('numpy'): expected = answers()\n"
        "assert all(a.tobytes() == b.tobytes() for a, b in zip(found, expected))"
    )
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "REFIMPL_BACKEND": "numba"}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)
