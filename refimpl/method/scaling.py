"""D05 and D06: drivers to [0, 1] by their extremes, the target to mean 0 and variance 1.

Province totals and cells differ by a factor of 10^6, so each is scaled by its own extremes (D05):
one scaler is fitted on the totals and kept with the model, one on the cells of the coarse map, with
a quantile as upper bound, because a few gas flares must not set the scale of a country.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from refimpl.method import hyperparameters as check
from refimpl.method.estimator import Estimator, feature_matrix, finite_float64
from refimpl.method.linear import centre
from refimpl.windows.quantiles import OrderStatistics, order_statistics


class MinMaxScaler(Estimator):
    """(x - lower) / (upper - lower) of each column of X (n, d).

    Parameters
    ----------
    upper_quantile : float from 0 to 1
        ``upper`` is this quantile of the column (linear between samples); 1 is the maximum.  Where it equals the
        minimum and the column is not constant (lights, mostly 0), the maximum is taken.
    clip : bool
        Hold the result within [0, 1]; else values beyond the bounds leave it.

    A constant column has no range: it becomes 0, and comes back as its constant.

    Attributes
    ----------
    data_min_, data_max_ (the upper bound), data_range_ : (d,) in units of X.

    >>> scaler = MinMaxScaler().fit([[0.0, 7.0], [4.0, 7.0]])
    >>> scaler.transform([[1.0, 7.0], [6.0, 8.0]])
    array([[0.25, 0.  ],
           [1.5 , 0.  ]])
    """

    FITTED = ("data_min_", "data_max_", "data_range_")

    def __init__(self, upper_quantile=1.0, clip=False):
        self.upper_quantile = upper_quantile
        self.clip = clip

    def fit(self, X, y=None) -> MinMaxScaler:
        """Learn the bounds of X (n, d), n at least 1; ``y`` is ignored."""
        X = finite_float64(feature_matrix(X), "X")
        return self.fit_columns(X.T)

    def fit_columns(self, columns: Iterable[np.ndarray]) -> MinMaxScaler:
        """``fit`` from the columns of X, (n,) each, one after the other: they need not be in memory together.

        >>> MinMaxScaler().fit_columns([np.array([0.0, 4.0]), np.array([7.0, 9.0])]).data_range_
        array([4., 2.])
        """
        quantile = check.share("MinMaxScaler", "upper_quantile", self.upper_quantile)
        return self.fit_order(_order_of(finite_float64(column, "X"), quantile) for column in columns)

    def fit_order(self, columns: Iterable[OrderStatistics]) -> MinMaxScaler:
        """``fit`` from the order statistics of each column at ``upper_quantile``: no sample need be in memory."""
        check.switch("MinMaxScaler", "clip", self.clip)
        bounds = []
        for found in columns:
            upper = found.quantile() if self.upper_quantile < 1 else found.maximum
            bounds.append((found.minimum, upper if upper > found.minimum else found.maximum))
        self.data_min_, self.data_max_ = (np.array(side) for side in zip(*bounds, strict=True))
        self.data_range_ = self.data_max_ - self.data_min_
        return self

    def transform(self, X) -> np.ndarray:
        """X (n, d) scaled, float64."""
        self._require_fitted()
        X = finite_float64(feature_matrix(X, self.data_min_.size), "X")
        constant = self.data_range_ == 0
        scaled = (X - self.data_min_) / np.where(constant, 1.0, self.data_range_)
        scaled[:, constant] = 0.0
        return np.clip(scaled, 0.0, 1.0, out=scaled) if self.clip else scaled

    def fit_transform(self, X, y=None) -> np.ndarray:
        """``fit(X).transform(X)``."""
        return self.fit(X).transform(X)

    def inverse_transform(self, Z) -> np.ndarray:
        """Z (n, d) back in units of X; what was clipped, or constant, stays so."""
        self._require_fitted()
        return finite_float64(feature_matrix(Z, self.data_min_.size), "Z") * self.data_range_ + self.data_min_


def _order_of(column: np.ndarray, quantile: float) -> OrderStatistics:
    if column.size == 0:
        raise ValueError("X holds no sample, expected at least 1")
    return order_statistics(lambda: [column], quantile)


class StandardScaler(Estimator):
    """(y - mean) / deviation of y (n,) or of each column of (n, d); the deviation is that of the population (ddof 0).

    Equal values have deviation 0: they become 0, scaled by 1.

    Attributes
    ----------
    mean_, scale_ : (), or (d,), in units of y.

    >>> scaler = StandardScaler().fit([1.0, 3.0])
    >>> scaler.transform([5.0]), scaler.inverse_transform([-1.0])
    (array([3.]), array([1.]))
    """

    FITTED = ("mean_", "scale_")

    def fit(self, y, _=None) -> StandardScaler:
        """Learn mean and deviation of y (n,) or (n, d), n at least 1."""
        y = finite_float64(y, "y")
        if y.ndim == 0 or y.shape[0] == 0:
            raise ValueError(f"y has shape {y.shape}, expected (n,) with n at least 1")
        deviations, self.mean_ = centre(y)
        deviation = np.sqrt(np.mean(deviations**2, axis=0))
        self.scale_ = np.where(deviation > 0, deviation, 1.0)
        return self

    def transform(self, y) -> np.ndarray:
        """y scaled, same shape, float64."""
        self._require_fitted()
        return (finite_float64(y, "y") - self.mean_) / self.scale_

    def fit_transform(self, y, _=None) -> np.ndarray:
        """``fit(y).transform(y)``."""
        return self.fit(y).transform(y)

    def inverse_transform(self, z) -> np.ndarray:
        """z back in units of y, same shape."""
        self._require_fitted()
        return finite_float64(z, "z") * self.scale_ + self.mean_
