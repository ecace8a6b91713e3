"""Reference systems exchanged with rasterio (GDAL) in GeoTIFF files, both ways, and warps between them."""

import warnings

import numpy as np
import pytest

from refimpl.earth.crs import CRS, IAG_1975, KRASOVSKY_1940
from refimpl.earth.epsg import GEOGRAPHIC, crs_of_epsg, utm
from refimpl.earth.grid import Grid, Raster
from refimpl.earth.pixels import pixel_coordinates
from refimpl.earth.projection import (
    ALBERS_CHINA,
    MODIS_SINUSOIDAL,
    WEB_MERCATOR,
    WGS84,
    forward,
    transform_points,
)
from refimpl.earth.warp import warp_mean, warp_nearest
from refimpl.errors import InputError
from refimpl.formats.geotiff import read_raster
from refimpl.formats.writing import write_raster

rasterio = pytest.importorskip("rasterio")
pyproj = pytest.importorskip("pyproj")
from rasterio.enums import Resampling  # noqa: E402
from rasterio.transform import Affine  # noqa: E402
from rasterio.vrt import WarpedVRT  # noqa: E402

CODES = [4326, 4490, 4214, 4610, 3857, *range(32601, 32661), *range(32701, 32761)]
GAUSS_KRUEGER = [*range(4491, 4555), *range(2327, 2391), *range(2401, 2443), *range(21413, 21424), *range(21453, 21464)]
KRASOVSKY_ALBERS = (
    'PROJCS["Krasovsky_1940_Albers",GEOGCS["GCS_Krasovsky_1940",DATUM["D_Krasovsky_1940",'
    'SPHEROID["Krasovsky_1940",6378245.0,298.3]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],'
    'PROJECTION["Albers"],PARAMETER["False_Easting",0.0],PARAMETER["False_Northing",0.0],'
    'PARAMETER["Central_Meridian",105.0],PARAMETER["Standard_Parallel_1",25.0],PARAMETER["Standard_Parallel_2",47.0],'
    'PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]'
)
"""As RESDC's maps of China say it."""
USER_DEFINED = [
    ("+proj=longlat +ellps=krass", CRS("geographic", KRASOVSKY_1940)),
    ("+proj=longlat +R=6371007.181", CRS("geographic", (6371007.181, 0))),
    ("+proj=aea +lat_1=25 +lat_2=47 +lon_0=105 +datum=WGS84", ALBERS_CHINA),
    (KRASOVSKY_ALBERS, CRS("albers", KRASOVSKY_1940, (25, 47), central_meridian=105)),
    (
        "+proj=aea +lat_1=20 +lat_2=50 +lat_0=12 +lon_0=110 +x_0=4e6 +y_0=5e5 +a=6378140 +rf=298.257",
        CRS("albers", IAG_1975, (20, 50), 12, 110, 4e6, 5e5),
    ),
    ("+proj=sinu +R=6371007.181", MODIS_SINUSOIDAL),
    ("+proj=sinu +lon_0=100 +x_0=3 +datum=WGS84", CRS("sinusoidal", central_meridian=100, false_easting=3)),
    ("+proj=utm +zone=50 +datum=WGS84", utm(50)),
    (
        "+proj=utm +zone=50 +south +ellps=krass",
        CRS("transverse_mercator", KRASOVSKY_1940, (0, 0), 0, 117, 5e5, 1e7, 0.9996),
    ),
    (
        "+proj=tmerc +lat_0=30 +lon_0=111 +k=0.9999 +x_0=1e5 +y_0=-2e5 +ellps=krass",
        CRS("transverse_mercator", KRASOVSKY_1940, (0, 0), 30, 111, 1e5, -2e5, 0.9999),
    ),
    (
        "+proj=tmerc +lat_0=10 +lon_0=117 +k=1 +x_0=500000 +datum=WGS84",
        CRS("transverse_mercator", latitude_of_origin=10, central_meridian=117, false_easting=5e5),
    ),
    ("+proj=merc +a=6378137 +b=6378137 +lon_0=90", CRS("web_mercator", (6378137, 0), central_meridian=90)),
    (  # EPSG:3857 before it had a code; GDAL writes it for ESRI
        "+proj=merc +a=6378137 +b=6378137 +lat_ts=0 +lon_0=0 +x_0=0 +y_0=0 +k=1 +units=m +nadgrids=@null +wktext",
        WEB_MERCATOR,
    ),
]


