"""The tags of a GeoTIFF that describe its values, read and written: place, nodata, scale, offset and unit.

Section "Raster data".  tifffile gives them as numbers and text; what they mean is worked out here.
Source: OGC GeoTIFF 1.1, chapter 7 (tiepoint and scale, transformation, pixel is area or point);
GDAL's driver documentation for tags 42112 (metadata, XML) and 42113 (nodata, text).
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from xml.sax.saxutils import escape

import numpy as np

from refimpl.earth.grid import Grid
from refimpl.errors import InputError
from refimpl.formats.directory import FLOATS, INTEGERS, Directory
from refimpl.formats.geokey_directory import RASTER_TYPE, parse_geokeys
from refimpl.formats.geokeys import crs_from_geokeys, geokeys_from_crs

PIXEL_SCALE, TIEPOINT, TRANSFORMATION = 33550, 33922, 34264
GEO_DIRECTORY, GEO_DOUBLES, GEO_ASCII = 34735, 34736, 34737
GDAL_METADATA, GDAL_NODATA = 42112, 42113


def geo_tags(page: Directory) -> dict:
    """The tags of GeoTIFF and GDAL that a page has, by code: arrays of numbers, or text."""
    kinds = dict.fromkeys((PIXEL_SCALE, TIEPOINT, TRANSFORMATION, GEO_DOUBLES), FLOATS) | {GEO_DIRECTORY: INTEGERS}
    tags = {code: page.values(code, kind) for code, kind in kinds.items() if code in page.entries}
    return tags | {code: page.text(code) for code in (GEO_ASCII, GDAL_METADATA, GDAL_NODATA) if code in page.entries}


def geokeys_of(tags: Mapping, where: str) -> dict:
    """The GeoKeys that the tags hold; none where they hold no key directory.

    >>> geokeys_of({GEO_DIRECTORY: (1, 1, 0, 1, 1024, 0, 1, 2)}, "a.tif")
    {1024: 2}
    """
    packed = tags.get(GEO_DIRECTORY, (1, 1, 0, 0)), tags.get(GEO_DOUBLES, ()), str(tags.get(GEO_ASCII, ""))
    return parse_geokeys(*packed, where)


def georeference(tags: dict, where: str):
    """(function from the shape to the north-up Grid, whether the rows must be flipped), from tags by code."""
    keys = geokeys_of(tags, where)
    x0, y0, dx, dy = _transform(tags, where)
    crs = crs_from_geokeys(keys, where)
    if keys.get(RASTER_TYPE) == 2:  # pixel is point: the coordinates are those of cell centres
        x0, y0 = x0 - dx / 2, y0 - dy / 2

    def grid_of(shape) -> Grid:
        top = y0 if dy < 0 else y0 + dy * shape[0]
        try:
            return Grid(crs, (x0, top, dx, -abs(dy)), shape)
        except ValueError as fault:
            raise InputError(f"{where}: its georeference makes no sense ({fault}); check it with 'gdalinfo'") from fault

    return grid_of, dy > 0


def _transform(tags: dict, where: str) -> tuple[float, float, float, float]:
    """(x0, y0, dx, dy) of the first pixel's corner; dy > 0 where the file is south-up."""
    if len(np.atleast_1d(tags.get(PIXEL_SCALE, ()))) > 1 and len(np.atleast_1d(tags.get(TIEPOINT, ()))) == 6:
        column, row, _, x, y, _ = (float(number) for number in tags[TIEPOINT])
        # The sign of the row scale is ignored, as GDAL does: files with either sign are north-up.
        dx, dy = float(tags[PIXEL_SCALE][0]), -abs(float(tags[PIXEL_SCALE][1]))
        x0, y0 = x - column * dx, y - row * dy
    elif len(np.atleast_1d(tags.get(TRANSFORMATION, ()))) == 16:
        m = [float(number) for number in tags[TRANSFORMATION]]
        if abs(m[1]) > 1e-9 * abs(m[0]) or abs(m[4]) > 1e-9 * abs(m[5]):
            cure = "straighten it with 'gdalwarp -t_srs EPSG:4326 IN.tif OUT.tif'"
            raise InputError(f"{where}: is rotated, expected north up; {cure}")
        x0, y0, dx, dy = m[3], m[7], m[0], m[5]
    else:
        raise InputError(
            f"{where}: does not say where its pixels lie (no tiepoint and scale, no transformation, no world file); "
            "add it with 'gdal_translate -a_ullr XMIN YMAX XMAX YMIN -a_srs EPSG:4326 IN.tif OUT.tif'"
        )
    if not np.all(np.isfinite([x0, y0, dx, dy])) or dx <= 0 or dy == 0:
        raise InputError(f"{where}: cells of {dx:g} by {dy:g}, expected positive sizes; check it with 'gdalinfo'")
    return x0, y0, dx, dy


