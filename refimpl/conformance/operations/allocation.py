"""Operations of stage allocation: Eq. 3."""

from __future__ import annotations

import numpy as np

from refimpl.conformance.operations.reading import raster, table, zones
from refimpl.conformance.task import Task
from refimpl.errors import InputError
from refimpl.windows import allocated_map as allocation


def totals_of(task: Task) -> dict[int, float]:
    """``totals.csv`` as totals by code; a code that stands there twice is refused."""
    totals = table(task, "totals", "code", "total")
    codes = totals.integers("code").tolist()
    doubled = sorted({code for code in codes if codes.count(code) > 1})
    if doubled:
        raise InputError(f"totals: code {doubled[0]} stands there twice; keep one row")
    return dict(zip(codes, totals.numbers("total").tolist(), strict=True))


def cells_of(task: Task) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """``cells.csv`` as a map of one column: weights, valid and codes (n, 1), areas (n,) in km2."""
    cells = table(task, "cells", "code", "weight", "area_km2")
    codes, weights, areas = cells.integers("code"), cells.numbers("weight"), cells.numbers("area_km2")
    if not (areas > 0).all():
        raise InputError(f"area_km2: {areas.min()}; expected areas above 0")
    return weights[:, np.newaxis], np.ones((codes.size, 1), bool), codes[:, np.newaxis], areas


def cells_table(codes: np.ndarray, emission: np.ndarray, mapped: np.ndarray) -> dict:
    """The emission of a map of one column as a table; empty for a cell without a total."""
    return {"code": codes[:, 0], "emission": np.where(mapped, emission, np.nan)[:, 0]}


def allocate_cells(task: Task) -> dict:
    """Eq. 3 on a list of cells."""
    weights, valid, codes, areas = cells_of(task)
    totals = totals_of(task)
    known = sorted(totals)
    provinces = np.array(known, np.int64), np.array([totals[code] for code in known], float)
    emission, mapped, *_ = allocation.allocate_cells(weights, valid, codes, areas, *provinces)
    return {"emission": cells_table(codes, emission, mapped)}


def allocate(task: Task) -> dict:
    """Eq. 3 on rasters."""
    weights = raster(task, "weights")
    found = allocation.allocate(weights, zones(task, weights.grid).values, totals_of(task))
    balance = found.balance
    columns = {"code": balance.codes, "total": balance.total, "cell_sum": balance.cell_sum, "cells": balance.cells}
    return {"emission": found.emission, "balance": columns}


def emission_density(task: Task) -> dict:
    """Emission per cell as t CO2/km2."""
    return {"density": allocation.per_km2(raster(task, "emission"))}


OPERATIONS = {"allocate_cells": allocate_cells, "allocate": allocate, "emission_density": emission_density}
