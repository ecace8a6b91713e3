"""The comparator: what must fail fails and says why; what passes reports how near the limit it came."""

import math

import numpy as np
import pytest

from refimpl.conformance.case import Expectation
from refimpl.conformance.compare import compare
from refimpl.conformance.invariants import hold
from refimpl.conformance.task import Task
from refimpl.conformance.ulp import ulp_distance
from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA, CRS, WGS84
from refimpl.formats.writing import write_raster

A = np.array([[1.0, 2.0, 4.0], [8.0, 16.5, 32.0]])
CELLWISE = ("exact", "ulp", "abs", "rel", "scaled")
ALL = (*CELLWISE, "rms", "psnr")


def expectation(cmp="rel", limit=1e-9, of="a.npy"):
    return Expectation(of, cmp, (40.0, 400.0) if cmp == "psnr" else float(limit), "a reason")


def judged(expected, got, cmp="rel", limit=1e-9):
    return compare(expectation(cmp, limit), expected, got)


def raster(values, valid=True, crs=ALBERS_CHINA, transform=(0.0, 0.0, 1000.0, -2000.0)):
    values = np.asarray(values)
    return Raster.masked(values, np.broadcast_to(valid, values.shape), Grid(crs, transform, values.shape))


@pytest.mark.parametrize("cmp", ALL)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_fails_every_comparator_whatever_the_limit(cmp, bad):
    got = A.copy()
    got[1, 2] = bad
    one = judged(A, got, cmp, 1e300)
    assert not one.passed and one.cell == "row 1, column 2" and one.ulp is None
    assert not judged(got, A, cmp, 1e300).passed


@pytest.mark.parametrize("cmp", CELLWISE + ("rms",))
def test_nan_equals_nan_and_an_infinity_itself_but_not_its_negative(cmp):
    expected = np.array([math.nan, math.inf, 1.0])
    assert judged(expected, expected.copy(), cmp).passed
    assert not judged(expected, np.array([math.nan, -math.inf, 1.0]), cmp, 1e300).passed
    assert not judged(expected, np.array([math.inf, math.nan, 1.0]), cmp, 1e300).passed


@pytest.mark.parametrize("cmp", CELLWISE)
def test_everything_nan_fails(cmp):
    assert not judged(A, np.full_like(A, math.nan), cmp, 1e300).passed


def test_a_wrong_shape_fails_and_is_named():
    assert judged(A, A[:1]).sentence == "its shape is (1, 3), expected (2, 3)"
    assert judged(A, A[None]).sentence.startswith("its shape is (1, 2, 3), expected (2, 3)")
    assert "numbers are right in another shape" in judged(A, A.ravel()).sentence


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.uint8, bool])
def test_a_wrong_type_fails_and_is_named(dtype):
    wrong = judged(np.ones((2, 3)), np.ones((2, 3), dtype))
    assert wrong.sentence == f"its type is {np.dtype(dtype)}, expected float64"


TURNED = {
    "it is the transpose of what was expected": lambda a: a.T,
    "it is flipped north-south": lambda a: a[::-1],
    "it is flipped east-west": lambda a: a[:, ::-1],
    "it is turned by 180 degrees": lambda a: a[::-1, ::-1],
    "it is turned by 90 degrees anticlockwise": lambda a: np.rot90(a),
    "it is turned by 90 degrees clockwise": lambda a: np.rot90(a, -1),
}


@pytest.mark.parametrize("sentence", TURNED)
@pytest.mark.parametrize("square", [False, True])
def test_a_turned_or_mirrored_array_fails_and_is_recognised(sentence, square):
    expected = np.arange(9.0).reshape(3, 3) ** 2 if square else A
    assert sentence in judged(expected, TURNED[sentence](expected)).sentence


def test_a_flipped_raster_with_a_mask_is_recognised_although_its_mask_differs():
    valid = np.array([[True, True, False], [True, True, True]])
    one = judged(raster(A, valid), raster(A[::-1], valid[::-1]))
    assert one.sentence.endswith("it is flipped north-south")
    assert one.sentence.startswith("its mask differs at 2 cells, first at row 0, column 2, which has a value")


