"""Scorecard of the super-resolution: the same numbers for the map and for its plain alternatives.

One map alone does not show what ZSSR gains.  Six maps of the same year are judged alike:

1. regression, baseline kept: the coarse map of the chosen regression, scaled by one factor for the whole country;
2. regression, baseline removed (D09): the same less its minimum, again with one factor for the whole country;
3. replicate + Eq. 3: every coarse cell split into four equal ones, then the correction;
4. bicubic + Eq. 3;
5. ZSSR + Eq. 3: the map itself;
6. lights alone + Eq. 3: no regression at all.

Two more show what back-projection does: bicubic with it, and the network without it.  Where the drivers are as fine
as the fine grid, there is also a reference: the regression on these drivers, which the super-resolution tries to
recover.  Maps 1 and 2 are not corrected by province, so their province sums can be judged against the statistics.  The
sums of the others match the statistics by design.

All maps are judged in one walk, window by window: zones, land cover and the reference are read once for all of them,
and only sums and moments of each map are kept.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from refimpl.earth.grid import Raster, Source, Window
from refimpl.errors import DataWarning
from refimpl.evaluation.accuracy import Accuracy, accuracy_of, totals_accuracy
from refimpl.evaluation.derived import codes_in, like
from refimpl.evaluation.land_cover import land_cover_pairs
from refimpl.evaluation.moments import NOTHING, Moments, group_moments, joined
from refimpl.evaluation.zone_sums import Sums
from refimpl.method.land_cover import LAND_COVERS, LandCoverShares, shares_of
from refimpl.windows.allocated_map import UNITS, allocate
from refimpl.windows.computed import Computed
from refimpl.windows.walks import windows


@dataclass(frozen=True)
class Judged:
    """One map and the numbers by which it is judged."""

    name: str
    emission: Source
    """10^4 t per cell."""
    totals: tuple[float, float, float, float]
    """(R2, MAE, RMSE, r) of the province sums against the statistics, 10^4 t."""
    land_cover: LandCoverShares | None
    cells: Accuracy | None
    """Against the fine reference, t CO2 / km2 / year; None where there is no reference."""


def province_sums(emission: Source, zones: Source | np.ndarray) -> dict[int, float]:
    """The sum of the cells of each province that has a valid one, in the map's unit."""
    return sums_of(emission, zones, np.ones(emission.grid.shape[0])).by_code()


def sums_of(source: Source, zones: Source | np.ndarray, weights: np.ndarray) -> Sums:
    """The sum of value x weight by province; ``weights`` (rows,)."""
    found = Sums()
    for window in windows(source.grid.shape):
        codes = codes_in(zones, window)
        if codes.any():
            cells = source.part(window)
            found.add_cells(cells.values, cells.valid, codes, weights[window[0] : window[1]])
    return found


def one_factor(density: Source, zones: Source | np.ndarray, totals: Mapping[int, float]) -> Source:
    """Emission in proportion to ``density``, with one factor for all provinces that have a total (no Eq. 3).

    The factor takes one walk over the map.  The result is in memory if ``density`` is.
    """
    codes, weights = sums_of(density, zones, density.grid.cell_areas()).totals()
    mapped = np.isin(codes, list(totals))
    whole, spread = sum(totals[code] for code in codes[mapped].tolist()), weights[mapped].sum()
    return like(density, OneFactor(density, zones, codes[mapped], whole / spread if spread > 0 else 1.0))


class OneFactor(Computed):
    """``density`` x cell area x ``factor`` in the provinces of ``codes``, 10^4 t per cell."""

    def __init__(self, density: Source, zones: Source | np.ndarray, codes: np.ndarray, factor: float):
        super().__init__(density.grid, UNITS)
        self.density, self.zones, self.codes, self.factor = density, zones, codes, factor
        self.areas = density.grid.cell_areas()

    def part(self, window: Window) -> Raster:
        """The cells of (row start, row stop, column start, column stop)."""
        found = self.density.part(window)
        valid = found.valid & np.isin(codes_in(self.zones, window), self.codes)
        cells = np.where(valid, found.values, 0.0) * self.areas[window[0] : window[1], np.newaxis]
        return Raster(cells * self.factor, valid, found.grid, self.units)



