"""The verb ``warm-up``: every kernel that a run needs, compiled ahead and kept for later processes."""

from __future__ import annotations

import argparse
import time

HELP = "compile ahead what a run needs, and keep it for later processes"


def options(verb: argparse.ArgumentParser) -> None:
    """``warm-up`` has no arguments."""


def call(args) -> None:
    """Compile, and print how long it took."""
    from refimpl.run.warm_up import warm_up

    start = time.perf_counter()
    warm_up()
    print(f"compiled what a run needs, in {time.perf_counter() - start:.0f} s")
