"""Zonal statistics in exact fractions; areas of geographic cells in 50-digit arithmetic (D03).

Every density and area is the exact value of its float64; sums and quotients are rounded once.  The area of a cell
between two meridians and two parallels is a^2 (q2 - q1) dlambda / 2, Snyder 1987, eq. 3-12.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import mpmath
import numpy as np

from tests.oracles.exact_resize import of_mpf
from tests.oracles.suite import ALBERS_CHINA, WGS84, Case, Output, Tiff, refused, rng

FLAGS = {
    "zonal-degrees-as-area": "The total lacks the cell area, or takes square degrees: totals off by orders of size.",
    "zonal-one-area-for-all": "One area for all rows: the south loses, the north gains (D03).",
    "zonal-sphere": "Cell areas on a sphere in place of the ellipsoid: off by up to 0.7 %, with latitude.",
    "zonal-plain-mean": "The mean of the values in place of total / area: northern rows weigh too much.",
    "zonal-mean-for-total": "Mean and total, or total and plain sum, are exchanged.",
    "zonal-nodata-counted": "Invalid cells enter as their nodata number or as 0, or their area counts.",
    "zonal-zone-zero": "Code 0, outside every province, is reported as a province.",
    "zonal-empty-zone-lost": "A zone without a valid cell is left out, or its mean is 0, or it ends in an error.",
    "zonal-codes-as-index": "Codes are taken for 0 ... n - 1, for a byte or for float32: large ones wrap or merge.",
    "zonal-single-precision": "Summed in float32, or in the file's own type: 2^24 + 1 is 2^24, bytes wrap at 256.",
    "zonal-transposed": "Rows and columns, or the two sides of a cell, are exchanged.",
}

SUM_WHY = "float64 products and sums of some dozen terms: below 1e-15 of the sum of the absolute values"
AREA_WHY = "q2 - q1 in float64 cancels two digits over one row of 2 degrees: about 3e-14, limit thirty times that"
EXACT_WHY = "whole numbers below 2^53: no rounding in any order"
GRID = (400000.0, 4200000.0, 1000.0, -1000.0)
NORTH_SOUTH = (100.0, 54.0, 1.5, -2.0)
"""Degrees; 18 rows reach from 54 to 18 N."""


def row_areas(transform, rows: int, crs: Mapping = ALBERS_CHINA) -> list[Fraction]:
    """km2 of a cell of each row; on an ellipsoid to 50 digits."""
    _, y0, dx, dy = map(Fraction, transform)
    if crs["kind"] != "geographic":
        return [dx * -dy / 10**6] * rows
    with mpmath.workdps(50):
        f = 1 / mpmath.mpf(298.257223563)
        e2, a = f * (2 - f), mpmath.mpf(6378137)
        e = mpmath.sqrt(e2)

        def q(latitude: Fraction):
            s = mpmath.sin(mpmath.pi * latitude.numerator / (180 * mpmath.mpf(latitude.denominator)))
            return (1 - e2) * (s / (1 - e2 * s**2) - mpmath.log((1 - e * s) / (1 + e * s)) / (2 * e))

        width = mpmath.pi * dx.numerator / (180 * mpmath.mpf(dx.denominator))
        edges = [q(y0 + row * dy) for row in range(rows + 1)]
        return [
            of_mpf((north - south) * width * a**2 / 2 / 10**6)
            for north, south in zip(edges[:-1], edges[1:], strict=True)
        ]


def zonal(density: Tiff, zones: np.ndarray) -> dict[str, list]:
    """D03, of each code but 0."""
    areas = row_areas(density.transform, density.values.shape[0], density.crs)
    valid = np.isfinite(density.values) if density.valid is None else density.valid & np.isfinite(density.values)
    table: dict[str, list] = {name: [] for name in ("code", "total", "mean", "count", "area_km2")}
    for code in sorted({int(code) for code in zones.flat} - {0}):
        cells = [(Fraction(float(density.values[i, j])), areas[i]) for i, j in np.argwhere((zones == code) & valid)]
        total, area = sum(value * size for value, size in cells), sum(size for _, size in cells)
        row = (code, float(total), float(total / area) if cells else None, len(cells), float(area))
        for name, value in zip(table, row, strict=True):
            table[name].append(value)
    return table


def statistics(
    name, title, density: Tiff, zones: np.ndarray, flags, how, cmp="rel", limit=1e-14, why=SUM_WHY, **changes
):
    """A case of zonal_statistics; ``zones`` on the density's grid, or a Tiff."""
    raster = zones if isinstance(zones, Tiff) else Tiff(zones, density.transform, density.crs)
    codes = raster.values if raster.valid is None else np.where(raster.valid, raster.values, 0)
    key = {
        "stage": "zonal",
        "operation": "zonal_statistics",
        "oracle": "fractions",
        "references": ("D03", "Raster data"),
    }
    given = {"outputs": {"zonal.csv": Output(zonal(density, codes), cmp, limit, why)}}
    inputs = {"density.tif": density, "zones.tif": raster}
    return Case(name, title, flags=flags, how=how, inputs=inputs, **{**key, **given, **changes})


