"""The verb ``verify``: refimpl itself, or a program of any language, against the golden suite."""

from __future__ import annotations

import argparse
from pathlib import Path

from refimpl.cli.arguments import count, folder, positive_seconds

HELP = "check refimpl itself, or a program of yours, against the golden suite (golden/README.md)"


def options(verb: argparse.ArgumentParser) -> None:
    """Arguments of ``verify``."""
    verb.add_argument("--program", metavar="CMD", help="called as CMD IN_DIR OUT_DIR; without it, refimpl is checked")
    verb.add_argument("--suite", type=folder, help="golden/v1 of a checkout, if it is not found by itself")
    verb.add_argument("--case", action="append", default=[], metavar="ID", help="this case only; may be repeated")
    verb.add_argument("--stage", action="append", default=[], help="this stage only; may be repeated")
    verb.add_argument("--xfails", type=Path, metavar="FILE", help="ids of cases known to fail, one a line")
    verb.add_argument("--timeout", type=positive_seconds, default=60.0, help="seconds that a program has for a case")
    verb.add_argument("--keep", type=folder, metavar="DIR", help="keep IN and OUT of each case here, to try again")
    verb.add_argument("--jobs", type=count, default=2, help="cases that a program is given at a time")
    verb.add_argument("--backend", choices=("numba", "numpy", "both"), default="both", help="of refimpl itself")
    verb.add_argument("--results", type=Path, metavar="FILE", help="every verdict as JSON")
    verb.add_argument("--junit", type=Path, metavar="FILE", help="every verdict as JUnit XML")
    verb.add_argument(
        "--pictures", type=folder, default=Path("verify-pictures"), help="folder for the pictures of wrong rasters"
    )


def call(args) -> int:
    """Print the findings and a table by stage; the exit status is 1 where something failed."""
    from refimpl.conformance.verify import verify

    return verify(args)
