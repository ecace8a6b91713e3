"""Table 1: Bayesian linear regression, both precisions found by evidence maximisation.

    y | w   ~ N(X w, 1/alpha)      alpha: precision of the noise
    w       ~ N(0, I/lambda)       lambda: precision of the weights
    alpha   ~ Gamma(alpha_1, rate alpha_2),    lambda ~ Gamma(lambda_1, rate lambda_2)

With X = U S V' (centred; the intercept has a flat prior) the posterior of w is normal,

    mean        m = V diag(s / (s^2 + lambda/alpha)) U' y
    covariance  Sigma = V diag(1 / (lambda + alpha s^2)) V'

and MacKay's fixed point raises the evidence p(y | alpha, lambda), Bishop 2006, section 3.5.2:

    gamma = sum_k alpha s_k^2 / (lambda + alpha s_k^2)         (parameters well determined by the data)
    lambda = (gamma + 2 lambda_1) / (|m|^2 + 2 lambda_2)
    alpha = (n - gamma + 2 alpha_1) / (|y - X m|^2 + 2 alpha_2)

It stops where sum |m - m_before| < tol.  Source: MacKay 1992 (Bayesian interpolation); the
hyperpriors are those of Tipping 2001.  X (n, d), y (n,), float64.
"""

from __future__ import annotations

import warnings

import numpy as np

from refimpl.errors import DataWarning
from refimpl.method import hyperparameters as check
from refimpl.method.estimator import training_data
from refimpl.method.linear import LinearModel, predict_in_blocks

LEAST = 1e-200
"""Keeps a precision finite where the user sets a rate of 0 and the residuals, or the weights, vanish."""


