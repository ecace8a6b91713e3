"""Columns of the tables that a run and the verbs write; units stand in their names (1e4t: 10^4 t CO2)."""

from __future__ import annotations

from pathlib import Path

from refimpl.evaluation.agreement import InventoryComparison
from refimpl.evaluation.other_inventory_tables import inventories_table, land_cover_table, province_table
from refimpl.evaluation.scorecard import Judged
from refimpl.formats.energy_table import Inventory
from refimpl.formats.tables import write_table
from refimpl.method.fitted_regression import FittedRegression
from refimpl.method.land_cover import LAND_COVERS, LandCoverShares
from refimpl.run.results import ProvinceTotals
from refimpl.windows.allocated_map import MassBalance


def inventory_columns(inventory: Inventory) -> dict[str, object]:
    """Columns of the inventory's CSV."""
    return {
        "code": inventory.codes,
        "province": inventory.provinces,
        "year": inventory.years,
        "emission_1e4t": inventory.emission,
    }


def driver_columns(drivers: ProvinceTotals, model: FittedRegression) -> dict[str, object]:
    """Columns of a ``ProvinceTotals`` table, with the statistic and the regression's estimate."""
    columns = {"code": drivers.codes, "province": drivers.provinces, "year": [drivers.year] * drivers.codes.size}
    columns |= dict(zip(drivers.names, drivers.totals.T))
    return columns | {"emission_1e4t": drivers.emission, "estimate_1e4t": model.predict(drivers.totals)}


def ranking_columns(ranking: list[tuple[str, float]]) -> dict[str, object]:
    """Columns of the ranked drivers."""
    names, r = zip(*ranking)
    return {"rank": range(1, len(names) + 1), "driver": names, "pearson_r": r}


def balance_columns(balance: MassBalance, names: dict[int, str]) -> dict[str, object]:
    """Columns of the mass balance: statistic, sum over cells, difference in ulp."""
    return {
        "code": balance.codes,
        "province": [names.get(code, "") for code in balance.codes.tolist()],
        "cells": balance.cells,
        "total_1e4t": balance.total,
        "cell_sum_1e4t": balance.cell_sum,
        "difference_ulp": balance.difference_ulp,
    }


def land_cover_columns(shares: LandCoverShares, names: dict[int, str]) -> dict[str, object]:
    """Columns of the land-cover shares of one map."""
    columns = {"code": shares.codes, "province": [names.get(code, "") for code in shares.codes.tolist()]}
    return columns | dict(zip(LAND_COVERS, shares.shares.T)) | {"unclassified": shares.unclassified}


def accuracy_columns(judged: list[Judged], names: dict[int, str]) -> dict[str, object]:
    """Columns of R2, MAE and RMSE by province, one row a map and province, cells against a reference."""
    rows = [
        (one.name, code, names.get(code, ""), *numbers)
        for one in judged
        if one.cells is not None
        for code, *numbers in zip(one.cells.codes.tolist(), one.cells.r2, one.cells.mae, one.cells.rmse, one.cells.r)
    ]
    names_of_columns = ("map", "code", "province", "r2", "mae_t_per_km2", "rmse_t_per_km2", "r")
    return dict(zip(names_of_columns, zip(*rows))) if rows else {name: () for name in names_of_columns}


def inventory_files(path: Path, land_cover: bool) -> list[Path]:
    """What ``write_inventories`` writes.

    >>> [one.name for one in inventory_files(Path("a.csv"), True)]
    ['a.csv', 'a_by_province.csv', 'a_by_land_cover.csv']
    """
    stems = ["", "_by_province", "_by_land_cover"][: 3 if land_cover else 2]
    return [path.with_stem(path.stem + stem) for stem in stems]


def write_inventories(path: Path, compared: list[InventoryComparison], names: dict[int, str]) -> None:
    """Fig. 6 as tables: the whole map in ``path``, provinces and (where there are some) land covers in files beside."""
    files = inventory_files(path, compared[0].land_covers is not None)
    write_table(files[0], inventories_table(compared))
    write_table(files[1], province_table(compared, names))
    if len(files) == 3:
        write_table(files[2], land_cover_table(compared))
