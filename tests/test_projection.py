"""Projections, ellipsoid integrals, grids and rasters against printed examples, closed forms and finite differences."""

import numpy as np
import pytest

from refimpl.earth.crs import IAG_1975, KRASOVSKY_1940, datum_change
from refimpl.earth.ellipsoid import authalic_q, meridian_distance, meridian_latitude
from refimpl.earth.epsg import crs_of_epsg, epsg_of_crs, utm
from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import (
    ALBERS_CHINA,
    CRS,
    MODIS_SINUSOIDAL,
    WEB_MERCATOR,
    WGS84,
    forward,
    inverse,
    named_crs,
    transform_points,
    wrapped,
)
from refimpl.earth.transverse_mercator import transverse_scale
from refimpl.earth.warp import warp, warp_mean, warp_nearest
from refimpl.errors import InputError

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


KRUEGER = [  # ellipsoid, degrees from the meridian, latitude, easting, northing
    (WGS84.ellipsoid, 3, 18, 317833.246946366812, 1993554.89479320325),
    (WGS84.ellipsoid, -3, 54, -196699.578224979423, 5990083.74388965511),
    (WGS84.ellipsoid, 40, 1, 4868461.31444020858, 144678.323474856034),
    (WGS84.ellipsoid, 40, -35, 3738113.79993206353, -4703394.94053699517),
    (WGS84.ellipsoid, 45, 80, 789696.937862495868, 9208229.66327708295),
    (WGS84.ellipsoid, -20, 89.9, -3820.15756480254035, 9991469.92733599591),
    (WGS84.ellipsoid, 47, 0.5, 5948609.68588579302, 81380.7759263207229),
    (KRASOVSKY_1940, 3, 18, 317838.614098783101, 1993590.47982931395),
    (KRASOVSKY_1940, 40, -35, 3738176.42394568345, -4703477.41689921652),
]


@pytest.mark.parametrize("ellipsoid, delta, lat, x, y", KRUEGER)
def test_transverse_mercator_agrees_with_complex_elliptic_integrals_of_40_digits(ellipsoid, delta, lat, x, y):
    # Expected: Newton's method on the complex isometric latitude and quadrature of the complex meridian arc, mpmath.
    crs = CRS("transverse_mercator", ellipsoid, central_meridian=100, false_easting=5e5, scale=0.9996)
    found = forward(crs, 100 + delta, lat)
    # What the series leaves out: measured, 4e-9 m at 40 degrees and 4e-8 m at 47; rounding is 2e-9.
    assert np.abs(np.subtract(found, (500000 + 0.9996 * x, 0.9996 * y))).max() < (1e-8 if abs(delta) <= 40 else 5e-8)
    back = inverse(crs, *found)
    assert abs(back[1] - lat) < 1e-12 and abs(back[0] - 100 - delta) * np.cos(np.radians(lat)) < 1e-12


def test_the_example_of_epsg_for_web_mercator_comes_out_to_the_last_printed_digit():
    lon, lat = -(100 + 20 / 60), 24 + 22 / 60 + 54.433 / 3600  # guidance note 7-2, method 1024
    # A thousandth of a second is 0.03 m, its half 0.017 on the map.
    assert np.abs(np.subtract(forward(WEB_MERCATOR, lon, lat), (-11169055.58, 2800000.00))).max() < 0.02
    assert np.abs(np.subtract(inverse(WEB_MERCATOR, -11169055.58, 2800000.00), (lon, lat))).max() < 1.5e-7


def test_web_mercator_is_a_square_world_that_ends_at_85_degrees():
    half, top = np.pi * 6378137, np.degrees(np.arctan(np.sinh(np.pi)))
    np.testing.assert_allclose(forward(WEB_MERCATOR, 180.0, top), (half, half), rtol=1e-15)
    assert inverse(WEB_MERCATOR, half, -half)[1] == pytest.approx(-85.0511287798066, abs=1e-12)
    assert np.isnan(forward(WEB_MERCATOR, 0.0, 90.0)).all() and np.isnan(inverse(WEB_MERCATOR, 1.01 * half, 0.0)).all()


