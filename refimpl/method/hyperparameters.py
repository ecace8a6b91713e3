"""Checks of the models' settings, which a user writes in ``run.toml``: one sentence for each fault.

Each function returns the value as a plain float, int, bool or str.  It raises ``InputError``, which names the model,
the parameter, what was found and what is expected.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from refimpl.errors import InputError, did_you_mean


def _number(value) -> float:
    """``value`` as a float; nan where it is no finite real number (a bool is none)."""
    real = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    return float(value) if real and math.isfinite(value) else math.nan


def _checked(model: str, name: str, value, good: bool, expected: str):
    if not good:
        raise InputError(f"{model}: {name} is {value!r}, expected {expected}; correct it in the settings of this model")
    return value


def positive(model: str, name: str, value) -> float:
    """A finite number greater than 0.

    >>> positive("SVR", "C", 2)
    2.0
    """
    return float(_checked(model, name, value, _number(value) > 0, "a finite number greater than 0"))


def not_negative(model: str, name: str, value) -> float:
    """A finite number, 0 or greater.

    >>> not_negative("SVR", "epsilon", 0)
    0.0
    """
    return float(_checked(model, name, value, _number(value) >= 0, "a finite number, 0 or greater"))


def share(model: str, name: str, value) -> float:
    """A number from 0 to 1.

    >>> share("ElasticNet", "l1_ratio", 1)
    1.0
    """
    return float(_checked(model, name, value, 0 <= _number(value) <= 1, "a number from 0 to 1"))


def finite(model: str, name: str, value) -> float:
    """A finite number of either sign.

    >>> finite("SVR", "coef0", -2)
    -2.0
    """
    return float(_checked(model, name, value, not math.isnan(_number(value)), "a finite number"))


def count(model: str, name: str, value, unlimited: int | None = None) -> int:
    """A whole number, 1 or greater, or the value that stands for "no limit".

    >>> count("SVR", "max_iter", -1, unlimited=-1)
    -1
    """
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    also = "" if unlimited is None else f", or {unlimited} for no limit"
    good = whole and (value >= 1 or value == unlimited)
    return int(_checked(model, name, value, good, f"a whole number, 1 or greater{also}"))


def switch(model: str, name: str, value) -> bool:
    """True or False.

    >>> switch("SVR", "shrinking", True)
    True
    """
    return _checked(model, name, value, isinstance(value, bool), "true or false")


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
