"""GeoTIFF files written by hand, tag by tag, and our own, read back."""

import numpy as np
import pytest
import tifffile

from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA, CRS, MODIS_SINUSOIDAL, WGS84
from refimpl.errors import InputError
from refimpl.formats import decoding, pixels_of_tiff
from refimpl.formats.files import sha256
from refimpl.formats.geotiff import open_raster, read_raster
from refimpl.formats.writing import write_raster
from refimpl.twins import backend
from tests.tiff_writer import tiff

GEOGRAPHIC = {1024: 2, 1025: 1, 2048: 4326}
PLACE = [(33550, "d", 3, (0.5, 0.25, 0.0), True), (33922, "d", 6, (0, 0, 0, 100.0, 40.0, 0), True)]
VALUES = np.arange(6, dtype=np.float32).reshape(2, 3)


def written(path, values=VALUES, keys=GEOGRAPHIC, place=PLACE, extra=(), **options):
    """A TIFF with GeoKeys (short or double values) and other tags as given."""
    doubles = [value for value in keys.values() if isinstance(value, float)]
    directory = [1, 1, 0, len(keys)]
    for key, value in sorted(keys.items()):
        directory += [key, 34736, 1, doubles.index(value)] if isinstance(value, float) else [key, 0, 1, value]
    tags = [*place, (34735, "H", len(directory), tuple(directory), True), *extra]
    if doubles:
        tags.append((34736, "d", len(doubles), tuple(doubles), True))
    options = {"photometric": "minisblack", "metadata": None, **options}
    tifffile.imwrite(path, values, extratags=tags, **options)
    return path


def text(code, word):
    return (code, "s", 0, word, True)


def test_tiepoint_and_pixel_scale_place_the_grid(tmp_path):
    raster = read_raster(written(tmp_path / "a.tif"), "K")
    assert raster.grid == Grid(WGS84, (100.0, 40.0, 0.5, -0.25), (2, 3))
    assert raster.values.tolist() == VALUES.tolist() and raster.values.dtype == np.float32 and raster.valid.all()
    assert raster.units == "K"


def test_a_tiepoint_inside_the_image_is_counted_back_to_the_corner(tmp_path):
    place = [PLACE[0], (33922, "d", 6, (2, 1, 0, 100.0, 40.0, 0), True)]
    assert read_raster(written(tmp_path / "a.tif", place=place)).grid.transform == (99.0, 40.25, 0.5, -0.25)


def test_pixel_is_point_moves_the_corner_half_a_cell_up_and_left(tmp_path):
    path = written(tmp_path / "a.tif", keys={**GEOGRAPHIC, 1025: 2})
    assert read_raster(path).grid.transform == (99.75, 40.125, 0.5, -0.25)


def test_a_south_up_file_is_flipped_with_its_mask(tmp_path):
    place = [(34264, "d", 16, (0.5, 0, 0, 100, 0, 0.25, 0, 30, 0, 0, 0, 0, 0, 0, 0, 1), True)]
    raster = read_raster(written(tmp_path / "a.tif", place=place, extra=[text(42113, "5")]))
    assert raster.grid.transform == (100.0, 30.5, 0.5, -0.25)
    assert raster.values.tolist() == [[3, 4, 0], [0, 1, 2]]
    assert raster.valid.tolist() == [[True, True, False], [True, True, True]]


def test_a_rotated_file_is_refused(tmp_path):
    place = [(34264, "d", 16, (0.5, 0.1, 0, 100, 0.1, -0.25, 0, 30, 0, 0, 0, 0, 0, 0, 0, 1), True)]
    with pytest.raises(InputError, match="a.tif: is rotated, expected north up; straighten it with 'gdalwarp"):
        read_raster(written(tmp_path / "a.tif", place=place))