CONFORMAL = [WEB_MERCATOR, utm(50), utm(33, south=True), CRS("transverse_mercator", KRASOVSKY_1940, (0, 0), 20, 105)]


@pytest.mark.parametrize("crs", CONFORMAL, ids=lambda crs: crs.describe())
def test_a_conformal_map_comes_back_and_stretches_all_directions_alike(crs):
    lon, lat = np.meshgrid(crs.central_meridian + np.linspace(-40, 40, 33), np.linspace(-85, 85, 69))
    back_lon, back_lat = inverse(crs, *forward(crs, lon, lat))
    assert np.abs(wrapped(back_lon - lon)).max() < 1e-11 and np.abs(back_lat - lat).max() < 1e-12
    if crs.kind == "web_mercator":
        return  # conformal on its sphere only
    h, sine = 1e-4, np.sin(np.radians(lat))
    prime = crs.a / np.sqrt(1 - crs.e2 * sine**2)
    (xe, ye), (xw, yw) = forward(crs, lon + h, lat), forward(crs, lon - h, lat)
    (xn, yn), (xs, ys) = forward(crs, lon, lat + h), forward(crs, lon, lat - h)
    east = np.stack([xe - xw, ye - yw]) / np.radians(2 * h) / (prime * np.cos(np.radians(lat)))
    north = np.stack([xn - xs, yn - ys]) / np.radians(2 * h) / (prime * (1 - crs.e2) / (1 - crs.e2 * sine**2))
    k = crs.scale * transverse_scale(np.radians(lon - crs.central_meridian), np.radians(lat), crs.a, crs.f)
    # Central differences: rounding of 4e-9 m in 22 m (2 m of longitude at 85 degrees).
    np.testing.assert_allclose(np.hypot(*east), k, rtol=1e-8)
    np.testing.assert_allclose(np.hypot(*north), k, rtol=1e-9)
    assert np.abs((east * north).sum(0) / k**2).max() < 1e-8


def test_transverse_mercator_crosses_the_poles_and_ends_before_its_series_does():
    crs = utm(50)
    np.testing.assert_allclose(forward(crs, [0.0, 117.0, 200.0], 90.0)[0], 500000, atol=1e-6)
    x, y = forward(crs, 117.0 + 180, 80.0)  # behind the pole
    assert y > forward(crs, 117.0, 90.0)[1] and inverse(crs, x, y)[1] == pytest.approx(80, abs=1e-12)
    with np.errstate(all="raise"):
        for point in ((117 + 60.0, 0.0), (117 + 90.0, 0.0), (117 - 179.0, 10.0)):
            assert np.isnan(forward(crs, *point)).all()
        for point in ((9e6, 0.0), (5e5, 2e7), (np.inf, 0.0)):
            assert np.isnan(inverse(crs, *point)).all()


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
        dict(kind="web_mercator", false_easting=1),
        dict(kind="web_mercator", ellipsoid=KRASOVSKY_1940),
        dict(kind="web_mercator", latitude_of_origin=1),
        dict(kind="transverse_mercator", scale=0),
        dict(kind="transverse_mercator", parallels=(25, 47)),
        dict(kind="sinusoidal", scale=0.9996),
        dict(kind="geographic", datum="Beijing 1954"),
        dict(kind="geographic", datum="NAD 83"),
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
    assert crs_of_epsg(4214).describe() == "geographic, Beijing 1954"
    assert WEB_MERCATOR.describe() == "Web Mercator, WGS 84"
    assert utm(33, True).describe() == (
        "transverse Mercator, meridian 15, scale 0.9996, false origin 500000, 10000000, WGS 84"
    )


BEIJING, XIAN, CGCS2000 = (crs_of_epsg(code) for code in (4214, 4610, 4490))
UNNAMED = CRS("geographic", KRASOVSKY_1940)


