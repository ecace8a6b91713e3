"""Rasters on another grid window by window: the same cells as whole, from memory or file; interpolation and modes."""

from fractions import Fraction

import numpy as np
import pytest

from refimpl.earth.crs import KRASOVSKY_1940
from refimpl.earth.epsg import utm
from refimpl.earth.grid import Grid, Raster
from refimpl.earth.lattice import LATTICE_TILE, basis, centre_lattice, corner_lattice, tiles
from refimpl.earth.pixels import pixel_coordinates
from refimpl.earth.projection import ALBERS_CHINA, CRS, MODIS_SINUSOIDAL, WEB_MERCATOR, WGS84, inverse
from refimpl.earth.warp import cropped, warp_mean, warp_nearest
from refimpl.earth.warped import METHODS, Warped
from refimpl.errors import DataWarning, InputError
from refimpl.formats.geotiff import open_raster, read_raster
from refimpl.formats.writing import write_raster
from refimpl.twins import backend
from tests.memory import KNOWN, peak_of_program

FINE = Grid(WGS84, (112.0, 36.0, 1 / 120, -1 / 120), (620, 830))
COARSE = Grid(ALBERS_CHINA, (600_000, 3_900_000, 1000.0, -1000.0), (600, 750))
FINER = Grid(ALBERS_CHINA, (640_000, 3_880_000, 500.0, -500.0), (530, 600))


@pytest.fixture(params=["numpy", "numba"])
def either(request):
    with backend(request.param):
        yield request.param


def made(grid, dtype="float32", holes=0.1):
    rng = np.random.default_rng(3)
    values = (rng.gamma(0.2, 30, grid.shape) if np.dtype(dtype).kind == "f" else rng.integers(0, 9, grid.shape)) + 1
    return Raster.masked(values.astype(dtype), rng.random(grid.shape) >= holes, grid, "persons/km2")


def warp_by(method, source, grid):
    return Warped(source, grid, method).whole()


def metres(rows, cols, size=1.0, x0=0.0, y0=0.0):
    return Grid(ALBERS_CHINA, (x0, y0, size, -size), (rows, cols))


def full(values, grid):
    return Raster(np.asarray(values), np.ones(np.shape(values), bool), grid)


# Windows and files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_a_cell_is_the_same_to_the_bit_in_every_window_and_from_a_file(tmp_path, method):
    grid = FINER if method in ("bilinear", "cubic") else COARSE
    source = made(FINE, "uint8" if method in ("mode", "nearest") else "float32")
    write_raster(tmp_path / "a.tif", source, nodata=0)
    whole = Warped(source, grid, method).whole()
    assert 0.5 < whole.valid.mean() < 1
    with open_raster(tmp_path / "a.tif") as file:
        warped = Warped(file, grid, method)
        for window in ((0, 1, 0, 1), (500, 530, 490, 600), (17, 525, 300, 600), (0, grid.shape[0], 599, 600)):
            part = warped.part(window)
            cells = np.s_[window[0] : window[1], window[2] : window[3]]
            assert part.values.dtype == whole.values.dtype == warped.dtype and part.units == "persons/km2"
            assert np.array_equal(part.values, whole.values[cells]) and np.array_equal(part.valid, whole.valid[cells])
            assert part.grid == grid.part(window)


def test_a_piece_of_the_source_at_a_time_gives_the_same_cells(monkeypatch):
    source = made(FINE)
    expected = [Warped(source, COARSE, method).whole() for method in ("mean", "mode", "nearest")]
    monkeypatch.setattr("refimpl.earth.warped.MOST_PIXELS", 5000)
    for method, whole in zip(("mean", "mode", "nearest"), expected):
        found = Warped(source, COARSE, method).whole()
        assert np.array_equal(found.values, whole.values) and np.array_equal(found.valid, whole.valid)


def test_a_warped_raster_serves_as_a_source_in_its_turn():
    source, between = made(metres(40, 60), holes=0), metres(20, 30, 2.0)
    twice = Warped(Warped(source, between, "sum"), metres(5, 6, 8.0), "sum").whole()
    blocks = source.values[:, :48].astype(float).reshape(5, 8, 6, 8).sum(axis=(1, 3))
    np.testing.assert_allclose(twice.values, blocks, rtol=1e-13)  # sums of 64 numbers in another order