def write(path, crs, values=None, transform=None):
    values = np.ones((2, 2), np.float32) if values is None else values
    transform = Affine(0.5, 0, 100, 0, -0.5, 40) if transform is None else transform
    shape = dict(count=1, height=values.shape[0], width=values.shape[1], dtype=values.dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(path, "w", driver="GTiff", crs=crs, transform=transform, **shape) as dataset:
            dataset.write(values, 1)
    return path


def written_by_us(path, crs):
    write_raster(path, Raster(np.ones((2, 2)), np.ones((2, 2), bool), Grid(crs, (100, 40, 0.5, -0.5), (2, 2))))
    with rasterio.open(path) as dataset:
        return dataset.crs


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="You will likely lose important projection information")
        yield


def check_same_map(crs, text):
    """``crs`` puts degrees of its own datum where PROJ does by ``text``, within 1 mm."""
    theirs = pyproj.CRS.from_user_input(text)
    lon, lat = np.meshgrid(crs.central_meridian + np.linspace(-30, 30, 7), [-80.0, -35.0, 0.0, 3.0, 22.0, 54.0, 84.0])
    to_theirs = pyproj.Transformer.from_crs(theirs.geodetic_crs, theirs, always_xy=True)
    expected = to_theirs.transform(lon, lat)
    # The required millimetre: CGCS2000 on WGS 84's ellipsoid is off by 0.1 mm at the pole.
    assert np.abs(np.subtract(forward(crs, lon, lat), expected)).max() < (1e-3 if theirs.is_projected else 1e-12)


@pytest.mark.parametrize("code", CODES)
def test_each_code_goes_both_ways(tmp_path, code):
    crs = crs_of_epsg(code)
    found = read_raster(write(tmp_path / "theirs.tif", f"EPSG:{code}")).grid.crs
    assert found == crs and found.datum == crs.datum and (code in GEOGRAPHIC) == (crs.kind == "geographic")
    theirs = written_by_us(tmp_path / "ours.tif", crs)
    assert theirs.to_epsg() == code and theirs.is_geographic == (code in GEOGRAPHIC)
    check_same_map(crs, f"EPSG:{code}")


@pytest.mark.parametrize("code", GAUSS_KRUEGER)
def test_each_gauss_krueger_zone_is_read_and_written_as_the_same_map(tmp_path, code):
    crs = crs_of_epsg(code)
    check_same_map(crs, f"EPSG:{code}")
    found = read_raster(write(tmp_path / "theirs.tif", f"EPSG:{code}")).grid.crs
    assert found == crs and found.datum == crs.datum
    theirs = pyproj.CRS.from_wkt(written_by_us(tmp_path / "ours.tif", crs).to_wkt())
    expected = pyproj.CRS.from_epsg(code)
    # Zones of 6 degrees without their number are also zones of 3 degrees: the name differs, not the map.
    assert theirs.to_dict() == expected.to_dict() and theirs.datum == expected.datum


@pytest.mark.parametrize("text, crs", USER_DEFINED, ids=lambda case: getattr(case, "kind", None))
def test_user_defined_systems_go_both_ways(tmp_path, text, crs):
    found = read_raster(write(tmp_path / "theirs.tif", text)).grid.crs
    assert found == crs
    check_same_map(crs, text)
    theirs = written_by_us(tmp_path / "ours.tif", found)
    check_same_map(crs, theirs.to_wkt())
    ellipsoid = pyproj.CRS.from_wkt(theirs.to_wkt()).ellipsoid
    # PROJ goes by way of the shorter axis.
    assert (ellipsoid.semi_major_metre, ellipsoid.inverse_flattening) == pytest.approx(crs.ellipsoid, rel=1e-12)
    assert read_raster(tmp_path / "ours.tif").grid.crs == crs


@pytest.mark.parametrize("code", sorted(GEOGRAPHIC))
@pytest.mark.parametrize("kind", ["albers", "sinusoidal", "transverse_mercator"])
def test_a_user_defined_projection_keeps_its_datum_in_gdal(tmp_path, code, kind):
    earth = crs_of_epsg(code)
    parallels = (25, 47) if kind == "albers" else (0, 0)
    crs = CRS(kind, earth.ellipsoid, parallels, central_meridian=101, datum=earth.datum)
    theirs = pyproj.CRS.from_wkt(written_by_us(tmp_path / "ours.tif", crs).to_wkt())
    assert theirs.geodetic_crs.to_epsg() == code
    found = read_raster(write(tmp_path / "theirs.tif", theirs.to_wkt())).grid.crs
    assert found == crs and found.datum == crs.datum
    check_same_map(crs, theirs)


