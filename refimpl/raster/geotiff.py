"""GeoTIFF in and out, on tifffile, without GDAL.

Section "Raster data".  Reading makes the valid mask once, from GDAL_NODATA, a mask band, NaN and infinities; no
sentinel travels inside.  A south-up file is flipped, a pixel-is-point file shifted by half a cell, and a rotated one
refused (refimpl/raster/tags.py).  Integers keep their dtype, so that class codes stay codes; floats are kept as stored,
unless the file carries a scale or an offset, which are applied in float64.  Writing is atomic and deterministic:
deflate strips, no time stamp.
Source: OGC GeoTIFF 1.1; GDAL's tags 42112 (metadata) and 42113 (nodata).
"""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import tifffile

from refimpl.errors import InputError
from refimpl.files import atomic_path, existing_file
from refimpl.raster.grid import Raster
from refimpl.raster.tags import GDAL_METADATA, GDAL_NODATA, gdal_metadata, georeference, nodata_like, raster_tags

# What tifffile would log about a file is told here, in one sentence, or does not matter.
logging.getLogger("tifffile").addHandler(logging.NullHandler())

_STRIP_BYTES = 2**18
_MOST_DEFLATED = 1100
"""Deflate shrinks no data more than about 1030 times."""


def read_raster(path: str | os.PathLike, units: str = "", band: int = 1) -> Raster:
    """One band (1-based) of a GeoTIFF.

    ``units`` names the values; if empty, the unit in the file's GDAL metadata is taken.

    Returns
    -------
    Raster of shape (rows, cols), north up, values in the file's dtype (float64 where a scale or offset applies).

    Raises
    ------
    InputError
        The file is missing, damaged or no TIFF; its compression, CRS or transform is not understood; no such band.
    """
    path = existing_file(path, "a GeoTIFF")
    where = str(path)
    with _damage_told(where), tifffile.TiffFile(path) as handle:
        page = handle.pages[0]
        tags = {tag.code: tag.value for tag in page.tags.values()}
        grid_of, flipped = georeference(tags, where)
        nodata = nodata_like(tags.get(GDAL_NODATA), page.dtype, where)
        page.nodata = 0 if nodata is None else nodata.item()  # tiles that a sparse file leaves out
        values = _band(page, handle, band, where)
        mask = _mask_page(handle, page, where)
    scale, offset, unit = gdal_metadata(tags.get(GDAL_METADATA), band, where)
    valid = np.isfinite(values) if values.dtype.kind == "f" else np.ones(values.shape, bool)
    if nodata is not None:
        valid &= values != nodata
    if mask is not None:
        valid &= mask
    if not valid.all():
        values = np.where(valid, values, values.dtype.type(0))
    if (scale, offset) != (1.0, 0.0):
        values = np.where(valid, values.astype(float) * scale + offset, 0.0)
    if flipped:
        values, valid = np.ascontiguousarray(values[::-1]), np.ascontiguousarray(valid[::-1])
    return Raster(values, valid, grid_of(values.shape), units or unit)


@contextmanager
def _damage_told(where: str) -> Iterator[None]:
    """One sentence for whatever a damaged file makes tifffile raise, which may be anything."""
    try:
        yield
    except (InputError, MemoryError):
        raise
    except Exception as fault:
        reason = " ".join(str(fault).split())
        raise InputError(
            f"{where}: cannot be read as a TIFF ({reason}); expected a GeoTIFF, convert it with gdal_translate"
        ) from fault


def _band(page, handle, band: int, where: str) -> np.ndarray:
    """The pixels of one band, native byte order."""
    samples = page.samplesperpixel
    if band not in range(1, samples + 1):
        raise InputError(f"{where}: has no band {band}, it has {samples}; choose one from 1 to {samples}")
    if page.dtype is None or np.dtype(page.dtype).kind not in "fiub":
        raise InputError(f"{where}: its pixels are not real numbers; convert it with 'gdal_translate -ot Float32'")
    _check_layout(page, handle.filehandle.size, where)
    try:
        pixels = page.asarray()
    except (ImportError, NotImplementedError, ValueError) as fault:
        if not isinstance(fault, ImportError) and "imagecodecs" not in str(fault):
            raise
        nbits = "-co NBITS=8 " if np.max(page.bitspersample) < 8 else ""
        named = [getattr(kind, "name", kind) for kind in (page.compression, page.predictor, page.bitspersample)]
        raise InputError(
            f"{where}: its pixels (compression {named[0]}, predictor {named[1]}, {named[2]} bits) need a codec that "
            f"is not installed; rewrite it with "
            f"'gdal_translate -co COMPRESS=DEFLATE -co PREDICTOR=1 {nbits}IN.tif OUT.tif'"
        ) from fault
    if samples > 1:
        pixels = np.take(pixels, band - 1, axis=0 if page.planarconfig == 2 else -1)
    pixels = pixels.reshape(page.imagelength, page.imagewidth)
    return pixels.astype(np.uint8 if pixels.dtype == bool else pixels.dtype.newbyteorder("="), copy=False)


def _check_layout(page, file_size: int, where: str) -> None:
    """Refuse a file that is cut short or whose header claims more than its bytes can hold."""
    ends = [start + count for start, count in zip(page.dataoffsets, page.databytecounts)]
    if max(ends, default=0) > file_size:
        raise InputError(f"{where}: is cut short, {max(ends)} bytes expected and {file_size} found; copy it again")
    claimed = math.prod(page.chunks) * np.dtype(page.dtype).itemsize
    if math.prod(page.chunked) != len(ends) or claimed > max(_MOST_DEFLATED * max(page.databytecounts), 2**28):
        raise InputError(f"{where}: its header is damaged, its sizes do not fit its bytes; copy it again")


def _mask_page(handle, page, where: str) -> np.ndarray | None:
    """GDAL's internal mask (a page whose subfile type has bit 2 set), if there is one: nonzero is valid."""
    for other in handle.pages[1:]:
        kind = other.tags.get(254)
        if kind is not None and int(kind.value) == 4 and other.imagelength == page.imagelength:
            return _band(other, handle, 1, where + " (mask)") != 0
    return None


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
        values = np.where(valid, values, fill)
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
