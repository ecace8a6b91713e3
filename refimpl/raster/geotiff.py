"""GeoTIFF in and out, without GDAL.

Section "Raster data".  Reading makes the valid mask once, from GDAL_NODATA, a mask band, NaN and infinities; no
sentinel travels inside.  A south-up file is flipped, a pixel-is-point file shifted by half a cell, and a rotated one
refused (refimpl/raster/tags.py).  Integers keep their dtype, so that class codes stay codes; floats are kept as stored
(halves as float32), unless the file carries a scale or an offset, which are applied in float64.  Nothing is decoded
before all that the file says of itself is checked (refimpl/raster/preflight.py).  Writing, on tifffile, is atomic and
deterministic: deflate strips, no time stamp.
Source: OGC GeoTIFF 1.1; GDAL's tags 42112 (metadata) and 42113 (nodata).
"""

from __future__ import annotations

import os

import numpy as np
import tifffile

from refimpl.errors import InputError
from refimpl.files import atomic_path, existing_file
from refimpl.raster.directory import Directory, Source, read_directories
from refimpl.raster.grid import Grid, Raster
from refimpl.raster.pixels_of_tiff import in_threads, read_window
from refimpl.raster.preflight import MOST_BYTES, Layout, layout_of, most_bytes_allowed
from refimpl.raster.tags import (
    GDAL_METADATA,
    GDAL_NODATA,
    gdal_metadata,
    geo_tags,
    georeference,
    nodata_like,
    raster_tags,
)

_STRIP_BYTES, _BLOCK_CELLS = 2**18, 2**16
_SUBFILE, _IS_MASK = 254, 4


def read_raster(
    path: str | os.PathLike,
    units: str = "",
    band: int = 1,
    window: tuple[int, int, int, int] | None = None,
    most_bytes: int | None = None,
) -> Raster:
    """One band (1-based) of a GeoTIFF, or a window of it.

    ``units`` names the values; if empty, the unit in the file's GDAL metadata is taken.  ``window`` is (row start, row
    stop, column start, column stop), counted from the north-west corner; only the strips or tiles that it touches are
    read.  ``most_bytes`` allows a larger raster, or a file that claims more pixels for its bytes, than usual (default:
    ``REFIMPL_MOST_BYTES``).

    Returns
    -------
    Raster of shape (rows, cols), north up, values in the file's dtype (float64 where a scale or offset applies).

    Raises
    ------
    InputError
        The file is missing, damaged or no TIFF; its compression, CRS or transform is not understood; no such band.

    >>> import tempfile
    >>> from refimpl.raster.projection import WGS84
    >>> raster = Raster(np.arange(6.0).reshape(2, 3), np.ones((2, 3), bool), Grid(WGS84, (100, 40, 1, -1), (2, 3)))
    >>> path = tempfile.mkdtemp() + "/a.tif"
    >>> write_raster(path, raster)
    >>> part = read_raster(path, window=(1, 2, 1, 3))
    >>> part.values.tolist(), part.grid.transform
    ([[4.0, 5.0]], (101.0, 39.0, 1.0, -1.0))
    """
    path = existing_file(path, "a GeoTIFF")
    where = str(path)
    with open(path, "rb") as handle:
        source = Source(handle, where)
        pages = read_directories(source)
        layout, tags = layout_of(pages[0], most_bytes), geo_tags(pages[0])
        grid_of, flipped = georeference(tags, where)
        grid = grid_of(layout.shape)
        part = _window(window, layout.shape, where)
        rows = (layout.shape[0] - part[1], layout.shape[0] - part[0]) if flipped else part[:2]
        nodata = nodata_like(tags.get(GDAL_NODATA), _dtype_read(layout), where)
        scale, offset, unit = gdal_metadata(tags.get(GDAL_METADATA), band, where)
        if band not in range(1, layout.bands + 1):
            raise InputError(f"{where}: has no band {band}, it has {layout.bands}; choose one from 1 to {layout.bands}")
        _check_memory(layout, part, where, most_bytes)
        values = read_window(source, layout, band, (*rows, *part[2:]), 0 if nodata is None else nodata)
        mask = _mask(pages, layout.shape, (*rows, *part[2:]), most_bytes)
    values = values.astype(_dtype_read(layout), copy=False)
    valid = _masked(values, nodata, mask)
    if (scale, offset) != (1.0, 0.0):
        values = np.where(valid, values.astype(float) * scale + offset, 0.0)
    if flipped:
        values, valid = np.ascontiguousarray(values[::-1]), np.ascontiguousarray(valid[::-1])
    return Raster.unchecked(values, valid, _part(grid, part), units or unit)


