"""The image range of D08 and D09 in exact fractions, and the curves of D09 with 50 digits (mpmath)."""

from __future__ import annotations

import mpmath
import numpy as np

from tests.oracles import suite
from tests.oracles.exact_range import image_of
from tests.oracles.exact_resize import rounded

FLAGS = {
    "range-negatives-kept": "Negative predictions are kept, so that the minimum lies below 0, or made positive.",
    "range-nodata-counted": "Invalid cells are counted as clipped, or take part in minimum or quantile as "
    "0 or as nodata.",
    "range-minimum-kept": "The minimum (the regression's intercept) is not subtracted: empty land keeps its share.",
    "range-quantile-unshifted": "The quantile is that of the values, not of the values less their minimum.",
    "range-maximum": "The maximum takes the place of the 99.99 % quantile, or the quantile is 99 % or 99.9 %.",
    "range-quantile-method": "The quantile is an order statistic, or interpolated by another rule than (n - 1) q.",
    "range-clipped-above": "The image is clipped at 1: the brightest cities lose what makes them so.",
    "range-divides-by-zero": "A constant map, or one whose quantile is 0, is divided by 0.",
    "curve-gain": "The gain of 100 is missing, or only in one of its two places.",
    "curve-base": "log10, or log(100) instead of log(101) below: 1 does not stay 1.",
    "curve-small-values": "log(1 + x) and exp(x) - 1 instead of log1p and expm1: dark land is rounded to 0.",
    "curve-negative": "The logarithm or root of what interpolation left below 0 is NaN, or its sign is "
    "kept in compressing.",
    "expand-sign": "Expanding loses the sign of a negative value, or takes it for 0.",
    "curve-clipped": "Values are clipped to [0, 1] on the way.",
    "curve-direction": "Compress and expand are exchanged, or linear is not the identity.",
}
DIVISION = "subtraction, interpolation and division in float64: some 1e-15; the flags move values by 1e-4 or more"
PLACE = "the quantile's place, 10,198.98, is good to 2e-12 of the gap that it divides: 2e-13; the flags: 1e-4 or more"
TRANSFORM = (0.0, 400000.0, 1000.0, -2000.0)


def coarse_map(values, valid=None, nodata=None, crs=suite.ALBERS_CHINA, transform=TRANSFORM, dtype="f8") -> suite.Tiff:
    """``coarse.tif``; NaN is nodata unless a number is."""
    values = np.asarray(values, dtype)
    valid = np.ones(values.shape, bool) if valid is None else np.asarray(valid, bool)
    return suite.Tiff(values, transform, crs, valid, nodata)


def image_range(name, title, coarse: suite.Tiff, flags, decisions=("D09",), valid=None, many=False) -> suite.Case:
    """A case of ``image_range``; ``valid`` is what the reader makes of the file, if not the Tiff's own mask;
    ``many`` cells have a limit of their own.
    """
    limit, why = (1e-11, PLACE) if many else (1e-13, DIVISION)
    image, minimum, scale, clipped = image_of(coarse.values, coarse.valid if valid is None else valid)
    table = {"name": ["minimum", "scale", "clipped"], "value": [float(minimum), float(scale), clipped]}
    outputs = {
        "image.npy": suite.Output(rounded(image), "scaled", limit, why),
        "range.csv": suite.Output(table, "rel", limit, why),
    }
    return suite.Case(
        f"range-{name}", title, "zssr", "image_range", decisions, flags, "fractions",
        "Order statistics and quotients as fractions, rounded once.", {}, {"coarse.tif": coarse}, outputs,
    )  # fmt: skip


def curve_value(value: float, transform: str, direction: str) -> float:
    """With 50 digits."""
    with mpmath.workdps(50):
        v, top = mpmath.mpf(value), mpmath.log1p(100)
        if transform == "log":
            return float(mpmath.log1p(100 * max(v,
            0)) / top if direction == "compress" else mpmath.expm1(v * top) / 100)
        if transform == "sqrt":
            return float(mpmath.sqrt(max(v, 0)) if direction == "compress" else v * abs(v))
        return value


def curve(transform, direction, title, image, flags, name=None) -> suite.Case:
    """A case of ``intensity_curve``."""
    image = np.asarray(image, float)
    answer = np.array([curve_value(v, transform, direction) for v in image.ravel().tolist()]).reshape(image.shape)
    why = "log1p, expm1 and root to an ulp or two, times 4.6 in the exponent: 3e-15; relative: small values count"
    return suite.Case(
        f"curve-{name or f'{transform}-{direction}'}", title, "zssr", "intensity_curve", ["D09"], flags, "mpmath",
        "Each value with 50 digits, rounded once.", {"transform": transform, "direction": direction},
        {"image.npy": image},
        {"curved.npy": suite.Output(answer, "rel", 1e-13, why)},
    )  # fmt: skip


