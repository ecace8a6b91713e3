"""Reports of ``verify`` for people: a finding for each failure, and the closing table by stage."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from refimpl.conformance.comparators import Limit
from refimpl.conformance.difference import Difference
from refimpl.conformance.foreign import printable
from refimpl.conformance.judge import EXPECTED_FAILURE, FAILED, OUTCOMES, UNEXPECTED_PASS, Result
from refimpl.conformance.vocabulary import STAGES
from refimpl.formats.tables import format_table
from refimpl.method.decisions import DECISIONS

EQUATIONS = {
    "Eq. 1": "SC = sum over fuels of E x LC x CC x COF x 44/12 x 10^-6",
    "Eq. 2": "loss = mean |network(son) - father|",
    "Eq. 3": "CE_c = SC_n x CW_c / CW_n, CW being weight x cell area",
    "Eq. 4": "R2 = 1 - sum (y - f)^2 / sum (y - mean y)^2",
    "Eq. 5": "MAE = mean |y - f|",
    "Eq. 6": "RMSE = square root of mean (y - f)^2",
}
"""The paper's equations, as the code understands them."""

MOST_ULP = 10_000
"""Beyond this, a number of ulp says less than the two numbers themselves."""

_DECISIONS = {one.id: one for one in DECISIONS}


def finding(result: Result, flags: Mapping[str, str]) -> str:
    """The whole finding on one failed case: case, paper, flags, what is wrong, worst cell, limit and its reason."""
    case = result.case
    by = "" if result.by in ("program", "function") else f" [{result.by}]"
    word = {FAILED: "FAILED", UNEXPECTED_PASS: "PASSED UNEXPECTEDLY"}.get(result.outcome, result.outcome)
    lines = [f"{word} {case.id}{by}: {case.title}"]
    lines.append(f"  stage {case.stage}, operation {case.operation}; {', '.join(case.references)}")
    if result.outcome == UNEXPECTED_PASS:
        return "\n".join([*lines, "  it passes, but is named as known to fail; take it off the list"])
    for fault in result.faults:
        lines += [f"  {line}" for line in printable(fault).strip().splitlines()]
    for one in result.wrong:
        lines += [f"  {line}" for line in difference_lines(one)]
    lines += [printable(f"  picture: {path}") for path in result.pictures]
    lines += [f"  {text}" for text in map(reference_text, case.references) if text]
    lines += [f"  it is there to catch {flag}: {flags.get(flag, '(not explained)')}" for flag in case.flags]
    if case.valid:
        lines.append(f"  expected answer from {case.oracle}")
    return "\n".join(lines)


def reference_text(reference: str) -> str:
    """What an equation says or a decision decides; empty for other references.

    >>> reference_text("D13"), reference_text("Eq. 5"), reference_text("Fig. 8")
    ("D13 'until 1e-6': training stops when the rate would reach 1e-6", 'Eq. 5: MAE = mean |y - f|', '')
    """
    if reference in EQUATIONS:
        return f"{reference}: {EQUATIONS[reference]}"
    word = re.match(r"D\d\d", reference)
    one = _DECISIONS.get(word[0]) if word else None
    return f"{one.id} {one.question}: {one.decision}" if one else ""


def difference_lines(one: Difference) -> list[str]:
    """One wrong output: what is wrong, the worst cell, and the measured value against the limit."""
    lines = [printable(f"{one.of}: {one.sentence}")]
    if one.expected is not None:
        apart = "" if one.ulp is None or one.ulp > MOST_ULP else f", {one.ulp} ulp apart"
        place = f"{one.cell}: " if one.cell else ""
        lines.append(printable(f"  worst cell, {place}expected {one.expected!r}, got {one.got!r}{apart}"))
    measured = "" if one.measured is None else f"measured {one.measured:.3g}, "
    lines.append(f"  {one.cmp}: {measured}limit {limit_text(one.limit)}, because: {one.why}")
    return lines


def limit_text(limit: Limit) -> str:
    """A limit as people read it.

    >>> limit_text(1e-12), limit_text((40.0, 60.0))
    ('1e-12', '40 to 60 dB')
    """
    return f"{limit:g}" if isinstance(limit, float) else f"{limit[0]:g} to {limit[1]:g} dB"


def counts(results: Iterable[Result]) -> dict[str, int]:
    """How many results there are of each outcome."""
    outcomes = [result.outcome for result in results]
    return {outcome: outcomes.count(outcome) for outcome in OUTCOMES}


def summary(results: list[Result]) -> str:
    """The closing table by stage, one for each answerer, and the verdict in one sentence."""
    blocks = []
    for by in dict.fromkeys(result.by for result in results):
        own = [result for result in results if result.by == by]
        there = [stage for stage in STAGES if any(result.case.stage == stage for result in own)]
        rows = [[result for result in own if result.case.stage == stage] for stage in there] + [own]
        tables = [counts(row) for row in rows]
        columns = {"stage": [*there, "all"], "cases": [len(row) for row in rows]}
        columns |= {outcome: [table[outcome] for table in tables] for outcome in OUTCOMES}
        for rare in OUTCOMES[3:]:
            if not columns[rare][-1]:
                del columns[rare]
        seconds = f"{sum(result.seconds for result in own):.1f} s"
        blocks.append(f"{by} ({seconds})\n{format_table(columns)}")
    return "\n\n".join([*blocks, closing(results)])


def closing(results: list[Result]) -> str:
    """The verdict in one sentence."""
    found = counts(results)
    failed, passed, all_of = found[FAILED] + found[UNEXPECTED_PASS], found[OUTCOMES[0]], len(results)
    if failed:
        stages = ", ".join(stage for stage in STAGES if any(r.bad and r.case.stage == stage for r in results))
        return f"{failed} of {all_of} failed, in: {stages}"
    if found["unsupported"] == all_of:
        return f"none of {all_of} was answered; exit with 2 only for what is not supported"
    known, unsupported = found[EXPECTED_FAILURE], found["unsupported"]
    but = f" but {known} known to fail" if known else ""
    return f"{passed} of {all_of} passed, none failed{but}" + (f"; {unsupported} not supported" if unsupported else "")
