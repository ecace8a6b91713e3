"""Arrays and tables of the golden suite (golden/README.md, "File formats"), read without trusting the file.

The header of a ``.npy`` is parsed first, and the size that it claims is compared with the file's before anything is
allocated.  Nothing is ever unpickled.  A ``.csv`` becomes columns: int64 where every cell is a whole number, float64
where every cell is a number or empty (nan), else text.
"""

from __future__ import annotations

import ast
import csv
import io
import math
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from refimpl.errors import InputError
from refimpl.formats.tables import format_cell

Columns = dict[str, "np.ndarray | list[str]"]
DTYPES = ("<f8", "<f4", "<i8", "|u1", "|b1")
_MAGIC = b"\x93NUMPY\x01\x00"
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]+)?|inf|infinity|nan)", re.IGNORECASE | re.ASCII)


def read_npy(path: str | os.PathLike) -> np.ndarray:
    """The array of a ``.npy`` file of format 1.0, of one of ``DTYPES``, little endian and in C order.

    Raises
    ------
    InputError
        Another format, type or order, or a header that claims more or fewer bytes than the file holds.
    """
    path = Path(path)
    with open(path, "rb") as handle:
        size = os.fstat(handle.fileno()).st_size
        start = handle.read(10)
        if start[:6] != _MAGIC[:6]:
            raise InputError(f"{path.name}: is not an array in NumPy's format; see golden/README.md, 'File formats'")
        if len(start) < 10 or start[:8] != _MAGIC:
            raise InputError(f"{path.name}: is not of NumPy's format 1.0; expected bytes 01 00 after the magic string")
        length = int.from_bytes(start[8:10], "little")
        dtype, shape = _header(handle.read(length).decode("latin-1"), path.name)
        claimed = math.prod(shape) * dtype.itemsize
        if claimed != size - 10 - length:
            raise InputError(
                f"{path.name}: its header claims {claimed} bytes of data, {size - 10 - length} are there"
            )
        data = handle.read(claimed)
    if dtype.kind == "b" and set(data) - {0, 1}:
        raise InputError(f"{path.name}: a bool is neither 0 nor 1")
    try:
        return np.frombuffer(data, dtype).reshape(shape).copy()
    except (ValueError, OverflowError):  # an axis of 0 cells hides another that is too long for any array
        raise InputError(f"{path.name}: its shape {str(shape)[:80]} is none that an array can have") from None


def _header(text: str, name: str) -> tuple[np.dtype, tuple[int, ...]]:
    """Type and shape from a format 1.0 header, which is a Python dict as text."""
    try:
        header = ast.literal_eval(text.strip()) if len(text) < 4096 else None
        descr, fortran, shape = header["descr"], header["fortran_order"], header["shape"]
        sizes = tuple(shape) if all(type(n) is int and n >= 0 for n in shape) and len(shape) <= 8 else None
    except (ValueError, SyntaxError, TypeError, KeyError, RecursionError, MemoryError):
        sizes = None
    if sizes is None:
        raise InputError(f"{name}: its header cannot be read; expected descr, fortran_order and shape")
    if not isinstance(descr, str) or "O" in descr:
        raise InputError(f"{name}: holds Python objects (a pickle), never read here; expected {' or '.join(DTYPES)}")
    if descr not in DTYPES:
        why = "is big endian" if descr.startswith(">") else f"has the type {descr[:20]!r}"
        raise InputError(f"{name}: {why}; expected {' or '.join(DTYPES)}")
    if fortran is not False and sum(n > 1 for n in sizes) > 1:
        raise InputError(f"{name}: is in Fortran order; expected C order (the last index runs fastest)")
    return np.dtype(descr), sizes


def write_npy(path: str | os.PathLike, array: np.ndarray) -> None:
    """Write ``array`` in format 1.0, little endian, C order."""
    array = np.asarray(array)
    array = np.array(array, dtype=array.dtype.newbyteorder("<"), order="C")
    with open(path, "wb") as handle:
        np.lib.format.write_array(handle, array, version=(1, 0), allow_pickle=False)


def typed(cells: Sequence[str]) -> np.ndarray | list[str]:
    """A column of text cells as int64, float64 or text, whichever fits all of them.

    >>> typed(["1", "2"]), typed(["1", "", "2.5"]), typed(["1", "coal"])
    (array([1, 2]), array([1. , nan, 2.5]), ['1', 'coal'])
    """
    if cells and all(_WHOLE.fullmatch(cell) for cell in cells):
        return np.array([int(cell) for cell in cells], np.int64)
    if all(not cell or _NUMBER.fullmatch(cell) for cell in cells):
        return np.array([float(cell) if cell else math.nan for cell in cells], float)
    return list(cells)


def read_columns(path: str | os.PathLike) -> Columns:
    """The columns, each ``typed``, of a CSV in UTF-8 with one header line.

    Raises
    ------
    InputError
        Not CSV in UTF-8, no header, a column named twice, or a line with more or fewer cells than the header.
    """
    path = Path(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
        rows = [[cell.strip() for cell in row] for row in reader if row]
    except (UnicodeDecodeError, csv.Error) as fault:
        raise InputError(f"{path.name}: cannot be read as CSV in UTF-8 ({fault})") from None
    if not rows:
        raise InputError(f"{path.name}: is empty; expected a header line")
    header = rows[0]
    if len(set(header)) < len(header):
        doubled = next(name for name, count in Counter(header).items() if count > 1)
        raise InputError(f"{path.name}: column {doubled[:80]!r} stands twice in the header")
    for number, row in enumerate(rows[1:], 1):
        if len(row) != len(header):
            raise InputError(f"{path.name}, row {number}: {len(row)} cells, expected {len(header)} as in the header")
    return {name: typed([row[at] for row in rows[1:]]) for at, name in enumerate(header)}


def write_columns(path: str | os.PathLike, columns: Mapping[str, Sequence]) -> None:
    """Write columns as CSV; floats have enough digits to be read back equal, nan is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([format_cell(cell) for cell in row] for row in zip(*columns.values(), strict=True))
    Path(path).write_text(text.getvalue(), encoding="utf-8", newline="\n")
