"""What Eq. 3 refuses, of tables and of maps: the part of ``fractions_allocation`` that has no answers."""

from __future__ import annotations

import numpy as np

from tests.oracles.fractions_zonal import GRID
from tests.oracles.suite import ALBERS_CHINA, Case, Tiff, refused, with_columns

TOTALS = {"code": [11, 12], "total": [100.0, 8.0]}


def invalid_tables() -> list[Case]:
    """allocate_cells, one thing wrong."""

    def case(name, title, fields, why, cells=None, totals=None):
        table = {"code": [11, 11, 12], "weight": [1.0, 3.0, 2.0], "area_km2": [1.0, 1.0, 0.5]}
        table, sums = with_columns(table, cells or {}), with_columns(TOTALS, totals or {})
        inputs = {"cells.csv": table, "totals.csv": sums}
        return refused(name, title, "allocation", "allocate_cells", ("Eq. 3",), fields, why, inputs)

    return [
        case(
            "eq3-refuses-negative-weight",
            "A weight of -1",
            ["weight"],
            "D18: weights are clipped at 0 before",
            {"weight": [1.0, 3.0, -1.0]},
        ),
        case(
            "eq3-refuses-empty-weight",
            "A weight without a value",
            ["weight"],
            "it is not 0",
            {"weight": [1.0, None, 2.0]},
        ),
        case(
            "eq3-refuses-negative-total",
            "A total of -8",
            ["total"],
            "no province emits negatively",
            None,
            {"total": [100.0, -8.0]},
        ),
        case(
            "eq3-refuses-empty-total",
            "A province listed without a total",
            ["total"],
            "leave the row out (D20)",
            None,
            {"total": [None, 8.0]},
        ),
        case(
            "eq3-refuses-zero-area",
            "A cell of 0 km2",
            ["area_km2"],
            "every cell has an area",
            {"area_km2": [1.0, 0.0, 0.5]},
        ),
        case(
            "eq3-refuses-total-given-twice",
            "Province 11 has two totals",
            ["code"],
            "which of them?",
            None,
            {"code": [11, 11]},
        ),
        case(
            "eq3-refuses-missing-area", "No column 'area_km2'", ["area_km2"], "weights are densities", {"area_km2": []}
        ),
    ]


def invalid_maps() -> list[Case]:
    """allocate and emission_density, one thing wrong."""
    weights, zones = np.array([[1.0, 3.0, 2.0], [2.0, 4.0, 6.0]]), np.array([[11, 11, 12], [12, 0, 12]], np.int16)

    def case(name, title, fields, why, **changes):
        totals = with_columns(TOTALS, changes.get("totals", {}))
        raster, codes = changes.get("weights", Tiff(weights, GRID)), changes.get("zones", Tiff(zones, GRID))
        inputs = {"weights.tif": raster, "zones.tif": codes, "totals.csv": totals}
        return refused(name, title, "allocation", "allocate", ("Eq. 3",), fields, why, inputs)

    north = (GRID[0], GRID[1] + 1000.0, *GRID[2:])
    placeless = {"emission.tif": Tiff(weights, GRID, None)}
    return [
        case(
            "allocate-refuses-negative-weights",
            "A weight of -0.5 in a province",
            ["weights"],
            "clip it first (D18)",
            weights=Tiff(weights - 1.5, GRID),
        ),
        case(
            "allocate-refuses-shifted-zones",
            "Zones one row to the north",
            ["zones"],
            "cells do not pair up",
            zones=Tiff(zones, north),
        ),
        case(
            "allocate-refuses-transposed-zones",
            "Zones of 3 by 2 cells",
            ["zones"],
            "cells do not pair up",
            zones=Tiff(zones.T.copy(), GRID),
        ),
        case(
            "allocate-refuses-infinite-total",
            "A total of inf",
            ["total"],
            "infinities are refused everywhere",
            totals={"total": [100.0, float("inf")]},
        ),
        case(
            "allocate-refuses-text-for-total",
            "'unknown' for a total",
            ["total"],
            "text is no number",
            totals={"total": ["100.0", "unknown"]},
        ),
        case(
            "allocate-refuses-other-crs",
            "Zones in Albers with another parallel",
            ["zones"],
            "another grid",
            zones=Tiff(zones, GRID, {**ALBERS_CHINA, "parallels": [25, 48]}),
        ),
        refused(
            "density-refuses-raster-without-crs",
            "An emission map without a CRS",
            "allocation",
            "emission_density",
            ("Raster data", "D03"),
            ["emission"],
            "the area of its cells is unknown",
            placeless,
        ),
    ]
