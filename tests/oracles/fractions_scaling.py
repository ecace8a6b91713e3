"""D05 and D06 in exact fractions: drivers by their extremes, emission by mean and deviation of the population."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from tests.oracles import suite
from tests.oracles.exact_range import quantile

FLAGS = {
    "scaled-by-own-bounds": "The data to be scaled (the test year) are scaled by their own bounds, not by those of the "
    "fit: growth between the years vanishes.",
    "quantile-for-maximum": "A quantile is taken as upper bound where the maximum is asked for, or the maximum where "
    "the quantile is: one gas flare sets the scale of a country, or the largest province leaves it.",
    "quantile-definition": "The quantile is an order statistic (the nearest, the lower, the higher) or has its "
    "position at q n or q (n + 1), not linear between order statistics at q (n - 1).",
    "quantile-at-minimum": "Lights are 0 in most cells, so a quantile can equal the minimum: without falling back on "
    "the maximum the program divides by 0, or calls the column constant.",
    "clip-ignored": "Values beyond the bounds are not held within [0, 1] where clip is asked for, or are where it "
    "is not.",
    "clip-one-side": "Only values above 1, or only those below 0, are clipped.",
    "constant-driver": "A constant column has no range: dividing by it gives NaN or infinity instead of 0, or the "
    "constant is returned as it is.",
    "constant-for-all": "The data are subtracted from the constant of the fit and divided by 1, so that another value "
    "than the constant leaves 0.",
    "bounds-over-all-columns": "One minimum and maximum for all drivers together: lights of 10^2 vanish beside GDP of "
    "10^12.",
    "lower-bound-zero": "The column is divided by its maximum, without subtracting the minimum.",
    "ddof-1": "The deviation divides by n - 1: every standardised target, and with it C and epsilon, is off.",
    "variance-for-deviation": "The target is divided by its variance, not by its deviation.",
    "constant-is-not-zero": "The rounded mean of equal numbers is not that number, and dividing by the deviation that "
    "is left gives 1 or -1 instead of 0.",
    "one-pass-variance": "Mean of squares less square of mean: digits cancel for a target far from 0.",
}  # fmt: skip

ROUNDING = "two subtractions and a division round to about 1e-16 of the range, x * (1/range) - lower/range to 1e-15"
AS_GIVEN = "extremes are values of the column, the quantile and its position are rounded, to 1e-15"
EXACT = "Computed in exact fractions and rounded once."
D05 = ["D05", "Table 1"]
D06 = ["D06", "Table 1"]


def fractions(array: np.ndarray) -> list[list[Fraction]]:
    """Columns of (n, d), exact."""
    return [[Fraction(float(x)) for x in column] for column in np.asarray(array, float).T]


def min_max(fit: np.ndarray, data: np.ndarray, upper_quantile: float = 1.0, clip: bool = False):
    """The scaled data and the bounds, both rounded once."""
    scaled, bounds = [], []
    for column, values in zip(fractions(fit), fractions(data), strict=True):
        lower, upper = min(column), quantile(column, Fraction(upper_quantile))
        upper = upper if upper > lower else max(column)
        ratios = [(x - lower) / (upper - lower) if upper > lower else Fraction(0) for x in values]
        scaled.append([float(min(max(r, Fraction(0)), Fraction(1)) if clip else r) for r in ratios])
        bounds.append([float(lower), float(upper)])
    return np.array(scaled).T, np.array(bounds).T


def scaling(name, title, fit, data, flags, **parameters) -> suite.Case:
    """A case of ``min_max_scale``."""
    fit, data = np.array(fit, float), np.array(data, float)
    scaled, bounds = min_max(fit, data, **parameters)
    outputs = {
        "scaled.npy": suite.Output(scaled, "abs", 1e-13, ROUNDING + "; the bugs cost 0.01 at least"),
        "bounds.npy": suite.Output(bounds, "rel", 1e-13, AS_GIVEN),
    }
    return suite.Case(
        f"minmax-{name}", title, "regression", "min_max_scale", D05, flags, "fractions", EXACT,
        parameters, {"fit.npy": fit, "data.npy": data}, outputs,
    )  # fmt: skip


LIGHTS = [0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 11.0, 0.0, 63.0, 0.0]
GRADES = [4.0, -2.0, 9.0, 1.5, 30.0, 6.0, 2.25]
UNITS = [
    [212.5, 13540000, 1.2e12],
    [87.25, 68900000, 3.9e12],
    [340.125, 22500000, 7.7e12],
    [12.75, 3410000, 2.1e11],
    [151.0, 98300000, 9.3e12],
    [45.5, 45100000, 1.6e12],
]
UNITS_2005 = [
    [190.5, 11020000, 6.4e11],
    [101.75, 71300000, 2.2e12],
    [365.0, 19800000, 4.1e12],
    [9.5, 2870000, 9.8e10],
]


def scalings() -> list[suite.Case]:
    """Drivers to [0, 1]."""
    grades, lights = [[v] for v in GRADES], [[v, 7.0 - k] for k, v in enumerate(LIGHTS)]
    return [
        scaling("hand", "Bounds are those of the fit; data beyond them leave [0, 1]", [[2, -1], [10, 3], [4, 0.5]],
                [[4, 1], [12, -3], [2, 3], [0, 7]], ["scaled-by-own-bounds", "clip-ignored", "lower-bound-zero"]),
        scaling("clip", "The same, held within [0, 1] on both sides", [[2, -1], [10, 3], [4, 0.5]],
                [[4, 1], [12, -3], [2, 3], [0, 7]], ["clip-ignored", "clip-one-side"], clip=True),
        scaling("driver-units", "Lights, people and GDP of two years: each column by itself", UNITS, UNITS_2005,
                ["bounds-over-all-columns", "scaled-by-own-bounds"]),
        scaling("quantile-between", "The 70 % quantile of seven values lies 0.2 of the way from 6 to 9", grades, grades,
                ["quantile-definition", "quantile-for-maximum", "clip-ignored"], upper_quantile=0.7),
        scaling("quantile-clip", "The 95 % quantile lies between 11 and the flare of 63, which is held at 1", lights,
                lights, ["quantile-for-maximum", "clip-ignored"], upper_quantile=0.95, clip=True),
        scaling("quantile-at-minimum", "The median of the lights is their minimum, 0: the maximum takes its place",
                lights, lights, ["quantile-at-minimum"], upper_quantile=0.5),
        scaling("constant-column", "A driver that is 0.1 everywhere becomes 0, whatever the data are",
                [[0.1, 5], [0.1, 1], [0.1, 2]], [[0.1, 3], [0.7, 9]], ["constant-driver", "constant-for-all"]),
        scaling("one-sample", "One province: every column is constant", [[3.5, -2.0]], [[3.5, -2.0], [8.0, 1.0]],
                ["constant-driver", "constant-for-all"], clip=True),
    ]  # fmt: skip


def standardised(name, title, y, flags, limit, why) -> suite.Case:
    """A case of ``standardise``; the root is taken of an exact fraction to 40 digits."""
    exact = [Fraction(float(v)) for v in y]
    mean = sum(exact) / len(exact)
    variance = sum((v - mean) ** 2 for v in exact) / len(exact)
    digits = 10**40
    root = Fraction(math.isqrt(int(variance * digits**2)), digits) if variance else Fraction(1)
    z = np.array([float((v - mean) / root) for v in exact])
    moments = {"name": ["mean", "scale"], "value": [float(mean), float(root)]}
    outputs = {
        "z.npy": suite.Output(z, "abs", limit, why),
        "moments.csv": suite.Output(moments, "rel", limit, why),
    }
    return suite.Case(
        f"standardise-{name}", title, "regression", "standardise", D06, flags, "fractions", EXACT, {},
        {"y.npy": np.array(y, float)}, outputs,
    )  # fmt: skip


def standardisations() -> list[suite.Case]:
    """Emission to mean 0 and variance 1."""
    once = "sums of a few numbers round to about 1e-16; the bugs cost 0.01 at least"
    return [
        standardised("hand", "Mean 5, deviation of the population 2", [2, 4, 4, 4, 5, 5, 7, 9],
                     ["ddof-1", "variance-for-deviation"], 1e-14, once),
        standardised("constant", "Equal emissions become 0, and the scale is 1", [0.1, 0.1, 0.1],
                     ["constant-is-not-zero"], 1e-15, "0.1 * 3 / 3 may be off by 1.4e-17; the bug costs 1"),
        standardised("one-value", "One province: 0, scale 1", [41250.5], ["ddof-1"], 1e-14, once),
        standardised("far-from-zero", "Four emissions near 10^9: mean 10^9 + 10, variance 22.5",
                     [1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16], ["one-pass-variance", "ddof-1"], 1e-13,
                     "the sum of four numbers near 1e9 is exact, and so are the differences; one pass costs 0.1"),
        standardised("skewed", "Provincial emissions in 10^4 t, the largest thirty times the smallest",
                     [3120.5, 98431.25, 17650.75, 54210.0, 8804.5], ["ddof-1", "variance-for-deviation"], 1e-14, once),
    ]  # fmt: skip


def refused() -> list[suite.Case]:
    """What has no scale."""
    fit, data = np.array([[2.0, -1.0], [10.0, 3.0]]), np.array([[4.0, 1.0]])
    hole, endless = fit.copy(), data.copy()
    hole[1, 0], endless[0, 1] = math.nan, math.inf
    rows = [
        ("min_max_scale", "quantile-above-one", {"upper_quantile": 1.5}, {"fit": fit, "data": data},
         ["upper_quantile"], "upper_quantile is 1.5"),
        ("min_max_scale", "negative-quantile", {"upper_quantile": -0.1, "clip": True},
         {"fit": fit, "data": data}, ["upper_quantile"], "upper_quantile is below 0"),
        ("min_max_scale", "nan-in-fit", {}, {"fit": hole, "data": data}, ["fit"], "fit holds a NaN"),
        ("min_max_scale", "infinite-data", {}, {"fit": fit, "data": endless}, ["data"],
         "data holds an infinity"),
        ("min_max_scale", "third-column", {}, {"fit": fit, "data": np.array([[4.0, 1.0, 2.0]])},
         ["data", "fit"], "data has three columns, fit two"),
        ("min_max_scale", "no-samples", {}, {"fit": np.zeros((0, 2)), "data": data}, ["fit"],
         "fit has no rows, so there are no bounds"),
        ("standardise", "infinity", {}, {"y": np.array([1.0, math.inf, 3.0])}, ["y"],
         "y holds an infinity"),
        ("standardise", "no-values", {}, {"y": np.zeros(0)}, ["y"], "y has no values"),
    ]  # fmt: skip
    operations = {"min_max_scale": ("minmax", D05), "standardise": ("standardise", D06)}
    return suite.refused_rows("regression", operations, rows)


def cases() -> list[suite.Case]:
    """All of them."""
    return scalings() + standardisations() + refused()
