"""Table 1, the SVR's kernels: k(x, z) for every row x of X (n, d) and z of Z (m, d), as (n, m) float64.

    linear   x . z
    rbf      exp(-gamma |x - z|^2)                 (D06)
    poly     (gamma x . z + coef0)^degree

The squared distance is summed from differences, not from |x|^2 + |z|^2 - 2 x . z, which cancels
where x is near z: k(x, x) is exactly 1, and the matrix of X with itself exactly symmetric.
Sums run feature after feature, in fixed order, with memory for two (n, m) arrays.
"""

from __future__ import annotations

import numpy as np

from refimpl.errors import InputError
from refimpl.method import hyperparameters as check
from refimpl.method.estimator import weighted_sum
from refimpl.twins import twin


def linear_kernel(X: np.ndarray, Z: np.ndarray) -> np.ndarray:
    """x . z, (n, m).

    >>> linear_kernel(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0], [0.0, 1.0]]))
    array([[11.,  2.]])
    """
    products = np.zeros((X.shape[0], Z.shape[0]))
    for x, z in zip(X.T, Z.T, strict=True):
        products += np.multiply.outer(x, z)
    return products


def squared_distances(X: np.ndarray, Z: np.ndarray) -> np.ndarray:
    """|x - z|^2, (n, m).

    >>> squared_distances(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]]))
    array([[25.]])
    """
    distances = np.zeros((X.shape[0], Z.shape[0]))
    for x, z in zip(X.T, Z.T, strict=True):
        difference = np.subtract.outer(x, z)
        difference *= difference
        distances += difference
    return distances


def rbf_kernel(X: np.ndarray, Z: np.ndarray, gamma: float) -> np.ndarray:
    """exp(-gamma |x - z|^2), (n, m), in [0, 1]."""
    exponent = squared_distances(X, Z)
    exponent *= -gamma
    return np.exp(exponent, out=exponent)


def polynomial_kernel(X: np.ndarray, Z: np.ndarray, gamma: float, degree: int, coef0: float) -> np.ndarray:
    """(gamma x . z + coef0)^degree, (n, m).

    >>> polynomial_kernel(np.array([[1.0]]), np.array([[2.0]]), gamma=0.5, degree=3, coef0=1.0)
    array([[8.]])
    """
    return (gamma * linear_kernel(X, Z) + coef0) ** degree


KERNELS = {
    "linear": lambda X, Z, gamma, degree, coef0: linear_kernel(X, Z),
    "rbf": lambda X, Z, gamma, degree, coef0: rbf_kernel(X, Z, gamma),
    "poly": polynomial_kernel,
}
"""Each kernel by its name in the settings; all take (X, Z, gamma, degree, coef0)."""

BLOCK = 2**18
"""Kernel values held at once by ``kernel_expansion`` (2 MiB an array), however many rows there are."""


def overflow(kernel: str) -> InputError:
    """What to raise where a kernel value is not finite."""
    return InputError(f"SVR: the {kernel} kernel of these features exceeds float64; scale them to [0, 1]")


def checked_kernel(kernel: str, gamma: float, degree: int, coef0: float) -> tuple[str, float, int, float]:
    """A kernel as a user may name it, if each of its parameters is in its range; else InputError."""
    return (
        check.choice("SVR", "kernel", kernel, KERNELS),
        check.positive("SVR", "gamma", gamma),
        check.count("SVR", "degree", degree),
        check.finite("SVR", "coef0", coef0),
    )


def kernel_matrix(X: np.ndarray, Z: np.ndarray, kernel: str, gamma: float, degree: int, coef0: float) -> np.ndarray:
    """k(x, z) by the kernel's name, (n, m); InputError where a value is not finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        K = KERNELS[kernel](X, Z, gamma, degree, coef0)
    if not np.isfinite(K).all():
        raise overflow(kernel)
    return K


@twin("kernels.svr")
def kernel_expansion(
    X: np.ndarray, Z: np.ndarray, weights: np.ndarray, kernel: str, gamma: float, degree: int, coef0: float
) -> np.ndarray:
    """sum_k weights_k k(x, z_k) for each row x of X (n, d); Z (m, d), weights (m,); (n,) float64.

    Rows are taken in blocks: memory beyond the result does not grow with n, and the division into blocks does not
    change a bit of the result.  Where the kernel exceeds float64 the result is not finite.

    >>> kernel_expansion(np.array([[1.0], [2.0]]), np.array([[3.0], [5.0]]), np.array([1.0, 10.0]), "linear", 1, 1, 0)
    array([ 53., 106.])
    """
    result = np.empty(len(X))
    rows = max(1, BLOCK // max(1, len(Z)))
    for start in range(0, len(X), rows):
        with np.errstate(over="ignore", invalid="ignore"):
            values = KERNELS[kernel](Z, X[start : start + rows], gamma, degree, coef0)  # a contiguous row for each z
            result[start : start + rows] = weighted_sum(values.T, weights)
    return result
