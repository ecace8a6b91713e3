"""Eq. 3 and D20-D22: hand-computed examples, and mass balance on random maps."""

import math
import tracemalloc
import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.tools.zone_runs import zone_runs
from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA, WGS84
from refimpl.errors import DataWarning, InputError
from refimpl.method import correction
from refimpl.method.correction import share_out
from refimpl.twins import backend
from refimpl.windows.allocated_map import allocate, allocate_cells, per_km2

GRID = Grid(ALBERS_CHINA, (0.0, 1000.0, 500.0, -500.0), (2, 3))


def density(values, valid=None, grid=GRID):
    values = np.array(values, float)
    return Raster.masked(values, np.ones(values.shape, bool) if valid is None else valid, grid, "1")


def unmasked(values):
    return Raster(np.array(values, float), np.ones((2, 3), bool), GRID, "1")


def test_cells_share_the_total_in_proportion_to_their_weights():
    # by hand: province 11 has weights 1, 3 of 4; province 12 has 2, 2, 4 of 8
    zones = np.array([[11, 11, 12], [12, 12, 0]])
    got = allocate(density([[1, 3, 2], [2, 4, 9]]), zones, {11: 8.0, 12: 40.0})
    assert got.emission.values.tolist() == [[2.0, 6.0, 10.0], [10.0, 20.0, 0.0]]
    assert got.emission.valid.tolist() == [[True, True, True], [True, True, False]]
    assert got.balance.codes.tolist() == [11, 12] and got.balance.cells.tolist() == [2, 3]


def test_a_province_without_a_statistic_is_nodata():
    got = allocate(density([[1, 1, 1], [1, 1, 1]]), np.array([[54, 54, 11], [11, 0, 0]]), {11: 2.0})
    assert got.emission.valid.tolist() == [[False, False, True], [True, False, False]]


def test_weights_that_are_all_zero_spread_the_total_evenly_with_a_warning():
    with pytest.warns(DataWarning, match=r"province 11: all weights are 0; .*\(D21\)"):
        got = allocate(density([[0, 0, 5], [0, 0, 5]]), np.array([[11, 11, 0], [11, 11, 0]]), {11: 2.0})
    assert got.emission.values.tolist() == [[0.5, 0.5, 0.0], [0.5, 0.5, 0.0]]


def test_a_total_without_a_cell_is_told():
    with pytest.warns(DataWarning, match="province 82: has a total but no cell"):
        allocate(density([[1, 1, 1], [1, 1, 1]]), np.full((2, 3), 11), {11: 2.0, 82: 1.0})


def test_invalid_cells_receive_nothing():
    got = allocate(density([[1, 1, 1], [1, 1, 1]], [[1, 0, 0], [1, 0, 0]]), np.full((2, 3), 11), {11: 6.0})
    assert got.emission.values.tolist() == [[3.0, 0.0, 0.0], [3.0, 0.0, 0.0]]


def test_on_a_geographic_grid_a_cell_counts_with_its_true_area():
    grid = Grid(WGS84, (100.0, 60.0, 1.0, -1.0), (60, 1))
    zones = np.zeros((60, 1), int)
    zones[[0, 59]] = 11  # a cell at 59.5 N and one at 0.5 N: about cos 59.5 = 0.507 of the area
    got = allocate(density(np.ones((60, 1)), grid=grid), zones, {11: 1.0}).emission.values
    e2 = 0.00669437999  # WGS 84; the area of a small cell goes with cos(latitude) / (1 - e2 sin(latitude)^2)^2
    expected = [math.cos(p) / (1 - e2 * math.sin(p) ** 2) ** 2 for p in map(math.radians, (59.5, 0.5))]
    assert got[0, 0] / got[59, 0] == pytest.approx(expected[0] / expected[1], rel=1e-4)  # one degree is small to 1e-4


