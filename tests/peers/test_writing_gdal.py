"""What GDAL (rasterio) finds in our GeoTIFFs, and the rules of Cloud-Optimized ones, checked byte by byte.

The rules are those of GDAL's page on its COG driver; tifffile finds the directories.
"""

import math
import re
import struct

import numpy as np
import pytest
import tifffile

from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA
from refimpl.formats import writing
from refimpl.formats.geotiff import read_raster
from refimpl.formats.writing import write_raster

rasterio = pytest.importorskip("rasterio")
from rasterio.enums import Resampling  # noqa: E402
from rasterio.transform import Affine  # noqa: E402

NODATA = {"uint8": 255, "int16": -32768, "uint16": 65535, "int32": -1, "float32": None, "float64": -9999.0}
SIZES = [(1, 700), (700, 1), (512, 512), (513, 512), (513, 1025), (700, 1301), (1, 1)]


def raster_of(shape, dtype, holes=0.3, smooth=False):
    random = np.random.Generator(np.random.PCG64(6))
    row, col = np.mgrid[: shape[0], : shape[1]]
    noise = random.random(shape)
    waves = 120 + 60 * np.sin(row / 40) + 50 * np.cos(col / 30) + 9 * noise * (np.dtype(dtype).kind != "f")
    values = waves if smooth else 250 * noise
    grid = Grid(ALBERS_CHINA, (-1234.5, 4e6, 463.3127, -500.0), shape)
    return Raster.masked(values.astype(dtype), random.random(shape) >= holes, grid, "t CO₂ / km²")


def check_against_gdal(path, raster, nodata):
    with rasterio.open(path) as dataset:
        found, mask = dataset.read(1), dataset.read_masks(1) > 0
        assert found.dtype == raster.values.dtype and found.shape == raster.grid.shape
        assert np.array_equal(mask, raster.valid) and np.array_equal(found[mask], raster.values[mask])
        assert dataset.transform == Affine(463.3127, 0, -1234.5, 0, -500.0, 4e6)
        assert dataset.crs.to_dict() | {"proj": "aea", "lat_1": 25, "lat_2": 47, "lon_0": 105} == dataset.crs.to_dict()
        assert dataset.nodata == nodata or (nodata is None and math.isnan(dataset.nodata))
        assert dataset.units == ("t CO₂ / km²",) and dataset.descriptions == ("a < b",)
        check_statistics(dataset.tags(1), raster)
        return dataset.block_shapes[0], len(dataset.overviews(1)), dataset.tags(ns="IMAGE_STRUCTURE")


def check_statistics(tags, raster):
    cells = [float(value) for value in raster.values[raster.valid]]
    assert float(tags["STATISTICS_VALID_PERCENT"]) == 100 * len(cells) / raster.valid.size
    if not cells:
        assert "STATISTICS_MEAN" not in tags
        return
    mean = math.fsum(cells) / len(cells)
    assert float(tags["STATISTICS_MINIMUM"]) == min(cells) and float(tags["STATISTICS_MAXIMUM"]) == max(cells)
    # Sums of up to a million float64 in pairs: some ten roundings deep.
    assert float(tags["STATISTICS_MEAN"]) == pytest.approx(mean, rel=1e-14)
    squares = math.fsum((value - mean) ** 2 for value in cells)
    assert float(tags["STATISTICS_STDDEV"]) == pytest.approx(math.sqrt(squares / len(cells)), rel=1e-13, abs=1e-13)


