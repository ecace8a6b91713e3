"""Eq. 3 on maps of any size: a source that shares province totals out to the cells that are asked for (D20-D22).

``allocate`` equals ``refimpl.method.correction.allocate`` to the bit.  It walks the map twice, window by window
(``shares``).  The first walk sums CW_n.  The second sums the cells that Eq. 3 gives, because D22 needs what their
rounding leaves; it keeps none of them.  A cell is computed again when it is asked for.  No sum depends on how the map
is cut: a cell is the same to the bit for any windows, threads and workers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

import numpy as np

from refimpl.earth.grid import Grid, Raster, Source, Window
from refimpl.errors import warn
from refimpl.method import correction
from refimpl.method.correction import refuse_wrong_totals
from refimpl.windows.executors import at_once, result_of, submit
from refimpl.windows.shares import Settled, Shares, Weighed, joined, settled, share_cells, shares_of, weigh_cells
from refimpl.windows.walks import windows

UNITS = "10^4 t CO2 per cell per year"
DENSITY_UNITS = "t CO2 / km2 / year"


@dataclass(frozen=True)
class MassBalance:
    """The total to distribute and what the cells hold, one entry for each province; arrays (n,)."""

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
    """The corrected map, and the proof that it keeps the totals."""

    emission: Source
    """A ``Raster`` if the weights are one, else ``Allocated``."""
    balance: MassBalance


def allocate_cells(weights, valid, zones, areas, codes, totals):
    """Eq. 3 for every province of a map in memory, by the passes of ``shares``.

    ``emission`` and ``mapped`` equal those of ``refimpl.method.correction.allocate`` to the bit.

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
    largest : (k,) float64, the largest weight x area; 0 where the total is spread evenly (D21), -1 for no cell.

    Raises
    ------
    InputError
        A valid weight, or a total, is negative or not finite.

    >>> weights, zones = np.array([[1.0, 3.0, 5.0]]), np.array([[11, 11, 12]])
    >>> known = np.ones((1, 3), bool)
    >>> emission, *_ = allocate_cells(weights, known, zones, np.ones(1), np.array([11]), np.array([100.0]))
    >>> emission
    array([[25., 75.,  0.]])
    """
    refuse_wrong_totals(codes.tolist(), totals.tolist())
    cells = weights, valid, zones, areas
    weighed, added, largest = weigh(lambda *chosen: Weighed(*weigh_cells(*cells, *chosen, (0, 0))), codes)
    shares = shares_of(codes, added, weighed, totals)
    emission, mapped, sums = share_cells(*cells, *shares.columns)
    found = settled(shares, weighed, sums, totals)
    found.lay(emission, (0, 0))
    return emission, mapped, weighed.count, found.cell_sum, largest


def weigh(walk: Callable[[np.ndarray, np.ndarray], Weighed], codes: np.ndarray):
    """The first pass, and one more for provinces whose weights are all 0: their cells share by area (D21).

    ``walk(codes, added)`` weighs all cells of some provinces.  Returns the ``Weighed``, a_n (k,) of Eq. 3 as in
    refimpl/windows/shares.py, and the largest weight x area (k,): 0 where all weights are 0, -1 for no cell.
    """
    weighed = walk(codes, np.zeros(codes.size))
    largest = weighed.largest[:, 0]
    zero = largest == 0
    if zero.any():
        even = walk(codes[zero], np.ones(np.count_nonzero(zero)))
        weighed = Weighed(*(column.copy() for column in weighed))
        for column, found in zip(weighed, even):
            column[zero] = found
    return weighed, zero.astype(float), largest.copy()


def allocate(
    weights: Source, zones: Source | np.ndarray, totals: Mapping[int, float], executor: Executor | None = None
) -> Allocation:
    """Eq. 3 over the whole map (D20-D22): ``refimpl.method.correction.allocate``, for sources.

    Parameters
    ----------
    weights : the fine map CW, a density in any unit; its valid cells must be 0 or more.
    zones : integer province codes on the grid of ``weights``, 0 outside: a source, or (rows, cols).
    totals : statistic of each province, 10^4 t CO2 a year; codes from 1 up.
    executor : runs the walks over weights that are not in memory; None: this process.  The result is the same.

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

    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> grid = Grid(ALBERS_CHINA, (0.0, 1000.0, 500.0, -500.0), (2, 2))
    >>> weights = Raster(np.array([[1.0, 3.0], [5.0, 7.0]]), np.ones((2, 2), bool), grid, "1")
    >>> allocate(weights, np.array([[11, 11], [0, 12]]), {11: 100.0}).emission.values
    array([[25., 75.],
           [ 0.,  0.]])
    """
    shape = zones.shape if isinstance(zones, np.ndarray) else zones.grid.shape
    if shape != weights.grid.shape:
        raise ValueError(f"zones {shape} and weights {weights.grid.shape} must have one shape")
    refuse_wrong_totals(totals, totals.values())
    codes = np.array(sorted(code for code in totals if code > 0), np.int64)
    given = np.array([totals[code] for code in codes.tolist()], float)
    cells = Cells(weights, zones, weights.grid.cell_areas())
    if isinstance(weights, Raster):
        emission, mapped, count, cell_sum, largest = allocate_cells(*cells.part(whole(shape)), codes, given)
        result: Source = Raster.unchecked(emission, mapped, weights.grid, UNITS)
    else:
        result, count, largest = allocated(cells, codes, given, executor)
        cell_sum = result.settled.cell_sum
    there = count > 0
    for code in codes[there & ~(largest > 0)].tolist():
        warn(f"province {code}: all weights are 0; its total is spread evenly (D21)")
    for code in sorted(set(totals) - set(codes[there].tolist())):
        warn(f"province {code}: has a total but no cell on the map; its total is not mapped")
    return Allocation(result, MassBalance(codes[there], given[there], cell_sum[there], count[there]))


@dataclass(frozen=True)
class Cells:
    """What Eq. 3 needs to know of each cell: weights and zones on one grid, and the area of a cell of each row."""

    weights: Source
    zones: Source | np.ndarray
    areas: np.ndarray

    def part(self, window: Window) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Weights, valid, zones (rows, cols) and areas (rows,) of a window."""
        top, bottom, left, right = window
        part = self.weights.part(window)
        here = isinstance(self.zones, np.ndarray)
        zones = self.zones[top:bottom, left:right] if here else self.zones.part(window).values
        return part.values, part.valid, zones, self.areas[top:bottom]

    def weighed(self, codes: np.ndarray, added: np.ndarray, window: Window) -> tuple:
        """``weigh_cells`` on a window."""
        return weigh_cells(*self.part(window), codes, added, (window[0], window[2]))

    def summed(self, shares: Shares, window: Window) -> np.ndarray:
        """The sums that ``share_cells`` finds in a window."""
        return share_cells(*self.part(window), *shares.columns)[2]


