"""GeoTIFFs as GDAL writes and reads them: nodata, scale and offset, flips, pixel-is-point, bands.

Files are GDAL's own, but for a few whose tags GDAL does not write (by tifffile).  Every expected array is written out
by hand; GDAL must agree with it (``agreed``), cell by cell, on values, validity and place.
"""

from __future__ import annotations

import io

import numpy as np
import tifffile
from rasterio.io import MemoryFile
from rasterio.transform import Affine

from tests.oracles import suite

NAN, INF = float("nan"), float("inf")
WGS84_KEYS = (1, 1, 0, 3, 1024, 0, 1, 2, 1025, 0, 1, 1, 2048, 0, 1, 4326)
LAMBERT = "+proj=lcc +lat_1=25 +lat_2=47 +lat_0=0 +lon_0=105 +ellps=WGS84 +units=m +no_defs"


def gdal_bytes(bands, transform, crs=suite.ALBERS_CHINA, nodata=None, scaling=None, point=False, **creation) -> bytes:
    """A GeoTIFF of ``bands`` (n, rows, cols); six numbers as ``transform`` are GDAL's, with its rotation."""
    bands = np.asarray(bands)
    text = suite.proj_text(crs) if isinstance(crs, dict) else crs
    x0, y0, dx, dy = transform[:4]
    across, down = transform[4:] or (0, 0)
    profile = {"driver": "GTiff", "count": len(bands), "dtype": bands.dtype.name, "nodata": nodata, **creation}
    profile |= {"height": bands.shape[1], "width": bands.shape[2], "transform": Affine(dx, across, x0, down, dy, y0)}
    with MemoryFile() as memory:
        with memory.open(**profile, **({"crs": text} if text else {})) as dataset:
            dataset.write(bands)
            if scaling:
                dataset.scales, dataset.offsets = scaling
            if point:
                dataset.update_tags(AREA_OR_POINT="Point")
        return memory.read()


def tagged_bytes(values, tiepoint, scale, nodata=None) -> bytes:
    """A geographic GeoTIFF with these very tags."""
    stream = io.BytesIO()
    tags = [(33550, "d", 3, scale, True), (33922, "d", 6, tiepoint, True), (34735, "H", 16, WGS84_KEYS, True)]
    tags += [(42113, "s", 0, nodata, True)] if nodata else []
    tifffile.imwrite(stream, values, photometric="minisblack", metadata=None, software=False, extratags=tags)
    return stream.getvalue()


def agreed(content: bytes, band: int, values: np.ndarray, valid: np.ndarray, place) -> None:
    """GDAL reads the same from the file; it knows no infinity as invalid, and leaves a south-up file as it is."""
    with MemoryFile(content) as memory, memory.open() as dataset:
        read = dataset.read(band, masked=True)
        found = read.data.astype(float) * dataset.scales[band - 1] + dataset.offsets[band - 1]
        there, t = ~np.ma.getmaskarray(read) & np.isfinite(found), dataset.transform
    if t.e > 0:
        found, there = found[::-1], there[::-1]
    top = t.f if t.e < 0 else t.f + t.e * len(values)
    assert np.array_equal(there, valid) and np.allclose(found[valid], values[valid], rtol=1e-15, atol=0)
    assert np.allclose((t.c, top, t.a, -abs(t.e)), place, rtol=1e-12)


FLAGS = {
    "nodata-ignored": "The nodata value is read as a number: -9999 persons per km2 enter sums and means.",
    "nodata-zero": "0 is always taken for nodata, or nodata of 0 never: unlit land vanishes, or the sea is unlit land.",
    "nodata-not-rounded": "The tag's text is compared in float64 with float32 pixels: -3.4e38 is no float32, so that "
    "no pixel matches and -3.4e38 stays a value.",
    "nodata-cast": "A nodata value that the type cannot hold is cast into it: -9999 becomes 241 of a byte, and a valid "
    "class vanishes.",
    "nodata-after-scaling": "Nodata is compared after scale and offset instead of with the stored numbers.",
    "infinity-valid": "Infinities or NaN count as values because only nodata is looked at.",
    "scale-dropped": "Scale or offset of GDAL's metadata is ignored, applied in the wrong order, or rounded to the "
    "pixels' integer type.",
    "scale-of-band-one": "Scale and offset, or the pixels, are those of the first band whatever band is asked for.",
    "south-up": "A file whose first row is the southernmost is read as it lies: China upside down, or y0 at its foot.",
    "pixel-is-point": "The tiepoint of a pixel-is-point file is taken for the corner, not the centre, of the pixel: "
    "half a pixel off, or shifted the wrong way in y.",
    "tiepoint-elsewhere": "The tiepoint is believed to be that of pixel (0, 0) whatever pixel it names.",
    "float32-inside": "Integers or float64 pass through float32: above 2^24 codes and counts change.",
    "signed-type": "Unsigned pixels are read as signed, or integers of two bytes as bytes.",
}

