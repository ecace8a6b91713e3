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
0 the statistic is spread evenly, with a warning.  D22: the residual of the sum goes to the largest
cell, which makes the sum of the float64 cells, rounded once, equal to the statistic.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from refimpl.errors import DataWarning, InputError
from refimpl.raster.grid import Raster

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
    shares = weights / largest if largest > 0 else np.ones_like(weights)  # at most 1: no overflow in the sum
    cells = shares * (total / math.fsum(shares))
    for receiver in np.argsort(-cells, kind="stable")[:4]:  # D22: the largest; the next takes what its rounding leaves
        if math.fsum(cells) == total:
            break
        cells[receiver] += math.fsum([total, *(-cells).tolist()])
    return cells


def allocate(weights: Raster, zones: np.ndarray, totals: Mapping[int, float]) -> Allocation:
    """Eq. 3 over the whole map (D20-D22).

    Parameters
    ----------
    weights : the fine map CW, a density in any unit; its valid cells must be 0 or more.
    zones : (rows, cols) integer province codes on the grid of ``weights``, 0 outside.
    totals : statistic of each province, 10^4 t CO2 a year.

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
    _check(weights, totals)
    density = np.asarray(weights.values, np.float64) * weights.grid.cell_areas()[:, np.newaxis]
    emission, valid = np.zeros(zones.shape), np.zeros(zones.shape, bool)
    rows: list[tuple[int, float, float, int]] = []
    inside = np.flatnonzero((weights.valid & (zones > 0)).ravel())
    by_zone = inside[np.argsort(zones.ravel()[inside], kind="stable")]
    codes, starts = np.unique(zones.ravel()[by_zone], return_index=True)
    for code, cells in zip(codes.tolist(), np.split(by_zone, starts[1:])):
        if code not in totals:
            continue  # D20
        if not density.flat[cells].any():
            warnings.warn(
                f"province {code}: all weights are 0; its total is spread evenly (D21)", DataWarning, stacklevel=2
            )
        emission.flat[cells] = share_out(density.flat[cells], totals[code])
        valid.flat[cells] = True
        rows.append((code, totals[code], math.fsum(emission.flat[cells].tolist()), cells.size))
    for code in sorted(set(totals) - {row[0] for row in rows}):
        warnings.warn(
            f"province {code}: has a total but no cell on the map; its total is not mapped", DataWarning, stacklevel=2
        )
    columns = list(zip(*rows)) or [(), (), (), ()]
    balance = MassBalance(*(np.array(c, t) for c, t in zip(columns, (np.int64, float, float, np.int64))))
    return Allocation(Raster(emission, valid, weights.grid, UNITS), balance)


def _check(weights: Raster, totals: Mapping[int, float]) -> None:
    wrong = weights.valid & ~((weights.values >= 0) & np.isfinite(weights.values))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise InputError(
            f"the weights: {weights.values[row, column]} at row {row}, column {column}; Eq. 3 needs "
            "weights of 0 or more, clip them first (D08, D18)"
        )
    for code, total in totals.items():
        if not (math.isfinite(total) and total >= 0):
            raise InputError(f"the total of province {code} is {total}; expected 10^4 t, 0 or more")


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