def test_a_mask_that_differs_fails_and_its_first_cell_is_named():
    one = judged(raster(A), raster(A, np.arange(6).reshape(2, 3) != 4))
    sentence = "its mask differs at 1 cells, first at row 1, column 1, which has none where one is expected"
    assert one.sentence == sentence and one.at == (1, 1)


def test_nodata_read_as_zero_fails_by_its_mask():
    valid = np.arange(6).reshape(2, 3) != 4
    assert "its mask differs" in judged(raster(A, valid), raster(np.where(valid, A, 0.0))).sentence


def test_the_worst_cell_of_a_raster_is_named_by_its_place_among_all_cells():
    valid = np.array([[False, True, True], [True, True, True]])
    got = A.copy()
    got[1, 0] += 1
    one = judged(raster(A, valid), raster(got, valid))
    assert (one.at, one.cell, one.expected, one.got) == ((1, 0), "row 1, column 0", 8.0, 9.0)


def test_invalid_cells_take_no_part_in_rms_and_psnr():
    valid = np.array([[True, False, False, False]])
    expected, got = raster(np.array([[4.0, 0, 0, 0]]), valid), raster(np.array([[4.4, 0, 0, 0]]), valid)
    assert judged(expected, got, "psnr").measured == pytest.approx(20.0)
    assert judged(expected, got, "rms").measured == pytest.approx(0.1)


def test_another_crs_transform_or_type_of_a_raster_fails_and_is_named():
    assert "its CRS is geographic" in judged(raster(A), raster(A, crs=WGS84, transform=(0, 0, 1, -1))).sentence
    sentence = judged(raster(A), raster(A, transform=(500.0, 0.0, 1000.0, -2000.0))).sentence
    assert sentence == "its transform has x0 = 500.0, expected 0.0"
    assert "its type is float32" in judged(raster(A), raster(A.astype(np.float32))).sentence


def test_a_transform_may_be_off_by_less_than_a_millionth_of_a_cell_and_parallels_swapped():
    near = raster(A, transform=(0.0009, 0.0, 1000.0000009, -2000.0))
    assert judged(raster(A), near).passed
    assert not judged(raster(A), raster(A, transform=(0.0011, 0.0, 1000.0, -2000.0))).passed
    assert judged(raster(A), raster(A, crs=CRS("albers", parallels=(47, 25), central_meridian=105))).passed


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_one_ulp_beyond_the_limit_fails_and_at_the_limit_passes(limit):
    expected = np.array([1.0, -0.25, 3e-320, 1e300])
    got = expected.copy()
    for _ in range(limit):
        got = np.nextafter(got, np.inf)
    assert judged(expected, got, "ulp", limit).passed
    got[2] = np.nextafter(got[2], np.inf)
    one = judged(expected, got, "ulp", limit)
    assert not one.passed and (one.at, one.ulp, one.measured) == ((2,), limit + 1, limit + 1)


def test_exact_forgives_the_sign_of_zero_and_nothing_else():
    assert judged(np.array([0.0, 1.0]), np.array([-0.0, 1.0]), "exact").passed
    assert not judged(np.array([0.0, 1.0]), np.array([5e-324, 1.0]), "exact").passed


def test_ulps_are_counted_across_zero_and_in_float32():
    assert int(ulp_distance(np.float64(-5e-324), np.float64(5e-324))) == 2
    assert int(ulp_distance(np.float32(1), np.nextafter(np.float32(1), np.float32(2)))) == 1
    assert int(ulp_distance(np.float64(-1.7e308), np.float64(1.7e308))) > 2**62


@pytest.mark.parametrize("cmp,limit,step", [("abs", 0.5, 0.5), ("rel", 0.25, 0.5), ("scaled", 0.125, 0.5)])
def test_a_limit_is_met_at_its_value_and_failed_just_beyond(cmp, limit, step):
    expected = np.array([2.0, -4.0])
    assert judged(expected, expected + [step, 0], cmp, limit).passed
    assert not judged(expected, expected + [step * (1 + 1e-9), 0], cmp, limit).passed


def test_any_value_is_too_far_from_an_expected_zero_by_rel():
    one = judged(np.array([0.0, 1.0]), np.array([1e-300, 1.0]), "rel", 1e6)
    assert not one.passed and one.measured == math.inf


