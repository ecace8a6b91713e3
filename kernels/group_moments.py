"""Moments of two maps in groups of cells: the twin of ``refimpl.evaluation.moments.group_moments``.

Two passes over a part of some rows go from run to run (``kernels.tools.zone_runs``).  The first adds up both maps of
each group as pairs of doubles (``kernels.tools.double_double``), which give the mean to 100 bits.  The second adds
products of deviations from that mean: up to 128 cells plainly, and these sums with compensation.  Parts are joined in
their order by the reference's own update, so the result does not depend on the number of threads.
"""

from __future__ import annotations

import numpy as np

from kernels.tools.compiled import kernel
from kernels.tools.double_double import add, product, two_sum
from kernels.tools.threads import run_parts
from kernels.tools.zone_runs import cells, number_of_parts, part_rows, real_type, zone_runs
from refimpl.evaluation.moments import FIELDS, Moments, total_of

AT_ONCE = 128


def group_moments(observed, estimated, inside, groups):
    if not observed.shape == estimated.shape == inside.shape == groups.shape:
        raise ValueError("observed, estimated, inside and groups must have one shape")
    parts = number_of_parts(groups.shape)
    found: list = [None] * parts

    def sum_part(part, worker):
        rows = part_rows(groups.shape, part)
        codes, ranks, ends = zone_runs(groups, rows)
        maps = (cells(each, rows, real_type(each.dtype)) for each in (observed, estimated))
        counts, (fields, rests) = np.zeros(codes.size, np.int64), (np.zeros((n, codes.size)) for n in (len(FIELDS), 5))
        sum_products(*maps, cells(inside, rows), ranks, ends, codes > 0, counts, fields, rests)
        met = counts > 0
        found[part] = Moments(codes[met].astype(np.int64), counts[met], fields[:, met])

    run_parts(sum_part, parts)
    total = total_of(found)
    return total.codes, total.counts, total.fields


@kernel
def sum_products(observed, estimated, inside, ranks, ends, wanted, counts, fields, rests):
    """Fill counts (k,) and fields (9, k) of each rank; both are zeros before, and so is the work memory rests (5, k).

    observed, estimated, inside: (cells,); wanted: (k,); runs of ranks that are not wanted are passed over.
    """
    i = 0
    for run in range(ends.size):
        rank, stop = ranks[run], ends[run]
        if wanted[rank]:
            for k in range(i, stop):
                if inside[k]:
                    add(fields[0], fields[1], rank, np.float64(observed[k]))
                    add(fields[2], fields[3], rank, np.float64(estimated[k]))
                    counts[rank] += 1
        i = stop
    for rank in range(counts.size):
        for at in (0, 2):
            total, rest = two_sum(fields[at, rank], fields[at + 1, rank])
            if counts[rank]:
                mean = total / counts[rank]
                high, low = product(counts[rank], mean)
                mean, rest = two_sum(mean, ((total - high) - low + rest) / counts[rank])
                fields[at, rank], fields[at + 1, rank] = mean, rest
    i = 0
    for run in range(ends.size):
        rank, stop = ranks[run], ends[run]
        while wanted[rank] and i < stop:
            oo, ee, oe, absolute, squared = 0.0, 0.0, 0.0, 0.0, 0.0
            mean_o, rest_o, mean_e, rest_e = fields[0, rank], fields[1, rank], fields[2, rank], fields[3, rank]
            last = min(i + AT_ONCE, stop)
            for k in range(i, last):
                if inside[k]:
                    o, e = np.float64(observed[k]), np.float64(estimated[k])
                    from_o, from_e, error = o - mean_o - rest_o, e - mean_e - rest_e, o - e
                    oo += from_o * from_o
                    ee += from_e * from_e
                    oe += from_o * from_e
                    absolute += abs(error)
                    squared += error * error
            i = last
            add(fields[4], rests[0], rank, oo)
            add(fields[5], rests[1], rank, ee)
            add(fields[6], rests[2], rank, oe)
            add(fields[7], rests[3], rank, absolute)
            add(fields[8], rests[4], rank, squared)
        i = stop
    fields[4:] += rests
