"""Table 1, SVR: the solver against its optimality conditions and hand-solved problems, and the estimator around it."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refimpl.conformance.operations.regression import svr_of
from refimpl.errors import DataWarning, InputError
from refimpl.method import smo
from refimpl.method.kernel_functions import KERNELS, kernel_matrix
from refimpl.method.smo import minimise_dual
from refimpl.method.svr import SVR
from refimpl.twins import backend
from tests.svr_objectives import dual_objective, duality_gap, primal_objective

BOTH = pytest.mark.parametrize("chosen", ["numpy", "numba"])


def kernel_value(kernel, x, z, gamma=0.5, degree=2, coef0=1.0):
    """One kernel value, straight from the definition."""
    dot = sum(float(a) * float(b) for a, b in zip(x, z, strict=True))
    if kernel == "linear":
        return dot
    if kernel == "poly":
        return (gamma * dot + coef0) ** degree
    return np.exp(-gamma * sum((float(a) - float(b)) ** 2 for a, b in zip(x, z, strict=True)))


@st.composite
def problems(draw):
    """Small regression problems on a coarse grid of values, so that ties and duplicate rows are common."""
    n, d = draw(st.integers(1, 12)), draw(st.integers(1, 3))
    grid = st.integers(-4, 4).map(lambda k: k / 4)
    X = np.array(draw(st.lists(grid, min_size=n * d, max_size=n * d))).reshape(n, d)
    y = np.array(draw(st.lists(st.integers(-6, 6).map(lambda k: k / 3), min_size=n, max_size=n)))
    model = SVR(
        kernel=draw(st.sampled_from(KERNELS)), C=draw(st.sampled_from([0.05, 1.0, 20.0])),
        epsilon=draw(st.sampled_from([0.0, 0.1, 1.0])), gamma=0.5, degree=2, coef0=1.0, tol=1e-6,
    )  # fmt: skip
    return X, y, model


@given(problems())
@settings(max_examples=150, deadline=None)
def test_solution_meets_the_kkt_conditions_and_a_small_duality_gap(problem):
    X, y, model = problem
    model.fit(X, y)
    C, epsilon = model.C, model.epsilon
    K = np.array([[kernel_value(model.kernel, x, z) for z in X] for x in X])
    beta = np.zeros(y.size)
    beta[model.support_] = model.dual_coef_[0]
    rounding = 1e-12 * (1 + C * np.abs(K).sum())  # of sums with that many terms of that size

    assert abs(beta.sum()) <= rounding
    assert np.all(np.abs(beta) <= C)
    residual = y - K @ beta - model.intercept_[0]
    np.testing.assert_allclose(model.predict(X), y - residual, rtol=0, atol=rounding)
    slack = model.tol + rounding  # b lies between M(a) and m(a), which the stopping rule brings within tol
    for b, r in zip(beta, residual, strict=True):
        if b < C:
            assert r <= epsilon + slack, "more could be gained by raising beta"
        if b > -C:
            assert r >= -epsilon - slack, "more could be gained by lowering beta"
        if b > 0:
            assert r >= epsilon - slack, "a positive beta belongs to a sample above the tube"
        if b < 0:
            assert r <= -epsilon + slack, "a negative beta belongs to a sample below the tube"

    primal = primal_objective(K, y, beta, model.intercept_[0], C, epsilon)
    dual = dual_objective(K, y, beta, epsilon)
    assert -rounding <= primal - dual <= 2 * y.size * C * model.tol + rounding  # each variable adds at most C tol
    assert duality_gap(model, X, y) == pytest.approx(primal - dual, abs=rounding)


def test_two_samples_on_a_line_give_the_flattest_line_through_the_tube():
    model = SVR(kernel="linear", C=10.0, epsilon=0.5).fit([[0.0], [2.0]], [0.5, 3.5])
    # The tube allows slopes from (3 - 1)/2; w = sum beta x = 2 beta_2 = 1, and b leads it through (0, 0.5 + 0.5).
    assert model.dual_coef_.tolist() == [[-0.5, 0.5]]
    assert (model.coef_.tolist(), model.intercept_.tolist()) == ([[1.0]], [1.0])
    assert model.support_.tolist() == [0, 1]
    assert model.predict([[3.0], [-1.0]]).tolist() == [4.0, 0.0]


def test_two_samples_with_small_c_stop_at_the_box_and_take_the_middle_intercept():
    model = SVR(kernel="linear", C=0.1, epsilon=0.5).fit([[0.0], [2.0]], [0.5, 3.5])
    # beta = -C, C: w = 0.2, residuals 0.5 and 3.1 before b.  b must lie from 0.5 + 0.5 to 3.1 - 0.5: the middle is 1.8.
    assert model.dual_coef_.tolist() == [[-0.1, 0.1]]
    assert model.intercept_[0] == pytest.approx(1.8, abs=1e-15)  # three roundings of numbers near 3


@pytest.mark.parametrize("C, expected", [(100.0, "free"), (0.25, "bound")])
def test_two_samples_with_the_rbf_kernel_follow_the_closed_form(C, expected):
    gamma, target, epsilon = 0.7, 2.0, 0.3
    model = SVR(C=C, epsilon=epsilon, gamma=gamma).fit([[0.0, 0.0], [1.0, 1.0]], [target, -target])
    k = np.exp(-2 * gamma)
    # beta_2 = -beta_1, so the dual is 2 beta (target - epsilon) - beta^2 (1 - k), within the box.
    beta = (target - epsilon) / (1 - k) if expected == "free" else C
    np.testing.assert_allclose(model.dual_coef_, [[beta, -beta]], rtol=1e-14)  # a handful of roundings
    np.testing.assert_allclose(model.intercept_, 0.0, atol=1e-15)
    np.testing.assert_allclose(model.predict([[0.0, 0.0]]), beta * (1 - k), rtol=1e-14)


def test_two_samples_with_the_polynomial_kernel_follow_the_closed_form():
    # k(x, z) = (x z / 2 + 1)^3: k(0, z) = 1, k(1, 2) = 8, k(2, 2) = 27; beta_2 = (15 - 1 - 2 eps) / (1 + 27 - 2).
    model = SVR(kernel="poly", C=5.0, epsilon=0.5, gamma=0.5, degree=3, coef0=1.0).fit([[0.0], [2.0]], [1.0, 15.0])
    np.testing.assert_allclose(model.dual_coef_, [[-0.5, 0.5]], rtol=1e-15)
    np.testing.assert_allclose(model.predict([[0.0], [2.0], [1.0]]), [1.5, 14.5, 1.5 + 0.5 * (8 - 1)], rtol=1e-15)


def test_an_outlier_pulls_with_no_more_than_c():
    # b is the median of y - w x, at the third sample; so the first has beta = -C, the outlier C, and w = 0 + C.
    model = SVR(kernel="linear", C=0.01, epsilon=0.0).fit([[-1.0], [0.0], [1.0]], [-1.0, 50.0, 1.0])
    assert model.dual_coef_.tolist() == [[-0.01, 0.01]] and model.support_.tolist() == [0, 1]
    np.testing.assert_allclose([model.coef_[0, 0], model.intercept_[0]], [0.01, 0.99], rtol=1e-15)


def test_a_single_sample_is_predicted_everywhere_without_support_vectors():
    for kernel in KERNELS:
        model = SVR(kernel=kernel).fit([[3.0, 4.0]], [7.5])
        assert model.support_.size == 0 and model.support_vectors_.shape == (0, 2)
        assert model.predict([[0.0, 0.0], [9.0, 9.0]]).tolist() == [7.5, 7.5]


@pytest.mark.parametrize("epsilon", [0.0, 0.1])
def test_a_constant_target_is_predicted_exactly(epsilon):
    X = np.random.default_rng(0).random((8, 3))
    model = SVR(epsilon=epsilon).fit(X, np.full(8, 0.3))
    assert model.support_.size == 0
    np.testing.assert_allclose(model.predict(X), 0.3, rtol=1e-15)  # (0.3 - epsilon + 0.3 + epsilon) / 2


def test_a_tube_that_holds_all_samples_gives_the_middle_of_their_range():
    model = SVR(epsilon=2.0).fit([[0.0], [1.0], [2.0]], [1.0, 4.0, 2.0])
    assert model.dual_coef_.shape == (1, 0)
    assert model.predict([[5.0]]).tolist() == [2.5]


def test_contradicting_duplicates_and_equal_rows_only_are_solved():
    X, y = np.ones((4, 2)), np.array([0.0, 1.0, 2.0, 10.0])
    model = SVR(C=1.0, epsilon=0.0, gamma=1.0).fit(X, y)
    assert 1.0 <= model.predict(X[:1])[0] <= 2.0  # any median minimises the absolute residuals
    assert abs(model.dual_coef_.sum()) <= 1e-15


def solved(X, y, kernel="linear", gamma=1.0, degree=1, coef0=0.0, C=1.0, epsilon=0.1, tol=1e-9, max_iter=10**6):
    """beta, b and the rest, by whichever backend is in use."""
    X, y = np.array(X, float).reshape(len(y), -1), np.array(y, float)
    return minimise_dual(X, y, kernel, gamma, degree, coef0, C, epsilon, tol, max_iter, 200.0, True)


@BOTH
@pytest.mark.parametrize("kernel", KERNELS)
def test_the_first_step_takes_the_pair_with_the_largest_decrease_among_violating_partners(kernel, chosen):
    rng = np.random.default_rng(5)
    for _ in range(20):
        n, epsilon = 6, 0.1
        X, y = rng.random((n, 2)), 3 * rng.standard_normal(n)
        K = np.array([[kernel_value(kernel, x, z) for z in X] for x in X])
        i = int(np.argmax(y))  # at beta = 0 all can grow and shrink, and v is y less epsilon, or y plus epsilon
        drops = {j: (y[i] - epsilon) - (y[j] + epsilon) for j in range(n) if j != i}
        curvatures = {j: K[i, i] + K[j, j] - 2 * K[i, j] for j in drops}
        gains = {j: drop**2 / curvatures[j] for j, drop in drops.items() if drop > 0}
        with backend(chosen):
            beta, *_, steps, _ = solved(X, y, kernel, 0.5, 2, 1.0, C=1e9, epsilon=epsilon, max_iter=1)
        j = max(gains, key=gains.get)
        assert steps == 1 and np.flatnonzero(beta).tolist() == sorted([i, j])
        # The unbounded step is v_i - v_j over the curvature, a difference of numbers near it.
        np.testing.assert_allclose(beta[[i, j]], np.array([1, -1]) * drops[j] / curvatures[j], rtol=1e-9)


@BOTH
@pytest.mark.parametrize("y, expected", [
    ([0.0, 5.0, -5.0], [0.0, 0.3, -0.3]), ([5.0, -5.0, 0.0], [0.3, -0.3, 0.0]), ([-5.0, 0.0, 5.0], [-0.3, 0.0, 0.3]),
])  # fmt: skip
def test_a_step_beyond_the_box_ends_exactly_on_a_bound(y, expected, chosen):
    # Three samples so near that each pair's unbounded step is far beyond C: the outer two meet it, the middle stays.
    with backend(chosen):
        beta = solved([0.0, 0.1, 0.2], y, C=0.3)[0]
    assert beta.tolist() == expected
    assert beta.sum() == 0  # the equality constraint is kept


@BOTH
def test_a_variable_that_meets_c_equals_c_whatever_the_rounding(chosen):
    rng, C, meetings, missed = np.random.default_rng(1), 0.9, 0, 0
    for _ in range(40):
        X, y, before = rng.random((20, 2)), 0.6 * rng.standard_normal(20), np.zeros(20)
        for steps in range(1, 60):
            with backend(chosen):
                beta = solved(X, y, "rbf", 10.0, C=C, epsilon=0.0, max_iter=steps)[0]
            size = np.abs(beta)
            assert not np.any((abs(size - C) < 1e-9) & (size != C))
            start = np.abs(before)[(size == C) & (before != 0) & (np.abs(before) < C)]
            meetings, missed = meetings + start.size, missed + np.count_nonzero(start + (C - start) != C)
            before = beta
    assert meetings > 100 and missed > 0  # start + (C - start) would miss C there


@BOTH
def test_equal_samples_count_with_the_smallest_curvature(chosen):
    # Two samples are one point, with all curvatures 0: their pair goes as far as the box at once.
    with backend(chosen):
        beta, b, gap, steps, _ = solved([1.0, 1.0], [1.0, -1.0], C=0.7, epsilon=0.25)
    assert beta.tolist() == [0.7, -0.7] and steps == 1
    assert b == 0.0  # anywhere from -1 + 0.25 to 1 - 0.25: the middle
    # Beside a third sample, farther away and farther off: the pair of equal ones still promises the most.
    with backend(chosen):
        beta = solved([1.0, 1.0, 9.0], [1.0, -1.0, -3.0], C=0.7, epsilon=0.25, max_iter=1)[0]
    assert beta.tolist() == [0.7, -0.7, 0.0]
    # A step below the box would be the difference over the smallest curvature that stands in for 0.
    with backend(chosen):
        beta = solved([1.0, 1.0], [1e-10, -1e-10], C=1e9, epsilon=0.0, tol=1e-12, max_iter=1)[0]
    np.testing.assert_allclose(beta, [2e-10 / smo.TAU, -2e-10 / smo.TAU], rtol=1e-12)


@BOTH
def test_intercept_is_the_mean_of_free_variables_else_the_middle_of_its_range(chosen):
    with backend(chosen):
        # Stopped by a wide tolerance: both variables free, b the mean of v at 0 (y - w x - eps) and at 1 (+ eps).
        beta, b, *_ = solved([0.0, 1.0, 3.0], [0.0, 2.0, 7.0], C=100.0, epsilon=0.5, tol=1.5)
        residual = np.array([0.0, 2.0, 7.0]) - np.array([0.0, 1.0, 3.0]) * (beta @ [0.0, 1.0, 3.0])
        free = (beta != 0) & (np.abs(beta) < 100.0)
        assert free.sum() >= 2 and b == pytest.approx(np.mean((residual - 0.5 * np.sign(beta))[free]), abs=1e-14)
        # All at C: b may lie from 0.5 + 0.5 to 3.1 - 0.5 (see the two samples with small C above).
        beta, b, *_ = solved([0.0, 2.0], [0.5, 3.5], C=0.1, epsilon=0.5)
        assert np.abs(beta).tolist() == [0.1, 0.1] and b == pytest.approx((1.0 + 2.6) / 2, abs=1e-15)
        # None used: from the largest y less epsilon to the least plus epsilon.
        assert solved([0.0, 1.0, 2.0], [1.0, 4.0, 2.0], epsilon=2.0)[1] == (4.0 - 2.0 + 1.0 + 2.0) / 2


@pytest.mark.parametrize("kernel", KERNELS)
def test_kernel_matrices_equal_the_definition(kernel):
    rng = np.random.default_rng(1)
    X, Z = rng.standard_normal((5, 3)), rng.standard_normal((4, 3))
    K = kernel_matrix(X, Z, kernel, 0.5, 2, 1.0)
    expected = [[kernel_value(kernel, x, z) for z in Z] for x in X]
    np.testing.assert_allclose(K, expected, rtol=1e-13)  # a few roundings


def test_rbf_kernel_does_not_cancel_for_near_points_far_from_the_origin():
    X, Z = np.array([[2.0**30]]), np.array([[2.0**30 + 2.0**-10]])
    assert kernel_matrix(X, Z, "rbf", 2.0**20, 1, 0.0)[0, 0] == np.exp(-1.0)
    assert np.all(kernel_matrix(X, X, "rbf", 1e9, 1, 0.0) == 1.0)


def test_training_kernels_are_exactly_symmetric():
    X = np.random.default_rng(2).standard_normal((40, 3))
    for kernel in KERNELS:
        K = kernel_matrix(X, X, kernel, 0.4, 3, 1.0)
        assert np.array_equal(K, K.T)


@pytest.mark.parametrize("chosen", ["numpy", "numba"])
@pytest.mark.parametrize("kernel", KERNELS)
def test_predictions_do_not_depend_on_the_company_or_the_strides_of_a_row(kernel, chosen):
    rng = np.random.default_rng(3)
    X, y = rng.random((30, 3)), rng.standard_normal(30)
    model = SVR(kernel=kernel, coef0=0.5, C=0.5).fit(X, y)
    cells = rng.random((1001, 3))
    with backend(chosen):
        whole = model.predict(cells)
        blocks = [model.predict(cells[start : start + 100]) for start in range(0, 1001, 100)]
        assert np.concatenate(blocks).tobytes() == whole.tobytes()
        for row in (0, 255, 256, 500, 1000):
            assert model.predict(cells[row : row + 1])[0] == whole[row]
        assert model.predict(cells[3:700]).tobytes() == whole[3:700].tobytes()
        assert model.predict(np.asfortranarray(cells)).tobytes() == whole.tobytes()
        single = cells.astype(np.float32)
        assert model.predict(single).tobytes() == model.predict(single.astype(float)).tobytes()


def test_prediction_memory_does_not_grow_with_the_rows():
    rng = np.random.default_rng(4)
    model = SVR().fit(rng.random((30, 3)), rng.standard_normal(30))
    cells = rng.random((400_000, 3))
    model.predict(cells[:10])  # the kernel is loaded
    tracemalloc.start()
    result = model.predict(cells)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # A kernel of all rows would need 96 MB; what the twin holds for one block is far less.
    assert peak - result.nbytes < 20e6


def test_gamma_words_mean_what_scikit_learn_documents():
    X = np.array([[0.0, 1.0], [1.0, 2.0], [5.0, 0.0]])
    y = [0.0, 1.0, 2.0]
    assert SVR(gamma="scale").fit(X, y).gamma_ == pytest.approx(1 / (2 * X.var()), rel=1e-15)
    assert SVR(gamma="auto").fit(X, y).gamma_ == 0.5
    assert SVR(gamma=3).fit(X, y).gamma_ == 3.0
    assert SVR(gamma="scale").fit(np.ones((3, 2)), y).gamma_ == 1.0


def test_stopping_before_the_tolerance_warns_and_reports_the_gap():
    rng = np.random.default_rng(6)
    X, y = rng.random((20, 2)), rng.standard_normal(20)
    with pytest.warns(DataWarning, match="3 iterations"):
        model = SVR(C=100.0, max_iter=3).fit(X, y)
    assert model.n_iter_ == 3 and model.kkt_gap_ > model.tol


def test_a_tolerance_below_rounding_ends_with_a_warning_instead_of_running_for_ever():
    rng = np.random.default_rng(1)
    for _ in range(10):
        X, y = rng.random((5, 3)), rng.standard_normal(5)
        with pytest.warns(DataWarning):
            model = SVR(C=10.0, tol=1e-300).fit(X, y)
        assert model.n_iter_ < 100_000
        assert duality_gap(model, X, y) < 1e-10  # 2 n C times rounding of numbers near 10


def test_reported_gap_is_below_the_tolerance_after_convergence():
    rng = np.random.default_rng(7)
    X, y = rng.random((40, 3)), rng.standard_normal(40)
    for tol in (1e-1, 1e-3, 1e-9):
        assert SVR(tol=tol).fit(X, y).kkt_gap_ < tol + 1e-13  # the residual is computed afresh: rounding of the updates


@pytest.mark.parametrize(
    "parameters, said",
    [
        ({"C": 0}, "C is 0"), ({"C": float("nan")}, "C is nan"), ({"C": True}, "C is True"), ({"C": "1"}, "C is '1'"),
        ({"epsilon": -0.1}, "epsilon is -0.1"), ({"kernel": "rfb"}, "did you mean 'rbf'"),
        ({"gamma": 0.0}, "gamma is 0.0"), ({"gamma": "scaled"}, "did you mean 'scale'"), ({"gamma": None}, "is None"),
        ({"tol": 0.0}, "tol is 0.0"), ({"max_iter": 0}, "max_iter is 0"), ({"max_iter": 2.5}, "max_iter is 2.5"),
        ({"cache_size": 0}, "cache_size is 0"), ({"shrinking": 1}, "shrinking is 1"),
        ({"degree": 0}, "degree is 0"), ({"coef0": float("inf")}, "coef0 is inf"),
    ],
)  # fmt: skip
def test_a_bad_parameter_is_one_sentence_that_names_it(parameters, said):
    with pytest.raises(InputError, match="^SVR: .*" + said):
        SVR(**parameters).fit([[0.0], [1.0]], [0.0, 1.0])


@pytest.mark.parametrize("chosen", ["numpy", "numba"])
@pytest.mark.parametrize(
    "settings, size",
    [
        ({"kernel": "poly", "degree": 9, "gamma": 1.0}, 1e60), ({"kernel": "poly", "degree": 400, "gamma": 1.0}, 3.0),
        ({"kernel": "poly", "degree": 2, "gamma": 1.0, "coef0": -1e200}, 1.0), ({"kernel": "linear"}, 1e160),
        ({"kernel": "rbf", "gamma": "scale"}, 1e200), ({"kernel": "rbf", "gamma": "scale"}, 1e-160),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_an_overflowing_kernel_is_refused(settings, size, chosen):
    X, constant = np.array([[1.0], [2.0]]) * size, [1.0, 1.0]  # no step is needed: the kernel is refused all the same
    with backend(chosen), pytest.raises(InputError, match="exceeds float64"):
        SVR(**settings).fit(X, constant)


@pytest.mark.parametrize("chosen", ["numpy", "numba"])
def test_predicting_where_the_kernel_overflows_is_refused(chosen):
    model = SVR(kernel="poly", degree=9, gamma=1.0).fit([[1.0], [2.0]], [0.0, 1.0])
    with backend(chosen), pytest.raises(InputError, match="poly kernel of these features exceeds float64"):
        model.predict([[1.0], [1e60]])
    assert SVR(gamma=1.0).fit([[1.0], [2.0]], [0.0, 3.0]).predict([[1e300]])[0] == 1.5  # far away only b is left


def test_the_same_model_predicts_the_same_after_a_finite_but_huge_distance():
    with backend("numpy"):
        plain = SVR(gamma=1.0).fit([[1.0], [2.0]], [0.0, 3.0]).predict([[1e300], [1.5]])
    fast = SVR(gamma=1.0).fit([[1.0], [2.0]], [0.0, 3.0]).predict([[1e300], [1.5]])
    np.testing.assert_allclose(fast, plain, rtol=1e-14)  # a handful of roundings


@pytest.mark.parametrize(
    "X, y",
    [
        ([1.0, 2.0], [1.0, 2.0]), ([[1.0], [2.0]], [1.0]), ([[1.0], [2.0]], [[1.0], [2.0]]), ([[np.nan]], [1.0]),
        ([[1.0]], [np.inf]), (np.empty((0, 2)), []), (np.empty((2, 0)), [1.0, 2.0]),
    ],
)  # fmt: skip
def test_arrays_of_wrong_shape_or_with_nan_are_value_errors(X, y):
    with pytest.raises(ValueError):
        SVR().fit(X, y)


def test_prediction_needs_a_fit_and_the_same_features():
    with pytest.raises(ValueError, match="not fitted"):
        SVR().predict([[1.0]])
    model = SVR().fit([[0.0], [1.0]], [0.0, 1.0])
    with pytest.raises(ValueError, match="2 features, but the fit had 1"):
        model.predict([[1.0, 2.0]])
    with pytest.raises(ValueError, match="nan"):
        model.predict([[np.nan]])
    with pytest.raises(AttributeError, match="linear"):
        _ = model.coef_
    assert model.predict(np.empty((0, 1))).shape == (0,)


def test_parameters_are_read_set_and_shown_by_name():
    model = SVR(C=2.0)
    assert model.get_params() == {
        "kernel": "rbf", "C": 2.0, "epsilon": 0.1, "gamma": "scale",
        "degree": 3, "coef0": 0.0, "tol": 1e-3, "max_iter": -1, "cache_size": 200.0, "shrinking": True,
    }  # fmt: skip
    assert model.set_params(C=3.0, kernel="linear") is model and model.C == 3.0
    with pytest.raises(ValueError, match="did you mean 'epsilon'"):
        model.set_params(C=9.0, epsilom=1.0)
    assert model.C == 3.0, "a refused call changes nothing"
    assert repr(model) == (
        "SVR(kernel='linear', C=3.0, epsilon=0.1, gamma='scale', degree=3, coef0=0.0, tol=0.001, max_iter=-1, "
        "cache_size=200.0, shrinking=True)"
    )


def test_score_is_r2_and_refitting_forgets_the_first_fit():
    X, y = [[0.0], [1.0], [2.0], [3.0]], [0.0, 1.0, 2.0, 3.0]
    model = SVR(kernel="linear", C=100.0, epsilon=0.0, tol=1e-9).fit([[5.0], [6.0]], [9.0, -9.0])
    assert model.fit(X, y).score(X, y) == pytest.approx(1.0, abs=1e-12)  # tol squared, against a variance near 1


def test_a_solution_of_another_program_predicts_as_the_fit_does():
    rng = np.random.default_rng(0)
    X, y = rng.random((20, 2)), rng.random(20)
    model = SVR(kernel="poly", gamma=0.7, coef0=0.5, degree=2).fit(X, y)
    solution = model.support_vectors_, model.dual_coef_[0], float(model.intercept_[0])
    again = svr_of(*solution, 0.7, kernel="poly", coef0=0.5, degree=2)
    assert again.predict(X).tobytes() == model.predict(X).tobytes()


def test_gamma_is_1_where_all_entries_are_equal_whatever_their_mean_rounds_to():
    X = np.full((3, 1), 0.1)  # whose mean is not 0.1 in float64
    assert SVR().fit(X, [1.0, 2.0, 3.0]).gamma_ == 1.0
