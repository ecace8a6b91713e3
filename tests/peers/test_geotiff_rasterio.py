"""GeoTIFF files exchanged with rasterio (GDAL) in both directions."""

import warnings

import numpy as np
import pytest

from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA, CRS, MODIS_SINUSOIDAL, WGS84
from refimpl.errors import InputError
from refimpl.formats.geotiff import read_raster
from refimpl.formats.writing import write_raster

rasterio = pytest.importorskip("rasterio")
from rasterio.crs import CRS as RasterioCRS  # noqa: E402
from rasterio.transform import Affine  # noqa: E402

ALBERS = "+proj=aea +lat_1=25 +lat_2=47 +lat_0=0 +lon_0=105 +datum=WGS84"
SINUSOIDAL = "+proj=sinu +R=6371007.181"
NORTH_UP = Affine(0.05, 0, 73, 0, -0.05, 54)


def pixels(dtype="float32", rows=70, cols=90):
    return (np.random.Generator(np.random.PCG64(1)).random((rows, cols)) * 100).astype(dtype)


def write(path, values, crs="EPSG:4326", transform=NORTH_UP, **options):
    bands = values if values.ndim == 3 else values[None]
    shape = dict(count=bands.shape[0], height=bands.shape[1], width=bands.shape[2], dtype=values.dtype)
    with rasterio.open(path, "w", driver="GTiff", crs=crs, transform=transform, **shape, **options) as dataset:
        dataset.write(bands)
    return path


@pytest.mark.parametrize(
    "crs, text",
    [
        (WGS84, "EPSG:4326"),
        (ALBERS_CHINA, ALBERS),
        (MODIS_SINUSOIDAL, SINUSOIDAL),
        (CRS("sinusoidal", central_meridian=100, false_easting=3), "+proj=sinu +lon_0=100 +x_0=3 +datum=WGS84"),
        (
            CRS("albers", (6378245.0, 298.3), (25, 47), 10, 110, 5e5, 1e5),
            "+proj=aea +lat_1=25 +lat_2=47 +lat_0=10 +lon_0=110 +x_0=500000 +y_0=100000 +a=6378245 +rf=298.3",
        ),
        (CRS("geographic", (6378245.0, 298.3)), "+proj=longlat +a=6378245 +rf=298.3"),
    ],
    ids=lambda case: case if isinstance(case, str) else case.kind,
)
@pytest.mark.parametrize("dtype, nodata", [("float32", None), ("float64", -1.0), ("uint8", 255), ("int16", -1)])
def test_gdal_reads_our_crs_transform_values_nodata_unit_and_description(tmp_path, crs, text, dtype, nodata):
    values = pixels(dtype)
    grid = Grid(crs, (72.99791869065001, 54.00208316535, 0.0083333334, -0.0125), values.shape)
    raster = Raster.masked(values, pixels() > 30, grid, "t CO2 / km²")
    write_raster(tmp_path / "a.tif", raster, nodata=nodata, description="a < b")
    with rasterio.open(tmp_path / "a.tif") as dataset:
        ours, theirs = dataset.crs.to_dict(), RasterioCRS.from_string(text).to_dict()
        names = {"proj", "lat_1", "lat_2", "lat_0", "lon_0", "x_0", "y_0", "R"}
        assert {k: ours.get(k, 0) for k in names} == {k: theirs.get(k, 0) for k in names}
        assert ours.get("no_defs") and dataset.crs.is_projected == (crs.kind != "geographic")
        if crs.ellipsoid[0] == 6378245.0:
            assert 'SPHEROID["unnamed",6378245,298.3]' in dataset.crs.to_wkt()
        assert dataset.transform == Affine(0.0083333334, 0, 72.99791869065001, 0, -0.0125, 54.00208316535)
        assert np.array_equal(dataset.read_masks(1) > 0, raster.valid)
        assert np.array_equal(dataset.read(1)[raster.valid], values[raster.valid]) and dataset.dtypes == (dtype,)
        assert dataset.nodata == nodata or np.isnan(dataset.nodata)
        assert dataset.units == ("t CO2 / km²",) and dataset.descriptions == ("a < b",)
        assert dataset.tags()["AREA_OR_POINT"] == "Area"


