"""Zones that are polygons: totals by hand and from files, other maps and the far side of the Earth, shares of grids."""

import numpy as np
import pytest
import tifffile

from refimpl.earth.crs import CRS, KRASOVSKY_1940
from refimpl.earth.epsg import utm
from refimpl.earth.grid import Grid, Raster
from refimpl.earth.polygon_sums import polygon_sums
from refimpl.earth.polygons import edges_on
from refimpl.earth.projection import ALBERS_CHINA, WEB_MERCATOR, WGS84, forward
from refimpl.earth.zone_labels import label_cells, zone_labels
from refimpl.errors import InputError
from refimpl.formats.geotiff import open_raster
from refimpl.formats.writing import write_raster
from refimpl.twins import backend
from refimpl.windows.zonal_statistics import zonal_statistics
from refimpl.windows.zones import cover, coverage, zones_in
from tests.polygon_shapes import METRE, box, partition, zones_of

BOTH = pytest.mark.parametrize("which", ["numpy", "numba"])


def test_statistics_by_hand():
    grid = Grid(ALBERS_CHINA, (0, 0, 2000, -2000), (2, 3))
    density = Raster.masked([[1.0, 3.0, 5.0], [7, 9, 11]], [[True, True, True], [True, False, True]], grid)
    zones = zones_of((11, True, box(0, -4000, 3000, -1000)), (65, True, box(3000, -2000, 3100, 0)))
    found = zonal_statistics(density, zones)
    # Of cells of 4 km2, zone 11 has 1/2, 1/4 and 1 (and 1/2 of the invalid one), zone 65 has 1/20.
    assert found.codes.tolist() == [11, 65] and found.count.tolist() == [3, 1]
    np.testing.assert_allclose(found.total, [2 * 1 + 1 * 3 + 4 * 7, 0.2 * 3], rtol=1e-14)
    np.testing.assert_allclose(found.area_km2, [7, 0.2], rtol=1e-14)
    np.testing.assert_allclose(found.mean, [33 / 7, 3], rtol=1e-14)
    centre = zonal_statistics(density, zones, rule="centre")
    # The upper cells' centres lie on the upper border of zone 11, two of them on the border of both zones.
    assert centre.codes.tolist() == [11, 65] and centre.count.tolist() == [2, 1]
    assert centre.total.tolist() == [4 * 1 + 4 * 7, 4 * 3] and centre.area_km2.tolist() == [8.0, 4.0]


def test_a_zone_without_a_valid_cell_is_listed_with_nothing():
    density = Raster(np.zeros((4, 5)), np.zeros((4, 5), bool), METRE)
    found = zonal_statistics(density, zones_of((7, True, box(1, 1, 3, 3))))
    assert found.codes.tolist() == [7] and found.total.tolist() == [0] and np.isnan(found.mean[0])


@pytest.mark.parametrize("rule", ["area", "centre"])
@pytest.mark.parametrize("ring", [[[2, 1], [2, 4], [2, 3]], [[1, 2], [4, 2], [3, 2]]], ids=["upright", "level"])
def test_a_zone_without_area_has_no_share_of_anything(tmp_path, ring, rule):
    raster = Raster(np.ones((4, 5)), np.ones((4, 5), bool), METRE)
    write_raster(tmp_path / "a.tif", raster)
    zones = zones_of((7, True, ring), rule=rule)
    with open_raster(tmp_path / "a.tif") as file:
        for source in (raster, file):
            assert not zonal_statistics(source, zones).codes.size
    assert coverage(zones, METRE).inside == {7: 0.0}


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("rule", ["area", "centre", "label"])
def test_a_file_in_blocks_gives_what_the_raster_in_memory_gives(tmp_path, monkeypatch, rule, flipped):
    rng = np.random.default_rng(5)
    grid = Grid(WGS84, (100, 40, 0.01, -0.01), (130, 90))
    raster = Raster.masked((1e6 * rng.random(grid.shape) ** 9).astype("f4"), rng.random(grid.shape) > 0.1, grid)
    angle = np.linspace(0, 2 * np.pi, 200)[:-1]
    blob = np.stack([100.45 + 0.4 * np.cos(angle), 39.4 + (0.5 + 0.1 * np.sin(9 * angle)) * np.sin(angle)], axis=1)
    how = "area" if rule == "area" else "centre"
    polygons = zones_of((4, True, blob.tolist()), (9, True, box(100.82, 38.7, 102, 41)), crs=WGS84, rule=how)
    zones = zone_labels(polygons, grid) if rule == "label" else polygons
    expected = zonal_statistics(raster, zones)
    path = tmp_path / "a.tif"
    write_raster(path, raster)
    if flipped:
        south_up(path, raster)
    for cells in (1, 700, 2**22):
        monkeypatch.setattr("refimpl.windows.zonal_statistics.READ_CELLS", cells)
        with open_raster(path) as source:
            assert source.grid == grid
            found = zonal_statistics(source, zones, align=True)
        assert found.codes.tolist() == expected.codes.tolist() and found.count.tolist() == expected.count.tolist()
        for name in ("total", "area_km2"):
            ours, theirs = getattr(found, name), getattr(expected, name)
            assert (np.abs(ours - theirs) <= np.spacing(theirs)).all()  # one rounding of a pair of doubles


