"""Table 1: ordinary least squares by the singular value decomposition; and what the linear models share.

    min over w, b    |y - X w - b|^2

X (n, d) and y (n,) are centred, so that b drops out, and X = U S V'; then w = V S^+ U' y, where S^+
inverts only singular values above eps max(n, d) s_max.  Where columns depend on one another this is
the solution of least norm (Golub & Van Loan, Matrix Computations, 5.5), as ``numpy.linalg.lstsq`` gives it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from refimpl.method import hyperparameters as check
from refimpl.method.estimator import Regressor, feature_matrix, finite_float64, training_data, weighted_sum
from refimpl.method.scaling import centre
from refimpl.twins import twin


@twin("kernels.linear")
def weighted_features(X: np.ndarray, weights: np.ndarray, intercept: float) -> np.ndarray:
    """X (n, d) times ``weights`` (d,), added feature after feature, plus ``intercept``: (n,).

    >>> weighted_features(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([10.0, 1.0]), 0.5)
    array([12.5, 34.5])
    """
    return weighted_sum(X, weights) + intercept


class LinearModel(Regressor):
    """f(x) = coef_ . x + intercept_: what ``LinearRegression``, ``BayesianRegression`` and ``ElasticNet`` share."""

    def predict(self, X) -> np.ndarray:
        """f(x) for each row of X (n, d), (n,) float64."""
        self._require_fitted()
        X = finite_float64(feature_matrix(X, self.n_features_in_), "X")
        return weighted_features(X, self.coef_, self.intercept_)

    def _centred(self, X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        """X, y centred, and both means; untouched and zeros where no intercept is fitted."""
        if not check.switch(type(self).__name__, "fit_intercept", self.fit_intercept):
            return X, y, np.zeros(X.shape[1]), 0.0
        (X, X_mean), (y, y_mean) = centre(X), centre(y)
        return X, y, X_mean, float(y_mean)

    def _set_plane(self, coef: np.ndarray, X_mean: np.ndarray, y_mean: float) -> None:
        """Keep the weights, and the intercept that leads the plane through the means."""
        self.coef_ = coef
        self.intercept_ = float(y_mean - np.sum(X_mean * coef))
        self.n_features_in_ = coef.size


def least_squares(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, int, np.ndarray]:
    """The w (d,) of least norm among those that minimise |y - X w|, the rank, and all singular values.

    >>> least_squares(np.array([[1.0, 1.0], [2.0, 2.0]]), np.array([2.0, 4.0]))[0].round(12)
    array([1., 1.])
    """
    U, singular, Vt = np.linalg.svd(X, full_matrices=False)
    kept = singular > np.finfo(float).eps * max(X.shape) * singular[0]
    coef = Vt[kept].T @ ((U[:, kept].T @ y) / singular[kept])
    return coef, int(kept.sum()), singular


@dataclass(eq=False)
class LinearRegression(LinearModel):
    """Ordinary least squares; ``fit_intercept`` False leads the plane through the origin.

    Attributes
    ----------
    coef_ (d,), intercept_, rank_ and singular_ (min(n, d),) of the centred X, n_features_in_.

    >>> model = LinearRegression().fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0])
    >>> model.coef_.round(12), round(model.intercept_, 12)
    (array([2.]), 1.0)
    """

    FITTED = ("coef_", "intercept_", "rank_", "singular_", "n_features_in_")
    fit_intercept: bool = True

    def fit(self, X, y) -> LinearRegression:
        """Learn from X (n, d) and y (n,); ValueError for other shapes, nan or infinities."""
        X, y, X_mean, y_mean = self._centred(*training_data(X, y))
        coef, self.rank_, self.singular_ = least_squares(X, y)
        self._set_plane(coef, X_mean, y_mean)
        return self
