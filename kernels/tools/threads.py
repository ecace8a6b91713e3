"""Plain Python threads for kernels that release the interpreter lock.

``run_parts(kernel, parts, *args)`` calls ``kernel(part, worker, *args)`` for part = 0 ... parts - 1.  Each thread
takes the next part when it has finished one, so a thread that the system holds up delays one part and not its share of
all.  How a kernel cuts its work into parts depends on shapes alone, and parts meet only in sums that are taken
afterwards, in order of the parts.  Which thread computed a part never changes a result: any number of threads gives the
same bytes.

The number of threads is ``REFIMPL_THREADS``, else the number of processors that this process may use.
numba's own parallel loops are not used: their threads spin while they wait, and a step takes several times as long as
soon as another process needs a core.
"""

from __future__ import annotations

import functools
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager

from kernels.tools.work_memory import forget_work_arrays
from refimpl.errors import InputError

MOST_THREADS = 1024
NAP = 1e-5
"""Seconds that a thread sleeps where it would wait; in practice some 60 microseconds."""

_pool: ThreadPoolExecutor | None = None
_pool_size = 0
_pool_lock = threading.Lock()


_limits = threading.local()


@contextmanager
def at_most(count: int) -> Iterator[None]:
    """Inside, kernels that are called from this Python thread use ``count`` threads at most."""
    before = getattr(_limits, "count", MOST_THREADS)
    _limits.count = count
    try:
        yield
    finally:
        _limits.count = before


def thread_count() -> int:
    """How many threads kernels use: ``REFIMPL_THREADS``, else the processors that this process may use.

    Within ``at_most`` no more than it allows.

    Raises
    ------
    InputError
        REFIMPL_THREADS is not a whole number from 1 to 1024.
    """
    return min(_wanted(), getattr(_limits, "count", MOST_THREADS))


def _wanted() -> int:
    text = os.environ.get("REFIMPL_THREADS", "").strip()
    if not text:
        return processors()
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_THREADS):
        raise InputError(
            f"REFIMPL_THREADS: {text!r} is not a number of threads; expected a whole number from 1 to {MOST_THREADS}, "
            "or unset it to use every processor"
        )
    return int(text)


@functools.cache
def processors() -> int:
    """How many processors this process may use, as at the first call: the number must not change inside a kernel."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_parts(kernel: Callable, parts: int, *args) -> None:
    """Call ``kernel(part, worker, *args)`` for every part below ``parts``, and return when all are done.

    ``worker`` is a number below ``workers(parts)`` that no two calls at the same time share: the index of
    a kernel's private work memory.  An exception in a part is raised here, after the other threads have come to rest
    (an interrupt from the keyboard perhaps before).
    """
    turns = itertools.count()  # next() on it is atomic: no part is taken twice

    def work(worker: int) -> None:
        while (part := next(turns)) < parts:
            kernel(part, worker, *args)

    _run(work, workers(parts))


def _run(work: Callable[[int], None], count: int) -> None:
    """``work(0)`` here, ``work(1)`` ... ``work(count - 1)`` in other threads; calls that begin too late are dropped."""
    jobs = [work]

    def begin(worker: int) -> None:
        for job in tuple(jobs):
            job(worker)

    others: list[Future] = []
    try:
        try:
            for worker in range(1, count):
                others.append(_executor(count - 1).submit(begin, worker))
            work(0)
        finally:
            wait([other for other in others if not other.cancel()])
            jobs.clear()  # a dropped call may stay in the pool's queue for a while, and must not hold our arrays there
    except BaseException:  # an interrupt may come while others still write to work memory
        forget_work_arrays()
        raise
    for other in others:
        if not other.cancelled():
            other.result()


def run_tasks(kernel: Callable, parts: int, *args) -> None:
    """Call ``kernel(task, worker, *args)`` in ``workers(parts)`` threads until it returns a negative number in each.

    The kernel itself takes task after task (``dependent_tasks``), the first time with ``task`` -1.  Where it would have
    to wait for long, it returns the number of its task and is called with it again a little later; meanwhile the
    processor is free for the thread that is waited for.  After an exception in one thread the others wait no longer.
    """
    failed = []

    def work(worker: int) -> None:
        task = -1
        try:
            while (task := kernel(task, worker, *args)) >= 0 and not failed:
                time.sleep(NAP)
        except BaseException:
            failed.append(worker)
            raise

    _run(work, workers(parts))


def workers(parts: int) -> int:
    """How many threads ``run_parts`` uses for ``parts`` parts."""
    return max(1, min(thread_count(), parts))


def _executor(size: int) -> ThreadPoolExecutor:
    """The pool of threads, of at least ``size``."""
    global _pool, _pool_size
    with _pool_lock:
        if _pool is None or _pool_size < size:
            _pool, _pool_size = ThreadPoolExecutor(size, thread_name_prefix="refimpl-kernel"), size
        return _pool


def _forget_pool() -> None:
    """Start afresh in a forked child, which has none of its parent's threads."""
    global _pool, _pool_size, _pool_lock
    _pool, _pool_size, _pool_lock = None, 0, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)
