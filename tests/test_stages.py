"""Finished stages: done once, anew when something changed that is then named, whole or not at all when killed."""

import errno
import itertools
import json
import math
import os
import pickle
import shutil
import sys
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA
from refimpl.errors import DataWarning, InputError
from refimpl.formats import files
from refimpl.formats.writing import write_raster
from refimpl.method.inventory import FUELS
from refimpl.run import program
from refimpl.run.program import code_digest, program_digest
from refimpl.run.stages import Stages
from refimpl.run.values import dump, load
from refimpl.twins import backend
from refimpl.windows.stored import Stored

AFTER = {"warp": (), "train": ("warp",), "upscale": ("train",)}
NAMES = {"drivers.ntl": "ntl_2010.tif"}


def keys(sum="a1", crop=64, steps=6):
    train = {"upscale.crop": crop, "seed": 1}
    return {"warp": {"drivers.ntl": sum}, "train": train, "upscale": {"upscale.steps": steps}}


class Work:
    """A run of three stages, of which the middle one goes on where it was interrupted; counts what it does."""

    def __init__(self, folder):
        self.folder, self.done = folder / ".refimpl-work", Counter()

    def run(self, **parts):
        """The final value; every stage writes a file."""
        self.stages = Stages(self.folder, keys(**parts), AFTER, NAMES)
        warp = self.stages.do("warp", self._warp)
        train = self.stages.do("train", lambda here: self._train(here, warp), resumes=True)
        return self.stages.do("upscale", lambda here: self._upscale(here, train)).value

    def _warp(self, here):
        self.done["warp"] += 1
        files.write_bytes(here.path("driver.tif"), bytes(range(200)))
        warnings.warn("a province is cut", DataWarning, stacklevel=1)
        return {"sum": 3}

    def _train(self, here, warp):
        state = here.path("checkpoint")
        step = int(state.read_text()) if state.exists() else 0
        for now in range(step + 1, 7):
            self.done["steps"] += 1
            files.write_text(state, str(now))
        return np.full(3, warp.value["sum"] * 2.0)

    def _upscale(self, here, train):
        self.done["upscale"] += 1
        here.path("deep").mkdir()
        here.path("deep").joinpath("weights.bin").write_bytes(b"w" * 1000)  # not through files.atomic_path
        return here.path("weights.tif"), train.value

    def snapshot(self):
        """Every file below the folder, by name; times apart."""
        found = {}
        for path in sorted(self.folder.rglob("*")):
            if path.is_file():
                name, content = path.relative_to(self.folder).as_posix(), path.read_bytes()
                if path.name == "stage.json":
                    content = {key: value for key, value in json.loads(content).items() if key != "seconds"}
                found[name] = content
        return found


@pytest.fixture
def work(tmp_path):
    return Work(tmp_path)


ONCE = {"warp": 1, "steps": 6, "upscale": 1}


@pytest.mark.filterwarnings("ignore::refimpl.errors.DataWarning")
def test_a_finished_stage_is_not_done_again_and_hands_on_the_same(work, capsys):
    for _ in range(2):
        path, values = work.run()
        assert work.done == ONCE and values.tolist() == [6.0, 6.0, 6.0] and values.dtype == np.float64
        assert path == (work.folder / "upscale" / "weights.tif").absolute()
    assert capsys.readouterr().err == ""


@pytest.mark.filterwarnings("ignore::refimpl.errors.DataWarning")
@pytest.mark.parametrize(
    "change, anew, says",
    [
        ({"sum": "b2"}, set(ONCE), "ntl_2010.tif (drivers.ntl) has changed since the last run: warp"),
        ({"crop": 128}, {"steps", "upscale"}, "upscale.crop was 64 and is 128: train"),
        ({"steps": 9}, {"upscale"}, "upscale.steps was 6 and is 9: upscale"),
    ],
)
def test_a_change_is_named_and_only_what_follows_from_it_is_done_anew(work, capsys, change, anew, says):
    work.run()
    work.done.clear()
    work.run(**change)
    assert set(work.done) == anew and all(work.done[name] == ONCE[name] for name in anew)
    assert capsys.readouterr().err == f"{says} is done anew, and what follows from it\n"
    work.run(**change)
    assert sum(work.done.values()) == sum(ONCE[name] for name in anew)


