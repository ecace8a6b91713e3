"""Moments of two maps by group: all that Eqs. 4-6 and r need when the maps are read window by window.

R2 and r need squares of deviations from a mean, which is known only at the end.  So each window gives its means and
centred second moments.  Windows are joined by the pairwise update of Chan, Golub and LeVeque (1983, The American
Statistician 37:242-247), which keeps digits that plain sums of squares would lose.  A mean is a pair of doubles: a
large value that all cells have in common then takes no digit from their deviations.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import fsum, inf, isfinite, nan

import numpy as np

from refimpl.earth.exact_pair import exact_pair
from refimpl.twins import twin

FIELDS = ("mean_o", "rest_o", "mean_e", "rest_e", "oo", "ee", "oe", "absolute", "squared")
"""Means of observed and estimated, each a double and its rest; sums of products of deviations, |o - e|, (o - e)^2."""


@dataclass(frozen=True, eq=False)
class Moments:
    """The moments of each of k groups."""

    codes: np.ndarray
    """(k,) int64, ascending."""
    counts: np.ndarray
    """(k,) int64: how many cells the group has, 1 or more."""
    fields: np.ndarray
    """(9, k) float64, in the order of FIELDS."""


@twin("kernels.group_moments")
def group_moments(observed, estimated, inside, groups):
    """The moments of two maps in each group.

    Parameters
    ----------
    observed, estimated : (rows, cols) real, finite where ``inside``.
    inside : (rows, cols) bool, cells that count.
    groups : (rows, cols) integers; cells with 0 or less take no part.

    Returns
    -------
    codes, counts : (k,) int64: the groups that have a cell, ascending, and how many cells each has.
    fields : (9, k) float64, in the order of FIELDS.

    >>> o, e, yes = np.array([[1.0, 2.0, 6.0]]), np.array([[1.0, 2.0, 3.0]]), np.ones((1, 3), bool)
    >>> codes, counts, fields = group_moments.reference(o, e, yes, np.array([[11, 11, 11]]))
    >>> codes.tolist(), counts.tolist(), fields[:, 0].tolist()
    ([11], [3], [3.0, 0.0, 2.0, 0.0, 14.0, 2.0, 5.0, 3.0, 9.0])
    """
    inside = inside & (groups > 0)
    codes = np.unique(groups[inside]).astype(np.int64)
    chosen = [inside & (groups == code) for code in codes.tolist()]
    fields = [_fields(observed[cells].astype(float), estimated[cells].astype(float)) for cells in chosen]
    counts = [np.count_nonzero(cells) for cells in chosen]
    return codes, np.array(counts, np.int64), np.array(fields, float).reshape(-1, len(FIELDS)).T


def _fields(o: np.ndarray, e: np.ndarray) -> tuple[float, ...]:
    """The moments of one group of n values, n at least 1."""
    (mean_o, rest_o), (mean_e, rest_e) = _mean(o), _mean(e)
    from_o, from_e, error = o - mean_o - rest_o, e - mean_e - rest_e, o - e
    products = from_o * from_o, from_e * from_e, from_o * from_e, np.abs(error), error * error
    return mean_o, rest_o, mean_e, rest_e, *(fsum(each) if isfinite(each.sum()) else inf for each in products)


def _mean(values: np.ndarray) -> tuple[float, float]:
    """The exact mean as the nearest double, and the double nearest to the rest; nan where the sum is infinite."""
    pair = exact_pair(values)
    if not all(map(isfinite, pair)):
        return nan, nan
    mean = sum(map(Fraction, pair)) / values.size
    return float(mean), float(mean - Fraction(float(mean)))


def joined(one: Moments, other: Moments) -> Moments:
    """The moments of the cells of ``one`` and ``other`` together.

    >>> a, b = (Moments(np.array([11]), np.array([1]), np.array([[v, 0, v, 0, 0, 0, 0, 0, 0]]).T) for v in (1.0, 3.0))
    >>> both = joined(a, b)
    >>> both.counts.tolist(), both.fields[:, 0].tolist()
    ([2], [2.0, 0.0, 2.0, 0.0, 2.0, 2.0, 2.0, 0.0, 0.0])
    """
    codes = np.union1d(one.codes, other.codes)
    (n, a), (m, b) = (_laid_out(each, codes) for each in (one, other))
    total = n + m
    apart_o, apart_e = (_difference(b[at : at + 2], a[at : at + 2]) for at in (0, 2))
    weight = n * (m / total)
    fields = a + b
    for at, apart in ((0, apart_o), (2, apart_e)):
        # A group that has cells in only one of the two keeps that mean.
        step = np.where(n == 0, 0.0, apart * (m / total))
        mean, rest = (np.where(n == 0, b[k], a[k]) for k in (at, at + 1))
        fields[at], fields[at + 1] = _two_sum(mean, rest + step)
    for at, product in ((4, apart_o * apart_o), (5, apart_e * apart_e), (6, apart_o * apart_e)):
        fields[at] += np.where(weight == 0, 0.0, product * weight)
    return Moments(codes, total, fields)


def _laid_out(moments: Moments, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Counts and fields for all of ``codes``, 0 where the group has no cell."""
    counts, fields = np.zeros(codes.size, np.int64), np.zeros((len(FIELDS), codes.size))
    at = np.searchsorted(codes, moments.codes)
    counts[at], fields[:, at] = moments.counts, moments.fields
    return counts, fields


def _two_sum(a, b):
    """The rounded sum and its error, exactly (Knuth)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _difference(one, other):
    """The difference of two means, each (2, k): doubles and rests."""
    apart, rest = _two_sum(one[0], -other[0])
    return apart + (rest + (one[1] - other[1]))


NOTHING = Moments(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((len(FIELDS), 0)))
"""The moments of no cell."""


def merged(moments: Moments) -> Moments:
    """All groups joined into one of code 1; no group if there is none."""
    found = NOTHING
    for at in range(moments.codes.size):
        one = moments.counts[at : at + 1], moments.fields[:, at : at + 1]
        found = joined(found, Moments(np.ones(1, np.int64), *one))
    return found


def accuracies(moments: Moments) -> np.ndarray:
    """R2, MAE, RMSE and r of each group, Eqs. 4-6; (4, k) float64, nan as in refimpl/method/metrics.py.

    >>> o = np.array([[1.0, 2.0, 3.0]])
    >>> accuracies(Moments(*group_moments.reference(o, o, o > 0, np.array([[7, 7, 7]]))))[:, 0].tolist()
    [1.0, 0.0, 0.0, 1.0]
    """
    n, (oo, ee, oe, absolute, squared) = moments.counts, moments.fields[4:]
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        r2 = np.where(oo > 0, 1 - squared / oo, nan)
        spread = np.sqrt(oo * ee)
        r = np.where(spread > 0, np.clip(oe / spread, -1, 1), nan)
        return np.array([r2, absolute / n, np.sqrt(squared / n), r])


def total_of(moments: Iterable[Moments]) -> Moments:
    """The moments of all cells together, joined in the given order."""
    found = NOTHING
    for one in moments:
        found = joined(found, one)
    return found
