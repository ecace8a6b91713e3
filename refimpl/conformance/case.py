"""Case of the golden suite on disk, read strictly.

Layout and keys are those of golden/README.md and golden/v1/schema.json.  Wrong keys or checksums mean that the suite is
damaged, which one sentence says.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from refimpl.conformance.task import Task
from refimpl.conformance.vocabulary import COMPARATORS, INVARIANTS, OPERATIONS, STAGES
from refimpl.errors import InputError
from refimpl.formats.files import sha256

_FILE = re.compile(r"[A-Za-z0-9_]+\.(npy|csv|tif)")


@dataclass(frozen=True)
class Expectation:
    """How an output file, or an invariant of one (``of``), is judged: comparator, limit and the reason for it."""

    of: str
    cmp: str
    limit: float | tuple[float, float]
    why: str


@dataclass(frozen=True)
class Case:
    """One question and its answer; a refusal must name one of ``fields``, which is empty for a valid case."""

    id: str
    title: str
    stage: str
    operation: str
    references: tuple[str, ...]
    flags: tuple[str, ...]
    parameters: Mapping[str, Any]
    inputs: tuple[str, ...]
    outputs: tuple[Expectation, ...]
    invariants: tuple[Expectation, ...]
    fields: tuple[str, ...]
    fault: str
    oracle: str
    folder: Path

    @property
    def valid(self) -> bool:
        """Whether the case must be answered; an invalid case must be refused."""
        return not self.fields

    @property
    def task(self) -> Task:
        """The case as its answerer sees it; an invalid case names outputs too, so that it does not give itself away."""
        outputs = tuple(output.of for output in self.outputs) or tuple(OPERATIONS[self.operation][1].split())
        return Task(self.id, self.operation, self.parameters, self.folder / "in", self.inputs, outputs)


def read_case(folder: Path) -> Case:
    """The case in ``folder``, with its files checked against their checksums; InputError if anything is damaged."""
    text = read_json(folder / "case.json")
    try:
        case = _case(text, folder)
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        raise InputError(f"{folder / 'case.json'}: {fault}; the suite is damaged, get golden/v1 again") from fault
    for side, files in (("in", text["inputs"]), ("out", text["outputs"])):
        for name, file in files.items():
            path = folder / side / name
            if not path.is_file() or sha256(path) != file["sha256"]:
                raise InputError(f"{path}: is missing or changed; the suite is damaged, get golden/v1 again")
    return case


def read_json(path: Path) -> dict:
    """A JSON file of the suite."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as fault:
        raise InputError(f"{path}: cannot be read ({fault}); the suite is damaged, get golden/v1 again") from fault


def _only(mapping: Mapping, *keys: str) -> Mapping:
    """``mapping`` if it has exactly ``keys``."""
    odd = sorted(set(mapping) ^ set(keys))
    if odd:
        raise ValueError(f"key {odd[0]!r} is {'missing' if odd[0] in keys else 'unknown'}")
    return mapping


def _one_of(value: str, known: Iterable[str]) -> str:
    if value not in known:
        raise ValueError(f"{value!r} is none of {', '.join(known)}")
    return value


def _case(text: dict, folder: Path) -> Case:
    """The checked content of one case.json."""
    keys = "id title stage operation references flags verdict parameters inputs outputs invariants fault oracle"
    _only(text, *keys.split())
    outputs = []
    for name, output in text["outputs"].items():
        _only(output, "sha256", "cmp", "limit", "why")
        outputs.append(_expectation(name, output, COMPARATORS))
    for file in text["inputs"].values():
        _only(file, "sha256")
    invariants = tuple(
        _expectation(one["of"], _only(one, "of", "cmp", "limit", "why"), INVARIANTS) for one in text["invariants"]
    )
    valid = _one_of(text["verdict"], ("valid", "invalid")) == "valid"
    fault = {"fields": (), "why": ""} if valid else _only(text["fault"], "fields", "why")
    if valid != (text["fault"] is None) or valid != bool(outputs) or valid == bool(fault["fields"]):
        raise ValueError("a valid case has outputs, an invalid one a fault with its fields, none has both")
    if text["id"] != folder.name or not all(map(_FILE.fullmatch, [*text["inputs"], *text["outputs"]])):
        raise ValueError("its id is not its folder's name, or a file's name is none of NAME.npy, NAME.csv, NAME.tif")
    return Case(
        **{key: text[key] for key in ("id", "title", "parameters")},
        **{key: tuple(text[key]) for key in ("references", "flags", "inputs")},
        stage=_one_of(text["stage"], STAGES),
        operation=_one_of(text["operation"], OPERATIONS),
        outputs=tuple(outputs),
        invariants=invariants,
        fields=tuple(fault["fields"]),
        fault=fault["why"],
        oracle=": ".join(_only(text["oracle"], "name", "how").values()),
        folder=folder,
    )


def _expectation(of: str, entry: Mapping, known: Iterable[str]) -> Expectation:
    """The checked expectation: its limit is a number from 0 up, or [low, high] for psnr, and always finite."""
    limit, band = entry["limit"], _one_of(entry["cmp"], known) == "psnr"
    numbers = tuple(map(float, limit if isinstance(limit, list) else [limit]))
    fits = isinstance(limit, list) == band and len(numbers) == 1 + band and (band or numbers[0] >= 0)
    if not fits or not all(map(math.isfinite, numbers)):
        raise ValueError(f"{of}: limit {limit} does not fit the comparator {entry['cmp']}")
    return Expectation(of, entry["cmp"], numbers if band else numbers[0], entry["why"])