def nodata_like(text, dtype: np.dtype | None, where: str):
    """The nodata value (tag 42113) as a number of ``dtype``; None where there is none or no pixel can hold it.

    >>> nodata_like("-9999", np.dtype("int16"), "a.tif"), nodata_like("-9999", np.dtype("uint8"), "a.tif")
    (np.int16(-9999), None)
    """
    text = "" if text is None else str(text).strip("\0 \n")
    if not text:
        return None
    try:
        number = int(text) if text.lstrip("+-").isdigit() else float(text)
    except ValueError as fault:
        cure = "set it with 'gdal_edit.py -a_nodata'"
        raise InputError(f"{where}: its nodata value is {text!r}, expected a number; {cure}") from fault
    if dtype is None or dtype.kind not in "fiu":
        return None
    if dtype.kind == "f":
        most = float(np.finfo(dtype).max)
        if number == number and "inf" not in text.lower():
            number = min(max(number, -most), most)  # the largest float, rounded to few digits, may exceed itself
        return dtype.type(number)
    fits = np.iinfo(dtype).min <= number <= np.iinfo(dtype).max and number == int(number)
    return dtype.type(int(number)) if fits else None


def gdal_metadata(text, band: int, where: str) -> tuple[float, float, str]:
    """(scale, offset, unit) of ``band`` in GDAL's metadata (tag 42112).

    >>> gdal_metadata('<GDALMetadata><Item name="SCALE" sample="0" role="scale">0.5</Item></GDALMetadata>', 1, "a.tif")
    (0.5, 0.0, '')
    """
    found = {"scale": "1", "offset": "0"} | band_words(text, band, where)
    try:
        scale, offset = float(found["scale"]), float(found["offset"])
        if not (math.isfinite(scale) and math.isfinite(offset)):
            raise ValueError(f"scale {scale}, offset {offset}")
    except ValueError as fault:
        cure = "rewrite it with 'gdal_translate'"
        raise InputError(f"{where}: its GDAL metadata cannot be read ({fault}); {cure}") from fault
    return scale, offset, found.get("unittype", "")


def band_words(text, band: int, where: str) -> dict[str, str]:
    """What GDAL's metadata (tag 42112) say about ``band``, by role: scale, offset, unittype, description.

    >>> band_words('<GDALMetadata><Item sample="1" role="unittype">K</Item></GDALMetadata>', 2, "a.tif")
    {'unittype': 'K'}
    """
    if not text:
        return {}
    try:
        if "<!" in str(text):
            raise ValueError("it declares a document type")  # and with it, perhaps, text that grows as it is read
        items = ElementTree.fromstring(str(text).strip("\0 \n")).iter("Item")
        return {str(i.get("role")): i.text or "" for i in items if i.get("sample") == str(band - 1) and i.get("role")}
    except (ElementTree.ParseError, ValueError) as fault:
        cure = "rewrite it with 'gdal_translate'"
        raise InputError(f"{where}: its GDAL metadata cannot be read ({fault}); {cure}") from fault


def place_tags(grid: Grid) -> list[tuple]:
    """Where the cells of ``grid`` lie, as (code, type, values); types are "H" (two bytes), "d" (doubles), "s" (text).

    >>> from refimpl.earth.projection import WGS84
    >>> place_tags(Grid(WGS84, (73, 54, 0.05, -0.05), (720, 1240)))[0]
    (33550, 'd', (0.05, 0.05, 0.0))
    """
    x0, y0, dx, dy = grid.transform
    directory, doubles, text = geokeys_from_crs(grid.crs)
    tags = [
        (PIXEL_SCALE, "d", (dx, -dy, 0.0)),
        (TIEPOINT, "d", (0.0, 0.0, 0.0, x0, y0, 0.0)),
        (GEO_DIRECTORY, "H", directory),
        (GEO_ASCII, "s", text),
    ]
    return [*tags, (GEO_DOUBLES, "d", doubles)] if doubles else tags


def gdal_tags(units: str, description: str, nodata, statistics: Mapping[str, str] | None = None) -> list[tuple]:
    """GDAL's metadata and nodata, as ``place_tags`` has them; ``statistics`` are texts by GDAL's names.

    ``nodata`` is a number of the pixels' type, or None.

    >>> gdal_tags("K", "", np.uint8(255))[1]
    (42113, 's', '255')
    """
    words = [("DESCRIPTION", ' role="description"', description), ("UNITTYPE", ' role="unittype"', units)]
    words += [(name, "", word) for name, word in (statistics or {}).items()]
    xml = "".join(f'<Item name="{n}" sample="0"{role}>{escape(_plain(w))}</Item>' for n, role, w in words if w)
    encoded = f"<GDALMetadata>{xml}</GDALMetadata>".encode("ascii", "xmlcharrefreplace").decode()
    tags = [(GDAL_METADATA, "s", encoded)] if xml else []
    return tags if nodata is None else [*tags, (GDAL_NODATA, "s", repr(nodata.item()))]


def _plain(word: str) -> str:
    """Without the characters that XML cannot hold, such as a line break in a unit."""
    return "".join(letter if letter.isprintable() else " " for letter in word)
