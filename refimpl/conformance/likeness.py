"""Hints on a wrong answer: transposed, flipped, turned, shifted, wrong by a constant factor or summand.

A turn or shift is reported only if the answer, once the turn or shift is undone, passes the comparator that it failed.
A factor or summand is reported only if it is the same everywhere to 6 digits.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Passes = Callable[[np.ndarray, np.ndarray], bool]
"""Whether (expected, got), arrays of one shape, pass."""

SAMENESS = 1e-6
TURNS: tuple[tuple[str, Callable[[np.ndarray], np.ndarray]], ...] = (
    ("it is flipped north-south", lambda a: a[::-1]),
    ("it is flipped east-west", lambda a: a[:, ::-1]),
    ("it is the transpose of what was expected", lambda a: a.T),
    ("it is turned by 180 degrees", lambda a: a[::-1, ::-1]),
    ("it is turned by 90 degrees anticlockwise", lambda a: np.rot90(a, -1)),
    ("it is turned by 90 degrees clockwise", lambda a: np.rot90(a)),
    ("it is transposed and turned by 180 degrees", lambda a: a[::-1, ::-1].T),
)
FACTORS = {
    "44/12 (C and CO2)": 44 / 12,
    "(44/12)^2 (C and CO2 the wrong way)": (44 / 12) ** 2,
    "2": 2.0,
    "4 (four fine cells in a coarse one)": 4.0,
    "10": 10.0,
    "100": 100.0,
    "1000": 1e3,
    "10^4": 1e4,
    "10^6 (m2 and km2, or Table 3's 10^-6)": 1e6,
    "12 (months)": 12.0,
    "11/9 (44/12 taken as the whole number 3)": 11 / 9,
}


def likeness(expected: np.ndarray, got: np.ndarray, passes: Passes) -> str:
    """A hint, or an empty text; invalid cells are nan in both.

    >>> a = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> likeness(a, 44 / 12 * a, lambda e, g: False)
    'every value is 44/12 (C and CO2) times too large'
    """
    if expected.dtype.kind not in "fiu" or got.dtype.kind not in "fiu":
        return turned(expected, got, passes)
    with np.errstate(all="ignore"):
        return (
            turned(expected, got, passes)
            or single_precision(expected, got)
            or proportion(expected, got)
            or shifted(expected, got, passes)
        )


def single_precision(expected: np.ndarray, got: np.ndarray) -> str:
    """A hint if the numbers are the expected ones rounded to float32, where float64 was expected.

    >>> single_precision(np.array([0.1, 0.2]), np.array([0.1, 0.2], np.float32).astype(float))
    'its numbers are of float32, expected float64'
    >>> single_precision(np.array([0.1, np.nan]), np.array([0.1, 0.0])), single_precision(np.ones(1) / 3, np.zeros(1))
    ('', '')
    """
    if expected.dtype != np.float64 or got.dtype != np.float64 or expected.shape != got.shape:
        return ""
    used = np.isfinite(expected)
    if not np.array_equal(used, np.isfinite(got)):
        return ""
    expected, got = expected[used], got[used]
    near = np.abs(got - expected) <= 1e-5 * np.abs(expected).max(initial=0.0)
    rounded = np.array_equal(got, got.astype(np.float32)) and not np.array_equal(expected, expected.astype(np.float32))
    single = got.size and near.all() and rounded and not np.array_equal(got, np.round(got))
    return "its numbers are of float32, expected float64" if single else ""


def turned(expected: np.ndarray, got: np.ndarray, passes: Passes) -> str:
    """A hint if this is a turn or mirror of what was expected."""
    if expected.ndim == 1 and expected.shape == got.shape and expected.size > 1 and passes(expected, got[::-1]):
        return "it is in the reverse order"
    if expected.ndim == 2 and got.ndim == 2 and expected.size > 1:
        for sentence, undo in TURNS:
            if undo(got).shape == expected.shape and passes(expected, undo(got)):
                return sentence
    if expected.size > 1 and expected.size == got.size and expected.shape != got.shape:
        if passes(expected, got.reshape(expected.shape)):
            return "its numbers are right in another shape"
    return ""


def proportion(expected: np.ndarray, got: np.ndarray) -> str:
    """A hint if every value is wrong by the same factor or the same summand."""
    if expected.shape != got.shape:
        return ""
    used = np.isfinite(expected) & np.isfinite(got)
    expected, got = expected[used].astype(float), got[used].astype(float)
    nonzero = expected != 0
    ratio, offset = got[nonzero] / expected[nonzero], got - expected
    if ratio.size and not np.any(got[~nonzero]) and _constant(ratio) and abs(ratio[0] - 1) > SAMENESS:
        return _factor_sentence(float(np.median(ratio)), ratio.size)
    if offset.size > 2 and offset[0] != 0 and np.ptp(expected) > 0 and _constant(offset):
        return f"every value is {abs(float(np.median(offset))):.9g} too {'large' if offset[0] > 0 else 'small'}"
    return ""


def _constant(values: np.ndarray) -> bool:
    """Whether all values are the same to 6 digits."""
    return bool(np.all(np.isfinite(values)) and np.ptp(values) <= SAMENESS * abs(float(values[0])))


def _factor_sentence(ratio: float, count: int) -> str:
    every = "every value" if count > 1 else "the value"
    for words, factor in FACTORS.items():
        for value, size in ((factor, "large"), (1 / factor, "small")):
            if abs(abs(ratio) / value - 1) <= SAMENESS:
                sign = ", and has the wrong sign" if ratio < 0 else ""
                return f"{every} is {words} times too {size}{sign}"
    if abs(ratio + 1) <= SAMENESS:
        return f"{every} has the wrong sign"
    if count < 2:
        return ""
    return "every value is 0" if ratio == 0 else f"every value is {ratio:.9g} times what was expected"


def shifted(expected: np.ndarray, got: np.ndarray, passes: Passes) -> str:
    """A hint if a shift by one row, one column or both makes it right wherever the two overlap."""
    if expected.ndim != 2 or expected.shape != got.shape or min(expected.shape) < 3:
        return ""
    rows, cols = expected.shape
    down = {-1: "one row to the north", 0: "", 1: "one row to the south"}
    across = {-1: "one column to the west", 0: "", 1: "one column to the east"}
    for dr, dc in ((-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1)):
        part = got[max(0, dr) : rows + min(0, dr), max(0, dc) : cols + min(0, dc)]
        wanted = expected[max(0, -dr) : rows + min(0, -dr), max(0, -dc) : cols + min(0, -dc)]
        if np.ptp(np.nan_to_num(wanted)) > 0 and passes(wanted, part):
            return f"it is shifted {' and '.join(word for word in (down[dr], across[dc]) if word)}"
    return ""
