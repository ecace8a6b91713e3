"""Runs the contenders of a job in turns, each in a process of its own, and says what came of it.

A round is one sample of each contender, in an order that moves on from round to round; a pause after each lets the
threads of libraries that spin while they wait come to rest.  What counts is the median over the rounds of the ratio of
the times within one round: a machine that slows down slows both.  Opponents whose median is ``BEHIND`` times that of
the best of them after three rounds are left out of the later ones, so that there is time for more.

A run is called noisy, and no result, if processes that are not part of it took more than ``MOST_FOREIGN`` of the
processors while it lasted (steal included), or if the median is known too loosely: if the interval that holds it with a
probability of 95 % (from the ranks of the samples, whatever their distribution) is wider than ``WIDEST`` of it.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.bench.job import Contender, Job

BEHIND = 1.4
MOST_FOREIGN = 0.05
WIDEST = 0.20
PAUSE = 0.05
MOST_ROUNDS, LEAST_ROUNDS = 60, 6


class Process:
    """A contender in its own process."""

    def __init__(self, job: Job, contender: Contender, threads: int):
        self.contender, self.seconds, self.rounds, self.cpu = contender, [], [], 0.0
        variables = ("REFIMPL_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        self.messages = tempfile.TemporaryFile("w+")
        environment = os.environ | {name: str(threads) for name in variables}
        self.pipe = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.worker", job.name, contender.name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.messages, text=True, env=environment,
        )  # fmt: skip
        self.first = self._answer()

    def _answer(self) -> dict:
        line = self.pipe.stdout.readline()
        if line:
            return json.loads(line)
        self.messages.seek(0)
        return {"missing": f"the process ended: {self.messages.read()[-500:]}"}

    def sample(self, round_number: int, calls: int) -> None:
        """Time ``calls`` calls."""
        self.pipe.stdin.write(f"{calls}\n")
        self.pipe.stdin.flush()
        answer = self._answer()
        if "missing" in answer:
            raise RuntimeError(f"{self.contender.name}: {answer['missing']}")
        self.seconds.append(answer["seconds"])
        self.rounds.append(round_number)
        self.cpu = answer["cpu"]
        time.sleep(PAUSE)

    def close(self) -> None:
        """End the process."""
        self.pipe.kill()
        self.pipe.communicate()
        self.messages.close()

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


@dataclass
class Outcome:
    """What a job came to; times in seconds."""

    job: Job
    times: dict[str, list[float]]
    missing: dict[str, str] = field(default_factory=dict)
    peaks: dict[str, int] = field(default_factory=dict)
    """Bytes beyond the input."""
    differences: dict[str, float] = field(default_factory=dict)
    """Of each opponent's digest from ours, relative."""
    best: str = ""
    ratio: float = float("nan")
    quartiles: tuple[float, float] = (float("nan"), float("nan"))
    """A quarter of the ratios lies below the first, a quarter above the second."""
    interval: tuple[float, float] = (float("nan"), float("nan"))
    """Where the median lies with a probability of 95 %."""
    foreign: float = 0.0
    """Share of the processors that others took."""

    @property
    def wrong(self) -> list[str]:
        """Opponents that did other work."""
        return [name for name, one in self.differences.items() if not one <= self.job.tolerance]

    @property
    def noisy(self) -> str:
        """Why this is no result; empty if it is one."""
        low, high = self.interval
        if self.foreign > MOST_FOREIGN:
            return f"other processes took {self.foreign:.0%} of the processors"
        return f"the median lies between {low:.2f} and {high:.2f}" if (high - low) > WIDEST * self.ratio else ""

    @property
    def verdict(self) -> str:
        """One or two words."""
        if self.wrong:
            return "other work"
        if not self.best:
            return "no opponent"
        if self.noisy:
            return "noisy"
        return "" if not self.job.goal else "reached" if self.ratio >= self.job.goal else "not reached"

    def as_json(self) -> dict:
        """All that was measured."""
        return {
            "job": self.job.name, "title": self.job.title, "goal": self.job.goal, "verdict": self.verdict,
            "why_noisy": self.noisy, "best_opponent": self.best, "ratio": self.ratio, "quartiles": self.quartiles,
            "interval": self.interval, "foreign_share": self.foreign, "seconds": self.times, "peak_bytes": self.peaks,
            "missing": self.missing,
            "relative_difference": self.differences, "tolerance": self.job.tolerance, "why_tolerance": self.job.why,
        }  # fmt: skip


