"""Who answers a case: a program of any language, or refimpl itself on one of its backends."""

from __future__ import annotations

import os
import tempfile
import warnings
from pathlib import Path

from refimpl.conformance.answers import SLACK, read_answers, size_limit
from refimpl.conformance.case import Case
from refimpl.conformance.foreign import run_program
from refimpl.conformance.judge import Reply, ask
from refimpl.twins import backend


def program_reply(words: list[str], case: Case, timeout: float) -> Reply:
    """One case put to a program, in folders of its own."""
    # The folders' names say nothing of the case: its id may hold the name of the field that a refusal must give.
    with tempfile.TemporaryDirectory(prefix="refimpl-", ignore_cleanup_errors=True) as folder:
        in_dir, out_dir = Path(folder) / "IN", Path(folder) / "OUT"
        case.task.write(in_dir)
        out_dir.mkdir()
        expected = case.folder / "out"
        names = [output.of for output in case.outputs]
        most_bytes = SLACK + sum(size_limit(expected / name) for name in names)
        end = run_program(words, in_dir, out_dir, timeout, most_bytes)
        said = end.stderr.replace(folder, "")
        if end.crash:
            return Reply("crashed", f"{end.crash}\n{last_lines(said)}".strip())
        if end.status == 2:
            return Reply("unsupported", last_lines(said))
        if end.status == 1:
            left = sorted(entry.name for entry in os.scandir(out_dir))[:3] if out_dir.is_dir() else []
            return Reply("refused", said, {}, tuple(left))
        if not case.valid:
            return Reply("answered")
        answers, faults = read_answers(out_dir, expected, names)
        return Reply("answered", said, answers, tuple(faults))


def last_lines(text: str, most: int = 12) -> str:
    """The end of what a program printed, where a traceback says what happened."""
    return "\n".join(line[:400] for line in text.strip().splitlines()[-most:])


def own_reply(name: str, case: Case) -> Reply:
    """One case put to refimpl itself, on one backend."""
    from refimpl.conformance.operations import answer

    with warnings.catch_warnings(), backend(name):
        warnings.simplefilter("ignore")
        return ask(answer, case.task)
