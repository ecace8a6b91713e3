"""Table 1's linear models against closed forms: least squares, Bayesian regression, ElasticNet."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refimpl.errors import DataWarning, InputError
from refimpl.method import elastic_net
from refimpl.method.bayesian import BayesianRegression
from refimpl.method.elastic_net import ElasticNet
from refimpl.method.linear import LinearRegression

ALL = (LinearRegression, BayesianRegression, ElasticNet)


def random_problem(seed, n=30, d=3, noise=0.3):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) @ rng.standard_normal((d, d)) + 5 * rng.standard_normal(d)
    return X, X @ rng.standard_normal(d) + 2 + noise * rng.standard_normal(n)


# ---- least squares


def exact_least_squares(X, y):
    """Slopes and intercept by Gauss-Jordan elimination on the normal equations, in exact fractions."""
    rows = [[Fraction(v) for v in (1.0, *x)] for x in X.tolist()]
    target = [Fraction(v) for v in y.tolist()]
    m = len(rows[0])
    system = [
        [sum(r[i] * r[j] for r in rows) for j in range(m)] + [sum(r[i] * t for r, t in zip(rows, target, strict=True))]
        for i in range(m)
    ]
    for k in range(m):
        system[k] = [v / system[k][k] for v in system[k]]
        for i in range(m):
            if i != k:
                system[i] = [a - system[i][k] * b for a, b in zip(system[i], system[k], strict=True)]
    return np.array([float(row[-1]) for row in system])


@pytest.mark.parametrize("seed", range(5))
def test_least_squares_equals_the_exact_rational_solution(seed):
    X, y = random_problem(seed)
    model = LinearRegression().fit(X, y)
    exact = exact_least_squares(X, y)
    # SVD errors are a few eps times the condition number, below 1e3 here.
    np.testing.assert_allclose([model.intercept_, *model.coef_], exact, rtol=1e-10)
    assert model.rank_ == 3


def test_least_squares_shares_a_weight_between_equal_columns():
    x = np.arange(6.0)
    model = LinearRegression().fit(np.column_stack([x, x]), 3 * x + 1)
    np.testing.assert_allclose(model.coef_, [1.5, 1.5], rtol=1e-13)  # the least norm; rounding of a 6-row SVD
    assert model.rank_ == 1
    assert model.intercept_ == pytest.approx(1.0, abs=1e-12)


def test_least_squares_with_more_features_than_samples_has_the_least_norm():
    # Through the origin, one equation w . (3, 4) = 10: the least norm is 10 (3, 4) / 25.
    model = LinearRegression(fit_intercept=False).fit([[3.0, 4.0]], [10.0])
    np.testing.assert_allclose(model.coef_, [1.2, 1.6], rtol=1e-15)
    assert model.intercept_ == 0.0


def test_dependent_columns_do_not_blow_up_the_weights():
    rng = np.random.default_rng(0)
    X = rng.random((30, 2))
    X = np.column_stack([X, X @ [1.0, 2.0], np.full(30, 0.1)])
    model = LinearRegression().fit(X, rng.random(30))
    assert model.rank_ == 2
    assert model.coef_[3] == pytest.approx(0.0, abs=1e-14) and np.abs(model.coef_).max() < 10
    assert model.singular_.shape == (4,)


@pytest.mark.parametrize("kind", ALL)
def test_constant_drivers_predict_the_mean(kind):
    # 0.1 summed thirty times is not 3.0: a rounded mean must not pass for information.
    model = kind().fit(np.full((30, 2), 0.1), np.arange(30.0))
    assert model.coef_.tolist() == [0.0, 0.0]
    assert model.predict([[7.0, -7.0]])[0] == pytest.approx(14.5, rel=1e-15)


@pytest.mark.parametrize("kind", ALL)
def test_one_sample_and_a_constant_target_are_predicted(kind):
    assert kind().fit([[1.0, 2.0]], [5.0]).predict([[8.0, 9.0]]).tolist() == [5.0]
    model = kind().fit(np.random.default_rng(1).random((9, 2)), np.full(9, 0.7))
    assert model.predict([[3.0, -4.0]])[0] == pytest.approx(0.7, rel=1e-15)


# ---- Bayesian regression


def posterior(model, X, y):
    """Mean and covariance of the weights at the model's precisions, by an explicit inverse."""
    X, y = X - X.mean(axis=0), y - y.mean()
    sigma = np.linalg.inv(model.lambda_ * np.eye(X.shape[1]) + model.alpha_ * X.T @ X)
    return model.alpha_ * sigma @ X.T @ y, sigma, X, y


