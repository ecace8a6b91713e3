"""Ranking of the drivers by Pearson's r, in exact fractions of the float64 values; the root in 50 digits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import mpmath

from tests.oracles.suite import Case, Output, refused, with_columns

FLAGS = {
    "ranking-by-signed-r": "Drivers sorted by r, not abs(r): a strong negative one comes last.",
    "ranking-ties": "Ties are reversed or sorted by name: drivers swap their order without a reason.",
    "ranking-constant-driver": "A constant driver divides by 0: an error, or rounding noise for an r.",
    "ranking-one-pass": "Sums of squares less the squared mean: nothing is left beside a large mean.",
    "ranking-other-correlation": "r squared, a rank correlation or a covariance in place of Pearson's r.",
}

R_WHY = "two-pass sums in float64 are off by a few 1e-16"


def pearson(x: Sequence[float], y: Sequence[float]) -> float | None:
    """r of the exact values, rounded once; None where either is constant."""
    x, y = [Fraction(v) for v in x], [Fraction(v) for v in y]
    x, y = [v - sum(x) / len(x) for v in x], [v - sum(y) / len(y) for v in y]
    spread = sum(v * v for v in x) * sum(v * v for v in y)
    if spread == 0:
        return None
    with mpmath.workdps(50):
        top = sum(a * b for a, b in zip(x, y, strict=True))
        root = mpmath.sqrt(mpmath.mpf(spread.numerator) / spread.denominator)
        return float(mpmath.mpf(top.numerator) / top.denominator / root)


def ranking(
    name, title, drivers: Mapping[str, Sequence[float]], emission: Sequence[float], flags, how, oracle="fractions"
):
    """A case of rank_drivers."""
    found = {driver: pearson(values, emission) for driver, values in drivers.items()}
    order = sorted(found, key=lambda driver: -1 if found[driver] is None else abs(found[driver]), reverse=True)
    table = {"driver": order, "r": [found[driver] for driver in order]}
    totals = {"code": [11 + i for i in range(len(emission))], "emission": emission, **drivers}
    return Case(
        name,
        title,
        "zonal",
        "rank_drivers",
        ("Raster data", "Fig. 9"),
        flags,
        oracle,
        how,
        inputs={"totals.csv": totals},
        outputs={"ranking.csv": Output(table, "abs", 1e-14, R_WHY)},
    )


def ranking_cases() -> list[Case]:
    """Fig. 9's choice of drivers."""
    emission = [1.0, 2.0, 4.0, 7.0, 11.0]
    lights = [2.0, 3.0, 5.5, 7.0, 12.5]
    return [
        ranking(
            "rank-hand",
            "r of -0.5 and -1",
            {"half": [0.0, 1.0, -1.0], "down": [30.0, 20.0, 10.0]},
            [1.0, 2.0, 3.0],
            ("ranking-by-signed-r", "ranking-other-correlation"),
            "half: dx = 0, 1, -1; dy = -1, 0, 1; -1 / sqrt(2 x 2) = -0.5; down: -20 / sqrt(200 x 2) = -1",
            oracle="hand",
        ),
        ranking(
            "rank-strong-negative-first",
            "A nearly perfect negative driver before a good positive one",
            {"gdp": [5.0, 1.0, 9.0, 8.0, 13.0], "forest": [11.0, 10.0, 8.0, 5.0, 1.5], "lights": lights},
            emission,
            ("ranking-by-signed-r", "ranking-other-correlation"),
            "r of the exact values; its root in 50 digits",
        ),
        ranking(
            "rank-ties-keep-their-order",
            "z, a and m are the same but for sign and scale",
            {"weak": [1.0, 0.0, 2.0, 1.0, 3.0], "z": lights, "a": [-v for v in lights], "m": [4 * v for v in lights]},
            emission,
            ("ranking-ties",),
            "powers of two and signs change no digit: r is +-the same number three times",
        ),
        ranking(
            "rank-constant-driver-last",
            "Drivers that are the same everywhere: 7, and 0.1, whose float64 mean is not 0.1",
            {"seven": [7.0] * 3, "tenth": [0.1] * 3, "weak": [1.0, -2.0, 1.5]},
            [1.0, 2.0, 4.0],
            ("ranking-constant-driver",),
            "no spread, no r; the third by the exact values",
        ),
        ranking(
            "rank-large-offset",
            "Populations of 1e9 and a few: sums of squares lose every digit",
            {"population": [1e9 + v for v in (1, 5, 2, 9, 8)], "steady": [1e9 - v for v in (4, 8, 16, 29, 40)]},
            emission,
            ("ranking-one-pass",),
            "r of the exact values; its root in 50 digits",
        ),
    ]


def invalid_cases() -> list[Case]:
    """Columns that are missing or hold no numbers."""

    def ranks(name, title, fields, why, **changes):
        table = {
            "code": [11, 12, 13],
            "emission": [1.0, 2.0, 4.0],
            "gdp": [3.0, 5.0, 6.0],
            "lights": [1.0, 0.5, 2.0],
        }
        inputs = {"totals.csv": with_columns(table, changes)}
        return refused(name, title, "zonal", "rank_drivers", ("Raster data",), fields, why, inputs)

    return [
        ranks(
            "rank-refuses-missing-emission",
            "No column 'emission'",
            ["emission"],
            "nothing to correlate with",
            emission=[],
        ),
        ranks(
            "rank-refuses-empty-driver-cell",
            "A gap in 'gdp'",
            ["gdp"],
            "an empty cell is no number",
            gdp=[3.0, None, 6.0],
        ),
        ranks(
            "rank-refuses-text", "'high' in 'lights'", ["lights"], "text is no number", lights=["1.0", "high", "2.0"]
        ),
        ranks(
            "rank-refuses-infinite-emission",
            "An emission of inf",
            ["emission"],
            "infinities are refused everywhere",
            emission=[1.0, float("inf"), 4.0],
        ),
    ]


def cases() -> list[Case]:
    """rank_drivers."""
    return [*ranking_cases(), *invalid_cases()]
