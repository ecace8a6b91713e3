"""Zonal sums and statistics by hand, in exact arithmetic, and on the sample against published totals."""

import csv
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from refimpl.raster.geotiff import read_raster
from refimpl.raster.grid import Grid, Raster
from refimpl.raster.projection import ALBERS_CHINA, WGS84
from refimpl.raster.zonal import rank_drivers, zonal_statistics, zonal_sums
from refimpl.twins import backend

SAMPLE = Path(__file__).parent.parent / "golden" / "china-10km"
BOTH = pytest.mark.parametrize("sums", [zonal_sums.reference, zonal_sums.kernel], ids=["reference", "kernel"])


@BOTH
def test_sums_by_hand(sums):
    values = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    zones = np.array([[1, 0, 3], [3, 3, 1]], np.uint8)
    assert sums(values, zones, np.array([1.0, 0.5]), 5).tolist() == [0, 1 + 3, 0, 3 + 2 + 2.5, 0]


@BOTH
def test_large_terms_that_cancel_lose_nothing(sums):
    values = np.array([[1e16, 1.0, -1e16, 1.0, 3e-17]])
    assert sums(values, np.ones((1, 5), int), np.ones(1), 2)[1] == 2.0


@BOTH
def test_the_order_of_the_cells_does_not_change_the_sum_beyond_an_ulp(sums):
    random = np.random.Generator(np.random.PCG64(1))
    values = 10.0 ** random.uniform(-8, 8, (40, 50))
    exact = float(sum(Fraction(v) for v in values.ravel().tolist()))
    for _ in range(5):
        found = sums(random.permutation(values.ravel()).reshape(40, 50), np.ones((40, 50), np.int32), np.ones(40), 2)[1]
        assert abs(found - exact) <= math.ulp(exact)


@pytest.mark.parametrize("dtype", ["float64", "float32", "uint8"])
@pytest.mark.parametrize("codes", ["uint8", "int64"])
@pytest.mark.parametrize("shape", [(1, 1), (13, 7), (1, 101), (64, 33)])
def test_the_kernel_agrees_with_the_reference(shape, codes, dtype):
    random = np.random.Generator(np.random.PCG64(2))
    values, weights = (100 * random.random(shape)).astype(dtype), random.random(shape[0])
    for zones in (random.integers(0, 66, shape), np.zeros(shape, int), np.full(shape, 65)):
        zones = zones.astype(codes)
        ours, twins = (sums(values, zones, weights, 66) for sums in (zonal_sums.reference, zonal_sums.kernel))
        np.testing.assert_array_almost_equal_nulp(ours, twins, 1)  # both are the exact sum but for the last bit


@BOTH
def test_codes_and_shapes_that_do_not_fit_are_refused(sums):
    values = np.ones((2, 2))
    for zones, weights, n_zones in (
        (np.array([[0, 3], [1, 1]]), np.ones(2), 3),
        (np.array([[0, -1], [1, 1]]), np.ones(2), 3),
        (np.ones((2, 3), int), np.ones(2), 3),
        (np.ones((2, 2), int), np.ones(3), 3),
    ):
        with pytest.raises(ValueError):
            sums(values, zones, weights, n_zones)


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
