"""Judgement on one output, with its worst cell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from refimpl.conformance.answers import Answer
from refimpl.conformance.comparators import Limit, Measured, measure
from refimpl.conformance.ulp import ulp_distance


@dataclass(frozen=True)
class Difference:
    """The judgement on one output.

    ``sentence`` says what is wrong and is empty if nothing is.  ``measured`` is what was compared with the limit;
    ``cell``, ``expected``, ``got``, ``ulp`` and ``at`` describe the worst cell.
    """

    of: str
    cmp: str
    limit: Limit
    why: str
    sentence: str = ""
    measured: float | None = None
    cell: str = ""
    expected: float | str | None = None
    got: float | str | None = None
    ulp: int | None = None
    at: tuple[int, ...] | None = None
    shown: tuple[Answer, Answer] | None = field(default=None, repr=False, compare=False)
    """Expected and got, where a picture can show them."""

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not self.sentence


def passing(blank: Difference) -> Callable[[np.ndarray, np.ndarray], bool]:
    """A function that says whether two arrays pass this comparator; hints need it."""
    return lambda expected, got: measure(expected, got, blank.cmp, blank.limit).passed


def with_hint(sentence: str, hint: str) -> str:
    """A sentence and, after a colon, what the answer looks like."""
    return f"{sentence}: {hint}" if hint else sentence


def beyond(measured: Measured, count: int) -> str:
    """A sentence on how many cells are wrong, or that the whole is."""
    wrong = int(measured.wrong.sum())
    if not wrong:
        return "it is beyond the limit as a whole"
    return f"{wrong} of {count} values {'is' if wrong == 1 else 'are'} beyond the limit"


def located(difference: Difference, expected, got, measured: Measured, name_cell) -> Difference:
    """The judgement with its worst cell: where, expected, got and how many ulp apart."""
    if measured.worst is None:
        return replace(difference, measured=measured.value)
    pair = expected[measured.worst], got[measured.worst]
    floats = expected.dtype.kind == "f" and got.dtype.kind == "f" and bool(np.isfinite(pair).all())
    ulp = int(ulp_distance(*(np.asarray(value) for value in pair))) if floats else None
    return replace(
        difference,
        measured=measured.value,
        at=measured.worst,
        cell=name_cell(measured.worst),
        expected=pair[0].item(),
        got=pair[1].item(),
        ulp=ulp,
    )
