"""Side files and reference systems in text, against PROJ (pyproj) and GDAL (rasterio)."""

import re
import warnings

import numpy as np
import pytest

from refimpl.earth.epsg import crs_of_epsg
from refimpl.earth.projection import forward
from refimpl.errors import InputError
from refimpl.formats.facts import place_facts
from refimpl.formats.geotiff import open_raster, read_raster
from refimpl.formats.survey import survey
from refimpl.formats.wkt import crs_from_wkt
from tests.peers.test_geokeys_rasterio import CODES, GAUSS_KRUEGER, KRASOVSKY_ALBERS, USER_DEFINED

rasterio = pytest.importorskip("rasterio")
pyproj = pytest.importorskip("pyproj")
from rasterio.enums import ColorInterp  # noqa: E402
from rasterio.transform import Affine  # noqa: E402
from rasterio.warp import transform_bounds  # noqa: E402

DIALECTS = ["WKT1_ESRI", "WKT1_GDAL", "WKT2_2015", "WKT2_2019"]

PLACE = Affine(1, 0, 100, 0, -1, 40)


def write(path, crs=None, transform=None, values=None, **options):
    """A file by GDAL, of 3 x 4 float32 unless told otherwise; (bands, rows, columns) for several bands."""
    values = np.arange(12, dtype=np.float32).reshape(1, 3, 4) if values is None else values
    shape = dict(count=values.shape[0], height=values.shape[1], width=values.shape[2], dtype=values.dtype)
    where = {} if transform is None else {"transform": transform}
    driver = "PNG" if str(path).endswith(".png") else "GTiff"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(path, "w", driver=driver, crs=crs, **where, **shape, **options) as dataset:
            dataset.write(values)
    return path


def in_dialect(text, dialect):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pyproj.CRS.from_user_input(text).to_wkt(dialect)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("code", CODES + GAUSS_KRUEGER)
def test_each_code_is_read_from_projs_text(code, dialect):
    found, expected = crs_from_wkt(in_dialect(f"EPSG:{code}", dialect), "a.prj"), crs_of_epsg(code)
    assert found == expected and found.datum == expected.datum


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("text, crs", USER_DEFINED, ids=lambda case: getattr(case, "kind", None))
def test_user_defined_systems_are_read_from_projs_text(text, crs, dialect):
    found = crs_from_wkt(in_dialect(text, dialect), "a.prj")
    assert found == crs and found.datum == crs.datum


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "text",
    ["EPSG:3395", "EPSG:32661", "EPSG:2225", "EPSG:27572", "EPSG:3413", "EPSG:6933", "EPSG:2049", "ESRI:54030"]
    + ["+proj=lcc +lat_1=25 +lat_2=47 +lon_0=105 +datum=WGS84", "+proj=laea +lat_0=35 +lon_0=105"]
    + ["+proj=aea +lat_1=25 +lat_2=47 +datum=WGS84 +units=us-ft", "+proj=longlat +ellps=clrk80 +pm=paris"]
    + ["+proj=merc +lat_ts=30 +R=6378137"],
)
def test_systems_that_are_not_known_here_are_refused(text, dialect):
    with pytest.raises(InputError, match=r"a\.prj: .*gdalwarp"):
        crs_from_wkt(in_dialect(text, dialect), "a.prj")


@pytest.mark.parametrize(
    "text", [KRASOVSKY_ALBERS, "ESRI:102025", "EPSG:4490", "EPSG:3857", "+proj=sinu +R=6371007.181"]
)
def test_a_geotiff_in_arcgis_flavour_is_read_as_one_in_the_standards(tmp_path, text):
    for name, flavour in (("a", "STANDARD"), ("b", "ESRI_PE")):
        write(tmp_path / f"{name}.tif", text, PLACE, GEOTIFF_KEYS_FLAVOR=flavour)
    assert read_raster(tmp_path / "b.tif").grid == read_raster(tmp_path / "a.tif").grid


TFW = "0.5\n0\n0\n-0.25\n10.25\n19.75\n"
BEIJING = in_dialect("EPSG:4214", "WKT1_ESRI")
AUX = (
    '<PAMDataset><SRS dataAxisToSRSAxisMapping="2,1">EPSG:4490</SRS><GeoTransform>5, 2, 0, 6, 0, -2</GeoTransform>'
    '<PAMRasterBand band="1"><NoDataValue>7</NoDataValue><UnitType>kg</UnitType><Offset>3</Offset><Scale>2</Scale>'
    "</PAMRasterBand></PAMDataset>"
)
ESRI = (
    '<PAMDataset><Metadata domain="xml:ESRI" format="xml"><GeodataXform><SpatialReference><WKT>'
    + BEIJING.replace('"', "&quot;")
    + "</WKT></SpatialReference></GeodataXform></Metadata><SRS>EPSG:4490</SRS></PAMDataset>"
)


