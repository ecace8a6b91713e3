"""Table 1, the SVR's kernels: k(x, z) for every row x of X (n, d) and z of Z (m, d), as (n, m) float64.

    linear   x . z
    rbf      exp(-gamma |x - z|^2)                 (D06)
    poly     (gamma x . z + coef0)^degree

The squared distance is summed from differences, not from |x|^2 + |z|^2 - 2 x . z, which cancels
where x is near z: k(x, x) is exactly 1, and the matrix of X with itself exactly symmetric.
Sums run feature after feature, in fixed order.
"""

from __future__ import annotations

import numpy as np

from refimpl.errors import InputError
from refimpl.method import hyperparameters as check
from refimpl.method.estimator import weighted_sum
from refimpl.twins import twin

KERNELS = ("linear", "rbf", "poly")


def kernel_matrix(X: np.ndarray, Z: np.ndarray, kernel: str, gamma: float, degree: int, coef0: float) -> np.ndarray:
    """k(x, z) by the kernel's name, (n, m); InputError where a value is not finite.

    >>> kernel_matrix(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0], [0.0, 1.0]]), "linear", 1.0, 1, 0.0)
    array([[11.,  2.]])
    >>> kernel_matrix(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]]), "rbf", 0.04, 1, 0.0).round(6)
    array([[0.367879]])
    >>> kernel_matrix(np.array([[1.0]]), np.array([[2.0]]), "poly", 0.5, 3, 1.0)
    array([[8.]])
    """
    K = np.zeros((X.shape[0], Z.shape[0]))
    with np.errstate(over="ignore", invalid="ignore"):
        for x, z in zip(X.T, Z.T, strict=True):
            K += np.subtract.outer(x, z) ** 2 if kernel == "rbf" else np.multiply.outer(x, z)
        if kernel == "rbf":
            K = np.exp(-gamma * K)
        elif kernel == "poly":
            K = (gamma * K + coef0) ** degree
    if not np.isfinite(K).all():
        raise overflow(kernel)
    return K


@twin("kernels.svr")
def kernel_expansion(
    X: np.ndarray, Z: np.ndarray, weights: np.ndarray, kernel: str, gamma: float, degree: int, coef0: float
) -> np.ndarray:
    """sum_k weights_k k(x, z_k) for each row x of X (n, d); Z (m, d), weights (m,); (n,) float64.

    >>> kernel_expansion(np.array([[1.0], [2.0]]), np.array([[3.0], [5.0]]), np.array([1.0, 10.0]), "linear", 1, 1, 0)
    array([ 53., 106.])

    Where the kernel exceeds float64 this raises ``InputError``; the twin returns what is not finite.
    """
    K = kernel_matrix(Z, X, kernel, gamma, degree, coef0)  # a contiguous row for each z
    return weighted_sum(K.T, weights)


def overflow(kernel: str) -> InputError:
    """What to raise where a kernel value is not finite.

    >>> str(overflow("poly"))
    'SVR: the poly kernel of these features exceeds float64; scale them to [0, 1]'
    """
    return InputError(f"SVR: the {kernel} kernel of these features exceeds float64; scale them to [0, 1]")


def checked_kernel(kernel: str, gamma: float, degree: int, coef0: float) -> tuple[str, float, int, float]:
    """A kernel as a user may name it, if each of its parameters is in its range; else InputError.

    >>> checked_kernel("rbf", 1, 3, 0)
    ('rbf', 1.0, 3, 0.0)
    """
    kernel, gamma = check.choice("SVR", "kernel", kernel, KERNELS), check.positive("SVR", "gamma", gamma)
    return kernel, gamma, check.count("SVR", "degree", degree), check.finite("SVR", "coef0", coef0)
