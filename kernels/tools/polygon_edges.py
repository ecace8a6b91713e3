"""Edges of polygons deposited into the cells of a row, for ``kernels.polygon_sums`` and ``kernels.zone_labels``.

Idea: the sweep of anti-aliased rendering.  An edge that crosses a row leaves two numbers in each cell that it passes:
its height there (``cover``, which counts for all cells to the right) and the part of the cell to its right (``area``).
One pass along the row, from one touched cell to the next, sums the covers.  The coverage of a touched cell is the sum
so far plus its area; the coverage of all cells between two touched ones is the sum itself.  So the cost of a row
depends on the borders that it meets and not on its length.  Heights are measured from the upper end of each edge, which
both neighbours share, so what one zone gains the other loses to the last bit.

Edges are listed by the parts of EDGES_PART_ROWS rows that they cross (``edges_by_part``), so a part looks at few edges
of others.
"""

from __future__ import annotations

import numpy as np

from kernels.tools.compiled import inner

EDGES_PART_ROWS = 16
"""Rows of a part for a thread."""
COVERAGE_NOISE = 1e-12
"""A coverage this near to 0 or 1 is taken for that; two shares this near are equal."""
ASTRAY = 1e-6
"""A coverage farther than this outside [0, 1] shows polygons that overlap or cross themselves."""


def edges_by_part(edges, first_row: int, rows: int):
    """Which edges cross each part of EDGES_PART_ROWS rows.

    Returns
    -------
    listed : (m,) int64, places in ``edges.ends``, part after part, within a part in their order.
    begins : (parts + 1,) int64, where each part begins in ``listed``.
    """
    parts = -(-rows // EDGES_PART_ROWS)
    top, bottom = edges.ends[:, 1] - first_row, edges.ends[:, 3] - first_row
    here = np.flatnonzero((bottom > 0) & (top < rows))
    first = np.maximum(np.floor(top[here] / EDGES_PART_ROWS), 0).astype(np.int64)
    last = np.minimum(np.ceil(bottom[here] / EDGES_PART_ROWS).astype(np.int64), parts) - 1
    count = np.maximum(last, first) + 1 - first
    place = np.repeat(here, count)
    part = np.repeat(first - np.cumsum(count) + count, count) + np.arange(place.size)
    order = np.argsort(part, kind="stable")
    return place[order], np.searchsorted(part[order], np.arange(parts + 1))


@inner
def put(cover, area, touched, met, n_met, j, height, right):
    """Add a height to cell j, whose part ``right`` lies to the right of the edge; return how many cells are met."""
    cover[j] += height
    area[j] += height * right
    if not touched[j]:
        touched[j] = True
        met[n_met] = j
        n_met += 1
    return n_met


@inner
def deposit(ends, sign, row, cover, area, touched, met, n_met):
    """Add what an edge (4,) leaves in a row of cells; return how many cells are met."""
    ua, va, ub, vb = ends[0], ends[1], ends[2], ends[3]
    top, bottom = max(va - row, 0.0), min(vb - row, 1.0)
    height = bottom - top
    if height <= 0.0:
        return n_met
    cols, slope = cover.size, (ub - ua) / (vb - va)
    left = ua if va >= row else ua + (row - va) * slope
    right = ub if vb <= row + 1 else ua + (row + 1 - va) * slope
    left, right = min(left, right), max(left, right)
    left, right = max(left, min(ua, ub)), min(right, max(ua, ub))
    if left >= cols:
        return n_met
    if right <= 0.0:
        return put(cover, area, touched, met, n_met, 0, sign * height, 1.0)
    rate, start, done = height / (right - left) if right > left else 0.0, left, 0.0
    if left < 0.0:
        done = min(-left * rate, height)
        n_met = put(cover, area, touched, met, n_met, 0, sign * done, 1.0)
        start = 0.0
    j = int(start)
    while right > j + 1 and j < cols:
        reached = min((j + 1 - left) * rate, height)
        n_met = put(cover, area, touched, met, n_met, j, sign * (reached - done), 1.0 - (start - j + 1.0) / 2)
        done, start, j = reached, j + 1.0, j + 1
    if j < cols:
        n_met = put(cover, area, touched, met, n_met, j, sign * (height - done), 1.0 - (start - j + right - j) / 2)
    return n_met


@inner
def deposit_centre(ends, sign, row, cover, area, touched, met, n_met):
    """``deposit`` for cells that count whole, by their centres: cells right of the edge, or on it, get its sign."""
    centre = row + 0.5
    if not ends[1] <= centre < ends[3]:
        return n_met
    slope = (ends[2] - ends[0]) / (ends[3] - ends[1])
    first = np.ceil(ends[0] + (centre - ends[1]) * slope - 0.5)
    if first >= cover.size:
        return n_met
    return put(cover, area, touched, met, n_met, int(max(first, 0.0)), sign, 1.0)


@inner
def held(share):
    """A share in [0, 1]: 0 or 1 where it is within COVERAGE_NOISE of them or beyond."""
    if share < COVERAGE_NOISE:
        return 0.0
    return 1.0 if share > 1 - COVERAGE_NOISE else share