EXACT = "numbers are read, not computed"
SCALED = "one product and one sum, each rounded, or fused"
CORNER = "one shift by half or by whole cells, rounded"


def ask(name, title, content, rows, place, flags, band=None, cmp="exact") -> suite.Case:
    """A case of ``read_raster``; ``rows`` north up, None where invalid; ``place`` is (x0, y0, dx, dy)."""
    valid = np.array([[value is not None for value in row] for row in rows])
    values = np.array([[value or 0 for value in row] for row in rows], float)
    agreed(content, band or 1, values, valid, place)
    grid = {"name": ["x0", "y0", "dx", "dy"], "value": [float(number) for number in place]}
    outputs = {
        "values.npy": suite.Output(values, cmp, 0 if cmp == "exact" else 2, EXACT if cmp == "exact" else SCALED),
        "valid.npy": suite.Output(valid, "exact", 0, EXACT),
        "grid.csv": suite.Output(grid, "ulp", 2, CORNER),
    }
    return suite.Case(
        f"read-{name}", title, "raster", "read_raster", ["Raster data", "Convention: nodata, north up"], flags, "gdal",
        "Written and read by GDAL; the expected numbers are those that were written, by hand.",
        {"band": band} if band else {}, {"raster.tif": suite.Raw(content)}, outputs,
    )  # fmt: skip


def nodata_cases() -> list[suite.Case]:
    """What is a value and what is not."""
    albers, lonlat = (-2e6, 5e6, 1000.0, -2500.0), (73.5, 53.25, 0.5, -0.25)
    low = np.float32(-3.4e38)
    return [
        ask("int16-nodata", "-9999 in a raster of int16",
            gdal_bytes(np.int16([[[7, -9999, -3], [0, 12, -9999]]]), albers, nodata=-9999),
            [[7, None, -3], [0, 12, None]], albers, ["nodata-ignored", "nodata-zero"]),
        ask("uint8-nodata-zero", "Nodata is 0, and 255 is a class", gdal_bytes(np.uint8([[[0, 255, 3], [17, 0, 0]]]),
            lonlat, suite.WGS84, nodata=0), [[None, 255, 3], [17, None, None]], lonlat,
            ["nodata-ignored", "nodata-zero", "signed-type"]),
        ask("uint8-zeros-are-values", "No nodata: unlit cells are 0 and valid",
            gdal_bytes(np.uint8([[[0, 63, 0], [1, 0, 0]]]), lonlat, suite.WGS84), [[0, 63, 0], [1, 0, 0]], lonlat,
            ["nodata-zero"]),
        ask("uint16-nodata-max", "65535 is nodata, 40000 is not negative",
            gdal_bytes(np.uint16([[[40000, 65535]]]), albers, nodata=65535), [[40000, None]], albers,
            ["nodata-ignored", "signed-type"]),
        ask("float32-nodata-rounded", "Nodata -3.4e38, which float32 rounds",
            gdal_bytes(np.float32([[[1.5, low, 0.1], [low, -7, 3e38]]]), albers, nodata=-3.4e38),
            [[1.5, None, float(np.float32(0.1))], [None, -7, float(np.float32(3e38))]], albers,
            ["nodata-not-rounded", "nodata-ignored"]),
        ask("float64-nan-and-infinities", "Nodata NaN; infinities are no values either",
            gdal_bytes([[[NAN, 1e300, INF], [-INF, 0.0, -2.25]]], lonlat, suite.WGS84, nodata=NAN),
            [[None, 1e300, None], [None, 0, -2.25]], lonlat, ["infinity-valid", "nodata-zero"]),
        ask("float32-nan-beside-nodata", "NaN without being the nodata value, which is -1",
            gdal_bytes(np.float32([[[-1, NAN, 2], [0.5, -1, 1]]]), albers, nodata=-1),
            [[None, None, 2], [0.5, None, 1]], albers, ["infinity-valid", "nodata-ignored"]),
        ask("uint8-nodata-that-does-not-fit", "Nodata -9999 of a byte raster: nothing is invalid, 241 neither",
            tagged_bytes(np.uint8([[241, 17], [0, 255]]), (0.0, 0, 0, 100, 40, 0), (0.5, 0.25, 0.0), "-9999"),
            [[241, 17], [0, 255]], (100.0, 40.0, 0.5, -0.25), ["nodata-cast"]),
        ask("int32-large", "Codes above 2^24, which float32 does not hold",
            gdal_bytes(np.int32([[[16777217, -2147483647], [0, 2147483647]]]), albers, nodata=-2147483647),
            [[16777217, None], [0, 2147483647]], albers, ["float32-inside", "nodata-ignored"]),
        ask("float64-digits", "Numbers that float32 does not hold, deflated",
            gdal_bytes([[[0.1, 1 / 3, 123456789.123]]], albers, compress="deflate"),
            [[0.1, 1 / 3, 123456789.123]], albers, ["float32-inside"]),
    ]  # fmt: skip


