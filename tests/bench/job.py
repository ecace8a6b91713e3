"""What a benchmark is: one piece of work, and the contenders that do it.

A module of this package holds ``JOBS``, a tuple of ``Job``s.  Every contender runs in a process of its own, so that its
threads and its memory disturb nobody; the processes take turns (``tests.bench.harness``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Contender:
    """One way to do the work.

    ``prepare`` runs once, in the contender's own process: it imports what it needs, makes the input (from the job's
    fixed seed, the same for all), and returns the call to be timed.  The call's answer, given to ``digest``, becomes a
    small array by which the harness checks that all contenders did the same work.
    """

    name: str
    prepare: Callable[[], Callable[[], object]]
    digest: Callable[[object], np.ndarray]
    ours: bool = False
    counts: bool = True
    """Whether the goal's ratio is taken against it; if not, it is shown only."""


@dataclass(frozen=True)
class Job:
    """A row of the table: the first contender is ours, the others are opponents; the fastest of them counts."""

    name: str
    """As typed on the command line: "training-128"."""
    title: str
    """As in the table: "training step, 128x128 crop, 64 channels"."""
    goal: float
    """How many times faster than the best opponent ours should be."""
    contenders: tuple[Contender, ...]
    tolerance: float
    """Largest relative difference of the digests, max |a - b| / max |b|, that counts as the same work."""
    why: str
    """Why this tolerance."""
    flops: float = 0.0
    """Operations of the plain (direct) algorithm, for the limit that the processor's peak sets; 0 to leave it out."""
    bytes: float = 0.0
    """Bytes that must be read and written once, for the limit that memory sets; 0 to leave it out."""
    memory_goal: float = 0.0
    """Our peak memory beyond the input, as a share of the best opponent's; 0 where it is not a goal."""
    calls: int = 1
    """Calls to one sample, where a single one is too short to be timed."""
