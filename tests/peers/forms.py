"""Rasters and polygons of the toy world in the forms that users bring, written by rasterio for tests of the verbs.

A form is a dictionary: GDAL's creation options, and what ``write`` itself knows (``form``).
"""

import json
import math
import warnings

import numpy as np
import rasterio
from rasterio.enums import ColorInterp, Resampling
from rasterio.transform import Affine
from rasterio.warp import reproject, transform_bounds

from tests.conftest import toy_zones

PLACE, FINE = Affine(0.1, 0, 110, 0, -0.1, 36), Affine(0.05, 0, 110, 0, -0.05, 36)
SOUTH_UP = Affine(0.1, 0, 110, 0, 0.1, 31.2)
TILES, BIG = {"tiled": True, "blockxsize": 16, "blockysize": 32}, {"endianness": "BIG"}
ZONE = toy_zones()[::2, ::2]
"""The zone of each cell of the drivers: borders of zones are borders of cells."""
HOLE = np.zeros(ZONE.shape, bool)
HOLE[5:8, 7:11] = HOLE[30:34, 20:23] = True
"""Cells without a value: 2.5 % of two provinces, less than what makes one incomplete."""
NUMBERS = np.random.default_rng(5).integers(0, 200, ZONE.shape) + np.where(ZONE > 12, 40, 0)
"""Whole numbers below 240; divided by 4, every type holds them exactly, halves and float32 among them."""


def form(dtype, compress="NONE", predictor=1, nodata=None, **options):
    """A form: ``mask`` "inside", "beside" or "alpha", ``bands``, ``band``, ``scale``, ``sides``; else GDAL's options."""
    packing = {"compress": compress} | ({"predictor": predictor} if predictor > 1 else {})
    return {"dtype": dtype, "nodata": nodata} | packing | options


FORMS = {
    "lzw, predictor 2, strips, uint16": form("uint16", "LZW", 2, 65535, blockysize=5),
    "lzw, predictor 3, tiles, float32": form("float32", "LZW", 3, -9999, **TILES),
    "lzw, predictor 3, strips, float64": form("float64", "LZW", 3, np.nan),
    "lzw, predictor 2, tiles, int16, big-endian": form("int16", "LZW", 2, -32768, **TILES, **BIG),
    "lzw, float64, tiles, BigTIFF, big-endian": form("float64", "LZW", 1, -9999, bigtiff="YES", **TILES, **BIG),
    "lzw, uint8, mask inside": form("uint8", "LZW", 1, mask="inside", **TILES),
    "deflate, predictor 2, int16 with scale": form("int16", "DEFLATE", 2, -1, scale=(0.25, 0.0), **TILES),
    "deflate, predictor 1, uint16 with offset": form("uint16", "DEFLATE", 1, 9999, scale=(0.5, -3.0)),
    "deflate, predictor 3, float32, lowest number": form("float32", "DEFLATE", 3, float(np.finfo("f4").min)),
    "deflate, predictor 2, float32": form("float32", "DEFLATE", 2, np.nan, **TILES, bigtiff="YES"),
    "deflate, halves": form("float32", "DEFLATE", 3, np.nan, nbits=16, **TILES),
    "zstd, predictor 3, float32, mask beside": form("float32", "ZSTD", 3, mask="beside", **TILES),
    "zstd, predictor 2, int32": form("int32", "ZSTD", 2, -9999, blockysize=48),
    "zstd, float64, lowest number, BigTIFF": form("float64", "ZSTD", 1, float(np.finfo("f8").min), bigtiff="YES"),
    "lzma, uint32": form("uint32", "LZMA", 1, 2**32 - 1),
    "packbits, uint8, strips": form("uint8", "PACKBITS", 1, 255, blockysize=7),
    "packbits, float32, tiles, big-endian": form("float32", "PACKBITS", 1, -9999, **TILES, **BIG),
    "not packed, float32, big-endian": form("float32", nodata=-9999, **BIG),
    "not packed, float64, tiles, infinite": form("float64", nodata=-np.inf, **TILES),
    "alpha, uint8": form("uint8", "LZW", 2, mask="alpha", **TILES),
    "alpha, uint16, band after band": form("uint16", "DEFLATE", 2, mask="alpha", interleave="band"),
    "three bands by pixel": form("float32", "LZW", 3, -9999, bands=3, interleave="pixel", **TILES),
    "three bands, band after band, big-endian": form("int16", "ZSTD", 2, -1, bands=3, interleave="band", **BIG),
    "the second of three bands by pixel": form("float64", "DEFLATE", 2, np.nan, bands=3, band=2, interleave="pixel"),
    "the third of three bands, band after band": form("uint16", "LZW", 2, 0xFFFF, bands=3, band=3, interleave="band"),
    "south-up": form("float32", "LZW", 3, -9999, transform=SOUTH_UP, **TILES),
    "south-up, mask inside, strips": form("uint16", "DEFLATE", 2, mask="inside", transform=SOUTH_UP, blockysize=11),
    "pixel is point": form("float32", "ZSTD", 3, np.nan, area_or_point="Point"),
    "CGCS2000": form("float32", "LZW", 2, -9999, crs="EPSG:4490", **TILES),
    "keys as ArcGIS writes them": form("float32", "LZW", 1, -3.4028235e38, GEOTIFF_KEYS_FLAVOR="ESRI_PE"),
    "Cloud-Optimized, overviews": form("float32", "ZSTD", 3, -9999, driver="COG", blocksize=128),
    "world file and prj": form("uint16", "LZW", 2, sides=".tfw", profile="BASELINE"),
    "world file in capitals, big-endian": form("float32", "DEFLATE", 3, sides=".TFW", profile="BASELINE", **BIG),
    "aux.xml": form("float32", "DEFLATE", 2, -9999, profile="BASELINE"),
    "png, world file and prj": form("uint8", sides=".pgw", driver="PNG"),
    "png of 16 bits, transparent colour, wld": form("uint16", nodata=65535, sides=".wld", driver="PNG"),
    "png, alpha": form("uint8", sides=".pgw", driver="PNG", mask="alpha"),
}  # fmt: skip


