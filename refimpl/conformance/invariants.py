"""Invariants that an answer must satisfy (golden/README.md, "Comparators"): province sums, 2x2 means, no negatives."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from refimpl.conformance.answers import Answer
from refimpl.conformance.case import Expectation
from refimpl.conformance.difference import Difference
from refimpl.conformance.task import Task
from refimpl.conformance.ulp import ulp_distance
from refimpl.earth.grid import Raster
from refimpl.errors import InputError


def hold(invariant: Expectation, answers: Mapping[str, Answer], task: Task) -> Difference:
    """The judgement on one invariant of an answer; an output that is missing or misshapen breaks it."""
    blank = Difference(invariant.of, invariant.cmp, invariant.limit, invariant.why)
    answer = next((a for name, a in answers.items() if invariant.of in (name, name.rsplit(".", 1)[0])), None)
    if answer is None:
        return replace(blank, sentence="it is not checked: there is no output that can be read")
    try:
        rule = {"province_sums": province_sums, "block_mean": block_mean, "not_negative": not_negative}[invariant.cmp]
        return rule(blank, answer, task)
    except (InputError, KeyError, ValueError, AttributeError, TypeError, IndexError) as fault:
        words = f"it has no column {fault}" if isinstance(fault, KeyError) else f"it cannot be checked ({fault})"
        return replace(blank, sentence=words)


def province_sums(blank: Difference, answer: Answer, task: Task) -> Difference:
    """Eq. 3, D22: the exact sum of each province's cells, rounded once, is compared with its total, in ulp."""
    totals = task.table("totals")
    if isinstance(answer, Raster):
        codes, values = task.raster("zones").values[answer.valid], answer.values[answer.valid]
    else:
        codes, values = np.asarray(task.table("cells")["code"]), np.asarray(answer["emission"], float)
    if codes.shape != values.shape:
        return replace(blank, sentence=f"there are {len(values)} cells, expected {len(codes)}")
    worst = replace(blank, measured=0.0)
    for code, total in zip(totals["code"], totals["total"].astype(float).tolist(), strict=True):
        cells = values[codes == code].astype(float)
        if not cells.size:
            continue
        whole = math.fsum(cells.tolist()) if np.isfinite(cells).all() else math.nan
        apart = float(ulp_distance(whole, total)) if math.isfinite(whole) else math.inf
        if apart > worst.measured:
            ulp = int(apart) if math.isfinite(apart) else None
            cell = f"province {code}"
            worst = replace(worst, measured=apart, cell=cell, expected=total, got=whole, ulp=ulp)
    within = worst.measured <= blank.limit
    return replace(worst, sentence="" if within else "the cells of a province do not sum to its total")


def block_mean(blank: Difference, answer: Raster, task: Task) -> Difference:
    """D16, D17: 2x2 means of the weights are compared with the coarse map less its minimum, relative to its maximum."""
    coarse = task.raster("coarse")
    known = np.maximum(coarse.values.astype(float), 0)
    known = np.where(coarse.valid, known - known[coarse.valid].min(), 0.0)
    rows, cols = known.shape
    if answer.values.shape != (2 * rows, 2 * cols):
        return replace(blank, sentence=f"its shape is {answer.values.shape}, expected {(2 * rows, 2 * cols)}")
    means = answer.values.astype(float).reshape(rows, 2, cols, 2).mean(axis=(1, 3))
    apart = np.where(coarse.valid, np.abs(means - known), 0.0) / (known.max() or 1.0)
    apart = np.where(np.isfinite(apart), apart, np.inf)
    at = tuple(int(i) for i in np.unravel_index(int(np.argmax(apart)), apart.shape))
    within = bool(apart[at] <= blank.limit)
    sentence = "" if within else "the 2x2 means of the weights are not the coarse map less its minimum"
    cell = f"coarse row {at[0]}, column {at[1]}"
    found = {"measured": float(apart[at]), "cell": cell, "at": (2 * at[0], 2 * at[1])}
    return replace(blank, sentence=sentence, expected=float(known[at]), got=float(means[at]), **found)


def not_negative(blank: Difference, answer: Answer, task: Task) -> Difference:
    """D18: no valid value lies below -limit; columns of text and empty cells are passed over."""
    if isinstance(answer, Raster):
        values = {"": answer.values[answer.valid]}
    else:
        values = {"": answer} if isinstance(answer, np.ndarray) else answer
    numbers = [np.asarray(column, float).ravel() for column in values.values() if not isinstance(column, list)]
    every = np.concatenate([np.zeros(1), *numbers])
    if isinstance(answer, np.ndarray) and np.isnan(every).any():
        return replace(blank, sentence="it holds nan", measured=math.inf)
    lowest = float(np.nanmin(every))
    sentence = "" if lowest >= -blank.limit else "it has negative values"
    return replace(blank, sentence=sentence, measured=-lowest, expected=0.0, got=lowest)
