"""Stage allocation: Eq. 3."""

from __future__ import annotations

import numpy as np

from refimpl.conformance.operations.reading import raster, table, zones
from refimpl.conformance.task import Task
from refimpl.errors import InputError
from refimpl.windows import allocated_map as allocation


def totals_of(task: Task) -> dict[int, float]:
    """``totals.csv``: each code once."""
    totals = table(task, "totals", "code", "total")
    codes = totals.integers("code").tolist()
    doubled = sorted({code for code in codes if codes.count(code) > 1})
    if doubled:
        raise InputError(f"totals: code {doubled[0]} stands there twice; keep one row")
    return dict(zip(codes, totals.numbers("total").tolist(), strict=True))


def allocate_cells(task: Task) -> dict:
    """Eq. 3 on a list of cells: a map of one column."""
    cells, totals = table(task, "cells", "code", "weight", "area_km2"), totals_of(task)
    codes, weights, areas = cells.integers("code"), cells.numbers("weight"), cells.numbers("area_km2")
    if not (areas > 0).all():
        raise InputError(f"area_km2: {areas.min()}; expected areas above 0")
    known = sorted(totals)
    column = weights[:, np.newaxis], np.ones((codes.size, 1), bool), codes[:, np.newaxis], areas
    provinces = np.array(known, np.int64), np.array([totals[code] for code in known], float)
    emission, mapped, *_ = allocation.allocate_cells(*column, *provinces)
    return {"emission": {"code": codes, "emission": np.where(mapped, emission, np.nan)[:, 0]}}


def allocate(task: Task) -> dict:
    """Eq. 3 on rasters."""
    weights = raster(task, "weights")
    found = allocation.allocate(weights, zones(task, weights.grid).values, totals_of(task))
    balance = found.balance
    columns = {"code": balance.codes, "total": balance.total, "cell_sum": balance.cell_sum, "cells": balance.cells}
    return {"emission": found.emission, "balance": columns}


def emission_density(task: Task) -> dict:
    """t CO2/km2."""
    return {"density": allocation.per_km2(raster(task, "emission"))}


OPERATIONS = {"allocate_cells": allocate_cells, "allocate": allocate, "emission_density": emission_density}
