"""``python -m tests.mutants.one ID``: verify one mutant in this process, and print which stages failed as JSON."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tempfile
from pathlib import Path
from unittest import mock

from tests.mutants.loader import install
from tests.mutants.machine_code import private_machine_code
from tests.mutants.mutants import MUTANTS


def failing(arguments: list[str], backend: str = "numpy", method: bool = True) -> tuple[int, dict[str, list[str]]]:
    """The exit status of ``refimpl verify`` with these arguments, and the failed cases by stage, each named once.

    Without ``method``, only the run's code answers, and not also the plain method: it takes two thirds of the time.
    """
    from refimpl.cli import main
    from refimpl.conformance import verify

    both = verify.own_answerers if method else lambda backends, case: list(backends)
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.redirect_stdout(io.StringIO()),
        mock.patch.object(verify, "own_answerers", both),
    ):
        results = Path(folder) / "results.json"
        words = ["verify", "--quiet", "--backend", backend, "--results", str(results), "--pictures", folder]
        status = main(words + arguments)
        rows = json.loads(results.read_text(encoding="utf-8"))["results"]
    stages: dict[str, list[str]] = {}
    for row in rows:
        if row["outcome"] == "failed" and row["case"] not in stages.setdefault(row["stage"], []):
            stages[row["stage"]].append(row["case"])
    return status, {stage: cases for stage, cases in stages.items() if cases}


if __name__ == "__main__":
    mutant = MUTANTS[sys.argv[1]]
    with private_machine_code():
        install(mutant)
        status, stages = failing(sys.argv[2:], mutant.backend, method=False)
        if mutant.layer == "method" and mutant.stage not in stages:  # code that the plain method alone may call
            status, stages = failing(sys.argv[2:], mutant.backend)
    print(json.dumps({"mutant": mutant.id, "status": status, "stages": stages}))
