"""Checks of what a TIFF directory claims about its pixels, before a single one is decoded.

Section "Raster data".  Checked are dimensions, sample type, number of segments (strips or tiles), where each of them
lies, and how much it claims to hold for the bytes that it has: no codec shrinks data more than ``MOST_SHRUNK`` times.
What passes is a ``Layout``, on which the decoders rely.  Segments of a sparse file that were never written have offset
and size 0.  Pillow took 1.5 GiB for 298 bytes that claim 40,000 x 40,000 cells, before it refused them; tifffile gave
empty arrays and other values for numbers that contradict each other (refimpl/formats/directory.py).
Source: TIFF 6.0, sections 3, 8, 14 and 15; libtiff for the codes above 32767.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from refimpl.errors import InputError
from refimpl.formats.directory import INTEGERS, Directory, cut_short, damaged

WIDTH, LENGTH, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER, SAMPLES, PLANAR = 256, 257, 258, 259, 262, 266, 277, 284
PREDICTOR, SAMPLE_FORMAT, DEPTH, TILE_DEPTH = 317, 339, 32997, 32998
SUBFILE, OVERVIEW, MASK = 254, 1, 4
"""The tag that says what a page is, and its values for an overview and for a mask."""
STRIP_ROWS, STRIP_OFFSETS, STRIP_COUNTS = 278, 273, 279
TILE_WIDTH, TILE_LENGTH, TILE_OFFSETS, TILE_COUNTS = 322, 323, 324, 325
NONE, LZW, DEFLATE, OLD_DEFLATE, PACKBITS, LZMA, ZSTD = 1, 5, 8, 32946, 32773, 34925, 50000
NAMES = {6: "old JPEG", 7: "JPEG", 34887: "LERC", 34892: "lossy JPEG", 34712: "JPEG 2000", 50001: "WebP", 50002: "JXL"}
NAMES |= {2: "CCITT", 3: "CCITT", 4: "CCITT", LZW: "LZW", DEFLATE: "DEFLATE", PACKBITS: "PACKBITS", ZSTD: "ZSTD"}

MOST_SHRUNK = {NONE: 1, PACKBITS: 64, DEFLATE: 1100, OLD_DEFLATE: 1100, LZW: 2800, LZMA: 10_000, ZSTD: 40_000}
"""The bounds of the formats: PackBits makes 128 bytes from 2, deflate 258 bytes from 2 bits, LZW 4,093 bytes from 12
bits, ZSTD a block of 128 KB from 4 bytes.  LZMA by measurement: 7,000 times on zeros."""
MOST_BYTES, MOST_SEGMENT, MOST_UNWRITTEN = 2**33, 2**31 - 1, 2**25
"""Bytes that a band, a strip or tile, and a sparse file of hardly any bytes may hold, unless the caller allows more."""


@dataclass(frozen=True)
class Layout:
    """How the pixels of one directory lie in the file.

    ``chunk`` is (rows, columns) of a full segment, and ``samples`` are interleaved in it; ``dtype`` has the file's byte
    order.  ``offsets`` and ``counts`` list the segments row by row, band after band where ``separate``.
    """

    shape: tuple[int, int]
    bands: int
    samples: int
    chunk: tuple[int, int]
    tiled: bool
    bits: int
    dtype: np.dtype
    compression: int
    predictor: int
    offsets: np.ndarray
    counts: np.ndarray

    @property
    def separate(self) -> bool:
        """Whether each band has segments of its own."""
        return self.samples < self.bands

    @property
    def across(self) -> int:
        """Segments side by side."""
        return -(-self.shape[1] // self.chunk[1])

    @property
    def row_bytes(self) -> int:
        """Bytes of a row of a decoded segment."""
        return (self.chunk[1] * self.samples * self.bits + 7) // 8

    def rows_of(self, segment: np.ndarray) -> np.ndarray:
        """Rows that each segment holds: the last strip may have fewer, tiles are always full."""
        down = -(-self.shape[0] // self.chunk[0])
        start = segment // self.across % down * self.chunk[0]
        return self.chunk[0] + 0 * start if self.tiled else np.minimum(self.chunk[0], self.shape[0] - start)


def most_bytes_allowed(given: int | None, default: int) -> int:
    """The cap that the caller gave, else that of ``REFIMPL_MOST_BYTES``, else the default."""
    text = os.environ.get("REFIMPL_MOST_BYTES", "").strip()
    if given is not None or not text:
        return default if given is None else int(given)
    if not (text.isascii() and text.isdigit()):
        raise InputError(f"REFIMPL_MOST_BYTES: {text!r} is no number of bytes; expected a whole number, or unset it")
    return int(text)


def layout_of(page: Directory, most_bytes: int | None = None) -> Layout:
    """The layout that ``page`` describes, if it is consistent and can be decoded here.

    Raises
    ------
    InputError
        Numbers contradict each other or the file's size, or the kind of pixels is not read.
    """
    where = page.file.where
    shape = page.integer(LENGTH), page.integer(WIDTH)
    bands, compression = page.integer(SAMPLES, 1), page.integer(COMPRESSION, NONE)
    planar, photometric = page.integer(PLANAR, 1), page.integer(PHOTOMETRIC, 1)
    if min(*shape, bands) < 1 or max(shape) >= 2**31 or bands > 65535 or planar not in (1, 2):
        raise damaged(where, f"{shape[0]} rows, {shape[1]} columns, {bands} bands, planar configuration {planar}")
    bits, dtype = _sample_type(page, bands)
    predictor = page.integer(PREDICTOR, 1) if compression not in (NONE, PACKBITS) else 1  # these two have no predictor
    _check_codec(where, compression, predictor, bits, dtype)
    depth = page.integer(DEPTH, 1), page.integer(TILE_DEPTH, 1)
    if page.integer(FILL_ORDER, 1) != 1 or photometric == 6 or depth != (1, 1):
        raise damaged(where, "bits in reverse order, YCbCr colours or volumes are not read")
    tiled, chunk = _chunk(page, shape)
    samples = bands if planar == 1 else 1
    segments = -(-shape[0] // chunk[0]) * -(-shape[1] // chunk[1]) * (bands if planar == 2 else 1)
    row_bytes = (chunk[1] * samples * bits + 7) // 8
    places = _places(page, tiled, segments, compression, min(chunk[0], shape[0]) * row_bytes)
    layout = Layout(shape, bands, samples, chunk, tiled, bits, dtype, compression, predictor, *places)
    _check_sizes(layout, page, most_bytes)
    return layout


def _sample_type(page: Directory, bands: int) -> tuple[int, np.dtype]:
    """(bits as stored, dtype in the file's byte order); samples of fewer than eight bits become uint8."""
    where = page.file.where
    bits, kinds = page.values(BITS, INTEGERS), page.values(SAMPLE_FORMAT, INTEGERS)
    bits, kinds = np.array([1]) if bits is None else bits, np.array([1]) if kinds is None else kinds
    if len(set(bits.tolist())) > 1 or len(set(kinds.tolist())) > 1 or {len(bits), len(kinds)} - {1, bands}:
        raise InputError(f"{where}: its bands are of several types; take one with 'gdal_translate -b 1 IN.tif OUT.tif'")
    width, kind = int(bits[0]), int(kinds[0])
    if kind in (5, 6):
        raise InputError(f"{where}: its pixels are not real numbers; convert it with 'gdal_translate -ot Float32'")
    letter = {1: "u", 2: "i", 3: "f", 4: "u"}.get(kind)
    if letter == "u" and width in (1, 2, 4):
        return width, np.dtype(np.uint8)
    if letter is None or width not in ((16, 32, 64) if letter == "f" else (8, 16, 32, 64)):
        raise InputError(
            f"{where}: its pixels have {width} bits of sample format {kind}, expected 8, 16, 32 or 64; rewrite it with "
            "'gdal_translate -ot Float32 IN.tif OUT.tif'"
        )
    return width, np.dtype(f"{letter}{width // 8}").newbyteorder(page.order)


def _check_codec(where: str, compression: int, predictor: int, bits: int, dtype: np.dtype) -> None:
    fits = predictor == 1 or (predictor == 2 and bits >= 8) or (predictor == 3 and dtype.kind == "f")
    if compression in MOST_SHRUNK and fits:
        return
    raise InputError(
        f"{where}: its pixels (compression {NAMES.get(compression, compression)}, predictor {predictor}, {bits} bits) "
        "are not read here; rewrite it with 'gdal_translate -co COMPRESS=DEFLATE -co PREDICTOR=1 IN.tif OUT.tif'"
    )


def _chunk(page: Directory, shape: tuple[int, int]) -> tuple[bool, tuple[int, int]]:
    """Whether the image is cut into tiles, and the rows and columns of a tile or strip."""
    tiled = TILE_WIDTH in page.entries or TILE_OFFSETS in page.entries
    if tiled:
        chunk = page.integer(TILE_LENGTH), page.integer(TILE_WIDTH)
    else:
        chunk = min(page.integer(STRIP_ROWS, shape[0]), shape[0]), shape[1]
    if min(chunk) < 1 or max(chunk) >= 2**31:
        raise damaged(page.file.where, f"strips or tiles of {chunk[0]} rows and {chunk[1]} columns")
    return tiled, chunk


def _places(page: Directory, tiled: bool, segments: int, compression: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each segment lies in the file and how many bytes it has there, (segments,) uint64 both."""
    where, found = page.file.where, []
    for code, other in ((TILE_OFFSETS, STRIP_OFFSETS), (TILE_COUNTS, STRIP_COUNTS)):
        if not tiled or code not in page.entries:  # some writers put the lists of tiles under the codes of strips
            code = other
        if code == STRIP_COUNTS and code not in page.entries and compression == NONE and segments == 1:
            found.append(np.array([size], np.uint64))  # old writers of plain files leave it out
            continue
        if code not in page.entries or page.entries[code][1] != segments:
            many = page.entries[code][1] if code in page.entries else 0
            raise damaged(where, f"it lists {many} strips or tiles, its dimensions make {segments}")
        numbers = page.values(code, INTEGERS)
        if numbers.dtype.kind == "i" and numbers.min() < 0:
            raise damaged(where, "the place or size of a strip or tile is negative")
        found.append(numbers.astype(np.uint64))
    return found[0], found[1]


def _check_sizes(layout: Layout, page: Directory, most_bytes: int | None) -> None:
    """Refuse segments that lie outside the file, or that claim more than their codec can make of their bytes."""
    file, offsets, counts = page.file, layout.offsets, layout.counts
    size, full = np.uint64(file.size), layout.chunk[0] * layout.row_bytes
    if full > min(most_bytes_allowed(most_bytes, MOST_SEGMENT), 2**40):
        raise InputError(
            f"{file.where}: a strip or tile of it holds {full} bytes, more than is decoded at once; cut it with "
            "'gdal_translate -co TILED=YES IN.tif OUT.tif', or allow it with REFIMPL_MOST_BYTES"
        )
    if np.any((offsets > size) | (counts > size - np.minimum(offsets, size))):
        raise cut_short(file.where, int(np.max(offsets.astype(float) + counts)), file.size)
    shrunk, unwritten = MOST_SHRUNK[layout.compression], (offsets == 0) & (counts == 0)
    holds = layout.rows_of(np.arange(len(offsets))) * layout.row_bytes
    if np.any(~unwritten & ((holds > shrunk * counts.astype(float)) | (offsets < 8))):
        raise damaged(file.where, "a strip or tile has too few bytes for what it should hold")
    claimed = int(holds.sum())
    usual = max(MOST_UNWRITTEN, max(shrunk, MOST_SHRUNK[DEFLATE]) * file.size)
    if claimed > max(usual, most_bytes_allowed(most_bytes, 0)):
        raise InputError(
            f"{file.where}: {file.size} bytes claim to hold {claimed}, most of which were never written; if that "
            "is meant, allow it with REFIMPL_MOST_BYTES"
        )
