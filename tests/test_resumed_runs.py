"""A run goes on where it stopped, does nothing twice, and ends with the bytes of one that was never stopped."""

import importlib
import json
import pkgutil
import re

import numpy as np
import pytest

import refimpl.method.training as train_module
import refimpl.run as package
import refimpl.run.pipeline as pipeline
import refimpl.run.stages as stages_module
from refimpl.cli import main
from refimpl.earth.grid import Raster
from refimpl.formats.geotiff import read_raster
from refimpl.formats.writing import write_raster
from refimpl.run.config import read_config
from refimpl.run.stage_keys import NOT_RESULTS, STAGES, flat, stage_settings, stages_in
from refimpl.windows.checkpoint import Checkpoint


def run(world, output, *more):
    return main(["run", str(world / "run.toml"), "--output", str(world / output), *more])


def outputs(folder):
    """What the run made and its checksums, as its record has them."""
    return json.loads((folder / "run.json").read_text())["outputs"]


@pytest.fixture
def made(monkeypatch):
    """The names of the stages that are done, and not taken as they were, in their order."""
    names, make = [], stages_module.Stages._make

    def noted(self, name, *args):
        names.append(name)
        return make(self, name, *args)

    monkeypatch.setattr(stages_module.Stages, "_make", noted)
    return names


