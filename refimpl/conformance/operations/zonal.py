"""Operations of stage zonal: province totals of a density, and the ranking of drivers."""

from __future__ import annotations

from refimpl.conformance.operations.reading import raster, table, zones
from refimpl.conformance.task import Task
from refimpl.method import province_totals
from refimpl.windows import zonal_statistics as zonal


def zonal_statistics(task: Task) -> dict:
    """D03: province totals of a density."""
    density = raster(task, "density")
    found = zonal.zonal_statistics(density, zones(task, density.grid))
    columns = {"code": found.codes, "total": found.total, "mean": found.mean}
    return {"zonal": columns | {"count": found.count, "area_km2": found.area_km2}}


def rank_drivers(task: Task) -> dict:
    """Drivers in the order of abs(r) with emission."""
    totals = table(task, "totals", "code", "emission")
    totals.integers("code")
    drivers = {name: totals.numbers(name) for name in totals.columns if name not in ("code", "emission")}
    ranking = province_totals.rank_drivers(drivers, totals.numbers("emission"))
    return {"ranking": {"driver": [name for name, _ in ranking], "r": [r for _, r in ranking]}}


OPERATIONS = {"zonal_statistics": zonal_statistics, "rank_drivers": rank_drivers}
