"""Adam against closed forms (Kingma & Ba 2015, Algorithm 1)."""

import numpy as np
import pytest

from refimpl.method.adam import BETA1, BETA2, EPSILON, adam_step
from refimpl.twins import backend


@pytest.fixture(autouse=True)
def plain_reference():
    with backend("numpy"):
        yield


def run(gradients, rate=0.1, epsilon=0.0, beta1=0.9, beta2=0.999):
    """Parameters that start at 0, after one step for each of the gradients."""
    parameters, moments = np.zeros(len(gradients[0])), np.zeros((2, len(gradients[0])))
    for step, gradient in enumerate(gradients, start=1):
        adam_step(parameters, np.array(gradient), *moments, step, rate, beta1, beta2, epsilon)
    return parameters, moments


def test_the_constants_are_those_of_the_paper():
    assert (BETA1, BETA2, EPSILON) == (0.9, 0.999, 1e-8)


def test_a_constant_gradient_of_any_size_moves_by_the_rate_each_step():
    # Bias correction makes both moments those of a constant: m = g, v = g^2.
    parameters, _ = run([[5.0, -1e-3, 0.02]] * 7)
    assert np.abs(parameters - [-0.7, 0.7, -0.7]).max() < 1e-13


def test_the_second_step_by_hand():
    # g = 1, then 0: m = 0.9 x 0.1 = 0.09, corrected by 0.19; v = 0.999 x 0.001 = 0.000999, corrected by 0.001999.
    parameters, moments = run([[1.0], [0.0]])
    assert abs(moments[0, 0] - 0.09) < 1e-16 and abs(moments[1, 0] - 0.000999) < 1e-18
    expected = -0.1 - 0.1 * (0.09 / 0.19) / np.sqrt(0.000999 / 0.001999)
    assert abs(parameters[0] - expected) < 1e-14


def test_epsilon_is_added_to_the_root_and_not_under_it():
    parameters, _ = run([[1e-8]], rate=1.0, epsilon=1e-8)
    assert abs(parameters[0] + 0.5) < 1e-12         # 1e-8 / (1e-8 + 1e-8); under the root it would be about 1e-4


def test_a_parameter_without_gradient_stays():
    parameters, moments = run([[0.0, 1.0]] * 3, epsilon=1e-8)
    assert parameters[0] == 0 and parameters[1] < 0 and not moments[:, 0].any()


def test_the_step_is_made_in_place_and_keeps_float32():
    parameters, moments = np.ones(4, np.float32), np.zeros((2, 4), np.float32)
    gradients = np.arange(4, dtype=np.float32)
    result = adam_step(parameters, gradients, *moments, 1, 1e-3, 0.9, 0.999, 1e-8)
    assert result is None and parameters.dtype == moments.dtype == np.float32
    assert gradients.tolist() == [0, 1, 2, 3]
    assert np.abs(parameters - np.float32([1, 0.999, 0.999, 0.999])).max() < 1.2e-7        # one unit of float32 at 1
