"""Eq. 3: every province's cells are scaled so that they sum exactly to its statistic.

    CE_c = SC_n x (CW_c / CW_n) = CW_c x (SC_n / CW_n)
    CW_c = weight_c x area_c,     CW_n = sum of CW_c over the cells c of province n

======  =======================================  ==========================
symbol  meaning                                  unit
======  =======================================  ==========================
CW_c    weight of a cell x its area              any, 0 or more
SC_n    statistic of province n (Eq. 1)          10^4 t CO2 a year
CE_c    emission of cell c                       10^4 t CO2 per cell a year
======  =======================================  ==========================

The weights come from densities, so a cell's share goes with its area; on an equal-area grid this changes nothing.
D20: a province without a statistic is nodata.  D21: where CW_n is 0 the statistic is spread evenly over the province's
area, with a warning.  D22: what rounding leaves of the statistic goes to the largest cell, so that the exact sum of the
float64 cells, rounded once, is the statistic.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np

from refimpl.errors import InputError, warn

RECEIVERS = 4
"""Largest cells that may take what rounding leaves (D22)."""
MOST = 1e270
"""Up to this total nothing overflows, whatever the weights."""


def share_out(cw: np.ndarray, total: float) -> np.ndarray:
    """Eq. 3 for one province: cells in proportion to ``cw``, whose exact sum rounds to ``total`` (D22).

    ``cw`` is (n,) float64, 0 or more and not all 0; ``total`` is 0 or more.  Returns (n,) float64.

    The residual goes to the largest cell, the first of equal ones.  Its own rounding may be as coarse as the total's:
    the next one then takes what is left.

    >>> share_out(np.array([1.0, 3.0]), 100.0)
    array([25., 75.])
    >>> math.fsum(share_out(np.ones(3), 0.1)) == 0.1
    True
    """
    unit = 2.0 ** min(1 - math.frexp(cw.max())[1], 1023)  # a power of two: nothing overflows, and no digit changes
    cells = cw * unit * (total / math.fsum(cw * unit))
    for receiver in np.argsort(-cw, kind="stable")[:RECEIVERS]:
        if math.fsum(cells) == total:
            break
        cells[receiver] += math.fsum([total, *(-cells)])
    return cells


def allocate(
    weights: np.ndarray, valid: np.ndarray, zones: np.ndarray, areas: np.ndarray, totals: Mapping[int, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Eq. 3 for every province of a map (D20-D22).

    Parameters
    ----------
    weights, valid : (rows, cols) real and bool; a density, 0 or more where valid.
    zones : (rows, cols) integer province codes, 0 outside.
    areas : (rows,) float64, area of a cell of each row, km2.
    totals : the statistic of each province by its code, 0 or more.

    Returns
    -------
    emission : (rows, cols) float64 in the unit of the totals, per cell; 0 where it is not ``mapped``.
    mapped : (rows, cols) bool, the valid cells of provinces that have a statistic.

    Raises
    ------
    InputError
        A valid weight, or a total, is negative or not finite.

    Warns
    -----
    DataWarning
        A province whose weights are all 0 (D21), or that has a statistic and no cell.

    >>> weights, zones = np.array([[1.0, 3.0, 5.0]]), np.array([[11, 11, 12]])
    >>> emission, mapped = allocate(weights, weights > 0, zones, np.ones(1), {11: 100.0})
    >>> emission.tolist(), mapped.tolist()
    ([[25.0, 75.0, 0.0]], [[True, True, False]])
    """
    refuse_wrong_totals(totals, totals.values())
    refuse_wrong_weights(weights, valid, areas)
    emission, mapped = np.zeros(zones.shape), np.zeros(zones.shape, bool)
    for code, total in sorted(totals.items()):
        inside = valid & (zones == code)
        if code <= 0 or not inside.any():
            warn(f"province {code}: has a total but no cell on the map; its total is not mapped")
            continue
        area = areas[np.nonzero(inside)[0]]
        cw = weights[inside].astype(float) * area
        if not cw.any():
            warn(f"province {code}: all weights are 0; its total is spread evenly (D21)")
            cw = area
        emission[inside], mapped[inside] = share_out(cw, total), True
    return emission, mapped


def per_km2(emission: np.ndarray, areas: np.ndarray) -> np.ndarray:
    """Emission per cell (rows, cols), 10^4 t, as a density, t CO2 / km2 / year; ``areas`` (rows,), km2.

    >>> per_km2(np.array([[2.0]]), np.array([0.25]))  # 20,000 t on a quarter of a km2
    array([[80000.]])
    """
    return emission * 1e4 / areas[:, np.newaxis]


def refuse_wrong_totals(codes: Iterable[int], totals: Iterable[float]) -> None:
    """InputError, with its province, for the first total that is negative or not finite, or beyond all measure.

    >>> refuse_wrong_totals([11], [-1.0])
    Traceback (most recent call last):
    refimpl.errors.InputError: the total of province 11 is -1.0; expected 10^4 t, 0 or more
    """
    for code, total in zip(codes, totals):
        if not 0 <= total < math.inf:
            raise InputError(f"the total of province {code} is {total}; expected 10^4 t, 0 or more")
        if total > MOST:
            raise InputError(f"the total of province {code} is {total}; expected 10^4 t, at most {MOST:g}")


def refuse_wrong_weights(weights: np.ndarray, valid: np.ndarray, areas: np.ndarray, corner=(0, 0)) -> None:
    """InputError, with its place, for the first valid weight that is negative or not finite, also times its area.

    ``corner`` is the row and column of the first cell on the map.

    >>> try:
    ...     refuse_wrong_weights(np.array([[1.0, -2.0]]), np.ones((1, 2), bool), np.ones(1))
    ... except InputError as fault:
    ...     print(str(fault).split(";")[0])
    the weights: a weight of -2.0 at row 0, column 1
    """
    with np.errstate(over="ignore", invalid="ignore"):
        wrong = valid & ~((weights >= 0) & np.isfinite(weights.astype(float) * areas[:, np.newaxis]))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise InputError(f"the weights: a weight of {weights[row, column]} at row {row + corner[0]}, column "
                         f"{column + corner[1]}; Eq. 3 needs finite weights of 0 or more, clip them first (D08, D18)")
