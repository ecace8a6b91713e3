"""What the machine can do, measured in the same run: float32 multiply-adds in registers, and copying memory."""

from __future__ import annotations

import numpy as np

from tests.bench.job import Contender, Job

TURNS = 4_000_000
"""Rounds of a thread's loop, of twelve multiply-adds in eight lanes each."""
FLOPS = 2 * 8 * 12 * TURNS
COPIED = 2**28
"""Bytes that a thread copies: read once and written once."""


def threads() -> int:
    from kernels.tools.threads import thread_count

    return thread_count()


def prepare_peak():
    from kernels.tools.threads import run_parts
    from tests.bench.peak import chains

    sums = np.zeros((threads(), 8), np.float32)
    return lambda: run_parts(chains, threads(), TURNS, sums)


def prepare_copy():
    from concurrent.futures import ThreadPoolExecutor

    pool, arrays = ThreadPoolExecutor(threads()), [np.ones((2, COPIED), np.uint8) for _ in range(threads())]
    return lambda: list(pool.map(lambda pair: np.copyto(pair[0], pair[1]), arrays))


LIMITS = Job(
    "limits", "what the machine can do", 0.0,
    (Contender("float32 multiply-adds", prepare_peak, lambda _: np.zeros(1), ours=True),
     Contender("copying memory", prepare_copy, lambda _: np.zeros(1))),
    1.0, "nothing is compared",
)  # fmt: skip
