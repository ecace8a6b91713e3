"""Eqs. 4-6, Pearson's r and Spearman's rho: how far an estimate is from what was observed.

All take 1-D arrays of one length, float64; units are those of the values.
"""

from __future__ import annotations

import numpy as np


def _pair(observed, estimated) -> tuple[np.ndarray, np.ndarray]:
    observed, estimated = np.asarray(observed, float), np.asarray(estimated, float)
    if observed.shape != estimated.shape or observed.size == 0:
        raise ValueError(
            "observed and estimated: expected two arrays of one shape and at least one value, "
            f"got {observed.shape} and {estimated.shape}"
        )
    return observed, estimated


def _deviations(values: np.ndarray) -> np.ndarray:
    """``values`` less their mean; exactly 0 where all are equal, though the rounded mean of equal numbers need not be.

    >>> _deviations(np.array([0.1, 0.1, 0.1]))
    array([0., 0., 0.])
    """
    return values - (values.mean() if values.min() < values.max() else values[0])


def r_squared(observed, estimated) -> float:
    """Eq. 4, the coefficient of determination: 1 - sum((y - f)^2) / sum((y - mean y)^2).

    1 is perfect, 0 as good as the mean, below 0 worse; nan where all observations are equal.

    >>> r_squared([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    0.5
    """
    observed, estimated = _pair(observed, estimated)
    spread = np.sum(_deviations(observed) ** 2)
    return float(1 - np.sum((observed - estimated) ** 2) / spread) if spread > 0 else float("nan")


def mean_absolute_error(observed, estimated) -> float:
    """Eq. 5: mean |y - f|.

    >>> mean_absolute_error([1.0, 2.0, 3.0], [1.0, 2.0, 6.0])
    1.0
    """
    observed, estimated = _pair(observed, estimated)
    return float(np.mean(np.abs(observed - estimated)))


def root_mean_square_error(observed, estimated) -> float:
    """Eq. 6: sqrt(mean (y - f)^2).

    >>> root_mean_square_error([0.0, 0.0], [1.0, -7.0])
    5.0
    """
    observed, estimated = _pair(observed, estimated)
    return float(np.sqrt(np.mean((observed - estimated) ** 2)))


def pearson_r(x, y) -> float:
    """Pearson's correlation coefficient, in [-1, 1]; nan where either is constant.

    >>> round(pearson_r([1.0, 2.0, 3.0], [2.0, 4.0, 6.5]), 6)
    0.997949
    """
    x, y = _pair(x, y)
    x, y = _deviations(x), _deviations(y)
    spread = np.sqrt(np.sum(x * x) * np.sum(y * y))
    return float(np.clip(np.sum(x * y) / spread, -1, 1)) if spread > 0 else float("nan")


def average_ranks(values) -> np.ndarray:
    """Ranks from 1 up, (n,) float64; equal values share the mean of the ranks that they take together.

    >>> average_ranks([30.0, 10.0, 30.0, 20.0])
    array([3.5, 1. , 3.5, 2. ])
    """
    values = np.asarray(values, float)
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if values.size else np.zeros(0, int)
    counts = np.diff(np.append(starts, values.size))
    ranks = np.empty(values.size)
    ranks[order] = np.repeat(starts + (counts + 1) / 2, counts)
    return ranks


def spearman_rho(x, y) -> float:
    """Spearman's rank correlation, in [-1, 1]: Pearson's r of the average ranks; nan where either is constant.

    Emission is heavy tailed: r tells whether the few largest cells agree, rho whether the order of all cells does.

    >>> spearman_rho([1.0, 2.0, 3.0], [10.0, 1e6, 1e9]), round(spearman_rho([1.0, 1.0, 2.0], [5.0, 6.0, 7.0]), 6)
    (1.0, 0.866025)
    """
    x, y = _pair(x, y)
    return pearson_r(average_ranks(x), average_ranks(y))
