"""Cloud-Optimized GeoTIFF: a raster and its overviews, laid out so that a reader over the network needs few requests.

Section "Raster data".  First come all directories: that of the full resolution, then the overviews by size.  The tiles
follow: those of the smallest overview first, those of the full resolution last.  A text behind the first bytes says so.
It also promises that each tile stands between its size and a repetition of its last four bytes, so that a reader need
not look the size up.  Until all tiles are known they lie in unnamed files beside the target.  Neither tifffile nor
Pillow writes this order, or an overview that knows of invalid cells.
Source: GDAL's "COG -- Cloud Optimized GeoTIFF generator", with its section on the header ghost area.
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np

from refimpl.earth.grid import Window
from refimpl.formats.blocks import FILE_TILE, Cells, layout_for, write_blocks
from refimpl.formats.directory import FileBytes
from refimpl.formats.overviews import overview_shapes, shrunk, window_below
from refimpl.formats.pixels_of_tiff import read_window
from refimpl.formats.preflight import OVERVIEW, SUBFILE, Layout
from refimpl.formats.tags import gdal_tags
from refimpl.formats.tiff_bytes import chain, header, pixel_tags

_PROMISES = (
    "LAYOUT=IFDS_BEFORE_DATA\nBLOCK_ORDER=ROW_MAJOR\nBLOCK_LEADER=SIZE_AS_UINT4\n"
    "BLOCK_TRAILER=LAST_4_BYTES_REPEATED\nKNOWN_INCOMPATIBLE_EDITION=NO\n "
)
"""The last space leaves room for a YES, which GDAL writes there when it changes such a file."""
_AROUND = 4
"""Bytes before a tile, and as many after it."""


def write_cloud_optimized(
    handle: BinaryIO,
    beside: Path,
    layout: Layout,
    cells: Cells,
    nodata,
    tags: Callable[[], list[tuple]],
    big: bool,
) -> None:
    """Write a file of tiles, from its first byte on; ``layout`` is that of the full resolution.

    ``cells`` gives windows with ``nodata`` (a number of their type, or None) in the invalid cells.  ``tags`` is called
    after the last window, and gives what the first directory says besides its pixels.  ``beside`` is a path in the
    folder where unnamed files may lie.
    """
    fill = 0 if nodata is None else nodata
    with ExitStack() as open_files:

        def spool() -> BinaryIO:
            return open_files.enter_context(tempfile.TemporaryFile(prefix=f"{beside.name}-", dir=beside.parent))

        spools = [spool()]
        levels = [write_blocks(spools[0], layout, cells, fill)]
        for shape in overview_shapes(layout.shape, FILE_TILE):
            coarser = layout_for(shape, layout.dtype, True, levels[-1].predictor)
            shrink = partial(_shrunk_cells, FileBytes(spools[-1], str(beside)), levels[-1], coarser, nodata)
            spools.append(spool())
            levels.append(write_blocks(spools[-1], coarser, partial(partial, shrink), fill))
        _assemble(handle, spools, levels, [tags(), *[_overview_tags(nodata)] * (len(levels) - 1)], big)


def _overview_tags(nodata) -> list[tuple]:
    return [(SUBFILE, "I", OVERVIEW), *gdal_tags("", "", nodata)]


def _shrunk_cells(file: FileBytes, level: Layout, coarser: Layout, nodata, window: Window) -> np.ndarray:
    """A window of the next level, from the tiles of this one."""
    values = read_window(file, level, 1, window_below(window, coarser.shape, level.shape))
    valid = np.ones(values.shape, bool)
    if nodata is not None:
        valid = values == values if nodata != nodata else values != nodata
        values = np.where(valid, values, values.dtype.type(0))
    values, valid = shrunk(values, valid, window, coarser.shape, level.shape, nodata)
    return values if nodata is None else np.where(valid, values, nodata)


def _assemble(handle: BinaryIO, spools: list[BinaryIO], levels: list[Layout], tags: list[list], big: bool) -> None:
    """Write header, promises, directories, and then the tiles of the spools in the order that a reader wants."""
    head = len(header(0, big))
    promises = f"GDAL_STRUCTURAL_METADATA_SIZE={len(_PROMISES):06d} bytes\n{_PROMISES}".encode("ascii")
    first = head + len(promises) + len(promises) % 2

    def directories() -> bytes:
        return chain([pixel_tags(level, big) + more for level, more in zip(levels, tags)], first, big)

    at = first + len(directories())
    for level in reversed(levels):
        around = 2 * _AROUND * np.arange(len(level.counts), dtype=np.uint64)
        level.offsets[:] = at + _AROUND + around + np.cumsum(level.counts) - level.counts
        at += int(level.counts.sum()) + 2 * _AROUND * len(level.counts)
    handle.write(header(first, big) + promises + bytes(len(promises) % 2) + directories())
    for spool, level in reversed(list(zip(spools, levels))):
        spool.seek(0)
        for count in level.counts.tolist():
            tile = spool.read(count)
            handle.write(struct.pack("<I", count) + tile + tile[-_AROUND:])
