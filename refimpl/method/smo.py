"""Table 1, the solver of the SVR: sequential minimal optimisation with second-order working sets.

Given n samples with kernel matrix K (n, n) and targets y (n,), epsilon-SVR solves

    primal   min over w, b    1/2 |w|^2 + C sum_k max(0, |y_k - w . phi(x_k) - b| - epsilon)

    dual     max over beta    y . beta - epsilon sum_k |beta_k| - 1/2 beta' K beta
             subject to       sum_k beta_k = 0,   -C <= beta_k <= C

and predicts f(x) = sum_k beta_k k(x_k, x) + b.  The solver writes beta_k = a_k - a_(n+k) with 2n
variables 0 <= a_t <= C of sign s_t = +1 (t < n) and -1 (t >= n), as LIBSVM does: then the dual is

    min over a    1/2 a' Q a + p' a    subject to    s' a = 0,   0 <= a <= C,
    with Q_tu = s_t s_u K_tu and p_t = epsilon - s_t y_t (indices of K and y modulo n).

Let v_t = -s_t grad_t.  With the residual r = y - K beta this is r_k - epsilon for the first n and
r_k + epsilon for the others.  A variable in "up" (its s_t a_t can still grow) wants v_t <= b, one in
"low" (can still shrink) wants v_t >= b.  So a is optimal where m(a) <= M(a), and the stopping rule is

    m(a) - M(a) < tol,    m(a) = max of v over up,    M(a) = min of v over low.

The duality gap is then at most 2 n C tol.

Sources: Chang & Lin 2011 (LIBSVM: A library for support vector machines), sections 4.1 and 4.1.2;
Fan, Chen & Lin 2005 (Working set selection using second order information), WSS 2.
All arrays float64.  Here K is whole in memory, and every step looks at all samples; the twin makes rows of K as it
needs them, keeps as many as ``cache_size`` allows, and puts samples aside that no step would take (shrinking).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from refimpl.errors import DataWarning
from refimpl.method.estimator import weighted_sum
from refimpl.method.kernel_functions import kernel_matrix
from refimpl.twins import twin

TAU = 1e-12
"""Stands for a curvature that is not positive (two equal samples, or a kernel that is not definite)."""

ROUNDING = 4 * np.finfo(float).eps
"""A gap below this share of the largest v is rounding: pairs would be exchanged for ever."""

LEAST_LIMIT = 10_000_000
"""Where no limit is set, iterations stop at this number or at 100 n, whichever is larger (LIBSVM's guard)."""


@dataclass(frozen=True)
class SMOResult:
    """beta (n,), the intercept b, the number of steps taken, and m(a) - M(a) from a residual computed afresh."""

    beta: np.ndarray
    intercept: float
    n_iter: int
    gap: float


def solve(
    X: np.ndarray, y: np.ndarray, kernel: str, gamma: float, degree: int, coef0: float, C: float, epsilon: float,
    tol: float = 1e-3, max_iter: int = -1, cache_size: float = 200.0, shrinking: bool = True,
) -> SMOResult:  # fmt: skip
    """Solve the dual for X (n, d) and y (n,); ``max_iter`` -1 sets no limit of its own.

    Warns with ``DataWarning`` where the limit, or the precision of float64, was reached before ``tol``; ``InputError``
    where the kernel exceeds float64.

    Two samples on a line: the flattest function within epsilon = 0.5 of both has slope 1 and intercept 1.

    >>> result = solve(np.array([[0.0], [2.0]]), np.array([0.5, 3.5]), "linear", 1.0, 1, 0.0, C=10.0, epsilon=0.5)
    >>> result.beta, result.intercept
    (array([-0.5,  0.5]), 1.0)
    """
    limit = max_iter if max_iter > 0 else max(LEAST_LIMIT, 100 * y.size)
    beta, intercept, gap, n_iter, reached = minimise_dual(
        X, y, kernel, gamma, degree, coef0, C, epsilon, tol, limit, cache_size, shrinking
    )
    if not reached < tol:
        warnings.warn(
            f"SVR stopped after {n_iter} iterations with its KKT conditions met to {reached:.3g}, not to tol={tol:g}; "
            "scale the features, raise tol or max_iter, or lower C",
            DataWarning,
            stacklevel=3,
        )
    return SMOResult(beta, intercept, n_iter, gap)


@twin("kernels.smo")
def minimise_dual(
    X: np.ndarray, y: np.ndarray, kernel: str, gamma: float, degree: int, coef0: float, C: float, epsilon: float,
    tol: float, max_iter: int, cache_size: float, shrinking: bool,
) -> tuple[np.ndarray, float, float, int, float]:  # fmt: skip
    """beta (n,), b, m(a) - M(a) from a residual computed afresh, the number of steps, and m(a) - M(a) as updated.

    ``cache_size`` (MB of kernel values kept) and ``shrinking`` change the work of the twin, not what it finds.
    """
    K = kernel_matrix(X, X, kernel, gamma, degree, coef0)
    a, n_iter, reached = iterate(K, y, C, epsilon, tol, max_iter)
    beta = a[: y.size] - a[y.size :]
    v = ascent_values(y - weighted_sum(K, beta), epsilon)
    up, low = movable(a, C)
    return beta, _intercept(v, up, low), float(v[up].max() - v[low].min()), n_iter, reached


def iterate(
    K: np.ndarray, y: np.ndarray, C: float, epsilon: float, tol: float, max_iter: int
) -> tuple[np.ndarray, int, float]:
    """The steps for a kernel matrix K (n, n): a (2n,), how many were taken, and m(a) - M(a) at the end."""
    n = y.size
    a, residual = np.zeros(2 * n), y.copy()
    n_iter = 0
    while True:
        v = ascent_values(residual, epsilon)
        up, low = movable(a, C)
        i = int(np.argmax(np.where(up, v, -np.inf)))
        gap = float(v[i] - v[low].min())
        if gap < tol or n_iter == max_iter or gap <= ROUNDING * np.abs(v).max():
            return a, n_iter, gap
        j, curvature = second_of_pair(K, v, low, i)
        step = two_variable_step(a, i, j, (v[i] - v[j]) / curvature, C)
        if step == 0.0:  # smaller than the spacing of float64 at both variables: nothing can improve
            return a, n_iter, gap
        residual -= step * (K[i % n] - K[j % n])
        n_iter += 1


def ascent_values(residual: np.ndarray, epsilon: float) -> np.ndarray:
    """v (2n,), the negative gradient times the sign of each variable, from the residual (n,).

    >>> ascent_values(np.array([1.0, 2.0]), 0.25)
    array([0.75, 1.75, 1.25, 2.25])
    """
    return np.concatenate([residual - epsilon, residual + epsilon])


def movable(a: np.ndarray, C: float) -> tuple[np.ndarray, np.ndarray]:
    """Which of the 2n variables are in "up" and in "low", each (2n,) bool."""
    n = a.size // 2
    can_grow, can_shrink = a < C, a > 0
    up = np.concatenate([can_grow[:n], can_shrink[n:]])
    low = np.concatenate([can_shrink[:n], can_grow[n:]])
    return up, low


def second_of_pair(K: np.ndarray, v: np.ndarray, low: np.ndarray, i: int) -> tuple[int, float]:
    """WSS 2: the j in "low", v_j < v_i, whose pair with i lowers the objective most, and the pair's curvature.

    Moving i up and j down by t changes the objective by -(v_i - v_j) t + curvature t^2 / 2; its
    minimum over t, the box left aside, is -(v_i - v_j)^2 / (2 curvature).
    """
    n = K.shape[0]
    k = i % n
    curvature = K[k, k] + K.diagonal() - 2 * K[k]
    curvature = np.where(curvature > 0, curvature, TAU)
    gain = (v[i] - v) ** 2 / np.tile(curvature, 2)
    j = int(np.argmax(np.where(low & (v < v[i]), gain, -np.inf)))
    return j, float(curvature[j % n])


def two_variable_step(a: np.ndarray, i: int, j: int, wanted: float, C: float) -> float:
    """Move s_i a_i up and s_j a_j down by ``wanted``, or as far as the box allows; change ``a``, return the step.

    A variable that meets its bound is set to the bound itself, so that "free" is decided exactly.
    Returns 0 where float64 cannot represent a move of either variable.
    """
    n = a.size // 2
    room_i, end_i = (C - a[i], C) if i < n else (a[i], 0.0)
    room_j, end_j = (a[j], 0.0) if j < n else (C - a[j], C)
    step = min(wanted, room_i, room_j)
    new_i = end_i if step == room_i else a[i] + (step if i < n else -step)
    new_j = end_j if step == room_j else a[j] - (step if j < n else -step)
    if new_i == a[i] and new_j == a[j]:
        return 0.0
    a[i], a[j] = new_i, new_j
    return float(step)


def _intercept(v: np.ndarray, up: np.ndarray, low: np.ndarray) -> float:
    """b: the mean of v over free variables (in both sets), where v = b; else the middle of [m(a), M(a)]."""
    free = up & low
    return float(v[free].mean() if free.any() else (v[up].max() + v[low].min()) / 2)


def objectives(
    K: np.ndarray, y: np.ndarray, beta: np.ndarray, b: float, C: float, epsilon: float
) -> tuple[float, float]:
    """The primal and the dual objective at beta (n,) and b; equal only at the solution.

    >>> objectives(np.eye(2), np.array([1.0, -1.0]), np.array([1.0, -1.0]), 0.0, C=1.0, epsilon=0.0)
    (1.0, 1.0)
    """
    smooth = weighted_sum(K, beta)
    half_norm = 0.5 * np.sum(beta * smooth)
    losses = np.maximum(0.0, np.abs(y - smooth - b) - epsilon)
    primal = half_norm + C * losses.sum()
    dual = np.sum(y * beta) - epsilon * np.abs(beta).sum() - half_norm
    return float(primal), float(dual)
