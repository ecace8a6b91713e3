"""Weights and shares of cells within provinces, for Eq. 3 by windows: twins of ``refimpl.windows.shares``.

Both passes go from run to run (``kernels.tools.zone_runs``), and along a run in stretches that stay in the processor's
first cache.  The cells of a stretch are written into a buffer, with 0 where they are not valid.  Plain loops over its
bits, which become vector code, find the largest cell, whether one is negative or not finite, and the exact sum
(``kernels.tools.superaccumulator``).  A stretch is searched for its largest cells only if its largest one exceeds the
fourth largest of its province.  Cells come in row-major order, so of equal ones the first stay.

Parts of some rows are worked on side by side.  Counts and sums are exact and largest cells have places, so the result
depends neither on the cut into parts nor on the number of threads.
"""

from __future__ import annotations

import numpy as np

from kernels.tools.compiled import kernel
from kernels.tools.superaccumulator import INFINITE, STRETCH, add_all, as_double, carry, largest_bits
from kernels.tools.threads import run_parts
from kernels.tools.zone_runs import cells, number_of_parts, part_rows, ranks_in, real_type, zone_runs
from refimpl.method.correction import RECEIVERS, refuse_wrong_weights
from refimpl.windows.exact_sums import DIGITS, carried
from refimpl.windows.shares import joined, nothing_weighed


def weigh_cells(weights, valid, zones, areas, codes, added, corner):
    areas, parts, cols = _checked(weights, valid, zones, areas), number_of_parts(zones.shape), zones.shape[1]
    added = np.append(added, 0.0)  # the last is for rank -1, no province
    found: list = [None] * parts

    def weigh_part(part, worker):
        rows = part_rows(zones.shape, part)
        here, ranks, ends = zone_runs(zones, rows)
        at = ranks_in(codes, here)
        count, digits, largest, _ = nothing_weighed(here.size)
        places = np.zeros((here.size, RECEIVERS), np.int64)
        wrong = weigh_runs(
            cells(weights, rows, real_type(weights.dtype)), cells(valid, rows), areas[rows], ranks, ends, at >= 0,
            added[at], count, digits, largest, places,
        )  # fmt: skip
        known, all_found = at >= 0, nothing_weighed(codes.size)
        where = np.stack([places // cols + rows.start + corner[0], places % cols + corner[1]], axis=-1)
        for total, part_found in zip(all_found, (count, digits, largest, where)):
            total[at[known]] = part_found[known]
        found[part] = wrong, all_found

    run_parts(weigh_part, parts)
    if any(wrong for wrong, _ in found):
        refuse_wrong_weights(weights, valid, areas, corner)
    return tuple(joined((weighed for _, weighed in found), codes.size))


def share_cells(weights, valid, zones, areas, codes, added, scales, factors):
    areas, parts = _checked(weights, valid, zones, areas), number_of_parts(zones.shape)
    columns = [np.append(column, 0.0) for column in (added, scales, factors)]
    emission, mapped = np.empty(zones.shape), np.empty(zones.shape, bool)
    found: list = [None] * parts

    def share_part(part, worker):
        rows = part_rows(zones.shape, part)
        here, ranks, ends = zone_runs(zones, rows)
        at = ranks_in(codes, here)
        digits = np.zeros((here.size, DIGITS), np.int64)
        share_runs(
            cells(weights, rows, real_type(weights.dtype)), cells(valid, rows), areas[rows], ranks, ends, at >= 0,
            *(column[at] for column in columns), emission[rows].reshape(-1), mapped[rows].reshape(-1), digits,
        )  # fmt: skip
        found[part] = at, digits

    run_parts(share_part, parts)
    sums = np.zeros((codes.size, DIGITS), np.int64)
    for at, digits in found:
        sums[at[at >= 0]] += digits[at >= 0]
    return emission, mapped, carried(sums)


def _checked(weights, valid, zones, areas):
    """The areas as float64, after a check of all shapes."""
    if not weights.shape == valid.shape == zones.shape or areas.shape != weights.shape[:1]:
        raise ValueError("weights, valid and zones must have one shape, and areas one number per row")
    return np.ascontiguousarray(areas, np.float64)


@kernel
def weigh_runs(values, valid, areas, ranks, ends, wanted, added, count, digits, largest, places):
    """Count, sum and largest cells of (value + added) x area by rank; True if a valid value may be wrong.

    values, valid: (rows x cols,); areas: (rows,); wanted, added: (k,).  Ranks that are not wanted are only searched for
    wrong values.  Filled are count (k,), digits (k, 68), largest (k, 4), which is -1 before, and places (k, 4), flat.
    """
    buffer, cols, wrong = np.empty(STRETCH), valid.size // areas.size, False
    i, row, row_end = 0, 0, cols
    for run in range(ends.size):
        if i == row_end:
            row, row_end = row + 1, row_end + cols
        stop, rank, area, more = ends[run], ranks[run], areas[row], added[ranks[run]]
        while i < stop:
            size, here = min(STRETCH, stop - i), 0
            x, known, cell = values[i : i + size], valid[i : i + size], buffer[:size]
            bits = cell.view(np.int64)
            for k in range(size):
                weighed = (np.float64(x[k]) + more) * area  # computed for every cell: no branch
                cell[k] = weighed if known[k] else 0.0
                here += known[k]
            most, together = largest_bits(bits)
            if together < 0 or most >= INFINITE:
                wrong = True
            elif wanted[rank] and here:
                count[rank] += here
                add_all(cell, bits, most, digits[rank])
                if as_double(most) > largest[rank, RECEIVERS - 1]:
                    keep_largest(cell, known, i, largest[rank], places[rank])
            i += size
    carry(digits)
    return wrong


@kernel
def keep_largest(cell, known, start, largest, places):
    """Put cells into the four largest, descending, after equal ones; ``start`` is the place of the first cell."""
    for k in range(cell.size):
        if known[k] and cell[k] > largest[RECEIVERS - 1]:
            at = RECEIVERS - 1
            while at > 0 and cell[k] > largest[at - 1]:
                largest[at], places[at] = largest[at - 1], places[at - 1]
                at -= 1
            largest[at], places[at] = cell[k], start + k


@kernel
def share_runs(values, valid, areas, ranks, ends, wanted, added, scales, factors, emission, mapped, digits):
    """Fill the cells of each run and add them to ``digits`` (k, 68); added, scales, factors: (k,)."""
    all_bits, cols = emission.view(np.int64), valid.size // areas.size
    i, row, row_end = 0, 0, cols
    for run in range(ends.size):
        if i == row_end:
            row, row_end = row + 1, row_end + cols
        stop, rank, area = ends[run], ranks[run], areas[row]
        if not wanted[rank]:
            emission[i:stop] = 0.0
            mapped[i:stop] = False
            i = stop
        more, scale, factor = added[rank], scales[rank], factors[rank]
        while i < stop:
            size = min(STRETCH, stop - i)
            x, known = values[i : i + size], valid[i : i + size]
            cell, there, bits = emission[i : i + size], mapped[i : i + size], all_bits[i : i + size]
            for k in range(size):
                share = (np.float64(x[k]) + more) * area * scale * factor
                cell[k] = share if known[k] else 0.0
                there[k] = known[k]
            most, _ = largest_bits(bits)
            if most:
                add_all(cell, bits, most, digits[rank])
            i += size
    carry(digits)
