"""The command line: one verb for the whole method and one for each of its stages.

A fault of the input is one sentence on standard error and exit status 2; an internal bug is a traceback and
status 1.  What the verbs do stands in ``verbs``.
"""

from __future__ import annotations

import argparse
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from refimpl import __version__
from refimpl.cli import info, verbs
from refimpl.cli.allocate import options_allocate, verb_allocate
from refimpl.cli.arguments import (
    count,
    datum_argument,
    folder,
    positive_seconds,
    settable,
    zone_arguments,
)
from refimpl.cli.evaluate import options_evaluate, verb_evaluate
from refimpl.cli.predict import options_predict, verb_predict
from refimpl.cli.run import options_run, verb_run
from refimpl.cli.upscale import options_upscale, verb_upscale
from refimpl.cli.warp import options_warp, verb_warp
from refimpl.errors import DataWarning, InputError, did_you_mean
from refimpl.progress import set_quiet


class Parser(argparse.ArgumentParser):
    """Argparse whose faults are our one sentence and status 2, with the nearest right verb."""

    def error(self, message: str):
        wrong = re.search(r"argument VERB: invalid choice: '([^']*)'", message)
        if wrong:
            message = f"there is no verb {wrong[1]!r}{did_you_mean(wrong[1], VERBS)}"
        raise InputError(f"{message}; see {self.prog} --help")


def options_inventory(verb: argparse.ArgumentParser) -> None:
    """Arguments of ``inventory``."""
    verb.add_argument(
        "energy",
        nargs="?",
        type=Path,
        help="CSV: code, province, year and a column for each fuel (10^4 t; gas 10^8 m3)",
    )
    verb.add_argument("--output", type=Path, default=Path("inventory.csv"))


def options_info(verb: argparse.ArgumentParser) -> None:
    """Arguments of ``info``."""
    verb.add_argument("file", type=Path, help="a GeoTIFF, or a TIFF or PNG with its side files")
    verb.add_argument("--band", type=count, default=1)
    verb.add_argument(
        "--window", type=int, nargs=4, metavar=("R0", "R1", "C0", "C1"), help="only rows R0 to R1, columns C0 to C1"
    )
    verb.add_argument("--png", type=Path, metavar="FILE", help="write the quick look as a map")
    verb.add_argument("--json", action="store_true", help="print the facts as JSON")


def options_zonal(verb: argparse.ArgumentParser) -> None:
    """Arguments of ``zonal``."""
    verb.add_argument("drivers", nargs="+", metavar="NAME=FILE")
    zone_arguments(verb)
    verb.add_argument("--band", type=count, default=1, help="of every driver's file, from 1")
    verb.add_argument("--kind", choices=("density", "count"), default="density", help="per km2, or per cell")
    verb.add_argument("--emissions", type=Path, help="what 'refimpl inventory' wrote")
    verb.add_argument("--year", type=int, help="of the emissions; by default their last")
    verb.add_argument("--output", type=Path, default=Path("zonal.csv"))
    datum_argument(verb)


def options_fit(verb: argparse.ArgumentParser) -> None:
    """Arguments of ``fit``."""
    verb.add_argument("--drivers", type=Path, required=True, help="what 'refimpl zonal' wrote for the year of the fit")
    verb.add_argument("--test-drivers", type=Path, required=True)
    verb.add_argument("--emissions", type=Path, required=True)
    verb.add_argument("--year", type=int, required=True)
    verb.add_argument("--test-year", type=int, required=True)
    verb.add_argument("--model", default="auto", help="auto, svr, bayesian, linear or elastic_net")
    verb.add_argument("--settings", type=Path, help="a run.toml whose [regression] table is used")
    verb.add_argument("--output", type=Path, default=Path("model.json"))
    verb.add_argument("--table", type=Path, help="Table 1 as CSV")
    settable(verb)


def options_verify(verb: argparse.ArgumentParser) -> None:
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


