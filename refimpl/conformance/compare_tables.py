"""Comparison of a table with the expected one: columns, rows and their order, text and whole numbers, then numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from refimpl.conformance.comparators import measure
from refimpl.conformance.csv_and_npy import Columns
from refimpl.conformance.difference import Difference, beyond, located, passing, with_hint
from refimpl.conformance.likeness import likeness


def compare_tables(blank: Difference, expected: Columns, got: Columns) -> Difference:
    """Compare two tables; columns can come in any order, rows only in the expected one.  The worst column is reported.

    A column of whole numbers must be equal, and may write 11 as 11.0.  The comparator decides on other numbers.

    >>> blank = Difference("e.csv", "rel", 1e-12, "one rounding")
    >>> table = {"code": np.array([11, 12]), "emission": np.array([1.5, 2.5])}
    >>> compare_tables(blank, table, {"code": np.array([11]), "emission": np.array([1.5])}).sentence
    'it has 1 row, expected 2: the row with code 12 is missing'
    """
    fault = _structure(expected, got)
    if fault:
        return replace(blank, sentence=fault)
    judged = {name: _column(blank, name, expected, got) for name in expected}
    names = [name for name, one in judged.items() if not one.passed]
    if not names:
        return max(judged.values(), key=_share)
    order = _order_fault(expected, got)
    worst_name = max(names, key=lambda name: _share(judged[name]))
    worst = judged[worst_name]
    others = "; so are " + ", ".join(repr(one) for one in names if one != worst_name) if len(names) > 1 else ""
    return replace(worst, sentence=order or worst.sentence + others)


def _share(one: Difference) -> float:
    """The part of the limit that a column takes up; infinite for wrong text or structure."""
    limit = one.limit if isinstance(one.limit, float) else 1.0
    if one.measured is None:
        return np.inf if one.sentence else -1.0
    return one.measured / limit if limit else one.measured


def _structure(expected: Columns, got: Columns) -> str:
    """What is wrong with columns or number of rows, or an empty text."""
    missing, extra = [n for n in expected if n not in got], [n for n in got if n not in expected]
    if missing:
        there = f"; its columns are {', '.join(map(repr, list(got)[:12]))}"
        return f"column {missing[0]!r} is missing{there[:400]}"
    if extra:
        return f"column {extra[0][:80]!r} is not expected; expected {', '.join(map(repr, expected))}"
    rows, wanted = (len(next(iter(table.values()), ())) for table in (got, expected))
    if rows == wanted:
        return ""
    return f"it has {rows} row{'' if rows == 1 else 's'}, expected {wanted}{_odd_row(expected, got)}"


def _odd_row(expected: Columns, got: Columns) -> str:
    """The first key that only one side has, in words, if the first column is a key."""
    name = next(iter(expected))
    sides = [[str(key) for key in np.asarray(table[name]).tolist()] for table in (expected, got)]
    for keys, others, word in ((*sides, "missing"), (*reversed(sides), "not expected")):
        others = set(others)
        odd = [key for key in keys if key not in others]
        if odd and len(set(keys)) == len(keys):
            more = f", and {len(odd) - 1} more" if len(odd) > 1 else ""
            return f": the row with {name} {odd[0][:80]} is {word}{more}"
    return ""


def _order_fault(expected: Columns, got: Columns) -> str:
    """A sentence if the same rows stand in another order, judged by their text and whole numbers; else empty."""
    names = [name for name in expected if not _is_float(expected[name]) and not _is_float(got[name])]
    text = lambda column: map(str, np.asarray(column).tolist())
    sides = [list(zip(*(text(table[n]) for n in names), strict=True)) for table in (expected, got)]
    if names and sides[0] != sides[1] and sorted(sides[0]) == sorted(sides[1]):
        return f"its rows are in another order, by {', '.join(names)}"
    return ""


def _is_float(column) -> bool:
    return isinstance(column, np.ndarray) and column.dtype.kind == "f"


def _column(blank: Difference, name: str, expected: Columns, got: Columns) -> Difference:
    """The judgement on one column."""
    wanted, given = expected[name], got[name]
    cell = lambda at: f"column {name!r}, {_row_name(expected, at[0])}"
    if isinstance(wanted, list) or isinstance(given, list):
        return _text_column(blank, name, wanted, given, cell)
    whole = wanted.dtype.kind != "f"
    if not whole or given.dtype.kind == "f":
        wanted, given = wanted.astype(float), given.astype(float)
    measured = measure(wanted, given, *("exact", 0.0) if whole else (blank.cmp, blank.limit))
    if measured.passed:
        return located(blank, wanted, given, measured, cell)
    if whole:
        blank = replace(blank, cmp="exact", limit=0.0, why="whole numbers must be equal")
    sentence = with_hint(f"column {name!r}: {beyond(measured, len(wanted))}", likeness(wanted, given, passing(blank)))
    return located(replace(blank, sentence=sentence), wanted, given, measured, cell)


def _text_column(blank: Difference, name: str, wanted, given, cell) -> Difference:
    """The judgement on a column that is text on at least one side: all cells must be equal as text."""
    wanted, given = [list(map(_plain, np.asarray(side, object).tolist())) for side in (wanted, given)]
    wrong = [at for at, (a, b) in enumerate(zip(wanted, given, strict=True)) if a != b]
    if not wrong:
        return blank
    at = wrong[0]
    sentence = f"column {name!r}: {len(wrong)} of {len(wanted)} cells differ"
    return replace(blank, sentence=sentence, cell=cell((at,)), expected=wanted[at], got=given[at][:80], at=(at,))


def _plain(value) -> str:
    """A cell as text; nan is an empty text."""
    return "" if value != value else str(value)


def _row_name(table: Columns, row: int) -> str:
    """A row in words, such as ``row 2 (code 12)``: counted from 1, with its first cell unless that is a float."""
    name = next(iter(table))
    key = "" if _is_float(table[name]) else f" ({name} {table[name][row]})"
    return f"row {row + 1}{key}"
