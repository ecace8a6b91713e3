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
r_k + epsilon for the others.  At the optimum, v_t <= b for a variable in "up" (its s_t a_t can still
grow) and v_t >= b for one in "low" (it can still shrink).  So a is optimal where m(a) <= M(a), and the stopping rule is

    m(a) - M(a) < tol,    m(a) = max of v over up,    M(a) = min of v over low.

The duality gap is then at most 2 n C tol.

A step moves s_i a_i up and s_j a_j down by t.  It changes the objective by -(v_i - v_j) t + curvature t^2 / 2, with
curvature K_ii + K_jj - 2 K_ij.  i has the largest v in "up"; j is the one of "low" whose pair with i can lower the
objective most, by (v_i - v_j)^2 / (2 curvature), if the bounds 0 and C are ignored (WSS 2).

Sources: Chang & Lin 2011 (LIBSVM: A library for support vector machines), sections 4.1 and 4.1.2;
Fan, Chen & Lin 2005 (Working set selection using second order information), WSS 2.
All arrays float64.
"""

from __future__ import annotations

import numpy as np

from refimpl.method.estimator import weighted_sum
from refimpl.method.kernel_functions import kernel_matrix
from refimpl.twins import twin

TAU = 1e-12
"""Stands for a curvature that is not positive (two equal samples, or a kernel that is not definite)."""

ROUNDING = 4 * np.finfo(float).eps
"""A gap below this share of the largest v is rounding: pairs would be exchanged for ever."""


@twin("kernels.smo")
def minimise_dual(
    X: np.ndarray, y: np.ndarray, kernel: str, gamma: float, degree: int, coef0: float, C: float, epsilon: float,
    tol: float, max_iter: int, cache_size: float, shrinking: bool,
) -> tuple[np.ndarray, float, float, int, float]:  # fmt: skip
    """Solve the dual for X (n, d) and y (n,), in ``max_iter`` steps at most.

    Returns beta (n,), b, m(a) - M(a) from a residual computed afresh, the number of steps, and m(a) - M(a) as updated.
    ``cache_size`` (MB of kernel values kept) and ``shrinking`` change the work of the twin, not what it finds.

    Two samples on a line: the flattest function within epsilon = 0.5 of both has slope 1 and intercept 1.

    >>> X, y = np.array([[0.0], [2.0]]), np.array([0.5, 3.5])
    >>> beta, b, *_ = minimise_dual(X, y, "linear", 1.0, 1, 0.0, 10.0, 0.5, 1e-3, 100, 200.0, True)
    >>> beta, b
    (array([-0.5,  0.5]), 1.0)
    """
    n, K = y.size, kernel_matrix(X, X, kernel, gamma, degree, coef0)
    a, residual, n_iter = np.zeros(2 * n), y.copy(), 0
    while True:
        v = np.concatenate([residual - epsilon, residual + epsilon])
        can_grow, can_shrink = a < C, a > 0
        up = np.concatenate([can_grow[:n], can_shrink[n:]])
        low = np.concatenate([can_shrink[:n], can_grow[n:]])
        i = int(np.argmax(np.where(up, v, -np.inf)))
        gap = float(v[i] - v[low].min())
        if gap < tol or n_iter == max_iter or gap <= ROUNDING * np.abs(v).max():
            break
        # The partner of i: among those of "low" with v_j < v_i, the one that lowers the objective most.
        curvature = K[i % n, i % n] + K.diagonal() - 2 * K[i % n]
        curvature = np.tile(np.where(curvature > 0, curvature, TAU), 2)
        gain = (v[i] - v) ** 2 / curvature
        j = int(np.argmax(np.where(low & (v < v[i]), gain, -np.inf)))
        # The step, as far as the box allows.  A variable that meets its bound is set to the bound itself.
        room_i, end_i = (C - a[i], C) if i < n else (a[i], 0.0)
        room_j, end_j = (a[j], 0.0) if j < n else (C - a[j], C)
        step = min((v[i] - v[j]) / curvature[j], room_i, room_j)
        new_i = end_i if step == room_i else a[i] + (step if i < n else -step)
        new_j = end_j if step == room_j else a[j] - (step if j < n else -step)
        if new_i == a[i] and new_j == a[j]:  # below the spacing of float64 at both: nothing can improve
            break
        a[i], a[j] = new_i, new_j
        residual -= step * (K[i % n] - K[j % n])
        n_iter += 1
    beta = a[:n] - a[n:]
    fresh = y - weighted_sum(K, beta)
    v = np.concatenate([fresh - epsilon, fresh + epsilon])
    m, M, free = v[up].max(), v[low].min(), up & low
    b = float(v[free].mean() if free.any() else (m + M) / 2)  # v = b where a variable is free
    return beta, b, float(m - M), n_iter, gap
