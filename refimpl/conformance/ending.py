"""End of a program under test, with all processes that it started.

Its process group is killed as a whole.  Processes that left the group (by ``setsid``, as daemons do) are found on Linux
by a mark in their environment, which children inherit.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

MARK = "REFIMPL_PROGRAM"
"""The environment variable that marks a program's processes; each call of a program has its own value."""
MOST_ROUNDS = 50
"""Most rounds of killing what is left: a process can start another while it is being found."""


def end_all(process, mark: str) -> None:
    """Kill the group of ``process`` and all processes that bear ``mark``, and wait for ``process`` to end."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    except AttributeError:  # no process groups here (Windows)
        process.kill()
    process.wait()
    for _ in range(MOST_ROUNDS):
        left = marked(mark)
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue
        if not left:
            return
        time.sleep(0.002)


def marked(mark: str) -> list[int]:
    """The processes that bear ``mark``; none where there is no /proc."""
    words, found = f"{MARK}={mark}".encode(), []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if words in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:  # another user's, or gone
            continue
    return found
