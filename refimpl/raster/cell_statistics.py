"""Statistics of valid cells, block by block: as GDAL keeps them in a file.

Section "Raster data".  Mean and standard deviation (of all cells, not of a sample) in float64, blocks joined in the
order in which they come by the formulas of Chan, Golub & LeVeque (1979): the difference of large sums is never taken.
"""

from __future__ import annotations

import math

import numpy as np


class CellStatistics:
    """Count, smallest, largest, mean and standard deviation of the cells added so far.

    >>> statistics = CellStatistics()
    >>> statistics.add(np.array([1.0, 3.0, 0.0]), np.array([True, True, False]))
    >>> statistics.add(np.array([5.0]), np.array([True]))
    >>> statistics.mean, statistics.minimum, statistics.maximum, round(statistics.deviation, 3)
    (3.0, 1.0, 5.0, 1.633)
    """

    def __init__(self):
        self.cells = self.count = 0
        self.minimum = self.maximum = None
        self.mean = self._squares = 0.0

    @property
    def deviation(self) -> float:
        """The standard deviation; 0 without a cell."""
        return math.sqrt(self._squares / self.count) if self.count else 0.0

    def add(self, values: np.ndarray, valid: np.ndarray) -> None:
        """Count in a block: ``values`` and ``valid`` of one shape."""
        self.cells += values.size
        chosen = values if valid.all() else values[valid]
        if not chosen.size:
            return
        low, high = chosen.min().item(), chosen.max().item()
        self.minimum = low if self.minimum is None else min(low, self.minimum)
        self.maximum = high if self.maximum is None else max(high, self.maximum)
        with np.errstate(over="ignore", invalid="ignore"):  # beyond 1e154 the squares are infinite
            mean = float(chosen.mean(dtype=float))
            squares = float(np.square(chosen - mean, dtype=float).sum())
        apart, total = mean - self.mean, self.count + chosen.size
        self._squares += squares + apart * apart * (self.count * chosen.size / total)
        self.mean += apart * (chosen.size / total)
        self.count = total

    def texts(self) -> dict[str, str]:
        """GDAL's items, each number with the digits that make it the same again; what is not finite is left out.

        >>> CellStatistics().texts()
        {'STATISTICS_VALID_PERCENT': '0.0'}
        """
        numbers = {"VALID_PERCENT": 100 * self.count / max(self.cells, 1)}
        if self.count:
            numbers |= {"MAXIMUM": self.maximum, "MEAN": self.mean, "MINIMUM": self.minimum, "STDDEV": self.deviation}
        return {f"STATISTICS_{name}": repr(numbers[name]) for name in sorted(numbers) if math.isfinite(numbers[name])}
