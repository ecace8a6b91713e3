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
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from refimpl.allocation import Allocation, allocate
from refimpl.coarse import CoarseMap, predict_coarse
from refimpl.config import Config, ZoneSettings
from refimpl.errors import DataWarning, InputError
from refimpl.evaluation.comparison import Judged, corrected, judge, one_factor
from refimpl.evaluation.inventories import ffdas_density, odiac_density
from refimpl.inventory import Inventory, read_inventory
from refimpl.progress import Progress, stage
from refimpl.raster.geotiff import read_raster
from refimpl.raster.grid import Grid, Raster
from refimpl.raster.projection import named_crs
from refimpl.raster.warp import warp_mean, warp_nearest
from refimpl.raster.zonal import rank_drivers, zonal_statistics
from refimpl.raster.zones import cover, inside_shares
from refimpl.regression.fitted import FittedRegression
from refimpl.regression.selection import SelectionTable, choose, compare_models
from refimpl.zssr.upscale import SuperResolution, apply_network, bicubic, replicate, super_resolve


@dataclass(frozen=True)
class ProvinceDrivers:
    """Province totals of the drivers in one year, for the provinces that have statistics."""

    year: int
    codes: np.ndarray
    """(n,) int64."""
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
    judged: list[Judged]
    inventories: dict[str, Judged]
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
            fit = province_drivers(config, config.statistics.fit_year, inventory, zones)
            test = province_drivers(config, config.statistics.test_year, inventory, zones)
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
            sources = [read_driver(path, config.drivers.kinds[name]) for name, path in config.drivers.predict.items()]
            found = coverage(zones, grid, sources, coarse.raster.valid)
            totals = mapped_totals(config, inventory, found)
        with timed("upscale", seconds) as progress:
            fine = super_resolve(coarse.raster, config.upscale, np.random.Generator(np.random.PCG64(config.seed)), progress)
        with timed("allocate", seconds):
            allocation = allocate(fine.weights, fine_zones.values, totals)
        with timed("evaluate", seconds) as progress:
            judged = evaluate(config, model, coarse, fine, allocation, fine_zones, totals, progress)
            inventories = compare_inventories(config, allocation, fine_zones, totals)
    told = list(dict.fromkeys(str(w.message) for w in caught if issubclass(w.category, DataWarning)))
    return Results(
        config, inventory, fit, test, selection, model_name, coarse, fine_zones, found, totals, fine, allocation, judged,
        inventories, told, seconds,
    )  # fmt: skip


def read_driver(path: Path, kind: str) -> Raster:
    """A driver as a density: a count per cell is divided by the cell's true area."""
    raster = read_raster(path)
    if kind == "density":
        return raster
    return Raster(raster.values / raster.grid.cell_areas()[:, np.newaxis], raster.valid, raster.grid, "per km2")


@dataclass(frozen=True)
class Coverage:
    """Which part of each province's area, by code, a set of rasters on one grid can speak for."""

    inside: dict[int, float]
    """Inside the grid and the frames of the rasters: below ``zones.minimum_share`` an edge cuts the province."""
    known: dict[int, float]
    """On cells with values: below ``zones.minimum_known`` too much is nodata (a coast costs a little)."""

    def fault(self, code: int, settings: ZoneSettings) -> str:
        """Why the province cannot count as whole, or an empty text."""
        if self.inside.get(code, 0.0) < settings.minimum_share:
            return f"{100 * self.inside.get(code, 0.0):.1f} % of its area lies inside the grid"
        if self.known.get(code, 0.0) < settings.minimum_known:
            return f"{100 * self.known[code]:.1f} % of its area has driver values"
        return ""


def coverage(zones: Raster, grid: Grid, rasters: Iterable[Raster], valid: np.ndarray) -> Coverage:
    """Coverage of the provinces by ``rasters``, of which ``valid`` (rows, cols of ``grid``) cells have values."""
    frame = np.ones(grid.shape, bool)
    for source in {raster.grid for raster in rasters} - {grid}:
        frame &= warp_nearest(Raster(np.ones(source.shape, np.uint8), np.ones(source.shape, bool), source), grid).valid
    return Coverage(inside_shares(zones, grid, frame), inside_shares(zones, grid, valid))