class Recorded:
    """A raster in a file of which only the windows that were read are kept."""

    dtype = np.dtype(np.float32)

    def __init__(self, grid):
        self.grid, self.windows = grid, []

    def part(self, window):
        self.windows.append(window)
        shape = window[1] - window[0], window[3] - window[2]
        return Raster(np.ones(shape, np.float32), np.ones(shape, bool), self.grid.part(window))


@pytest.mark.parametrize("rule", ["area", "centre"])
def test_of_a_tall_file_only_the_rows_and_columns_of_the_zones_are_read_block_by_block(monkeypatch, rule):
    monkeypatch.setattr("refimpl.windows.zonal_statistics.READ_CELLS", 2**12)
    source = Recorded(Grid(ALBERS_CHINA, (0, 1e9, 1000, -1000), (10**6, 3000)))
    zone = zones_of((4, True, box(7e5, 1e9 - 9e6, 7.3e5, 1e9 - 2.5e6)))
    found = zonal_statistics(source, zone, rule=rule)
    assert found.area_km2[0] == pytest.approx(30 * 6500, rel=1e-12) and found.count[0] == 30 * 6500
    assert {window[2:] for window in source.windows} == {(700, 730)}
    tops, bottoms = zip(*(window[:2] for window in source.windows))
    assert tops[0] == 2500 and bottoms[-1] == 9000 and tops[1:] == bottoms[:-1]
    assert max(b - t for t, b in zip(tops, bottoms)) * 30 <= 2**12


def south_up(path, raster):
    """Write the raster with its rows from south to north."""
    (x0, y0, dx, dy), rows = raster.grid.transform, raster.grid.shape[0]
    values = np.where(raster.valid, raster.values, np.float32("nan"))[::-1]
    matrix = (dx, 0, 0, x0, 0, -dy, 0, y0 + rows * dy, 0, 0, 0, 0, 0, 0, 0, 1)
    keys = (1, 1, 0, 3, 1024, 0, 1, 2, 1025, 0, 1, 1, 2048, 0, 1, 4326)
    tags = [(34264, "d", 16, matrix, True), (34735, "H", 16, keys, True)]
    tifffile.imwrite(path, np.ascontiguousarray(values), photometric="minisblack", extratags=tags, metadata=None)


def test_labels_of_a_large_grid_do_not_depend_on_blocks(monkeypatch):
    polygons = partition(np.random.default_rng(8))
    grid = Grid(ALBERS_CHINA, (0, 4, 0.1, -0.1), (40, 50))
    expected = zone_labels(polygons, grid).values
    monkeypatch.setattr("refimpl.earth.zone_labels._LABEL_BLOCK_CELLS", 1)
    assert (zone_labels(polygons, grid).values == expected).all() and expected.all()


