"""Answers of ``refimpl.method`` to the operations that a run answers by a windowed form of it.

``refimpl verify`` asks for both answers, so that the same cases judge the plain function and the form that equals it.
Nothing here may call ``refimpl.windows``.
"""

from __future__ import annotations

import math

import numpy as np

from refimpl.conformance.operations import evaluation, images, pipeline
from refimpl.conformance.operations.allocation import cells_of, cells_table, totals_of
from refimpl.conformance.operations.coarse import regression_of
from refimpl.conformance.operations.network import network_of, window_of
from refimpl.conformance.operations.reading import (
    codes,
    crs,
    given,
    grid,
    image,
    named,
    naming,
    raster,
    table,
    whole,
    zones,
)
from refimpl.conformance.operations.regression import STRICT
from refimpl.conformance.operations.training import outputs as training_outputs
from refimpl.conformance.operations.training import settings_of, tape_of
from refimpl.conformance.task import Task
from refimpl.earth.grid import Grid, Raster
from refimpl.earth.warp import warp_mean, warp_nearest
from refimpl.errors import InputError
from refimpl.formats.energy_table import Inventory, read_inventory
from refimpl.method import correction
from refimpl.method.back_projection import back_project, children
from refimpl.method.coarse_map import predict_coarse as predict
from refimpl.method.image_range import ImageRange, clip_negative, measure_range
from refimpl.method.inventory import FUELS
from refimpl.method.land_cover import land_cover_shares as shares_of_land_covers
from refimpl.method.network import forward
from refimpl.method.province_totals import zonal_sums
from refimpl.method.resize import upsample_valid
from refimpl.method.settings import UpscaleSettings
from refimpl.method.super_resolution import apply_network as applied
from refimpl.method.super_resolution import weights_of
from refimpl.method.svr_zssr import Year, spatialize
from refimpl.method.training import train
from refimpl.method.training_pairs import SCALES, Level, crop_size, pyramid


def zonal_statistics(task: Task) -> dict:
    """D03: province totals of a density."""
    density = raster(task, "density")
    provinces = zones(task, density.grid).values
    found, total, area, count = zonal_sums(density.values, density.valid, provinces, density.grid.cell_areas())
    mean = np.divide(total, area, out=np.full(found.size, np.nan), where=area > 0)
    return {"zonal": {"code": found, "total": total, "mean": mean, "count": count, "area_km2": area}}


def predict_coarse(task: Task) -> dict:
    """Fig. 1."""
    fitted = regression_of(task)
    place = raster(task, "driver_1").grid
    layers = {name: raster(task, name, place) for name in fitted.feature_names}
    valid = np.logical_and.reduce([layer.valid for layer in layers.values()])
    drivers = {name: layer.values for name, layer in layers.items()}
    coarse = predict(fitted, drivers, valid, place.cell_areas(), **given(task, "scaling", "upper_quantile"))
    return {"coarse": Raster(coarse, valid, place), "negative": named(negative=np.count_nonzero(coarse < 0))}


def coarse_image(task: Task) -> tuple[Raster, ImageRange, np.ndarray]:
    """D08, D09: ``coarse.tif``, its range, and the linear image made of it."""
    coarse = raster(task, "coarse")
    positive = clip_negative(coarse.values)
    found = measure_range(positive, coarse.valid)
    return coarse, found, found.to_image(positive, coarse.valid)


def fine_raster(values: np.ndarray, coarse: Raster) -> Raster:
    """A fine map on the refined grid of its coarse map."""
    return Raster.masked(values, children(coarse.valid), coarse.grid.refined())


def image_range(task: Task) -> dict:
    """D08, D09: the coarse map as an image."""
    coarse, found, linear = coarse_image(task)
    clipped = np.count_nonzero(coarse.valid & (coarse.values < 0))
    return {"image": linear, "range": named(minimum=found.minimum, scale=found.scale, clipped=clipped)}


def levels_at(values: np.ndarray, valid: np.ndarray, size: int, scaled: bool) -> list[Level]:
    """D14: the pyramid of an image, or only the full size unless ``scaled``."""
    return pyramid(np.where(valid, values, 0), valid, size, SCALES if scaled else SCALES[:1])


def levels_of(task: Task) -> tuple[list[Level], int]:
    """D14: the pyramid of the task's image, and the size of its crops."""
    values, valid = image(task)
    size = images.crop_of(task, values)
    return levels_at(values, valid, size, task.parameter("pyramid", UpscaleSettings.pyramid)), size


def train_steps(task: Task) -> dict:
    """Eq. 2, D11-D15: a training from given weights and crops."""
    values, valid = image(task)
    tape, network = tape_of(task), network_of(task, values.dtype)
    settings = settings_of(task, max_steps=len(tape.training))
    size = crop_size(values.shape, settings.crop)
    levels = levels_at(values, valid, size, settings.pyramid)
    return training_outputs(train(levels, size, settings, np.random.default_rng(0), network, tape))


