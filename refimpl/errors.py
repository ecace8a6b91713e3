"""The one kind of error that a user can cause, and the one kind of warning a result can carry."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class InputError(Exception):
    """Bad input, told in one sentence: what is wrong, where, what was expected, what to do.

    The command line prints the sentence and exits with status 2; nothing has been written.
    Any other exception that leaves a verb is an internal bug: a traceback and exit status 1.
    """


class DataWarning(UserWarning):
    """A result is still right, but something about the input is worth knowing (a province left out, say)."""


def warn(sentence: str, stacklevel: int = 2) -> None:
    """Give a ``DataWarning`` in the name of the caller, or of so many callers above."""
    warnings.warn(sentence, DataWarning, stacklevel=stacklevel + 1)


@contextmanager
def told() -> Iterator[list[str]]:
    """The DataWarnings given inside, each once and in their order; the list is filled at the end.

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
    """Suggest the nearest right spelling, as the end of a sentence.

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
