"""Several years in one run, and maps that are refined by more than one doubling."""

import csv
import json
import math

import numpy as np
import pytest

from refimpl.cli import main
from refimpl.errors import InputError
from refimpl.formats.files import sha256
from refimpl.formats.geotiff import read_raster
from refimpl.run import years as series
from refimpl.run.config import read_config
from refimpl.run.pipeline import run
from refimpl.run.years import configs_of

EC = {"coal": 1.9003, "diesel": 3.0959}  # Table 3, printed


def rows_of(path):
    with open(path, newline="") as handle:
        return list(csv.DictReader(handle))


def run_years(world, output, *settings):
    words = [word for setting in ("series.years=[2010, 2005]", *settings) for word in ("--set", setting)]
    return main(["run", str(world / "run.toml"), "--output", str(world / output), "--quiet", *words])


def test_each_year_is_the_run_of_that_year_alone(world):
    assert run_years(world, "out") == 0
    alone = ["run", str(world / "run.toml"), "--output", str(world / "alone"), "--quiet"]
    assert main([*alone, "--set", "statistics.map_year=2005"]) == 0
    for name in ("emissions.tif", "weights.tif", "tape.csv", "comparison.csv"):
        assert sha256(world / "out" / "2005" / name) == sha256(world / "alone" / name)
    rows = rows_of(world / "out" / "series.csv")
    assert [(row["year"], row["network"], row["steps"]) for row in rows] == [("2005", "own", "6"), ("2010", "own", "6")]
    for row in rows:
        total = sum((100 * (c - 10) + int(row["year"]) - 2005) * EC["coal"] + c * EC["diesel"] for c in range(11, 15))
        assert float(row["total_1e4t"]) == pytest.approx(total, rel=1e-4)  # coefficients printed to 4 decimals
    assert (world / "out" / "series.png").stat().st_size > 5000


def test_one_network_serves_all_years_and_the_table_says_whose(world):
    assert run_years(world, "out", "series.network=shared") == 0
    rows = rows_of(world / "out" / "series.csv")
    assert [(row["year"], row["network"]) for row in rows] == [("2005", "own"), ("2010", "of 2005")]
    tapes = [(world / "out" / year / "tape.csv").read_bytes() for year in ("2005", "2010")]
    assert tapes[0] == tapes[1]
    sums = [math.fsum(read_raster(world / "out" / year / "emissions.tif").values.ravel()) for year in ("2005", "2010")]
    assert sums[0] != sums[1]  # each year has its own statistics
    before = sha256(world / "out" / "2010" / "emissions.tif")
    assert run_years(world, "out", "series.network=shared", 'title="Another"') == 0  # drawn anew, nothing trained
    assert sha256(world / "out" / "2010" / "emissions.tif") == before


def test_totals_and_shares_are_drawn_each_in_its_own_unit(world, monkeypatch):
    drawn = {}
    monkeypatch.setattr(series, "series_figure", lambda *args, **options: drawn.update(options, names=list(args[1])))
    assert run_years(world, "out") == 0
    assert drawn["units"] == dict(zip(drawn["names"], ("10^4 t CO2", "share of emission")))


def test_a_year_that_cannot_be_mapped_is_refused_before_anything_is_done(world, capsys):
    for years, says in (("[2010, 2007]", "there is no [drivers.2007], there are those of 2005, 2010"),
                        ("[2010, 2010]", "names 2010 twice")):  # fmt: skip
        command = ["run", str(world / "run.toml"), "--output", str(world / "out"), "--set", f"series.years={years}"]
        assert main(command) == 2
        assert says in capsys.readouterr().err and not (world / "out").exists()


def test_the_title_names_its_year_and_inventories_belong_to_the_mapped_year(world):
    config = read_config(world / "run.toml", ("series.years=[2005, 2010]", 'title="CO2 of {year}"'))
    assert [one.title for one in configs_of(config).values()] == ["CO2 of 2005", "CO2 of 2010"]
    config = read_config(world / "run.toml", ("series.years=[2005, 2010]", 'evaluate.ffdas="ntl_2010.tif"'))
    years = configs_of(config)
    assert years[2005].title == "Toy, 2005" and years[2005].evaluate.ffdas is None and years[2010].evaluate.ffdas


@pytest.mark.parametrize("factor", [4, 8])
def test_a_map_is_refined_gradually_and_its_totals_stay_exact(world, factor):
    twice = run(read_config(world / "run.toml"))
    results = run(read_config(world / "run.toml", (f"upscale.factor={factor}",)))
    coarse, emission = results.coarse.raster.grid, results.allocation.emission.whole()
    assert emission.grid == coarse.refined(factor) and results.area.zones.grid == emission.grid
    # the first doubling is that of a run that ends with it
    assert np.array_equal(results.coarse.raster.values, twice.coarse.raster.values)
    assert results.stages.kept("train").value.trained.tape == twice.fine.tape
    for code, total in results.area.totals.items():
        cells = emission.values[(results.area.zones.values == code) & emission.valid]
        assert math.fsum(cells.tolist()) == total
    # a doubling keeps the mean of the map that it started from, but for what back-projection leaves (D17)
    half = run(read_config(world / "run.toml", (f"upscale.factor={factor // 2}",))).fine.weights.whole()
    fine = results.fine.weights.whole()
    mean = fine.values.reshape(half.grid.shape[0], 2, half.grid.shape[1], 2).mean(axis=(1, 3))
    assert np.abs(mean - half.values).max() < 0.02 * half.values.max()
    assert fine.values.std() > half.values.std() * 0.9 and fine.values.min() >= 0


def test_every_alternative_of_a_map_four_times_finer_lies_on_its_grid_with_its_totals(world):
    results = run(read_config(world / "run.toml", ("upscale.factor=4",)))
    for one in results.verdict.judged:
        assert one.emission.grid == results.coarse.raster.grid.refined(4)
        if "no Eq. 3" not in one.name and not one.name.startswith("regression"):
            assert one.totals[0] == pytest.approx(1.0, abs=1e-12)
    replicated = next(one for one in results.verdict.judged if one.name.startswith("replicate")).emission
    blocks = replicated.part((0, 8, 0, 8)).values
    assert np.array_equal(blocks[:4, :4], np.full((4, 4), blocks[0, 0])) or not blocks.any()
    # by the land cover of the cells of the regression's map, whatever the factor
    assert results.references.coarse_land_cover.grid == results.coarse.raster.grid
    assert results.verdict.coarse_shares is not None


def test_a_factor_that_is_no_power_of_two_is_refused(world):
    with pytest.raises(InputError, match="upscale.factor: unknown value 3; expected one of 2, 4, 8"):
        read_config(world / "run.toml", ("upscale.factor=3",))


def test_the_record_of_each_year_is_its_own(world):
    assert run_years(world, "out") == 0
    records = {year: json.loads((world / "out" / str(year) / "run.json").read_text()) for year in (2005, 2010)}
    assert [records[year]["settings"]["statistics"]["map_year"] for year in (2005, 2010)] == [2005, 2010]
    assert records[2005]["key"] != records[2010]["key"]
