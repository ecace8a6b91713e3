"""The method from top to bottom (Fig. 9): statistics and driver rasters in, a corrected fine emission map out.

Read ``run`` first: it is the table of contents.  Each line is one stage, a function of the room that
DESIGN names, from plain values to plain values.  Every file is read before the training starts, so that a wrong
one costs no time; ``report`` writes the results.

======== ============================ ==========================================================
paper    function                     from -> to
======== ============================ ==========================================================
Eq. 1    inventory.read_inventory     fuels -> province totals E_n, 10^4 t CO2 a year
-        provinces.province_drivers   driver rasters, zones -> province totals of each driver (D03)
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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from refimpl.allocation import Allocation, allocate
from refimpl.coarse import CoarseMap, predict_coarse
from refimpl.compared import coarser, read_inventories, read_land_cover
from refimpl.config import Config
from refimpl.errors import DataWarning, InputError
from refimpl.evaluation.agreement import InventoryComparison, compare_inventory
from refimpl.evaluation.alternatives import COARSE, ORDER, REFERENCE, RESULT, alternatives, fine_reference
from refimpl.evaluation.comparison import Judged, judge
from refimpl.evaluation.land_cover import LandCoverShares, coarse_shares
from refimpl.inventory import Inventory, read_inventory
from refimpl.progress import Progress, stage
from refimpl.provinces import (
    ProvinceDrivers,
    mapped_totals,
    prediction_drivers,
    province_drivers,
    read_zones,
    require_overlap,
    touching,
    working_grid,
)
from refimpl.raster.datum import other_datums
from refimpl.raster.grid import Grid, Raster
from refimpl.raster.warp import warp_mean
from refimpl.raster.zones import Coverage, Zones, coverage, zones_on
from refimpl.regression.fitted import FittedRegression
from refimpl.regression.selection import SelectionTable, choose, compare_models
from refimpl.zssr.network import Network
from refimpl.zssr.tape import Tape
from refimpl.zssr.upscale import SuperResolution, super_resolve


@dataclass(frozen=True)
class Compared:
    """What the map is judged by, on the fine grid; read before the training, so that a wrong file costs no time."""

    land_cover: Raster | None
    """IGBP classes."""
    coarse_land_cover: Raster | None
    """The same on the coarse grid."""
    inventories: Mapping[str, Raster]
    """ODIAC, FFDAS and others, t CO2 / km2 / year (D24)."""
    lights: Raster | None
    drivers: Mapping[str, Raster]
    """Empty where they are coarser than the fine grid: then there is nothing to recover."""


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
    compared: Compared
    coverage: Coverage
    """Part of each province's area that lies on the map."""
    totals: dict[int, float]
    """What each mapped province receives, 10^4 t."""
    fine: SuperResolution
    allocation: Allocation
    judged: list[Judged] = field(default_factory=list)
    """The map and its alternatives, each with its numbers."""
    coarse_shares: LandCoverShares | None = None
    """The corrected coarse map by the land cover of its own cells."""
    inventories: dict[str, InventoryComparison] = field(default_factory=dict)
    """The map against ODIAC, FFDAS and others."""
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


