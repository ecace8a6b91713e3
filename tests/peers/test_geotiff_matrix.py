"""Every kind of GeoTIFF that GDAL writes, read bit for bit: codecs, layouts, predictors, types, orders, windows."""

import itertools

import numpy as np
import pytest

from refimpl.errors import InputError
from refimpl.formats.geotiff import read_raster
from refimpl.twins import backend

rasterio = pytest.importorskip("rasterio")
from rasterio.shutil import copy  # noqa: E402
from rasterio.transform import Affine  # noqa: E402

PLACE = Affine(0.05, 0, 73, 0, -0.05, 54)
TILES = {"tiled": True, "blockxsize": 32, "blockysize": 16}
STRIPS = {"blockysize": 7}
DTYPES = ("uint8", "int16", "uint16", "float32", "float64")
MORE_DTYPES = ("int8", "uint32", "int32", "uint64", "int64")


def pixels(dtype, shape=(45, 71), seed=1):
    """Plateaus (for the codecs), noise and the extremes of the type."""
    random = np.random.Generator(np.random.PCG64(seed))
    coarse = np.repeat(random.integers(0, 90, (*shape[:-1], -(-shape[-1] // 8))), 8, axis=-1)[..., : shape[-1]]
    values = (coarse + (random.random(shape) < 0.2) * 10 * random.random(shape)).astype(dtype)
    if np.dtype(dtype).kind == "f":
        values += values.dtype.type(0.1)
        values.flat[:4] = np.finfo(dtype).max, np.finfo(dtype).tiny, -np.finfo(dtype).max, -0.0
    else:
        values.flat[:2] = np.iinfo(dtype).max, np.iinfo(dtype).min
    return values


def write(path, values, **options):
    bands = values if values.ndim == 3 else values[None]
    shape = {"count": bands.shape[0], "height": bands.shape[1], "width": bands.shape[2], "dtype": values.dtype}
    options = {"crs": "EPSG:4326", "transform": PLACE, **options}
    with rasterio.open(path, "w", driver="GTiff", **shape, **options) as dataset:
        dataset.write(bands)
    return path


def identical(raster, values):
    return raster.values.dtype == values.dtype and raster.values.tobytes() == values.tobytes() and raster.valid.all()


def predictors(codec, dtype):
    if codec in ("LZW", "DEFLATE", "ZSTD", "LZMA"):
        return (1, 2, 3) if dtype.startswith("float") else (1, 2)
    return (1,)


MATRIX = [
    (codec, predictor, dtype, layout)
    for codec, dtype in itertools.product(("LZW", "DEFLATE", "ZSTD", "PACKBITS", "LZMA", "NONE"), DTYPES)
    for predictor, layout in itertools.product(predictors(codec, dtype), ("strips", "tiles"))
] + [("LZW", 2, dtype, layout) for dtype in MORE_DTYPES for layout in ("strips", "tiles")]


@pytest.mark.parametrize("codec, predictor, dtype, layout", MATRIX)
def test_every_codec_layout_predictor_and_type_is_read_bit_for_bit(tmp_path, codec, predictor, dtype, layout):
    options = {"compress": codec} | ({"predictor": predictor} if predictor > 1 else {})
    values = pixels(dtype)
    path = write(tmp_path / "a.tif", values, **options, **(TILES if layout == "tiles" else STRIPS))
    assert identical(read_raster(path), values)
    for top, bottom, left, right in ((0, 1, 0, 1), (13, 40, 30, 65), (44, 45, 70, 71), (16, 32, 32, 64)):
        part = read_raster(path, window=(top, bottom, left, right))
        assert identical(part, np.ascontiguousarray(values[top:bottom, left:right]))
        np.testing.assert_allclose(part.grid.transform, (73 + 0.05 * left, 54 - 0.05 * top, 0.05, -0.05), rtol=1e-14)


@pytest.mark.parametrize("codec, predictor", [("LZW", 1), ("LZW", 2), ("PACKBITS", 1), ("DEFLATE", 2), ("ZSTD", 3)])
@pytest.mark.parametrize("order, big", [("LITTLE", "YES"), ("BIG", "NO"), ("BIG", "YES")])
@pytest.mark.parametrize("interleave", ["pixel", "band"])
def test_big_endian_bigtiff_and_bands_of_either_kind_are_read_bit_for_bit(
    tmp_path, codec, predictor, order, big, interleave
):
    for dtype, layout in itertools.product(("float32", "float64") if predictor == 3 else DTYPES, (TILES, STRIPS)):
        stack = pixels(dtype, (3, 45, 71))
        options = {"compress": codec, "endianness": order, "bigtiff": big, "interleave": interleave}
        options |= {"predictor": predictor} if predictor > 1 else {}
        path = write(tmp_path / f"{dtype}.tif", stack, **options, **layout)
        for band in (1, 2, 3):
            assert identical(read_raster(path, band=band), stack[band - 1])
        part = read_raster(path, band=2, window=(10, 33, 5, 60))
        assert part.values.tobytes() == np.ascontiguousarray(stack[1, 10:33, 5:60]).tobytes()


@pytest.mark.parametrize("codec", ["LZW", "PACKBITS"])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_the_references_read_what_the_kernels_read(tmp_path, codec, dtype):
    for predictor in predictors(codec, dtype):
        options = {"compress": codec} | ({"predictor": predictor} if predictor > 1 else {})
        values = pixels(dtype, (3, 45, 71))
        path = write(tmp_path / "a.tif", values, interleave="pixel", **options)
        with backend("numpy"):
            assert identical(read_raster(path, band=2), values[1])


def test_large_segments_fill_and_restart_the_table_of_lzw(tmp_path):
    random = np.random.Generator(np.random.PCG64(2))
    for values in (
        random.integers(0, 256, (300, 500), np.uint8),
        np.zeros((1000, 1000), np.uint8),
        (random.random((300, 500)) * random.integers(0, 2, (300, 500))).astype("float32"),
        np.tile(np.arange(256, dtype=np.uint8), (700, 2)),
    ):
        path = write(tmp_path / "a.tif", values, compress="LZW", blockysize=values.shape[0])
        assert identical(read_raster(path), values)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_samples_of_few_bits_are_read_as_uint8(tmp_path, bits):
    values = np.random.default_rng(0).integers(0, 1 << bits, (2, 45, 71), np.uint8)
    for layout, interleave in itertools.product((TILES, STRIPS), ("pixel", "band")):
        path = write(tmp_path / "a.tif", values, nbits=bits, compress="LZW", interleave=interleave, **layout)
        assert identical(read_raster(path, band=2, window=(3, 40, 9, 70)), np.ascontiguousarray(values[1, 3:40, 9:70]))


def test_halves_are_read_as_float32_as_gdal_does(tmp_path):
    path = write(tmp_path / "a.tif", pixels("float32") % 100, nbits=16, compress="DEFLATE", predictor=3)
    with rasterio.open(path) as dataset:
        assert identical(read_raster(path), dataset.read(1))


@pytest.mark.parametrize("dtype, nodata", [
    ("uint8", 255), ("int16", -32768), ("uint16", 65535), ("float32", -9999), ("float32", 0.1), ("float32", np.nan),
    ("float32", np.inf), ("float64", -np.inf), ("float32", np.finfo("f4").min), ("float64", np.finfo("f8").min),
    ("int32", -(2**31)), ("int64", -9999), ("float32", 3.4028235e38), ("float64", -1.7976931348623157e308),
])  # fmt: skip
def test_nodata_of_every_kind_makes_the_cells_invalid_that_gdal_masks(tmp_path, dtype, nodata):
    values = np.arange(45 * 71).reshape(45, 71).astype(dtype)
    values[3:9, 5:50] = np.dtype(dtype).type(nodata)
    path = write(tmp_path / "a.tif", values, nodata=nodata)
    with rasterio.open(path) as dataset:
        masked = dataset.read_masks(1) > 0
    raster = read_raster(path)
    assert np.array_equal(raster.valid, masked & np.isfinite(values)) and not raster.valid[3:9, 5:50].any()


@pytest.mark.parametrize("options", [{}, {"compress": "DEFLATE"}, {"compress": "LZW", **TILES}])
def test_a_window_of_a_masked_scaled_and_south_up_file_is_that_part_of_the_whole(tmp_path, options):
    values = pixels("int16")
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        path = write(tmp_path / "a.tif", values, transform=Affine(0.05, 0, 73, 0, 0.05, 20), **options)
        with rasterio.open(path, "r+") as dataset:
            dataset.write_mask(values % 3 > 0)
            dataset.scales, dataset.offsets = (0.5,), (3.0,)
    whole, part = read_raster(path), read_raster(path, window=(7, 30, 11, 64))
    assert np.array_equal(whole.valid, (values % 3 > 0)[::-1])
    assert np.array_equal(whole.values, np.where(values % 3 > 0, values * 0.5 + 3, 0)[::-1])
    assert np.array_equal(part.values, whole.values[7:30, 11:64])
    assert np.array_equal(part.valid, whole.valid[7:30, 11:64])
    x, y = whole.grid.centres()
    np.testing.assert_allclose(part.grid.centres()[0], x[11:64], rtol=1e-14)
    np.testing.assert_allclose(part.grid.centres()[1], y[7:30], rtol=1e-14)


def test_sparse_tiles_hold_nodata_and_a_large_sparse_file_needs_leave(tmp_path, monkeypatch):
    for name, side in (("small", 512), ("large", 40_000)):
        options = {"count": 1, "height": side, "width": side, "dtype": "uint8", "nodata": 9, "sparse_ok": True, **TILES}
        options |= {"blockxsize": 512, "blockysize": 512, "transform": Affine(0.001, 0, 73, 0, -0.001, 54)}
        with rasterio.open(tmp_path / f"{name}.tif", "w", driver="GTiff", crs="EPSG:4326", **options):
            pass
    assert not read_raster(tmp_path / "small.tif").valid.any()
    with pytest.raises(InputError, match="never written; if that is meant, allow it with REFIMPL_MOST_BYTES"):
        read_raster(tmp_path / "large.tif", window=(0, 9, 0, 9))
    assert not read_raster(tmp_path / "large.tif", window=(0, 9, 0, 9), most_bytes=2**33).valid.any()
    monkeypatch.setenv("REFIMPL_MOST_BYTES", str(2**33))
    assert not read_raster(tmp_path / "large.tif", window=(0, 9, 0, 9)).valid.any()


@pytest.mark.parametrize("options", [{"compress": "JPEG"}, {"compress": "LERC"}, {"nbits": 12}, {"compress": "WEBP"}])
def test_what_cannot_be_read_names_the_command_that_helps(tmp_path, options):
    try:
        path = write(tmp_path / "a.tif", pixels("uint16" if "nbits" in options else "uint8", (3, 64, 64)), **options)
    except rasterio.errors.RasterioError:
        pytest.skip("this GDAL cannot write it")
    with pytest.raises(InputError, match="rewrite it with 'gdal_translate"):
        read_raster(path)


def test_a_cloud_optimised_file_is_read_and_its_overviews_are_not(tmp_path):
    values = pixels("float32", (700, 900))
    write(tmp_path / "a.tif", values)
    with rasterio.open(tmp_path / "a.tif") as dataset:
        profile = {"driver": "COG", "compress": "ZSTD", "predictor": "YES", "blocksize": 128}
        copy(dataset, tmp_path / "cog.tif", **profile)
    assert identical(read_raster(tmp_path / "cog.tif"), values)
