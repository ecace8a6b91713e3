"""Accuracy, land cover and other inventories."""

from __future__ import annotations

import math

import numpy as np

from tests.peers.second_implementation.files import Task, refuse_unless
from tests.peers.second_implementation.models import metrics
from tests.peers.second_implementation.zonal import pearson

CLASSES = ("forest", "shrubland", "grasslands", "water", "croplands", "built-up", "bare")
IGBP = ((1, 2, 3, 4, 5), (6, 7), (8, 9, 10), (0, 11, 15, 17), (12, 14), (13,), (16,))


def all_metrics(observed: np.ndarray, estimated: np.ndarray) -> dict[str, float]:
    """R2, MAE, RMSE and r."""
    if observed.size == 0:
        return dict.fromkeys(("r2", "mae", "rmse", "r"), math.nan)
    r2, mae, rmse = metrics(observed, estimated)
    return {"r2": r2, "mae": mae, "rmse": rmse, "r": pearson(observed, estimated)}


def accuracy(task: Task) -> dict:
    """Eqs. 4-6."""
    observed, estimated = task.array("observed", 1), task.array("estimated", 1)
    refuse_unless(observed.size > 0, "observed", "it has no values")
    refuse_unless(
        estimated.size == observed.size, "estimated", f"it has {estimated.size} values, observed {observed.size}"
    )
    found = all_metrics(observed, estimated)
    return {"accuracy.csv": {"name": list(found), "value": list(found.values())}}


def accuracy_by_province(task: Task) -> dict:
    """Eqs. 4-6 of each province, then of all."""
    from tests.peers.second_implementation.rasters import band, codes, on_grid

    observed = band(task, "observed")
    estimated = on_grid(task, "estimated", observed)
    zones = codes(on_grid(task, "zones", observed), "zones")
    both = observed.valid & estimated.valid & (zones != 0)
    table: dict[str, list] = {"code": [], "r2": [], "mae": [], "rmse": [], "r": []}
    for code in [*np.unique(zones[both]).tolist(), 0]:
        inside = both if code == 0 else both & (zones == code)
        for column, value in {"code": code, **all_metrics(observed.values[inside], estimated.values[inside])}.items():
            table[column].append(value)
    return {"accuracy.csv": table}


def seven(igbp: np.ndarray) -> np.ndarray:
    """D23: seventeen classes to seven."""
    known = np.full(256, -1)
    for number, members in enumerate(IGBP):
        known[list(members)] = number
    right = (igbp >= 0) & (igbp <= 17) & (igbp == np.floor(igbp))
    refuse_unless(bool(np.all(right)), "igbp", "classes from 0 to 17 are expected")
    return known[igbp.astype(np.int64)]


def land_cover_classes(task: Task) -> dict:
    """D23."""
    return {"classes.npy": seven(task.array("igbp", None, "ui")).astype(np.int64)}


def cover_shares(emission, zones: np.ndarray, igbp) -> dict[str, list]:
    """Figs. 4-5: each province's emission by land cover."""
    classes = np.where(igbp.valid, seven(np.where(igbp.valid, igbp.values, 0)), -1)
    table: dict[str, list] = {"code": [], **{name: [] for name in CLASSES}, "unclassified": []}
    for code in np.unique(zones[emission.valid & (zones != 0)]).tolist():
        inside = emission.valid & (zones == code)
        by_class = [math.fsum(emission.values[inside & (classes == k)]) for k in range(-1, 7)]
        classified, whole = math.fsum(by_class[1:]), math.fsum(by_class)
        shares = [part / classified if classified else math.nan for part in by_class[1:]]
        row = [code, *shares, by_class[0] / whole if whole else 0.0]
        for column, value in zip(table.values(), row, strict=True):
            column.append(value)
    return table


def land_cover_shares(task: Task) -> dict:
    """Figs. 4-5."""
    from tests.peers.second_implementation.rasters import band, codes, on_grid

    emission = band(task, "emission")
    zones = codes(on_grid(task, "zones", emission), "zones")
    return {"shares.csv": cover_shares(emission, zones, on_grid(task, "igbp", emission))}


def odiac(task: Task) -> dict:
    """D24: a year of ODIAC as a density."""
    from tests.peers.second_implementation.grids import read_grid
    from tests.peers.second_implementation.rasters import Raster, band, cell_area, on_grid
    from tests.peers.second_implementation.warp import warp_values

    refuse_unless("month_13.tif" not in task.inputs, "month_13", "twelve months are expected")
    target = read_grid(task)
    first = band(task, "month_01")
    months = [first, *(on_grid(task, f"month_{month:02d}", first) for month in range(2, 13))]
    valid = np.logical_or.reduce([month.valid for month in months])
    carbon = np.sum([month.values for month in months], axis=0)
    density = Raster(carbon * 44 / 12 / cell_area(first.grid), valid, first.grid)
    return {"density.tif": warp_values(density, target, "density")}


def ffdas(task: Task) -> dict:
    """D24: FFDAS as a density."""
    from tests.peers.second_implementation.grids import read_grid
    from tests.peers.second_implementation.rasters import Raster, band
    from tests.peers.second_implementation.warp import warp_values

    source, target = band(task, "ffdas"), read_grid(task)
    return {
        "density.tif": warp_values(Raster(source.values * 1000 * 44 / 12, source.valid, source.grid), target, "density")
    }
