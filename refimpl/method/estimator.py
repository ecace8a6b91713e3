"""Conventions that the models and scalers share: scikit-learn's, without scikit-learn.

A constructor only stores its parameters.  ``fit`` checks them, learns, and returns ``self``.  What was learnt has a
trailing underscore.  X is (n samples, d features), y is (n,); all float64.
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from refimpl.errors import did_you_mean
from refimpl.method.metrics import r_squared


class Estimator:
    """Parameters by name, as ``sklearn.base.clone`` and grid searches expect them; subclasses are dataclasses."""

    FITTED = ()
    """Names of the fitted attributes: together with the parameters they are the whole state."""

    def get_params(self, deep: bool = True) -> dict:
        """The constructor's parameters; ``deep`` is accepted for compatibility (nothing is nested)."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    def set_params(self, **params):
        """Replace parameters by name and return ``self``.

        Raises
        ------
        ValueError
            A name is unknown; the nearest known one is named, and nothing has been changed.
        """
        known = self.get_params()
        for name in set(params) - set(known):
            raise ValueError(f"{type(self).__name__} has no parameter {name!r}{did_you_mean(name, known)}")
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def _require_fitted(self) -> None:
        if not hasattr(self, self.FITTED[0]):
            raise ValueError(f"this {type(self).__name__} is not fitted yet; call fit first")


class Regressor(Estimator):
    """An estimator with ``predict``; ``score`` is R2 (Eq. 4)."""

    def score(self, X, y) -> float:
        """R2 of the predictions for X (n, d) against y (n,); nan where all y are equal."""
        return r_squared(y, self.predict(X))


def feature_matrix(X, d: int | None = None) -> np.ndarray:
    """X as (n, d), dtype untouched; ValueError where the shape is another.

    >>> feature_matrix([1.0, 2.0])
    Traceback (most recent call last):
    ...
    ValueError: X has shape (2,), expected (n samples, d features) with d at least 1
    """
    X = np.asarray(X)
    if X.ndim != 2 or X.shape[1] == 0:
        raise ValueError(f"X has shape {X.shape}, expected (n samples, d features) with d at least 1")
    if d is not None and X.shape[1] != d:
        raise ValueError(f"X has {X.shape[1]} features, but the fit had {d}; give the same features in the same order")
    return X


def finite_float64(values, name: str) -> np.ndarray:
    """``values`` as float64, C-contiguous; ValueError where one is nan or infinite.

    >>> finite_float64([1, 2], "y")
    array([1., 2.])
    """
    values = np.ascontiguousarray(values, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"{name} holds nan or infinite values; leave those samples out first")
    return values


def training_data(X, y) -> tuple[np.ndarray, np.ndarray]:
    """X (n, d) and y (n,) for a fit, float64 and finite, n at least 1; else ValueError.

    >>> training_data([[1], [2]], [3, 4])
    (array([[1.],
           [2.]]), array([3., 4.]))
    """
    X, y = finite_float64(feature_matrix(X), "X"), np.asarray(y)
    if y.ndim != 1 or y.size != X.shape[0] or y.size == 0:
        raise ValueError(f"X has shape {X.shape} and y {y.shape}, expected (n, d) and (n,) with n at least 1")
    return X, finite_float64(y, "y")


def weighted_sum(columns: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """``columns`` (n, m) times ``weights`` (m,), (n,): added column after column.

    The order of the sum is fixed, and a row's result depends on that row alone.  A BLAS product does not promise this.

    >>> weighted_sum(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([10.0, 1.0]))
    array([12., 34.])
    """
    total = np.zeros(columns.shape[0])
    for column, weight in zip(columns.T, weights, strict=True):
        total += weight * column
    return total
