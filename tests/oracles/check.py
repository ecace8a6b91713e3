"""Regenerated cases against those in ``golden/v1``: the same questions, and the same answers within their limits.

Files are compared byte by byte first.  Another release of an oracle may round otherwise, or write another header: then
inputs must still hold equal numbers, and outputs must pass the case's own comparator.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from refimpl.conformance.answers import read_expected
from refimpl.conformance.case import Expectation, read_case
from refimpl.conformance.compare import compare
from tests.oracles import suite


def check(cases: list[suite.Case], root: Path, whole: bool = True) -> int:
    """0 where every case is there and none differs, else 1; each difference on standard error.

    ``whole`` says that these are all cases: then each one that is there must be among them.
    """
    there = {path.parent.name for path in root.glob("*/case.json")}
    strays = sorted(there - {case.id for case in cases}) if whole else []
    faults = [f"{name}: no script makes it" for name in strays]
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            suite.write_case(case, Path(folder))
            faults += differences(case.id, Path(folder), root) if case.id in there else [f"{case.id}: is not there"]
    print("\n".join(faults), file=sys.stderr) if faults else print(f"{len(cases)} cases regenerated, none differs")
    return 1 if faults else 0


def differences(case_id: str, made: Path, root: Path) -> list[str]:
    """What is not the same in the case made anew and in the one that is there."""
    faults = [] if question(made / case_id) == question(root / case_id) else [f"{case_id}: case.json differs"]
    case = read_case(root / case_id)
    limits = {f"in/{name}": Expectation(name, "exact", 0.0, "an input") for name in case.inputs}
    limits |= {f"out/{output.of}": output for output in case.outputs}
    for name, limit in limits.items():
        new, old = made / case_id / name, root / case_id / name
        if not new.is_file():
            faults.append(f"{case_id}: {name} is not made")
        elif new.read_bytes() != old.read_bytes():
            faults += [f"{case_id}: {name}: {fault}" for fault in [judged(limit, old, new)] if fault]
    return faults


def judged(limit: Expectation, old: Path, new: Path) -> str:
    """The sentence of the comparison; a file that no reader takes (an invalid case's) must have the same bytes."""
    try:
        return compare(limit, read_expected(old), read_expected(new)).sentence
    except Exception as fault:
        return f"its bytes differ, and it cannot be read ({fault})"


def question(folder: Path) -> dict:
    """case.json without the checksums."""
    text = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    for files in (text["inputs"], text["outputs"]):
        for file in files.values():
            file.pop("sha256")
    return text
