"""Kernel of ``refimpl.method.kernel_functions.kernel_expansion``; ``kernels.smo`` takes its rows of values too.

Idea: feature after feature lies in memory, a block of rows at a time, so that differences, squares and exponentials
(``kernels.tools.exponential``) run over neighbouring numbers, several in one instruction, and all that happens between
reading a row and writing its answer stays in the processor's nearest cache.  Features are padded with zeros to a
multiple of four, which are added in one pass.

A row's answer is the same arithmetic in the same order wherever its block begins: neither blocks nor threads show.
"""

from __future__ import annotations

import numpy as np

from kernels.tools.compiled import inner, kernel
from kernels.tools.exponential import exponentials
from kernels.tools.float64_intrinsics import multiply_add, uncounted
from kernels.tools.threads import run_parts, workers

CODES = {"linear": 0, "rbf": 1, "poly": 2}
RBF, POLYNOMIAL = CODES["rbf"], CODES["poly"]
GROUP = 4
"""Features that are added in one pass."""
BLOCK = 256
"""Rows whose features and kernel values stay in the nearest cache."""
PART = 16 * BLOCK
"""Rows of a part for a thread."""


@inner
def kernel_values(columns, first, point, code, gamma, degree, coef0, values, power):
    """values[k] = k(row first + k, point): columns (d padded, rows), point (d padded,); power is work memory."""
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


@kernel
def expansion_rows(part, worker, X, points, weights, code, gamma, degree, coef0, blocks, memory, result):
    """result[row] = sum over p of weights[p] k(X[row], points[p]) for a part's rows; the p in their order."""
    X, points, weights, result = uncounted(X), uncounted(points), uncounted(weights), uncounted(result)
    columns, values = uncounted(blocks[worker]), uncounted(memory[worker, 0])
    power, total = uncounted(memory[worker, 1]), uncounted(memory[worker, 2])
    n, d = X.shape
    for first in range(part * PART, min((part + 1) * PART, n), BLOCK):
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


def padded(X: np.ndarray) -> np.ndarray:
    """X (n, d), float64, with columns of zeros that fill up the last group."""
    n, d = X.shape
    result = np.zeros((n, -(-d // GROUP) * GROUP))
    result[:, :d] = X
    return result


def expansion(X, points, weights, *settings):
    """(n,): ``kernel_expansion`` for points that are padded already; settings are code, gamma, degree, coef0."""
    parts = -(-len(X) // PART)
    blocks, memory = np.zeros((workers(parts), points.shape[1], BLOCK)), np.empty((workers(parts), 3, BLOCK))
    result = np.empty(len(X))
    run_parts(expansion_rows, parts, X, points, weights, *settings, blocks, memory, result)
    return result


def kernel_expansion(X, Z, weights, kernel, gamma, degree, coef0):
    if X.ndim != 2 or Z.shape != (len(weights), X.shape[1]):
        raise ValueError(f"expected X (n, d), Z (m, d) and m weights, got {X.shape}, {Z.shape} and {len(weights)}")
    X, weights = np.ascontiguousarray(X, np.float64), np.ascontiguousarray(weights, np.float64)
    return expansion(X, padded(Z), weights, CODES[kernel], float(gamma), int(degree), float(coef0))
