"""The strips or tiles of a raster that is written: where they lie, and their bytes.

Section "Raster data".  Blocks are compressed by deflate, side by side in the kernels' threads, a batch at a time:
memory is that of a batch, whatever the raster's size, and the bytes are the same for any number of threads.  tifffile
writes no predictor for floats, and took about 7 s for a map of 256 MB that takes 4 s here.  Pillow needs the whole map
in memory, writes no integers of 64 bits, and float64 only as float32.  Both must be told which predictor to use.

A predictor (2: differences of integers; 3: differences of the bytes of floats) is used where it saves a tenth or more
on the block of the first batch that compresses worst.  No rule by type would serve: on the emission maps of
golden/china-10km predictor 3 saves 3 to 4 % (7 % as float32), on its drivers, whose values repeat, it costs 40 to
190 %, and predictor 2 costs 6 to 14 % on its classes.  Only smooth rasters, such as heights or interpolations, gain
much.  A small saving is not worth a file that fewer programs read.
Source: TIFF 6.0, section 14 (predictor 2); Adobe's technical note 3 (predictor 3).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import BinaryIO

import numpy as np

from refimpl.earth.grid import Window
from refimpl.earth.threads import in_threads
from refimpl.formats.preflight import DEFLATE, NONE, Layout

Cells = Callable[[Window], Callable[[], np.ndarray]]
"""Called for each window in order, in one thread; what it returns gives the cells, in any thread, also repeatedly."""
FILE_TILE = 512
"""Rows, and columns, of a tile of the files that are written."""
STRIP_BYTES, MOST_ROW = 2**18, 2**16
UNDECIDED = 0
"""Stands for a predictor that is chosen when the first blocks are seen."""
_BATCH_BYTES, _SAVING = 2**25, 0.1


def layout_for(
    shape: tuple[int, int], dtype: np.dtype, tiled: bool | None = None, predictor: int = UNDECIDED, plain: bool = False
) -> Layout:
    """How a raster is cut: tiles of 512 x 512 where it is larger than one both ways (or ``tiled``), else strips.

    Blocks are compressed unless the raster is to be ``plain``.

    >>> layout_for((513, 513), np.dtype("f4")).chunk, layout_for((600, 100), np.dtype("f4")).chunk
    ((512, 512), (600, 100))
    """
    rows, cols = shape
    if tiled is None:
        tiled = cols > FILE_TILE and (rows > FILE_TILE or cols > MOST_ROW)
    chunk = (FILE_TILE, FILE_TILE) if tiled else (min(rows, max(1, STRIP_BYTES // (cols * dtype.itemsize))), cols)
    many = -(-rows // chunk[0]) * -(-cols // chunk[1])
    places = np.zeros(many, np.uint64), np.zeros(many, np.uint64)
    codec, predictor = (NONE, 1) if plain else (DEFLATE, predictor)
    return Layout(shape, 1, 1, chunk, tiled, 8 * dtype.itemsize, dtype.newbyteorder("<"), codec, predictor, *places)


def window_of(layout: Layout, block: int) -> Window:
    """The cells of the raster that a block holds: (row start, row stop, column start, column stop).

    >>> window_of(layout_for((600, 700), np.dtype("u1")), 3)
    (512, 600, 512, 700)
    """
    (rows, cols), (height, width) = layout.shape, layout.chunk
    down, right = divmod(block, layout.across)
    top, left = down * height, right * width
    return top, min(top + height, rows), left, min(left + width, cols)


def write_blocks(
    handle: BinaryIO, layout: Layout, cells: Cells, fill=0, tile: tuple[int, int] | None = None
) -> Layout:
    """Write all blocks of a raster from where ``handle`` stands; ``cells`` is called for each, row by row.

    ``tile`` (rows, cols): the blocks come tile by tile instead, each to the tile that holds its corner.
    ``fill`` stands in the part of a block that lies outside the raster.  Returns the layout with the predictor that
    was chosen, and with the places and sizes of the blocks.
    """
    many, height = len(layout.offsets), layout.chunk[0]
    at_once = max(1, _BATCH_BYTES // (height * layout.row_bytes))
    order = range(many) if tile is None else sorted(range(many), key=partial(_tile_of, layout, tile))
    for first in range(0, many, at_once):
        batch = order[first : first + at_once]
        windows = [window_of(layout, block) for block in batch]
        layout, packed = _packed(layout, [partial(_whole, cells(window), layout, fill) for window in windows])
        for block, content in zip(batch, packed):
            layout.offsets[block], layout.counts[block] = handle.tell(), len(content)
            handle.write(content)
    return layout


def _tile_of(layout: Layout, tile: tuple[int, int], block: int) -> tuple[int, int]:
    top, _, left, _ = window_of(layout, block)
    return top // tile[0], left // tile[1]


def _whole(values: Callable[[], np.ndarray], layout: Layout, fill) -> np.ndarray:
    """The cells of a block, filled up to a whole tile; the last strip has fewer rows."""
    found = values()
    if not layout.tiled or found.shape == layout.chunk:
        return found
    whole = np.full(layout.chunk, fill, layout.dtype)
    whole[: found.shape[0], : found.shape[1]] = found
    return whole


def _packed(layout: Layout, blocks: list[Callable[[], np.ndarray]]) -> tuple[Layout, list[bytes]]:
    """The layout with its predictor, and the compressed blocks."""
    if layout.predictor != UNDECIDED:
        return layout, _compressed(blocks, layout.predictor, layout.compression)
    plain = _compressed(blocks, 1)
    predictor = {"f": 3}.get(layout.dtype.kind, 2)
    hardest = max(range(len(plain)), key=lambda k: len(plain[k]))
    saves = (1 - _SAVING) * len(plain[hardest])
    # Many programs have a libtiff that cannot read differences of 64-bit integers.
    if predictor == 2 and layout.bits == 64 or len(_compressed([blocks[hardest]], predictor)[0]) > saves:
        return replace(layout, predictor=1), plain
    return replace(layout, predictor=predictor), _compressed(blocks, predictor)


def _compressed(blocks: list[Callable[[], np.ndarray]], predictor: int, codec: int = DEFLATE) -> list[bytes]:
    packed = [b""] * len(blocks)

    def pack(block: int) -> None:
        octets = predicted(blocks[block](), predictor)
        packed[block] = octets if codec == NONE else zlib.compress(octets)

    in_threads(pack, len(blocks))
    return packed


def predicted(values: np.ndarray, predictor: int) -> bytes:
    """The bytes of (rows, columns) as they are compressed, little-endian.

    >>> predicted(np.array([[250, 4, 3]], np.uint8), 2).hex(" ")
    'fa 0a ff'
    >>> predicted(np.array([[1.0, 2.0]], np.float32), 3).hex(" ")
    '3f 01 40 80 00 00 00 00'
    """
    rows, width = values.shape[0], values.dtype.itemsize
    little = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    if predictor == 1:
        return little.tobytes()
    if predictor == 2:
        numbers = little.view(f"<u{width}")
    else:  # the highest bytes of all numbers of a row stand first, then the next ones
        numbers = little.view(np.uint8).reshape(rows, -1, width)[:, :, ::-1].transpose(0, 2, 1).reshape(rows, -1)
    differences = numbers.copy()
    differences[:, 1:] -= numbers[:, :-1]
    return differences.tobytes()
