"""The SVR's solver without the whole kernel matrix: the twin of ``refimpl.method.smo.minimise_dual``.

The steps are those of the reference.  What differs:

- One variable for each sample.  Of a sample's pair a_k, a_(n+k) at most one need differ from 0, so beta_k stands for
  both.  The value of a sample is residual + up if its beta grows and residual + low if it falls.  ``up`` and ``low``
  are -epsilon or +epsilon, by the sign of beta, and infinite at -C or C.
- Rows of the kernel matrix are computed when a step needs them and kept as far as ``cache_size`` allows
  (``kernels.tools.kernel_matrix_rows``).
- Shrinking (Joachims 1998; Chang & Lin 2011, 5.1; ``kernels.tools.shrinking``): a sample that no pair would take,
  whether it grows or falls, is put aside.  Arrays and the rows that are kept close up: passes are shorter and more rows
  fit.  When the others are solved, all samples come back with a residual that is computed afresh, and the steps go on
  until all of them meet the stopping rule or the steps are used up.
- The passes that look for a pair are loops of vector code (``kernels.tools.working_set``).

Each number is computed by one thread, in the same way whichever thread it is, so any number of threads gives the same
bytes.  Threads share only the rows of very many samples or features, and the residual of all samples.
"""

from __future__ import annotations

import math

import numpy as np

from kernels.svr import expansion
from kernels.tools.compiled import inner, kernel
from kernels.tools.float64_intrinsics import multiply_add, uncounted
from kernels.tools.kernel_matrix_rows import cached_row, fill_row
from kernels.tools.kernel_values import BLOCK, CODES, POLYNOMIAL, RBF, whole_power, with_zero_features
from kernels.tools.shrinking import shrink
from kernels.tools.working_set import TAU, first_of_pair, second_of_pair
from refimpl.method.kernel_functions import overflow

ROUNDING = 4 * np.finfo(float).eps
SHRINK_EVERY = 1000
"""Steps between two attempts to shrink."""
MOST_RETURNS = 10
"""How often the samples put aside may come back before shrinking ends."""
LARGE_ROW = 2**22
"""Samples times features from which a row is shared among threads; below it, handing work over costs more."""
SOLVED, ROW_WANTED, SHRINK_DUE = 0, 1, 2


@inner
def offsets(weight, C, epsilon):
    """What is added to a sample's residual where its beta is to grow, and where it is to fall."""
    up = -np.inf if weight >= C else epsilon if weight < 0.0 else -epsilon
    low = np.inf if weight <= -C else -epsilon if weight > 0.0 else epsilon
    return up, low


@kernel
def begin(X, beta, fresh, C, epsilon, code, gamma, degree, coef0, columns, vectors, indices):
    """Fill the arrays for all samples, from beta (n,) and its residual ``fresh`` (n,); return the largest |x|^2."""
    diagonal, residual, up, low = vectors[0], vectors[1], vectors[2], vectors[3]
    largest = 0.0
    for k in range(X.shape[0]):
        norm = 0.0
        for f in range(X.shape[1]):
            columns[f, k] = X[k, f]
            norm = multiply_add(X[k, f], X[k, f], norm)
        diagonal[k] = 1.0 if code == RBF else whole_power(gamma * norm + coef0, degree) if code == POLYNOMIAL else norm
        largest = max(largest, norm)
        residual[k], vectors[4, k] = fresh[k], beta[k]
        up[k], low[k] = offsets(beta[k], C, epsilon)
        indices[0, k] = indices[1, k] = indices[2, k] = -1
        indices[3, k] = k
    return largest


@kernel
def iterate(
    size, slots, shared, n_iter, due, limit, C, epsilon, tol, code, gamma, degree, coef0,
    columns, vectors, indices, rows, point, lanes,
):  # fmt: skip
    """Take steps until something else is due; return what, the slot of a row, the steps so far, m(a) and M(a)."""
    columns, vectors, indices, rows = uncounted(columns), uncounted(vectors), uncounted(indices), uncounted(rows)
    point, lanes = uncounted(point), uncounted(lanes)
    diagonal, residual, up = vectors[0, :size], vectors[1, :size], vectors[2, :size]
    low, beta = vectors[3, :size], vectors[4, :size]
    row_i, row_j, step = diagonal, diagonal, 0.0
    while True:
        i, top, bottom, peak = first_of_pair(step, row_i, row_j, residual, up, low, lanes)
        gap = top - bottom
        if gap < tol or n_iter == limit or gap <= ROUNDING * (peak + epsilon):
            return SOLVED, -1, n_iter, top, bottom
        if n_iter >= due:
            return SHRINK_DUE, -1, n_iter, top, bottom
        slot = cached_row(
            i, n_iter, size, slots, shared, columns, code, gamma, degree, coef0, indices, rows, point, lanes[3]
        )
        if slot < 0:
            return ROW_WANTED, -1 - slot, n_iter, top, bottom
        row_i = rows[slot * size : slot * size + size]
        j = second_of_pair(i, top, row_i, residual, low, diagonal, lanes)
        slot = cached_row(
            j, n_iter, size, slots, shared, columns, code, gamma, degree, coef0, indices, rows, point, lanes[3]
        )
        if slot < 0:
            return ROW_WANTED, -1 - slot, n_iter, top, bottom
        row_j = rows[slot * size : slot * size + size]
        curvature = diagonal[i] + diagonal[j] - 2.0 * row_i[j]
        wanted = (top - (residual[j] + low[j])) / (curvature if curvature > 0.0 else TAU)
        step = two_variable_step(i, j, wanted, C, beta)
        if step == 0.0:
            return SOLVED, -1, n_iter, top, bottom
        up[i], low[i] = offsets(beta[i], C, epsilon)
        up[j], low[j] = offsets(beta[j], C, epsilon)
        n_iter += 1


