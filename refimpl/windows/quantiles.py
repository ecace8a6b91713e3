"""Quantiles of more numbers than fit in memory, equal to the bit to ``np.quantile`` of all of them at once.

D05 and D09 scale a map by a quantile of its cells.  A quantile lies between two neighbours in the order of all numbers.
They are found by counting, because the bits of float64 numbers, read as integers (those of negative numbers inverted),
have the order of the numbers.  A first walk over all numbers counts them by their first 16 bits.  The bin that holds a
neighbour is then counted by the next 16 bits, until it holds few enough numbers to gather and sort them.  This takes
two walks as a rule, and four at most.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

MOST_SORTED = 2**20
"""The most numbers that are gathered and sorted."""
_STEP = 16
"""Bits by which one walk counts."""
Blocks = Callable[[], Iterable[np.ndarray]]


@dataclass(frozen=True)
class OrderStatistics:
    """Numbers in order: how many, their extremes, and the two neighbours of a quantile's place."""

    count: int
    minimum: float
    maximum: float
    left: float
    right: float
    share: float
    """How far the place lies from ``left`` to ``right``, 0 to 1."""

    def quantile(self, origin: float = 0.0) -> float:
        """The quantile of the numbers less ``origin``, linear between the neighbours, as ``np.quantile`` computes it.

        ``origin`` is at most the minimum.

        >>> OrderStatistics(3, 1.0, 5.0, 2.0, 5.0, 0.5).quantile(1.0)
        2.5
        """
        left, right = self.left - origin, self.right - origin
        # As in np.quantile: from the nearer neighbour, so that it never falls with rising q, despite rounding.
        return right - (right - left) * (1 - self.share) if self.share >= 0.5 else left + (right - left) * self.share


def quantile(blocks: Blocks, q: float) -> float:
    """The ``q`` quantile (0 to 1) of the numbers of all blocks; equals ``np.quantile``.  See ``order_statistics``.

    >>> quantile(lambda: [np.array([5.0, 1.0]), np.array([2.0])], 0.75)
    3.5
    """
    return order_statistics(blocks, q).quantile()


def order_statistics(blocks: Blocks, q: float) -> OrderStatistics:
    """Extremes of the numbers of all blocks, and the neighbours of their ``q`` quantile (that of ``np.quantile``).

    ``blocks`` is called once for each walk.  It gives the same finite numbers each time, as arrays of any shape.

    Raises
    ------
    ValueError
        There is no number.

    >>> order_statistics(lambda: [np.array([5.0, 1.0]), np.array([2.0])], 0.75)
    OrderStatistics(count=3, minimum=1.0, maximum=5.0, left=2.0, right=5.0, share=0.5)
    """
    low, high, counts = math.inf, -math.inf, np.zeros(2**_STEP, np.int64)
    for block in blocks():
        if block.size:
            low, high = min(low, float(block.min())), max(high, float(block.max()))
            counts += np.bincount((_keys(block) >> (64 - _STEP)).astype(np.intp), minlength=counts.size)
    count = int(counts.sum())
    if not count:
        raise ValueError("no number, expected at least one")
    place = q * (count - 1)
    before = min(max(math.floor(place), 0), count - 1)
    ranks = before, min(before + 1, count - 1)
    left, right = _at(blocks, ranks, counts)
    return OrderStatistics(count, low, high, left, right, place - before)


def _at(blocks: Blocks, ranks: tuple[int, int], counts: np.ndarray) -> list[float]:
    """The numbers at two places of their order; ``counts`` (2^16,): how many have each value of their first 16 bits."""
    found = [_bin_of(counts, rank) for rank in ranks]  # (first bits, place within the bin, numbers in it)
    for bits in range(_STEP, 64, _STEP):
        if all(size <= MOST_SORTED for _, _, size in found):
            return _sorted_at(blocks, found, bits)
        finer = {first: np.zeros(2**_STEP, np.int64) for first, _, _ in found}
        for block in blocks():
            keys = _keys(block)
            for first, inside in finer.items():
                next_bits = (keys[keys >> (64 - bits) == first] >> (64 - bits - _STEP)) & (2**_STEP - 1)
                inside += np.bincount(next_bits.astype(np.intp), minlength=inside.size)
        inner = [_bin_of(finer[first], rank) for first, rank, _ in found]
        found = [((first << _STEP) | more, rank, size) for (first, _, _), (more, rank, size) in zip(found, inner)]
    return [_number(key) for key, _, _ in found]


def _bin_of(counts: np.ndarray, rank: int) -> tuple[int, int, int]:
    """The bin that holds a place, the place within it, and the number of its numbers."""
    ends = np.cumsum(counts)
    at = int(np.searchsorted(ends, rank, side="right"))
    return at, rank - int(ends[at] - counts[at]), int(counts[at])


def _sorted_at(blocks: Blocks, found: list[tuple[int, int, int]], bits: int) -> list[float]:
    """The numbers at the places ``found`` in bins of their first ``bits`` bits; each bin is gathered and sorted."""
    gathered: dict[int, list[np.ndarray]] = {first: [] for first, _, _ in found}
    for block in blocks():
        keys = _keys(block)
        for first, parts in gathered.items():
            parts.append(keys[keys >> (64 - bits) == first])
    ordered = {first: np.sort(np.concatenate(parts)) for first, parts in gathered.items()}
    return [_number(int(ordered[first][rank])) for first, rank, _ in found]


_SIGN = np.uint64(1 << 63)


def _keys(block: np.ndarray) -> np.ndarray:
    """Keys (n,) uint64 of float64 numbers: their bits, changed to have the order of the numbers; -0.0 is 0.0."""
    bits = (np.asarray(block, np.float64).ravel() + 0.0).view(np.uint64)
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)


def _number(key: int) -> float:
    """The number of a key."""
    bits = np.uint64(key)
    return float((bits & ~_SIGN if bits & _SIGN else ~bits).view(np.float64))
