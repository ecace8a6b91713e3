"""Lock on an output folder, for one run at a time; the system releases it when its process ends, however it ends.

``with locked(folder / WORK, folder): ...`` holds it.  The text in the lock file tells other runs which process holds
it.  Without the system's lock the text means nothing, so that the file of a killed process is no obstacle.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from refimpl.errors import InputError
from refimpl.formats.files import sweep_stale
from refimpl.progress import say

NAME = "lock"
_BUSY = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
_held: set[BinaryIO] = set()
"""Lock files that this process holds; a fork closes its copies at once, or the lock would outlive the run in it."""


@contextmanager
def locked(folder: str | os.PathLike, output: str | os.PathLike) -> Iterator[None]:
    """Hold the lock file in ``folder``, which is made and swept; ``output`` is the folder that messages name.

    Programs that are started meanwhile, and forks of this process, do not hold it.  Where the file system has no
    locks, a line on standard error says so, and nothing is held.

    Raises
    ------
    InputError
        Another run holds the lock, or the folder cannot be made or written to.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> with locked(folder, folder):
    ...     (Path(folder) / NAME).exists()
    True
    """
    path = Path(folder) / NAME
    with _taken(path, output) as handle:
        _held.add(handle)
        try:
            with suppress(OSError):  # on a full disk the lock holds too
                told = {"process": os.getpid(), "host": socket.gethostname()}
                told["since"] = time.strftime("%Y-%m-%d %H:%M:%S")
                handle.truncate(0)
                handle.write(json.dumps(told).encode())
            sweep_stale(path.parent)
            yield
        finally:
            _held.discard(handle)


def _taken(path: Path, output: str | os.PathLike) -> BinaryIO:
    """The lock file, open and locked."""
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = open(path, "a+b", buffering=0)  # programs started from here do not inherit it
        except OSError as fault:
            said = fault.strerror
            raise InputError(f"{output}: cannot be written to ({said}); name another output folder") from fault
        if not _take(handle.fileno(), output):
            handle.close()
            raise InputError(
                f"{output}: another run is writing there ({_holder(path)}); wait until it has ended, or name another "
                "folder with --output"
            )
        if _is_there(handle, path):
            return handle
        handle.close()


def _is_there(handle: BinaryIO, path: Path) -> bool:
    """Whether it is still the file of that name: a file that was removed before it was locked keeps no run out."""
    with suppress(OSError):
        return os.path.samestat(os.fstat(handle.fileno()), os.stat(path))
    return False


def _take(descriptor: int, output: str | os.PathLike) -> bool:
    """Lock the file, unless another process has; whether that worked."""
    try:
        _lock(descriptor)
    except OSError as fault:
        if fault.errno in _BUSY:
            return False
        say(f"{output}: its file system knows no locks ({fault.strerror}); let no other run write there meanwhile")
    return True


def _lock(descriptor: int) -> None:
    """The system's lock on an open file, or ``OSError``."""
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        os.lseek(descriptor, 2**30, os.SEEK_SET)  # a byte beyond what is written, which others may read
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _holder(path: Path) -> str:
    try:
        told = json.loads(path.read_text())
        return f"process {told['process']} on {told['host']}, since {told['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "its process is not known"


def _let_go() -> None:
    """Close the copies of a fork; the lock stays with its parent."""
    for handle in _held:
        handle.close()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
