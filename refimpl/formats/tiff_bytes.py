"""A TIFF's first bytes and its chain of directories, as they are written.

Section "Raster data".  Little-endian; classic TIFF holds places in the file in 4 bytes, BigTIFF in 8.  A tag is (code,
type, value or values): "H" two bytes, "I" four, "Q" eight, "d" doubles, "s" text.  The length of a chain depends on the
number of values alone, so that it can be laid out before the places are known.  tifffile writes directories as well,
but fixes the tags before the pixels come, when statistics and the places of a Cloud-Optimized file are not known.
Source: TIFF 6.0, section 2; BigTIFF as in libtiff.
"""

from __future__ import annotations

import struct

import numpy as np

from refimpl.formats.preflight import (
    BITS,
    COMPRESSION,
    LENGTH,
    PHOTOMETRIC,
    PLANAR,
    PREDICTOR,
    SAMPLE_FORMAT,
    SAMPLES,
    STRIP_COUNTS,
    STRIP_OFFSETS,
    STRIP_ROWS,
    TILE_COUNTS,
    TILE_LENGTH,
    TILE_OFFSETS,
    TILE_WIDTH,
    WIDTH,
    Layout,
)

_TYPES = {"s": (2, "u1"), "H": (3, "<u2"), "I": (4, "<u4"), "d": (12, "<f8"), "Q": (16, "<u8")}
_BLACK_IS_ZERO, _FORMATS = 1, {"u": 1, "i": 2, "f": 3}


def header(first: int, big: bool) -> bytes:
    """The first 8 (BigTIFF: 16) bytes of a file whose first directory lies at ``first``.

    >>> header(8, big=False)
    b'II*\\x00\\x08\\x00\\x00\\x00'
    """
    return struct.pack("<2sHHHQ", b"II", 43, 8, 0, first) if big else struct.pack("<2sHI", b"II", 42, first)


def chain(directories: list[list[tuple]], at: int, big: bool) -> bytes:
    """Directories one after the other, from the even place ``at`` on: each its entries, then the values they point to.

    >>> chain([[(256, "I", 3)]], 8, big=False).hex(" ", -4)
    '01000001 04000100 00000300 00000000 0000'
    """
    content = b""
    for tags in directories:
        last = tags is directories[-1]
        content += _directory(tags, at + len(content), big, last)
        content += bytes(len(content) % 2)
    return content


def _directory(tags: list[tuple], at: int, big: bool, last: bool) -> bytes:
    word, width = ("Q", 8) if big else ("I", 4)
    values = at + struct.calcsize("<Q" if big else "<H") + len(tags) * (4 + 2 * width) + width
    entries, beyond = b"", b""
    for code, kind, value in sorted(tags, key=lambda tag: tag[0]):
        number, dtype = _TYPES[kind]
        octets = value.encode("ascii") + b"\0" if kind == "s" else np.atleast_1d(value).astype(dtype).tobytes()
        entries += struct.pack(f"<HH{word}", code, number, len(octets) // np.dtype(dtype).itemsize)
        if len(octets) > width:
            beyond += bytes(len(beyond) % 2)
            entries += struct.pack("<" + word, values + len(beyond))
            beyond += octets
        else:
            entries += octets.ljust(width, b"\0")
    end = values + len(beyond)
    following = 0 if last else end + end % 2
    return struct.pack("<Q" if big else "<H", len(tags)) + entries + struct.pack("<" + word, following) + beyond


def pixel_tags(layout: Layout, big: bool) -> list[tuple]:
    """The tags that describe the pixels: one band, as ``layout`` has it."""
    place = "Q" if big else "I"
    tags = [
        (WIDTH, "I", layout.shape[1]),
        (LENGTH, "I", layout.shape[0]),
        (BITS, "H", layout.bits),
        (COMPRESSION, "H", layout.compression),
        (PHOTOMETRIC, "H", _BLACK_IS_ZERO),
        (SAMPLES, "H", 1),
        (PLANAR, "H", 1),
        (PREDICTOR, "H", layout.predictor),
        (SAMPLE_FORMAT, "H", _FORMATS[layout.dtype.kind]),
    ]
    if layout.tiled:
        tags += [(TILE_LENGTH, "I", layout.chunk[0]), (TILE_WIDTH, "I", layout.chunk[1])]
        return [*tags, (TILE_OFFSETS, place, layout.offsets), (TILE_COUNTS, "I", layout.counts)]
    tags += [(STRIP_ROWS, "I", layout.chunk[0])]
    return [*tags, (STRIP_OFFSETS, place, layout.offsets), (STRIP_COUNTS, "I", layout.counts)]
