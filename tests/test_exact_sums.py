"""Sums in base 2^32: exact for any doubles in any order, by the reference and by the kernel's vector code alike."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.tools.compiled import kernel
from kernels.tools.superaccumulator import STRETCH, add_all, carry, largest_bits
from refimpl.windows.exact_sums import DIGITS, carried, digits_of, exact


@kernel
def digits_in_stretches(values, digits):
    bits = values.view(np.int64)
    for start in range(0, values.size, STRETCH):
        stretch = bits[start : start + STRETCH]
        most, _ = largest_bits(stretch)
        add_all(values[start : start + STRETCH], stretch, most, digits[0])
    carry(digits)


def by_kernel(values):
    digits = np.zeros((1, DIGITS), np.int64)
    digits_in_stretches(values, digits)
    return digits[0]


BOTH = pytest.mark.parametrize("digits", [digits_of, by_kernel], ids=["reference", "kernel"])
positive = st.floats(0, allow_infinity=False, allow_nan=False)


def fraction(values):
    return sum(map(Fraction, values.tolist()), Fraction(0))


@BOTH
@settings(max_examples=200, deadline=None)
@given(st.lists(positive, max_size=60))
def test_the_sum_of_any_doubles_is_exact(digits, values):
    values = np.array(values, float)
    assert exact(digits(values)) == fraction(values)


@BOTH
@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 2047, 2048, 2049, 5000])
@pytest.mark.parametrize("bits", [0, 27, 54, 66, 67, 68, 200])
@pytest.mark.parametrize("scale", [-1074, -1020, -900, -30, 0, 300, 950])
def test_numbers_of_like_and_of_unlike_size_are_added_exactly(digits, size, bits, scale):
    rng = np.random.default_rng(size)
    below_overflow = rng.uniform(max(-bits, -1074 - scale), 0, size)
    values = np.ldexp(np.exp2(below_overflow), scale)
    assert exact(digits(values)) == fraction(values)


@BOTH
@pytest.mark.parametrize("gap", range(60, 75))
def test_the_last_bit_of_a_small_number_beside_a_large_one_is_kept(digits, gap):
    values = np.full(64, 1.0)
    values[40] = math.ldexp(1 + 2**-52, -gap)
    assert exact(digits(values)) == 63 + Fraction(2**52 + 1, 2 ** (52 + gap))


@BOTH
def test_the_largest_doubles_do_not_overflow(digits):
    values = np.full(3000, np.finfo(float).max)
    assert exact(digits(values)) == 3000 * Fraction(np.finfo(float).max)


@BOTH
@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 300))
def test_equal_sums_have_equal_digits_whatever_the_order_and_the_cut(digits, seed, cut):
    rng = np.random.default_rng(seed)
    values = 10.0 ** rng.uniform(-30, 30, 300)
    other = rng.permutation(values)
    parts = carried(digits(other[:cut]) + digits(other[cut:]))
    assert np.array_equal(digits(values), parts)
    assert float(exact(parts)) == math.fsum(values.tolist())