class BayesianRegression(LinearModel):
    """Bayesian ridge regression with evidence maximisation.

    Parameters
    ----------
    max_iter, tol : limit of updates, and the change of the weights (sum of |differences|) at which they stop
    alpha_1, alpha_2, lambda_1, lambda_2 : floats, >= 0
        Shape and rate of the Gamma priors of alpha and lambda; 1e-6 says almost nothing.
    alpha_init, lambda_init : floats > 0, or None for 1 / Var y and 1
    compute_score : bool
        Keep the log marginal likelihood (plus the log hyperpriors, less their constants) before each update
        and at the end.
    fit_intercept : bool

    Attributes
    ----------
    coef_ (d,), intercept_, alpha_, lambda_, sigma_ (d, d) covariance of the weights, X_offset_ (d,) mean
    of X, n_iter_, n_features_in_, scores_ (empty unless ``compute_score``).

    >>> model = BayesianRegression().fit([[0.0], [1.0], [2.0], [3.0]], [1.0, 3.1, 4.9, 7.0])
    >>> mean, deviation = model.predict([[1.5]], return_std=True)
    >>> mean.round(3), deviation.round(2)
    (array([4.]), array([0.08]))
    """

    FITTED = (
        "coef_", "intercept_", "alpha_", "lambda_", "sigma_", "X_offset_", "n_iter_", "n_features_in_", "scores_",
    )  # fmt: skip

    def __init__(
        self, max_iter=300, tol=1e-3, alpha_1=1e-6, alpha_2=1e-6, lambda_1=1e-6, lambda_2=1e-6,
        alpha_init=None, lambda_init=None, compute_score=False, fit_intercept=True,
    ):  # fmt: skip
        self.max_iter = max_iter
        self.tol = tol
        self.alpha_1 = alpha_1
        self.alpha_2 = alpha_2
        self.lambda_1 = lambda_1
        self.lambda_2 = lambda_2
        self.alpha_init = alpha_init
        self.lambda_init = lambda_init
        self.compute_score = compute_score
        self.fit_intercept = fit_intercept

    def fit(self, X, y) -> BayesianRegression:
        """Learn from X (n, d) and y (n,); InputError for a bad parameter, ValueError for bad arrays."""
        X, y, X_mean, y_mean = self._centred(*training_data(X, y))
        self._check()
        U, singular, Vt = np.linalg.svd(X, full_matrices=True)
        eigen = np.zeros(X.shape[1])  # of X'X, one for each row of Vt
        eigen[: singular.size] = singular**2
        projected = np.zeros(X.shape[1])  # V' X' y
        projected[: singular.size] = singular * (U.T @ y)[: singular.size]

        alpha, lambda_, self.n_iter_, scores = self._maximise_evidence(X, y, eigen, projected, Vt)
        coef = Vt.T @ (projected / (eigen + lambda_ / alpha))
        if self.compute_score:
            scores.append(self._log_evidence(X, y, coef, eigen, alpha, lambda_))
        self._set_plane(coef, X_mean, y_mean)
        self.alpha_, self.lambda_, self.X_offset_, self.scores_ = alpha, lambda_, X_mean, np.array(scores)
        self.sigma_ = Vt.T @ (Vt / (lambda_ + alpha * eigen)[:, np.newaxis])
        return self

    def predict(self, X, return_std: bool = False):
        """The mean of the predictive distribution, (n,); with ``return_std`` also its standard deviation, (n,).

        The variance is 1/alpha + (x - mean)' Sigma (x - mean); the uncertainty of the intercept,
        1/(n alpha), is not part of it.
        """
        mean = super().predict(X)
        if not return_std:
            return mean
        return mean, predict_in_blocks(self._deviation, X, self.n_features_in_)

    def _deviation(self, X: np.ndarray) -> np.ndarray:
        """The standard deviation of the predictive distribution, (n,), for a block of finite rows."""
        offset = X - self.X_offset_
        return np.sqrt(1 / self.alpha_ + np.sum((offset @ self.sigma_) * offset, axis=1))

    def _maximise_evidence(self, X, y, eigen, projected, Vt) -> tuple[float, float, int, list[float]]:
        """MacKay's updates: alpha, lambda, how many were made, and the scores (where wanted)."""
        variance = np.mean((y - y.mean()) ** 2)
        alpha = float(self.alpha_init or 1 / (variance + np.finfo(float).eps))
        lambda_ = float(self.lambda_init or 1.0)
        before, scores = None, []
        for n_iter in range(1, self.max_iter + 1):
            coef = Vt.T @ (projected / (eigen + lambda_ / alpha))
            if self.compute_score:
                scores.append(self._log_evidence(X, y, coef, eigen, alpha, lambda_))
            determined = np.sum(alpha * eigen / (lambda_ + alpha * eigen))
            squared_error = np.sum((y - X @ coef) ** 2)
            lambda_ = float((determined + 2 * self.lambda_1) / max(np.sum(coef**2) + 2 * self.lambda_2, LEAST))
            alpha = float((y.size - determined + 2 * self.alpha_1) / max(squared_error + 2 * self.alpha_2, LEAST))
            if before is not None and np.sum(np.abs(coef - before)) < self.tol:
                return alpha, lambda_, n_iter, scores
            before = coef
        warnings.warn(
            f"BayesianRegression made {self.max_iter} updates without reaching tol={self.tol:g}; raise max_iter or tol",
            DataWarning,
            stacklevel=3,
        )
        return alpha, lambda_, self.max_iter, scores

    def _log_evidence(self, X, y, coef, eigen, alpha, lambda_) -> float:
        """ln p(y | alpha, lambda), Bishop eq. 3.86, plus the logs of both Gamma priors less their constants."""
        n, d = X.shape
        energy = 0.5 * (alpha * np.sum((y - X @ coef) ** 2) + lambda_ * np.sum(coef**2))
        log_evidence = 0.5 * (d * np.log(lambda_) + n * np.log(alpha) - n * np.log(2 * np.pi)) - energy
        log_evidence -= 0.5 * np.sum(np.log(lambda_ + alpha * eigen))
        priors = self.lambda_1 * np.log(lambda_) - self.lambda_2 * lambda_
        priors += self.alpha_1 * np.log(alpha) - self.alpha_2 * alpha
        return float(log_evidence + priors)

    def _check(self) -> None:
        check.count("BayesianRegression", "max_iter", self.max_iter)
        check.positive("BayesianRegression", "tol", self.tol)
        check.switch("BayesianRegression", "compute_score", self.compute_score)
        for name in ("alpha_1", "alpha_2", "lambda_1", "lambda_2"):
            check.not_negative("BayesianRegression", name, getattr(self, name))
        for name in ("alpha_init", "lambda_init"):
            if getattr(self, name) is not None:
                check.positive("BayesianRegression", name, getattr(self, name))