@pytest.mark.parametrize("cog", [False, True])
@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("dtype", NODATA)
def test_gdal_finds_every_pixel_and_tag(tmp_path, dtype, shape, cog):
    raster = raster_of(shape, dtype)
    write_raster(tmp_path / "a.tif", raster, NODATA[dtype], "a < b", cog)
    block, overviews, structure = check_against_gdal(tmp_path / "a.tif", raster, NODATA[dtype])
    rows = min(shape[0], 2**18 // (shape[1] * raster.values.itemsize))
    assert block == ((512, 512) if cog or min(shape) > 512 else (rows, shape[1]))
    assert structure["COMPRESSION"] == "DEFLATE" and "PREDICTOR" not in structure
    assert overviews == (math.ceil(math.log2(max(*shape, 512) / 512)) if cog else 0)
    assert (structure.get("LAYOUT") == "COG") == cog
    if cog:
        check_cloud_optimized(tmp_path / "a.tif")


@pytest.mark.parametrize("dtype", NODATA)
@pytest.mark.parametrize("cog", [False, True])
def test_gdal_undoes_our_predictors(tmp_path, dtype, cog):
    raster = raster_of((600, 700), dtype, holes=0, smooth=True)
    write_raster(tmp_path / "a.tif", raster, NODATA[dtype], "a < b", cog)
    _, _, structure = check_against_gdal(tmp_path / "a.tif", raster, NODATA[dtype])
    assert structure["PREDICTOR"] == ("3" if dtype.startswith("float") else "2")


@pytest.mark.parametrize("dtype", NODATA)
def test_a_raster_without_a_valid_cell_is_all_nodata(tmp_path, dtype):
    raster = raster_of((600, 1300), dtype, holes=1)
    assert not raster.valid.any()
    write_raster(tmp_path / "a.tif", raster, NODATA[dtype], "a < b", cog=True)
    check_against_gdal(tmp_path / "a.tif", raster, NODATA[dtype])
    for level in (0, 1):
        with rasterio.open(tmp_path / "a.tif", overview_level=level) as dataset:
            assert not dataset.read_masks(1).any()


@pytest.mark.parametrize("cog", [False, True])
def test_gdal_reads_our_bigtiffs(tmp_path, monkeypatch, cog):
    monkeypatch.setattr(writing, "CLASSIC_BYTES", 1000)
    for shape in ((30, 40), (600, 1300)):
        raster = raster_of(shape, "float32")
        write_raster(tmp_path / "a.tif", raster, None, "a < b", cog)
        assert (tmp_path / "a.tif").read_bytes()[:8] == b"II+\0\x08\0\0\0"
        check_against_gdal(tmp_path / "a.tif", raster, None)
        if cog:
            check_cloud_optimized(tmp_path / "a.tif")


def test_more_than_4_gb_of_cells_are_a_bigtiff_by_themselves():
    just_below, above = (127 * 512, 127 * 512), (128 * 512, 128 * 512)  # 4,228,120,576 bytes, and 2**32
    layouts = [writing.layout_for(shape, np.dtype("u1")) for shape in (just_below, above)]
    assert [writing._needs_big(layout, cog=False) for layout in layouts] == [False, True]
    assert writing._needs_big(layouts[0], cog=True)  # for the overviews are another third


def gdal_overviews(path, raster, nodata, resampling, levels):
    """Overviews that GDAL itself makes of the same cells: (values, valid) of each."""
    shape = dict(height=raster.grid.shape[0], width=raster.grid.shape[1], count=1, dtype=raster.values.dtype)
    place = dict(crs="EPSG:3857", transform=Affine(2, 0, 0, 0, -2, 0))
    nodata = np.nan if nodata is None else nodata
    with rasterio.open(path, "w", driver="GTiff", nodata=nodata, **shape, **place) as dataset:
        dataset.write(np.where(raster.valid, raster.values, np.array(nodata, raster.values.dtype)), 1)
    with rasterio.open(path, "r+") as dataset:
        dataset.build_overviews(levels, resampling)
    return overviews_in(path, len(levels))


def overviews_in(path, count):
    found = []
    for level in range(count):
        with rasterio.open(path, overview_level=level) as dataset:
            found.append((dataset.read(1), dataset.read_masks(1) > 0))
    return found


@pytest.mark.parametrize("shape", [(1024, 2048), (513, 1025), (700, 1301), (1, 1111), (2051, 37)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_overviews_of_floats_are_gdals_averages(tmp_path, dtype, shape):
    raster = raster_of(shape, dtype, holes=0.6)
    write_raster(tmp_path / "a.tif", raster, NODATA[dtype], cog=True)
    levels = [2**k for k in range(1, 1 + math.ceil(math.log2(max(shape) / 512)))]
    theirs = gdal_overviews(tmp_path / "b.tif", raster, NODATA[dtype], Resampling.average, levels)
    for (ours, valid), (gdals, their_valid) in zip(overviews_in(tmp_path / "a.tif", len(levels)), theirs):
        assert np.array_equal(valid, their_valid)
        # GDAL averages float32 in float32; and it takes the shares of cells from differences of coordinates near 1e3.
        np.testing.assert_allclose(ours[valid], gdals[valid], rtol=1e-6 if dtype == "float32" else 1e-10)


def test_overviews_of_classes_are_gdals_modes_where_one_class_leads(tmp_path):
    random = np.random.Generator(np.random.PCG64(8))
    values = random.integers(0, 2, (1024, 1024)).astype(np.uint8) * 7 + 1
    valid = random.random(values.shape) > 0.2
    raster = Raster.masked(values, valid, Grid(ALBERS_CHINA, (0, 0, 1, -1), values.shape))
    write_raster(tmp_path / "a.tif", raster, 0, cog=True)
    ((gdals, their_valid),) = gdal_overviews(tmp_path / "b.tif", raster, 0, Resampling.mode, [2])
    ((ours, where),) = overviews_in(tmp_path / "a.tif", 1)
    assert np.array_equal(where, their_valid) and not ours[~where].any()
    four = np.where(valid, values, 0).reshape(512, 2, 512, 2)
    ones, eights = (four == 1).sum((1, 3)), (four == 8).sum((1, 3))
    leads = ones != eights
    assert leads.mean() > 0.5 and np.array_equal(ours[leads], gdals[leads])
    assert np.array_equal(ours[leads & where], np.where(ones > eights, 1, 8)[leads & where])


def test_overviews_lie_where_the_raster_lies(tmp_path):
    raster = raster_of((700, 1301), "float64", holes=0)
    write_raster(tmp_path / "a.tif", raster, cog=True)
    with rasterio.open(tmp_path / "a.tif") as whole, rasterio.open(tmp_path / "a.tif", overview_level=1) as overview:
        assert overview.bounds == pytest.approx(whole.bounds, rel=1e-12) and overview.shape == (175, 326)
        # Area-weighted means keep the mean of all cells.
        assert overview.read(1).mean() == pytest.approx(whole.read(1).mean(), rel=1e-12)


def check_cloud_optimized(path):
    """The rules, on the bytes: promises first, then directories, then tiles, the smallest overview first."""
    content = path.read_bytes()
    head = 16 if content[2] == 43 else 8
    with tifffile.TiffFile(path) as handle:
        pages = [(page.offset, page.dataoffsets, page.databytecounts) for page in handle.pages]
        shapes = [page.shape for page in handle.pages]
        assert all(page.is_tiled and page.tile == (512, 512) for page in handle.pages)
        assert [page.subfiletype for page in handle.pages] == [0] + [1] * (len(pages) - 1)
        assert {page.tags[317].value for page in handle.pages} == {handle.pages[0].tags[317].value}
        nodata = {page.tags[42113].value if 42113 in page.tags else None for page in handle.pages}
        assert len(nodata) == 1 and all(page.tags.get(33550) is None for page in list(handle.pages)[1:])
    promised = re.match(rb"GDAL_STRUCTURAL_METADATA_SIZE=(\d{6}) bytes\n", content[head : head + 43])
    begin = head + 43 + int(promised[1])
    promises = content[head + 43 : begin].decode("ascii").split("\n")
    assert set(promises) >= {"LAYOUT=IFDS_BEFORE_DATA", "BLOCK_ORDER=ROW_MAJOR", "BLOCK_LEADER=SIZE_AS_UINT4"}
    assert {"BLOCK_TRAILER=LAST_4_BYTES_REPEATED", "KNOWN_INCOMPATIBLE_EDITION=NO"} < set(promises)
    assert pages[0][0] == begin + begin % 2, "the directory of the full resolution comes right after the promises"
    places = [page[0] for page in pages]
    assert places == sorted(places) and all(place % 2 == 0 for place in places)
    assert shapes == sorted(shapes, reverse=True) and max(shapes[-1]) <= 512
    end = max(places)
    for offsets, counts in reversed([page[1:] for page in pages]):
        for offset, count in zip(offsets, counts):  # row by row, without a hole
            assert struct.unpack_from("<I", content, offset - 4)[0] == count
            assert content[offset + count : offset + count + 4] == content[offset + count - 4 : offset + count]
            assert offset - 4 == end or end == max(places) < offset - 4
            end = offset + count + 4
    assert end == len(content)


def test_the_check_of_the_rules_finds_what_breaks_them(tmp_path):
    write_raster(tmp_path / "a.tif", raster_of((700, 1301), "float32"), cog=True)
    check_cloud_optimized(tmp_path / "a.tif")
    content = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "longer.tif").write_bytes(content + b"\0")
    (tmp_path / "leader.tif").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    for name in ("longer", "leader"):
        with pytest.raises(AssertionError):
            check_cloud_optimized(tmp_path / f"{name}.tif")
    write_raster(tmp_path / "plain.tif", raster_of((700, 1301), "float32"))
    with pytest.raises((AssertionError, TypeError)):
        check_cloud_optimized(tmp_path / "plain.tif")


def test_gdals_own_cloud_optimized_files_pass_the_same_check(tmp_path):
    options = dict(driver="COG", height=700, width=1301, count=1, dtype="float32", compress="deflate", blocksize=512)
    place = dict(crs="EPSG:3857", transform=Affine(2, 0, 0, 0, -2, 0))
    with rasterio.open(tmp_path / "a.tif", "w", **options, **place) as dataset:
        dataset.write(np.random.default_rng(0).random((700, 1301)).astype(np.float32), 1)
    check_cloud_optimized(tmp_path / "a.tif")


def test_what_gdal_changes_in_our_file_is_read_here(tmp_path):
    raster = raster_of((700, 1301), "float32")
    write_raster(tmp_path / "a.tif", raster)
    with rasterio.open(tmp_path / "a.tif", "r+") as dataset:
        dataset.build_overviews([2, 4], Resampling.average)
        dataset.set_band_unit(1, "K")
    again = read_raster(tmp_path / "a.tif")
    assert again.units == "K" and np.array_equal(again.values, raster.values)
    assert np.array_equal(again.valid, raster.valid)
