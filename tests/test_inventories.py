"""Other gridded inventories: units, totals kept, agreement by group, land covers; hand-computed."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from refimpl.cli import main
from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA, MODIS_SINUSOIDAL, WGS84
from refimpl.errors import InputError
from refimpl.evaluation.agreement import compare_inventory
from refimpl.evaluation.land_cover import coarse_shares
from refimpl.evaluation.land_cover_map import land_cover_on
from refimpl.evaluation.other_inventories import ffdas_density, inventory_density, odiac_density
from refimpl.evaluation.other_inventory_tables import inventories_table, land_cover_table, province_table
from refimpl.evaluation.rank_correlation import average_ranks, spearman_rho
from refimpl.evaluation.units import COMMON, inventory_unit, understood
from refimpl.formats.writing import write_raster
from refimpl.method.land_cover import LAND_COVERS
from refimpl.run.reference_maps import InventoryFile, coarser, read_inventory_file, read_land_cover, read_odiac
from refimpl.run.stages import WORK

KM = Grid(ALBERS_CHINA, (0.0, 4e6, 1000.0, -1000.0), (2, 2))
FOUR = Grid(ALBERS_CHINA, (0.0, 4e6, 2000.0, -2000.0), (1, 1))


def raster(values, grid=KM, valid=None, units=""):
    values = np.asarray(values, float)
    return Raster.masked(values, np.ones(values.shape, bool) if valid is None else valid, grid, units)


def total(density: Raster) -> float:
    """t CO2 on the whole grid."""
    return math.fsum((density.values * density.grid.cell_areas()[:, np.newaxis]).ravel().tolist())


def rows(path):
    with open(path, newline="") as handle:
        return list(csv.DictReader(handle))


# Units


@pytest.mark.parametrize(("text", "factor", "per_cell"), [
    ("t C/cell", 44 / 12, True),
    ("tonne carbon/cell", 44 / 12, True),
    ("t C/cell/month", 44, True),  # twelve of them, 44/12 each
    ("tC per cell per month", 44, True),
    ("t CO2/cell", 1, True),
    ("10^4 t CO2 per cell per year", 1e4, True),
    ("10⁴ t CO₂/cell", 1e4, True),
    ("Gg CO2/gridcell", 1e3, True),
    ("t CO2/km2", 1, False),
    ("kg C/m2/yr", 1000 * 44 / 12, False),  # a kg on each of 10^6 m2
    ("kgC m-2 yr-1", 1000 * 44 / 12, False),
    ("g C/m2", 44 / 12, False),
    ("g C m^-2 day^-1", 365 * 44 / 12, False),
    ("kg CO2/m2/s", 1000 * 365 * 86400, False),
    ("kg CO2 m⁻² s⁻¹", 1000 * 365 * 86400, False),
    ("t CO2 / km2 / hour", 8760, False),
])  # fmt: skip
def test_a_unit_is_its_mass_species_area_and_time(text, factor, per_cell):
    unit = inventory_unit(text, "x")
    # A handful of products in float64.
    assert unit.factor == pytest.approx(factor, rel=1e-14) and unit.per_cell == per_cell


def test_a_leap_year_has_a_day_more_where_the_unit_names_days_or_seconds():
    for text in ("kg CO2/m2/s", "g C/m2/day"):
        common, leap = (inventory_unit(text, "x", days).factor for days in (365, 366))
        assert leap / common == pytest.approx(366 / 365, rel=1e-14)  # two products in float64
    assert inventory_unit("t C/cell/month", "x", 366) == inventory_unit("t C/cell/month", "x")


@pytest.mark.parametrize(("text", "hint"), [
    ("kg C/m3/yr", "did you mean 'kg C/m2/yr'?"),
    ("t CO2/cel", "did you mean 't CO2/cell'?"),
    ("t CH4/cell", "did you mean"),
    ("kg CO2/m2/decade", "did you mean"),
    ("persons", "expected mass of C or CO2 per cell, m2 or km2"),
    ("", "expected mass of C or CO2 per cell, m2 or km2"),
])  # fmt: skip
def test_an_unknown_unit_is_refused_with_the_nearest_right_one(text, hint):
    with pytest.raises(InputError, match="^--units: the unit") as fault:
        inventory_unit(text, "--units")
    assert hint in str(fault.value)


def test_every_unit_that_is_suggested_is_understood():
    assert all(understood(text) for text in COMMON)


# Densities


def test_each_kind_of_unit_gives_the_density_of_the_same_emission():
    # 12 t C = 44 t CO2 on each km2.
    for value, units in ((12, "t C/cell"), (1, "t C/cell/month"), (44, "t CO2/km2"), (0.012, "kg C/m2/yr"),
                         (44e-4, "10^4 t CO2/cell"), (0.044 / 365 / 86400, "kg CO2/m2/s")):  # fmt: skip
        got = inventory_density(raster(np.full((2, 2), value)), units, FOUR)
        # A sum of four and three products in float64.
        assert got.values[0, 0] == pytest.approx(44, rel=1e-12), units
        assert got.units == "t CO2 / km2 / year"


def test_at_a_coast_the_total_is_kept_where_the_mean_would_add_to_it():
    half = raster([[3.0, 0.0], [0.0, 0.0]], valid=np.array([[True, False], [False, False]]))
    # 3 t C = 11 t CO2, on a cell of 4 km2 of which 1 km2 has a value.
    assert inventory_density(half, "t C/cell", FOUR).values[0, 0] == 11 / 4
    assert odiac_density([raster(half.values / 12, valid=half.valid)] * 12, FOUR).values[0, 0] == pytest.approx(11)
    assert ffdas_density(raster(half.values / 1000, valid=half.valid), FOUR).values[0, 0] == pytest.approx(11)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32 - 1).map(np.random.default_rng), st.sampled_from([0.1, 1 / 12, 0.37]),
    st.sampled_from(["t C/cell", "kg C/m2/yr"]), st.sampled_from([5e3, 37e3, 111e3]),
)  # fmt: skip
def test_the_total_is_kept_wherever_cells_lie(rng, size, units, cell):
    source = Grid(WGS84, (104.0 + rng.random(), 36.0 + rng.random(), size, -size), (12, 9))
    valid = rng.random(source.shape) > 0.3
    inventory = Raster.masked(rng.lognormal(-5, 2, source.shape), valid, source)
    target = Grid(ALBERS_CHINA, (-3e5, 4.1e6, cell, -cell), (math.ceil(9e5 / cell), math.ceil(11e5 / cell)))
    whole = inventory.values * (1.0 if units == "t C/cell" else 1000 * source.cell_areas()[:, np.newaxis])
    # Neighbours share corners, so that only rounding is lost: 1e-9 is what is promised.
    assert total(inventory_density(inventory, units, target)) == pytest.approx(whole.sum() * 44 / 12, rel=1e-9)


def test_where_the_grid_cuts_the_inventory_the_part_inside_is_kept():
    source = raster(np.arange(1.0, 13.0).reshape(2, 6), Grid(ALBERS_CHINA, (0, 4e6, 1000, -1000), (2, 6)))
    got = inventory_density(source, "t CO2/cell", Grid(ALBERS_CHINA, (1500, 4e6, 1000, -2000), (1, 2)))
    # Half of column 1, all of 2 and half of 3: (2 + 8) / 2 + (3 + 9) / 2, then (3 + 9) / 2 + (4 + 10) / 2, on 2 km2.
    assert got.values.tolist() == [[5.5, 6.5]]


@pytest.mark.parametrize("wrong", [-9999.0, -1e-3, 9.96921e36, 1e20])
def test_a_fill_value_that_nobody_declared_is_refused(wrong):
    with pytest.raises(InputError, match=r"^edgar.tif: holds .* expected emission, 0 or more; .*-a_nodata"):
        inventory_density(raster([[1, wrong], [2, 3]]), "t CO2/cell", KM, "edgar.tif")


def test_a_wrong_value_outside_the_map_does_no_harm():
    source = raster([[1, -9], [2, -9]])
    assert inventory_density(source, "t CO2/cell", Grid(ALBERS_CHINA, (0, 4e6, 1000, -1000), (2, 1))).values.tolist() \
        == [[1], [2]]  # fmt: skip


# Ranks


def test_equal_values_share_the_mean_of_their_ranks():
    assert average_ranks([5, 1, 5, 5, 0]).tolist() == [4, 2, 4, 4, 1]
    assert average_ranks([]).tolist() == []


def test_rank_correlation_equals_hand_values():
    # Ranks 1, 2.5, 2.5, 4 and 1, 3, 2, 4: sum of products of deviations 4.5, of squares 4.5 and 5.
    assert spearman_rho([1, 2, 2, 3], [1, 30, 2, 400]) == pytest.approx(4.5 / math.sqrt(4.5 * 5), rel=1e-15)
    # Without ties, 1 - 6 sum d^2 / (n (n^2 - 1)): d = 1, -1, 0, 0, 0.
    assert spearman_rho([1, 2, 3, 4, 5], [2, 1, 3, 4, 5]) == pytest.approx(1 - 12 / 120, rel=1e-14)
    assert spearman_rho([1, 2, 3], [3, 2, -9]) == -1
    assert math.isnan(spearman_rho([1, 2], [7, 7]))


def test_rank_correlation_does_not_change_with_a_rising_curve():
    rng = np.random.default_rng(1)
    x, y = rng.lognormal(0, 3, 500).round(1), rng.lognormal(0, 3, 500).round(1)
    assert spearman_rho(x, y) == spearman_rho(np.log1p(x), y**3)


# Agreement

ZONES = np.array([[11, 11, 12], [11, 12, 0]])
TOY = Grid(ALBERS_CHINA, (0.0, 4e6, 2000.0, -2000.0), (2, 3))  # cells of 4 km2
OURS = raster([[4, 8, 8], [12, 8, 400]], TOY)  # 10^4 t: 1, 2, 2, 3, 2 x 10^4 t / km2, and one outside
OTHER = raster([[10000, 20000, 40000], [60000, 0, 5]], TOY, np.array([[1, 1, 1], [1, 0, 1]], bool))
COVER = Raster(np.array([[13, 12, 1], [14, 5, 0]]), np.array([[1, 1, 1], [1, 1, 0]], bool), TOY)


def test_agreement_of_a_toy_map_equals_hand_values():
    found = compare_inventory("X", OURS, OTHER, ZONES).provinces
    assert found.groups.tolist() == [11, 12] and found.cells.tolist() == [3, 1]
    # 11: other 1, 2, 6, ours 1, 2, 3 (10^4 t / km2): errors 0, 0, -3; mean of the other 3, squares 4 + 1 + 9 = 14.
    assert found.observed.tolist() == [36, 16] and found.estimated.tolist() == [24, 8]
    numbers = {name: values[0] for name, values in found.numbers.items()}
    assert numbers["mae"] == 10000 and numbers["rmse"] == pytest.approx(3e4 / math.sqrt(3), rel=1e-15)
    assert numbers["r2"] == pytest.approx(1 - 9 / 14, rel=1e-15) and numbers["rho"] == 1
    # Deviations -2, -1, 3 and -1, 0, 1: 5 / sqrt(14 x 2).
    assert numbers["r"] == pytest.approx(5 / math.sqrt(28), rel=1e-15)
    assert found.numbers["mae"][1] == 20000 and math.isnan(found.numbers["r"][1])


def test_tables_of_a_toy_map_equal_hand_values():
    one = compare_inventory("X", OURS, OTHER, ZONES, COVER, {11: 30.0, 12: 16.0, 13: 5.0})
    everything = {name: column[0] for name, column in inventories_table([one]).items()}
    assert everything["cells"] == 4 and everything["map_1e4t"] == 32 and everything["inventory_1e4t"] == 52
    # Totals: X has 36 and 16 against 30 and 16.
    assert everything["provinces"] == 2 and everything["totals_mae_1e4t"] == 3 and everything["totals_rho"] == 1
    assert everything["totals_rmse_1e4t"] == pytest.approx(math.sqrt(18), rel=1e-15)
    provinces = province_table([one], {11: "Beijing"})
    assert provinces["code"] == [11, 12] and provinces["province"] == ["Beijing", ""]
    assert provinces["statistic_1e4t"] == [30, 16] and provinces["total_1e4t"] == [36, 16]
    assert provinces["map_1e4t"] == [24, 8]  # of the cells that both have: X lacks a cell where the map has 8
    covers = land_cover_table([one])
    assert covers["land_cover"] == ["forest", "croplands", "built-up"] and covers["cells"] == [1, 2, 1]
    assert covers["map_1e4t"] == [8, 20, 4] and covers["inventory_1e4t"] == [16, 32, 4]
    assert covers["map_share"] == [8 / 32, 20 / 32, 4 / 32] and covers["inventory_share"] == [16 / 52, 32 / 52, 4 / 52]
    assert covers["mae_t_per_km2"] == [20000, 15000, 0]


def test_cells_without_a_land_cover_are_told_and_have_no_share():
    cover = Raster(COVER.values * [[1, 0, 1], [1, 1, 0]], COVER.valid & (COVER.values != 12), TOY)
    table = land_cover_table([compare_inventory("X", OURS, OTHER, ZONES, cover)])
    assert table["land_cover"] == ["forest", "croplands", "built-up", "none"] and math.isnan(table["map_share"][3])
    assert table["map_1e4t"][3] == 8 and table["map_share"][:3] == [8 / 24, 12 / 24, 4 / 24]


def test_without_statistics_province_totals_are_compared_with_those_of_the_map():
    one = compare_inventory("X", OURS, OTHER, ZONES)
    assert one.statistics == {11: 24.0, 12: 16.0} and one.sums == {11: 36.0, 12: 16.0} and one.totals[2] == 6
    assert one.land_covers is None


def test_an_inventory_without_a_value_on_the_map_is_refused():
    nothing = raster(np.zeros((2, 3)), TOY, np.zeros((2, 3), bool))
    with pytest.raises(InputError, match="^EDGAR: has no value where the map has one"):
        compare_inventory("EDGAR", OURS, nothing, ZONES)


# Land covers


def test_the_seven_land_covers_are_joined_before_the_largest_is_found():
    fine = Grid(ALBERS_CHINA, (0.0, 4e6, 1000.0, -1000.0), (3, 3))
    igbp = Raster(np.array([[1, 2, 12], [3, 12, 12], [4, 13, 13]], np.uint8), np.ones((3, 3), bool), fine)
    cell = Grid(ALBERS_CHINA, (0.0, 4e6, 3000.0, -3000.0), (1, 1))
    assert land_cover_on(igbp, cell).values.tolist() == [[1]]  # four of forest, three of croplands, the commonest class
    assert land_cover_on(igbp, cell, "nearest").values.tolist() == [[12]]


def test_pixels_without_a_class_have_no_vote_and_equal_votes_go_to_the_first():
    igbp = np.array([[13, 255], [255, 16]])
    source = Raster(np.where(igbp < 255, igbp, 0).astype(np.uint8), igbp < 255, KM)
    assert land_cover_on(source, FOUR).values.tolist() == [[13]]
    nothing = Raster(np.zeros((2, 2), np.uint8), np.zeros((2, 2), bool), KM)
    assert not land_cover_on(nothing, FOUR).valid.any()


def test_coarser_classes_are_those_at_the_cells_centres():
    grid = Grid(ALBERS_CHINA, (0.0, 4e6, 3000.0, -3000.0), (1, 2))
    coarse = Raster(np.array([[13, 12]], np.uint8), np.ones((1, 2), bool), grid)
    target = Grid(ALBERS_CHINA, (0.0, 4e6, 2000.0, -2000.0), (1, 3))
    assert land_cover_on(coarse, target).values.tolist() == [[13, 12, 12]]  # centres at 1, 3 and 5 km; 3 is an edge


def test_modis_pixels_are_counted_by_their_area_under_the_cell():
    rng = np.random.default_rng(7)
    source = Grid(MODIS_SINUSOIDAL, (9.0e6, 4.0e6, 463.3127, -463.3127), (60, 60))
    igbp = rng.choice([1, 4, 7, 10, 12, 13, 16, 17], source.shape).astype(np.uint8)
    target = Grid(MODIS_SINUSOIDAL, (9.0e6 + 300, 4.0e6 - 300, 2000.0, -2000.0), (12, 12))
    got = land_cover_on(Raster(igbp, np.ones(igbp.shape, bool), source), target)
    # Votes by brute force: 200 x 200 points in each cell; cells where the two largest are within 1 % are left out.
    names, seven = list(LAND_COVERS), {code: at for at, codes in enumerate(LAND_COVERS.values()) for code in codes}
    table = np.array([seven[code] for code in range(18)])
    offsets, compared = (np.arange(200) + 0.5) / 200, 0
    for row, col in np.ndindex(target.shape):
        x = ((target.transform[0] + (col + offsets) * 2000 - source.transform[0]) / 463.3127).astype(int)
        y = ((source.transform[1] - target.transform[1] + (row + offsets) * 2000) / 463.3127).astype(int)
        votes = np.bincount(table[igbp[np.ix_(y, x)]].ravel(), minlength=7) / 200**2
        first, second = np.sort(votes)[::-1][:2]
        if first - second > 0.01:
            compared += 1
            assert seven[int(got.values[row, col])] == votes.argmax(), names[votes.argmax()]
    assert compared > 100


def test_shares_at_the_coarse_scale_take_the_class_of_the_coarse_cell():
    grid = Grid(ALBERS_CHINA, (0.0, 4e6, 500.0, -500.0), (2, 4))
    cover = Raster(np.array([[13, 12]]), np.ones((1, 2), bool), coarser(grid))
    emission = raster([[1, 2, 3, 4], [1, 2, 3, 4]], grid)
    got = coarse_shares(emission, np.full((2, 4), 11), cover)
    assert got.mean("built-up") == 6 / 20 and got.mean("croplands") == 14 / 20


# Files

PLACE = Grid(WGS84, (110.0, 36.0, 0.1, -0.1), (48, 48))


@pytest.fixture
def inventories(world):
    """ODIAC-like months, an FFDAS-like year and an EDGAR-like flux of one emission, beside a map of the toy world."""
    rng = np.random.default_rng(5)
    carbon = rng.lognormal(2, 1.5, PLACE.shape)  # t C per cell in a month
    for month in range(1, 13):
        write_raster(world / f"odiac_{month:02d}.tif", raster(carbon.astype(np.float32), PLACE), nodata=None)
    area = PLACE.cell_areas()[:, np.newaxis]
    write_raster(world / "ffdas.tif", raster(carbon * 12 / area / 1000, PLACE, units="kgC/m2/yr"))
    write_raster(world / "edgar.tif", raster(carbon * 44 / area / 1000 / 365 / 86400, PLACE))
    write_raster(world / "own.tif", raster(carbon * 44 / 1e4, PLACE, units="10^4 t CO2 per cell per year"))
    write_raster(world / "far.tif", raster(carbon, Grid(WGS84, (20.0, 36.0, 0.1, -0.1), (48, 48))))
    write_raster(world / "emissions.tif", raster(carbon * 44 / 1e4, PLACE, units="10^4 t CO2 per cell per year"))
    return world


def months(world):
    return [str(world / f"odiac_{month:02d}.tif") for month in range(1, 13)]


def test_evaluate_writes_tables_and_figures_of_every_inventory(inventories, monkeypatch, capsys):
    monkeypatch.chdir(inventories)
    assert main([
        "evaluate", "emissions.tif", "--zones", "zones.tif", "--land-cover", "land_cover.tif", "--figures", "figures",
        "--odiac", *months(inventories), "--ffdas", "ffdas.tif", "--inventory", "EDGAR=edgar.tif",
        "--units", "EDGAR=kg CO2/m2/s", "--inventory", "own=own.tif", "--quiet",
    ]) == 0  # fmt: skip
    table = rows("inventories.csv")
    assert [row["inventory"] for row in table] == ["ODIAC", "FFDAS", "EDGAR", "own"]
    for row in table:  # all of them are the map itself
        # 1e-7: ODIAC's months are float32.
        assert float(row["map_1e4t"]) == pytest.approx(float(row["inventory_1e4t"]), rel=1e-7)
        assert float(row["r2"]) == pytest.approx(1, abs=1e-12) and float(row["totals_r2"]) == pytest.approx(1, abs=1e-9)
    assert [row["code"] for row in rows("inventories_by_province.csv")][:5] == ["11", "12", "13", "14", "15"]
    assert {row["land_cover"] for row in rows("inventories_by_land_cover.csv")} == {"croplands", "built-up"}
    assert "ODIAC" in capsys.readouterr().out
    drawn = sorted(path.name for path in (inventories / "figures").iterdir())
    assert drawn == ["inventories.png", "inventories_cells_edgar.png", "inventories_cells_ffdas.png",
                     "inventories_cells_odiac.png", "inventories_cells_own.png", "inventories_difference.png",
                     "land_cover.png"]  # fmt: skip
    for name in drawn:
        with Image.open(inventories / "figures" / name) as picture:
            assert picture.size > (300, 200)


@pytest.mark.parametrize(("words", "says"), [
    (["--odiac", *"abcdefghijk"], "a: does not exist"),
    (["--odiac", "ELEVEN"], "ODIAC: 11 files; expected the twelve months of one year"),
    (["--odiac", "MIXED"], "month 12 lies on another grid than the first"),
    (["--odiac", "OWN"], "own.tif: is '10^4 t CO2 per cell per year' by its own tag and 't C/cell/month'"),
    (["--ffdas", "own.tif"], "own.tif: is '10^4 t CO2 per cell per year' by its own tag and 'kg C/m2/yr'"),
    (["--ffdas", "far.tif"], "far.tif: does not overlap the grid of the map"),
    (["--inventory", "edgar.tif"], "--inventory edgar.tif: expected NAME=VALUE"),
    (["--inventory", "e=edgar.tif"], "edgar.tif: names no unit; name it with --units 'e=UNITS'"),
    (["--inventory", "e=edgar.tif", "--units", "e=kg CO2/m2/sek"], "did you mean 'kg CO2/m2/s'?"),
    (["--inventory", "e=ffdas.tif", "--units", "e=t C/cell"], "is 'kgC/m2/yr' by its own tag and 't C/cell' by what"),
    (["--inventory", "e=edgar.tif", "--units", "f=t C/cell"], "--units f=...: no --inventory of that name"),
    (["--inventory", "e=edgar.tif", "--inventory", "e=own.tif"], "'e' is given twice"),
    (["--inventory", "FFDAS=own.tif", "--ffdas", "ffdas.tif"], "is the name of --ffdas; name it otherwise"),
    (["--land-cover", "classes.tif"], "classes.tif: land cover class 255; expected the IGBP classes 0-17"),
    (["--figures", "f", "--reference", "own.tif"], "--figures: nothing to draw"),
    (["--ffdas", "ffdas.tif", "--figures", "zones.tif"], "zones.tif is a file"),
])  # fmt: skip
def test_a_fault_of_an_inventory_is_one_sentence_and_nothing_is_written(inventories, monkeypatch, capsys, words, says):
    monkeypatch.chdir(inventories)
    classes = np.full(PLACE.shape, 12, np.uint8)
    classes[3, 4] = 255
    write_raster("classes.tif", Raster(classes, np.ones(PLACE.shape, bool), PLACE))
    twelve = months(inventories)
    lists = {"ELEVEN": twelve[:11], "MIXED": [*twelve[:11], "far.tif"], "OWN": [*twelve[:3], "own.tif", *twelve[4:]]}
    words = [part for word in words for part in lists.get(word, [word])]
    before = sorted(inventories.rglob("*"))
    assert main(["evaluate", "emissions.tif", "--zones", "zones.tif", *words, "--quiet"]) == 2
    error = capsys.readouterr().err
    assert says in error and error.startswith("refimpl: ") and error.count("\n") == 1
    assert sorted(inventories.rglob("*")) == before


def test_a_run_compares_its_map_with_every_inventory_it_names(inventories, monkeypatch):
    monkeypatch.chdir(inventories)
    words = [f"evaluate.odiac={[f'odiac_{m:02d}.tif' for m in range(1, 13)]}", 'evaluate.ffdas="ffdas.tif"',
             'evaluate.inventories=["edgar.tif", "own.tif"]', 'evaluate.inventory_units=["kg CO2/m2/s", ""]',
             'evaluate.inventory_names=["EDGAR", "own"]']  # fmt: skip
    settings_ = [part for word in words for part in ("--set", word)]
    assert main(["run", "run.toml", "--output", "out", *settings_, "--quiet"]) == 0
    table = rows("out/inventories.csv")
    assert [row["inventory"] for row in table] == ["ODIAC", "FFDAS", "EDGAR", "own"]
    sums = [float(row["inventory_1e4t"]) for row in table]
    # One emission in four products: float32 months, and 2010 had 365 days.
    assert sums == pytest.approx([sums[-1]] * 4, rel=1e-7)
    for name in ("inventories_by_province.csv", "inventories_by_land_cover.csv", "land_cover_coarse.csv",
                 "inventories.png", "inventories_difference.png", "inventories_cells_edgar.png", "land_cover.png"):
        assert (inventories / "out" / name).stat().st_size > 0, name
    kept = {row["map"] for row in rows("out/accuracy_by_province.csv")}
    assert {"ZSSR + Eq. 3 against ODIAC", "ZSSR + Eq. 3 against own"} <= kept
    shares = rows("out/land_cover_coarse.csv")
    assert [row["code"] for row in shares] == ["11", "12", "13", "14"]
    assert [sum(float(row[name]) for name in LAND_COVERS) for row in shares] == pytest.approx([1.0] * 4)
    assert main(["run", "run.toml", "--output", "out", "--quiet"]) == 0
    assert not list((inventories / "out").glob("inventories*"))  # what the earlier run left is none of this one's


@pytest.mark.parametrize(("keys", "says"), [
    (['evaluate.inventories=["edgar.tif"]'], "edgar.tif: names no unit; name it with"),
    (['evaluate.inventories=["edgar.tif"]', 'evaluate.inventory_units=["a", "b"]'], "2 for 1 inventories"),
    (['evaluate.inventories=["own.tif", "own.tif"]'], "'own' is empty or stands twice"),
    (['evaluate.inventories=["nowhere.tif"]'], "nowhere.tif: does not exist"),
    (['evaluate.inventories=["far.tif"]', 'evaluate.inventory_units=["t C/cell"]'], "does not overlap"),
])  # fmt: skip
def test_a_wrong_inventory_of_a_run_is_refused_before_the_training(inventories, monkeypatch, capsys, keys, says):
    monkeypatch.chdir(inventories)
    words = [part for key in keys for part in ("--set", key)]
    assert main(["run", "run.toml", "--output", "out", *words, "--quiet"]) == 2
    error = capsys.readouterr().err
    assert says in error and error.count("\n") == 1
    # No result; and of the run's stages none from the training on has begun.
    assert {path.name for path in (inventories / "out").glob("*")} <= {WORK}
    begun = {path.name for path in (inventories / "out" / WORK).glob("*") if path.is_dir()}
    assert begun <= {"zonal", "fit", "warp"}


def test_a_files_own_tag_is_its_unit_unless_it_leaves_the_time_open(inventories):
    read = lambda file, units: read_inventory_file(InventoryFile("x", inventories / file, units, "--units"), PLACE)
    assert total(read("own.tif", "")) == pytest.approx(total(read("ffdas.tif", "")), rel=1e-12)  # products in float64
    write_raster(inventories / "month.tif", raster(np.ones(PLACE.shape), PLACE, units="t C/cell"))
    assert total(read("month.tif", "t C/cell/month")) == pytest.approx(12 * total(read("month.tif", "")), rel=1e-12)


def test_a_year_of_odiac_is_the_sum_of_its_months_under_the_map(inventories):
    density = read_odiac([inventories / f"odiac_{month:02d}.tif" for month in range(1, 13)], PLACE)
    own = read_inventory_file(InventoryFile("own", inventories / "own.tif", "", ""), PLACE)
    assert total(density) == pytest.approx(total(own), rel=1e-7)  # float32 months


def test_land_cover_of_a_file_is_found_at_both_scales(inventories):
    fine = Grid(ALBERS_CHINA, (5e5, 3.7e6, 20000.0, -20000.0), (16, 16))
    for grid in (fine, coarser(fine)):
        got = read_land_cover(inventories / "land_cover.tif", grid, "majority")
        assert got.grid == grid and set(np.unique(got.values[got.valid]).tolist()) <= {12, 13} and got.valid.all()
