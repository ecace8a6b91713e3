"""Adam, the optimiser of the training (Kingma & Ba 2015, Algorithm 1; D11: 0.9, 0.999, 1e-8).

All arrays are 1-D, of one length and dtype; the moments start at 0.
"""

from __future__ import annotations

import numpy as np

from refimpl.errors import InputError
from refimpl.twins import twin

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


@twin("kernels.adam")
def adam_step(
    parameters: np.ndarray, gradients: np.ndarray, first_moment: np.ndarray, second_moment: np.ndarray,
    step: int, rate: float, beta1: float, beta2: float, epsilon: float,
) -> None:  # fmt: skip
    """One step of Adam, bias-corrected, in place on ``parameters`` and both moments; ``step`` counts from 1.

    m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
    parameters -= rate (m / (1 - beta1^step)) / (sqrt(v / (1 - beta2^step)) + epsilon)

    >>> parameters, m, v = np.array([1.0, 1.0]), np.zeros(2), np.zeros(2)
    >>> adam_step(parameters, np.array([8.0, -0.25]), m, v, 1, 0.5, 0.9, 0.999, 0.0)    # the first step is the rate
    >>> parameters.round(12)
    array([0.5, 1.5])
    """
    check_step(step, rate, beta1, beta2, epsilon)
    first_moment *= beta1
    first_moment += (1 - beta1) * gradients
    second_moment *= beta2
    second_moment += (1 - beta2) * gradients * gradients
    spread = np.sqrt(second_moment / (1 - beta2**step))
    parameters -= rate * (first_moment / (1 - beta1**step)) / (spread + epsilon)


def check_step(step: int, rate: float, beta1: float, beta2: float, epsilon: float) -> None:
    """Refuse numbers with which Adam would stand still, run uphill or divide by 0.

    >>> check_step(0, 1e-3, 0.9, 0.999, 1e-8)
    Traceback (most recent call last):
    refimpl.errors.InputError: Adam: step is 0; expected a step from 1 on
    """
    for name, value, good, expected in (
        ("step", step, step >= 1, "a step from 1 on"),
        ("rate", rate, 0 < rate < np.inf, "a number above 0"),
        ("beta1", beta1, 0 <= beta1 < 1, "a number from 0 to below 1"),
        ("beta2", beta2, 0 <= beta2 < 1, "a number from 0 to below 1"),
        ("epsilon", epsilon, 0 <= epsilon < np.inf, "a number, 0 or more"),
    ):
        if not good:
            raise InputError(f"Adam: {name} is {value}; expected {expected}")