def geographic_cases() -> list[Case]:
    """Cells whose area goes with latitude."""
    random = rng("zonal-18-to-54-north")
    density = random.integers(1, 4000, (18, 3)) / 8
    zones = np.repeat([[15, 23, 23], [15, 15, 23], [15, 62, 23], [44, 62, 62], [44, 44, 62], [44, 46, 46]], 3, axis=0)
    even = np.full((18, 2), 10.0)
    bands = np.repeat([[1], [2], [3]], 6, axis=0) * np.ones((1, 2), int)
    two = np.array([[1.0], [4.0]])
    tall = (110.0, 60.0, 1.0, -30.0)
    how = "density x area of each cell in exact fractions, areas by eq. 3-12 in 50 digits"
    limit = {"limit": 1e-12, "why": AREA_WHY}
    return [
        statistics(
            "zonal-18-to-54-north",
            "Six provinces between 18 and 54 N, cells of 1.5 by 2 degrees",
            Tiff(density, NORTH_SOUTH, WGS84),
            zones.astype(np.int16),
            ("zonal-one-area-for-all", "zonal-sphere", "zonal-plain-mean", "zonal-degrees-as-area"),
            how,
            **limit,
        ),
        statistics(
            "zonal-same-density-everywhere",
            "10 per km2 everywhere: the totals go as the areas, the means are all 10",
            Tiff(even, (73.0, 54.0, 1.5, -2.0), WGS84),
            bands.astype(np.uint8),
            ("zonal-one-area-for-all", "zonal-sphere", "zonal-mean-for-total"),
            how,
            **limit,
        ),
        statistics(
            "zonal-mean-is-weighted-by-area",
            "Two cells, 30 to 60 N and 0 to 30 N: the mean leans to the south",
            Tiff(two, tall, WGS84),
            np.array([[7], [7]], np.uint8),
            ("zonal-plain-mean", "zonal-sphere"),
            how,
            **limit,
        ),
    ]