def stored(how):
    """What stands in the file (bands, rows, columns), what it means as float64, and where it is valid."""
    kind = np.dtype(how["dtype"]).kind
    numbers = NUMBERS.astype(how["dtype"]) if kind in "iu" else (NUMBERS / 4).astype(how["dtype"])
    valid = ~HOLE if how["nodata"] is not None or how.get("mask") in ("inside", "beside", "alpha") else HOLE | True
    scale, offset = how.get("scale", (1.0, 0.0))
    meant = numbers.astype(float) * scale + offset
    if how["nodata"] is not None:
        numbers = np.where(valid, numbers, np.dtype(how["dtype"]).type(how["nodata"]))
    others = [np.full_like(numbers, 7 + one) for one in range(how.get("bands", 1))]
    others[how.get("band", 1) - 1] = numbers
    if how.get("mask") == "alpha":
        others.append(np.where(valid, 255, 0).astype(how["dtype"]))
    flip = slice(None, None, -1 if how.get("transform", PLACE).e > 0 else 1)
    return np.stack(others)[:, flip], np.where(valid, meant, 0.0), valid


OURS = ("mask", "bands", "band", "scale", "sides", "area_or_point", "driver", "dtype", "transform", "crs")


def write(path, how, bands, valid):
    """The file and, where ``how`` has sides, its world file and .prj, as GDAL or ArcGIS would leave them."""
    options = {name: value for name, value in how.items() if name not in OURS}
    shape = {"count": len(bands), "height": bands.shape[1], "width": bands.shape[2], "dtype": bands.dtype}
    place = {} if "sides" in how else {"crs": how.get("crs", "EPSG:4326"), "transform": how.get("transform", PLACE)}
    driver = how.get("driver", "GTiff")
    if driver == "PNG":
        options = {"nodata": how["nodata"]}
    with warnings.catch_warnings(), rasterio.Env(GDAL_TIFF_INTERNAL_MASK=how.get("mask") == "inside"):
        warnings.simplefilter("ignore")  # a file that does not say where it lies
        with rasterio.open(path, "w", driver=driver, **shape, **place, **options) as file:
            if how.get("mask") == "alpha":  # before the first pixel: a tag of the file
                file.colorinterp = [ColorInterp.gray] * (len(bands) - 1) + [ColorInterp.alpha]
            file.write(bands)
            if how.get("mask") in ("inside", "beside"):
                file.write_mask(valid[:: -1 if how.get("transform", PLACE).e > 0 else 1])
            if "scale" in how:
                file.scales, file.offsets = [how["scale"][0]] * len(bands), [how["scale"][1]] * len(bands)
            if "area_or_point" in how:
                file.update_tags(AREA_OR_POINT=how["area_or_point"])
    if "sides" in how:
        numbers = (PLACE.a, 0.0, 0.0, PLACE.e, PLACE.c + PLACE.a / 2, PLACE.f + PLACE.e / 2)
        path.with_suffix(how["sides"]).write_text("".join(f"{number!r}\r\n" for number in numbers))
        path.with_suffix(".prj").write_text(rasterio.crs.CRS.from_epsg(4326).to_wkt(version="WKT1_ESRI"))
    return path


