"""The whole road on a toy world: totals, files, and provinces that the edge of the grid cuts."""

import csv
import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest

from refimpl.cli import main
from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA, WGS84, forward
from refimpl.errors import InputError
from refimpl.formats.geotiff import read_raster
from refimpl.formats.writing import write_raster
from refimpl.method.network import initialise
from refimpl.run.config import read_config
from refimpl.run.pipeline import run
from refimpl.run.provinces import read_zones, working_grid
from refimpl.twins import backend

EC = {"coal": 1.9003, "diesel": 3.0959}  # Table 3, printed


def table(path):
    with open(path, newline="") as handle:
        return list(csv.DictReader(handle))


def test_one_command_makes_every_file_and_every_total_matches(world, capsys):
    assert main(["run", str(world / "run.toml"), "--output", str(world / "out"), "--quiet"]) == 0
    said = capsys.readouterr().out
    assert "every province within 0 ulp" in said and str(world / "out") in said
    emission, zones = read_raster(world / "out" / "emissions.tif"), read_raster(world / "zones.tif")
    balance = {int(r["code"]): r for r in table(world / "out" / "mass_balance.csv")}
    assert sorted(balance) == [11, 12, 13, 14]  # 15 has no statistic (D20)
    for code, row in balance.items():
        expected = (100 * (code - 10) + 5) * EC["coal"] + code * EC["diesel"]
        assert float(row["total_1e4t"]) == pytest.approx(expected, rel=1e-4)  # coefficients printed to 4 decimals
    national = math.fsum(emission.values[emission.valid].tolist())
    assert national == pytest.approx(math.fsum(float(r["total_1e4t"]) for r in balance.values()), rel=1e-15)
    record = json.loads((world / "out" / "run.json").read_text())
    assert set(record["outputs"]) | {"run.json", ".refimpl-work"} == set(os.listdir(world / "out"))
    assert record["seed"] == 1 and record["seconds"].keys() >= {"fit", "upscale", "allocate"}
    assert zones.grid.crs.kind == "geographic" and emission.grid.crs.kind == "albers"
    assert emission.grid.transform[2] == 10000.0  # half of 20 km (D19)


def test_the_same_seed_gives_the_same_bytes_whatever_the_number_of_threads(world):
    outputs = []
    for threads in ("1", "3"):
        folder = world / f"out{threads}"
        environment = os.environ | {"REFIMPL_THREADS": threads}
        command = [sys.executable, "-m", "refimpl", "run", str(world / "run.toml"), "--output", str(folder)]
        subprocess.run(command, check=True, env=environment, capture_output=True)
        outputs.append(json.loads((folder / "run.json").read_text())["outputs"])
    assert outputs[0] == outputs[1]


def test_the_reference_backend_gives_the_same_map(world):
    config = read_config(world / "run.toml")
    fast = run(config)
    with backend("numpy"):
        plain = run(config)
    # sums in another order: rounding of float64
    np.testing.assert_allclose(plain.coarse.raster.values, fast.coarse.raster.values, rtol=1e-9)
    # six steps of float32 training, whose rounding (2e-6 a layer) grows through Adam's division by small moments
    one, two = plain.allocation.emission.values, fast.allocation.emission.values
    assert np.abs(one - two).max() < 1e-3 * one.max()
    assert plain.allocation.balance.total.tolist() == fast.allocation.balance.total.tolist()


def extent_without_the_west(world):
    """The covering grid less 60 km on its west, which cuts provinces 11 and 13 and leaves 12 and 14 whole."""
    xmin, ymin, xmax, ymax = working_grid("albers", 20000.0, "cover", read_zones(world / "zones.tif"), "grid").bounds
    return f"grid.extent=[{xmin + 60000}, {ymin}, {xmax}, {ymax}]"


def test_a_province_cut_by_the_edge_is_left_out_with_a_warning(world):
    results = run(read_config(world / "run.toml", (extent_without_the_west(world),)))
    assert sorted(results.area.totals) == [12, 14]
    cut = [text.split(":")[0] for text in results.warnings if "left out of the map (nodata)" in text]
    assert cut == ["P11 (11)", "P13 (13)"]
    cut = results.area.zones.values == 11
    assert cut.any() and not results.allocation.emission.valid[cut].any()


