"""Memory for kernels: arrays to work in, and arrays to return, without asking the operating system each time.

A step of training returns some twenty arrays of the same few megabytes and drops them all.  Memory that goes back to
the operating system comes back as pages that must be mapped and cleared at first touch; for a 128x128 crop that was a
fifth of the whole step.  So memory is kept here and handed out again:

- ``work_array``: one array for each purpose and Python thread, for the time of one call.
- ``result_array``: a new array for the caller to keep.  Its memory is used again only when nothing refers to it, or to
  a view of it, any more.

All are float32 and start at a cache line.
"""

from __future__ import annotations

import threading

import numpy as np

_ALIGNMENT = 64
SMALLEST_KEPT = 256 * 1024
"""Bytes below which the C library keeps freed memory itself."""
MOST_KEPT = 32
"""Freed results that are kept: more than a training step of nine layers needs."""

_mine = threading.local()
_kept: tuple[int, list[np.ndarray]] = (0, [])
"""Size in bytes, and freed memory of that size: the network's large arrays have one size, until the image changes."""


def work_array(purpose: str, shape: tuple[int, ...]) -> np.ndarray:
    """An array to work in, of undefined (but initialised) content.

    The memory is handed out again at the next call with this ``purpose`` from the same Python thread, so it must not
    outlive the function that asked for it, and never be part of a result.
    """
    size = 4 * int(np.prod(shape))
    memory = _mine.__dict__.get(purpose)
    if memory is None or memory.size < size + _ALIGNMENT:
        memory = _mine.__dict__[purpose] = np.zeros(size + _ALIGNMENT, np.uint8)
    return _aligned(memory, size).reshape(shape)


def result_array(shape: tuple[int, ...]) -> np.ndarray:
    """A new array of undefined content, for the caller to keep as long as he likes."""
    size = 4 * int(np.prod(shape))
    if size < SMALLEST_KEPT:
        return np.empty(shape, np.float32)
    return np.asarray(_Lease(size)).reshape(shape)


class _Lease:
    """Holds memory for an array that NumPy makes from it (and for all views), and gives it back at its own end.

    Taking and giving are single operations on a list, so they need no lock (which a garbage collection inside of it
    could ask for a second time).
    """

    size = -1  # until there is memory to give back

    def __init__(self, size: int):
        global _kept
        kept = _kept
        if kept[0] != size:
            kept = _kept = (size, [])
        try:
            self.memory = kept[1].pop()
        except IndexError:
            self.memory = np.empty(size + _ALIGNMENT, np.uint8)
        self.size = size
        self.__array_interface__ = _aligned(self.memory, size).__array_interface__

    def __del__(self):
        size, spare = _kept or (0, [])  # nothing is left of the module when the interpreter ends
        if size == self.size and len(spare) < MOST_KEPT:
            spare.append(self.memory)


def _aligned(memory: np.ndarray, size: int) -> np.ndarray:
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + size].view(np.float32)
