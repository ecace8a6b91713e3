"""Zonal statistics of a density, block by block: province totals, means, counts and areas.

Section "Raster data": drivers are summed by province and compared with emission.  D03: the total of a density is the
sum over cells of density x true cell area (km2); the mean is total / area, so it is weighted by area.  Zones are codes
on cells (``zonal_pairs``), or polygons, whose shares of cells are exact (``polygon_sums``).

A raster in a file is read in blocks of whole rows; memory never holds all of it.  Under polygons, only the rows and
columns of their bounding box are read.  Each block gives its sums as pairs (``exact_pair``); all pairs of a zone are
added exactly and rounded once.  Totals equal ``refimpl.method.province_totals.zonal_sums``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from refimpl.earth.exact_pair import exact_pair
from refimpl.earth.grid import Raster, Source, Window
from refimpl.earth.polygon_sums import polygon_sums
from refimpl.earth.polygons import Polygons, edges_on
from refimpl.earth.warped import Warped
from refimpl.earth.zone_labels import checked_rule, warn_astray
from refimpl.errors import InputError
from refimpl.windows.zonal_pairs import zonal_pairs

READ_CELLS = 2**22
"""Cells of a file that are read at once."""
PairsOfBlock = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Sums of one block: codes (k,) int64 of its zones, totals and areas (2, k) float64 as pairs, counts (k,) int64."""


@dataclass(frozen=True, eq=False)
class ZonalStatistics:
    """One entry per zone, in the order of ``codes``; arrays of shape (zones,)."""

    codes: np.ndarray
    """int64, ascending: every code of the zones except 0."""
    total: np.ndarray
    """float64, sum of density x cell area, in the density's numerator ("persons")."""
    mean: np.ndarray
    """float64, total / area: the area-weighted mean density; nan where no cell is valid."""
    count: np.ndarray
    """int64, valid cells."""
    area_km2: np.ndarray
    """float64, true area of the valid cells."""


def zonal_statistics(raster: Source, zones: Source | Polygons, align: bool = False, rule: str = "") -> ZonalStatistics:
    """Totals, means, counts and areas of a density by zone, over the cells that are valid and in a zone.

    For codes on the raster's own grid it equals ``refimpl.method.province_totals.zonal_sums``, with the true areas of
    the cells as weights.

    ``zones`` are codes on cells, or polygons.  Codes must lie on the raster's grid, or ``align`` must be set: each cell
    then takes the zone at its centre.  Polygons can be laid on any grid.  They take cells by ``rule``, by default
    their own.  "centre" takes the cells whose centres the zone contains; "area" takes its exact share of each cell, and
    ``count`` is the number of cells of which it has a share.  A cell in two zones counts for both.

    Raises
    ------
    ValueError
        The zones are not integers from 0 up, or lie on another grid and ``align`` is not set.
    InputError
        A file that cannot be read; polygons that cannot be laid on the grid (``edges_on``); an unknown rule; a total
        larger than any number.

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
        return _statistics(_pairs_by_code(raster, zones, align))
    return _statistics(_pairs_by_polygon(raster, zones, checked_rule(rule or zones.rule) == "area"))


def row_blocks(window: Window, cells: int = 0) -> Iterator[Window]:
    """Blocks of whole rows of a window, of about ``cells`` cells (0: READ_CELLS).

    >>> list(row_blocks((0, 5, 2, 4), 4))
    [(0, 2, 2, 4), (2, 4, 2, 4), (4, 5, 2, 4)]
    """
    top, bottom, left, right = window
    step = max(1, (cells or READ_CELLS) // max(right - left, 1))
    for start in range(top, bottom, step):
        yield start, min(start + step, bottom), left, right


def _blocks_read(raster: Source, window: Window) -> Iterator[Window]:
    """Blocks of a raster in a file; a raster in memory is one block, which threads share out."""
    return row_blocks(window, raster.values.size if isinstance(raster, Raster) else 0)


def _pairs_by_code(raster: Source, zones: Source, align: bool) -> Iterator[PairsOfBlock]:
    """Sums by codes on the raster's grid; with ``align``, codes on another grid are warped to it.

    Raises
    ------
    ValueError
        The zones are not integers from 0 up, or lie on another grid and ``align`` is not set.
    """
    grid = raster.grid
    if zones.dtype.kind not in "iu":
        raise ValueError(f"zones of {zones.dtype}, expected integer codes from 0 up")
    if zones.grid != grid and not align:
        raise ValueError("raster and zones lie on different grids; pass align=True, or warp_nearest the zones first")
    areas, window = grid.cell_areas(), (0, grid.shape[0], 0, grid.shape[1])
    in_memory = zones.grid == grid and isinstance(zones, Raster)
    for window in _blocks_read(raster, window) if in_memory else row_blocks(window):
        part, rows = raster.part(window), slice(*window[:2])
        # A cell without a zone holds code 0: invalid cells of a Raster do.
        here = zones if zones.grid == grid else Warped(zones, grid, "nearest")
        codes = here.part(window).values
        yield zonal_pairs(part.values, part.valid, codes, areas[rows])


def _pairs_by_polygon(raster: Source, polygons: Polygons, by_area: bool) -> Iterator[PairsOfBlock]:
    """Sums by polygons: with the exact share of each cell that a zone covers, or by the cell's centre."""
    edges, areas = edges_on(polygons, raster.grid), raster.grid.cell_areas()
    left = edges.window[2]
    edges = edges._replace(ends=edges.ends - np.array([left, 0.0, left, 0.0]))  # u from the window's first column
    astray = np.zeros(edges.codes.size, bool)
    for window in _blocks_read(raster, edges.window):
        part, rows = raster.part(window), slice(*window[:2])
        totals, sums, counts, here = polygon_sums(part.values, part.valid, areas[rows], edges, rows.start, by_area)
        astray |= here
        met = counts[1] > 0
        yield edges.codes[met], totals[:, met], sums[:, met], counts[0, met]
    warn_astray(polygons, edges.codes[astray])


def _statistics(blocks: Iterable[PairsOfBlock]) -> ZonalStatistics:
    """The exact sums of all blocks; each is rounded once, at the end.

    Raises
    ------
    InputError
        A total larger than any number.
    """
    terms: dict[int, tuple[list, list, list]] = {}
    for codes, totals, areas, counts in blocks:
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
