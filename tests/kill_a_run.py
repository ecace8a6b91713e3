"""Disturb a run again and again, and look at its folder each time: ``python -m tests.kill_a_run HOW RUN_TOML FOLDER``.

A first run, in this process, is left in peace: it shows what whole files are, and loads everything that forks of this
process then need not load.  Each try is such a fork, on a folder that keeps what the tries before it left:

========== =========================================================================================
kill       SIGKILL after a random time, or just after the run touches a file for the random n-th time; when a run
           comes to its end, the folder is emptied, or only of its stages
interrupt  the same with SIGINT: status 130, and no temporaries stay
fill       no file may grow beyond a limit, as on a full disk: one sentence, status 2
forbid     the folder may not be written to: one sentence, status 2
twice      a second run on the folder of one that is stopped half-way: one sentence, status 2
========== =========================================================================================

After each try every file that can be seen must be whole, and a stage that was finished must not have been done again.
Prints what it counted as JSON; status 1, with a line for each fault, if anything was not as it should be.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import itertools
import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from refimpl.cli import main
from refimpl.run import pipeline
from refimpl.run.stages import WORK

TEMPORARY = ".refimpl-partial-"
CHECKPOINT_EVERY = 3
"""Steps; the few that a test trains must have some."""
TOUCHING = ("os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir")
LIMITS = (0, 100, 1_000, 3_000, 6_000, 12_000, 17_000, 21_000, 30_000, 40_000, 100_000)
"""Bytes; the largest file of the toy world has some 50,000."""


class Trial:
    """Runs of one configuration, in folders below ``root``."""

    def __init__(self, config: Path, root: Path, seed: int):
        self.config, self.root, self.random = config, root, random.Random(seed)
        self.folder, self.said, self._pipes = root / "out", "", {}
        self.counted, self.faults = Counter(), []
        root.mkdir(parents=True, exist_ok=True)
        touched = []
        sys.addaudithook(lambda *event: touched.append(event[0]) if touches(*event) else None)
        assert self.run_here(root / "whole") == 0
        self.touches = len(touched)
        self.whole = {path.name: sha256(path) for path in visible(root / "whole")}
        self.record = record_of(root / "whole")

    @functools.cached_property
    def duration(self) -> float:
        """Seconds that an undisturbed fork takes: the middle one of three."""
        return sorted(self._timed(self.root / f"timed{at}") for at in range(3))[1]

    def run_here(self, folder: Path) -> int:
        """The command line, in this process."""
        return main(["run", str(self.config), "--output", str(folder), "--quiet"])

    def _timed(self, folder: Path) -> float:
        start = time.perf_counter()
        status = self.wait(self.start(folder))
        self.look(folder, status, ended=True)
        return time.perf_counter() - start

    def start(self, folder: Path, prepare=lambda: None) -> int:
        """A fork that runs the command line; what it says goes into a pipe, which no limit on files touches."""
        hear, say = os.pipe()
        child = os.fork()
        if child:
            os.close(say)
            self._pipes[child] = hear
            return child
        status = 99
        try:
            os.dup2(say, 1), os.dup2(say, 2)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            prepare()
            status = self.run_here(folder)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush(), sys.stderr.flush()
            os._exit(status)

    def wait(self, child: int, seconds: float = 600.0) -> int | None:
        """The exit status, negative for a signal, or None if it still runs after ``seconds``; sets ``said``."""
        end = time.perf_counter() + seconds
        while True:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                with open(self._pipes.pop(child), errors="replace") as heard:
                    self.said = heard.read()
                return os.waitstatus_to_exitcode(status)
            if time.perf_counter() > end:
                return None
            time.sleep(0.001)

    def alarm(self) -> Callable[[], None]:
        """Lets a fork end, without a word, up to a millisecond after it touches a file for the random n-th time."""
        point, delay = self.random.randint(1, self.touches), self.random.uniform(1e-6, 1e-3)
        count = itertools.count(1)

        def listen(*event):
            if touches(*event) and next(count) == point:
                signal.setitimer(signal.ITIMER_REAL, delay)

        return lambda: sys.addaudithook(listen)

    def try_once(self, number: int) -> bool:
        """Send a signal at a random moment; whether it ended the run."""
        before = finished_stages(self.folder)
        checkpoint = (self.folder / WORK / "train" / "checkpoint.npz").exists()
        if number == signal.SIGKILL and self.random.random() < 0.5:
            status = self.wait(self.start(self.folder, self.alarm()))
        else:
            child = self.start(self.folder)
            status = self.wait(child, self.random.uniform(0, self.duration))
            if status is None:
                os.kill(child, number)
                status = self.wait(child)
        ended_by = (130,) if number == signal.SIGINT else (-signal.SIGKILL, -signal.SIGALRM)
        self.counted[f"status {status}"] += 1
        self.counted["stages found finished"] += len(before)
        self.counted["trainings to go on with"] += "train" not in before and checkpoint
        self.expect(status in (0, *ended_by), f"status {status}: {self.said}")
        self.look(self.folder, status, ended=status == 0)
        for name, identity in finished_stages(self.folder).items():
            self.expect(before.get(name, identity) == identity, f"the finished stage {name} was done again")
        if status == 0:
            self.counted["finished"] += 1
            shutil.rmtree(self.folder if self.counted["finished"] % 2 else self.folder / WORK)
        return status in ended_by

    def look(self, folder: Path, status: int | None, ended: bool) -> None:
        """Every visible file is whole; a run that ended has left all of them; temporaries stay at a kill alone."""
        found = {path.name: sha256(path) for path in visible(folder)}
        for name, content in found.items():
            if name != "run.json":
                self.expect(content == self.whole.get(name), f"{name} is not as an undisturbed run makes it")
        record = record_of(folder)
        if "run.json" in found:
            self.expect(record == self.record, "run.json is not as an undisturbed run makes it")
            self.expect(found.keys() == self.whole.keys(), "run.json is there and not all that it names")
        self.expect(not ended or found.keys() == self.whole.keys(), f"files of a finished run: {sorted(found)}")
        if status is not None and status >= 0:
            left = [path.name for path in folder.rglob(TEMPORARY + "*")]
            self.expect(not left, f"temporaries stay: {left}")

    def refused(self, status: int | None, says: str) -> None:
        """One sentence, after warnings perhaps, and status 2."""
        told = [line for line in self.said.splitlines() if not line.startswith("warning: ")]
        self.expect(status == 2, f"status {status}: {self.said}")
        self.expect(len(told) == 1 and told[0].startswith("refimpl: ") and says in told[0], f"it says: {told}")
        self.counted["refused"] += 1

    def expect(self, holds: bool, fault: str) -> None:
        """Note a fault."""
        if not holds:
            self.faults.append(fault)


def touches(event: str, arguments: tuple) -> bool:
    """Whether an event that Python tells of changes a file or a folder."""
    writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT
    return event in TOUCHING or (event == "open" and bool(arguments[2] & writes))


def sha256(path: Path) -> str:
    """By itself, not by the code under test."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def visible(folder: Path) -> list[Path]:
    """What a user sees of an output folder."""
    paths = folder.iterdir() if folder.exists() else ()
    return sorted(path for path in paths if path.name != WORK and not path.name.startswith(TEMPORARY))


