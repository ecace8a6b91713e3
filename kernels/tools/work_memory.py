"""Work memory of kernels, kept from call to call instead of asked from the operating system each time.

A step of training works in some fifty megabytes.  Memory that goes back to the operating system comes back as pages
that must be mapped and cleared at first touch; for a 128x128 crop that took a fifth of the whole step.  So memory is
kept here and handed out again: one array for each purpose and Python thread, for the time of one call.  It is kept as
long as its thread lives: some 170 MB after an inference with 64 channels.
"""

from __future__ import annotations

import threading

import numpy as np

_ALIGNMENT = 64
"""Bytes of a cache line, at which every array starts."""

_mine = threading.local()


def work_array(purpose: str, shape: tuple[int, ...]) -> np.ndarray:
    """A float32 array to work in; its content is anything that was left there, or zeros.

    The memory is handed out again at the next call with this ``purpose`` from the same Python thread, so it must not
    outlive the function that asked for it, and never be part of a result.
    """
    size = 4 * int(np.prod(shape))
    memory = _mine.__dict__.get(purpose)
    if memory is None or memory.size < size + _ALIGNMENT:
        memory = _mine.__dict__[purpose] = np.zeros(size + _ALIGNMENT, np.uint8)
    return _aligned(memory, size).reshape(shape)


def forget_work_arrays() -> None:
    """Give this thread's memory up, because other threads may still write to it; the next calls get new memory."""
    _mine.__dict__.clear()


def _aligned(memory: np.ndarray, size: int) -> np.ndarray:
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + size].view(np.float32)
