"""Predictions of a linear model: the twin of ``refimpl.method.linear.weighted_features``.

One row is computed at a time, so each number is read once and only the answers are written.  The order of additions is
the reference's, so the bytes are the same too.
"""

from __future__ import annotations

import numpy as np

from kernels.tools.compiled import kernel
from kernels.tools.float64_intrinsics import uncounted
from kernels.tools.threads import run_parts

LINEAR_PART_ROWS = 65_536
"""Rows of X that a thread takes at a time."""


@kernel
def weighted_rows(part, worker, X, weights, intercept, result):
    X, weights, result = uncounted(X), uncounted(weights), uncounted(result)
    for row in range(part * LINEAR_PART_ROWS, min((part + 1) * LINEAR_PART_ROWS, X.shape[0])):
        total = 0.0
        for f in range(X.shape[1]):
            total += weights[f] * X[row, f]
        result[row] = total + intercept


def weighted_features(X, weights, intercept):
    if X.ndim != 2 or X.shape[1] != len(weights):
        raise ValueError(f"expected X (n, d) and d weights, got {X.shape} and {len(weights)}")
    X, weights = np.ascontiguousarray(X, np.float64), np.ascontiguousarray(weights, np.float64)
    result = np.empty(len(X))
    run_parts(weighted_rows, -(-len(X) // LINEAR_PART_ROWS), X, weights, float(intercept), result)
    return result
