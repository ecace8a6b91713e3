"""The finished stages of a run, kept in a folder, so that none is done twice.

A stage writes its files into a folder of its own.  When all of them lie on the disk its record is written in one step,
with their sizes: before that the stage is not done, however the process ends.  With them lie its value (small results,
pickled), its warnings, and its key: what it depends on, by name (refimpl/keys.py).  A stage whose key is what it was is
taken as it is; where a part of the key has changed, the part is named.  The folder of a stage that can go on where it
was interrupted (the training, from its checkpoint) is kept while its key holds.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import os
import pickle
import platform
import shutil
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

from refimpl.errors import DataWarning
from refimpl.files import write_bytes, write_text
from refimpl.progress import Progress, say, stage
from refimpl.twins import current_backend

WORK = ".refimpl-work"
"""Folder of the stages inside the output folder of a run."""
_RECORD, _VALUE = "stage.json", "value.pickle"
_PROGRAM = "the program"
Key = Mapping[str, Any]


@dataclass(frozen=True)
class Finished:
    """A stage that is done: its small ``value``, and the folder of its files."""

    value: Any
    folder: Path
    seconds: float

    def path(self, name: str) -> Path:
        """One of its files."""
        return self.folder / name


@dataclass(frozen=True)
class Here:
    """A stage at work: where its files go, and its progress line."""

    folder: Path
    progress: Progress

    def path(self, name: str) -> Path:
        """A file that it writes, or finds when it goes on."""
        return self.folder / name


@dataclass
class Stages:
    """Stages kept in ``folder``.

    ``keys`` holds the own part of each stage's key by the stage's name, ``after`` the stages that it builds on, and
    ``files`` the name of the file behind a part that is a checksum.

    >>> import tempfile
    >>> keys = {"double": {"number": 3}}
    >>> stages = Stages(Path(tempfile.mkdtemp()), keys, {"double": ()})
    >>> stages.do("double", lambda here: 2 * 3).value, stages.do("double", lambda here: 1 / 0).value
    (6, 6)
    """

    folder: Path
    keys: Mapping[str, Key]
    after: Mapping[str, tuple[str, ...]]
    files: Mapping[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    """Of each stage that was asked for: how long it took when it was done."""

    def do(self, name: str, make: Callable[[Here], Any], resumes: bool = False) -> Finished:
        """The stage ``name``: as it was kept, or made by ``make`` and kept.

        ``make`` writes its files by ``here.path`` and returns what else is to be kept.  ``resumes``: it goes on from
        the files of an interrupted try, if the key is still the same.  Warnings of a kept stage are given again.
        """
        key, folder = self.key(name), self.folder / name
        record = _record_of(folder)
        if record and record["key"] == key and _whole(folder, record):
            finished = Finished(_load(folder / _VALUE), folder, record["seconds"])
            for text in record["warnings"]:
                warnings.warn(text, DataWarning, stacklevel=2)
        else:
            self._tell_changes(name, record, key)
            if not (resumes and record and record["key"] == key):
                _remove(folder)
                folder.mkdir(parents=True)
                write_text(folder / _RECORD, json.dumps({"key": key}))
            finished = self._make(name, make, key)
        self.seconds[name] = finished.seconds
        return finished

    def key(self, name: str) -> dict[str, Any]:
        """The whole key of a stage: its own part, the digests of the stages that it builds on, and the program."""
        before = {f"stage {other}": digest(self.key(other)) for other in self.after[name]}
        return json.loads(json.dumps({**self.keys[name], **before, _PROGRAM: program_digest()}, default=str))

    def clear(self, keep: tuple[str, ...] = ()) -> None:
        """Remove every stage, finished or not, but those named."""
        for found in self.folder.glob("*"):
            if found.is_dir() and found.name not in keep:
                _remove(found)

    def _make(self, name: str, make: Callable[[Here], Any], key: dict) -> Finished:
        folder, start = self.folder / name, time.perf_counter()
        with warnings.catch_warnings(record=True) as caught, stage(name) as progress:
            warnings.simplefilter("always", DataWarning)
            value = make(Here(folder, progress))
        seconds = time.perf_counter() - start
        for one in caught:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
        texts = list(dict.fromkeys(str(one.message) for one in caught if issubclass(one.category, DataWarning)))
        write_bytes(folder / _VALUE, pickle.dumps(value))
        sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir()) if path.name != _RECORD}
        done = {"key": key, "files": sizes, "warnings": texts, "seconds": seconds}
        write_text(folder / _RECORD, json.dumps(done, indent=1))
        return Finished(value, folder, seconds)

    def _tell_changes(self, name: str, record: dict | None, key: dict) -> None:
        """Say what is no longer as it was; what follows from another stage was said there."""
        old = record["key"] if record else key
        changed = [part for part in {**old, **key} if old.get(part) != key.get(part)]
        own = [self._in_words(part, old.get(part), key.get(part)) for part in changed if not part.startswith("stage ")]
        if own:
            more = f", and {len(own) - 3} more" if len(own) > 3 else ""
            say(f"{'; '.join(own[:3])}{more}: {name} is done anew, and what follows from it")

    def _in_words(self, part: str, old: Any, new: Any) -> str:
        if part == _PROGRAM:
            return "refimpl or what it runs on is another version"
        if part in self.files:
            return f"{self.files[part]} ({part}) has changed since the last run"
        return f"{part} was {old!r} and is {new!r}" if old is not None else f"{part} = {new!r} is new"


def digest(key: Key) -> str:
    """The SHA-256 of a key."""
    return hashlib.sha256(json.dumps(key, sort_keys=True, default=str).encode()).hexdigest()


@functools.cache
def _code_digest() -> str:
    """The SHA-256 of the source of the packages refimpl and kernels, by name and content."""
    found, root = hashlib.sha256(), Path(__file__).resolve().parent.parent
    for package in ("refimpl", "kernels"):
        for path in sorted((root / package).rglob("*.py")):
            found.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def program_digest() -> str:
    """What a stage also depends on: this code, the versions it runs with, the backend, the kind of machine."""
    versions = [metadata.version(package) for package in ("numpy", "numba")]
    options = [os.environ.get(name, "") for name in ("REFIMPL_WINOGRAD",)]
    parts = [_code_digest(), platform.python_version(), platform.machine(), current_backend(), *versions, *options]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _record_of(folder: Path) -> dict | None:
    """What is written of a stage, or None where there is nothing that can be read."""
    try:
        record = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and isinstance(record.get("key"), dict) else None


def _remove(folder: Path) -> None:
    """Remove a stage, its record first: what is half removed is not done."""
    (folder / _RECORD).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _whole(folder: Path, record: dict) -> bool:
    """Whether a finished stage still has every file, each of its size."""
    files = record.get("files")
    if not isinstance(files, dict) or _VALUE not in files:
        return False
    return all(os.path.isfile(folder / name) and os.path.getsize(folder / name) == size for name, size in files.items())


class _OwnThings(pickle.Unpickler):
    """Makes nothing but what this project and NumPy define: a file from elsewhere must not run programs."""

    def find_class(self, module: str, name: str) -> Any:
        room = module.split(".")[0]
        numpy = room == "numpy" and name in ("_reconstruct", "ndarray", "dtype", "scalar", "_frombuffer")
        if "." not in name and (room == "refimpl" or numpy or (room == "pathlib" and name.endswith("Path"))):
            found = super().find_class(module, name)
            if room != "refimpl" or isinstance(found, type) and found.__module__ == module:
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is none of ours")


def _load(path: Path) -> Any:
    return _OwnThings(io.BytesIO(path.read_bytes())).load()
