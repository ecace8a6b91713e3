"""Errors and warnings for users: one kind of error that bad input causes, one kind of warning that a result carries."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class InputError(Exception):
    """Bad input, described in one sentence: what is wrong, where, what was expected, what to do.

    The command line prints the sentence and exits with status 2, and nothing has been written.  Any other exception
    that leaves a verb is an internal bug: it gives a traceback and exit status 1.
    """


class DataWarning(UserWarning):
    """A sign that a result is right but something about its input is worth knowing, such as a province left out."""


def warn(sentence: str, stacklevel: int = 2) -> None:
    """Give a ``DataWarning``; ``stacklevel`` 2 points at the caller of the function that warns, 3 one frame further."""
    warnings.warn(sentence, DataWarning, stacklevel=stacklevel + 1)


@contextmanager
def told() -> Iterator[list[str]]:
    """Collect the texts of the DataWarnings given inside, each once and in their order; the list is filled at the end.

    >>> with told() as texts:
    ...     warnings.warn("one province is left out", DataWarning)
    >>> texts
    ['one province is left out']
    """
    texts: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        yield texts
    texts += dict.fromkeys(str(one.message) for one in caught if issubclass(one.category, DataWarning))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a sentence that suggests the nearest right spelling.

    >>> did_you_mean("sead", ["seed", "grid"])
    "; did you mean 'seed'?"
    >>> did_you_mean("c", ["C", "epsilon"])
    "; did you mean 'C'?"
    >>> did_you_mean("zzz", ["seed", "grid"])
    '; expected one of grid, seed'
    """
    known = sorted(known)
    lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), lower, n=1, cutoff=0.5)
    return (
        f"; did you mean {lower[near[0]]!r}?"
        if near
        else f"; expected one of {', '.join(known[:12])}{' ...' if len(known) > 12 else ''}"
    )
