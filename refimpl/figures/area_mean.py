"""Means over pixels that are larger than cells, from a raster of any size, read once.

Cells are added up row by row, each row times its part in the pixel, then along the row.  Sums always run in the order
of rows and columns.  The means are therefore the same to the bit for any windows in which the raster is read and any
number of threads; a matrix product would not promise this.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import numpy as np

from refimpl.earth.grid import Raster, Source, Window
from refimpl.windows.walks import windows


def windows_in(shape: tuple[int, int], part: Window) -> list[Window]:
    """The windows in which a raster of ``shape`` (rows, cols) is walked, cut to ``part``.

    >>> windows_in((600, 1500), (10, 600, 0, 1000))
    [(10, 600, 0, 1000)]
    """
    cut = [
        (max(top, part[0]), min(bottom, part[1]), max(left, part[2]), min(right, part[3]))
        for top, bottom, left, right in windows(shape)
    ]
    return [window for window in cut if window[0] < window[1] and window[2] < window[3]]


def area_mean(source: Source, rows: np.ndarray, cols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean over the valid part of each pixel.

    Parameters
    ----------
    rows, cols : (n, 2), (m, 2) start and end of the pixels as fractional row and column numbers, ascending; pixels may
        reach beyond the raster.

    Returns
    -------
    (n, m) float64 means, and bool: valid where at least half of the pixel is valid.  Means are 0 elsewhere.

    >>> from refimpl.earth.grid import Grid
    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> raster = Raster.masked([[1.0, 3.0, 5.0]], np.ones((1, 3)), Grid(ALBERS_CHINA, (0, 0, 1, -1), (1, 3)))
    >>> area_mean(raster, np.array([[0.0, 1.0]]), np.array([[0.0, 1.5], [1.5, 3.0]]))[0].round(3).tolist()
    [[1.667, 4.333]]
    """
    values, valid = np.zeros((len(rows), len(cols))), np.zeros((len(rows), len(cols)), bool)
    # Pixel rows that lie within one row of cells are equal: they are computed once and repeated.
    spans, first, times = np.unique(rows, axis=0, return_index=True, return_counts=True)
    part = (*_reach(spans, source.grid.shape[0]), *_reach(cols, source.grid.shape[1]))
    places = np.arange(part[2], part[3] + 1)
    if part[0] >= part[1] or part[2] >= part[3]:
        return values, valid
    for index, sums, areas in _lines(source, spans, part):
        height, here = spans[index, 1] - spans[index, 0], slice(first[index], first[index] + times[index])
        total, area = (_between(places, line, cols) for line in (sums, areas))
        enough = area >= 0.5 * height * (cols[:, 1] - cols[:, 0]) * (1 - 1e-9)
        valid[here], values[here] = enough, np.where(enough, total / np.where(area > 0, area, 1), 0.0)
    return values, valid


def _reach(spans: np.ndarray, size: int) -> tuple[int, int]:
    """First cell, and one past the last cell, that spans touch in a row or column of ``size`` cells."""
    return max(0, int(np.floor(spans[0, 0]))), min(size, int(np.ceil(spans[-1, 1])))


def _lines(source: Source, spans: np.ndarray, part: Window) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """For each span, once its last row is read: its number, and the sums of values and valid area over its rows, (w,).

    ``spans`` (n, 2) ascend; those that touch no row of ``part`` are left out.
    """
    ends = np.clip([np.floor(spans[:, 0]), np.ceil(spans[:, 1])], part[0], part[1]).astype(int)
    unfinished: dict[int, np.ndarray] = {}
    for (top, bottom), band in groupby(windows_in(source.grid.shape, part), key=lambda window: window[:2]):
        touched = np.flatnonzero((ends[0] < bottom) & (ends[1] > top)).tolist()
        for index in touched:
            unfinished.setdefault(index, np.zeros((2, part[3] - part[2])))
        for window in band:
            piece, here = source.part(window), slice(window[2] - part[2], window[3] - part[2])
            for index in touched:
                _add_rows(unfinished[index][:, here], piece, top, spans[index])
        for index in [index for index in touched if ends[1, index] <= bottom]:
            yield index, *unfinished.pop(index)


def _add_rows(into: np.ndarray, piece: Raster, top: int, span: np.ndarray) -> None:
    """Add to ``into``, (2, w) values and areas, the rows of a window from row ``top`` that lie in the span."""
    start, end = span
    rows = range(max(top, int(np.floor(start))), min(top + piece.values.shape[0], int(np.ceil(end))))
    for row in rows:
        reach = min(row + 1.0, end) - max(float(row), start)
        into[0] += np.multiply(piece.values[row - top], reach, dtype=float)
        into[1] += np.multiply(piece.valid[row - top], reach, dtype=float)


def _between(places: np.ndarray, line: np.ndarray, spans: np.ndarray) -> np.ndarray:
    """Integral of a line of cells over spans of fractional column numbers."""
    running = np.concatenate([[0.0], np.cumsum(line)])
    return np.interp(spans[:, 1], places, running) - np.interp(spans[:, 0], places, running)
