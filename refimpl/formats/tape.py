"""The tape: every crop of a training run, so that another implementation can replay it without NumPy's generator.

The first weights are drawn too, before the crops; they are not on the tape, and a replay elsewhere starts from weights
given to it (``train(..., network=...)``).

One row is one crop.  Rows of step 0 are the fixed crops on which the reconstruction error is measured (D12); then
there is one row for each training step, from 1 on.  As CSV: ``step,scale,row,column,turn``, in any order of columns.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import NamedTuple

from refimpl.errors import InputError
from refimpl.formats.files import write_text
from refimpl.formats.tables import read_table
from refimpl.method.schedule import LearningRatePolicy


class Draw(NamedTuple):
    """One crop: its upper left corner on the map shrunk to ``scale``, and its rotation and mirror ``turn`` (0 .. 7)."""

    step: int
    scale: float
    row: int
    column: int
    turn: int


@dataclass(frozen=True)
class Tape:
    """The draws of one training run, in order.

    >>> tape = Tape((Draw(0, 1.0, 3, 4, 0), Draw(1, 0.9, 5, 6, 7)))
    >>> len(tape.fixed), len(tape.training)
    (1, 1)
    """

    draws: tuple[Draw, ...]

    @property
    def fixed(self) -> tuple[Draw, ...]:
        """The crops on which the reconstruction error is measured."""
        return tuple(draw for draw in self.draws if draw.step == 0)

    @property
    def training(self) -> tuple[Draw, ...]:
        """The crops of the training steps."""
        return tuple(draw for draw in self.draws if draw.step > 0)

    def save(self, path: str | os.PathLike) -> None:
        """Write the tape as CSV; numbers are written so that they are read back equal."""
        rows = [",".join(Draw._fields)] + [",".join(map(repr, draw)) for draw in self.draws]
        write_text(path, "\n".join(rows) + "\n")

    @classmethod
    def load(cls, path: str | os.PathLike) -> Tape:
        """Read a tape that ``save``, or another implementation, wrote.

        Raises
        ------
        InputError
            The file is missing or no such table, a cell is no such number, or steps do not count 0, ..., 0, 1, 2, ...
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
        tape = cls(draws)
        steps = [draw.step for draw in draws]
        if steps != [0] * len(tape.fixed) + list(range(1, len(tape.training) + 1)) or not tape.training:
            raise InputError(f"{table.path}: column step is out of order, expected rows of step 0, then 1, 2, 3 ...")
        if not tape.fixed and len(tape.training) >= LearningRatePolicy.measure_every:
            raise InputError(f"{table.path}: has no row of step 0, expected the crops that the error is measured on")
        return tape