def test_a_cut_province_takes_its_share_if_the_user_says_so(world):
    config = read_config(world / "run.toml", (extent_without_the_west(world), 'zones.cut="share"'))
    results = run(config)
    whole = dict(zip(results.inventory.codes.tolist()[4:], results.inventory.emission.tolist()[4:]))
    west = results.coarse.raster.grid.bounds[0]
    for code, north in ((11, 36.0), (13, 33.6)):
        # independently: a fine lattice of points over the province (2 x 2.4 degrees), weighted by cos(latitude)
        lon, lat = np.meshgrid(110.0 + (np.arange(400) + 0.5) / 200, north - (np.arange(480) + 0.5) / 200)
        weight = np.cos(np.radians(lat))
        expected = weight[forward(ALBERS_CHINA, lon, lat)[0] > west].sum() / weight.sum()
        # zone cells of 0.05 degree are counted by their centres: at most one of 40 columns is in doubt
        assert results.area.totals[code] / whole[code] == pytest.approx(expected, abs=1 / 40)
    assert results.area.totals[12] == whole[12]


def test_a_supplied_total_maps_a_province_without_statistics(world):
    results = run(read_config(world / "run.toml", ("allocate.totals={15 = 50.0}",)))
    cells = results.allocation.emission.values[results.area.zones.values == 15]
    assert math.fsum(cells.tolist()) == 50.0


def test_counts_and_densities_of_one_quantity_give_the_same_map(world):
    for year in (2005, 2010):
        density = read_raster(world / f"population_{year}.tif")
        count = density.values.astype(float) * density.grid.cell_areas()[:, np.newaxis]
        write_raster(world / f"count_{year}.tif", Raster(count, density.valid, density.grid, ""))
    one = run(read_config(world / "run.toml"))
    text = (world / "run.toml").read_text().replace("population_20", "count_20")
    (world / "count.toml").write_text(text + '\n[drivers.kinds]\npopulation = "count"\n')
    two = run(read_config(world / "count.toml"))
    # the same numbers up to the rounding of one product and one quotient
    np.testing.assert_allclose(one.provinces.fit.totals, two.provinces.fit.totals, rtol=1e-12)
    np.testing.assert_allclose(one.coarse.raster.values, two.coarse.raster.values, rtol=1e-9)


def test_a_grid_that_no_driver_overlaps_is_refused(world):
    config = read_config(world / "run.toml", ("grid.extent=[-4000000, 0, -3900000, 100000]",))
    with pytest.raises(InputError, match="does not overlap the grid of the map"):
        run(config)


def test_an_extent_that_is_not_whole_cells_is_refused(world):
    config = read_config(world / "run.toml", ("grid.extent=[0, 3000000, 50000, 3100000]",))
    with pytest.raises(InputError, match="is 2.5 x 5 cells of 20000; expected whole cells"):
        run(config)


def test_zones_all_round_the_earth_need_cells_that_divide_it():
    zones = Raster(np.ones((18, 36), np.uint8), np.ones((18, 36), bool), Grid(WGS84, (-180, 90, 10, -10), (18, 36)))
    assert working_grid("geographic", 0.5, "cover", zones, "grid").shape == (360, 720)
    with pytest.raises(InputError, match="^grid: .* beyond the Earth.*; expected whole cells within"):
        working_grid("geographic", 0.7, "cover", zones, "grid")  # covers 361.2 degrees, and 90.3 to the north


