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
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager

from refimpl.errors import InputError
from refimpl.twins import backend, current_backend

MOST_WORKERS = 1024
_UNKNOWN = 16
"""Tasks at once for an executor that does not tell how many it takes."""


@contextmanager
def executor_of(workers: int | None, processes: bool = False, scheduler: str | None = None) -> Iterator[Executor | None]:
    """The executor that ``--workers``, ``--processes`` and ``--scheduler`` ask for; None where none of them is given.

    Raises
    ------
    InputError
        ``processes`` without ``workers``, workers beside a scheduler, no ``distributed`` installed, or no answer from
        the scheduler or its workers.
    """
    if scheduler and (workers or processes):
        raise InputError("--workers and --scheduler are both given; expected one of them: a cluster has its own workers")
    if processes and not workers:
        raise InputError("--processes is given without --workers; expected --workers N, how many processes")
    if scheduler:
        with _cluster(scheduler) as executor:
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
    """In a worker process: leave when the process that asks is gone, however it went."""
    parent = multiprocessing.parent_process()

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


@contextmanager
def _cluster(scheduler: str) -> Iterator[Executor]:
    try:
        distributed = importlib.import_module("distributed")
    except ImportError:
        raise InputError(
            f"--scheduler {scheduler}: the package 'distributed' is not installed; "
            "install it with pip install 'refimpl[distributed]'"
        ) from None
    try:
        client = distributed.Client(scheduler, timeout=20)
    except (OSError, ValueError, TimeoutError) as fault:
        raise InputError(
            f"--scheduler {scheduler}: no Dask scheduler answers there ({type(fault).__name__}); expected an address "
            "such as tcp://127.0.0.1:8786, as 'dask scheduler' prints it"
        ) from None
    with client:
        if not client.nthreads():
            raise InputError(f"--scheduler {scheduler}: has no worker; start some with 'dask worker {scheduler}'")
        executor = client.get_executor()
        try:
            yield executor
        finally:
            executor.shutdown(wait=False)


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
    """``task(*args)`` in a worker, on one thread, with the backend that is in use here."""
    return executor.submit(_run, current_backend(), task, *args)


def result_of(future: Future):
    """What the task gave, or its exception; a worker that is lost for good is told in a sentence.

    Raises
    ------
    InputError
        The process of a worker ended, or the cluster gave the task up.
    """
    try:
        return future.result()
    except (BrokenExecutor, CancelledError) as fault:
        raise _lost(fault) from None
    except Exception as fault:
        if type(fault).__name__ in ("KilledWorker", "FutureCancelledError"):
            raise _lost(fault) from None
        raise


def _lost(fault: BaseException) -> InputError:
    return InputError(
        f"a worker ended before its tile was made ({type(fault).__name__}), often for want of memory; take fewer "
        "workers, or workers with more memory, and run again: what is finished is kept"
    )


def _run(chosen: str, task: Callable, *args):
    with backend(chosen), on_one_thread():
        return task(*args)


@contextmanager
def on_one_thread() -> Iterator[None]:
    """Inside, kernels called from this thread use no other one."""
    if current_backend() == "numpy":
        yield
        return
    with importlib.import_module("kernels.threads").at_most(1):
        yield
