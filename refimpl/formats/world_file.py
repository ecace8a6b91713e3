"""World files: six numbers beside a raster that say where it lies (NAME.tfw, .tifw, .pgw, .pngw, .wld).

Section "Raster data".  One number a line: width of a pixel, two terms of rotation, height of a pixel (negative where
north is up), x and y of the centre of the first pixel.  They are in units of the reference system, which a world file
does not name.
Source: ESRI's description of world files; the names are those that GDAL looks for.
"""

from __future__ import annotations

import math
import os
import re
from pathlib import Path

from refimpl.errors import InputError

MOST_BYTES = 2**16


def world_file_of(path: Path) -> Path | None:
    """The world file beside the raster ``path``, in GDAL's order: for a.tif a.tfw, a.tifw, a.wld, or in capitals."""
    extension = path.suffix[1:].lower()
    if not extension:
        return None
    for ending in (f"{extension[0]}{extension[-1]}w", f"{extension}w", "wld"):
        for name in (f"{path.stem}.{ending}", f"{path.stem}.{ending.upper()}"):
            if os.path.isfile(path.with_name(name)):
                return path.with_name(name)
    return None


def read_world_file(path: Path) -> tuple[float, ...]:
    """The 16 numbers of a GeoTIFF's transformation (tag 34264) for a world file: the first pixel's corner, not centre.

    Raises
    ------
    InputError
        The file does not hold six numbers, one a line.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.tfw"
    >>> _ = path.write_text("0.5\\n0\\n0\\n-0.25\\n100.25\\n39.875\\n")
    >>> read_world_file(path)[:8]
    (0.5, 0.0, 0.0, 100.0, 0.0, -0.25, 0.0, 40.0)
    """
    with open(path, "rb") as handle:
        text = handle.read(MOST_BYTES).decode("utf-8-sig", "replace")
    lines = [line.strip("\0\x1a \t") for line in text.splitlines()]
    words = [line for line in lines if line]
    if any(re.fullmatch(r"[-+]?\d*,\d*", word) for word in words):
        raise InputError(f"{path}: has a comma where a decimal point is expected; write its numbers with points")
    try:
        width, down, across, height, x, y = (float(word) for word in words)
    except ValueError as fault:
        raise InputError(
            f"{path}: expected six numbers, one a line (cell width, two rotations, cell height, x and y of the first "
            "pixel's centre); write it anew, or place the raster with 'gdal_translate -a_ullr XMIN YMAX XMAX YMIN'"
        ) from fault
    left, top = x - width / 2 - across / 2, y - down / 2 - height / 2
    if not all(math.isfinite(number) for number in (width, down, across, height, left, top)):
        raise InputError(f"{path}: its numbers are not finite; write it anew")
    return width, across, 0.0, left, down, height, 0.0, top, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0
