"""Decoding one strip or tile of a TIFF: from its bytes in the file to pixels.

Section "Raster data".  Deflate stands on zlib, LZMA on lzma, LZW and PackBits on kernels.  ZSTD, which Python has from
3.14 on, stands on the libtiff in Pillow: its bytes are handed over as the only strip of an image of plain bytes, since
Pillow does not know all types of pixels.

Deflate and LZMA do not stand on Pillow because its libtiff stops at the last pixel, before the checksum: of 1,500
damaged strips of each it passed 148 of deflate and 89 of LZMA that are refused here.  tifffile without imagecodecs
reads neither LZW nor ZSTD nor predictor 3.
Source: TIFF 6.0; RFC 8878 for the frames of ZSTD.
"""

from __future__ import annotations

import io
import lzma
import struct
import zlib
from collections.abc import Callable

import numpy as np

from refimpl.errors import InputError
from refimpl.formats.codecs import lzw_decode, packbits_decode
from refimpl.formats.directory import damaged
from refimpl.formats.predictors import undo_differences, undo_float_differences
from refimpl.formats.preflight import DEFLATE, LZMA, LZW, NONE, OLD_DEFLATE, PACKBITS, ZSTD, Layout

_MOST_BEYOND = 2**24
"""Bytes after the last pixel that are decoded to reach a checksum."""


def decoded(layout: Layout, data: bytes, rows: int, where: str, whole: bool = True) -> np.ndarray:
    """The first ``rows`` rows of a segment, (rows, columns, samples) in this machine's byte order.

    ``whole``: these are all rows of the segment, so that a checksum at its end can be compared.

    Raises
    ------
    InputError
        The codec cannot decode the bytes, or they hold fewer pixels.
    """
    size = rows * layout.row_bytes
    try:
        content = _DECODERS[layout.compression](data, size, layout.row_bytes, whole)
    except InputError as fault:
        raise InputError(f"{where}: {fault}") from fault
    except (ValueError, EOFError, OSError, zlib.error, lzma.LZMAError) as fault:
        raise damaged(where, f"the bytes of a strip or tile are no {_NAMES[layout.compression]}: {fault}") from fault
    octets = np.frombuffer(content, np.uint8)[:size]
    if len(octets) < size:
        raise damaged(where, f"a strip or tile holds {len(octets)} bytes, expected {size}")
    shape = rows, layout.chunk[1], layout.samples
    if layout.bits < 8:
        return _unpacked(octets.reshape(rows, -1), layout.bits)[:, : shape[1] * shape[2]].reshape(shape)
    if layout.predictor == 3:
        numbers = undo_float_differences(octets.reshape(rows, -1), layout.samples, layout.bits // 8)
        return numbers.view(layout.dtype.newbyteorder("=")).reshape(shape)
    pixels = octets.view(layout.dtype).reshape(shape)
    if not layout.dtype.isnative:
        pixels = pixels.astype(layout.dtype.newbyteorder("="))
    if layout.predictor == 2:
        return undo_differences(pixels.view(f"u{layout.bits // 8}")).view(pixels.dtype)
    return pixels


def _unpacked(octets: np.ndarray, bits: int) -> np.ndarray:
    """Samples of 1, 2 or 4 bits, the high ones first, as uint8."""
    shifts = np.arange(8 - bits, -1, -bits, dtype=np.uint8)
    return ((octets[..., None] >> shifts) & np.uint8((1 << bits) - 1)).reshape(len(octets), -1)


def _plain(data: bytes, size: int, row_bytes: int, whole: bool) -> bytes:
    return data


def _deflate(data: bytes, size: int, row_bytes: int, whole: bool) -> bytes:
    machine = zlib.decompressobj()
    content = machine.decompress(data, size)
    beyond = 0  # go on to the checksum, which shows damage that looks like pixels; the last strip may be padded
    while whole and len(content) == size and not machine.eof and beyond < _MOST_BEYOND:
        more = len(machine.decompress(machine.unconsumed_tail, 2**16))
        beyond += more
        if not more and not machine.eof:
            raise ValueError("its end is missing")
    return content


def _lzma(data: bytes, size: int, row_bytes: int, whole: bool) -> bytes:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=2**27).decompress(data, size)


def _lzw(data: bytes, size: int, row_bytes: int, whole: bool) -> np.ndarray:
    if data[:1] == b"\0" and data[1:2] and data[1] & 1:
        cure = "rewrite it with 'gdal_translate IN.tif OUT.tif'"
        raise InputError(f"its LZW is that of before 1992, low bits first; {cure}")
    return lzw_decode(np.frombuffer(data, np.uint8), size)


def _packbits(data: bytes, size: int, row_bytes: int, whole: bool) -> np.ndarray:
    return packbits_decode(np.frombuffer(data, np.uint8), size)


def _zstd(data: bytes, size: int, row_bytes: int, whole: bool) -> np.ndarray:
    from PIL import TiffImagePlugin, features

    if not features.check("libtiff"):
        cure = "rewrite it with 'gdal_translate -co COMPRESS=DEFLATE IN.tif OUT.tif'"
        raise InputError(f"its ZSTD needs libtiff, which this Pillow lacks; {cure}")
    _check_zstd(data)
    rows = size // row_bytes
    tags = [(256, row_bytes), (257, rows), (258, 8), (259, ZSTD), (262, 1), (277, 1), (278, rows), (279, len(data))]
    tags = sorted([*tags, (273, 8 + 2 + 12 * (len(tags) + 1) + 4)])
    entries = b"".join(struct.pack("<HHII", code, 4, 1, number) for code, number in tags)
    head = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)
    with TiffImagePlugin.TiffImageFile(io.BytesIO(head + data)) as image:
        image.load()
        return np.asarray(image).ravel()


def _check_zstd(data: bytes) -> None:
    """Refuse a frame whose blocks do not end within the data: libtiff would print what is wrong, not raise it."""
    if data[:4] != b"\x28\xb5\x2f\xfd" or len(data) < 6 or data[4] & 8:
        raise ValueError("no frame")
    kind, single, named = data[4] >> 6, data[4] >> 5 & 1, data[4] & 3
    at = 5 + (not single) + (0, 1, 2, 4)[named] + ((1 if single else 0), 2, 4, 8)[kind]
    last = False
    while not last:
        if at + 3 > len(data):
            raise ValueError("a frame that ends early")
        head = int.from_bytes(data[at : at + 3], "little")
        last, how, size = head & 1, head >> 1 & 3, head >> 3
        if how == 3:
            raise ValueError("a block of no known kind")
        at += 3 + (1 if how == 1 else size)
    if at + 4 * (data[4] >> 2 & 1) > len(data):
        raise ValueError("a frame that ends early")


_DECODERS: dict[int, Callable] = {
    NONE: _plain, DEFLATE: _deflate, OLD_DEFLATE: _deflate, LZMA: _lzma, LZW: _lzw, PACKBITS: _packbits, ZSTD: _zstd,
}  # fmt: skip
_NAMES = {NONE: "pixels", DEFLATE: "deflate", OLD_DEFLATE: "deflate", LZMA: "LZMA", LZW: "LZW", PACKBITS: "PackBits"}
_NAMES[ZSTD] = "ZSTD"
