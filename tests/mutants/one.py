"""``python -m tests.mutants.one ID``: verify one mutant in this process, and print which stages failed as JSON."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tempfile
from pathlib import Path

from tests.mutants.loader import install
from tests.mutants.mutants import MUTANTS


def failing(arguments: list[str]) -> tuple[int, dict[str, list[str]]]:
    """The exit status of ``refimpl verify`` with these arguments, and the failed cases by stage."""
    from refimpl.cli import main

    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        results = Path(folder) / "results.json"
        words = ["verify", "--quiet", "--backend", "numpy", "--results", str(results), "--pictures", folder]
        status = main(words + arguments)
        rows = json.loads(results.read_text(encoding="utf-8"))["results"]
    stages: dict[str, list[str]] = {}
    for row in rows:
        if row["outcome"] == "failed":
            stages.setdefault(row["stage"], []).append(row["case"])
    return status, stages


if __name__ == "__main__":
    install(MUTANTS[sys.argv[1]])
    status, stages = failing(sys.argv[2:])
    print(json.dumps({"mutant": sys.argv[1], "status": status, "stages": stages}))