def ranges() -> list[suite.Case]:
    """D08 and D09."""
    values = np.array([[3.5, -1.25, 12, 0.75], [8, 40.5, -0.5, 2.25], [5, 1.5, 90, 0]])
    valid = np.array([[1, 1, 1, 1], [0, 1, 1, 1], [1, 1, 0, 1]], bool)
    inland, dark, bright = np.ones((3, 4), bool), np.full((101, 100), 2.0), 4 + values**2
    inland[0, 1] = inland[1, 2] = inland[2, 3] = False
    dark[60, 17] = 9.5
    tail = np.round(16 * suite.rng("range-10201-cells").pareto(1.2, (101, 101))).astype("f4") / 16
    quantile, fill = ["range-maximum", "range-quantile-method", "range-clipped-above"], ["range-nodata-counted"]
    broken = np.where(values == 12, np.inf, np.where(values == 8, np.nan, values))
    return [
        image_range("hand", "Minimum 2, quantile 7.9993, all valid: (v - 2) / 7.9993", coarse_map([[2, 5, 10.0]]),
                    ["range-minimum-kept", "range-quantile-unshifted", *quantile]),
        image_range("negatives", "Two negative values become 0 and are counted", coarse_map(values, valid),
                    ["range-negatives-kept", *fill, *quantile], ("D08", "D09")),
        image_range("minimum-above-zero", "The minimum of 0.75 goes; invalid cells are not the minimum",
                    coarse_map(values, inland), ["range-minimum-kept", "range-quantile-unshifted", *fill]),
        image_range("nodata-number", "Nodata is -9999: no negative value",
                    coarse_map(values, valid & (values >= 0), -9999.0),
                    [*fill, "range-negatives-kept"], ("D08", "D09", "Convention: nodata")),
        image_range("geographic-float32", "float32 on a grid in degrees, south of the equator too",
                    coarse_map(bright, valid, None, suite.WGS84, (100.0, 0.5, 0.25, -0.5), "f4"),
                    ["range-quantile-unshifted", *fill]),
        image_range("infinity", "Infinities and NaN are invalid", suite.Tiff(broken, TRANSFORM), fill,
                    ("D09", "Convention: nodata"),
                    np.isfinite(broken)),
        image_range("constant", "A constant map is 0 everywhere, of scale 1", coarse_map(np.full((2, 3), 7.5)),
                    ["range-divides-by-zero"]),
        image_range("all-negative", "Nothing above 0: all clipped, then constant", coarse_map([[-3, -1, -2.0]]),
                    ["range-divides-by-zero", "range-negatives-kept"], ("D08", "D09")),
        image_range("10201-cells", "More than 10,000 cells: the quantile lies between the second and third highest",
                    coarse_map(tail, dtype="f4"), quantile, many=True),
        image_range("one-bright-cell",
                    "One cell of 10,100 above the rest: the quantile is 0, the maximum takes its place",
                    coarse_map(dark, dtype="f4"), ["range-divides-by-zero", "range-maximum"]),
    ]  # fmt: skip


def curves() -> list[suite.Case]:
    """D09's curves, there and back."""
    image = [[0.0, 0.25, 1.0], [3.5, -0.0625, 2.0**-70], [0.01, 0.7, 1e-9]]
    network = [[0.0, -0.5, 1.0], [1.3, 0.25, -(2.0**-60)], [0.01, -1.1, 1e-9]]
    log = ["curve-gain", "curve-base", "curve-small-values", "curve-clipped"]
    return [
        curve("log", "compress", "The logarithm: 0 and 1 stay, 1e-9 is kept", image,
              [*log, "curve-negative", "curve-direction"]),
        curve("log", "expand", "Back, with small negative values", network, [*log, "expand-sign", "curve-direction"]),
        curve("sqrt", "compress", "The square root; below 0 is 0", image,
              ["curve-negative", "curve-clipped", "curve-direction"]),
        curve("sqrt", "expand", "The square with its sign", network,
              ["expand-sign", "curve-clipped", "curve-direction"]),
        curve("linear", "compress", "Linear is the identity, below 0 too", network,
              ["curve-direction", "curve-clipped"]),
        curve("linear", "expand", "Linear is the identity, above 1 too", image, ["curve-direction", "curve-clipped"]),
    ]  # fmt: skip


def invalid() -> list[suite.Case]:
    """What is refused."""
    image, empty = np.array([[0.5, 0.25, 1.0]]), np.zeros((2, 3), bool)
    linear = {"transform": "linear", "direction": "compress"}
    rows = [
        ("range-refuses-no-valid-cell", "image_range", ["coarse"], "all cells are nodata", {},
         {"coarse.tif": coarse_map(np.ones((2, 3)), empty, -1.0)}),
        ("range-refuses-nan-map", "image_range", ["coarse"], "all cells are NaN, without a nodata value", {},
         {"coarse.tif": suite.Tiff(np.full((2, 3), np.nan), TRANSFORM)}),
        ("curve-refuses-ln", "intensity_curve", ["transform"], "ln is no transform", linear | {"transform": "ln"},
         {"image.npy": image}),
        ("curve-refuses-unknown-direction", "intensity_curve", ["direction"], "forward is no direction",
         linear | {"direction": "forward"}, {"image.npy": image}),
        ("curve-refuses-infinity", "intensity_curve", ["image"], "an infinity in the image",
         {"transform": "log", "direction": "compress"}, {"image.npy": np.where(image == 1, np.inf, image)}),
        ("curve-refuses-nan", "intensity_curve", ["image"], "NaN in the image",
         {"transform": "sqrt", "direction": "expand"}, {"image.npy": np.where(image == 1, np.nan, image)}),
    ]  # fmt: skip
    return [
        suite.refused(name, None, "zssr", operation, ["D09"], fields, why, files, given)
        for name, operation, fields, why, given, files in rows
    ]  # fmt: skip


def cases() -> list[suite.Case]:
    """All of them."""
    return ranges() + curves() + invalid()
