"""Reading GeoTIFFs, whole or by windows, without GDAL.

Section "Raster data".  Reading makes the valid mask once, from GDAL_NODATA, a mask or alpha band, NaN and infinities;
from then on no number stands for "no value".  Side files count as the file's own tags (refimpl/formats/side_files.py),
and a PNG is read too.  A south-up file is flipped, a pixel-is-point file shifted by half a cell, and a rotated one
refused (refimpl/formats/tags.py).  Integers keep their dtype, so that class codes stay codes.  Floats are kept as
stored (float16 as float32), unless the file carries a scale or an offset, which are applied in float64.  Nothing is
decoded before all that the file says of itself is checked (refimpl/formats/preflight.py).  Why this stands neither on
tifffile nor on Pillow is told where their work is done: directory, decoding, codecs, pixels_of_tiff, png.
Source: OGC GeoTIFF 1.1; GDAL's tags 42112 (metadata) and 42113 (nodata).
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import BinaryIO

import numpy as np

from refimpl.earth.datum import on_our_datum
from refimpl.earth.grid import Raster, Window
from refimpl.earth.threads import in_threads
from refimpl.errors import InputError
from refimpl.formats.alpha import alpha_band
from refimpl.formats.directory import Directory, FileBytes, damaged, read_directories
from refimpl.formats.files import existing_file
from refimpl.formats.foreign import refuse_foreign
from refimpl.formats.mask_file import open_mask_file
from refimpl.formats.pixels_of_tiff import Kept, read_window
from refimpl.formats.png import OpenPng, is_png, open_png
from refimpl.formats.preflight import MASK, MOST_BYTES, SUBFILE, Layout, layout_of, most_bytes_allowed
from refimpl.formats.side_files import with_side_files
from refimpl.formats.tags import (
    GDAL_METADATA,
    GDAL_NODATA,
    gdal_metadata,
    geo_tags,
    georeference,
    nodata_like,
)

_BLOCK_CELLS = 2**16
KEPT_BYTES = 2**26
"""Bytes of decoded strips and tiles that an open file keeps, unless told otherwise."""


def read_raster(
    path: str | os.PathLike,
    units: str = "",
    band: int = 1,
    window: Window | None = None,
    most_bytes: int | None = None,
    ignore_datum: bool | None = None,
) -> Raster:
    """One band (1-based) of a GeoTIFF, or a window of it.

    ``units`` names the values; if empty, the unit in the file's GDAL metadata is taken.  ``window`` is (row start, row
    stop, column start, column stop), counted from the north-west corner; only the strips or tiles that it touches are
    read.  ``most_bytes`` allows a larger raster, or a file that claims more pixels for its bytes, than usual (default:
    ``REFIMPL_MOST_BYTES``).  ``ignore_datum`` says what becomes of coordinates on another datum than WGS 84: False
    refuses them, True takes them as they are, with a DataWarning, and None decides when two rasters meet.

    Returns
    -------
    Raster of shape (rows, cols), north up, values in the file's dtype (float64 where a scale or offset applies).

    Raises
    ------
    InputError
        The file is missing, damaged or no TIFF; its compression, CRS or transform is not understood; it lacks the band.

    >>> import tempfile
    >>> from refimpl.earth.grid import Grid
    >>> from refimpl.earth.projection import WGS84
    >>> from refimpl.formats.writing import write_raster
    >>> raster = Raster(np.arange(6.0).reshape(2, 3), np.ones((2, 3), bool), Grid(WGS84, (100, 40, 1, -1), (2, 3)))
    >>> path = tempfile.mkdtemp() + "/a.tif"
    >>> write_raster(path, raster)
    >>> part = read_raster(path, window=(1, 2, 1, 3))
    >>> part.values.tolist(), part.grid.transform
    ([[4.0, 5.0]], (101.0, 39.0, 1.0, -1.0))
    """
    with open_raster(path, units, band, most_bytes, ignore_datum, keep=0) as raster:
        return raster.part((0, raster.grid.shape[0], 0, raster.grid.shape[1]) if window is None else window)


def open_raster(
    path: str | os.PathLike,
    units: str = "",
    band: int = 1,
    most_bytes: int | None = None,
    ignore_datum: bool | None = None,
    keep: int = KEPT_BYTES,
) -> RasterFile | OpenPng:
    """A band of a GeoTIFF to be read window by window, so that memory does not grow with its size.

    The parameters and errors are those of ``read_raster``; ``keep`` bytes of decoded strips or tiles stay in memory
    for the next windows.

    >>> import tempfile
    >>> from refimpl.earth.grid import Grid
    >>> from refimpl.earth.projection import WGS84
    >>> from refimpl.formats.writing import write_raster
    >>> path = tempfile.mkdtemp() + "/a.tif"
    >>> write_raster(path, Raster.masked(np.ones((2, 3)), np.eye(2, 3), Grid(WGS84, (100, 40, 1, -1), (2, 3))))
    >>> with open_raster(path) as raster:
    ...     raster.grid.shape, raster.dtype.name, raster.part((0, 1, 1, 3)).valid.tolist()
    ((2, 3), 'float64', [[False, False]])
    """
    refuse_foreign(path)
    path = existing_file(path, "a GeoTIFF")
    if is_png(path):
        image = open_png(path, units, band, most_bytes)
        return image.on(on_our_datum(image.grid.crs, ignore_datum, str(path)))
    handle = open(path, "rb")
    try:
        return RasterFile(handle, str(path), units, band, most_bytes, ignore_datum, keep)
    except BaseException:
        handle.close()
        raise


class RasterFile:
    """One band of an open file: ``grid``, ``dtype`` and ``units`` as the ``Raster`` has them, and ``part(window)``.

    ``nodata`` is what the file has in invalid cells, None where it names nothing.  A context manager; ``open_raster``
    makes it.
    """

    def __init__(self, handle: BinaryIO, where: str, units, band: int, most_bytes, ignore_datum, keep: int):
        self._file = FileBytes(handle, where)
        pages = read_directories(self._file)
        self._layout, tags = layout_of(pages[0], most_bytes), with_side_files(where, geo_tags(pages[0]), band)
        grid_of, self._flipped = georeference(tags, where)
        grid = grid_of(self._layout.shape)
        self.grid = replace(grid, crs=on_our_datum(grid.crs, ignore_datum, where))
        self.nodata = nodata_like(tags.get(GDAL_NODATA), _dtype_read(self._layout), where)
        self._scale, self._offset, unit = gdal_metadata(tags.get(GDAL_METADATA), band, where)
        self.units, self._most_bytes = units or unit, most_bytes
        bands = self._layout.bands
        if band not in range(1, bands + 1):
            raise InputError(f"{where}: has no band {band}, it has {bands}; choose one from 1 to {bands}")
        self._alpha = alpha_band(pages[0], bands)
        self._alpha = None if self._alpha == band else self._alpha
        inside = _mask_layout(pages, self._layout.shape, most_bytes)
        beside = None if inside is not None else open_mask_file(where, self._layout.shape, band, most_bytes)
        self._mask = beside if inside is None else (self._file, inside, 1)
        self._band, self._kept = band, [Kept(keep), Kept(keep // 8), Kept(keep // 8)] if keep else [None] * 3

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the values read: float64 where a scale or offset applies."""
        return np.dtype(float) if (self._scale, self._offset) != (1.0, 0.0) else _dtype_read(self._layout)

    def part(self, window: Window) -> Raster:
        """The raster of (row start, row stop, column start, column stop), counted from the north-west corner.

        Raises
        ------
        InputError
            The window is not inside the raster, or what the file holds there is damaged.
        """
        layout, where = self._layout, self._file.where
        part = checked_window(window, layout.shape, where)
        _check_memory(layout, part, where, self._most_bytes)
        rows = (layout.shape[0] - part[1], layout.shape[0] - part[0]) if self._flipped else part[:2]
        stored, fill = (*rows, *part[2:]), 0 if self.nodata is None else self.nodata
        values = read_window(self._file, layout, self._band, stored, fill, self._kept[0])
        values, mask = values.astype(_dtype_read(layout), copy=False), None
        if self._mask is not None:
            mask = read_window(*self._mask, stored, kept=self._kept[1]) != 0
        if self._alpha is not None:
            opaque = read_window(self._file, layout, self._alpha, stored, kept=self._kept[2]) != 0
            mask = opaque if mask is None else mask & opaque
        valid = _masked(values, self.nodata, mask)
        if (self._scale, self._offset) != (1.0, 0.0):
            with np.errstate(over="ignore"):
                values = values.astype(float) * self._scale + self._offset
            valid &= np.isfinite(values)
            values = np.where(valid, values, 0.0)
        if self._flipped:
            values, valid = np.ascontiguousarray(values[::-1]), np.ascontiguousarray(valid[::-1])
        return Raster.unchecked(values, valid, self.grid.part(part), self.units)

    def __enter__(self) -> RasterFile:
        return self

    def __exit__(self, *exception) -> None:
        for file in (self._file, *(self._mask or ())[:1]):
            file.handle.close()


