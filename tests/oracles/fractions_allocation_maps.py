"""Eq. 3 on maps, and emission per km2, in exact fractions; areas of geographic cells in 50-digit arithmetic (D03).

Their flags stand in ``fractions_allocation``.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from tests.oracles.exact_shares import SUM_WHY, WHY, share_out
from tests.oracles.fractions_zonal import GRID, NORTH_SOUTH, row_areas
from tests.oracles.suite import WGS84, Case, Invariant, Output, Tiff, rng


def on_raster(
    name, title, weights: Tiff, zones: np.ndarray, totals: Mapping[int, float], flags, how, limit=1e-13, **changes
):
    """A case of allocate."""
    valid = np.isfinite(weights.values) if weights.valid is None else weights.valid
    areas = row_areas(weights.transform, weights.values.shape[0], weights.crs)
    emission, mapped = np.zeros(zones.shape), np.zeros(zones.shape, bool)
    balance: dict[str, list] = {"code": [], "total": [], "cell_sum": [], "cells": []}
    for code, total in sorted(totals.items()):
        at = np.argwhere(valid & (zones == code))
        if not len(at):
            continue
        weighted = [Fraction(float(weights.values[i, j])) * areas[i] for i, j in at]
        cells = share_out(weighted, [areas[i] for i, _ in at], total)
        emission[tuple(at.T)], mapped[tuple(at.T)] = cells, True
        for column, value in zip(balance.values(), (code, total, total, len(at)), strict=True):
            column.append(value)
    given = {
        "inputs": {
            "weights.tif": weights,
            "zones.tif": Tiff(zones, weights.transform, weights.crs),
            "totals.csv": {"code": list(totals), "total": list(totals.values())},
        },
        "outputs": {
            "emission.tif": Output(Tiff(emission, weights.transform, weights.crs, mapped), "rel", limit, WHY),
            "balance.csv": Output(balance, "exact", 0, SUM_WHY),
        },
        "invariants": (Invariant("emission.tif", "province_sums", 0, SUM_WHY),),
    }
    key = {"stage": "allocation", "operation": "allocate", "oracle": "fractions", "references": ("Eq. 3", "D22")}
    return Case(name, title, flags=flags, how=how, **{**key, **given, **changes})


def raster_cases() -> list[Case]:
    """The same on maps."""
    fractions = "cell by cell in exact fractions; areas of geographic cells by eq. 3-12 in 50 digits"
    half = (500000.0, 4000000.0, 500.0, -500.0)
    weights = np.array([[1.0, 3.0, 100.0], [2.0, 4.0, 6.0]])
    seen = np.array([[True, True, False], [True, True, True]])
    zones = np.array([[11, 11, 11], [12, 0, 12]], np.int16)
    random = rng("allocate-float32-weights")
    single = np.round(random.lognormal(1, 1, (12, 20)), 3).astype(np.float32)
    blocks = np.repeat(np.repeat(np.array([[130100, 130200, 130300], [130100, 330100, 330100]], np.int32), 6, 0), 7, 1)[
        :, :20
    ]
    south = random.integers(1, 50, (18, 3)) / 2
    bands = np.repeat([[1, 1, 2], [3, 2, 2], [3, 3, 2]], 6, axis=0).astype(np.uint8)
    none = np.array([[0.0, 0.0, 5.0, 0.0], [0.0, 2.0, 0.0, 0.0]])
    some = np.array([[True, True, True, False], [True, True, True, True]])
    return [
        on_raster(
            "allocate-hand",
            "Two provinces, a cell without a weight, a cell outside",
            Tiff(weights, half, valid=seen, nodata=-9999.0),
            zones,
            {11: 100.0, 12: 2.0},
            ("allocation-nodata-weighs", "allocation-national-total"),
            "11: 25 and 75, the cell of 100 is invalid; 12: 2/8 x 2 = 0.5 and 1.5",
            oracle="hand",
        ),
        on_raster(
            "allocate-18-to-54-north",
            "Geographic cells of 1.5 by 2 degrees: shares go by weight x true area",
            Tiff(south, NORTH_SOUTH, WGS84),
            bands,
            {1: 23456.7, 2: 1800.5, 3: 999.25},
            ("allocation-area-forgotten", "allocation-divides-by-area"),
            fractions,
            limit=1e-12,
            references=("Eq. 3", "D03", "D22"),
        ),
        on_raster(
            "allocate-equal-weights-geographic",
            "One weight everywhere: every cell's emission goes by its area",
            Tiff(np.full((9, 1), 7.0), (90.0, 54.0, 1.0, -4.0), WGS84),
            np.full((9, 1), 65, np.uint8),
            {65: 36000.0},
            ("allocation-area-forgotten",),
            fractions,
            limit=1e-12,
            references=("Eq. 3", "D03"),
        ),
        on_raster(
            "allocate-zero-weights",
            "Province 54 has no weight: evenly over its valid cells, none for the invalid one",
            Tiff(none, half, valid=some),
            np.array([[54, 54, 11, 54], [54, 11, 54, 54]], np.int16),
            {54: 10.0, 11: 7.0},
            ("allocation-zero-weights", "allocation-nodata-weighs"),
            "54: 10/5 = 2 on five cells; 11: 5 and 2",
            oracle="hand",
            references=("Eq. 3", "D21"),
        ),
        on_raster(
            "allocate-zero-weights-geographic",
            "No weight in province 65, rows of 4 degrees from 54 N: one density, not one amount a cell",
            Tiff(np.zeros((9, 1)), (90.0, 54.0, 1.0, -4.0), WGS84),
            np.full((9, 1), 65, np.uint8),
            {65: 36000.0},
            ("allocation-zero-weights-by-cell",),
            fractions,
            limit=1e-12,
            references=("Eq. 3", "D03", "D21"),
        ),
        on_raster(
            "allocate-without-total-or-cells",
            "71 has no total: nodata; 46 no valid cell, 81 no cell: not in the balance",
            Tiff(weights, half, valid=seen),
            np.array([[71, 11, 46], [11, 71, 11]], np.int16),
            {81: 4.0, 46: 5.0, 11: 22.0},
            ("allocation-no-total", "allocation-balance-rows"),
            "11: 3, 2, 6 of 11: 6, 4, 12",
            oracle="hand",
            references=("Eq. 3", "D20"),
        ),
        on_raster(
            "allocate-residual",
            "0.1 in parts of 16 and 7.3 in parts of 64: plain sums miss both totals by an ulp",
            Tiff(np.array([[1.0, 2.0, 12.0, 42.0], [3.0, 19.0, 0.0, 1.0]]), GRID),
            np.array([[11, 12, 11, 12], [11, 12, 11, 12]], np.uint8),
            {11: 0.1, 12: 7.3},
            ("allocation-residual-dropped",),
            fractions,
        ),
        on_raster(
            "allocate-float32-weights",
            "Weights in float32, codes of prefectures, totals with many digits",
            Tiff(single, half),
            blocks,
            {130100: 8106.4327, 130200: 0.1, 130300: 27464.7219, 330100: 1e6 / 3},
            ("allocation-single-precision",),
            fractions,
        ),
    ]


def density(name, title, emission: Tiff, flags, how, limit=1e-14, **changes) -> Case:
    """A case of emission_density."""
    areas = row_areas(emission.transform, emission.values.shape[0], emission.crs)
    valid = np.isfinite(emission.values) if emission.valid is None else emission.valid
    values = [
        [float(Fraction(float(v)) * 10000 / area) for v in row]
        for row, area in zip(emission.values, areas, strict=True)
    ]
    why = "a product, a quotient and the cell area in float64"
    given = {
        "outputs": {
            "density.tif": Output(Tiff(np.array(values), emission.transform, emission.crs, valid), "rel", limit, why)
        }
    }
    key = {
        "stage": "allocation",
        "operation": "emission_density",
        "oracle": "fractions",
        "references": ("Eq. 3", "Fig. 3"),
    }
    return Case(name, title, flags=flags, how=how, inputs={"emission.tif": emission}, **{**key, **given, **changes})


def density_cases() -> list[Case]:
    """t CO2 per km2."""
    values = np.array([[1.0, 0.0, 3.5], [0.25, 8.0, 2.0]])
    some = np.array([[True, True, False], [False, True, True]])
    return [
        density(
            "density-hand",
            "Cells of 500 m by 250 m, a cell of 0 and two of nodata",
            Tiff(values, (0.0, 0.0, 500.0, -250.0), valid=some, nodata=-1.0),
            ("density-per-cell", "density-unit"),
            "1 x 10^4 t / 0.125 km2 = 80000 t/km2; so 0, 640000 and 160000",
            oracle="hand",
        ),
        density(
            "density-geographic",
            "Rows of 20 degrees: the same emission is denser in the north",
            Tiff(np.array([[2.0, 1.0], [2.0, 3.0], [2.0, 0.5]]), (80.0, 60.0, 2.0, -20.0), WGS84),
            ("density-per-cell", "density-unit"),
            "10^4 x emission / area, by eq. 3-12 in 50 digits",
            limit=1e-13,
            references=("Eq. 3", "D03"),
        ),
    ]


def valid_maps() -> list[Case]:
    """Eq. 3 and densities on maps."""
    return [*raster_cases(), *density_cases()]
