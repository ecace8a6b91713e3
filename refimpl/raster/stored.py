"""A raster in a file as a source that can be handed to another process.

Section "Raster data".  The file is opened where and when it is first read, and stays open as long as the source lives;
what is sent to another process is its name.  So workers on one or many machines read their windows from one shared file.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path

import numpy as np

from refimpl.raster.geotiff import RasterFile, open_raster
from refimpl.raster.grid import Grid, Raster, Window


class Stored:
    """One band of a raster file; ``units`` as for ``open_raster``.

    >>> import pickle, tempfile
    >>> from refimpl.raster.projection import ALBERS_CHINA
    >>> from refimpl.raster.writing import write_raster
    >>> path = tempfile.mkdtemp() + "/a.tif"
    >>> write_raster(path, Raster(np.eye(2), np.ones((2, 2), bool), Grid(ALBERS_CHINA, (0, 0, 1, -1), (2, 2)), "K"))
    >>> again = pickle.loads(pickle.dumps(Stored(path)))
    >>> again.part((0, 1, 0, 2)).values.tolist(), again.units
    ([[1.0, 0.0]], 'K')
    """

    def __init__(self, path: str | os.PathLike, units: str = "", band: int = 1):
        self.path, self._units, self._band = Path(path).absolute(), units, band

    @functools.cached_property
    def _file(self) -> RasterFile:
        return open_raster(self.path, self._units, self._band)

    @property
    def grid(self) -> Grid:
        """That of the file."""
        return self._file.grid

    @property
    def units(self) -> str:
        """Those given, or the file's."""
        return self._file.units

    @property
    def dtype(self) -> np.dtype:
        """That of the values read."""
        return self._file.dtype

    def part(self, window: Window) -> Raster:
        """The cells of (row start, row stop, column start, column stop)."""
        return self._file.part(window)

    def whole(self) -> Raster:
        """All of it, in memory."""
        return self.part((0, self.grid.shape[0], 0, self.grid.shape[1]))

    @property
    def values(self) -> np.ndarray:
        """All values (rows, cols), read anew at each call: for rasters that fit in memory."""
        return self.whole().values

    @property
    def valid(self) -> np.ndarray:
        """The whole mask (rows, cols), read anew at each call."""
        return self.whole().valid

    def __getstate__(self) -> dict:
        return {name: value for name, value in self.__dict__.items() if name != "_file"}
