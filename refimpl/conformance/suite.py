"""Golden suite as a whole: where it is, and which of its cases are wanted.

An installed package does not contain it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from refimpl.conformance.case import Case, read_case, read_json
from refimpl.conformance.vocabulary import STAGES
from refimpl.errors import InputError, did_you_mean


@dataclass(frozen=True)
class Suite:
    """The cases below ``root`` (golden/v1)."""

    root: Path

    @cached_property
    def ids(self) -> list[str]:
        """Every case's id, ascending; InputError if one that the index beside the suite lists is missing."""
        found = sorted(path.parent.name for path in self.root.glob("*/case.json"))
        index = self.root.parent / "index.json"
        listed = read_json(index) if index.is_file() else {}
        missing = {case["id"] for case in listed["list"]} - set(found) if listed.get("suite") == self.root.name else ()
        if missing:
            raise InputError(f"{self.root / min(missing)}: is missing; the suite is damaged, get it again")
        return found

    @cached_property
    def flags(self) -> dict[str, str]:
        """By flag: the bug that a case with it catches."""
        path = self.root / "flags.json"
        flags = read_json(path) if path.is_file() else {}
        if not isinstance(flags, dict):
            raise InputError(f"{path}: is no object of flag and explanation; the suite is damaged, get golden/v1 again")
        return flags

    def case(self, case_id: str) -> Case:
        """The case of that id, its files checked against their checksums."""
        if case_id not in self.ids:
            raise InputError(f"{self.root}: there is no case {case_id!r}{did_you_mean(case_id, self.ids)}")
        return read_case(self.root / case_id)

    def select(self, ids: Iterable[str] = (), stages: Iterable[str] = ()) -> list[Case]:
        """The cases with these ids and stages (all cases if none is named), in the order of the stages."""
        stages = tuple(stages)
        for stage in stages:
            if stage not in STAGES:
                raise InputError(f"there is no stage {stage!r}{did_you_mean(stage, STAGES)}")
        cases = [self.case(case_id) for case_id in dict.fromkeys(ids or self.ids)]
        cases = [case for case in cases if not stages or case.stage in stages]
        if not cases:
            raise InputError(f"no case of {self.root} has one of these ids and one of these stages; name fewer")
        return sorted(cases, key=lambda case: (STAGES.index(case.stage), case.id))


def find_suite(folder: str | Path | None = None) -> Suite:
    """The suite in ``folder``; by default golden/v1 beside the package in a checkout, else below the current folder."""
    if folder is not None:
        roots = [Path(folder)]
    else:
        roots = [root / "golden" / "v1" for root in (Path(__file__).resolve().parents[2], Path.cwd())]
    for root in roots:
        if any(root.glob("*/case.json")):
            return Suite(root)
    where = "golden/v1" if folder is None else str(folder)
    raise InputError(
        f"{where}: holds no golden suite, which is no part of the installed package; "
        "run in a checkout of the source, or name its folder: --suite PATH/golden/v1"
    )
