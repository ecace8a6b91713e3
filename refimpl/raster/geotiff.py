"""GeoTIFF in and out, on tifffile, without GDAL.

Section "Raster data".  Reading makes the valid mask once, from GDAL_NODATA, a mask band, NaN and infinities; no
sentinel travels inside.  A south-up file is flipped, a pixel-is-point file shifted by half a cell, and a rotated one
refused.  Integers keep their dtype, so that class codes stay codes; floats are kept as stored unless the file carries
a scale or an offset, which are applied in float64.  Writing is atomic and deterministic: deflate strips, no time stamp.
Source: OGC GeoTIFF 1.1; GDAL's tags 42112 (metadata) and 42113 (nodata).
"""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import escape

import numpy as np
import tifffile

from refimpl.errors import InputError
from refimpl.files import atomic_path, existing_file
from refimpl.raster.geokeys import crs_from_geokeys, geokeys_from_crs, parse_geokeys
from refimpl.raster.grid import Grid, Raster

PIXEL_SCALE, TIEPOINT, TRANSFORMATION = 33550, 33922, 34264
GEO_DIRECTORY, GEO_DOUBLES, GEO_ASCII = 34735, 34736, 34737
GDAL_METADATA, GDAL_NODATA = 42112, 42113
_STRIP_BYTES = 2**18
_RECOMPRESS = "rewrite it with 'gdal_translate -co COMPRESS=DEFLATE -co PREDICTOR=1 IN.tif OUT.tif'"


def read_raster(path: str | os.PathLike, units: str = "", band: int = 1) -> Raster:
    """One band (1-based) of a GeoTIFF.

    ``units`` names the values; if empty, the unit in the file's GDAL metadata is taken.

    Returns
    -------
    Raster of shape (rows, cols), north up, values in the file's dtype (float64 where a scale or offset applies).

    Raises
    ------
    InputError
        The file is missing, damaged or no TIFF; its compression, CRS or transform is not understood; no such band.
    """
    path = existing_file(path, "a GeoTIFF")
    where = str(path)
    try:
        handle = tifffile.TiffFile(path)
    except (tifffile.TiffFileError, OSError, ValueError, KeyError, IndexError) as fault:
        raise InputError(f"{where}: is not a TIFF that can be read ({fault}); expected a GeoTIFF") from fault
    with handle:
        if not handle.pages:
            raise InputError(f"{where}: holds no image; expected a GeoTIFF with at least one band")
        page = handle.pages[0]
        tags = {tag.code: tag.value for tag in page.tags.values()}
        grid_of, flipped = _georeference(tags, where)
        values = _band(page, handle, band, where)
        mask = _mask_page(handle, page, where)
    scale, offset, unit = _gdal_metadata(tags.get(GDAL_METADATA), band, where)
    valid = np.isfinite(values) if values.dtype.kind == "f" else np.ones(values.shape, bool)
    nodata = _nodata_like(tags.get(GDAL_NODATA), values.dtype, where)
    if nodata is not None:
        valid &= values != nodata
    if mask is not None:
        valid &= mask
    values = np.where(valid, values, values.dtype.type(0))
    if (scale, offset) != (1.0, 0.0):
        values = np.where(valid, values * scale + offset, 0.0)
    if flipped:
        values, valid = np.ascontiguousarray(values[::-1]), np.ascontiguousarray(valid[::-1])
    return Raster(values, valid, grid_of(values.shape), units or unit)