@pytest.mark.parametrize(
    "keys, crs",
    [
        ({1024: 2, 2048: 4490}, WGS84),
        ({1024: 2, 2048: 32767, 2057: 6378245.0, 2059: 298.3}, CRS("geographic", (6378245.0, 298.3))),
        ({1024: 2, 2048: 32767, 2057: 6371007.181, 2058: 6371007.181}, CRS("geographic", (6371007.181, 0.0))),
        ({1024: 2, 2048: 32767, 2056: 7030}, WGS84),
        ({1024: 2, 2048: 32767, 2057: 300.0, 2058: 299.0}, CRS("geographic", (300.0, 300.0))),
        (
            {1024: 1, 2048: 4326, 3072: 32767, 3075: 11, 3076: 9001, 3078: 25.0, 3079: 47.0, 3080: 105.0, 3081: 0.0},
            ALBERS_CHINA,
        ),
        ({1024: 1, 2048: 4326, 3075: 11, 3078: 25.0, 3079: 47.0, 3088: 105.0, 3089: 0.0}, ALBERS_CHINA),
        ({1024: 1, 2048: 4326, 3075: 11, 3078: 25.0, 3079: 47.0, 3084: 105.0, 3085: 0.0}, ALBERS_CHINA),
        (
            {1024: 1, 2048: 4326, 3075: 11, 3078: 20.0, 3079: 50.0, 3080: 110.0, 3081: 5.0, 3082: 7.0, 3083: 9.0},
            CRS("albers", (6378137.0, 298.257223563), (20, 50), 5, 110, 7, 9),
        ),
        ({1024: 1, 2048: 32767, 2057: 6371007.181, 2058: 6371007.181, 3075: 24, 3088: 0.0}, MODIS_SINUSOIDAL),
    ],
)
def test_geokeys_in_all_their_spellings_name_the_crs(tmp_path, keys, crs):
    assert read_raster(written(tmp_path / "a.tif", keys=keys)).grid.crs == crs


@pytest.mark.parametrize(
    "keys, sentence",
    [
        ({1024: 1, 3072: 5070}, "its system is EPSG:5070, .*gdalwarp -t_srs EPSG:4326"),
        ({1024: 2, 2048: 4269}, "geographic system is EPSG:4269, expected EPSG:4326 or EPSG:4490; .*gdalwarp"),
        ({1024: 1, 3072: 32767, 3075: 10}, "GeoTIFF method 10"),
        ({1024: 1, 2048: 4326, 3075: 11, 3076: 9003, 3078: 25.0, 3079: 47.0}, "not in metres .unit 9003"),
        ({1024: 1, 2048: 4326, 3075: 11, 3078: 25.0, 3079: -25.0}, "cannot be used"),
        ({1024: 2, 2048: 4326, 2054: 9105}, "not degrees"),
        ({1024: 2, 2048: 4326, 2061: 2.337}, "prime meridian"),
        ({1024: 2, 2048: 32767}, "ellipsoid is not given"),
        ({1025: 1}, "no coordinate reference system .*gdal_translate -a_srs"),
        ({1024: 3}, "no coordinate reference system"),
    ],
)
def test_a_crs_that_is_not_understood_gets_one_sentence_with_the_cure(tmp_path, keys, sentence):
    with pytest.raises(InputError, match="a.tif: .*" + sentence):
        read_raster(written(tmp_path / "a.tif", keys=keys))


def test_a_file_without_a_place_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not say where its pixels lie .*gdal_translate -a_ullr"):
        read_raster(written(tmp_path / "a.tif", place=[]))
    with pytest.raises(InputError, match="reach beyond the Earth"):
        read_raster(written(tmp_path / "b.tif", place=[PLACE[0], (33922, "d", 6, (0, 0, 0, 100.0, 400.0, 0), True)]))
    with pytest.raises(InputError, match="expected positive sizes"):
        read_raster(written(tmp_path / "c.tif", place=[(33550, "d", 3, (0.0, 0.25, 0.0), True), PLACE[1]]))


