"""The method from top to bottom (Fig. 9): statistics and driver rasters in, a corrected fine emission map out.

Read ``run`` first: it is the table of contents.  Each line is one stage, a function of the room that
DESIGN names, from plain values to plain values; files are read and written here and in ``cli`` only.

======== ============================ ==========================================================
paper    function                     from -> to
======== ============================ ==========================================================
Eq. 1    inventory.read_inventory     fuels -> province totals E_n, 10^4 t CO2 a year
-        province_drivers             driver rasters, zones -> province totals of each driver (D03)
Table 1  selection.compare_models     totals of two years -> the winning regression (D07)
-        working_drivers              driver rasters -> densities on the working grid (D04)
Fig. 1   coarse.predict_coarse        regression, drivers -> coarse map CE
Eq. 2    zssr.upscale.super_resolve   CE -> weights CW at half the cell size
Eq. 3    allocation.allocate          CW, E_n -> emission of each cell, totals exact
Figs 4-6 evaluate                     the map and its alternatives -> shares and errors
======== ============================ ==========================================================
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from refimpl.allocation import Allocation, allocate
from refimpl.coarse import CoarseMap, predict_coarse
from refimpl.config import Config, ZoneSettings
from refimpl.errors import DataWarning, InputError
from refimpl.evaluation.alternatives import ORDER, RESULT, alternatives, fine_reference
from refimpl.evaluation.comparison import Judged, judge
from refimpl.evaluation.inventories import ffdas_density, odiac_density
from refimpl.inventory import Inventory, read_inventory
from refimpl.progress import Progress, stage
from refimpl.raster.geotiff import read_raster
from refimpl.raster.grid import Grid, Raster
from refimpl.raster.projection import named_crs
from refimpl.raster.warp import warp_mean, warp_nearest
from refimpl.raster.zonal import rank_drivers, zonal_statistics
from refimpl.raster.zones import Coverage, cover, coverage
from refimpl.regression.fitted import FittedRegression
from refimpl.regression.selection import SelectionTable, choose, compare_models
from refimpl.zssr.upscale import SuperResolution, super_resolve


@dataclass(frozen=True)
class ProvinceDrivers:
    """Province totals of the drivers in one year, for the provinces that have statistics."""

    year: int
    codes: np.ndarray
    """(n,) int64, province codes."""
    provinces: tuple[str, ...]
    names: tuple[str, ...]
    totals: np.ndarray
    """(n, d) float64, density x km2."""
    emission: np.ndarray
    """(n,) float64, 10^4 t CO2."""

    @property
    def ranking(self) -> list[tuple[str, float]]:
        """Drivers by Pearson's r with emission, the strongest first."""
        return rank_drivers(dict(zip(self.names, self.totals.T)), self.emission)


@dataclass
class Results:
    """All that one run made, before anything is written."""

    config: Config
    inventory: Inventory
    fit: ProvinceDrivers
    test: ProvinceDrivers
    selection: SelectionTable
    model_name: str
    coarse: CoarseMap
    zones: Raster
    """Province codes on the fine grid."""
    coverage: Coverage
    """Part of each province's area that lies on the map."""
    totals: dict[int, float]
    """What each mapped province receives, 10^4 t."""
    fine: SuperResolution
    allocation: Allocation
    judged: list[Judged] = field(default_factory=list)
    """The map and its alternatives, each with its numbers."""
    inventories: dict[str, Judged] = field(default_factory=dict)
    """The map against ODIAC and FFDAS."""
    warnings: list[str] = field(default_factory=list)
    """Each once, in the order in which they were given."""
    seconds: dict[str, float] = field(default_factory=dict)
    """Wall-clock time of each stage."""

    @property
    def model(self) -> FittedRegression:
        """The regression that the map was made with."""
        return self.selection[self.model_name].fitted


@contextmanager
def timed(name: str, seconds: dict[str, float]) -> Iterator[Progress]:
    """The progress line of a stage, and how long it took."""
    start = time.perf_counter()
    with stage(name) as progress:
        yield progress
    seconds[name] = time.perf_counter() - start


