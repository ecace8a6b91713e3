"""PNG rasters: class maps and quick looks with a world file beside them.

Section "Raster data".  Greys of 1, 2, 4, 8 and 16 bits are taken as stored, colours of 8 bits by band.  Of a palette
the numbers are the values, for they are class codes.  A cell is invalid where its alpha is 0 or its colour is the
transparent one (tRNS).

Pillow decodes the pixels.  Before that, every chunk is checked (length, checksum, order), and so is the size that is
claimed.  Pillow alone does not compare the checksum of pixels: of 1,500 damaged files it gave 18 with other values.
Its ``verify`` does, but tells less of the fault ("chunk b'IEN'" of a file that is cut short) and lets doubled chunks
pass.  Pillow cuts colours of 16 bits to 8; they are refused.
Source: PNG (ISO/IEC 15948), chapters 5 and 11.
"""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np
from PIL import PngImagePlugin

from refimpl.earth.crs import CRS
from refimpl.earth.grid import Grid, Raster, Window
from refimpl.errors import InputError
from refimpl.formats.preflight import DEFLATE, MOST_BYTES, MOST_SHRUNK, MOST_UNWRITTEN, most_bytes_allowed
from refimpl.formats.side_files import with_side_files
from refimpl.formats.tags import GDAL_METADATA, GDAL_NODATA, gdal_metadata, georeference, nodata_like

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_BANDS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""By colour type: grey, colours, palette, grey and alpha, colours and alpha."""
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8,), 3: (1, 2, 4, 8), 4: (8,), 6: (8,)}
_CONVERT = "convert it with 'gdal_translate IN.png OUT.tif'"


@dataclass(frozen=True)
class PngHeader:
    """What the first chunk says of the image."""

    shape: tuple[int, int]
    depth: int
    colour: int

    @property
    def bands(self) -> int:
        """Numbers in a pixel."""
        return _BANDS[self.colour]

    @property
    def dtype(self) -> np.dtype:
        """uint8, or uint16 where the file has 16 bits."""
        return np.dtype(np.uint16 if self.depth == 16 else np.uint8)


class OpenPng:
    """A PNG decoded whole, with the members of ``RasterFile``: ``grid``, ``dtype``, ``units``, ``nodata``, ``part``."""

    def __init__(self, raster: Raster, nodata=None):
        self.raster, self.grid, self.dtype, self.units = raster, raster.grid, raster.values.dtype, raster.units
        self.nodata = nodata

    def on(self, crs: CRS) -> OpenPng:
        """The same with another reference system."""
        return OpenPng(replace(self.raster, grid=replace(self.grid, crs=crs)), self.nodata)

    def part(self, window: Window) -> Raster:
        """The raster of (row start, row stop, column start, column stop)."""
        return self.raster.part(window)

    def __enter__(self) -> OpenPng:
        return self

    def __exit__(self, *exception) -> None:
        """There is nothing to close."""


def is_png(path: str | os.PathLike) -> bool:
    """Whether the first bytes are those of a PNG."""
    with open(path, "rb") as handle:
        return handle.read(8) == SIGNATURE


def open_png(path: str | os.PathLike, units: str = "", band: int = 1, most_bytes: int | None = None) -> OpenPng:
    """One band of a PNG, placed by its side files; parameters as for ``read_raster``.

    Raises
    ------
    InputError
        The file is damaged or too large, lacks the band, or nothing says where it lies.

    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> path = Path(tempfile.mkdtemp()) / "a.png"
    >>> Image.fromarray(np.array([[7, 11]], np.uint8)).save(path)
    >>> _ = path.with_name("a.pgw").write_text("0.5\\n0\\n0\\n-0.5\\n100.25\\n39.75\\n")
    >>> _ = path.with_name("a.prj").write_text("EPSG:4326")
    >>> with open_png(path) as image:
    ...     image.part((0, 1, 0, 2)).values.tolist(), image.grid.bounds
    ([[7, 11]], (100.0, 39.5, 101.0, 40.0))
    """
    where, tags = str(path), with_side_files(path, {}, band, world_first=True)
    values, valid = png_pixels(path, band, most_bytes)
    grid_of, flipped = georeference(tags, where)
    grid: Grid = grid_of(values.shape)
    nodata = nodata_like(tags.get(GDAL_NODATA), values.dtype, where)
    scale, offset, unit = gdal_metadata(tags.get(GDAL_METADATA), band, where)
    if nodata is not None:
        valid &= values != nodata
    if (scale, offset) != (1.0, 0.0):
        values = values * scale + offset
    if flipped:
        values, valid = values[::-1], valid[::-1]
    raster = Raster.masked(np.ascontiguousarray(values), np.ascontiguousarray(valid), grid, units or unit)
    return OpenPng(raster, nodata)


def png_pixels(path: str | os.PathLike, band: int = 1, most_bytes: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Values (rows, cols), uint8 or uint16, and where they are not transparent, (rows, cols) bool.

    Raises
    ------
    InputError
        The file is damaged or too large, its kind of pixels is not read, or it lacks the band.
    """
    where = str(path)
    with open(path, "rb") as handle:
        header = png_header(handle, where, most_bytes)
        if band not in range(1, header.bands + 1):
            raise InputError(
                f"{where}: has no band {band}, it has {header.bands}; choose one from 1 to {header.bands}"
            )
        handle.seek(0)
        try:
            # Not Image.open: its limit of pixels is meant for pictures; ours has just been checked.
            with PngImagePlugin.PngImageFile(handle) as image:
                image.load()
                pixels, clear = np.asarray(image), image.info.get("transparency")
        except Exception as fault:  # anything that Pillow raises here is the file's fault
            raise _damaged(where, str(fault) or type(fault).__name__) from fault
    if pixels.shape[:2] != header.shape or pixels.ndim != (2 if header.bands == 1 else 3):
        raise _damaged(where, f"decoded to {pixels.shape}")
    if header.colour == 0 and header.depth in (2, 4):  # Pillow stretches them to 0 .. 255
        pixels = pixels // (255 // (2**header.depth - 1))
    pixels = pixels.astype(header.dtype)
    values = pixels if header.bands == 1 else np.ascontiguousarray(pixels[..., band - 1])
    return values, _opaque(pixels, header, band, clear)


