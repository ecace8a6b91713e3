"""Scaling of drivers and of the emission."""

from __future__ import annotations

import numpy as np

from tests.peers.second_implementation.files import Task, named, refuse_unless


def bounds_of(fit: np.ndarray, upper_quantile: float = 1.0) -> np.ndarray:
    """Lower and upper bound of each column."""
    lower, upper = fit.min(axis=0), np.quantile(fit, upper_quantile, axis=0, method="linear")
    return np.array([lower, np.where(upper > lower, upper, fit.max(axis=0))])


def scaled(data: np.ndarray, bounds: np.ndarray, clip: bool = False) -> np.ndarray:
    """Columns brought to [0, 1]; a constant column to 0."""
    width = bounds[1] - bounds[0]
    result = np.where(width > 0, (data - bounds[0]) / np.where(width > 0, width, 1), 0)
    return np.clip(result, 0, 1) if clip else result


def moments(y: np.ndarray) -> tuple[float, float]:
    """Mean and deviation of a population, 1 where there is none."""
    mean, deviation = float(np.mean(y)), float(np.std(y))
    return mean, (1.0 if np.all(y == y[0]) or deviation == 0 else deviation)


def upper_quantile_of(task: Task, default: float) -> float:
    """The parameter upper_quantile."""
    return task.number("upper_quantile", lambda v: 0 <= v <= 1, "a part in [0, 1]", default)


def min_max_scale(task: Task) -> dict:
    """D05: bounds of one array applied to another."""
    fit, data = task.array("fit", 2), task.array("data", 2)
    refuse_unless(fit.size > 0, "fit", "it has no values")
    refuse_unless(data.shape[1] == fit.shape[1], "data", f"it has {data.shape[1]} columns, fit has {fit.shape[1]}")
    bounds = bounds_of(fit, upper_quantile_of(task, 1.0))
    return {"scaled.npy": scaled(data, bounds, task.flag("clip", False)), "bounds.npy": bounds}


def standardise(task: Task) -> dict:
    """D06: the standardised target."""
    y = task.array("y", 1)
    refuse_unless(y.size > 0, "y", "it has no values")
    mean, scale = moments(y)
    return {"z.npy": (y - mean) / scale, "moments.csv": named(mean=mean, scale=scale)}
