"""Rows of the SVR's kernel matrix for ``kernels.smo``: computed when they are needed, and kept while there is room.

``rows`` is one array of fixed length; slot s holds a row of ``size`` values at s * size.  ``slot_of`` (samples,) gives
the slot of a sample's row (-1: none).  ``owner`` and ``last_use`` (slots,) give the sample whose row a slot holds (-1:
none) and the step in which it was last used.  A full cache gives up the row that has not been used for longest.
"""

from __future__ import annotations

import numpy as np

from kernels.tools.compiled import inner, kernel
from kernels.tools.kernel_values import BLOCK, kernel_values
from kernels.tools.threads import run_parts, workers

ROW_PART_SAMPLES = 32 * BLOCK
"""Samples of a row that a thread takes at a time."""


@inner
def oldest_slot(slots, last_use):
    """An empty slot, else the one that has not been used for longest."""
    oldest = 0
    for slot in range(slots):
        if last_use[slot] < last_use[oldest]:
            oldest = slot
    return oldest


@kernel
def cached_row(sample, now, size, slots, shared, columns, code, gamma, degree, coef0, indices, rows, point, power):
    """The slot of the sample's row, which is computed if not kept; if ``shared``, -1 - slot: the caller fills it."""
    slot_of, owner, last_use = indices[0], indices[1], indices[2]
    slot = slot_of[sample]
    if slot >= 0:
        last_use[slot] = now
        return slot
    slot = oldest_slot(slots, last_use)
    if owner[slot] >= 0:
        slot_of[owner[slot]] = -1
    slot_of[sample], owner[slot], last_use[slot] = slot, sample, now
    for f in range(point.size):
        point[f] = columns[f, sample]
    if shared:
        return -1 - slot
    row = rows[slot * size : slot * size + size]
    for first in range(0, size, BLOCK):
        kernel_values(columns, first, point, code, gamma, degree, coef0, row[first : first + BLOCK], power)
    return slot


@kernel
def row_part(part, worker, row, columns, point, code, gamma, degree, coef0, power):
    """A part of one long row, for a thread."""
    for first in range(part * ROW_PART_SAMPLES, min((part + 1) * ROW_PART_SAMPLES, row.size), BLOCK):
        values = row[first : first + BLOCK]
        kernel_values(columns, first, point, code, gamma, degree, coef0, values, power[worker])


def fill_row(row, columns, point, kind):
    """One long row, its parts spread over threads."""
    parts = -(-row.size // ROW_PART_SAMPLES)
    run_parts(row_part, parts, row, columns, point, *kind, np.empty((workers(parts), BLOCK)))