def infer_window(task: Task) -> dict:
    """A window of the network's output for the whole image."""
    values, valid = image(task)
    top, bottom, left, right = window_of(task, values.shape)
    fine = forward(network_of(task, values.dtype), values)
    return {"fine": np.where(valid, fine, fine.dtype.type(0))[top:bottom, left:right]}


def interpolate(task: Task) -> dict:
    """The plain alternatives: replicated cells, bicubic interpolation."""
    settings, method = settings_of(task), task.parameter("method")
    coarse, found, linear = coarse_image(task)
    if method == "replicate":
        fine = children(linear)
    elif method == "bicubic":
        fine = upsample_valid(linear, coarse.valid)
        iterations = task.parameter("back_projection", 0)
        fine = back_project(fine, linear, coarse.valid, iterations, settings.downsampling)
    else:
        raise InputError(f"unknown method {method!r}; expected 'replicate' or 'bicubic'")
    return {"weights": fine_raster(weights_of(fine, found, settings), coarse)}


def apply_network(task: Task) -> dict:
    """Fig. 8 with given weights of the network."""
    settings, (coarse, found, linear) = settings_of(task), coarse_image(task)
    fine = applied(network_of(task), linear, coarse.valid, settings)
    return {"weights": fine_raster(weights_of(fine, found, settings), coarse)}


def super_resolve(task: Task) -> dict:
    """Fig. 8 from the first weights of a training to the fine map."""
    with naming("seed", refusals=(ValueError,)):
        rng = np.random.Generator(np.random.PCG64(whole(task, "seed")))
    settings, (coarse, found, linear) = settings_of(task), coarse_image(task)
    size = crop_size(linear.shape, settings.crop)
    levels = levels_at(linear.astype(np.float32), coarse.valid, size, settings.pyramid)
    fine = applied(train(levels, size, settings, rng).network, linear, coarse.valid, settings)
    return {"weights": fine_raster(weights_of(fine, found, settings), coarse)}


def allocate_cells(task: Task) -> dict:
    """Eq. 3 on a list of cells."""
    weights, valid, provinces, areas = cells_of(task)
    emission, mapped = correction.allocate(weights, valid, provinces, areas, totals_of(task))
    return {"emission": cells_table(provinces, emission, mapped)}


def allocate(task: Task) -> dict:
    """Eq. 3 on rasters."""
    weights, totals = raster(task, "weights"), totals_of(task)
    provinces = zones(task, weights.grid).values
    cells = weights.values, weights.valid, provinces, weights.grid.cell_areas()
    emission, mapped = correction.allocate(*cells, totals)
    return {"emission": Raster(emission, mapped, weights.grid), "balance": balance(emission, mapped, provinces, totals)}


def balance(emission: np.ndarray, mapped: np.ndarray, provinces: np.ndarray, totals: dict[int, float]) -> dict:
    """Eq. 3's balance: each province's total, and the exact sum and number of its cells."""
    found = [code for code in sorted(totals) if (mapped & (provinces == code)).any()]
    inside = [mapped & (provinces == code) for code in found]
    return {
        "code": np.array(found, np.int64),
        "total": np.array([totals[code] for code in found], float),
        "cell_sum": np.array([math.fsum(emission[cells]) for cells in inside], float),
        "cells": np.array([np.count_nonzero(cells) for cells in inside], np.int64),
    }


def emission_density(task: Task) -> dict:
    """Emission per cell as t CO2/km2."""
    emission = raster(task, "emission")
    density = correction.per_km2(emission.values, emission.grid.cell_areas())
    return {"density": Raster(density, emission.valid, emission.grid)}


def accuracy_by_province(task: Task) -> dict:
    """Eqs. 4-6 and r of two maps, province by province; then of all cells, with code 0."""
    observed = raster(task, "observed")
    estimated, provinces = raster(task, "estimated", observed.grid), zones(task, observed.grid).values
    valid = observed.valid & estimated.valid & (provinces > 0)
    groups = {int(code): valid & (provinces == code) for code in np.unique(provinces[valid])} | {0: valid}
    columns: dict = {"code": np.array(list(groups), np.int64)}
    for name, metric in evaluation.METRICS.items():
        scores = [
            metric(observed.values[cells], estimated.values[cells]) if cells.any() else math.nan
            for cells in groups.values()
        ]
        columns[name] = np.array(scores)
    return {"accuracy": columns}


def land_cover_shares(task: Task) -> dict:
    """Figs. 4-5."""
    emission = raster(task, "emission")
    provinces, classes = zones(task, emission.grid), codes(task, "igbp", evaluation.IGBP, emission.grid)
    with naming("igbp"):
        cells = emission.values, emission.valid, provinces.values, classes.values, classes.valid
        return {"shares": evaluation.shares_table(shares_of_land_covers(*cells))}


