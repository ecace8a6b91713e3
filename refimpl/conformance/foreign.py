"""Run of a program under test, ``CMD IN_DIR OUT_DIR``, without trusting it (golden/README.md, "Plug in your program").

It runs without a shell, and is ended with all processes that it started.  Its time, what it prints and what it writes
are limited, and only a few pages of what it prints are kept.
"""

from __future__ import annotations

import os
import re
import secrets
import shlex
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from refimpl.conformance.ending import MARK, end_all
from refimpl.errors import InputError

KEPT = 64 * 1024
"""Bytes of standard error that are kept, half from its beginning, half from its end: a refusal can end a long log."""
MOST_PRINTED = 64 * 2**20
"""Most bytes that a program may print before it is stopped."""
POLL = 0.05
"""Seconds between two looks at what a running program has written."""
LEAST_COUNTED = 512
"""Least bytes that a file or folder counts for, so that many empty ones are noticed."""
_TRACEBACK = re.compile(r"^(Traceback \(most recent call last\):|panic: |thread '.*' panicked at )", re.MULTILINE)


@dataclass(frozen=True)
class Exit:
    """How a program ended: ``status`` (None if it was stopped or crashed), why, and its standard error."""

    status: int | None
    crash: str
    stderr: str


def command(text: str) -> list[str]:
    """The words of ``--program``, the first an executable.

    Raises
    ------
    InputError
        An empty text, an open quote, or no such program.
    """
    try:
        words = shlex.split(text)
    except ValueError as fault:
        raise InputError(f"--program {text!r}: cannot be split into words ({fault}); check its quotes") from None
    if not words:
        raise InputError("--program: is empty; expected a command, which is called as CMD IN_DIR OUT_DIR")
    if shutil.which(words[0]) is None:
        raise InputError(f"--program: {words[0]!r} is not found or not executable; check its path, or chmod +x it")
    return words


class _Pipe(threading.Thread):
    """Reads a pipe to its end, keeps the first and the last bytes, and counts all."""

    def __init__(self, stream):
        super().__init__(daemon=True)
        self.stream, self.kept, self.count = stream, bytearray(), 0
        self.start()

    def run(self) -> None:
        """Read until the other end is closed."""
        while chunk := self.stream.read1(2**16):
            self.kept += chunk
            if len(self.kept) > KEPT:
                del self.kept[KEPT // 2 : -KEPT // 2]
            self.count += len(chunk)


def run_program(
    words: list[str],
    in_dir: Path,
    out_dir: Path,
    timeout: float,
    most_bytes: int,
    stop: threading.Event | None = None,
) -> Exit:
    """Run the program on one case.

    It is ended after ``timeout`` seconds, when it has written more than ``most_bytes`` into ``out_dir``, and once
    ``stop`` is set.
    """
    mark = secrets.token_hex(16)
    try:
        process = subprocess.Popen(
            [*words, str(in_dir), str(out_dir)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env=os.environ | {MARK: mark},
        )
    except OSError as fault:
        hint = "does it begin with a line such as #!/bin/sh?"
        raise InputError(f"--program: {words[0]!r} cannot be started ({fault.strerror}); {hint}") from None
    pipes = [_Pipe(process.stdout), _Pipe(process.stderr)]
    try:
        stopped = _watch(process, pipes, out_dir, timeout, most_bytes, stop or threading.Event())
    finally:
        end_all(process, mark)
        for pipe in pipes:
            pipe.join(timeout=2)
            # A child that escaped can hold the pipe open; the thread then ends with the child.
            if not pipe.is_alive():
                pipe.stream.close()
    text = printable(bytes(pipes[1].kept).decode("utf-8", "replace"))
    crash = stopped or _crash(process.returncode, text)
    return Exit(None if crash else process.returncode, crash, text)


def _watch(process, pipes, out_dir: Path, timeout: float, most_bytes: int, stop: threading.Event) -> str:
    """Wait for the end; returns why the program had to be stopped, or an empty text."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            process.wait(timeout=POLL)
            ended = True
        except subprocess.TimeoutExpired:
            ended = False
        if sum(pipe.count for pipe in pipes) > MOST_PRINTED:
            return f"it printed more than {MOST_PRINTED // 2**20} MB"
        if written(out_dir, most_bytes) > most_bytes:
            return f"it wrote more than {most_bytes} bytes, several times what is expected"
        if ended:
            return ""
        if stop.is_set():
            return "it was interrupted"
        if time.monotonic() > deadline:
            return f"it took longer than {timeout:g} s (--timeout)"


def written(folder: Path, enough: int) -> int:
    """Bytes of all files and folders below ``folder``, links not followed; counting stops beyond ``enough``."""
    total, left = 0, [] if os.path.islink(folder) else [str(folder)]
    while left and total <= enough:
        try:
            with os.scandir(left.pop()) as entries:
                for entry in entries:
                    total += max(LEAST_COUNTED, entry.stat(follow_symlinks=False).st_size)
                    if entry.is_dir(follow_symlinks=False):
                        left.append(entry.path)
                    if total > enough:
                        break
        except OSError:  # removed meanwhile, or locked
            continue
    return total


def _crash(status: int, stderr: str) -> str:
    """Why an exit is a crash and not one of the three statuses that mean something; else an empty text."""
    if status < 0:
        try:
            name = signal.Signals(-status).name
        except ValueError:
            name = "unknown"
        return f"it was ended by signal {-status} ({name})"
    if status in (1, 2) and _TRACEBACK.search(stderr):
        return "it ended in a Python traceback or a panic, which is a crash and no answer"
    return "" if status in (0, 1, 2) else f"its exit status is {status}; expected 0, 1 or 2"


def printable(text: str) -> str:
    """``text`` with "?" for control characters, which must reach neither a terminal nor XML.

    >>> printable("a\\x1b[31mb\\n")
    'a?[31mb\\n'
    """
    return re.sub(r"[^\n\t -~\u00a0-\ud7ff\ue000-\ufffd]", "?", text)
