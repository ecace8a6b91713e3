"""D08 and D09 in exact fractions: a map as an image, with its minimum, scale and number of clipped cells."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from tests.oracles.exact_resize import exact

QUANTILE = Fraction(9999, 10000)


def quantile(values: list[Fraction], share: Fraction) -> Fraction:
    """Linear between order statistics, the first at 0 and the last at 1."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def image_of(values: np.ndarray, valid: np.ndarray) -> tuple[np.ndarray, Fraction, Fraction, int]:
    """Image, minimum, scale, clipped."""
    numbers = exact(np.where(valid, values, 0))
    clipped = int(sum(number < 0 for number in numbers.ravel()))
    numbers = np.where(valid, np.maximum(numbers, Fraction(0)), Fraction(0))
    lowest = min(numbers[valid])
    shifted = [number - lowest for number in numbers[valid]]
    scale = quantile(shifted, QUANTILE) or max(shifted) or Fraction(1)
    return np.where(valid, (numbers - lowest) / scale, Fraction(0)), lowest, scale, clipped