@pytest.mark.parametrize("weight, says", [(-1.0, "-1.0 at row 1, column 2"), (math.inf, "inf at row 1, column 2")])
def test_a_negative_or_infinite_weight_is_refused_with_its_place(weight, says):
    with pytest.raises(InputError, match=says):
        allocate(unmasked([[1, 1, 1], [1, 1, weight]]), np.full((2, 3), 11), {11: 1.0})


@pytest.mark.parametrize("total", [-1.0, math.nan])
def test_a_negative_or_missing_total_is_refused(total):
    with pytest.raises(InputError, match="the total of province 11"):
        allocate(density(np.ones((2, 3))), np.full((2, 3), 11), {11: total})


maps = st.integers(0, 2**32 - 1).map(np.random.default_rng)


@settings(max_examples=100, deadline=None)
@given(maps, st.integers(1, 300), st.floats(1e-6, 1e9), st.floats(0.1, 12.0))
def test_province_total_is_preserved_to_one_ulp(rng, n, total, spread):
    weights = np.exp(rng.standard_normal(n) * spread) * (rng.random(n) < 0.8)
    column, one = weights[:, np.newaxis], np.ones((n, 1), np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # all weights may be 0 (D21)
        plain = correction.allocate(column, one > 0, one, np.ones(n), {1: total})[0][:, 0]
    found = [plain, allocate_cells(column, one > 0, one, np.ones(n), one[0], np.array([total]))[0][:, 0]]
    if weights.any():
        found.append(share_out(weights, total))
    for cells in found:
        exact = sum(map(Fraction, cells.tolist()), Fraction(0))  # an independent, exact sum
        assert abs(exact - Fraction(total)) <= Fraction(np.spacing(total))
        assert (cells >= 0).all()


@settings(max_examples=100, deadline=None)
@given(maps)
def test_every_row_of_the_mass_balance_is_within_one_ulp_on_random_maps(rng):
    shape = tuple(rng.integers(2, 40, 2))
    grid = Grid(ALBERS_CHINA, (0.0, 0.0, 500.0, -500.0), shape)
    zones = rng.integers(0, 6, shape)
    totals = {code: float(rng.lognormal(8, 2)) for code in np.unique(zones[zones > 0]).tolist()}
    weights = Raster(rng.lognormal(0, 3, shape), np.ones(shape, bool), grid, "1")
    balance = allocate(weights, zones, totals).balance
    assert balance.codes.tolist() == sorted(totals)
    assert (np.abs(balance.difference_ulp) <= 1).all()


def test_the_residual_goes_to_the_largest_cell():
    cells = share_out(np.array([1.0, 7.0, 2.0]), 0.1)
    plain = np.array([1.0, 7.0, 2.0]) * (0.1 / 10.0)
    assert (cells != plain).sum() <= 1 and cells[[0, 2]].tolist() == plain[[0, 2]].tolist()


def test_per_km2_turns_1e4_tonnes_of_a_quarter_square_kilometre_into_tonnes_per_km2():
    cell = Raster(np.array([[0.5]]), np.ones((1, 1), bool), Grid(ALBERS_CHINA, (0.0, 0.0, 500.0, -500.0), (1, 1)), "")
    assert per_km2(cell).values[0, 0] == 20000.0


# The kernel ----------------------------------------------------------------------------------------------------------



def by_reference(*arguments):
    with backend("numpy"):
        return allocate_cells(*arguments)


def by_kernel(*arguments):
    with backend("numba"):
        return allocate_cells(*arguments)


BOTH = pytest.mark.parametrize("fill", [by_reference, by_kernel], ids=["reference", "kernel"])
WEIGHTS = {
    "lognormal": lambda rng, n: rng.lognormal(0, 3, n),
    "float32": lambda rng, n: rng.random(n, np.float32),
    "equal": lambda rng, n: np.full(n, 0.1),
    "zero": lambda rng, n: np.zeros(n),
    "mostly zero": lambda rng, n: rng.random(n) * (rng.random(n) > 0.95),
    "six hundred orders of magnitude": lambda rng, n: 10.0 ** rng.uniform(-300, 300, n),
    "denormal": lambda rng, n: rng.integers(0, 9, n) * 5e-324,
    "huge": lambda rng, n: 1e300 * rng.random(n),
    "one cell above all": lambda rng, n: np.where(np.arange(n) == n // 2, 1e9 / 7, rng.random(n)),
    "whole numbers": lambda rng, n: rng.integers(0, 4, n).astype(float),
}


@settings(max_examples=100, deadline=None)
@given(
    maps, st.sampled_from(sorted(WEIGHTS)), st.integers(1, 6), st.sampled_from([1, 2, 31, 33, 64, 97, 300]),
    st.integers(1, 300), st.sampled_from([0.1, 0.0, 1.0, 1 / 3, 123456.789, 2.0**53 - 1, 1e-30]),
    st.sampled_from([np.uint8, np.int64]), st.sampled_from([0.0, 0.05, 0.9]),
)  # fmt: skip
def test_cells_sum_exactly_to_the_statistic_whatever_the_weights(rng, kind, rows, cols, length, total, codes, holes):
    weights = WEIGHTS[kind](rng, rows * cols).reshape(rows, cols)
    zones = np.repeat(rng.integers(0, 4, (rows, cols)), length, axis=1)[:, :cols].astype(codes)
    valid, areas = rng.random((rows, cols)) >= holes, 0.2 + rng.random(rows)
    statistics = {1: total, 3: 7 * total, 9: 5.0}
    for fill in (by_reference, by_kernel):
        emission, mapped, count, cell_sum, largest = fill(
            weights, valid, zones, areas, np.array(list(statistics)), np.array(list(statistics.values()))
        )
        assert np.array_equal(mapped, valid & np.isin(zones, (1, 3))) and not emission[~mapped].any()
        for k, (code, wanted) in enumerate(statistics.items()):
            inside = valid & (zones == code)
            cells, density = emission[inside], (weights.astype(float) * areas[:, None])[inside]
            assert count[k] == cells.size and largest[k] == (density.max() if cells.size else -1)
            assert math.fsum(cells.tolist()) == cell_sum[k] == (wanted if cells.size else 0.0)  # 0 ulp
            shares = density if density.any() else areas[np.nonzero(inside)[0]]  # D21
            assert_shared_out(cells, shares, wanted)


def assert_shared_out(cells, shares, total):
    """Eq. 3 in exact fractions; the cells that took the rest are off by what many roundings leave."""
    exact = [Fraction(share) for share in shares.tolist()]
    whole = sum(exact, Fraction(0))
    rest = Fraction(total) * cells.size / 2**52  # every cell rounds by half an ulp at most, the factor as much
    off = [abs(Fraction(c) - part / whole * Fraction(total)) for c, part in zip(cells.tolist(), exact)]
    # Four roundings of 2^-53 each (area, scale, factor, cell), or of the last place of a denormal share.
    least = (1 + Fraction(total)) / 2**1070
    plain = [o <= part / whole * Fraction(total) / 2**50 + least for o, part in zip(off, exact)]
    assert plain.count(False) <= 4 and max(off, default=0) <= rest + 4 * least


@pytest.mark.parametrize("shape", [(1, 1), (700, 1001), (3, 300_001), (40_000, 17)])
def test_any_number_of_threads_gives_the_same_bytes(monkeypatch, shape):
    rng = np.random.default_rng(6)
    zones = np.repeat(np.repeat(rng.integers(0, 35, shape), 90, axis=0)[: shape[0]], 90, axis=1)[:, : shape[1]]
    weights, valid, areas = rng.lognormal(0, 3, shape), rng.random(shape) > 0.1, rng.random(shape[0])
    totals, answers = rng.lognormal(8, 2, 34), set()
    for threads in ("1", "2", "3", "8"):
        monkeypatch.setenv("REFIMPL_THREADS", threads)
        found = by_kernel(weights, valid, zones.astype(np.uint8), areas, np.arange(1, 35), totals)
        answers.add(b"".join(each.tobytes() for each in found))
    assert len(answers) == 1
    assert np.array_equal(found[3], np.where(found[2] > 0, totals, 0.0))


@pytest.mark.parametrize("length", [1, 31, 32, 33, 127, 128, 129, 255, 256, 257, 700])
def test_runs_of_any_length_are_weighed_and_written_cell_by_cell(length):
    rng, shape = np.random.default_rng(length), (3, length + 5)
    zones = np.where(np.arange(length + 5) < length, 1, 2) * np.ones((3, 1), int)
    weights, areas, known = rng.integers(1, 2**20, shape).astype(np.float32), np.array([1.0, 0.5, 2.0]), np.ones(shape)
    for valid in (known > 0, rng.random(shape) > 0.3, known == 0):
        density = np.where(valid, weights * areas[:, None], 0.0)
        # Sums of these numbers are exact, and so are the factors, 1 and 4: nothing is rounded.
        whole = np.array([density[zones == 1].sum(), 4 * density[zones == 2].sum()])
        emission, mapped, count, _, largest = by_kernel(
            weights, valid, zones, areas, np.array([1, 2]), whole
        )
        assert np.array_equal(emission, density * np.where(zones == 1, 1, 4)) and np.array_equal(mapped, valid)
        for k in (0, 1):
            inside = density[valid & (zones == k + 1)]
            assert count[k] == inside.size and largest[k] == inside.max(initial=-1)


@pytest.mark.parametrize("codes", [np.uint8, np.int64])
def test_a_single_foreign_cell_is_found_wherever_it_lies_in_a_run(codes):
    zones = np.ones((400, 400), codes) + np.eye(400, dtype=codes)
    found, ranks, ends = zone_runs(zones, slice(0, 400))
    borders = [r * 400 + c for r in range(400) for c in (r, r + 1, 400) if 0 < c <= 400]
    assert found.tolist() == [1, 2] and ends.tolist() == sorted(set(borders))
    assert np.array_equal(np.repeat(ranks, np.diff(ends, prepend=0)), zones.ravel() - 1)


@BOTH
@pytest.mark.parametrize("wrong", [-1.0, -5e-324, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("column", [0, 40, 127, 128, 199])
@pytest.mark.parametrize("zone", [0, 1, 2])
def test_a_wrong_weight_is_found_wherever_it_is_unless_it_is_not_valid(fill, wrong, column, zone):
    weights, zones = np.ones((3, 200)), np.ones((3, 200), int)
    weights[1, column], zones[1] = wrong, zone
    arguments = zones, np.ones(3), np.array([1]), np.array([5.0])
    with pytest.raises(InputError, match=f"the weights: a weight of {wrong} at row 1, column {column};"):
        fill(weights, np.ones((3, 200), bool), *arguments)
    emission, *_ = fill(weights, (weights >= 0) & (weights < math.inf), *arguments)
    assert math.fsum(emission.ravel().tolist()) == 5.0


@BOTH
def test_the_rest_goes_to_the_first_of_equal_largest_cells(fill):
    rng, given = np.random.default_rng(10), 0
    weights, zones = rng.random((2, 100)), np.ones((2, 100), np.uint8)
    weights[1, 40:45] = 3.0
    for total in rng.lognormal(5, 5, 20):
        emission = fill(weights, weights > 0, zones, np.ones(2), np.array([1]), np.array([total]))[0]
        assert (emission[1, 41:45] == emission[1, 41]).all()
        given += emission[1, 40] != emission[1, 41]
    assert given > 5  # the others have no rest


@BOTH
@pytest.mark.parametrize("shape", [(6, 97), (3, 300_001)])  # one part; a part for each row
def test_the_first_largest_cell_is_found_across_runs_and_parts(fill, shape):
    rng, given = np.random.default_rng(11), 0
    weights, zones = rng.random(shape), np.repeat([1, 2], (shape[1] - 20, 20)) * np.ones((shape[0], 1), int)
    weights[1:3, 40] = weights[2, 50] = 3.0
    whole = math.fsum(weights[zones == 1].tolist())
    for total in rng.lognormal(5, 5, 30 if weights.size < 1000 else 8):
        emission = fill(weights, weights >= 0, zones, np.ones(shape[0]), np.array([1]), np.array([total]))[0]
        changed = np.flatnonzero(emission != np.where(zones == 1, weights * (total / whole), 0.0))
        assert changed.tolist() in ([], [shape[1] + 40])
        given += changed.size
    assert given


@BOTH
def test_where_weights_are_zero_the_first_valid_cell_takes_the_rest(fill):
    valid, given = np.ones((3, 100), bool), 0
    valid[0], valid[1, :50] = False, False
    for total in np.random.default_rng(12).lognormal(5, 5, 20):
        arguments = np.ones((3, 100), int), np.ones(3), np.array([1]), np.array([total])
        emission, _, count, cell_sum, largest = fill(np.zeros((3, 100)), valid, *arguments)
        assert count[0] == 150 and largest[0] == 0 and cell_sum[0] == total
        cells = emission[valid]
        assert (cells[1:] == cells[1]).all()
        given += cells[0] != cells[1]
    assert given


@BOTH
def test_no_province_and_no_cell_are_no_fault(fill):
    for shape in ((2, 3), (2, 70), (0, 3), (3, 0)):
        nothing = np.zeros(0, int), np.zeros(0)
        found = fill(np.ones(shape), np.ones(shape, bool), np.ones(shape, int), np.ones(shape[0]), *nothing)
        assert found[0].shape == shape and not found[0].any() and not found[1].any() and found[2].size == 0
        found = fill(
            np.ones(shape), np.zeros(shape, bool), np.ones(shape, int), np.ones(shape[0]), np.ones(1, int), np.ones(1)
        )
        assert found[2].tolist() == [0] and found[3].tolist() == [0.0] and found[4].tolist() == [-1.0]


def test_little_more_memory_is_taken_than_the_answer_needs(monkeypatch):
    monkeypatch.setenv("REFIMPL_THREADS", "2")
    grid = Grid(ALBERS_CHINA, (0.0, 0.0, 500.0, -500.0), (2500, 2000))
    weights = Raster(np.ones(grid.shape, np.float32), np.ones(grid.shape, bool), grid, "1")
    zones = np.repeat(np.arange(2500)[:, None] // 100 + 1, 2000, axis=1).astype(np.uint8)
    allocate(weights, zones, {1: 2.0, 3: 5.0})  # compiled
    tracemalloc.start()
    got = allocate(weights, zones, {1: 2.0, 3: 5.0})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    answer = got.emission.values.nbytes + got.emission.valid.nbytes
    # Two threads list the runs of half a million cells each, 16 bytes a cell; a map of doubles would be 40 MB.
    assert peak < answer + 2 * 2**19 * 16 + 4e6


@pytest.mark.filterwarnings("ignore::refimpl.errors.DataWarning")
def test_codes_of_six_digits_and_negative_codes_are_told_apart():
    zones = np.array([[110000, 110000, 659000], [-4, 0, 659000]])
    got = allocate(density([[1, 3, 2], [2, 4, 2]]), zones, {110000: 8.0, 659000: 40.0, -4: 1.0, 0: 2.0})
    assert got.emission.values.tolist() == [[2.0, 6.0, 20.0], [0.0, 0.0, 20.0]]
    assert got.emission.valid.tolist() == [[True, True, True], [False, False, True]]
    assert got.balance.codes.tolist() == [110000, 659000]