@pytest.mark.parametrize(
    "crs, expected",
    [("EPSG:4326", WGS84), ("EPSG:4490", WGS84), (ALBERS, ALBERS_CHINA), (SINUSOIDAL, MODIS_SINUSOIDAL)],
)
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int16", "uint16", "int64"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compress": "DEFLATE", "predictor": 2},
        {"tiled": True, "blockxsize": 32, "blockysize": 16, "compress": "PACKBITS"},
    ],
    ids=["plain", "deflate", "tiled"],
)
def test_we_read_what_gdal_writes(tmp_path, crs, expected, dtype, options):
    values = pixels(dtype)
    raster = read_raster(write(tmp_path / "a.tif", values, crs, nodata=values[3, 4].item(), **options))
    assert raster.grid == Grid(expected, (73, 54, 0.05, -0.05), values.shape)
    assert np.array_equal(raster.valid, values != values[3, 4]) and raster.values.dtype == dtype
    assert np.array_equal(raster.values[raster.valid], values[raster.valid])


def test_south_up_is_flipped_and_rotated_is_refused(tmp_path):
    values = pixels()
    raster = read_raster(write(tmp_path / "south.tif", values, transform=Affine(0.05, 0, 73, 0, 0.05, 20)))
    assert np.array_equal(raster.values, values[::-1])
    np.testing.assert_allclose(raster.grid.transform, (73, 23.5, 0.05, -0.05), rtol=1e-15)
    with pytest.raises(InputError, match="is rotated"):
        read_raster(write(tmp_path / "rotated.tif", values, transform=Affine(0.05, 0.01, 73, 0.01, -0.05, 54)))


def test_pixel_is_point_files_lie_where_gdal_says(tmp_path):
    path = tmp_path / "point.tif"
    shape = dict(driver="GTiff", height=2, width=3, count=1, dtype="uint8")
    with rasterio.open(path, "w", crs="EPSG:4326", transform=NORTH_UP, **shape) as d:
        d.update_tags(AREA_OR_POINT="Point")
        d.write(np.ones((1, 2, 3), np.uint8))
    with rasterio.open(path) as dataset:
        assert dataset.tags()["AREA_OR_POINT"] == "Point"
        t = dataset.transform
    np.testing.assert_allclose(read_raster(path).grid.transform, (t.c, t.f, t.a, t.e), rtol=1e-14)


@pytest.mark.parametrize("interleave", ["pixel", "band"])
def test_every_band_of_a_stack_can_be_read(tmp_path, interleave):
    stack = np.stack([pixels(), 2 * pixels(), 3 * pixels()])
    path = write(tmp_path / "a.tif", stack, interleave=interleave, tiled=True, blockxsize=64, blockysize=32)
    for band in (1, 2, 3):
        assert np.array_equal(read_raster(path, band=band).values, stack[band - 1])


def test_internal_masks_sparse_tiles_overviews_scale_and_offset_are_honoured(tmp_path):
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        path = write(tmp_path / "mask.tif", pixels())
        with rasterio.open(path, "r+") as dataset:
            dataset.write_mask(pixels() > 40)
    assert np.array_equal(read_raster(path).valid, pixels() > 40)

    lowest = float(np.finfo("f4").min)
    sparse = np.full((64, 64), lowest, np.float32)
    sparse[:16, :16] = 5
    tiles = dict(tiled=True, blockxsize=16, blockysize=16, sparse_ok=True)
    path = write(tmp_path / "sparse.tif", sparse, nodata=lowest, **tiles)
    assert np.array_equal(read_raster(path).valid, sparse == 5)

    path = write(tmp_path / "scaled.tif", pixels("int16"), nodata=7)
    with rasterio.open(path, "r+") as dataset:
        dataset.build_overviews([2, 4])
        dataset.scales, dataset.offsets, dataset.units = (0.1,), (5.0,), ("K",)
    raster = read_raster(path)
    assert raster.units == "K" and np.array_equal(raster.valid, pixels("int16") != 7)
    np.testing.assert_allclose(raster.values[raster.valid], (pixels("int16") * 0.1 + 5)[raster.valid], rtol=1e-15)


CODECS = [{"compress": "LZW"}, {"compress": "ZSTD"}, {"compress": "DEFLATE", "predictor": 3}]


@pytest.mark.parametrize("options", CODECS)
def test_a_compression_without_codec_is_named_with_its_cure(tmp_path, options):
    path = write(tmp_path / "a.tif", pixels(), **options)
    try:
        raster = read_raster(path)
    except InputError as fault:
        assert "need a codec that is not installed; rewrite it with 'gdal_translate -co COMPRESS=DEFLATE" in str(fault)
    else:  # where imagecodecs happens to be installed
        assert np.array_equal(raster.values, pixels())


OTHERS = ["EPSG:4269", "EPSG:5070", "+proj=laea +lat_0=35 +lon_0=105", None]


@pytest.mark.parametrize("crs", OTHERS)
def test_other_systems_are_refused(tmp_path, crs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = write(tmp_path / "a.tif", pixels(), crs)
    with pytest.raises(InputError, match="a.tif: .*(gdalwarp -t_srs|gdal_translate -a_srs)"):
        read_raster(path)
