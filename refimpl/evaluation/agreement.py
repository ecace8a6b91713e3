"""Fig. 6: the map against another inventory, over all cells, by province, by land cover, and by province totals.

Cells are compared as densities, t CO2 / km2 / year, each cell once whatever its area, where both maps have a value
and a province lies; the other inventory stands for "observed" in Eqs. 4-6, the map for "estimated".  Sums are 10^4 t
CO2 a year.  The totals of a province are all that each of the two has there; those of the map equal the statistics by
Eq. 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from refimpl.allocation import UNITS, per_km2
from refimpl.errors import InputError
from refimpl.evaluation.accuracy import accuracy
from refimpl.evaluation.comparison import Judged, judge, province_sums
from refimpl.evaluation.land_cover import LAND_COVERS, seven_classes
from refimpl.metrics import spearman_rho
from refimpl.raster.grid import Raster

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


def agreement(observed: Raster, estimated: Raster, groups: np.ndarray) -> Agreement:
    """Compare two densities on one grid, group by group.

    Parameters
    ----------
    observed, estimated : t CO2 / km2 / year.
    groups : (rows, cols) integers; 0 takes no part.

    >>> from refimpl.raster.grid import Grid
    >>> from refimpl.raster.projection import ALBERS_CHINA
    >>> grid = Grid(ALBERS_CHINA, (0, 0, 1000, -1000), (1, 3))
    >>> one, two = (Raster(np.array([v]), np.ones((1, 3), bool), grid) for v in ([1.0, 2.0, 9.0], [2.0, 6.0, 9.0]))
    >>> found = agreement(one, two, np.array([[11, 11, 12]]))
    >>> found.groups.tolist(), found.cells.tolist(), found.numbers["mae"].tolist(), found.estimated.tolist()
    ([11, 12], [2, 1], [2.5, 0.0], [0.0008, 0.0009])
    """
    inside = np.flatnonzero((observed.valid & estimated.valid & (groups > 0)).ravel())
    inside = inside[np.argsort(groups.ravel()[inside], kind="stable")]
    codes, starts, cells = np.unique(groups.ravel()[inside], return_index=True, return_counts=True)
    areas = observed.grid.cell_areas()[inside // observed.grid.shape[1]]
    o, e = (np.asarray(raster.values, np.float64).ravel()[inside] for raster in (observed, estimated))
    pairs = list(zip(np.split(o, starts[1:]), np.split(e, starts[1:]))) if codes.size else []
    rows = np.array([numbers_of(*pair) for pair in pairs], float).reshape(-1, len(NUMBERS))
    sums = [np.array([part.sum() / 1e4 for part in np.split(v * areas, starts[1:])][: codes.size]) for v in (o, e)]
    return Agreement(codes.astype(np.int64), cells.astype(np.int64), *sums, dict(zip(NUMBERS, rows.T)))


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
    density: Raster
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
    emission: Raster,
    density: Raster,
    zones: np.ndarray,
    land_cover: Raster | None = None,
    statistics: Mapping[int, float] | None = None,
    map_name: str = "map",
) -> InventoryComparison:
    """Every number of one other inventory.

    Parameters
    ----------
    emission : the map, 10^4 t per cell.
    density : the other inventory on the same grid, t CO2 / km2 / year.
    zones : (rows, cols) integer province codes, 0 outside.
    land_cover : IGBP classes on the same grid.
    statistics : 10^4 t by province; without them the province sums of the map, which equal them by Eq. 3.

    Raises
    ------
    InputError
        No cell of any province has a value in both.
    """
    if not (emission.valid & density.valid & (zones > 0)).any():
        raise InputError(f"{name}: has no value where the map has one; check its extent, projection and nodata")
    ours, grid = per_km2(emission), emission.grid
    cells = density.values * grid.cell_areas()[:, np.newaxis] / 1e4
    other = Raster.unchecked(cells, density.valid, grid, UNITS)
    map_sums, sums = province_sums(emission, zones), province_sums(other, zones)
    statistics = dict(statistics) if statistics else map_sums
    common = sorted(set(statistics) & set(sums))
    totals = numbers_of(*(np.array([values[code] for code in common], float) for values in (statistics, sums)))
    covers = None
    if land_cover is not None:
        covers = agreement(density, ours, cover_groups(land_cover, zones))
    return InventoryComparison(
        name,
        density,
        judge(f"{map_name} against {name}", emission, zones, {}, None, other),
        agreement(density, ours, (zones > 0).astype(np.uint8)),
        agreement(density, ours, zones),
        covers,
        {code: statistics[code] for code in common},
        map_sums,
        sums,
        totals,
    )


def cover_groups(land_cover: Raster, zones: np.ndarray) -> np.ndarray:
    """(rows, cols) uint8: 1-7 for the seven land covers (D23), 8 for none, 0 outside the provinces."""
    groups = np.full(zones.shape, WITHOUT, np.uint8)
    groups[land_cover.valid] = seven_classes(land_cover.values[land_cover.valid]) + 1
    groups[zones <= 0] = 0
    return groups
