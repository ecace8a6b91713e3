"""Eq. 3: province totals on cells, exactly."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from tests.peers.second_implementation.files import Task, integers, numbers, refuse_unless


def shared_out(total: float, weight: np.ndarray, area: np.ndarray) -> np.ndarray:
    """One province: in proportion to weight x area, the exact sum of which rounds to the total."""
    part = weight * area
    whole = math.fsum(part)
    if whole == 0:
        part, whole = area, math.fsum(area)
    cells = part / whole * total
    # The largest cell takes what is left; a tie of the last rounding, which it cannot break, is left to the next.
    for cell in np.argsort(-cells, kind="stable").tolist():
        if math.fsum(cells) == total:
            break
        left = Fraction(total) - sum(map(Fraction, cells.tolist()), Fraction(0))
        cells[cell] = float(Fraction(float(cells[cell])) + left)
    return cells


def read_totals(task: Task) -> dict[int, float]:
    """Totals by code."""
    table = task.table("totals", "code", "total")
    code, total = integers(table, "code"), numbers(table, "total")
    refuse_unless(np.unique(code).size == code.size, "code", "a province of totals.csv stands twice")
    refuse_unless(bool(np.all(total >= 0)), "total", "a total is negative")
    return dict(zip(code.tolist(), total.tolist(), strict=True))


def allocated(codes: np.ndarray, weight: np.ndarray, area: np.ndarray, totals: dict[int, float]) -> np.ndarray:
    """Emission of each cell, NaN where its province has no total."""
    emission = np.full(codes.size, np.nan)
    for code in np.unique(codes).tolist():
        if code in totals:
            inside = codes == code
            emission[inside] = shared_out(totals[code], weight[inside], area[inside])
    return emission


def allocate_cells(task: Task) -> dict:
    """Eq. 3 on a list of cells."""
    table = task.table("cells", "code", "weight", "area_km2")
    totals = read_totals(task)
    codes, weight, area = integers(table, "code"), numbers(table, "weight"), numbers(table, "area_km2")
    refuse_unless(bool(np.all(weight >= 0)), "weight", "a weight is negative")
    refuse_unless(bool(np.all(area > 0)), "area_km2", "areas above 0 are expected")
    return {"emission.csv": {"code": codes, "emission": allocated(codes, weight, area, totals)}}


def emission_map(weights, zones: np.ndarray, totals: dict[int, float]):
    """Eq. 3 on rasters: the emission and the balance of each province."""
    from tests.peers.second_implementation.rasters import Raster, cell_area

    refuse_unless(bool(np.all(weights.values >= 0)), "weights", "a weight is negative")
    valid = weights.valid & (zones != 0) & np.isin(zones, list(totals))
    values = np.zeros(zones.shape)
    values[valid] = allocated(zones[valid], weights.values[valid], cell_area(weights.grid)[valid], totals)
    present = np.unique(zones[valid]).tolist()
    balance = {
        "code": present,
        "total": [totals[code] for code in present],
        "cell_sum": [math.fsum(values[valid & (zones == code)]) for code in present],
        "cells": [int((valid & (zones == code)).sum()) for code in present],
    }
    return Raster(values, valid, weights.grid), balance


def allocate(task: Task) -> dict:
    """Eq. 3 on rasters."""
    from tests.peers.second_implementation.rasters import band, codes, on_grid

    weights = band(task, "weights")
    zones = codes(on_grid(task, "zones", weights), "zones")
    emission, balance = emission_map(weights, zones, read_totals(task))
    return {"emission.tif": emission, "balance.csv": balance}


def emission_density(task: Task) -> dict:
    """10^4 t per cell to t per km2."""
    from tests.peers.second_implementation.rasters import Raster, band, cell_area

    emission = band(task, "emission")
    return {"density.tif": Raster(emission.values * 1e4 / cell_area(emission.grid), emission.valid, emission.grid)}
