"""ODIAC and FFDAS in exact fractions of the files' values; areas of geographic cells in 50-digit arithmetic (D03).

Target grids coincide with the source's or are whole multiples or parts of it: every overlap is a whole cell or none.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from tests.oracles.fractions_zonal import row_areas
from tests.oracles.suite import ALBERS_CHINA, WGS84, Case, Output, Tiff, refused, rng

FLAGS = {
    "odiac-carbon": "Tonnes of carbon are not turned into CO2 by 44/12.",
    "odiac-months": "One month for twelve, their mean, or one left out or counted twice.",
    "odiac-nodata-month": "A month without a value loses the cell for the year, or counts as its nodata number.",
    "odiac-single-precision": "Months are summed in their file's float32.",
    "odiac-cell-area": "The density lacks the cell area, or takes one area for all rows, or that of the target.",
    "inventory-warped-as-count": "A density is summed or sampled on the new grid, not averaged over valid areas.",
    "ffdas-unit": "kg per m2 are not multiplied by 1000 (t per km2), or carbon not by 44/12.",
}

TO_CO2 = Fraction(44, 12)


def gridded(name, title, operation, inputs, density, valid, transform, crs, flags, how, **more) -> Case:
    """A case of odiac or ffdas; ``density`` as fractions."""
    values = np.array([[float(v) for v in row] for row in density])
    why = "twelve sums, a product and quotients in float64, and 3e-14 of a row's area"
    outputs = {"density.tif": Output(Tiff(values, transform, crs, np.array(valid)), "rel", 1e-12, why)}
    parameters = {"crs": "albers-china" if crs == ALBERS_CHINA else crs, "transform": transform, "shape": values.shape}
    key = {"stage": "evaluation", "operation": operation, "references": ("D24", "Fig. 6"), "oracle": "fractions"}
    files = {"inputs": inputs, "outputs": outputs}
    return Case(name, title, flags=flags, how=how, parameters=parameters, **{**key, **files, **more})


def months(values: np.ndarray, valid: np.ndarray, transform, crs=WGS84) -> dict[str, Tiff]:
    """month_01.tif ... of values (12, rows, cols)."""
    return {
        f"month_{i + 1:02d}.tif": Tiff(values[i], transform, crs, valid[i], nodata=-1.0) for i in range(len(values))
    }


def blocks(mass, area, valid, rows: int, cols: int) -> tuple[list[list], list[list[bool]]]:
    """Sum of mass over sum of area of the valid cells of blocks of ``rows`` x ``cols``."""
    down, across = range(0, len(mass), rows), range(0, len(mass[0]), cols)
    density: list[list] = [[0 for _ in across] for _ in down]
    there = [[False for _ in across] for _ in down]
    for i, j in np.ndindex(len(down), len(across)):
        block = [
            (k, m) for k in range(rows * i, rows * (i + 1)) for m in range(cols * j, cols * (j + 1)) if valid[k][m]
        ]
        if block:
            there[i][j] = True
            density[i][j] = sum(mass[k][m] for k, m in block) / sum(area[k] for k, _ in block)
    return density, there


def odiac_cases() -> list[Case]:
    random = rng("odiac-same-grid")
    source, shape = (100.0, 44.0, 1.0, -2.0), (4, 6)
    values = (
        random.integers(1, 1000, (12, *shape)).astype(np.float32)
        + np.arange(12, dtype=np.float32)[:, None, None] * 1000
    )
    values[0, 2, 1], values[4:, 2, 1] = 2.0**24, 1.0
    valid = np.ones(values.shape, bool)
    valid[6, 0, 1] = valid[2, 3, 4] = valid[3, 3, 4] = False
    valid[:, 1, 2] = valid[:, :2, 4:] = False
    sums = [
        [sum(Fraction(float(values[m, i, j])) for m in range(12) if valid[m, i, j]) for j in range(6)] for i in range(4)
    ]
    mass, area, there = [[v * TO_CO2 for v in row] for row in sums], row_areas(source, 4, WGS84), valid.any(0)
    own, _ = blocks(mass, area, there, 1, 1)
    coarse, covered = blocks(mass, area, there, 2, 2)
    fine = [[own[i // 2][j // 2] for j in range(2, 8)] for i in range(2, 6)]
    inside = [[bool(there[i // 2][j // 2]) for j in range(2, 8)] for i in range(2, 6)]
    beyond = [[own[i][j] if i < 4 else 0 for j in (4, 5)] + [0] for i in range(1, 5)]
    on_land = [[i < 4 and bool(there[i][j]) for j in (4, 5)] + [False] for i in range(1, 5)]
    files = months(values, valid, source)
    how = "twelve months as fractions, x 44/12, over the cell's area by eq. 3-12 in 50 digits"
    one = np.array([[[float(2**m), 3.0]] for m in range(12)])
    every = np.ones(one.shape, bool)
    every[11, 0, 1] = False
    hand = [[Fraction(4095) * TO_CO2 / 3, Fraction(33) * TO_CO2 / 3]]
    flat = (0.0, 4000000.0, 3000.0, -1000.0)
    return [
        gridded(
            "odiac-hand",
            "Powers of two, month by month, on cells of 3 km2",
            "odiac",
            months(one, every, flat, ALBERS_CHINA),
            hand,
            [[True, True]],
            flat,
            ALBERS_CHINA,
            ("odiac-carbon", "odiac-months", "odiac-nodata-month"),
            "4095 x 44/12 / 3 = 5005; without December 33 x 44/12 / 3 = 121/3",
            oracle="hand",
        ),
        gridded(
            "odiac-same-grid",
            "Geographic cells of 1 by 2 degrees; some without a month, some without any",
            "odiac",
            files,
            own,
            there,
            source,
            WGS84,
            ("odiac-cell-area", "odiac-single-precision", "odiac-nodata-month", "odiac-carbon"),
            how,
        ),
        gridded(
            "odiac-onto-coarser-cells",
            "Onto cells of 2 by 4 degrees: the mean over the valid area",
            "odiac",
            files,
            coarse,
            covered,
            (100.0, 44.0, 2.0, -4.0),
            WGS84,
            ("inventory-warped-as-count", "odiac-cell-area"),
            how + "; sum of mass over sum of area of a block",
        ),
        gridded(
            "odiac-onto-finer-cells",
            "A part of the map in cells of half the size: a density stays what it is",
            "odiac",
            files,
            fine,
            inside,
            (101.0, 42.0, 0.5, -1.0),
            WGS84,
            ("inventory-warped-as-count", "odiac-cell-area"),
            how,
        ),
        gridded(
            "odiac-beyond-its-edge",
            "A target that reaches beyond the source: invalid there",
            "odiac",
            files,
            beyond,
            on_land,
            (104.0, 42.0, 1.0, -2.0),
            WGS84,
            ("inventory-warped-as-count", "odiac-nodata-month"),
            how,
        ),
    ]


def ffdas_cases() -> list[Case]:
    values = np.array([[0.5, 3.0, 0.0, 1.5], [6.0, 0.75, 12.0, 9.0]])
    some = np.array([[True, True, True, False], [True, False, True, False]])
    degrees = (110.0, 50.0, 3.0, -12.0)
    area = row_areas(degrees, 2, WGS84)
    mass = [[Fraction(v) * 1000 * TO_CO2 * area[i] for v in row] for i, row in enumerate(values)]
    coarse, covered = blocks(mass, area, some, 2, 2)
    flat = (-3000.0, 5000000.0, 1000.0, -500.0)
    same = [[Fraction(v) * 1000 * TO_CO2 for v in row] for row in values]
    file = Tiff(values, flat, valid=some, nodata=-999.0)
    return [
        gridded(
            "ffdas-hand",
            "On its own grid",
            "ffdas",
            {"ffdas.tif": file},
            same,
            some,
            flat,
            ALBERS_CHINA,
            ("ffdas-unit", "odiac-carbon"),
            "3 kg/m2 = 3000 t/km2; x 44/12 = 11000",
            oracle="hand",
        ),
        gridded(
            "ffdas-onto-coarser-cells",
            "Two rows of 12 degrees into one: the mean is weighted by area",
            "ffdas",
            {"ffdas.tif": Tiff(values, degrees, WGS84, some)},
            coarse,
            covered,
            (110.0, 50.0, 6.0, -24.0),
            WGS84,
            ("inventory-warped-as-count", "ffdas-unit"),
            "sum of density x area over sum of area of the valid cells, in fractions; areas in 50 digits",
        ),
    ]


def invalid_inventories() -> list[Case]:
    flat, target = (
        (0.0, 4000000.0, 1000.0, -1000.0),
        {"crs": "albers-china", "transform": (0.0, 4000000.0, 1000.0, -1000.0), "shape": (1, 2)},
    )
    values = np.arange(26, dtype=float).reshape(13, 1, 2)
    files = months(values, np.ones(values.shape, bool), flat, ALBERS_CHINA)
    year = {name: file for name, file in files.items() if name != "month_13.tif"}
    shifted = {**year, "month_07.tif": Tiff(values[6], (500.0, *flat[1:]))}

    def odiac(name, title, inputs, fields, why):
        return refused(name, title, "evaluation", "odiac", ("D24",), fields, why, inputs, target)

    def ffdas(name, title, fields, why, **changes):
        inputs = {"ffdas.tif": Tiff(values[1], flat)}
        return refused(name, title, "evaluation", "ffdas", ("D24",), fields, why, inputs, target | changes)

    return [
        odiac(
            "odiac-refuses-eleven-months",
            "December is missing",
            {name: year[name] for name in list(year)[:11]},
            ["month_12"],
            "eleven months are no year",
        ),
        odiac("odiac-refuses-thirteen-months", "A thirteenth month", files, ["month_13"], "of which year is it?"),
        odiac(
            "odiac-refuses-months-on-other-grids",
            "July lies half a cell to the east",
            shifted,
            ["month_07"],
            "cells do not pair up",
        ),
        ffdas(
            "ffdas-refuses-unknown-projection",
            "A target in 'mercator'",
            ["crs", "kind"],
            "three kinds are known",
            crs={"kind": "mercator", "central_meridian": 105},
        ),
        ffdas("ffdas-refuses-target-without-cells", "A target of 0 rows", ["shape"], "no cells, no map", shape=(0, 2)),
        ffdas(
            "ffdas-refuses-south-up-target",
            "A target with dy above 0",
            ["transform"],
            "dy is below 0",
            transform=(0.0, 4000000.0, 1000.0, 1000.0),
        ),
    ]


def cases() -> list[Case]:
    """D24."""
    return [*odiac_cases(), *ffdas_cases(), *invalid_inventories()]
