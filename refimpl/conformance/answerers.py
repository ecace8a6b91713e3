"""Answerers of a case: a program of any language, or refimpl itself on one of its backends."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from refimpl.conformance.answers import SLACK, listed, read_answers, size_limit
from refimpl.conformance.case import Case
from refimpl.conformance.foreign import run_program
from refimpl.conformance.judge import Reply, ask
from refimpl.errors import InputError
from refimpl.twins import backend

METHOD_PREFIX = "method-"
"""Stands before the name of a backend where ``refimpl.method`` answers, not the form of it that a run uses."""


@contextmanager
def workplace(case: Case, keep: Path | None = None) -> Iterator[str]:
    """A folder with the task in IN and an empty OUT: ``keep/<case-id>``, or a temporary one, removed at the end."""
    try:
        if keep:
            yield str(kept(case, keep))
            return
        # The folder's name must not contain the case's id, which can contain the field name that a refusal must give.
        with tempfile.TemporaryDirectory(prefix="refimpl-", ignore_cleanup_errors=True) as folder:
            case.task.write(Path(folder) / "IN")
            (Path(folder) / "OUT").mkdir()
            try:
                yield folder
            finally:
                flatten(Path(folder))
    except OSError as fault:
        what = f"cannot be used for the tasks ({fault.strerror}); make room, or "
        what += "name another folder" if keep else "set TMPDIR"
        raise InputError(f"{keep or tempfile.gettempdir()}: {what}") from fault


def kept(case: Case, keep: Path) -> Path:
    """``keep/<case-id>`` with the task; what an earlier call left there is removed, other files are refused."""
    folder = (keep / case.id).absolute()
    if os.path.lexists(folder):
        if os.path.islink(folder) or not folder.is_dir() or {path.name for path in folder.iterdir()} - {"IN", "OUT"}:
            raise InputError(f"{folder}: holds more than an IN and an OUT of verify; name another folder to --keep")
        flatten(folder)
        shutil.rmtree(folder)
    case.task.write(folder / "IN")
    (folder / "OUT").mkdir()
    return folder


def flatten(folder: Path) -> None:
    """Move all folders to the uppermost level: a tree that is thousands of folders deep cannot be removed."""
    left = [str(folder)]
    while left:
        with suppress(OSError):
            path = left.pop()
            os.chmod(path, 0o700)
            with os.scandir(path) as entries:
                inside = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
            for deep in inside:
                left.append(tempfile.mkdtemp(dir=folder))
                os.rename(deep, left[-1])


def program_reply(
    words: list[str], case: Case, timeout: float, stop: threading.Event | None = None, keep: Path | None = None
) -> Reply:
    """Put one case to a program, in folders of its own (below ``keep``, if given); ``stop`` ends it once it is set."""
    with workplace(case, keep) as folder:
        in_dir, out_dir = Path(folder) / "IN", Path(folder) / "OUT"
        expected = case.folder / "out"
        names = [output.of for output in case.outputs]
        most_bytes = SLACK + sum(size_limit(expected / name) for name in names)
        end = run_program(words, in_dir, out_dir, timeout, most_bytes, stop)
        said = end.stderr.replace(folder, "")
        if end.crash:
            return Reply("crashed", f"{end.crash}\n{last_lines(said)}".strip())
        if end.status == 2:
            return Reply("unsupported", last_lines(said))
        if end.status == 1:
            return Reply("refused", said, {}, left_by_refusal(out_dir))
        if not case.valid:
            return Reply("answered")
        answers, faults = read_answers(out_dir, expected, names)
        return Reply("answered", said, answers, tuple(faults))


def left_by_refusal(out_dir: Path) -> tuple[str, ...]:
    """What is wrong with the output folder of a program that refused; it is allowed to have removed the folder."""
    try:
        names = sorted(listed(out_dir)) if os.path.lexists(out_dir) else []
    except InputError as fault:
        return (str(fault),)
    return (f"wrote into the output folder: {names[0][:80]}",) if names else ()


def last_lines(text: str, most: int = 12) -> str:
    """The last lines of what a program printed: a traceback ends with what happened."""
    return "\n".join(line[:400] for line in text.strip().splitlines()[-most:])


def own_answerers(backends: tuple[str, ...], case: Case) -> list[str]:
    """Names of refimpl's answerers of a case: the run's code on each backend, and the method where its code differs."""
    from refimpl.conformance.operations.method_forms import OPERATIONS

    names = list(backends)
    if case.task.operation in OPERATIONS:
        names += [f"{METHOD_PREFIX}{name}" for name in backends]
    return names


def own_reply(name: str, case: Case) -> Reply:
    """Put one case to refimpl itself; ``name`` is a backend, with ``METHOD_PREFIX`` before it for the plain method."""
    from refimpl.conformance.operations import METHOD_OPERATIONS, OPERATIONS, answer

    operations = METHOD_OPERATIONS if name.startswith(METHOD_PREFIX) else OPERATIONS
    with warnings.catch_warnings(), backend(name.removeprefix(METHOD_PREFIX)):
        warnings.simplefilter("ignore")
        return ask(lambda task: answer(task, operations), case.task)
