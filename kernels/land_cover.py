"""Sums of emission by zone and land cover: twins of ``refimpl.method.land_cover`` and
``refimpl.evaluation.land_cover``.

One pass goes from run to run (``kernels.tools.zone_runs``), and the zone is that of the run.  Neighbouring cells mostly
share their land cover too, so one running sum is used until the class changes.  Sums are kept as pairs of doubles
(``kernels.tools.double_double``), in parts that are added in their order.
"""

from __future__ import annotations

import numpy as np

from kernels.tools.compiled import kernel
from kernels.tools.double_double import add_pair, add_pairs, two_sum
from kernels.tools.threads import run_parts
from kernels.tools.zone_runs import cells, number_of_parts, part_rows, real_type, zone_runs
from refimpl.method.land_cover import LAND_COVERS, seven_classes

IGBP_CLASSES = 18


def land_cover_sums(emission, valid, zones, igbp, known):
    codes, pairs = land_cover_pairs(emission, valid, zones, igbp, known)
    return codes, pairs[0]


def land_cover_pairs(emission, valid, zones, igbp, known):
    if not emission.shape == valid.shape == zones.shape == igbp.shape == known.shape:
        raise ValueError("emission, valid, zones, igbp and known must have one shape")
    parts, table = number_of_parts(zones.shape), seven_classes(np.arange(IGBP_CLASSES))
    found: list = [None] * parts

    def sum_part(part, worker):
        rows = part_rows(zones.shape, part)
        codes, ranks, ends = zone_runs(zones, rows)
        pairs, counts = np.zeros((2, codes.size, len(LAND_COVERS) + 1)), np.zeros(codes.size, np.int64)
        wrong = sum_classes(
            cells(emission, rows, real_type(emission.dtype)), cells(valid, rows), _classes(igbp, known, rows),
            cells(known, rows), table, ranks, ends, codes > 0, pairs, counts,
        )  # fmt: skip
        found[part] = wrong + rows.start * zones.shape[1] if wrong >= 0 else -1, codes, pairs, counts

    run_parts(sum_part, parts)
    for wrong in (part[0] for part in found if part[0] >= 0):
        seven_classes(np.array([igbp.flat[wrong]]))  # an InputError that names the class
    return _added(found)


def _classes(igbp, known, rows):
    """The classes of some rows, flat, as uint8 or int64; a class that is not known may have any value, even NaN."""
    if igbp.dtype.kind == "f":
        return np.where(known[rows], igbp[rows], 0).astype(np.int64).reshape(-1)
    return cells(igbp, rows, np.uint8 if igbp.dtype == np.uint8 else np.int64)


def _added(found):
    """The sums of all parts, added in their order, for the zones that have a valid cell."""
    codes = np.unique(np.concatenate([codes[counts > 0] for _, codes, _, counts in found] + [np.zeros(0, np.int64)]))
    pairs = np.zeros((2, codes.size, len(LAND_COVERS) + 1))
    for _, part_codes, (high, low), counts in found:
        at = np.searchsorted(codes, part_codes[counts > 0])
        pairs[:, at] = add_pairs(*pairs[:, at], high[counts > 0], low[counts > 0])
    return codes, pairs


@kernel
def sum_classes(values, valid, classes, known, table, ranks, ends, wanted, pairs, counts):
    """Add the valid cells of each run to ``pairs`` (2, k, 8) by rank and land cover; the place of a wrong class, or -1.

    values, valid, classes, known: (cells,); wanted: (k,); runs of ranks that are not wanted are passed over.
    """
    unknown = pairs.shape[2] - 1
    i = 0
    for run in range(ends.size):
        rank, stop = ranks[run], ends[run]
        if not wanted[rank]:
            i = stop
            continue
        present, upper, lower = unknown, 0.0, 0.0
        while i < stop:
            if valid[i]:
                at = unknown
                if known[i]:
                    code = np.int64(classes[i])
                    if code < 0 or code >= table.size:
                        return i
                    at = table[code]
                if at != present:
                    p, q = add_pair(pairs[0, rank, present], pairs[1, rank, present], upper, lower)
                    pairs[0, rank, present], pairs[1, rank, present] = p, q
                    present, upper, lower = at, 0.0, 0.0
                upper, rest = two_sum(upper, np.float64(values[i]))
                lower += rest
                counts[rank] += 1
            i += 1
        p, q = add_pair(pairs[0, rank, present], pairs[1, rank, present], upper, lower)
        pairs[0, rank, present], pairs[1, rank, present] = p, q
    return -1