def test_a_fault_of_the_input_leaves_nothing_behind_and_exits_with_2(world, capsys):
    (world / "ntl_2010.tif").write_bytes(b"not a tiff")
    assert main(["run", str(world / "run.toml"), "--output", str(world / "out")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("refimpl: ") and "ntl_2010.tif" in error and error.count("\n") == 1
    assert not (world / "out").exists()


@pytest.mark.parametrize(
    "override, says",
    [
        ("report.zoom=[0, 0, 1, 1]", "report.zoom = .* lies outside the map"),
        ("grid.cell_size=0.05", "makes .* cells; expected metres"),
        ("evaluate.lights=nlt", "evaluate.lights = 'nlt': no such driver; did you mean 'ntl'"),
        ("statistics.test_year=2010", "statistics.test_year = 2010; expected another year"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_before_the_training(world, override, says):
    with pytest.raises(InputError, match=says):
        run(read_config(world / "run.toml", (override, "upscale.max_steps=100000")))


def test_a_year_without_statistics_is_refused_with_the_file_and_key(world):
    (world / "run.toml").write_text((world / "run.toml").read_text().replace("drivers.2010", "drivers.2011"))
    config = read_config(world / "run.toml", ("statistics.fit_year=2011",))
    with pytest.raises(InputError, match="run.toml: statistics.fit_year: the energy table has no year 2011"):
        run(config)


def test_a_land_cover_or_inventory_elsewhere_is_refused_before_the_training(world):
    far = Grid(WGS84, (10.0, 50.0, 0.1, -0.1), (20, 20))
    write_raster(world / "far.tif", Raster(np.full((20, 20), 12, np.uint8), np.ones((20, 20), bool), far, ""))
    for key in ("land_cover.raster", "evaluate.ffdas"):
        with pytest.raises(InputError, match="far.tif: does not overlap the grid of the map"):
            run(read_config(world / "run.toml", (f'{key}="far.tif"', "upscale.max_steps=100000")))


def test_a_province_smaller_than_a_driver_cell_is_left_out_of_the_regression(world):
    zones = read_raster(world / "zones.tif")
    values = zones.values.copy()
    values[2, 2] = 16  # one cell of 0.05 degree that holds no centre of the drivers' 0.1 degree
    write_raster(world / "zones.tif", Raster(values, zones.valid, zones.grid, ""))
    with open(world / "energy.csv", "a") as handle:
        handle.write("16,P16,2005,1,1\n16,P16,2010,1,1\n99,Nowhere,2010,1,1\n99,Nowhere,2005,1,1\n")
    results = run(read_config(world / "run.toml"))
    assert results.provinces.fit.codes.tolist() == [11, 12, 13, 14]
    assert any("P16 (16): is smaller than the cells of a driver" in text for text in results.warnings)
    assert any("Nowhere (99): has a statistic and no zone" in text for text in results.warnings)


def test_what_an_earlier_run_left_is_not_taken_for_this_ones(world):
    out = world / "out"
    assert main(["run", str(world / "run.toml"), "--output", str(out)]) == 0
    assert (out / "land_cover.csv").exists()
    (out / "mine.txt").write_text("kept")
    (world / "run.toml").write_text(
        (world / "run.toml").read_text().replace('[land_cover]\nraster = "land_cover.tif"', "")
    )
    assert main(["run", str(world / "run.toml"), "--output", str(out)]) == 0
    assert not (out / "land_cover.csv").exists() and (out / "mine.txt").exists()
    record = json.loads((out / "run.json").read_text())
    assert "land_cover.csv" not in record["outputs"] and record["settings"]["upscale"]["layers"] == 8


def test_alternatives_keep_the_baseline_where_the_map_does(world):
    runs = [run(read_config(world / "run.toml", (f"upscale.baseline={word}",))) for word in ("remove", "keep")]
    removed, kept = ({one.name: one.emission for one in results.verdict.judged} for results in runs)
    for name in ("replicate + Eq. 3", "bicubic + Eq. 3", "ZSSR + Eq. 3"):
        whole = (0, kept[name].grid.shape[0], 0, kept[name].grid.shape[1])
        # with the regression's constant part on every cell, the dearest cell of the country holds less
        assert kept[name].part(whole).values.max() < removed[name].part(whole).values.max()


def test_an_alternative_without_weights_is_no_warning_about_the_map(world):
    lights = read_raster(world / "ntl_2010.tif")
    values = lights.values.copy()
    values[:24, :20] = 0  # province 11 is dark, and has people
    write_raster(world / "ntl_2010.tif", Raster(values, lights.valid, lights.grid, ""))
    assert not [text for text in run(read_config(world / "run.toml")).warnings if "D21" in text]


def test_six_digit_codes_work_like_two_digit_ones(world):
    plain = run(read_config(world / "run.toml"))
    zones = read_raster(world / "zones.tif")
    write_raster(world / "zones.tif", Raster(zones.values.astype(np.int32) * 10000, zones.valid, zones.grid, ""))
    text = (world / "energy.csv").read_text()
    for code in ("11", "12", "13", "14"):
        text = text.replace(f"\n{code},", f"\n{code}0000,")
    (world / "energy.csv").write_text(text)
    results = run(read_config(world / "run.toml"))
    assert results.allocation.emission.values.tobytes() == plain.allocation.emission.values.tobytes()


def test_a_province_without_a_statistic_is_told(world):
    text = (world / "energy.csv").read_text()
    (world / "energy.csv").write_text("\n".join(line for line in text.splitlines() if ",P14,2010" not in line) + "\n")
    told = run(read_config(world / "run.toml")).warnings
    assert "no statistic of 2010 for province 14, 15: nodata (D20)" in told
    assert any(text.startswith("energy.csv: has no column for coke, crude_oil") for text in told)


def test_negative_driver_cells_are_told(world):
    lights = read_raster(world / "ntl_2010.tif")
    values = lights.values.copy()
    values[5, 5] = -999
    write_raster(world / "ntl_2010.tif", Raster(values, lights.valid, lights.grid, ""))
    told = run(read_config(world / "run.toml")).warnings
    assert any("ntl_2010.tif: 1 cells are negative, the lowest -999" in text for text in told)


def test_codes_that_match_no_zone_are_refused_with_both_lists(world):
    text = (world / "energy.csv").read_text()
    for code in ("11", "12", "13", "14"):
        text = text.replace(f"\n{code},", f"\n{code}0000,")
    (world / "energy.csv").write_text(text)
    with pytest.raises(
        InputError, match=r"none of its codes \(110000, 120000, 130000 ...\) is in zones.tif, which has 11, 12"
    ):
        run(read_config(world / "run.toml"))


def test_a_linear_model_may_be_named(world):
    results = run(read_config(world / "run.toml", ("regression.model=linear",)))
    assert results.regression.name == "linear"


def test_one_scaling_for_both_leaves_the_cells_on_the_corner_of_the_range(world):
    separate = run(read_config(world / "run.toml")).coarse.raster
    shared = run(read_config(world / "run.toml", ("regression.scaling=shared",))).coarse.raster

    def spread(raster):
        values = raster.values[raster.valid]
        return values.max() - values.min()

    assert spread(shared) < 0.2 * spread(separate)  # D05: cell totals are 400 times smaller than province totals here


def test_a_run_is_repeated_from_its_first_weights_and_its_tape(world):
    config = read_config(world / "run.toml")
    first, upscale = run(config), config.upscale
    rng = np.random.Generator(np.random.PCG64(config.seed))
    start = initialise(rng, upscale.layers, upscale.channels, upscale.bias)
    again = run(read_config(world / "run.toml", ("seed=7",)), start, first.fine.tape)
    assert again.allocation.emission.values.tobytes() == first.allocation.emission.values.tobytes()


def test_a_driver_of_the_fit_that_lies_elsewhere_is_refused_by_its_name(world):
    there = read_raster(world / "ntl_2005.tif")
    away = Grid(WGS84, (10.0, *there.grid.transform[1:]), there.grid.shape)
    write_raster(world / "ntl_2005.tif", Raster(there.values, there.valid, away, ""), nodata=-9999)
    with pytest.raises(InputError, match=r"ntl_2005\.tif: no cell of it has a zone of zones\.tif"):
        run(read_config(world / "run.toml"))


def test_a_driver_is_taken_from_the_band_that_is_named(world):
    rasterio = pytest.importorskip("rasterio")
    plain = run(read_config(world / "run.toml"))
    for year in (2005, 2010):
        with rasterio.open(world / f"ntl_{year}.tif") as source:
            profile, values = source.profile, source.read(1)
        with rasterio.open(world / f"ntl_{year}.tif", "w", **profile | {"count": 2}) as target:
            target.write(np.stack([np.zeros_like(values), values]))
    text = (world / "run.toml").read_text()
    (world / "run.toml").write_text(text + "\n[drivers.bands]\nntl = 2\n")
    found = run(read_config(world / "run.toml"))
    assert all(
        np.array_equal(getattr(found.provinces, name).totals, getattr(plain.provinces, name).totals)
        for name in ("fit", "test")
    )
    assert np.array_equal(found.coarse.raster.values, plain.coarse.raster.values)
    (world / "run.toml").write_text(text + "\n[drivers.bands]\nntl = 3\n")
    with pytest.raises(InputError, match="ntl_2010.tif: has no band 3, it has 2"):
        run(read_config(world / "run.toml"))
    (world / "run.toml").write_text(text + '\n[drivers.bands]\nntl = "two"\n')
    with pytest.raises(InputError, match="drivers.bands.ntl = 'two'; expected a whole number"):
        read_config(world / "run.toml")
