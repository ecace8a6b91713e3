"""Codes in a file (whole numbers of 0 or more, such as province codes or classes), read window by window.

Section "Raster data".  Floats without fractions and uint64 become int64.  ``largest_code`` reads a whole file once,
window by window, so that a raster of any size is checked in little memory.
"""

from __future__ import annotations

import functools
import os

import numpy as np

from refimpl.earth.grid import Raster, Window
from refimpl.errors import InputError
from refimpl.windows.stored import Stored
from refimpl.windows.walks import windows


class StoredCodes(Stored):
    """A file of codes; ``what`` names them in messages ("province codes", say).

    ``part`` raises an InputError for a value with a fraction; ``largest_code`` finds all faults beforehand.

    >>> import tempfile
    >>> from refimpl.earth.grid import Grid
    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> from refimpl.formats.writing import write_raster
    >>> path = tempfile.mkdtemp() + "/zones.tif"
    >>> floats = Raster(np.array([[11.0, 12.0]]), np.ones((1, 2), bool), Grid(ALBERS_CHINA, (0, 0, 1, -1), (1, 2)))
    >>> write_raster(path, floats)
    >>> codes = StoredCodes(path, "province codes")
    >>> codes.part((0, 1, 0, 2)).values.tolist(), largest_code(codes)
    ([[11, 12]], 12)
    """

    def __init__(self, path: str | os.PathLike, what: str):
        super().__init__(path)
        self.named, self.what = path, what

    @functools.cached_property
    def dtype(self) -> np.dtype:
        """The file's dtype if it is an integer type that int64 holds, else int64."""
        found = self._file.dtype
        return np.dtype(np.int64) if found.kind == "f" or found == np.uint64 else found

    def part(self, window: Window) -> Raster:
        """The codes of (row start, row stop, column start, column stop)."""
        found = super().part(window)
        values = found.values
        if values.dtype == np.uint64:
            values = np.minimum(values, np.iinfo(np.int64).max)
        codes = values.astype(self.dtype, copy=False)
        if values.dtype.kind == "f" and not np.array_equal(codes, values):
            row, column = np.argwhere(codes != values)[0]
            raise InputError(
                f"{self.named}: {values[row, column]} at row {row + window[0]}, column {column + window[2]}; expected "
                f"whole numbers ({self.what})"
            )
        return Raster.unchecked(codes, found.valid, found.grid, found.units)


def largest_code(codes: StoredCodes) -> int:
    """The largest of all codes of a file.

    Raises
    ------
    InputError
        A value with a fraction or below 0, or no valid cell.
    """
    least, most, known = 0, 0, False
    for window in windows(codes.grid.shape):
        part = codes.part(window)
        least, most = min(least, int(part.values.min())), max(most, int(part.values.max()))
        known = known or bool(part.valid.any())
    if least < 0:
        raise InputError(f"{codes.named}: holds {least}; expected {codes.what}, declare negative values as nodata")
    if not known:
        raise InputError(f"{codes.named}: has no valid cell; expected {codes.what}, check its nodata value")
    return most