def province_drivers(config: Config, year: int, inventory: Inventory, zones: Raster) -> ProvinceDrivers:
    """D03: the total of each driver in each province that has a statistic and that the rasters cover.

    Zones are taken on the grid of each raster, which is left as it is: a total needs no warping.
    """
    known = inventory.of_year(year, "statistics")
    rasters = {name: read_driver(path, config.drivers.kinds[name]) for name, path in config.drivers.by_year[year].items()}
    by_grid: dict[Grid, list[str]] = {}
    for name, raster in rasters.items():
        by_grid.setdefault(raster.grid, []).append(name)
    totals: dict[str, np.ndarray] = {}
    covered = np.ones(known.codes.size, bool)
    for grid, names in by_grid.items():
        zones_here = warp_nearest(zones, grid)
        for name in names:
            table = zonal_statistics(rasters[name], zones_here)
            found = dict(zip(table.codes.tolist(), table.total.tolist()))
            totals[name] = np.array([found.get(code, 0.0) for code in known.codes.tolist()])
        valid = np.logical_and.reduce([rasters[name].valid for name in names])
        covered &= covered_provinces(config, f"the {year} regression", known, coverage(zones, grid, (), valid))
    if np.count_nonzero(covered) < 3:
        raise InputError(
            f"{config.path}: [drivers.{year}] cover {np.count_nonzero(covered)} provinces with statistics; a regression needs 3 or more, "
            "name rasters that cover the provinces whole"
        )
    provinces = tuple(p for p, c in zip(known.provinces, covered) if c)
    matrix = np.stack([totals[name] for name in config.drivers.names], axis=1)[covered]
    return ProvinceDrivers(year, known.codes[covered], provinces, config.drivers.names, matrix, known.emission[covered])


def covered_provinces(config: Config, purpose: str, known: Inventory, found: Coverage) -> np.ndarray:
    """(n,) bool: which provinces are whole enough; each other one is left out with a warning."""
    whole = np.ones(known.codes.size, bool)
    for at, (code, province) in enumerate(zip(known.codes.tolist(), known.provinces)):
        fault = found.fault(code, config.zones)
        if fault:
            whole[at] = False
            warnings.warn(f"{province} ({code}): only {fault}; left out of {purpose}", DataWarning, stacklevel=2)
    return whole


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
    for done, (name, path) in enumerate(config.drivers.predict.items(), 1):
        warped = warp_mean(read_driver(path, config.drivers.kinds[name]), grid)
        if not warped.valid.any():
            raise InputError(f"{path}: does not overlap the working grid; check grid.extent and the raster's projection")
        drivers[name] = Raster.masked(warped.values, warped.valid & touched, grid, warped.units)
        progress.update(done / len(config.drivers.predict))
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
        fault, name = found.fault(code, config.zones), f"{names.get(code, 'province')} ({code})"
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


def evaluate(
    config: Config,
    model: FittedRegression,
    coarse: CoarseMap,
    fine: SuperResolution,
    allocation: Allocation,
    zones: Raster,
    totals: Mapping[int, float],
    progress: Progress,
) -> list[Judged]:
    """Figs. 4-5 and the comparison of the map with its plain alternatives (``evaluation.comparison``)."""
    maps = alternatives(config, coarse, fine, zones, totals)
    maps["ZSSR + Eq. 3"] = allocation.emission
    reference = fine_reference(config, model, coarse, zones, totals)
    land_cover = warp_nearest(read_raster(config.land_cover.raster), zones.grid) if config.land_cover.raster else None
    judged = []
    for name in ORDER:
        if name in maps:
            judged.append(judge(name, maps[name], zones.values, totals, land_cover, reference))
        progress.update(len(judged) / len(ORDER))
    return judged