def run(config: Config, network: Network | None = None, tape: Tape | None = None) -> Results:
    """The whole method; nothing is written.

    ``network`` and ``tape`` replace the first weights and the draws of the training (``super_resolve``), to repeat
    another implementation's run.

    Raises
    ------
    InputError
        Any fault of the input, in one sentence.
    """
    seconds: dict[str, float] = {}
    with warnings.catch_warnings(record=True) as caught, other_datums(config.grid.ignore_datum):
        warnings.simplefilter("always", DataWarning)
        with timed("inventory", seconds):
            inventory = read_inventory(config.statistics.energy)
            check_years(config, inventory)
            zones = read_zones(config.zones.raster, config.zones.id, config.zones.rule)
        with timed("zonal", seconds) as progress:
            fit, test = province_drivers(config, inventory, zones, progress)
        with timed("fit", seconds):
            selection, model_name = fit_regression(config, fit, test)
            model = selection[model_name].fitted
        with timed("warp", seconds) as progress:
            grid = working_grid(
                config.grid.projection, config.grid.cell_size, config.grid.extent, zones, f"{config.path}: grid"
            )
            fine_zones = zones_on(zones, grid.refined())
            sources = prediction_drivers(config)
            drivers = working_drivers(config, sources, grid, fine_zones, progress)
            found = map_coverage(zones, sources, drivers)
            totals = province_totals(config, inventory, found)
            check_map(config, fine_zones, totals)
            compared = read_compared(config, sources, fine_zones)
        with timed("predict", seconds):
            regression = config.regression
            coarse = predict_coarse(model, drivers, regression.scaling, regression.upper_quantile)
        with timed("upscale", seconds) as progress:
            rng = np.random.Generator(np.random.PCG64(config.seed))
            fine = super_resolve(coarse.raster, config.upscale, rng, progress, tape, network)
        with timed("allocate", seconds):
            allocation = allocate(fine.weights, fine_zones.values, totals)
        with timed("evaluate", seconds) as progress:
            results = Results(
                config, inventory, fit, test, selection, model_name,
                coarse, fine_zones, compared, found, totals, fine, allocation,
            )  # fmt: skip
            results.judged = evaluate(results, progress)
            results.inventories = compare_inventories(results)
    results.warnings = list(dict.fromkeys(str(w.message) for w in caught if issubclass(w.category, DataWarning)))
    results.seconds = seconds
    return results


def check_years(config: Config, inventory: Inventory) -> None:
    """Refuse a year that the energy table does not have, before anything is computed."""
    for key in ("fit_year", "test_year", "map_year"):
        year = getattr(config.statistics, key) or config.map_year
        inventory.of_year(year, f"{config.path}: statistics.{key}")


def fit_regression(config: Config, fit: ProvinceDrivers, test: ProvinceDrivers) -> tuple[SelectionTable, str]:
    """Table 1 and the name of the model that the map is made with (D07, or the one that the configuration names)."""
    details = {"feature_names": fit.names, "metadata": {"fit_year": fit.year, "test_year": test.year}}
    selection = compare_models(fit.totals, fit.emission, test.totals, test.emission, config.models, **details)
    name = choose(selection) if config.regression.model == "auto" else config.regression.model
    return selection, name


def working_drivers(
    config: Config, sources: Mapping[str, Raster], grid: Grid, fine_zones: Raster, progress: Progress
) -> dict[str, Raster]:
    """The prediction drivers as area-weighted means on the working grid, clipped to cells that touch a zone."""
    touched, drivers = touching(fine_zones), {}
    for done, (name, source) in enumerate(sources.items(), 1):
        warped = warp_mean(source, grid)
        require_overlap(warped, config.drivers.predict[name])
        drivers[name] = Raster.masked(warped.values, warped.valid & touched, grid, warped.units)
        progress.update(done / (len(sources) + 1))
    return drivers


def check_map(config: Config, fine_zones: Raster, totals: Mapping[int, float]) -> None:
    """What would only show after the training: no province has a cell, or the zoom lies outside."""
    if not np.isin(fine_zones.values, list(totals)).any():
        raise InputError(
            f"{config.path}: grid.cell_size = {config.grid.cell_size:g}: no province has a cell; choose smaller cells"
        )
    zoom, (xmin, ymin, xmax, ymax) = config.report.zoom, fine_zones.grid.bounds
    if zoom != "auto" and (zoom[0] >= xmax or zoom[2] <= xmin or zoom[1] >= ymax or zoom[3] <= ymin):
        raise InputError(
            f"{config.path}: report.zoom = {list(zoom)}: lies outside the map; expected a window inside "
            f"{[xmin, ymin, xmax, ymax]}"
        )


