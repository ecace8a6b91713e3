"""Eq. 3 on windows of a map, in two passes: the first weighs provinces, the second shares their totals out.

    CE_c = CW_c x s_n x f_n,     f_n = SC_n / (CW_n s_n),     CW_c = (weight_c + a_n) x area_c

s_n is the power of two that brings the largest CW_c to [1, 2): no product overflows, and no digit changes.  a_n is 1
where all weights of a province are 0 (D21), so that its cells share by area; elsewhere it is 0.  D22: what rounding
leaves of SC_n is added to the largest cells.

For each province a pass finds counts, exact sums (refimpl/windows/exact_sums.py) and the four largest cells.  So
windows can be walked in any order and in any process: the ``joined`` results are the same.  CW_n s_n, f_n and each
product are rounded once.  The result equals ``refimpl.method.correction.allocate`` to the bit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from refimpl.method.correction import RECEIVERS, refuse_wrong_weights
from refimpl.twins import twin
from refimpl.windows.exact_sums import DIGITS, carried, digits_of, exact


class Weighed(NamedTuple):
    """The results of the first pass for k provinces."""

    count: np.ndarray
    """(k,) int64, valid cells."""
    sums: np.ndarray
    """(k, 68) int64, the digits of the exact sum of CW_c, carried."""
    largest: np.ndarray
    """(k, 4) float64, the largest CW_c, descending, equal ones in row-major order; -1 for no cell."""
    places: np.ndarray
    """(k, 4, 2) int64, row and column of these cells on the map."""


@twin("kernels.shares")
def weigh_cells(weights, valid, zones, areas, codes, added, corner):
    """The first pass over a window of a map: CW_c and CW_n, as in ``refimpl.method.correction.allocate``.

    Parameters
    ----------
    weights, valid : (rows, cols) real and bool; a density, 0 or more where valid.
    zones : (rows, cols) integer codes.
    areas : (rows,) float64, area of a cell of each row.
    codes, added : (k,) int64, ascending, and float64, a_n: the provinces to weigh.
    corner : row and column of the window's first cell on the map.

    Returns
    -------
    The fields of ``Weighed``.

    Raises
    ------
    InputError
        A valid weight is negative or not finite, or its product with the area is not finite.

    >>> weights, zones = np.array([[1.0, 3.0, 5.0]]), np.array([[11, 11, 12]])
    >>> arguments = weights, weights > 0, zones, np.ones(1), np.array([11]), np.zeros(1), (0, 0)
    >>> count, sums, largest, places = weigh_cells.reference(*arguments)
    >>> count.tolist(), float(exact(sums[0])), largest.tolist(), places[0, :2].tolist()
    ([2], 4.0, [[3.0, 1.0, -1.0, -1.0]], [[0, 1], [0, 0]])
    """
    refuse_wrong_weights(weights, valid, areas, corner)
    count, sums, largest, places = nothing_weighed(codes.size)
    for k, code in enumerate(codes.tolist()):
        rows, columns = np.nonzero(valid & (zones == code))
        cells = (weights[rows, columns].astype(float) + added[k]) * areas[rows]
        first = np.argsort(-cells, kind="stable")[:RECEIVERS]
        count[k], sums[k], largest[k, : first.size] = cells.size, digits_of(cells), cells[first]
        places[k, : first.size] = np.stack([rows[first], columns[first]], axis=1) + corner
    return count, sums, largest, places


@twin("kernels.shares")
def share_cells(weights, valid, zones, areas, codes, added, scales, factors):
    """Eq. 3 on a window, before D22: the products of ``refimpl.method.correction.share_out``.

    Parameters
    ----------
    weights, valid, zones, areas, codes, added : as for ``weigh_cells``.
    scales, factors : (k,) float64, s_n and f_n.

    Returns
    -------
    emission : (rows, cols) float64 in the unit of the totals; 0 where it is not ``mapped``.
    mapped : (rows, cols) bool: the valid cells of these provinces.
    sums : (k, 68) int64, the digits of the exact sum of their cells, carried.

    >>> weights, zones, one = np.array([[1.0, 3.0, 5.0]]), np.array([[11, 11, 12]]), np.ones(1)
    >>> arguments = weights, weights > 0, zones, one, np.array([11]), 0 * one, one / 2, one * 50
    >>> share_cells.reference(*arguments)[0]
    array([[25., 75.,  0.]])
    """
    emission, mapped = np.zeros(zones.shape), np.zeros(zones.shape, bool)
    sums = np.zeros((codes.size, DIGITS), np.int64)
    for k, code in enumerate(codes.tolist()):
        inside = valid & (zones == code)
        cells = (weights[inside].astype(float) + added[k]) * areas[np.nonzero(inside)[0]]
        emission[inside], mapped[inside] = cells * scales[k] * factors[k], True
        sums[k] = digits_of(emission[inside])
    return emission, mapped, sums


def nothing_weighed(size: int) -> Weighed:
    """``Weighed`` of ``size`` provinces without a cell.

    >>> nothing_weighed(1).largest.tolist()
    [[-1.0, -1.0, -1.0, -1.0]]
    """
    sums, largest = np.zeros((size, DIGITS), np.int64), np.full((size, RECEIVERS), -1.0)
    return Weighed(np.zeros(size, np.int64), sums, largest, np.zeros((size, RECEIVERS, 2), np.int64))


def joined(found: Iterable[tuple], size: int) -> Weighed:
    """``Weighed`` of several windows together; ``found``: what ``weigh_cells`` returns for each, in any order.

    >>> one = nothing_weighed(1)._replace(count=np.array([2]), largest=np.array([[3.0, 1.0, -1.0, -1.0]]))
    >>> both = joined([one, one], 1)
    >>> both.count.tolist(), both.largest.tolist()
    ([4], [[3.0, 3.0, 1.0, 1.0]])
    """
    count, sums, largest, places = nothing_weighed(size)
    for more in map(Weighed._make, found):
        values, where = np.concatenate([largest, more.largest], 1), np.concatenate([places, more.places], 1)
        first = np.lexsort((where[..., 1], where[..., 0], -values), axis=1)[:, :RECEIVERS]
        largest = np.take_along_axis(values, first, 1)
        places = np.take_along_axis(where, first[..., np.newaxis], 1)
        count, sums = count + more.count, sums + more.sums
    return Weighed(count, carried(sums), largest, places)


@dataclass(frozen=True)
class Shares:
    """The factors of Eq. 3 for k provinces: ``codes`` (k,) int64, and a_n, s_n and f_n (k,) float64."""

    codes: np.ndarray
    added: np.ndarray
    scales: np.ndarray
    factors: np.ndarray

    @property
    def columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The last arguments of ``share_cells``."""
        return self.codes, self.added, self.scales, self.factors


