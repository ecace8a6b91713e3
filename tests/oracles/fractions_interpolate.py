"""Fine maps without a network (D08, D09, D16-D19): range, interpolation, back-projection, units, in fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from tests.oracles import suite
from tests.oracles.exact_range import image_of
from tests.oracles.exact_resize import back_projected, children, doubled, rounded

FLAGS = {
    "map-baseline": "The minimum is added where it should be left out, left out where it should be kept, or added "
    "before the scale.",
    "map-scale": "The image is not brought back to the map's units.",
    "map-overshoot": "What overshoots below 0 is kept (Eq. 3 then has negative weights), or clipped before the "
    "minimum is added, or the map is clipped above too.",
    "map-grid": "The fine grid keeps the coarse cell size or moves by half a cell.",
    "map-validity": "Fine cells are valid where the interpolation reaches, all, or where they are not 0.",
    "map-zero-fill": "Invalid cells take part in the interpolation as 0: the coast fades.",
    "map-back-projection": "No back-projection, a fixed number, or with the wrong sign.",
    "map-downsampling": "Back-projection always by the 2x2 mean, or always bicubic.",
    "map-method": "Replicate and bicubic are exchanged, or tiles are repeated instead of cells.",
    "map-count": "Cells are divided by 4 as if the map were a count, not a density.",
}
HOW = "Every step as fractions, rounded once."
WHY = "scaling, resizing and back-projection in float64: some 1e-15 of the largest value; the flags move it by 1e-4"
TRANSFORM = (-1000.0, 5000.0, 1000.0, -2000.0)


def answer(coarse: suite.Tiff, given) -> suite.Tiff:
    """``weights.tif``."""
    image, lowest, scale, _ = image_of(coarse.values, coarse.valid)
    if given["method"] == "replicate":
        fine = children(image)
    else:
        kind = given.get("downsampling", "mean")
        fine = back_projected(doubled(image, coarse.valid), image, coarse.valid, given.get("back_projection", 0), kind)
    fine = fine * scale + (lowest if given.get("baseline") == "keep" else 0)
    x0, y0, dx, dy = coarse.transform
    values = rounded(np.maximum(fine, Fraction(0)))
    return suite.Tiff(values, (x0, y0, dx / 2, dy / 2), coarse.crs, children(coarse.valid))


def interpolate(name, title, coarse, given, flags, decisions=("D16", "D19")) -> suite.Case:
    """A case of ``interpolate``."""
    outputs = {"weights.tif": suite.Output(answer(coarse, given), "scaled", 1e-13, WHY)}
    return suite.Case(
        f"interpolate-{name}", title, "zssr", "interpolate", decisions, flags, "fractions", HOW, given,
        {"coarse.tif": coarse}, outputs,
    )  # fmt: skip


def coarse_map(values, valid=None, crs=suite.ALBERS_CHINA, transform=TRANSFORM) -> suite.Tiff:
    """``coarse.tif``."""
    values = np.asarray(values, float)
    return suite.Tiff(values, transform, crs, np.ones(values.shape, bool) if valid is None else np.asarray(valid, bool))


def valid_cases() -> list[suite.Case]:
    """What is answered."""
    values = np.array([[6, 7.5, 30, 9], [5.5, 80, 12, 6.25], [7, 8, 6, 40]])
    coast = np.array([[1, 1, 1, 0], [1, 1, 0, 0], [1, 1, 1, 1]], bool)
    negative = np.array([[4, -2, 9], [0.5, 7, -0.25], [1, 30, 2], [8, 3, 5]])
    smooth = 20 + np.add.outer(np.arange(5) ** 2, 3.0 * np.arange(4))
    smooth[0, 0] = 19
    bicubic, remove = {"method": "bicubic"}, ["map-baseline", "map-scale"]
    return [
        interpolate("replicate", "Each cell four times, less the minimum", coarse_map(values), {"method": "replicate"},
                    [*remove, "map-grid", "map-method", "map-count"], ("D09", "D19")),
        interpolate("replicate-keep", "Each cell four times, minimum kept, one cell invalid", coarse_map(values, coast),
                    {"method": "replicate", "baseline": "keep"}, [*remove, "map-validity"], ("D09", "D19")),
        interpolate("replicate-negative", "Negative predictions are 0 before the minimum is taken",
                    coarse_map(negative),
                    {"method": "replicate"}, ["map-overshoot", "map-baseline"], ("D08", "D09")),
        interpolate("bicubic", "Overshoots below the minimum are 0 (D18); none is clipped above", coarse_map(values),
                    bicubic, [*remove, "map-overshoot", "map-method", "map-grid"], ("D09", "D16", "D18", "D19")),
        interpolate("bicubic-keep", "With the minimum, an overshoot below it is not below 0", coarse_map(values),
                    bicubic | {"baseline": "keep"}, [*remove, "map-overshoot"], ("D09", "D16", "D18")),
        interpolate("bicubic-coast", "The coast takes no part, on a grid in degrees",
                    coarse_map(values, coast, suite.WGS84, (100, 40, 0.5, -0.25)),
                    bicubic, ["map-zero-fill", "map-validity", "map-grid"]),
        interpolate("bicubic-back-projected", "Three iterations of back-projection", coarse_map(values, coast),
                    bicubic | {"back_projection": 3}, ["map-back-projection", "map-zero-fill"], ("D16", "D17")),
        interpolate("bicubic-ten-iterations", "Ten iterations, 5 x 4 cells", coarse_map(smooth),
                    bicubic | {"back_projection": 10}, ["map-back-projection", "map-count"], ("D16", "D17")),
        interpolate("bicubic-downsampling", "Back-projection under the bicubic kernel", coarse_map(negative),
                    bicubic | {"back_projection": 2, "downsampling": "bicubic", "baseline": "keep"},
                    ["map-downsampling", "map-back-projection"], ("D08", "D16", "D17")),
        interpolate("constant", "A constant map: 0 without its minimum", coarse_map(np.full((2, 3), 4.5)), bicubic,
                    ["map-baseline", "map-validity"], ("D09",)),
    ]  # fmt: skip


def invalid() -> list[suite.Case]:
    """What is refused."""
    coarse, bicubic = coarse_map([[6, 7.5, 30], [5.5, 80, 12]]), {"method": "bicubic"}
    empty = coarse_map(np.ones((2, 3)), np.zeros((2, 3), bool))
    rows = [
        ("unknown-method", ["method"], "lanczos is no method", {"method": "lanczos"}, coarse),
        ("unknown-baseline", ["baseline"], "zero is no baseline", bicubic | {"baseline": "zero"}, coarse),
        ("negative-iterations", ["back_projection"], "-1 iterations of back-projection",
         bicubic | {"back_projection": -1}, coarse),
        ("unknown-downsampling", ["downsampling"], "sum is no kind of downsampling",
         bicubic | {"back_projection": 1, "downsampling": "sum"}, coarse),
        ("no-valid-cell", ["coarse"], "no cell of the map is valid", {"method": "replicate"}, empty),
    ]  # fmt: skip
    return [
        suite.refused(f"interpolate-refuses-{name}", None, "zssr", "interpolate", ["D17", "D19"], fields, why,
                      {"coarse.tif": tiff}, given)
        for name, fields, why, given, tiff in rows
    ]  # fmt: skip


def cases() -> list[suite.Case]:
    """All of them."""
    return valid_cases() + invalid()
