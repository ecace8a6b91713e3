"""Eq. 3 and D20-D22: hand-computed examples, and mass balance on random maps."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refimpl.allocation import allocate, per_km2, share_out
from refimpl.errors import DataWarning, InputError
from refimpl.raster.grid import Grid, Raster
from refimpl.raster.projection import ALBERS_CHINA, WGS84

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
    cells = share_out(weights, total)
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
    plain = np.array([1.0, 7.0, 2.0]) / 7.0 * (0.1 / math.fsum(np.array([1.0, 7.0, 2.0]) / 7.0))
    assert (cells != plain).sum() <= 1 and cells[[0, 2]].tolist() == plain[[0, 2]].tolist()


def test_per_km2_turns_1e4_tonnes_of_a_quarter_square_kilometre_into_tonnes_per_km2():
    cell = Raster(np.array([[0.5]]), np.ones((1, 1), bool), Grid(ALBERS_CHINA, (0.0, 0.0, 500.0, -500.0), (1, 1)), "")
    assert per_km2(cell).values[0, 0] == 20000.0
