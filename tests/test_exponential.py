"""The exponential of the kernels against decimal arithmetic with 50 digits."""

from __future__ import annotations

import decimal
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from kernels.tools.exponential import exponentials

EXACT = decimal.Context(prec=50)


@njit(error_model="numpy")
def in_place(factor, values, wholes):
    exponentials(factor, values, wholes)


def exp(x, factor=1.0):
    values = np.array(x, np.float64)
    in_place(factor, values, np.empty(values.size))
    return values


def error_in_ulp(x, found):
    """|found - e^x| in units of the last place of ``found``."""
    true = EXACT.exp(decimal.Decimal(x))
    return float(abs(decimal.Decimal(float(found)) - true) / decimal.Decimal(float(np.spacing(found))))


@pytest.mark.parametrize("low, high", [(-0.35, 0.35), (-3.0, 0.0), (-708.0, 709.7), (-746.0, -707.0), (-1e-7, 1e-7)])
def test_the_exponential_is_within_two_units_in_the_last_place(low, high):
    x = np.random.default_rng(0).uniform(low, high, 4001)  # odd: the last ones are no whole vector
    assert max(map(error_in_ulp, x.tolist(), exp(x))) < 1.5


@given(st.lists(st.floats(-745.0, 709.7), min_size=1, max_size=20))
@settings(deadline=None)
def test_any_finite_result_is_within_two_units_in_the_last_place(x):
    assert max(map(error_in_ulp, x, exp(x))) < 1.5


def test_rounding_to_a_whole_number_of_ln2_is_right_beside_every_half():
    x = (np.arange(-1074, 1024) + 0.5) * math.log(2)
    for near in (x, np.nextafter(x, np.inf), np.nextafter(x, -np.inf)):
        near = near[near < 709.78]
        assert max(map(error_in_ulp, near.tolist(), exp(near))) < 1.5


def test_the_ends_of_the_range_and_what_is_no_number():
    x = [0.0, -0.0, 5e-324, -np.inf, -1e308, -746.0, -745.14, np.inf, 1e308, 709.79]
    assert exp(x).tolist() == [1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, np.inf, np.inf, np.inf]
    assert not np.signbit(exp(x)).any()
    assert np.isnan(exp([np.nan, -np.nan, 1.0])).tolist() == [True, True, False]
    assert exp([-745.13])[0] == 5e-324  # the least number there is; e^-745.13 is 0.504 of it
    assert exp([709.782712893384])[0] > 1.79e308


def test_the_factor_is_applied_first():
    assert exp([3.0, np.inf, 0.0], -2.0).tolist() == exp([-6.0, -np.inf, 0.0]).tolist()
    assert np.isnan(exp([np.inf], 0.0)[0])
