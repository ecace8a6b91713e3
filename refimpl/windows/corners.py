"""Where crops may lie on a map that is larger than memory (D15): one bit a corner.

The corners are those of ``refimpl.method.training_pairs.pyramid``.  On a map with r x c places for a crop they are
numbered along the rows.  Packed, they take r x c / 8 bytes and 8 bytes a row: 0.44 bytes a cell for the six scales of a
large map (D14).  While they are looked for, a band of rows of the map is held: 2^20 cells or two crops' height of rows,
whichever is more, at 5 bytes a cell (float32), and about as much again for a moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

Band = tuple[np.ndarray, np.ndarray]
"""Values and validity of some whole rows of a map."""


@dataclass(frozen=True, eq=False)
class Corners:
    """Which places are corners: ``bits`` (rows, ceil(cols / 8)) packed uint8; how many ``until`` each row's end.

    Equals the corners of a level of ``refimpl.method.training_pairs.pyramid``, in their order.

    >>> upper, lower = np.array([[0, 1, 1]]), np.array([[0, 0, 0], [1, 1, 0]])
    >>> corners = Corners.packed([upper > 0, lower > 0])
    >>> len(corners), corners[1], corners[2]
    (4, (0, 2), (2, 0))
    """

    bits: np.ndarray
    until: np.ndarray

    @classmethod
    def packed(cls, bands: Iterable[np.ndarray]) -> Corners:
        """From bands of rows, each (rows, cols) bool."""
        bits, counts = [], []
        for band in bands:
            bits.append(np.packbits(band, axis=1))
            counts.append(np.count_nonzero(band, axis=1))
        return cls(np.concatenate(bits), np.cumsum(np.concatenate(counts)))

    def __len__(self) -> int:
        return int(self.until[-1])

    def __getitem__(self, number: int) -> tuple[int, int]:
        """Row and column of the corner of this number, from 0."""
        row = int(np.searchsorted(self.until, number, side="right"))
        before = int(self.until[row - 1]) if row else 0
        return row, int(np.flatnonzero(np.unpackbits(self.bits[row]))[number - before])


def overlapping(bands: Iterable[Band], overlap: int) -> Iterator[Band]:
    """Bands of values and validity, each with the last ``overlap`` rows of the former one on top; the first has none.

    Each window of overlap + 1 rows then lies whole in one band.  A band with fewer rows is held back.

    >>> [len(values) for values, _ in overlapping([(np.zeros((3, 1)), np.ones((3, 1), bool))] * 2, 2)]
    [3, 5]
    """
    above: tuple[np.ndarray, ...] = ()
    for band in bands:
        values, valid = (np.concatenate(pair) for pair in zip(above, band)) if above else band
        if len(values) > overlap:
            yield values, valid
        kept = max(len(values) - overlap, 0) if overlap else len(values)
        above = values[kept:].copy(), valid[kept:].copy()
