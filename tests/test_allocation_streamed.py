"""Eq. 3 by windows: the same bits as for a whole map, exact sums, and the same by anybody's hands."""

import json
import math
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import refimpl.windows.allocated_map
from refimpl.cli import main
from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA, WGS84
from refimpl.errors import DataWarning, InputError
from refimpl.formats.geotiff import read_raster
from refimpl.formats.writing import write_parts, write_raster
from refimpl.twins import backend
from refimpl.windows.allocated_map import Allocated, PerKm2, allocate, per_km2
from refimpl.windows.stored import Stored
from refimpl.windows.walks import tiles_of
from tests.memory import KNOWN, peak_of_program
from tests.test_allocation import WEIGHTS

maps = st.integers(0, 2**32 - 1).map(np.random.default_rng)


class Lazily:
    """A raster that is read window by window only, and never all of it at once."""

    def __init__(self, raster):
        self.raster, self.grid, self.units, self.dtype = raster, raster.grid, raster.units, raster.dtype

    def part(self, window):
        return self.raster.part(window)


def a_map(rng, kind, shape, length=7, holes=0.1):
    """Weights of that kind, and zones 0 to 4 in short runs, on a geographic grid: areas differ by row."""
    grid = Grid(WGS84, (100.0, 50.0, 0.1, -0.1), shape)
    values = WEIGHTS[kind](rng, shape[0] * shape[1]).reshape(shape)
    zones = np.repeat(rng.integers(0, 5, shape), length, axis=1)[:, : shape[1]]
    return Raster.masked(values, rng.random(shape) >= holes, grid, "1"), zones


def whole(source):
    return source.part((0, source.grid.shape[0], 0, source.grid.shape[1]))


def by_windows(monkeypatch, tile):
    monkeypatch.setattr(refimpl.windows.allocated_map, "windows", lambda shape: tiles_of(shape, tile))


def same(one, other):
    """Two allocations agree to the bit."""
    emissions = [whole(each.emission) for each in (one, other)]
    assert emissions[0].values.tobytes() == emissions[1].values.tobytes()
    assert np.array_equal(emissions[0].valid, emissions[1].valid)
    for name in ("codes", "total", "cell_sum", "cells"):
        assert np.array_equal(getattr(one.balance, name), getattr(other.balance, name)), name


@pytest.mark.filterwarnings("ignore::refimpl.errors.DataWarning")
@settings(max_examples=80, deadline=None)
@given(
    maps, st.sampled_from(sorted(WEIGHTS)), st.integers(1, 12), st.integers(1, 90), st.integers(1, 13),
    st.integers(1, 100), st.sampled_from([0.1, 0.0, 1 / 3, 123456.789, 2.0**53 - 1, 1e-30, 1e200]),
)  # fmt: skip
def test_any_windows_give_the_bits_of_the_whole_map_and_the_kernel_those_of_the_reference(
    rng, kind, rows, cols, high, wide, total
):
    weights, zones = a_map(rng, kind, (rows, cols), int(rng.integers(1, 60)))
    totals = {1: total, 3: 7 * total, 4: 0.3, 9: 5.0}
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        by_windows(patch, (high, wide))
        for name in ("numpy", "numba"):
            with backend(name):
                found[name] = allocate(weights, zones, totals), allocate(Lazily(weights), zones, totals)
                same(*found[name])
                parts = np.zeros(weights.grid.shape)
                for top, bottom, left, right in tiles_of(parts.shape, (wide, high)):  # other windows than the sums'
                    part = found[name][1].emission.part((top, bottom, left, right))
                    parts[top:bottom, left:right] = part.values
                assert np.array_equal(parts, whole(found[name][1].emission).values)
    same(found["numpy"][0], found["numba"][0])
    for code, cell_sum in zip(found["numba"][0].balance.codes.tolist(), found["numba"][0].balance.cell_sum.tolist()):
        cells = parts[weights.valid & (zones == code)]
        assert cell_sum == totals[code] == float(sum(map(Fraction, cells.tolist()), Fraction(0)))