def options_warm_up(verb: argparse.ArgumentParser) -> None:
    """``warm-up`` has none."""


def options_explain(verb: argparse.ArgumentParser) -> None:
    """Arguments of ``explain``."""
    verb.add_argument("topic", choices=("decisions", "config"))


VERBS = {
    "run": (verb_run, options_run, "the whole method; without a file, the sample case (China, 10 km to 5 km)"),
    "inventory": (
        verbs.verb_inventory,
        options_inventory,
        "Eq. 1: fuel consumption to emission; without a file, prints Table 3",
    ),
    "info": (info.verb_info, options_info, "what a raster is, and what would go wrong with it here"),
    "warp": (verb_warp, options_warp, "bring a raster to a working grid, clipped to the zones if they are given"),
    "zonal": (
        verbs.verb_zonal,
        options_zonal,
        "province totals, means and counts of drivers; with --emissions, drivers ranked by Pearson r",
    ),
    "fit": (
        verbs.verb_fit,
        options_fit,
        "Table 1: fit the four models on one year, test them on another, save the best (D07)",
    ),
    "predict": (verb_predict, options_predict, "the coarse map CE: the model on every cell"),
    "upscale": (
        verb_upscale,
        options_upscale,
        "ZSSR: a map at twice its resolution, by a network trained on it alone",
    ),
    "allocate": (verb_allocate, options_allocate, "Eq. 3: province totals onto the cells of a map, exactly"),
    "evaluate": (
        verb_evaluate,
        options_evaluate,
        "judge a map: land covers, errors against another map, its plain alternatives",
    ),
    "verify": (
        verbs.verb_verify,
        options_verify,
        "check refimpl itself, or a program of yours, against the golden suite (golden/README.md)",
    ),
    "warm-up": (verbs.verb_warm_up, options_warm_up, "compile ahead what a run needs, and keep it for later processes"),
    "explain": (
        verbs.verb_explain,
        options_explain,
        "list the decisions where the paper is silent, or every key of a run.toml",
    ),
}
"""Of each verb: what it does, its arguments, and its help."""


def parser() -> argparse.ArgumentParser:
    """All verbs and their options."""
    top = Parser(
        prog="refimpl", description="SVR-ZSSR: provincial CO2 statistics to a fine emission map, totals exact."
    )
    top.add_argument("--version", action="version", version=f"refimpl {__version__}")
    choices = top.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=Parser)
    for name, (function, options, help) in VERBS.items():
        verb = choices.add_parser(
            name, help=help, description=help, formatter_class=argparse.ArgumentDefaultsHelpFormatter
        )
        verb.set_defaults(function=function)
        verb.add_argument("--quiet", action="store_true", help="no progress lines")
        options(verb)
    return top


@contextmanager
def datums_of(args: argparse.Namespace) -> Iterator[None]:
    """What the verb does with files on another datum, where it knows ``--ignore-datum``."""
    if not hasattr(args, "ignore_datum"):
        yield
        return
    from refimpl.earth.datum import other_datums

    with other_datums(args.ignore_datum):
        yield


def told_once() -> Callable:
    """In the place of ``warnings.showwarning``: each sentence once, though every tile of a map may have found it."""
    told = set()

    def show(message, category, *_) -> None:
        if str(message) not in told:
            told.add(str(message))
            print(f"warning: {message}", file=sys.stderr)

    return show


def main(arguments: list[str] | None = None) -> int:
    """Run one verb; returns the exit status: 0, 1 where ``verify`` found a failure, 2 for a fault of the input.

    130 when interrupted.
    """
    try:
        args = parser().parse_args(arguments)
        set_quiet(args.quiet)
        with warnings.catch_warnings():
            warnings.showwarning = told_once()
            warnings.simplefilter("always", DataWarning)
            with datums_of(args):
                return args.function(args) or 0
    except InputError as fault:
        print(f"refimpl: {fault}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        print("\nrefimpl: interrupted", file=sys.stderr)
        return 130