def place_cases() -> list[suite.Case]:
    """Which row is the north, where the corner is, which band; scale and offset."""
    modis = (8895604.157, 5559752.598, 2000.0, -926.5)
    south_up = gdal_bytes(np.int16([[[1, 2], [3, 4], [-1, 6]]]), (-1e6, 3e6, 1000.0, 2500.0), nodata=-1)
    point = gdal_bytes(np.float32([[[1, 2, 3], [4, 5, 6]]]), (-1e6, 3e6, 1000.0, -2500.0), point=True)
    both = gdal_bytes(np.uint8([[[1, 2], [3, 4], [5, 6]]]), (100.0, 20.0, 0.5, 0.25), suite.WGS84, point=True)
    scaled = gdal_bytes(np.int16([[[4, -5, 100], [14, 0, -5]]]), modis, suite.MODIS, -5, ((0.25,), (-6.0,)))
    bands = np.int16([[[1, 2], [3, -1]], [[50, -1], [70, 80]]])
    two = gdal_bytes(bands, modis, suite.MODIS, -1, ((1.0, 0.15), (0.0, 20.0)), interleave="pixel")
    elsewhere = tagged_bytes(np.float32([[1, 2, 3], [4, 5, 6]]), (2.0, 1, 0, 101, 39.75, 0), (0.5, 0.25, 0.0))
    return [
        ask("south-up", "The first row is the southernmost", south_up, [[None, 6], [3, 4], [1, 2]],
            (-1e6, 3007500.0, 1000.0, -2500.0), ["south-up", "nodata-ignored"]),
        ask("pixel-is-point", "The tiepoint is the centre of the first pixel", point, [[1, 2, 3], [4, 5, 6]],
            (-1e6, 3e6, 1000.0, -2500.0), ["pixel-is-point"]),
        ask("south-up-pixel-is-point", "Southernmost row first, and its tiepoint is a centre", both,
            [[5, 6], [3, 4], [1, 2]], (100.0, 20.75, 0.5, -0.25), ["pixel-is-point", "south-up"]),
        ask("tiepoint-elsewhere", "The tiepoint is that of pixel (column 2, row 1)", elsewhere, [[1, 2, 3], [4, 5, 6]],
            (100.0, 40.0, 0.5, -0.25), ["tiepoint-elsewhere"]),
        ask("scale-and-offset", "0.25 n - 6, nodata -5: the 4 that becomes -5 is a value", scaled,
            [[-5, None, 19], [-2.5, -6, None]], modis, ["scale-dropped", "nodata-after-scaling"], cmp="ulp"),
        ask("band-two", "The second of two bands, with a scale of its own", two,
            [[50 * 0.15 + 20, None], [70 * 0.15 + 20, 80 * 0.15 + 20]], modis, ["scale-of-band-one", "scale-dropped"],
            band=2, cmp="ulp"),
        ask("first-band-by-default", "Of two bands the first, without a scale", two, [[1, 2], [3, None]], modis,
            ["scale-of-band-one"]),
    ]  # fmt: skip


def refused_cases() -> list[suite.Case]:
    """Files that cannot be a map."""
    place = (-1e6, 3e6, 1000.0, -2500.0)
    good = gdal_bytes(np.float32([[[1, 2, 3], [4, 5, 6]]]), place)
    two = gdal_bytes(np.int16([[[1, 2]], [[3, 4]]]), place)
    ones = np.ones((1, 40, 50), np.float32)
    rows = [
        ("rotated", gdal_bytes(np.float32([[[1, 2], [3, 4]]]), (*place, 300.0, 200.0)), None, ["raster"],
         "the rows do not run from west to east: the file is rotated"),
        ("no-crs", gdal_bytes(np.float32([[[1, 2], [3, 4]]]), place, None), None, ["raster"],
         "the file names no coordinate reference system"),
        ("lambert", gdal_bytes(np.float32([[[1, 2], [3, 4]]]), place, LAMBERT), None, ["raster"],
         "Lambert's conformal conic projection is none of the three that are read"),
        ("truncated", gdal_bytes(ones, place)[:-3000], None, ["raster"], "the last 3,000 bytes are missing"),
        ("text", b"ncols 3\nnrows 2\n1 2 3\n4 5 6\n", None, ["raster"], "a text file is called .tif"),
        ("band-0", good, 0, ["band"], "bands are counted from 1"),
        ("band-minus-1", two, -1, ["band"], "-1 is no band, and does not count from the end"),
        ("band-3-of-2", two, 3, ["band"], "the file has two bands"),
    ]  # fmt: skip
    return [
        suite.refused(f"read-refuses-{name}", None, "raster", "read_raster", ["Raster data"], fields, why,
                      {"raster.tif": suite.Raw(content)}, {} if band is None else {"band": band})
        for name, content, band, fields, why in rows
    ]  # fmt: skip


def cases() -> list[suite.Case]:
    """All of them."""
    return nodata_cases() + place_cases() + refused_cases()