@pytest.mark.parametrize("kind", ["lognormal", "six hundred orders of magnitude", "huge", "denormal"])
def test_a_cell_is_four_products_of_correctly_rounded_numbers(monkeypatch, kind):
    weights, zones = a_map(np.random.default_rng(3), kind, (40, 50))
    by_windows(monkeypatch, (16, 16))
    totals = {code: 1e5 / code for code in (1, 2, 3, 4)}
    emission = whole(allocate(Lazily(weights), zones, totals).emission).values
    areas = weights.grid.cell_areas()[:, None] * np.ones((1, 50))
    for code, total in totals.items():
        inside = weights.valid & (zones == code)
        density = weights.values[inside] * areas[inside]
        # In exact fractions: the scale that brings the largest to [1, 2), as far as a double can, and the sum.
        scale = Fraction(2) ** min(1 - math.frexp(density.max())[1], 1023)
        factor = total / float(sum(map(Fraction, density.tolist())) * scale)
        expected = np.array([float(Fraction(each) * scale) for each in density.tolist()]) * factor
        assert (emission[inside] != expected).sum() <= 4  # those that take the rest
        np.testing.assert_allclose(emission[inside], expected, rtol=1e-10, atol=1e-300)


@pytest.mark.parametrize("threads", ["1", "2", "4"])
def test_any_number_of_threads_gives_the_same_bytes(monkeypatch, threads):
    weights, zones = a_map(np.random.default_rng(5), "lognormal", (900, 1300), 60)
    by_windows(monkeypatch, (512, 700))
    totals = {1: 0.1, 2: 7.3, 3: 1e5 / 3, 4: 9.9}
    monkeypatch.setenv("REFIMPL_THREADS", "3")
    expected = allocate(weights, zones, totals)
    monkeypatch.setenv("REFIMPL_THREADS", threads)
    same(expected, allocate(Lazily(weights), zones, totals))


PROCESSES = partial(ProcessPoolExecutor, mp_context=multiprocessing.get_context("spawn"))


@pytest.mark.parametrize("pool", [ThreadPoolExecutor, PROCESSES], ids=["threads", "processes"])
def test_an_executor_gives_the_same_bytes_from_files(tmp_path, pool):
    weights, zones = a_map(np.random.default_rng(6), "lognormal", (600, 700), 60)
    write_raster(tmp_path / "weights.tif", weights)
    write_raster(tmp_path / "zones.tif", Raster(zones.astype(np.uint8), np.ones(zones.shape, bool), weights.grid))
    totals = {1: 0.1, 2: 7.3, 3: 1e5 / 3, 4: 9.9}
    with pytest.MonkeyPatch.context() as patch, pool(2) as executor:
        by_windows(patch, (512, 512))
        found = allocate(Stored(tmp_path / "weights.tif"), Stored(tmp_path / "zones.tif"), totals, executor)
    same(allocate(weights, zones, totals), found)
    assert pickle.loads(pickle.dumps(found.emission)).part((500, 510, 0, 9)).values.any()


def test_of_equal_largest_cells_in_several_windows_the_first_takes_the_rest(monkeypatch):
    rng, given = np.random.default_rng(10), 0
    grid = Grid(ALBERS_CHINA, (0.0, 0.0, 500.0, -500.0), (30, 40))
    values = rng.random(grid.shape)
    values[7, 33] = values[7, 35] = values[12, 2] = values[29, 39] = 3.0  # 12, 2 lies in a window further left
    by_windows(monkeypatch, (16, 10))
    sum_of_weights = math.fsum(values.ravel().tolist())
    for total in rng.lognormal(5, 5, 20):
        found = allocate(Lazily(Raster(values, values > 0, grid)), np.ones(grid.shape, int), {1: total})
        emission = whole(found.emission).values
        changed = np.argwhere(emission != values * (total / sum_of_weights)).tolist()
        assert changed in ([], [[7, 33]])
        given += len(changed)
    assert given


