"""Verdict on what an answerer did with one case (golden/README.md, "Plug in your program")."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from refimpl.conformance.answers import Answer, given_answers, read_expected
from refimpl.conformance.case import Case
from refimpl.conformance.compare import compare
from refimpl.conformance.difference import Difference
from refimpl.conformance.foreign import printable
from refimpl.conformance.invariants import hold
from refimpl.conformance.task import Task
from refimpl.errors import InputError

PASSED, FAILED, UNSUPPORTED = "passed", "failed", "unsupported"
EXPECTED_FAILURE, UNEXPECTED_PASS = "expected failure", "unexpected pass"
OUTCOMES = (PASSED, FAILED, UNSUPPORTED, EXPECTED_FAILURE, UNEXPECTED_PASS)


@dataclass(frozen=True)
class Reply:
    """What an answerer did with a case; ``kind`` is "answered", "refused", "unsupported" or "crashed"."""

    kind: str
    text: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    """One sentence for each file that is missing, extra or unreadable."""


@dataclass(frozen=True)
class Result:
    """The verdict on one case: ``by`` names the answerer, ``faults`` and ``differences`` say what is wrong."""

    case: Case
    by: str
    outcome: str
    faults: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    seconds: float = 0.0
    pictures: tuple[Path, ...] = ()

    @property
    def bad(self) -> bool:
        """Whether this result makes the whole fail."""
        return self.outcome in (FAILED, UNEXPECTED_PASS)

    @property
    def wrong(self) -> tuple[Difference, ...]:
        """The differences that did not pass."""
        return tuple(one for one in self.differences if not one.passed)


def ask(function: Callable[[Task], object], task: Task) -> Reply:
    """The reply of a Python function: ValueError (or InputError) is a refusal, NotImplementedError "unsupported".

    >>> ask(lambda task: {"areas": [1.5]}, Task("toy", "cell_areas", outputs=("areas.npy",))).answers
    {'areas.npy': array([1.5])}
    """
    try:
        given = function(task)
    except NotImplementedError as fault:
        return Reply("unsupported", words_of(fault))
    except (ValueError, InputError) as fault:
        return Reply("refused", words_of(fault))
    except (Exception, SystemExit):
        return Reply("crashed", "it raised an exception that is no refusal:\n" + traceback.format_exc(limit=-4))
    try:
        answers, faults = given_answers(given, task)
    except Exception:
        return Reply("crashed", "what it returned cannot be read:\n" + traceback.format_exc(limit=-4))
    return Reply("answered", "", answers, tuple(faults))


def words_of(fault: Exception) -> str:
    """The text of an exception, or its type's name if it cannot give a text."""
    try:
        return str(fault)
    except Exception:
        return type(fault).__name__


def judge(case: Case, by: str, reply: Reply) -> Result:
    """The verdict on a reply."""
    if reply.kind == "unsupported":
        return Result(case, by, UNSUPPORTED, (reply.text,) if reply.text else ())
    if reply.kind == "crashed":
        return Result(case, by, FAILED, (reply.text,))
    if reply.kind == "refused":
        fault = _refusal_fault(case, reply)
        return Result(case, by, FAILED if fault else PASSED, (fault,) if fault else ())
    if not case.valid:
        fields = " or ".join(case.fields)
        return Result(case, by, FAILED, (f"it answered, expected a refusal that names {fields}: {case.fault}",))
    differences = [
        compare(output, read_expected(case.folder / "out" / output.of), reply.answers[output.of])
        for output in case.outputs
        if output.of in reply.answers
    ]
    differences += [hold(invariant, reply.answers, case.task) for invariant in case.invariants]
    failed = reply.faults or not all(one.passed for one in differences)
    return Result(case, by, FAILED if failed else PASSED, reply.faults, tuple(differences))


def _refusal_fault(case: Case, reply: Reply) -> str:
    """What is wrong with a refusal, or an empty text."""
    said = first_lines(reply.text) or "nothing"
    if case.valid:
        return f"it refused a valid case, saying: {said}"
    if reply.faults:
        return f"it refused, but {reply.faults[0]}"
    # The case's id, which many programs print, can contain the field's name.
    if not any(names(field, last_words(reply.text.replace(case.id, " "))) for field in case.fields):
        where = "" if reply.text.strip() else " on standard error"
        return f"it refused without naming {' or '.join(case.fields)} ({case.fault}), saying{where}: {said}"
    return ""


def names(field: str, text: str) -> bool:
    """Whether ``field`` stands in ``text`` as a word of its own.

    >>> names("C", "C must be above 0"), names("C", "CC must be above 0"), names("month_12", "month_12.tif is missing")
    (True, False, True)
    """
    return re.search(rf"(?<!\w){re.escape(field)}(?!\w)", text) is not None


def last_words(text: str, most: int = 500) -> str:
    """The last ``most`` characters, cut between words: a field must not be found in a long dump of all names.

    >>> last_words("reading\\nerror in weights: negative\\nExecution halted\\n", 36)
    ' weights: negative\\nExecution halted'
    """
    text = text.strip()
    return text if len(text) <= most else re.sub(r"^\S+", "", text[-most:])


def first_lines(text: str, most: int = 300) -> str:
    """The beginning of what a program printed, in one line."""
    line = " ".join(printable(text).split())
    return line if len(line) <= most else line[:most] + " ..."
