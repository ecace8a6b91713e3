"""Fig. 6: the map against another inventory, over all cells, by province, by land cover, and by province totals.

Cells are compared as densities, t CO2 / km2 / year, each cell once whatever its area, where both maps have a value
and a province lies; the other inventory stands for "observed" in Eqs. 4-6, the map for "estimated".  Sums are 10^4 t
CO2 a year.  The totals of a province are all that each of the two has there; those of the map equal the statistics by
Eq. 3.

Maps are read once, window by window; sums and moments are kept by group, and the pairs of cells in files for rho.
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
"""The group of cells without a land cover; those of the seven are 1-7."""
NUMBERS = ("r", "r2", "mae", "rmse", "rho")


@dataclass(frozen=True, eq=False)
class Agreement:
    """How two maps agree in each group of cells; arrays (k,), groups ascending."""

    groups: np.ndarray
    """int64: a province's code, or the number of a land cover from 1."""
    cells: np.ndarray
    """int64."""
    observed: np.ndarray
    """float64, 10^4 t: what the other inventory has on these cells."""
    estimated: np.ndarray
    """float64, 10^4 t: what the map has."""
    numbers: dict[str, np.ndarray]
    """r, r2, mae and rmse (t CO2 / km2), rho by name."""


class Common:
    """What is kept, group by group, of the cells that two densities have in common."""

    def __init__(self):
        self.moments, self.observed, self.estimated = NOTHING, Sums(), Sums()

    def add(self, observed, estimated, inside, groups, areas: np.ndarray) -> None:
        """The cells ``inside`` of one window; arrays (rows, cols), ``areas`` (rows,) in km2."""
        self.moments = joined(self.moments, Moments(*group_moments(observed, estimated, inside, groups)))
        self.observed.add_cells(observed, inside, groups, areas)
        self.estimated.add_cells(estimated, inside, groups, areas)

    def agreement(self, rho: Mapping[int, float]) -> Agreement:
        """By group, as ``rho`` is."""
        moments = self.moments
        sums = (each.totals()[1] / 1e4 for each in (self.observed, self.estimated))
        numbers = numbers_from(moments, [rho[code] for code in moments.codes.tolist()])
        return Agreement(moments.codes, moments.counts, *sums, numbers)

    def overall(self, rho: float) -> Agreement:
        """All groups as one of number 1."""
        moments = merged(self.moments)
        sums = (np.array([each.whole() / 1e4]) for each in (self.observed, self.estimated))
        return Agreement(moments.codes, moments.counts, *sums, numbers_from(moments, [rho]))


def numbers_from(moments: Moments, rho: Iterable[float]) -> dict[str, np.ndarray]:
    """NUMBERS of each group."""
    r2, mae, rmse, r = accuracies(moments)
    return dict(zip(NUMBERS, (r, r2, mae, rmse, np.array(list(rho), float))))


def agreement(
    observed: Source, estimated: Source, groups: Source | np.ndarray, folder: Path | None = None
) -> Agreement:
    """Compare two densities on one grid, group by group, window by window.

    Parameters
    ----------
    observed, estimated : t CO2 / km2 / year.
    groups : (rows, cols) integers; 0 takes no part.
    folder : where the cells are kept until they are ranked, 17 bytes each; by default the system's.

    >>> from refimpl.earth.grid import Grid
    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> grid = Grid(ALBERS_CHINA, (0, 0, 1000, -1000), (1, 3))
    >>> one, two = (Raster(np.array([v]), np.ones((1, 3), bool), grid) for v in ([1.0, 2.0, 9.0], [2.0, 6.0, 9.0]))
    >>> found = agreement(one, two, np.array([[11, 11, 12]]))
    >>> found.groups.tolist(), found.cells.tolist(), found.numbers["mae"].tolist(), found.estimated.tolist()
    ([11, 12], [2, 1], [2.5, 0.0], [0.0008, 0.0009])
    """
    areas, common = observed.grid.cell_areas(), Common()
    with TemporaryDirectory(dir=folder, prefix="pairs-") as place:
        pairs = PairFiles(Path(place))
        for window in windows(observed.grid.shape):
            codes, o, e = codes_in(groups, window), observed.part(window), estimated.part(window)
            inside = o.valid & e.valid & (codes > 0)
            common.add(o.values, e.values, inside, codes, areas[window[0] : window[1]])
            pairs.add(o.values, e.values, inside, codes)
        return common.agreement(pairs.rho().groups)


def numbers_of(observed: np.ndarray, estimated: np.ndarray) -> tuple[float, ...]:
    """(r, R2, MAE, RMSE, rho) of 1-D arrays; nan for no values.

    >>> numbers_of(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0]))[1:]
    (0.5, 0.3333333333333333, 0.5773502691896257, 1.0)
    """
    r2, mae, rmse, r = accuracy(observed, estimated)
    return r, r2, mae, rmse, spearman_rho(observed, estimated) if observed.size else float("nan")


@dataclass(frozen=True, eq=False)
class InventoryComparison:
    """One other inventory beside the map."""

    name: str
    density: Source
    """The other inventory, t CO2 / km2 / year, on the grid of the map."""
    judged: Judged
    """By province, as the alternatives of the map are."""
    overall: Agreement
    """One group: every cell."""
    provinces: Agreement
    land_covers: Agreement | None
    """Groups 1-7 in the order of ``LAND_COVERS``, 8 without one; None where there is no land cover."""
    statistics: dict[int, float]
    """10^4 t by province: what the inventory's sums are compared with."""
    map_sums: dict[int, float]
    sums: dict[int, float]
    """10^4 t by province: all that the map, and the inventory, has there."""
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
    """Every number of one other inventory, from one walk over the windows of both maps.

    Parameters
    ----------
    emission : the map, 10^4 t per cell.
    density : the other inventory on the same grid, t CO2 / km2 / year.
    zones : (rows, cols) integer province codes, 0 outside.
    land_cover : IGBP classes on the same grid.
    statistics : 10^4 t by province; without them the province sums of the map, which equal them by Eq. 3.
    folder : where the cells are kept until they are ranked, up to 33 bytes each; by default the system's.

    Raises
    ------
    InputError
        No cell of any province has a value in both.
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
    """What one walk over two maps keeps; parameters as of ``compare_inventory``, ``pairs`` takes the common cells."""

    def __init__(self, emission: Source, density: Source, zones, land_cover: Source | None, pairs: PairFiles):
        self.map_sums, self.sums, self.provinces, self.covers, self.pairs = Sums(), Sums(), Common(), Common(), pairs
        areas = emission.grid.cell_areas()
        for window in windows(emission.grid.shape):
            codes = codes_in(zones, window)
            if codes.any():
                classes = land_cover.part(window) if land_cover is not None else None
                self._add(emission.part(window), density.part(window), codes, classes, areas, window)

    def _add(self, emission: Raster, other: Raster, codes, classes: Raster | None, areas, window) -> None:
        """One window; ``areas`` (rows,) are those of the whole grid."""
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
