"""Who computes tiles: threads and processes of this machine; the verbs give the same bytes whoever does."""

import json
import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

from refimpl.cli import main, predict, warp
from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import WGS84
from refimpl.errors import DataWarning, InputError
from refimpl.formats.files import sha256
from refimpl.formats.geotiff import read_raster
from refimpl.formats.model_file import write_model
from refimpl.formats.writing import write_raster
from refimpl.method.selection import fit_model
from refimpl.run.workers import executor_of
from refimpl.twins import backend, current_backend
from refimpl.windows import fine_map
from refimpl.windows.executors import at_once, result_of, submit

ROOT = Path(__file__).resolve().parent.parent
ALONE = [("1", []), ("2", []), ("4", []), ("8", [])]
WITH_WORKERS = [("4", ["--workers", count]) for count in ("1", "2", "4", "8")]
WITH_PROCESSES = [("4", ["--workers", "2", "--processes"])]


def threads_and_backend():
    from kernels.tools.threads import thread_count

    return thread_count(), current_backend(), os.environ.get("REFIMPL_WINOGRAD")


def warn_twice():
    for text in ("one cell is odd", "one cell is odd", "another"):
        warnings.warn(text, DataWarning, stacklevel=1)
    return os.getpid()


def end(status):
    os._exit(status)


@pytest.mark.parametrize("processes", [False, True])
def test_a_task_runs_its_kernels_on_one_thread_with_the_backend_and_settings_of_who_asks(processes, monkeypatch):
    monkeypatch.setenv("REFIMPL_THREADS", "4")
    monkeypatch.setenv("REFIMPL_WINOGRAD", "2")
    with executor_of(2, processes) as executor:
        assert at_once(executor) == 2
        assert result_of(submit(executor, threads_and_backend)) == (1, "numba", "2")
        with backend("numpy"):
            assert result_of(submit(executor, threads_and_backend))[1:] == ("numpy", "2")
        assert threads_and_backend()[0] == 4


def test_what_a_process_has_to_tell_is_told_here():
    with executor_of(1, processes=True) as executor, pytest.warns(DataWarning) as told:
        assert result_of(submit(executor, warn_twice)) != os.getpid()
    assert [str(one.message) for one in told] == ["one cell is odd", "one cell is odd", "another"]


def test_a_process_that_ends_is_one_sentence_also_for_the_tasks_that_follow():
    with pytest.raises(InputError, match="a worker ended before its tile was made") as fault:
        with executor_of(1, processes=True) as executor:
            result_of(submit(executor, end, 9))
    assert "BrokenProcessPool" in str(fault.value)
    with executor_of(1, processes=True) as executor:
        futures = [submit(executor, end, 9), submit(executor, end, 9)]
        for future in futures:
            with pytest.raises(InputError, match="a worker ended"):
                result_of(future)
        with pytest.raises(InputError, match="a worker ended"):
            submit(executor, end, 9)


@pytest.mark.parametrize(
    "options, sentence",
    [
        (["--processes"], "--processes is given without --workers; expected --workers N"),
        (["--workers", "2", "--scheduler", "tcp://127.0.0.1:8786"], "are both given; take one"),
        (["--workers", "2000"], "--workers 2000: expected 1024 at most"),
        (["--workers", "0"], "argument --workers: 0 is below 1"),
    ],
)
def test_workers_that_cannot_be_are_refused_in_one_sentence_with_nothing_written(world, capsys, options, sentence):
    files = [str(world / "ntl_2010.tif"), "--zones", str(world / "zones.tif"), "--output", str(world / "a.tif")]
    assert main(["warp", *files, "--cell-size", "20000", *options]) == 2
    said = capsys.readouterr().err
    assert said.startswith("refimpl: ") and sentence in said and said.count("\n") == 1
    assert not (world / "a.tif").exists()


ORPHANS = """
import sys, time
from refimpl.run.workers import executor_of
from refimpl.windows import fine_map
from refimpl.windows.executors import submit
from tests.test_workers import announce_and_wait
if __name__ == "__main__":
    with executor_of(2, processes=True) as executor:
        waiting = [submit(executor, announce_and_wait, sys.argv[1]) for _ in range(2)]
        try:
            [one.result() for one in waiting]
        except KeyboardInterrupt:
            print("interrupted", flush=True)
            raise SystemExit(130)
"""