@inner
def two_variable_step(i, j, wanted, C, beta):
    """Move beta_i up and beta_j down by ``wanted``, or as far as 0 or the box; return the step, 0 if neither moves."""
    room_i, end_i = (-beta[i], 0.0) if beta[i] < 0.0 else (C - beta[i], C)
    room_j, end_j = (beta[j], 0.0) if beta[j] > 0.0 else (C + beta[j], -C)
    step = min(wanted, room_i, room_j)
    new_i = end_i if step == room_i else beta[i] + step
    new_j = end_j if step == room_j else beta[j] - step
    if new_i == beta[i] and new_j == beta[j]:
        return 0.0
    beta[i], beta[j] = new_i, new_j
    return step


@kernel
def settle(y, C, epsilon, size, beta, residual, vectors, indices, rows):
    """Write beta back, and compute the residual afresh if all rows for it are kept; whether so, and ``summary``."""
    slot_of, samples = indices[0], indices[3]
    complete = size == y.size
    for k in range(size):
        beta[samples[k]] = vectors[4, k]
        complete = complete and (vectors[4, k] == 0.0 or slot_of[k] >= 0)
    if not complete:
        return False, 0.0, 0.0
    for s in range(size):
        residual[s] = 0.0
    for k in range(size):
        if beta[k] != 0.0:
            weight, row = beta[k], rows[slot_of[k] * size : slot_of[k] * size + size]
            for s in range(size):
                residual[s] = multiply_add(weight, row[s], residual[s])
    for s in range(size):
        residual[s] = y[s] - residual[s]
    intercept, gap = summary(residual, beta, C, epsilon)
    return True, intercept, gap


@kernel
def summary(residual, beta, C, epsilon):
    """The intercept (the mean over free samples, else the middle of the interval it may lie in), and m(a) - M(a)."""
    top, bottom, total, free = -np.inf, np.inf, 0.0, 0
    for k in range(beta.size):
        up, low = offsets(beta[k], C, epsilon)
        top, bottom = max(top, residual[k] + up), min(bottom, residual[k] + low)
        if 0.0 < abs(beta[k]) < C:
            total += residual[k] + up
            free += 1
    return total / free if free else (top + bottom) / 2, top - bottom


def minimise_dual(X, y, kernel, gamma, degree, coef0, C, epsilon, tol, max_iter, cache_size, shrinking):
    n, X, kind = y.size, with_zero_features(X), (CODES[kernel], float(gamma), int(degree), float(coef0))
    C, epsilon, n_iter, returns = float(C), float(epsilon), 0, 0
    beta, residual, columns = np.zeros(n), y, np.empty((X.shape[1], n))
    vectors, indices = np.empty((5, n)), np.empty((4, n), np.int64)
    rows = np.empty(min(n * n, max(2 * n, int(cache_size * 2**20 / 8))))
    shrinking = shrinking and rows.size < n * n  # where all rows are kept, shrinking costs more than it saves
    while True:
        largest = begin(X, beta, residual, C, epsilon, *kind, columns, vectors, indices)
        if not (returns or stays_finite(largest, *kind)):
            raise overflow(kernel)
        before, settings = n_iter, (max_iter, C, epsilon, float(tol), *kind)
        size, n_iter, top, bottom = solve_active(
            n_iter, shrinking and returns < MOST_RETURNS, settings, beta, columns, vectors, indices, rows
        )
        if returns and n_iter == before:  # the residual is fresh, and no step was left to take
            break
        residual = np.empty(n)
        complete, intercept, gap = settle(y, C, epsilon, size, beta, residual, vectors, indices, rows)
        if complete:
            return beta, intercept, gap, n_iter, top - bottom
        support = np.flatnonzero(beta)
        residual = y - expansion(X, X[support], beta[support], *kind)
        if size == n:
            break
        returns += 1
    return beta, *summary(residual, beta, C, epsilon), n_iter, top - bottom


def solve_active(n_iter, shrinking, settings, beta, columns, vectors, indices, rows):
    """Take steps until the samples not put aside are solved; return their number, the steps so far, m(a) and M(a)."""
    (features, size), kind = columns.shape, settings[4:]
    point, lanes = np.empty(features), np.empty((4, BLOCK))
    due = n_iter + SHRINK_EVERY
    while True:
        slots, shared = min(rows.size // size, size), size * features >= LARGE_ROW
        reason, slot, n_iter, top, bottom = iterate(
            size, slots, shared, n_iter, due, *settings, columns, vectors, indices, rows, point, lanes
        )
        if reason == SOLVED:
            return size, n_iter, top, bottom
        if reason == ROW_WANTED:
            fill_row(rows[slot * size : (slot + 1) * size], columns, point, kind)
            continue
        if shrinking:
            size = shrink(size, slots, top, bottom, beta, columns, vectors, indices, rows)
        due = n_iter + SHRINK_EVERY  # set without shrinking, too: Python notices a keyboard interrupt between two calls


def stays_finite(largest, code, gamma, degree, coef0) -> bool:
    """No kernel value can exceed float64: |x . z| <= max |x|^2 and |x - z|^2 <= 4 max |x|^2."""
    if code == RBF:
        return math.isfinite(gamma) and (gamma > 0 or math.isfinite(4 * largest))
    if code == POLYNOMIAL:
        try:
            return math.isfinite((gamma * largest + abs(coef0)) ** degree)
        except OverflowError:
            return False
    return math.isfinite(largest)
