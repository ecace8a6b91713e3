"""Pairs of a readable reference and its fast numba twin, which has the same name and the same signature.

A hot function is written plainly in ``refimpl/`` and decorated with ``@twin("kernels.zonal")``.  A call runs the
function of the same name in that module.  With ``REFIMPL_BACKEND=numpy``, or inside ``with backend("numpy"):``, it runs
the body under the decorator.  Nothing else in the code asks which backend is in use.  The kernel module, and numba with
it, is imported at the first call.
"""

from __future__ import annotations

import contextvars
import functools
import importlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from refimpl.errors import InputError

BACKENDS = ("numba", "numpy")
REGISTRY: dict[str, Twin] = {}
"""Every pair, by ``module.name`` of its reference; filled as the modules are imported."""

_chosen: contextvars.ContextVar[str | None] = contextvars.ContextVar("refimpl_backend", default=None)


def _checked(name: str, where: str) -> str:
    if name not in BACKENDS:
        raise InputError(f"{where}: unknown backend {name!r}; expected 'numba' (fast) or 'numpy' (the reference)")
    return name


def current_backend() -> str:
    """The backend that calls use now: the innermost ``backend(...)``, else ``REFIMPL_BACKEND``, else numba."""
    return _chosen.get() or _checked(os.environ.get("REFIMPL_BACKEND") or "numba", "REFIMPL_BACKEND")


@contextmanager
def backend(name: str) -> Iterator[None]:
    """Run the calls inside the block on ``name``, "numpy" (the reference) or "numba" (the kernels).

    >>> with backend("numpy"):
    ...     current_backend()
    'numpy'
    """
    token = _chosen.set(_checked(name, "backend()"))
    try:
        yield
    finally:
        _chosen.reset(token)


class Twin:
    """A reference and its kernel behind one callable; ``.reference`` and ``.kernel`` give either of them."""

    def __init__(self, reference: Callable, kernel_module: str):
        self.reference = reference
        self.kernel_module = kernel_module
        functools.update_wrapper(self, reference)

    @functools.cached_property
    def kernel(self) -> Callable:
        """The numba twin; imports its module, which is compiled at the first call."""
        package = importlib.import_module("kernels")
        if getattr(package, "BELONGS_TO", None) != "refimpl":
            raise InputError(
                f"the package 'kernels' found at {getattr(package, '__file__', None) or list(package.__path__)} is not "
                "refimpl's; another distribution shadows it: remove that one, or set REFIMPL_BACKEND=numpy"
            )
        return getattr(importlib.import_module(self.kernel_module), self.reference.__name__)

    def __call__(self, *args, **kwargs):
        return (self.reference if current_backend() == "numpy" else self.kernel)(*args, **kwargs)


def twin(kernel_module: str) -> Callable[[Callable], Twin]:
    """Decorator that pairs a reference function with the kernel of the same name in ``kernel_module``."""

    def pair(reference: Callable) -> Twin:
        name = f"{reference.__module__}.{reference.__qualname__}"
        if name in REGISTRY:
            raise RuntimeError(f"two references are registered as {name}")
        REGISTRY[name] = Twin(reference, kernel_module)
        return REGISTRY[name]

    return pair
