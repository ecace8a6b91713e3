"""The admissible corners of crops on a map that is larger than memory (D15): one bit for each place.

A map has r x c places for a crop's upper left corner; the admissible ones are numbered along the rows.  Packed, they
take r x c / 8 bytes and 8 bytes a row: for the six scales of a large map (D14), 0.44 bytes a cell.  While they are
found, memory holds a band of rows of the map, 5 bytes a cell (float32).  The band has 2^20 cells, or the rows of two
crops' heights if that is more.  Work arrays take about as much again.

The corners are those of ``refimpl.method.training_pairs.pyramid``, in the same order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

Band = tuple[np.ndarray, np.ndarray]
"""Values and validity of some whole rows of a map."""


@dataclass(frozen=True, eq=False)
class Corners:
    """The corners of ``refimpl.method.training_pairs.pyramid`` at one scale, packed.

    ``bits`` (rows, ceil(cols / 8)) uint8: one bit a place.  ``until`` (rows,): the corners up to the end of each row.

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
    """Bands of values and validity, each with the last ``overlap`` rows of the band before it on top.

    So each window of overlap + 1 rows lies whole in exactly one band.  A band with fewer rows joins the next one.

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
