"""Tasks, arrays and tables: what is read is checked at once, so that the science sees only finite numbers."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

MISSING = object()
TYPES = tuple(map(np.dtype, ("f8", "f4", "i8", "u1", "bool")))
Table = dict[str, list[str]]


class Refused(ValueError):
    """The task is invalid; the message names the field at fault."""


def refuse_unless(right: bool, field: str, expected: str) -> None:
    """Refuse ``field``, naming it, unless it is as expected."""
    if not right:
        raise Refused(f"{field}: {expected}")


class Task:
    """One question: operation, parameters and input files."""

    def __init__(self, folder: Path):
        """Read ``task.json`` in ``folder``."""
        self.folder = folder
        text = json.loads((folder / "task.json").read_text(encoding="utf-8"))
        self.operation, self.parameters, self.inputs = text["operation"], text["parameters"], text["inputs"]

    def path(self, file: str) -> Path:
        """Where the input file is; without it the task is refused."""
        refuse_unless((self.folder / file).is_file(), file.rsplit(".", 1)[0], f"the input file {file} is missing")
        return self.folder / file

    def array(self, name: str, ndim: int | None = None, kinds: str = "f") -> np.ndarray:
        """The array ``NAME.npy``, finite, with ``ndim`` dimensions and of one of the kinds of type."""
        try:
            array = np.load(self.path(f"{name}.npy"), allow_pickle=False)
        except (ValueError, EOFError, OSError) as fault:
            raise Refused(f"{name}: {name}.npy cannot be read as an array") from fault
        right = array.dtype.newbyteorder("=") in TYPES and array.dtype.kind in kinds
        refuse_unless(right, name, f"its type {array.dtype} is not one that the operation reads")
        refuse_unless(ndim is None or array.ndim == ndim, name, f"it has {array.ndim} dimensions, expected {ndim}")
        refuse_unless(array.dtype.kind != "f" or bool(np.isfinite(array).all()), name, "it holds NaN or infinities")
        return array

    def masked_image(self, image: str = "image", valid: str = "valid") -> tuple[np.ndarray, np.ndarray]:
        """An image in float64, 0 where it is not valid, and its mask."""
        values, mask = self.array(image, 2), self.array(valid, 2, "b")
        refuse_unless(values.size > 0, image, "it has no cells")
        refuse_unless(values.shape == mask.shape, valid, f"shape {mask.shape} does not fit {image}'s {values.shape}")
        return np.where(mask, values, 0).astype(float), mask

    def table(self, name: str, *columns: str) -> Table:
        """The columns of ``NAME.csv`` as text; the named ones must be there."""
        try:
            rows = list(
                csv.reader(
                    self.path(f"{name}.csv").read_text("utf-8-sig").splitlines(), strict=True, skipinitialspace=True
                )
            )
        except (UnicodeDecodeError, csv.Error) as fault:
            raise Refused(f"{name}: {name}.csv cannot be read as a table") from fault
        refuse_unless(bool(rows), name, "the table is empty, not even a header")
        header, body = rows[0], [row for row in rows[1:] if row]
        for column in columns:
            refuse_unless(column in header, column, f"the column {column} of {name}.csv is missing")
        for column in header:
            refuse_unless(header.count(column) == 1, column, f"the column {column} of {name}.csv stands twice")
        refuse_unless(
            all(len(row) == len(header) for row in body), name, "a row has more or fewer cells than the header"
        )
        return {column: [row[i] for row in body] for i, column in enumerate(header)}

    def given(self, names: Iterable[str]) -> dict[str, object]:
        """Those of the named parameters that are given."""
        return {name: self.parameters[name] for name in names if name in self.parameters}

    def value(self, name: str, default: object = MISSING) -> object:
        """A parameter as it stands."""
        value = self.parameters.get(name, default)
        refuse_unless(value is not MISSING, name, "the parameter is missing")
        return value

    def number(self, name: str, test: Callable[[float], bool], expected: str, default: object = MISSING) -> float:
        """A finite number that passes the test."""
        return check_number(self.value(name, default), name, test, expected)

    def whole(self, name: str, least: int, default: object = MISSING, most: float = math.inf) -> int:
        """A whole number of at least ``least``."""
        return check_whole(self.value(name, default), name, least, most)

    def choice(self, name: str, known: Sequence[str], default: object = MISSING) -> str:
        """One of the known words."""
        value = self.value(name, default)
        refuse_unless(isinstance(value, str) and value in known, name, f"{value!r} is none of {', '.join(known)}")
        return value

    def flag(self, name: str, default: object = MISSING) -> bool:
        """True or false."""
        value = self.value(name, default)
        refuse_unless(isinstance(value, bool), name, f"{value!r} is neither true nor false")
        return value


def check_number(value: object, name: str, test: Callable[[float], bool], expected: str) -> float:
    """``value`` as a float that passes the test, or a refusal of ``name``."""
    right = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    refuse_unless(right and test(float(value)), name, f"it is {value!r}, expected {expected}")
    return float(value)


def check_whole(value: object, name: str, least: int, most: float = math.inf) -> int:
    """``value`` as an integer in [least, most], or a refusal of ``name``."""
    right = (
        isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value == int(value)
    )
    refuse_unless(
        right and least <= value <= most, name, f"it is {value!r}, expected a whole number from {least} to {most}"
    )
    return int(value)


def numbers(table: Table, column: str, empty: bool = False) -> np.ndarray:
    """A column as finite floats; an empty cell is NaN where it is allowed."""
    values = []
    for cell in table[column]:
        text = cell.strip()
        try:
            value = float(text) if text or not empty else math.nan
        except ValueError:
            raise Refused(f"{column}: {cell!r} is not a number") from None
        refuse_unless(
            (not text and empty) or (math.isfinite(value) and "_" not in text), column, f"{cell!r} is no finite number"
        )
        values.append(value)
    return np.array(values, dtype=float)


def integers(table: Table, column: str) -> np.ndarray:
    """A column as integers."""
    values = numbers(table, column)
    refuse_unless(bool(np.all(values == np.round(values))), column, "whole numbers are expected")
    return values.astype(np.int64)


def named(**values: float) -> dict[str, list]:
    """A table of names and values."""
    return {"name": list(values), "value": list(values.values())}


def write(path: Path, value: object) -> None:
    """Write an array, a table (dict of columns) or a raster to the file."""
    if path.suffix == ".npy":
        np.save(path, np.ascontiguousarray(value))
    elif path.suffix == ".csv":
        columns = [np.asarray(column).tolist() for column in value.values()]
        lines = [",".join(value), *(",".join(map(_cell, row)) for row in zip(*columns, strict=True))]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    else:
        value.write(path)


def _cell(value: object) -> str:
    """One cell of a table: 17 significant digits, NaN empty."""
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.17g}"
    return str(value)
