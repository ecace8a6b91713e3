"""Kernel of refimpl/allocation.py.

Idea: two passes from run to run (``kernels.zone_runs``): one weighs the provinces, one writes their cells; nothing of
the size of the map is made but the answer.  Sums are kept as pairs of doubles (``kernels.pairs``), in parts that are
added in their order: any number of threads gives the same bytes.  Along a run they lie in 32 lanes, which take blocks
of 128 cells: four cells are added up in registers before a lane is touched.  The last block is filled up with zeros.

The weighing pass rounds these sums of four, and their product with the area: CW_n may be off by 3 u, u = 2^-53, before
its own rounding.  That moves the factor E_n / CW_n, no more than another rounding would, and D22 makes up for it.

Why the written cells sum exactly to the statistic (D22), without an exact sum over a hundred million numbers:

- The second pass sums what it writes.  No term is negative.  Let S be their exact sum.  Along a run, a lane takes at
  most g = cols / 128 + 1 groups of four terms, and keeps the errors of the four additions of each: below 2 u of the
  group for the three within it, u S for the one onto the high part.  The high part loses nothing, the low part gathers
  at most (g + 2) u S, and the g times four roundings of low parts are off by at most (g + 2)^2 u^2 S, which is below
  2^-77 S for 2^21 columns.  Folding 32 lanes, two roundings each, adds less than 34 (g + 33) u^2 S < 2^-86 S; a run of
  fewer than 32 cells has 31 roundings of 31 u S at most instead.  Each of 2^29 runs at most, parts included, adds
  6 u^2 S (``add_pair``), less than 2^-74.3 S, and its own gathered low part, below (g + 35) u of its sum, adds three
  times that times u: < 2^-90 S for all runs.
  Together the pair is off by less than 2^-73 S.  S is the statistic but for a few roundings; ERROR, a share of the
  statistic, is eight times that.
- The pair is then a fraction.  If the fraction less the bound and the fraction plus the bound round to the same double,
  so does S, which lies between them: rounding never turns the order of two numbers.
- The largest cell takes the statistic less the fraction, rounded once; the change of that cell is known exactly, and so
  is the fraction's.  If its rounding is now the statistic, the sum is proved.
- If the two ends round differently (S lies within 2^-70 of the middle of two doubles, which is rare in a large province
  and cheap in a small one), or one cell was not enough, the province goes the reference's way, with ``math.fsum``.  So
  does one whose weights are all 0 (D21), or whose weights or total are so large or small that scaling them could
  overflow or lose digits.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from kernels.compiled import inner, kernel
from kernels.pairs import add, add_pair, add_pairs, two_sum
from kernels.threads import run_parts
from kernels.zone_runs import LANES, cells, number_of_parts, part_rows, ranks_in, real_type, zone_runs
from refimpl.allocation import evenly_where_zero, refuse_wrong_totals, refuse_wrong_weights, settled, share_out

ERROR = Fraction(1, 2**70)
MOST_COLUMNS, MOST_CELLS = 2**21, 2**29
PLAIN = 2.0**-200, 2.0**200
BLOCK = 4 * LANES
"""Cells that go into the lanes in one step; a number of them fits into a byte."""


def allocate_cells(weights, valid, zones, areas, codes, totals):
    if not weights.shape == valid.shape == zones.shape or areas.shape != weights.shape[:1]:
        raise ValueError("weights, valid and zones must have one shape, and areas one number per row")
    areas, totals = np.ascontiguousarray(areas, np.float64), np.asarray(totals, np.float64)
    codes = np.asarray(codes, np.int64)
    refuse_wrong_totals(codes.tolist(), totals.tolist())
    runs: list = [None] * number_of_parts(zones.shape)
    count, largest, place, weight = _weigh(weights, valid, zones, areas, codes, runs)
    with np.errstate(all="ignore"):  # what overflows here goes the reference's way below
        factors = np.where(largest > 0, totals / np.where(largest > 0, weight, 1.0), 0.0)
    emission, mapped = np.empty(zones.shape), np.empty(zones.shape, bool)
    written = _write(weights, valid, zones, areas, codes, runs, factors, emission, mapped)
    sums = totals.copy()
    for k in np.flatnonzero(count):
        plain = _plain(largest[k], totals[k], zones.shape)
        if not (plain and _settled_by_one_cell(emission, place[k], totals[k], *written[:, k])):
            sums[k] = _by_the_reference(weights, valid, zones, areas, codes[k], totals[k], plain, emission)
    return emission, mapped, count, np.where(count > 0, sums, 0.0), largest


def _plain(largest, total, shape) -> bool:
    """Whether the bounds of this file hold for a province, and no product of the second pass can overflow."""
    few = shape[1] <= MOST_COLUMNS and shape[0] * shape[1] <= MOST_CELLS
    return few and PLAIN[0] <= largest <= PLAIN[1] and (total == 0 or PLAIN[0] <= total <= PLAIN[1])


def _settled_by_one_cell(emission, place, total, high, low) -> bool:
    """Give the cell ``place`` what is missing to ``total`` (D22); whether the sum is proved to round to ``total``."""
    total, exact = float(total), Fraction(float(high)) + Fraction(float(low))
    bound = Fraction(total) * ERROR
    if float(exact - bound) == float(exact + bound) == total:
        return True
    before = float(emission.flat[place])
    after = before + float(Fraction(total) - exact)
    exact += Fraction(after) - Fraction(before)
    if not float(exact - bound) == float(exact + bound) == total:
        return False
    emission.flat[place] = after
    return True


def _by_the_reference(weights, valid, zones, areas, code, total, plain, emission) -> float:
    """Settle one province as the reference does; the exact sum of its cells, rounded once."""
    inside = (zones == code) & valid
    cell_areas = areas[np.nonzero(inside)[0]]
    density = evenly_where_zero(weights[inside].astype(float) * cell_areas, cell_areas)
    found = settled(emission[inside], density, float(total)) if plain else share_out(density, float(total))
    emission[inside] = found
    return math.fsum(found.tolist())


def _weigh(weights, valid, zones, areas, codes, runs):
    """The first pass: number of cells, largest weight (-1 for no cell), its first place, and sum; arrays (k,).

    ``runs`` keeps what the second pass would have to find again, for parts where that is short.
    """
    parts, cols = len(runs), zones.shape[1]
    found: list = [None] * parts

    def weigh_part(part, worker):
        rows = part_rows(zones.shape, part)
        here, ranks, ends = zone_runs(zones, rows)
        at = ranks_in(codes, here)
        pairs, numbers = np.zeros((2, here.size)), np.zeros((2, here.size), np.int64)
        largest = np.full(here.size, -1.0)
        values = cells(weights, rows, real_type(weights.dtype))
        runs[part] = (here, ranks.copy(), ends.copy()) if LANES * ends.size < values.size else None
        wrong = weigh_runs(values, cells(valid, rows), areas[rows], ranks, ends, at >= 0, pairs, numbers, largest)
        numbers[1] += rows.start * cols
        found[part] = wrong, at, pairs, numbers, largest

    run_parts(weigh_part, parts)
    if any(part[0] for part in found):
        refuse_wrong_weights(weights, valid)
    count, largest, place = np.zeros(codes.size, np.int64), np.full(codes.size, -1.0), np.zeros(codes.size, np.int64)
    for _, at, _, numbers, most in found:
        known = at >= 0
        at, numbers, most = at[known], numbers[:, known], most[known]
        larger = most > largest[at]
        count[at] += numbers[0]
        largest[at[larger]], place[at[larger]] = most[larger], numbers[1][larger]
    return count, largest, place, _added(codes.size, ((at, pairs) for _, at, pairs, _, _ in found))[0]


def _write(weights, valid, zones, areas, codes, runs, factors, emission, mapped):
    """The second pass: ``emission`` and ``mapped`` are filled; the sums of what was written as pairs (2, k)."""
    parts, kind = len(runs), real_type(weights.dtype)
    found: list = [None] * parts
    factors = np.append(factors, 0.0)  # rank -1, no province, finds the last

    def write_part(part, worker):
        rows = part_rows(zones.shape, part)
        here, ranks, ends = runs[part] or zone_runs(zones, rows)
        at = ranks_in(codes, here)
        pairs = np.zeros((2, here.size))
        write_runs(
            cells(weights, rows, kind), cells(valid, rows), areas[rows], ranks, ends, at >= 0, factors[at],
            emission[rows].reshape(-1), mapped[rows].reshape(-1), pairs,
        )  # fmt: skip
        found[part] = at, pairs

    run_parts(write_part, parts)
    return _added(codes.size, found)


def _added(size, found):
    """The pairs of all parts, (ranks, pairs), added in their order."""
    pairs = np.zeros((2, size))
    for at, (x, y) in found:
        known = at >= 0
        at = at[known]
        pairs[:, at] = add_pairs(*pairs[:, at], x[known], y[known])
    return pairs


@inner
def larger(x, y):
    return x if x > y else y


@inner
def smaller(x, y):
    return x if x < y else y


@inner
def weigh_block(x, area, high, low, most, least):
    """Take BLOCK values into the lanes, four of them at a time."""
    zero = x.dtype.type(0)
    for k in range(LANES):
        left = np.float64(x[k]) + np.float64(x[k + LANES])
        right = np.float64(x[k + 2 * LANES]) + np.float64(x[k + 3 * LANES])
        add(high, low, k, (left + right) * area)
    for k in range(LANES):
        # The zero that is added keeps LLVM from storing only where the value changes, which no vector does fast.
        left, right = larger(x[k], x[k + LANES]), larger(x[k + 2 * LANES], x[k + 3 * LANES])
        most[k] = larger(larger(left, right), most[k]) + zero
        left, right = smaller(x[k], x[k + LANES]), smaller(x[k + 2 * LANES], x[k + 3 * LANES])
        least[k] = smaller(smaller(left, right), least[k]) + zero


@inner
def add_block(cell, high, low):
    """Add BLOCK cells to the pairs of the lanes, four of them at a time; nothing but low parts is rounded."""
    for k in range(LANES):
        left, one = two_sum(cell[k], cell[k + LANES])
        right, two = two_sum(cell[k + 2 * LANES], cell[k + 3 * LANES])
        term, three = two_sum(left, right)
        high[k], four = two_sum(high[k], term)
        low[k] += (one + two) + (three + four)


@inner
def fold(high, low):
    """The sum of the pairs of all lanes, which become 0, as a pair."""
    upper, lower = 0.0, 0.0
    for k in range(LANES):
        upper, rest = two_sum(upper, high[k])
        lower += rest + low[k]
        high[k], low[k] = 0.0, 0.0
    return upper, lower


@kernel
def weigh_runs(values, valid, areas, ranks, ends, wanted, pairs, numbers, largest):
    """Sum, number, largest and place of the largest of value x area, by rank; True if a value may be wrong.

    values, valid: (rows x cols,); areas: (rows,); wanted: (k,), the other ranks are only looked at for wrong values.
    pairs (2, k), numbers (2, k): count and place, largest (k,) are filled.
    """
    high, low = np.zeros(LANES), np.zeros(LANES)
    most, least, zero = np.zeros(LANES, values.dtype), np.zeros(LANES, values.dtype), values.dtype.type(0)
    block = np.zeros(BLOCK, values.dtype)
    first, last = np.zeros(largest.size, np.int64), np.zeros(largest.size, np.int64)
    cols, wrong = valid.size // areas.size, False
    i, row, row_end = 0, 0, cols
    for run in range(ends.size):
        if i == row_end:
            row, row_end = row + 1, row_end + cols
        start, stop, rank, area = i, ends[run], ranks[run], areas[row]
        count, upper, lower, top = 0, 0.0, 0.0, -1.0
        while i < stop and stop - start < LANES:  # a short run
            if valid[i]:
                upper, rest = two_sum(upper, np.float64(values[i]) * area)
                lower += rest
                count += 1
                top = max(top, np.float64(values[i]) * area)
                wrong |= values[i] < 0
            i += 1
        while i < stop:
            size, here = min(BLOCK, stop - i), np.uint8(0)
            x, known = values[i : i + size], valid[i : i + size]
            if size == BLOCK:  # the loop below with a number that is known beforehand: faster code
                for k in range(BLOCK):
                    here = np.uint8(here + np.uint8(known[k]))
            else:
                for k in range(size):
                    here = np.uint8(here + np.uint8(known[k]))
            if here == BLOCK:
                weigh_block(x, area, high, low, most, least)
            elif here:
                for k in range(size):
                    value = x[k]  # read in any case: no branch
                    block[k] = value if known[k] else zero
                for k in range(size, BLOCK):
                    block[k] = zero
                weigh_block(block, area, high, low, most, least)
            count += here
            i += size
        if stop - start >= LANES:
            upper, lower = fold(high, low)
            for k in range(LANES):
                top = max(top, most[k] * area if count else -1.0)
                wrong |= least[k] < 0
                most[k], least[k] = 0, 0
        wrong |= not upper < np.inf  # nan as well
        if wanted[rank]:
            pairs[0, rank], pairs[1, rank] = add_pair(pairs[0, rank], pairs[1, rank], upper, lower)
            numbers[0, rank] += count
            if top > largest[rank]:
                largest[rank], first[rank], last[rank] = top, start, stop
    for rank in range(largest.size):
        for i in range(first[rank], last[rank]):
            if valid[i] and np.float64(values[i]) * areas[i // cols] == largest[rank]:
                numbers[1, rank] = i
                break
    return wrong


@kernel
def write_runs(values, valid, areas, ranks, ends, wanted, factors, emission, mapped, pairs):
    """Fill the cells of each run and add them to ``pairs`` (2, k); factors: (k,), the rest as ``weigh_runs``."""
    high, low, block = np.zeros(LANES), np.zeros(LANES), np.zeros(BLOCK)
    cols = valid.size // areas.size
    i, row, row_end = 0, 0, cols
    for run in range(ends.size):
        if i == row_end:
            row, row_end = row + 1, row_end + cols
        start, stop, rank, area = i, ends[run], ranks[run], areas[row]
        if not wanted[rank]:
            emission[start:stop] = 0.0
            mapped[start:stop] = False
            i = stop
            continue
        factor, upper, lower = factors[rank], 0.0, 0.0
        x, known, cell, there, full = values[i:stop], valid[i:stop], emission[i:stop], mapped[i:stop], np.uint8(1)
        for k in range(x.size):
            there[k] = known[k]
            full = np.uint8(full & np.uint8(known[k]))
        if full:
            for k in range(x.size):
                cell[k] = x[k] * area * factor
        else:
            for k in range(x.size):
                cell[k] = x[k] * area * factor if known[k] else 0.0
        if cell.size < LANES:
            for k in range(cell.size):
                upper, rest = two_sum(upper, cell[k])
                lower += rest
        else:
            while i + BLOCK <= stop:
                add_block(emission[i : i + BLOCK], high, low)
                i += BLOCK
            rest_of_run = emission[i:stop]
            for k in range(rest_of_run.size):
                block[k] = rest_of_run[k]
            for k in range(rest_of_run.size, BLOCK):
                block[k] = 0.0
            add_block(block, high, low)
            upper, lower = fold(high, low)
        i = stop
        pairs[0, rank], pairs[1, rank] = add_pair(pairs[0, rank], pairs[1, rank], upper, lower)