def test_of_a_file_only_what_the_grid_touches_is_read(tmp_path, monkeypatch):
    write_raster(tmp_path / "a.tif", made(FINE))
    seen = []
    with open_raster(tmp_path / "a.tif") as file:
        take = file.part
        monkeypatch.setattr(file, "part", lambda window: seen.append(window) or take(window))
        grid = Grid(WGS84, (113.0, 35.0, 0.1, -0.1), (3, 4))
        part = cropped(file, grid)
        warp_mean(file, grid)
    assert part.grid.bounds == pytest.approx((113.0, 34.7, 113.4, 35.0), abs=1e-9)  # edges as the doubles have them
    assert all((stop - start) * (right - left) <= 40 * 52 for start, stop, left, right in seen) and len(seen) == 2


@pytest.mark.skipif(not KNOWN, reason="the system does not tell")
def test_memory_does_not_grow_with_the_height_of_the_raster(tmp_path):
    program = f"""
import sys
import numpy as np
from refimpl.formats.geotiff import open_raster
from refimpl.earth.grid import Grid
from refimpl.earth.projection import ALBERS_CHINA, WGS84
from refimpl.earth.warped import Warped
from refimpl.formats.writing import write_parts
from refimpl.earth.grid import Raster
rows = int(sys.argv[1])
grid = Grid(WGS84, (100.0, 30.0, 0.0002, -0.0002), (rows, 8000))
def part(window):
    here = grid.part(window)
    return Raster(np.full(here.shape, window[0], np.float32), np.ones(here.shape, bool), here)
path = {str(tmp_path)!r} + "/a.tif"
write_parts(path, grid, "float32", part)
with open_raster(path) as file:
    warped = Warped(file, Grid(ALBERS_CHINA, (-480000, 3.1e6, 100.0, -100.0), (rows // 5, 2000)), "mean")
    write_parts({str(tmp_path)!r} + "/b.tif", warped.grid, warped.dtype, warped.part)
"""
    low, high = (peak_of_program(program, rows) for rows in ("8000", "16000"))
    # MiB; the values of the higher one alone are 244 more, and its mask 61.
    assert high < low + 100 and high < 400


# Coordinates ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("crs", [WGS84, MODIS_SINUSOIDAL, WEB_MERCATOR, utm(50)], ids=lambda crs: crs.kind)
@pytest.mark.parametrize("size", [250.0, 1000.0, 40_000.0])
def test_lattices_lie_where_the_projection_itself_puts_them(crs, size):
    step = 1 / 240 if crs.kind == "geographic" else 500.0
    x0, y0 = {"geographic": (70.0, 56.0), "transverse_mercator": (-2e6, 6e6)}.get(crs.kind, (5e6, 7e6))
    source = Grid(crs, (x0, y0, step, -step), (30_000, 30_000) if crs.kind != "geographic" else (12_000, 16_000))
    target = Grid(ALBERS_CHINA, (-300e3, 5.5e6, size, -size), (700, 1100))
    for window in tiles((0, 700, 0, 1100))[1::3]:
        top, bottom, left, right = window
        x, y = target.edges()
        exact = pixel_coordinates(source, target, x[None, left : right + 1], y[top : bottom + 1, None])
        np.testing.assert_allclose(corner_lattice(source, target, window), exact, rtol=0, atol=2e-10)
        x, y = target.centres()
        exact = pixel_coordinates(source, target, x[None, left:right], y[top:bottom, None])
        np.testing.assert_allclose(centre_lattice(source, target, window), exact, rtol=0, atol=2e-10)


def test_beside_the_seam_of_a_map_and_off_the_map_lattices_are_exact():
    world = Grid(WGS84, (0.0, 90.0, 0.1, -0.1), (1800, 3600))
    for target in (
        Grid(CRS("albers", parallels=(25, 47), central_meridian=0.0), (-256e3, 4.4e6, 1000.0, -1000.0), (512, 512)),
        Grid(MODIS_SINUSOIDAL, (-20.1e6, 6e6, 40e3, -40e3), (300, 512)),
    ):
        window = (0, *target.shape[:1], 0, 512)
        x, y = target.edges()
        exact = pixel_coordinates(world, target, x[None, :513], y[:, None])
        assert np.array_equal(np.stack(corner_lattice(world, target, window)), np.stack(exact), equal_nan=True)


def test_a_point_by_itself_has_the_polynomials_that_it_has_among_others():
    points = np.arange(0, LATTICE_TILE + 0.5, 0.5)
    alone = np.concatenate([basis(points[k : k + 1]) for k in range(points.size)], axis=1)
    assert np.array_equal(alone, basis(points))


