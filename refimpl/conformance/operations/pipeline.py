"""Operation of stage pipeline: the whole run, configured by a run.toml made from the task."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from refimpl.conformance.operations.evaluation import shares_table
from refimpl.conformance.operations.network import network_of
from refimpl.conformance.operations.reading import crs, given, grid, whole
from refimpl.conformance.operations.regression import STRICT
from refimpl.conformance.operations.training import tape_of
from refimpl.conformance.task import Task
from refimpl.earth.projection import named_crs
from refimpl.errors import InputError
from refimpl.evaluation.alternatives import RESULT
from refimpl.run.config import read_config
from refimpl.run.pipeline import run as run_config
from refimpl.run.results import Results

UPSCALE = ("layers", "channels", "bias", "crop", "self_ensemble", "back_projection")
EVERY_PROVINCE = {"minimum_share": 1e-9, "minimum_known": 1e-9}
"""The contract leaves no province out, whatever part of it the rasters cover."""


def grid_table(task: Task) -> dict[str, object]:
    """The table [grid]; a run.toml knows only three projections by name, and square cells."""
    wanted = grid(task, crs(task))
    words = [word for word in ("albers", "geographic", "sinusoidal") if named_crs(word) == wanted.crs]
    cell_size = wanted.transform[2]
    if not words or cell_size != -wanted.transform[3]:
        raise NotImplementedError("run on a grid whose crs has no name in a run.toml, or whose cells are not square")
    return {"cell_size": cell_size, "projection": words[0], "extent": list(wanted.bounds)}


def drivers(task: Task, ending: str) -> dict[str, str]:
    """The table [drivers.YEAR], of the files that end in ``_fit`` or ``_test``."""
    names = task.parameter("drivers")
    if not (isinstance(names, list) and names and all(isinstance(name, str) for name in names)):
        raise InputError(f"drivers is {names!r}; expected a list of names")
    return {name: str(task.path(f"{name}_{ending}").resolve()) for name in names}


def run_toml(task: Task, steps: int) -> str:
    """The configuration of the run as TOML."""
    years = {name: whole(task, name) for name in ("fit_year", "test_year")}
    tables = {
        "grid": grid_table(task),
        "zones": {"raster": str(task.path("zones").resolve()), **EVERY_PROVINCE},
        "statistics": {"energy": str(task.path("energy").resolve()), **years},
        f"drivers.{years['fit_year']}": drivers(task, "fit"),
        f"drivers.{years['test_year']}": drivers(task, "test"),
        "land_cover": {"raster": str(task.path("igbp").resolve()), "rule": "nearest"},
        "upscale": {**given(task, *UPSCALE), "max_steps": steps},
    }
    tables |= {f"regression.{model}": settings for model, settings in STRICT.items()}
    return "\n".join(
        f"[{name}]\n" + "".join(f"{json.dumps(key)} = {json.dumps(value)}\n" for key, value in table.items())
        for name, table in tables.items()
    )


def run(task: Task) -> dict:
    """Fig. 9, by a run."""
    tape, network = tape_of(task), network_of(task)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.toml"
        path.write_text(run_toml(task, len(tape.training)), encoding="utf-8")
        return outputs(run_config(read_config(path), network, tape))


def outputs(results: Results) -> dict:
    """The maps and tables that a run made."""
    balance = results.allocation.balance
    shares = next(each.land_cover for each in results.verdict.judged if each.name == RESULT)
    columns = {"code": balance.codes, "total": balance.total, "cell_sum": balance.cell_sum, "cells": balance.cells}
    return {
        "coarse": results.coarse.raster.whole(),
        "weights": results.fine.weights.whole(),
        "emission": results.allocation.emission.whole(),
        "balance": columns,
        "shares": shares_table(shares),
    }


OPERATIONS = {"run": run}
