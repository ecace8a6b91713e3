"""GDAL's warper where it means what the contract means, every point transformed to 1e-9 pixels.

On one CRS its ``average`` and ``sum`` weight pixels by overlap, as the contract does for projected grids; its ``near``
takes the pixel at the cell's centre in any CRS, which is checked with 50 digits.  Between CRSs its averages run over
upright boxes and are not used.
"""

from __future__ import annotations

import numpy as np
from rasterio.enums import Resampling
from rasterio.io import MemoryFile
from rasterio.transform import Affine
from rasterio.vrt import WarpedVRT

from tests.oracles import mpmath_projection, suite

CLEAR = 1e-5
HOW = {"density": Resampling.average, "count": Resampling.sum, "class": Resampling.nearest}


def warped(source: suite.Tiff, kind, crs, transform, shape) -> np.ndarray:
    """float64 values on the target grid, nan where GDAL has none."""
    values = np.asarray(source.values, float)
    valid = np.ones(values.shape, bool) if source.valid is None else source.valid
    content = suite.tiff_bytes(suite.Tiff(values, source.transform, source.crs, valid))
    x0, y0, dx, dy = transform
    target = {"crs": suite.proj_text(crs), "transform": Affine(dx, 0, x0, 0, dy, y0), "nodata": np.nan}
    target |= {"height": shape[0], "width": shape[1], "resampling": HOW[kind], "tolerance": 1e-9}
    with MemoryFile(content) as memory, memory.open() as dataset, WarpedVRT(dataset, **target) as vrt:
        return vrt.read(1)


FLAGS = {
    "class-by-latitude": "Rows or columns of the target are carried over by a straight line between its corners, "
    "not centre by centre: far from the middle meridian classes come from the wrong pixel.",
    "class-from-corner": "The class is that of the pixel at the cell's upper left corner, or the most frequent one, "
    "not the one at its centre.",
    "class-interpolated": "Classes are averaged or interpolated: codes appear that the source does not have.",
}


def nearest(source: suite.Tiff, crs, transform, shape) -> np.ndarray:
    """The same by Snyder's formulas with 50 digits; no centre may be so near an edge that rounding decides."""
    (x0, y0, dx, dy), (a, b, c, d) = transform, source.transform
    answer = np.full(shape, np.nan)
    for row, col in np.ndindex(*shape):
        place = mpmath_projection.inverse(crs, x0 + dx * (col + 0.5), y0 + dy * (row + 0.5))
        x, y = mpmath_projection.forward(source.crs, *place)
        u, v = float((x - a) / c), float((y - b) / d)
        assert min(abs(u - round(u)), abs(v - round(v))) > CLEAR
        pixel = int(np.floor(v)), int(np.floor(u))
        inside = all(0 <= at < size for at, size in zip(pixel, source.values.shape, strict=True))
        answer[row, col] = source.values[pixel] if inside and source.valid[pixel] else np.nan
    return answer


def class_case(name, title, source, crs, transform, shape, flags, named=None) -> suite.Case:
    """Classes from one CRS to another."""
    answer = warped(source, "class", crs, transform, shape)
    assert np.array_equal(answer, nearest(source, crs, transform, shape), equal_nan=True)
    there, dtype = np.isfinite(answer), source.values.dtype
    tiff = suite.Tiff(np.where(there, answer, 0).astype(dtype), transform, crs, there, nodata=source.nodata)
    parameters = {"kind": "class", "crs": named or crs, "transform": transform, "shape": shape}
    why = "codes are copied; every centre is more than 1e-5 of a pixel from an edge"
    return suite.Case(
        f"warp-{name}", title, "raster", "warp", ["Raster data", "D04"], flags, "gdal",
        "GDAL's warper, near, each point transformed to 1e-9 pixels; 50 digits agree.", parameters,
        {"source.tif": source}, {"warped.tif": suite.Output(tiff, "exact", 0, why)},
    )  # fmt: skip


def cases() -> list[suite.Case]:
    """Classes between CRSs."""
    flags = ["class-by-latitude", "class-from-corner", "class-interpolated"]
    china, codes = suite.ALBERS_CHINA, suite.rng("warp-class-geographic-to-albers").integers(1, 18, (24, 30))
    degrees = suite.Tiff(codes.astype(np.uint8), (115.0, 41.0, 0.1, -0.05), suite.WGS84, codes != 11, 0)
    codes = suite.rng("warp-class-modis-to-albers").integers(1, 18, (40, 36))
    modis = suite.Tiff(codes.astype(np.int16), (9900000.0, 4480000.0, 5000.0, -2500.0), suite.MODIS, codes != 5, -1)
    codes = suite.rng("warp-class-albers-to-geographic").integers(1, 35, (20, 22)) * 10000 + 7
    albers = suite.Tiff(codes.astype(np.int32), (900000.0, 4450000.0, 8000.0, -5000.0), china, codes > 50000, -1)
    return [
        class_case("class-geographic-to-albers", "Land cover in degrees onto D04's grid", degrees, china,
                   (860000.0, 4461000.0, 9000.0, -7000.0), (20, 32), flags, "albers-china"),
        class_case("class-modis-to-albers", "Land cover in MODIS's sinusoidal, sheared by 14 degrees", modis, china,
                   (920000.0, 4395000.0, 9000.0, -7000.0), (14, 22), flags, "albers-china"),
        class_case("class-albers-to-geographic", "Province codes onto degrees: they do not fit into 16 bits", albers,
                   suite.WGS84, (115.5, 41.0, 0.11, -0.07), (14, 23), flags),
    ]  # fmt: skip
