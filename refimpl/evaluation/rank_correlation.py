"""Spearman's rank correlation of arrays in memory (Fig. 6); ``ranks`` computes it for more pairs than memory holds."""

from __future__ import annotations

import numpy as np

from refimpl.method.metrics import paired, pearson_r


def average_ranks(values) -> np.ndarray:
    """Ranks from 1 up, (n,) float64; equal values share the mean of their ranks.

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

    Emission is heavy tailed: r shows whether the few largest cells agree, rho whether the order of all cells agrees.

    >>> spearman_rho([1.0, 2.0, 3.0], [10.0, 1e6, 1e9]), round(spearman_rho([1.0, 1.0, 2.0], [5.0, 6.0, 7.0]), 6)
    (1.0, 0.866025)
    """
    x, y = paired(x, y)
    return pearson_r(average_ranks(x), average_ranks(y))
