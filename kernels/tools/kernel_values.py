"""Kernel values k(x, z) in float64 for many rows x and one point z: what the SVR's kernels spend their time on.

Each feature of all rows lies side by side in memory, and rows are taken in blocks.  So differences, squares and
exponentials (``exponential``) run over neighbouring numbers, several in one instruction, and everything between reading
a row and writing its value stays in the processor's nearest cache.  Features are filled up with zeros to a multiple of
four, and four are added in one pass.

A row's value is the same arithmetic in the same order wherever its block begins, so neither blocks nor threads change
a bit.  The reference is ``refimpl.method.kernel_functions``.
"""

from __future__ import annotations

import numpy as np

from kernels.tools.compiled import inner
from kernels.tools.exponential import exponentials
from kernels.tools.float64_intrinsics import multiply_add

CODES = {"linear": 0, "rbf": 1, "poly": 2}
"""The kernel functions of Table 1, as numbers that compiled code compares."""
RBF, POLYNOMIAL = CODES["rbf"], CODES["poly"]
GROUP = 4
"""Features that are added in one pass."""
BLOCK = 256
"""Rows whose features and kernel values stay in the nearest cache."""


@inner
def kernel_values(columns, first, point, code, gamma, degree, coef0, values, power):
    """values[k] = k(row first + k, point); columns (d, rows), point (d,), d a multiple of GROUP; power: work memory."""
    rows = values.size
    for k in range(rows):
        values[k] = 0.0
    for f in range(0, point.size, GROUP):
        x0, x1 = columns[f, first : first + rows], columns[f + 1, first : first + rows]
        x2, x3 = columns[f + 2, first : first + rows], columns[f + 3, first : first + rows]
        z0, z1, z2, z3 = point[f], point[f + 1], point[f + 2], point[f + 3]
        if code == RBF:
            for k in range(rows):
                total, a, b, c, d = values[k], x0[k] - z0, x1[k] - z1, x2[k] - z2, x3[k] - z3
                values[k] = multiply_add(d, d, multiply_add(c, c, multiply_add(b, b, multiply_add(a, a, total))))
        else:
            for k in range(rows):
                total = multiply_add(x1[k], z1, multiply_add(x0[k], z0, values[k]))
                values[k] = multiply_add(x3[k], z3, multiply_add(x2[k], z2, total))
    if code == RBF:
        exponentials(-gamma, values, power)
    elif code == POLYNOMIAL:
        raise_to(degree, gamma, coef0, values, power)


@inner
def raise_to(degree, gamma, coef0, values, power):
    """values[k] = (gamma values[k] + coef0)^degree, by squaring."""
    rows = values.size
    for k in range(rows):
        power[k] = gamma * values[k] + coef0
        values[k] = 1.0
    while degree > 0:
        if degree & 1:
            for k in range(rows):
                values[k] *= power[k]
        degree >>= 1
        if degree > 0:
            for k in range(rows):
                power[k] *= power[k]


@inner
def whole_power(base, degree):
    """base^degree for one number, by the same products as ``raise_to``."""
    value = 1.0
    while degree > 0:
        if degree & 1:
            value *= base
        degree >>= 1
        base *= base
    return value


def with_zero_features(X: np.ndarray) -> np.ndarray:
    """X (n, d) as float64, with columns of zeros that fill up the last group."""
    n, d = X.shape
    result = np.zeros((n, -(-d // GROUP) * GROUP))
    result[:, :d] = X
    return result
