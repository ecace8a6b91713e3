"""Projections against PROJ."""

import numpy as np
import pytest

from refimpl.raster.grid import Grid
from refimpl.raster.projection import (
    ALBERS_CHINA,
    CRS,
    MODIS_SINUSOIDAL,
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
