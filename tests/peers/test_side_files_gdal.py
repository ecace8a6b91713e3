"""Side files and reference systems in text, against PROJ (pyproj) and GDAL (rasterio)."""

import warnings

import numpy as np
import pytest

from refimpl.errors import InputError
from refimpl.raster.epsg import crs_of_epsg
from refimpl.raster.geotiff import read_raster
from refimpl.raster.wkt import crs_from_wkt
from tests.peers.test_geokeys_rasterio import CODES, GAUSS_KRUEGER, KRASOVSKY_ALBERS, USER_DEFINED

rasterio = pytest.importorskip("rasterio")
pyproj = pytest.importorskip("pyproj")
from rasterio.transform import Affine  # noqa: E402

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


@pytest.mark.parametrize("text", [KRASOVSKY_ALBERS, "ESRI:102025", "EPSG:4490", "EPSG:3857", "+proj=sinu +R=6371007.181"])
def test_a_geotiff_in_arcgis_flavour_is_read_as_one_in_the_standards(tmp_path, text):
    for name, flavour in (("a", "STANDARD"), ("b", "ESRI_PE")):
        write(tmp_path / f"{name}.tif", text, PLACE, GEOTIFF_KEYS_FLAVOR=flavour)
    assert read_raster(tmp_path / "b.tif").grid == read_raster(tmp_path / "a.tif").grid
