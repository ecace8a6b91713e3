"""Eqs. 4-6 and Pearson's r in exact fractions of the float64 values; roots in 50 digits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import mpmath
import numpy as np

from tests.oracles.fractions_ranking import pearson
from tests.oracles.fractions_zonal import GRID
from tests.oracles.suite import WGS84, Case, Output, Tiff, refused, rng

FLAGS = {
    "r2-as-squared-r": "R2 is taken for the square of Pearson's r: a biased map looks perfect.",
    "r2-sides-exchanged": "Observed and estimated are exchanged: the spread is that of the estimate.",
    "r2-clipped": "R2 below 0 is clipped to 0: worse than the mean passes for as good as it.",
    "metrics-constant-observations": "All observations equal: a division by 0, or rounding noise for an R2 or r.",
    "metrics-one-pass": "The spread as sum of squares less n times the squared mean: nothing is left at 1e9.",
    "metrics-absolute-threshold": "Spreads below some epsilon count as none: small units have no R2.",
    "rmse-ddof": "RMSE, or the spread of R2, divides by n - 1.",
    "mae-rmse-exchanged": "MAE and RMSE are exchanged, the root is left out, or errors of both signs cancel.",
    "accuracy-valid-in-one": "Cells valid in one of the maps only take part, as 0 or as nodata.",
    "accuracy-overall-averaged": "The overall row is the mean of the provinces, or counts cells outside them.",
    "accuracy-small-province": "A province of one cell or of equal cells is left out, or ends in an error.",
    "accuracy-area-weights": "Cells are weighted by their area: Eqs. 4-6 count every cell once.",
}

WHY = "two-pass sums of a few terms in float64"
HAND_WHY = "whole numbers and halves: no rounding but of the quotient and the root"
KEY = {"stage": "evaluation", "references": ("Eq. 4", "Eq. 5", "Eq. 6"), "oracle": "fractions"}


def metrics(observed: Sequence[float], estimated: Sequence[float]) -> list[float | None]:
    """R2, MAE, RMSE, r of the exact values, each rounded once."""
    y, f = [Fraction(float(v)) for v in observed], [Fraction(float(v)) for v in estimated]
    wrong = [a - b for a, b in zip(y, f, strict=True)]
    squares, mean = sum(e * e for e in wrong), sum(y) / len(y)
    spread = sum((a - mean) ** 2 for a in y)
    with mpmath.workdps(50):
        ratio = squares / len(y)
        rmse = float(mpmath.sqrt(mpmath.mpf(ratio.numerator) / ratio.denominator))
    r2 = float(1 - squares / spread) if spread else None
    return [r2, float(sum(map(abs, wrong)) / len(y)), rmse, pearson(y, f)]


def accuracy(name, title, observed, estimated, flags, how, cmp="abs", limit=1e-14, why=WHY, **more) -> Case:
    """A case of accuracy."""
    inputs = {"observed.npy": np.array(observed, float), "estimated.npy": np.array(estimated, float)}
    table = {"name": ["r2", "mae", "rmse", "r"], "value": metrics(observed, estimated)}
    outputs = {"accuracy.csv": Output(table, cmp, limit, why)}
    return Case(name, title, operation="accuracy", flags=flags, how=how, inputs=inputs, outputs=outputs, **KEY | more)


def accuracy_cases() -> list[Case]:
    hand, exactly = {"oracle": "hand", "why": HAND_WHY}, "Eqs. 4-6 in exact fractions, roots in 50 digits"
    large = 1e9 + np.array([1.0, 2.0, 4.0, 9.0]), 1e9 + np.array([2.0, 1.0, 5.0, 9.0])
    small = np.array([2.0, 3.0, 7.0, 1.0]) * 1e-12, np.array([2.5, 3.0, 6.0, 1.0]) * 1e-12
    scattered = "accuracy-forty-cells"
    random = rng(scattered)
    y = np.round(random.lognormal(3, 1, 40), 3)
    f = np.round(0.8 * y + random.normal(0, 8, 40), 3)
    further_voices(y, f)
    return [
        accuracy(
            "eq4-hand-half",
            "R2 of one half",
            [1, 2, 3],
            [1, 2, 4],
            ("r2-as-squared-r", "r2-sides-exchanged", "rmse-ddof"),
            "R2 = 1 - 1/2; MAE = 1/3; RMSE = sqrt(1/3); r = 3 / sqrt(2 x 14/3)",
            **hand,
        ),
        accuracy(
            "eq4-perfect",
            "The estimate is what was observed",
            [3, 1, 8.5, 4],
            [3, 1, 8.5, 4],
            ("mae-rmse-exchanged",),
            "R2 = 1, MAE = RMSE = 0, r = 1",
            **hand,
        ),
        accuracy(
            "eq4-negative",
            "Worse than the mean",
            [1, 2, 3],
            [3, 2, 1],
            ("r2-clipped", "r2-as-squared-r"),
            "R2 = 1 - (4 + 0 + 4)/2 = -3; MAE = 4/3; RMSE = sqrt(8/3); r = -1",
            **hand,
        ),
        accuracy(
            "eq4-constant-estimate",
            "The mean for every cell: R2 is 0, r has no value",
            [1, 2, 6],
            [3, 3, 3],
            ("metrics-constant-observations", "mae-rmse-exchanged"),
            "R2 = 1 - 14/14; MAE = 6/3 = 2; RMSE = sqrt(14/3)",
            **hand,
        ),
        accuracy(
            "eq4-biased",
            "Twice the truth and one more: r is 1, R2 far below 0",
            [1, 2, 3, 6],
            [3, 5, 7, 13],
            ("r2-as-squared-r", "r2-sides-exchanged"),
            "errors 2, 3, 4, 7: R2 = 1 - 78/14 = -32/7; MAE = 4; RMSE = sqrt(19.5); r = 1",
            **hand,
        ),
        accuracy(
            "eq4-constant-observations",
            "Every observation is 0.1: neither R2 nor r, whatever float64 makes of the mean",
            [0.1, 0.1, 0.1],
            [1, 2, 4],
            ("metrics-constant-observations",),
            exactly,
        ),
        accuracy(
            "eq4-one-value",
            "One observation",
            [5],
            [7.5],
            ("metrics-constant-observations", "rmse-ddof"),
            "MAE = RMSE = 2.5; no spread",
            **hand,
        ),
        accuracy(
            "eq5-eq6-hand",
            "Errors of 1 and -7",
            [0, 10],
            [1, 3],
            ("mae-rmse-exchanged", "rmse-ddof"),
            "MAE = 8/2 = 4; RMSE = sqrt(50/2) = 5; R2 = 1 - 50/50 = 0; r = 1",
            **hand,
        ),
        accuracy(
            "eq4-large-offset",
            "Values of 1e9 and a few",
            *large,
            ("metrics-one-pass",),
            "R2 = 1 - 3/38: deviations -3, -2, 0, 5; errors 1, -1, 1, 0",
            oracle="hand",
            limit=1e-9,
            why="at 1e9 the last digit is 1e-7: a rounded mean moves a squared deviation by 1e-14",
        ),
        accuracy(
            "eq4-tiny-values",
            "Values of 1e-12",
            *small,
            ("metrics-absolute-threshold",),
            exactly,
            cmp="rel",
            limit=1e-13,
        ),
        accuracy(
            scattered,
            "Forty cells, scattered",
            y,
            f,
            ("rmse-ddof", "r2-sides-exchanged", "mae-rmse-exchanged"),
            exactly + "; scikit-learn and SciPy agree to 1e-13",
            cmp="rel",
            limit=1e-13,
        ),
    ]


def further_voices(y: np.ndarray, f: np.ndarray) -> None:
    """scikit-learn and SciPy, where they are installed, agree with ``metrics``."""
    try:
        from scipy.stats import pearsonr
        from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score
    except ImportError:
        return
    found = [r2_score(y, f), mean_absolute_error(y, f), math.sqrt(mean_squared_error(y, f)), pearsonr(y, f)[0]]
    np.testing.assert_allclose(found, metrics(y, f), rtol=1e-13)


def by_province(name, title, observed: Tiff, estimated: Tiff, zones: np.ndarray, flags, how) -> Case:
    """A case of accuracy_by_province."""
    valid = [np.ones(zones.shape, bool) if one.valid is None else one.valid for one in (observed, estimated)]
    both = valid[0] & valid[1] & (zones > 0)
    table: dict[str, list] = {name: [] for name in ("code", "r2", "mae", "rmse", "r")}
    for code in [*sorted({int(c) for c in zones[both]}), 0]:
        cells = both & (zones == code) if code else both
        row = [code, *metrics(observed.values[cells], estimated.values[cells])]
        for column, value in zip(table.values(), row, strict=True):
            column.append(value)
    raster = Tiff(zones, observed.transform, observed.crs)
    inputs = {"observed.tif": observed, "estimated.tif": estimated, "zones.tif": raster}
    outputs = {"accuracy.csv": Output(table, "abs", 1e-13, WHY)}
    key = KEY | {"operation": "accuracy_by_province"}
    return Case(name, title, flags=flags, how=how, inputs=inputs, outputs=outputs, **key)


def province_cases() -> list[Case]:
    y = np.array([[1.0, 2.0, 3.0, 5.0], [0.0, 10.0, 7.0, 90.0], [4.0, 4.0, 4.0, 6.5]])
    f = np.array([[1.0, 2.0, 4.0, 6.0], [1.0, 3.0, 7.5, 10.0], [5.0, 3.0, 4.5, 2.0]])
    zones = np.array([[11, 11, 11, 11], [12, 12, 12, 0], [31, 31, 31, 65]], np.int16)
    seen, known = np.ones((3, 4), bool), np.ones((3, 4), bool)
    seen[0, 3], known[1, 2] = False, False
    exactly = "Eqs. 4-6 in exact fractions of each province's cells, and of all of them"
    north = (90.0, 52.0, 2.0, -8.0)
    return [
        by_province(
            "accuracy-by-province",
            "Four provinces: one is of a single cell, one observed as 4 everywhere, one cell lies outside",
            Tiff(y, GRID, valid=seen, nodata=-9999.0),
            Tiff(f, GRID, valid=known),
            zones,
            ("accuracy-valid-in-one", "accuracy-overall-averaged", "accuracy-small-province"),
            exactly + "; 11 is eq4-hand-half, 12 is eq5-eq6-hand",
        ),
        by_province(
            "accuracy-by-province-geographic",
            "Rows of 8 degrees, whose areas differ: every cell counts once",
            Tiff(y, north, WGS84),
            Tiff(f, north, WGS84),
            np.array([[1, 1, 2, 2], [1, 2, 2, 1], [2, 1, 1, 2]], np.uint8),
            ("accuracy-area-weights", "accuracy-overall-averaged"),
            exactly,
        ),
    ]


def invalid_accuracies() -> list[Case]:
    def arrays(name, title, observed, estimated, fields, why):
        inputs = {"observed.npy": np.array(observed, float), "estimated.npy": np.array(estimated, float)}
        return refused(name, title, "evaluation", "accuracy", ("Eq. 4",), fields, why, inputs)

    values, zones = np.array([[1.0, 2.0, 3.0], [4.0, 6.0, 5.0]]), np.array([[1, 1, 2], [2, 2, 1]], np.uint8)
    moved, nan = (GRID[0], GRID[1] - 1000.0, *GRID[2:]), math.nan

    def rasters(name, title, fields, why, **changes):
        maps = {"observed": values, "estimated": values + 1, "zones": zones}
        inputs = {f"{file}.tif": Tiff(cells, GRID) for file, cells in maps.items()} | changes["files"]
        references = ("Eq. 4", "Raster data")
        return refused(name, title, "evaluation", "accuracy_by_province", references, fields, why, inputs)

    both = ["observed", "estimated"]
    return [
        arrays("accuracy-refuses-no-values", "Two empty arrays", [], [], both, "nothing to judge"),
        arrays(
            "accuracy-refuses-other-length",
            "Four observations, three estimates",
            [1, 2, 3, 5],
            [1, 2, 4],
            both,
            "they do not pair up",
        ),
        arrays(
            "accuracy-refuses-one-for-all",
            "One estimate for three observations",
            [1, 2, 3],
            [2],
            both,
            "an array of one value is not stretched",
        ),
        arrays(
            "accuracy-refuses-nan",
            "An estimate of NaN",
            [1, 2, 3],
            [1, nan, 3],
            ["estimated"],
            "NaN is no value; it is not left out silently",
        ),
        arrays(
            "accuracy-refuses-infinity",
            "An observation of infinity",
            [1, math.inf, 3],
            [1, 2, 3],
            ["observed"],
            "infinities are refused everywhere",
        ),
        rasters(
            "accuracy-by-province-refuses-shifted-map",
            "The estimate lies a row further south",
            both,
            "cells do not pair up",
            files={"estimated.tif": Tiff(values, moved)},
        ),
        rasters(
            "accuracy-by-province-refuses-other-zones",
            "Zones of one column less",
            ["zones"],
            "another grid",
            files={"zones.tif": Tiff(zones[:, :2], GRID)},
        ),
        rasters(
            "accuracy-by-province-refuses-real-zones",
            "Zones with 1.5",
            ["zones"],
            "codes are integers",
            files={"zones.tif": Tiff(zones * 1.5, GRID)},
        ),
    ]


def cases() -> list[Case]:
    """All of Eqs. 4-6."""
    return [*accuracy_cases(), *province_cases(), *invalid_accuracies()]