@pytest.mark.parametrize("seed, n, d", [(0, 30, 3), (1, 12, 5), (2, 4, 8)])
def test_bayesian_weights_and_predictions_are_those_of_the_posterior(seed, n, d):
    X, y = random_problem(seed, n, d)
    model = BayesianRegression(tol=1e-12, max_iter=5000, alpha_1=1e-2, alpha_2=1e-2, lambda_1=1e-2, lambda_2=1e-2)
    mean, sigma, _, _ = posterior(model.fit(X, y), X, y)
    np.testing.assert_allclose(model.coef_, mean, rtol=1e-8, atol=1e-10)  # the inverse squares the condition number
    np.testing.assert_allclose(model.sigma_, sigma, rtol=1e-8, atol=1e-10)
    new = np.random.default_rng(seed).standard_normal((5, d))
    offset = new - X.mean(axis=0)
    np.testing.assert_allclose(model.predict(new), y.mean() + offset @ mean, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_bayesian_precisions_are_a_fixed_point_of_mackays_updates(seed):
    X, y = random_problem(seed)
    model = BayesianRegression(tol=1e-13, max_iter=5000).fit(X, y)
    mean, sigma, Xc, yc = posterior(model, X, y)
    determined = X.shape[1] - model.lambda_ * np.trace(sigma)  # Bishop eq. 3.91 by another formula
    assert model.lambda_ == pytest.approx((determined + 2e-6) / (mean @ mean + 2e-6), rel=1e-8)
    error = np.sum((yc - Xc @ mean) ** 2)
    assert model.alpha_ == pytest.approx((y.size - determined + 2e-6) / (error + 2e-6), rel=1e-8)


def log_density(model, X, y, alpha, lambda_):
    """ln N(y; 0, I/alpha + X X'/lambda) of centred data, plus the Gamma priors less constants, from the definition."""
    X, y = X - X.mean(axis=0), y - y.mean()
    covariance = np.eye(y.size) / alpha + X @ X.T / lambda_
    logdet = np.linalg.slogdet(covariance)[1]
    likelihood = -0.5 * (y.size * np.log(2 * np.pi) + logdet + y @ np.linalg.solve(covariance, y))
    shape_rate = ((alpha, model.alpha_1, model.alpha_2), (lambda_, model.lambda_1, model.lambda_2))
    return likelihood + sum(shape * np.log(value) - rate * value for value, shape, rate in shape_rate)


@pytest.mark.parametrize("seed, n, d", [(0, 30, 3), (3, 6, 9)])
def test_bayesian_precisions_maximise_the_log_density_of_the_data(seed, n, d):
    X, y = random_problem(seed, n, d)
    rates = {} if n > d else {"alpha_1": 0.5, "alpha_2": 0.5, "lambda_1": 0.5, "lambda_2": 0.5}
    model = BayesianRegression(tol=1e-12, max_iter=9000, **rates).fit(X, y)
    reached = log_density(model, X, y, model.alpha_, model.lambda_)
    assert log_density(model, X, y, 1 / y.var(), 1.0) < reached  # where it began
    for factors in ((1.02, 1), (0.98, 1), (1, 1.02), (1, 0.98)):
        assert log_density(model, X, y, model.alpha_ * factors[0], model.lambda_ * factors[1]) < reached


def test_bayesian_regression_shrinks_noise_and_keeps_a_clear_signal():
    rng = np.random.default_rng(8)
    X = rng.standard_normal((200, 3))
    clear = BayesianRegression().fit(X, X @ [1.0, -2.0, 3.0] + 1e-3 * rng.standard_normal(200))
    np.testing.assert_allclose(clear.coef_, [1.0, -2.0, 3.0], atol=1e-3)  # noise 1e-3 over sqrt(200) samples
    assert clear.alpha_ == pytest.approx(1e6, rel=0.3)  # the noise's precision, known to sqrt(2/200) = 10 %
    noise = rng.standard_normal(200)
    least_squares = LinearRegression().fit(X, noise)
    assert np.linalg.norm(BayesianRegression().fit(X, noise).coef_) < 0.9 * np.linalg.norm(least_squares.coef_)


def test_bayesian_regression_stays_finite_without_hyperpriors_and_without_noise():
    x = np.arange(5.0)[:, None]
    model = BayesianRegression(alpha_1=0, alpha_2=0, lambda_1=0, lambda_2=0).fit(x, 2 * x[:, 0])
    np.testing.assert_allclose(model.predict([[10.0]]), 20.0, rtol=1e-12)
    flat = BayesianRegression(alpha_1=0, alpha_2=0, lambda_1=0, lambda_2=0).fit(x, np.ones(5))
    assert flat.predict([[10.0]]).tolist() == [1.0]


def test_bayesian_regression_warns_where_the_limit_comes_first():
    X, y = random_problem(0)
    with pytest.warns(DataWarning, match="2 updates"):
        assert BayesianRegression(max_iter=2, tol=1e-15).fit(X, y).n_iter_ == 2


# ---- ElasticNet


def objective(X, y, w, alpha, l1_ratio):
    """The objective of the module's docstring, centred."""
    X, y = X - X.mean(axis=0), y - y.mean()
    penalty = alpha * l1_ratio * np.abs(w).sum() + alpha * (1 - l1_ratio) / 2 * w @ w
    return np.sum((y - X @ w) ** 2) / (2 * y.size) + penalty


@given(st.integers(0, 10_000), st.sampled_from([0.001, 0.05, 0.5, 3.0]), st.sampled_from([0.0, 0.3, 0.5, 1.0]))
@settings(max_examples=80, deadline=None)
def test_elastic_net_meets_its_subgradient_conditions(seed, alpha, l1_ratio):
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((12, 4)), rng.standard_normal(12)
    model = ElasticNet(alpha, l1_ratio, tol=1e-14, max_iter=100_000).fit(X, y)
    w = model.coef_
    correlation = (X - X.mean(axis=0)).T @ (y - model.predict(X)) / 12
    pull = correlation - alpha * (1 - l1_ratio) * w
    # A gap of 1e-14 |y|^2 leaves errors near its root in w, times second derivatives near 1.
    np.testing.assert_allclose(pull[w != 0], alpha * l1_ratio * np.sign(w[w != 0]), atol=3e-6)
    assert np.all(np.abs(pull[w == 0]) <= alpha * l1_ratio + 3e-6)


def test_lasso_on_orthogonal_columns_is_soft_thresholding():
    # Columns of a 4-point design, each with |x|^2 = 4 = n: w = soft(x . y / n, alpha).
    X = np.array([[1.0, 1.0, 1.0], [1.0, -1.0, -1.0], [-1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]])
    y = X @ [3.0, -0.5, 0.2]
    model = ElasticNet(alpha=0.3, l1_ratio=1.0).fit(X, y)
    np.testing.assert_allclose(model.coef_, [2.7, -0.2, 0.0], atol=1e-15)
    assert model.coef_[2] == 0.0
    # With the ridge part: soft(x . y / n, alpha l1_ratio) / (1 + alpha (1 - l1_ratio)).
    mixed = ElasticNet(alpha=1.0, l1_ratio=0.25).fit(X, y)
    np.testing.assert_allclose(mixed.coef_, [2.75 / 1.75, -0.25 / 1.75, 0.0], atol=1e-15)


def test_ridge_limit_follows_the_closed_form():
    X, y = random_problem(4)
    Xc, yc = X - X.mean(axis=0), y - y.mean()
    exact = np.linalg.solve(Xc.T @ Xc + 30 * 0.2 * np.eye(3), Xc.T @ yc)
    model = ElasticNet(alpha=0.2, l1_ratio=0.0, tol=1e-16, max_iter=100_000).fit(X, y)
    np.testing.assert_allclose(model.coef_, exact, rtol=1e-6)  # a gap of 1e-16 |y|^2 is 1e-8 in w, times the condition
    assert model.intercept_ == pytest.approx(y.mean() - X.mean(axis=0) @ exact, rel=1e-5)


def test_without_a_penalty_elastic_net_is_least_squares():
    X, y = random_problem(5)
    model = ElasticNet(alpha=0).fit(X, y)
    assert model.coef_.tolist() == LinearRegression().fit(X, y).coef_.tolist()


@pytest.mark.parametrize("l1_ratio", [0.0, 0.5, 1.0])
def test_duality_gap_bounds_the_distance_to_the_optimum_at_any_point(l1_ratio):
    rng = np.random.default_rng(9)
    X, y = rng.standard_normal((15, 4)), rng.standard_normal(15)
    Xc, yc = X - X.mean(axis=0), y - y.mean()
    best = ElasticNet(0.1, l1_ratio, tol=1e-15, max_iter=100_000).fit(X, y).coef_
    for scale in (0.0, 0.5, 1.0, 2.0):
        w = scale * best + 0.1 * rng.standard_normal(4)
        gap = elastic_net.duality_gap(Xc, yc - Xc @ w, w, 15 * 0.1 * l1_ratio, 15 * 0.1 * (1 - l1_ratio)) / 15
        excess = objective(X, y, w, 0.1, l1_ratio) - objective(X, y, best, 0.1, l1_ratio)
        assert gap >= excess > 0


def test_sweeps_never_raise_the_objective_and_stop_at_the_stated_gap():
    X, y = random_problem(6)
    values = []
    for sweeps in range(1, 8):
        with pytest.warns(DataWarning, match=f"{sweeps} sweeps"):
            model = ElasticNet(0.05, tol=1e-300, max_iter=sweeps).fit(X, y)
        values.append(objective(X, y, model.coef_, 0.05, 0.5))
        assert model.n_iter_ == sweeps
    assert np.all(np.diff(values) <= 1e-14)  # rounding of sums near 1
    done = ElasticNet(0.05, tol=1e-4).fit(X, y)
    assert done.dual_gap_ <= 1e-4 * y.var()


def test_a_strong_penalty_leaves_only_the_mean():
    X, y = random_problem(7)
    model = ElasticNet(alpha=1e6).fit(X, y)
    assert model.coef_.tolist() == [0.0, 0.0, 0.0] and model.intercept_ == pytest.approx(y.mean(), rel=1e-15)


# ---- what they share


@pytest.mark.parametrize("kind", ALL)
def test_without_an_intercept_the_plane_leads_through_the_origin(kind):
    X, y = random_problem(3)
    model = kind(fit_intercept=False).fit(X, y)
    assert model.intercept_ == 0.0 and model.predict(np.zeros((1, 3))).tolist() == [0.0]
    raw_residual = y - X @ model.coef_
    if kind is LinearRegression:  # uncentred normal equations; sums of 30 products near 100
        np.testing.assert_allclose(X.T @ raw_residual, 0.0, atol=1e-9)


@pytest.mark.parametrize("kind", ALL)
def test_a_prediction_does_not_depend_on_the_company_of_its_row(kind):
    X, y = random_problem(2)
    model = kind().fit(X, y)
    assert model.predict(X)[7] == model.predict(X[7:8])[0]


@pytest.mark.parametrize("kind", ALL)
def test_fit_changes_neither_its_input_nor_its_parameters(kind):
    X, y = random_problem(1)
    X_before, y_before = X.copy(), y.copy()
    model = kind()
    before = model.get_params()
    assert model.fit(X, y) is model
    assert np.array_equal(X, X_before) and np.array_equal(y, y_before) and model.get_params() == before


@pytest.mark.parametrize(
    "model, said",
    [
        (ElasticNet(alpha=-1.0), "ElasticNet: alpha is -1.0"),
        (ElasticNet(l1_ratio=1.5), "ElasticNet: l1_ratio is 1.5"),
        (ElasticNet(tol=0), "ElasticNet: tol is 0"), (ElasticNet(max_iter=0), "ElasticNet: max_iter is 0"),
        (BayesianRegression(tol=-1), "BayesianRegression: tol is -1"),
        (BayesianRegression(alpha_1=-1e-6), "BayesianRegression: alpha_1 is -1e-06"),
        (BayesianRegression(lambda_init=0.0), "BayesianRegression: lambda_init is 0.0"),
        (LinearRegression(fit_intercept=1), "LinearRegression: fit_intercept is 1"),
    ],
)  # fmt: skip
def test_a_bad_parameter_is_one_sentence_that_names_it(model, said):
    with pytest.raises(InputError, match=said):
        model.fit([[0.0], [1.0]], [0.0, 1.0])


@pytest.mark.parametrize("kind", ALL)
def test_bad_arrays_are_value_errors(kind):
    nan, none = np.nan, np.empty((0, 1))
    for X, y in (([1.0], [1.0]), ([[1.0]], [1.0, 2.0]), ([[nan]], [1.0]), ([[1.0]], [nan]), (none, [])):
        with pytest.raises(ValueError):
            kind().fit(X, y)
    with pytest.raises(ValueError, match="not fitted"):
        kind().predict([[1.0]])
    with pytest.raises(ValueError, match="has no parameter"):
        kind().set_params(nonsense=1)
