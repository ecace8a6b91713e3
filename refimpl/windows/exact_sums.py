"""Exact sums of float64 numbers, in any order: Eq. 3 by windows is built on them.

Every double of 0 or more is a whole number of 53 bits times a power of two, at least 2^-1074.  A sum of them is kept
as a whole multiple of 2^-1074, written in base 2^32 with 68 digits; they hold every sum of fewer than 2^63 doubles:

    sum = (digits[0] + 2^32 digits[1] + 2^64 digits[2] + ...) 2^-1074

Adding a double adds to three neighbouring digits, exactly.  A digit is int64 and may exceed 2^32 for a while; 2^29
numbers can be added before the digits must be ``carried``.  Nothing is rounded, so the sum does not depend on the
windows or on the order of the numbers.  ``exact`` turns digits into a fraction, which Python rounds correctly.
``refimpl.method.correction.share_out`` takes the same sums with ``math.fsum``.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

DIGITS = 68
LOW = 2**32 - 1
"""The bits that stay in a digit."""


def digits_of(values: np.ndarray) -> np.ndarray:
    """The sum of ``values`` (n,) float64, finite and 0 or more, as (68,) int64 digits, carried.

    >>> digits = digits_of(np.array([0.1, 0.2, 0.3]))
    >>> float(exact(digits)), 0.1 + 0.2 + 0.3
    (0.6, 0.6000000000000001)
    """
    bits = np.ascontiguousarray(values, np.float64).view(np.int64)
    exponent = bits >> 52
    whole = (bits & (2**52 - 1)) | np.where(exponent > 0, 2**52, 0)  # normal numbers do not store their first bit
    place = np.maximum(exponent, 1) - 1
    digit, shift = place >> 5, place & 31
    low, high = (whole & LOW) << shift, (whole >> 32) << shift
    digits = np.zeros(DIGITS, np.int64)
    for further, part in enumerate((low & LOW, (low >> 32) + (high & LOW), high >> 32)):
        np.add.at(digits, digit + further, part)
    return carried(digits)


def carried(digits: np.ndarray) -> np.ndarray:
    """The same sums (..., 68) with every digit from 0 to 2^32 - 1: equal sums have equal digits.

    >>> carried(np.array([2**32 + 5, -1] + 66 * [1]))[:3].tolist()
    [5, 0, 1]
    """
    digits = digits.copy()
    for at in range(DIGITS - 1):
        digits[..., at + 1] += digits[..., at] >> 32
        digits[..., at] &= LOW
    return digits


def exact(digits: np.ndarray) -> Fraction:
    """One sum, (68,) digits, as a fraction.

    >>> exact(digits_of(np.array([5e-324, 0.75]))) == Fraction(3, 4) + Fraction(1, 2**1074)
    True
    """
    return Fraction(sum(digit << (32 * at) for at, digit in enumerate(digits.tolist())), 2**1074)
