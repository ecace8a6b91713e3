"""Dask cluster as an executor, once it is known to have workers with this version of refimpl.

Cluster and executor are those of ``distributed`` (``Client.get_executor``), which gives a lost worker's tasks to
another one.  The workers must see the files under the same names as this process.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from refimpl import __version__
from refimpl.errors import InputError

PATIENCE = 10.0
"""Seconds that a scheduler has to answer."""


@contextmanager
def cluster_at(scheduler: str) -> Iterator[Executor]:
    """The executor of the Dask cluster whose scheduler has this address.

    Raises
    ------
    InputError
        No ``distributed`` installed, no scheduler there, one without workers, or with workers of another version.
    """
    where = f"--scheduler {scheduler}"
    try:
        distributed = importlib.import_module("distributed")
    except ImportError:
        raise InputError(
            f"{where}: the package 'distributed' is not installed; install it with "
            "python -m pip install 'refimpl[distributed]'"
        ) from None
    with _quiet("distributed.client"), _client(distributed, scheduler, where) as client:
        if not client.nthreads():
            raise InputError(f"{where}: has no worker; start some with 'dask worker {scheduler}'")
        _check_versions(client, where)
        executor = client.get_executor()
        try:
            yield executor
        finally:
            executor.shutdown(wait=False)


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Silence a log within the block: we report a lost scheduler in one sentence, without stack traces."""
    log = logging.getLogger(name)
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)


def _client(distributed, scheduler: str, where: str):
    """A client of the scheduler."""
    try:
        distributed.comm.get_address_host_port(scheduler)
        return distributed.Client(scheduler, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as fault:
        raise InputError(
            f"{where}: no Dask scheduler answers there ({type(fault).__name__}); expected an address "
            "such as tcp://127.0.0.1:8786, as 'dask scheduler' prints it"
        ) from None


def _check_versions(client, where: str) -> None:
    """Refuse workers that have another version of refimpl, or none."""

    def version() -> str | None:  # sent by value: the workers may lack refimpl
        try:
            return __import__("refimpl").__version__
        except ImportError:
            return None

    for worker, found in client.run(version).items():
        if found != __version__:
            has = f"has refimpl {found}" if found else "has no refimpl"
            raise InputError(f"{where}: its worker {worker} {has}; install refimpl {__version__} for all of them")