def projected_cases() -> list[Case]:
    """Cells of one area: what counts, and what does not."""
    values = np.array([[1.0, 2.0, 4.0], [8.0, 16.0, 32.0]])
    some = np.array([[True, False, True], [True, True, False]])
    oblong = (0.0, 3000000.0, 2000.0, -500.0)
    long = (0.0, 3000000.0, 3000.0, -1000.0)
    big = Tiff(np.array([[1e8, 1.0, -1e8, 3.0]]), GRID)
    ones = np.ones((5, 13), np.float32)
    ones[0, 0] = 2.0**24
    infinite = np.array([[np.inf, 2.0, 3.0], [5.0, -np.inf, 7.0]])
    hand = {"oracle": "hand", "cmp": "exact", "limit": 0, "why": EXACT_WHY}
    return [
        statistics(
            "zonal-hand",
            "Two provinces of three cells of 1 km2",
            Tiff(values, GRID),
            np.array([[2, 2, 1], [1, 2, 1]], np.uint8),
            ("zonal-transposed", "zonal-mean-for-total"),
            "1: 4 + 8 + 32 = 44, mean 44/3; 2: 1 + 2 + 16 = 19, mean 19/3; 1 km2 a cell",
            oracle="hand",
        ),
        statistics(
            "zonal-oblong-cells",
            "Cells of 3 km by 1 km, two zones",
            Tiff(values, long),
            np.array([[5, 5, 5], [5, 6, 6]], np.int16),
            ("zonal-degrees-as-area", "zonal-transposed", "zonal-mean-for-total"),
            "3 km2 a cell: 5: 3 x 15 = 45 on 12 km2; 6: 3 x 48 = 144 on 6 km2",
            **hand,
        ),
        statistics(
            "zonal-nodata-takes-no-part",
            "Cells of 2 km by 500 m, two of six without a value (-9999 in the file)",
            Tiff(values, oblong, valid=some, nodata=-9999.0),
            np.array([[3, 3, 3], [4, 4, 4]], np.uint8),
            ("zonal-nodata-counted",),
            "1 km2 a cell: 3: 1 + 4 = 5, mean 2.5; 4: 8 + 16 = 24, mean 12; counts 2 and 2",
            **hand,
        ),
        statistics(
            "zonal-infinity-is-no-value",
            "Infinities in the density are invalid, as nodata is",
            Tiff(infinite, GRID),
            np.array([[3, 3, 3], [4, 4, 4]], np.uint8),
            ("zonal-nodata-counted",),
            "3: 2 + 3 = 5, mean 2.5; 4: 5 + 7 = 12, mean 6; counts 2 and 2",
            references=("Raster data", "Convention: nodata"),
            **hand,
        ),
        statistics(
            "zonal-zone-without-a-valid-cell",
            "Zone 12 has cells, none with a value",
            Tiff(values, GRID, valid=np.array([[True, False, True], [True, False, True]])),
            np.array([[11, 12, 13], [11, 12, 0]], np.int16),
            ("zonal-empty-zone-lost", "zonal-zone-zero"),
            "11: 1 + 8 = 9, mean 4.5; 12: 0, empty, 0, 0; 13: 4, mean 4",
            **hand,
        ),
        statistics(
            "zonal-code-zero-is-outside",
            "Most cells lie outside",
            Tiff(values, GRID),
            np.array([[0, 0, 9], [0, 9, 0]], np.uint8),
            ("zonal-zone-zero",),
            "9: 4 + 16 = 20, mean 10, 2 cells",
            **hand,
        ),
        statistics(
            "zonal-zones-with-nodata",
            "Zones whose file marks 255 as nodata: outside, not province 255",
            Tiff(values, GRID),
            Tiff(
                np.array([[1, 1, 255], [255, 2, 2]], np.uint8),
                GRID,
                valid=np.array([[True, True, False], [False, True, True]]),
                nodata=255,
            ),
            ("zonal-zone-zero",),
            "1: 1 + 2 = 3, mean 1.5; 2: 16 + 32 = 48, mean 24",
            references=("Raster data", "Convention: nodata"),
            **hand,
        ),
        statistics(
            "zonal-six-digit-codes",
            "Codes of prefectures, two of which agree in the lower 16 bits, two beyond 2^24",
            Tiff(values, GRID),
            np.array([[440300, 374764, 440300], [16777217, 16777216, 374764]], np.int32),
            ("zonal-codes-as-index",),
            "374764 = 440300 - 65536: 2 + 32 = 34; 440300: 1 + 4 = 5; 16 and 8 alone",
            **hand,
        ),
        statistics(
            "zonal-cancellation",
            "1e8, 1, -1e8 and 3: float32 loses the 1",
            big,
            np.array([[8, 8, 8, 8]], np.uint8),
            ("zonal-single-precision",),
            "1e8 + 1 - 1e8 + 3 = 4, mean 1",
            **hand,
        ),
        statistics(
            "zonal-float32-file",
            "64 ones after 2^24, in a float32 file",
            Tiff(ones, GRID),
            np.full(ones.shape, 3, np.uint8),
            ("zonal-single-precision",),
            "2^24 + 64 = 16777280 on 65 cells, mean 16777280 / 65",
            oracle="hand",
        ),
        statistics(
            "zonal-byte-file",
            "Bytes whose sum is beyond 255",
            Tiff(np.array([[250, 200], [9, 100]], np.uint8), GRID),
            np.array([[1, 1], [2, 1]], np.uint8),
            ("zonal-single-precision",),
            "1: 250 + 200 + 100 = 550, mean 550/3; 2: 9",
            oracle="hand",
        ),
    ]


def invalid_cases() -> list[Case]:
    """Zones that are none, and other grids."""
    values, codes = np.array([[1.0, 2.0, 4.0], [8.0, 16.0, 32.0]]), np.array([[1, 1, 2], [2, 2, 1]], np.int16)
    density, moved = Tiff(values, GRID), (GRID[0] + 500, *GRID[1:])

    def zones(name, title, raster, why):
        inputs = {"density.tif": density, "zones.tif": raster}
        return refused(name, title, "zonal", "zonal_statistics", ("Raster data",), ["zones"], why, inputs)

    return [
        zones(
            "zonal-refuses-fractions-for-codes",
            "Zones of float64 with 1.5",
            Tiff(codes + 0.5, GRID),
            "codes are integers",
        ),
        zones(
            "zonal-refuses-negative-code", "A zone of -1", Tiff(codes - 2, GRID), "codes are 0 or more; is -1 nodata?"
        ),
        zones(
            "zonal-refuses-zones-of-another-shape",
            "Zones with a row more",
            Tiff(np.vstack([codes, codes[:1]]), GRID),
            "cells do not pair up",
        ),
        zones(
            "zonal-refuses-shifted-zones", "Zones half a cell to the east", Tiff(codes, moved), "cells do not pair up"
        ),
        zones(
            "zonal-refuses-zones-of-another-cell-size",
            "Zones of cells twice as large",
            Tiff(codes, (*GRID[:2], 2000.0, -2000.0)),
            "another grid",
        ),
        zones(
            "zonal-refuses-zones-in-another-crs",
            "Zones in Albers with another meridian",
            Tiff(codes, GRID, {**ALBERS_CHINA, "central_meridian": 110}),
            "the same numbers mean other places",
        ),
    ]


def cases() -> list[Case]:
    """zonal_statistics."""
    return [*geographic_cases(), *projected_cases(), *invalid_cases()]