ORDER = (
    "SVR, baseline kept",
    "SVR, baseline removed",
    "replicate + Eq. 3",
    "bicubic + Eq. 3",
    "bicubic, back-projected + Eq. 3",
    "network alone + Eq. 3",
    "ZSSR + Eq. 3",
    "lights alone + Eq. 3",
)


def alternatives(
    config: Config, coarse: CoarseMap, fine: SuperResolution, zones: Raster, totals: Mapping[int, float]
) -> dict[str, Raster]:
    """The maps that the result is compared with, as emission in 10^4 t per cell."""
    settings = config.upscale
    densities = {
        "replicate + Eq. 3": replicate(coarse.raster),
        "bicubic + Eq. 3": bicubic(coarse.raster),
        "bicubic, back-projected + Eq. 3": bicubic(coarse.raster, settings.back_projection or 10, downsampling=settings.downsampling),
        "network alone + Eq. 3": apply_network(
            fine.network, coarse.raster, replace(settings, self_ensemble=False, back_projection=0, baseline="remove")
        ),
    }
    if config.evaluate.lights in config.drivers.names:
        lights = config.evaluate.lights
        fine_lights = warp_mean(read_driver(config.drivers.predict[lights], config.drivers.kinds[lights]), zones.grid)
        valid = fine_lights.valid & fine.weights.valid
        densities["lights alone + Eq. 3"] = Raster.masked(np.maximum(fine_lights.values, 0), valid, zones.grid)
    maps = corrected(densities, zones.values, totals)
    maps["SVR, baseline kept"] = one_factor(replicate(coarse.raster, baseline="keep"), zones.values, totals)
    maps["SVR, baseline removed"] = one_factor(replicate(coarse.raster), zones.values, totals)
    return maps


def fine_reference(
    config: Config, model: FittedRegression, coarse: CoarseMap, zones: Raster, totals: Mapping[int, float]
) -> Raster | None:
    """What the super-resolution tries to recover: the same regression on the drivers at the fine cell size, corrected.

    Only where the drivers really are that fine (``evaluate.fine_reference``): else there is nothing to recover.
    """
    if config.evaluate.fine_reference == "no":
        return None
    drivers = {name: read_driver(path, config.drivers.kinds[name]) for name, path in config.drivers.predict.items()}
    coarsest = max(float(np.median(raster.grid.cell_areas())) for raster in drivers.values())
    if config.evaluate.fine_reference == "auto" and coarsest > 1.5 * float(zones.grid.cell_areas()[0]):
        return None
    warped = {name: warp_mean(raster, zones.grid) for name, raster in drivers.items()}
    predicted = predict_coarse(model, warped, config.regression.scaling, scaler=coarse.scaler).raster
    coarse_minimum = coarse.raster.values[coarse.raster.valid].min()
    density = np.maximum(predicted.values - max(coarse_minimum, 0.0), 0.0)  # D08, D09 with the coarse map's own baseline
    valid = predicted.valid & np.repeat(np.repeat(coarse.raster.valid, 2, 0), 2, 1)
    return allocate(Raster.masked(density, valid, zones.grid), zones.values, totals).emission


def compare_inventories(
    config: Config, allocation: Allocation, zones: Raster, totals: Mapping[int, float]
) -> dict[str, Judged]:
    """Fig. 6: the map against ODIAC and FFDAS, cell by cell, where the configuration names them (D24)."""
    others = {}
    if config.evaluate.odiac:
        others["ODIAC"] = odiac_density([read_raster(path) for path in config.evaluate.odiac], zones.grid)
    if config.evaluate.ffdas:
        others["FFDAS"] = ffdas_density(read_raster(config.evaluate.ffdas), zones.grid)
    judged = {}
    for name, density in others.items():
        per_cell = Raster.masked(
            density.values * zones.grid.cell_areas()[:, np.newaxis] / 1e4, density.valid, zones.grid, allocation.emission.units
        )
        judged[name] = judge(f"ZSSR + Eq. 3 against {name}", allocation.emission, zones.values, totals, None, per_cell)
    return judged