@pytest.mark.parametrize(
    "source, target",
    [
        (BEIJING, WGS84),
        (XIAN, CGCS2000),
        (BEIJING, XIAN),
        (UNNAMED, BEIJING),  # other datums use this ellipsoid too
        (CRS("albers", KRASOVSKY_1940, (25, 47), 0, 105), ALBERS_CHINA),
        (CRS("geographic", (6378137.0, 298.257222101)), WGS84),
        (CRS("geographic", KRASOVSKY_1940, datum="EPSG:6284"), UNNAMED),
    ],
    ids=lambda crs: crs.describe(),
)
def test_a_change_of_datum_is_refused_both_ways_unless_it_may_be_ignored(source, target):
    for one, other in ((source, target), (target, source)):
        x, y = forward(one, 110.0, 35.0)
        with pytest.raises(InputError, match="their datums differ, .* and .*gdalwarp -t_srs .*ignored"):
            transform_points(one, other, x, y)
        expected = forward(other, 110.0, 35.0)
        found = transform_points(one.on_any_datum(), other, x, y)
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-8)
        assert datum_change(one, other) and not datum_change(one.on_any_datum(), other)
    assert source != source.on_any_datum()


@pytest.mark.parametrize(
    "source, target",
    [
        (CGCS2000, WGS84),
        (crs_of_epsg(4528), utm(50)),
        (BEIJING, crs_of_epsg(2401)),
        (UNNAMED, CRS("albers", KRASOVSKY_1940, (25, 47))),
        (MODIS_SINUSOIDAL, BEIJING),
        (MODIS_SINUSOIDAL, ALBERS_CHINA),
        (CRS("web_mercator", (6378137, 0)), WEB_MERCATOR),
        (XIAN, CRS("sinusoidal", IAG_1975, datum="Xian 1980")),
    ],
    ids=lambda crs: crs.describe(),
)
def test_one_datum_a_sphere_and_cgcs2000_with_wgs84_go_together(source, target):
    x, y = forward(source, 110.0, 35.0)
    np.testing.assert_allclose(transform_points(source, target, x, y), forward(target, 110.0, 35.0), atol=1e-8)
    assert datum_change(source, target) == datum_change(target, source) == ""


def test_cgcs2000_equals_wgs84_but_keeps_its_name():
    x, y = transform_points(CGCS2000, WGS84, np.array([0.1, 1 / 3]), np.array([18.0, 53.9]))
    assert x.tolist() == [0.1, 1 / 3] and y.tolist() == [18.0, 53.9]
    assert CGCS2000 == WGS84 and hash(CGCS2000) == hash(WGS84) and CGCS2000.describe() == "geographic, CGCS2000"
    assert (epsg_of_crs(CGCS2000), epsg_of_crs(WGS84)) == (4490, 4326)
    assert Grid(CGCS2000, (0, 2, 1, -1), (2, 1)) == Grid(WGS84, (0, 2, 1, -1), (2, 1))


def test_a_utm_zone_is_one_of_sixty():
    for zone in (0, 61, 2.5):
        with pytest.raises(ValueError, match="expected 1 to 60"):
            utm(zone)


def test_web_mercator_cells_have_the_areas_of_the_parallels_they_lie_between():
    half = np.pi * 6378137
    world = Grid(WEB_MERCATOR, (-half, half, half / 128, -half / 128), (256, 256))
    lat = inverse(WEB_MERCATOR, 0.0, world.edges()[1])[1]
    expected = [Grid(WGS84, (0, top, 1, foot - top), (1, 1)).cell_areas()[0] * 360 / 256
                for top, foot in zip(lat[:-1], lat[1:], strict=True)]  # fmt: skip
    # Rounding of the latitudes, 1e-14 of the smallest row's 0.1 degree.
    np.testing.assert_allclose(world.cell_areas(), expected, rtol=1e-12)
    # Between the parallels 85.0511287798066 lie 99.6274 % of a sphere; the ellipsoid changes the fourth digit.
    assert world.cell_areas().sum() * 256 / 510065621.724 == pytest.approx(0.99627, abs=1e-4)


