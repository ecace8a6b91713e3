"""Comparators of golden/README.md on arrays: exact, ulp, abs, rel, scaled, rms, psnr.

NaN equals only NaN, and an infinity equals only itself.  Such cells are decided first and never compared with a limit:
a test such as ``nan > limit`` is always false and would let them pass.  Integers, booleans and text must be equal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from refimpl.conformance.ulp import ulp_distance

Limit = float | tuple[float, float]


@dataclass(frozen=True)
class Measured:
    """A comparison: ``value`` was compared with the limit, ``wrong`` marks cells beyond it, ``worst`` is one index."""

    passed: bool
    value: float
    wrong: np.ndarray
    worst: tuple[int, ...] | None


def measure(expected: np.ndarray, got: np.ndarray, cmp: str, limit: Limit) -> Measured:
    """Compare ``got`` with ``expected``, arrays of one shape.

    >>> measure(np.array([1.0, 4.0]), np.array([1.0, 4.5]), "rel", 0.1).value
    0.125
    >>> measure(np.array([np.nan]), np.array([0.0]), "abs", 1e9).passed
    False
    """
    if expected.dtype.kind != "f" or got.dtype.kind != "f":
        wrong = expected != got
        return _cellwise(wrong, np.where(wrong, np.inf, 0.0))
    finite = np.isfinite(expected) & np.isfinite(got)
    same = (expected == got) | (np.isnan(expected) & np.isnan(got))
    wide = np.where(finite, expected, 0).astype(float), np.where(finite, got, 0).astype(float)
    with np.errstate(over="ignore"):
        distance = np.abs(wide[1] - wide[0])
    if cmp in ("rms", "psnr"):
        return _whole(wide[0][finite], distance, finite, ~finite & ~same, cmp, limit)
    if cmp == "ulp":
        size = ulp_distance(expected, got)
        within = size <= np.uint64(min(int(limit), 2**64 - 1))
    else:
        size, bound = _size_and_bound(wide[0], distance, cmp, limit)
        within = distance <= bound
    right = np.where(finite, within, same)
    return _cellwise(~right, np.where(finite, size.astype(float), np.where(same, 0.0, np.inf)))


def _size_and_bound(expected: np.ndarray, distance: np.ndarray, cmp: str, limit: float):
    """Each cell's distance as the limit measures it, and the largest allowed distance."""
    magnitude = np.abs(expected)
    if cmp == "exact":
        return distance, np.zeros_like(distance)
    if cmp == "abs":
        return distance, np.full_like(distance, limit)
    if cmp == "rel":
        unit = magnitude
    elif cmp == "scaled":
        unit = np.full_like(distance, magnitude.max(initial=0.0))
    else:
        raise ValueError(f"unknown comparator {cmp!r}")
    ratio = np.divide(distance, unit, out=np.where(distance > 0, np.inf, 0.0), where=unit > 0)
    return ratio, limit * unit


def _cellwise(wrong: np.ndarray, size: np.ndarray) -> Measured:
    """The comparison cell by cell: passed if no cell is wrong; the worst is one of the wrong cells, else of all."""
    if not size.size:
        return Measured(True, 0.0, wrong, None)
    ranked = np.where(wrong, size, -1.0) if wrong.any() else size
    worst = np.unravel_index(int(np.argmax(ranked)), size.shape)
    return Measured(not wrong.any(), float(size[worst]), wrong, tuple(int(i) for i in worst))


def _whole(expected: np.ndarray, distance: np.ndarray, finite, wrong: np.ndarray, cmp: str, limit: Limit) -> Measured:
    """The comparison by one number for all cells (rms, psnr); ``wrong`` cells, not finite on one side, fail anyway."""
    worst = np.where(wrong, np.inf, distance)
    at = tuple(int(i) for i in np.unravel_index(int(np.argmax(worst)), worst.shape)) if worst.size else None
    error = _rms(distance[finite])
    if cmp == "rms":
        size = _rms(expected)
        value = error / size if size else (np.inf if error else 0.0)
        passed = error <= limit * size
    else:
        peak = float(expected.max(initial=0.0))
        value = 20 * float(np.log10(peak / error)) if peak > 0 and error > 0 else (np.inf if error == 0 else -np.inf)
        passed = limit[0] <= value <= limit[1]
    return Measured(bool(passed) and not wrong.any(), float(value), wrong, at)


def _rms(values: np.ndarray) -> float:
    """Root mean square, without overflow of the squares; 0 for no values."""
    largest = float(np.abs(values).max(initial=0.0))
    return largest * float(np.sqrt(np.mean((values / largest) ** 2))) if 0 < largest < np.inf else largest
