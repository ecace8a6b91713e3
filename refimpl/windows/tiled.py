"""A source whose tiles an executor computes ahead of the reader.

Section "Raster data".  ``Tiled`` stands between a source that takes long to compute and the one writer
(``write_parts(..., tile=...)``), which reads its cells in the order of the file's blocks.  The next tiles are computed
meanwhile.  Each tile is computed once, and dropped when all of its cells have been read.
"""

from __future__ import annotations

import os
from concurrent.futures import Executor, Future

import numpy as np

from refimpl.earth.grid import Grid, Raster, Source, Window
from refimpl.formats.writing import write_parts
from refimpl.progress import Progress
from refimpl.windows.executors import at_once, result_of, submit
from refimpl.windows.walks import tiles_of


def write_tiled(
    path: str | os.PathLike,
    source: Source,
    tile: tuple[int, int],
    executor: Executor | None = None,
    progress: Progress | None = None,
    empty: Exception | None = None,
    **options,
) -> None:
    """Write a source as a GeoTIFF; ``executor`` computes its tiles of (rows, cols), or this process if it is None.

    ``options`` and errors are those of ``write_parts``.  The file has the same bytes with any executor.  ``progress``
    is told the finished share.  If the source has no valid cell, ``empty`` is raised and nothing is written.

    >>> import tempfile
    >>> from refimpl.formats.geotiff import read_raster
    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> raster = Raster(np.eye(4), np.ones((4, 4), bool), Grid(ALBERS_CHINA, (0, 0, 1, -1), (4, 4)))
    >>> path = tempfile.mkdtemp() + "/a.tif"
    >>> write_tiled(path, raster, (2, 3))
    >>> np.array_equal(read_raster(path).values, raster.values)
    True
    """
    with Tiled(source, tile, executor, progress, empty) as tiled:
        write_parts(path, source.grid, source.dtype, tiled.part, source.units, tile=tile, **options)


class Tiled:
    """``source`` in tiles of (rows, cols); a context manager, whose end cancels the tiles that are not yet computed.

    Each cell is to be read once, tile by tile or row by row, from one thread.  An ``executor`` is given twice as many
    tiles as it runs at once, and ``source`` with each.  ``empty`` is raised at the last tile if none had a valid cell.
    """

    def __init__(
        self,
        source: Source,
        tile: tuple[int, int],
        executor: Executor | None = None,
        progress: Progress | None = None,
        empty: Exception | None = None,
    ):
        self.source, self.executor, self.progress, self.empty = source, executor, progress, empty
        self.grid: Grid = source.grid
        self.units, self.dtype = source.units, source.dtype
        self._tiles, self._size = tiles_of(self.grid.shape, tile), tile
        self._across = -(-self.grid.shape[1] // tile[1])
        self._ahead = 2 * at_once(executor) if executor else 0
        self._begun, self._finished = 0, 0
        self._futures: dict[int, Future] = {}
        self._open: dict[int, tuple[Raster | None, int]] = {}
        """Computed tiles: their cells (None if all are invalid), and the number of cells that are still to be read."""

    def part(self, window: Window) -> Raster:
        """The cells of (row start, row stop, column start, column stop)."""
        shape = window[1] - window[0], window[3] - window[2]
        values, valid = np.zeros(shape, self.dtype), np.zeros(shape, bool)
        for down in range(window[0] // self._size[0], (window[1] - 1) // self._size[0] + 1):
            for right in range(window[2] // self._size[1], (window[3] - 1) // self._size[1] + 1):
                self._copy(down * self._across + right, window, values, valid)
        return Raster.unchecked(values, valid, self.grid.part(window), self.units)

    def _copy(self, number: int, window: Window, values: np.ndarray, valid: np.ndarray) -> None:
        """Copy the cells that a tile and the window have in common."""
        tile = self._tiles[number]
        top, bottom = max(tile[0], window[0]), min(tile[1], window[1])
        left, right = max(tile[2], window[2]), min(tile[3], window[3])
        cells, remaining = self._computed(number)
        if cells is not None:
            self.empty = None
            there = np.s_[top - tile[0] : bottom - tile[0], left - tile[2] : right - tile[2]]
            here = np.s_[top - window[0] : bottom - window[0], left - window[2] : right - window[2]]
            values[here], valid[here] = cells.values[there], cells.valid[there]
        remaining -= (bottom - top) * (right - left)
        if remaining:
            self._open[number] = cells, remaining
        else:
            self._open.pop(number, None)
            self._finished += 1
            if self._finished == len(self._tiles) and self.empty:
                raise self.empty
            if self.progress:
                self.progress.update(self._finished / len(self._tiles))

    def _computed(self, number: int) -> tuple[Raster | None, int]:
        if number not in self._open:
            top, bottom, left, right = self._tiles[number]
            self._open[number] = self._compute(number), (bottom - top) * (right - left)
        return self._open[number]

    def _compute(self, number: int) -> Raster | None:
        if self.executor is None:
            return valid_part(self.source, self._tiles[number])
        while self._begun < min(number + 1 + self._ahead, len(self._tiles)):
            task = submit(self.executor, valid_part, self.source, self._tiles[self._begun])
            self._futures[self._begun] = task
            self._begun += 1
        return result_of(self._futures.pop(number))

    def __enter__(self) -> Tiled:
        return self

    def __exit__(self, *exception) -> None:
        for future in self._futures.values():
            future.cancel()
        self._futures.clear()


def valid_part(source: Source, window: Window) -> Raster | None:
    """The cells of a window, or None if none is valid, which is quick to send."""
    found = source.part(window)
    return found if found.valid.any() else None
