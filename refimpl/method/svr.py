"""Table 1: support vector regression, f(x) = sum_k beta_k k(x_k, x) + b, by the solver in ``smo.py``.

The paper names SVR but neither kernel nor settings; D06: RBF, C = 1, epsilon = 0.1,
gamma = 1 / (d Var X), target standardised (by ``selection.fit_model``).  X (n, d) without unit
(scaled), y (n,), float64.  Attributes have the names and shapes of ``sklearn.svm.SVR``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from refimpl.errors import warn
from refimpl.method import hyperparameters as check
from refimpl.method.estimator import Regressor, feature_matrix, finite_float64, training_data, weighted_sum
from refimpl.method.kernel_functions import KERNELS, kernel_expansion, overflow
from refimpl.method.linear import weighted_features
from refimpl.method.smo import minimise_dual

LEAST_LIMIT = 10_000_000
"""Where no limit is set, iterations stop at this number or at 100 n, whichever is larger (LIBSVM's guard)."""


@dataclass(eq=False)
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
    cache_size : float, > 0
        MB of kernel values that the solver keeps.
    shrinking : bool
        Let the solver put aside samples that have come to a bound; the stopping rule is met on all of them.

    Attributes
    ----------
    support_ (n_sv,), support_vectors_ (n_sv, d), dual_coef_ (1, n_sv), intercept_ (1,), gamma_, n_iter_,
    n_features_in_, kkt_gap_ (m(a) - M(a) reached), and for the linear kernel coef_ (1, d).

    >>> model = SVR(kernel="linear", C=10.0, epsilon=0.5).fit([[0.0], [2.0]], [0.5, 3.5])
    >>> model.coef_, model.intercept_, model.predict([[1.0], [4.0]])
    (array([[1.]]), array([1.]), array([2., 5.]))
    """

    FITTED = tuple("support_ support_vectors_ dual_coef_ intercept_ gamma_ n_iter_ n_features_in_ kkt_gap_".split())
    kernel: str = "rbf"
    C: float = 1.0
    epsilon: float = 0.1
    gamma: str | float = "scale"
    degree: int = 3
    coef0: float = 0.0
    tol: float = 1e-3
    max_iter: int = -1
    cache_size: float = 200.0
    shrinking: bool = True

    def fit(self, X, y) -> SVR:
        """Learn from X (n, d) and y (n,).

        Warns with ``DataWarning`` where the limit, or the precision of float64, was reached before ``tol``.

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
        cache_size = check.positive("SVR", "cache_size", self.cache_size)
        shrinking = check.switch("SVR", "shrinking", self.shrinking)
        self.gamma_ = self._gamma(X)
        limit = limit if limit > 0 else max(LEAST_LIMIT, 100 * y.size)
        beta, intercept, self.kkt_gap_, self.n_iter_, reached = minimise_dual(
            X, y, *self._kernel(), C, epsilon, tol, limit, cache_size, shrinking
        )
        if not reached < tol:
            warn(f"SVR stopped after {self.n_iter_} iterations with its KKT conditions met to {reached:.3g}, not to "
                 f"tol={tol:g}; scale the features, raise tol or max_iter, or lower C", stacklevel=3)  # fmt: skip
        self.support_ = np.flatnonzero(beta)
        self.support_vectors_ = X[self.support_]
        self.dual_coef_ = beta[np.newaxis, self.support_]
        self.intercept_, self.n_features_in_ = np.array([intercept]), X.shape[1]
        return self

    def predict(self, X) -> np.ndarray:
        """f(x) for each row of X (n, d), (n,) float64; the linear kernel's sum is one weight for each feature."""
        self._require_fitted()
        X = finite_float64(feature_matrix(X, self.n_features_in_), "X")
        if self.kernel == "linear":
            values = weighted_features(X, self.coef_[0], self.intercept_[0])
        else:
            values = kernel_expansion(X, self.support_vectors_, self.dual_coef_[0], *self._kernel())
            values += self.intercept_[0]
        if not np.isfinite(values).all():
            raise overflow(self.kernel)
        return values

    @property
    def coef_(self) -> np.ndarray:
        """w (1, d), which only the linear kernel has in the space of X."""
        if self.kernel != "linear":
            raise AttributeError("coef_ exists for kernel='linear' only")
        return weighted_sum(self.support_vectors_.T, self.dual_coef_[0])[np.newaxis]

    def _kernel(self) -> tuple[str, float, int, float]:
        """What the kernel functions ask for: the kernel's name, gamma, degree and coef0."""
        check.choice("SVR", "kernel", self.kernel, KERNELS)
        degree, coef0 = check.count("SVR", "degree", self.degree), check.finite("SVR", "coef0", self.coef0)
        return self.kernel, self.gamma_, degree, coef0

    def _gamma(self, X: np.ndarray) -> float:
        if not isinstance(self.gamma, str):
            return check.positive("SVR", "gamma", self.gamma)
        check.choice("SVR", "gamma", self.gamma, ["scale", "auto"])
        if self.gamma == "auto":
            return 1 / X.shape[1]
        deviations = X - X.sum() / X.size  # by hand, the variance of 30 samples costs half of what X.var() does
        variance = float((deviations * deviations).sum() / X.size)
        # The rounded mean of equal numbers need not be that number: what it leaves is no variance.
        return 1 / (X.shape[1] * variance) if variance > 0 and X.min() < X.max() else 1.0
