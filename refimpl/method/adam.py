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
    parameters: np.ndarray,
    gradients: np.ndarray,
    first_moment: np.ndarray,
    second_moment: np.ndarray,
    step: int,
    rate: float,
    beta1: float,
    beta2: float,
    epsilon: float,
) -> None:
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
    """Refuse numbers with which Adam would stand still, run uphill or divide by 0."""
    if step < 1:
        raise InputError(f"Adam: step is {step}; expected a step from 1 on")
    if not 0 < rate < float("inf"):
        raise InputError(f"Adam: rate is {rate}; expected a number above 0")
    for name, beta in (("beta1", beta1), ("beta2", beta2)):
        if not 0 <= beta < 1:
            raise InputError(f"Adam: {name} is {beta}; expected a number from 0 to below 1")
    if not 0 <= epsilon < float("inf"):
        raise InputError(f"Adam: epsilon is {epsilon}; expected a number, 0 or more")
