"""Cell areas in 50-digit arithmetic, integrated over the ellipsoid from the definition of its radii of curvature.

The area of a cell is dlon times the integral of M N cos(phi) dphi, M and N the radii along the meridian and across it;
no formula of an authalic latitude is used.  The whole ellipsoid, and Lambert's 2 pi R h on a sphere, are checks.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from mpmath import MPContext

from tests.oracles import suite

mp = MPContext()
mp.dps = 50

SPHERE = {"kind": "geographic", "a": 6371007.181, "inverse_flattening": 0}
KRASSOVSKY = {"kind": "geographic", "a": 6378245.0, "inverse_flattening": 298.3}


def cell_area(crs, south, north, dx):
    """km2 (mpf) of a cell of dx degrees between two latitudes (mpf, degrees)."""
    inverse = crs.get("inverse_flattening", 298.257223563)
    f = 1 / mp.mpf(inverse) if inverse else mp.mpf(0)
    a, e2 = mp.mpf(crs.get("a", 6378137.0)) / 1000, f * (2 - f)

    def strip(phi):
        bulge = 1 - e2 * mp.sin(phi) ** 2
        return a / mp.sqrt(bulge) * mp.cos(phi) * a * (1 - e2) / bulge ** mp.mpf(1.5)

    return mp.radians(mp.mpf(dx)) * mp.quad(strip, [mp.radians(south), mp.radians(north)])


def areas(crs, transform: Sequence[float], shape: Sequence[int]) -> np.ndarray:
    """(rows,) km2, rounded once."""
    _, y0, dx, dy = (mp.mpf(number) for number in transform)
    if crs["kind"] != "geographic":
        return np.full(shape[0], float(-dx * dy / 10**6))
    edges = [y0 + dy * row for row in range(shape[0] + 1)]
    return np.array([float(cell_area(crs, south, north, dx)) for north, south in pairwise(edges)])


FLAGS = {
    "degrees-squared": "A geographic cell is taken as dx dy x 111.32^2 km2, without the cosine: 1.2 times too large "
    "at 34 N, 1.7 times at 54 N.",
    "cosine-of-the-edge": "The cosine is taken at the upper or lower edge, or once for the whole grid, not over "
    "the row.",
    "cosine-of-the-centre": "The cosine at the row's middle stands for its mean: 3e-8 off for rows of 0.05 degrees, "
    "1 % for rows of 30 degrees.",
    "area-on-sphere": "Areas are taken on a sphere although an ellipsoid is given, or the other way round: up to "
    "0.6 %.",
    "area-of-wgs84-always": "The crs's own a and inverse_flattening are ignored.",
    "row-order": "Areas are given from south to north.",
    "south-is-negative": "Areas south of the equator, or of a row across it, are negative, zero or mirrored.",
    "area-in-square-metres": "The area of a projected cell is given in m2, or from dx^2 where dx differs from dy.",
    "area-per-cell": "One value a cell, or one in all, instead of one a row.",
}

ROUNDING = "the difference of two values of q, each rounded to 1e-15, over {:g} degrees; bugs cost 1e-9 at least"
EXACT_PRODUCT = "one product of two numbers, divided by 10^6: three roundings"


def ask(name, title, crs, transform, shape, flags, references=("D03", "Raster data"), named=None) -> suite.Case:
    """A case of ``cell_areas``."""
    geographic = crs["kind"] == "geographic"
    output = suite.Output(areas(crs, transform, shape), "ulp", 3, EXACT_PRODUCT)
    if geographic:
        # Two values of q, each a few 1e-16 off (with the logarithm of 3-12, 1/(2e) = 6 times that), and 30 times that.
        limit = float(f"{30 * 6 * 2.2e-16 / min(1.0, np.radians(-transform[3])):.0e}")
        output = suite.Output(areas(crs, transform, shape), "rel", limit, ROUNDING.format(-transform[3]))
    how = "M N cos(phi) integrated over each row, 50 digits." if geographic else "dx dy / 10^6: the map is equal-area."
    return suite.Case(
        f"areas-{name}", title, "raster", "cell_areas", references, flags, "mpmath" if geographic else "hand", how,
        {"crs": named or crs, "transform": transform, "shape": shape}, {}, {"areas.npy": output},
    )  # fmt: skip


def valid_cases() -> list[suite.Case]:
    """True areas."""
    wgs84, modis_cell = suite.WGS84, 926.625433055833 / 2
    whole = areas(wgs84, (0, 90, 360, -15), (12, 1))
    assert abs(whole.sum() - 510065621.724) < 5e-4, "the surface of WGS 84's ellipsoid, as geodesy books print it"
    lambert = 2 * np.pi * 6371.007181**2 * (np.sin(np.radians(54)) - np.sin(np.radians(18)))
    assert abs(areas(SPHERE, (0, 54, 360, -36), (1, 1))[0] / lambert - 1) < 1e-14
    return [
        ask("china-rows", "Rows of 3 degrees from 54 to 18 N", wgs84, (73, 54, 0.5, -3), (12, 5),
            ["degrees-squared", "cosine-of-the-edge", "cosine-of-the-centre", "row-order", "area-per-cell"]),
        ask("tenth-of-a-degree", "Cells of 0.1 x 0.05 degrees over Beijing", wgs84, (116, 40.2, 0.1, -0.05), (6, 7),
            ["degrees-squared", "area-on-sphere", "row-order"]),
        ask("thirty-arc-seconds", "1 km cells, where the difference of two q loses five digits", wgs84,
            (120, 31.5, 1 / 120, -1 / 120), (3, 2), ["degrees-squared", "area-on-sphere"]),
        ask("across-the-equator", "The middle row has the equator inside", wgs84, (-10, 1.75, 2, -1), (3, 2),
            ["south-is-negative", "row-order", "area-on-sphere"]),
        ask("south", "Rows of 4 degrees from 14 to 34 S", wgs84, (115, -14, 0.25, -4), (5, 3),
            ["south-is-negative", "degrees-squared", "row-order"]),
        ask("pole-to-pole", "Six rows from pole to pole", wgs84, (-180, 90, 45, -30), (6, 8),
            ["cosine-of-the-edge", "cosine-of-the-centre", "area-on-sphere"]),
        ask("sphere", "A geographic grid on MODIS's sphere", SPHERE, (73, 54, 1, -6), (6, 2),
            ["area-on-sphere", "area-of-wgs84-always"]),
        ask("krassovsky", "A geographic grid on Krassovsky's ellipsoid", KRASSOVSKY, (73, 53.5, 1, -5), (4, 2),
            ["area-of-wgs84-always"]),
        ask("albers", "Cells of 1,000 x 2,500 m in D04's Albers", suite.ALBERS_CHINA, (-2e6, 5e6, 1000, -2500), (4, 3),
            ["area-in-square-metres", "area-per-cell"], ("D03", "D04"), "albers-china"),
        ask("sinusoidal-modis", "Half MODIS's 1 km cell: the map keeps areas, at every latitude", suite.MODIS,
            (8895604.157, 5559752.598, modis_cell, -modis_cell), (3, 3), ["area-in-square-metres", "area-on-sphere"]),
    ]  # fmt: skip


def refused_cases() -> list[suite.Case]:
    """Grids that are none."""
    good, shape, wgs84 = (73.0, 54.0, 0.5, -0.25), (4, 6), suite.WGS84
    rows = [
        ("south-up", wgs84, (73.0, 18.0, 0.5, 0.25), shape, ["transform"], "dy above 0: row 0 is in the north"),
        ("zero-width", wgs84, (73.0, 54.0, 0.0, -0.25), shape, ["transform"], "dx is 0"),
        ("three-numbers", wgs84, (73.0, 54.0, 0.5), shape, ["transform"], "a transform has four numbers"),
        ("no-rows", wgs84, good, (0, 6), ["shape"], "a grid of 0 rows"),
        ("half-a-row", wgs84, good, (2.5, 6), ["shape"], "a grid of 2.5 rows"),
        ("beyond-the-pole", wgs84, (73.0, 54.0, 0.5, -10.0), (20, 6), ["transform", "shape"],
         "20 rows of 10 degrees down from 54 N end at 146 S"),
        ("north-of-the-pole", wgs84, (73.0, 110.0, 0.5, -5.0), (10, 6), ["transform", "shape"],
         "the first row begins at 110 N"),
        ("unknown-kind", {"kind": "engineering"}, good, shape, ["crs", "kind"], "the kind of CRS is none of the three"),
    ]  # fmt: skip
    return [
        suite.refused(f"areas-refuses-{name}", None, "raster", "cell_areas", ["D03", "Raster data"], fields, why,
                      parameters={"crs": crs, "transform": transform, "shape": size})
        for name, crs, transform, size, fields, why in rows
    ]  # fmt: skip


def cases() -> list[suite.Case]:
    """All of them."""
    return valid_cases() + refused_cases()