@pytest.mark.filterwarnings("ignore::refimpl.errors.DataWarning")
def test_a_change_of_what_an_interrupted_stage_depends_on_starts_it_over(work, monkeypatch, capsys):
    monkeypatch.setattr(np, "full", lambda *_: 1 / 0)  # in the training, after its last checkpoint
    with pytest.raises(ZeroDivisionError):
        work.run()
    monkeypatch.undo()
    assert (work.folder / "train" / "checkpoint").read_text() == "6"
    work.run(crop=32)
    assert work.done == {"warp": 1, "steps": 12, "upscale": 1}
    assert "upscale.crop was 64 and is 32: train is done anew" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore::refimpl.errors.DataWarning")
def test_a_stage_that_resumes_goes_on_after_a_failure_and_another_leaves_nothing(work, monkeypatch):
    monkeypatch.setattr(np, "full", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        work.run()
    monkeypatch.undo()
    work.run()
    assert work.done == ONCE
    other = Stages(work.folder, {"other": {}}, {"other": ()})
    with pytest.raises(ZeroDivisionError):
        other.do("other", lambda here: here.path("a").write_bytes(b"a") / 0)
    assert not (work.folder / "other").exists()


def test_each_changed_part_is_told_once_and_new_and_lost_parts_as_such(tmp_path, capsys):
    after, names = {"one": (), "two": ("one",)}, {"evaluate.odiac": "odiac.tif"}

    def run(**parts):
        kept = Stages(tmp_path, {"one": parts, "two": parts}, after, names)
        kept.do("one", lambda here: None)
        kept.do("two", lambda here: None)
        return capsys.readouterr().err

    assert run(a=1, b=None, gone="x") == ""
    assert run(**{"a": 2, "b": None, "new": 0.5}) == (
        "a was 1 and is 2; gone was 'x' and is no more; new = 0.5 is new: one is done anew, and what follows from it\n"
    )
    assert run(**{"a": 2, "b": 1, "new": 0.5, "evaluate.odiac": "f00d"}) == (
        "b was None and is 1; odiac.tif (evaluate.odiac) is new: one is done anew, and what follows from it\n"
    )
    assert run(c=1, d=1, e=1).count("; ") == 2 and "and 6 more: one" in run(f=1, g=1, h=1, i=1, j=1, k=1)


def test_a_number_that_is_no_number_is_no_change(tmp_path):
    done = []
    for _ in range(2):
        Stages(tmp_path, {"one": {"x": math.nan}}, {"one": ()}).do("one", done.append)
    assert len(done) == 1


@pytest.mark.filterwarnings("ignore::refimpl.errors.DataWarning")
@pytest.mark.parametrize("harm", ["lost", "cut", "longer", "value lost", "value damaged", "record lost", "record cut"])
def test_a_stage_that_lacks_something_is_done_again_alone(work, capsys, harm):
    work.run()
    folder, whole = work.folder / "upscale", work.snapshot()
    path = folder / {"v": "value.pickle", "r": "stage.json"}.get(harm[0], "deep/weights.bin")
    content = path.read_bytes()
    if harm.endswith("lost"):
        path.unlink()
    else:
        harmed = {"r": content[:-9], "c": content[:-1], "l": content + b"w", "v": content[:2] + content[:1:-1]}
        path.write_bytes(harmed[harm[0]])
    work.run()
    assert work.done == {**ONCE, "upscale": 2} and work.snapshot() == whole
    said = capsys.readouterr().err
    assert said == ("" if harm[0] == "r" else f"{path}: is not as the last run left it; upscale is done anew\n")


@pytest.mark.filterwarnings("ignore::refimpl.errors.DataWarning")
def test_the_folder_may_be_moved_between_two_runs(work, tmp_path):
    work.run()
    shutil.move(work.folder, tmp_path / "elsewhere")
    work.folder = tmp_path / "elsewhere"
    path, _ = work.run()
    assert work.done == ONCE and path == tmp_path / "elsewhere" / "upscale" / "weights.tif"


def test_warnings_are_given_when_a_stage_is_done_when_it_is_kept_and_when_it_fails(work, tmp_path):
    for _ in range(2):
        with pytest.warns(DataWarning, match="a province is cut") as told:
            work.run()
        assert len(told) == 1

    def fails(here):
        warnings.warn("told before the end", DataWarning, stacklevel=1)
        raise InputError("wrong")

    with pytest.raises(InputError, match="wrong"), pytest.warns(DataWarning, match="told before the end"):
        Stages(tmp_path, {"one": {}}, {"one": ()}).do("one", fails)


@pytest.mark.filterwarnings("ignore::refimpl.errors.DataWarning")
def test_clear_keeps_what_is_named_and_the_seconds_are_those_of_the_work(work):
    work.run()
    (work.folder / "lock").write_text("held")
    seconds = work.stages.seconds
    work.run()
    assert work.stages.seconds == seconds and list(seconds) == list(AFTER)
    work.stages.clear(keep=("train",))
    assert sorted(os.listdir(work.folder)) == ["lock", "train"]
    work.run()
    assert work.done == {"warp": 2, "steps": 6, "upscale": 2}


@pytest.mark.filterwarnings("ignore::refimpl.errors.DataWarning")
def test_files_are_on_the_disk_before_their_record(work, monkeypatch):
    flushed, fsync, replace = [], os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda one: (flushed.append(os.fstat(one).st_ino), fsync(one)))

    def checked(source, target):
        if Path(target).name == "stage.json" and "files" in json.loads(Path(source).read_text()):
            others = {p.stat().st_ino for p in Path(target).parent.rglob("*") if p.is_file() and p.name != "stage.json"}
            assert others - {Path(source).stat().st_ino} <= set(flushed)
            flushed.append("record")
        replace(source, target)

    monkeypatch.setattr(os, "replace", checked)
    work.run()
    assert flushed.count("record") == 3