def judge_all(
    maps: Mapping[str, Source],
    zones: Source | np.ndarray,
    totals: Mapping[int, float],
    land_cover: Source | None = None,
    reference: Source | None = None,
    done: Callable[[float], None] = lambda share: None,
) -> list[Judged]:
    """Judge several maps on one grid in one walk over its windows; memory does not grow with the grid.

    Parameters
    ----------
    maps : 10^4 t per cell, by name.
    zones : (rows, cols) integer province codes, 0 outside; an array or a source.
    totals : statistic of each mapped province, 10^4 t.
    land_cover : IGBP classes on the same grid.
    reference : what the cells are compared with, 10^4 t per cell on the same grid.
    done : called with the finished share of the walk.

    Raises
    ------
    InputError
        A class beyond 0-17 where a map is valid.
    """
    grid, found = next(iter(maps.values())).grid, {name: MapSums() for name in maps}
    areas, walk = grid.cell_areas(), windows(grid.shape)
    for at, window in enumerate(walk):
        codes = codes_in(zones, window)
        if codes.any():  # cells outside all provinces do not count
            classes = land_cover.part(window) if land_cover is not None else None
            observed = density_of(reference.part(window), areas, window) if reference is not None else None
            for name, emission in maps.items():
                found[name].add(emission.part(window), codes, classes, observed, areas, window)
        done((at + 1) / len(walk))
    return [
        Judged(
            name, emission, totals_accuracy(totals, found[name].provinces.by_code()),
            shares_of(*found[name].covers.totals((len(LAND_COVERS) + 1,))) if land_cover is not None else None,
            accuracy_of(found[name].moments) if reference is not None else None,
        )
        for name, emission in maps.items()
    ]  # fmt: skip


class MapSums:
    """Sums and moments of one map, kept during the walk."""

    def __init__(self):
        self.provinces, self.covers, self.moments = Sums(), Sums(), NOTHING

    def add(self, emission: Raster, codes, classes: Raster | None, observed: Raster | None, areas, window) -> None:
        """Add a window of the map, in 10^4 t per cell, with all that it is compared with there."""
        values, valid = emission.values, emission.valid
        self.provinces.add_cells(values, valid, codes, np.ones(codes.shape[0]))
        if classes is not None:
            self.covers.add(*land_cover_pairs(values, valid, codes, classes.values, classes.valid))
        if observed is not None:
            estimated = density_of(emission, areas, window)
            here = group_moments(observed.values, estimated.values, observed.valid & valid, codes)
            self.moments = joined(self.moments, Moments(*here))


def density_of(emission: Raster, areas: np.ndarray, window: Window) -> Raster:
    """A window in 10^4 t per cell as t CO2 / km2 / year; ``areas`` (rows,) are those of the whole grid, km2."""
    density = emission.values * 1e4 / areas[window[0] : window[1], np.newaxis]
    return Raster.unchecked(density, emission.valid, emission.grid, "t CO2 / km2 / year")


def corrected(
    maps: Mapping[str, Source], zones: Source | np.ndarray, totals: Mapping[int, float]
) -> dict[str, Source]:
    """Eq. 3 applied to each of the named density maps; data warnings (D21) are given for the result only, not here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return {name: allocate(density, zones, totals).emission for name, density in maps.items()}


def comparison_table(judged: list[Judged], land_cover: str = "built-up") -> dict[str, list]:
    """Columns of a CSV with one row a map: the share of one land cover (mean over provinces), totals and cells."""
    nothing = (float("nan"),) * 4
    cells = [j.cells.overall if j.cells else nothing for j in judged]
    shares = [j.land_cover.mean(land_cover) if j.land_cover else float("nan") for j in judged]
    table: dict[str, list] = {"map": [j.name for j in judged], f"{land_cover}_share": shares}
    for at, name in enumerate(("r2", "mae_1e4t", "rmse_1e4t")):
        table[f"totals_{name}"] = [j.totals[at] for j in judged]
    for at, name in enumerate(("r2", "mae_t_per_km2", "rmse_t_per_km2")):
        table[f"cells_{name}"] = [c[at] for c in cells]
    return table