def record_of(folder: Path):
    """``run.json`` but for the seconds, which no two runs share; the fault where it is no JSON."""
    try:
        record = json.loads((folder / "run.json").read_text())
    except (OSError, ValueError) as fault:
        return str(fault)
    return {key: value for key, value in record.items() if key != "seconds"}


def finished_stages(folder: Path) -> dict[str, tuple[int, int]]:
    """Each finished stage, and what changes when its record is written again."""
    found = {}
    for path in (folder / WORK).glob("*/stage.json"):
        if "files" in json.loads(path.read_text()):
            found[path.parent.name] = (path.stat().st_ino, path.stat().st_mtime_ns)
    return found


def kill(trial: Trial, times: int, number: int = signal.SIGKILL) -> None:
    """Until that many have ended a run."""
    while trial.counted["signals"] < times:
        trial.counted["signals"] += trial.try_once(number)


def interrupt(trial: Trial, times: int) -> None:
    """As a user does with Ctrl-C."""
    kill(trial, times, signal.SIGINT)


def fill(trial: Trial, times: int) -> None:
    """A limit of the system on the size of files gives the faults of a full disk; in the end the run goes through."""
    import resource

    for limit in LIMITS:
        room = functools.partial(resource.setrlimit, resource.RLIMIT_FSIZE, (limit, limit))
        status = trial.wait(trial.start(trial.folder, room))
        if status:
            trial.refused(status, "the disk is full")
        trial.look(trial.folder, status, ended=status == 0)
    trial.look(trial.folder, trial.wait(trial.start(trial.folder)), ended=True)


def forbid(trial: Trial, times: int) -> None:
    """Before the run, and while it is at work, with and without an earlier run's files.

    The administrator may write anywhere, and becomes nobody first.
    """

    def nobody():
        if os.geteuid() == 0:
            os.setgid(65534), os.setuid(65534)

    trial.folder.mkdir()
    trial.folder.chmod(0o555)
    trial.refused(trial.wait(trial.start(trial.folder, nobody)), "out: cannot be written to")
    trial.expect(list(trial.folder.iterdir()) == [], "something was written")
    for at in range(times):
        shutil.rmtree(trial.folder)
        if at % 2:
            shutil.copytree(trial.root / "whole", trial.folder, ignore=lambda *_: [WORK])
        trial.folder.mkdir(exist_ok=True)
        trial.folder.chmod(0o777)
        child = trial.start(trial.folder, nobody)
        status = trial.wait(child, trial.random.uniform(0, trial.duration))
        trial.folder.chmod(0o555)
        status = trial.wait(child) if status is None else status
        trial.folder.chmod(0o755)
        if status:
            trial.refused(status, "cannot be written")
        trial.look(trial.folder, None, ended=status == 0 or at % 2 == 1)


def twice(trial: Trial, times: int) -> None:
    """The second is told who is there; the first ends as if it had been alone."""
    for _ in range(times):
        first, lock = trial.start(trial.folder), trial.folder / WORK / "lock"
        while not (lock.exists() and str(first) in lock.read_text()):
            time.sleep(0.001)
        os.kill(first, signal.SIGSTOP)
        second = trial.wait(trial.start(trial.folder))
        trial.refused(second, f"out: another run is writing there (process {first} on ")
        os.kill(first, signal.SIGCONT)
        trial.look(trial.folder, trial.wait(first), ended=True)
        shutil.rmtree(trial.folder)


def program() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.kill_a_run", description=__doc__)
    parser.add_argument("how", choices=("kill", "interrupt", "fill", "forbid", "twice"))
    parser.add_argument("config", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    os.fsync = lambda descriptor: None  # what was written outlives its process without it; most time would go into it
    pipeline.Checkpoint = functools.partial(pipeline.Checkpoint, every=CHECKPOINT_EVERY)
    trial = Trial(args.config, args.folder, args.seed)
    globals()[args.how](trial, args.times)
    for fault, times in Counter(trial.faults).items():
        print(f"{times} x {fault}", file=sys.stderr)
    print(json.dumps({**trial.counted, "faults": len(trial.faults)}))
    return 1 if trial.faults else 0


if __name__ == "__main__":
    sys.exit(program())
