"""Shrinking for ``kernels.smo``: samples that no pair would take are put aside, and the arrays of the others close up.

Everything is done in place.  Samples, rows and the values of a row move only towards the front, in their order, so
nothing is overwritten before it is read.  The layout of ``rows`` and ``indices`` is that of ``kernel_matrix_rows``.
"""

from __future__ import annotations

import numpy as np

from kernels.tools.compiled import inner, kernel

WORTH = 0.9
"""Arrays close up only if at most this share of the samples stays."""


@kernel
def shrink(size, slots, top, bottom, beta, columns, vectors, indices, rows):
    """Put aside samples that no pair would take; return the number that stays.  beta (n,) keeps the others' values."""
    residual, up, low, samples = vectors[1], vectors[2], vectors[3], indices[3]
    kept, position, stays = np.empty(size, np.int64), np.empty(size, np.int64), 0
    for k in range(size):
        useless = residual[k] + up[k] < bottom and residual[k] + low[k] > top
        position[k] = -1 if useless else stays
        if not useless:
            kept[stays] = k
            stays += 1
    if stays > WORTH * size:
        return size
    for k in range(size):
        beta[samples[k]] = vectors[4, k]
    for c in range(stays):
        samples[c] = samples[kept[c]]
    for f in range(vectors.shape[0]):
        for c in range(stays):
            vectors[f, c] = vectors[f, kept[c]]
    for f in range(columns.shape[0]):
        for c in range(stays):
            columns[f, c] = columns[f, kept[c]]
    close_up_rows(kept[:stays], size, slots, position, indices, rows)
    return stays


@inner
def close_up_rows(kept, size, slots, position, indices, rows):
    """Keep, in place, the rows of samples that stay, and in each row the values of samples that stay: kept (new size,).

    ``position`` (size,) is a sample's new number, or -1 if it is put aside.
    """
    slot_of, owner, last_use = indices[0], indices[1], indices[2]
    for k in range(size):
        slot_of[k] = -1
    filled = 0
    for slot in range(slots):
        if owner[slot] >= 0 and position[owner[slot]] >= 0:
            for k in range(kept.size):
                rows[filled * kept.size + k] = rows[slot * size + kept[k]]
            sample = position[owner[slot]]
            slot_of[sample], owner[filled], last_use[filled] = filled, sample, last_use[slot]
            filled += 1
    for slot in range(filled, owner.size):
        owner[slot] = last_use[slot] = -1
