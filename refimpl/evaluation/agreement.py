"""Comparison of the map with another inventory (Fig. 6): all cells, by province, by land cover, and province totals.

Cells are compared as densities, t CO2 / km2 / year.  A cell takes part where both maps have a value and a province
lies; it counts once, whatever its area.  In Eqs. 4-6 the other inventory is "observed" and the map is "estimated".
Sums are 10^4 t CO2 a year.  A province's total is the sum of all its cells in one of the two maps, also of those that
the other map lacks; the totals of our map equal the statistics by Eq. 3.

Maps are read once, window by window.  Sums and moments are kept by group; pairs of cells are kept in files for rho.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from refimpl.earth.grid import Raster, Source
from refimpl.errors import InputError
from refimpl.evaluation.accuracy import accuracy, accuracy_of
from refimpl.evaluation.derived import codes_in
from refimpl.evaluation.moments import NOTHING, Moments, accuracies, group_moments, joined, merged
from refimpl.evaluation.pairs import PairFiles
from refimpl.evaluation.rank_correlation import spearman_rho
from refimpl.evaluation.scorecard import Judged, density_of
from refimpl.evaluation.zone_sums import Sums
from refimpl.method.land_cover import LAND_COVERS, seven_classes
from refimpl.windows.walks import windows

WITHOUT = len(LAND_COVERS) + 1
"""The group of cells without a land cover; the seven land covers are groups 1-7."""
NUMBERS = ("r", "r2", "mae", "rmse", "rho")
"""Names of the measures of agreement, in their order."""


@dataclass(frozen=True, eq=False)
class Agreement:
    """How two maps agree in each group of cells; arrays (k,), groups ascending."""

    groups: np.ndarray
    """int64: a province's code, or the number of a land cover from 1."""
    cells: np.ndarray
    """int64."""
    observed: np.ndarray
    """float64, 10^4 t: the sum of the other inventory over these cells."""
    estimated: np.ndarray
    """float64, 10^4 t: the sum of the map over these cells."""
    numbers: dict[str, np.ndarray]
    """By the names in ``NUMBERS``; mae and rmse are t CO2 / km2."""


class CommonCells:
    """Sums and moments, group by group, of the cells that have a value in both of two densities."""

    def __init__(self):
        self.moments, self.observed, self.estimated = NOTHING, Sums(), Sums()

    def add(self, observed, estimated, inside, groups, areas: np.ndarray) -> None:
        """Add the cells ``inside`` of one window; arrays (rows, cols), ``areas`` (rows,) in km2."""
        self.moments = joined(self.moments, Moments(*group_moments(observed, estimated, inside, groups)))
        self.observed.add_cells(observed, inside, groups, areas)
        self.estimated.add_cells(estimated, inside, groups, areas)

    def agreement(self, rho: Mapping[int, float]) -> Agreement:
        """The agreement of each group; ``rho`` holds Spearman's rho by group."""
        moments = self.moments
        sums = (each.totals()[1] / 1e4 for each in (self.observed, self.estimated))
        numbers = numbers_from(moments, [rho[code] for code in moments.codes.tolist()])
        return Agreement(moments.codes, moments.counts, *sums, numbers)

    def overall(self, rho: float) -> Agreement:
        """The agreement of all groups together, as a single group of number 1."""
        moments = merged(self.moments)
        sums = (np.array([each.whole() / 1e4]) for each in (self.observed, self.estimated))
        return Agreement(moments.codes, moments.counts, *sums, numbers_from(moments, [rho]))


def numbers_from(moments: Moments, rho: Iterable[float]) -> dict[str, np.ndarray]:
    """The measures in ``NUMBERS`` of each group; ``rho`` in the order of the groups."""
    r2, mae, rmse, r = accuracies(moments)
    return dict(zip(NUMBERS, (r, r2, mae, rmse, np.array(list(rho), float))))



def numbers_of(observed: np.ndarray, estimated: np.ndarray) -> tuple[float, ...]:
    """(r, R2, MAE, RMSE, rho) of 1-D arrays; nan for no values.

    >>> numbers_of(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0]))[1:]
    (0.5, 0.3333333333333333, 0.5773502691896257, 1.0)
    """
    r2, mae, rmse, r = accuracy(observed, estimated)
    return r, r2, mae, rmse, spearman_rho(observed, estimated) if observed.size else float("nan")


@dataclass(frozen=True, eq=False)
class InventoryComparison:
    """The comparison of the map with one other inventory."""

    name: str
    density: Source
    """The other inventory, t CO2 / km2 / year, on the grid of the map."""
    judged: Judged
    """The map against this inventory by province, in the form in which the map's alternatives are judged."""
    overall: Agreement
    """A single group: every cell."""
    provinces: Agreement
    land_covers: Agreement | None
    """Groups 1-7 in the order of ``LAND_COVERS``, 8 for cells without one; None where no land cover was given."""
    statistics: dict[int, float]
    """10^4 t by province: what the inventory's sums are compared with."""
    map_sums: dict[int, float]
    """10^4 t by province: the sum of all cells of the map."""
    sums: dict[int, float]
    """10^4 t by province: the sum of all cells of the inventory."""
    totals: tuple[float, ...]
    """(r, R2, MAE, RMSE, rho) of ``sums`` against ``statistics``, 10^4 t."""