def test_tiles_are_counted_from_the_origin_and_fill_the_window():
    window, cells = (100, 1100, 511, 513), np.zeros((1200, 600), int)
    for top, bottom, left, right in tiles(window):
        cells[top:bottom, left:right] += 1
        assert top // LATTICE_TILE == (bottom - 1) // LATTICE_TILE
        assert left // LATTICE_TILE == (right - 1) // LATTICE_TILE
    assert (cells[100:1100, 511:513] == 1).all() and cells.sum() == 2000


# The seam of the source's map -----------------------------------------------------------------------------------------


def of_longitude(grid):
    """The cosine of the longitude, which is smooth all round the Earth; invalid off the map."""
    lon, lat = inverse(grid.crs, *np.meshgrid(*grid.centres()))
    return Raster.masked(np.cos(np.radians(lon)), np.isfinite(lat), grid)


@pytest.mark.parametrize("method", ["mean", "sum", "mode", "nearest"])
def test_a_cell_beside_or_across_the_180th_meridian_is_the_same_in_every_window(method):
    world = Grid(WGS84, (-180.0, 70.0, 0.7, -0.7), (30, 515))  # 514.29 pixels once round, so that turns are rounded
    grid = Grid(WGS84, (175.1, 69.0, 0.9, -0.9), (8, 12))
    warped = Warped(made(world, "uint8" if method == "mode" else "float64"), grid, method)
    whole = warped.whole()
    for row, col in np.ndindex(grid.shape):
        part = warped.part((row, row + 1, col, col + 1))
        assert part.values[0, 0] == whole.values[row, col] and part.valid[0, 0] == whole.valid[row, col]


def test_a_pacific_grid_takes_interpolations_from_a_raster_that_is_cut_at_180_degrees():
    source = of_longitude(Grid(WGS84, (-180.0, 2.0, 1.0, -1.0), (4, 360)))
    grid = Grid(WGS84, (0.0, 2.0, 1.0, -1.0), (4, 360))  # the corners of its middle cell are on two ends of the source
    found = warp_by("bilinear", source, grid)
    assert found.valid.all()
    np.testing.assert_allclose(found.values, np.roll(source.values, 180, axis=1), rtol=0, atol=1e-12)  # rounded weights


def test_a_projected_map_that_is_narrow_at_its_seam_is_not_taken_across():
    half = np.pi * MODIS_SINUSOIDAL.a
    source = of_longitude(Grid(MODIS_SINUSOIDAL, (-half, half / 2, half / 360, -half / 360), (360, 720)))
    for north in (80.0, 66.0, 62.0, 45.0):  # at 66 degrees the map is less than half as wide as at the equator
        grid = Grid(WGS84, (177.25, north, 0.5, -0.5), (4, 12))
        found = warp_mean(source, grid)
        assert found.valid.all(axis=0).tolist() == [True] * 5 + [False] + [True] * 6  # 179.75 to 180.25 is given up
        # The field falls by 1 - cos(3.5 degrees) = 0.002 and less; a cell that reached across would be wrong by 1.
        assert found.values[found.valid].max() < -0.99


def test_round_a_pole_cells_take_what_lies_under_them(either):
    polar = CRS("albers", parallels=(90, 90), latitude_of_origin=90)
    grid = Grid(polar, (-2.03e6, 2.03e6, 203e3, -203e3), (20, 20))
    for west in (-180.0, 0.0):
        source = of_longitude(Grid(WGS84, (west, 90.0, 1.0, -1.0), (40, 360)))
        found = warp_mean(source, grid)
        lon, lat = inverse(polar, *np.meshgrid(*grid.centres()))
        far = lat < 85  # nearer to the pole a cell holds many longitudes
        assert found.valid[far].all()
        # A cell of 203 km spans 20 degrees of longitude at 85 N: its mean is off its centre by 0.4 % and less.
        np.testing.assert_allclose(found.values[far], np.cos(np.radians(lon[far])), rtol=0, atol=0.02)


# Interpolation --------------------------------------------------------------------------------------------------------


