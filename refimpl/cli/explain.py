"""The verb ``explain``: the decisions where the paper is silent, or every key of a run.toml."""

from __future__ import annotations

import argparse

HELP = "list the decisions where the paper is silent, or every key of a run.toml"


def options(verb: argparse.ArgumentParser) -> None:
    """Arguments of ``explain``."""
    verb.add_argument(
        "topic", choices=("decisions", "config"), help="D01 to D24, or the keys of a run.toml with their defaults"
    )


def call(args) -> None:
    """Print the list that was asked for."""
    print_decisions() if args.topic == "decisions" else print_keys()


def print_decisions() -> None:
    """Print each decision: its question, what was decided, where it acts and which option changes it."""
    from refimpl.method.decisions import DECISIONS

    for one in DECISIONS:
        option = f"; option {one.option}" if one.option else ""
        print(f"{one.id}  {one.question}: {one.decision} [{one.acts_in}{option}]")


def print_keys() -> None:
    """Print each key of a run.toml with its default and its meaning."""
    from refimpl.run.config import documentation

    for key, default, doc in documentation():
        print(f"{key} = {default}\n    {doc}")
