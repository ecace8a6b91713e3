"""Writing GeoTIFFs as GDAL and QGIS expect them: whole, or block by block with bounded memory.

Section "Raster data".  Files have deflate; tiles of 512 x 512 where the raster is larger than one both ways, else
strips; a predictor where it pays (refimpl/formats/blocks.py); BigTIFF where the cells might not fit in 4 GB; place,
nodata, unit, description and statistics of the valid cells as tags.  ``cog`` adds overviews and the Cloud-Optimized
layout (refimpl/formats/cloud_optimized.py).  Writing is atomic and deterministic: no time stamp, and the same bytes for
any number of threads, whether a raster is given whole or in parts.  What tifffile and Pillow lack for this is told in
blocks, tiff_bytes and cloud_optimized.
Source: OGC GeoTIFF 1.1; GDAL's tags 42112 (metadata) and 42113 (nodata).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import BinaryIO

import numpy as np

from refimpl.earth.grid import Grid, Raster, Window
from refimpl.formats.blocks import FILE_TILE, Cells, layout_for, write_blocks
from refimpl.formats.cell_statistics import CellStatistics, block_statistics
from refimpl.formats.cloud_optimized import write_cloud_optimized
from refimpl.formats.files import atomic_path
from refimpl.formats.overviews import overview_shapes
from refimpl.formats.preflight import Layout
from refimpl.formats.tags import gdal_tags, nodata_like, place_tags
from refimpl.formats.tiff_bytes import chain, header, pixel_tags

CLASSIC_BYTES = 2**32 - 2**24
"""Bytes that may lie in a file whose places are numbers of 4 bytes, less some room for its tags."""


def write_raster(
    path: str | os.PathLike, raster: Raster, nodata: float | None = None, description: str = "", cog: bool = False
) -> None:
    """Write ``raster`` as a deflate-compressed GeoTIFF; GDAL reads the same CRS, transform, values and nodata.

    ``nodata`` stands for invalid cells: default NaN for floats; integers need one where any cell is invalid.
    float16 is written as float32.  The same raster gives the same bytes.  ``cog``: with overviews, Cloud-Optimized.

    Raises
    ------
    InputError
        The folder cannot be written.
    ValueError
        ``nodata`` does not fit the dtype, is missing, or is the value of a valid cell; a valid cell is not finite.

    >>> import tempfile
    >>> from refimpl.formats.geotiff import read_raster
    >>> from refimpl.earth.projection import WGS84
    >>> raster = Raster(np.arange(6.0).reshape(2, 3), np.ones((2, 3), bool), Grid(WGS84, (100, 40, 1, -1), (2, 3)), "K")
    >>> path = tempfile.mkdtemp() + "/a.tif"
    >>> write_raster(path, raster, cog=True)
    >>> again = read_raster(path)
    >>> again.values.tolist(), again.units
    ([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]], 'K')
    """
    write_parts(path, raster.grid, raster.values.dtype, raster.part, raster.units, nodata, description, cog)


def write_parts(
    path: str | os.PathLike,
    grid: Grid,
    dtype,
    part: Callable[[Window], Raster],
    units: str = "",
    nodata: float | None = None,
    description: str = "",
    cog: bool = False,
    tile: tuple[int, int] | None = None,
    plain: bool = False,
) -> None:
    """Write a raster of any size: ``part(window)`` gives its cells, and is called once for each block, row by row.

    A window is (row start, row stop, column start, column stop): a tile of 512 x 512, or some whole rows of a raster
    that has no more than 512 rows or columns.  Some 32 MB of blocks are held at a time.  ``tile`` (rows, cols): blocks
    are asked for tile by tile of that size, unless ``cog``.  ``plain``: blocks are not compressed, so that a few cells
    are read quickly.  The rest is as in ``write_raster``.

    Raises
    ------
    InputError
        The folder cannot be written.
    ValueError
        As in ``write_raster``, and where ``part`` gives another shape or dtype than announced.  Then nothing is
        written, even if only the last block shows it.

    >>> import tempfile
    >>> from refimpl.formats.geotiff import read_raster
    >>> from refimpl.earth.projection import WGS84
    >>> grid = Grid(WGS84, (0, 40, 0.01, -0.01), (600, 700))
    >>> def row_numbers(window):
    ...     here = grid.part(window)
    ...     rows = np.arange(window[0], window[1], dtype=np.int16)[:, None]
    ...     return Raster(np.broadcast_to(rows, here.shape), np.ones(here.shape, bool), here)
    >>> path = tempfile.mkdtemp() + "/a.tif"
    >>> write_parts(path, grid, "int16", row_numbers)
    >>> read_raster(path, window=(511, 513, 0, 1)).values.tolist()
    [[511], [512]]
    """
    dtype = np.dtype(dtype).newbyteorder("=")
    dtype = np.dtype(np.float32) if dtype == np.float16 else dtype
    fill = _fill(nodata, dtype, path)
    found: dict[Window, CellStatistics] = {}

    def cells(window: Window) -> Callable[[], np.ndarray]:
        return partial(_cells, part(window), window, dtype, fill, found)

    def tags() -> list[tuple]:
        return place_tags(grid) + gdal_tags(units, description, fill, _joined(found).texts())

    layout = layout_for(grid.shape, dtype, True if cog else None, plain=plain)
    with atomic_path(path) as temporary, open(temporary, "wb") as handle:
        if cog:
            write_cloud_optimized(handle, temporary, layout, cells, fill, tags, _needs_big(layout, cog))
        else:
            _write_plain(handle, layout, cells, fill, tags, _needs_big(layout, cog), tile)


def _fill(nodata: float | None, dtype: np.dtype, path):
    """The nodata value as a number of ``dtype``: NaN for floats without one, None for integers."""
    if dtype.kind not in "fiu":
        raise ValueError(f"values {dtype}, expected real numbers")
    nodata = float("nan") if nodata is None and dtype.kind == "f" else nodata
    if nodata is None:
        return None
    fill = nodata_like(str(nodata), dtype, str(path))
    if fill is None:
        raise ValueError(f"nodata {nodata} does not fit {dtype}")
    return fill


def _cells(raster: Raster, window: Window, dtype: np.dtype, fill, found: dict[Window, CellStatistics]) -> np.ndarray:
    """The cells of a window with ``fill`` where they are invalid, checked; their statistics go into ``found``."""
    values, valid, shape = raster.values, raster.valid, (window[1] - window[0], window[3] - window[2])
    values = values.astype(np.float32) if values.dtype == np.float16 else values
    if values.shape != shape or valid.shape != shape or values.dtype.newbyteorder("=") != dtype:
        raise ValueError(f"window {window} has {values.shape} values of {values.dtype}, expected {shape} of {dtype}")
    if dtype.kind == "f" and not np.isfinite(values).all():
        raise ValueError(f"a valid cell of window {window} is not finite; build the raster with Raster.masked")
    found[window] = block_statistics(values, valid)
    if valid.all() and (fill is None or fill != fill or not (values == fill).any()):
        return values
    if fill is None:
        raise ValueError("integer raster with invalid cells: name the nodata value that stands for them")
    if np.any(valid & (values == fill)):
        raise ValueError(f"nodata {fill.item()} is also the value of valid cells; choose another")
    return np.where(valid, values, fill)


def _joined(found: dict[Window, CellStatistics]) -> CellStatistics:
    """The statistics of all windows, joined in an order that does not depend on which came first."""
    statistics = CellStatistics()
    for window in sorted(found):
        statistics.join(found[window])
    return statistics


def _needs_big(layout: Layout, cog: bool) -> bool:
    """Whether the file might not fit in 4 GB: deflate may make a little more of what it cannot compress."""
    smaller = overview_shapes(layout.shape, FILE_TILE) if cog else []
    levels = [layout, *(layout_for(shape, layout.dtype, True) for shape in smaller)]
    blocks = ((len(level.offsets), level.chunk[0] * level.row_bytes) for level in levels)
    return sum(many * (size + size // 1000 + 64) for many, size in blocks) > CLASSIC_BYTES


def _write_plain(
    handle: BinaryIO, layout: Layout, cells: Cells, fill, tags: Callable[[], list[tuple]], big: bool, tile
) -> None:
    """First the blocks, one after the other as they come, then the directory."""
    handle.write(header(0, big))
    layout = write_blocks(handle, layout, cells, 0 if fill is None else fill, tile)
    handle.write(bytes(handle.tell() % 2))
    first = handle.tell()
    handle.write(chain([pixel_tags(layout, big) + tags()], first, big))
    handle.seek(0)
    handle.write(header(first, big))