def test_rms_is_judged_as_a_whole():
    got = A.copy()
    got[0, 0] = 1.001
    size = 0.001 / math.sqrt((A**2).sum())
    assert judged(A, got, "rms", size * 1.01).passed
    one = judged(A, got, "rms", size * 0.99)
    assert one.sentence.startswith("it is beyond the limit as a whole") and one.cell == "row 0, column 0"


def test_psnr_must_lie_within_its_band_on_both_sides():
    noisy = A + 0.01
    db = 20 * math.log10(32 / 0.01)
    for low, high, passed in ((db - 1, db + 1, True), (db + 1, db + 2, False), (db - 2, db - 1, False)):
        one = compare(Expectation("a.npy", "psnr", (low, high), ""), A, noisy)
        assert one.passed is passed and one.measured == pytest.approx(db)
    assert not compare(Expectation("a.npy", "psnr", (1.0, 99.0), ""), A, A).passed


def test_the_largest_difference_is_reported_on_success_too():
    got = A.copy()
    got[1, 1] *= 1 + 1e-12
    one = judged(A, got)
    assert one.passed and one.cell == "row 1, column 1" and 0 < one.measured < 2e-12 and one.ulp > 0
    assert (one.expected, one.got) == (16.5, got[1, 1])


@pytest.mark.parametrize(
    "wrong,words",
    [
        (A * 12 / 44, "every value is 44/12 (C and CO2) times too small"),
        (A * 1e4, "every value is 10^4 times too large"),
        (-A, "every value has the wrong sign"),
        (A * 1.7, "every value is 1.7 times what was expected"),
        (A * 0, "every value is 0"),
        (A + 3, "every value is 3 too large"),
    ],
)
def test_a_constant_factor_or_summand_is_recognised(wrong, words):
    assert judged(A, wrong).sentence.endswith(words)


def test_a_shift_by_a_cell_is_recognised():
    field = np.random.default_rng(0).random((6, 7))
    assert "shifted one row to the south" in judged(field[1:5, 1:6], field[0:4, 1:6]).sentence
    both = judged(field[1:5, 1:6], field[2:6, 2:7]).sentence
    assert "shifted one row to the north and one column to the west" in both


def test_integers_and_booleans_must_be_equal_whatever_the_limit():
    assert not judged(np.array([1, 2]), np.array([1, 3]), "abs", 10).passed
    assert not judged(np.array([True, False]), np.array([True, True]), "rel", 10).passed


def table():
    return {"code": np.array([11, 12, 13]), "name": ["a", "b", "c"], "emission": np.array([1.5, math.nan, 2.5])}


def test_columns_may_come_in_any_order_but_none_may_miss_or_be_too_many():
    assert judged(table(), dict(reversed(table().items()))).passed
    short = table()
    del short["emission"]
    assert judged(table(), short).sentence == "column 'emission' is missing; its columns are 'code', 'name'"
    assert judged(table(), table() | {"extra": ["", "", ""]}).sentence.startswith("column 'extra' is not expected")


def test_a_missing_last_key_fails_and_is_named():
    short = {name: column[:-1] for name, column in table().items()}
    assert judged(table(), short).sentence == "it has 2 rows, expected 3: the row with code 13 is missing"
    assert judged(short, table()).sentence == "it has 3 rows, expected 2: the row with code 13 is not expected"


def test_rows_in_another_order_fail_and_are_recognised():
    other = {name: column[::-1] for name, column in table().items()}
    assert judged(table(), other).sentence == "its rows are in another order, by code, name"


def test_a_wrong_cell_of_a_table_is_named_by_column_and_key():
    got = table()
    got["emission"][2] = 2.6
    one = judged(table(), got)
    assert one.cell == "column 'emission', row 3 (code 13)" and one.got == 2.6


def test_an_empty_cell_equals_only_an_empty_cell():
    got = table()
    got["emission"][1] = 0.0
    assert not judged(table(), got, "abs", 1e300).passed
    got["emission"][1:] = math.nan
    assert not judged(table(), got, "abs", 1e300).passed


def test_text_and_whole_numbers_of_a_table_must_be_equal():
    for name, wrong in (("name", ["a", "b", "d"]), ("code", np.array([11, 12, 14])), ("emission", ["x", "", "2.5"])):
        assert f"column {name!r}" in judged(table(), table() | {name: wrong}, "abs", 100).sentence


