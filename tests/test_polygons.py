"""Cells under polygons: coverage by hand and by exact clipping, and labels by both rules."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refimpl.earth.grid import Grid, Raster
from refimpl.earth.polygon_sums import polygon_sums
from refimpl.earth.polygons import edges_on
from refimpl.earth.projection import ALBERS_CHINA
from refimpl.earth.zone_labels import label_cells, zone_labels
from refimpl.errors import DataWarning, InputError
from refimpl.twins import backend
from refimpl.windows.zonal_statistics import zonal_statistics
from tests.polygon_shapes import METRE, box, partition, zones_of

BOTH = pytest.mark.parametrize("which", ["numpy", "numba"])


def shares(polygons, grid=METRE):
    """(zones, rows, cols): the coverage of each cell, from totals of a raster that is 1 in one cell."""
    edges, found = edges_on(polygons, grid), np.zeros((polygons.zones.size, *grid.shape))
    for row, col in np.ndindex(grid.shape):
        one = np.zeros(grid.shape)
        one[row, col] = 1
        found[:, row, col] = polygon_sums(one, one > 0, np.ones(grid.shape[0]), edges, 0, True)[1][0]
    return found


@BOTH
@pytest.mark.parametrize("turn", [1, -1])
def test_coverage_by_hand(which, turn):
    with backend(which):
        square = shares(zones_of((7, True, box(0.5, 1.25, 2, 3)[::turn])))[0]
        assert square.tolist() == [[0] * 5, [0.5, 1, 0, 0, 0], [0.375, 0.75, 0, 0, 0], [0] * 5]
        triangle = shares(zones_of((7, True, [(1, 1), (3, 1), (3, 3)][::turn])))[0]  # vertices on corners of cells
        assert triangle.tolist() == [[0] * 5, [0, 0, 0.5, 0, 0], [0, 0.5, 1, 0, 0], [0] * 5]
        ring = shares(zones_of((7, True, box(1, 0, 4, 3)[::turn]), (7, False, box(2, 1, 3, 2))))[0]
        assert ring.tolist() == [[0] * 5, [0, 1, 1, 1, 0], [0, 1, 0, 1, 0], [0, 1, 1, 1, 0]]
        islands = shares(zones_of((7, True, box(0.25, 3.25, 0.5, 3.5)), (7, True, box(0.75, 3.5, 1.25, 4)[::turn])))[0]
        assert islands[0].tolist() == [0.0625 + 0.125, 0.125, 0, 0, 0] and not islands[1:].any()


@BOTH
def test_a_sliver_covers_what_it_covers(which):
    with backend(which):
        thin = shares(zones_of((7, True, [(0.5, 0), (0.5 + 2**-20, 0), (0.5, 4)])))[0]
    # It is 2^-20 (4 - y) / 4 wide at y; in each row, from above, that comes to 1, 3, 5 and 7 times 2^-23.
    # Its sides are parted by what is left of 0.5 when 0.5 is taken from it: 16 digits less 6.
    np.testing.assert_allclose(thin[:, 0], [2**-23 * k for k in (1, 3, 5, 7)], rtol=1e-9)


@BOTH
def test_what_lies_outside_of_the_raster_does_not_count(which):
    with backend(which):
        assert shares(zones_of((7, True, box(-3, -2, 0.5, 9))))[0].tolist() == [[0.5, 0, 0, 0, 0]] * 4
        assert shares(zones_of((7, True, box(4.5, 2, 99, 9))))[0, :, 4].tolist() == [0.5, 0.5, 0, 0]
        assert shares(zones_of((7, True, box(-9, -9, 99, 99))))[0].tolist() == [[1] * 5] * 4
        around = zones_of((7, True, box(-9, -9, 99, 99)), (7, False, box(-8, -8, 98, 98)))
        assert not shares(around).any()
        for away in (box(-5, 1, -1, 2), box(6, 1, 8, 2), box(1, 5, 2, 6), box(1, -3, 2, -1), box(5, 0, 6, 4)):
            assert not shares(zones_of((7, True, away))).any()
            found = zonal_statistics(Raster(np.ones((4, 5)), np.ones((4, 5), bool), METRE), zones_of((7, True, away)))
            assert found.codes.size == found.total.size == 0


def clipped(vertices, axis, limit, side):
    """Sutherland and Hodgman on exact fractions; the signed area of what it leaves is right for any polygon."""
    kept = []
    for one, other in zip(vertices, vertices[1:] + vertices[:1]):
        inside, after = (side * (point[axis] - limit) <= 0 for point in (one, other))
        if inside:
            kept.append(one)
        if inside != after:
            share = (limit - one[axis]) / (other[axis] - one[axis])
            kept.append(tuple(a + share * (b - a) for a, b in zip(one, other)))
    return kept


def exact_share(vertices, row, col):
    """The area of a ring of fractions, (u, v), in one cell."""
    for axis, limit, side in ((0, col + 1, 1), (0, col, -1), (1, row + 1, 1), (1, row, -1)):
        vertices = clipped(vertices, axis, limit, side)
    pairs = zip(vertices, vertices[1:] + vertices[:1])
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs)) / 2


def star(rng, corners, snapped):
    """A ring round (2.5, 2) whose angles grow, so that it does not cross itself; ``snapped`` puts it on quarters."""
    angle = (np.arange(corners) + rng.random(corners)) * 2 * np.pi / corners
    radius = rng.uniform(0.2, 4, corners)
    ring = np.stack([2.5 + radius * np.cos(angle), 2 + radius * np.sin(angle)], axis=1)
    return np.round(ring * 4) / 4 if snapped else ring


seeds = st.integers(0, 2**32 - 1).map(np.random.default_rng)


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(3, 12), st.sampled_from(["numpy", "numba"]))
def test_coverage_is_that_of_exact_clipping(rng, corners, which):
    ring = star(rng, corners, False)
    with backend(which):
        found = shares(zones_of((7, True, ring.tolist())))[0]
    exact = [(Fraction(x), 4 - Fraction(y)) for x, y in ring.tolist()]
    expected = [[float(exact_share(exact, row, col)) for col in range(5)] for row in range(4)]
    # A crossing is found to some ulps of the coordinates, 1e-15; pixel coordinates round once more.
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(3, 12), st.booleans(), st.booleans())
def test_both_backends_give_the_same_labels_and_sums(rng, corners, snapped, by_area):
    rings = [(code, True, star(rng, corners, snapped).tolist()) for code in (3, 9, 3)]
    edges = edges_on(zones_of(*rings), METRE)
    (one, astray), (two, also) = (call(edges, 0, 4, 5, by_area) for call in (label_cells.reference, label_cells.kernel))
    assert one.tolist() == two.tolist() and astray.tolist() == also.tolist()
    values, valid = rng.random((4, 5)), rng.random((4, 5)) > 0.2
    for ours, theirs in zip(*(
        call(values, valid, 1 + np.arange(4.0), edges, 0, by_area)
        for call in (polygon_sums.reference, polygon_sums.kernel)
    )):  # fmt: skip
        np.testing.assert_allclose(ours, theirs, rtol=1e-13, atol=1e-13)  # two ways to integrate


@settings(max_examples=40, deadline=None)
@given(seeds, st.sampled_from(["numpy", "numba"]))
def test_zones_that_fill_the_plane_share_out_every_cell_and_each_centre_once(rng, which):
    polygons = partition(rng)
    with backend(which):
        every = shares(polygons).sum(0)
        labels = zone_labels(polygons, METRE, "centre").values
        counts = zonal_statistics(Raster(np.ones((4, 5)), np.ones((4, 5), bool), METRE), polygons, rule="centre").count
    np.testing.assert_allclose(every, 1, rtol=0, atol=4e-15)  # some ten parts of a cell, each rounded
    assert (labels > 0).all() and counts.sum() == 20


def test_the_totals_of_a_partition_add_up_to_that_of_the_raster():
    rng = np.random.default_rng(3)
    grid = Grid(ALBERS_CHINA, (0, 4, 0.01, -0.01), (400, 500))
    density = Raster(10.0 ** rng.uniform(-3, 3, grid.shape), np.ones(grid.shape, bool), grid)
    found = zonal_statistics(density, partition(rng, 5))
    whole = density.values.sum() * grid.cell_areas()[0]
    assert found.total.sum() == pytest.approx(whole, rel=1e-12)
    assert found.area_km2.sum() == pytest.approx(20e-6, rel=1e-12)
    by_centre = zonal_statistics(density, partition(rng, 5), rule="centre")
    assert by_centre.count.sum() == 200_000 and by_centre.total.sum() == pytest.approx(whole, rel=1e-12)


@BOTH
def test_a_centre_on_a_shared_border_belongs_to_one_zone(which):
    halves = zones_of((1, True, box(0, 0, 2.5, 4)), (2, True, box(2.5, 0, 5, 4)))
    layers = zones_of((1, True, box(0, 2.5, 5, 4)), (2, True, box(0, 0, 5, 2.5)))
    diagonal = zones_of((1, True, [(0, 4), (0, 0), (4, 0)]), (2, True, [(0, 4), (4, 0), (4, 4)]))
    with backend(which):
        assert zone_labels(halves, METRE, "centre").values.tolist() == [[1, 1, 2, 2, 2]] * 4  # the zone on the right
        assert zone_labels(layers, METRE, "centre").values[:, 0].tolist() == [1, 2, 2, 2]  # the zone below
        found = zone_labels(diagonal, METRE, "centre").values
    assert found.tolist() == [[2, 2, 2, 2, 0], [1, 2, 2, 2, 0], [1, 1, 2, 2, 0], [1, 1, 1, 2, 0]]


@BOTH
def test_by_area_a_cell_takes_the_largest_zone_where_land_is_at_least_half_of_it(which):
    coast = zones_of((3, True, box(0, 0, 2.5, 4)), (5, True, box(2.5, 0, 2.8, 4)), (9, True, box(3.51, 0, 4.4, 4)))
    with backend(which):
        found = zone_labels(coast, METRE, "area")
    # 2: 0.5 and 0.3 of land; 3: 0.49, mostly sea; 4: 0.4
    assert found.values.tolist() == [[3, 3, 3, 0, 0]] * 4 and found.values.dtype == np.uint8
    assert (found.valid == (found.values > 0)).all()
    tie = zones_of((8, True, box(0, 0, 0.25, 4)), (6, True, box(0.25, 0, 0.5, 4)))
    with backend(which):
        assert zone_labels(tie, METRE, "area").values[:, 0].tolist() == [6] * 4  # exactly half; the smaller code
    assert zone_labels(zones_of((10**6, True, box(0, 0, 5, 4))), METRE).values.dtype == np.int32
    with pytest.raises(InputError, match="unknown rule 'half'"):
        zone_labels(tie, METRE, "half")


@BOTH
def test_polygons_of_one_zone_that_overlap_count_once_and_are_told(which):
    twice = zones_of((3, True, box(0, 0, 2, 4)), (3, True, box(1, 0, 3, 4)))
    ones = Raster(np.ones((4, 5)), np.ones((4, 5), bool), METRE)
    with backend(which), pytest.warns(DataWarning, match="polygons of zone 3 overlap or cross themselves"):
        assert zonal_statistics(ones, twice).total[0] == pytest.approx(12e-6, rel=1e-15)
    with backend(which), pytest.warns(DataWarning, match="zone 3"):
        assert zone_labels(twice, METRE, "centre").values.tolist() == [[3, 3, 3, 0, 0]] * 4
    bow_tie = zones_of((4, True, [(0, 0), (4, 4), (4, 0), (0, 2)]))
    with backend(which), pytest.warns(DataWarning, match="zone 4"):
        zonal_statistics(ones, bow_tie)