def test_nodata_nan_and_infinities_become_invalid_and_zero(tmp_path):
    values = np.array([[1, np.nan, np.inf], [-np.inf, -9999, 0]], np.float32)
    raster = read_raster(written(tmp_path / "a.tif", values, extra=[text(42113, "-9999")]))
    assert raster.valid.tolist() == [[True, False, False], [False, False, True]]
    assert raster.values.tolist() == [[1, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize(
    "dtype, word, valid",
    [
        ("float32", "-3.4028234663852886e+38", [False, True, True]),
        ("float32", "nan", [True, True, True]),
        ("float32", "0.1", [True, True, False]),
        ("uint8", "255", [False, True, True]),
        ("uint8", "-9999", [True, True, True]),
        ("uint8", "0.5", [True, True, True]),
        ("int16", "-32768", [False, True, True]),
        ("int64", "-9223372036854775808", [False, True, True]),
        ("float32", "1" + 400 * "0", [True, True, True]),
        ("uint8", "1" + 400 * "0", [True, True, True]),
        ("uint8", "inf", [True, True, True]),
    ],
)
def test_nodata_is_compared_in_the_dtype_of_the_file(tmp_path, dtype, word, valid):
    lowest = {"uint8": 255, "float32": np.finfo("f4").min}.get(dtype) or np.iinfo(dtype).min
    values = np.array([[lowest, 7, 0.1 if dtype == "float32" else 9]]).astype(dtype) if dtype != "int64" else None
    values = np.array([[lowest, 7, 9]], dtype) if values is None else values
    raster = read_raster(written(tmp_path / "a.tif", values, extra=[text(42113, word)]))
    assert raster.valid.tolist() == [valid] and raster.values.dtype == dtype


def test_a_nodata_that_is_no_number_is_refused(tmp_path):
    with pytest.raises(InputError, match="nodata value is 'none'"):
        read_raster(written(tmp_path / "a.tif", extra=[text(42113, "none")]))


def test_scale_offset_and_unit_of_the_band_apply_and_others_do_not(tmp_path):
    items = '<Item name="SCALE" sample="0" role="scale">0.1</Item><Item name="OFFSET" sample="0" role="offset">2</Item>'
    items += '<Item name="SCALE" sample="1" role="scale">7</Item>'
    items += '<Item name="UNITTYPE" sample="0" role="unittype">K</Item>'
    extra = [text(42112, f"<GDALMetadata>{items}</GDALMetadata>"), text(42113, "-1")]
    raster = read_raster(written(tmp_path / "a.tif", np.array([[10, -1, 3]], np.float32), extra=extra))
    np.testing.assert_allclose(raster.values, [[3.0, 0.0, 2.3]], rtol=1e-15)  # float64, nodata compared before scaling
    assert raster.units == "K" and raster.valid.tolist() == [[True, False, True]]
    with pytest.raises(InputError, match="GDAL metadata cannot be read"):
        read_raster(written(tmp_path / "b.tif", extra=[text(42112, "<GDALMetadata>")]))


def test_any_band_of_either_interleaving_can_be_read_and_a_missing_one_is_named(tmp_path):
    stack = np.stack([VALUES, 10 * VALUES, 100 * VALUES])
    planes = written(tmp_path / "planes.tif", stack, planarconfig="separate")
    pixels = written(tmp_path / "pixels.tif", np.moveaxis(stack, 0, -1).copy(), planarconfig="contig")
    for path in (planes, pixels):
        assert read_raster(path, band=2).values.tolist() == (10 * VALUES).tolist()
        assert read_raster(path).values.tolist() == VALUES.tolist()
        for band in (0, 4):
            with pytest.raises(InputError, match=f"has no band {band}, it has 3"):
                read_raster(path, band=band)


@pytest.mark.parametrize(
    "options", [{}, {"compression": "zlib"}, {"tile": (16, 32), "compression": "zlib"}, {"byteorder": ">"}]
)
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
def test_strips_tiles_and_both_byte_orders_give_the_same_values(tmp_path, options, dtype):
    values = (np.arange(37 * 41).reshape(37, 41) % 251).astype(dtype)
    raster = read_raster(written(tmp_path / "a.tif", values, **options))
    assert raster.values.dtype == np.dtype(dtype) and raster.values.dtype.isnative
    assert np.array_equal(raster.values, values)


@pytest.mark.parametrize("codec", ["none", "lzw", "deflate", "packbits", "zstd", "lzma"])
@pytest.mark.parametrize("layout", [{}, {"rows": 5}, {"tile": (16, 32)}, {"tile": (16, 16), "separate": True}])
@pytest.mark.parametrize("file", [{}, {"order": ">"}, {"big": True}])
def test_every_codec_predictor_layout_and_byte_order_is_read_to_the_bit(tmp_path, codec, layout, file):
    random, path = np.random.Generator(np.random.PCG64(4)), tmp_path / "a.tif"
    for dtype, predictor in (("uint8", 2), ("uint16", 2), ("int16", 1), ("float32", 3), ("float64", 3), ("float64", 2)):
        values = (random.integers(0, 5, (3, 21, 35)) * 37 + 0.1).astype(dtype)
        path.write_bytes(tiff(values, codec, 1 if codec in ("none", "packbits") else predictor, **layout, **file))
        for band in (1, 3):
            raster = read_raster(path, band=band)
            assert raster.values.dtype == dtype and raster.values.tobytes() == values[band - 1].tobytes()
        with backend("numpy"):
            part = read_raster(path, band=2, window=(3, 18, 14, 34))
        assert part.values.tobytes() == values[1, 3:18, 14:34].tobytes()
        assert part.grid == Grid(WGS84, (107.0, 39.25, 0.5, -0.25), (15, 20))


def test_windows_of_a_south_up_file_count_from_the_north(tmp_path):
    place = [(34264, "d", 16, (0.5, 0, 0, 100, 0, 0.25, 0, 30, 0, 0, 0, 0, 0, 0, 0, 1), True)]
    part = read_raster(written(tmp_path / "a.tif", place=place), window=(0, 1, 1, 3))
    assert part.values.tolist() == [[4, 5]] and part.grid.transform == (100.5, 30.5, 0.5, -0.25)


@pytest.mark.parametrize("window", [(0, 0, 0, 1), (0, 3, 0, 1), (-1, 1, 0, 1), (0, 1, 2, 1), (0, 1, 0), (0, 1, 0, 1.5)])
def test_a_window_that_is_not_in_the_raster_is_refused(tmp_path, window):
    with pytest.raises(InputError, match="a.tif: has no window .* within 2 rows and 3 columns"):
        read_raster(written(tmp_path / "a.tif"), window=window)


def test_a_window_reads_no_segment_that_it_does_not_touch(tmp_path):
    content = bytearray(tiff(np.arange(21 * 35, dtype=np.float32).reshape(21, 35), "deflate", rows=7))
    content[8:40] = b"\xff" * 32  # the first strip
    (tmp_path / "a.tif").write_bytes(content)
    assert read_raster(tmp_path / "a.tif", window=(7, 21, 0, 35)).values[0, 0] == 7 * 35
    with pytest.raises(InputError, match="the bytes of a strip or tile are no deflate"):
        read_raster(tmp_path / "a.tif", window=(6, 21, 0, 35))


def test_halves_become_float32_and_the_largest_float_in_few_digits_is_still_nodata(tmp_path):
    raster = read_raster(written(tmp_path / "a.tif", VALUES.astype(np.float16)))
    assert raster.values.dtype == np.float32 and raster.values.tolist() == VALUES.tolist()
    for dtype, word in (("float32", "-3.4028236e+38"), ("float64", "-1.79769313486232e+308")):
        values = np.array([[np.finfo(dtype).min, 1]], dtype)
        path = written(tmp_path / "b.tif", values, extra=[text(42113, word)])
        assert read_raster(path).valid.tolist() == [[False, True]]


def test_a_mask_page_makes_cells_invalid(tmp_path):
    path, mask = tmp_path / "a.tif", np.array([[True, False, True], [True, True, False]])
    written(path)
    tifffile.imwrite(path, mask, append=True, photometric="minisblack", metadata=None, subfiletype=4)
    assert read_raster(path).valid.tolist() == mask.tolist()


def test_damaged_and_foreign_files_get_one_sentence(tmp_path):
    whole = written(tmp_path / "whole.tif", np.ones((64, 64), np.float32)).read_bytes()
    contents = {"cut": whole[:-100], "half": whole[: len(whole) // 2], "empty": b"", "words": b"hello world"}
    for name, content in contents.items():
        (tmp_path / f"{name}.tif").write_bytes(content)
        with pytest.raises(InputError, match=f"{name}.tif: (is cut short|cannot be read|is empty|is text)") as caught:
            read_raster(tmp_path / f"{name}.tif")
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="missing.tif: does not exist"):
        read_raster(tmp_path / "missing.tif")
    with pytest.raises(InputError, match="not real numbers"):
        read_raster(written(tmp_path / "complex.tif", VALUES.astype(complex)))


def test_random_damage_never_ends_in_anything_but_a_sentence(tmp_path):
    whole = written(tmp_path / "whole.tif", np.ones((9, 11), np.float32), compression="zlib").read_bytes()
    random, path = np.random.Generator(np.random.PCG64(1)), tmp_path / "damaged.tif"
    refused = 0
    for _ in range(400):
        content = bytearray(whole)
        for position in random.integers(0, len(whole), 2):
            content[position] = random.integers(256)
        path.write_bytes(content)
        try:
            read_raster(path)
        except InputError:
            refused += 1
    assert refused > 100


@pytest.mark.parametrize(
    "crs",
    [
        WGS84,
        ALBERS_CHINA,
        MODIS_SINUSOIDAL,
        CRS("geographic", (6378137.0, 298.257222101)),
        CRS("albers", (6378245.0, 298.3), (25, 47), 10, 110, 5e5, 1e5),
    ],
    ids=lambda crs: crs.describe(),
)
def test_what_is_written_is_read_back_to_the_bit(tmp_path, crs):
    random = np.random.Generator(np.random.PCG64(3))
    grid = Grid(crs, (72.99791869065001, 54.00208316535, 0.0083333334, -0.0083333334), (31, 17))
    for dtype, nodata in (("float32", None), ("float64", -9999.0), ("uint8", 255), ("int16", -1), ("float32", 0.1)):
        values = (100 * random.random(grid.shape)).astype(dtype)
        raster = Raster.masked(values, random.random(grid.shape) > 0.3, grid, "t CO2 / km²")
        write_raster(tmp_path / "a.tif", raster, nodata=nodata, description="less < more")
        again = read_raster(tmp_path / "a.tif")
        assert again.grid == grid and again.units == raster.units and again.values.dtype == values.dtype
        assert np.array_equal(again.values, raster.values) and np.array_equal(again.valid, raster.valid)


def test_the_same_raster_gives_the_same_bytes_and_leaves_nothing_beside_them(tmp_path):
    grid = Grid(ALBERS_CHINA, (0, 0, 1e3, -1e3), (300, 500))
    raster = Raster.masked(np.random.default_rng(0).random(grid.shape), np.ones(grid.shape, bool), grid)
    digests = set()
    for name in ("a.tif", "b.tif", "a.tif"):
        write_raster(tmp_path / name, raster)
        digests.add(sha256(tmp_path / name))
    assert len(digests) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tif", "b.tif"]
    with tifffile.TiffFile(tmp_path / "a.tif") as handle:
        assert not {"DateTime", "Software", "ImageDescription"} & {tag.name for tag in handle.pages[0].tags.values()}
        assert handle.pages[0].compression == 8 and len(handle.pages[0].dataoffsets) > 1


def test_a_nodata_that_would_swallow_cells_is_a_programming_error(tmp_path):
    grid = Grid(WGS84, (0, 0, 1, -1), (1, 2))
    codes = Raster(np.array([[3, 0]], np.uint8), np.array([[True, False]]), grid)
    for nodata in (None, 3, 256, -1, 0.5):
        with pytest.raises(ValueError):
            write_raster(tmp_path / "a.tif", codes, nodata=nodata)
    with pytest.raises(ValueError):
        write_raster(tmp_path / "a.tif", Raster(np.array([[3.0, 0.0]]), np.array([[True, True]]), grid), nodata=0.0)
    assert not list(tmp_path.iterdir())


def test_a_scale_that_carries_a_pixel_beyond_all_numbers_makes_it_invalid(tmp_path):
    item = b'<GDALMetadata><Item name="SCALE" sample="0" role="scale">1e300</Item></GDALMetadata>\0'
    (tmp_path / "a.tif").write_bytes(tiff(np.array([[2.0, 1e9]]), "none", tags={42112: (2, item)}))
    raster = read_raster(tmp_path / "a.tif")
    assert raster.values.tolist() == [[2e300, 0.0]] and raster.valid.tolist() == [[True, False]]


def test_a_strip_that_is_the_whole_file_is_decoded_once_for_all_windows(tmp_path, monkeypatch):
    values = np.arange(60.0 * 50).reshape(60, 50)
    (tmp_path / "a.tif").write_bytes(tiff(values, "deflate"))
    seen = []
    monkeypatch.setattr(pixels_of_tiff, "decoded", lambda *args: seen.append(args) or decoding.decoded(*args))
    with open_raster(tmp_path / "a.tif", keep=1000) as file:  # bytes, fewer than the strip holds
        for row in range(0, 60, 7):
            part = file.part((row, min(row + 7, 60), 3, 40))
            assert np.array_equal(part.values, values[row : row + 7, 3:40])
    assert len(seen) == 1
