"""Densities and counts between two CRSs: polygons clipped in 50-digit arithmetic.

A target cell's corners are projected by Snyder's formulas (mpmath_projection) into the source's pixel coordinates and
joined by straight edges; the quadrilateral is clipped to each pixel (Sutherland and Hodgman) and measured by the
shoelace formula.  A pixel weighs the clipped area, in pixels, times the true area of one pixel of its row
(mpmath_areas).
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from tests.oracles import suite
from tests.oracles.mpmath_areas import areas
from tests.oracles.mpmath_projection import forward, inverse, mp


def clipped(polygon, axis, bound, side):
    """The part of a polygon where side x coordinate >= side x bound."""
    kept = []
    for p, q in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        a, b = side * (p[axis] - bound), side * (q[axis] - bound)
        if a >= 0:
            kept.append(p)
        if a * b < 0:
            t = a / (a - b)
            kept.append(tuple(s + t * (e - s) for s, e in zip(p, q, strict=True)))
    return kept


def area(polygon):
    """Unsigned, by the shoelace formula."""
    pairs = zip(polygon, polygon[1:] + polygon[:1], strict=True)
    return abs(sum(p[0] * q[1] - q[0] * p[1] for p, q in pairs)) / 2


def overlap(polygon, row, col):
    """Area of a polygon inside one pixel."""
    for axis, bound, side in ((0, col, 1), (0, col + 1, -1), (1, row, 1), (1, row + 1, -1)):
        polygon = clipped(polygon, axis, bound, side)
    return area(polygon) if polygon else mp.mpf(0)


def corners(source: suite.Tiff, crs, transform, shape):
    """(rows + 1, cols + 1) corners (u, v) of the target cells in source pixels."""
    (x0, y0, dx, dy), (a, b, c, d) = ([mp.mpf(n) for n in t] for t in (transform, source.transform))
    lattice = np.empty((shape[0] + 1, shape[1] + 1), object)
    for i, j in np.ndindex(*lattice.shape):
        x, y = forward(source.crs, *inverse(crs, x0 + dx * j, y0 + dy * i))
        lattice[i, j] = ((x - a) / c, (y - b) / d)
    return lattice


def warp(source: suite.Tiff, kind, crs, transform, shape, minimum_valid=0):
    """Values (0 where invalid) and valid mask."""
    rows, cols = source.values.shape
    valid = np.ones((rows, cols), bool) if source.valid is None else source.valid
    weights = areas(source.crs, source.transform, (rows, cols)) if kind == "density" else np.ones(rows)
    lattice, values, there = corners(source, crs, transform, shape), np.zeros(shape), np.zeros(shape, bool)
    for i, j in np.ndindex(*shape):
        cell = [lattice[i, j], lattice[i, j + 1], lattice[i + 1, j + 1], lattice[i + 1, j]]
        low, high = ([int(mp.floor(f(p[k] for p in cell))) for k in (1, 0)] for f in (min, max))
        weighted, weight, covered = mp.mpf(0), mp.mpf(0), mp.mpf(0)
        for row in range(max(low[0], 0), min(high[0] + 1, rows)):
            for col in range(max(low[1], 0), min(high[1] + 1, cols)):
                share = overlap(cell, row, col) if valid[row, col] else 0
                weighted += share * mp.mpf(weights[row]) * mp.mpf(source.values[row, col].item())
                weight, covered = weight + share * mp.mpf(weights[row]), covered + share
        part = covered / area(cell)
        assert part == 0 or part > 1e-4 and abs(part - minimum_valid) > 1e-4, "rounding would decide what is valid"
        if part > minimum_valid:
            values[i, j], there[i, j] = float(weighted / (weight if kind == "density" else 1)), True
    return values, there


FLAGS = {
    "mean-by-pixel": "On a geographic source all pixels weigh alike, whatever their true area: northern rows count "
    "too much.",
    "corners-only-of-the-grid": "Target corners are interpolated between the corners of the grid or a coarse lattice: "
    "cells lie up to kilometres off.",
    "upright-boxes": "The mean is taken over the upright bounding box of the cell in the source, not over the cell: a "
    "tenth too wide under Albers, twice the size under MODIS's sheared map.",
    "centre-pixel-for-mean": "Between CRSs a density is taken from one pixel, or from four by interpolation.",
    "count-lost-between-crs": "Counts are copied or scaled by the ratio of areas between CRSs: the total changes.",
    "sphere-for-ellipsoid": "The geographic source and the Albers target are related on a sphere: cells lie 20 km off.",
    "nodata-across-crs": "Between CRSs, invalid pixels enter as 0, or spoil every cell that they touch.",
    "share-of-cell": "The valid share of a cell is counted in pixels touched, not measured.",
}

SERIES = (
    "Snyder's series for the latitude (3-18) is up to 1.5e-8 degrees, 1.6 mm, off: 3e-7 of a pixel at most; "
    "the bugs cost 1e-4 at least"
)
CLOSED = "coordinates of 4e6 m are rounded to a few 1e-9 m, 1e-12 of a pixel"


def ask(name, title, kind, source, crs, transform, shape, flags, limit, why, **more) -> suite.Case:
    """A case of ``warp``."""
    minimum = more.get("minimum_valid")
    values, there = warp(source, kind, crs, transform, shape, minimum or 0)
    if more.get("whole"):
        assert abs(values.sum() / source.values.sum() - 1) < 1e-14
    parameters = {"kind": kind, "crs": more.get("named", crs), "transform": transform, "shape": shape}
    parameters |= {"minimum_valid": minimum} if minimum is not None else {}
    output = suite.Output(suite.Tiff(values, transform, crs, there), "scaled", limit, why)
    return suite.Case(
        f"warp-{name}", title, "raster", "warp", ["D03", "D04", "Raster data"], flags, "mpmath",
        "Corners projected and polygons clipped with 50 digits.", parameters, {"source.tif": source},
        {"warped.tif": output},
    )  # fmt: skip


def field(name, shape, transform, crs, holes=0.0, top=1000) -> suite.Tiff:
    """Whole numbers from the case's random numbers, some of them missing."""
    random = suite.rng(name)
    values = random.integers(1, top, shape).astype(float)
    return suite.Tiff(values, transform, crs, random.random(shape) >= holes if holes else None)


