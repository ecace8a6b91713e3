"""``python -m tests.oracles``: write ``golden/v1`` from the oracles, or ``--check`` what is there against them."""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys
from collections import Counter
from pathlib import Path

import tests.oracles
from tests.oracles import suite

ROOT = Path(__file__).resolve().parents[2] / "golden"


def modules(skipped: list[str] | None = None) -> list:
    """Every oracle script (what has ``cases``), in the order of its name.

    One whose oracle is not installed is an error; or, where ``skipped`` is given, said there and left out.
    """
    found, names = [], {each.name for each in pkgutil.iter_modules(tests.oracles.__path__)}
    for name in sorted(names - {"__main__"}):
        try:
            found.append(importlib.import_module(f"tests.oracles.{name}"))
        except ModuleNotFoundError as fault:
            if skipped is None:
                raise
            skipped.append(f"{name} (needs {fault.name})")
    return [module for module in found if hasattr(module, "cases")]


def collected(scripts, whole: bool = True) -> tuple[list[suite.Case], dict[str, str]]:
    """All cases, ids unique, and all flags; every flag is used, and every used flag explained, once."""
    cases, flags = [], {}
    for script in scripts:
        for flag, text in getattr(script, "FLAGS", {}).items():
            assert flag not in flags, f"flag {flag} is explained twice"
            flags[flag] = text
        cases += script.cases()
    doubled = [name for name, count in Counter(case.id for case in cases).items() if count > 1]
    assert not doubled, f"ids given twice: {doubled}"
    used = {flag for case in cases for flag in case.flags}
    assert not whole or used == set(flags), f"flags without explanation or case: {sorted(used ^ set(flags))}"
    return sorted(cases, key=lambda case: (suite.STAGES.index(case.stage), case.id)), dict(sorted(flags.items()))


def index(cases: list[suite.Case], root: Path) -> dict:
    """``golden/index.json``: what there is, counted, and the versions of the oracles."""
    rows = [json.loads((root / "v1" / case.id / "case.json").read_text(encoding="utf-8")) for case in cases]
    keys = ("id", "title", "stage", "operation", "verdict", "references")
    return {
        "suite": "v1",
        "cases": len(rows),
        "verdicts": dict(sorted(Counter(row["verdict"] for row in rows).items())),
        "stages": {stage: sum(row["stage"] == stage for row in rows) for stage in suite.STAGES},
        "oracles": dict(sorted(Counter(row["oracle"]["name"] for row in rows).items())),
        "versions": suite.versions(),
        "list": [{key: row[key] for key in keys} for row in rows],
    }


def write_json(path: Path, value: object) -> None:
    """Text that does not depend on the machine."""
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")


def write(root: Path) -> int:
    """Write every case, flags.json and index.json; cases that no script makes any more are an error."""
    cases, flags = collected(modules())
    for case in cases:
        suite.write_case(case, root / "v1")
    write_json(root / "v1" / "flags.json", flags)
    write_json(root / "index.json", index(cases, root))
    stray = {folder.name for folder in (root / "v1").iterdir() if folder.is_dir()} - {case.id for case in cases}
    if stray:
        print(f"no script makes these cases: {', '.join(sorted(stray))}; a case of v1 is permanent", file=sys.stderr)
        return 1
    print(f"{len(cases)} cases")
    return 0


def main() -> int:
    """Exit status 0, or 1 where a regenerated case differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="regenerate and compare, write nothing")
    parser.add_argument("--only", help="one script, by its module name: write its cases and nothing else")
    args = parser.parse_args()
    if args.only:
        cases, _ = collected([importlib.import_module(f"tests.oracles.{args.only}")])
        for case in cases:
            suite.write_case(case, ROOT / "v1")
        print(f"{len(cases)} cases of {args.only}")
        return 0
    if args.check:
        from tests.oracles.check import check

        skipped: list[str] = []
        cases, _ = collected(modules(skipped), whole=False)
        if skipped:
            print(f"not regenerated: {', '.join(skipped)}")
        return check(cases, ROOT / "v1", whole=not skipped)
    return write(ROOT)


if __name__ == "__main__":
    sys.exit(main())