def _band(page, handle, band: int, where: str) -> np.ndarray:
    """The pixels of one band, native byte order."""
    samples = page.samplesperpixel
    if not 1 <= band <= samples:
        raise InputError(f"{where}: has no band {band}, it has {samples}; choose one from 1 to {samples}")
    if page.dtype is None or np.dtype(page.dtype).kind not in "fiub":
        raise InputError(f"{where}, band {band}: its pixels are not real numbers; convert it with 'gdal_translate -ot Float32'")
    ends = [start + count for start, count in zip(page.dataoffsets, page.databytecounts)]
    if max(ends, default=0) > handle.filehandle.size:
        raise InputError(f"{where}: is cut short, {max(ends)} bytes expected and {handle.filehandle.size} found; copy it again")
    try:
        pixels = page.asarray()
    except MemoryError:
        raise
    except Exception as fault:  # tifffile lets through whatever its codecs raise
        if isinstance(fault, ImportError) or "imagecodecs" in str(fault):
            compression = getattr(page.compression, "name", page.compression)
            predictor = getattr(page.predictor, "name", page.predictor)
            raise InputError(
                f"{where}: its compression {compression} with predictor {predictor} needs a codec that is not installed; "
                + _RECOMPRESS
            ) from fault
        raise InputError(f"{where}: its pixels cannot be decoded ({fault}); copy it again or {_RECOMPRESS}") from fault
    if samples > 1:
        pixels = np.take(pixels, band - 1, axis=0 if page.planarconfig == 2 else -1)
    pixels = pixels.reshape(page.imagelength, page.imagewidth)
    return pixels.astype(np.uint8 if pixels.dtype == bool else pixels.dtype.newbyteorder("="), copy=False)


def _mask_page(handle, page, where: str) -> np.ndarray | None:
    """GDAL's internal mask (a page whose subfile type has bit 2 set), if there is one: nonzero is valid."""
    for other in handle.pages[1:]:
        kind = other.tags.get(254)
        if kind is not None and int(kind.value) == 4 and other.imagelength == page.imagelength:
            return _band(other, handle, 1, where + " (mask)") != 0
    return None


def _georeference(tags: dict, where: str):
    """(function from the shape to the north-up Grid, whether the rows must be flipped)."""
    keys = parse_geokeys(
        tags.get(GEO_DIRECTORY, (1, 1, 0, 0)), tags.get(GEO_DOUBLES, ()), str(tags.get(GEO_ASCII, "")), where
    )
    x0, y0, dx, dy = _transform(tags, where)
    crs = crs_from_geokeys(keys, where)
    if keys.get(1025) == 2:  # pixel is point: the coordinates are those of cell centres
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
    if PIXEL_SCALE in tags and len(np.atleast_1d(tags.get(TIEPOINT, ()))) == 6:
        column, row, _, x, y, _ = (float(number) for number in tags[TIEPOINT])
        # The sign of the row scale is ignored, as GDAL does: files with either sign are north-up.
        dx, dy = float(tags[PIXEL_SCALE][0]), -abs(float(tags[PIXEL_SCALE][1]))
        x0, y0 = x - column * dx, y - row * dy
    elif len(np.atleast_1d(tags.get(TRANSFORMATION, ()))) == 16:
        m = [float(number) for number in tags[TRANSFORMATION]]
        if abs(m[1]) > 1e-9 * abs(m[0]) or abs(m[4]) > 1e-9 * abs(m[5]):
            raise InputError(f"{where}: is rotated, expected north up; straighten it with 'gdalwarp -t_srs EPSG:4326 IN.tif OUT.tif'")
        x0, y0, dx, dy = m[3], m[7], m[0], m[5]
    else:
        raise InputError(
            f"{where}: says not where its pixels lie (no tiepoint and scale, no transformation); "
            "add it with 'gdal_translate -a_ullr XMIN YMAX XMAX YMIN -a_srs EPSG:4326 IN.tif OUT.tif'"
        )
    if not np.all(np.isfinite([x0, y0, dx, dy])) or dx <= 0 or dy == 0:
        raise InputError(f"{where}: cells of {dx:g} by {dy:g}, expected positive sizes; check it with 'gdalinfo'")
    return x0, y0, dx, dy


def _nodata_like(text, dtype: np.dtype, where: str):
    """The nodata value as a number of ``dtype``; None where there is none or no pixel can hold it."""
    text = "" if text is None else str(text).strip("\0 \n")
    if not text:
        return None
    try:
        number = int(text) if text.lstrip("+-").isdigit() else float(text)
    except ValueError as fault:
        raise InputError(f"{where}: its nodata value is {text!r}, expected a number; set it with 'gdal_edit.py -a_nodata'") from fault
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return dtype.type(number)
    limits = np.iinfo(dtype)
    return dtype.type(int(number)) if number == number and limits.min <= number <= limits.max and number == int(number) else None


