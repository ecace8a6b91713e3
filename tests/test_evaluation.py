"""Land covers (D23), other inventories (D24), accuracy and the comparison: hand-computed."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA, WGS84
from refimpl.errors import InputError
from refimpl.evaluation.accuracy import accuracy_by_province, totals_accuracy
from refimpl.evaluation.other_inventories import ffdas_density, odiac_density
from refimpl.evaluation.scorecard import comparison_table, judge_all, one_factor, province_sums
from refimpl.method.land_cover import LAND_COVERS, land_cover_shares, land_cover_sums, seven_classes
from refimpl.method.metrics import pearson_r, r_squared

GRID = Grid(ALBERS_CHINA, (0.0, 0.0, 1000.0, -1000.0), (2, 2))


def raster(values, grid=GRID, valid=None):
    values = np.array(values, float)
    return Raster.masked(values, np.ones(values.shape, bool) if valid is None else valid, grid)


def test_every_igbp_class_falls_into_exactly_one_of_the_seven():
    members = sorted(code for codes in LAND_COVERS.values() for code in codes)
    assert members == list(range(18)) and len(LAND_COVERS) == 7


def test_classes_are_those_of_d23():
    names = np.array(list(LAND_COVERS))
    got = names[seven_classes(np.arange(18))].tolist()
    assert got == (
        ["water"] + ["forest"] * 5 + ["shrubland"] * 2 + ["grasslands"] * 3
        + ["water", "croplands", "built-up", "croplands", "water", "bare", "water"]
    )  # fmt: skip


def test_a_class_outside_igbp_is_refused():
    with pytest.raises(InputError, match="class 18"):
        seven_classes(np.array([18]))


def test_shares_of_land_cover_are_parts_of_the_classified_emission():
    emission = np.array([[1.0, 3.0, 4.0], [2.0, 6.0, 100.0]])
    zones = np.array([[11, 11, 11], [12, 12, 0]])
    igbp = np.array([[13, 12, 0], [1, 5, 13]])
    known = np.array([[1, 1, 0], [1, 1, 1]], bool)  # the 4.0 has no land cover
    got = land_cover_shares(emission, np.ones((2, 3), bool), zones, igbp, known)
    column = list(LAND_COVERS).index
    assert got.codes.tolist() == [11, 12]
    assert got.shares[0, column("built-up")] == 0.25 and got.shares[0, column("croplands")] == 0.75
    assert got.shares[1, column("forest")] == 1.0
    assert got.unclassified.tolist() == [0.5, 0.0]
    assert got.mean("built-up") == 0.125


def test_a_province_without_emission_has_no_share():
    got = land_cover_shares(
        np.zeros((1, 1)), np.ones((1, 1), bool), np.array([[11]]), np.array([[13]]), np.ones((1, 1), bool)
    )
    assert np.isnan(got.shares).all()


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1).map(np.random.default_rng), st.integers(0, 9), st.sampled_from([1, 2, 33, 120]),
    st.integers(1, 50), st.sampled_from([np.uint8, np.int16, np.float64]), st.sampled_from([0.0, 0.5, 1.0]),
    st.sampled_from([1, 110000]),
)  # fmt: skip
def test_sums_by_land_cover_are_those_of_math_fsum(rng, rows, cols, length, dtype, holes, scale):
    shape = rows, cols
    zones = scale * np.repeat(rng.integers(-1, 4, shape), length, axis=1)[:, :cols]
    igbp, known = rng.integers(0, 18, shape).astype(dtype), rng.random(shape) >= holes
    if dtype == np.float64:
        igbp[~known] = np.nan
    emission, valid = np.exp(rng.uniform(-60, 60, shape)), rng.random(shape) > 0.2
    codes, sums = land_cover_sums.kernel(emission, valid, zones, igbp, known)
    seven = {code: at for at, members in enumerate(LAND_COVERS.values()) for code in members}
    cells: dict = {}
    for place in np.ndindex(shape):
        if valid[place] and zones[place] > 0:
            column = seven[int(igbp[place])] if known[place] else 7
            cells.setdefault(int(zones[place]), [[] for _ in range(8)])[column].append(float(emission[place]))
    assert codes.tolist() == sorted(cells)
    expected = np.array([[math.fsum(column) for column in cells[code]] for code in sorted(cells)]).reshape(-1, 8)
    assert (np.abs(sums - expected) <= np.spacing(expected)).all()  # 100 bits of the sum, rounded once
    with_reference = land_cover_sums.reference(emission, valid, zones, igbp, known)
    assert np.array_equal(with_reference[0], codes) and np.array_equal(with_reference[1], expected)


def test_land_covers_are_the_same_bytes_for_any_number_of_threads(monkeypatch):
    rng = np.random.default_rng(3)
    zones, igbp = (np.repeat(rng.integers(0, n, (900, 14)), 90, axis=1).astype(np.uint8) for n in (30, 18))
    emission, known, answers = rng.lognormal(0, 3, zones.shape), rng.random(zones.shape) > 0.1, set()
    for threads in ("1", "2", "3", "8"):
        monkeypatch.setenv("REFIMPL_THREADS", threads)
        answers.add(land_cover_sums.kernel(emission, known, zones, igbp, ~known)[1].tobytes())
        answers.add(land_cover_sums.kernel(emission, known, zones, igbp, ~known)[1].tobytes())
    assert len(answers) == 1


@pytest.mark.parametrize("fill", [land_cover_sums.reference, land_cover_sums.kernel], ids=["reference", "kernel"])
@pytest.mark.parametrize("wrong", [18, 255, -1])
def test_a_wrong_class_is_refused_where_it_counts(fill, wrong):
    igbp, yes, zones = np.full((2, 40), 13), np.ones((2, 40), bool), np.full((2, 40), 11)
    igbp[1, 39] = wrong
    with pytest.raises(InputError, match=f"land cover class {wrong}; expected the IGBP classes"):
        fill(np.ones((2, 40)), yes, zones, igbp, yes)
    if wrong > 0:
        with pytest.raises(InputError, match=f"land cover class {wrong};"):
            fill(np.ones((2, 40)), yes, zones, igbp.astype(np.uint8), yes)
    right = igbp == 13
    for valid, inside, known in ((right, zones, yes), (yes, zones * right, yes), (yes, zones, right)):
        assert fill(np.ones((2, 40)), valid, inside, igbp, known)[1][0, 5] == 79


def test_accuracy_by_province_is_that_of_its_own_cells():
    observed = np.array([[0.0, 2.0], [5.0, 7.0]])
    estimated = np.array([[1.0, 2.0], [5.0, 4.0]])
    got = accuracy_by_province(observed, estimated, np.ones((2, 2), bool), np.array([[11, 11], [12, 12]]))
    assert got.mae.tolist() == [0.5, 1.5]
    assert got.rmse.tolist() == pytest.approx([0.5**0.5, 4.5**0.5])
    assert got.r2.tolist() == [1 - 1 / 2, 1 - 9 / 2]
    assert got.overall[1] == 1.0


def test_totals_accuracy_uses_the_provinces_that_both_have():
    assert totals_accuracy({11: 1.0, 12: 3.0, 13: 9.0}, {11: 2.0, 12: 3.0, 99: 1.0})[1] == 0.5


def test_without_correction_one_factor_scales_the_whole_map():
    zones = np.array([[11, 12], [54, 12]])
    got = one_factor(raster([[1, 2], [9, 3]]), zones, {11: 4.0, 12: 8.0, 82: 100.0})
    assert got.values.tolist() == [[2.0, 4.0], [0.0, 6.0]]  # 12 over weights of 6; 82 has no cell, 54 no total
    assert province_sums(got, zones) == {11: 2.0, 12: 10.0}


def test_judge_reports_land_cover_totals_and_cells():
    zones = np.array([[11, 11], [12, 12]])
    emission = raster([[1, 3], [2, 2]])
    land_cover = raster([[13, 1], [13, 13]])
    (judged,) = judge_all({"a": emission}, zones, {11: 4.0, 12: 6.0}, land_cover, emission)
    assert judged.totals[1] == 1.0
    table = comparison_table([judged])
    assert table["built-up_share"] == [(0.25 + 1) / 2] and table["cells_mae_t_per_km2"] == [0.0]
    assert list(map(len, table.values())) == [1] * len(table)


def test_odiac_sums_twelve_months_of_carbon_into_co2_per_km2():
    grid = Grid(WGS84, (105.0, 1.0, 1.0, -1.0), (1, 1))
    months = [raster([[3.0]], grid) for _ in range(12)]
    area = grid.cell_areas()[0]
    assert odiac_density(months, grid).values[0, 0] == pytest.approx(36 * 44 / 12 / area, rel=1e-12)
    with pytest.raises(InputError, match="11 files"):
        odiac_density(months[:11], grid)


def test_ffdas_in_kg_of_carbon_per_m2_becomes_tonnes_of_co2_per_km2():
    # 12 kg C/m2 = 12 million kg per km2 = 12,000 t C = 44,000 t CO2
    assert ffdas_density(raster([[12.0, 12.0], [12.0, 12.0]]), GRID).values[0, 0] == pytest.approx(44000.0, rel=1e-12)


def test_equal_values_have_no_r2_and_no_r_whatever_their_mean_rounds_to():
    same, other = np.full(3, 0.1), np.array([1.0, 2.0, 4.0])  # the mean of the first is not 0.1 in float64
    assert math.isnan(r_squared(same, other)) and math.isnan(pearson_r(same, other))
    assert math.isnan(pearson_r(other, same))