@pytest.mark.parametrize("by_area", [True, False])
def test_any_number_of_threads_gives_the_same_bytes(monkeypatch, by_area):
    rng = np.random.default_rng(11)
    grid = Grid(ALBERS_CHINA, (0, 4, 0.01, -0.01), (400, 500))
    edges, values = edges_on(partition(rng), grid), rng.random(grid.shape, np.float32)
    answers = set()
    for threads in ("1", "2", "5"):
        monkeypatch.setenv("REFIMPL_THREADS", threads)
        sums = polygon_sums.kernel(values, values > 0.1, np.ones(400), edges, 0, by_area)
        labels = label_cells.kernel(edges, 0, 400, 500, by_area)
        answers.add(b"".join(np.asarray(each).tobytes() for each in (*sums, *labels)))
    assert len(answers) == 1


def test_vertices_are_carried_into_the_grids_crs_with_straight_edges_between():
    corners = [(110.0, 30.0), (111.0, 30.0), (111.0, 31.0)]
    x, y = forward(ALBERS_CHINA, *np.array(corners).T)
    grid = Grid(ALBERS_CHINA, (float(x[0]) // 1e3 * 1e3 - 1e4, float(y[2]) // 1e3 * 1e3 + 1e4, 1e3, -1e3), (140, 140))
    ones = Raster(np.ones(grid.shape), np.ones(grid.shape, bool), grid)
    found = zonal_statistics(ones, zones_of((1, True, corners), crs=WGS84))
    straight = abs((x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0])) / 2e6
    assert found.area_km2[0] == pytest.approx(straight, rel=1e-12)


def test_zones_on_another_datum_are_refused():
    away = zones_of((1, True, box(100, 30, 101, 31)), crs=CRS("geographic", KRASOVSKY_1940, datum="Beijing 1954"))
    with pytest.raises(InputError, match="polygons: cannot be laid on .* datums differ.*ogr2ogr"):
        zone_labels(away, METRE)


def test_polygons_cut_at_the_180th_meridian_lie_on_grids_of_any_turn():
    chukotka = zones_of((1, True, box(170, 60, 180, 70)), (1, True, box(-180, 60, -170, 70)), crs=WGS84)
    beyond = zones_of((1, True, box(170, 60, 190, 70)), crs=WGS84)
    for polygons in (chukotka, beyond):
        for west, columns in ((-180, [0, 35]), (0, [17, 18]), (90, [8, 9]), (-360, [17, 18])):
            grid = Grid(WGS84, (west, 80, 10, -10), (3, 36))
            labels = zone_labels(polygons, grid, "area").values
            assert np.flatnonzero(labels[1]).tolist() == columns and not labels[[0, 2]].any()


@pytest.mark.parametrize("crs", [ALBERS_CHINA, utm(50), WEB_MERCATOR, CRS("sinusoidal", central_meridian=105)])
def test_zones_on_the_far_side_of_the_earth_do_not_reach_across_the_map(crs):
    x, y = forward(crs, 117.0, 40.0)
    grid = Grid(crs, (float(x) - 5e4, float(y) + 5e4, 1e4, -1e4), (10, 10))
    america = box(-125, 25, -65, 50)  # the seam of a map of China, at 75 W, cuts it
    antarctica = [(-180, -90), (180, -90), (180, -70), (-180, -70)]
    world = zones_of((1, True, america), (2, True, antarctica), (3, True, box(116, 39, 118, 41)), crs=WGS84)
    labels = zone_labels(world, grid, "area").values
    assert labels.any() and set(np.unique(labels)) <= {0, 3}
    found = coverage(world, grid)
    assert found.inside[1] == found.inside[2] == 0 and 0 < found.inside[3] < 1


def test_a_projected_file_is_carried_back_to_degrees():
    x, y = forward(utm(50), np.array([116.0, 118.0, 118.0, 116.0]), np.array([39.0, 39.0, 41.0, 41.0]))
    polygons = zones_of((5, True, list(zip(x.tolist(), y.tolist()))), crs=utm(50), rule="centre")
    grid = Grid(WGS84, (115, 42, 0.5, -0.5), (8, 8))
    expected = np.zeros((8, 8), int)
    expected[2:6, 2:6] = 5
    assert zone_labels(polygons, grid).values.tolist() == expected.tolist()
    lost = zones_of((5, True, [(1e9, 0), (1e9, 1), (2e9, 1)]), crs=ALBERS_CHINA)
    with pytest.raises(InputError, match="the vertex 1e.09, 0 lies off the map of Albers"):
        zone_labels(lost, grid)


def test_cover_ends_at_the_outermost_vertices():
    polygons = zones_of((1, True, [(0.5, 3), (7, 3.5), (2, 9)]), (2, True, box(-3, 4, -2.5, 5)))
    assert cover(polygons, ALBERS_CHINA, 2.0).bounds == (-4, 2, 8, 10)
    with pytest.raises(ValueError, match="cell size"):
        cover(polygons, ALBERS_CHINA, 0.0)
    far = zones_of((1, True, box(-60, 0, -59, 1)), crs=WGS84)
    with pytest.raises(ValueError, match="no polygon of polygons lies on the map"):
        cover(far, utm(50), 1.0)


@BOTH
def test_the_share_of_a_zone_inside_a_grid_is_exact(which):
    triangle = [(4, 0), (6, 0), (6, 2)]
    polygons = zones_of((1, True, box(-1, 1, 2.25, 3)), (2, True, triangle), (3, True, box(9, 9, 10, 10)))
    valid = np.ones((4, 5), bool)
    valid[1, 0] = False
    frame = Grid(ALBERS_CHINA, (1, 4, 1, -1), (4, 4))
    with backend(which):
        found, framed = coverage(polygons, METRE, valid), coverage(polygons, METRE, valid, [frame, METRE])
    assert found.inside == pytest.approx({1: 4.5 / 6.5, 2: 0.25, 3: 0}, rel=1e-14)
    assert found.known == pytest.approx({1: 3.5 / 6.5, 2: 0.25, 3: 0}, rel=1e-14)
    assert framed.inside == pytest.approx({1: 2.5 / 6.5, 2: 0.25, 3: 0}, rel=1e-14) and framed.known == found.known


def test_a_frame_that_ends_with_the_zone_takes_nothing_from_it():
    zone = zones_of((1, True, box(110, 30, 112, 32)), crs=WGS84)
    frame = Grid(WGS84, (110, 32, 0.5, -0.5), (4, 4))
    grid = cover(zone, ALBERS_CHINA, 5e4)  # cells of 50 km, which reach beyond the frame
    assert coverage(zone, grid, None, [frame]).inside[1] == pytest.approx(1, rel=1e-12)


def test_shares_use_the_true_area_of_each_row():
    grid = Grid(WGS84, (100, 60, 1, -1), (30, 2))
    half = coverage(zones_of((1, True, box(100, 0, 101, 60)), crs=WGS84), grid).inside[1]
    # On the authalic sphere a strip's area goes with the sine of the authalic latitude, within 0.3 % of the latitude's.
    assert half == pytest.approx(1 - np.sin(np.radians(30)) / np.sin(np.radians(60)), rel=5e-3)
    whole = coverage(zones_of((1, True, box(100, 30, 102, 60)), (2, True, box(99, -90, 103, 90)), crs=WGS84), grid)
    assert whole.inside[1] == pytest.approx(1, rel=1e-12) and 0 < whole.inside[2] < 0.25


@pytest.mark.parametrize("rule", ["centre", "area"])
def test_a_cell_whose_centre_lies_on_an_edge_has_one_zone_in_whatever_window(rule):
    grid, rng = Grid(WGS84, (73.025, 53.975, 0.05, -0.05), (600, 640)), np.random.default_rng(4)
    for _ in range(6):  # edges through centres of cells, as those of polygons that were made from a raster
        west, south = 73.025 + 0.05 * (rng.integers(20, 200) + 0.5), 53.975 - 0.05 * (rng.integers(300, 580) + 0.5)
        east, north = west + 0.05 * rng.integers(100, 400), south + 0.05 * rng.integers(100, 280)
        boxes = (11, True, box(west, south, east, north)), (12, True, box(west, south - 4, east, south))
        zones = zones_of(*boxes, crs=WGS84, rule=rule)
        whole = zones_in(zones, grid, (0, grid.shape[0], 0, grid.shape[1])).values
        for _ in range(20):
            top, bottom = np.sort(rng.choice(601, 2, replace=False)).tolist()
            left, right = np.sort(rng.choice(641, 2, replace=False)).tolist()
            part = zones_in(zones, grid, (top, bottom, left, right)).values
            assert np.array_equal(part, whole[top:bottom, left:right])
