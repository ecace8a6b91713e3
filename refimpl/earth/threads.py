"""Parallel work in parts, run by the threads of the kernels.

Section "Raster data".  Reading, writing, warping and ranking cut their work into parts that write to different places.
They use the threads of the kernels.  So ``REFIMPL_THREADS`` limits them too, and no processor gets work from two pools.
The parts must not depend on the number of threads; then any number of threads gives the same bytes.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable

from refimpl.twins import current_backend


def in_threads(work: Callable[[int], object], parts: int) -> None:
    """Run ``work(0)`` ... ``work(parts - 1)`` in the kernels' threads; one after the other on the "numpy" backend.

    >>> found = [0, 0, 0]
    >>> in_threads(lambda part: found.__setitem__(part, part**2), 3)
    >>> found
    [0, 1, 4]
    """
    if current_backend() == "numpy":
        for part in range(parts):
            work(part)
    else:
        # Imported here, because the references also run without numba.
        threads = importlib.import_module("kernels.tools.threads")
        threads.run_parts(lambda part, worker: work(part), parts)
