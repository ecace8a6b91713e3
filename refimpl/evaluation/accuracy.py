"""Accuracy by province, Eqs. 4-6: one map against another, cell by cell, and province sums against the statistics.

Only the moments of the cells of each province are kept (refimpl/evaluation/moments.py). There are few province sums:
they are compared directly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from refimpl.evaluation.moments import Moments, accuracies, group_moments, merged
from refimpl.method.metrics import mean_absolute_error, pearson_r, r_squared, root_mean_square_error


@dataclass(frozen=True)
class Accuracy:
    """R2, MAE, RMSE and r of each province and, in ``overall``, of all cells together; arrays (n,)."""

    codes: np.ndarray
    r2: np.ndarray
    mae: np.ndarray
    rmse: np.ndarray
    r: np.ndarray
    overall: tuple[float, float, float, float]
    """(R2, MAE, RMSE, r) over every cell."""


def accuracy(observed: np.ndarray, estimated: np.ndarray) -> tuple[float, float, float, float]:
    """(R2, MAE, RMSE, r) of 1-D arrays, Eqs. 4-6; nan for no values.

    >>> accuracy(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0]))
    (1.0, 0.0, 0.0, 1.0)
    """
    if observed.size == 0:
        return (float("nan"),) * 4
    return (
        r_squared(observed, estimated),
        mean_absolute_error(observed, estimated),
        root_mean_square_error(observed, estimated),
        pearson_r(observed, estimated),
    )


def accuracy_by_province(observed: np.ndarray, estimated: np.ndarray, valid: np.ndarray, zones: np.ndarray) -> Accuracy:
    """Compare two maps on the cells that have a value in both, province by province (Eqs. 4-6).

    Parameters
    ----------
    observed, estimated : (rows, cols) float64 in one unit.
    valid : (rows, cols) bool, cells that count.
    zones : (rows, cols) integer province codes, 0 outside.

    >>> both = np.array([[1.0, 2.0, 4.0]])
    >>> accuracy_by_province(both, both + 1, both > 0, np.array([[11, 11, 12]])).mae
    array([1., 1.])
    """
    return accuracy_of(Moments(*group_moments(observed, estimated, valid, zones)))


def accuracy_of(provinces: Moments) -> Accuracy:
    """The accuracy of each province, computed from its moments, and that of all cells together.

    >>> both = np.array([[1.0, 2.0, 4.0]])
    >>> accuracy_of(Moments(*group_moments(both, both + 1, both > 0, np.array([[11, 11, 12]])))).overall[1:3]
    (1.0, 1.0)
    """
    overall = accuracies(merged(provinces)).T.tolist()
    return Accuracy(provinces.codes, *accuracies(provinces), tuple(overall[0]) if overall else (float("nan"),) * 4)


def totals_accuracy(statistics: Mapping[int, float], sums: Mapping[int, float]) -> tuple[float, float, float, float]:
    """(R2, MAE, RMSE, r) of a map's province sums against the statistics, over the provinces that are in both.

    >>> totals_accuracy({11: 1.0, 12: 2.0, 13: 9.0}, {11: 1.0, 12: 2.0})
    (1.0, 0.0, 0.0, 1.0)
    """
    codes = sorted(set(statistics) & set(sums))
    return accuracy(np.array([statistics[c] for c in codes]), np.array([sums[c] for c in codes]))
