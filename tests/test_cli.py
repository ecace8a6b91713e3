"""The verbs one after the other on the toy world, and what a user sees when something is wrong."""

import csv
import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from refimpl.cli import inventory, main
from refimpl.earth.grid import Raster
from refimpl.formats.geotiff import read_raster
from refimpl.formats.writing import write_raster


def rows(path):
    with open(path, newline="") as handle:
        return list(csv.DictReader(handle))


def verb(world, *words):
    """Run one verb in the world's folder; every word with a suffix is a file there."""
    paths = [word if "=" not in word else word.split("=")[0] + "=" + str(world / word.split("=")[1]) for word in words]
    return main(
        [
            str(world / word) if word.endswith((".tif", ".csv", ".json", ".toml")) and "=" not in word else word
            for word in paths
        ]
    )


def test_the_stages_follow_one_another_from_files_to_files(world, capsys):
    assert verb(world, "inventory", "energy.csv", "--output", "inventory.csv") == 0
    assert len(rows(world / "inventory.csv")) == 8
    for year in ("2005", "2010"):
        drivers = [f"ntl=ntl_{year}.tif", f"population=population_{year}.tif"]
        options = [
            "--zones",
            "zones.tif",
            "--emissions",
            "inventory.csv",
            "--year",
            year,
            "--output",
            f"zonal_{year}.csv",
        ]
        assert verb(world, "zonal", *drivers, *options) == 0
    assert "pearson_r" in capsys.readouterr().out
    fit = ["--drivers", "zonal_2010.csv", "--test-drivers", "zonal_2005.csv", "--emissions", "inventory.csv"]
    assert (
        verb(
            world,
            "fit",
            *fit,
            "--year",
            "2010",
            "--test-year",
            "2005",
            "--output",
            "model.json",
            "--table",
            "table1.csv",
        )
        == 0
    )
    assert "leave one province out" in capsys.readouterr().out and len(rows(world / "table1.csv")) == 4
    for name in ("ntl", "population"):
        options = ["--cell-size", "20000", "--zones", "zones.tif", "--output", f"{name}.tif"]
        assert verb(world, "warp", f"{name}_2010.tif", *options) == 0
    assert (
        verb(
            world,
            "predict",
            "ntl=ntl.tif",
            "population=population.tif",
            "--model",
            "model.json",
            "--output",
            "coarse.tif",
        )
        == 0
    )
    options = ["--settings", "run.toml", "--output", "weights.tif", "--curve", "curve.csv", "--tape", "tape.csv"]
    assert verb(world, "upscale", "coarse.tif", *options) == 0
    assert len(rows(world / "curve.csv")) == 6
    options = ["--zones", "zones.tif", "--emissions", "inventory.csv", "--year", "2010"]
    files = ["--output", "emissions.tif", "--per-km2", "density.tif", "--balance", "balance.csv"]
    assert verb(world, "allocate", "weights.tif", *options, *files) == 0
    assert [float(row["difference_ulp"]) for row in rows(world / "balance.csv")] == [0.0] * 4
    options = ["--zones", "zones.tif", "--land-cover", "land_cover.tif", "--reference", "emissions.tif"]
    assert (
        verb(world, "evaluate", "emissions.tif", *options, "--output", "cover.csv", "--accuracy", "accuracy.csv") == 0
    )
    assert [float(row["r2"]) for row in rows(world / "accuracy.csv")] == [1.0] * 4  # the map against itself
    options = [
        "--zones",
        "zones.tif",
        "--land-cover",
        "land_cover.tif",
        "--coarse",
        "coarse.tif",
        "--lights",
        "ntl_2010.tif",
    ]
    more = ["--emissions", "inventory.csv", "--year", "2010", "--output", "cover.csv", "--comparison", "comparison.csv"]
    assert verb(world, "evaluate", "emissions.tif", *options, *more) == 0
    compared = {row["map"]: row for row in rows(world / "comparison.csv")}
    assert len(compared) == 7 and float(compared["lights alone + Eq. 3"]["totals_r2"]) == 1.0
    assert float(compared["regression, baseline kept"]["totals_r2"]) < 1.0
    shares = [sum(float(row[name]) for name in list(row)[1:8]) for row in rows(world / "cover.csv")]
    assert shares == pytest.approx([1.0] * len(shares))
    total = math.fsum(read_raster(world / "emissions.tif").values.ravel().tolist())
    expected = math.fsum(float(row["emission_1e4t"]) for row in rows(world / "inventory.csv") if row["year"] == "2010")
    assert total == pytest.approx(expected, rel=1e-15)