@pytest.mark.parametrize(
    "place", ["lay_out", "open_references", "predict_map", "make_weights", "allocate_emission", "judge_map"]
)
def test_a_run_that_stops_in_a_stage_goes_on_there_and_ends_with_the_same_bytes(world, made, monkeypatch, place):
    assert run(world, "straight") == 0
    straight = list(made)
    made.clear()

    def stopped(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(getattr(pipeline, place), "work", stopped)
        assert run(world, "out") == 130
    before = list(made)
    assert run(world, "out") == 0
    assert before[-1] == made[len(before)]  # the stage that was interrupted is the first that is done again
    assert made == before[:-1] + [before[-1]] + straight[len(before) - 1 :]
    assert outputs(world / "out") == outputs(world / "straight")


def test_a_training_that_stops_goes_on_from_its_checkpoint(world, monkeypatch):
    words = ("--set", "upscale.max_steps=40")
    assert run(world, "straight", *words) == 0
    monkeypatch.setattr(pipeline, "Checkpoint", lambda path, key: Checkpoint(path, key, every=7))
    taken, step = [], train_module.loss_and_gradients

    def counted(*args):
        taken.append(1)
        if len(taken) in (10, 31):  # in the middle of two stretches between checkpoints
            raise KeyboardInterrupt
        return step(*args)

    monkeypatch.setattr(train_module, "loss_and_gradients", counted)
    assert [run(world, "out", *words) for _ in range(3)] == [130, 130, 0]
    assert len(taken) < 40 + 2 * 7 + 2  # what lay behind a checkpoint was not done again
    assert outputs(world / "out") == outputs(world / "straight")


def test_a_finished_run_is_not_made_again_unless_it_is_to_be_fresh(world, made, capsys):
    assert run(world, "out") == 0
    said, all_stages = capsys.readouterr().out, list(made)
    made.clear()
    assert run(world, "out") == 0
    again = capsys.readouterr()
    assert made == [] and again.out == said and "--fresh makes them anew" in again.err
    assert run(world, "out", "--fresh") == 0
    assert made == all_stages


def test_an_output_that_was_changed_or_removed_is_made_again(world, made):
    assert run(world, "out") == 0
    expected = outputs(world / "out")
    (world / "out" / "comparison.csv").write_text("mine\n")
    made.clear()
    assert run(world, "out") == 0
    assert outputs(world / "out") == expected and "train" not in made
    assert (world / "out" / "comparison.csv").read_text() != "mine\n"


def test_a_changed_input_is_named_and_what_follows_from_it_is_done_anew(world, made, capsys, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(pipeline.judge_map, "work", lambda *args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(world, "out")
    lights = read_raster(world / "ntl_2010.tif")
    values = lights.values.copy()
    values[3, 4] += 5
    write_raster(world / "ntl_2010.tif", Raster(values, lights.valid, lights.grid, ""), nodata=-9999)
    made.clear()
    capsys.readouterr()
    assert run(world, "out") == 0
    assert "ntl_2010.tif (drivers." in capsys.readouterr().err and "train" in made
    assert run(world, "anew") == 0
    assert outputs(world / "out") == outputs(world / "anew")


def test_a_file_beside_a_raster_counts_as_part_of_it(world, made, capsys):
    assert run(world, "out") == 0
    made.clear()
    statistics = "<PAMDataset><PAMRasterBand band='1'><NoDataValue>-9999</NoDataValue></PAMRasterBand></PAMDataset>"
    (world / "ntl_2010.tif.aux.xml").write_text(statistics)
    assert run(world, "out") == 0
    assert "zonal" in made and "train" in made


def test_a_changed_setting_is_named_and_only_what_looks_at_it_is_done_anew(world, made, capsys, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(pipeline.judge_map, "work", lambda *args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(world, "out")
    made.clear()
    capsys.readouterr()
    assert run(world, "out", "--set", "upscale.self_ensemble=false") == 0
    assert "upscale.self_ensemble was True and is False: upscale is done anew" in capsys.readouterr().err
    assert made == ["upscale", "allocate", "evaluate", "draw"]
    made.clear()
    assert run(world, "out", "--set", "upscale.self_ensemble=false", "--set", 'title="Another"') == 0
    assert "train" not in made  # it is kept when the run has ended


def test_every_setting_belongs_to_a_stage(world):
    config = read_config(world / "run.toml")
    settings = {name for name, _ in flat(config.effective()) if name.split(".")[0] not in NOT_RESULTS}
    keys = stage_settings(config, {})
    assert settings == set().union(*keys.values()) and set(keys) == set(STAGES)


def test_every_stage_is_a_function_with_a_key_that_says_what_it_is_in_the_paper():
    modules = [importlib.import_module(found.name) for found in pkgutil.iter_modules(package.__path__, "refimpl.run.")]
    found = {one for module in modules for one in vars(module).values() if isinstance(one, stages_module.Stage)}
    assert sorted(one.name for one in found) == sorted(STAGES)
    assert all(re.search(r"D\d\d|(Eq|Fig|Table)s?\. ?\d|Table \d", one.__doc__) for one in found)
    assert [one.name for one in found if one.resumes] == ["train"]


def test_a_key_depends_on_what_is_given_beside_the_configuration(world):
    results = pipeline.run(read_config(world / "run.toml"))
    config, network, tape = results.config, results.fine.network, results.fine.tape
    given = [{}, {"network": network}, {"tape": tape}, {"trained": (results.stages.kept("train").value.trained,)}]
    found = [stages_in(world / "work", config, **one) for one in given]
    trains, predicts = ({stages_module.digest(one.key(name)) for one in found} for name in ("train", "predict"))
    assert len(trains) == len(given) and len(predicts) == 1


def test_any_number_of_threads_and_workers_gives_the_same_bytes(world, monkeypatch):
    found = {}
    ways = [(threads, ()) for threads in "1248"] + [("2", ("--workers", count)) for count in "1248"]
    for number, (threads, words) in enumerate([*ways, ("2", ("--workers", "2", "--processes"))]):
        monkeypatch.setenv("REFIMPL_THREADS", threads)
        assert run(world, f"out{number}", *words) == 0
        found[threads, words] = outputs(world / f"out{number}")
    assert all(one == found["1", ()] for one in found.values())


def test_results_outlive_their_temporary_folder_no_longer_than_they_are_held(world):
    results = pipeline.run(read_config(world / "run.toml"))
    folder = results.stages.folder
    assert folder.is_dir() and np.isfinite(results.allocation.emission.values).all()
    del results
    assert not folder.exists()


def test_what_only_the_report_looks_at_trains_nothing_anew(world, made):
    assert run(world, "out") == 0
    plain = read_raster(world / "out" / "emissions.tif")
    made.clear()
    assert run(world, "out", "--set", "report.cog=true", "--set", "report.zoom=[-1e6, 2e6, 1e6, 4e6]") == 0
    assert "train" not in made and "draw" in made
    again = read_raster(world / "out" / "emissions.tif")
    assert np.array_equal(again.values, plain.values) and again.units == plain.units
    head = (world / "out" / "emissions.tif").read_bytes()[:400]
    assert b"LAYOUT=IFDS_BEFORE_DATA" in head and b"LAYOUT" not in (world / "out" / "run.json").read_bytes()


def test_what_has_changed_since_a_finished_run_is_named_too(world, capsys):
    assert run(world, "out") == 0
    lights = read_raster(world / "ntl_2005.tif")
    write_raster(world / "ntl_2005.tif", Raster(lights.values + 1, lights.valid, lights.grid, ""), nodata=-9999)
    capsys.readouterr()
    assert run(world, "out", "--set", "grid.cell_size=10000.0") == 0
    told = capsys.readouterr().err
    assert "ntl_2005.tif (drivers.by_year.2005.ntl) has changed" in told
    assert "grid.cell_size was 20000.0 and is 10000.0" in told


def test_an_input_is_read_where_the_present_configuration_has_it(world, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(pipeline.judge_map, "work", lambda *args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(world, "out")
    cover = read_raster(world / "land_cover.tif")
    (world / "land_cover.tif").rename(world / "lc.tif")
    water = Raster(np.zeros_like(cover.values), cover.valid, cover.grid, "")
    write_raster(world / "land_cover.tif", water)  # another file under the old name
    words = ("--set", 'land_cover.raster="lc.tif"')
    assert run(world, "out", *words) == run(world, "anew", *words) == 0
    assert outputs(world / "out") == outputs(world / "anew")


def test_an_input_that_changes_while_the_run_is_at_work_is_refused(world, capsys, monkeypatch):
    lights, judge = read_raster(world / "ntl_2010.tif"), pipeline.judge_map.work

    def judged(*args):
        write_raster(world / "ntl_2010.tif", Raster(lights.values + 1, lights.valid, lights.grid, ""), nodata=-9999)
        return judge(*args)

    monkeypatch.setattr(pipeline.judge_map, "work", judged)
    assert run(world, "out") == 2
    assert "ntl_2010.tif" in (said := capsys.readouterr().err) and "has changed while the run was at work" in said
    assert not (world / "out" / "run.json").exists()
    monkeypatch.undo()
    assert run(world, "out") == run(world, "anew") == 0
    assert outputs(world / "out") == outputs(world / "anew")


def test_a_run_does_not_write_over_its_own_inputs(world, capsys):
    (world / "energy.csv").rename(world / "inventory.csv")
    before = (world / "inventory.csv").read_bytes()
    assert run(world, ".", "--set", 'statistics.energy="inventory.csv"') == 2
    assert "has the name of one of its results" in capsys.readouterr().err
    assert (world / "inventory.csv").read_bytes() == before
