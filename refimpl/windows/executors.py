"""Tasks of an executor: they carry a tile to a worker and bring its result back.

A task is one tile.  It runs its kernels on one thread, so that one task per core uses the whole machine.  The cells of
a tile do not depend on the worker.  Workers read their input from the shared files and send back the tile; only the
calling process writes.  An executor is any ``concurrent.futures.Executor``: threads, processes, or a Dask cluster.
``refimpl.run.workers`` makes one for a run.
"""

from __future__ import annotations

import importlib
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from refimpl import __version__
from refimpl.errors import DataWarning, InputError
from refimpl.twins import backend, current_backend

SETTINGS = ("REFIMPL_MOST_BYTES", "REFIMPL_WINOGRAD")
"""Environment variables that are sent to other processes; the backend is sent with each task."""
_UNKNOWN = 16
"""Tasks at once for an executor that does not tell its number of workers."""


def at_once(executor: Executor) -> int:
    """The number of tasks that an executor runs at the same time, as far as it tells.

    >>> at_once(ThreadPoolExecutor(3))
    3
    """
    client = getattr(executor, "_client", None)
    if client is not None:
        return max(sum(client.nthreads().values()), 1)
    return getattr(executor, "_max_workers", _UNKNOWN)


def submit(executor: Executor, task: Callable, *args) -> Future:
    """Start ``task(*args)`` in a worker, on one thread and with the caller's backend; see ``result_of``."""
    if isinstance(executor, ThreadPoolExecutor):
        return executor.submit(_run, current_backend(), task, *args)
    settings = {name: os.environ.get(name, "") for name in SETTINGS}
    try:
        return executor.submit(_run_elsewhere, settings, current_backend(), task, *args)
    except BrokenExecutor as fault:
        raise _lost(fault) from None


def result_of(future: Future):
    """The result of the task, or its exception.  Warnings of the task are repeated in this process.

    Raises
    ------
    InputError
        The process of a worker ended, or the cluster gave up the task.
    """
    try:
        result = future.result()
    except CancelledError:
        raise InputError(
            "the cluster gave up a tile, or its scheduler has ended; see what the scheduler and the workers say of it, "
            "and run again"
        ) from None
    except BrokenExecutor as fault:
        raise _lost(fault) from None
    except Exception as fault:
        if type(fault).__name__ == "KilledWorker":
            raise _lost(fault) from None
        missing = next((one for one in (fault, fault.__cause__) if isinstance(one, ModuleNotFoundError)), None)
        if missing:
            raise InputError(
                f"the cluster cannot take a tile ({missing}); install refimpl {__version__} where its scheduler and "
                "its workers run"
            ) from None
        raise
    if not isinstance(result, _Told):
        return result
    for message in result.warnings:
        warnings.warn(message, DataWarning, stacklevel=2)
    return result.result


def _lost(fault: BaseException) -> InputError:
    return InputError(
        f"a worker ended before its tile was made ({type(fault).__name__}), often for want of memory; take fewer "
        "workers, or workers with more memory, and run again"
    )


class _Told(NamedTuple):
    """The result of a task in another process, and its warnings."""

    result: Any
    warnings: list[str]


def _run_elsewhere(settings: dict[str, str], chosen: str, task: Callable, *args) -> _Told:
    """``_run`` in another process, perhaps on another machine, with the caller's settings; returns its warnings too."""
    os.environ.update(settings)
    with _told_here() as caught:
        result = _run(chosen, task, *args)
    told = [one for one in caught if issubclass(one.category, DataWarning)]
    for one in caught:
        if one not in told:  # only DataWarnings are sent back: others are shown in the worker
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
    return _Told(result, [str(one.message) for one in told])


_telling = threading.Lock()
_listening = ExitStack()
_caught: list[warnings.WarningMessage] = []
_tasks = 0


@contextmanager
def _told_here() -> Iterator[list[warnings.WarningMessage]]:
    """Collect the warnings of this process while the block runs; the list is filled at the end.

    Python catches warnings for a whole process, and a Dask worker has several threads.  Tasks that overlap share one
    list; the task that ends first takes what it holds.
    """
    global _tasks, _caught
    taken: list[warnings.WarningMessage] = []
    with _telling:
        if not _tasks:
            _caught = _listening.enter_context(warnings.catch_warnings(record=True))
            warnings.simplefilter("always", DataWarning)
        _tasks += 1
    try:
        yield taken
    finally:
        with _telling:
            taken += _caught
            _caught.clear()
            _tasks -= 1
            if not _tasks:
                _listening.close()


def _run(chosen: str, task: Callable, *args):
    with backend(chosen), on_one_thread():
        return task(*args)


@contextmanager
def on_one_thread() -> Iterator[None]:
    """Within the block, kernels that this thread calls use no other thread."""
    if current_backend() == "numpy":
        yield
        return
    with importlib.import_module("kernels.tools.threads").at_most(1):
        yield