def test_a_folder_that_cannot_be_written_is_one_sentence(work, tmp_path):
    work.folder.write_text("")
    with pytest.raises(InputError, match=r"\.refimpl-work.warp: cannot be written .*; choose a folder"):
        work.run()


@pytest.mark.parametrize("fault", [OSError(errno.ENOSPC, "No space left"), OSError("1000 requested and 12 written")])
def test_a_full_disk_found_by_whatever_writes_is_one_sentence_and_its_room_is_given_back(tmp_path, fault):
    def fills(here):
        here.path("half").write_bytes(b"half")
        raise fault

    with pytest.raises(InputError, match=r"one: cannot be written, the disk is full \((No space|1000 requested)"):
        Stages(tmp_path, {"one": {}}, {"one": ()}).do("one", fills)
    assert os.listdir(tmp_path) == []


def test_another_fault_of_a_file_is_no_full_disk(tmp_path):
    with pytest.raises(FileNotFoundError):
        Stages(tmp_path, {"one": {}}, {"one": ()}).do("one", lambda here: here.path("nowhere").read_bytes())


def test_another_program_never_goes_on_with_a_stage(tmp_path, monkeypatch, capsys):
    done = []

    def run():
        Stages(tmp_path, {"one": {}}, {"one": ()}).do("one", lambda here: done.append(1))
        return len(done)

    assert run() == run() == 1
    with backend("numpy"):
        assert run() == 2
    assert capsys.readouterr().err == (
        "refimpl or what it runs on is another version: one is done anew, and what follows from it\n"
    )
    assert run() == 3
    for name in ("machine", "python_version"):
        monkeypatch.setattr(program.platform, name, lambda: "another")
        assert run() == run() == len(done)
    monkeypatch.setenv("REFIMPL_WINOGRAD", "2")
    assert (run(), run()) == (6, 6)


def test_any_change_of_the_sources_is_another_program(tmp_path):
    digests = [code_digest(tmp_path / "none")]
    for content in ("a = 1", "a = 2"):
        for name in ("refimpl/__init__.py", "refimpl/raster/a.py", "refimpl/raster/b.py", "kernels/a.py"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content)
            code_digest.cache_clear()
            digests.append(code_digest(tmp_path))
    (tmp_path / "refimpl" / "notes.txt").write_text("no source")
    code_digest.cache_clear()
    assert code_digest(tmp_path) == digests[-1] and len(set(digests)) == len(digests) == 9
    code_digest.cache_clear()
    assert program_digest() == program_digest()


