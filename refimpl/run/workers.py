"""The executor of a run: threads or processes of this machine, or a Dask cluster.

Nothing below the interface of ``concurrent.futures.Executor`` is this project's.  Pools are the standard library's, and
a cluster is ``distributed``'s (``Client.get_executor``), which gives a lost worker's tasks to another.  How tiles are
handed to an executor stands in ``refimpl.windows.executors``.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager

from refimpl.errors import InputError
from refimpl.run.cluster import cluster_at

MOST_WORKERS = 1024


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
    """End a worker process when its parent has ended, in whatever way, and on Ctrl-C without a message."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parent = multiprocessing.parent_process()

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