def run(task: Task) -> dict:
    """Fig. 9, by ``spatialize``; before it drivers are warped, and their totals taken on their own grids."""
    coarse_grid, names = grid(task, crs(task)), list(pipeline.drivers(task, "fit"))
    fine_grid = coarse_grid.refined()
    energy, provinces = table(task, "energy", "code", "year"), zones(task)
    fine_zones = warp_nearest(provinces, fine_grid)
    with naming("energy"):
        inventory = read_inventory(task.path("energy"))
        amounts = {name: energy.numbers(name, minimum=0.0) for name in energy.columns if name in FUELS}
    codes_of = {}
    for key in ("fit_year", "test_year"):
        with naming(key):
            codes_of[key] = inventory.of_year(whole(task, key), key).codes.tolist()
    files = {key: {name: f"{name}_{key.removesuffix('_year')}" for name in names} for key in codes_of}
    sums = {
        key: {name: totals_on_own_grid(task, file, provinces) for name, file in files[key].items()} for key in files
    }
    have = [set(total) for totals in sums.values() for total in totals.values()]
    common = sorted(set.intersection(*map(set, codes_of.values()), *have))

    def year(key: str) -> Year:
        here = inventory.years == task.parameter(key)
        rows = [int(np.flatnonzero(here & (inventory.codes == code))[0]) for code in common]
        fuels = {name: amount[rows] for name, amount in amounts.items()}
        densities = {name: density_on(coarse_grid, task, file) for name, file in files[key].items()}
        return Year(fuels, densities, {name: np.array([s[code] for code in common]) for name, s in sums[key].items()})

    tape, network = tape_of(task), network_of(task)
    settings = UpscaleSettings(**given(task, *pipeline.UPSCALE), max_steps=len(tape.training))
    coarse_zones = warp_nearest(provinces, coarse_grid).values
    made = spatialize(
        year("fit_year"), year("test_year"), common, coarse_zones, coarse_grid.cell_areas(), settings,
        models=dict(STRICT), fine_zones=fine_zones.values, fine_areas=fine_grid.cell_areas(),
        network=network, tape=tape,
    )  # fmt: skip
    coarse = Raster(made.coarse, made.coarse_valid, coarse_grid)
    classes = warp_nearest(codes(task, "igbp", evaluation.IGBP), fine_grid)
    totals = dict(zip(common, emission_of(inventory, common, task.parameter("fit_year"))))
    with naming("igbp"):
        cells = made.emission, made.mapped, fine_zones.values, classes.values, classes.valid
        shares = evaluation.shares_table(shares_of_land_covers(*cells))
    return {
        "coarse": coarse,
        "weights": fine_raster(made.weights, coarse),
        "emission": Raster(made.emission, made.mapped, fine_grid),
        "balance": balance(made.emission, made.mapped, fine_zones.values, totals),
        "shares": shares,
    }


def emission_of(inventory: Inventory, wanted: list[int], year: int) -> list[float]:
    """Eq. 1's emission of the ``wanted`` provinces in a year, in their order."""
    rows = inventory.of_year(year, "fit_year")
    found = dict(zip(rows.codes.tolist(), rows.emission.tolist()))
    return [found[code] for code in wanted]


def totals_on_own_grid(task: Task, name: str, provinces: Raster) -> dict[int, float]:
    """D03 by code, on the driver's own grid; a cell belongs to the zone at its centre."""
    density = raster(task, name)
    labels = warp_nearest(provinces, density.grid).values
    found, totals, _, counts = zonal_sums(density.values, density.valid, labels, density.grid.cell_areas())
    if not counts.any():
        raise InputError(f"{name}: overlaps no zone; give a driver that does")
    return dict(zip(found[counts > 0].tolist(), totals[counts > 0].tolist()))


def density_on(coarse_grid: Grid, task: Task, name: str) -> np.ndarray:
    """A driver as a density on the coarse grid, NaN where it has no value."""
    warped = warp_mean(raster(task, name), coarse_grid)
    return np.where(warped.valid, warped.values, np.nan)


OPERATIONS = {
    "zonal_statistics": zonal_statistics,
    "predict_coarse": predict_coarse,
    "image_range": image_range,
    "pyramid": lambda task: {"levels": images.levels_table(levels_of(task)[0])},
    "training_pair": lambda task: images.pair_of(task, *levels_of(task)),
    "train_steps": train_steps,
    "infer_window": infer_window,
    "interpolate": interpolate,
    "apply_network": apply_network,
    "super_resolve": super_resolve,
    "allocate_cells": allocate_cells,
    "allocate": allocate,
    "emission_density": emission_density,
    "accuracy_by_province": accuracy_by_province,
    "land_cover_shares": land_cover_shares,
    "run": run,
}
"""Operations that a run answers by a windowed form; for all others its answer is already that of the method."""