def geographic_cases() -> list[suite.Case]:
    """From degrees."""
    wgs84, china = suite.WGS84, suite.ALBERS_CHINA
    rows = suite.Tiff(np.arange(12.0).reshape(6, 2) ** 2, (73.0, 54.0, 2.0, -6.0), wgs84)
    degrees = (114.0, 41.5, 0.5, -0.25)
    beijing = field("warp-degrees", (12, 9), degrees, wgs84)
    holed = field("warp-degrees-holed", (12, 9), degrees, wgs84, holes=0.3)
    inner, outer = (800000.0, 4440000.0, 37500.0, -42500.0), (650000.0, 4600000.0, 110000.0, -90000.0)
    rim = (700000.0, 4540000.0, 60000.0, -75000.0)
    north = field("warp-far-north-east", (10, 8), (130.0, 54.0, 0.5, -0.25), wgs84)
    flags = ["upright-boxes", "centre-pixel-for-mean", "corners-only-of-the-grid", "sphere-for-ellipsoid"]
    return [
        ask("density-true-areas", "One cell over six rows from 54 to 18 N: each pixel by its area", "density", rows,
            wgs84, (73.0, 54.0, 4.0, -36.0), (1, 1), ["mean-by-pixel"], 1e-12, CLOSED),
        ask("density-true-areas-halves", "Three rows of cells, two columns in halves", "density", rows, wgs84,
            (74.0, 54.0, 2.0, -12.0), (3, 1), ["mean-by-pixel"], 1e-12, CLOSED),
        ask("count-in-degrees", "A count over the same rows is a plain sum", "count", rows, wgs84,
            (73.0, 54.0, 2.0, -18.0), (2, 2), ["count-lost-between-crs"], 1e-12, CLOSED),
        ask("density-geographic-to-albers", "0.5 x 0.25 degrees near Beijing to 37.5 x 42.5 km", "density", beijing,
            china, inner, (4, 5), flags, 1e-6, SERIES, named="albers-china"),
        ask("density-far-from-the-meridian", "At 132 E the cells are turned by 16 degrees", "density", north, china,
            (1690000.0, 6000000.0, 41000.0, -29000.0), (4, 3), flags, 1e-6, SERIES, named="albers-china"),
        ask("density-geographic-to-albers-nodata", "The same pixels with a third of them missing", "density", holed,
            china, inner, (4, 5), ["nodata-across-crs"], 1e-6, SERIES, named="albers-china"),
        ask("density-geographic-to-albers-half", "At the rim of the source half of a cell must be covered", "density",
            holed, china, rim, (5, 7), ["share-of-cell", "nodata-across-crs"], 1e-6, SERIES, named="albers-china",
            minimum_valid=0.5),
        ask("count-geographic-to-albers", "Cells that cover the whole source share out its total", "count", beijing,
            china, outer, (5, 6), ["count-lost-between-crs", "upright-boxes"], 1e-6, SERIES, named="albers-china",
            whole=True),
    ]  # fmt: skip


def projected_cases() -> list[suite.Case]:
    """From metres."""
    china = suite.ALBERS_CHINA
    albers = field("warp-albers", (9, 11), (860000.0, 4420000.0, 24000.0, -31000.0), china)
    modis = field("warp-modis", (11, 16), (9870000.0, 4560000.0, 30000.0, -20000.0), suite.MODIS)
    flags = ["upright-boxes", "centre-pixel-for-mean", "corners-only-of-the-grid", "sphere-for-ellipsoid"]
    return [
        ask("density-albers-to-geographic", "24 x 31 km to 0.4 x 0.3 degrees", "density", albers, suite.WGS84,
            (116.0, 40.0, 0.4, -0.3), (4, 5), flags, 1e-10, CLOSED),
        ask("count-albers-to-geographic", "A degree grid that covers the whole source", "count", albers, suite.WGS84,
            (114.5, 41.5, 0.9, -0.7), (6, 6), ["count-lost-between-crs"], 1e-10, CLOSED, whole=True),
        ask("density-modis-to-albers", "MODIS's sheared pixels, on a sphere with geodetic latitudes", "density", modis,
            china, (1000000.0, 4380000.0, 45000.0, -35000.0), (3, 4), flags, 1e-6, SERIES, named="albers-china"),
    ]  # fmt: skip


def cases() -> list[suite.Case]:
    """All of them."""
    assert overlap([(Fraction(1, 2), 0), (2, 0), (2, 2), (Fraction(1, 2), 2)], 1, 0) == Fraction(1, 2)
    return geographic_cases() + projected_cases()