def test_where_all_weights_are_zero_cells_share_by_area_in_every_window(monkeypatch):
    grid = Grid(WGS84, (100.0, 2.0, 1.0, -1.0), (4, 6))
    zones = np.array([[1, 1, 1, 2, 2, 2]] * 4)
    values = np.where(zones == 2, 1.0, 0.0)
    by_windows(monkeypatch, (1, 2))
    with pytest.warns(DataWarning, match=r"province 1: all weights are 0; its total is spread evenly \(D21\)"):
        found = allocate(Lazily(Raster(values, np.ones((4, 6), bool), grid)), zones, {1: 1.0, 2: 1.0})
    emission, areas = whole(found.emission).values, grid.cell_areas()
    np.testing.assert_allclose(emission, (areas / (3 * areas.sum()))[:, None] * np.ones((1, 6)), rtol=1e-14)
    assert found.balance.cell_sum.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("name", ["numpy", "numba"])
@pytest.mark.parametrize("wrong, area", [(-1.0, 1.0), (-5e-324, 1.0), (math.inf, 1.0), (math.nan, 1.0), (1.7e308, 500)])
def test_a_wrong_weight_is_told_with_its_place_on_the_map(monkeypatch, name, wrong, area):
    grid = Grid(ALBERS_CHINA, (0.0, 0.0, 1000.0 * area, -1000.0), (40, 90))
    values = np.ones(grid.shape)
    values[33, 77] = wrong
    by_windows(monkeypatch, (16, 40))
    source = Lazily(Raster(values, np.ones(grid.shape, bool), grid))
    with backend(name), pytest.raises(InputError, match="the weights: a weight of .* at row 33, column 77; Eq. 3"):
        allocate(source, np.zeros(grid.shape, int), {1: 1.0})


def test_a_total_that_could_overflow_is_refused():
    weights, zones = a_map(np.random.default_rng(1), "equal", (3, 4))
    with pytest.raises(InputError, match=r"the total of province 1 is 1e\+300; expected 10\^4 t, at most 1e\+270"):
        allocate(Lazily(weights), zones, {1: 1e300})


def test_zones_of_another_shape_are_a_fault_of_the_caller():
    weights, zones = a_map(np.random.default_rng(1), "equal", (3, 4))
    with pytest.raises(ValueError, match=r"zones \(3, 3\) and weights \(3, 4\)"):
        allocate(Lazily(weights), zones[:, :3], {1: 1.0})


def test_a_lazy_density_is_emission_over_area_row_by_row():
    grid = Grid(WGS84, (100.0, 60.0, 1.0, -1.0), (3, 2))
    emission = Raster(np.arange(6.0).reshape(3, 2), np.ones((3, 2), bool), grid, "10^4 t CO2 per cell per year")
    lazy, plain = per_km2(Lazily(emission)), per_km2(emission)
    assert isinstance(lazy, PerKm2) and isinstance(plain, Raster) and lazy.units == plain.units == "t CO2 / km2 / year"
    assert lazy.part((1, 3, 1, 2)).values.tolist() == plain.values[1:, 1:].tolist()
    assert plain.values[2, 1] == 5.0 * 1e4 / grid.cell_areas()[2]


def test_emission_of_a_source_is_computed_where_it_is_asked_for():
    weights, zones = a_map(np.random.default_rng(1), "lognormal", (30, 40))
    found = allocate(Lazily(weights), zones, {1: 3.0, 2: 4.0, 3: 5.0, 4: 6.0}).emission
    assert isinstance(found, Allocated) and found.units == "10^4 t CO2 per cell per year"
    assert found.dtype == float and found.grid == weights.grid and found.part((3, 5, 7, 9)).values.shape == (2, 2)


