"""What the super-resolution adds: the same numbers for the map and for its plain alternatives.

ZSSR's gain cannot be read from one map.  Six maps of the same year are judged alike:

1. regression, baseline kept: the coarse map of the chosen regression (SVR) as it is, one national factor;
2. regression, baseline removed (D09): the same less its minimum, one factor for the whole country;
3. replicate + Eq. 3: every coarse cell split into four equal ones, then the correction;
4. bicubic + Eq. 3;
5. ZSSR + Eq. 3: the map itself;
6. lights alone + Eq. 3: no regression at all.

Two more tell what back-projection does: bicubic with it, and the network without it.  Where the drivers are as
fine as the fine grid, a last one is what the super-resolution tries to recover: the regression on them.
Maps 1 and 2 are not corrected, so their province sums can be judged against the statistics; the others match them by
design.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from refimpl.allocation import allocate, per_km2
from refimpl.errors import DataWarning
from refimpl.evaluation.accuracy import Accuracy, accuracy_by_province, totals_accuracy
from refimpl.evaluation.land_cover import LandCoverShares, land_cover_shares
from refimpl.raster.grid import Raster
from refimpl.raster.zonal import zonal_sums


@dataclass(frozen=True)
class Judged:
    """One map and its numbers."""

    name: str
    emission: Raster
    """10^4 t per cell."""
    totals: tuple[float, float, float, float]
    """(R2, MAE, RMSE, r) of the province sums against the statistics, 10^4 t."""
    land_cover: LandCoverShares | None
    cells: Accuracy | None
    """Against the fine reference, t CO2 / km2 / year; None where there is no reference."""


def province_sums(emission: Raster, zones: np.ndarray) -> dict[int, float]:
    """The sum of the cells of each province that has one, in the map's unit."""
    codes, sums, _, counts = zonal_sums(emission.values, emission.valid, zones, np.ones(zones.shape[0]))
    return {code: total for code, total, count in zip(codes.tolist(), sums.tolist(), counts.tolist()) if count}


def one_factor(density: Raster, zones: np.ndarray, totals: Mapping[int, float]) -> Raster:
    """Emission in proportion to ``density`` with one factor for all provinces that have a total (no Eq. 3)."""
    areas = density.grid.cell_areas()
    codes, weights, _, counts = zonal_sums(density.values, density.valid, zones, areas)
    mapped = np.isin(codes, list(totals)) & (counts > 0)
    whole, spread = sum(totals[code] for code in codes[mapped].tolist()), weights[mapped].sum()
    valid = density.valid & np.isin(zones, codes[mapped])
    cells = np.where(valid, density.values, 0.0) * areas[:, np.newaxis]
    if spread > 0:
        cells *= whole / spread
    return Raster(cells, valid, density.grid, "10^4 t CO2 per cell per year")


def judge(
    name: str,
    emission: Raster,
    zones: np.ndarray,
    totals: Mapping[int, float],
    land_cover: Raster | None,
    reference: Raster | None,
) -> Judged:
    """The numbers of one map; ``land_cover`` and ``reference`` (10^4 t per cell) lie on its grid."""
    shares = cells = None
    if land_cover is not None:
        shares = land_cover_shares(emission.values, emission.valid, zones, land_cover.values, land_cover.valid)
    if reference is not None:
        both = emission.valid & reference.valid
        cells = accuracy_by_province(per_km2(reference).values, per_km2(emission).values, both, zones)
    return Judged(name, emission, totals_accuracy(totals, province_sums(emission, zones)), shares, cells)


def corrected(maps: Mapping[str, Raster], zones: np.ndarray, totals: Mapping[int, float]) -> dict[str, Raster]:
    """Eq. 3 applied to each of the named density maps; what is odd about an alternative (D21) is no warning of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return {name: allocate(density, zones, totals).emission for name, density in maps.items()}


def comparison_table(judged: list[Judged], land_cover: str = "built-up") -> dict[str, list]:
    """One row a map: share of one land cover (mean over the provinces), totals and cells; columns for a CSV."""
    nothing = (float("nan"),) * 4
    cells = [j.cells.overall if j.cells else nothing for j in judged]
    shares = [j.land_cover.mean(land_cover) if j.land_cover else float("nan") for j in judged]
    table: dict[str, list] = {"map": [j.name for j in judged], f"{land_cover}_share": shares}
    for at, name in enumerate(("r2", "mae_1e4t", "rmse_1e4t")):
        table[f"totals_{name}"] = [j.totals[at] for j in judged]
    for at, name in enumerate(("r2", "mae_t_per_km2", "rmse_t_per_km2")):
        table[f"cells_{name}"] = [c[at] for c in cells]
    return table
