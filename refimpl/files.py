"""Files at the edges: atomic writing, sweeping of our own stale temporaries, checksums."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from refimpl.errors import InputError, did_you_mean

_MARK = ".refimpl-partial-"
STALE_AFTER = 24 * 3600.0
"""Seconds after which a temporary of ours is taken for the leaving of a killed run."""


@contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """A temporary path beside ``path``; on success it is fsynced and moved over ``path``, else removed.

    A reader never sees half a file, and an existing file survives a failed write.

    Raises
    ------
    InputError
        The folder is missing and cannot be made, or is not writable.

    >>> import tempfile, pathlib
    >>> target = pathlib.Path(tempfile.mkdtemp()) / "a.txt"
    >>> with atomic_path(target) as temporary:
    ...     _ = temporary.write_text("whole")
    >>> target.read_text()
    'whole'
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path}: is a folder, expected a file to write; name a file inside it")
    if path.exists() and not path.is_file():
        raise InputError(f"{path}: is a device or a pipe, expected a file to write; name another")
    temporary = path.with_name(f"{_MARK}{os.getpid()}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with open(temporary, "rb+") as handle:
            os.fsync(handle.fileno())
        os.replace(temporary, path)
    except OSError as fault:
        raise InputError(
            f"{path}: cannot be written ({fault.strerror}); choose a folder that you may write to"
        ) from fault
    finally:
        with suppress(OSError):
            temporary.unlink()


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write UTF-8 text with Unix line ends, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def sweep_stale(folder: str | os.PathLike) -> None:
    """Remove temporaries of ours that a killed run left in ``folder`` more than a day ago."""
    for leftover in Path(folder).glob(_MARK + "*"):
        if time.time() - leftover.stat().st_mtime > STALE_AFTER:
            leftover.unlink(missing_ok=True)


def sha256(path: str | os.PathLike) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def existing_file(path: str | os.PathLike, purpose: str) -> Path:
    """``path`` if it is a readable file, else one sentence that names ``purpose`` and what is near."""
    path = Path(path)
    if path.is_file():
        if not os.access(path, os.R_OK):
            raise InputError(f"{path}: cannot be read; check its permissions")
        return path
    what = "is a folder" if path.is_dir() else "does not exist"
    there = [p.name for p in path.parent.glob("*") if p.suffix == path.suffix] if path.parent.is_dir() else []
    hint = did_you_mean(path.name, there) if there else "; check the path"
    raise InputError(f"{path}: {what}, expected {purpose}{hint}")