def allocated(cells: Cells, codes: np.ndarray, totals: np.ndarray, executor: Executor | None = None):
    """Both passes over a map that need not fit in memory: the map, and ``count`` and ``largest`` of ``allocate_cells``.

    The map equals that of ``refimpl.method.correction.allocate``.
    """
    parts = windows(cells.weights.grid.shape)

    def walk(codes, added):
        return joined(each(partial(cells.weighed, codes, added), parts, executor), codes.size)

    weighed, added, largest = weigh(walk, codes)
    shares = shares_of(codes, added, weighed, totals)
    # The digits of a window are below 2^32: more windows than there are cells can be added.
    sums = sum(each(partial(cells.summed, shares), parts, executor), np.zeros_like(weighed.sums))
    return Allocated(cells, shares, settled(shares, weighed, sums, totals)), weighed.count, largest


def each(task: Callable[[Window], object], parts: list[Window], executor: Executor | None) -> Iterator:
    """What ``task`` finds in each window, in order; an executor works ahead of the caller."""
    if executor is None:
        yield from map(task, parts)
        return
    ahead: deque = deque()
    for window in parts:
        ahead.append(submit(executor, task, window))
        if len(ahead) > 2 * at_once(executor):
            yield result_of(ahead.popleft())
    while ahead:
        yield result_of(ahead.popleft())


@dataclass(frozen=True, eq=False)
class Allocated:
    """Emission, 10^4 t CO2 per cell a year: Eq. 3, computed for the cells that are asked for.

    It equals the emission of ``refimpl.method.correction.allocate`` to the bit.
    """

    cells: Cells
    shares: Shares
    settled: Settled
    units = UNITS
    dtype = np.dtype(np.float64)

    @property
    def grid(self) -> Grid:
        """The grid of the weights."""
        return self.cells.weights.grid

    def part(self, window: Window) -> Raster:
        """The cells of (row start, row stop, column start, column stop)."""
        emission, mapped, _ = share_cells(*self.cells.part(window), *self.shares.columns)
        self.settled.lay(emission, (window[0], window[2]))
        return Raster.unchecked(emission, mapped, self.grid.part(window), UNITS)


def whole(shape: tuple[int, int]) -> Window:
    """The window that is all of a raster.

    >>> whole((2, 3))
    (0, 2, 0, 3)
    """
    return 0, shape[0], 0, shape[1]


def per_km2(emission: Source) -> Source:
    """Emission per cell (10^4 t) as a density (t CO2 / km2 / year); a ``Raster`` if the emission is one.

    It equals ``refimpl.method.correction.per_km2``.

    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> grid = Grid(ALBERS_CHINA, (0.0, 0.0, 500.0, -500.0), (1, 1))
    >>> cell = Raster(np.array([[2.0]]), np.ones((1, 1), bool), grid, UNITS)
    >>> per_km2(cell).values  # 20,000 t on a quarter of a km2
    array([[80000.]])
    """
    density = PerKm2(emission, emission.grid.cell_areas())
    return density.part(whole(emission.grid.shape)) if isinstance(emission, Raster) else density


@dataclass(frozen=True, eq=False)
class PerKm2:
    """Emission as a density, t CO2 / km2 / year; ``areas`` (rows,), km2.

    It equals ``refimpl.method.correction.per_km2``.
    """

    emission: Source
    areas: np.ndarray
    units = DENSITY_UNITS
    dtype = np.dtype(np.float64)

    @property
    def grid(self) -> Grid:
        """The grid of the emission."""
        return self.emission.grid

    def part(self, window: Window) -> Raster:
        """The cells of (row start, row stop, column start, column stop)."""
        part = self.emission.part(window)
        density = correction.per_km2(part.values, self.areas[window[0] : window[1]])
        return Raster.unchecked(density, part.valid, part.grid, DENSITY_UNITS)