def checked_window(window, shape: tuple[int, int], where: str) -> Window:
    """The window asked for, as whole numbers, if it holds a cell and lies in the raster; ``where`` begins the sentence.

    Raises
    ------
    InputError
        It does not.

    >>> checked_window((0, 2, 1, 3), (2, 3), "a.tif")
    (0, 2, 1, 3)
    """
    part = tuple(int(number) for number in window)
    fits = len(part) == 4 and 0 <= part[0] < part[1] <= shape[0] and 0 <= part[2] < part[3] <= shape[1]
    if not fits or part != tuple(window):
        raise InputError(
            f"{where}: has no window {tuple(window)}; expected row start, row stop, column start, column stop within "
            f"{shape[0]} rows and {shape[1]} columns"
        )
    return part


def _dtype_read(layout: Layout) -> np.dtype:
    """The dtype of the values: float16, in which little can be calculated, becomes float32."""
    dtype = layout.dtype.newbyteorder("=")
    return np.dtype(np.float32) if dtype == np.float16 else dtype


def _check_memory(layout: Layout, part: tuple[int, int, int, int], where: str, most_bytes: int | None) -> None:
    size = (part[1] - part[0]) * (part[3] - part[2]) * layout.dtype.itemsize
    if size > most_bytes_allowed(most_bytes, MOST_BYTES):
        raise InputError(
            f"{where}: a band takes {size} bytes of memory; read a window of it, make it coarser with "
            "'gdalwarp -r average -tr', or allow it with REFIMPL_MOST_BYTES"
        )


