"""Overviews: the same raster at half the resolution, and again, until it fits in one tile.

Section "Raster data".  Each level is made from the one before it, and covers the same ground with half the cells,
rounded up: 5 columns become 3, each 5/3 wide, so that a finer cell may be shared by two, as in GDAL.  A float is the
mean of the valid cells, weighted by the area that they share with it.  An integer may be a class, and is the one of the
largest area (the first of equals, row by row).  A cell is valid where any valid cell lies in it, so that nodata takes
no part in a value.  Pillow's reduce and resize know no invalid cells and no float64.
"""

from __future__ import annotations

import math

import numpy as np

from refimpl.earth.grid import Window


def overview_shapes(shape: tuple[int, int], side: int) -> list[tuple[int, int]]:
    """The shapes of all overviews, down to the first of no more than ``side`` rows and columns.

    >>> overview_shapes((2049, 100), 512)
    [(1025, 50), (513, 25), (257, 13)]
    """
    shapes = []
    while max(shape) > side:
        shape = -(-shape[0] // 2), -(-shape[1] // 2)
        shapes.append(shape)
    return shapes


def window_below(window: Window, shape: tuple[int, int], finer: tuple[int, int]) -> Window:
    """The cells of the ``finer`` level that a window of a level of ``shape`` needs.

    >>> window_below((1, 2, 0, 1), (3, 1), (5, 2))
    (1, 4, 0, 2)
    """
    found = ()
    for axis in (0, 1):
        start, stop = window[2 * axis : 2 * axis + 2]
        found += start * finer[axis] // shape[axis], -(-stop * finer[axis] // shape[axis])
    return found


def shrunk(
    values: np.ndarray, valid: np.ndarray, window: Window, shape: tuple[int, int], finer: tuple[int, int], fill=None
) -> tuple[np.ndarray, np.ndarray]:
    """A window of the level of ``shape``: (values, valid), from those of ``window_below``, where invalid cells hold 0.

    No valid cell becomes ``fill``, the nodata value: a mean that happens to be it moves to the next float.

    >>> values = np.array([[1.0, 3.0, 5.0], [2.0, 0.0, 7.0]])
    >>> shrunk(values, values > 0, (0, 1, 0, 2), (1, 2), (2, 3))[0].tolist()
    [[1.8, 5.4]]
    """
    below = window_below(window, shape, finer)
    rows, cols = (
        _shares(*window[2 * axis : 2 * axis + 2], shape[axis], finer[axis], *below[2 * axis : 2 * axis + 2])
        for axis in (0, 1)
    )
    parts = [
        (values[i[:, None], j], (share[:, None] * across) * valid[i[:, None], j])
        for i, share in rows
        for j, across in cols
    ]
    any_valid = sum(weight for _, weight in parts) > 0
    found = _means(parts, any_valid) if values.dtype.kind == "f" else _most_frequent(parts)
    found = np.where(any_valid, found, 0).astype(values.dtype)
    if fill is not None and values.dtype.kind == "f":
        found[any_valid & (found == fill)] = np.nextafter(fill, values.dtype.type(fill == 0))
    return found, any_valid


def _shares(start: int, stop: int, coarse: int, fine: int, first: int, end: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Along one axis, the finer cells that each cell from ``start`` to ``stop`` touches, three at most: (place, share).

    Places count from ``first``; where a cell has no such neighbour, its share is 0.
    """
    common = math.gcd(coarse, fine)
    count, length = coarse // common, fine // common
    left = np.arange(start, stop) * length  # in units of which a finer cell has ``count``, one of ours ``length``
    whole = 2 ** (length - 1).bit_length()  # shares stay exact, and no sum of cells is larger than the largest cell
    found = []
    for step in range(3):
        place = left // count + step
        shared = np.minimum(left + length, (place + 1) * count) - np.maximum(left, place * count)
        if (shared > 0).any():
            found.append((np.minimum(place, end - 1) - first, np.maximum(shared, 0) / whole))
    return found


def _means(parts: list[tuple[np.ndarray, np.ndarray]], any_valid: np.ndarray) -> np.ndarray:
    total = sum(values * weight for values, weight in parts)
    return np.divide(total, sum(weight for _, weight in parts), where=any_valid, out=np.zeros(any_valid.shape))


def _most_frequent(parts: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    best, most = parts[0][0], np.zeros(parts[0][0].shape)
    for values, weight in parts:
        area = sum(other_weight * (other == values) for other, other_weight in parts) * (weight > 0)
        best = np.where(area > most, values, best)
        most = np.maximum(area, most)
    return best
