"""A mask that GDAL keeps beside a raster: NAME.EXT.msk, a TIFF of its own in which 0 is invalid.

Section "Raster data".  It holds one mask for all bands, or one for each.
Source: GDAL's mask bands (RFC 15).
"""

from __future__ import annotations

import os
from pathlib import Path

from refimpl.errors import InputError
from refimpl.formats.directory import FileBytes, read_directories
from refimpl.formats.preflight import Layout, layout_of


def open_mask_file(
    path: str | os.PathLike, shape: tuple[int, int], band: int, most_bytes: int | None = None
) -> tuple[FileBytes, Layout, int] | None:
    """The open file, its layout and the band of it that masks ``band`` of the raster ``path``; None if there is none.

    Raises
    ------
    InputError
        The mask is damaged, or has another shape than the raster.

    >>> open_mask_file("there-is-none.tif", (2, 3), 1) is None
    True
    """
    beside = Path(f"{path}.msk")
    if not os.path.isfile(beside):
        return None
    handle = open(beside, "rb")
    try:
        file = FileBytes(handle, str(beside))
        layout = layout_of(read_directories(file)[0], most_bytes)
        if layout.shape != shape:
            raise InputError(
                f"{beside}: has {layout.shape[0]} rows and {layout.shape[1]} columns, expected those of the raster, "
                f"{shape[0]} and {shape[1]}; remove it, or write it anew"
            )
        return file, layout, band if band <= layout.bands else 1
    except BaseException:
        handle.close()
        raise