def check_as_gdal(path):
    """Values, mask, place, system and unit of the first band are what rasterio has."""
    raster = read_raster(path)
    with rasterio.open(path) as dataset:
        masked, scale, offset = dataset.read(1, masked=True), dataset.scales[0], dataset.offsets[0]
        x0, y0, dx, dy = raster.grid.transform
        assert tuple(dataset.transform)[:6] == (dx, 0, x0, 0, dy, y0)
        if dataset.crs is not None and "LOCAL_CS" not in dataset.crs.wkt:  # which GDAL makes of keys without a system
            assert raster.grid.crs == crs_from_wkt(dataset.crs.to_wkt(), "gdal")
        assert raster.units == (dataset.units[0] or "")
    assert np.array_equal(raster.valid, ~np.ma.getmaskarray(masked))
    assert np.array_equal(raster.values[raster.valid], masked.compressed() * scale + offset)
    return raster


@pytest.mark.parametrize("crs", [None, "EPSG:4326"])
@pytest.mark.parametrize("place", [None, PLACE])
@pytest.mark.parametrize("point", [False, True])
@pytest.mark.parametrize("ending", ["tfw", "TFW", "tifw", "wld", ""])
@pytest.mark.parametrize("aux", ["", AUX, ESRI])
def test_who_goes_first_is_as_in_gdal(tmp_path, crs, place, point, ending, aux):
    path = write(tmp_path / "a.tif", crs, place)
    if point:
        with rasterio.open(path, "r+") as dataset:
            dataset.update_tags(AREA_OR_POINT="Point")
    if aux:
        (tmp_path / "a.tif.aux.xml").write_text(aux)
    if ending:
        (tmp_path / f"a.{ending}").write_text(TFW)
    if not place and not ending and aux != AUX:
        with pytest.raises(InputError, match="a.tif: does not say where"):
            read_raster(path)
    elif not crs and not aux:
        with pytest.raises(InputError, match="a.tif: .*(nothing names their|no coordinate) reference system"):
            read_raster(path)
        (tmp_path / "a.prj").write_text(BEIJING)  # which GDAL does not look at
        assert check_as_gdal(path).grid.crs == crs_of_epsg(4214)
    else:
        check_as_gdal(path)


@pytest.mark.parametrize(
    "words",
    ["<Offset>3</Offset>", "<Scale>3</Scale>", "<Scale>1</Scale><Offset>0</Offset>", "<NoDataValue>nan</NoDataValue>"]
    + ["<UnitType>x</UnitType>", "<NoDataValue></NoDataValue>", "<NoDataValue>1e2</NoDataValue>"]
    + ['<NoDataValue le_hex_equiv="0000000000001C40">8</NoDataValue>'],
)
def test_words_of_a_band_replace_the_files_own_as_in_gdal(tmp_path, words):
    path = write(tmp_path / "a.tif", "EPSG:4326", PLACE, nodata=5)
    with rasterio.open(path, "r+") as dataset:
        dataset.scales, dataset.offsets, dataset.units = (4,), (9,), ("u",)
    (tmp_path / "a.tif.aux.xml").write_text(f'<PAMDataset><PAMRasterBand band="1">{words}</PAMRasterBand></PAMDataset>')
    check_as_gdal(path)


def test_what_gdal_itself_keeps_beside_a_png_is_read(tmp_path):
    values = np.arange(12, dtype=np.uint8).reshape(1, 3, 4)
    for crs in ("EPSG:4490", KRASOVSKY_ALBERS, "EPSG:3857", "EPSG:32650"):
        path = write(tmp_path / "a.png", crs, PLACE, values, nodata=3)
        with rasterio.open(path, "r+") as dataset:
            dataset.units = ("persons",)
        assert (tmp_path / "a.png.aux.xml").is_file()
        assert check_as_gdal(path).valid.sum() == 11


@pytest.mark.parametrize("bits, bands", [(1, 1), (2, 1), (4, 1), (8, 1), (16, 1), (8, 2), (8, 3), (8, 4), (16, 3)])
def test_pngs_of_every_depth_are_read_bit_for_bit(tmp_path, bits, bands):
    random = np.random.Generator(np.random.PCG64(bits))
    values = random.integers(0, 2**bits, (bands, 9, 21)).astype(np.uint16 if bits == 16 else np.uint8)
    path = write(tmp_path / "a.png", "EPSG:4326", PLACE, values, **({"NBITS": bits} if bits < 8 else {}))
    if (bits, bands) == (16, 3):
        with pytest.raises(InputError, match="16 bits"):
            read_raster(path)
        return
    for band in range(1, bands + 1):
        with rasterio.open(path) as dataset:
            stored, valid = dataset.read(band), dataset.read_masks(band) != 0
        raster = read_raster(path, band=band)
        assert np.array_equal(stored, values[band - 1]) and np.array_equal(raster.valid, valid)
        assert np.array_equal(raster.values[valid], stored[valid])


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_the_transparent_grey_of_a_png_of_every_depth_is_invalid(tmp_path, bits):
    values = np.minimum(np.arange(6), 2**bits - 1).reshape(1, 1, 6).astype(np.uint16 if bits == 16 else np.uint8)
    for grey in (0, 1, 2**bits - 1):
        options = {"NBITS": bits} if bits < 8 else {}
        path = write(tmp_path / f"{grey}.png", "EPSG:4326", PLACE, values, nodata=grey, **options)  # as tRNS
        assert b"tRNS" in path.read_bytes()
        (tmp_path / f"{grey}.png.aux.xml").write_text(_without_nodata((tmp_path / f"{grey}.png.aux.xml").read_text()))
        with rasterio.open(path) as dataset:
            stored, valid = dataset.read(1), dataset.read_masks(1) != 0
        raster = read_raster(path)
        assert np.array_equal(valid, values[0] != grey) and np.array_equal(raster.valid, valid)
        assert np.array_equal(raster.values[valid], stored[valid])