def test_the_cells_of_a_utm_row_share_its_true_area():
    grid = Grid(utm(50), (166e3, 5e6, 167e3, -2e5), (2, 4))  # a zone at 45 N, and one row below it
    for row, area in enumerate(grid.cell_areas()):
        # The rectangle's outline, dense enough for straight sides in Albers: the polygon's area on the ellipsoid.
        along, (x0, y0, dx, dy) = np.linspace(0, 1, 4001), grid.transform
        x = x0 + 4 * dx * np.concatenate([along, np.ones(4001), along[::-1], np.zeros(4001)])
        y = y0 + dy * (row + np.concatenate([np.zeros(4001), along, np.ones(4001), along[::-1]]))
        px, py = transform_points(grid.crs, ALBERS_CHINA, x, y)
        px, py = px - px.mean(), py - py.mean()
        polygon = abs(np.sum(px * np.roll(py, -1) - np.roll(px, -1) * py)) / 2e6
        assert area == pytest.approx(polygon / 4, rel=1e-8)  # chords of 167 m and of 50 m
        assert abs(area / (dx * -dy / 1e6) - 1) > 1e-5


def test_a_utm_grid_too_wide_for_one_area_a_row_is_refused():
    Grid(utm(50), (-2e5, 5e6, 1e4, -1e4), (2, 140)).cell_areas()
    with pytest.raises(InputError, match="differ by 1.3.% from their row's mean, expected 1%; .*gdalwarp"):
        Grid(utm(50), (-4e5, 5e6, 1e4, -1e4), (2, 180)).cell_areas()
    with pytest.raises(InputError, match="reaches off the map"):
        Grid(utm(50), (-7e6, 5e6, 1e5, -1e5), (2, 140)).cell_areas()


@pytest.mark.parametrize("crs", [WEB_MERCATOR, utm(50)], ids=lambda crs: crs.describe())
def test_rasters_warp_into_and_from_conformal_maps(crs):
    degrees = Grid(WGS84, (116.0, 41.0, 0.02, -0.02), (50, 60))
    (x, y), (lon, lat) = forward(crs, *np.meshgrid(*degrees.edges())), degrees.centres()
    cell = 3000.0
    rows, cols = int(np.ceil(np.ptp(y) / cell)) + 2, int(np.ceil(np.ptp(x) / cell)) + 2
    metres = Grid(crs, (x.min() - cell, y.max() + cell, cell, -cell), (rows, cols))
    counts = Raster(np.arange(3000.0).reshape(50, 60), np.ones((50, 60), bool), degrees)
    there = warp(counts, metres, "count")
    # Neighbouring cells share corners, so that nothing is lost but rounding.
    assert there.values.sum() == pytest.approx(counts.values.sum(), rel=1e-12)
    constant = warp_mean(Raster(np.full(metres.shape, 7.0), np.ones(metres.shape, bool), metres), degrees)
    np.testing.assert_allclose(constant.values, 7, rtol=1e-14)
    row, col = np.meshgrid(np.arange(rows), np.arange(cols), indexing="ij")
    codes = Raster((row * 1000 + col).astype(np.int32), np.ones(metres.shape, bool), metres)
    px, py = forward(crs, *np.meshgrid(lon, lat))
    expected = ((metres.transform[1] - py) // cell) * 1000 + (px - metres.transform[0]) // cell
    assert np.array_equal(warp_nearest(codes, degrees).values, expected.astype(np.int32))


def test_warping_across_datums_is_refused_until_the_datum_is_ignored():
    source = Grid(BEIJING, (110, 36, 0.1, -0.1), (3, 3))
    target = Grid(WGS84, (110, 36, 0.1, -0.1), (3, 3))
    with pytest.raises(InputError, match="no points pass .* Beijing 1954.*their datums differ"):
        warp_mean(Raster(np.ones((3, 3)), np.ones((3, 3), bool), source), target)
    source = Grid(BEIJING.on_any_datum(), source.transform, source.shape)
    assert warp_mean(Raster(np.ones((3, 3)), np.ones((3, 3), bool), source), target).valid.all()


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


def test_equal_area_cells_are_dx_times_dy_and_a_refined_grid_keeps_origin_and_area():
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