def test_allocate_leaves_out_a_province_that_the_maps_edge_cuts(world, capsys):
    verb(world, "inventory", "energy.csv", "--output", "inventory.csv")
    window = ["--extent", "600000", "3150000", "950000", "4000000"]
    verb(world, "warp", "ntl_2010.tif", "--cell-size", "10000", *window, "--output", "weights.tif")
    options = ["--zones", "zones.tif", "--emissions", "inventory.csv", "--year", "2010", "--output", "emissions.tif"]
    assert verb(world, "allocate", "weights.tif", *options, "--balance", "balance.csv") == 0
    assert [row["code"] for row in rows(world / "balance.csv")] == ["12", "14"]
    assert "left out of the map" in capsys.readouterr().err
    assert verb(world, "allocate", "weights.tif", *options, "--balance", "balance.csv", "--cut", "share") == 0
    shared = {row["code"]: float(row["total_1e4t"]) for row in rows(world / "balance.csv")}
    whole = {row["code"]: float(row["emission_1e4t"]) for row in rows(world / "inventory.csv") if row["year"] == "2010"}
    assert sorted(shared) == ["11", "12", "13", "14"] and shared["11"] < whole["11"] and shared["12"] == whole["12"]


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32"])
def test_classes_of_any_integer_type_can_be_warped_and_clipped(world, dtype):
    classes = read_raster(world / "land_cover.tif")
    values = classes.values.astype(dtype)
    values[0, 0] = 255 if dtype == "uint8" else 999
    write_raster(world / "classes.tif", Raster(values, classes.valid, classes.grid, ""))
    options = ["--kind", "class", "--cell-size", "20000", "--zones", "zones.tif", "--output", "warped.tif"]
    assert verb(world, "warp", "classes.tif", *options) == 0
    assert set(read_raster(world / "warped.tif").values.ravel().tolist()) <= {0, 12, 13, 255, 999}


def test_a_count_raster_has_the_same_totals_as_its_density(world):
    density = read_raster(world / "population_2010.tif")
    count = density.values.astype(float) * density.grid.cell_areas()[:, np.newaxis]
    write_raster(world / "count.tif", Raster(count, density.valid, density.grid, ""))
    for kind, file in (("density", "population_2010.tif"), ("count", "count.tif")):
        assert verb(world, "zonal", f"p={file}", "--zones", "zones.tif", "--kind", kind, "--output", f"{kind}.csv") == 0
    one, two = ([float(row["p"]) for row in rows(world / f"{kind}.csv")] for kind in ("density", "count"))
    assert len(one) == 5 and one == pytest.approx(two, rel=1e-12)  # one product and one quotient


def test_a_replayed_tape_gives_the_same_map(world):
    verb(world, "warp", "ntl_2010.tif", "--cell-size", "20000", "--zones", "zones.tif", "--output", "coarse.tif")
    verb(world, "upscale", "coarse.tif", "--settings", "run.toml", "--output", "one.tif", "--tape", "tape.csv")
    verb(world, "upscale", "coarse.tif", "--settings", "run.toml", "--output", "two.tif", "--replay", "tape.csv")
    assert (world / "one.tif").read_bytes() == (world / "two.tif").read_bytes()


def test_inventory_without_a_file_prints_table_3(capsys):
    assert main(["inventory"]) == 0
    assert "1.9003" in capsys.readouterr().out


