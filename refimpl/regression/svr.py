"""Table 1: support vector regression, f(x) = sum_k beta_k k(x_k, x) + b, by the solver in ``smo.py``.

The paper names SVR but neither kernel nor settings; D06: RBF, C = 1, epsilon = 0.1,
gamma = 1 / (d Var X), target standardised (by ``selection.fit_model``).  X (n, d) without unit
(scaled), y (n,), float64.  Attributes have the names and shapes of ``sklearn.svm.SVR``.
"""

from __future__ import annotations

import numpy as np

from refimpl.errors import InputError
from refimpl.regression import hyperparameters as check
from refimpl.regression import smo
from refimpl.regression.estimator import Regressor, feature_matrix, finite_float64, training_data, weighted_sum
from refimpl.regression.kernel_functions import KERNELS

BLOCK = 2**18
"""Kernel values held at once while predicting (2 MiB an array), however many rows there are."""


class SVR(Regressor):
    """Epsilon-insensitive support vector regression.

    Parameters
    ----------
    kernel : "rbf", "linear" or "poly"
    C : float, > 0
        Price of a residual beyond epsilon: each |beta_k| is at most C.
    epsilon : float, >= 0, in units of y
        Residuals up to this cost nothing; their samples are no support vectors.
    gamma : "scale" (1 / (d Var X), the variance of all entries of X; 1 where it is 0), "auto" (1 / d), or a float > 0
    degree, coef0 : exponent (1 or greater) and constant of the polynomial kernel
    tol : float, > 0
        The solver stops where m(a) - M(a) < tol (see ``smo``).
    max_iter : int
        Limit of solver steps; -1 for none.

    Attributes
    ----------
    support_ (n_sv,), support_vectors_ (n_sv, d), dual_coef_ (1, n_sv), intercept_ (1,), gamma_, n_iter_,
    n_features_in_, kkt_gap_ (m(a) - M(a) reached), and for the linear kernel coef_ (1, d).

    >>> model = SVR(kernel="linear", C=10.0, epsilon=0.5).fit([[0.0], [2.0]], [0.5, 3.5])
    >>> model.coef_, model.intercept_, model.predict([[1.0], [4.0]])
    (array([[1.]]), array([1.]), array([2., 5.]))
    """

    FITTED = (
        "support_", "support_vectors_", "dual_coef_", "intercept_", "gamma_", "n_iter_", "n_features_in_", "kkt_gap_",
    )  # fmt: skip

    def __init__(
        self, kernel="rbf", C=1.0, epsilon=0.1, gamma="scale", degree=3, coef0=0.0, tol=1e-3, max_iter=-1
    ):  # fmt: skip
        self.kernel = kernel
        self.C = C
        self.epsilon = epsilon
        self.gamma = gamma
        self.degree = degree
        self.coef0 = coef0
        self.tol = tol
        self.max_iter = max_iter

    def fit(self, X, y) -> SVR:
        """Learn from X (n, d) and y (n,).

        Raises
        ------
        InputError
            A parameter is out of its range, or the kernel overflows.
        ValueError
            X or y has another shape, or holds nan or infinities.
        """
        X, y = training_data(X, y)
        C, epsilon = check.positive("SVR", "C", self.C), check.not_negative("SVR", "epsilon", self.epsilon)
        tol, limit = check.positive("SVR", "tol", self.tol), check.count("SVR", "max_iter", self.max_iter, unlimited=-1)
        check.choice("SVR", "kernel", self.kernel, KERNELS)
        self.gamma_ = self._gamma(X)
        result = smo.solve(self._kernel_matrix(X, X), y, C, epsilon, tol, limit)
        self.support_ = np.flatnonzero(result.beta)
        self.support_vectors_ = X[self.support_]
        self.dual_coef_ = result.beta[np.newaxis, self.support_]
        self.intercept_ = np.array([result.intercept])
        self.n_iter_, self.kkt_gap_, self.n_features_in_ = result.n_iter, result.gap, X.shape[1]
        return self

    def predict(self, X) -> np.ndarray:
        """f(x) for each row of X (n, d), (n,) float64.

        Rows are taken in blocks: memory beyond the result does not grow with n, and the division
        into blocks does not change a bit of the result.
        """
        self._require_fitted()
        X = feature_matrix(X, self.n_features_in_)
        result = np.empty(X.shape[0])
        rows = max(1, BLOCK // max(1, self.support_.size))
        for start in range(0, X.shape[0], rows):
            block = finite_float64(X[start : start + rows], "X")
            kernel = self._kernel_matrix(self.support_vectors_, block)  # a contiguous row for each support vector
            result[start : start + rows] = weighted_sum(kernel.T, self.dual_coef_[0]) + self.intercept_[0]
        return result

    @property
    def coef_(self) -> np.ndarray:
        """w (1, d), which only the linear kernel has in the space of X."""
        if self.kernel != "linear":
            raise AttributeError("coef_ exists for kernel='linear' only")
        return weighted_sum(self.support_vectors_.T, self.dual_coef_[0])[np.newaxis]

    def _kernel_matrix(self, X: np.ndarray, Z: np.ndarray) -> np.ndarray:
        """k(x, z), (n, m), with this model's settings."""
        degree, coef0 = check.count("SVR", "degree", self.degree), check.finite("SVR", "coef0", self.coef0)
        with np.errstate(over="ignore", invalid="ignore"):
            K = KERNELS[self.kernel](X, Z, self.gamma_, degree, coef0)
        if not np.isfinite(K).all():
            raise InputError(f"SVR: the {self.kernel} kernel of these features exceeds float64; scale them to [0, 1]")
        return K

    def _gamma(self, X: np.ndarray) -> float:
        d, variance = X.shape[1], X.var()
        if isinstance(self.gamma, str):
            check.choice("SVR", "gamma", self.gamma, ["scale", "auto"])
            return float(1 / d if self.gamma == "auto" else 1 / (d * variance) if variance > 0 else 1.0)
        return check.positive("SVR", "gamma", self.gamma)


def duality_gap(model: SVR, X, y) -> float:
    """Primal minus dual objective of a fitted model on its training data: 0 at the solution, else greater.

    >>> X, y = [[0.0], [2.0]], [0.5, 3.5]
    >>> duality_gap(SVR(kernel="linear", C=10.0, epsilon=0.5).fit(X, y), X, y)
    0.0
    """
    X, y = training_data(X, y)
    beta = np.zeros(y.size)
    beta[model.support_] = model.dual_coef_[0]
    K = model._kernel_matrix(X, X)
    primal, dual = smo.objectives(K, y, beta, model.intercept_[0], model.C, model.epsilon)
    return primal - dual
