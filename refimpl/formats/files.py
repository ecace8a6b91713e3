"""Files: atomic writing, removal of temporary files that killed processes left, checksums, checks of paths.

The name of a temporary file holds the machine and the process that write it, so that leftovers are recognised.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import socket
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from refimpl.errors import InputError, did_you_mean

_MARK = ".refimpl-partial-"
_NAME_MAX = 255
"""Most bytes of a file's name, on all common file systems."""
STALE_AFTER = 24 * 3600.0
"""Seconds after which a temporary file of another machine counts as left by a killed process."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_writing: set[Path] = set()
"""Temporary files that this process is writing; others with its number were left by an earlier process."""


@contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """A temporary path beside ``path``; on success its file is fsynced and moved to ``path``, otherwise removed.

    A reader never sees half a file, and an existing file survives a failed write.

    Raises
    ------
    InputError
        The folder is missing and cannot be made, or is not writable; the disk is full.

    >>> import tempfile, pathlib
    >>> target = pathlib.Path(tempfile.mkdtemp()) / "a.txt"
    >>> with atomic_path(target) as temporary:
    ...     _ = temporary.write_text("whole")
    >>> target.read_text()
    'whole'
    """
    path = Path(path)
    _refuse_no_file(path)
    temporary = _temporary(path)
    with in_one_sentence(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _writing.add(temporary.absolute())
        try:
            yield temporary
            flush_file(temporary)
            os.replace(temporary, path)
            flush_folder(path.parent)
        finally:
            with suppress(OSError):
                temporary.unlink()
            _writing.discard(temporary.absolute())


def _temporary(path: Path) -> Path:
    """The temporary path for ``path``; a name that would be too long is replaced by a hash, with the same ending."""
    name, before = path.name, f"{_MARK}{_host()}-{os.getpid()}-"
    if len(os.fsencode(before + name)) > _NAME_MAX:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()[:32] + path.suffix[:16]
    return path.with_name(before + name)


@contextmanager
def in_one_sentence(path: str | os.PathLike) -> Iterator[None]:
    """Inside, an ``OSError`` while ``path`` is written becomes an ``InputError``.

    >>> with in_one_sentence("map.tif"):
    ...     raise PermissionError(errno.EACCES, "Permission denied")
    Traceback (most recent call last):
    refimpl.errors.InputError: map.tif: cannot be written (Permission denied); choose a folder that you may write to
    """
    try:
        yield
    except OSError as fault:
        raise InputError(f"{path}: cannot be written{_why(Path(path), fault)}") from fault


def _why(path: Path, fault: OSError) -> str:
    said = fault.strerror or str(fault)
    if _is_full(fault):
        return f", the disk is full ({said}); make room there, or choose a folder on another disk, and run again"
    if fault.errno == errno.ENOENT and not path.parent.is_dir():
        return f", its folder {path.parent} is gone; make it again, or choose another"
    if fault.errno == errno.ENAMETOOLONG:
        return f" ({said}); choose a shorter name"
    return f" ({said}); choose a folder that you may write to"


def _is_full(fault: OSError) -> bool:
    """Whether the disk is full; NumPy's ``tofile`` gives no error number, only '1000 requested and 12 written'."""
    return fault.errno in _FULL or (fault.errno is None and re.search(r"\d requested and \d", str(fault)) is not None)


@contextmanager
def full_disk_in_one_sentence(folder: str | os.PathLike) -> Iterator[None]:
    """Inside, a full disk becomes an ``InputError`` about ``folder``, where files are written; other errors pass.

    >>> with full_disk_in_one_sentence("work"):
    ...     raise PermissionError(errno.EACCES, "Permission denied")
    Traceback (most recent call last):
    PermissionError: [Errno 13] Permission denied
    """
    try:
        yield
    except OSError as fault:
        if not _is_full(fault):
            raise
        raise InputError(f"{folder}: cannot be written{_why(Path(folder), fault)}") from fault


def flush_file(path: str | os.PathLike) -> None:
    """Make sure that what was written into a file is on the disk."""
    with open(path, "rb+") as handle:
        os.fsync(handle.fileno())


