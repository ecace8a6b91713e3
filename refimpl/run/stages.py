"""Stages of a run, each finished once and kept in a folder.

A stage writes its files into a folder of its own.  When all of them lie on the disk, its record is written in one step,
with their sizes.  Before that the stage is not done, however the process ends.  Beside the files lie what its function
returned (refimpl/run/values.py), its warnings, and its key: what it depends on, by name (refimpl/run/stage_keys.py).

A stage is taken as it is while its key stays the same.  Where a part of the key has changed, the part is named.  The
folder of a stage that can go on where it was interrupted (the training, from its checkpoint) is kept while its key
stays the same.  One process at a time works in a folder of stages (refimpl/run/lock.py).  The folder may be moved
between two runs.

======================= ============================================================================
file of a stage         what
======================= ============================================================================
stage.json              ``key``; when it is done, also ``files`` (name -> bytes), ``warnings``, ``seconds``
value.pickle            what its function returned
others                  what its function wrote
======================= ============================================================================
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from refimpl.errors import DataWarning
from refimpl.formats.files import (
    flush_file,
    full_disk_in_one_sentence,
    in_one_sentence,
    sweep_stale,
    write_bytes,
    write_text,
)
from refimpl.progress import Progress, say, stage
from refimpl.run.program import program_digest
from refimpl.run.values import dump, load

WORK = ".refimpl-work"
"""Folder of the stages inside the output folder of a run."""
_RECORD, _VALUE = "stage.json", "value.pickle"
_PROGRAM, _STAGE = "the program", "stage "
Key = Mapping[str, Any]
Given, Made = ParamSpec("Given"), TypeVar("Made")


@dataclass(frozen=True)
class Finished:
    """A stage that is done: what its function returned, and how long that took."""

    value: Any
    seconds: float


@dataclass(frozen=True)
class Here:
    """A stage at work: where its files go, its progress line, and the digest of its key."""

    folder: Path
    progress: Progress
    digest: str

    def path(self, name: str) -> Path:
        """A file that the stage writes, or finds when it goes on after an interruption."""
        return self.folder / name


@dataclass
class Stages:
    """The stages that ``folder`` keeps.

    ``keys`` holds the own part of each stage's key by the stage's name.  ``after`` holds the stages that it builds on,
    and ``files`` the file behind a part that is a checksum.

    >>> import tempfile
    >>> keys = {"double": {"number": 3}}
    >>> stages = Stages(Path(tempfile.mkdtemp()), keys, {"double": ()})
    >>> stages.do("double", lambda here: 2 * 3).value, stages.do("double", lambda here: 1 / 0).value
    (6, 6)
    """

    folder: Path
    keys: Mapping[str, Key]
    after: Mapping[str, tuple[str, ...]]
    files: Mapping[str, Path] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    """How long each stage took when it was done, in the order in which they were called."""
    _said: set[str] = field(default_factory=set)
    """Parts of keys whose change has been reported."""

    def do(self, name: str, make: Callable[[Here], Any], resumes: bool = False) -> Finished:
        """The stage ``name``: as it was kept, or made by ``make`` and kept.

        ``make`` writes its files by ``here.path`` and returns what else is to be kept.  With ``resumes`` it goes on
        from the files of an interrupted try, if the key is still the same.  Warnings of a kept stage are given again.

        Raises
        ------
        InputError
            The folder cannot be written.  What ``make`` raises is raised, too; what is half done is removed, unless
            the stage ``resumes``.
        """
        key, folder = self.key(name), self.folder / name
        finished = self.kept(name)
        if finished is None:
            record = _record_of(folder)
            same = record is not None and digest(record["key"]) == digest(key)
            self._tell_changes(name, record, key)
            self._begin(folder, key, anew=not (resumes and same))
            try:
                finished = self._make(name, make, key)
            except BaseException:
                if not resumes:
                    with suppress(OSError):
                        _remove(folder)
                raise
        self.seconds[name] = finished.seconds
        return finished

    def kept(self, name: str) -> Finished | None:
        """The stage ``name``, if it is done."""
        record = _record_of(self.folder / name)
        same = record is not None and digest(record["key"]) == digest(self.key(name))
        return self._kept(self.folder / name, record) if same else None

    def key(self, name: str) -> dict[str, Any]:
        """The whole key of a stage: its own part, the digests of the stages that it builds on, and the program."""
        before = {_STAGE + other: digest(self.key(other)) for other in self.after[name]}
        return json.loads(json.dumps({**self.keys[name], **before, _PROGRAM: program_digest()}, default=str))

    def clear(self, keep: tuple[str, ...] = ()) -> None:
        """Remove every stage, finished or not, except those named.

        Raises
        ------
        InputError
            The folder cannot be written.
        """
        for found in self.folder.glob("*"):
            if found.is_dir() and found.name not in keep:
                _remove(found)

    def forget(self, keep: tuple[str, ...]) -> None:
        """Remove what the stages made, except those named; their keys stay, for the next run to name what has changed.

        Raises
        ------
        InputError
            The folder cannot be written.
        """
        for folder in (found for found in self.folder.glob("*") if found.is_dir() and found.name not in keep):
            record = _record_of(folder)
            _remove(folder)
            if record and folder.name in self.keys:
                self._begin(folder, record["key"], anew=True)

    def _kept(self, folder: Path, record: dict) -> Finished | None:
        """The result of a stage, if it is done and whole; its warnings are given again."""
        if "files" not in record:
            return None
        lost = _lost(folder, record["files"])
        try:
            value = None if lost else load((folder / _VALUE).read_bytes(), self.folder, self.files)
        except Exception:  # pickle may raise anything on a damaged file
            lost = _VALUE
        if lost:
            say(f"{folder / lost}: is not as the last run left it; {folder.name} is done anew")
            return None
        for text in record["warnings"]:
            warnings.warn(text, DataWarning, stacklevel=3)
        return Finished(value, record["seconds"])

    def _begin(self, folder: Path, key: dict, anew: bool) -> None:
        """Prepare the folder of a stage that is not done; with ``anew`` it is empty."""
        if anew:
            _remove(folder)
        with in_one_sentence(folder):
            folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / _RECORD, json.dumps({"key": key}))
        sweep_stale(folder, alone=True)

    def _make(self, name: str, make: Callable[[Here], Any], key: dict) -> Finished:
        folder, start = self.folder / name, time.perf_counter()
        with _given_again() as caught, stage(name) as progress, full_disk_in_one_sentence(folder):
            content = dump(make(Here(folder, progress, digest(key))), self.folder, self.files)
        value = load(content, self.folder, self.files)  # a stage done now hands on what one done before would
        seconds = time.perf_counter() - start
        texts = list(dict.fromkeys(str(one.message) for one in caught if issubclass(one.category, DataWarning)))
        write_bytes(folder / _VALUE, content)
        paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != _RECORD]
        for path in paths:
            with in_one_sentence(path):
                flush_file(path)
        sizes = {path.relative_to(folder).as_posix(): path.stat().st_size for path in paths}
        done = {"key": key, "files": sizes, "warnings": texts, "seconds": seconds}
        write_text(folder / _RECORD, json.dumps(done, indent=1))
        return Finished(value, seconds)

    def _tell_changes(self, name: str, record: dict | None, key: dict) -> None:
        """Say which parts of the key have changed; a change of another stage was said there."""
        old = record["key"] if record else key
        changed = [part for part in {**old, **key} if (part in old, old.get(part)) != (part in key, key.get(part))]
        own = [part for part in changed if not part.startswith(_STAGE) and part not in self._said]
        if own:
            more = f", and {len(own) - 3} more" if len(own) > 3 else ""
            told = "; ".join(self._in_words(part, old, key) for part in own[:3])
            say(f"{told}{more}: {name} is done anew, and what follows from it")
        self._said.update(own)

    def _in_words(self, part: str, old: Key, new: Key) -> str:
        if part == _PROGRAM:
            return "refimpl or what it runs on is another version"
        if part not in new:
            return f"{part} was {old[part]!r} and is no more"
        if part in self.files:
            what = "has changed since the last run" if part in old else "is new"
            return f"{Path(self.files[part]).name} ({part}) {what}"
        return f"{part} was {old[part]!r} and is {new[part]!r}" if part in old else f"{part} = {new[part]!r} is new"


class Stage(Generic[Given, Made]):
    """A function whose result is kept under a name.

    ``work`` takes ``Here`` first, and returns one value of a small type.  The stage itself takes ``Stages`` first: it
    gives what is kept under its name, or lets ``work`` make it (``Stages.do``).

    >>> import tempfile
    >>> stages = Stages(Path(tempfile.mkdtemp()), {"double": {}}, {"double": ()})
    >>> @as_stage("double")
    ... def double(here: Here, number: int) -> int:
    ...     return 2 * number
    >>> double(stages, 3)
    6
    """

    def __init__(self, name: str, work: Callable[Concatenate[Here, Given], Made], resumes: bool = False):
        functools.update_wrapper(self, work)
        self.name, self.work, self.resumes = name, work, resumes

    def __call__(self, stages: Stages, *args: Given.args, **options: Given.kwargs) -> Made:
        return stages.do(self.name, lambda here: self.work(here, *args, **options), self.resumes).value

    def of(self, doubling: int) -> Stage[Given, Made]:
        """The stage of the same work that belongs to one doubling of the map, counted from 1."""
        return Stage(name_of(self.name, doubling), self.work, self.resumes)


def as_stage(
    name: str, resumes: bool = False
) -> Callable[[Callable[Concatenate[Here, Given], Made]], Stage[Given, Made]]:
    """Make a stage of the function below; ``resumes`` as for ``Stages.do``."""
    return lambda work: Stage(name, work, resumes)


def name_of(stage: str, doubling: int) -> str:
    """The name of a stage that each doubling has.

    >>> name_of("train", 1), name_of("train", 2)
    ('train', 'train 2')
    """
    return stage if doubling == 1 else f"{stage} {doubling}"


@contextmanager
def _given_again() -> Iterator[list[warnings.WarningMessage]]:
    """Collect the warnings of the block, and give them when it ends, also by an exception."""
    caught: list[warnings.WarningMessage] = []
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", DataWarning)
            yield caught
    finally:
        for one in caught:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


def digest(key: Key) -> str:
    """The SHA-256 of a key."""
    return hashlib.sha256(json.dumps(key, sort_keys=True, default=str).encode()).hexdigest()


def _record_of(folder: Path) -> dict | None:
    """The record of a stage, or None where there is none that can be read."""
    try:
        record = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and isinstance(record.get("key"), dict) else None


def _remove(folder: Path) -> None:
    """Remove a stage, its record first: what is half removed is not done."""
    with in_one_sentence(folder):
        (folder / _RECORD).unlink(missing_ok=True)
        if folder.exists():
            shutil.rmtree(folder)


def _lost(folder: Path, sizes: Mapping[str, int]) -> str | None:
    """The name of a file of a finished stage that is gone or has another size, if there is one."""
    for name, size in {_VALUE: None, **sizes}.items():
        path = folder / name
        if not os.path.isfile(path) or os.path.getsize(path) != size:
            return name
    return None
