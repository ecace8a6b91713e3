"""A raster in a file, as a source that can be sent to another process.

Section "Raster data".  The file is opened when it is first read, and stays open as long as the source lives.  Another
process receives its path and the contents of its header.  So workers on one or many machines read their windows from
one shared file.
"""

from __future__ import annotations

import functools
import os
import platform
import threading
import warnings
from pathlib import Path

import numpy as np

from refimpl.earth.datum import other_datums
from refimpl.earth.grid import Grid, Raster, Window
from refimpl.errors import DataWarning, InputError
from refimpl.formats.geotiff import KEPT_BYTES, RasterFile, open_raster
from refimpl.windows.computed import Computed


class Stored(Computed):
    """One band of a raster file; ``units`` and ``keep`` are those of ``open_raster``.

    A file that is only walked by ``windows`` needs no cache: ``keep=0``.  If the file has another datum, the process
    that opens it first decides whether it is refused (``other_datums``); others follow.

    >>> import pickle, tempfile
    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> from refimpl.formats.writing import write_raster
    >>> path = tempfile.mkdtemp() + "/a.tif"
    >>> write_raster(path, Raster(np.eye(2), np.ones((2, 2), bool), Grid(ALBERS_CHINA, (0, 0, 1, -1), (2, 2)), "K"))
    >>> again = pickle.loads(pickle.dumps(Stored(path)))
    >>> again.part((0, 1, 0, 2)).values.tolist(), again.units
    ([[1.0, 0.0]], 'K')
    """

    def __init__(self, path: str | os.PathLike, units: str = "", band: int = 1, keep: int = KEPT_BYTES):
        self.path, self.how = Path(path).absolute(), {"units": units, "band": band, "keep": keep}

    @property
    def _file(self) -> RasterFile:
        """The open file; the first thread that reads it opens it."""
        found = self.__dict__.get("_opened")
        if found is None:
            with OPENING:
                found = self.__dict__.get("_opened") or self._open()
                self._opened = found
        return found

    def _open(self) -> RasterFile:
        self._own = "grid" not in self.__dict__
        if self._own:
            return open_raster(self.path, **self.how)
        found = _reopened(self.path, state_of(self.path), **self.how)
        here = self.grid.transform, self.grid.shape, self.stored_dtype
        if (found.grid.transform, found.grid.shape, found.dtype) != here:
            raise InputError(
                f"{self.path}: is another file on {platform.node()} than where the work is given out; put it on a disk "
                "that all workers share"
            )
        return found

    @functools.cached_property
    def grid(self) -> Grid:
        """The file's grid."""
        return self._file.grid

    @functools.cached_property
    def units(self) -> str:
        """The given units, or else the file's."""
        return self._file.units

    @functools.cached_property
    def dtype(self) -> np.dtype:
        """The dtype of the values read."""
        return self._file.dtype

    @functools.cached_property
    def stored_dtype(self) -> np.dtype:
        """The dtype of the file."""
        return self._file.dtype

    @functools.cached_property
    def nodata(self):
        """The file's nodata value, or None."""
        return self._file.nodata

    def part(self, window: Window) -> Raster:
        """The cells of (row start, row stop, column start, column stop)."""
        found = self._file.part(window)
        return Raster.unchecked(found.values, found.valid, self.grid.part(window), self.units)

    def close(self) -> None:
        """Close the file; the next window opens it again.  A file that a worker's tasks share stays open."""
        found = self.__dict__.pop("_opened", None)
        if found is not None and self._own:
            found.__exit__()

    def __getstate__(self) -> dict:
        for name in ("grid", "units", "dtype", "stored_dtype", "nodata"):
            getattr(self, name)
        return {name: value for name, value in self.__dict__.items() if name not in ("_opened", "_own")}


OPENING = threading.RLock()
"""Held while a file is opened, for two reasons: it is opened once, and Python silences warnings for all threads of a
process at once."""
SHARED_BYTES = 2**24
"""The most bytes of decoded strips and tiles that a worker keeps of a shared file: it keeps several files open."""


def state_of(path: Path) -> tuple[int, int, int]:
    """Inode, time and size of a file, which change if another file takes its place.

    Raises
    ------
    InputError
        The file does not exist here.
    """
    try:
        found = os.stat(path)
    except OSError:
        raise InputError(
            f"{path}: is not seen by a worker on {platform.node()}; put it on a disk that all workers share, under one "
            "name"
        ) from None
    return found.st_ino, found.st_mtime_ns, found.st_size


@functools.lru_cache(4)
def _reopened(path: Path, state: tuple, units: str, band: int, keep: int) -> RasterFile:
    """A file that another process opened before; it stays open for the next tasks.

    ``state`` is that of ``state_of``, so that a new file in the same place is opened anew.  Its warnings were given in
    the process that opened it first.
    """
    with warnings.catch_warnings(), other_datums(None):
        warnings.simplefilter("ignore", DataWarning)
        return open_raster(path, units, band, keep=min(keep, SHARED_BYTES))
