"""The zone of each cell, from polygons: the twin of ``refimpl.earth.zone_labels.label_cells``.

Zones are taken one after the other, in the order of their codes, and their borders are swept by
``kernels.tools.polygon_edges``.  Each cell remembers its largest share so far, the zone of that share, and the sum of
all shares.  By centre, an edge deposits whole cells instead of parts of them.
"""

from __future__ import annotations

import numpy as np

from kernels.tools.compiled import inner, kernel
from kernels.tools.polygon_edges import (
    ASTRAY,
    COVERAGE_NOISE,
    EDGES_PART_ROWS,
    deposit,
    deposit_centre,
    edges_by_part,
    held,
)
from kernels.tools.threads import run_parts


def label_cells(edges, first_row, rows, cols, by_area):
    labels = np.zeros((rows, cols), np.int64)
    listed, begins = edges_by_part(edges, first_row, rows)
    ends, signs, ranks = (np.ascontiguousarray(each) for each in edges[:3])
    astray = np.zeros((begins.size - 1, len(edges.codes)), bool)

    def label_part(part, worker):
        here = slice(part * EDGES_PART_ROWS, min((part + 1) * EDGES_PART_ROWS, rows))
        mine = listed[begins[part] : begins[part + 1]]
        label_rows(labels[here], first_row + here.start, mine, ends, signs, ranks, bool(by_area), astray[part])

    run_parts(label_part, begins.size - 1)
    return labels, astray.any(0)


@kernel
def label_rows(labels, first_row, listed, ends, signs, ranks, by_area, astray):
    """Fill ``labels`` (rows, cols); ``listed`` holds the edges that cross these rows, zone after zone."""
    rows, cols = labels.shape
    cover, area, touched = np.zeros(cols), np.zeros(cols), np.zeros(cols, np.bool_)
    met, best, every = np.empty(cols, np.int64), np.zeros(cols), np.zeros(cols)
    for r in range(rows):
        best[:], every[:] = 0.0, 0.0
        at = 0
        while at < listed.size:
            rank, n_met = ranks[listed[at]], 0
            while at < listed.size and ranks[listed[at]] == rank:
                edge, row = listed[at], first_row + r
                if by_area:
                    n_met = deposit(ends[edge], signs[edge], row, cover, area, touched, met, n_met)
                else:
                    n_met = deposit_centre(ends[edge], signs[edge], row, cover, area, touched, met, n_met)
                at += 1
            if n_met:
                met[:n_met].sort()
                if label_row(labels[r], rank + 1, cover, area, touched, met[:n_met], best, every):
                    astray[rank] = True
        for j in range(cols):
            if every[j] < 0.5 - COVERAGE_NOISE:
                labels[r, j] = 0


@inner
def label_row(labels, label, cover, area, touched, met, best, every):
    """Give a zone the cells of which it covers more than the zones before; whether a coverage is outside [0, 1]."""
    cols, at, carry, astray = labels.size, 0, 0.0, False
    for k in range(met.size + 1):
        j = met[k] if k < met.size else cols
        share = held(carry)
        astray |= j > at and abs(carry - 0.5) > 0.5 + ASTRAY
        if share > 0.0:
            for i in range(at, j):
                compare(labels, label, best, every, i, share)
        if j == cols:
            break
        coverage = carry + area[j]
        astray |= abs(coverage - 0.5) > 0.5 + ASTRAY
        compare(labels, label, best, every, j, held(coverage))
        carry += cover[j]
        cover[j], area[j], touched[j] = 0.0, 0.0, False
        at = j + 1
    return astray


@inner
def compare(labels, label, best, every, i, share):
    every[i] += share
    if share > best[i] + COVERAGE_NOISE:
        best[i], labels[i] = share, label
