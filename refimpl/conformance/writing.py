"""Writing of a Python function's answers into OUT_DIR, as a program of the golden suite must do."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from refimpl.conformance.answers import given_answers
from refimpl.conformance.csv_and_npy import write_columns, write_npy
from refimpl.conformance.task import Task
from refimpl.earth.grid import Raster
from refimpl.formats.writing import write_raster


def write_answers(task: Task, given: Mapping[str, object], out_dir: str | os.PathLike) -> None:
    """Write what a function answered into the files that the task names.

    Raises
    ------
    ValueError
        An output is missing, was not asked for, or cannot be written as its kind of file.
    """
    answers, faults = given_answers(given, task)
    if faults:
        raise ValueError("; ".join(faults))
    for name, answer in answers.items():
        path = Path(out_dir) / name
        if isinstance(answer, Raster):
            integers = answer.values.dtype.kind in "iu"
            write_raster(path, answer, free_value(answer) if integers and not answer.valid.all() else None)
        elif isinstance(answer, np.ndarray):
            write_npy(path, answer)
        else:
            write_columns(path, answer)


def free_value(raster: Raster) -> int | None:
    """The nodata value of an integer raster: the largest number of its type that no valid cell holds, or None."""
    used = set(raster.values[raster.valid].tolist())
    free = (n for n in range(np.iinfo(raster.values.dtype).max, -1, -1) if n not in used)
    return next(free, None)
