"""Zonal statistics: province totals, means, counts and areas, and the ranking of the drivers.

Section "Raster data": drivers are summed by province and compared with emission.  D03: the total of a density is the
sum over cells of density x true cell area (km2); the mean is total / area, thus area-weighted.
Zones are codes on cells (``zonal_sums``) or polygons, which share out cells exactly (``polygon_sums``); sums are
compensated, so that a result does not depend on the order of cells and blocks beyond an ulp.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from refimpl.earth.grid import Raster
from refimpl.earth.polygons import Polygons
from refimpl.earth.zone_labels import checked_rule
from refimpl.errors import InputError
from refimpl.windows.zonal_blocks import SumsOfBlock, label_parts, polygon_parts
from refimpl.windows.zonal_sums import exact_pair

if TYPE_CHECKING:
    from refimpl.formats.geotiff import RasterFile


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


def zonal_statistics(
    raster: Raster | RasterFile, zones: Raster | Polygons, align: bool = False, rule: str = ""
) -> ZonalStatistics:
    """Totals, means, counts and areas of a density by zone, over the cells that are valid and in a zone.

    A raster in a file is read in blocks of rows, so that memory does not go with its size; the result is the same to an
    ulp.  ``zones`` are codes on cells, or polygons.  Codes must lie on the raster's grid, unless ``align`` brings them
    there, each cell taking the zone at its centre.  Polygons are laid on any grid, by their own rule or by ``rule``:
    "centre" takes the cells whose centres the zone contains, and "area" its exact share of each cell; ``count`` is then
    the number of cells of which it has a share.  What lies in two zones counts for both.

    Raises
    ------
    ValueError
        The zones are not integers from 0 up, or lie on another grid and ``align`` is not set.
    InputError
        A file that cannot be read; polygons that cannot be laid on the grid (``edges_on``); an unknown rule; a total
        beyond all numbers.

    >>> from refimpl.earth.grid import Grid
    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> grid = Grid(ALBERS_CHINA, (0, 0, 2000, -2000), (1, 3))
    >>> density = Raster.masked([[1.0, 3.0, 5.0]], [[True, True, False]], grid, "persons/km2")
    >>> found = zonal_statistics(density, Raster(np.array([[11, 11, 11]]), np.ones((1, 3), bool), grid))
    >>> found.codes.tolist(), found.total.tolist(), found.mean.tolist(), found.count.tolist(), found.area_km2.tolist()
    ([11], [16.0], [2.0], [2], [8.0])
    >>> west = np.array([0.0, 3000.0, 3000.0, 0.0, 0.0]), np.array([0.0, 0.0, -2000.0, -2000.0, 0.0])
    >>> polygon = Polygons(*west, np.array([0, 5]), np.array([True]), np.array([11]), ALBERS_CHINA)
    >>> zonal_statistics(density, polygon, rule="area").total.tolist()
    [10.0]
    """
    if not isinstance(zones, Polygons):
        return _table(label_parts(raster, zones, align))
    return _table(polygon_parts(raster, zones, checked_rule(rule or zones.rule) == "area"))


def _table(parts: Iterable[SumsOfBlock]) -> ZonalStatistics:
    """Blocks added up, exactly; a sum is rounded once, at the end.

    Raises
    ------
    InputError
        A total beyond all numbers.
    """
    terms: dict[int, tuple[list, list, list]] = {}
    for codes, totals, areas, counts in parts:
        for code, total, area, count in zip(codes.tolist(), totals.T.tolist(), areas.T.tolist(), counts.tolist()):
            one = terms.setdefault(code, ([], [], []))
            one[0].extend(total)
            one[1].extend(area)
            one[2].append(count)
    codes = np.array(sorted(terms), np.int64)
    total, area = (np.array([exact_pair(terms[code][at])[0] for code in codes.tolist()], float) for at in (0, 1))
    if not np.isfinite(total).all():
        raise InputError(
            f"zone {codes[~np.isfinite(total)][0]}: its total is larger than any number; if cells hold a nodata value "
            "that the raster does not name, declare it with 'gdal_edit.py -a_nodata'"
        )
    count = np.array([sum(terms[code][2]) for code in codes.tolist()], np.int64)
    mean = np.divide(total, area, out=np.full(codes.size, np.nan), where=area > 0)
    return ZonalStatistics(codes, total, mean, count, area)
