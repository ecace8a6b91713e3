"""Back-projection (D17) against matrices written from its definition, and the kernels byte for byte."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from refimpl.method.back_projection import add_upsampled, back_project, children, coarse_difference
from refimpl.twins import backend
from refimpl.windows.reach import cells_around
from tests.test_resize import both, matrix_by_definition, small_parts

SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9))


@st.composite
def maps(draw):
    """A fine image, a coarse one and a mask, float32 or float64."""
    shape, width = draw(SHAPES), draw(st.sampled_from([32, 64]))
    numbers = st.floats(-4, 4, width=width, allow_subnormal=True)
    coarse = draw(hnp.arrays(f"f{width // 8}", shape, elements=numbers))
    fine = draw(hnp.arrays(f"f{width // 8}", (2 * shape[0], 2 * shape[1]), elements=numbers))
    return fine, coarse, draw(hnp.arrays(bool, shape) | st.sampled_from([np.zeros(shape, bool), np.ones(shape, bool)]))


def by_definition(fine, coarse, valid, iterations):
    """fine += upsample(coarse - mean of children), 0 at invalid cells, as matrices in float64."""
    rows, cols = (matrix_by_definition(n, 2 * n) for n in coarse.shape)
    inside = np.kron(valid, np.ones((2, 2), bool))
    fine = np.where(inside, fine, 0).astype(float)
    for _ in range(iterations):
        means = fine.reshape(valid.shape[0], 2, valid.shape[1], 2).mean(axis=(1, 3))
        fine = np.where(inside, fine + rows @ np.where(valid, coarse - means, 0) @ cols.T, 0)
    return fine


@settings(max_examples=80, deadline=None)
@given(maps(), st.integers(0, 3))
def test_back_projection_is_what_its_definition_says(case, iterations):
    fine, coarse, valid = case
    expected = by_definition(fine, coarse, valid, iterations)
    for name in ("numpy", "numba"):
        with backend(name):
            found = back_project(fine, coarse, valid, iterations)
        # Each iteration rounds a few dozen times, numbers up to some 10.
        assert np.abs(found - expected).max() <= 300 * np.finfo(fine.dtype).eps and found.dtype == fine.dtype


@settings(max_examples=100, deadline=None)
@given(maps())
def test_the_kernels_give_the_bytes_of_the_reference(case):
    fine, coarse, valid = case

    def added():
        changed = fine.copy()
        add_upsampled(changed, coarse, valid)
        return changed

    with small_parts():
        results = [both(coarse_difference, fine, coarse, valid), both(added)]
        results.append(both(back_project, fine, coarse, valid, 2, "bicubic"))
    for found, expected in results:
        assert found.tobytes() == expected.tobytes() and found.dtype == expected.dtype


def test_any_number_of_threads_gives_the_same_bytes(monkeypatch):
    rng = np.random.default_rng(1)
    fine, coarse, valid, answers = rng.random((60, 84)), rng.random((30, 42)), rng.random((30, 42)) < 0.8, set()
    for threads in "1238":
        monkeypatch.setenv("REFIMPL_THREADS", threads)
        with small_parts():
            answers.add(back_project(fine, coarse, valid, 3).tobytes())
    assert len(answers) == 1


@pytest.mark.parametrize("kind, iterations, cells", [
    ("mean", 0, 0), ("mean", 1, 2), ("mean", 2, 4), ("mean", 3, 6),
    ("bicubic", 0, 0), ("bicubic", 1, 4), ("bicubic", 2, 7), ("bicubic", 3, 10),
])  # fmt: skip
def test_back_projection_looks_exactly_as_far_as_it_says(kind, iterations, cells):
    # A change of one coarse cell's children reaches that many coarse cells to each side, and no cell further.
    rng = np.random.default_rng(2)
    fine, coarse, valid = rng.random((60, 60)), rng.random((30, 30)), np.ones((30, 30), bool)
    changed = fine.copy()
    changed[30:32, 30:32] += 1e6                            # what is left of it ten cells away is still seen
    before, after = (back_project(image, coarse, valid, iterations, kind) for image in (fine, changed))
    rows = np.flatnonzero((before != after).any(axis=1)) // 2
    assert (15 - rows.min(), rows.max() - 15) == (cells, cells) and cells_around(iterations, kind) == cells


def test_back_projection_leaves_its_input_alone_and_takes_any_strides():
    rng = np.random.default_rng(3)
    fine, coarse, valid = rng.random((12, 8)), rng.random((6, 4)), rng.random((6, 4)) < 0.7
    before = fine.copy()
    turned = back_project(fine.T, coarse.T, valid.T, 2)
    assert np.abs(turned - back_project(fine, coarse, valid, 2).T).max() < 1e-14     # sums in another order
    assert np.array_equal(fine, before)


def test_arrays_that_do_not_fit_are_refused():
    with backend("numba"):
        with pytest.raises(ValueError, match="twice as high and wide"):
            coarse_difference(np.ones((4, 4)), np.ones((2, 3)), np.ones((2, 3), bool))
        with pytest.raises(ValueError, match="C-contiguous float array"):
            add_upsampled(np.ones((4, 6)).T, np.ones((3, 2)), np.ones((3, 2), bool))


def test_children_inherit_what_their_cell_has():
    assert children(np.array([[1, 2]])).tolist() == [[1, 1, 2, 2], [1, 1, 2, 2]]