@dataclass
class Stranger:
    """A class that is none of refimpl's."""


def test_values_of_our_own_classes_survive_and_nothing_else_is_made(tmp_path):
    grid = Grid(ALBERS_CHINA, (0.0, 0.0, 5.0, -5.0), (2, 3))
    value = (grid, np.float64(0.1), [True, None, "a", 2**70], {1: np.arange(3)})
    back = load(dump(value, tmp_path), tmp_path)
    assert back[:3] == value[:3] and back[3][1].tolist() == [0, 1, 2]
    assert load(dump(FUELS["coal"], tmp_path), tmp_path) == FUELS["coal"]
    for wrong in (Stranger(), print, Counter()):
        with pytest.raises(pickle.UnpicklingError, match="is none of ours"):
            load(dump(wrong, tmp_path), tmp_path)
    stolen = b"\x80\x04\x8c\x10refimpl.cli.info\x8c\x02os\x93."  # a module that one of ours imports
    with pytest.raises((pickle.UnpicklingError, AttributeError)):
        load(stolen, tmp_path)


def test_a_raster_that_a_stage_wrote_is_kept_as_the_name_of_its_file(tmp_path):
    grid, there = Grid(ALBERS_CHINA, (0.0, 0.0, 5.0, -5.0), (1, 2)), tmp_path / "warp" / "driver.tif"
    there.parent.mkdir()
    write_raster(there, Raster(np.array([[1.0, 2.0]]), np.ones((1, 2), bool), grid, "K"))
    content = dump([Stored(there, keep=0), Stored(there, keep=0)], tmp_path)
    there.unlink()  # neither keeping nor taking up looks into the file
    moved = tmp_path / "elsewhere"
    one, same = load(content, moved)
    assert one is same and one.path == moved / "warp" / "driver.tif" and one.how["keep"] == 0


def test_a_value_that_cannot_be_taken_up_again_is_refused_when_it_is_made(tmp_path):
    with pytest.raises(pickle.UnpicklingError, match="Stranger is none of ours"):
        Stages(tmp_path, {"one": {}}, {"one": ()}).do("one", lambda here: Stranger())
    assert os.listdir(tmp_path) == []


def killed_at(point, run):
    """Whether a fork of this process ran ``run`` to its end, or died just before what it would do as number ``point``.

    Counted is whatever touches a file: opening, making, renaming, removing, flushing, and half of a written file.
    """
    child = os.fork()
    if child:
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status in (0, 9)
        return status == 0
    try:
        count = itertools.count(1)

        def step(event, arguments):
            if event in EVENTS and next(count) == point:
                os._exit(9)

        write_text, write_bytes = Path.write_text, Path.write_bytes
        os.fsync = lambda descriptor: step("fsync", ())  # what was written outlives a process without it
        Path.write_text = lambda self, text, **kw: halved(write_text, self, text, **kw)
        Path.write_bytes = lambda self, content: halved(write_bytes, self, content)

        def halved(write, path, content, **kw):
            write(path, content[: len(content) // 2], **kw)
            step("half", ())
            write(path, content, **kw)
            step("written", ())

        sys.addaudithook(step)
        run()
    except BaseException:
        os._exit(1)
    os._exit(0)


EVENTS = ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree", "fsync", "half", "written")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("before", ["nothing", "other settings", "a lost file"])
def test_killed_at_any_point_the_next_start_ends_as_if_it_had_never_been(tmp_path, before, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    program_digest()  # read once, before the files that are opened are counted
    whole = Work(tmp_path / "whole")
    whole.run()
    expected, points = whole.snapshot(), 0
    start = Work(tmp_path / "start")
    if before != "nothing":
        start.run(**({"sum": "old"} if before == "other settings" else {}))
        if before == "a lost file":
            (start.folder / "warp" / "driver.tif").unlink()
    for point in itertools.count(1):
        work = Work(tmp_path / str(point))
        if start.folder.exists():
            shutil.copytree(start.folder, work.folder)
        finished = killed_at(point, work.run)
        work.run()
        assert work.snapshot() == expected, point
        shutil.rmtree(work.folder.parent)
        if finished:
            break
        points += 1
    assert points > 60 if before != "a lost file" else points > 15