def test_explain_lists_all_decisions_and_every_configuration_key(capsys):
    assert main(["explain", "decisions"]) == 0
    out = capsys.readouterr().out
    assert [line[:3] for line in out.splitlines()] == [f"D{n:02d}" for n in range(1, 25)]
    assert main(["explain", "config"]) == 0
    assert "upscale.max_steps = 10000" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words, says",
    [
        (["rum"], "there is no verb 'rum'; did you mean 'run'?"),
        ([], "required: VERB"),
        (["run", "none.toml"], "none.toml: does not exist, expected a run.toml"),
        (["run", "energy.csv"], "is not valid TOML"),
        (["inventory", "zones.tif"], "cannot be read as CSV"),
        (["warp", "energy.csv", "--cell-size", "1000", "--zones", "zones.tif", "--output", "x.tif"], "energy.csv"),
        (["warp", "ntl_2010.tif", "--cell-size", "1000", "--output", "x.tif"], "neither --extent nor --zones"),
        (
            ["warp", "ntl_2010.tif", "--cell-size", "-5", "--zones", "zones.tif", "--output", "x.tif"],
            "-5 is not a length above 0",
        ),
        (
            ["warp", "ntl_2010.tif", "--cell-size", "7", "--extent", "0", "0", "10", "10", "--output", "x.tif"],
            "expected whole cells",
        ),
        (["zonal", "ntl_2010.tif", "--zones", "zones.tif"], "expected NAME=FILE"),
        (["zonal", "ntl=ntl_2010.tif", "ntl=ntl_2005.tif", "--zones", "zones.tif"], "'ntl' is given twice"),
        (["predict", "ntl=ntl_2010.tif", "--model", "energy.csv"], "energy.csv: is no JSON"),
        (["upscale", "ntl_2010.tif", "--set", "upscale.crops=8"], "did you mean 'crop'?"),
        (["upscale", "ntl_2010.tif", "--set", "upscal.crop=8"], "expected upscale.KEY=VALUE"),
        (["upscale", "ntl_2010.tif", "--seed", "-1"], "-1 is below 0"),
        (["upscale", "ntl_2010.tif", "--replay", "zones.tif"], "cannot be read as CSV in UTF-8"),
        (["warp", "ntl_2010.tif", "--cell-size", "9", "--extent", "nan", "0", "9", "9", "--output", "x.tif"], "extent"),
        (["run", "run.toml", "--output", ""], "an empty name"),
        (["warp", "ntl_2010.tif", "--cell-size", "20000", "--zones", "zones.tif", "--output", "."], "is a folder"),
        (["zonal", "p_mean=ntl_2010.tif", "--zones", "zones.tif"], "is the name of another column"),
        (["zonal", "ntl=ntl_2010.tif", "--zones", "zones.tif", "--output", "zones.tif"], "to be read and written"),
        (["warp", "ntl_2010.tif", "--cell-size", "9", "--zones", "zones.tif", "--output", "ntl_2010.tif"], "be lost"),
        (["info", "ntl_2010.tif", "--png", "ntl_2010.tif"], "expected a name that ends in .png"),
        (["upscale", "ntl_2010.tif", "--curve", "a.csv", "--tape", "a.csv"], "a.csv: is to be written twice"),
        (["warp", "n" * 300, "--cell-size", "9", "--zones", "zones.tif", "--output", "x.tif"], "does not exist"),
        (["inventory", "energy.csv", "--output", "energy.csv/a.csv"], "energy.csv is a file"),
        (
            ["evaluate", "ntl_2010.tif", "--zones", "zones.tif", "--land-cover", "land_cover.tif"]
            + ["--ffdas", "population_2010.tif", "--inventories", "energy.csv/a.csv"],
            "energy.csv/a.csv: cannot be written",
        ),
        (["upscale", "zones.csv"], "zones.csv: does not exist"),
        (["evaluate", "ntl_2010.tif", "--zones", "zones.tif"], "neither --land-cover, --reference nor --coarse"),
        (
            ["allocate", "ntl_2010.tif", "--zones", "zones.tif", "--emissions", "energy.csv"],
            "no column 'emission_1e4t'",
        ),
    ],
)
def test_a_fault_is_one_line_on_standard_error_and_status_2(world, monkeypatch, capsys, words, says):
    monkeypatch.chdir(world)
    before = sorted(world.iterdir())
    assert main(words) == 2
    error = capsys.readouterr().err
    assert says in error and error.startswith("refimpl: ") and error.count("\n") == 1
    assert sorted(world.iterdir()) == before


def test_totals_of_a_raster_that_covers_no_province_are_refused(world, monkeypatch, capsys):
    monkeypatch.chdir(world)
    ntl = read_raster("ntl_2010.tif")
    west, north, width, height = ntl.grid.transform
    far = replace(ntl.grid, transform=(west - 60, north, width, height))
    write_raster("far.tif", Raster(ntl.values, ntl.valid, far, ""))
    write_raster("empty.tif", Raster.masked(ntl.values, np.zeros(ntl.valid.shape, bool), ntl.grid))
    for name, says in (("far", "no cell of it has a zone of zones.tif"), ("empty", "covers none of the provinces")):
        assert main(["zonal", f"ntl={name}.tif", "--zones", "zones.tif"]) == 2
        assert f"refimpl: {name}.tif: {says}" in capsys.readouterr().err and not (world / "zonal.csv").exists()


def test_an_internal_bug_is_a_traceback_and_status_1(world):
    code = """
import sys
from refimpl.cli import inventory, main
inventory.call = lambda args: 1 / 0
sys.exit(main(["inventory"]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1 and "ZeroDivisionError" in done.stderr


def test_an_interrupt_is_one_line_and_status_130(world, monkeypatch, capsys):
    def interrupted(args):
        raise KeyboardInterrupt

    monkeypatch.setattr(inventory, "call", interrupted)
    assert main(["inventory"]) == 130
    assert capsys.readouterr().err == "\nrefimpl: interrupted\n"


def test_help_answers_with_status_0():
    done = subprocess.run([sys.executable, "-m", "refimpl", "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and "evaluate" in done.stdout


@pytest.mark.parametrize("name, value", [("REFIMPL_THREADS", "many"), ("REFIMPL_WINOGRAD", "3")])
def test_warm_up_refuses_a_wrong_environment_in_one_sentence(monkeypatch, capsys, name, value):
    monkeypatch.setenv(name, value)
    assert main(["warm-up"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"refimpl: {name}") and error.count("\n") == 1
