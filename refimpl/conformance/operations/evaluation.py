"""Operations of stage evaluation: Eqs. 4-6, land cover, other inventories."""

from __future__ import annotations

import numpy as np

from refimpl.conformance.operations.reading import array, codes, crs, grid, named, naming, raster, zones
from refimpl.conformance.task import Task
from refimpl.evaluation import accuracy as by_province
from refimpl.evaluation.land_cover import coarse_shares
from refimpl.evaluation.other_inventories import ffdas_density, odiac_density
from refimpl.method import land_cover, metrics

METRICS = {
    "r2": metrics.r_squared,
    "mae": metrics.mean_absolute_error,
    "rmse": metrics.root_mean_square_error,
    "r": metrics.pearson_r,
}
IGBP = "IGBP classes"


def accuracy(task: Task) -> dict:
    """Eqs. 4-6 and r of two lists of values."""
    observed, estimated = array(task, "observed", 1), array(task, "estimated", 1)
    return {"accuracy": named(**{name: metric(observed, estimated) for name, metric in METRICS.items()})}


def accuracy_by_province(task: Task) -> dict:
    """Eqs. 4-6 and r of two maps, province by province; then of all cells, with code 0."""
    observed = raster(task, "observed")
    estimated, provinces = raster(task, "estimated", observed.grid), zones(task, observed.grid)
    maps = (np.asarray(each.values, float) for each in (observed, estimated))
    found = by_province.accuracy_by_province(*maps, observed.valid & estimated.valid, provinces.values)
    columns = {"code": np.append(found.codes, 0)}
    for name, overall in zip(METRICS, found.overall, strict=True):
        columns[name] = np.append(getattr(found, name), overall)
    return {"accuracy": columns}


def land_cover_classes(task: Task) -> dict:
    """D23: the land cover of each IGBP class."""
    with naming("igbp"):
        return {"classes": land_cover.seven_classes(task.array("igbp"))}


def shares_table(found: land_cover.LandCoverShares) -> dict:
    """A table of shares: a row a province, a column a land cover."""
    columns = dict(zip(land_cover.LAND_COVERS, found.shares.T, strict=True))
    return {"code": found.codes} | columns | {"unclassified": found.unclassified}


def land_cover_shares(task: Task) -> dict:
    """Figs. 4-5."""
    emission = raster(task, "emission")
    provinces, classes = zones(task, emission.grid), codes(task, "igbp", IGBP, emission.grid)
    with naming("igbp"):
        return {"shares": shares_table(coarse_shares(emission, provinces, classes))}


def odiac(task: Task) -> dict:
    """D24: twelve months of t C per cell."""
    wanted = [f"month_{month:02d}" for month in range(1, 13)]
    found = sorted(file.rsplit(".", 1)[0] for file in task.inputs if file.startswith("month_"))
    months = {name: raster(task, name) for name in found}
    odd = sorted(set(wanted) ^ set(found)) or [
        name for name, month in months.items() if month.grid != months[wanted[0]].grid
    ]
    target = grid(task, crs(task))
    with naming(*odd) if odd else naming("crs"):
        return {"density": odiac_density(months.values(), target)}


def ffdas(task: Task) -> dict:
    """D24: kg C/m2."""
    return {"density": ffdas_density(raster(task, "ffdas"), grid(task, crs(task)))}


OPERATIONS = {
    "accuracy": accuracy,
    "accuracy_by_province": accuracy_by_province,
    "land_cover_classes": land_cover_classes,
    "land_cover_shares": land_cover_shares,
    "odiac": odiac,
    "ffdas": ffdas,
}
