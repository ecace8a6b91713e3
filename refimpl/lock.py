"""One run at a time in an output folder: a lock that the system takes back when its process ends, however it ends."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from refimpl.errors import InputError

NAME = "lock"


@contextmanager
def locked(folder: str | os.PathLike, output: str | os.PathLike) -> Iterator[None]:
    """Hold the lock file in ``folder``, which is made; ``output`` is the folder that the sentence names.

    What stands in the file tells others who holds it; without the system's lock it means nothing.

    Raises
    ------
    InputError
        Another process holds the lock, or the folder cannot be made.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> with locked(folder, folder):
    ...     (Path(folder) / NAME).exists()
    True
    """
    path = Path(folder) / NAME
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Python opens files so that programs started from here do not inherit them: workers hold no lock.
        handle = open(path, "a+b", buffering=0)
    except OSError as fault:
        raise InputError(f"{output}: cannot be written to ({fault.strerror}); name another output folder") from None
    with handle:
        if not _take(handle.fileno()):
            raise InputError(
                f"{output}: another run is writing there ({_holder(path)}); wait until it has ended, or name another "
                "folder with --output"
            )
        handle.truncate(0)
        told = {"process": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
        handle.write(json.dumps(told).encode())
        yield


def _take(descriptor: int) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        with suppress(OSError):
            os.lseek(descriptor, 2**30, os.SEEK_SET)  # a byte beyond what is written, which others may read
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            return True
        return False
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _holder(path: Path) -> str:
    try:
        told = json.loads(path.read_text())
        return f"process {told['process']} on {told['host']}, since {told['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "its process is not known"
