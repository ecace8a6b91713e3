"""CSV files with a header, read into columns and written from them; each fault is one sentence."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from refimpl.errors import InputError, did_you_mean
from refimpl.formats.files import existing_file, write_text


class Table:
    """The text cells of one CSV file; ``numbers`` and ``integers`` turn a column into an array, checked."""

    def __init__(self, path: Path, columns: Sequence[str], rows: Sequence[Sequence[str]], lines: Sequence[int]):
        self.path, self.columns, self.rows = path, list(columns), rows
        self.lines = lines
        """The line of the file that each row stands in, for messages."""

    def text(self, column: str) -> list[str]:
        """The cells of ``column``, stripped."""
        if column not in self.columns:
            raise InputError(f"{self.path}: no column {column!r}{did_you_mean(column, self.columns)}")
        at = self.columns.index(column)
        return [row[at] for row in self.rows]

    def numbers(self, column: str, minimum: float = -math.inf, empty: float | None = None) -> np.ndarray:
        """``column`` as float64 (rows,); an unreadable, non-finite or too small cell is refused by line.

        So is an empty one, unless ``empty`` says what it stands for.
        """
        return np.array(
            [
                empty if empty is not None and not cell else self._number(column, line, cell, minimum)
                for line, cell in zip(self.lines, self.text(column))
            ]
        )

    def integers(self, column: str) -> np.ndarray:
        """``column`` as int64 (rows,); a cell with a fraction is refused."""
        values = self.numbers(column)
        for line, value in zip(self.lines, values.tolist()):
            if value != round(value):
                raise InputError(f"{self.path}, line {line}, column {column!r}: {value!r} is not a whole number")
        return values.astype(np.int64)

    def _number(self, column: str, line: int, cell: str, minimum: float) -> float:
        where = f"{self.path}, line {line}, column {column!r}"
        try:
            value = float(cell)
        except ValueError:
            shown = repr(cell) if cell else "the cell is empty"
            raise InputError(
                f"{where}: {shown}; expected a number such as 12.5, without thousands separators"
            ) from None
        if not math.isfinite(value):
            raise InputError(
                f"{where}: {cell} is not a finite number; leave the whole row out where there is no statistic"
            )
        if value < minimum:
            raise InputError(
                f"{where}: {cell} is less than {minimum:g}, which an amount cannot be; check the sign and the unit"
            )
        return value


def read_table(path: str | os.PathLike, required: Iterable[str], purpose: str) -> Table:
    """Read a UTF-8 CSV with a header line (a byte-order mark is allowed).

    Raises
    ------
    InputError
        The file is missing or not UTF-8, a column is missing or doubled, a line is short or long, or there are no rows.
    """
    path = existing_file(path, purpose)
    try:
        reader = csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""))
        numbered = [(reader.line_num, [cell.strip() for cell in line]) for line in reader]
    except (UnicodeDecodeError, csv.Error) as fault:
        raise InputError(f"{path}: cannot be read as CSV in UTF-8 ({fault}); save it as 'CSV UTF-8'") from None
    numbered = [(number, line) for number, line in numbered if any(line)]
    if len(numbered) < 2:
        raise InputError(f"{path}: holds no rows; expected a header line and at least one row for {purpose}")
    header = numbered[0][1]
    doubled = sorted({name for name in header if header.count(name) > 1})
    if doubled:
        raise InputError(f"{path}: column {doubled[0]!r} stands twice in the header; name each column once")
    if len(header) == 1 and any(mark in header[0] for mark in ";\t"):
        raise InputError(f"{path}: its columns are separated by semicolons or tabs; save it with commas")
    for name in required:
        if name not in header:
            there = ", ".join(header[:12])
            raise InputError(f"{path}: no column {name!r}; its columns are {there}: rename one, or add it")
    for number, line in numbered[1:]:
        if len(line) != len(header):
            raise InputError(
                f"{path}, line {number}: {len(line)} cells, expected {len(header)} as in the header; "
                "check for a missing or extra comma"
            )
    return Table(path, header, [line for _, line in numbered[1:]], [number for number, _ in numbered[1:]])


def format_cell(value: object) -> str:
    """One value as it stands in our CSV files: a float with the fewest digits that read back as the same float.

    >>> format_cell(0.1), format_cell(np.float64(2.0)), format_cell(float("nan")), format_cell("Hebei")
    ('0.1', '2.0', '', 'Hebei')
    """
    if isinstance(value, (float, np.floating)):
        return "" if math.isnan(value) else repr(float(value))
    return str(value)


def columns_of(rows: Sequence[Mapping[str, object]]) -> dict[str, list]:
    """Rows with the same keys as columns.

    >>> columns_of([{"a": 1, "b": 2}, {"a": 3, "b": 4}])
    {'a': [1, 3], 'b': [2, 4]}
    """
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}


def write_table(path: str | os.PathLike, columns: Mapping[str, Sequence]) -> None:
    """Write named columns of one length as CSV, atomically; nan becomes an empty cell."""
    lengths = {len(column) for column in columns.values()}
    if len(lengths) != 1:
        raise ValueError(f"columns of one length expected, got {lengths}")
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([format_cell(cell) for cell in row] for row in zip(*columns.values()))
    write_text(path, buffer.getvalue())


def format_table(columns: Mapping[str, Sequence], digits: int = 3) -> str:
    """The same columns for people: aligned, numbers to the right, floats with ``digits`` decimals.

    >>> print(format_table({"province": ["Hebei", "Tibet"], "r": [0.5, float("nan")]}))
    province      r
    Hebei     0.500
    Tibet         -
    """

    def shown(value: object) -> str:
        if isinstance(value, (float, np.floating)):
            return "-" if math.isnan(value) else f"{value:.{digits}f}"
        return str(value)

    cells = {name: [shown(value) for value in column] for name, column in columns.items()}
    widths = {name: max(map(len, [name, *column])) for name, column in cells.items()}
    left = {name for name, column in columns.items() if len(column) and isinstance(column[0], str)}
    align = lambda name, text: text.ljust(widths[name]) if name in left else text.rjust(widths[name])
    lines = [[align(name, name) for name in cells]]
    lines += [[align(name, text) for name, text in zip(cells, row)] for row in zip(*cells.values())]
    return "\n".join("  ".join(line).rstrip() for line in lines)