def run(config: Config) -> Results:
    """The whole method; nothing is written.

    Raises
    ------
    InputError
        Any fault of the input, in one sentence.
    """
    seconds: dict[str, float] = {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        with timed("inventory", seconds):
            inventory = read_inventory(config.statistics.energy)
            zones = read_raster(config.zones.raster)
        with timed("zonal", seconds):
            fit, test = province_drivers(config, inventory, zones)
        with timed("fit", seconds):
            selection, model_name = fit_regression(config, fit, test)
            model = selection[model_name].fitted
        with timed("warp", seconds) as progress:
            grid = working_grid(config, zones)
            fine_zones = warp_nearest(zones, grid.refined())
            drivers = working_drivers(config, grid, fine_zones, progress)
        with timed("predict", seconds):
            regression = config.regression
            coarse = predict_coarse(model, drivers, regression.scaling, regression.upper_quantile)
            sources = {predict_driver(config, name).grid for name in config.drivers.names}
            found = coverage(zones, grid, coarse.raster.valid, sources)
            totals = mapped_totals(config, inventory, found)
        with timed("upscale", seconds) as progress:
            fine = super_resolve(coarse.raster, config.upscale, np.random.Generator(np.random.PCG64(config.seed)), progress)
        with timed("allocate", seconds):
            allocation = allocate(fine.weights, fine_zones.values, totals)
        with timed("evaluate", seconds) as progress:
            results = Results(
                config, inventory, fit, test, selection, model_name, coarse, fine_zones, found, totals, fine, allocation
            )
            results.judged = evaluate(results, progress)
            results.inventories = compare_inventories(config, allocation.emission, fine_zones)
    results.warnings = list(dict.fromkeys(str(w.message) for w in caught if issubclass(w.category, DataWarning)))
    results.seconds = seconds
    return results


def read_driver(path: Path, kind: str) -> Raster:
    """A driver as a density: a count per cell is divided by the cell's true area."""
    raster = read_raster(path)
    if kind == "density":
        return raster
    return Raster(raster.values / raster.grid.cell_areas()[:, np.newaxis], raster.valid, raster.grid, "per km2")


def fault_of(code: int, found: Coverage, settings: ZoneSettings) -> str:
    """Why a province cannot count as whole, or an empty text: an edge cuts it, or too much of it has no values."""
    if found.inside.get(code, 0.0) < settings.minimum_share:
        return f"{100 * found.inside.get(code, 0.0):.1f} % of its area lies inside the grid and the driver rasters"
    if found.known.get(code, 0.0) < settings.minimum_known:
        return f"{100 * found.known[code]:.1f} % of its area has driver values"
    return ""


def predict_driver(config: Config, name: str) -> Raster:
    """The driver ``name`` that the map is made from, as a density."""
    return read_driver(config.drivers.predict[name], config.drivers.kinds[name])


def province_drivers(config: Config, inventory: Inventory, zones: Raster) -> tuple[ProvinceDrivers, ProvinceDrivers]:
    """D03: the total of each driver in each province that has a statistic, for the years of the fit and of the test.

    Zones are taken on the grid of each raster, which is left as it is: a total needs no warping.  A province that
    the rasters of either year do not cover is left out of both.
    """
    years = (config.statistics.fit_year, config.statistics.test_year)
    rasters = {
        (year, name): read_driver(path, config.drivers.kinds[name])
        for year in years
        for name, path in config.drivers.by_year[year].items()
    }
    by_grid: dict[Grid, list[tuple[int, str]]] = {}
    for key, raster in rasters.items():
        by_grid.setdefault(raster.grid, []).append(key)
    totals: dict[tuple[int, str], dict[int, float]] = {}
    found = []
    for grid, keys in by_grid.items():
        zones_here = warp_nearest(zones, grid)
        found.append(coverage(zones, grid, np.logical_and.reduce([rasters[key].valid for key in keys])))
        for key in keys:
            table = zonal_statistics(rasters[key], zones_here)
            totals[key] = dict(zip(table.codes.tolist(), table.total.tolist()))
    known = [covered_provinces(config, inventory.of_year(year, "statistics"), found) for year in years]
    fit, test = (
        ProvinceDrivers(
            year, rows.codes, rows.provinces, config.drivers.names,
            np.array([[totals[year, name][code] for name in config.drivers.names] for code in rows.codes.tolist()]), rows.emission,
        )
        for year, rows in zip(years, known)
    )  # fmt: skip
    return fit, test


def covered_provinces(config: Config, known: Inventory, found: list[Coverage]) -> Inventory:
    """The provinces that the fitting rasters cover; each other one is left out with a warning."""
    whole = []
    for at, (code, province) in enumerate(zip(known.codes.tolist(), known.provinces)):
        faults = [fault for fault in (fault_of(code, one, config.zones) for one in found) if fault]
        if faults:
            warnings.warn(f"{province} ({code}): only {faults[0]}; left out of the regression", DataWarning, stacklevel=2)
        else:
            whole.append(at)
    if len(whole) < 3:
        raise InputError(
            f"{config.path}: the driver rasters of {known.years[0]} cover {len(whole)} provinces with statistics; a regression "
            "needs 3 or more, name rasters that cover the provinces whole"
        )
    return known.rows(whole)


def fit_regression(config: Config, fit: ProvinceDrivers, test: ProvinceDrivers) -> tuple[SelectionTable, str]:
    """Table 1 and the name of the model that the map is made with (D07, or the one that the configuration names)."""
    details = {"feature_names": fit.names, "metadata": {"fit_year": fit.year, "test_year": test.year}}
    selection = compare_models(fit.totals, fit.emission, test.totals, test.emission, config.models, **details)
    name = choose(selection) if config.regression.model == "auto" else config.regression.model
    return selection, name


def working_grid(config: Config, zones: Raster) -> Grid:
    """D04: the grid of the coarse map."""
    crs, size, extent = named_crs(config.grid.projection), config.grid.cell_size, config.grid.extent
    if extent == "cover":
        return cover(zones, crs, size)
    xmin, ymin, xmax, ymax = extent
    cols, rows = (xmax - xmin) / size, (ymax - ymin) / size
    if abs(cols - round(cols)) > 1e-6 or abs(rows - round(rows)) > 1e-6:
        raise InputError(f"{config.path}: grid.extent = {list(extent)}: is {cols:g} x {rows:g} cells of {size:g}; expected whole cells")
    return Grid(crs, (xmin, ymax, size, -size), (round(rows), round(cols)))


def working_drivers(config: Config, grid: Grid, fine_zones: Raster, progress: Progress) -> dict[str, Raster]:
    """The prediction drivers as area-weighted means on the working grid, clipped to cells that touch a zone."""
    rows, cols = grid.shape
    touched = (fine_zones.values.reshape(rows, 2, cols, 2) > 0).any(axis=(1, 3))
    drivers = {}
    for done, name in enumerate(config.drivers.names, 1):
        warped = warp_mean(predict_driver(config, name), grid)
        if not warped.valid.any():
            raise InputError(f"{config.drivers.predict[name]}: does not overlap the working grid; check grid.extent and the raster's projection")
        drivers[name] = Raster.masked(warped.values, warped.valid & touched, grid, warped.units)
        progress.update(done / len(config.drivers.names))
    return drivers


def mapped_totals(config: Config, inventory: Inventory, found: Coverage) -> dict[int, float]:
    """What each province receives: its statistic, unless the edge of the map cuts it.

    A cut province would receive its whole total on a part of its area; it is left out, or takes its
    share (``zones.cut``).  Totals supplied in the configuration (D20) come first.
    """
    year = inventory.of_year(config.map_year, "statistics.map_year")
    names = dict(zip(year.codes.tolist(), year.provinces))
    totals = dict(zip(year.codes.tolist(), year.emission.tolist())) | config.supplied_totals
    mapped = {}
    for code, total in totals.items():
        fault, name = fault_of(code, found, config.zones), f"{names.get(code, 'province')} ({code})"
        share = min(found.inside.get(code, 0.0), found.known.get(code, 0.0))
        if not fault:
            mapped[code] = total
        elif config.zones.cut == "share" and share > 0:
            mapped[code] = total * share
            warnings.warn(f"{name}: only {fault}; it receives {100 * share:.1f} % of its total", DataWarning, stacklevel=2)
        elif share > 0:  # a province wholly outside the map is no surprise
            warnings.warn(f"{name}: only {fault}; left out of the map (nodata)", DataWarning, stacklevel=2)
    if not mapped:
        raise InputError(
            f"{config.path}: no province with a statistic lies on the map whole; enlarge grid.extent, or set zones.cut = \"share\""
        )
    return mapped


def evaluate(results: Results, progress: Progress) -> list[Judged]:
    """Figs. 4-5 and the comparison of the map with its plain alternatives (``evaluation.comparison``)."""
    config, zones, totals, coarse = results.config, results.zones, results.totals, results.coarse
    lights = None
    if config.evaluate.lights in config.drivers.names:
        lights = warp_mean(predict_driver(config, config.evaluate.lights), zones.grid)
    maps = alternatives(coarse.raster, results.fine.network, config.upscale, lights, zones.values, totals)
    maps[RESULT] = results.allocation.emission
    reference = None
    if has_fine_drivers(config, zones.grid):
        drivers = {name: warp_mean(predict_driver(config, name), zones.grid) for name in config.drivers.names}
        reference = fine_reference(results.model, coarse, drivers, config.regression.scaling, zones.values, totals)
    land_cover = warp_nearest(read_raster(config.land_cover.raster), zones.grid) if config.land_cover.raster else None
    judged = []
    for name in ORDER:
        if name in maps:
            judged.append(judge(name, maps[name], zones.values, totals, land_cover, reference))
        progress.update(len(judged) / len(ORDER))
    return judged


def has_fine_drivers(config: Config, fine: Grid) -> bool:
    """Whether there is something to recover: drivers about as fine as the fine map (``evaluate.fine_reference``)."""
    if config.evaluate.fine_reference != "auto":
        return config.evaluate.fine_reference == "yes"
    coarsest = max(float(np.median(predict_driver(config, name).grid.cell_areas())) for name in config.drivers.names)
    return coarsest <= 1.5 * float(np.median(fine.cell_areas()))


def compare_inventories(config: Config, emission: Raster, zones: Raster) -> dict[str, Judged]:
    """Fig. 6: the map against ODIAC and FFDAS, cell by cell, where the configuration names them (D24)."""
    others = {}
    if config.evaluate.odiac:
        others["ODIAC"] = odiac_density([read_raster(path) for path in config.evaluate.odiac], zones.grid)
    if config.evaluate.ffdas:
        others["FFDAS"] = ffdas_density(read_raster(config.evaluate.ffdas), zones.grid)
    judged = {}
    for name, density in others.items():
        cells = density.values * zones.grid.cell_areas()[:, np.newaxis] / 1e4
        other = Raster(cells, density.valid, zones.grid, emission.units)
        judged[name] = judge(f"{RESULT} against {name}", emission, zones.values, {}, None, other)
    return judged
