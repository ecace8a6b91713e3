"""Whatever ends a run, its output folder holds whole files or none, and the next start goes on."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks and kills")


def disturb(how, world, times=1, seed=0):
    """``tests/kill_a_run.py`` at work."""
    text = (world / "run.toml").read_text().replace("max_steps = 6", "max_steps = 90")
    (world / "run.toml").write_text(text)
    words = [how, str(world / "run.toml"), str(world / f"{how}{seed}"), "--times", str(times), "--seed", str(seed)]
    command = [sys.executable, "-m", "tests.kill_a_run", *words]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def counted(process):
    """What it counted, if it found no fault."""
    said, faults = process.communicate()
    assert process.returncode == 0, faults
    return json.loads(said.splitlines()[-1])


def test_a_run_killed_at_200_random_moments_leaves_whole_files_and_goes_on(world):
    found = [counted(process) for process in [disturb("kill", world, 100, seed) for seed in (1, 2)]]
    assert [one["signals"] for one in found] == [100, 100]  # each ended a run
    assert all(min(one["status -9"], one["status -14"], one["finished"]) >= 10 for one in found), found
    assert sum(one["trainings to go on with"] for one in found) >= 3 and found[0]["stages found finished"] >= 200


def test_an_interrupted_run_says_so_and_leaves_no_temporaries(world):
    found = counted(disturb("interrupt", world, 20))
    assert found["status 130"] >= 15  # else it came where Python takes no interrupt, or the run had just ended


def test_a_full_disk_is_one_sentence_and_a_run_with_room_ends_as_ever(world):
    assert counted(disturb("fill", world))["refused"] >= 8


def nobody_may_read(path):
    """Whether every folder on the way to a path lets anybody pass."""
    return all(one.stat().st_mode & 0o005 == 0o005 for one in (Path(path).resolve(), *Path(path).resolve().parents))


@pytest.mark.skipif(
    hasattr(os, "geteuid") and os.geteuid() == 0 and not (nobody_may_read(sys.prefix) and nobody_may_read(ROOT)),
    reason="the administrator takes the rights of nobody, who cannot read this environment",
)
def test_a_folder_that_may_not_be_written_is_one_sentence_at_any_moment(world):
    with tempfile.TemporaryDirectory() as folder:  # pytest's own may be entered by its owner alone
        os.chmod(folder, 0o755)
        for path in world.iterdir():
            (Path(folder) / path.name).write_bytes(path.read_bytes())
        assert counted(disturb("forbid", Path(folder), 6))["refused"] >= 2


def test_two_runs_on_one_folder_do_not_mix(world):
    assert counted(disturb("twice", world, 2))["refused"] == 2
