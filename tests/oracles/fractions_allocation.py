"""Eq. 3 in exact fractions: proportional shares rounded once, then D22's residual onto the largest cell.

Weights, areas and totals are the exact values of their float64.  Cases that are there for the residual are checked to
need it: every plain float64 formula for a share misses the total.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from tests.oracles.exact_shares import SUM_WHY, WHY, plain_formulas_miss, share_out
from tests.oracles.fractions_allocation_maps import valid_maps
from tests.oracles.fractions_allocation_refusals import invalid_maps, invalid_tables
from tests.oracles.suite import Case, Invariant, Output, rng

FLAGS = {
    "allocation-national-total": "Shares of the whole map's weight or total, not of the province's.",
    "allocation-area-forgotten": "Shares go by weight alone: on a geographic grid the north gets too much.",
    "allocation-divides-by-area": "Weights are divided by the area, or their density is returned.",
    "allocation-residual-dropped": "No residual is placed (D22): cells miss their total by some ulp.",
    "allocation-residual-misplaced": "The residual goes to the first, last or smallest cell, not to the largest.",
    "allocation-zero-weights": "Where all weights of a province are 0, a division by 0, or its total is lost (D21).",
    "allocation-no-total": "Without a total a province gets 0, the remainder or an error, not nodata (D20).",
    "allocation-rows-reordered": "The answer is sorted or grouped by province, not in the order of the cells.",
    "allocation-nodata-weighs": "Invalid cells take a share: as 0 they become valid, as -9999 they weigh.",
    "allocation-single-precision": "Shares in the float32 of the weights: totals off in the eighth digit.",
    "allocation-residual-one-cell": "The largest cell alone takes the residual: where its own rounding is too coarse, "
    "the sum stays an ulp off (D22).",
    "allocation-equal-shares": "The total is divided by the number of cells: the weights, and with them the map, are "
    "lost.",
    "allocation-zero-weights-by-cell": "Where all weights are 0, cells get equal amounts: on a geographic grid the "
    "density then grows towards the pole (D21).",
    "allocation-share-underflow": "A threshold such as weight > 1e-12, or rounding to decimals, loses small cells.",
    "allocation-balance-rows": "The balance lists provinces without a cell, leaves out some, or counts invalid cells.",
    "density-per-cell": "Emission per cell is taken for a density, or multiplied by the area.",
    "density-unit": "10^4 t are not turned into t, or m2 are not turned into km2.",
}

LARGEST_WHY = "the largest cell, 1/500 of the total, also takes what a thousand roundings leave: up to 1e-13 of it"
EXACT_WHY = "shares are binary fractions: nothing is rounded"
UNIQUE_WHY = "weights sum to a power of two, so every formula rounds alike; only the largest cell can take the residual"
SUMS = (Invariant("emission.csv", "province_sums", 0, SUM_WHY),)


def shares(code: Sequence[int], weight: Sequence[float], area: Sequence[float], totals: Mapping[int, float]):
    """The column ``emission`` of allocate_cells."""
    answer: list[float | None] = [None] * len(code)
    for province, total in totals.items():
        at = [i for i, each in enumerate(code) if each == province]
        weighted = [Fraction(weight[i]) * Fraction(area[i]) for i in at]
        areas = [Fraction(area[i]) for i in at]
        for i, cell in zip(at, share_out(weighted, areas, total) if at else [], strict=True):
            answer[i] = cell
    return answer


def on_cells(
    name, title, code, weight, area, totals: Mapping[int, float], flags, how, cmp="rel", limit=1e-13, why=WHY, **changes
):
    """A case of allocate_cells; ``area`` may be one number."""
    area = list(area) if isinstance(area, (list, tuple)) else [area] * len(code)
    table = {"code": code, "emission": shares(code, weight, area, totals)}
    given = {
        "inputs": {
            "cells.csv": {"code": code, "weight": weight, "area_km2": area},
            "totals.csv": {"code": list(totals), "total": list(totals.values())},
        },
        "outputs": {"emission.csv": Output(table, cmp, limit, why)},
        "references": ("Eq. 3",),
        "invariants": SUMS,
    }
    key = {"stage": "allocation", "operation": "allocate_cells", "oracle": "fractions"}
    return Case(name, title, flags=flags, how=how, **{**key, **given, **changes})


def table_cases() -> list[Case]:
    """What Eq. 3 and D20, D21 mean."""
    hand = {"cmp": "exact", "limit": 0, "why": EXACT_WHY, "oracle": "hand"}
    fractions = "total x weight x area / sum in exact fractions, rounded once, residual to the largest"
    return [
        on_cells(
            "eq3-proportional-hand",
            "Weights 1 and 3 share 100",
            [11, 11],
            [1, 3],
            1.0,
            {11: 100.0},
            ("allocation-equal-shares",),
            "100 x 1/4 = 25, 100 x 3/4 = 75",
            **hand,
        ),
        on_cells(
            "eq3-weight-times-area",
            "One weight, areas 1, 2 and 5 km2",
            [11, 11, 11],
            [3, 3, 3],
            [1.0, 2.0, 5.0],
            {11: 64.0},
            ("allocation-area-forgotten", "allocation-divides-by-area"),
            "64 x 1/8 = 8, 64 x 2/8 = 16, 64 x 5/8 = 40",
            **hand,
        ),
        on_cells(
            "eq3-provinces-interleaved",
            "Cells of three provinces in no order",
            [42, 11, 42, 23, 11, 42],
            [1, 2, 4, 9, 6, 3],
            [1.0, 1.0, 0.5, 2.0, 1.0, 1.0],
            {11: 10.0, 23: 7.0, 42: 48.0},
            ("allocation-national-total", "allocation-rows-reordered"),
            "42: 1, 2, 3 of 6: 8, 16, 24; 11: 2, 6 of 8: 2.5, 7.5; 23 alone: 7",
            **hand,
        ),
        on_cells(
            "eq3-province-without-total",
            "Province 71 has cells and no total, 81 a total and no cells",
            [71, 11, 11, 71],
            [5, 1, 1, 2],
            1.0,
            {81: 9.0, 11: 3.0},
            ("allocation-no-total", "allocation-national-total"),
            "71: empty; 11: 1.5 each",
            references=("Eq. 3", "D20"),
            **hand,
        ),
        on_cells(
            "eq3-zero-weights",
            "All weights of province 54 are 0, not those of 11; areas are equal",
            [54, 11, 54, 11, 54, 54],
            [0, 0, 0, 2, 0, 0],
            0.25,
            {54: 12.0, 11: 5.0},
            ("allocation-zero-weights",),
            "54: 12/4 = 3 each; 11: 0 and 5",
            references=("Eq. 3", "D21"),
            **hand,
        ),
        on_cells(
            "eq3-residual-in-two-steps",
            "430.319 to 32 : 6: the largest cell is too coarse to take the last bit, the next one takes it",
            [11, 11],
            [8, 1],
            [4.0, 6.0],
            {11: 430.319},
            ("allocation-residual-one-cell",),
            fractions,
            references=("Eq. 3", "D22"),
        ),
        on_cells(
            "eq3-zero-weights-by-area",
            "All weights are 0, areas are 1, 2 and 5 km2: evenly over the area, not the same for each cell",
            [11, 11, 11],
            [0, 0, 0],
            [1.0, 2.0, 5.0],
            {11: 24.0},
            ("allocation-zero-weights-by-cell",),
            "24 x 1/8 = 3, 24 x 2/8 = 6, 24 x 5/8 = 15",
            references=("Eq. 3", "D21"),
            **hand,
        ),
        on_cells(
            "eq3-zero-total",
            "A province that emits nothing, with weights and without",
            [11, 11, 12, 12],
            [1.5, 2.5, 0, 0],
            1.0,
            {11: 0.0, 12: 0.0},
            ("allocation-no-total",),
            "0 times anything; not empty",
            **hand,
        ),
        on_cells(
            "eq3-province-of-one-cell",
            "One cell takes all, whatever its weight and area",
            [11, 12],
            [0.3, 7.7],
            [0.7, 0.1],
            {11: 0.1, 12: 123.456},
            ("allocation-divides-by-area", "allocation-residual-dropped"),
            "w / w = 1",
            references=("Eq. 3", "D22"),
            **hand,
        ),
        on_cells(
            "eq3-weights-of-all-sizes",
            "Weights from 1e-12 to 1e9 in one province, 1e-9 in the other",
            [1, 1, 1, 1, 2, 2, 2],
            [1e-12, 3.5e-4, 0.0, 1e9, 1e-9, 2.5e-9, 7e-9],
            0.25,
            {1: 5432.1, 2: 0.25},
            ("allocation-share-underflow",),
            fractions,
        ),
    ]


def residual_cases() -> list[Case]:
    """D22: the float64 sum is exact."""
    fractions = (
        "total x weight / sum in exact fractions, rounded once, residual to the largest; plain formulas miss the total"
    )
    random = rng("eq3-thousand-cells")
    thousand = random.integers(1, 4, 1000).astype(float).tolist()
    thousand[617] = 4.0
    tiny, big = [3.0, 13.0, 11.0], [1.0, 4.0, 2.0]
    odd = [2.0, 4.0, 8.0, 5.0]
    for weights, total in ((thousand, 23012.334), (tiny, 1e-300), (big, 1e15), (odd, 0.1), ([1.0] * 11, 0.1)):
        assert plain_formulas_miss(weights, total), f"{total} is kept without a residual"
    unique = {"cmp": "exact", "limit": 0, "why": UNIQUE_WHY}
    residual = {"references": ("Eq. 3", "D22")}
    return [
        on_cells(
            "eq3-residual-to-the-largest-up",
            "7.3 in parts of 64: the sum lacks an ulp",
            [11] * 4,
            [2, 42, 19, 1],
            1.0,
            {11: 7.3},
            ("allocation-residual-dropped", "allocation-residual-misplaced"),
            fractions,
            **unique,
            **residual,
        ),
        on_cells(
            "eq3-residual-to-the-largest-down",
            "0.1 in parts of 16: the sum is an ulp too large",
            [11] * 3,
            [1, 12, 3],
            1.0,
            {11: 0.1},
            ("allocation-residual-dropped", "allocation-residual-misplaced"),
            fractions,
            **unique,
            **residual,
        ),
        on_cells(
            "eq3-sum-of-a-tenth",
            "0.1 over four cells",
            [11] * 4,
            odd,
            1.0,
            {11: 0.1},
            ("allocation-residual-dropped",),
            fractions,
            **residual,
        ),
        on_cells(
            "eq3-totals-1e-300-and-1e15",
            "The smallest and the largest total",
            [1, 2, 1, 2, 1, 2],
            [value for pair in zip(tiny, big, strict=True) for value in pair],
            1.0,
            {1: 1e-300, 2: 1e15},
            ("allocation-residual-dropped", "allocation-share-underflow"),
            fractions,
            **residual,
        ),
        on_cells(
            "eq3-even-with-residual",
            "0.1 evenly over eleven cells of weight 0",
            [11] * 11,
            [0] * 11,
            1.0,
            {11: 0.1},
            ("allocation-zero-weights", "allocation-residual-dropped"),
            "0.1 / 11, and the residual on one of them",
            references=("Eq. 3", "D21", "D22"),
            cmp="ulp",
            limit=8,
            why="any of the equal cells may take the residual of some ulp",
        ),
        on_cells(
            "eq3-thousand-cells",
            "A thousand cells of weight 1, 2 or 3, and one of 4",
            [44] * 1000,
            thousand,
            0.25,
            {44: 23012.334},
            ("allocation-residual-dropped",),
            fractions,
            limit=1e-12,
            why=LARGEST_WHY,
            **residual,
        ),
    ]


def cases() -> list[Case]:
    """All of stage allocation."""
    return [*table_cases(), *residual_cases(), *valid_maps(), *invalid_tables(), *invalid_maps()]