def test_bilinear_weights_are_the_shares_of_the_opposite_rectangles(either):
    # A cell's centre 1/4 right of and 1/4 above the first pixel's: weights 3/4 x 3/4, 1/4 x 3/4, ... by hand.
    source = full([[2.0, 4.0], [8.0, 32.0]], metres(2, 2, 2.0))
    found = warp_by("bilinear", source, metres(4, 4, 1.0))
    q = Fraction(1, 4)
    inner = (1 - q) ** 2 * 2 + q * (1 - q) * 4 + q * (1 - q) * 8 + q * q * 32
    assert found.values[1, 1] == float(inner)
    assert found.values[0].tolist() == [2.0, 2.5, 3.5, 4.0]  # beyond the outer centres the edge is continued
    assert found.valid.all()


def test_invalid_pixels_drop_out_of_an_interpolation_and_their_own_cells_stay_invalid(either):
    source = Raster.masked([[2.0, 999.0], [8.0, 32.0]], [[True, False], [True, True]], metres(2, 2, 2.0))
    found = warp_by("bilinear", source, metres(4, 4, 1.0))
    assert not found.valid[:2, 2:].any() and found.valid.sum() == 12
    # The centre of cell (1, 1): the weights 9/16, 3/16 and 1/16 of the valid three, divided by their sum.
    assert found.values[1, 1] == pytest.approx((9 * 2 + 3 * 8 + 32) / 13, rel=1e-15)
    again = warp_by("cubic", source, metres(4, 4, 1.0))  # sixteen pixels are never there
    assert np.array_equal(again.values, found.values) and np.array_equal(again.valid, found.valid)


def test_cubic_reproduces_a_quadratic_surface_and_bilinear_a_plane(either):
    # Keys's kernel with a = -1/2 is exact for polynomials of degree two (Keys 1981), the four-pixel one of degree one.
    row, col = np.mgrid[:12, :15] + 0.5
    source_grid, grid = metres(12, 15, 4.0), metres(20, 24, 1.25, 10.5, -9.25)
    x, y = grid.centres()
    u, v = np.meshgrid(x / 4, -y / 4)
    plane, square = (lambda i, j: 3 + 2 * i - j), (lambda i, j: 1 + i * i - i * j + 0.5 * j * j)
    for method, surface in (("bilinear", plane), ("cubic", square)):
        found = warp_by(method, full(surface(row, col), source_grid), grid)
        np.testing.assert_allclose(found.values, surface(v, u), rtol=1e-13)


def test_interpolation_onto_coarser_cells_is_refused_with_what_to_take_instead():
    for method in ("bilinear", "cubic"):
        with pytest.raises(InputError, match="lies over 9 pixels.*'mean' for densities"):
            warp_by(method, full(np.ones((9, 9)), metres(9, 9)), metres(3, 3, 3.0))
        warp_by(method, full(np.ones((9, 9)), metres(9, 9)), metres(3, 3, 2.0))


# Classes --------------------------------------------------------------------------------------------------------------


def test_the_mode_is_the_class_of_the_largest_area_whatever_the_number_of_its_pixels(either):
    # Cells 1.5 pixels wide: the whole pixel has 4/9 of the cell, its two halves 2/9 each, the quarter 1/9.
    classes = np.array([[1, 2, 3], [2, 2, 3], [4, 3, 3]], np.uint8)
    found = warp_by("mode", full(classes, metres(3, 3, 2.0)), metres(2, 2, 3.0))
    assert found.values.tolist() == [[2, 3], [4, 3]] and found.values.dtype == np.uint8
    # 2 has 2/9 + 2/9 + 1/9 against 4/9; below left 4 has 4/9, 2 and 3 have 2/9 + 1/9 and 2/9.


def test_of_classes_that_cover_alike_the_lowest_wins_and_invalid_pixels_do_not_count(either):
    classes = np.array([[9, 4, 7, 7]], np.int16)
    found = warp_by("mode", Raster.masked(classes, [[True, True, False, True]], metres(1, 4)), metres(1, 2, 2.0))
    assert found.values.tolist() == [[4, 7]] and found.valid.all()
    half = Raster.masked(classes, classes > 7, metres(1, 4))
    assert not Warped(half, metres(1, 2, 2.0), "mode", 0.6).whole().valid.any()


def test_areas_that_differ_by_rounding_are_alike(either):
    # Each cell is two pixels wide, and lies over parts of three: half of it is of each class.
    classes = np.array([[7, 5, 7, 5, 7, 5, 7, 5]], np.uint8)
    for offset in (0.1, 0.3, 1 / 3, 0.7):
        grid = Grid(ALBERS_CHINA, (offset, 0.0, 2.0, -1.0), (1, 3))
        assert warp_by("mode", full(classes, metres(1, 8)), grid).values.tolist() == [[5, 5, 5]]