def flush_folder(folder: str | os.PathLike) -> None:
    """Make sure that what was moved into ``folder`` is on the disk, where the system can do this (POSIX)."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _host() -> str:
    """The name of this machine in letters and digits; a container with its own process ids counts as a machine."""
    space = ""
    with suppress(OSError):
        space = os.readlink("/proc/self/ns/pid")
    name = re.sub(r"[^A-Za-z0-9]", "", socket.gethostname())[:32] or "here"
    return name + "x" + re.sub(r"[^0-9]", "", space)


def _refuse_no_file(path: Path) -> None:
    if os.path.isdir(path):  # not Path.is_dir, which raises where a name is too long
        raise InputError(f"{path}: is a folder, expected a file to write; name a file inside it")
    if os.path.exists(path) and not os.path.isfile(path):
        raise InputError(f"{path}: is a device or a pipe, expected a file to write; name another")


def check_outputs(outputs: Iterable[Path | None], inputs: Iterable[Path | None]) -> None:
    """Refuse outputs that cannot be written, or that are also inputs, before anything is computed.

    None stands for a file that is not wanted.  Nothing is written here; stale temporary files are removed.

    Raises
    ------
    InputError
        An output is a folder, lies where nothing can be written, is also an input, or is named twice.

    >>> check_outputs([Path("map.tif"), Path("map.tif")], [])
    Traceback (most recent call last):
    refimpl.errors.InputError: map.tif: is to be written twice; name another file for one of the two
    """
    read, taken = [path for path in inputs if path is not None and os.path.exists(path)], set()
    for path in (path for path in outputs if path is not None):
        _refuse_no_file(path)
        if os.path.exists(path) and any(path.samefile(one) for one in read):
            raise InputError(f"{path}: is to be read and written, and would be lost; name another file to write")
        if path.absolute() in taken:
            raise InputError(f"{path}: is to be written twice; name another file for one of the two")
        taken.add(path.absolute())
        there = next(part for part in path.absolute().parents if os.path.exists(part))
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            what = "does not let you write" if there.is_dir() else "is a file"
            raise InputError(f"{path}: cannot be written, {there} {what}; choose a folder that you may write to")
        sweep_stale(path.absolute().parent)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write UTF-8 text with Unix line ends, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_bytes(path: str | os.PathLike, content: bytes) -> None:
    """Write bytes, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def sweep_stale(folder: str | os.PathLike, alone: bool = False) -> None:
    """Remove our temporary files in ``folder`` if their process on this machine is dead, or if they are a day old.

    With ``alone`` all of them are removed: the caller knows that nobody else writes there.
    """
    for leftover in Path(folder).glob(_MARK + "*"):
        with suppress(OSError):
            if alone or _left(leftover) or time.time() - leftover.stat().st_mtime > STALE_AFTER:
                leftover.unlink()


def _left(temporary: Path) -> bool:
    """Whether a temporary file was written on this machine by a process that has ended."""
    host, _, rest = temporary.name.removeprefix(_MARK).partition("-")
    number = rest.partition("-")[0]
    if host != _host() or not number.isdecimal():
        return False
    return temporary.absolute() not in _writing if int(number) == os.getpid() else not _lives(int(number))


def _lives(process: int) -> bool:
    if os.name != "posix":
        return True  # cannot be asked there without a signal
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def sha256(path: str | os.PathLike) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def checksums(paths: Iterable[Path]) -> dict[Path, str]:
    """The SHA-256 of each file, by its path as given; several files are read at a time.

    Raises
    ------
    InputError
        A file cannot be read.
    """

    def of(path: Path) -> str:
        try:
            return sha256(path)
        except OSError as fault:
            raise InputError(f"{path}: cannot be read ({fault.strerror or fault}); check the path") from fault

    paths = list(dict.fromkeys(paths))
    with ThreadPoolExecutor() as pool:  # hashing releases the interpreter's lock
        return dict(zip(paths, pool.map(of, paths)))


def existing_file(path: str | os.PathLike, purpose: str) -> Path:
    """``path`` if it is a readable file; else an InputError with its ``purpose`` and a file of a similar name."""
    path = Path(path)
    if os.path.isfile(path):
        if not os.access(path, os.R_OK):
            raise InputError(f"{path}: cannot be read; check its permissions")
        return path
    what = "is a folder" if os.path.isdir(path) else "does not exist"
    looked_in = os.path.isdir(path.parent) and not os.path.isdir(path)
    there = [p.name for p in path.parent.glob("*") if p.suffix == path.suffix] if looked_in else []
    hint = did_you_mean(path.name, there) if there else "; check the path"
    raise InputError(f"{path}: {what}, expected {purpose}{hint}")
