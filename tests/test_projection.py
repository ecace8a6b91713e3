"""Projections, ellipsoid integrals, grids and rasters against printed examples, closed forms and finite differences."""

import numpy as np
import pytest

from refimpl.errors import InputError
from refimpl.raster.ellipsoid import authalic_q, meridian_distance, meridian_latitude
from refimpl.raster.grid import Grid, Raster
from refimpl.raster.projection import (
    ALBERS_CHINA,
    CRS,
    MODIS_SINUSOIDAL,
    WGS84,
    forward,
    inverse,
    named_crs,
    transform_points,
    wrapped,
)

CLARKE_1866 = (6378206.4, 294.9786982)
SPHERE = (1.0, 0.0)
PROJECTED = [
    ALBERS_CHINA,
    MODIS_SINUSOIDAL,
    CRS("sinusoidal", central_meridian=100, false_easting=5e5, false_northing=-2e5),
    CRS("albers", CLARKE_1866, (29.5, 45.5), 23, -96, 1e6, 2e6),
    CRS("albers", parallels=(30, 30), central_meridian=110),
    CRS("albers", parallels=(-18, -36), latitude_of_origin=-20, central_meridian=132),
]


@pytest.mark.parametrize(
    "crs, lon, lat, x, y, half_digit",
    [
        (CRS("albers", CLARKE_1866, (29.5, 45.5), 23, -96), -75, 35, 1885472.7, 1535925.0, 0.05),
        (CRS("albers", SPHERE, (29.5, 45.5), 23, -96), -75, 35, 0.2952720, 0.2416774, 5.1e-8),
        (CRS("sinusoidal", CLARKE_1866, central_meridian=-90), -75, -50, 1075471.5, -5540628.0, 0.05),
        (CRS("sinusoidal", SPHERE, central_meridian=-90), -75, -50, 0.1682814, -0.8726646, 5e-8),
    ],
)
def test_the_numerical_examples_of_snyder_come_out_to_the_last_printed_digit(crs, lon, lat, x, y, half_digit):
    assert np.abs(np.subtract(forward(crs, lon, lat), (x, y))).max() <= half_digit
    found = inverse(crs, *forward(crs, lon, lat))
    assert np.abs(np.subtract(found, (lon, lat))).max() < 1e-11


@pytest.mark.parametrize("crs", PROJECTED, ids=lambda crs: crs.describe())
def test_a_point_comes_back_to_a_billionth_of_a_degree(crs):
    lon, lat = np.meshgrid(crs.central_meridian + np.linspace(-179.5, 179.5, 73), np.linspace(-85, 85, 69))
    back_lon, back_lat = inverse(crs, *forward(crs, lon, lat))
    assert np.abs(wrapped(back_lon - lon)).max() < 1e-9
    assert np.abs(back_lat - lat).max() < 1e-9


@pytest.mark.parametrize("crs", PROJECTED, ids=lambda crs: crs.describe())
def test_a_small_square_keeps_its_area_and_north_stays_left_of_east(crs):
    lon, lat = np.meshgrid(np.linspace(-60, 60, 9) + crs.central_meridian, np.linspace(-60, 70, 9))
    h = 1e-4
    (xe, ye), (xw, yw) = forward(crs, lon + h, lat), forward(crs, lon - h, lat)
    (xn, yn), (xs, ys) = forward(crs, lon, lat + h), forward(crs, lon, lat - h)
    jacobian = ((xe - xw) * (yn - ys) - (xn - xs) * (ye - yw)) / np.radians(2 * h) ** 2
    sine = np.sin(np.radians(lat))
    element = crs.a**2 * (1 - crs.e2) * np.cos(np.radians(lat)) / (1 - crs.e2 * sine**2) ** 2  # M N cos(lat), exact
    # Central differences of 1e-4 degree: rounding of 1e-9 m in 22 m, and h^2 = 3e-12.
    np.testing.assert_allclose(jacobian, element, rtol=1e-8)


def test_on_a_standard_parallel_the_albers_scale_is_true():
    for parallel in ALBERS_CHINA.parallels:
        (x1, y1), (x2, y2) = (forward(ALBERS_CHINA, 105 + d, parallel) for d in (-1e-4, 1e-4))
        sine = np.sin(np.radians(parallel))
        length = WGS84.a * np.cos(np.radians(parallel)) / np.sqrt(1 - WGS84.e2 * sine**2) * np.radians(2e-4)
        assert np.hypot(x2 - x1, y2 - y1) == pytest.approx(length, rel=1e-9)  # rounding: 1e-9 m in 20 m


