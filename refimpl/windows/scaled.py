"""The map shrunk to one scale, computed window by window (D14).

``Scaled`` equals ``refimpl.method.resize.resize_valid`` of the whole map, to the bit, and holds no array of it.  A
window reads the cells of the full-size source that its bicubic taps touch, and takes the same sums.  The taps are those
of the whole axes, mirrored only at the true edges.  Where every cell of the source is valid, nothing is divided.

Memory holds a window and its taps: a window of n x n cells at scale s reads about (n / s + 4 / s)^2 cells.  Tables of
taps take 16 bytes for each tap (up to 8) of each row and column.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from refimpl.earth.grid import Grid, Raster, Source, Window
from refimpl.earth.projection import ALBERS_CHINA
from refimpl.method.resize import Taps, bicubic_taps, weigh_valid
from refimpl.twins import twin

BAND_CELLS = 2**20
"""The approximate number of cells of the source that are read for one band of rows."""


@dataclass(frozen=True, eq=False)
class Scaled:
    """The ``source`` at (rows, cols) = ``shape``, in ``dtype``; ``every_valid``: the source has no invalid cell.

    It equals ``refimpl.method.resize.resize_valid``.

    >>> image = in_memory(np.arange(64.0).reshape(8, 8), np.ones((8, 8), bool))
    >>> Scaled(image, (4, 4), np.dtype(float), True).part((1, 2, 1, 3))[0]
    array([[22.39453125, 24.41796875]])
    """

    source: Source
    shape: tuple[int, int]
    dtype: np.dtype
    every_valid: bool = False

    def part(self, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """Values and validity of (row start, row stop, column start, column stop); 0 where invalid."""
        if self.shape == self.source.grid.shape:
            return self._read(window)
        full = self.source.grid.shape
        top, bottom, rows = _taps_of(full[0], self.shape[0], *window[:2])
        left, right, cols = _taps_of(full[1], self.shape[1], *window[2:])
        values, valid = self._read((top, bottom, left, right))
        return weigh_window(values, valid, rows, cols, self.every_valid)

    def _read(self, window: Window) -> tuple[np.ndarray, np.ndarray]:
        read = self.source.part(window)
        return read.values.astype(self.dtype, copy=False), read.valid

    def bands(self, least: int = 1) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """All rows once, in bands of whole rows from the top: values and validity.

        A band is read from about BAND_CELLS cells of the source.  It has at least ``least`` rows; the last may have
        fewer.
        """
        rows, cols = self.shape
        height = max(BAND_CELLS // self.source.grid.shape[1] * rows // self.source.grid.shape[0], least, 1)
        for top in range(0, rows, height):
            yield self.part((top, min(top + height, rows), 0, cols))


def in_memory(image: np.ndarray, valid: np.ndarray) -> Raster:
    """An image (rows, cols), 0 where it is not ``valid``, as a source; its grid is a placeholder with cells of 1 m."""
    return Raster.unchecked(image, valid, Grid(ALBERS_CHINA, (0.0, 0.0, 1.0, -1.0), image.shape))


def _taps_of(n_in: int, n_out: int, start: int, stop: int) -> tuple[int, int, Taps]:
    """The input cells [first, last) that output cells [start, stop) need, and their taps, counted from ``first``."""
    indices, weights = bicubic_taps(n_in, n_out)
    indices, weights = indices[start:stop], weights[start:stop]
    first = int(indices.min())
    return first, int(indices.max()) + 1, (indices - first, weights)


@twin("kernels.scaled")
def weigh_window(
    image: np.ndarray, valid: np.ndarray, rows: Taps, cols: Taps, every_valid: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Values and validity of a window resized with given taps: first down the rows, then along the columns.

    It equals ``refimpl.method.resize.weigh_valid``, and so that window of ``resize_valid`` of the whole map.  The taps
    of ``rows`` and ``cols`` count cells of ``image`` and ``valid`` (h, w).  ``every_valid`` means that the whole map is
    valid, not just this window: as in the whole map, sums are then not divided by their share of valid weight.

    >>> halves = np.array([[0, 1], [2, 3]]), np.full((2, 2), 0.5)
    >>> weigh_window(np.arange(16.0).reshape(4, 4), np.eye(4) < 1, halves, halves, False)[0]
    array([[ 2.5,  4.5],
           [10.5, 12.5]])
    """
    return weigh_valid(image, valid, rows, cols, every_valid)