def _window(window, shape: tuple[int, int], where: str) -> tuple[int, int, int, int]:
    """The window asked for, checked; all of the raster for None."""
    if window is None:
        return 0, shape[0], 0, shape[1]
    part = tuple(int(number) for number in window)
    fits = len(part) == 4 and 0 <= part[0] < part[1] <= shape[0] and 0 <= part[2] < part[3] <= shape[1]
    if not fits or part != tuple(window):
        raise InputError(
            f"{where}: has no window {tuple(window)}; expected row start, row stop, column start, column stop within "
            f"{shape[0]} rows and {shape[1]} columns"
        )
    return part


def _part(grid: Grid, part: tuple[int, int, int, int]) -> Grid:
    """The grid of a window."""
    (x0, y0, dx, dy), shape = grid.transform, (part[1] - part[0], part[3] - part[2])
    return Grid(grid.crs, (x0 + part[2] * dx, y0 + part[0] * dy, dx, dy), shape)


def _dtype_read(layout: Layout) -> np.dtype:
    """The dtype of the values: halves, in which little can be calculated, become float32."""
    dtype = layout.dtype.newbyteorder("=")
    return np.dtype(np.float32) if dtype == np.float16 else dtype


def _check_memory(layout: Layout, part: tuple[int, int, int, int], where: str, most_bytes: int | None) -> None:
    size = (part[1] - part[0]) * (part[3] - part[2]) * layout.dtype.itemsize
    if size > most_bytes_allowed(most_bytes, MOST_BYTES):
        raise InputError(
            f"{where}: a band takes {size} bytes of memory; read a window of it, make it coarser with "
            "'gdalwarp -r average -tr', or allow it with REFIMPL_MOST_BYTES"
        )


def _mask(pages: list[Directory], shape: tuple[int, int], window, most_bytes: int | None) -> np.ndarray | None:
    """GDAL's internal mask (a page whose subfile type is that of a mask), if there is one: nonzero is valid."""
    for page in pages[1:]:
        if page.integer(_SUBFILE, 0) == _IS_MASK:
            layout = layout_of(page, most_bytes)
            if layout.shape == shape:
                return read_window(page.source, layout, 1, window) != 0
    return None


def _masked(values: np.ndarray, nodata, mask: np.ndarray | None) -> np.ndarray:
    """Where the values are valid; in ``values`` itself, the others become 0."""
    every = np.ones(values.shape, bool)
    step = max(1, _BLOCK_CELLS // values.shape[1])

    def block(part: int) -> None:
        rows = slice(part * step, (part + 1) * step)
        _mask_block(values[rows], every[rows], nodata, None if mask is None else mask[rows])

    if values.dtype.kind == "f" or nodata is not None or mask is not None:
        in_threads(block, -(-values.shape[0] // step))
    return every


def _mask_block(values: np.ndarray, into: np.ndarray, nodata, mask: np.ndarray | None) -> None:
    """The same for some rows, few enough to stay in the processor's cache."""
    valid = np.isfinite(values) if values.dtype.kind == "f" else np.ones(values.shape, bool)
    if nodata is not None:
        valid &= values != nodata
    if mask is not None:
        valid &= mask
    if not valid.all():
        into[:] = valid
        np.copyto(values, 0, where=~valid)


def write_raster(path: str | os.PathLike, raster: Raster, nodata: float | None = None, description: str = "") -> None:
    """Write ``raster`` as a deflate-compressed GeoTIFF; GDAL reads the same CRS, transform, values and nodata.

    ``nodata`` stands for invalid cells: default NaN for floats; integers need one where any cell is invalid.
    Same raster, same bytes.  Units and ``description`` go into GDAL's metadata.

    Raises
    ------
    InputError
        The folder cannot be written.
    ValueError
        ``nodata`` does not fit the dtype, is missing, or is the value of a valid cell.
    """
    values, valid = raster.values, raster.valid
    nodata = float("nan") if nodata is None and values.dtype.kind == "f" else nodata
    if nodata is None and not valid.all():
        raise ValueError("integer raster with invalid cells: name the nodata value that stands for them")
    if nodata is not None:
        fill = nodata_like(str(nodata), values.dtype, str(path))
        if fill is None:
            raise ValueError(f"nodata {nodata} does not fit {values.dtype}")
        if np.any(valid & (values == fill)):
            raise ValueError(f"nodata {nodata} is also the value of valid cells; choose another")
        values, nodata = np.where(valid, values, fill), fill.item()
    if values.dtype == np.float16:
        values = values.astype(np.float32)
    with atomic_path(path) as temporary:
        tifffile.imwrite(
            temporary,
            values,
            photometric="minisblack",
            compression="zlib",
            predictor=False,
            rowsperstrip=max(1, _STRIP_BYTES // (values.shape[1] * values.dtype.itemsize)),
            metadata=None,
            software=False,
            extratags=raster_tags(raster, nodata, description),
            maxworkers=1,
        )
