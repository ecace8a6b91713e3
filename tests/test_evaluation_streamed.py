"""Maps larger than memory are judged and compared window by window: what comes of it, what is read, and the memory."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA, WGS84
from refimpl.errors import InputError
from refimpl.evaluation import agreement as agreement_module
from refimpl.evaluation import scorecard as comparison
from refimpl.evaluation.agreement import compare_inventory
from refimpl.evaluation.alternatives import alternatives, reference_of
from refimpl.evaluation.derived import under
from refimpl.evaluation.land_cover import coarse_shares
from refimpl.evaluation.land_cover_map import land_cover_on
from refimpl.evaluation.other_inventories import inventory_density
from refimpl.evaluation.rank_correlation import spearman_rho
from refimpl.evaluation.scorecard import judge_all, one_factor, province_sums
from refimpl.formats.writing import write_raster
from refimpl.method.land_cover import seven_classes
from refimpl.method.metrics import mean_absolute_error, pearson_r, r_squared, root_mean_square_error
from refimpl.method.settings import UpscaleSettings
from refimpl.run.reference_maps import (
    InventoryFile,
    coarser,
    read_inventory_file,
    read_land_cover,
    read_odiac,
    store_zones,
)
from refimpl.windows.computed import Computed
from refimpl.windows.stored import Stored
from refimpl.windows.walks import tiles_of
from tests.memory import KNOWN, peak_of_program

GRID = Grid(ALBERS_CHINA, (0.0, 4e6, 500.0, -500.0), (46, 38))
UNITS = "10^4 t CO2 per cell per year"
PIECES = ((0, 46, 0, 38), (3, 20, 7, 8), (45, 46, 1, 38), (10, 31, 0, 13))


def made(seed: int, units: str = "", grid: Grid = GRID) -> Raster:
    """A map with holes; its rows 0-7 lie in no province."""
    rng = np.random.default_rng(seed)
    return Raster.masked(rng.lognormal(0, 2, grid.shape), rng.random(grid.shape) < 0.9, grid, units)


ZONES = np.repeat(np.array([[0, 0, 11, 12, 12], [0, 11, 11, 12, 34]]), [5, 41], axis=0).repeat([4, 10, 6, 9, 9], axis=1)
ZONES[:8] = 0
COVER = Raster.masked(
    np.random.default_rng(7).integers(0, 18, GRID.shape).astype(np.uint8),
    np.random.default_rng(8).random(GRID.shape) < 0.8, GRID,
)  # fmt: skip
TOTALS = {11: 100.0, 12: 70.0, 34: 9.0}


@pytest.fixture
def small_windows(monkeypatch):
    """Windows of 7 x 11 cells instead of millions."""
    for module in (comparison, agreement_module):
        monkeypatch.setattr(module, "windows", lambda shape: tiles_of(shape, (7, 11)))


def stored(path, raster: Raster, nodata=None) -> Stored:
    write_raster(path, raster, nodata)
    return Stored(path)


def same(one: Raster, other: Raster) -> bool:
    return one.values.tobytes() == other.values.tobytes() and one.valid.tobytes() == other.valid.tobytes()


# Judging


def test_a_map_cut_into_windows_is_judged_as_its_cells_all_at_once(small_windows):
    emission, reference = made(1), made(2)
    (found,) = judge_all({"a": emission}, ZONES, TOTALS, COVER, reference)
    sums = {code: math.fsum(emission.values[emission.valid & (ZONES == code)]) for code in TOTALS}
    assert province_sums(emission, ZONES) == pytest.approx(sums, rel=2.3e-16)  # an ulp
    assert found.totals[1] == pytest.approx(np.mean([abs(TOTALS[code] - sums[code]) for code in TOTALS]), rel=1e-15)
    seven = np.where(COVER.valid, seven_classes(COVER.values), 7)
    for row, code in enumerate(found.land_cover.codes.tolist()):
        parts = [math.fsum(emission.values[emission.valid & (ZONES == code) & (seven == at)]) for at in range(8)]
        assert found.land_cover.shares[row] == pytest.approx([part / sum(parts[:7]) for part in parts[:7]], rel=1e-15)
        assert found.land_cover.unclassified[row] == pytest.approx(parts[7] / sum(parts), rel=1e-15)
    numbers = r_squared, mean_absolute_error, root_mean_square_error, pearson_r
    both = emission.valid & reference.valid
    for at, code in enumerate([*found.cells.codes.tolist(), None]):
        cells = both & (ZONES == code if code else ZONES > 0)
        o, e = (each.values[cells] * 1e4 / 0.25 for each in (reference, emission))
        row = found.cells.overall if code is None else [getattr(found.cells, n)[at] for n in ("r2", "mae", "rmse", "r")]
        # Sums over some hundred cells, taken in two orders.
        assert row == pytest.approx([number(o, e) for number in numbers], rel=1e-12)


def test_maps_judged_together_have_the_bits_of_each_alone_and_of_files(tmp_path, small_windows):
    maps = {str(seed): made(seed) for seed in range(3)}
    files = {name: stored(tmp_path / f"{name}.tif", raster) for name, raster in maps.items()}
    zones = store_zones(Raster(ZONES, ZONES > 0, GRID), GRID, tmp_path / "zones.tif")
    cover, heard = stored(tmp_path / "cover.tif", COVER, 255), []
    together = judge_all(files, zones, TOTALS, cover, files["0"], heard.append)
    for one in together:
        (alone,) = judge_all({one.name: maps[one.name]}, ZONES, TOTALS, COVER, maps["0"])
        assert one.emission is files[one.name] and one.totals == alone.totals
        assert one.land_cover.shares.tobytes() == alone.land_cover.shares.tobytes()
        assert one.cells.overall == alone.cells.overall and one.cells.r2.tobytes() == alone.cells.r2.tobytes()
    assert len(together) == 3 and heard == sorted(heard) and heard[-1] == 1


class Counting(Computed):
    """A map that tells which windows it was asked for."""

    def __init__(self, raster):
        super().__init__(raster.grid)
        self.raster, self.asked = raster, []

    def part(self, window):
        self.asked.append(window)
        return self.raster.part(window)


def test_every_map_is_read_once_and_nowhere_that_no_province_is(small_windows):
    maps = {name: Counting(made(seed)) for seed, name in enumerate("abc")}
    judge_all(maps, ZONES, TOTALS, COVER, maps["a"])
    inside = [w for w in tiles_of(GRID.shape, (7, 11)) if ZONES[w[0] : w[1], w[2] : w[3]].any()]
    assert maps["b"].asked == maps["c"].asked == inside and maps["a"].asked == sorted(2 * inside)
    assert len(inside) < len(tiles_of(GRID.shape, (7, 11)))


def test_a_wrong_class_is_refused_in_whatever_window(small_windows):
    values = COVER.values.copy()
    values[45, 37] = 18
    wrong = Raster(values, COVER.valid | (values == 18), GRID)
    with pytest.raises(InputError, match="land cover class 18; expected"):
        judge_all({"a": Raster(np.ones(GRID.shape), np.ones(GRID.shape, bool), GRID)}, ZONES, TOTALS, wrong)


def test_shares_at_the_coarse_scale_are_the_same_for_windows_with_odd_edges(tmp_path, monkeypatch):
    emission = made(1)
    half = coarser(GRID)
    cover = Raster.masked(COVER.values[::2, ::2], COVER.valid[::2, ::2], half)
    fine = Raster(*(np.repeat(np.repeat(each, 2, 0), 2, 1) for each in (cover.values, cover.valid)), GRID)
    want = judge_all({"a": emission}, ZONES, TOTALS, fine)[0].land_cover
    monkeypatch.setattr("refimpl.evaluation.land_cover.windows", lambda shape: tiles_of(shape, (7, 11)))
    got = coarse_shares(emission, ZONES, stored(tmp_path / "cover.tif", cover, 255))
    # Sums of two cuts, each to an ulp.
    np.testing.assert_allclose(got.shares, want.shares, rtol=1e-15)
    np.testing.assert_allclose(got.unclassified, want.unclassified, rtol=1e-15)
    for window in PIECES:
        assert same(under(cover, window), fine.part(window))


# Sources


def check_source(source, whole: Raster) -> None:
    """Any window has the bits of the whole, also in another process."""
    again = pickle.loads(pickle.dumps(source))
    for window in PIECES:
        for each in (source, again):
            assert same(each.part(window), whole.part(window))
            assert each.part(window).grid == source.grid.part(window) and each.part(window).values.dtype == source.dtype


def test_maps_without_correction_are_the_same_in_windows_and_in_memory(tmp_path):
    density = made(3)
    whole = one_factor(density, ZONES, {11: 3.0, 34: 5.0, 99: 7.0})
    assert isinstance(whole, Raster)
    zones = store_zones(Raster(ZONES, ZONES > 0, GRID), GRID, tmp_path / "zones.tif")
    check_source(one_factor(stored(tmp_path / "a.tif", density), zones, {11: 3.0, 34: 5.0, 99: 7.0}), whole)
    assert sum(province_sums(whole, ZONES).values()) == pytest.approx(8.0, rel=1e-15)


def test_alternatives_of_files_have_the_bits_of_those_in_memory(tmp_path):
    half, lights = made(5, grid=coarser(GRID)), Raster.masked(made(6).values - 1, made(6).valid, GRID)
    settings = UpscaleSettings(back_projection=2)
    zones = store_zones(Raster(ZONES, ZONES > 0, GRID), GRID, tmp_path / "zones.tif")
    alone = made(9)
    whole = alternatives(half, None, settings, lights, ZONES, TOTALS, alone)
    files = alternatives(
        stored(tmp_path / "coarse.tif", half), None, settings, stored(tmp_path / "lights.tif", lights), zones, TOTALS,
        stored(tmp_path / "alone.tif", alone),
    )  # fmt: skip
    assert list(files) == list(whole) and "network alone + Eq. 3" in files
    for name in whole:
        assert isinstance(whole[name], Raster) and not isinstance(files[name], Raster)
        check_source(files[name], whole[name])
    lit = whole["lights alone + Eq. 3"]
    assert (lit.values >= 0).all() and not lit.valid[~np.repeat(np.repeat(half.valid, 2, 0), 2, 1)].any()


def test_the_fine_reference_of_files_has_the_bits_of_that_in_memory(tmp_path):
    half, predicted = made(5, grid=coarser(GRID)), made(6)
    zones = store_zones(Raster(ZONES, ZONES > 0, GRID), GRID, tmp_path / "zones.tif")
    sources = stored(tmp_path / "fine.tif", predicted), stored(tmp_path / "coarse.tif", half)
    for baseline in ("remove", "keep"):
        whole = reference_of(predicted, half, baseline, ZONES, TOTALS)
        check_source(reference_of(*sources, baseline, zones, TOTALS), whole)
        least = half.values[half.valid].min() if baseline == "remove" else 0.0
        inside = (ZONES == 34) & predicted.valid & np.repeat(np.repeat(half.valid, 2, 0), 2, 1)
        weights = np.maximum(predicted.values[inside] - least, 0)
        np.testing.assert_allclose(whole.values[inside], 9 * weights / weights.sum(), rtol=1e-13)


SOURCE = Grid(WGS84, (104.9, 37.45, 0.01, -0.01), (40, 50))


def test_an_inventory_of_a_file_has_the_bits_of_one_in_memory(tmp_path):
    pixels = made(4, "t C/cell", SOURCE)
    write_raster(tmp_path / "a.tif", pixels)
    file, whole = InventoryFile("a", tmp_path / "a.tif", "", "--units"), inventory_density(pixels, "t C/cell", GRID)
    assert isinstance(whole, Raster) and whole.valid.any() and not whole.valid.all()
    check_source(read_inventory_file(file, GRID), whole)
    check_source(read_inventory_file(file, GRID, store=tmp_path / "kept.tif"), whole)
    assert (tmp_path / "kept.tif").exists()


def test_months_of_odiac_are_added_window_by_window(tmp_path):
    months = [made(k, "", SOURCE) for k in range(12)]
    months = [Raster.masked(month.values.astype(np.float32), month.valid, SOURCE) for month in months]
    paths = [tmp_path / f"{k:02d}.tif" for k in range(12)]
    for path, month in zip(paths, months):
        write_raster(path, month)
    carbon = sum(month.values.astype(float) for month in months)  # in the order of the months
    year = Raster(carbon, np.logical_or.reduce([month.valid for month in months]), SOURCE)
    whole = inventory_density(year, "t C/cell", GRID)
    check_source(read_odiac(paths, GRID), whole)
    check_source(read_odiac(paths, GRID, store=tmp_path / "kept.tif"), whole)


def test_a_fill_value_is_told_before_any_cell_is_asked_for_and_leaves_no_file(tmp_path):
    values = made(4, "", SOURCE).values
    values[20, 25] = -9999
    write_raster(tmp_path / "a.tif", Raster(values, np.ones(SOURCE.shape, bool), SOURCE, "t C/cell"))
    file = InventoryFile("a", tmp_path / "a.tif", "", "--units")
    for store in (None, tmp_path / "kept.tif"):
        with pytest.raises(InputError, match=r"a.tif: holds -9999 \(t C/cell\); expected emission, 0 or more"):
            read_inventory_file(file, GRID, store=store)
    assert [path.name for path in tmp_path.iterdir()] == ["a.tif"]


@pytest.mark.parametrize("size", [0.003, 0.05], ids=["finer", "coarser"])
def test_land_cover_of_a_file_has_the_bits_of_one_in_memory(tmp_path, size):
    grid, rng = Grid(WGS84, (104.9, 37.45, size, -size), (120, 130)), np.random.default_rng(2)
    igbp = Raster.masked(rng.integers(0, 18, grid.shape).astype(np.uint8), rng.random(grid.shape) < 0.9, grid)
    write_raster(tmp_path / "igbp.tif", igbp, 255)
    for rule in ("majority", "nearest"):
        whole = land_cover_on(igbp, GRID, rule)
        assert isinstance(whole, Raster) and whole.valid.any()
        check_source(read_land_cover(tmp_path / "igbp.tif", GRID, rule), whole)


@pytest.mark.parametrize(("dtype", "wrong", "says"), [
    (np.float32, 12.5, r"12.5 at row 20, column 25; expected whole numbers \(IGBP classes\)"),
    (np.float64, 18, "land cover class 18; expected the IGBP classes 0-17"),
    (np.int16, -3, "land cover class -3; expected the IGBP classes 0-17"),
    (np.uint16, 40000, "land cover class 40000; expected the IGBP classes 0-17"),
])  # fmt: skip
def test_a_wrong_land_cover_is_refused_where_the_map_lies_and_does_no_harm_elsewhere(tmp_path, dtype, wrong, says):
    values = np.full(SOURCE.shape, 12, dtype)
    values[20, 25] = wrong
    write_raster(tmp_path / "igbp.tif", Raster(values, np.ones(SOURCE.shape, bool), SOURCE))
    with pytest.raises(InputError, match=rf"igbp.tif: {says}"):
        read_land_cover(tmp_path / "igbp.tif", GRID, "majority")
    corner = Grid(ALBERS_CHINA, GRID.transform, (4, 4))  # north-west of the wrong one
    assert read_land_cover(tmp_path / "igbp.tif", corner, "majority").values.tolist() == [[12] * 4] * 4


def test_zones_of_floats_and_of_cells_without_one_are_stored_as_codes(tmp_path):
    zones = store_zones(Raster(ZONES, ZONES >= 0, GRID), GRID, tmp_path / "zones.tif")
    assert np.array_equal(zones.values, ZONES) and np.array_equal(zones.valid, ZONES > 0)


# Comparing


def test_an_inventory_compared_in_windows_has_the_numbers_of_all_cells_at_once(tmp_path, small_windows):
    emission, density = made(1, UNITS), made(2)
    zones = store_zones(Raster(ZONES, ZONES > 0, GRID), GRID, tmp_path / "zones.tif")
    sources = stored(tmp_path / "a.tif", emission), stored(tmp_path / "b.tif", density), zones
    found = compare_inventory("X", *sources, stored(tmp_path / "c.tif", COVER, 255), TOTALS, folder=tmp_path)
    seven = np.where(COVER.valid, seven_classes(COVER.values), 7) + 1
    both, ours = emission.valid & density.valid & (ZONES > 0), emission.values * 1e4 / 0.25
    for one, groups in ((found.overall, (ZONES > 0) * 1), (found.provinces, ZONES), (found.land_covers, seven)):
        assert one.groups.tolist() == sorted(set(groups[both].tolist()))
        for at, code in enumerate(one.groups.tolist()):
            cells = both & (groups == code)
            o, e = density.values[cells], ours[cells]
            assert one.cells[at] == cells.sum()
            assert one.observed[at] == pytest.approx(math.fsum(o * 0.25) / 1e4, rel=5e-16)  # two roundings
            assert one.estimated[at] == pytest.approx(math.fsum(e * 0.25) / 1e4, rel=5e-16)
            want = pearson_r(o, e), r_squared(o, e), mean_absolute_error(o, e), root_mean_square_error(o, e)
            # Sums over some hundred cells, and over their ranks, in two orders.
            got = [one.numbers[name][at] for name in ("r", "r2", "mae", "rmse", "rho")]
            assert got == pytest.approx([*want, spearman_rho(o, e)], rel=1e-12)
    for code in TOTALS:
        inside = ZONES == code
        assert found.map_sums[code] == pytest.approx(math.fsum(emission.values[inside]), rel=5e-16)
        assert found.sums[code] == pytest.approx(math.fsum(density.values[inside] * 0.25) / 1e4, rel=5e-16)
    assert found.judged.cells.mae == pytest.approx(found.provinces.numbers["mae"], rel=0)
    assert {path.suffix for path in tmp_path.iterdir()} == {".tif"}  # no pair is left


def test_groups_of_a_file_agree_as_those_in_memory(tmp_path, small_windows):
    one, two, zones = made(1), made(2), Raster(ZONES, ZONES > 0, GRID)
    memory = compare_inventory("other", two, one, ZONES, folder=tmp_path).provinces
    sources = stored(tmp_path / "b.tif", two), stored(tmp_path / "a.tif", one)
    files = compare_inventory("other", *sources, store_zones(zones, GRID, tmp_path / "z.tif")).provinces
    for name, column in memory.numbers.items():
        assert column.tobytes() == files.numbers[name].tobytes(), name
    assert memory.observed.tobytes() == files.observed.tobytes()


# Memory

PROGRAM = """
import sys, tempfile, numpy as np
from pathlib import Path
from refimpl.evaluation.agreement import compare_inventory
from refimpl.evaluation.scorecard import judge_all
from refimpl.windows.computed import Computed
from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA

class Made(Computed):
    def part(self, window):
        here, side = self.grid.part(window), 1 if self.dtype == float else 300
        row, column = (np.arange(first, last) // side for first, last in (window[:2], window[2:]))
        values = (1 + np.add.outer(row, column) % 17).astype(self.dtype)
        return Raster.unchecked(values, np.ones(here.shape, bool), here)

grid = Grid(ALBERS_CHINA, (0, 0, 500, -500), (int(sys.argv[1]), 1024))
zones, maps = Made(grid, "", np.uint8), {name: Made(grid) for name in "ab"}
judge_all(maps, zones, {1: 2.0}, zones, maps["a"])
with tempfile.TemporaryDirectory() as folder:
    compare_inventory("x", maps["a"], maps["b"], zones, None, folder=Path(folder))
"""


@pytest.mark.skipif(not KNOWN, reason="this system does not tell how much memory a process takes")
def test_memory_does_not_go_with_the_height_of_the_map():
    low, high = (peak_of_program(PROGRAM, str(rows)) for rows in (2048, 8192))
    assert high < low + 24  # MiB; 6.3 million cells more are 48 MiB each time that they are held as float64
