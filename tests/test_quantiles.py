"""Quantiles by walks over blocks are those of np.quantile over everything, to the bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refimpl.windows import quantiles
from refimpl.windows.quantiles import order_statistics, quantile

NUMBERS = st.lists(
    st.floats(allow_nan=False, allow_infinity=False, width=64, min_value=-1e300, max_value=1e300), min_size=1
)


@settings(max_examples=200, deadline=None)
@given(NUMBERS, st.floats(0, 1), st.integers(1, 5), st.integers(0, 3))
def test_a_quantile_is_that_of_numpy_to_the_bit(numbers, q, pieces, most):
    blocks = np.array_split(np.array(numbers), pieces)
    sorted_at_once = quantiles.MOST_SORTED
    quantiles.MOST_SORTED = most  # so that every round of counting is gone through
    try:
        assert quantile(lambda: blocks, q) == np.quantile(np.array(numbers), q)
    finally:
        quantiles.MOST_SORTED = sorted_at_once


def test_a_map_that_is_mostly_zero_has_its_upper_quantile_among_the_few_others(rng=np.random.default_rng(1)):
    values = np.where(rng.random(100_000) < 0.99, 0.0, rng.pareto(1.5, 100_000))
    blocks = np.array_split(values, 7)
    for q in (0.0, 0.5, 0.9899, 0.99, 0.999, 0.9999, 1.0):
        found = order_statistics(lambda: blocks, q)
        assert found.quantile() == np.quantile(values, q)
        assert (found.minimum, found.maximum, found.count) == (values.min(), values.max(), values.size)


def test_the_quantile_less_an_origin_is_that_of_the_shifted_numbers(rng=np.random.default_rng(2)):
    values = rng.lognormal(3, 2, 50_000) + 41_093.1
    found = order_statistics(lambda: np.array_split(values, 3), 0.9999)
    assert found.quantile(found.minimum) == np.quantile(values - values.min(), 0.9999)


def test_no_number_is_told():
    with pytest.raises(ValueError, match="no number"):
        quantile(lambda: [np.empty(0)], 0.5)