def measure(job: Job, threads: int, budget: float, opponents: list[str] | None = None) -> Outcome:
    """All rounds of a job, about ``budget`` seconds of them; ``opponents`` (parts of names) to pick some."""
    ours, *others = job.contenders
    if opponents is not None:
        others = [one for one in others if any(part.lower() in one.name.lower() for part in opponents)]
    processes = []
    try:
        for contender in (ours, *others):
            processes.append(Process(job, contender, threads))
        outcome = Outcome(job, {}, {p.contender.name: p.first["missing"] for p in processes if "missing" in p.first})
        ready = [process for process in processes if "missing" not in process.first]
        if not ready or ready[0] is not processes[0]:
            raise RuntimeError(f"{job.name}: ours failed: {processes[0].first['missing']}")
        outcome.peaks = {process.contender.name: process.first["peak"] for process in ready}
        outcome.differences = {p.contender.name: difference(p.first["digest"], ready[0].first["digest"]) for p in ready}
        outcome.foreign = take_turns(ready, job.calls, budget)
        summarise(outcome, ready)
        return outcome
    finally:
        for process in processes:
            process.close()


def take_turns(processes: list[Process], calls: int, budget: float) -> float:
    """The rounds; returns the share of the processors that others took meanwhile."""
    for process in processes:
        process.sample(-1, calls)  # also to know the processor time used so far
    used, clock, start = sum(process.cpu for process in processes), busy_seconds(), time.perf_counter()
    active, number = list(processes), 0
    while number < MOST_ROUNDS and (number < LEAST_ROUNDS or time.perf_counter() - start < budget):
        shift = number % len(active)
        for process in active[shift:] + active[:shift]:
            process.sample(number, calls)
        number += 1
        if number == 3 and len(active) > 2:
            limit = BEHIND * min(process.median for process in active[1:])
            active = [active[0]] + [process for process in active[1:] if process.median <= limit]
    elapsed = time.perf_counter() - start
    foreign = busy_seconds() - clock - (sum(process.cpu for process in processes) - used)
    return max(0.0, foreign / elapsed / (os.cpu_count() or 1))


def busy_seconds() -> float:
    """Processor time that all processes took since the machine started, steal included; 0 where it is unknown."""
    try:
        fields = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    except OSError:
        return 0.0
    return (sum(fields[:8]) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def summarise(outcome: Outcome, processes: list[Process]) -> None:
    """The best opponent, and the ratios to it round by round; the round before the first does not count."""
    for process in processes:
        process.seconds, process.rounds = process.seconds[1:], process.rounds[1:]
        outcome.times[process.contender.name] = process.seconds
    ours, rivals = processes[0], [p for p in processes[1:] if p.contender.counts]
    if rivals:
        best = min(rivals, key=lambda process: process.median)
        ratios = [best.seconds[best.rounds.index(n)] / ours.seconds[n] for n in ours.rounds if n in best.rounds]
        outcome.best, outcome.ratio = best.contender.name, statistics.median(ratios)
        low, _, high = statistics.quantiles(ratios, n=4)
        outcome.quartiles, outcome.interval = (low, high), median_interval(ratios)


def median_interval(samples: list[float]) -> tuple[float, float]:
    """The samples between which the median of what is sampled lies with a probability of 95 %.

    Each sample falls below the median with probability 1/2, so the number below it is binomial.  Of five samples the
    least and the greatest enclose it with a probability of 94 %.

    >>> median_interval([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0])
    (2.0, 8.0)
    """
    ordered, n, below, rank = sorted(samples), len(samples), 0.0, 0
    while rank < n // 2 and below + math.comb(n, rank) / 2**n <= 0.025:
        below += math.comb(n, rank) / 2**n
        rank += 1
    rank = max(rank - 1, 0)
    return ordered[rank], ordered[n - 1 - rank]


def difference(one: list[float], other: list[float]) -> float:
    """max |a - b| / max |b|, infinite where shapes differ or a number is nan."""
    a, b = np.array(one), np.array(other)
    if a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return float("inf")
    return float(np.max(np.abs(a - b), initial=0) / (np.max(np.abs(b), initial=0) or 1))
