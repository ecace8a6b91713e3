"""Eqs. 4-6 by province: one map against another, cell by cell, and totals against the statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from refimpl.metrics import mean_absolute_error, pearson_r, r_squared, root_mean_square_error


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
    """Compare two maps on the cells that both have.

    Parameters
    ----------
    observed, estimated : (rows, cols) float64 in one unit.
    valid : (rows, cols) bool, cells that count.
    zones : (rows, cols) integer province codes, 0 outside.

    >>> both = np.array([[1.0, 2.0, 4.0]])
    >>> accuracy_by_province(both, both + 1, both > 0, np.array([[11, 11, 12]])).mae
    array([1., 1.])
    """
    inside = np.flatnonzero((valid & (zones > 0)).ravel())
    inside = inside[np.argsort(zones.ravel()[inside], kind="stable")]
    codes, starts = np.unique(zones.ravel()[inside], return_index=True)
    o, e = observed.ravel()[inside], estimated.ravel()[inside]
    rows = [accuracy(*pair) for pair in zip(np.split(o, starts[1:]), np.split(e, starts[1:]))] if codes.size else []
    columns = np.array(rows, float).reshape(-1, 4).T
    return Accuracy(codes.astype(np.int64), *columns, accuracy(o, e))


def totals_accuracy(statistics: Mapping[int, float], sums: Mapping[int, float]) -> tuple[float, float, float, float]:
    """(R2, MAE, RMSE, r) of a map's province sums against the statistics, over the provinces that both have.

    >>> totals_accuracy({11: 1.0, 12: 2.0, 13: 9.0}, {11: 1.0, 12: 2.0})
    (1.0, 0.0, 0.0, 1.0)
    """
    codes = sorted(set(statistics) & set(sums))
    return accuracy(np.array([statistics[c] for c in codes]), np.array([sums[c] for c in codes]))
