"""Where crops may lie on a map that is larger than memory (D15): one bit a corner.

The corners of a map with r x c places for a crop are numbered along the rows.  Packed, they take r x c / 8 bytes and
8 bytes a row: for the six scales of a large map (D14), 0.44 bytes a cell.  While they are found, a band of rows of the
map is held, of 5 bytes a cell (float32) for 2^20 cells or for two crops' height of rows, whichever is more, and about
as much again in passing.
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
    """Bands of values and validity, each with the last ``overlap`` rows before it on top; those before the first not.

    Windows of overlap + 1 rows then lie, each once, whole in a band; a band with fewer rows is held back.

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
