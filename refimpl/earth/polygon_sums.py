"""Exact coverage: the share of each cell that a zone's polygons cover, and zonal sums weighted by it.

Section "Raster data"; D03.  Edges are straight in the grid's plane (refimpl/earth/polygons.py).  As for the overlap of
cells (refimpl/earth/overlap.py), nothing is clipped.  The part of cell (i, j) that lies to the right of an edge is

    integral over v in [i, i+1] of clamp(j + 1 - u(v), 0, 1) dv        (Green's theorem)

The coverage of the cell is the sum of these integrals over the edges of a zone, with their signs.  Two neighbouring
zones sum the same integral for their common edge, with opposite signs.  So, up to rounding, they divide each cell
without gap or overlap.  A row needs only the edges that cross it, so memory does not grow with the number of rows.

By the rule "centre", the coverage of a cell is 1 or 0 instead (``row_winding``), by a similar sum over the edges.
Where polygons of one zone overlap, or a ring crosses itself, the sum leaves [0, 1].  It is clipped to that range, and
the zone is reported.
"""

from __future__ import annotations

import numpy as np

from refimpl.earth.exact_pair import exact_pair
from refimpl.earth.overlap import edge_integral
from refimpl.earth.polygons import Edges
from refimpl.twins import twin

COVERAGE_NOISE = 1e-12
"""A coverage this close to 0 or 1 is taken as 0 or 1."""
ASTRAY = 1e-6
"""A coverage this far below 0 or above 1 is not rounding: polygons of the zone overlap or cross themselves."""


def row_coverage(ends: np.ndarray, signs: np.ndarray, row: int, cols: int) -> np.ndarray:
    """The share of each cell of a row that lies inside the edges (n, 4) of one zone, (cols,), not clipped to [0, 1].

    >>> ends = np.array([[0.0, 0.0, 2.0, 1.0], [2.0, 0.0, 2.0, 1.0]])  # a triangle in two cells
    >>> row_coverage(ends, np.array([1.0, -1.0]), 0, 3).tolist()
    [0.25, 0.75, 0.0]
    """
    here = (ends[:, 1] < row + 1) & (ends[:, 3] > row)
    u1, v1, u2, v2 = ends[here].T[..., np.newaxis]
    right = np.arange(1.0, cols + 1)
    # The integral of overlap.py with its axes exchanged: along v, of the height of -u above -(j + 1).
    return (signs[here, np.newaxis] * edge_integral(v1, -u1, v2, -u2, -right, row)).sum(0)


def held(coverage: np.ndarray) -> np.ndarray:
    """A coverage clipped to [0, 1], and set to 0 or 1 where it is within COVERAGE_NOISE of them."""
    return np.where(coverage < COVERAGE_NOISE, 0.0, np.where(coverage > 1 - COVERAGE_NOISE, 1.0, coverage))


def row_winding(ends: np.ndarray, signs: np.ndarray, row: int, cols: int) -> np.ndarray:
    """The number of polygons of one zone that contain each cell's centre, (cols,): the signed crossings to its left.

    >>> ends = np.array([[0.0, 0.0, 2.0, 1.0], [2.0, 0.0, 2.0, 1.0]])  # a triangle in two cells
    >>> row_winding(ends, np.array([1.0, -1.0]), 0, 3).tolist()
    [0.0, 1.0, 0.0]
    """
    here = (ends[:, 1] <= row + 0.5) & (row + 0.5 < ends[:, 3])
    u1, v1, u2, v2 = ends[here].T[..., np.newaxis]
    crossing = u1 + (row + 0.5 - v1) * ((u2 - u1) / (v2 - v1))
    return (signs[here, np.newaxis] * (crossing <= np.arange(cols) + 0.5)).sum(0)


@twin("kernels.polygon_sums")
def polygon_sums(values, valid, weights, edges: Edges, first_row: int, by_area: bool):
    """Sums over the valid cells of each zone, each cell weighted by its coverage.

    If ``by_area``, the coverage is the share of the cell that the zone's polygons cover.  Otherwise it is 1 if they
    contain the cell's centre, else 0.  Where zones overlap, a cell counts in each of them.

    Parameters
    ----------
    values, valid : (rows, cols) real, finite where valid, and bool; rows of the edges' grid from ``first_row`` on.
    weights : (rows,) float64, the weight of a cell of each row (for example its area).

    Returns
    -------
    totals : (2, k) float64, sum of value x weight x coverage for each zone of ``edges.codes``, and its lost rounding.
    areas : (2, k) float64, sum of weight x coverage of valid cells, and its lost rounding.
    counts : (2, k) int64, number of valid cells with a coverage above 0, and of all cells with one.
    astray : (k,) bool, true if a coverage lies outside [0, 1] by more than ASTRAY.

    >>> square = Edges(np.array([[0.5, 0, 0.5, 1], [2, 0, 2, 1.0]]), np.array([1.0, -1]), np.zeros(2, int), [11])
    >>> sums = polygon_sums.reference(np.array([[2.0, 4.0]]), np.array([[True, True]]), np.ones(1), square, 0, True)
    >>> [each.tolist() for each in sums]
    [[[5.0], [0.0]], [[1.5], [0.0]], [[2], [2]], [False]]
    """
    zones = [(edges.ends[edges.ranks == rank], edges.signs[edges.ranks == rank]) for rank in range(len(edges.codes))]
    terms: list[tuple[list, list]] = [([], []) for _ in zones]
    counts, astray = np.zeros((2, len(zones)), np.int64), np.zeros(len(zones), bool)
    coverage_of = row_coverage if by_area else row_winding
    for row in range(values.shape[0]):
        for rank, (ends, signs) in enumerate(zones):
            raw = coverage_of(ends, signs, first_row + row, values.shape[1])
            astray[rank] |= bool((np.abs(raw - 0.5) > 0.5 + ASTRAY).any())
            share = held(raw)
            chosen = valid[row] & (share > 0)
            counts[:, rank] += np.count_nonzero(chosen), np.count_nonzero(share)
            terms[rank][0].extend((values[row, chosen].astype(float) * weights[row] * share[chosen]).tolist())
            terms[rank][1].extend((weights[row] * share[chosen]).tolist())
    totals, areas = (np.array([exact_pair(zone[part]) for zone in terms]).reshape(-1, 2).T for part in (0, 1))
    return totals, areas, counts, astray
