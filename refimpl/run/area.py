"""Area of a run: the working grid, the provinces and drivers on it, and what each province receives.

Section "Raster data" of the paper, D03, D04, D19, D20.  All rasters lie in files: ``zones.tif`` holds the province
codes of the fine grid, ``halves.tif`` those at half the size of a coarse cell where the map is refined further, and
``driver_0.tif`` and so on the drivers as densities on the coarse grid, clipped to cells that touch a province.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from concurrent.futures import Executor
from contextlib import ExitStack

import numpy as np

from refimpl.earth.grid import Grid, Source
from refimpl.earth.warped import Warped
from refimpl.errors import DataWarning, InputError
from refimpl.formats.energy_table import Inventory
from refimpl.run.config import Config
from refimpl.run.provinces import mapped_totals, no_overlap, prediction_drivers, working_grid
from refimpl.run.reference_maps import store_zones
from refimpl.run.results import Area
from refimpl.run.stages import Here, as_stage
from refimpl.windows.clipped import Together, Touching
from refimpl.windows.stored import Stored
from refimpl.windows.tiled import write_tiled
from refimpl.windows.walks import windows
from refimpl.windows.zones import Coverage, Zones, coverage

DRIVER_TILE = (1024, 2048)
"""Rows and columns of drivers that are warped at once: enough work for all threads of a kernel."""


@as_stage("warp")
def lay_out(
    here: Here, config: Config, inventory: Inventory, zones: Zones, executor: Executor | None = None
) -> Area:
    """Bring zones and drivers to the grids of the map (D04, D19), and find what each province receives (D20).

    Drivers become densities on the coarse grid: the mean over each cell (D03), ``refimpl.earth.warp.warp_mean``.

    Raises
    ------
    InputError
        No province lies on the map whole, or has a cell; a driver that does not overlap the map.
    """
    where = f"{config.path}: grid"
    settings, factor = config.grid, config.upscale.factor
    grid = working_grid(settings.projection, settings.cell_size, settings.extent, zones, where)
    fine = store_zones(zones, grid.refined(factor), here.path("zones.tif"))
    halves = fine if factor == 2 else store_zones(zones, grid.refined(), here.path("halves.tif"))
    with ExitStack() as opened:
        sources = prediction_drivers(config)
        for at, (name, source) in enumerate(sources.items()):
            opened.enter_context(source)
            warped = Touching(Warped(source, grid, "mean"), halves)
            here.progress.update(at / len(sources))
            empty = no_overlap(config.drivers.predict[name])
            write_tiled(here.path(f"driver_{at}.tif"), warped, DRIVER_TILE, executor, empty=empty)
            source.tell_negative(everywhere=True)
        frames = {source.grid for source in sources.values()}
    drivers = [Stored(here.path(f"driver_{at}.tif")) for at in range(len(sources))]
    found = coverage(zones, grid, Together(drivers), frames)
    totals = totals_received(config, inventory, found)
    check_cells(config, fine, totals)
    return Area(Stored(here.path("zones.tif"), keep=0), dict(zip(sources, drivers)), found, totals)


def check_cells(config: Config, fine_zones: Source, totals: Mapping[int, float]) -> None:
    """Refuse cells so large that no province has one, which would show only after the training."""
    codes = list(totals)
    if not any(np.isin(fine_zones.part(window).values, codes).any() for window in windows(fine_zones.grid.shape)):
        raise InputError(
            f"{config.path}: grid.cell_size = {config.grid.cell_size:g}: no province has a cell; choose smaller cells"
        )


def check_zoom(config: Config, grid: Grid) -> None:
    """Refuse a window of the comparison map that lies outside of the map, before the training."""
    zoom, (xmin, ymin, xmax, ymax) = config.report.zoom, grid.bounds
    if zoom != "auto" and (zoom[0] >= xmax or zoom[2] <= xmin or zoom[1] >= ymax or zoom[3] <= ymin):
        raise InputError(
            f"{config.path}: report.zoom = {list(zoom)}: lies outside the map; expected a window inside "
            f"{[xmin, ymin, xmax, ymax]}"
        )


def totals_received(config: Config, inventory: Inventory, found: Coverage) -> dict[int, float]:
    """What each province of the map receives: its statistic of the mapped year, or the total that is supplied (D20).

    One warning names the provinces that lie on the map without a total, so that a missing row is seen.
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