def province_totals(config: Config, inventory: Inventory, found: Coverage) -> dict[int, float]:
    """What each province of the map receives: statistics of the mapped year, supplied totals first (D20), none cut.

    The provinces that lie on the map without a total are told in one warning, so that a missing row is seen.
    """
    year = inventory.of_year(config.map_year, "statistics.map_year")
    names = dict(zip(year.codes.tolist(), year.provinces))
    totals = dict(zip(year.codes.tolist(), year.emission.tolist())) | config.supplied_totals
    without = [code for code, share in found.inside.items() if share > 0 and code not in totals]
    if without:
        listed = ", ".join(map(str, without))
        warnings.warn(
            f"no statistic of {config.map_year} for province {listed}: nodata (D20)", DataWarning, stacklevel=2
        )
    return mapped_totals(totals, names, found, config.zones, f"{config.path}: grid.extent")


def map_coverage(zones: Zones, sources: Mapping[str, Raster], drivers: Mapping[str, Raster]) -> Coverage:
    """Which part of each province the map covers: inside the grid and the frames of all drivers, and with values."""
    valid = np.logical_and.reduce([raster.valid for raster in drivers.values()])
    grid = next(iter(drivers.values())).grid
    return coverage(zones, grid, valid, {source.grid for source in sources.values()})


def read_compared(config: Config, sources: Mapping[str, Raster], fine_zones: Raster) -> Compared:
    """Land cover and other inventories that the configuration names, and the drivers at the fine cell size."""
    land_cover, coarse_cover, fine = None, None, fine_zones.grid
    if config.land_cover.raster:
        land_cover = read_land_cover(config.land_cover.raster, fine, config.land_cover.rule)
        coarse_cover = read_land_cover(config.land_cover.raster, coarser(fine), config.land_cover.rule)
    inventories = read_inventories(config, fine_zones)
    lights = config.evaluate.lights
    fine_lights = warp_mean(sources[lights], fine) if lights in sources else None
    fine_drivers = {}
    if has_fine_drivers(config, sources, fine):
        fine_drivers = {name: warp_mean(source, fine) for name, source in sources.items()}
    return Compared(land_cover, coarse_cover, inventories, fine_lights, fine_drivers)


def evaluate(results: Results, progress: Progress) -> list[Judged]:
    """Figs. 4-5 and the comparison of the map with its plain alternatives (``evaluation.comparison``)."""
    config, zones, totals, coarse = results.config, results.zones, results.totals, results.coarse
    compared, network = results.compared, results.fine.network
    maps = alternatives(coarse.raster, network, config.upscale, compared.lights, zones.values, totals)
    maps[RESULT] = results.allocation.emission
    progress.update(0.5)
    reference = None
    if compared.drivers:
        scaling, baseline = config.regression.scaling, config.upscale.baseline
        reference = fine_reference(results.model, coarse, compared.drivers, scaling, baseline, zones.values, totals)
        maps[REFERENCE] = reference
    judged = []
    for name in ORDER:
        if name in maps:
            judged.append(judge(name, maps[name], zones.values, totals, compared.land_cover, reference))
        progress.update(0.6 + 0.4 * len(judged) / len(ORDER))
    if compared.coarse_land_cover is not None:
        results.coarse_shares = coarse_shares(maps[COARSE], zones.values, compared.coarse_land_cover)
    return judged


def has_fine_drivers(config: Config, sources: Mapping[str, Raster], fine: Grid) -> bool:
    """Whether there is something to recover: drivers about as fine as the fine map (``evaluate.fine_reference``)."""
    if config.evaluate.fine_reference != "auto":
        return config.evaluate.fine_reference == "yes"
    coarsest = max(float(np.median(source.grid.cell_areas())) for source in sources.values())
    return coarsest <= 1.5 * float(np.median(fine.cell_areas()))


def compare_inventories(results: Results) -> dict[str, InventoryComparison]:
    """Fig. 6: the map against every other inventory that the configuration names (D24)."""
    emission, zones, cover = results.allocation.emission, results.zones.values, results.compared.land_cover
    return {
        name: compare_inventory(name, emission, density, zones, cover, results.totals, RESULT)
        for name, density in results.compared.inventories.items()
    }
