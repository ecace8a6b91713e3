"""Totals of zones, and drivers by their correlation with emission."""

from __future__ import annotations

import math

import numpy as np

from tests.peers.second_implementation.files import Task, integers, numbers, refuse_unless


def zone_totals(values: np.ndarray, valid: np.ndarray, zones: np.ndarray, areas: np.ndarray) -> dict[str, list]:
    """Total, mean, count and area of each zone but 0."""
    table = {"code": [], "total": [], "mean": [], "count": [], "area_km2": []}
    for code in np.unique(zones[zones != 0]).tolist():
        inside = (zones == code) & valid
        total, area = math.fsum(values[inside] * areas[inside]), math.fsum(areas[inside])
        row = (code, total, total / area if area else math.nan, int(inside.sum()), area)
        for column, value in zip(table.values(), row, strict=True):
            column.append(value)
    return table


def zonal_statistics(task: Task) -> dict:
    """D03: zonal totals of a density."""
    from tests.peers.second_implementation.rasters import band, cell_area, codes, on_grid

    density = band(task, "density")
    zones = codes(on_grid(task, "zones", density), "zones")
    return {"zonal.csv": zone_totals(density.values, density.valid, zones, cell_area(density.grid))}


def pearson(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's correlation; NaN where either is constant."""
    if a.size == 0 or np.all(a == a[0]) or np.all(b == b[0]):
        return math.nan
    a, b = a - a.mean(), b - b.mean()
    a, b = a / np.abs(a).max(), b / np.abs(b).max()
    return float(np.clip((a @ b) / math.sqrt((a @ a) * (b @ b)), -1, 1))


def rank_drivers(task: Task) -> dict:
    """Drivers, the strongest first."""
    table = task.table("totals", "code", "emission")
    integers(table, "code")
    emission = numbers(table, "emission")
    drivers = [column for column in table if column not in ("code", "emission")]
    refuse_unless(bool(drivers), "totals", "there is no column of a driver")
    refuse_unless(emission.size > 0, "totals", "there are no rows")
    r = {driver: pearson(numbers(table, driver), emission) for driver in drivers}
    order = sorted(drivers, key=lambda driver: math.inf if math.isnan(r[driver]) else -abs(r[driver]))
    return {"ranking.csv": {"driver": order, "r": [r[driver] for driver in order]}}
