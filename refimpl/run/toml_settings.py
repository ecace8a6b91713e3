"""Settings from TOML: fills a dataclass from one table, and reports each fault in one sentence.

Settings are a frozen dataclass whose fields carry their type, default and a line of documentation (``setting(...)``).
This module is the only place that checks keys and types.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any

from refimpl.errors import InputError, did_you_mean
from refimpl.formats.files import existing_file


def setting(doc: str, default: Any = MISSING) -> Any:
    """A documented field; without ``default`` the key must be given."""
    return field(metadata={"doc": doc}) if default is MISSING else field(default=default, metadata={"doc": doc})


@dataclass(frozen=True)
class Place:
    """The place of a value: its file, for relative paths and messages, and its dotted table."""

    file: Path
    table: str = ""

    def key(self, name: str) -> str:
        """``file: table.name``, as a message begins."""
        return f"{self.file}: {self.table}.{name}" if self.table else f"{self.file}: {name}"

    def inside(self, name: str) -> Place:
        """The sub-table ``name``."""
        return Place(self.file, f"{self.table}.{name}" if self.table else name)


def _literals(kind: Any) -> list[Any]:
    """The values that ``kind`` allows by name."""
    if typing.get_origin(kind) is typing.Literal:
        return list(typing.get_args(kind))
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return [value for part in typing.get_args(kind) for value in _literals(part)]
    return []


def _words(kind: Any) -> str:
    """A type as a user would say it."""
    names = {
        str: "text in quotes",
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        Path: "a file name in quotes",
    }
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return " or ".join(repr(part) for part in parts)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_words(part) for part in parts if part is not type(None))
    if origin is tuple:
        count = "" if parts[-1] is Ellipsis else f"{len(parts)} x "
        return f"a list of {count}{_words(parts[0])}"
    return names.get(kind, str(kind))


def _converted(kind: Any, value: Any, place: Place, name: str) -> Any:
    """``value`` as ``kind``; TypeError where it is not one."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        if value in parts and type(value) in {type(p) for p in parts}:
            return value
    elif origin in (typing.Union, types.UnionType):
        for part in parts:
            try:
                return _converted(part, value, place, name)
            except TypeError:
                continue
    elif origin is tuple:
        kinds = [parts[0]] * len(value) if isinstance(value, list) and parts[-1] is Ellipsis else list(parts)
        if isinstance(value, list) and len(value) == len(kinds):
            return tuple(_converted(k, v, place, name) for k, v in zip(kinds, value))
    elif kind is Path and isinstance(value, str):
        return existing_file(place.file.parent / value, f"the file that {place.key(name)} names")
    elif kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    elif type(value) is kind:
        return value
    raise TypeError


def convert(kind: Any, value: Any, place: Place, name: str) -> Any:
    """``value`` from TOML as ``kind``; a file name becomes an existing path relative to the TOML file.

    >>> convert(float, 10, Place(Path("run.toml"), "grid"), "cell_size")
    10.0
    >>> convert(bool, 1, Place(Path("run.toml"), "upscale"), "pyramid")
    Traceback (most recent call last):
    refimpl.errors.InputError: run.toml: upscale.pyramid = 1; expected true or false
    """
    try:
        return _converted(kind, value, place, name)
    except TypeError:
        words = [part for part in _literals(kind) if isinstance(part, str)]
        near = did_you_mean(value, words) if words and isinstance(value, str) else ""
        if near.startswith("; did"):
            raise InputError(f"{place.key(name)} = {value!r}{near}") from None
        shown = str(value).lower() if isinstance(value, bool) else repr(value)
        raise InputError(f"{place.key(name)} = {shown}; expected {_words(kind)}") from None


def as_table(value: Any, place: Place) -> dict[str, Any]:
    """``value`` if it is a TOML table."""
    if not isinstance(value, dict):
        raise InputError(f"{place.file}: {place.table} = {value!r}; expected a table, written as [{place.table}]")
    return value


def fill(kind: type, table: dict[str, Any], place: Place, also: Iterable[str] = ()) -> Any:
    """The dataclass ``kind`` with the keys of ``table``, and defaults for the rest; ``also`` names keys read elsewhere.

    Raises
    ------
    InputError
        An unknown key (with the nearest right spelling), a wrong type, a missing key, a missing file.
    """
    known: dict[str, Field] = {f.name: f for f in fields(kind)}
    for name in table:
        if name not in known:
            raise InputError(f"{place.key(name)}: unknown key{did_you_mean(name, [*known, *also])}")
    hints = typing.get_type_hints(kind)
    values = {name: convert(hints[name], value, place, name) for name, value in table.items()}
    for name, f in known.items():
        if name not in values and f.default is MISSING and f.default_factory is MISSING:
            raise InputError(f"{place.key(name)}: missing; expected {_words(hints[name])}, {f.metadata.get('doc', '')}")
    return kind(**values)


def describe(kind: type, table: str) -> list[tuple[str, str, str]]:
    """(key, default, documentation) of each setting, for ``refimpl explain config``."""
    rows, hints = [], typing.get_type_hints(kind)
    for f in fields(kind):
        default = "required" if f.default is MISSING and f.default_factory is MISSING else repr(f.default)
        choices = f.metadata.get("choices") or _literals(hints[f.name])
        doc = f.metadata.get("doc", "") + (f" (one of {', '.join(map(repr, choices))})" if choices else "")
        rows.append((f"{table}.{f.name}" if table else f.name, default, doc))
    return rows
