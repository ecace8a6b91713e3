"""A raster in a file as a source that can be handed to another process.

Section "Raster data".  The file is opened where and when it is first read, and stays open as long as the source lives.
Another process is sent its name, and what its head says in this process.  So workers on one or many machines read their
windows from one shared file.
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
    """One band of a raster file; ``units`` and ``keep`` as for ``open_raster``.

    ``keep=0`` suits a file that is only walked by ``windows``.

    What is done with another datum is decided where the file is first opened (``other_datums``), also for other
    processes.

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
        """The open file; it is opened once, by the first thread that asks."""
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
        """That of the file."""
        return self._file.grid

    @functools.cached_property
    def units(self) -> str:
        """Those given, or the file's."""
        return self._file.units

    @functools.cached_property
    def dtype(self) -> np.dtype:
        """That of the values read."""
        return self._file.dtype

    @functools.cached_property
    def stored_dtype(self) -> np.dtype:
        """That of the file."""
        return self._file.dtype

    @functools.cached_property
    def nodata(self):
        """The value of invalid cells in the file; None if it names none."""
        return self._file.nodata

    def part(self, window: Window) -> Raster:
        """The cells of (row start, row stop, column start, column stop)."""
        found = self._file.part(window)
        return Raster.unchecked(found.values, found.valid, self.grid.part(window), self.units)

    def close(self) -> None:
        """Close the file; the next window opens it again.  A file that tasks of a worker share stays open."""
        found = self.__dict__.pop("_opened", None)
        if found is not None and self._own:
            found.__exit__()

    def __getstate__(self) -> dict:
        for name in ("grid", "units", "dtype", "stored_dtype", "nodata"):
            getattr(self, name)
        return {name: value for name, value in self.__dict__.items() if name not in ("_opened", "_own")}


OPENING = threading.RLock()
"""Held while a file is opened, so that it is opened once.  Python silences warnings for all threads of a process."""
SHARED_BYTES = 2**24
"""Bytes of decoded strips and tiles that are kept of a file which tasks share: a worker holds several such files."""


def state_of(path: Path) -> tuple[int, int, int]:
    """Inode, time and size of a file that another process named: they tell it from an older file of that name.

    Raises
    ------
    InputError
        The file is not there.
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
    """A file that another process opened before; it stays open, because the next task reads a window of it as well.

    ``state`` tells it from an older file of that name.  Its warnings were given where it was opened first.
    """
    with warnings.catch_warnings(), other_datums(None):
        warnings.simplefilter("ignore", DataWarning)
        return open_raster(path, units, band, keep=min(keep, SHARED_BYTES))
