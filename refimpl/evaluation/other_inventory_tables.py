"""Tables of Fig. 6: ``inventories.csv``, ``inventories_by_province.csv``, ``inventories_by_land_cover.csv``.

Each function gives columns for ``tables.write_table``.  Their names carry the units: 1e4t is 10^4 t CO2 a year,
t_per_km2 is t CO2 / km2 / year.  ``map_`` is our map, ``inventory_`` the other one.  ``map_1e4t`` and
``inventory_1e4t`` are sums over the cells that have a value in both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from refimpl.evaluation.agreement import Agreement, InventoryComparison
from refimpl.formats.tables import columns_of
from refimpl.method.land_cover import LAND_COVERS

COVERS = (*LAND_COVERS, "none")
TITLES = {"r": "r", "r2": "r2", "mae": "mae_t_per_km2", "rmse": "rmse_t_per_km2", "rho": "rho"}


def of_group(found: Agreement, at: int) -> dict[str, object]:
    """The columns that every table has, for one group of cells."""
    row = {"cells": found.cells[at], "map_1e4t": found.estimated[at], "inventory_1e4t": found.observed[at]}
    return row | {title: found.numbers[name][at] for name, title in TITLES.items()}


def inventories_table(compared: Iterable[InventoryComparison]) -> dict[str, list]:
    """One row an inventory: cells, sums, r to rho of the cells, then r to rho of its province totals."""
    rows = []
    for one in compared:
        r, r2, mae, rmse, rho = one.totals
        row = {"inventory": one.name, **of_group(one.overall, 0), "provinces": len(one.statistics)}
        row |= {"totals_r": r, "totals_r2": r2, "totals_mae_1e4t": mae, "totals_rmse_1e4t": rmse, "totals_rho": rho}
        rows.append(row)
    return columns_of(rows)


def province_table(compared: Iterable[InventoryComparison], names: Mapping[int, str]) -> dict[str, list]:
    """One row an inventory and province; ``total_1e4t`` sums all its cells there, to compare with the statistic."""
    rows = []
    for one in compared:
        for at, code in enumerate(one.provinces.groups.tolist()):
            place = {"inventory": one.name, "code": code, "province": names.get(code, "")}
            whole = {"statistic_1e4t": one.statistics.get(code, float("nan")), "total_1e4t": one.sums[code]}
            rows.append(place | whole | of_group(one.provinces, at))
    return columns_of(rows)


def land_cover_table(compared: Iterable[InventoryComparison]) -> dict[str, list]:
    """One row an inventory and land cover that occurs; a share is that of the sum over all cells with a land cover."""
    rows = []
    for one in compared:
        found = one.land_covers
        classified = found.groups <= len(LAND_COVERS)
        ours, theirs = (values[classified].sum() for values in (found.estimated, found.observed))
        for at, group in enumerate(found.groups.tolist()):
            row = {"inventory": one.name, "land_cover": COVERS[group - 1], **of_group(found, at)}
            row["map_share"] = found.estimated[at] / ours if ours > 0 and classified[at] else float("nan")
            row["inventory_share"] = found.observed[at] / theirs if theirs > 0 and classified[at] else float("nan")
            rows.append(row)
    return columns_of(rows)
