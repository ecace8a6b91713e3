"""Spearman's rho of more pairs than memory holds (Fig. 6).

Each variable is cut into buckets by value, at quantiles of a sample.  A first walk over the pairs writes the values of
each bucket into a file, block by block in ascending order.  A bucket fits in memory, where its values are ranked.  A
second walk reads the ranks back from the files in the same order.  A value that many cells share (such as 0) is a
bucket of its own, which needs no ranking.  Ranks are doubled, so that the mean rank of equal values is a whole number
too.  Their sums of products are then exact: rho does not depend on the order of the pairs, and only its last steps
round.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from refimpl.errors import InputError
from refimpl.evaluation.rank_correlation import spearman_rho

IN_MEMORY = 2**21
"""Pairs that are ranked in memory at once."""
MOST_FILES = 100
"""Most buckets of a variable: files of both are open at once, in each thread.  Beyond 100 million pairs they grow."""
MOST_PAIRS = math.isqrt(2**63 - 1)
"""Most pairs: whole numbers up to their count are multiplied, and int64 must hold the products."""
_SAMPLE = 2**16
"""About how many values are sampled to choose the buckets."""
Pairs = Callable[[], Iterable[tuple[np.ndarray, np.ndarray]]]
"""Gives blocks of x and y, (n,) float64; the same blocks at each call."""


def rank_correlation(pairs: Pairs, count: int, folder: Path, most: int = IN_MEMORY) -> float:
    """Spearman's rho of ``count`` pairs, in [-1, 1]; nan for none, or where either is constant.

    Up to ``most`` pairs it is ``spearman_rho`` to the bit.  With more pairs, each takes 16 bytes in files under
    ``folder`` while the function runs, and memory stays bounded.

    Raises
    ------
    InputError
        More than three billion pairs.

    >>> x = np.array([1.0, 2.0, 2.0, 3.0])
    >>> with TemporaryDirectory() as folder:
    ...     rank_correlation(lambda: [(x, x[::-1])], 4, Path(folder), 2)
    -1.0
    """
    if not count:
        return math.nan
    if count > MOST_PAIRS:
        raise InputError(f"rho: {count} cells, expected at most {MOST_PAIRS}; compare a part of the map")
    if count <= most:
        blocks = [(x.copy(), y.copy()) for x, y in pairs()]
        return spearman_rho(*(np.concatenate(each) for each in zip(*blocks)))
    with TemporaryDirectory(dir=folder, prefix="ranks-") as place:
        x, y = (Ranked(Path(place), name, pairs, at, count, most) for at, name in enumerate("xy"))
        xx = yy = xy = 0
        for a, b in zip(x.deviations(), y.deviations()):
            xx, yy, xy = xx + _dot(a, a, count), yy + _dot(b, b, count), xy + _dot(a, b, count)
    return max(-1.0, min(1.0, xy / math.sqrt(xx * yy))) if xx and yy else math.nan


def _dot(a: np.ndarray, b: np.ndarray, count: int) -> int:
    """The exact sum of products of whole numbers, none larger than ``count``."""
    products, at_once = a * b, max(1, (2**63 - 1) // count**2)
    return sum(np.add.reduceat(products, np.arange(0, products.size, at_once)).tolist()) if products.size else 0


class Ranked:
    """One variable of the pairs, ranked bucket by bucket in files."""

    def __init__(self, folder: Path, name: str, pairs: Pairs, at: int, count: int, most: int):
        self.count = count
        self._blocks = lambda: (pair[at] for pair in pairs())
        self._edges = self._quantiles(min(2 * -(-count // most), MOST_FILES))
        self._files = [folder / f"{name}{bucket}" for bucket in range(0, 2 * self._edges.size + 1, 2)]
        sizes = self._distribute()
        self._before = np.cumsum(sizes) - sizes
        self._tied = 2 * self._before + sizes + 1
        for file, before in zip(self._files, self._before[::2].tolist()):
            (doubled_ranks(np.fromfile(file)) + 2 * before).tofile(file)

    def _quantiles(self, buckets: int) -> np.ndarray:
        """Ascending values that cut a sample, taken at equal steps, into parts of equal size."""
        step, offset, sample = max(1, self.count // _SAMPLE), 0, []
        for block in self._blocks():
            sample.append(block[offset::step].copy())
            offset = (offset - block.size) % step
        ordered = np.sort(np.concatenate(sample))
        return np.unique(ordered[np.arange(1, buckets) * ordered.size // buckets])

    def _sorted_out(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """For each block: its values in ascending order, their places, and where each bucket begins and ends.

        Bucket 2 j holds the values between edges j - 1 and j, bucket 2 j + 1 those equal to edge j.
        """
        for block in self._blocks():
            order = np.argsort(block)
            ordered, ends = block[order], np.zeros(2 * self._edges.size + 2, np.int64)
            ends[1:-1:2], ends[2:-1:2] = (np.searchsorted(ordered, self._edges, side) for side in ("left", "right"))
            ends[-1] = block.size
            yield ordered, order, ends

    def _distribute(self) -> np.ndarray:
        """Write values into the file of their bucket, and count those on an edge; returns the sizes of all buckets."""
        sizes = np.zeros(2 * self._edges.size + 1, np.int64)
        with ExitStack() as stack:
            files = [stack.enter_context(open(file, "wb")) for file in self._files]
            for ordered, _, ends in self._sorted_out():
                sizes += np.diff(ends)
                for bucket, file in enumerate(files):
                    ordered[ends[2 * bucket] : ends[2 * bucket + 1]].tofile(file)
        return sizes

    def deviations(self) -> Iterator[np.ndarray]:
        """For each block, twice the ranks less twice their mean, (n,) int64."""
        with ExitStack() as stack:
            files = [stack.enter_context(open(file, "rb")) for file in self._files]
            for _, order, ends in self._sorted_out():
                ranks = np.empty(order.size, np.int64)
                for bucket in np.flatnonzero(np.diff(ends)).tolist():
                    here = order[ends[bucket] : ends[bucket + 1]]
                    tied = bucket % 2 == 1
                    ranks[here] = self._tied[bucket] if tied else np.fromfile(files[bucket // 2], np.int64, here.size)
                yield ranks - (self.count + 1)


def doubled_ranks(values: np.ndarray) -> np.ndarray:
    """Twice the ranks from 1 up, (n,) int64; equal values share the mean of their ranks.

    >>> doubled_ranks(np.array([30.0, 10.0, 30.0, 20.0])).tolist()
    [7, 2, 7, 4]
    """
    order = np.argsort(values)
    ordered, ranks = values[order], np.empty(values.size, np.int64)
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    counts = np.diff(np.append(starts, values.size))
    ranks[order] = np.repeat(2 * starts + counts + 1, counts)
    return ranks