def shares_of(codes: np.ndarray, added: np.ndarray, weighed: Weighed, totals: np.ndarray) -> Shares:
    """s_n and f_n of provinces weighed with ``added``; f_n is 0 for a province without a cell.

    >>> one = nothing_weighed(1)._replace(sums=digits_of(np.array([1.0, 3.0]))[np.newaxis])
    >>> one.largest[0, 0] = 3.0
    >>> shares = shares_of(np.array([11]), np.zeros(1), one, np.array([100.0]))
    >>> shares.scales.tolist(), shares.factors.tolist()
    ([0.5], [50.0])
    """
    # The largest power of two is 2^1023: a denormal number stays below 1.
    scales = np.ldexp(1.0, np.minimum(1 - np.frexp(np.maximum(weighed.largest[:, 0], 0.0))[1], 1023))
    factors = np.zeros(codes.size)
    for k, (digits, scale, total) in enumerate(zip(weighed.sums, scales.tolist(), totals.tolist())):
        if weighed.largest[k, 0] > 0:
            factors[k] = total / float(exact(digits) * Fraction(scale))
    return Shares(codes, added, scales, factors)


@dataclass(frozen=True)
class Settled:
    """D22: the cells that take what rounding leaves, and the sums of all cells after that."""

    places: np.ndarray
    """(m, 2) int64, row and column on the map."""
    values: np.ndarray
    """(m,) float64: the values of these cells, in place of those of Eq. 3."""
    cell_sum: np.ndarray
    """(k,) float64: the exact sum of a province's cells, rounded once."""

    def lay(self, emission: np.ndarray, corner: tuple[int, int]) -> None:
        """Put the values into a window ``emission`` (rows, cols), whose first cell is ``corner`` on the map."""
        rows, columns = (self.places - corner).T
        here = (rows >= 0) & (rows < emission.shape[0]) & (columns >= 0) & (columns < emission.shape[1])
        emission[rows[here], columns[here]] = self.values[here]


def settled(shares: Shares, weighed: Weighed, sums: np.ndarray, totals: np.ndarray) -> Settled:
    """D22 for provinces whose cells have the exact ``sums``, (k, 68) digits.

    The residual is added to the largest cell, the first of equal ones.  One cell may not be enough, because its own
    rounding can be as coarse as the total's; the next then takes what is left, up to four.  The cells equal those of
    ``refimpl.method.correction.share_out``.

    >>> weighed = nothing_weighed(1)._replace(largest=np.array([[2.0, 1.0, -1.0, -1.0]]))
    >>> shares = Shares(np.array([11]), np.zeros(1), np.ones(1), np.full(1, 0.25))
    >>> found = settled(shares, weighed, digits_of(np.array([0.5, 0.25]))[np.newaxis], np.array([1.0]))
    >>> found.values.tolist(), found.cell_sum.tolist()
    ([0.75], [1.0])
    """
    places, values, cell_sums = [], [], np.zeros(totals.size)
    for k, total in enumerate(totals.tolist()):
        whole = exact(sums[k])
        for largest, place in zip(weighed.largest[k], weighed.places[k]):
            if largest < 0 or float(whole) == total:
                break
            cell = float(largest * shares.scales[k] * shares.factors[k])
            value = cell + float(Fraction(total) - whole)
            whole += Fraction(value) - Fraction(cell)
            places.append(place)
            values.append(value)
        cell_sums[k] = float(whole)
    return Settled(np.array(places, np.int64).reshape(-1, 2), np.array(values, float), cell_sums)
