"""``python -m tests.mutants``: verify mutants, some at a time; the kill rate by layer, and the survivors by name."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
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

    @property
    def noticed(self) -> bool:
        """Whether `verify` failed, whatever stage it named."""
        return self.status == 1

    @property
    def by_one_case(self) -> bool:
        """Whether the mutant is killed, and would survive without one case of its stage."""
        return self.killed and len(self.stages[self.mutant.stage]) == 1

    @property
    def line(self) -> str:
        """The verdict in a line: the mutant, and the cases that failed."""
        cases = "; ".join(f"{stage}: {', '.join(names)}" for stage, names in self.stages.items())
        said = " ".join(self.said.split()[-40:])
        return f"{'killed' if self.killed else 'SURVIVES'}  {self.mutant.id} ({self.mutant.stage})  {cases} {said}"


def verdict(mutant: Mutant, arguments: tuple[str, ...] = ()) -> Verdict:
    """Verify one mutant in a process of its own; the temporary files that it leaves are removed."""
    words = [sys.executable, "-m", "tests.mutants.one", mutant.id, *arguments]
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"TMPDIR": folder}
        try:
            done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            return Verdict(mutant, 1, {mutant.stage: ["it does not end"]}, "time-out")
    if done.returncode:
        return Verdict(mutant, done.returncode, {}, done.stderr[-2000:] or f"it ended with {done.returncode}")
    answer = json.loads(done.stdout.splitlines()[-1])
    return Verdict(mutant, answer["status"], answer["stages"])


def verdicts(mutants: Iterable[Mutant], arguments: tuple[str, ...] = (), own_stage: bool = False) -> Iterator[Verdict]:
    """Verify several side by side; the verdicts in their order.  With ``own_stage``, each by the cases of its stage."""
    more = lambda mutant: ("--stage", mutant.stage) if own_stage else ()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(lambda mutant: verdict(mutant, arguments + more(mutant)), mutants)


def table(found: list[Verdict]) -> str:
    """Kills by layer, and how many of them hang on a single case; the survivors by name.

    ``noticed`` counts the mutants at which `verify` fails, also where it names another stage alone.

    >>> mutant = Mutant("a", "zssr", "kernels/adam.py", "x", "y")
    >>> print(table([Verdict(mutant, 1, {"zssr": ["adam-one-step"]}), Verdict(mutant, 0, {})]))
    layer       mutants  killed  rate  by one case  noticed
    kernels           2       1   50%            1        1
    all               2       1   50%            1        1
    survivors in kernels: a
    """
    lines, survivors = ["layer       mutants  killed  rate  by one case  noticed"], []
    layers = sorted({one.mutant.layer for one in found})
    for layer in (*layers, "all"):
        here = [one for one in found if layer in (one.mutant.layer, "all")]
        killed, alone = sum(one.killed for one in here), sum(one.by_one_case for one in here)
        noticed = sum(one.noticed for one in here)
        lines.append(f"{layer:10}  {len(here):7}  {killed:6}  {killed / len(here):4.0%}  {alone:11}  {noticed:7}")
        names = [one.mutant.id for one in here if not one.killed]
        if names and layer != "all":
            survivors.append(f"survivors in {layer}: {', '.join(names)}")
    return "\n".join(lines + survivors)


def chosen(names: list[str], layers: list[str]) -> list[Mutant]:
    """The mutants of these names, and of these layers; all where neither is given."""
    named = [MUTANTS[name] for name in names]
    return named + [one for one in MUTANTS.values() if one.layer in layers or not (names or layers)]


def main() -> int:
    """0 where every mutant is killed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("mutant", nargs="*", help="ids; all by default")
    known = sorted({one.layer for one in MUTANTS.values()})
    parser.add_argument("--layer", action="append", choices=known, default=[], help="mutants of this layer; repeatable")
    parser.add_argument("--cases", action="store_true", help="say which cases killed each")
    args = parser.parse_args()
    if unknown := [name for name in args.mutant if name not in MUTANTS]:
        parser.error(f"no mutant has the id {unknown[0]}; the ids stand in tests/mutants/")
    found = []
    for one in verdicts(chosen(args.mutant, args.layer)):
        found.append(one)
        if args.cases or not one.killed:
            print(one.line, flush=True)
    killed = sum(one.killed for one in found)
    first = sum(one.killed and next(iter(one.stages)) == one.mutant.stage for one in found)
    print(table(found))
    print(f"{killed} of {len(found)} mutants killed; of {first} the right stage is the first that fails")
    return 0 if killed == len(found) else 1


if __name__ == "__main__":
    sys.exit(main())
