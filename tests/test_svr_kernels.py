"""The kernels of the SVR against their references: caches that are too small, shrinking, threads, odd shapes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import linear, smo
from kernels.tools import kernel_matrix_rows, kernel_values
from refimpl.method.kernel_functions import kernel_expansion, kernel_matrix
from refimpl.method.linear import weighted_features
from refimpl.method.smo import minimise_dual
from refimpl.method.svr import SVR

KINDS = {"linear": ("linear", 0.5, 2, 1.0), "rbf": ("rbf", 3.0, 3, 0.0), "poly": ("poly", 0.5, 3, 1.0)}
TINY = 1e-9
"""A cache so small that it holds the two rows of a step and no more."""


def noisy(n, d=3, seed=0, noise=0.3):
    rng = np.random.default_rng(seed)
    X = rng.random((n, d))
    return X, np.sin(4 * X[:, 0]) + X[:, -1] ** 2 + noise * rng.standard_normal(n)


def half_quadratic(X, y, kind, beta, epsilon):
    K = kernel_matrix(X, X, *kind)
    return beta @ K @ beta / 2 - y @ beta + epsilon * np.abs(beta).sum()


def violation(X, y, kind, beta, C, epsilon):
    """m(a) - M(a), from the definition: what is gained by growing the best and falling the best."""
    r = y - kernel_matrix(X, X, *kind) @ beta
    grow = np.where(beta < C, r + np.where(beta < 0, epsilon, -epsilon), -np.inf)
    fall = np.where(beta > -C, r - np.where(beta > 0, epsilon, -epsilon), np.inf)
    return grow.max() - fall.min()


@st.composite
def problems(draw):
    """Small problems with ties, equal samples, a free choice of cache and of the steps between two shrinkings."""
    n, d = draw(st.integers(1, 40)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    X = rng.integers(-4, 5, (n, d)) / 4 if draw(st.booleans()) else rng.random((n, d))
    y = rng.integers(-6, 7, n) / 3 if draw(st.booleans()) else rng.standard_normal(n)
    return X, y, draw(st.sampled_from(list(KINDS))), draw(st.sampled_from([0.05, 1.0, 20.0])), draw(
        st.sampled_from([0.0, 0.1, 1.0])
    ), draw(st.sampled_from([TINY, 0.001, 200.0])), draw(st.sampled_from([1, 3, 10]))  # fmt: skip


@given(problems())
@settings(max_examples=80, deadline=None)
def test_the_kernel_reaches_the_references_objective_and_the_stopping_rule_on_all_samples(problem):
    X, y, name, C, epsilon, cache, every = problem
    kind, tol, usual = KINDS[name], 1e-7, smo.SHRINK_EVERY
    smo.SHRINK_EVERY = every
    try:
        beta, _, gap, _, reached = minimise_dual.kernel(X, y, *kind, C, epsilon, tol, 10**6, cache, True)
    finally:
        smo.SHRINK_EVERY = usual
    rounding = 1e-12 * (1 + C * np.abs(kernel_matrix(X, X, *kind)).sum())  # of sums with terms of that size
    assert reached < tol and gap < tol + rounding
    assert abs(violation(X, y, kind, beta, C, epsilon) - gap) <= rounding
    assert np.all(np.abs(beta) <= C) and abs(beta.sum()) <= rounding
    plain = minimise_dual.reference(X, y, *kind, C, epsilon, tol, 10**6, cache, True)
    objectives = [half_quadratic(X, y, kind, found, epsilon) for found in (beta, plain[0])]
    assert abs(objectives[0] - objectives[1]) <= 2 * y.size * C * tol + rounding  # the duality gap that tol allows


@pytest.mark.parametrize("n", [3, 30, 255, 257, 600])
@pytest.mark.parametrize("name", KINDS)
def test_the_first_step_takes_the_pair_with_the_largest_decrease(name, n):
    for seed in range(5):
        X, y = noisy(n, seed=seed, noise=10.0)
        K = kernel_matrix(X, X, *KINDS[name])
        beta = minimise_dual.kernel(X, y, *KINDS[name], 1e9, 0.1, 1e-3, 1, 200.0, True)[0]
        i = int(np.argmax(y))
        drop = np.maximum((y[i] - 0.1) - (y + 0.1), 0)
        curvature = K[i, i] + K.diagonal() - 2 * K[i]
        curvature[i] = 1.0  # its drop is 0
        j = int(np.argmax(drop**2 / curvature))
        assert np.flatnonzero(beta).tolist() == sorted([i, j])
        np.testing.assert_allclose(beta[[i, j]], np.array([1, -1]) * drop[j] / curvature[j], rtol=1e-9)  # differences


@pytest.mark.parametrize("name", ["linear", "rbf"])
def test_no_step_raises_the_objective_even_where_a_weight_changes_its_sign(name):
    X, y = noisy(25, noise=1.0)
    arguments = *KINDS[name], 5.0, 0.3, 1e-9
    values, signs, changes = [], np.zeros(25), 0
    for steps in range(1, 120):
        beta = minimise_dual.kernel(X, y, *arguments, steps, 200.0, True)[0]
        values.append(half_quadratic(X, y, KINDS[name], beta, 0.3))
        changes += np.count_nonzero(np.sign(beta) * signs < 0) + np.count_nonzero((beta == 0) & (signs != 0))
        signs = np.where(beta == 0, signs, np.sign(beta))
    assert changes > 0 and np.all(np.diff(values) <= 1e-12)  # sums of 625 terms near 1, in float64


@pytest.mark.parametrize("name", KINDS)
def test_cache_and_shrinking_do_not_change_what_is_found(name, monkeypatch):
    X, y = noisy(400)
    monkeypatch.setattr(smo, "SHRINK_EVERY", 20)
    found = {}
    for cache in (TINY, 0.05, 200.0):
        for shrinking in (True, False):
            found[cache, shrinking] = minimise_dual.kernel(X, y, *KINDS[name], 1.0, 0.1, 1e-8, 10**6, cache, shrinking)
    assert len({result[0].tobytes() for (_, shrinking), result in found.items() if not shrinking}) == 1
    for beta, b, gap, _, _ in found.values():
        assert gap < 1e-8 + 1e-11  # 400 sums of numbers near 1, in float64
        assert violation(X, y, KINDS[name], beta, 1.0, 0.1) == pytest.approx(gap, abs=1e-11)
        values = [half_quadratic(X, y, KINDS[name], other, 0.1) for other in (beta, found[200.0, False][0])]
        assert values[0] == pytest.approx(values[1], rel=1e-8)
        assert b == pytest.approx(found[200.0, False][1], abs=1e-6)  # several tol: b is a mean over free samples


def test_shrinking_puts_samples_aside_and_brings_them_back(monkeypatch):
    sizes, returns = [], []
    shrink, begin = smo.shrink, smo.begin
    monkeypatch.setattr(smo, "SHRINK_EVERY", 20)
    monkeypatch.setattr(smo, "shrink", lambda *args: sizes.append(shrink(*args)) or sizes[-1])
    monkeypatch.setattr(smo, "begin", lambda *args: returns.append(1) or begin(*args))
    X, y = noisy(500)
    result = minimise_dual.kernel(X, y, *KINDS["rbf"], 1.0, 0.1, 1e-6, 10**6, 0.05, True)
    assert min(sizes) < 250 and len(returns) >= 2
    assert violation(X, y, KINDS["rbf"], result[0], 1.0, 0.1) < 1e-6 + 1e-11


def test_closing_up_keeps_the_rows_values_and_numbers_of_the_samples_that_stay(monkeypatch):
    """After every shrinking, each row that is kept equals the kernel's values of its owner with all that stay."""
    shrink, seen = smo.shrink, []

    def checked(size, slots, top, bottom, beta, columns, vectors, indices, rows):
        new = shrink(size, slots, top, bottom, beta, columns, vectors, indices, rows)
        samples = indices[3, :new]
        assert np.array_equal(columns[:3, :new], X[samples].T)
        weights = beta.copy()  # of the samples put aside; the others' are with the arrays that closed up
        weights[samples] = vectors[4, :new]
        np.testing.assert_allclose(vectors[1, :new], (y - K @ weights)[samples], atol=1e-11)  # 300 terms near 1
        for slot in np.flatnonzero(indices[1, : rows.size // new] >= 0):
            owner = indices[1, slot]
            assert indices[0, owner] == slot
            row = rows[slot * new : (slot + 1) * new]
            np.testing.assert_allclose(row, K[samples[owner], samples], rtol=1e-13)  # a few roundings
            seen.append(new)
        return new

    X, y = noisy(300)
    K = kernel_matrix(X, X, *KINDS["rbf"])
    monkeypatch.setattr(smo, "SHRINK_EVERY", 15)
    monkeypatch.setattr(smo, "shrink", checked)
    minimise_dual.kernel(X, y, *KINDS["rbf"], 1.0, 0.1, 1e-6, 10**6, 0.1, True)
    assert len(set(seen)) > 2 and len(seen) > 20


def test_the_row_not_used_for_longest_gives_way():
    columns, rows = np.zeros((4, 5)), np.empty(15)
    columns[0] = [1, 2, 3, 4, 5]
    indices, point, power = np.full((4, 5), -1), np.empty(4), np.empty(kernel_values.BLOCK)

    def use(sample, now):
        kind = kernel_values.CODES["linear"], 1.0, 1, 0.0
        return kernel_matrix_rows.cached_row(sample, now, 5, 3, False, columns, *kind, indices, rows, point, power)

    assert [use(0, 0), use(1, 1), use(2, 2), use(0, 3)] == [0, 1, 2, 0]
    assert use(4, 4) == 1 and indices[0].tolist() == [0, -1, 2, -1, 1]
    assert use(1, 5) == 2 and rows.reshape(3, 5).tolist() == [[1, 2, 3, 4, 5], [5, 10, 15, 20, 25], [2, 4, 6, 8, 10]]


@pytest.mark.parametrize("name", KINDS)
def test_any_number_of_threads_gives_the_same_bytes(name, monkeypatch):
    X, y = noisy(700, d=5)
    cells = np.random.default_rng(1).random((40_001, 5))
    monkeypatch.setattr(smo, "SHRINK_EVERY", 50)
    for large in (smo.LARGE_ROW, 1):  # rows made by one thread, and shared among threads
        monkeypatch.setattr(smo, "LARGE_ROW", large)
        found = set()
        for threads in ("1", "2", "3", "8"):
            monkeypatch.setenv("REFIMPL_THREADS", threads)
            model = SVR(*KINDS[name][:1], gamma=0.5, degree=2, coef0=1.0, cache_size=0.3).fit(X, y)
            found.add(model.dual_coef_.tobytes() + model.intercept_.tobytes() + model.predict(cells).tobytes())
        assert len(found) == 1


def test_rows_shared_among_threads_are_those_of_one_thread(monkeypatch):
    X, y = noisy(9000)  # two parts
    arguments = X, y, *KINDS["rbf"], 1.0, 0.1, 1e-3, 40, 200.0, True
    alone = minimise_dual.kernel(*arguments)
    monkeypatch.setattr(smo, "LARGE_ROW", 1)
    shared = minimise_dual.kernel(*arguments)
    assert alone[0].tobytes() == shared[0].tobytes() and alone[1:] == shared[1:]


@given(st.integers(0, 600), st.integers(1, 9), st.integers(0, 5), st.sampled_from(list(KINDS)), st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_the_expansion_equals_its_definition_for_any_shape(n, d, m, name, seed):
    rng = np.random.default_rng(seed)
    X, Z, weights = rng.standard_normal((n, d)), rng.standard_normal((m, d)), rng.standard_normal(m)
    kind = KINDS[name]
    found = kernel_expansion.kernel(X, Z, weights, *kind)
    dots, distances = X @ Z.T, ((X[:, None] - Z[None]) ** 2).sum(axis=2)
    K = dots if name == "linear" else np.exp(-kind[1] * distances) if name == "rbf" else (dots / 2 + 1) ** 3
    bound = np.abs(K) @ np.abs(weights) + np.abs(weights).sum()
    assert found.shape == (n,)
    assert np.all(np.abs(found - K @ weights) <= 1e-13 * (1 + bound) * (1 + np.abs(dots).sum(axis=1)) ** 3)


def test_a_large_degree_is_the_power_of_that_degree():
    X = np.array([[1.01], [-1.01], [0.5]])
    found = kernel_expansion.kernel(X, np.ones((1, 1)), np.ones(1), "poly", 1.0, 999, 0.0)
    np.testing.assert_allclose(found, [1.01**999, -(1.01**999), 0.5**999], rtol=1e-12)  # a thousand roundings at most


@given(st.integers(0, 300), st.integers(1, 7), st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_linear_models_have_the_references_bytes(n, d, seed):
    rng = np.random.default_rng(seed)
    X, weights, b = rng.standard_normal((n, d)), rng.standard_normal(d), float(rng.standard_normal())
    assert weighted_features.kernel(X, weights, b).tobytes() == weighted_features.reference(X, weights, b).tobytes()


def test_linear_models_have_the_same_bytes_for_any_number_of_threads(monkeypatch):
    X = np.random.default_rng(0).random((2 * linear.LINEAR_PART_ROWS + 77, 3))
    found = set()
    for threads in ("1", "2", "3", "8"):
        monkeypatch.setenv("REFIMPL_THREADS", threads)
        found.add(weighted_features.kernel(X, np.array([0.1, 0.2, 0.3]), 0.7).tobytes())
    assert found == {(0.0 + X[:, 0] * 0.1 + X[:, 1] * 0.2 + X[:, 2] * 0.3 + 0.7).tobytes()}


def test_a_long_fit_returns_to_python_now_and_then_so_that_it_can_be_interrupted(monkeypatch):
    from kernels import smo

    calls = []
    compiled = smo.iterate

    def counted(*args):
        calls.append(args)
        return compiled(*args)

    monkeypatch.setattr(smo, "iterate", counted)
    rng = np.random.default_rng(5)
    X, y = rng.random((300, 2)), rng.random(300)
    settings = X, y, "rbf", 1.0, 3, 0.0, 1e3, 1e-3, 1e-12, 5 * smo.SHRINK_EVERY, 200.0, False
    *_, n_iter, _ = smo.minimise_dual(*settings)
    assert n_iter == 5 * smo.SHRINK_EVERY and len(calls) >= 5


def test_shapes_that_do_not_fit_are_refused_before_anything_is_read():
    from kernels.linear import weighted_features
    from kernels.svr import kernel_expansion

    for X, Z, weights in ((np.ones((300, 60)), np.ones((2, 3)), np.ones(2)), (np.ones((3, 2)), np.ones((2, 2)), [1.0])):
        with pytest.raises(ValueError, match="expected X"):
            kernel_expansion(X, Z, weights, "rbf", 1.0, 3, 0.0)
    for count in (2, 4):
        with pytest.raises(ValueError, match="expected X"):
            weighted_features(np.ones((3, 3)), np.ones(count), 0.0)