def test_where_whole_numbers_are_expected_a_loose_limit_forgives_no_fraction():
    expected = {"layer": np.array([1, 2])}
    assert judged(expected, {"layer": np.array([1.0, 2.0])}, "rel", 0.2).passed
    one = judged(expected, {"layer": np.array([1.1, 2.0])}, "rel", 0.2)
    assert (one.passed, one.cmp, one.limit) == (False, "exact", 0.0)


def test_whole_numbers_pass_for_floats_where_they_are_right():
    assert judged({"total": np.array([1.0, 2.0])}, {"total": np.array([1, 2])}, "exact").passed


def test_another_kind_of_answer_fails():
    assert judged(A, table()).sentence == "it is a table, expected an array"


def allocation_task(tmp_path, totals="code,total\n11,1\n12,2\n13,5\n"):
    (tmp_path / "cells.csv").write_text("code,weight,area_km2\n11,1,1\n11,1,1\n12,1,1\n11,1,1\n")
    (tmp_path / "totals.csv").write_text(totals)
    return Task("toy", "allocate_cells", {}, tmp_path, ("cells.csv", "totals.csv"), ("emission.csv",))


def sums(task, emission, limit=0):
    answers = {"emission.csv": {"code": np.array([11, 11, 12, 11]), "emission": np.array(emission)}}
    return hold(Expectation("emission.csv", "province_sums", float(limit), "Eq. 3"), answers, task)


def test_province_sums_are_exact_sums_rounded_once(tmp_path):
    task = allocation_task(tmp_path)
    assert sums(task, [1.0, 1e-17, 2.0, -1e-17]).passed
    off = sums(task, [1 / 3, 1 / 3, 2.0, 1 / 3 + 3e-16])
    assert not off.passed and off.cell == "province 11"
    assert sums(task, [0.25, 0.25, np.nextafter(2.0, 3), 0.5], 1).passed


def test_a_province_with_an_empty_cell_has_no_sum(tmp_path):
    one = sums(allocation_task(tmp_path), [0.25, math.nan, 2.0, 0.5], 1e18)
    assert not one.passed and one.measured == math.inf


def test_province_sums_of_a_raster_use_the_zones(tmp_path):
    zones = np.array([[11, 11, 12], [11, 0, 12]], np.uint8)
    write_raster(tmp_path / "zones.tif", raster(zones))
    (tmp_path / "totals.csv").write_text("code,total\n11,11\n12,36\n")
    task = Task("toy", "allocate", {}, tmp_path, ("zones.tif", "totals.csv"))
    rule = Expectation("emission", "province_sums", 0.0, "")
    assert hold(rule, {"emission.tif": raster(A, zones > 0)}, task).passed
    assert not hold(rule, {"emission.tif": raster(A * 2, zones > 0)}, task).passed


def test_block_means_are_those_of_the_coarse_map_less_its_minimum(tmp_path):
    coarse = np.array([[3.0, 5.0, 4.0]])
    write_raster(tmp_path / "coarse.tif", raster(coarse, np.array([[True, True, False]])))
    task = Task("toy", "super_resolve", {}, tmp_path, ("coarse.tif",))
    rule = Expectation("weights.tif", "block_mean", 1e-6, "")
    right = np.array([[0.0, 0.0, 1.0, 3.0, 9.0, 9.0], [0.0, 0.0, 3.0, 1.0, 9.0, 9.0]])
    assert hold(rule, {"weights.tif": raster(right)}, task).passed
    assert not hold(rule, {"weights.tif": raster(right + 0.01)}, task).passed
    assert "shape" in hold(rule, {"weights.tif": raster(right[:, :4])}, task).sentence


def test_not_negative_means_not_below_minus_the_limit():
    rule, task = Expectation("a.npy", "not_negative", 1e-9, ""), Task("toy", "median")
    assert hold(rule, {"a.npy": A - 1.0}, task).passed
    assert not hold(rule, {"a.npy": A - 1.1}, task).passed
    assert not hold(rule, {"a.npy": np.array([1.0, math.nan])}, task).passed
    assert "there is no output that can be read" in hold(rule, {}, task).sentence


def test_single_precision_is_recognised():
    expected = np.array([[0.1, 0.2], [0.3, 0.7]])
    assert judged(expected, expected.astype(np.float32).astype(float)).sentence.endswith("float32, expected float64")