def _opaque(pixels: np.ndarray, header: PngHeader, band: int, clear) -> np.ndarray:
    """Where a cell is not wholly transparent; the alpha band itself is valid everywhere."""
    if header.colour in (4, 6) and band < header.bands:
        return pixels[..., -1] != 0
    if clear is None or header.colour in (4, 6):
        return np.ones(header.shape, bool)
    if header.colour == 3:
        alphas = np.full(256, 255)
        found = np.frombuffer(clear, np.uint8) if isinstance(clear, bytes) else np.array([], np.uint8)
        alphas[: len(found)] = found
        if isinstance(clear, int):
            alphas[clear] = 0
        return alphas[pixels] != 0
    # Pillow knows greys of one bit as 0 and 255.
    same = pixels == (np.asarray(clear) != 0 if header.depth == 1 else np.asarray(clear))
    return ~(same if header.bands == 1 else same.all(axis=-1))


def png_header(handle: BinaryIO, where: str, most_bytes: int | None = None) -> PngHeader:
    """What the first chunk says, after a check of all chunks and of the size that it claims.

    Raises
    ------
    InputError
        A chunk is cut short, damaged or missing; more pixels than the bytes can hold, or than are allowed.
    """
    size, place, kinds, header = handle.seek(0, os.SEEK_END), len(SIGNATURE), [], None
    while place < size and (not kinds or kinds[-1] != b"IEND"):
        handle.seek(place)
        length, kind = struct.unpack(">I4s", handle.read(8).ljust(8, b"\0"))
        if place + 12 + length > size:
            raise _damaged(where, f"it is cut short: {place + 12 + length} bytes expected, {size} found")
        if not _sound(handle, kind, length):
            raise _damaged(where, f"the checksum of chunk {kind.decode('latin-1')!r} is another")
        if not kinds:
            handle.seek(place + 8)
            header = _first(kind, handle.read(length), where)
        kinds.append(kind)
        place += 12 + length
    if header is None or kinds[-1] != b"IEND" or kinds.count(b"IHDR") != 1 or b"IDAT" not in kinds:
        raise _damaged(where, "a chunk that it must have is missing or stands twice")
    if header.colour == 3 and kinds.count(b"PLTE") != 1:
        raise _damaged(where, "it has no palette, or two")
    claimed = header.shape[0] * header.shape[1] * header.bands * header.dtype.itemsize
    if claimed > max(MOST_UNWRITTEN, MOST_SHRUNK[DEFLATE] * size) * 8 // min(header.depth, 8):
        raise _damaged(where, f"{size} bytes claim to hold {claimed}")
    if claimed > most_bytes_allowed(most_bytes, MOST_BYTES):
        raise InputError(
            f"{where}: takes {claimed} bytes of memory; make it coarser with 'gdalwarp -r average -tr', or allow it "
            "with REFIMPL_MOST_BYTES"
        )
    return header


def _sound(handle: BinaryIO, kind: bytes, length: int) -> bool:
    """Whether the checksum of the chunk whose content starts here is right."""
    total = zlib.crc32(kind)
    while length:
        piece = handle.read(min(length, 2**20))
        if not piece:
            return False
        total, length = zlib.crc32(piece, total), length - len(piece)
    return handle.read(4) == struct.pack(">I", total)


def _first(kind: bytes, content: bytes, where: str) -> PngHeader:
    """The header, if its numbers can be true."""
    if kind != b"IHDR" or len(content) != 13:
        raise _damaged(where, "it does not begin with its header")
    width, height, depth, colour, packing, filters, interlaced = struct.unpack(">IIBBBBB", content)
    if colour in (2, 4, 6) and depth == 16:
        raise InputError(f"{where}: its colours have 16 bits, expected 8 (grey may have 16); {_CONVERT}")
    known = depth in _DEPTHS.get(colour, ()) and (packing, filters) == (0, 0) and interlaced in (0, 1)
    if not known or not (0 < width < 2**31 and 0 < height < 2**31):
        raise _damaged(where, f"{height} rows, {width} columns, {depth} bits, colour type {colour}")
    return PngHeader((height, width), depth, colour)


def _damaged(where: str, what: str) -> InputError:
    words = " ".join(what.split())[:200]
    return InputError(f"{where}: cannot be read as a PNG ({words}); copy it again, or {_CONVERT}")
