"""Sums of a raster by zone: twins of ``refimpl.method.province_totals`` and
``refimpl.windows.zonal_pairs``.

One pass goes from run to run (``kernels.tools.zone_runs``).  Along a run, 32 cells at a time go into 32 running sums,
each an unevaluated pair (high, low) of doubles.  Every addition keeps its rounding error
(``kernels.tools.double_double``), so the result is the exact sum except for the last bit.  Such a step has no branch
and becomes vector code; of 32 cells without a valid one no value is read.  At the end of a run its 32 pairs are folded
into the pair of its zone.  Parts of some rows are summed side by side and added in their order, so the result does not
depend on the number of threads.
"""

from __future__ import annotations

import numpy as np

from kernels.tools.compiled import inner, kernel
from kernels.tools.double_double import add, add_pair, add_pairs, product, two_sum
from kernels.tools.threads import run_parts
from kernels.tools.zone_runs import RUN_LANES, cells, number_of_parts, part_rows, real_type, zone_runs


def zonal_sums(values, valid, zones, weights):
    codes, totals, areas, counts = zonal_pairs(values, valid, zones, weights)
    return codes, totals[0], areas[0], counts


def zonal_pairs(values, valid, zones, weights):
    if not values.shape == valid.shape == zones.shape or weights.shape != values.shape[:1]:
        raise ValueError("values, valid and zones must have one shape, and weights one number per row")
    parts, kind = number_of_parts(zones.shape), real_type(values.dtype)
    weights = np.ascontiguousarray(weights, np.float64)
    found: list = [None] * parts

    def sum_part(part, worker):
        rows = part_rows(zones.shape, part)
        codes, ranks, ends = zone_runs(zones, rows)
        pairs, counts = np.zeros((4, codes.size)), np.zeros(codes.size, np.int64)
        outside = int(np.searchsorted(codes, 0)) if 0 in codes else -1
        sum_runs(cells(values, rows, kind), cells(valid, rows), weights[rows], ranks, ends, outside, pairs, counts)
        found[part] = codes, pairs, counts

    run_parts(sum_part, parts)
    return _added(found)


def _added(found):
    """The sums of all parts, added in their order; code 0 is left out."""
    codes = np.unique(np.concatenate([codes for codes, _, _ in found] + [np.zeros(1, np.int64)]))
    if codes[0] < 0:
        raise ValueError(f"zone code {codes[0]}, expected codes from 0 up")
    pairs, counts = np.zeros((4, codes.size)), np.zeros(codes.size, np.int64)
    for part_codes, part_pairs, part_counts in found:
        at = np.searchsorted(codes, part_codes)
        counts[at] += part_counts
        for k in (0, 2):
            pairs[k][at], pairs[k + 1][at] = add_pairs(pairs[k][at], pairs[k + 1][at], *part_pairs[k : k + 2])
    return codes[1:], pairs[:2, 1:], pairs[2:, 1:], counts[1:]


@inner
def wide_run(values, valid, i, stop, weight, high, low):
    """The sum of value x weight over the valid cells from i to stop, RUN_LANES cells or more, as a pair; their number.

    high, low: (RUN_LANES,) work memory: zeros before, and zeros again afterwards.
    """
    count, upper, lower = 0, 0.0, 0.0
    while i + RUN_LANES <= stop:
        x, known, here = values[i : i + RUN_LANES], valid[i : i + RUN_LANES], np.uint8(0)
        for k in range(RUN_LANES):
            here = np.uint8(here + np.uint8(known[k]))
        if here == RUN_LANES:
            for k in range(RUN_LANES):
                add(high, low, k, x[k] * weight)
        elif here:
            for k in range(RUN_LANES):
                add(high, low, k, x[k] * weight if known[k] else 0.0)
        count += here
        i += RUN_LANES
    while i < stop:
        if valid[i]:
            upper, rest = two_sum(upper, np.float64(values[i]) * weight)
            lower += rest
            count += 1
        i += 1
    for k in range(RUN_LANES):
        upper, rest = two_sum(upper, high[k])
        lower += rest + low[k]
        high[k], low[k] = 0.0, 0.0
    return upper, lower, count


@kernel
def sum_runs(values, valid, weights, ranks, ends, outside, pairs, counts):
    """Add value x weight and weight of the valid cells of each run to ``pairs`` (4, k), and their number to ``counts``.

    values, valid: (rows x cols,); weights: (rows,); runs of rank ``outside`` are passed over.
    """
    high, low = np.zeros(RUN_LANES), np.zeros(RUN_LANES)
    in_row, met, n_met = np.zeros(counts.size, np.int64), np.empty(counts.size, np.int64), 0
    cols = valid.size // weights.size
    i, row, row_end = 0, 0, cols
    for run in range(ends.size):
        stop, rank, weight = ends[run], ranks[run], weights[row]
        if rank != outside:
            count = 0
            if stop - i >= RUN_LANES:
                upper, lower, count = wide_run(values, valid, i, stop, weight, high, low)
                pairs[0, rank], pairs[1, rank] = add_pair(pairs[0, rank], pairs[1, rank], upper, lower)
                i = stop
            while i < stop:  # a short run is added to the pair of its zone directly
                if valid[i]:
                    pairs[0, rank], rest = two_sum(pairs[0, rank], np.float64(values[i]) * weight)
                    pairs[1, rank] += rest
                    count += 1
                i += 1
            if count and not in_row[rank]:
                met[n_met] = rank
                n_met += 1
            in_row[rank] += count
        i = stop
        if stop == row_end:  # the end of a row: each zone adds its cells of this row times their weight
            for n in range(n_met):
                rank = met[n]
                area, rest = product(in_row[rank], weight)
                pairs[2, rank], pairs[3, rank] = add_pair(pairs[2, rank], pairs[3, rank], area, rest)
                counts[rank] += in_row[rank]
                in_row[rank] = 0
            n_met, row, row_end = 0, row + 1, row_end + cols