def announce_and_wait(folder):
    Path(folder, str(os.getpid())).touch()
    time.sleep(600)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see who lives")
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_no_worker_outlives_the_process_that_asked(tmp_path, sent):
    seen, script = tmp_path / "seen", tmp_path / "asking.py"
    seen.mkdir()
    script.write_text(ORPHANS)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    asking = subprocess.Popen(
        [sys.executable, str(script), str(seen)], env=environment, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_for(lambda: len(list(seen.iterdir())) == 2)
    pids = [int(path.name) for path in seen.iterdir()]
    assert all(alive(pid) for pid in pids)
    if sent == signal.SIGKILL:
        asking.kill()
    else:
        os.killpg(asking.pid, sent)  # as Ctrl-C does: to all of the group
    out, err = asking.communicate(timeout=60)
    wait_for(lambda: not any(alive(pid) for pid in pids))
    if sent == signal.SIGINT:
        assert (out, err, asking.returncode) == ("interrupted\n", "", 130)


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    """Two drivers of 560 x 1100 cells with a coast, a zone as a polygon, a model, and a small coarse map."""
    folder, rng = tmp_path_factory.mktemp("maps"), np.random.default_rng(3)
    grid = Grid(WGS84, (100.0, 40.0, 0.01, -0.01), (560, 1100))
    valid = rng.random(grid.shape) < 0.8
    valid[:, :500] = False
    for name, scale in (("ntl", 50.0), ("people", 3e3)):
        values = (scale * rng.lognormal(size=grid.shape)).astype(np.float32)
        write_raster(folder / f"{name}.tif", Raster.masked(values, valid, grid))
    square = [[104, 34], [112, 34], [112, 39.5], [104, 39.5], [104, 34]]
    zone = {"type": "Feature", "properties": {"code": 11}, "geometry": {"type": "Polygon", "coordinates": [square]}}
    (folder / "zones.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [zone]}))
    totals = rng.lognormal(size=(12, 2)) * [1e5, 1e3]
    target = totals @ [0.02, 3.0] - 3e3 + 500 * rng.standard_normal(12)
    write_model(folder / "model.json", fit_model("svr", totals, target, feature_names=("ntl", "people")))
    shape = 70, 90
    small = Raster.masked(rng.lognormal(size=shape), rng.random(shape) < 0.9, Grid(grid.crs, grid.transform, shape))
    write_raster(folder / "coarse.tif", small)
    return folder


VERBS = {
    "warp": ["ntl.tif", "--cell-size", "1000", "--zones", "zones.geojson"],
    "predict": ["ntl=ntl.tif", "people=people.tif", "--model", "model.json"],
    "upscale": ["coarse.tif", *(f"--set=upscale.{one}" for one in ("channels=8", "crop=16", "max_steps=4"))],
}


def words_of(verb, folder):
    """The verb's arguments, with the folder before every file."""
    found = []
    for word in VERBS[verb]:
        name, equals, file = word.rpartition("=")
        found.append(f"{name}{equals}{folder / file}" if "." in file and not name.startswith("--") else word)
    return [verb, *found]


@pytest.mark.parametrize("verb", VERBS)
def test_threads_workers_and_processes_give_the_same_bytes(maps, tmp_path, monkeypatch, capsys, verb):
    monkeypatch.setattr(warp, "WARPED_TILE", (512, 512))
    monkeypatch.setattr(predict, "COARSE_TILE", (512, 512))
    monkeypatch.setattr(fine_map, "TILE_SIDE", 32)
    digests, said = set(), set()
    for number, (threads, options) in enumerate(ALONE + WITH_WORKERS + WITH_PROCESSES):
        monkeypatch.setenv("REFIMPL_THREADS", threads)
        assert main([*words_of(verb, maps), *options, "--output", str(tmp_path / f"{number}.tif")]) == 0
        digests.add(sha256(tmp_path / f"{number}.tif"))
        said.add(capsys.readouterr().out)
    assert len(digests) == len(said) == 1
    assert read_raster(tmp_path / "0.tif").valid.any()
