"""Zonal statistics: province totals, means, counts and areas, and the ranking of the drivers.

Section "Raster data": drivers are summed by province and compared with emission.  D03: the total of a density is the
sum over cells of density x true cell area (km2); the mean is total / area, thus area-weighted.
Sums are compensated, so that a result does not depend on the order of the cells beyond an ulp.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from refimpl.metrics import pearson_r
from refimpl.raster.grid import Raster
from refimpl.raster.warp import warp_nearest
from refimpl.twins import twin


@twin("kernels.zonal")
def zonal_sums(values, valid, zones, weights):
    """What the valid cells of each zone add up to.

    Parameters
    ----------
    values, valid : (rows, cols) real, finite where valid, and bool.
    zones : (rows, cols) integer codes, 0 outside.
    weights : (rows,) float64, one per row (the cell's area, say).

    Returns
    -------
    codes : (k,) int64, ascending: every code that occurs but 0, also where no cell of the zone is valid.
    totals : (k,) float64, sum of value x weight.
    areas : (k,) float64, sum of the weights.
    counts : (k,) int64, number of valid cells.

    Raises
    ------
    ValueError
        Shapes differ or a code is negative.

    >>> values, zones = np.array([[1.0, 2.0], [4.0, 8.0]]), np.array([[1, 1], [0, 5]])
    >>> [each.tolist() for each in zonal_sums.reference(values, values < 8, zones, np.array([1.0, 0.5]))]
    [[1, 5], [3.0, 0.0], [2.0, 0.0], [2, 0]]
    """
    if not values.shape == valid.shape == zones.shape or weights.shape != values.shape[:1]:
        raise ValueError("values, valid and zones must have one shape, and weights one number per row")
    codes = np.unique(zones[zones != 0]).astype(np.int64)
    if (codes < 0).any():
        raise ValueError(f"zone code {codes[0]}, expected codes from 0 up")
    every = np.broadcast_to(weights[:, None], values.shape)
    inside = [valid & (zones == code) for code in codes.tolist()]
    totals = [math.fsum(values[cells].astype(float) * every[cells]) for cells in inside]
    areas = [math.fsum(every[cells]) for cells in inside]
    counts = [np.count_nonzero(cells) for cells in inside]
    return codes, np.array(totals, float), np.array(areas, float), np.array(counts, np.int64)


@dataclass(frozen=True, eq=False)
class ZonalStatistics:
    """One entry per zone, in the order of ``codes``; arrays of shape (zones,)."""

    codes: np.ndarray
    """int64, ascending: every code of the zone raster but 0."""
    total: np.ndarray
    """float64, sum of density x cell area, in the density's numerator ("persons")."""
    mean: np.ndarray
    """float64, total / area: the area-weighted mean density; nan where no cell is valid."""
    count: np.ndarray
    """int64, valid cells."""
    area_km2: np.ndarray
    """float64, true area of the valid cells."""


def zonal_statistics(raster: Raster, zones: Raster, align: bool = False) -> ZonalStatistics:
    """Totals, means, counts and areas of a density by zone, over the cells that are valid in both rasters.

    ``align`` first brings the zones to the raster's grid, each cell taking the zone at its centre.

    Raises
    ------
    ValueError
        The zones are not integers from 0 up, or lie on another grid and ``align`` is not set.

    >>> from refimpl.raster.grid import Grid
    >>> from refimpl.raster.projection import ALBERS_CHINA
    >>> grid = Grid(ALBERS_CHINA, (0, 0, 2000, -2000), (1, 3))
    >>> density = Raster.masked([[1.0, 3.0, 5.0]], [[True, True, False]], grid, "persons/km2")
    >>> found = zonal_statistics(density, Raster(np.array([[11, 11, 11]]), np.ones((1, 3), bool), grid))
    >>> found.codes.tolist(), found.total.tolist(), found.mean.tolist(), found.count.tolist(), found.area_km2.tolist()
    ([11], [16.0], [2.0], [2], [8.0])
    """
    if zones.values.dtype.kind not in "iu":
        raise ValueError(f"zones of {zones.values.dtype}, expected integer codes from 0 up")
    if align:
        zones = warp_nearest(zones, raster.grid)
    if zones.grid != raster.grid:
        raise ValueError("raster and zones lie on different grids; pass align=True, or warp_nearest the zones first")
    # A cell without a zone holds code 0: invalid cells of a Raster do.
    codes, total, area, count = zonal_sums(raster.values, raster.valid, zones.values, raster.grid.cell_areas())
    mean = np.divide(total, area, out=np.full(codes.size, np.nan), where=area > 0)
    return ZonalStatistics(codes, total, mean, count, area)


def rank_drivers(totals: Mapping[str, np.ndarray], emission) -> list[tuple[str, float]]:
    """Drivers by |Pearson r| of their province totals with ``emission``, strongest first, ties in the order given.

    A driver that is the same everywhere has no r (nan) and comes last.

    >>> [name for name, r in rank_drivers({"a": [1.0, 2.0, 2.0], "b": [3.0, 2.0, 1.0]}, [1.0, 2.0, 3.0])]
    ['b', 'a']
    """
    ranked = [(name, pearson_r(total, emission)) for name, total in totals.items()]
    return sorted(ranked, key=lambda pair: -abs(pair[1]) if pair[1] == pair[1] else 1.0)
