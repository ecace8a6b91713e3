"""TIFF files written by hand: every number of the directory can be chosen, also wrongly.

The segments are compressed by the libtiff in Pillow, as strips of plain bytes, and predicted by NumPy; both are
independent of the decoders under test.
"""

from __future__ import annotations

import io
import lzma
import struct
import zlib

import numpy as np
from PIL import Image, TiffImagePlugin

GEO = {  # WGS 84, 0.5 x 0.25 degrees from 100 E, 40 N: code: (type, values)
    33550: (12, [0.5, 0.25, 0.0]), 33922: (12, [0, 0, 0, 100.0, 40.0, 0]),
    34735: (3, [1, 1, 0, 3, 1024, 0, 1, 2, 1025, 0, 1, 1, 2048, 0, 1, 4326]),
}  # fmt: skip
CODES = {"none": 1, "lzw": 5, "deflate": 8, "packbits": 32773, "lzma": 34925, "zstd": 50000}
FORMATS = {2: "s", 3: "H", 4: "I", 11: "f", 12: "d", 16: "Q"}


def compressed(octets: bytes, codec: str) -> bytes:
    """A segment as libtiff (or zlib, lzma) compresses it."""
    if codec in ("none", "deflate", "lzma"):
        return {"none": bytes, "deflate": zlib.compress, "lzma": lzma.compress}[codec](octets)
    file = io.BytesIO()
    image = Image.frombytes("L", (len(octets), 1), octets)
    image.save(file, "TIFF", compression={"lzw": "tiff_lzw"}.get(codec, codec), strip_size=2**28)
    with TiffImagePlugin.TiffImageFile(io.BytesIO(file.getvalue())) as written:
        ((start,), (count,)) = written.tag_v2[273], written.tag_v2[279]
    return file.getvalue()[start : start + count]


def predicted(pixels: np.ndarray, predictor: int, order: str) -> bytes:
    """(rows, columns, samples) as the bytes that are to be compressed."""
    stored = pixels.astype(pixels.dtype.newbyteorder(order))
    if predictor == 1:
        return stored.tobytes()
    if predictor == 2:
        bits = pixels.view(f"u{pixels.itemsize}")
        bits = np.concatenate([bits[:, :1], np.diff(bits, axis=1)], axis=1)
        return bits.astype(bits.dtype.newbyteorder(order)).tobytes()
    rows, samples = pixels.shape[0], pixels.shape[2]
    octets = pixels.astype(pixels.dtype.newbyteorder(">")).reshape(rows, -1).view(np.uint8)
    planes = octets.reshape(rows, -1, pixels.itemsize).transpose(0, 2, 1).reshape(rows, -1, samples)
    return np.concatenate([planes[:, :1], np.diff(planes, axis=1)], axis=1).tobytes()


def segments(values: np.ndarray, chunk: tuple[int, int], tiled: bool, separate: bool) -> list[np.ndarray]:
    """The strips or tiles of (bands, rows, columns), each (rows, columns, samples)."""
    found, stack = [], [band[None] for band in values] if separate else [values]
    for bands in stack:
        for top in range(0, values.shape[1], chunk[0]):
            for left in range(0, values.shape[2], chunk[1]):
                part = bands[:, top : top + chunk[0], left : left + chunk[1]]
                if tiled:
                    missing = [(0, 0), (0, chunk[0] - part.shape[1]), (0, chunk[1] - part.shape[2])]
                    part = np.pad(part, missing, mode="edge")
                found.append(np.ascontiguousarray(np.moveaxis(part, 0, -1)))
    return found


def tiff(
    values, codec="none", predictor=1, tile=None, rows=None, separate=False, order="<", big=False, tags=None,
    segments_stored=None,
) -> bytes:  # fmt: skip
    """A TIFF of (rows, columns) or (bands, rows, columns); ``tags`` {code: (type, values) or None} change or remove."""
    values = np.asarray(values)
    values = values if values.ndim == 3 else values[None]
    bands, height, width = values.shape
    chunk = tile or (rows or height, width)
    kind = {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    stored = segments_stored
    if stored is None:
        cut = segments(values, chunk, tile is not None, separate)
        stored = [compressed(predicted(part, predictor, order), codec) for part in cut]
    head, word, wide = (16, "Q", 16) if big else (8, "I", 4)
    offsets = np.cumsum([head] + [len(part) for part in stored])
    entries = {
        256: (4, [width]), 257: (4, [height]), 258: (3, [8 * values.itemsize] * bands), 259: (3, [CODES[codec]]),
        262: (3, [1]), 277: (3, [bands]), 284: (3, [2 if separate else 1]), 339: (3, [kind] * bands), **GEO,
    }  # fmt: skip
    places, counts = [int(n) for n in offsets[:-1]], [len(part) for part in stored]
    if tile:
        entries |= {322: (4, [chunk[1]]), 323: (4, [chunk[0]]), 324: (wide, places), 325: (wide, counts)}
    else:
        entries |= {278: (4, [chunk[0]]), 273: (wide, places), 279: (wide, counts)}
    entries |= {317: (3, [predictor])} if predictor > 1 else {}
    entries = {code: entry for code, entry in (entries | (tags or {})).items() if entry is not None}
    place = int(offsets[-1])
    begin = (b"II" if order == "<" else b"MM") + struct.pack(order + "H", 43 if big else 42)
    begin += struct.pack(order + "HHQ", 8, 0, place) if big else struct.pack(order + "I", place)
    return begin + b"".join(stored) + directory(entries, place, order, word)


def directory(entries: dict, place: int, order: str, word: str, following: int = 0) -> bytes:
    """The directory that stands at ``place``, and the values that do not fit into its entries."""
    wide = struct.calcsize("=" + word)
    lines, rest = b"", b""
    end = place + (8 if wide == 8 else 2) + len(entries) * (4 + 2 * wide) + wide
    for code, (kind, numbers) in sorted(entries.items()):
        content = numbers if kind == 2 else struct.pack(f"{order}{len(numbers)}{FORMATS[kind]}", *numbers)
        lines += struct.pack(f"{order}HH{word}", code, kind, len(numbers))
        if len(content) <= wide:
            lines += content.ljust(wide, b"\0")
        else:
            lines += struct.pack(order + word, end + len(rest))
            rest += content
    count = struct.pack(order + ("Q" if wide == 8 else "H"), len(entries))
    return count + lines + struct.pack(order + word, following) + rest


def with_mask(content: bytes, mask: np.ndarray) -> bytes:
    """A little-endian classic TIFF with a second page: a mask of one bit a pixel."""
    octets = np.packbits(mask, axis=1).tobytes()
    place = len(content) + len(octets)
    entries = {
        254: (4, [4]), 256: (4, [mask.shape[1]]), 257: (4, [mask.shape[0]]), 258: (3, [1]), 259: (3, [1]),
        262: (3, [4]), 273: (4, [len(content)]), 277: (3, [1]), 278: (4, [mask.shape[0]]), 279: (4, [len(octets)]),
    }  # fmt: skip
    (first,) = struct.unpack("<I", content[4:8])
    (many,) = struct.unpack("<H", content[first : first + 2])
    after = first + 2 + 12 * many
    content = content[:after] + struct.pack("<I", place) + content[after + 4 :]
    return content + octets + directory(entries, place, "<", "I")
