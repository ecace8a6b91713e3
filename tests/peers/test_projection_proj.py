"""Projections against PROJ."""

import numpy as np
import pytest

from refimpl.earth.crs import IAG_1975, KRASOVSKY_1940
from refimpl.earth.epsg import utm
from refimpl.earth.grid import Grid
from refimpl.earth.projection import (
    ALBERS_CHINA,
    CRS,
    MODIS_SINUSOIDAL,
    WEB_MERCATOR,
    WGS84,
    forward,
    inverse,
    transform_points,
    wrapped,
)

pyproj = pytest.importorskip("pyproj")

CASES = [
    (ALBERS_CHINA, "+proj=aea +lat_1=25 +lat_2=47 +lon_0=105 +lat_0=0 +ellps=WGS84"),
    (MODIS_SINUSOIDAL, "+proj=sinu +R=6371007.181"),
    (CRS("sinusoidal", central_meridian=100, false_easting=5e5), "+proj=sinu +lon_0=100 +x_0=500000 +ellps=WGS84"),
    (
        CRS("albers", (6378245.0, 298.3), (20, 52), 10, 110, 4e6, -1e6),
        "+proj=aea +lat_1=20 +lat_2=52 +lat_0=10 +lon_0=110 +x_0=4000000 +y_0=-1000000 +ellps=krass",
    ),
    (CRS("albers", parallels=(35, 35), central_meridian=90), "+proj=aea +lat_1=35 +lat_2=35 +lon_0=90 +ellps=WGS84"),
    (CRS("albers", WGS84.ellipsoid, (-18, -36), 0, 132), "+proj=aea +lat_1=-18 +lat_2=-36 +lon_0=132 +ellps=WGS84"),
]


def points(central_meridian, n=20000):
    random = np.random.Generator(np.random.PCG64(1))
    china = random.uniform(73, 136, n), random.uniform(3, 54, n)
    world = random.uniform(-179, 179, n) + central_meridian, random.uniform(-80, 85, n)
    return np.concatenate([china[0], world[0]]), np.concatenate([china[1], world[1]])


@pytest.mark.parametrize("crs, text", CASES, ids=lambda case: getattr(case, "kind", None))
def test_both_ways_agree_with_proj_to_a_micrometre(crs, text):
    projection = pyproj.Proj(text)
    lon, lat = points(crs.central_meridian)
    x, y = forward(crs, lon, lat)
    expected_x, expected_y = projection(lon, lat)
    # 1 mm is required; rounding of coordinates up to 3e7 m is 4e-9, of PROJ's meridian series about 1e-8.
    assert np.abs(x - expected_x).max() < 1e-6 and np.abs(y - expected_y).max() < 1e-6
    back_lon, back_lat = inverse(crs, x, y)
    expected_lon, expected_lat = projection(x, y, inverse=True)
    assert np.abs(wrapped(back_lon - expected_lon)).max() < 1e-9
    # PROJ iterates its Albers latitude to 1e-10 radian only.
    assert np.abs(back_lat - expected_lat).max() < 1e-8


CONFORMAL = [
    (utm(50), "+proj=utm +zone=50 +datum=WGS84"),
    (utm(33, south=True), "+proj=utm +zone=33 +south +datum=WGS84"),
    (
        CRS("transverse_mercator", KRASOVSKY_1940, (0, 0), 30, 117, 39.5e6, -1e5, 0.9999),
        "+proj=tmerc +lat_0=30 +lon_0=117 +k=0.9999 +x_0=39500000 +y_0=-100000 +ellps=krass",
    ),
    (CRS("transverse_mercator", IAG_1975, central_meridian=-179), "+proj=tmerc +lon_0=-179 +a=6378140 +rf=298.257"),
    (CRS("transverse_mercator", (6371007.181, 0), central_meridian=90), "+proj=tmerc +lon_0=90 +R=6371007.181"),
    (WEB_MERCATOR, "EPSG:3857"),
    (
        CRS("web_mercator", (6371000, 0), central_meridian=100, false_easting=9),
        "+proj=merc +lon_0=100 +x_0=9 +R=6371000",
    ),
]


