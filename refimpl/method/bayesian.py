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

from dataclasses import dataclass

import numpy as np

from refimpl.errors import warn
from refimpl.method import hyperparameters as check
from refimpl.method.estimator import training_data
from refimpl.method.linear import LinearModel

LEAST = 1e-200
"""Keeps a precision finite where the user sets a rate of 0 and the residuals, or the weights, vanish."""


@dataclass(eq=False)
class BayesianRegression(LinearModel):
    """Bayesian ridge regression with evidence maximisation.

    Parameters
    ----------
    max_iter, tol : limit of updates, and the change of the weights (sum of |differences|) at which they stop
    alpha_1, alpha_2, lambda_1, lambda_2 : floats, >= 0
        Shape and rate of the Gamma priors of alpha and lambda; 1e-6 says almost nothing.
    alpha_init, lambda_init : floats > 0, or None for 1 / Var y and 1
    fit_intercept : bool

    Attributes
    ----------
    coef_ (d,), intercept_, alpha_, lambda_, sigma_ (d, d) covariance of the weights, X_offset_ (d,) mean
    of X, n_iter_, n_features_in_.

    >>> model = BayesianRegression().fit([[0.0], [1.0], [2.0], [3.0]], [1.0, 3.1, 4.9, 7.0])
    >>> model.predict([[1.5]]).round(3)
    array([4.])
    """

    FITTED = ("coef_", "intercept_", "alpha_", "lambda_", "sigma_", "X_offset_", "n_iter_", "n_features_in_")
    max_iter: int = 300
    tol: float = 1e-3
    alpha_1: float = 1e-6
    alpha_2: float = 1e-6
    lambda_1: float = 1e-6
    lambda_2: float = 1e-6
    alpha_init: float | None = None
    lambda_init: float | None = None
    fit_intercept: bool = True

    def fit(self, X, y) -> BayesianRegression:
        """Learn from X (n, d) and y (n,); InputError for a bad parameter, ValueError for bad arrays."""
        X, y, X_mean, y_mean = self._centred(*training_data(X, y))
        self._check()
        U, singular, Vt = np.linalg.svd(X, full_matrices=True)
        eigen = np.zeros(X.shape[1])  # of X'X, one for each row of Vt
        eigen[: singular.size] = singular**2
        projected = np.zeros(X.shape[1])  # V' X' y
        projected[: singular.size] = singular * (U.T @ y)[: singular.size]

        alpha, lambda_, self.n_iter_ = self._maximise_evidence(X, y, eigen, projected, Vt)
        self._set_plane(Vt.T @ (projected / (eigen + lambda_ / alpha)), X_mean, y_mean)
        self.alpha_, self.lambda_, self.X_offset_ = alpha, lambda_, X_mean
        self.sigma_ = Vt.T @ (Vt / (lambda_ + alpha * eigen)[:, np.newaxis])
        return self

    def _maximise_evidence(self, X, y, eigen, projected, Vt) -> tuple[float, float, int]:
        """MacKay's updates: alpha, lambda, and how many were made."""
        variance = np.mean((y - y.mean()) ** 2)
        alpha = float(self.alpha_init or 1 / (variance + np.finfo(float).eps))
        lambda_ = float(self.lambda_init or 1.0)
        before = None
        for n_iter in range(1, self.max_iter + 1):
            coef = Vt.T @ (projected / (eigen + lambda_ / alpha))
            determined = np.sum(alpha * eigen / (lambda_ + alpha * eigen))
            squared_error = np.sum((y - X @ coef) ** 2)
            lambda_ = float((determined + 2 * self.lambda_1) / max(np.sum(coef**2) + 2 * self.lambda_2, LEAST))
            alpha = float((y.size - determined + 2 * self.alpha_1) / max(squared_error + 2 * self.alpha_2, LEAST))
            if before is not None and np.sum(np.abs(coef - before)) < self.tol:
                return alpha, lambda_, n_iter
            before = coef
        sentence = f"BayesianRegression made {self.max_iter} updates without reaching tol={self.tol:g}; "
        warn(sentence + "raise max_iter or tol", stacklevel=3)
        return alpha, lambda_, self.max_iter

    def _check(self) -> None:
        check.count("BayesianRegression", "max_iter", self.max_iter)
        check.positive("BayesianRegression", "tol", self.tol)
        for name in ("alpha_1", "alpha_2", "lambda_1", "lambda_2"):
            check.not_negative("BayesianRegression", name, getattr(self, name))
        for name in ("alpha_init", "lambda_init"):
            if getattr(self, name) is not None:
                check.positive("BayesianRegression", name, getattr(self, name))
