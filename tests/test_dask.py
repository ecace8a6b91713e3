"""Tiles by a real Dask cluster: the same bytes, also when a worker is killed; what cannot work is one sentence."""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

from refimpl import __version__
from refimpl.cli import main
from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA
from refimpl.errors import DataWarning, InputError
from refimpl.formats.files import sha256
from refimpl.formats.geotiff import read_raster
from refimpl.formats.writing import write_raster
from refimpl.method.selection import fit_model
from refimpl.run import cluster
from refimpl.run.workers import executor_of
from refimpl.windows.executors import at_once, result_of, submit
from refimpl.windows.predicted_map import Predicted
from refimpl.windows.stored import Stored
from refimpl.windows.tiled import write_tiled

distributed = pytest.importorskip("distributed")
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory):
    """Two workers, each a process with one thread and a nanny that starts it again."""
    folder = tmp_path_factory.mktemp("dask")
    options = {"local_directory": str(folder), "dashboard_address": ":0", "silence_logs": logging.CRITICAL}
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, **options) as found:
        yield found


@pytest.fixture(scope="module")
def coarse(tmp_path_factory):
    """A coarse map of 500 x 700 cells as a source, from drivers in files."""
    folder, rng = tmp_path_factory.mktemp("drivers"), np.random.default_rng(5)
    grid = Grid(ALBERS_CHINA, (0, 3e6, 1000, -1000), (500, 700))
    valid = rng.random(grid.shape) < 0.7
    for name in ("ntl", "people"):
        values = rng.lognormal(size=grid.shape).astype(np.float32)
        write_raster(folder / f"{name}.tif", Raster.masked(values, valid, grid))
    totals = rng.lognormal(size=(12, 2))
    model = fit_model("svr", totals, totals.sum(axis=1), feature_names=("ntl", "people"))
    drivers = {name: Stored(folder / f"{name}.tif") for name in ("ntl", "people")}
    return Predicted(model, drivers, model.feature_scaler)


class AtTheFirstTile:
    """In the place of a progress line: does something when the first tile has come back."""

    def __init__(self, act):
        self.act = act

    def update(self, _):
        """Act once."""
        act, self.act = self.act, lambda: None
        act()


def pids_of(found):
    return {nanny.pid for nanny in found.workers.values()}


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_worker_killed_in_the_middle_changes_no_byte(two_workers, coarse, tmp_path):
    write_tiled(tmp_path / "alone.tif", coarse, (64, 64))
    before = pids_of(two_workers)
    victim = min(before)
    with executor_of(None, scheduler=two_workers.scheduler_address) as executor:
        assert at_once(executor) == 2
        write_tiled(tmp_path / "undisturbed.tif", coarse, (64, 64), executor)
        assert pids_of(two_workers) == before
        kill = AtTheFirstTile(lambda: os.kill(victim, signal.SIGKILL))
        write_tiled(tmp_path / "killed.tif", coarse, (64, 64), executor, kill)
    wait_for(lambda: victim not in pids_of(two_workers) and None not in pids_of(two_workers))
    assert sha256(tmp_path / "alone.tif") == sha256(tmp_path / "undisturbed.tif") == sha256(tmp_path / "killed.tif")
    assert read_raster(tmp_path / "alone.tif").valid.mean() == pytest.approx(0.7, abs=0.01)


def run(world, *words):
    return subprocess.run(
        [sys.executable, "-m", "refimpl", *words], cwd=world, env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_verb_gives_its_tiles_to_the_scheduler_by_its_address(two_workers, world):
    words = ["warp", "ntl_2010.tif", "--cell-size", "2000", "--zones", "zones.tif", "--output"]
    assert run(world, *words, "alone.tif").returncode == 0
    found = run(world, *words, "dask.tif", "--scheduler", two_workers.scheduler_address)
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")
    assert sha256(world / "alone.tif") == sha256(world / "dask.tif")


def refuse(path):
    raise InputError(f"{path}: is damaged; take another")


def warn():
    warnings.warn("one cell is odd", DataWarning, stacklevel=1)


def test_faults_and_warnings_of_a_worker_are_told_here(two_workers):
    with executor_of(None, scheduler=two_workers.scheduler_address) as executor:
        with pytest.raises(InputError, match="^a.tif: is damaged; take another$"):
            result_of(submit(executor, refuse, "a.tif"))
        with pytest.warns(DataWarning, match="^one cell is odd$"):
            result_of(submit(executor, warn))
        future = submit(executor, time.sleep, 600)
        future.cancel()
        with pytest.raises(InputError, match="the cluster gave up a tile, or its scheduler has ended"):
            result_of(future)


def sentence(world, capsys, address):
    """What the verb says of a scheduler that is of no use; it must end with status 2 and write nothing."""
    files = [str(world / "ntl_2010.tif"), "--zones", str(world / "zones.tif"), "--output", str(world / "a.tif")]
    assert main(["warp", *files, "--cell-size", "20000", "--scheduler", address]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"refimpl: --scheduler {address}: ") and said.count("\n") == 1
    assert not (world / "a.tif").exists()
    return said


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "127.0.0.1", "http://127.0.0.1:80", "tcp://127.0.0.1:x", "-"])
def test_an_address_where_no_scheduler_answers_is_one_sentence(world, capsys, monkeypatch, address):
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    assert "no Dask scheduler answers there" in sentence(world, capsys, address)


def test_without_the_package_the_sentence_says_how_to_install_it(world, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert "pip install 'refimpl[distributed]'" in sentence(world, capsys, "tcp://127.0.0.1:8786")


def test_a_cluster_without_workers_or_with_one_that_has_no_refimpl_is_one_sentence(world, capsys, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['refimpl'] = None\n")
    options = {"n_workers": 0, "dashboard_address": ":0", "silence_logs": logging.CRITICAL}
    with contextlib.ExitStack() as stack:
        found = stack.enter_context(distributed.LocalCluster(**options))
        address = found.scheduler_address
        assert f"has no worker; start some with 'dask worker {address}'" in sentence(world, capsys, address)
        command = [sys.executable, "-m", "dask", "worker", address, "--no-dashboard", "--no-nanny"]
        worker = subprocess.Popen(
            command, env=os.environ | {"PYTHONPATH": str(tmp_path)}, cwd=tmp_path, stderr=subprocess.DEVNULL
        )
        stack.callback(worker.wait)
        stack.callback(worker.kill)
        wait_for(lambda: found.scheduler.workers)
        assert f"has no refimpl; install refimpl {__version__}" in sentence(world, capsys, address)
