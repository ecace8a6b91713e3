"""Handling of files whose coordinates are on a datum other than WGS 84.

Section "Raster data": all files are brought to one coordinate system, which D04 puts on WGS 84.  Points are never
shifted between datums (refimpl/earth/crs.py).  So such a file is refused, unless the user asks to ignore its datum.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from refimpl.earth.crs import CRS, datum_change
from refimpl.errors import DataWarning, InputError

_ignored: ContextVar[bool | None] = ContextVar("ignored", default=None)


@contextmanager
def other_datums(ignored: bool) -> Iterator[None]:
    """Inside this context, files on other datums than WGS 84 are refused, or read unshifted if ``ignored`` is true.

    >>> with warnings.catch_warnings(action="ignore"), other_datums(ignored=True):
    ...     on_our_datum(CRS("geographic", (6378245.0, 298.3)), None, "a.tif").describe()
    'geographic, ellipsoid of 6378245 m, any datum'
    """
    before = _ignored.set(ignored)
    try:
        yield
    finally:
        _ignored.reset(before)


def on_our_datum(crs: CRS, ignore_datum: bool | None, where: str) -> CRS:
    """``crs`` itself if it is on WGS 84; else, if ``ignore_datum`` is true, ``crs`` on any datum, with a DataWarning.

    With None, the surrounding ``other_datums`` decides.  Outside of that context ``crs`` is returned as it is, and
    ``transform_points`` checks the datums later.  ``where``, the file, begins the messages.

    Raises
    ------
    InputError
        Another datum, and ``ignore_datum`` is False.

    >>> on_our_datum(CRS("geographic", datum="CGCS2000"), False, "a.tif").describe()
    'geographic, CGCS2000'
    """
    difference = datum_change(crs, CRS("geographic"))
    ignore_datum = _ignored.get() if ignore_datum is None else ignore_datum
    if not difference or ignore_datum is None:
        return crs
    if not ignore_datum:
        raise InputError(
            f"{where}: lies on another datum: {difference}; convert it with "
            "'gdalwarp -t_srs EPSG:4326 IN.tif OUT.tif', or leave the difference out of account with --ignore-datum "
            "(run.toml: ignore_datum = true under [grid])"
        )
    warnings.warn(f"{where}: the datum of its coordinates is ignored; {difference}", DataWarning, stacklevel=5)
    return crs.on_any_datum()
