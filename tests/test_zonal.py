"""Zonal sums and statistics by hand, in exact arithmetic, and on the sample against published totals."""

import csv
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA, WGS84
from refimpl.errors import InputError
from refimpl.formats.geotiff import read_raster
from refimpl.method.province_totals import rank_drivers, zonal_sums
from refimpl.twins import backend
from refimpl.windows.zonal_statistics import zonal_statistics

SAMPLE = Path(__file__).parent.parent / "golden" / "china-10km"
BOTH = pytest.mark.parametrize("sums", [zonal_sums.reference, zonal_sums.kernel], ids=["reference", "kernel"])


def everywhere(values):
    return np.ones(np.shape(values), bool)


@BOTH
def test_sums_by_hand(sums):
    values = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    valid = np.array([[True, True, True], [True, False, True]])
    zones = np.array([[1, 0, 3], [3, 3, 1]], np.uint8)
    codes, totals, areas, counts = sums(values, valid, zones, np.array([1.0, 0.5]))
    assert codes.tolist() == [1, 3] and codes.dtype == np.int64
    assert totals.tolist() == [1 + 3, 3 + 2] and areas.tolist() == [1.5, 1.5] and counts.tolist() == [2, 2]


@BOTH
def test_large_terms_that_cancel_lose_nothing(sums):
    values = np.array([[1e16, 1.0, -1e16, 1.0, 3e-17]])
    for repeats in (1, 13, 40):  # runs shorter and longer than a vector of cells
        many = np.tile(values, repeats)
        assert sums(many, everywhere(many), np.ones(many.shape, int), np.ones(1))[1][0] == 2.0 * repeats


@BOTH
def test_what_rounding_leaves_of_one_zone_does_not_reach_the_next(sums):
    values = np.array([[1e16] * 32 + [1.0] * 32 + [0.0] * 64])  # 1e16 + 1 is no double
    zones = np.repeat([[3, 4]], 64, axis=1)
    assert sums(values, everywhere(values), zones, np.ones(1))[1].tolist() == [32e16 + 32, 0.0]


@BOTH
def test_parts_of_a_raster_that_cancel_lose_nothing(sums):
    values = np.zeros((4, 300_001))  # a row is a part
    values[:, 7] = 1e16, 1.0, -1e16, 3e-17
    assert sums(values, everywhere(values), np.ones(values.shape, np.uint8), np.ones(4))[1].tolist() == [1.0]


@BOTH
def test_the_order_of_the_cells_does_not_change_the_sum_beyond_an_ulp(sums):
    random = np.random.Generator(np.random.PCG64(1))
    values = 10.0 ** random.uniform(-8, 8, (40, 50))
    exact = float(sum(Fraction(v) for v in values.ravel().tolist()))
    for _ in range(5):
        shuffled = random.permutation(values.ravel()).reshape(40, 50)
        found = sums(shuffled, everywhere(values), np.ones((40, 50), np.int32), np.ones(40))[1][0]
        assert abs(found - exact) <= math.ulp(exact)


@BOTH
def test_what_an_invalid_cell_holds_does_not_matter(sums):
    values = np.array([[1.0, np.nan, np.inf, 4.0] * 20])
    codes, totals, areas, counts = sums(values, np.isfinite(values), np.full((1, 80), 7), np.array([0.5]))
    assert (codes.tolist(), totals.tolist(), areas.tolist(), counts.tolist()) == ([7], [50.0], [20.0], [40])


def by_definition(values, valid, zones, weights):
    """Cell by cell: lists of products and weights for each code, then math.fsum."""
    table = {int(code): ([], []) for code in np.unique(zones) if code}
    for (row, col), code in np.ndenumerate(zones):
        if code and valid[row, col]:
            table[int(code)][0].append(float(values[row, col]) * float(weights[row]))
            table[int(code)][1].append(float(weights[row]))
    rows = [(code, math.fsum(a), math.fsum(b), len(a)) for code, (a, b) in sorted(table.items())]
    return [np.array(column) for column in zip(*rows)] or [np.zeros(0)] * 4


blobs = st.integers(0, 2**32 - 1).map(np.random.default_rng)


