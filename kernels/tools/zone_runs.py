"""Runs: neighbouring cells of one row that lie in one zone, the base of all kernels that work by zone.

Idea: provinces are large patches, so a row crosses only a few of them, and the thousands of cells between two borders
share their zone.  A kernel that goes from run to run looks up the zone once for each run and not for each cell, and can
treat the cells between as a plain vector, 32 or 128 at a time.  A raster without any order has a run for each cell:
that is slower, and the result is right.

Rasters are cut into parts of whole rows, about half a million cells each.  Codes are ranked part by part, so memory
grows with the zones that a part holds and not with the size of a code (administrative codes have six digits).
"""

from __future__ import annotations

import numpy as np

from kernels.tools.compiled import kernel
from kernels.tools.work_memory import work_array

RUN_LANES = 32
"""Cells of a run that are compared, or added, at a time."""
LONG_STEP = 128
"""Cells that are compared at a time in a run that is long already."""
RUNS_PART_CELLS = 2**19
"""Cells of a part, about."""


def part_height(shape: tuple[int, int]) -> int:
    """Rows of one part, at least 1; they follow from the shape alone, never from the number of threads."""
    return max(1, RUNS_PART_CELLS // max(shape[1], 1))


def number_of_parts(shape: tuple[int, int]) -> int:
    """The number of parts of a raster; 0 if it has no cell."""
    return -(-shape[0] // part_height(shape)) if shape[1] else 0


def part_rows(shape: tuple[int, int], part: int) -> slice:
    """The rows of one part."""
    step = part_height(shape)
    return slice(part * step, min((part + 1) * step, shape[0]))


def cells(array, rows: slice, dtype=None):
    """The cells of some rows, flat and contiguous: a view where the array allows it, else a copy of these rows."""
    return np.ascontiguousarray(array[rows], dtype).reshape(-1)


def real_type(dtype) -> type:
    """The type in which values are worked on: float32 stays, everything else becomes float64."""
    return np.float32 if dtype == np.float32 else np.float64


def zone_runs(zones, rows: slice):
    """The runs of some rows of ``zones``, in order.

    Returns
    -------
    codes : (k,) int64, the codes that occur, ascending.
    ranks : (runs,) int64, the place of each run's code in ``codes``.
    ends : (runs,) int64, one past the last cell of each run, counted from the first cell of these rows.

    ``ranks`` and ``ends`` lie in this thread's work memory: the next call writes over them.
    """
    block = np.ascontiguousarray(zones[rows], np.uint8 if zones.dtype == np.uint8 else np.int64)
    ends, found = work_array("runs", (2, 2 * block.size)).view(np.int64)
    count = find_runs(block, ends, found)
    return *_ranked(found[:count]), ends[:count]


def ranks_in(codes, here):
    """The place of each code of ``here`` in the ascending ``codes``, -1 where it is not among them."""
    if not codes.size:
        return np.full(here.size, -1)
    at = np.minimum(np.searchsorted(codes, here), codes.size - 1)
    return np.where(codes[at] == here, at, -1)


def _ranked(found):
    """The distinct codes, ascending, and the place of each code among them (in the memory of ``found``)."""
    low, high = int(found.min()), int(found.max())
    if high - low > max(found.size, 255):
        return np.unique(found, return_inverse=True)
    table = np.zeros(high - low + 1, np.int64)
    rank_runs(found, low, table)
    return np.flatnonzero(np.diff(table, prepend=0)) + low, found


@kernel
def rank_runs(codes, low, table):
    """Replace each code by its rank; ``table``, zeros before, becomes the number of distinct codes up to low + k."""
    for run in range(codes.size):
        table[codes[run] - low] = 1
    for k in range(1, table.size):
        table[k] += table[k - 1]
    for run in range(codes.size):
        codes[run] = table[codes[run] - low] - 1


@kernel
def find_runs(zones, ends, codes):
    """Fill the end and the code of each run of ``zones`` (rows, cols); return the number of runs."""
    rows, cols = zones.shape
    count = 0
    for r in range(rows):
        row, c = zones[r], 0
        while c < cols:
            code = row[c]
            c += 1
            while c + RUN_LANES <= cols:
                ahead, others = row[c : c + RUN_LANES], np.uint8(0)
                for k in range(RUN_LANES):  # no early exit, so that it becomes vector code
                    others = np.uint8(others | np.uint8(ahead[k] != code))
                if others:
                    break
                c += RUN_LANES
                while c + LONG_STEP <= cols and row[c + LONG_STEP - 1] == code:
                    ahead, others = row[c : c + LONG_STEP], np.uint8(0)
                    for k in range(LONG_STEP):
                        others = np.uint8(others | np.uint8(ahead[k] != code))
                    if others:
                        break
                    c += LONG_STEP
            while c < cols and row[c] == code:
                c += 1
            ends[count], codes[count] = r * cols + c, code
            count += 1
    return count