def _gdal_metadata(text, band: int, where: str) -> tuple[float, float, str]:
    """(scale, offset, unit) of ``band`` in GDAL's metadata."""
    found = {"scale": "1", "offset": "0", "unittype": ""}
    if text:
        try:
            items = ElementTree.fromstring(str(text).strip("\0 \n"))
            found |= {i.get("role"): i.text or "" for i in items.iter("Item") if i.get("sample") == str(band - 1)}
            return float(found["scale"]), float(found["offset"]), found["unittype"]
        except (ElementTree.ParseError, ValueError) as fault:
            raise InputError(f"{where}: its GDAL metadata cannot be read ({fault}); rewrite it with 'gdal_translate'") from fault
    return 1.0, 0.0, ""


def write_raster(path: str | os.PathLike, raster: Raster, nodata: float | None = None, description: str = "") -> None:
    """Write ``raster`` as a deflate-compressed GeoTIFF which GDAL reads with the same CRS, transform, values and nodata.

    ``nodata`` stands for invalid cells: default NaN for floats; integers need one where any cell is invalid.
    Same raster, same bytes.  Units and ``description`` go into GDAL's metadata.

    Raises
    ------
    InputError
        The folder cannot be written.
    ValueError
        ``nodata`` does not fit the dtype, is missing, or is the value of a valid cell.
    """
    values, valid = raster.values, raster.valid
    nodata = float("nan") if nodata is None and values.dtype.kind == "f" else nodata
    if nodata is None and not valid.all():
        raise ValueError("integer raster with invalid cells: name the nodata value that stands for them")
    if nodata is not None:
        fill = values.dtype.type(nodata)
        if values.dtype.kind != "f" and fill != nodata:
            raise ValueError(f"nodata {nodata} does not fit {values.dtype}")
        if np.any(valid & (values == fill)):
            raise ValueError(f"nodata {nodata} is also the value of valid cells; choose another")
        values = np.where(valid, values, fill)
    if values.dtype == np.float16:
        values = values.astype(np.float32)
    with atomic_path(path) as temporary:
        tifffile.imwrite(
            temporary,
            values,
            photometric="minisblack",
            compression="zlib",
            predictor=False,
            rowsperstrip=max(1, _STRIP_BYTES // (values.shape[1] * values.dtype.itemsize)),
            metadata=None,
            software=False,
            extratags=_tags(raster, nodata, description),
            maxworkers=1,
        )


def _tags(raster: Raster, nodata: float | None, description: str) -> list[tuple]:
    x0, y0, dx, dy = raster.grid.transform
    directory, doubles, text = geokeys_from_crs(raster.grid.crs)
    tags = [
        (PIXEL_SCALE, "d", 3, (dx, -dy, 0.0), True),
        (TIEPOINT, "d", 6, (0.0, 0.0, 0.0, x0, y0, 0.0), True),
        (GEO_DIRECTORY, "H", len(directory), directory, True),
        (GEO_ASCII, "s", 0, text, True),
    ]
    if doubles:
        tags.append((GEO_DOUBLES, "d", len(doubles), doubles, True))
    items = [("DESCRIPTION", "description", description), ("UNITTYPE", "unittype", raster.units)]
    xml = "".join(f'<Item name="{n}" sample="0" role="{role}">{escape(word)}</Item>' for n, role, word in items if word)
    if xml:
        encoded = f"<GDALMetadata>{xml}</GDALMetadata>".encode("ascii", "xmlcharrefreplace").decode()
        tags.append((GDAL_METADATA, "s", 0, encoded, True))
    if nodata is not None:
        tags.append((GDAL_NODATA, "s", 0, "nan" if nodata != nodata else repr(nodata), True))
    return tags
