"""Scaling (D05, D06): drivers to [0, 1] by their extremes, the target to mean 0 and variance 1.

Province totals and cells differ by a factor of 10^6, so each is scaled by its own extremes (D05).  One scaler is fitted
on the totals and kept with the model, one on the cells of the coarse map.  The cells' upper bound is a quantile,
because a few gas flares must not set the scale of a country.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from refimpl.method import hyperparameters as check
from refimpl.method.estimator import Estimator, feature_matrix, finite_float64


@dataclass(eq=False)
class MinMaxScaler(Estimator):
    """(x - lower) / (upper - lower) of each column of X (n, d).

    Parameters
    ----------
    upper_quantile : float from 0 to 1
        ``upper`` is this quantile of the column (linear between samples); 1 is the maximum.  Where it equals the
        minimum and the column is not constant (lights, mostly 0), the maximum is taken.
    clip : bool
        Hold the result within [0, 1]; else values beyond the bounds leave it.

    A constant column has no range: it becomes 0.

    Attributes
    ----------
    data_min_, data_max_ (the upper bound), data_range_ : (d,) in units of X.

    >>> scaler = MinMaxScaler().fit([[0.0, 7.0], [4.0, 7.0]])
    >>> scaler.transform([[1.0, 7.0], [6.0, 8.0]])
    array([[0.25, 0.  ],
           [1.5 , 0.  ]])
    """

    FITTED = ("data_min_", "data_max_", "data_range_")
    upper_quantile: float = 1.0
    clip: bool = False

    def fit(self, X, y=None) -> MinMaxScaler:
        """Learn the bounds of X (n, d), n at least 1; ``y`` is ignored."""
        X = finite_float64(feature_matrix(X), "X")
        q = check.share("MinMaxScaler", "upper_quantile", self.upper_quantile)
        if len(X) == 0:
            raise ValueError("X holds no sample, expected at least 1")
        upper = np.quantile(X, q, axis=0) if q < 1 else X.max(axis=0)
        return self.set_bounds(X.min(axis=0), upper, X.max(axis=0))

    def set_bounds(self, minimum: np.ndarray, upper: np.ndarray, maximum: np.ndarray) -> MinMaxScaler:
        """``fit`` from what it finds in each column, (d,) each: minimum, upper quantile and maximum."""
        check.switch("MinMaxScaler", "clip", self.clip)
        self.data_min_, self.data_max_ = minimum, np.where(upper > minimum, upper, maximum)
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


@dataclass(eq=False)
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

    def inverse_transform(self, z) -> np.ndarray:
        """z back in units of y, same shape."""
        self._require_fitted()
        return finite_float64(z, "z") * self.scale_ + self.mean_


def centre(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``values`` (n, ...) less their mean over axis 0, and the mean; a constant column becomes exactly 0.

    (The rounded mean of equal numbers need not be that number; the leftover would count as rank.)

    >>> centre(np.array([0.1, 0.1, 0.1]))[0]
    array([0., 0., 0.])
    """
    constant = values.min(axis=0) == values.max(axis=0)
    mean = np.where(constant, values[0], values.mean(axis=0))
    return values - mean, mean
