"""Provinces of a run: totals of the drivers for the regression, and the statistics that the map shares out.

Section "Raster data" of the paper, D03 and D20.  Two things can be wrong with a province: the edge of a grid or of a
raster cuts it, or too much of it has no values.  A regression must not learn from a part of a province, and a part of a
province must not receive its whole total.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from refimpl.earth.grid import Grid, Raster
from refimpl.earth.polygons import Polygons
from refimpl.earth.projection import named_crs
from refimpl.earth.warp import warp_nearest
from refimpl.errors import DataWarning, InputError
from refimpl.formats.energy_table import Inventory
from refimpl.formats.geojson import is_geojson, read_polygons
from refimpl.run.config import Config
from refimpl.run.drivers import OpenDriver
from refimpl.run.results import FitAndTest, ProvinceTotals
from refimpl.run.sections import DEFAULT_ID, Bounds, ZoneSettings
from refimpl.run.stages import Here, as_stage
from refimpl.windows.clipped import Together
from refimpl.windows.codes import StoredCodes, largest_code
from refimpl.windows.zonal_statistics import zonal_statistics
from refimpl.windows.zones import Coverage, Zones, cover, coverage

MOST_HELD = 2**22
"""Cells of a zone raster that is held in memory; a larger one stays in its file."""
MOST_CELLS = 10**9
"""A working grid larger than this is taken for a cell size in the wrong unit."""


def read_codes(path: Path, what: str) -> Raster:
    """A raster of whole numbers, ``what`` ("province codes", say), in memory.

    Raises
    ------
    InputError
        A value with a fraction or below 0, or no valid cell.
    """
    codes = StoredCodes(path, what)
    largest_code(codes)
    return codes.whole()


def read_zones(path: Path, id_field: str = DEFAULT_ID, rule: str = "centre") -> Zones:
    """Provinces: a raster of codes, 0 outside, with at least one; or polygons where the file is GeoJSON.

    A large raster is read once to check it, and stays in its file.  ``id_field`` and ``rule`` belong to polygons
    (``read_polygons``).

    Raises
    ------
    InputError
        No such zones, or an id_field or a rule for a raster.
    """
    if is_geojson(path):
        return read_polygons(path, id_field, rule)
    if id_field != DEFAULT_ID or rule != "centre":
        raise InputError(
            f"{path}: is a raster, whose cells are codes; the column of the codes and the rule 'area' belong to GeoJSON"
        )
    zones = StoredCodes(path, "province codes, 0 outside")
    largest = largest_code(zones)
    if not 0 < largest <= 10**6:
        raise InputError(
            f"{path}: its largest value is {largest}; expected province codes such as 11, and 0 outside"
        )
    return zones.whole() if zones.grid.shape[0] * zones.grid.shape[1] <= MOST_HELD else zones


def working_grid(projection: str, cell_size: float, extent: str | Bounds, zones: Zones | None, where: str) -> Grid:
    """D04: the grid of the coarse map; ``extent`` is "cover" (the zones) or (xmin, ymin, xmax, ymax).

    Raises
    ------
    InputError
        An extent that is not whole cells, or a cell size far too large or small; ``where`` begins the sentence.
    """
    crs = named_crs(projection)
    if crs.kind == "geographic" and cell_size > 10:
        raise InputError(
            f"{where}: a cell size of {cell_size:g} degrees; expected degrees, such as 0.05, on a geographic grid"
        )
    try:
        bounds = cover(zones, crs, 1.0 if crs.kind != "geographic" else 0.001).bounds if extent == "cover" else extent
    except ValueError as fault:
        raise InputError(f"{where}: {fault}; name an extent, or another projection") from None
    xmin, ymin, xmax, ymax = bounds
    if not (np.isfinite(bounds).all() and xmin < xmax and ymin < ymax):
        raise InputError(
            f"{where}: the extent {list(bounds)}; expected xmin, ymin, xmax, ymax, xmin < xmax, ymin < ymax"
        )
    cols, rows = (xmax - xmin) / cell_size, (ymax - ymin) / cell_size
    if cols * rows > MOST_CELLS:
        raise InputError(
            f"{where}: {cell_size:g} x {cell_size:g} makes {cols * rows:.0e} cells; "
            "expected metres (degrees where geographic)"
        )
    whole = min(cols, rows) > 1 - 1e-6 and max(abs(cols - round(cols)), abs(rows - round(rows))) <= 1e-6
    if extent != "cover" and not whole:
        raise InputError(
            f"{where}: the extent {list(extent)} is {cols:g} x {rows:g} cells of {cell_size:g}; expected whole cells"
        )
    try:
        if extent == "cover":  # whole cells, which may reach beyond the poles or once round the Earth
            return cover(zones, crs, cell_size)
        return Grid(crs, (xmin, ymax, cell_size, -cell_size), (round(rows), round(cols)))
    except ValueError as fault:
        raise InputError(f"{where}: {fault}; expected whole cells within these") from None


def prediction_drivers(config: Config) -> dict[str, OpenDriver]:
    """The drivers that the map is made from, as densities, each on its own grid, and not read yet."""
    drivers = config.drivers
    return {name: OpenDriver(path, drivers.kinds[name], drivers.bands[name]) for name, path in drivers.predict.items()}


def fault_of(code: int, found: Coverage, settings: ZoneSettings) -> str:
    """Why a province does not count as whole: an edge cuts it, or too much of it has no values; "" where it does."""
    if found.inside.get(code, 0.0) < settings.minimum_share:
        return f"{100 * found.inside.get(code, 0.0):.1f} % of its area lies inside the grid and the driver rasters"
    if found.known.get(code, 0.0) < settings.minimum_known:
        return f"{100 * found.known[code]:.1f} % of its area has driver values"
    return ""


@as_stage("zonal")
def total_drivers(here: Here, config: Config, inventory: Inventory, zones: Zones) -> FitAndTest:
    """D03: the total of each driver in each province that has a statistic, for the years of the fit and of the test.

    Zones are taken on the grid of each raster, which is left as it is: a total needs no warping.  With polygons by
    area, each province has its exact share of each cell.  A province that the rasters of one of the years do not cover
    is left out of both.  The form for large rasters of ``refimpl.method.svr_zssr.driver_totals``.
    """
    years = (config.statistics.fit_year, config.statistics.test_year)
    totals: dict[tuple[int, str], dict[int, float]] = {}
    with ExitStack() as opened:
        rasters = {
            (year, name): opened.enter_context(OpenDriver(path, config.drivers.kinds[name], config.drivers.bands[name]))
            for year in years
            for name, path in config.drivers.by_year[year].items()
        }
        by_grid: dict[Grid, list[tuple[int, str]]] = {}
        for key, raster in rasters.items():
            by_grid.setdefault(raster.grid, []).append(key)
        found = []
        for grid, keys in by_grid.items():
            zones_here = zones if isinstance(zones, Polygons) else warp_nearest(zones, grid)
            for key in keys:
                table = zonal_statistics(rasters[key], zones_here)
                rasters[key].tell_negative()
                if not table.codes.size:
                    raise _no_zone(config, *key)
                totals[key] = dict(zip(table.codes.tolist(), table.total.tolist()))
                here.progress.update(len(totals) / (len(rasters) + 1))
            found.append(coverage(zones, grid, Together([rasters[key] for key in keys])))
    known = [covered_provinces(config, inventory.of_year(year, "statistics"), found, totals.values()) for year in years]
    fit, test = (
        ProvinceTotals(
            year, rows.codes, rows.provinces, config.drivers.names,
            np.array([[totals[year, name][code] for name in config.drivers.names] for code in rows.codes.tolist()]),
            rows.emission,
        )
        for year, rows in zip(years, known)
    )  # fmt: skip
    return FitAndTest(fit, test)


def _no_zone(config: Config, year: int, name: str) -> InputError:
    return InputError(
        f"{config.drivers.by_year[year][name]}: no cell of it has a zone of {config.zones.raster.name}; check "
        "its extent, its projection and its cell size"
    )


def covered_provinces(
    config: Config, known: Inventory, found: list[Coverage], totals: Collection[Mapping[int, float]]
) -> Inventory:
    """The provinces that the fitting rasters cover; the others are left out, each with a warning."""
    whole = []
    for at, (code, province) in enumerate(zip(known.codes.tolist(), known.provinces)):
        faults = [fault for fault in (fault_of(code, one, config.zones) for one in found) if fault]
        if any(code not in one.inside for one in found):
            _warn(f"{province} ({code}): has a statistic and no zone; left out of the regression, check its code")
        elif faults:
            _warn(f"{province} ({code}): only {faults[0]}; left out of the regression")
        elif not all(code in table for table in totals):
            _warn(f"{province} ({code}): is smaller than the cells of a driver; left out of the regression")
        else:
            whole.append(at)
    codes = sorted(set().union(*(one.inside for one in found)))
    if not set(known.codes.tolist()) & set(codes):
        raise InputError(
            f"{config.statistics.energy}: none of its codes ({', '.join(map(str, known.codes[:3]))} ...) is in "
            f"{config.zones.raster.name}, which has {', '.join(map(str, codes[:3]))} ...; use the same codes in both"
        )
    if len(whole) < 3:
        raise InputError(
            f"{config.path}: the driver rasters of {known.years[0]} cover {len(whole)} provinces with "
            "statistics; a regression needs 3 or more, name rasters that cover the provinces whole"
        )
    return known.rows(whole)


def mapped_totals(
    totals: Mapping[int, float], names: Mapping[int, str], found: Coverage, settings: ZoneSettings, where: str
) -> dict[int, float]:
    """What each province receives: its total, 10^4 t by code, unless the edge of the map cuts it.

    A cut province would receive its whole total on a part of its area.  It is left out, or takes its share
    (``zones.cut``), with a warning.  A province wholly outside the map is left out without one.

    Raises
    ------
    InputError
        No province is left; ``where`` begins the sentence.
    """
    mapped = {}
    for code, total in totals.items():
        fault, name = fault_of(code, found, settings), f"{names.get(code, 'province')} ({code})"
        share = min(found.inside.get(code, 0.0), found.known.get(code, 0.0))
        if code not in found.inside:
            _warn(f"{name}: has a total and no zone; it is not mapped, check its code")
        elif not fault:
            mapped[code] = total
        elif settings.cut == "share" and share > 0:
            mapped[code] = total * share
            _warn(f"{name}: only {fault}; it receives {100 * share:.1f} % of its total")
        elif share > 0:
            _warn(f"{name}: only {fault}; left out of the map (nodata)")
    if not mapped:
        raise InputError(
            f"{where}: no province with a statistic lies on the map whole; enlarge its extent, or let cut provinces "
            "take their share (zones.cut)"
        )
    return mapped


def _warn(message: str) -> None:
    warnings.warn(message, DataWarning, stacklevel=3)


def no_overlap(path: Path) -> InputError:
    """The error for a raster that has no cell on the grid of the map."""
    return InputError(
        f"{path}: does not overlap the grid of the map, or has no valid cell there; check its extent, its projection "
        "and its nodata value"
    )
