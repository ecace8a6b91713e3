"""Checks of the models' settings, which a user writes in ``run.toml``: one sentence for each fault.

Each returns the value as a plain float or int, or raises ``InputError`` naming the model, the
parameter, what was found and what is expected.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable

from refimpl.errors import InputError, did_you_mean


def _number(value) -> float:
    """``value`` as a float, nan where it is no finite real number (a bool is none)."""
    if type(value) is float:  # nearly always, and ten times faster than asking for an abstract class
        return value if math.isfinite(value) else math.nan
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return math.nan
    return float(value) if math.isfinite(value) else math.nan


def _refusal(model: str, name: str, value, expected: str) -> InputError:
    return InputError(f"{model}: {name} is {value!r}, expected {expected}; correct it in the settings of this model")


def positive(model: str, name: str, value) -> float:
    """A finite number greater than 0.

    >>> positive("SVR", "C", 2)
    2.0
    """
    number = _number(value)
    if not number > 0:
        raise _refusal(model, name, value, "a finite number greater than 0")
    return number


def not_negative(model: str, name: str, value) -> float:
    """A finite number, 0 or greater."""
    number = _number(value)
    if not number >= 0:
        raise _refusal(model, name, value, "a finite number, 0 or greater")
    return number


def share(model: str, name: str, value) -> float:
    """A number from 0 to 1."""
    number = _number(value)
    if not 0 <= number <= 1:
        raise _refusal(model, name, value, "a number from 0 to 1")
    return number


def finite(model: str, name: str, value) -> float:
    """A finite number of either sign."""
    number = _number(value)
    if math.isnan(number):
        raise _refusal(model, name, value, "a finite number")
    return number


def count(model: str, name: str, value, unlimited: int | None = None) -> int:
    """A whole number, 1 or greater, or the value that stands for "no limit"."""
    is_whole = type(value) is int or isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not is_whole or (value < 1 and value != unlimited):
        also = "" if unlimited is None else f", or {unlimited} for no limit"
        raise _refusal(model, name, value, f"a whole number, 1 or greater{also}")
    return int(value)


def switch(model: str, name: str, value) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise _refusal(model, name, value, "true or false")
    return value


def choice(model: str, name: str, value, known: Iterable[str]) -> str:
    """One of the ``known`` words.

    >>> choice("SVR", "kernel", "rfb", ["linear", "rbf"])
    Traceback (most recent call last):
    ...
    refimpl.errors.InputError: SVR: unknown kernel 'rfb'; did you mean 'rbf'?
    """
    known = list(known)
    if not isinstance(value, str) or value not in known:
        raise InputError(f"{model}: unknown {name} {value!r}{did_you_mean(str(value), known)}")
    return value