@pytest.mark.parametrize("crs, text", CONFORMAL, ids=lambda case: getattr(case, "kind", None))
def test_conformal_maps_agree_with_proj_both_ways_up_to_extreme_latitudes(crs, text):
    projection, random = pyproj.Proj(text), np.random.Generator(np.random.PCG64(2))
    reach = 179.9 if crs.kind == "web_mercator" else 45
    lon = wrapped(crs.central_meridian + random.uniform(-reach, reach, 40000))
    lat = np.concatenate([random.uniform(-60, 60, 20000), random.uniform(60, 89.99, 20000)])
    lat[::2] = -lat[::2]
    found, expected = forward(crs, lon, lat), projection(lon, lat)
    # 1 mm is required; PROJ sums the same series in another order, and rounding of 5e7 m is 7e-9.  On a sphere it takes
    # the latitude from an arccosine, which is off by 2e-5 m near the equator, against 40 digits.
    limit, degrees = (1e-4, 1e-9) if crs.kind == "transverse_mercator" and not crs.f else (1e-7, 1e-11)
    assert np.abs(np.subtract(found, expected)).max() < limit
    lon_lat, expected = inverse(crs, *found), projection(*found, inverse=True)
    assert (np.abs(wrapped(lon_lat[0] - expected[0])) * np.cos(np.radians(lat))).max() < degrees
    assert np.abs(lon_lat[1] - expected[1]).max() < degrees


def test_transverse_mercator_at_the_poles_is_projs():
    projection = pyproj.Proj("+proj=utm +zone=50 +datum=WGS84")
    for lon, lat in ((117, 90), (117, -90), (40, 90), (-63, 85), (-60, -88)):  # the last two lie behind the pole
        assert np.abs(np.subtract(forward(utm(50), lon, lat), projection(lon, lat))).max() < 1e-8


def test_albers_to_modis_sinusoidal_agrees_with_the_transformer_that_gis_programs_use():
    there = pyproj.Transformer.from_crs(CASES[0][1] + " +type=crs", CASES[1][1] + " +type=crs", always_xy=True)
    lon, lat = points(105)
    x, y = forward(ALBERS_CHINA, lon[:20000], lat[:20000])
    found, expected = transform_points(ALBERS_CHINA, MODIS_SINUSOIDAL, x, y), there.transform(x, y)
    # The required millimetre; PROJ's Albers latitude alone may be off by 0.6 mm.
    assert np.abs(np.subtract(found, expected)).max() < 1e-3


def test_cell_areas_agree_with_geodesic_polygons():
    grid = Grid(WGS84, (100, 60, 0.05, -0.5), (120, 1))
    geod, (x, y) = pyproj.Geod(ellps="WGS84"), grid.edges()
    for row in range(0, 120, 7):
        # The parallels are broken into 50 geodesics; what is left between chord and parallel is below 1e-9 of the cell.
        along = np.linspace(x[0], x[1], 51)
        lon, lat = np.concatenate([along, along[::-1]]), np.repeat([y[row + 1], y[row]], 51)
        assert grid.cell_areas()[row] == pytest.approx(geod.polygon_area_perimeter(lon, lat)[0] / 1e6, rel=1e-9)


@pytest.mark.parametrize(
    "grid",
    [
        Grid(WEB_MERCATOR, (1.2e7, 1.9e7, 2e4, -5e5), (76, 3)),  # 84 N to 84 S
        Grid(utm(50), (166e3, 9.3e6, 66.8e3, -6e5), (15, 10)),  # from 84 N to the equator, twice a zone's width there
        Grid(CRS("transverse_mercator", KRASOVSKY_1940, central_meridian=117), (-2e5, 6e6, 1e5, -1e5), (45, 4)),
    ],
    ids=lambda grid: grid.crs.describe(),
)
def test_a_row_of_a_conformal_grid_has_the_area_of_its_geodesic_polygon(grid):
    geod, (x, y) = pyproj.Geod(a=grid.crs.a, rf=grid.crs.ellipsoid[1]), grid.edges()
    for row in range(0, grid.shape[0], 7):
        # The outline of the row in pieces short enough for geodesics to follow its sides.
        along, down = np.linspace(x[0], x[-1], 2001), np.linspace(y[row + 1], y[row], 2001)
        px = np.concatenate([along, np.full(2001, x[-1]), along[::-1], np.full(2001, x[0])])
        py = np.concatenate([np.full(2001, down[0]), down, np.full(2001, down[-1]), down[::-1]])
        area = geod.polygon_area_perimeter(*inverse(grid.crs, px, py))[0] / 1e6
        # Pieces of 300 m: sagittas of 1e-9 of a side of 600 km and less.
        assert grid.cell_areas()[row] * grid.shape[1] == pytest.approx(area, rel=1e-8)