def compare_inventory(
    name: str,
    emission: Source,
    density: Source,
    zones: Source | np.ndarray,
    land_cover: Source | None = None,
    statistics: Mapping[int, float] | None = None,
    map_name: str = "map",
    folder: Path | None = None,
) -> InventoryComparison:
    """Compare the map with one other inventory, in one walk over the windows of both.

    Parameters
    ----------
    emission : the map, 10^4 t per cell.
    density : the other inventory on the same grid, t CO2 / km2 / year.
    zones : (rows, cols) integer province codes, 0 outside.
    land_cover : IGBP classes on the same grid.
    statistics : 10^4 t by province; by default the province sums of the map, which equal the statistics by Eq. 3.
    folder : where the cells are kept until they are ranked, up to 33 bytes each; by default the system's folder for
        temporary files.

    Raises
    ------
    InputError
        No cell of any province has a value in both.

    >>> from refimpl.earth.grid import Grid
    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> grid = Grid(ALBERS_CHINA, (0, 0, 1000, -1000), (1, 3))
    >>> ours, other = (Raster(np.array([v]), np.ones((1, 3), bool), grid) for v in ([1.0, 2.0, 9.0], [2e4, 6e4, 9e4]))
    >>> found = compare_inventory("other", ours, other, np.array([[11, 11, 12]])).provinces
    >>> found.groups.tolist(), found.cells.tolist(), found.numbers["mae"].tolist(), found.observed.tolist()
    ([11, 12], [2, 1], [25000.0, 0.0], [8.0, 9.0])
    """
    with TemporaryDirectory(dir=folder, prefix="pairs-") as place:
        both = BothMaps(emission, density, zones, land_cover, PairFiles(Path(place)))
        if not both.pairs.counts:
            raise InputError(f"{name}: has no value where the map has one; check its extent, projection and nodata")
        rho = both.pairs.rho()
    covers = both.covers.agreement(rho.covers) if land_cover is not None else None
    of_map, of_other = both.map_sums.by_code(), {code: total / 1e4 for code, total in both.sums.by_code().items()}
    statistics = dict(statistics) if statistics else of_map
    common = sorted(set(statistics) & set(of_other))
    return InventoryComparison(
        name,
        density,
        Judged(
            f"{map_name} against {name}", emission, (float("nan"),) * 4, None, accuracy_of(both.provinces.moments)
        ),
        both.provinces.overall(rho.overall),
        both.provinces.agreement(rho.groups),
        covers,
        {code: statistics[code] for code in common},
        of_map,
        of_other,
        numbers_of(*(np.array([values[code] for code in common], float) for values in (statistics, of_other))),
    )


class BothMaps:
    """What one walk over two maps keeps; ``pairs`` takes the common cells, the rest is as in ``compare_inventory``."""

    def __init__(self, emission: Source, density: Source, zones, land_cover: Source | None, pairs: PairFiles):
        self.map_sums, self.sums, self.pairs = Sums(), Sums(), pairs
        self.provinces, self.covers = CommonCells(), CommonCells()
        areas = emission.grid.cell_areas()
        for window in windows(emission.grid.shape):
            codes = codes_in(zones, window)
            if codes.any():
                classes = land_cover.part(window) if land_cover is not None else None
                self._add(emission.part(window), density.part(window), codes, classes, areas, window)

    def _add(self, emission: Raster, other: Raster, codes, classes: Raster | None, areas, window) -> None:
        """Add one window; ``areas`` (rows,) are those of the whole grid."""
        ours, rows = density_of(emission, areas, window).values, areas[window[0] : window[1]]
        inside, groups = emission.valid & other.valid & (codes > 0), None
        self.map_sums.add_cells(emission.values, emission.valid, codes, np.ones(rows.size))
        self.sums.add_cells(other.values, other.valid, codes, rows)
        self.provinces.add(other.values, ours, inside, codes, rows)
        if classes is not None:
            groups = cover_groups(classes, codes)
            self.covers.add(other.values, ours, inside, groups, rows)
        self.pairs.add(other.values, ours, inside, codes, groups)


def cover_groups(land_cover: Raster, zones: np.ndarray) -> np.ndarray:
    """(rows, cols) uint8: 1-7 for the seven land covers (D23), 8 for none, 0 outside the provinces."""
    groups = np.full(zones.shape, WITHOUT, np.uint8)
    groups[land_cover.valid] = seven_classes(land_cover.values[land_cover.valid]) + 1
    groups[zones <= 0] = 0
    return groups
