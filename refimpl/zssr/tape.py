"""The tape: every crop of a training run, so that another implementation can replay it without NumPy's generator.

The first weights are drawn too, before the crops; they are not on the tape, and a replay elsewhere starts from weights
given to it (``train(..., network=...)``).

One row is one crop.  Rows of step 0 are the fixed crops on which the reconstruction error is measured (D12); then
there is one row for each training step, from 1 on.  As CSV: ``step,scale,row,column,turn``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from refimpl.errors import InputError
from refimpl.files import existing_file, write_text


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
            The file is missing, has another header, a row that is no draw, or steps that do not count 1, 2, 3, ...
        """
        path = existing_file(path, "a tape (CSV)")
        try:
            header, *rows = path.read_text(encoding="utf-8").splitlines() or [""]
        except UnicodeDecodeError:
            raise InputError(f"{path}: is no UTF-8 text, expected a tape (CSV); give the one upscale wrote") from None
        if header.strip() != ",".join(Draw._fields):
            raise InputError(f"{path}: row 1 is {header!r}, expected {','.join(Draw._fields)!r}; is this a tape?")
        tape = cls(tuple(_draw(path, number, row) for number, row in enumerate(rows, start=2)))
        steps = [draw.step for draw in tape.training]
        if steps != list(range(1, len(steps) + 1)) or not (tape.fixed and steps):
            raise InputError(f"{path}: column step is out of order, expected some rows of step 0, then 1, 2, 3 ...")
        return tape


def _draw(path: Path, number: int, row: str) -> Draw:
    try:
        step, scale, first, column, turn = row.split(",")
        draw = Draw(int(step), float(scale), int(first), int(column), int(turn))
    except ValueError as fault:
        raise InputError(f"{path}: row {number} is {row!r}, expected five numbers {','.join(Draw._fields)}") from fault
    if draw.turn not in range(8) or min(draw.step, draw.row, draw.column) < 0:
        raise InputError(f"{path}: row {number} is {row!r}, expected a turn of 0 to 7 and no negative number")
    return draw
