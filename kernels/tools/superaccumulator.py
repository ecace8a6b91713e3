"""Exact sums in base 2^32 for the kernels that work by province: ``refimpl.windows.exact_sums`` in vector code.

    add_all(values, bits, most, digits)     add values to the digits of a sum; most: the bits of their largest
    carry(digits)                           bring digits below 2^32

A superaccumulator is a sum that is long enough to hold every bit of every double: here 68 digits, laid out as in the
reference.  Adding one number after the other takes 2 to 3 ns each.  Idea: numbers of like size are first added up as
whole numbers.  With T = 1.5 x 2^52 u, u a power of two, the double x + T is T + q, where q is x rounded to a whole
number of u; the bits of that sum minus the bits of T are the integer q / u.  The rest x - q is exact.  So x is cut into
three integers, of units u, 2^-40 u and 2^-80 u, each of 40 bits at most; 2048 of them fit into an int64.  Sums of
integers can be taken in any order, so the whole loop becomes vector code.  At the end three integers are added to the
digits.

The first unit is 2^-40 times a power of two above the largest value; the third ends 67 bits below the last bit of the
largest.  Anything smaller, even one bit of one number, remains in the rest, is noticed, and the stretch is added number
by number instead.  So are stretches whose largest value is so large or small that a unit is not a double.
"""

from __future__ import annotations

import numpy as np

from kernels.tools.compiled import inner

STRETCH = 2048
"""The most numbers that ``add_all`` takes at once."""
WIDTH = 40
LOW = np.int64(2**32 - 1)
FRACTION = np.int64(2**52 - 1)
FIRST_BIT, HALF_BIT = np.int64(2**52), np.int64(2**51)
INFINITE = np.int64(0x7FF << 52)
"""The bits of infinity; those of nan are larger."""


@inner
def as_bits(x):
    return np.float64(x).view(np.int64)


@inner
def as_double(bits):
    return np.int64(bits).view(np.float64)


@inner
def add_integer(digits, number, place):
    """Add number x 2^place (x 2^-1074), number an int64 below 2^53, to (68,) digits."""
    at, shift = place >> 5, place & 31
    low, high = (number & LOW) << shift, (number >> 32) << shift
    digits[at] += low & LOW
    digits[at + 1] += (low >> 32) + (high & LOW)
    digits[at + 2] += high >> 32


@inner
def add_each(bits, digits):
    """Add the doubles that have these bits, one by one; they are finite and 0 or more."""
    for k in range(bits.size):
        exponent, whole = bits[k] >> 52, bits[k] & FRACTION
        if exponent > 0:
            add_integer(digits, whole | FIRST_BIT, exponent - 1)
        else:
            add_integer(digits, whole, exponent)


@inner
def shift_bits(place):
    """The bits of 1.5 x 2^52 units of 2^(place - 1075)."""
    return (place << 52) | HALF_BIT


@inner
def add_all(values, bits, most, digits):
    """Add at most STRETCH values, finite and 0 or more; bits: their bits; most: the bits of the largest."""
    place = (most >> 52) + 53 - WIDTH
    if values.size < 16 or place > 2046 or place - 2 * WIDTH < 1:
        add_each(bits, digits)
        return
    bits_1, bits_2, bits_3 = shift_bits(place), shift_bits(place - WIDTH), shift_bits(place - 2 * WIDTH)
    shift_1, shift_2, shift_3 = as_double(bits_1), as_double(bits_2), as_double(bits_3)
    sum_1, sum_2, sum_3, left = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    for k in range(values.size):
        rest = values[k]
        moved = rest + shift_1
        sum_1 += as_bits(moved) - bits_1
        rest -= moved - shift_1
        moved = rest + shift_2
        sum_2 += as_bits(moved) - bits_2
        rest -= moved - shift_2
        moved = rest + shift_3
        sum_3 += as_bits(moved) - bits_3
        rest -= moved - shift_3
        left |= as_bits(rest)
    if left << 1:  # the shift drops the sign of a zero
        add_each(bits, digits)
        return
    add_integer(digits, sum_1, place - 1)
    add_integer(digits, sum_2, place - 1 - WIDTH)
    add_integer(digits, sum_3, place - 1 - 2 * WIDTH)


@inner
def largest_bits(bits):
    """The largest of these bits of doubles, and all bits joined by "or", which is negative if one of the doubles is."""
    most, together = np.int64(0), np.int64(0)
    for k in range(bits.size):
        most = max(most, bits[k])
        together |= bits[k]
    return most, together


@inner
def carry(digits):
    """Bring the digits of (k, 68) sums below 2^32."""
    for row in range(digits.shape[0]):
        for at in range(digits.shape[1] - 1):
            digits[row, at + 1] += digits[row, at] >> 32
            digits[row, at] &= LOW