@settings(max_examples=120, deadline=None)
@given(
    blobs, st.integers(1, 9), st.sampled_from([1, 2, 31, 32, 33, 64, 65, 200]), st.integers(1, 90),
    st.sampled_from(["uint8", "int16", "int64"]), st.sampled_from(["float32", "float64", "int32", "uint8"]),
    st.sampled_from([0.0, 0.02, 0.5, 1.0]), st.sampled_from([1, 200, 110000]), st.sampled_from([0, 40, -1060]),
    st.sampled_from([(1, 2), (0, 2), (0, 100)]),
)  # fmt: skip
def test_sums_are_those_of_math_fsum(rng, rows, cols, length, codes, dtype, holes, scale, powers, between):
    scale = 1 if codes != "int64" else scale
    zones = scale * np.repeat(rng.integers(*between, (rows, cols)), length, axis=1)[:, :cols].astype(codes)
    valid = np.repeat(rng.random((rows, cols)) >= holes, 1 + length // 3, axis=1)[:, :cols]
    values = 200 * rng.random((rows, cols))
    if dtype == "float64":  # 40: sixteen orders of magnitude and both signs; -1060: denormals
        values = (values - 100) * 2.0 ** rng.uniform(min(powers, 0), max(powers, 0), values.shape)
    values, weights = values.astype(dtype), rng.random(rows)
    found = zonal_sums.kernel(values, valid, zones, weights)
    expected = by_definition(values, valid, zones, weights)
    assert np.array_equal(found[0], expected[0]) and np.array_equal(found[3], expected[3])
    # A pair of doubles holds 100 bits of the sum of sizes: rounded, it is the exact sum but for the last bit.
    for ours, exact in zip(found[1:3], expected[1:3]):
        sizes = by_definition(np.abs(values.astype(float)), valid, zones, weights)[1]
        assert (np.abs(ours - exact) <= np.spacing(np.abs(exact)) + 2.0**-95 * sizes).all()


@pytest.mark.parametrize("shape", [(1, 1), (700, 1001), (3, 300_001), (600_001, 1)])
@pytest.mark.parametrize("order", ["blobs", "random", "six digits"])
def test_any_number_of_threads_gives_the_same_bytes(monkeypatch, shape, order):
    rng = np.random.default_rng(6)
    zones = rng.integers(0, 35, shape)
    if order != "random":
        zones = np.repeat(np.repeat(zones, 90, axis=0)[: shape[0]], 90, axis=1)[:, : shape[1]]
    zones = zones * 10007 if order == "six digits" else zones.astype(np.uint8)
    values, valid, weights = rng.random(shape, np.float32), rng.random(shape) > 0.1, rng.random(shape[0])
    answers = set()
    for threads in ("1", "2", "3", "8"):
        monkeypatch.setenv("REFIMPL_THREADS", threads)
        answers.add(b"".join(each.tobytes() for each in zonal_sums.kernel(values, valid, zones, weights)))
    assert len(answers) == 1


@BOTH
def test_arrays_of_any_layout_and_byte_order_are_taken(sums):
    rng = np.random.default_rng(7)
    values, valid, zones = rng.random((40, 50)), rng.random((40, 50)) > 0.2, rng.integers(0, 4, (40, 50))
    expected = sums(values, valid, zones, np.ones(40))
    for change in (np.asfortranarray, lambda a: np.repeat(a, 2, axis=1)[:, ::2], lambda a: a[::-1].copy()[::-1]):
        for ours, theirs in zip(sums(change(values), change(valid), change(zones), np.ones(40)), expected):
            assert np.array_equal(ours, theirs)
    assert np.array_equal(sums(values.astype(">f8"), valid, zones.astype(">i4"), np.ones(40))[1], expected[1])


@BOTH
def test_a_raster_without_zones_or_cells_has_no_sums(sums):
    for shape in ((2, 3), (0, 3), (3, 0)):
        found = sums(np.ones(shape), np.ones(shape, bool), np.zeros(shape, np.uint8), np.ones(shape[0]))
        assert [each.size for each in found] == [0, 0, 0, 0]


@BOTH
def test_codes_and_shapes_that_do_not_fit_are_refused(sums):
    values, valid = np.ones((2, 2)), np.ones((2, 2), bool)
    for zones, weights in (
        (np.array([[0, -1], [1, 1]]), np.ones(2)),
        (np.ones((2, 3), int), np.ones(2)),
        (np.ones((2, 2), int), np.ones(3)),
    ):
        with pytest.raises(ValueError):
            sums(values, valid, zones, weights)


def test_statistics_by_hand_on_cells_of_four_square_kilometres():
    grid = Grid(ALBERS_CHINA, (0, 0, 2000, -2000), (2, 3))
    known = [[True, True, False], [True, True, True]]
    density = Raster.masked([[1.0, 3.0, 5.0], [7.0, 9.0, 11.0]], known, grid, "persons/km2")
    zones = Raster.masked([[11, 11, 11], [0, 65, 12]], [[True, True, True], [True, True, False]], grid)
    zones.values[1, 2] = 0
    found = zonal_statistics(density, zones)
    assert found.codes.tolist() == [11, 65] and found.codes.dtype == np.int64
    assert found.total.tolist() == [16.0, 36.0]
    assert found.mean.tolist() == [2.0, 9.0]
    assert found.count.tolist() == [2, 1]
    assert found.area_km2.tolist() == [8.0, 4.0]


def test_a_zone_without_a_valid_cell_is_listed_with_nothing():
    grid = Grid(ALBERS_CHINA, (0, 0, 1000, -1000), (1, 2))
    density = Raster.masked([[1.0, 0.0]], [[True, False]], grid)
    found = zonal_statistics(density, Raster(np.array([[1, 2]]), np.ones((1, 2), bool), grid))
    assert found.total.tolist() == [1.0, 0.0] and found.count.tolist() == [1, 0]
    assert found.mean[0] == 1.0 and np.isnan(found.mean[1])
    nothing = zonal_statistics(density, Raster(np.zeros((1, 2), int), np.ones((1, 2), bool), grid))
    assert nothing.codes.size == nothing.total.size == nothing.mean.size == 0


@pytest.mark.parametrize("name", ["numpy", "numba"])
@pytest.mark.parametrize("largest", [[-1.7976931348623157e308] * 2, [1.7e308, -1.7e308]], ids=["one sign", "two signs"])
def test_a_total_beyond_all_numbers_is_one_sentence(name, largest):
    grid = Grid(ALBERS_CHINA, (0, 0, 2000, -2000), (1, 3))
    density = Raster(np.array([[1.0, *largest]]), np.ones((1, 3), bool), grid)  # such a fill value that is not declared
    zones = Raster(np.array([[11, 12, 12]]), np.ones((1, 3), bool), grid)
    with backend(name), pytest.raises(InputError, match="zone 12: its total is larger .* declare it"):
        zonal_statistics(density, zones)


def test_on_a_geographic_grid_the_total_uses_the_true_area_of_each_row():
    grid = Grid(WGS84, (100, 54, 1, -36), (1, 1))
    rows = Grid(WGS84, (100, 54, 1, -1), (36, 1))

    def ones(on, dtype):
        return Raster(np.ones(on.shape, dtype), np.ones(on.shape, bool), on)

    one, many = (zonal_statistics(ones(on, float), ones(on, int)) for on in (grid, rows))
    assert one.total[0] == pytest.approx(many.total[0], rel=1e-12)  # q differences lose 3 digits of 16
    assert rows.cell_areas()[-1] / rows.cell_areas()[0] == pytest.approx(1.6, abs=0.03)  # D03


def test_zones_on_another_grid_are_refused_unless_they_are_to_be_aligned():
    density = Raster(np.array([[1.0, 2.0]]), np.ones((1, 2), bool), Grid(ALBERS_CHINA, (0, 0, 2000, -2000), (1, 2)))
    halves = Grid(ALBERS_CHINA, (0, 0, 1000, -1000), (2, 4))
    fine = Raster(np.array([[1, 1, 2, 2]] * 2, np.uint8), np.ones((2, 4), bool), halves)
    with pytest.raises(ValueError, match="different grids"):
        zonal_statistics(density, fine)
    assert zonal_statistics(density, fine, align=True).total.tolist() == [4.0, 8.0]
    with pytest.raises(ValueError, match="integer codes"):
        zonal_statistics(density, density)
    negative = Raster(np.array([[-1, 1]]), np.ones((1, 2), bool), density.grid)
    with pytest.raises(ValueError, match="from 0 up"):
        zonal_statistics(density, negative)


def test_drivers_are_ranked_by_the_size_of_r_whatever_its_sign():
    emission = np.array([1.0, 2.0, 3.0, 4.0])
    totals = {"flat": np.ones(4), "weak": np.array([1.0, 3.0, 2.0, 4.0]), "against": -emission}
    ranked = rank_drivers(totals, emission)
    assert [name for name, _ in ranked] == ["against", "weak", "flat"]
    assert ranked[0][1] == pytest.approx(-1) and ranked[1][1] == pytest.approx(0.8) and np.isnan(ranked[2][1])


@pytest.mark.skipif(not SAMPLE.is_dir(), reason="the sample case is not in this copy")
@pytest.mark.parametrize("year", [2005, 2010])
@pytest.mark.parametrize("driver, column, factor", [("population", "population_1e4", 1e4), ("gdp", "gdp_1e8yuan", 1e4)])
def test_province_totals_of_the_sample_agree_with_the_published_ones(driver, column, factor, year):
    zones = read_raster(SAMPLE / "provinces_30arcsec.tif")
    found = zonal_statistics(read_raster(SAMPLE / f"{driver}_{year}.tif"), zones, align=True)
    with open(SAMPLE / "provinces.csv", newline="", encoding="utf-8") as handle:
        rows = [row for row in csv.DictReader(handle) if int(row["year"]) == year]
    published = {int(row["code"]): factor * float(row[column]) for row in rows}
    totals = dict(zip(found.codes.tolist(), found.total.tolist()))
    off = np.array([totals[code] / published[code] - 1 for code in published])
    assert len(published) == 30
    # 2.3 % is the bound stated with the data: cell-centre zones against the zones that the rasters were scaled in.
    assert np.abs(off).max() < 0.023 and np.median(np.abs(off)) < 0.005


def test_the_backend_does_not_change_the_statistics():
    random = np.random.Generator(np.random.PCG64(4))
    grid = Grid(WGS84, (100, 40, 0.1, -0.1), (30, 20))
    density = Raster.masked(random.random(grid.shape, np.float32), random.random(grid.shape) > 0.2, grid)
    zones = Raster(random.integers(0, 5, grid.shape), np.ones(grid.shape, bool), grid)
    with backend("numpy"):
        reference = zonal_statistics(density, zones)
    kernel = zonal_statistics(density, zones)
    for name in ("codes", "total", "mean", "count", "area_km2"):
        np.testing.assert_allclose(getattr(kernel, name), getattr(reference, name), rtol=1e-15)
