"""Figures of maps larger than memory: the same pictures from files and by any windows, each cell read once."""

from __future__ import annotations

from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA
from refimpl.figures import area_mean, comparison_figure, map_figure, pick_window
from refimpl.figures import inventory_figures as inventories
from refimpl.figures.cells import counted
from refimpl.figures.display import sample, sample_zones
from refimpl.figures.inventory_figures import Clipped, Difference, difference_limits, pairs
from refimpl.figures.zoom import greatest_square
from refimpl.formats.writing import write_raster
from refimpl.windows.stored import Stored
from refimpl.windows.walks import tiles_of, windows
from tests.memory import KNOWN, peak_of_program

TOP = 4e6


def albers(values, valid=None, cell=1.0) -> Raster:
    values = np.asarray(values)
    valid = np.ones(values.shape, bool) if valid is None else valid
    return Raster.masked(values, valid, Grid(ALBERS_CHINA, (0.0, TOP, cell, -cell), values.shape), "t CO2/km2/yr")


def random_raster(seed: int, shape: tuple[int, int], dtype=float, cell=1.0) -> Raster:
    rng = np.random.default_rng(seed)
    return albers((rng.lognormal(0, 3, shape)).astype(dtype), rng.random(shape) < 0.8, cell)


class Watched:
    """A source that remembers which windows were asked for."""

    def __init__(self, raster: Raster):
        self.raster, self.grid, self.units, self.dtype = raster, raster.grid, raster.units, raster.dtype
        self.times = np.zeros(raster.grid.shape, int)

    def part(self, window):
        self.times[window[0] : window[1], window[2] : window[3]] += 1
        return self.raster.part(window)


@pytest.fixture
def in_tiles(monkeypatch):
    """Let every walk go by small tiles of the given size."""
    def walk(rows, cols):
        monkeypatch.setattr(area_mean, "windows", lambda shape: tiles_of(shape, (rows, cols)))
        monkeypatch.setattr(inventories, "windows", lambda shape, _: tiles_of(shape, (rows, cols)))

    return walk


def spans_of(size: int, count: int, start: float, end: float):
    edges = np.linspace(start * size, end * size, count + 1)
    return np.stack([edges[:-1], edges[1:]], axis=1)


# Samples


@pytest.mark.parametrize("tile", [(512, 512), (3, 2), (1, 50)])
@pytest.mark.parametrize(("count", "reach"), [((3, 4), (0.0, 1.0)), ((5, 7), (0.13, 0.71)), ((4, 5), (-0.3, 1.2))])
def test_mean_of_a_pixel_equals_exact_fractions(in_tiles, tile, count, reach):
    raster = random_raster(1, (17, 23))
    rows, cols = (spans_of(size, n, *reach) for size, n in zip(raster.grid.shape, count))
    in_tiles(*tile)
    values, valid = area_mean.area_mean(raster, rows, cols)
    for r, row in enumerate(rows):
        for c, col in enumerate(cols):
            mean, share = exact_mean(raster, row, col)
            assert valid[r, c] == (share >= Fraction(1, 2))
            # A pixel is the difference of two running sums of 23 columns, whose largest cell is 10^4 times the median.
            assert values[r, c] == (pytest.approx(float(mean), rel=1e-11) if valid[r, c] else 0)