def test_a_southern_cone_is_the_mirror_of_the_northern_one():
    south = CRS("albers", parallels=(-25, -47), central_meridian=105)
    lon, lat = np.linspace(60, 150, 31), np.linspace(-40, 60, 31)
    x, y = forward(ALBERS_CHINA, lon, lat)
    mirrored_x, mirrored_y = forward(south, lon, -lat)
    np.testing.assert_allclose(mirrored_x, x, atol=1e-8)  # rounding of 1e7 m
    np.testing.assert_allclose(mirrored_y, -y, atol=1e-8)


def test_nearly_equal_parallels_agree_with_equal_ones():
    one = forward(CRS("albers", parallels=(30, 30)), 20.0, 40.0)
    two = forward(CRS("albers", parallels=(30 - 1e-4, 30 + 1e-4)), 20.0, 40.0)
    # n = (m1^2 - m2^2) / (q2 - q1) loses 12 digits of 16 here, times 6.4e6 m.
    assert np.abs(np.subtract(one, two)).max() < 1e-3


def test_points_off_the_map_are_nan_and_raise_nothing():
    with np.errstate(all="raise"):
        assert all(np.isnan(c) for c in inverse(ALBERS_CHINA, 0.0, 3e7))
        assert all(np.isnan(c) for c in inverse(MODIS_SINUSOIDAL, 0.0, 1.1e7))
        assert all(np.isnan(c) for c in inverse(MODIS_SINUSOIDAL, 1.9e7, 5e6))
        assert all(np.isnan(c) for c in inverse(ALBERS_CHINA, 0.0, 2e7))  # inside the cone's gap, beyond 180 degrees
    assert np.isnan(forward(ALBERS_CHINA, 105.0, 90.5)).all()
    lon, lat = inverse(ALBERS_CHINA, [0.0, 0.0], [4e6, 3e7])
    assert np.isfinite(lon[0]) and np.isnan(lat[1])


def test_poles_and_longitudes_of_either_turn_are_on_the_map():
    for crs in (ALBERS_CHINA, MODIS_SINUSOIDAL):
        assert inverse(crs, *forward(crs, crs.central_meridian, 90.0))[1] == pytest.approx(90, abs=1e-6)
        np.testing.assert_allclose(forward(crs, -200.0, 30.0), forward(crs, 160.0, 30.0), atol=1e-8)


def test_a_row_of_longitudes_and_a_column_of_latitudes_make_a_map():
    lon, lat = np.linspace(80, 130, 5)[None, :], np.linspace(20, 50, 4)[:, None]
    x, y = forward(ALBERS_CHINA, lon, lat)
    assert x.shape == y.shape == (4, 5)
    assert (x[2, 3], y[2, 3]) == forward(ALBERS_CHINA, lon[0, 3], lat[2, 0])
    x, y = forward(MODIS_SINUSOIDAL, lon, lat)
    assert x.shape == y.shape == (4, 5)


def test_transforming_between_equal_systems_changes_no_bit():
    x = np.array([0.1, 1 / 3])
    same = CRS("albers", parallels=(25, 47), central_meridian=105)
    assert transform_points(ALBERS_CHINA, same, x, x)[0].tolist() == x.tolist()


def test_albers_to_sinusoidal_goes_through_degrees_without_a_shift_of_latitude():
    x, y = transform_points(ALBERS_CHINA, MODIS_SINUSOIDAL, *forward(ALBERS_CHINA, 120.0, 30.0))
    expected = 6371007.181 * np.radians(120) * np.cos(np.radians(30)), 6371007.181 * np.radians(30)
    np.testing.assert_allclose((x, y), expected, atol=1e-6)


def test_the_ellipsoid_integrals_reach_the_published_constants_of_wgs84():
    assert WGS84.a * np.sqrt(authalic_q(1.0, WGS84.e2) / 2) == pytest.approx(6371007.1809, abs=5e-5)  # authalic radius
    assert meridian_distance(np.pi / 2, WGS84.a, WGS84.e2) == pytest.approx(10001965.7293, abs=5e-5)  # quadrant
    latitude = np.linspace(-np.pi / 2, np.pi / 2, 37)
    back = meridian_latitude(meridian_distance(latitude, WGS84.a, WGS84.e2), WGS84.a, WGS84.e2)
    np.testing.assert_allclose(back, latitude, atol=1e-14)


