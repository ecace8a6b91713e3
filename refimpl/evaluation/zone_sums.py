"""Sums by zone over the windows of a map, without loss (D03, Eq. 3, Figs. 4-6).

Each window gives its sums as pairs: the rounded sum and what the rounding lost.  All pairs of a zone are added exactly
and rounded once, so that different windows change a sum by one ulp at most.
"""

from __future__ import annotations

import numpy as np

from refimpl.earth.exact_pair import exact_pair
from refimpl.windows.zonal_pairs import zonal_pairs


class Sums:
    """Sums of each zone, added window after window.

    >>> sums = Sums()
    >>> for _ in range(2):
    ...     sums.add(np.array([11, 12]), np.array([[1e16, 2.0], [2.0, 0.0]]))
    >>> [each.tolist() for each in sums.totals()]
    [[11, 12], [2.0000000000000004e+16, 4.0]]
    """

    def __init__(self):
        self._terms: dict[int, list[np.ndarray]] = {}

    def add(self, codes: np.ndarray, pairs: np.ndarray) -> None:
        """Add the sums of one window: ``codes`` (k,), ``pairs`` (2, k) or (2, k, m)."""
        for at, code in enumerate(codes.tolist()):
            self._terms.setdefault(code, []).append(pairs[:, at].copy())

    def add_cells(self, values, valid, zones, weights: np.ndarray) -> None:
        """Add value x weight of the valid cells of a window, zone by zone; arguments are those of ``zonal_pairs``."""
        codes, totals, _, counts = zonal_pairs(values, valid, zones, weights)
        self.add(codes[counts > 0], totals[:, counts > 0])

    def totals(self, shape: tuple[int, ...] = ()) -> tuple[np.ndarray, np.ndarray]:
        """Codes (k,) int64, ascending, and sums (k,) or (k, m) float64; ``shape`` is () or (m,)."""
        codes = sorted(self._terms)
        sums = np.zeros((len(codes), *shape))
        for row, code in enumerate(codes):
            terms = np.array(self._terms[code])  # (windows, 2) or (windows, 2, m)
            for place in np.ndindex(shape):
                sums[(row, *place)] = exact_pair(terms[(slice(None), slice(None), *place)].ravel())[0]
        return np.array(codes, np.int64), sums

    def by_code(self) -> dict[int, float]:
        """The sums by code."""
        codes, sums = self.totals()
        return dict(zip(codes.tolist(), sums.tolist()))

    def whole(self) -> float:
        """The sum over all zones."""
        return exact_pair(np.concatenate([np.zeros(1), *(term for terms in self._terms.values() for term in terms)]))[0]