def _mask_layout(pages: list[Directory], shape: tuple[int, int], most_bytes: int | None) -> Layout | None:
    """Where GDAL's internal mask lies, if there is one: a page whose kind is mask, in which 0 is invalid."""
    for page in pages[1:]:
        if page.integer(SUBFILE, 0) == MASK:
            layout = layout_of(page, most_bytes)
            if layout.shape != shape:
                raise damaged(page.file.where, f"its mask has {layout.shape} rows and columns, the image {shape}")
            return layout
    return None


def _masked(values: np.ndarray, nodata, mask: np.ndarray | None) -> np.ndarray:
    """Where the values are valid; the others become 0, in ``values`` itself."""
    every = np.ones(values.shape, bool)
    step = max(1, _BLOCK_CELLS // values.shape[1])

    def block(part: int) -> None:
        rows = slice(part * step, (part + 1) * step)
        _mask_block(values[rows], every[rows], nodata, None if mask is None else mask[rows])

    if values.dtype.kind == "f" or nodata is not None or mask is not None:
        in_threads(block, -(-values.shape[0] // step))
    return every


def _mask_block(values: np.ndarray, into: np.ndarray, nodata, mask: np.ndarray | None) -> None:
    """The same for some rows, few enough to stay in the processor's cache; ``into`` receives where they are valid."""
    valid = np.isfinite(values) if values.dtype.kind == "f" else np.ones(values.shape, bool)
    if nodata is not None:
        valid &= values != nodata
    if mask is not None:
        valid &= mask
    if not valid.all():
        into[:] = valid
        np.copyto(values, 0, where=~valid)
