"""Sums of weighted kernel values, as an SVR predicts: the twin of ``refimpl.method.kernel_functions.kernel_expansion``.

Rows are taken in blocks that stay in the processor's nearest cache, and a block meets one support vector after the
other (``kernels.tools.kernel_values``).  The sum of a row is taken in the order of the support vectors, wherever its
block begins, so neither blocks nor threads change a bit.  ``kernels.smo`` takes its residual from here too.
"""

from __future__ import annotations

import numpy as np

from kernels.tools.compiled import kernel
from kernels.tools.float64_intrinsics import multiply_add, uncounted
from kernels.tools.kernel_values import BLOCK, CODES, kernel_values, with_zero_features
from kernels.tools.threads import run_parts, workers

EXPANSION_PART_ROWS = 16 * BLOCK
"""Rows of X that a thread takes at a time."""


@kernel
def expansion_rows(part, worker, X, points, weights, code, gamma, degree, coef0, blocks, memory, result):
    """result[row] = sum over p of weights[p] k(X[row], points[p]) for a part's rows; the p in their order."""
    X, points, weights, result = uncounted(X), uncounted(points), uncounted(weights), uncounted(result)
    columns, values = uncounted(blocks[worker]), uncounted(memory[worker, 0])
    power, total = uncounted(memory[worker, 1]), uncounted(memory[worker, 2])
    n, d = X.shape
    for first in range(part * EXPANSION_PART_ROWS, min((part + 1) * EXPANSION_PART_ROWS, n), BLOCK):
        rows = min(BLOCK, n - first)
        for k in range(rows):
            total[k] = 0.0
            for f in range(d):
                columns[f, k] = X[first + k, f]
        for p in range(weights.size):
            weight = weights[p]
            kernel_values(columns, 0, points[p], code, gamma, degree, coef0, values[:rows], power)
            for k in range(rows):
                total[k] = multiply_add(weight, values[k], total[k])
        for k in range(rows):
            result[first + k] = total[k]


def expansion(X, points, weights, *settings):
    """``kernel_expansion`` (n,) for points with their zero features; ``settings``: code, gamma, degree, coef0."""
    parts = -(-len(X) // EXPANSION_PART_ROWS)
    blocks, memory = np.zeros((workers(parts), points.shape[1], BLOCK)), np.empty((workers(parts), 3, BLOCK))
    result = np.empty(len(X))
    run_parts(expansion_rows, parts, X, points, weights, *settings, blocks, memory, result)
    return result


def kernel_expansion(X, Z, weights, kernel, gamma, degree, coef0):
    if X.ndim != 2 or Z.shape != (len(weights), X.shape[1]):
        raise ValueError(f"expected X (n, d), Z (m, d) and m weights, got {X.shape}, {Z.shape} and {len(weights)}")
    X, weights = np.ascontiguousarray(X, np.float64), np.ascontiguousarray(weights, np.float64)
    return expansion(X, with_zero_features(Z), weights, CODES[kernel], float(gamma), int(degree), float(coef0))