def exact_mean(raster, row, col):
    """Mean over the valid part of a pixel and that part's share, as fractions."""
    def overlap(cell, span):
        return max(Fraction(0), min(Fraction(cell + 1), Fraction(span[1])) - max(Fraction(cell), Fraction(span[0])))

    total = area = Fraction(0)
    for r, c in zip(*np.nonzero(raster.valid)):
        part = overlap(int(r), row) * overlap(int(c), col)
        total, area = total + part * Fraction(float(raster.values[r, c])), area + part
    whole = (Fraction(row[1]) - Fraction(row[0])) * (Fraction(col[1]) - Fraction(col[0]))
    return (total / area if area else 0), area / whole


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(1, 40), st.integers(1, 40)), st.tuples(st.integers(1, 60), st.integers(1, 60)),
    st.tuples(st.integers(1, 12), st.integers(1, 12)), st.sampled_from([float, np.float32, np.int16, np.uint8]),
    st.tuples(st.floats(-0.2, 0.4), st.floats(0.6, 1.3)), st.integers(0, 9),
)  # fmt: skip
def test_samples_have_the_same_bits_by_whatever_windows_the_raster_is_read(shape, pixels, tile, dtype, reach, seed):
    # Pixels smaller and larger than cells, and than windows; reaching beyond the raster.
    raster, (height, width) = random_raster(seed, shape, dtype), shape
    bounds = (reach[0] * width, TOP - reach[1] * height, reach[1] * width, TOP - reach[0] * height)
    zones = np.random.default_rng(seed).integers(0, 5, shape)
    shapes = [pixels, (2 * pixels[0], 2 * pixels[1])]
    whole, codes = sample(raster, bounds, pixels), sample_zones(zones, raster.grid, bounds, shapes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(area_mean, "windows", lambda shape: tiles_of(shape, tile))
        parts, others = sample(raster, bounds, pixels), sample_zones(albers(zones), raster.grid, bounds, shapes)
    assert all(one.tobytes() == other.tobytes() for one, other in zip(whole, parts, strict=True))
    assert all(np.array_equal(one, other) for one, other in zip(codes, others, strict=True))


def test_zone_of_a_pixel_is_that_under_its_centre_and_0_off_the_grid():
    zones = np.array([[11, 12], [21, 22]])
    (one, two) = sample_zones(zones, albers(zones).grid, (-1, TOP - 2, 2, TOP + 1), [(3, 3), (1, 1)])
    assert one.tolist() == [[0, 0, 0], [0, 11, 12], [0, 21, 22]]
    assert two.tolist() == [[11]]  # the centre of the window, (0.5, TOP - 0.5)


def test_a_map_reads_every_cell_once_and_a_zoomed_window_no_other(in_tiles, tmp_path):
    in_tiles(16, 16)
    source, zones = Watched(random_raster(0, (50, 70))), Watched(albers(np.ones((50, 70), np.int16)))
    sample(source, source.grid.bounds, (20, 28))
    assert (source.times == 1).all()
    source.times[:] = 0
    map_figure(source, "Once", tmp_path / "m.png", zones=zones)
    assert (source.times == 1).all() and (zones.times == 1).all()
    source.times[:] = 0
    comparison_figure([source], ["a"], tmp_path / "c.png", (10.0, TOP - 40, 30.0, TOP - 30))
    assert (source.times[30:40, 10:30] == 1).all() and source.times.sum() == 200
    source.times[:] = 0
    sample(source, (10.0, TOP - 40, 30.0, TOP - 30), (5, 8))
    assert (source.times[30:40, 10:30] == 1).all() and source.times.sum() == 200


# Pictures


def test_pictures_are_the_same_from_files_and_from_memory(tmp_path):
    fine, coarse = random_raster(3, (700, 900), cell=500.0), random_raster(4, (350, 450), cell=1000.0)
    zones = np.add.outer(np.arange(700) // 233, np.arange(900) // 300 * 10).astype(np.int16)
    large = albers(zones, cell=500.0), albers(zones[::2, ::2], cell=1000.0)
    for name, raster in zip("fczd", (fine, coarse, *large)):
        write_raster(tmp_path / f"{name}.tif", raster)
    files = {name: Stored(tmp_path / f"{name}.tif") for name in "fczd"}
    window = pick_window(fine, 40_000.0)
    assert pick_window(files["f"], 40_000.0) == window
    drawn = []
    for one, other, by, half in ((fine, coarse, zones, zones[::2, ::2]), tuple(files[name] for name in "fczd")):
        map_figure(one, "Map", tmp_path / "m.png", zones=by)
        comparison_figure([other, one], ["1 km", "500 m"], tmp_path / "c.png", window, zones=[half, by])
        drawn.append([(tmp_path / name).read_bytes() for name in ("m.png", "c.png")])
    assert drawn[0] == drawn[1]


def test_zones_in_a_file_of_another_shape_are_refused(tmp_path):
    with pytest.raises(ValueError, match="zones"):
        map_figure(random_raster(0, (4, 4)), "Zones", tmp_path / "m.png", zones=albers(np.ones((3, 4))))


# The window worth a closer look


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(1, 14), st.integers(1, 14)), st.tuples(st.integers(1, 14), st.integers(1, 14)),
    st.integers(1, 9), st.integers(1, 9), st.integers(0, 99),
)  # fmt: skip
def test_square_is_the_first_of_those_with_the_greatest_sum(shape, square, tile, most, seed):
    # Whole numbers from a few, so that ties are many.
    values = np.random.default_rng(seed).integers(-1, most, shape)
    square = tuple(min(one, other) for one, other in zip(square, shape))
    sums = {
        (row, col): sum(max(0, int(value)) for value in values[row : row + square[0], col : col + square[1]].ravel())
        for row in range(shape[0] - square[0] + 1) for col in range(shape[1] - square[1] + 1)
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(area_mean, "windows", lambda shape: tiles_of(shape, (tile, tile)))
        found = greatest_square(albers(values), square, 9.0)
    assert found == min(place for place in sums if sums[place] == max(sums.values()))


@pytest.mark.parametrize("seed", range(8))
def test_of_equal_cities_the_northernmost_then_the_westernmost_is_picked(seed):
    rng = np.random.default_rng(seed)
    city = rng.lognormal(3, 2, (9, 9))
    values = rng.random((120, 130)) * 1e-3
    values[28:43, 45:60] = values[28:43, 95:110] = values[88:103, 5:20] = 0
    for row, col in ((31, 48), (31, 98), (91, 8)):
        values[row : row + 9, col : col + 9] = city
    # Sums of floats from the map's corner would round differently at each city.
    assert greatest_square(albers(values), (9, 9), values.max()) == (31, 48)
    values[31, 48:57] = city[0, ::-1]  # the same numbers in another order
    assert greatest_square(albers(values), (9, 9), values.max()) == (31, 48)


@pytest.mark.parametrize("factor", [1e-300, 1.0, 1e300])
def test_window_is_the_same_whatever_the_unit_and_with_any_bound_of_the_values(factor):
    values = np.random.default_rng(5).lognormal(0, 2, (40, 50))
    found = pick_window(albers(values), 6)
    raster = albers(values * factor)
    assert pick_window(raster, 6) == found
    assert pick_window(raster, 6, most=1.5e4 * factor) == found


def test_a_known_bound_saves_a_walk():
    source = Watched(random_raster(2, (40, 30)))
    pick_window(source, 4, most=1e9)
    assert source.times.min() == 1 and source.times.sum() == 40 * 30 + 16  # the square itself again, for its centre
    source.times[:] = 0
    pick_window(source, 4)
    assert source.times.sum() == 2 * 40 * 30 + 16


# Inventories


def test_inventories_are_compared_alike_by_small_windows(in_tiles):
    ours, theirs = random_raster(6, (40, 50)), random_raster(7, (40, 50))
    zones = albers(np.random.default_rng(8).integers(0, 3, (40, 50)))
    other = Clipped(theirs, zones)
    both = ours.valid & theirs.valid & (zones.values > 0)
    found = []
    for tile in ((40, 50), (3, 7)):
        in_tiles(*tile)
        blocks = list(pairs(other, ours))
        found.append((difference_limits([Difference(ours, other)]), counted(partial(list, blocks))))
    (limits, whole), (again, parts) = found
    sizes = np.abs(ours.values - theirs.values)[both]
    high = float(f"{np.quantile(sizes[sizes > 0], 0.98):.2g}")
    assert limits == again == (-high, high)
    assert np.array_equal(whole.counts, parts.counts) and whole.reach == parts.reach
    assert whole.cells == parts.cells == both.sum() and whole.zero == parts.zero == 0


# Memory


@pytest.mark.skipif(not KNOWN, reason="the system does not tell")
def test_memory_does_not_grow_with_the_height_of_the_map(tmp_path):
    program = f"""
import sys
import numpy as np
from refimpl.figures import comparison_figure, map_figure, pick_window
from refimpl.figures.cells import counted
from refimpl.figures.inventory_figures import Clipped, Difference, difference_limits, pairs
from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA
from refimpl.windows.stored import Stored
from refimpl.formats.writing import write_parts
folder = {str(tmp_path)!r}
grid = Grid(ALBERS_CHINA, (0.0, 4e6, 500.0, -500.0), (int(sys.argv[1]), 5000))
def part(window):
    here = grid.part(window)
    return Raster(np.full(here.shape, 1 + window[0] % 7, np.float32), np.ones(here.shape, bool), here)
write_parts(folder + "/a.tif", grid, "float32", part)
fine, other, zones = (Stored(folder + "/a.tif") for _ in range(3))
map_figure(fine, "Map", folder + "/m.png", zones=zones)
comparison_figure([fine, fine], ["a", "b"], folder + "/c.png", pick_window(fine, 50_000.0), zones=[zones, zones])
difference_limits([Difference(fine, Clipped(other, zones))])
counted(lambda: pairs(other, fine))
"""
    low, high = (peak_of_program(program, rows) for rows in ("8000", "16000"))
    # MiB; the values of the higher one alone are 153 more, and its mask 38.
    assert high < low + 60 and high < 550


def test_the_windows_of_a_walk_cover_the_part_asked_for_once():
    times = np.zeros((1300, 5000), int)
    for top, bottom, left, right in area_mean.windows_in(times.shape, (100, 1250, 700, 4800)):
        times[top:bottom, left:right] += 1
    assert (times[100:1250, 700:4800] == 1).all() and times.sum() == 1150 * 4100
    assert area_mean.windows_in(times.shape, (0, 1300, 0, 5000)) == windows(times.shape)
