"""Plain Python threads for kernels that release the interpreter lock.

``run_parts(kernel, parts, *args)`` calls ``kernel(part, worker, *args)`` for part = 0 ... parts - 1.  Each thread
takes the next part when it has finished one, so a thread that the system holds up delays one part, not its share. How
a kernel cuts its work into parts depends on shapes alone, and parts meet only in sums that are taken afterwards, in
order of the parts; who computed a part never shows in a result: any number of threads gives the same bytes.

The number of threads is ``REFIMPL_THREADS``, else the number of processors that this process may use.
numba's own parallel loops are not used: their threads spin while they wait, and a step takes several times as long as
soon as another process needs a core.
"""

from __future__ import annotations

import functools
import itertools
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

from refimpl.errors import InputError

MOST_THREADS = 1024

_pool: ThreadPoolExecutor | None = None
_pool_size = 0
_pool_lock = threading.Lock()


def thread_count() -> int:
    """How many threads kernels use: ``REFIMPL_THREADS``, else the processors that this process may use.

    Raises
    ------
    InputError
        REFIMPL_THREADS is not a whole number from 1 to 1024.
    """
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
    """How many processors this process may use, as it was at the first call: it must not change inside of a kernel."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_parts(kernel: Callable, parts: int, *args) -> None:
    """Call ``kernel(part, worker, *args)`` for every part below ``parts``, and return when all are done.

    ``worker`` is a number below ``workers(parts)`` that no two calls at the same time share: the index of
    a kernel's private work memory.  An exception in a part is raised here, after the other threads have come to rest.
    """
    turns = itertools.count()  # next() on it is atomic: no part is taken twice

    def work(worker: int) -> None:
        while (part := next(turns)) < parts:
            kernel(part, worker, *args)

    count = workers(parts)
    others = [_executor(count - 1).submit(work, worker) for worker in range(1, count)]
    try:
        work(0)
    finally:
        wait(others)
    for other in others:
        other.result()


def workers(parts: int) -> int:
    """How many threads ``run_parts`` uses for so many parts."""
    return max(1, min(thread_count(), parts))


def _executor(size: int) -> ThreadPoolExecutor:
    """The pool, with at least ``size`` threads."""
    global _pool, _pool_size
    with _pool_lock:
        if _pool is None or _pool_size < size:
            _pool, _pool_size = ThreadPoolExecutor(size, thread_name_prefix="refimpl-kernel"), size
        return _pool


def _forget_pool() -> None:
    """A forked child has none of its parent's threads; let it start its own."""
    global _pool, _pool_size, _pool_lock
    _pool, _pool_size, _pool_lock = None, 0, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)
