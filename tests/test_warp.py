"""Resampling against hand-counted overlaps, polygons clipped in exact fractions, and conservation."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refimpl.earth.grid import Grid, Raster
from refimpl.earth.overlap import edge_integral, overlap_sums
from refimpl.earth.projection import ALBERS_CHINA, CRS, MODIS_SINUSOIDAL, WGS84, forward
from refimpl.earth.warp import warp, warp_mean, warp_nearest
from refimpl.twins import backend
from refimpl.windows.clipped import touching
from refimpl.windows.zones import cover, coverage

BOTH = [overlap_sums.reference, overlap_sums.kernel]


@pytest.fixture(params=["numpy", "numba"])
def either(request):
    with backend(request.param):
        yield request.param


def full(values, grid, units=""):
    values = np.asarray(values)
    return Raster(values, np.ones(values.shape, bool), grid, units)


def metres(rows, cols, size=1.0, x0=0.0, y0=0.0):
    return Grid(ALBERS_CHINA, (x0, y0, size, -size), (rows, cols))


# Overlaps ------------------------------------------------------------------------------------------------------------


def test_three_by_three_to_two_by_two_takes_a_whole_two_halves_and_a_quarter(either):
    third = Fraction(1, 9)  # of a target cell 1.5 pixels wide, a source pixel is 4/9: whole, half, half, quarter
    values = np.arange(1, 10, dtype=float).reshape(3, 3)
    found = warp_mean(full(values, metres(3, 3, 2.0)), metres(2, 2, 3.0)).values
    expected = [
        [4 * third * (1 + Fraction(2, 2) + Fraction(4, 2) + Fraction(5, 4)), 4 * third * (3 + 1 + 3 + Fraction(5, 4))],
        [4 * third * (7 + 2 + 4 + Fraction(5, 4)), 4 * third * (9 + 4 + 3 + Fraction(5, 4))],
    ]
    np.testing.assert_allclose(found, np.array(expected, float), rtol=1e-15)  # one rounding per sum and quotient


def test_a_square_on_its_tip_overlaps_a_pixel_whole_and_four_by_a_quarter(either):
    # Corners up, right, down, left of |u - 1.5| + |v - 1.5| <= 1: area 2; beyond a side of the middle pixel lies 1/4.
    u, v = np.array([[1.5, 2.5], [0.5, 1.5]]), np.array([[0.5, 1.5], [1.5, 2.5]])
    shares = {(1, 1): 1.0, (0, 1): 0.25, (1, 0): 0.25, (1, 2): 0.25, (2, 1): 0.25}
    for i in range(3):
        for j in range(3):
            valid = np.zeros((3, 3), bool)
            valid[i, j] = True
            weighted, weight, covered = overlap_sums(np.full((3, 3), 7.0), valid, np.array([1.0, 2.0, 4.0]), u, v)
            share = shares.get((i, j), 0.0)
            assert weight[0, 0] == pytest.approx(share * 2.0**i, abs=1e-15)
            assert weighted[0, 0] == pytest.approx(7 * share * 2.0**i, abs=1e-14)
            assert covered[0, 0] == pytest.approx(share / 2, abs=1e-15)


def clipped_area(polygon, i, j):
    """Area of a polygon inside pixel (i, j): Sutherland-Hodgman in exact fractions, then the shoelace formula."""
    for axis, bound, sign in ((0, j, 1), (0, j + 1, -1), (1, i, 1), (1, i + 1, -1)):
        kept = []
        for a, b in zip(polygon, polygon[1:] + polygon[:1]):
            da, db = sign * (a[axis] - bound), sign * (b[axis] - bound)
            if da >= 0:
                kept.append(a)
            if da * db < 0:
                t = da / (da - db)
                kept.append((a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])))
        polygon = kept
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(polygon, polygon[1:] + polygon[:1]))) * Fraction(1, 2)


sixteenth = st.integers(-20, 20).map(lambda n: Fraction(n, 16))


@settings(max_examples=40, deadline=None)
@given(st.lists(sixteenth, min_size=8, max_size=8), st.integers(1, 40), st.booleans())
def test_any_quadrilateral_is_shared_out_as_polygon_clipping_in_fractions_does(jitter, size, mirrored):
    # A square with moved corners: convex or at least simple, any orientation, down to a sixteenth of a pixel.
    scale = Fraction(size, 8)
    square = [(0, 0), (4, 0), (4, 4), (0, 4)]
    moved = [(x + jitter[2 * k], y + jitter[2 * k + 1]) for k, (x, y) in enumerate(square)]
    corners = [(x * scale + 3, y * scale + 2) for x, y in moved]
    corners = [(v, u) for u, v in corners] if mirrored else corners
    u = np.array([[corners[0][0], corners[1][0]], [corners[3][0], corners[2][0]]], float)
    v = np.array([[corners[0][1], corners[1][1]], [corners[3][1], corners[2][1]]], float)
    rows, cols = 9, 8
    expected = np.array([[float(clipped_area(corners, i, j)) for j in range(cols)] for i in range(rows)])
    values, weights = np.arange(1.0, 73).reshape(rows, cols), np.linspace(1, 2, rows)
    for sums in BOTH:
        weighted, weight, covered = sums(values, np.ones((rows, cols), bool), weights, u, v)
        # Coordinates up to 30 carry 4e-15 each.
        np.testing.assert_allclose(weight[0, 0], np.sum(expected * weights[:, None]), rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(weighted[0, 0], np.sum(expected * weights[:, None] * values), rtol=1e-12, atol=1e-12)
        assert covered[0, 0] <= 1


def test_the_integral_along_an_edge_is_signed_and_clamped():
    edges = [[0, 0, 2, 2], [2, 2, 0, 0], [0, -1, 1, 2], [0.5, 0.5, 0.5, 9], [0, 5, 1, 5], [0, -5, 1, -5]]
    found = edge_integral(*np.array(edges, float).T, 0, 0)
    # v = 3u - 1 runs below 0 for a third, rises through the pixel for a third, and lies above for a third.
    assert found.tolist() == pytest.approx([0.5, -0.5, 1 / 6 + 1 / 3, 0, 1, 0], abs=1e-15)


# Kernel and reference ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32", "uint8"])
@pytest.mark.parametrize("shape, lattice", [((1, 1), (2, 2)), ((7, 13), (5, 4)), ((23, 5), (31, 3)), ((4, 4), (2, 40))])
def test_the_kernel_agrees_with_the_reference(shape, lattice, dtype):
    random = np.random.Generator(np.random.PCG64(5))
    values, valid = (200 * random.random(shape)).astype(dtype), random.random(shape) > 0.3
    v, u = np.mgrid[0.0 : lattice[0], 0.0 : lattice[1]]
    u, v = u * (shape[1] + 2) / lattice[1] - 1, v * (shape[0] + 2) / lattice[0] - 1
    u, v = u + 0.2 * random.random(lattice) + 0.1 * v, v + 0.2 * random.random(lattice) - 0.1 * u
    u[0, 0] = np.nan
    weights = random.random(shape[0])
    for mask in (valid, np.zeros(shape, bool), np.ones(shape, bool)):
        # Same operations in the same order; only the grouping of the four edges' sum may differ by an ulp.
        for ours, twins in zip(*(sums(values, mask, weights, u, v) for sums in BOTH)):
            np.testing.assert_allclose(ours, twins, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("lattice", [(2, 3), (60, 181), (1001, 9), (3, 9001)])
def test_any_number_of_threads_gives_the_same_bytes(monkeypatch, lattice):
    random = np.random.Generator(np.random.PCG64(15))
    values, valid = random.random((40, 30), np.float32), random.random((40, 30)) > 0.3
    v, u = np.mgrid[0.0 : lattice[0], 0.0 : lattice[1]]
    u, v = u * 32 / lattice[1] - 1 + 0.01 * v, v * 42 / lattice[0] - 1 + 0.03 * u
    answers = set()
    for threads in ("1", "2", "3", "8"):
        monkeypatch.setenv("REFIMPL_THREADS", threads)
        found = overlap_sums.kernel(values, valid, np.full(40, 1.5), u, v)
        answers.add(b"".join(each.tobytes() for each in found))
    assert len(answers) == 1


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 6), st.floats(0.05, 70), st.sampled_from([0, 0.2, 1])
)  # fmt: skip
def test_cells_of_any_size_take_what_rectangles_share_by_hand(seed, rows, cols, size, holes):
    # Upright cells: the share of a pixel is the product of two lengths.  Up to 70 pixels wide, mostly off the source.
    random = np.random.Generator(np.random.PCG64(seed))
    values, valid = random.random((50, 90)), random.random((50, 90)) >= holes
    weights, x, y = random.random(50), size * np.arange(cols + 1) - 3.3, size * np.arange(rows + 1) - 2.7
    across = np.maximum(np.minimum(x[1:, None], np.arange(1, 91)) - np.maximum(x[:-1, None], np.arange(90)), 0)
    down = np.maximum(np.minimum(y[1:, None], np.arange(1, 51)) - np.maximum(y[:-1, None], np.arange(50)), 0)
    weighted, weight, covered = overlap_sums.kernel(values, valid, weights, *np.meshgrid(x, y))
    known = valid * weights[:, None]
    # Coordinates of up to 420 carry 6e-14 each, and a cell's side meets up to 70 pixels.
    np.testing.assert_allclose(weight, down @ known @ across.T, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(weighted, down @ (known * values) @ across.T, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(covered, down @ valid @ across.T / size**2, rtol=1e-11, atol=1e-11)


def test_the_kernel_gives_the_same_map_as_the_reference_across_projections():
    random = np.random.Generator(np.random.PCG64(6))
    source = Grid(WGS84, (100, 40, 0.5, -0.5), (20, 30))
    raster = Raster.masked(random.random(source.shape), random.random(source.shape) > 0.2, source)
    for crs, size in ((ALBERS_CHINA, 70e3), (MODIS_SINUSOIDAL, 90e3)):
        grid = cover(full(np.ones(source.shape, int), source), crs, size)
        with backend("numpy"):
            reference = warp_mean(raster, grid)
        kernel = warp_mean(raster, grid)
        assert np.array_equal(reference.valid, kernel.valid)
        np.testing.assert_allclose(reference.values, kernel.values, rtol=1e-12)  # quotients of sums equal to 1e-13


# Means, sums and classes ---------------------------------------------------------------------------------------------


def test_on_its_own_grid_a_raster_is_returned_as_it_is():
    grid = Grid(WGS84, (73.3, 41.1, 0.05, -0.05), (2, 2))
    raster = Raster.masked(np.array([[0.1, 7], [1 / 3, 2]]), [[True, False], [True, True]], grid, "K")
    for kind in ("density", "count", "class"):
        same = warp(raster, raster.grid, kind)
        assert same.values.tolist() == raster.values.tolist() and same.valid.tolist() == raster.valid.tolist()
        assert same.units == "K" and same.grid == raster.grid


def test_blocks_of_pixels_average_exactly_whatever_the_rounding_of_the_edges(either):
    values = np.random.Generator(np.random.PCG64(7)).integers(0, 1000, (30, 60)).astype(float)
    source = Grid(CRS("sinusoidal"), (0.1, 0.3, 0.1, -0.1), (30, 60))  # 0.1 has no exact double
    found = warp_mean(full(values, source), Grid(CRS("sinusoidal"), (0.1, 0.3, 0.3, -0.3), (10, 20)))
    expected = values.reshape(10, 3, 20, 3).mean((1, 3))
    np.testing.assert_allclose(found.values, expected, rtol=1e-14)  # nine exact terms, one quotient
    assert found.valid.all()


def test_a_geographic_mean_weights_pixels_by_their_true_area(either):
    source = Grid(WGS84, (100, 60, 1, -30), (2, 1))
    found = warp_mean(full([[1.0], [4.0]], source), Grid(WGS84, (100, 60, 1, -60), (1, 1)))
    north, south = source.cell_areas()
    assert found.values[0, 0] == pytest.approx((north * 1 + south * 4) / (north + south), rel=1e-15)
    assert found.values[0, 0] > 2.7  # the southern half is the larger


def test_a_constant_stays_constant_under_any_projection(either):
    source = Grid(WGS84, (90, 50, 0.7, -0.3), (60, 50))
    raster = full(np.full(source.shape, 3.7), source)
    for crs in (ALBERS_CHINA, MODIS_SINUSOIDAL):
        grid = cover(full(np.ones(source.shape, int), source), crs, 90e3)
        found = warp_mean(raster, grid)
        np.testing.assert_allclose(found.values[found.valid], 3.7, rtol=1e-14)  # (sum w c) / (sum w)
        assert found.valid.mean() > 0.5


def test_invalid_pixels_neither_dilute_a_mean_nor_lose_the_coast(either):
    raster = Raster.masked([[8.0, 0, 0, 0]], [[True, False, False, False]], metres(1, 4))
    coast = warp_mean(raster, metres(1, 1, 4.0))
    assert coast.values.tolist() == [[8.0]] and coast.valid.all()  # a sixteenth of the cell is enough
    assert not warp_mean(raster, metres(1, 1, 4.0), minimum_valid=0.07).valid.any()
    assert warp_mean(raster, metres(1, 1, 4.0), minimum_valid=0.0625).valid.all()
    assert not warp_mean(raster, metres(1, 2, 2.0)).valid[0, 1]


def test_cells_beyond_the_source_are_invalid_and_those_on_its_edge_use_what_is_inside(either):
    found = warp_mean(full([[2.0, 4.0]], metres(1, 2, 2.0)), metres(1, 4, 2.0, x0=-3.0))
    assert found.valid.tolist() == [[False, True, True, True]]
    assert found.values.tolist() == [[0.0, 2.0, 3.0, 4.0]]


def test_cells_that_only_touch_a_pixel_take_nothing_from_it(either):
    size = 1 / 3
    grid = Grid(ALBERS_CHINA, (1e6, 2e6, size, -size), (1, 7))
    raster = Raster.masked([[5.0, 0, 0, 0, 0, 0, 0]], [[True] + [False] * 6], grid)
    shifted = Grid(ALBERS_CHINA, (1e6 + size, 2e6, 2 * size, -size), (1, 3))
    assert not warp_mean(raster, shifted).valid.any()


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.floats(-2, 0),
    st.floats(0, 2),
    st.floats(0.03, 4),
    st.floats(0.03, 4),
    st.sampled_from(["same", "albers", "sinusoidal"]),
)
def test_counts_are_conserved_on_any_grid_that_covers_them(seed, left, up, width, height, target):
    random = np.random.Generator(np.random.PCG64(seed))
    rows, cols = random.integers(1, 12, 2)
    source = Grid(WGS84, (110, 35, 0.25, -0.25), (rows, cols))
    raster = Raster.masked(random.random((rows, cols)) ** 4, random.random((rows, cols)) > 0.2, source)
    if target == "same":
        shape = int((3 + up) / height) + 2, int((3 - left) / width) + 2
        grid = Grid(WGS84, (110 + left, 35 + up, width, -height), shape)
    else:
        crs = ALBERS_CHINA if target == "albers" else MODIS_SINUSOIDAL
        wider = Grid(WGS84, (109.5, 35.5, 0.25, -0.25), (rows + 4, cols + 4))
        grid = cover(full(np.ones(wider.shape, int), wider), crs, 1e5 * width)
    found = warp(raster, grid, "count")
    # At most 1e4 overlaps, each rounded to 1e-16; rounding noise below 1e-12 of a cell counts as no overlap.
    assert found.values.sum() == pytest.approx(raster.values.sum(), rel=1e-11)


def test_a_density_keeps_its_total_where_the_grid_covers_it(either):
    source = Grid(WGS84, (105, 33, 0.1, -0.1), (40, 40))
    x, y = source.centres()
    raster = full(np.maximum(0, 1 - ((x[None, :] - 107) ** 2 + (y[:, None] - 31) ** 2)), source)  # 0 at the rim
    grid = cover(full(np.ones(source.shape, int), source), ALBERS_CHINA, 7000.0)
    total = (raster.values * source.cell_areas()[:, None]).sum()
    # Both projections' areas are true; straight cell sides against curved ones differ by about 1e-6.
    assert (warp_mean(raster, grid).values * 49.0).sum() == pytest.approx(total, rel=1e-5)


def test_longitudes_of_0_to_360_and_of_plus_minus_180_are_the_same_world(either):
    values = np.random.Generator(np.random.PCG64(8)).random((6, 12))
    world = full(values, Grid(WGS84, (0, 90, 30, -30), (6, 12)))
    turned = warp_mean(world, Grid(WGS84, (-180, 90, 30, -30), (6, 12)))
    np.testing.assert_allclose(turned.values, np.roll(values, 6, axis=1), rtol=1e-14)
    straddling = warp_mean(world, Grid(WGS84, (-195, 90, 30, -30), (6, 12)))
    np.testing.assert_allclose(straddling.values, (np.roll(values, 6, 1) + np.roll(values, 7, 1)) / 2, rtol=1e-14)
    assert straddling.valid.all()
    assert warp(world, straddling.grid, "count").values.sum() == pytest.approx(values.sum(), rel=1e-13)


def test_a_cell_at_the_seam_of_a_projected_source_takes_nothing_from_across_the_map(either):
    source = Grid(MODIS_SINUSOIDAL, (-2e7, 1e7, 1e6, -1e6), (20, 40))
    x, _ = source.centres()
    found = warp_mean(full(np.broadcast_to(x, source.shape).copy(), source), Grid(WGS84, (170, 10, 4, -4), (2, 5)))
    assert found.valid.tolist() == [[True, True, False, True, True]] * 2
    assert (found.values[:, :2] > 1.8e7).all() and (found.values[:, 3:] < -1.8e7).all()


def test_the_nearest_class_is_that_of_the_pixel_around_the_centre():
    codes = np.arange(12, dtype=np.uint8).reshape(3, 4)
    raster = Raster.masked(codes, codes != 5, metres(3, 4, 2.0))
    found = warp_nearest(raster, Grid(ALBERS_CHINA, (-1.0, 0.5, 3.0, -1.5), (4, 3)))
    # Centres x = 0.5, 3.5, 6.5 in columns 0, 1, 3; y = -0.25, -1.75, -3.25, -4.75 in rows 0, 0, 1, 2.
    assert found.values.tolist() == [[0, 1, 3], [0, 1, 3], [4, 0, 7], [8, 9, 11]] and found.values.dtype == np.uint8
    assert found.valid[2].tolist() == [True, False, True] and found.valid[[0, 1, 3]].all()


def test_nearest_ties_go_right_and_down_in_every_row_alike():
    size = 0.05 / 6
    codes = np.random.Generator(np.random.PCG64(9)).integers(0, 90, (60, 120))
    fine = full(codes, Grid(WGS84, (73.1, 54.2, size, -size), (60, 120)))
    found = warp_nearest(fine, Grid(WGS84, (73.1, 54.2, 0.05, -0.05), (10, 20)))
    assert np.array_equal(found.values, codes[3::6, 3::6])  # six pixels a cell: its centre is the corner of pixel 3, 3


# The working grid ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("crs, size", [(ALBERS_CHINA, 10e3), (MODIS_SINUSOIDAL, 7e3), (WGS84, 0.3)])
def test_cover_is_the_smallest_grid_of_multiples_around_every_zone_corner(crs, size):
    random = np.random.Generator(np.random.PCG64(10))
    grid = Grid(WGS84, (85, 48, 0.21, -0.17), (90, 150))
    codes = np.where(random.random(grid.shape) < 0.002, 11, 0)
    codes[40:60, 50:90] = 12
    zones = Raster.masked(codes, random.random(grid.shape) > 0.1, grid)
    row, col = np.nonzero(zones.values)
    x, y = grid.edges()
    across, down = np.concatenate([col, col + 1, col, col + 1]), np.concatenate([row, row, row + 1, row + 1])
    px, py = forward(crs, x[across], y[down])
    found = cover(zones, crs, size)
    low, high = (px.min() / size, py.min() / size), (px.max() / size, py.max() / size)
    expected = [*np.floor(low), *np.ceil(high)]
    np.testing.assert_allclose(np.divide(found.bounds, size), expected, rtol=1e-12)
    assert found.transform[2:] == (size, -size)


def test_cover_refuses_an_empty_zone_raster_and_a_cell_size_that_is_none():
    zones = full(np.zeros((2, 2), int), metres(2, 2))
    with pytest.raises(ValueError, match="no cell"):
        cover(zones, ALBERS_CHINA, 1.0)
    for size in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="cell size"):
            cover(full(np.ones((2, 2), int), metres(2, 2)), ALBERS_CHINA, size)


@pytest.mark.parametrize("side", [1, -1])
def test_cover_reaches_the_middle_of_a_long_side_that_the_projection_bends_outward(side):
    # Parallels sag: the south side of a wide block is lowest at the central meridian; in the south it is mirrored.
    crs = CRS("albers", parallels=(25 * side, 47 * side), central_meridian=105)
    block = full(np.ones((20, 60), int), Grid(WGS84, (90, 30 if side > 0 else -20, 0.5, -0.5), (20, 60)))
    found = cover(block, crs, 1000.0)
    y = float(forward(crs, 105.0, 20.0 * side)[1])
    assert found.bounds[1 if side > 0 else 3] == (np.floor if side > 0 else np.ceil)(y / 1000) * 1000
    assert forward(crs, 90.0, 20.0 * side)[1] * side > y * side + 1e5  # the corner of the block lies far inside


def test_cover_ends_on_an_edge_that_the_zones_reach_but_for_rounding():
    # 3 x 0.1 lies a rounding above 0.3, and 0.7 / 0.1 a rounding below 7.
    for x0 in (0.0, 0.7):
        zones = full(np.ones((3, 3), int), Grid(ALBERS_CHINA, (x0, 0.3, 0.1, -0.1), (3, 3)))
        assert cover(zones, ALBERS_CHINA, 0.1).shape == (3, 3)


def test_the_share_inside_is_the_area_of_the_centres_that_fall_on_valid_cells():
    grid = Grid(WGS84, (100, 45, 0.5, -0.5), (40, 30))
    codes = np.random.Generator(np.random.PCG64(11)).choice([0, 11, 12, 15], grid.shape).astype(np.uint8)
    zones = Raster.masked(codes, np.random.Generator(np.random.PCG64(12)).random(grid.shape) > 0.1, grid)
    target = Grid(ALBERS_CHINA, (-2e5, 4.6e6, 5e4, -6e4), (20, 15))
    valid = np.random.Generator(np.random.PCG64(13)).random(target.shape) > 0.4
    (x, y), areas, inside, whole = grid.centres(), grid.cell_areas(), {}, {}
    for row, col in zip(*np.nonzero(zones.values)):
        code = int(zones.values[row, col])
        px, py = forward(ALBERS_CHINA, x[col], y[row])
        r, c = int((4.6e6 - py) // 6e4), int((px + 2e5) // 5e4)
        held = 0 <= r < 20 and 0 <= c < 15 and valid[r, c]
        whole[code] = whole.get(code, 0) + areas[row]
        inside[code] = inside.get(code, 0) + held * areas[row]
    found = coverage(zones, target, valid).known
    assert sorted(found) == sorted(whole) == [11, 12, 15]
    for code in whole:
        assert found[code] == pytest.approx(inside[code] / whole[code], rel=1e-13)
        assert 0.05 < found[code] < 0.95
    assert set(coverage(zones, cover(zones, ALBERS_CHINA, 3e4)).inside.values()) == {1.0}
    with pytest.raises(ValueError, match="expected the grid's"):
        coverage(zones, target, valid.T)
    with pytest.raises(ValueError, match="integer codes"):
        coverage(full(np.ones(grid.shape), grid), target)


def test_clipping_keeps_the_coarse_cells_of_which_any_quarter_is_in_a_zone():
    fine = np.zeros((4, 6), np.uint8)
    fine[1, 0] = 11  # lower left quarter of the first cell: its centre lies in no zone
    fine[2:, 4:] = 12
    zones = Raster(fine, np.ones((4, 6), bool), metres(4, 6))
    assert touching(zones).tolist() == [[True, False, False], [False, False, True]]
