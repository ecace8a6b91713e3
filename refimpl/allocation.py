"""Eq. 3: every province's cells are scaled so that they sum exactly to its statistic.

    E_{n,i} = CW_{n,i} / CW_n x E_n,     CW_n = sum over the cells i of province n of CW_{n,i}     (Eq. 3)

======  =======================================  ==========================
symbol  meaning                                  unit
======  =======================================  ==========================
CW      weight of a cell x its area              any, 0 or more
E_n     statistic of province n                  10^4 t CO2 a year
E_n,i   emission of cell i                       10^4 t CO2 per cell a year
======  =======================================  ==========================

CW is a density (it comes from densities), so a cell's share goes with its area; on an equal-area
working grid this changes nothing.  D20: a province without a statistic is nodata.  D21: where CW_n is
0 the statistic is spread evenly over the province's area, with a warning.  D22: the residual of the sum
goes to the largest cell, which makes the sum of the float64 cells, rounded once, equal to the statistic.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from refimpl.errors import DataWarning, InputError
from refimpl.raster.grid import Raster
from refimpl.twins import twin

UNITS = "10^4 t CO2 per cell per year"


@dataclass(frozen=True)
class MassBalance:
    """One row a province: what was to be distributed and what the cells hold; arrays (n,)."""

    codes: np.ndarray
    total: np.ndarray
    """float64, 10^4 t: the statistic."""
    cell_sum: np.ndarray
    """float64, 10^4 t: the exact sum over the cells, rounded once to float64."""
    cells: np.ndarray
    """int64: cells of the province."""

    @property
    def difference_ulp(self) -> np.ndarray:
        """(cell_sum - total) in units of the last place of the total."""
        return (self.cell_sum - self.total) / np.spacing(self.total)


@dataclass(frozen=True)
class Allocation:
    """The corrected map and its proof."""

    emission: Raster
    balance: MassBalance


def share_out(weights: np.ndarray, total: float) -> np.ndarray:
    """Eq. 3 for one province: cells in proportion to ``weights``, whose exact sum rounds to ``total``.

    Parameters
    ----------
    weights : (n,) float64, 0 or more, n at least 1; all zero means evenly (D21).
    total : 0 or more.

    Returns
    -------
    (n,) float64 in the unit of ``total``.

    >>> share_out(np.array([1.0, 3.0]), 100.0)
    array([25., 75.])
    >>> math.fsum(share_out(np.ones(3), 0.1)) == 0.1
    True
    """
    largest = weights.max()
    # A power of two brings the weights below 1: no sum overflows, and no digit changes.
    shares = np.ldexp(weights, -np.frexp(largest)[1]) if largest > 0 else np.ones_like(weights)
    return settled(shares * (total / math.fsum(shares)), weights, total)


def evenly_where_zero(weights: np.ndarray, areas: np.ndarray) -> np.ndarray:
    """D21: the weights of a province, times area, or the areas of its cells where all weights are 0; (n,) each.

    >>> evenly_where_zero(np.zeros(2), np.array([3.0, 4.0]))
    array([3., 4.])
    """
    return weights if weights.any() else areas


def settled(cells: np.ndarray, weights: np.ndarray, total: float) -> np.ndarray:
    """D22: ``cells`` with what their rounding leaves of ``total`` given to the largest, the first of equal ones.

    If one is not enough (its own rounding may be as coarse as the total's), the next takes what is left, up to four.

    >>> settled(np.array([0.25, 0.5]), np.array([1.0, 2.0]), 1.0)
    array([0.25, 0.75])
    """
    cells = cells.copy()
    for receiver in np.argsort(-weights, kind="stable")[:4]:
        if math.fsum(cells.tolist()) == total:
            break
        cells[receiver] += math.fsum([total, *(-cells).tolist()])
    return cells


@twin("kernels.allocation")
def allocate_cells(weights, valid, zones, areas, codes, totals):
    """Eq. 3 for every province of a map.

    Parameters
    ----------
    weights, valid : (rows, cols) real and bool; a density, 0 or more where valid.
    zones : (rows, cols) integer codes.
    areas : (rows,) float64, area of a cell of each row.
    codes, totals : (k,) int64, ascending, and float64, 0 or more: the provinces that have a statistic.

    Returns
    -------
    emission : (rows, cols) float64 in the unit of ``totals``; 0 where it is not ``mapped``.
    mapped : (rows, cols) bool: the valid cells of these provinces.
    count : (k,) int64, mapped cells of each province.
    cell_sum : (k,) float64, the exact sum of these cells, rounded once; 0 for no cell.
    largest : (k,) float64, the largest weight x area; 0 where the total was spread evenly (D21), -1 for no cell.

    Raises
    ------
    InputError
        A valid weight, or a total, is negative or not finite.

    >>> weights, zones = np.array([[1.0, 3.0, 5.0]]), np.array([[11, 11, 12]])
    >>> known = np.ones((1, 3), bool)
    >>> emission, *_ = allocate_cells.reference(weights, known, zones, np.ones(1), np.array([11]), np.array([100.0]))
    >>> emission
    array([[25., 75.,  0.]])
    """
    refuse_wrong_totals(codes.tolist(), totals.tolist())
    refuse_wrong_weights(weights, valid)
    density = weights.astype(float) * areas[:, np.newaxis]
    emission, mapped = np.zeros(zones.shape), np.zeros(zones.shape, bool)
    count, cell_sum, largest = np.zeros(len(codes), np.int64), np.zeros(len(codes)), np.full(len(codes), -1.0)
    for k, (code, total) in enumerate(zip(codes.tolist(), totals.tolist())):
        inside = valid & (zones == code)
        if inside.any():
            cells = share_out(evenly_where_zero(density[inside], areas[np.nonzero(inside)[0]]), total)
            emission[inside], mapped[inside] = cells, True
            count[k], cell_sum[k], largest[k] = cells.size, math.fsum(cells.tolist()), density[inside].max()
    return emission, mapped, count, cell_sum, largest


def allocate(weights: Raster, zones: np.ndarray, totals: Mapping[int, float]) -> Allocation:
    """Eq. 3 over the whole map (D20-D22).

    Parameters
    ----------
    weights : the fine map CW, a density in any unit; its valid cells must be 0 or more.
    zones : (rows, cols) integer province codes on the grid of ``weights``, 0 outside.
    totals : statistic of each province, 10^4 t CO2 a year; codes from 1 up.

    Returns
    -------
    Allocation: emission in 10^4 t CO2 per cell, float64; valid where a province has a statistic.

    Raises
    ------
    InputError
        A negative or non-finite weight or total.

    Warns
    -----
    DataWarning
        A province whose weights are all 0 (D21), or that has a statistic and no cell.

    >>> from refimpl.raster.grid import Grid, Raster
    >>> from refimpl.raster.projection import ALBERS_CHINA
    >>> grid = Grid(ALBERS_CHINA, (0.0, 1000.0, 500.0, -500.0), (2, 2))
    >>> weights = Raster(np.array([[1.0, 3.0], [5.0, 7.0]]), np.ones((2, 2), bool), grid, "1")
    >>> allocate(weights, np.array([[11, 11], [0, 12]]), {11: 100.0}).emission.values
    array([[25., 75.],
           [ 0.,  0.]])
    """
    if zones.shape != weights.values.shape:
        raise ValueError(f"zones {zones.shape} and weights {weights.values.shape} must have one shape")
    refuse_wrong_totals(totals, totals.values())
    codes = np.array(sorted(code for code in totals if code > 0), np.int64)
    given = np.array([totals[code] for code in codes.tolist()], float)
    areas = weights.grid.cell_areas()
    emission, mapped, count, cell_sum, largest = allocate_cells(
        weights.values, weights.valid, zones, areas, codes, given
    )
    there = count > 0
    for code in codes[there & ~(largest > 0)].tolist():
        _warn(f"province {code}: all weights are 0; its total is spread evenly (D21)")
    for code in sorted(set(totals) - set(codes[there].tolist())):
        _warn(f"province {code}: has a total but no cell on the map; its total is not mapped")
    balance = MassBalance(codes[there], given[there], cell_sum[there], count[there])
    return Allocation(Raster.unchecked(emission, mapped, weights.grid, UNITS), balance)


def refuse_wrong_weights(weights: np.ndarray, valid: np.ndarray) -> None:
    """InputError, with its place, for the first valid weight that is negative or not finite."""
    wrong = valid & ~((weights >= 0) & np.isfinite(weights))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise InputError(
            f"the weights: a weight of {weights[row, column]} at row {row}, column {column}; Eq. 3 needs "
            "weights of 0 or more, clip them first (D08, D18)"
        )


def refuse_wrong_totals(codes: Iterable[int], totals: Iterable[float]) -> None:
    """InputError, with its province, for the first total that is negative or not finite."""
    for code, total in zip(codes, totals):
        if not (math.isfinite(total) and total >= 0):
            raise InputError(f"the total of province {code} is {total}; expected 10^4 t, 0 or more")


def _warn(message: str) -> None:
    warnings.warn(message, DataWarning, stacklevel=3)


def per_km2(emission: Raster) -> Raster:
    """Emission per cell (10^4 t) as a density (t CO2 / km2 / year).

    >>> from refimpl.raster.grid import Grid, Raster
    >>> from refimpl.raster.projection import ALBERS_CHINA
    >>> grid = Grid(ALBERS_CHINA, (0.0, 0.0, 500.0, -500.0), (1, 1))
    >>> cell = Raster(np.array([[2.0]]), np.ones((1, 1), bool), grid, UNITS)
    >>> per_km2(cell).values  # 20,000 t on a quarter of a km2
    array([[80000.]])
    """
    density = emission.values * 1e4 / emission.grid.cell_areas()[:, np.newaxis]
    return Raster(density, emission.valid, emission.grid, "t CO2 / km2 / year")
