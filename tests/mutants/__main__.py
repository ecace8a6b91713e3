"""``python -m tests.mutants``: verify every mutant, two at a time; the kill rate, and every survivor by name."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.mutant import Mutant
from tests.mutants.mutants import MUTANTS

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 300
"""Seconds; a mutant may make a loop that does not end.  That is noticed too."""


@dataclass(frozen=True)
class Verdict:
    """What `verify` said of a mutant: exit status, and the failed cases by stage."""

    mutant: Mutant
    status: int
    stages: dict[str, list[str]]
    said: str = ""

    @property
    def killed(self) -> bool:
        """Whether `verify` failed and named the right stage."""
        return self.status == 1 and self.mutant.stage in self.stages


def verdict(mutant: Mutant, arguments: tuple[str, ...] = ()) -> Verdict:
    """Verify one mutant in a process of its own."""
    words = [sys.executable, "-m", "tests.mutants.one", mutant.id, *arguments]
    try:
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        return Verdict(mutant, 1, {mutant.stage: ["it does not end"]}, "time-out")
    if done.returncode:
        return Verdict(mutant, done.returncode, {}, done.stderr[-2000:])
    answer = json.loads(done.stdout.splitlines()[-1])
    return Verdict(mutant, answer["status"], answer["stages"])


def verdicts(mutants, arguments: tuple[str, ...] = (), jobs: int | None = None) -> list[Verdict]:
    """Verify several, ``jobs`` at a time."""
    with ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
        return list(pool.map(lambda mutant: verdict(mutant, arguments), mutants))


def main() -> int:
    """0 where every mutant is killed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("mutant", nargs="*", help="ids; all by default")
    parser.add_argument("--cases", action="store_true", help="say which cases killed each")
    args = parser.parse_args()
    found = verdicts([MUTANTS[name] for name in args.mutant] or list(MUTANTS.values()))
    for one in found:
        if args.cases or not one.killed:
            cases = "; ".join(f"{stage}: {', '.join(names)}" for stage, names in one.stages.items())
            print(f"{'killed' if one.killed else 'SURVIVES'}  {one.mutant.id} ({one.mutant.stage})  {cases} {one.said}")
    killed = sum(one.killed for one in found)
    first = sum(one.killed and next(iter(one.stages)) == one.mutant.stage for one in found)
    print(f"{killed} of {len(found)} mutants killed; of {first} the right stage is the first that fails")
    return 0 if killed == len(found) else 1


if __name__ == "__main__":
    sys.exit(main())
