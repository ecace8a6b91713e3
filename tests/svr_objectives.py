"""The primal and dual objectives of the SVR, from the formulas above ``refimpl/method/smo.py``.

    primal   1/2 beta' K beta + C sum_k max(0, |y_k - f_k| - epsilon),    f = K beta + b
    dual     y . beta - epsilon sum_k |beta_k| - 1/2 beta' K beta

K (n, n), y and beta (n,).  For a feasible beta the first is at least the second; they are equal only at the solution.
"""

from __future__ import annotations

import numpy as np

from refimpl.method.kernel_functions import kernel_matrix
from refimpl.method.svr import SVR


def primal_objective(K: np.ndarray, y: np.ndarray, beta: np.ndarray, b: float, C: float, epsilon: float) -> float:
    """What the fit minimises, with |w|^2 = beta' K beta.

    >>> primal_objective(np.diag([2.0, 2.0]), np.array([3.0, -3.0]), np.array([1.0, -1.0]), 0.0, 10.0, 0.5)
    12.0
    """
    outside = np.maximum(np.abs(y - K @ beta - b) - epsilon, 0)
    return float(beta @ K @ beta / 2 + C * outside.sum())


def dual_objective(K: np.ndarray, y: np.ndarray, beta: np.ndarray, epsilon: float) -> float:
    """What the solver maximises.

    >>> dual_objective(np.diag([2.0, 2.0]), np.array([3.0, -3.0]), np.array([1.0, -1.0]), 0.5)
    3.0
    """
    return float(y @ beta - epsilon * np.abs(beta).sum() - beta @ K @ beta / 2)


def duality_gap(model: SVR, X: np.ndarray, y: np.ndarray) -> float:
    """Primal less dual objective of a model fitted on X (n, d) and y (n,)."""
    K = kernel_matrix(X, X, model.kernel, model.gamma_, model.degree, model.coef0)
    beta = np.zeros(y.size)
    beta[model.support_] = model.dual_coef_[0]
    primal = primal_objective(K, y, beta, float(model.intercept_[0]), model.C, model.epsilon)
    return primal - dual_objective(K, y, beta, model.epsilon)
