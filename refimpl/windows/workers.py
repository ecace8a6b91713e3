"""Who computes tiles: threads or processes of this machine, or a Dask cluster, all as ``concurrent.futures.Executor``.

A task is one tile.  It runs its kernels on one thread, so that as many tasks as there are cores fill them; what a tile
holds does not depend on who computed it.  Workers read what they need from the shared files and send back the tile; the
one writer is whoever asked.  Nothing below the interface of executors is this project's: pools are the standard
library's, a cluster is ``distributed``'s (``Client.get_executor``), which gives a lost worker's tasks to another.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from refimpl import __version__
from refimpl.errors import DataWarning, InputError
from refimpl.run.cluster import cluster_at
from refimpl.twins import backend, current_backend

MOST_WORKERS = 1024
SETTINGS = ("REFIMPL_MOST_BYTES", "REFIMPL_WINOGRAD")
"""What of the environment counts in other processes, too; the backend goes with each task."""
_UNKNOWN = 16
"""Tasks at once for an executor that does not tell how many it takes."""


@contextmanager
def executor_of(
    workers: int | None, processes: bool = False, scheduler: str | None = None
) -> Iterator[Executor | None]:
    """The executor that ``--workers``, ``--processes`` and ``--scheduler`` ask for; None where none of them is given.

    Raises
    ------
    InputError
        ``processes`` without ``workers``, workers beside a scheduler, more than 1024 workers, no ``distributed``
        installed, no scheduler at the address, or one without workers, or with workers of another version.
    """
    if scheduler and (workers or processes):
        raise InputError("--workers and --scheduler are both given; take one, for a cluster has its own workers")
    if processes and not workers:
        raise InputError("--processes is given without --workers; expected --workers N, how many processes")
    if workers and workers > MOST_WORKERS:
        raise InputError(f"--workers {workers}: expected {MOST_WORKERS} at most; one for each processor is enough")
    if scheduler:
        with cluster_at(scheduler) as executor:
            yield executor
    elif not workers:
        yield None
    else:
        with _pool(workers, processes) as executor:
            try:
                yield executor
            except BaseException:
                executor.shutdown(wait=False, cancel_futures=True)  # what is queued is not waited for
                raise


def _pool(workers: int, processes: bool) -> Executor:
    if not processes:
        return ThreadPoolExecutor(workers, thread_name_prefix="refimpl-worker")
    # New interpreters: a fork would copy threads' locks, and keep our lock on the output folder after our death.
    spawn = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=spawn, initializer=_end_with_parent)


def _end_with_parent() -> None:
    """In a worker process: leave when the process that asks is gone, however it went, and on Ctrl-C without a word."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parent = multiprocessing.parent_process()

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def at_once(executor: Executor) -> int:
    """How many tasks an executor runs at the same time, as far as it tells.

    >>> at_once(ThreadPoolExecutor(3))
    3
    """
    client = getattr(executor, "_client", None)
    if client is not None:
        return max(sum(client.nthreads().values()), 1)
    return getattr(executor, "_max_workers", _UNKNOWN)


def submit(executor: Executor, task: Callable, *args) -> Future:
    """``task(*args)`` in a worker, on one thread, with the backend that is in use here; see ``result_of``."""
    if isinstance(executor, ThreadPoolExecutor):
        return executor.submit(_run, current_backend(), task, *args)
    settings = {name: os.environ.get(name, "") for name in SETTINGS}
    try:
        return executor.submit(_run_elsewhere, settings, current_backend(), task, *args)
    except BrokenExecutor as fault:
        raise _lost(fault) from None


def result_of(future: Future):
    """What the task gave, or its exception; its warnings are given here; a worker lost for good is told in a sentence.

    Raises
    ------
    InputError
        The process of a worker ended, or the cluster gave the task up.
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
    """What a task in another process gave, and what it had to tell."""

    result: Any
    warnings: list[str]


def _run_elsewhere(settings: dict[str, str], chosen: str, task: Callable, *args) -> _Told:
    """``_run`` in another process, perhaps on another machine: with our settings, and its warnings sent back."""
    os.environ.update(settings)
    with _told_here() as caught:
        result = _run(chosen, task, *args)
    told = [one for one in caught if issubclass(one.category, DataWarning)]
    for one in caught:
        if one not in told:  # nobody waits for it: it is shown here
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
    return _Told(result, [str(one.message) for one in told])


_telling = threading.Lock()
_listening = ExitStack()
_caught: list[warnings.WarningMessage] = []
_tasks = 0


@contextmanager
def _told_here() -> Iterator[list[warnings.WarningMessage]]:
    """What is told meanwhile in this process; the list is filled at the end.

    Python catches warnings for a whole process, and a Dask worker has several threads: tasks that overlap share one
    list, and who ends first takes what is there.
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
    """Inside, kernels called from this thread use no other one."""
    if current_backend() == "numpy":
        yield
        return
    with importlib.import_module("kernels.tools.threads").at_most(1):
        yield
