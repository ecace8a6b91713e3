"""Parser of the command line, the table of its verbs, and ``main``, which runs one of them."""

from __future__ import annotations

import argparse
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType

from refimpl import __version__
from refimpl.cli import (
    allocate,
    evaluate,
    explain,
    fit,
    info,
    inventory,
    predict,
    run,
    upscale,
    verify,
    warm_up,
    warp,
    zonal,
)
from refimpl.errors import DataWarning, InputError, did_you_mean
from refimpl.progress import set_quiet

VERBS: dict[str, ModuleType] = {
    "run": run,
    "inventory": inventory,
    "info": info,
    "warp": warp,
    "zonal": zonal,
    "fit": fit,
    "predict": predict,
    "upscale": upscale,
    "allocate": allocate,
    "evaluate": evaluate,
    "verify": verify,
    "warm-up": warm_up,
    "explain": explain,
}
"""The module of each verb, in the order of ``--help``: the whole method first, then its stages in their order."""


class Parser(argparse.ArgumentParser):
    """An ``argparse`` parser that raises InputError for a wrong word, and suggests the nearest verb."""

    def error(self, message: str):
        wrong = re.search(r"argument VERB: invalid choice: '([^']*)'", message)
        if wrong:
            message = f"there is no verb {wrong[1]!r}{did_you_mean(wrong[1], VERBS)}"
        raise InputError(f"{message}; see {self.prog} --help")


def parser() -> argparse.ArgumentParser:
    """All verbs and their options."""
    top = Parser(
        prog="refimpl", description="SVR-ZSSR: provincial CO2 statistics to a fine emission map, totals exact."
    )
    top.add_argument("--version", action="version", version=f"refimpl {__version__}")
    choices = top.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=Parser)
    for name, module in VERBS.items():
        verb = choices.add_parser(
            name,
            help=module.HELP,
            description=module.HELP,
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )
        verb.set_defaults(call=module.call)
        verb.add_argument("--quiet", action="store_true", help="no progress lines")
        module.options(verb)
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run one verb and return the exit status.

    0 is success, 1 a failure that ``verify`` found, 2 a fault of the input, 130 an interruption.
    """
    try:
        args = parser().parse_args(arguments)
        set_quiet(args.quiet)
        with warnings.catch_warnings():
            warnings.showwarning = told_once()
            warnings.simplefilter("always", DataWarning)
            with datums_of(args):
                return args.call(args) or 0
    except InputError as fault:
        print(f"refimpl: {fault}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        print("\nrefimpl: interrupted", file=sys.stderr)
        return 130


@contextmanager
def datums_of(args: argparse.Namespace) -> Iterator[None]:
    """Inside, files on another datum are refused, or taken as they are with ``--ignore-datum``.

    A verb without that option is left as it is.
    """
    if not hasattr(args, "ignore_datum"):
        yield
        return
    from refimpl.earth.datum import other_datums

    with other_datums(args.ignore_datum):
        yield


def told_once() -> Callable:
    """A ``warnings.showwarning`` that prints each sentence once, even if every tile of a map gives it."""
    told = set()

    def show(message, category, *_) -> None:
        if str(message) not in told:
            told.add(str(message))
            print(f"warning: {message}", file=sys.stderr)

    return show
