"""Eqs. 4-6 and Pearson's r: how far an estimate is from what was observed.

All take 1-D arrays of one length, float64; units are those of the values.
"""

from __future__ import annotations

import numpy as np


def paired(observed, estimated) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64 arrays; ValueError unless they have one shape and at least one value.

    >>> paired([1], [2])
    (array([1.]), array([2.]))
    """
    observed, estimated = np.asarray(observed, float), np.asarray(estimated, float)
    if observed.shape != estimated.shape or observed.size == 0:
        raise ValueError("observed and estimated: expected two arrays of one shape and at least one value, "
                         f"got {observed.shape} and {estimated.shape}")  # fmt: skip
    return observed, estimated


def deviations(values: np.ndarray) -> np.ndarray:
    """``values`` less their mean; exactly 0 where all are equal, though the rounded mean of equal numbers need not be.

    >>> deviations(np.array([0.1, 0.1, 0.1]))
    array([0., 0., 0.])
    """
    return values - (values.mean() if values.min() < values.max() else values[0])


def r_squared(observed, estimated) -> float:
    """Eq. 4, the coefficient of determination: 1 - sum((y - f)^2) / sum((y - mean y)^2).

    1 is perfect, 0 as good as the mean, below 0 worse; nan where all observations are equal.

    >>> r_squared([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    0.5
    """
    observed, estimated = paired(observed, estimated)
    spread = np.sum(deviations(observed) ** 2)
    return float(1 - np.sum((observed - estimated) ** 2) / spread) if spread > 0 else float("nan")


def mean_absolute_error(observed, estimated) -> float:
    """Eq. 5: mean |y - f|.

    >>> mean_absolute_error([1.0, 2.0, 3.0], [1.0, 2.0, 6.0])
    1.0
    """
    observed, estimated = paired(observed, estimated)
    return float(np.mean(np.abs(observed - estimated)))


def root_mean_square_error(observed, estimated) -> float:
    """Eq. 6: sqrt(mean (y - f)^2).

    >>> root_mean_square_error([0.0, 0.0], [1.0, -7.0])
    5.0
    """
    observed, estimated = paired(observed, estimated)
    return float(np.sqrt(np.mean((observed - estimated) ** 2)))


def pearson_r(x, y) -> float:
    """Pearson's correlation coefficient, in [-1, 1]; nan where either is constant.

    >>> round(pearson_r([1.0, 2.0, 3.0], [2.0, 4.0, 6.5]), 6)
    0.997949
    """
    x, y = paired(x, y)
    x, y = deviations(x), deviations(y)
    spread = np.sqrt(np.sum(x * x) * np.sum(y * y))
    return float(np.clip(np.sum(x * y) / spread, -1, 1)) if spread > 0 else float("nan")
