"""Statistics of valid cells, gathered block by block, in the form in which GDAL keeps them in a file.

Section "Raster data".  Mean and standard deviation (of all cells, not of a sample) are float64.  Blocks are joined in
the order in which they come, by the formulas of Chan, Golub & LeVeque (1979), which never subtract large sums.
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
        self.mean = self.squares = 0.0  # squares: the sum of all (value - mean)^2

    @property
    def deviation(self) -> float:
        """The standard deviation; 0 without a cell."""
        return math.sqrt(self.squares / self.count) if self.count else 0.0

    def add(self, values: np.ndarray, valid: np.ndarray) -> None:
        """Count in a block: ``values`` and ``valid`` of one shape."""
        self.join(block_statistics(values, valid))

    def join(self, block: CellStatistics) -> None:
        """Count in the cells of another."""
        self.cells += block.cells
        if not block.count:
            return
        self.minimum = block.minimum if self.minimum is None else min(block.minimum, self.minimum)
        self.maximum = block.maximum if self.maximum is None else max(block.maximum, self.maximum)
        apart, total = block.mean - self.mean, self.count + block.count
        self.squares += block.squares + apart * apart * (self.count * block.count / total)
        self.mean += apart * (block.count / total)
        self.count = total

    def texts(self) -> dict[str, str]:
        """GDAL's items, each number with the digits that read back as the same number; without what is not finite.

        >>> CellStatistics().texts()
        {'STATISTICS_VALID_PERCENT': '0.0'}
        """
        numbers = {"VALID_PERCENT": 100 * self.count / max(self.cells, 1)}
        if self.count:
            numbers |= {"MAXIMUM": self.maximum, "MEAN": self.mean, "MINIMUM": self.minimum, "STDDEV": self.deviation}
        return {f"STATISTICS_{name}": repr(numbers[name]) for name in sorted(numbers) if math.isfinite(numbers[name])}


def block_statistics(values: np.ndarray, valid: np.ndarray) -> CellStatistics:
    """The statistics of one block, summed by NumPy.

    >>> block_statistics(np.array([1, 3, 0]), np.array([True, True, False])).mean
    2.0
    """
    block = CellStatistics()
    block.cells = values.size
    chosen = values if valid.all() else values[valid]
    if chosen.size:
        block.count = chosen.size
        block.minimum, block.maximum = chosen.min().item(), chosen.max().item()
        with np.errstate(over="ignore", invalid="ignore"):  # beyond 1e154 the squares are infinite
            numbers = chosen.astype(float, copy=False)
            block.mean = float(numbers.mean())
            apart = numbers - block.mean
            block.squares = float(np.square(apart, out=apart).sum())
    return block
