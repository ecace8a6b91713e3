"""Fig. 9: the whole method."""

from __future__ import annotations

import numpy as np

from tests.peers.second_implementation.allocation import emission_map
from tests.peers.second_implementation.crops import crop_of, levels
from tests.peers.second_implementation.evaluation import cover_shares
from tests.peers.second_implementation.files import Refused, Task, refuse_unless
from tests.peers.second_implementation.grids import Grid, read_grid
from tests.peers.second_implementation.images import ranged
from tests.peers.second_implementation.inventory import emission_rows
from tests.peers.second_implementation.models import best, coarse_map, fitter, judged, regression
from tests.peers.second_implementation.network import Upscaling, parameters_of, shape_of, upscaled
from tests.peers.second_implementation.rasters import Raster, band, cell_area, codes
from tests.peers.second_implementation.training import DEFAULTS, Schedule, read_tape, replayed
from tests.peers.second_implementation.warp import warp_class, warp_values
from tests.peers.second_implementation.zonal import zone_totals


def emissions(task: Task, year_name: str) -> dict[int, float]:
    """The emission of each province in the year of that parameter."""
    rows = emission_rows(task.table("energy", "code", "province", "year"))
    of_year = rows["year"] == task.whole(year_name, 0)
    refuse_unless(bool(of_year.any()), year_name, "energy.csv has no row of that year")
    return dict(zip(rows["code"][of_year].tolist(), rows["emission"][of_year].tolist(), strict=True))


def province_totals(density: Raster, zones: Raster) -> dict[int, float]:
    """The total of a driver in each province, on the driver's own grid."""
    own = codes(warp_class(zones, density.grid), "zones")
    table = zone_totals(density.values, density.valid, own, cell_area(density.grid))
    return dict(zip(table["code"], table["total"], strict=True))


def samples(task: Task, drivers: list[str], zones: Raster, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Drivers (provinces, d) and emission of the fit or the test year, by ascending code."""
    emission = emissions(task, f"{part}_year")
    totals = [province_totals(band(task, f"{name}_{part}"), zones) for name in drivers]
    provinces = sorted(code for code in emission if all(code in total for total in totals))
    if not provinces:
        raise Refused("zones: no province of energy.csv has a zone")
    X = np.array([[total[code] for total in totals] for code in provinces])
    return X, np.array([emission[code] for code in provinces])


def chosen(table: dict) -> str:
    """D07."""
    return best(table["model"], np.array(table["test_r2"]), np.array(table["test_rmse"]))


def masked_to_zones(raster: Raster, zones: Raster, grid: Grid) -> Raster:
    """Only the coarse cells of which a fine one has a zone."""
    has = (zones.valid & (zones.values != 0)).reshape(grid.shape[0], 2, grid.shape[1], 2).any(axis=(1, 3))
    return Raster(np.where(has, raster.values, 0), raster.valid & has, grid)


def drivers_of(task: Task) -> list[str]:
    """The names of the drivers."""
    names = task.value("drivers")
    right = isinstance(names, list) and bool(names) and all(isinstance(name, str) for name in names)
    refuse_unless(right, "drivers", "a list of names is expected")
    refuse_unless(len(set(names)) == len(names), "drivers", "a driver stands twice")
    return names


def coarse_of(task: Task, grid: Grid, zones: Raster, fine_zones: Raster) -> Raster:
    """The chosen model's prediction on the coarse grid."""
    drivers = drivers_of(task)
    warped = [warp_values(band(task, f"{name}_fit"), grid, "density") for name in drivers]
    for name, density in zip(drivers, warped, strict=True):
        refuse_unless(bool(density.valid.any()), f"{name}_fit", "it has no value on the map")
    (X, y), (X_test, y_test) = (samples(task, drivers, zones, part) for part in ("fit", "test"))
    model = chosen(judged(X, y, X_test, y_test, {}))
    taking_part = [masked_to_zones(density, fine_zones, grid) for density in warped]
    return coarse_map(*regression(X, y, fitter(model, {})), taking_part, "separate", 0.999)[0]


def weights_of(task: Task, coarse: Raster) -> Raster:
    """The network, trained on the coarse map alone and applied to it."""
    shape, crop = shape_of(task), crop_of(task)
    vector = parameters_of(task, shape)
    back_projection = task.whole("back_projection", 0, 10)
    upscaling = Upscaling(self_ensemble=task.flag("self_ensemble", True), back_projection=back_projection)
    size, found = levels(ranged(coarse.values, coarse.valid)[0], coarse.valid, crop)
    trained, _ = replayed(read_tape(task, found, size), size, vector, shape, Schedule(1e-3, 1e-6), DEFAULTS)
    return upscaled(coarse, trained, shape, upscaling)


def run(task: Task) -> dict:
    """From energy statistics to a map of emission."""
    grid, zones, totals = read_grid(task), band(task, "zones"), emissions(task, "fit_year")
    codes(zones, "zones")
    fine_zones = warp_class(zones, grid.refined(2))
    coarse = coarse_of(task, grid, zones, fine_zones)
    weights = weights_of(task, coarse)
    zone_codes = codes(fine_zones, "zones")
    emission, balance = emission_map(weights, zone_codes, totals)
    shares = cover_shares(emission, zone_codes, warp_class(band(task, "igbp"), grid.refined(2)))
    rasters = {"coarse.tif": coarse, "weights.tif": weights, "emission.tif": emission}
    return {**rasters, "balance.csv": balance, "shares.csv": shares}
