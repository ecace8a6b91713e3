"""Records of ``verify`` for machines: every verdict as JSON, and as JUnit XML for continuous integration."""

from __future__ import annotations

import json
import math
import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping

from refimpl import __version__
from refimpl.conformance.difference import Difference
from refimpl.conformance.findings import counts, finding
from refimpl.conformance.foreign import printable
from refimpl.conformance.judge import PASSED, Result
from refimpl.conformance.suite import Suite
from refimpl.conformance.vocabulary import STAGES
from refimpl.formats.files import atomic_path, write_text


def write_results(path: str | os.PathLike, suite: Suite, program: str | None, results: list[Result]) -> None:
    """Write every verdict as JSON, atomically."""
    document = {
        "suite": suite.root.name,
        "refimpl": __version__,
        "program": program and printable(program),
        "counts": counts(results),
        "stages": {stage: counts(r for r in results if r.case.stage == stage) for stage in STAGES},
        "results": [record(result) for result in results],
    }
    write_text(path, json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def record(result: Result) -> dict:
    """One verdict as a dict for JSON."""
    case = result.case
    return {
        "case": case.id,
        "stage": case.stage,
        "operation": case.operation,
        "references": list(case.references),
        "flags": list(case.flags),
        "verdict": "valid" if case.valid else "invalid",
        "by": result.by,
        "outcome": result.outcome,
        "seconds": round(result.seconds, 4),
        "faults": [printable(fault) for fault in result.faults],
        "outputs": [_difference(one) for one in result.differences],
        "pictures": [printable(str(path)) for path in result.pictures],
    }


def _difference(one: Difference) -> dict:
    limit = list(one.limit) if isinstance(one.limit, tuple) else one.limit
    numbers = {name: plain(getattr(one, name)) for name in ("measured", "expected", "got", "ulp")}
    where = {"cell": printable(one.cell), "at": list(one.at) if one.at else None}
    return {"of": one.of, "cmp": one.cmp, "limit": limit, "passed": one.passed} | numbers | where | {
        "sentence": printable(one.sentence)
    }


def plain(value):
    """A value that JSON can hold: a number that is not finite becomes text, text loses control characters.

    >>> plain(1.5), plain(math.inf), plain(None)
    (1.5, 'inf', None)
    """
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return printable(value) if isinstance(value, str) else value


def write_junit(path: str | os.PathLike, results: list[Result], flags: Mapping[str, str]) -> None:
    """Write JUnit XML, atomically: a test suite for each stage and answerer, a test case for each case."""
    root = ElementTree.Element("testsuites", name="golden suite", tests=str(len(results)))
    root.set("failures", str(sum(result.bad for result in results)))
    for by in dict.fromkeys(result.by for result in results):
        for stage in STAGES:
            own = [result for result in results if result.by == by and result.case.stage == stage]
            if own:
                root.append(_suite(f"{by}.{stage}", own, flags))
    ElementTree.indent(root)
    with atomic_path(path) as temporary:
        ElementTree.ElementTree(root).write(temporary, encoding="utf-8", xml_declaration=True)


def _suite(name: str, results: list[Result], flags: Mapping[str, str]) -> ElementTree.Element:
    failures, skipped = sum(result.bad for result in results), sum(_is_skipped(result) for result in results)
    seconds = f"{sum(result.seconds for result in results):.3f}"
    found = {"tests": str(len(results)), "failures": str(failures), "errors": "0", "skipped": str(skipped)}
    suite = ElementTree.Element("testsuite", name=name, time=seconds, **found)
    for result in results:
        place = f"{name}.{result.case.operation}"
        test = ElementTree.SubElement(
            suite, "testcase", name=result.case.id, classname=place, time=f"{result.seconds:.3f}"
        )
        if result.bad:
            sentences = [*result.faults, *(f"{one.of}: {one.sentence}" for one in result.wrong), result.outcome]
            message = printable(sentences[0].splitlines()[0])
            ElementTree.SubElement(test, "failure", message=message).text = finding(result, flags)
        elif _is_skipped(result):
            ElementTree.SubElement(test, "skipped", message=result.outcome)
    return suite


def _is_skipped(result: Result) -> bool:
    """Whether a case neither passed nor failed: it is unsupported, or known to fail."""
    return not result.bad and result.outcome != PASSED
