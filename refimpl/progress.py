"""Progress line on standard error for a stage that takes more than two seconds, with the time left.

Nothing is shown where standard error is not a terminal, or after ``set_quiet()`` (``--quiet``).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

DELAY = 2.0
"""Seconds before a stage's line is shown."""

_quiet = False


def set_quiet(quiet: bool = True) -> None:
    """Show no progress from now on."""
    global _quiet
    _quiet = quiet


def say(text: str) -> None:
    """Print one line on standard error, unless ``set_quiet()`` was called."""
    if not _quiet:
        print(text, file=sys.stderr)


def duration(seconds: float) -> str:
    """A time in words.

    >>> duration(7.4), duration(125), duration(7300)
    ('7 s', '2 min 05 s', '2 h 01 min')
    """
    whole = int(round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


class Progress:
    """The progress line of one stage; ``update(fraction)`` redraws it at most five times a second."""

    def __init__(self, name: str, stream=None, clock=time.monotonic):
        self.name, self.stream, self.clock = name, stream or sys.stderr, clock
        self.start = self.drawn = clock()
        self.width = 0
        self.shown = not _quiet and bool(getattr(self.stream, "isatty", lambda: False)())

    def update(self, fraction: float, note: str = "") -> None:
        """Show that ``fraction``, in [0, 1], of the work is done, and after it ``note`` (a loss, say)."""
        now = self.clock()
        if not self.shown or now - self.start < DELAY or now - self.drawn < 0.2:
            return
        self.drawn = now
        left = (now - self.start) * (1 - fraction) / fraction if fraction > 0 else None
        line = f"{self.name}: {100 * fraction:3.0f} %, " + (
            f"{duration(left)} left" if left is not None else "starting"
        )
        line += f" ({note})" if note else ""
        self.stream.write("\r" + line.ljust(self.width))
        self.stream.flush()
        self.width = len(line)

    def clear(self) -> None:
        """Erase the line, so that something else can be printed; the next ``update`` draws it again."""
        if self.shown and self.width:
            self.stream.write("\r" + " " * self.width + "\r")
            self.stream.flush()
            self.width = 0

    def close(self) -> None:
        """Replace the line with the time that the stage took."""
        took = self.clock() - self.start
        if self.shown and took >= DELAY:
            self.stream.write("\r" + f"{self.name}: {duration(took)}".ljust(self.width) + "\n")
            self.stream.flush()


@contextmanager
def stage(name: str) -> Iterator[Progress]:
    """The progress line of one stage, which is closed even if an error is raised inside."""
    progress = Progress(name)
    try:
        yield progress
    finally:
        progress.close()
