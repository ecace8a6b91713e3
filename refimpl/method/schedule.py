"""When the learning rate falls and when training ends (D12, D13; Shocher, Cohen & Irani 2018, section 3.1).

The paper (section "ZSSR") lays a line through the loss, and reduces the rate tenfold where the standard deviation
exceeds the slope times a factor, 1.5 by default.  It does not say when, nor of what the deviation is.  D12 decides:
every 50 iterations the reconstruction error is measured; every 60, if the last change of the rate is more than 256
iterations ago (the start counts as a change), a least-squares line is laid through the last 5 measured points, and the
rate is divided by ten where

    -1.5 x slope <= standard deviation of the slope.

The standard deviation is read as the slope's own, sqrt(SSR / (n - 2) / Sxx), with SSR the sum of squared
residuals and Sxx that of (x - mean x)^2.  Slope and deviation are then both per iteration, and the test is the same
whatever the units of x and y; with the deviation of the residuals it would change with the number of iterations
between two measurements.  Equality is a constant error, where both sides are 0: it counts as flat.  A rising error
always satisfies the test, and an error that is not a number does not hold training up.  Training ends when the rate
would reach 1e-6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from refimpl.errors import InputError


def slope_and_deviation(x: Sequence[float], y: Sequence[float]) -> tuple[float, float]:
    """Slope of the least-squares line through at least three points, and its standard deviation (n - 2 form).

    >>> slope_and_deviation([0, 1, 2, 3], [0, 1, 1, 2])
    (0.6, 0.1414213562373095)
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    dx, dy = x - x.mean(), y - y.mean()
    spread = np.sum(dx * dx)
    slope = np.sum(dx * dy) / spread
    residuals = dy - slope * dx
    return float(slope), float(np.sqrt(np.sum(residuals**2) / (x.size - 2) / spread))


def has_flattened(steps: Sequence[float], errors: Sequence[float], ratio: float = 1.5) -> bool:
    """Whether the error no longer falls clearly: -ratio x slope <= standard deviation of the slope.

    >>> has_flattened([50, 100, 150, 200, 250], [5, 4, 3, 2, 1.5])
    False
    >>> has_flattened([50, 100, 150, 200, 250], [1, 2, 3, 4, 5])
    True
    """
    slope, deviation = slope_and_deviation(steps, errors)
    return not -ratio * slope > deviation


@dataclass
class LearningRatePolicy:
    """The state of the schedule; ask it after every step, in this order: ``measures``, ``record``, ``advance``.

    >>> policy = LearningRatePolicy()
    >>> for step in range(1, 301):
    ...     if policy.measures(step):
    ...         policy.record(step, 1.0)
    ...     policy.advance(step)
    >>> policy.rate, policy.last_change, policy.finished
    (0.0001, 300, False)
    """

    rate: float = 1e-3
    final_rate: float = 1e-6
    measure_every: int = 50
    test_every: int = 60
    patience: int = 256
    window: int = 5
    ratio: float = 1.5
    factor: float = 10.0
    last_change: int = 0
    finished: bool = False
    steps: list[int] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)

    def __post_init__(self):
        if not 0 < self.final_rate < self.rate < float("inf"):
            raise InputError(f"final_rate {self.final_rate} and learning_rate {self.rate}: expected numbers above 0, "
                             "the final one below the first")  # fmt: skip

    def measures(self, step: int) -> bool:
        """Whether the reconstruction error is due after iteration ``step`` (from 1)."""
        return step % self.measure_every == 0

    def record(self, step: int, error: float) -> None:
        """Append a measured reconstruction error; steps come in ascending order."""
        if self.steps and step <= self.steps[-1]:
            raise InputError(f"step {step} comes after step {self.steps[-1]}; expected each error once, in order")
        self.steps.append(step)
        self.errors.append(error)

    def advance(self, step: int) -> None:
        """Apply the test after iteration ``step``: lower ``rate``, or set ``finished`` where it would reach the end."""
        due = step % self.test_every == 0 and step - self.last_change > self.patience
        recent = self.steps[-self.window :], self.errors[-self.window :]
        if not due or len(self.errors) < self.window or not has_flattened(*recent, self.ratio):
            return
        lower = self.rate / self.factor
        if lower <= self.final_rate * (1 + 1e-9):  # 1e-3 divided by ten three times is 1e-6 only up to rounding
            self.finished = True
        else:
            self.rate, self.last_change = lower, step
