"""Resampling on one projected CRS in exact fractions, with GDAL as a second voice.

There an overlap is a rectangle: length of the common part in x times that in y.  Means, sums and shares are quotients
of integers, rounded once.  GDAL's ``average``, ``sum`` and ``near`` must agree, to the float32 of its weights, except
where it means something else: across the rim of the source, and with a least share of valid pixels.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np

from tests.oracles import gdal_reading, gdal_warp, suite

CRS = suite.ALBERS_CHINA
PLACE = (-1000000.0, 4000000.0, 1000.0, -500.0)


def edges(start, step, n) -> list[Fraction]:
    """n + 1 of them."""
    return [Fraction(start) + Fraction(step) * k for k in range(n + 1)]


def lengths(target, source) -> list[list[Fraction]]:
    """[target interval][source interval] of the common part, of edges that rise or fall alike."""
    sign = 1 if target[-1] > target[0] else -1
    target, source = ([sign * edge for edge in side] for side in (target, source))
    return [[max(Fraction(0), min(b, d) - max(a, c)) for c, d in pairwise(source)] for a, b in pairwise(target)]


def warp(source: suite.Tiff, kind, transform, shape, minimum_valid=0) -> tuple[np.ndarray, np.ndarray]:
    """Values (0 where invalid) and valid mask of a density or count."""
    (x0, y0, dx, dy), (a, b, c, d) = transform, source.transform
    rows, cols = source.values.shape
    down = lengths(edges(y0, dy, shape[0]), edges(b, d, rows))
    across = lengths(edges(x0, dx, shape[1]), edges(a, c, cols))
    cell, pixel = Fraction(dx) * -Fraction(dy), Fraction(c) * -Fraction(d)
    valid = np.ones((rows, cols), bool) if source.valid is None else source.valid
    values, there = np.zeros(shape), np.zeros(shape, bool)
    for i, j in np.ndindex(*shape):
        parts = [
            (down[i][r] * across[j][s], Fraction(source.values[r, s].item()))
            for r, s in np.argwhere(valid)
            if down[i][r] * across[j][s]
        ]
        area = sum(overlap for overlap, _ in parts)
        if area and area / cell >= Fraction(minimum_valid):
            total = sum(overlap * value for overlap, value in parts)
            values[i, j], there[i, j] = float(total / (area if kind == "density" else pixel)), True
    return values, there


def nearest(source: suite.Tiff, transform, shape) -> tuple[np.ndarray, np.ndarray]:
    """The class at each centre, and where there is one."""
    (x0, y0, dx, dy), (a, b, c, d) = (map(Fraction, t) for t in (transform, source.transform))
    values, there = np.zeros(shape, source.values.dtype), np.zeros(shape, bool)
    for i, j in np.ndindex(*shape):
        col, row = (x0 + dx * (j + Fraction(1, 2)) - a) // c, (y0 + dy * (i + Fraction(1, 2)) - b) // d
        if 0 <= row < source.values.shape[0] and 0 <= col < source.values.shape[1]:
            there[i, j] = source.valid is None or source.valid[row, col]
            values[i, j] = source.values[row, col] if there[i, j] else 0
    return values, there


FLAGS = {
    "density-summed": "A density is summed or shared out like a count: persons per km2 grow with the cell.",
    "density-nearest": "A density is taken from the pixel at the centre, or interpolated: most pixels are lost.",
    "density-divided": "Going finer, a density is divided among the smaller cells.",
    "count-averaged": "A count per cell is averaged like a density: people disappear as cells grow.",
    "count-not-divided": "Going finer or across pixel edges, a count is copied instead of shared out: people multiply.",
    "pixels-all-or-none": "A pixel takes part wholly or not at all, by its centre or by touch, not by its overlap.",
    "axes-mixed": "dx stands for |dy|, rows for columns, or y is counted from the south.",
    "nodata-bleeds": "Invalid pixels enter means as 0 or as their nodata value, or make the whole cell invalid.",
    "count-scaled-up": "A count is scaled up to the whole cell where some of its pixels are invalid.",
    "minimum-valid": "minimum_valid is ignored, taken strictly (half is not at least half), or taken of the pixels "
    "within the source rather than of the cell.",
    "outside-zero": "Cells beyond the source are 0 instead of invalid, or cells across its rim are diluted by zeros.",
    "class-of-corner": "The class is taken at the cell's corner, by majority or by mean, not at its centre.",
    "class-on-edge": "A centre on the edge of two pixels takes the left or upper one, or one that depends on rounding.",
    "class-nodata-filled": "A centre on an invalid pixel, or outside, takes the class of a neighbour.",
    "class-type": "Classes come back as float64, or in a type that cannot hold them.",
    "integers-overflow": "Integer pixels are summed in their own type, or means truncated to it.",
}

ROUNDED = "coordinates of 4e6 m are rounded to 5e-10 m, 1e-12 of a cell"
COPIED = "codes are copied"


def ask(name, title, kind, source, transform, shape, flags, minimum_valid=None, second_voice=True) -> suite.Case:
    """A case of ``warp``."""
    parameters = {"kind": kind, "crs": "albers-china", "transform": transform, "shape": shape}
    if minimum_valid is not None:
        parameters["minimum_valid"] = minimum_valid
    if kind == "class":
        values, there = nearest(source, transform, shape)
    else:
        values, there = warp(source, kind, transform, shape, minimum_valid or 0)
    if second_voice:
        found = gdal_warp.warped(source, kind, CRS, transform, shape)
        assert np.array_equal(np.isfinite(found), there), name
        assert np.allclose(found[there], values[there], rtol=1e-6), name
    nodata = (source.nodata or 99) if kind == "class" and values.dtype.kind in "iu" else None
    tiff = suite.Tiff(values, transform, CRS, there, nodata=nodata)
    cmp, limit, why = ("exact", 0, COPIED) if kind == "class" else ("scaled", 2e-11, ROUNDED)
    return suite.Case(
        f"warp-{name}", title, "raster", "warp", ["Raster data", "Convention: density and count"], flags, "fractions",
        "Overlaps in exact fractions" + ("; GDAL's warper agrees." if second_voice else "."), parameters,
        {"source.tif": source}, {"warped.tif": suite.Output(tiff, cmp, limit, why)},
    )  # fmt: skip


def field(dtype=float, holes=(), nodata=None) -> suite.Tiff:
    """4 x 6 pixels of 1,000 x 500 m, no two alike; ``holes`` are invalid (row, column)s."""
    values = suite.rng("warp-field").permutation(24).reshape(4, 6).astype(dtype)
    valid = np.ones((4, 6), bool)
    for hole in holes:
        valid[hole] = False
    return suite.Tiff(values, PLACE, CRS, valid if holes else None, nodata)


def quantities() -> list[suite.Case]:
    """Densities and counts."""
    x, y = PLACE[:2]
    blocks, shifted = (x, y, 3000.0, -1000.0), (x + 250, y - 125, 1750.0, -625.0)
    finer, wider = (x, y, 250.0, -250.0), (x - 600, y + 200, 1400.0, -900.0)
    holes = [(0, 0), (0, 1), (1, 2), (2, 5), (3, 3), (3, 4), (3, 5), (2, 3), (2, 4)]
    most = [(0, 0), (0, 1), (1, 0), (0, 3), (0, 4), (1, 5), (1, 4), (2, 1)]
    most += [(row, col) for row in (2, 3) for col in (3, 4, 5)]
    mean = ["density-summed", "density-nearest", "axes-mixed"]
    shared = ["count-averaged", "axes-mixed"]
    return [
        ask("density-blocks", "2 x 3 pixels to a cell", "density", field(), blocks, (2, 2), mean),
        ask("density-shifted", "Cells of 1.75 x 1.25 pixels, a quarter of a pixel off", "density", field(), shifted,
            (3, 3), [*mean, "pixels-all-or-none"]),
        ask("density-finer", "4 x 2 cells to a pixel: each has the pixel's density", "density", field(), finer, (8, 24),
            ["density-divided", "axes-mixed"]),
        ask("density-own-grid", "The grid of the source, and integers: nothing changes but the type", "density",
            field(np.uint8), PLACE, (4, 6), ["density-divided", "axes-mixed"]),
        ask("density-of-bytes", "The mean of bytes up to 255 is no byte", "density",
            suite.Tiff(np.uint8([[255, 254, 251], [201, 255, 3]]), PLACE, CRS), blocks, (1, 1), ["integers-overflow"]),
        ask("density-nodata", "Means over the valid part only; a cell without any is invalid", "density",
            field(np.int16, holes, -9999), blocks, (2, 2), ["nodata-bleeds", "outside-zero"]),
        ask("density-nodata-shifted", "Parts of invalid pixels take no part either", "density", field(float, holes),
            shifted, (3, 3), ["nodata-bleeds", "pixels-all-or-none"]),
        ask("density-wider-than-the-source", "Across the rim the mean is that of the part inside", "density", field(),
            (x - 1400, y + 1100, 1400.0, -900.0), (5, 7), ["outside-zero"], second_voice=False),
        ask("count-blocks", "2 x 3 pixels to a cell", "count", field(), blocks, (2, 2), shared),
        ask("count-of-bytes", "Bytes whose sum is 1,219", "count",
            suite.Tiff(np.uint8([[255, 254, 251], [201, 255, 3]]), PLACE, CRS), blocks, (1, 1), ["integers-overflow"]),
        ask("count-split", "Pixels are split among cells that cover more than the source: the sum stays", "count",
            field(), wider, (3, 5), [*shared, "count-not-divided", "pixels-all-or-none"]),
        ask("count-finer", "4 x 2 cells to a pixel: each has an eighth", "count", field(), finer, (8, 24),
            ["count-not-divided"]),
        ask("count-nodata", "What is known is counted, and not more", "count", field(float, holes), shifted, (3, 3),
            ["count-scaled-up", "nodata-bleeds"]),
        ask("minimum-valid-half", "Valid pixels cover 3/6, 2/6, 5/6 and none of four cells; half is asked for",
            "density", field(float, most), blocks, (2, 2), ["minimum-valid"], 0.5, second_voice=False),
        ask("minimum-valid-count", "The same for a count", "count", field(float, most), blocks, (2, 2),
            ["minimum-valid", "count-scaled-up"], 0.5, second_voice=False),
        ask("minimum-valid-at-the-rim", "The part of a cell beyond the source is not valid: half is asked for",
            "density", field(), (x - 1000, y + 500, 2000.0, -1000.0), (3, 4), ["minimum-valid"], 0.5,
            second_voice=False),
    ]  # fmt: skip


def classes() -> list[suite.Case]:
    """Classes at the centre."""
    x, y = PLACE[:2]
    coarse, on_edge = (x + 100, y - 30, 1900.0, -900.0), (x - 1000, y + 500, 2000.0, -1000.0)
    return [
        ask("class-at-centre", "The class at the centre of each cell, not at a corner", "class", field(np.uint8),
            coarse, (2, 3), ["class-of-corner", "axes-mixed", "class-type"]),
        ask("class-on-edge", "Centres on edges take the right and lower pixel, beyond the last edge none", "class",
            field(np.uint8), on_edge, (3, 4), ["class-on-edge", "class-of-corner"], second_voice=False),
        ask("class-nodata", "Centres on invalid pixels have no class, whatever lies beside them", "class",
            field(np.int16, [(0, 1), (1, 3), (3, 1)], -1), (x, y, 900.0, -450.0), (4, 6),
            ["class-nodata-filled", "class-type"]),
        ask("class-outside", "Cells whose centre lies outside are invalid, even where they touch the source",
            "class", field(np.int32), (x - 700, y + 800, 1100.0, -450.0), (7, 7),
            ["class-nodata-filled", "class-type"]),
        ask("class-float32", "Classes in float32 stay in float32", "class", field(np.float32), coarse, (2, 3),
            ["class-type"]),
    ]  # fmt: skip


def refused_cases() -> list[suite.Case]:
    """What the contract refuses."""
    good = {"kind": "density", "crs": "albers-china", "transform": (*PLACE[:2], 3000.0, -1000.0), "shape": (2, 2)}
    plain = field()
    rotated = suite.Raw(gdal_reading.gdal_bytes(plain.values[None], (*PLACE, 100.0, 40.0)))
    lambert = suite.Raw(gdal_reading.gdal_bytes(plain.values[None], PLACE, gdal_reading.LAMBERT))
    mirrored = {"kind": "albers", "parallels": [30, -30], "central_meridian": 105}
    rows = [
        ("unknown-kind", plain, {"kind": "average"}, ["kind"], "average is no kind: density, count or class"),
        ("minimum-valid-above-one", plain, {"minimum_valid": 1.5}, ["minimum_valid"], "no cell is covered 1.5 times"),
        ("minimum-valid-below-zero", plain, {"minimum_valid": -0.1}, ["minimum_valid"], "a share of -0.1"),
        ("zero-width", plain, {"transform": (*PLACE[:2], 0.0, -1000.0)}, ["transform"], "dx is 0"),
        ("south-up", plain, {"transform": (*PLACE[:2], 3000.0, 1000.0)}, ["transform"], "dy above 0 in the target"),
        ("no-rows", plain, {"shape": (0, 2)}, ["shape"], "a target of 0 rows"),
        ("mirrored-parallels", plain, {"crs": mirrored}, ["crs", "parallels"], "parallels 30 and -30 make no cone"),
        ("source-without-crs", suite.Tiff(plain.values, PLACE, None), {}, ["source"],
         "the source names no coordinate reference system"),
        ("lambert-source", lambert, {}, ["source"], "Lambert's conformal conic projection is none of the three"),
        ("truncated-source", suite.Raw(suite.tiff_bytes(plain)[:-60]), {}, ["source"], "the last 60 bytes are missing"),
        ("unknown-crs", plain, {"crs": {"kind": "lambert"}}, ["crs", "kind"], "the target's kind of CRS is unknown"),
        ("no-kind", plain, {"kind": None}, ["kind"], "kind is missing: density, count or class"),
        ("rotated-source", rotated, {}, ["source"], "the source is rotated"),
    ]  # fmt: skip

    def asked(other) -> dict:
        return {key: value for key, value in (good | other).items() if value is not None}

    return [
        suite.refused(f"warp-refuses-{name}", None, "raster", "warp", ["Raster data"], fields, why,
                      {"source.tif": source}, asked(other))
        for name, source, other, fields, why in rows
    ]  # fmt: skip


def cases() -> list[suite.Case]:
    """All of them."""
    return quantities() + classes() + refused_cases()