def plain(path, values, valid, place=PLACE, crs="EPSG:4326"):
    """The same numbers as a file without any art: float64, not packed, -9999 where there is none."""
    how = form("float64", nodata=-9999, transform=place, crs=crs)
    return write(path, how, np.where(valid, values, -9999.0)[None], valid)


ALBERS_CGCS2000 = (
    f'PROJCS["ours",{rasterio.crs.CRS.from_epsg(4490).to_wkt()},PROJECTION["Albers_Conic_Equal_Area"],'
    'PARAMETER["standard_parallel_1",27],PARAMETER["standard_parallel_2",45],PARAMETER["longitude_of_center",110],'
    'PARAMETER["false_easting",4000000],UNIT["metre",1]]'
)
SYSTEMS = {
    "Albers of Asia": "+proj=aea +lat_1=15 +lat_2=65 +lat_0=30 +lon_0=95 +x_0=1000 +datum=WGS84",
    "Albers, CGCS2000": ALBERS_CGCS2000,
    "Albers, Krasovsky": "+proj=aea +lat_1=25 +lat_2=47 +lon_0=105 +ellps=krass",
    "MODIS sinusoidal": "+proj=sinu +R=6371007.181",
    "UTM": "EPSG:32649",
    "Gauss-Krueger, CGCS2000": "EPSG:4546",
    "Web Mercator": "EPSG:3857",
}


def moved_to(crs, values, step=500):
    """The toy world's numbers on a grid of ``step`` metres in another system, each where GDAL puts it; and its place."""
    west, south, east, north = transform_bounds("EPSG:4326", crs, 110, 31.2, 114.8, 36)
    west, north = west // step * step, -(-north // step) * step
    moved = np.full((math.ceil((north - south) / step), math.ceil((east - west) / step)), -9999, np.float32)
    place = Affine(step, 0, west, 0, -step, north)
    reproject(
        values, moved, src_transform=PLACE, src_crs="EPSG:4326", src_nodata=-9999, dst_transform=place, dst_crs=crs,
        dst_nodata=-9999, resampling=Resampling.nearest,
    )  # fmt: skip
    return moved, place


def box(code, west, south, east, north, **more):
    """A province as a GeoJSON feature; a vertex every tenth of a degree, so that edges follow parallels on any map."""
    x, y = np.linspace(west, east, 49), np.linspace(south, north, 49)
    ring = [*([lon, south] for lon in x), *([east, lat] for lat in y)]
    ring += [*([lon, north] for lon in x[::-1]), *([west, lat] for lat in y[::-1])]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "properties": {"adcode": code} | more, "geometry": geometry}


BOXES = {11: (110, 33.6, 112, 36), 12: (112, 33.6, 114, 36), 13: (110, 31.2, 112, 33.6), 14: (112, 31.2, 114, 33.6)}
BOXES[15] = (114, 31.2, 114.8, 36)
"""The toy world's zones, west, south, east, north."""


def polygons(path, code=int, crs=None, halves=False, mark=""):
    """The zones as GeoJSON: codes as ``code`` makes them, a "crs" member, zones in two parts, a byte order mark."""
    features = [box(code(number), *edges, name="\u7701") for number, edges in BOXES.items()]
    if halves:  # one feature of two polygons for each zone, west and east
        for feature, (number, (west, south, east, north)) in zip(features, BOXES.items()):
            parts = [(west, south, (west + east) / 2, north), ((west + east) / 2, south, east, north)]
            rings = [box(number, *part)["geometry"]["coordinates"] for part in parts]
            feature["geometry"] = {"type": "MultiPolygon", "coordinates": rings}
    document = {"type": "FeatureCollection", "features": features}
    if crs:
        document["crs"] = {"type": "name", "properties": {"name": crs}}
    path.write_text(mark + json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return path
