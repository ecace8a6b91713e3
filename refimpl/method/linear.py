"""Table 1: ordinary least squares by the singular value decomposition; and what the linear models share.

    min over w, b    |y - X w - b|^2

X (n, d) and y (n,) are centred, so that b drops out, and X = U S V'; then w = V S^+ U' y, where S^+
inverts only singular values above eps max(n, d) s_max.  Where columns depend on one another this is
the solution of least norm (Golub & Van Loan, Matrix Computations, 5.5), as ``numpy.linalg.lstsq`` gives it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from refimpl.method import hyperparameters as check
from refimpl.method.estimator import Regressor, feature_matrix, finite_float64, training_data, weighted_sum
from refimpl.twins import twin

BLOCK = 2**20
"""Values of X that ``predict_in_blocks`` takes at once (8 MiB), however many rows there are."""


def centre(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``values`` (n, ...) less their mean over axis 0, and the mean; a constant column becomes exactly 0.

    (The rounded mean of equal numbers need not be that number; the leftover would count as rank.)

    >>> centre(np.array([0.1, 0.1, 0.1]))[0]
    array([0., 0., 0.])
    """
    constant = values.min(axis=0) == values.max(axis=0)
    mean = np.where(constant, values[0], values.mean(axis=0))
    return values - mean, mean


def predict_in_blocks(predict: Callable[[np.ndarray], np.ndarray], X, d: int) -> np.ndarray:
    """``predict`` (n,) of X (n, d), called with blocks of rows that are float64 and finite; else ValueError.

    Memory beyond the result does not grow with n.
    """
    X = feature_matrix(X, d)
    result, rows = np.empty(len(X)), max(1, BLOCK // d)
    for start in range(0, len(X), rows):
        result[start : start + rows] = predict(finite_float64(X[start : start + rows], "X"))
    return result


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
        return predict_in_blocks(
            lambda block: weighted_features(block, self.coef_, self.intercept_), X, self.n_features_in_
        )

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


class LinearRegression(LinearModel):
    """Ordinary least squares.

    Parameters
    ----------
    fit_intercept : bool
        False leads the plane through the origin.

    Attributes
    ----------
    coef_ (d,), intercept_, rank_ and singular_ (min(n, d),) of the centred X, n_features_in_.

    >>> model = LinearRegression().fit([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0])
    >>> model.coef_.round(12), round(model.intercept_, 12)
    (array([2.]), 1.0)
    """

    FITTED = ("coef_", "intercept_", "rank_", "singular_", "n_features_in_")

    def __init__(self, fit_intercept=True):
        self.fit_intercept = fit_intercept

    def fit(self, X, y) -> LinearRegression:
        """Learn from X (n, d) and y (n,); ValueError for other shapes, nan or infinities."""
        X, y, X_mean, y_mean = self._centred(*training_data(X, y))
        coef, self.rank_, self.singular_ = least_squares(X, y)
        self._set_plane(coef, X_mean, y_mean)
        return self
