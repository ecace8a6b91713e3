"""D05, D06: scaling by extremes, by a quantile, and to unit variance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from refimpl.errors import InputError
from refimpl.method.scaling import MinMaxScaler, StandardScaler

amounts = st.floats(-1e6, 1e6)


def test_columns_are_scaled_by_their_own_extremes():
    scaler = MinMaxScaler().fit([[2.0, 100.0], [6.0, 300.0], [4.0, 150.0]])
    assert scaler.transform([[2.0, 300.0], [6.0, 100.0], [3.0, 150.0]]).tolist() == [[0, 1], [1, 0], [0.25, 0.25]]
    assert (scaler.data_min_.tolist(), scaler.data_range_.tolist()) == ([2.0, 100.0], [4.0, 200.0])


def test_other_data_leave_the_unit_interval_unless_clipped():
    fit, other = [[0.0], [10.0]], [[-5.0], [5.0], [20.0]]
    assert MinMaxScaler().fit(fit).transform(other).tolist() == [[-0.5], [0.5], [2.0]]
    assert MinMaxScaler(clip=True).fit(fit).transform(other).tolist() == [[0.0], [0.5], [1.0]]


def test_a_constant_column_becomes_zero():
    scaler = MinMaxScaler().fit([[7.0, 0.0], [7.0, 1.0]])
    assert scaler.transform([[7.0, 0.5], [9.0, 0.5]])[:, 0].tolist() == [0.0, 0.0]


def test_upper_quantile_keeps_one_bright_cell_from_setting_the_scale():
    cells = np.append(np.arange(1001.0), 1e6)[:, None]
    scaler = MinMaxScaler(upper_quantile=0.999, clip=True).fit(cells)
    # 1002 samples: position 0.999 * 1001 = 999.999 between the values 999 and 1000.
    assert scaler.data_max_[0] == pytest.approx(999.999, rel=1e-12)
    assert scaler.transform([[1e6], [500.0]]).ravel() == pytest.approx([1.0, 500 / 999.999], rel=1e-12)
    free = MinMaxScaler(upper_quantile=0.999).fit(cells)
    assert free.transform([[1e6]])[0, 0] == pytest.approx(1e6 / 999.999, rel=1e-12)


def test_a_quantile_at_the_minimum_gives_way_to_the_maximum():
    dark = np.zeros((10_000, 1))
    dark[0] = 8.0
    assert MinMaxScaler(upper_quantile=0.999).fit(dark).transform([[4.0]])[0, 0] == 0.5
    bounds = np.array([0.0]), np.array([0.0]), np.array([8.0])  # as the engine finds them
    assert MinMaxScaler(upper_quantile=0.999).set_bounds(*bounds).transform([[4.0]])[0, 0] == 0.5


@given(arrays(float, (5, 2), elements=amounts))
def test_scaled_values_lie_in_the_unit_interval_and_bounds_lead_back_from_them(X):
    scaler = MinMaxScaler().fit(X)
    back = scaler.transform(X) * scaler.data_range_ + scaler.data_min_
    size = np.abs(X).max() + 1e-300
    np.testing.assert_allclose(back, X, rtol=0, atol=4 * np.finfo(float).eps * size)  # four roundings
    scaled = scaler.transform(X)
    assert scaled.min() >= 0 and scaled.max() <= 1


def test_the_target_gets_mean_zero_and_population_variance_one():
    scaler = StandardScaler().fit([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0])
    assert (float(scaler.mean_), float(scaler.scale_)) == (5.0, 2.0)  # ddof 0; with ddof 1 it is 2.138
    assert scaler.transform([9.0, 5.0]).tolist() == [2.0, 0.0]
    assert scaler.inverse_transform([2.0, -1.0]).tolist() == [9.0, 3.0]


def test_an_equal_target_is_scaled_by_one():
    scaler = StandardScaler().fit(np.full(30, 0.1))
    assert (float(scaler.mean_), float(scaler.scale_)) == (0.1, 1.0)
    assert scaler.transform([0.1, 1.1]).tolist() == [0.0, 1.0]


def test_columns_can_be_standardised_too():
    X = [[0.0, 1.0], [2.0, 1.0]]
    assert StandardScaler().fit(X).transform(X).tolist() == [[-1.0, 0.0], [1.0, 0.0]]


@pytest.mark.parametrize("quantile", [-0.1, 1.1, "high", float("nan")])
def test_a_bad_quantile_is_one_sentence(quantile):
    with pytest.raises(InputError, match="^MinMaxScaler: upper_quantile is "):
        MinMaxScaler(upper_quantile=quantile).fit([[0.0]])


def test_scalers_refuse_nan_no_samples_other_features_and_use_before_the_fit():
    for scaler, empty in ((MinMaxScaler(), np.empty((0, 2))), (StandardScaler(), [])):
        with pytest.raises(ValueError, match="not fitted"):
            scaler.transform([[1.0, 2.0]])
        with pytest.raises(ValueError, match="at least 1"):
            scaler.fit(empty)
        with pytest.raises(ValueError, match="nan"):
            scaler.fit([[np.nan, 1.0]])
    with pytest.raises(ValueError, match="3 features, but the fit had 2"):
        MinMaxScaler().fit([[0.0, 1.0]]).transform([[0.0, 1.0, 2.0]])


def test_scaling_leaves_its_input_alone():
    X = np.array([[1.0, 5.0], [3.0, 5.0]])
    MinMaxScaler(clip=True).fit(X).transform(X)
    assert X.tolist() == [[1.0, 5.0], [3.0, 5.0]]