def test_a_crs_that_makes_no_map_is_refused():
    for fault in (
        dict(kind="mercator"),
        dict(kind="albers", parallels=(30, -30)),
        dict(kind="albers", parallels=(30, 95)),
        dict(kind="geographic", ellipsoid=(0, 298)),
        dict(kind="sinusoidal", latitude_of_origin=10),
        dict(kind="albers", parallels=(25, 47), central_meridian=float("nan")),
    ):
        with pytest.raises(ValueError):
            CRS(**fault)
    with pytest.raises(InputError, match="did you mean 'albers'"):
        named_crs("alber")


def test_descriptions_are_for_people():
    assert named_crs("albers").describe() == "Albers equal-area, parallels 25 and 47, meridian 105, WGS 84"
    assert named_crs("sinusoidal").describe() == "sinusoidal, meridian 0, sphere of 6371007.181 m"
    assert CRS("geographic", CLARKE_1866).describe() == "geographic, ellipsoid of 6378206.4 m"


def test_the_cells_of_a_world_grid_add_up_to_the_surface_of_the_earth():
    grid = Grid(WGS84, (-180, 90, 0.25, -0.25), (720, 1440))
    # 510,065,621.724 km2 is the published surface of the WGS 84 ellipsoid.
    assert grid.cell_areas().sum() * 1440 == pytest.approx(510065621.724, abs=1e-3)
    points = Grid(WGS84, (-180.125, 90.125, 0.25, -0.25), (721, 1440))  # cell centres on the poles
    assert points.cell_areas().sum() * 1440 == pytest.approx(510065621.724, abs=1e-3)


def test_a_geographic_cell_has_the_area_of_its_image_in_albers():
    grid = Grid(WGS84, (100, 40, 0.001, -0.001), (3, 4))
    x, y = grid.edges()
    px, py = forward(ALBERS_CHINA, x[None, :2], y[:2, None])
    corners = [(px[r, c], py[r, c]) for r, c in ((0, 0), (1, 0), (1, 1), (0, 1))]
    shoelace = sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(corners, corners[1:] + corners[:1])) / 2
    # The image's sides bulge by 1e-5 of 100 m; the shoelace loses 4 digits of 1e13 m2 products.
    assert grid.cell_areas()[0] == pytest.approx(shoelace / 1e6, rel=1e-6)


def test_projected_cells_are_dx_times_dy_and_a_refined_grid_keeps_origin_and_area():
    grid = Grid(ALBERS_CHINA, (-3e6, 6e6, 10e3, -5e3), (4, 3))
    assert grid.cell_areas().tolist() == [50.0] * 4
    fine = grid.refined()
    assert fine.transform == (-3e6, 6e6, 5e3, -2.5e3) and fine.shape == (8, 6) and fine.bounds == grid.bounds
    x, y = grid.centres(1, 3)
    assert x.tolist() == [-2995e3, -2985e3, -2975e3] and y.tolist() == [5992.5e3, 5987.5e3]


@pytest.mark.parametrize(
    "transform, shape",
    [
        ((0, 0, -1, -1), (2, 2)),
        ((0, 0, 1, 1), (2, 2)),
        ((0, 0, 1, -1), (0, 2)),
        ((0, 0, 1, -1), (2.5, 2)),
        ((0, np.nan, 1, -1), (2, 2)),
        ((0, 0, 1), (2, 2)),
        ((0, 95, 1, -1), (2, 2)),
        ((0, 0, 100, -1), (2, 5)),
    ],
)
def test_a_grid_that_makes_no_sense_is_refused(transform, shape):
    with pytest.raises(ValueError):
        Grid(WGS84, transform, shape)


def test_a_raster_holds_zero_where_it_is_not_valid():
    grid = Grid(ALBERS_CHINA, (0, 0, 1, -1), (1, 3))
    raster = Raster.masked(np.array([[1, np.nan, 5]], np.float32), [[True, True, False]], grid, "K")
    assert raster.values.tolist() == [[1, 0, 0]] and raster.valid.tolist() == [[True, False, False]]
    assert raster.values.dtype == np.float32 and raster.units == "K"
    for values, valid in (
        (np.array([[1.0, 2.0, 3.0]]), np.array([[True, True, False]])),
        (np.array([[1.0, np.nan, 3.0]]), np.array([[True, False, True]])),
        (np.ones((3, 1)), np.ones((3, 1), bool)),
        (np.ones((1, 3)), np.ones((1, 3))),
        (np.ones((1, 3), complex), np.ones((1, 3), bool)),
    ):
        with pytest.raises(ValueError):
            Raster(values, valid, grid)
