"""Province totals of the drivers, and which driver follows emission best (section "Two-stage model"; D03).

    total_n = sum over the cells i of province n of density_i x area_i        (D03: the true area of the cell)

Densities are per km2, areas are in km2, so a total is in the density's numerator ("persons").
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from refimpl.method.metrics import pearson_r
from refimpl.twins import twin


@twin("kernels.zonal")
def zonal_sums(values, valid, zones, weights):
    """D03: what the valid cells of each province add up to; each sum is exact and rounded once.

    Parameters
    ----------
    values, valid : (rows, cols) real, finite where valid, and bool.
    zones : (rows, cols) integer province codes, 0 outside.
    weights : (rows,) float64, the area of a cell of each row, km2.

    Returns
    -------
    codes : (k,) int64, ascending: every code that occurs but 0, also where no cell of the province is valid.
    totals : (k,) float64, sum of value x weight.
    areas : (k,) float64, sum of the weights, km2.
    counts : (k,) int64, number of valid cells.

    Raises
    ------
    ValueError
        Shapes differ or a code is negative.

    >>> values, zones = np.array([[1.0, 2.0], [4.0, 8.0]]), np.array([[1, 1], [0, 5]])
    >>> [each.tolist() for each in zonal_sums(values, values < 8, zones, np.array([1.0, 0.5]))]
    [[1, 5], [3.0, 0.0], [2.0, 0.0], [2, 0]]
    """
    if not values.shape == valid.shape == zones.shape or weights.shape != values.shape[:1]:
        raise ValueError("values, valid and zones must have one shape, and weights one number per row")
    codes = np.unique(zones[zones != 0]).astype(np.int64)
    if (codes < 0).any():
        raise ValueError(f"zone code {codes.min()}, expected codes from 0 up")
    area = np.broadcast_to(weights[:, np.newaxis], values.shape)
    inside = [valid & (zones == code) for code in codes]
    totals = [math.fsum(values[cells].astype(float) * area[cells]) for cells in inside]
    areas = [math.fsum(area[cells]) for cells in inside]
    counts = [np.count_nonzero(cells) for cells in inside]
    return codes, np.array(totals, float), np.array(areas, float), np.array(counts, np.int64)


def rank_drivers(totals: Mapping[str, np.ndarray], emission) -> list[tuple[str, float]]:
    """Drivers by |Pearson r| of their province totals with ``emission``, strongest first, ties in the order given.

    A driver that is the same everywhere has no r (nan) and comes last.

    >>> [name for name, r in rank_drivers({"a": [1.0, 2.0, 2.0], "b": [3.0, 2.0, 1.0]}, [1.0, 2.0, 3.0])]
    ['b', 'a']
    """
    ranked = [(name, pearson_r(total, emission)) for name, total in totals.items()]
    return sorted(ranked, key=lambda pair: -abs(pair[1]) if pair[1] == pair[1] else 1.0)
