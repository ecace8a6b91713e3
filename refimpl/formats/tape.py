"""Record of a training as CSV: its tape, which another implementation can replay, and its history.

One row of a tape is one crop: ``step,scale,row,column,turn``, with columns in any order.  Rows of step 0 are the fixed
crops on which the reconstruction error is measured (D12).  Then there is one row for each training step, from 1 on.

The first weights are also drawn at random, before the crops, but they are not on the tape.  A replay therefore needs
them too (``train(..., network=...)``).
"""

from __future__ import annotations

import os

import numpy as np

from refimpl.errors import InputError
from refimpl.formats.files import write_text
from refimpl.formats.tables import read_table
from refimpl.method.schedule import LearningRatePolicy
from refimpl.method.training import History
from refimpl.method.training_pairs import Draw, Tape


def write_tape(path: str | os.PathLike, tape: Tape) -> None:
    """Write the tape as CSV, numbers with enough digits to be read back equal."""
    rows = [",".join(Draw._fields)] + [",".join(map(repr, draw)) for draw in tape.draws]
    write_text(path, "\n".join(rows) + "\n")


def read_tape(path: str | os.PathLike) -> Tape:
    """Read a tape that ``write_tape``, or another implementation, wrote.

    Raises
    ------
    InputError
        The file is missing or is not such a table, a cell holds a wrong number, or steps are not 0, ..., 0, 1, 2, ...
    """
    table = read_table(path, Draw._fields, "a tape")
    columns = [table.numbers(name) if name == "scale" else table.integers(name) for name in Draw._fields]
    draws = tuple(Draw(*values) for values in zip(*(column.tolist() for column in columns)))
    for line, draw in zip(table.lines, draws):
        if draw.turn not in range(8):
            raise InputError(f"{table.path}, line {line}: turn {draw.turn}, expected 0 to 7")
        if min(draw.row, draw.column) < 0:
            where = f"row {draw.row}, column {draw.column}"
            raise InputError(f"{table.path}, line {line}: {where}, expected no negative number")
    tape = Tape(draws)
    steps = [draw.step for draw in draws]
    if steps != [0] * len(tape.fixed) + list(range(1, len(tape.training) + 1)) or not tape.training:
        raise InputError(f"{table.path}: column step is out of order, expected rows of step 0, then 1, 2, 3 ...")
    if not tape.fixed and len(tape.training) >= LearningRatePolicy.measure_every:
        raise InputError(f"{table.path}: has no row of step 0, expected the crops that the error is measured on")
    return tape


def write_history(path: str | os.PathLike, history: History) -> None:
    """Write the history as CSV, one row a step; an error that was not measured is an empty field."""
    rows = ["step,loss,learning_rate,reconstruction_error"]
    columns = history.step, history.loss, history.learning_rate, history.reconstruction_error
    for step, loss, rate, error in zip(*columns):
        rows.append(f"{step},{float(loss)!r},{float(rate)!r},{'' if np.isnan(error) else repr(float(error))}")
    write_text(path, "\n".join(rows) + "\n")