# The verb -------------------------------------------------------------------------------------------------------------

WORDS = ["allocate", "weights.tif", "--zones", "zones.geojson", "--emissions", "emissions.csv", "--cut", "share"]
OUTPUTS = ["--output", "e.tif", "--quiet", "--per-km2", "d.tif", "--balance", "balance.csv"]


def make_files(rows, cols, last=1.5):
    """Weights of 1.5, the last cell ``last``; two provinces, west and east of the map's middle and larger than the map.

    1,000 and 7,000 x 10^4 t.  All lie in the current folder.
    """
    grid = Grid(ALBERS_CHINA, (-250.0 * cols, 5e6, 500.0, -500.0), (rows, cols))

    def part(window):
        here = grid.part(window)
        values = np.full(here.shape, 1.5, np.float32)
        if (window[1], window[3]) == grid.shape:
            values[-1, -1] = last
        return Raster(values, np.ones(here.shape, bool), here)

    write_parts("weights.tif", grid, "float32", part)
    shapes = [
        {"type": "Feature", "properties": {"code": code}, "geometry": {"type": "Polygon", "coordinates": [
            [[west, -10.0], [east, -10.0], [east, 70.0], [west, 70.0], [west, -10.0]]
        ]}} for code, west, east in ((11, 60.0, 105.0), (12, 105.0, 150.0))
    ]  # fmt: skip
    Path("zones.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": shapes}))
    Path("emissions.csv").write_text("code,year,emission_1e4t\n11,2010,1000\n12,2010,7000\n")


@pytest.mark.parametrize("cog", [[], ["--cog"]])
def test_the_verb_writes_what_the_balance_says(tmp_path, monkeypatch, capsys, cog):
    monkeypatch.chdir(tmp_path)
    make_files(600, 1100)
    assert main([*WORDS, *OUTPUTS, *cog]) == 0
    emission, density = read_raster("e.tif"), read_raster("d.tif")
    assert emission.units == "10^4 t CO2 per cell per year" and density.units == "t CO2 / km2 / year"
    assert density.values.tobytes() == (emission.values * 1e4 / 0.25).tobytes()
    table = np.genfromtxt("balance.csv", delimiter=",", names=True)
    exact = sum(map(Fraction, emission.values.ravel().tolist()))
    assert table["difference_ulp"].tolist() == [0.0, 0.0] and table["cells"].sum() == 600 * 1100
    assert abs(exact - sum(map(Fraction, table["cell_sum_1e4t"].tolist()))) <= exact / 2**53
    cells = {total / count for total, count in zip(table["total_1e4t"].tolist(), table["cells"].tolist())}
    assert set(np.round(np.unique(emission.values), 12)) == set(np.round(sorted(cells), 12))  # equal weights


def test_the_verb_refuses_a_wrong_weight_before_anything_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    make_files(600, 1100, last=-1.0)
    before = sorted(path.name for path in tmp_path.iterdir())
    assert main([*WORDS, *OUTPUTS]) == 2
    assert "a weight of -1.0 at row 599, column 1099" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.skipif(not KNOWN, reason="the system does not tell")
def test_memory_of_the_verb_does_not_grow_with_the_height_of_the_map(tmp_path, monkeypatch):
    monkeypatch.setenv("REFIMPL_THREADS", "2")
    program = """
import os, sys
from refimpl.cli import main
from tests.test_allocation_streamed import OUTPUTS, WORDS, make_files
os.chdir(sys.argv[2])
make_files(int(sys.argv[1]), 4000)
with open(os.devnull, "w") as sys.stdout:
    assert main(WORDS + OUTPUTS[:3]) == 0
sys.stdout = sys.__stdout__
"""
    low, high = (peak_of_program(program, rows, str(tmp_path)) for rows in ("4500", "9000"))
    # MiB; both fill what an open file keeps.  The cells of the higher one alone are 137 more, and its mask 17.
    assert high < low + 40 and high < 512