def _without_nodata(text):
    return re.sub(r"<NoDataValue.*?</NoDataValue>", "", text)


def with_alpha(path, values, **options):
    """Such a file whose last band alone is alpha."""
    write(path, "EPSG:4326", PLACE, values, **options)
    with rasterio.open(path, "r+") as dataset:
        dataset.colorinterp = [*dataset.colorinterp[:-1], ColorInterp.alpha]
    with rasterio.open(path) as dataset:
        assert [kind == ColorInterp.alpha for kind in dataset.colorinterp] == [False] * (len(values) - 1) + [True]
    return path


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("bands", [2, 4])
@pytest.mark.parametrize("layout", ["pixel", "band"])
def test_alpha_of_a_tiff_is_gdals_mask(tmp_path, dtype, bands, layout):
    random = np.random.Generator(np.random.PCG64(bands))
    values = random.integers(0, 3, (bands, 21, 40)).astype(dtype)
    path = with_alpha(tmp_path / "a.tif", values, INTERLEAVE=layout, COMPRESS="DEFLATE")
    for band in range(1, bands + 1):
        with rasterio.open(path) as dataset:
            expected = dataset.read_masks(band) != 0
        raster = read_raster(path, band=band)
        assert np.array_equal(raster.valid, expected)
        assert np.array_equal(raster.values[expected], values[band - 1][expected])


@pytest.mark.parametrize("dtype, bands", [("float32", 2), ("uint8", 3), ("int16", 5)])
def test_alpha_masks_also_where_gdal_does_not_use_it(tmp_path, dtype, bands):
    # GDAL takes alpha for a mask only as bytes or 16 bits and the second or fourth band; gdalwarp -dstalpha writes
    # it to any raster, and what it marks as outside must not count as 0.
    values = np.ones((bands, 3, 4), dtype)
    values[-1, :, 2:] = 0
    path = with_alpha(tmp_path / "a.tif", values)
    with rasterio.open(path) as dataset:
        assert dataset.read_masks(1).all()
    assert np.array_equal(read_raster(path).valid, values[-1] != 0)


def test_a_mask_beside_the_raster_is_gdals(tmp_path):
    mask = np.random.Generator(np.random.PCG64(8)).integers(0, 2, (40, 70)).astype(np.uint8) * 255
    values = np.arange(5600, dtype=np.float32).reshape(2, 40, 70)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False):
        path = write(tmp_path / "a.tif", "EPSG:4326", PLACE, values)
        with rasterio.open(path, "r+") as dataset:
            dataset.write_mask(mask)
    assert (tmp_path / "a.tif.msk").is_file()
    assert np.array_equal(check_as_gdal(path).valid, mask != 0)


@pytest.mark.parametrize("code", [4326, 32650, 3857, 4528])
def test_statistics_and_extent_are_gdals(tmp_path, code):
    random = np.random.Generator(np.random.PCG64(9))
    values = random.lognormal(2, 1, (1, 90, 130)).astype(np.float32)
    values[0, :20] = -9999
    x, y = forward(crs_of_epsg(code), 117.0, 40.0)
    size = 0.01 if code == 4326 else 1000
    place = Affine(size, 0, float(x), 0, -size, float(y))
    path = write(tmp_path / "a.tif", f"EPSG:{code}", place, values, nodata=-9999)
    with open_raster(path) as raster:
        found, facts = survey(raster), place_facts(raster.grid)
    with rasterio.open(path) as dataset:
        (expected,), bounds = dataset.stats(indexes=[1]), dataset.bounds
        degrees = transform_bounds(dataset.crs, "EPSG:4326", *bounds, densify_pts=64)
    assert (found.statistics.minimum, found.statistics.maximum) == (expected.min, expected.max)
    # Both sum 9,100 float32 in float64.
    assert (found.statistics.mean, found.statistics.deviation) == pytest.approx((expected.mean, expected.std), rel=1e-9)
    assert facts["extent"] == list(bounds)
    # GDAL looks at 65 points of each edge, as we do; 1e-6 degrees are 0.1 m.
    assert facts["extent_degrees"] == pytest.approx(list(degrees), abs=1e-6)