@pytest.mark.parametrize(
    "text",
    ["EPSG:5070", "EPSG:4269", "EPSG:3395", "EPSG:32661", "EPSG:2225", "EPSG:27700", "EPSG:4555", "EPSG:27572"]
    + ["+proj=laea +lat_0=35 +lon_0=105", "+proj=lcc +lat_1=25 +lat_2=47 +lon_0=105 +datum=WGS84", None]
    + ["+proj=aea +lat_1=25 +lat_2=47 +lon_0=105 +datum=WGS84 +units=us-ft", "+proj=longlat +ellps=clrk80 +pm=paris"],
)
def test_anything_else_is_refused_with_the_command_that_converts_it(tmp_path, text):
    with pytest.raises(InputError, match="a.tif: .*(gdalwarp -t_srs|gdal_translate -a_srs)"):
        read_raster(write(tmp_path / "a.tif", text))


def test_proj_does_nothing_between_cgcs2000_and_wgs84_either():
    lon, lat = np.array([73.0, 104.25, 135.0]), np.array([18.0, 36.5, 54.0])
    found = pyproj.Transformer.from_crs(4490, 4326, always_xy=True).transform(lon, lat)
    assert np.array_equal(found, (lon, lat))


def gdal_warp(tmp_path, values, source, target, names, how):
    """GDAL's ``values`` on ``target``, every point transformed to 1e-9 pixels; 0 where there are none."""
    places = [Affine(t[2], 0, t[0], 0, t[3], t[1]) for t in (source.transform, target.transform)]
    path = write(tmp_path / "warped.tif", names[0], values, places[0])
    wanted = dict(crs=names[1], transform=places[1], height=target.shape[0], width=target.shape[1])
    with rasterio.open(path) as dataset, WarpedVRT(dataset, **wanted, resampling=how, tolerance=1e-9) as warped:
        return warped.read(1)


@pytest.mark.parametrize("code", [3857, 32650, 4528])
def test_warps_into_and_from_conformal_maps_take_the_pixels_that_gdal_takes(tmp_path, code):
    crs, random = crs_of_epsg(code), np.random.Generator(np.random.PCG64(2))
    middle = crs.central_meridian or 117.0
    x, y = (float(number) for number in forward(crs, middle, 40.0))
    metres = Grid(crs, (x - 1e5, y + 1e5, 2e3, -2e3), (100, 100))
    degrees = Grid(WGS84, (middle - 1.003, 40.8, 0.011, -0.011), (140, 180))
    for source, target in ((metres, degrees), (degrees, metres)):
        values = random.integers(1, 2**15, source.shape).astype(np.int32)
        names = [f"EPSG:{code if grid is metres else 4326}" for grid in (source, target)]
        expected = gdal_warp(tmp_path, values, source, target, names, Resampling.nearest)
        found = warp_nearest(Raster(values, np.ones(source.shape, bool), source), target).values
        x, y = target.centres()
        u, v = pixel_coordinates(source, target, x[None, :], y[:, None])
        # Rounding, and for EPSG:4528 the 0.1 mm of CGCS2000's ellipsoid, may decide a centre on a pixel's edge.
        clear = (np.abs(u - np.round(u)) > 1e-6) & (np.abs(v - np.round(v)) > 1e-6)
        assert clear.mean() > 0.98 and (found > 0).mean() > 0.5
        assert np.array_equal(found[clear], expected[clear])


def test_a_mean_over_utm_pixels_is_gdals_average(tmp_path):
    source = Grid(utm(50), (4e5, 4.5e6, 1e3, -1e3), (120, 120))
    x, y = transform_points(source.crs, ALBERS_CHINA, 4.6e5, 4.44e6)
    target = Grid(ALBERS_CHINA, (float(x) - 3e4, float(y) + 3e4, 1e4, -1e4), (6, 6))
    row, col = np.meshgrid(np.arange(120), np.arange(120), indexing="ij")
    values, names = 100 + 0.3 * row + 0.2 * col, ("EPSG:32650", "+proj=aea +lat_1=25 +lat_2=47 +lon_0=105 +datum=WGS84")
    expected = gdal_warp(tmp_path, values, source, target, names, Resampling.average)
    found = warp_mean(Raster(values, np.ones(source.shape, bool), source), target, 1.0)
    assert found.valid.all()
    # GDAL averages over the upright box round the cell, which is turned by 7 degrees: a plane has one mean over both.
    # The box ends on parts of pixels, measured 0.002; half a pixel's shift would be 0.1.
    assert np.abs(found.values - expected).max() < 0.004
