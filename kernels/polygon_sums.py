"""Sums of a raster over zones from polygons: the twin of ``refimpl.earth.polygon_sums.polygon_sums``.

All cells of a row between two borders of a zone have the same coverage, nearly always 1.  They are summed as a run of
``kernels.zonal``, and the sum is multiplied by the coverage once; only cells that a border crosses are taken one by
one.  Every sum is a pair of doubles (``kernels.tools.double_double``).  Parts of some rows are summed side by side and
added in their order, so the result does not depend on the number of threads.
"""

from __future__ import annotations

import numpy as np

from kernels.tools.compiled import inner, kernel
from kernels.tools.double_double import add_pair, add_pairs, product, two_sum
from kernels.tools.polygon_edges import ASTRAY, EDGES_PART_ROWS, deposit, deposit_centre, edges_by_part, held
from kernels.tools.threads import run_parts
from kernels.tools.zone_runs import RUN_LANES, cells, real_type
from kernels.zonal import wide_run


def polygon_sums(values, valid, weights, edges, first_row, by_area):
    rows, zones, kind = values.shape[0], len(edges.codes), real_type(values.dtype)
    listed, begins = edges_by_part(edges, first_row, rows)
    ends, signs, ranks = (np.ascontiguousarray(each) for each in edges[:3])
    weights = np.ascontiguousarray(weights, np.float64)
    parts = begins.size - 1
    found: list = [None] * parts

    def sum_part(part, worker):
        here = slice(part * EDGES_PART_ROWS, min((part + 1) * EDGES_PART_ROWS, rows))
        pairs, counts, astray = np.zeros((4, zones)), np.zeros((2, zones), np.int64), np.zeros(zones, np.bool_)
        sum_edges(
            cells(values, here, kind), cells(valid, here), weights[here], first_row + here.start,
            listed[begins[part] : begins[part + 1]], ends, signs, ranks, bool(by_area), pairs, counts, astray,
        )  # fmt: skip
        found[part] = pairs, counts, astray

    run_parts(sum_part, parts)
    pairs, counts, astray = np.zeros((4, zones)), np.zeros((2, zones), np.int64), np.zeros(zones, bool)
    for part_pairs, part_counts, part_astray in found:
        counts += part_counts
        astray |= part_astray
        for k in (0, 2):
            pairs[k], pairs[k + 1] = add_pairs(pairs[k], pairs[k + 1], *part_pairs[k : k + 2])
    return pairs[:2], pairs[2:], counts, astray


@kernel
def sum_edges(values, valid, weights, first_row, listed, ends, signs, ranks, by_area, pairs, counts, astray):
    """Add the sums of the rows from ``first_row`` on; ``listed`` holds their edges, zone after zone.

    values, valid: (rows x cols,); weights: (rows,); pairs: (4, k), totals and areas; counts: (2, k); astray: (k,).
    """
    cols, at = valid.size // weights.size, 0
    cover, area, touched = np.zeros(cols), np.zeros(cols), np.zeros(cols, np.bool_)
    met, high, low = np.empty(cols, np.int64), np.zeros(RUN_LANES), np.zeros(RUN_LANES)
    while at < listed.size:
        rank, end = ranks[listed[at]], at
        while end < listed.size and ranks[listed[end]] == rank:
            end += 1
        for r in range(weights.size):
            n_met = 0
            for k in range(at, end):
                edge = listed[k]
                if by_area:
                    n_met = deposit(ends[edge], signs[edge], first_row + r, cover, area, touched, met, n_met)
                else:
                    n_met = deposit_centre(ends[edge], signs[edge], first_row + r, cover, area, touched, met, n_met)
            if n_met:
                met[:n_met].sort()
                row = slice(r * cols, (r + 1) * cols)
                sum_row(
                    values[row], valid[row], weights[r], cover, area, touched, met[:n_met], high, low,
                    rank, pairs, counts, astray,
                )  # fmt: skip
        at = end


@inner
def sum_row(values, valid, weight, cover, area, touched, met, high, low, rank, pairs, counts, astray):
    """Add a row of cells to the sums of one zone, and clear what its edges deposited."""
    cols, at, carry = values.size, 0, 0.0
    for k in range(met.size + 1):
        j = met[k] if k < met.size else cols
        share = held(carry)
        if j > at and share > 0.0:
            counts[1, rank] += j - at
            upper, lower, count = 0.0, 0.0, 0
            if j - at >= RUN_LANES:
                upper, lower, count = wide_run(values, valid, at, j, weight, high, low)
            else:
                for i in range(at, j):
                    if valid[i]:
                        upper, rest = two_sum(upper, np.float64(values[i]) * weight)
                        lower += rest
                        count += 1
            if count:
                add_terms(pairs, rank, upper * share, lower * share)
                wide, rest = product(count, weight)
                add_areas(pairs, rank, wide * share, rest * share)
                counts[0, rank] += count
        if j > at and abs(carry - 0.5) > 0.5 + ASTRAY:
            astray[rank] = True
        if j == cols:
            break
        coverage = carry + area[j]
        if abs(coverage - 0.5) > 0.5 + ASTRAY:
            astray[rank] = True
        share = held(coverage)
        if share > 0.0:
            counts[1, rank] += 1
            if valid[j]:
                add_terms(pairs, rank, np.float64(values[j]) * weight * share, 0.0)
                add_areas(pairs, rank, weight * share, 0.0)
                counts[0, rank] += 1
        carry += cover[j]
        cover[j], area[j], touched[j] = 0.0, 0.0, False
        at = j + 1


@inner
def add_terms(pairs, rank, high, low):
    pairs[0, rank], pairs[1, rank] = add_pair(pairs[0, rank], pairs[1, rank], high, low)


@inner
def add_areas(pairs, rank, high, low):
    pairs[2, rank], pairs[3, rank] = add_pair(pairs[2, rank], pairs[3, rank], high, low)