def test_only_where_areas_count_must_they_be_the_same_along_a_row():
    wide = Grid(utm(48), (-2e6, 5e6, 20e3, -20e3), (100, 250))  # 5,000 km
    grid = Grid(WGS84, (100.0, 35.0, 0.1, -0.1), (10, 10))
    classes = full(np.full(wide.shape, 7, np.uint8), wide)
    assert (warp_nearest(classes, grid).values == 7).all() and warp_by("bilinear", classes, grid).valid.all()
    with pytest.raises(InputError, match="whose true areas differ"):
        warp_by("mode", classes, grid)


def test_on_a_geographic_raster_the_mode_goes_by_true_area(either):
    # Two rows of pixels from 60 to 80 degrees: the southern one has cos 65 / cos 75 = 1.63 times the area.
    grid = Grid(WGS84, (0.0, 80.0, 10.0, -10.0), (2, 1))
    classes = np.array([[1], [2]], np.uint8)
    assert warp_by("mode", full(classes, grid), Grid(WGS84, (0.0, 80.0, 20.0, -20.0), (1, 1))).values.tolist() == [[2]]


def test_many_classes_in_one_cell_are_counted_each_by_itself(either):
    classes = np.repeat(np.arange(40), 2)[::-1].reshape(8, 10).astype(np.int32)
    classes[0, 0] = classes[7, 9]
    found = warp_by("mode", full(classes, metres(8, 10)), Grid(ALBERS_CHINA, (0, 0, 10.0, -8.0), (1, 1)))
    assert found.values.tolist() == [[0]]


# What is refused ------------------------------------------------------------------------------------------------------


def test_a_datum_is_never_changed_in_silence(tmp_path):
    grid = Grid(CRS("geographic", KRASOVSKY_1940, datum="Beijing 1954"), (113.0, 36.0, 0.1, -0.1), (20, 20))
    write_raster(tmp_path / "a.tif", made(grid))
    target = Grid(ALBERS_CHINA, (760_000, 3_800_000, 10_000.0, -10_000.0), (4, 4))
    with open_raster(tmp_path / "a.tif") as file, pytest.raises(InputError, match="datums differ, WGS 84 and Beijing"):
        Warped(file, target, "mean").whole()
    with pytest.raises(InputError, match="a.tif: .*Beijing 1954 and WGS 84.*gdalwarp.*--ignore-datum"):
        read_raster(tmp_path / "a.tif", ignore_datum=False)
    with pytest.warns(DataWarning, match="a.tif: the datum of its coordinates is ignored; .*some 100 m"):
        raster = read_raster(tmp_path / "a.tif", ignore_datum=True)
    assert warp_mean(raster, target).valid.all()


@pytest.mark.parametrize(
    "method, share, words",
    [("average", 0.0, "expected one of bilinear, cubic, mean"), ("mean", 1.5, "from 0 to 1"), ("mode", -1, "0 to 1")],
)
def test_unknown_methods_and_shares_are_one_sentence(method, share, words):
    with pytest.raises(InputError, match=words):
        Warped(full(np.ones((2, 2)), metres(2, 2)), metres(1, 1, 2.0), method, share)


@pytest.mark.parametrize("method", ["mean", "sum"])
def test_values_too_large_to_be_added_up_are_one_sentence(either, method):
    fill = full(np.full((6, 6), -np.finfo(float).max), metres(6, 6, 2000.0))  # such a fill value that is not declared
    with pytest.raises(InputError, match="larger than any number; .* declare it"):
        Warped(fill, metres(2, 2, 5000.0), method).whole()


def test_cells_of_half_the_earth_are_refused():
    with pytest.raises(InputError, match="a cell of 360 degrees; expected less than half round the Earth"):
        warp_by("sum", made(FINE), Grid(WGS84, (-180, 90, 360, -180), (1, 1)))


def test_whole_sums_stay_and_nearest_keeps_every_type():
    for dtype in ("uint8", "int16", "uint16", "int32", "uint32", "int64", "float32", "float64"):
        source = made(metres(30, 41), dtype, 0.2)
        assert warp_nearest(source, metres(15, 20, 2.0)).values.dtype == dtype
        total = warp_by("sum", source, metres(7, 9, 5.0)).values.sum()
        assert total == pytest.approx(source.values.astype(float).sum(), rel=1e-13)  # 1,230 roundings
