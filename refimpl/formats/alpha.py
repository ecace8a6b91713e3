"""The band of a TIFF that says how opaque the others are.

Section "Raster data".  ExtraSamples (tag 338) lists what the last samples of a pixel are: 1 and 2 are alpha.  A cell of
another band is valid where alpha is not 0.  GDAL's masks follow the same rule, where alpha has 8 or 16 bits and is the
second or fourth band; here it holds for any type and number of bands.
Source: TIFF 6.0, section 18.
"""

from __future__ import annotations

from refimpl.formats.directory import INTEGERS, Directory

EXTRA_SAMPLES, ALPHA = 338, (1, 2)


def alpha_band(page: Directory, bands: int) -> int | None:
    """The number (1-based) of the alpha band, the last if there are several; None without one.

    >>> from refimpl.formats.directory import FileBytes
    >>> import io
    >>> page = Directory(FileBytes(io.BytesIO(bytes([2, 0])), "a.tif"), "<", {EXTRA_SAMPLES: (3, 1, 0)})
    >>> alpha_band(page, 4)
    4
    """
    kinds = page.values(EXTRA_SAMPLES, INTEGERS)
    if kinds is None or len(kinds) > bands - 1:
        return None
    return next((bands - k for k, kind in enumerate(reversed(kinds.tolist())) if kind in ALPHA), None)
