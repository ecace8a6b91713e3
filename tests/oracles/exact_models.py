"""The regressions of Table 1 and their scalings in 50-digit arithmetic: what the scripts of cases share.

Each is solved another way than programs solve it: an SVR from the linear system of its active set, which LIBSVM finds
and whose optimality is then verified; ElasticNet by trying every pattern of signs; least squares from a basis of the
rows; the Bayesian precisions without eigenvalues.  X is a list of rows, y a list, of mpf.
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from mpmath import MPContext
from sklearn import svm

mp = MPContext()
mp.dps = 50

TOLERANCE = 1e-9
"""The contract's stopping rule for an SVR."""


def exact(array) -> list:
    """An array as nested lists of mpf."""
    array = np.asarray(array, float)
    return [exact(part) for part in array] if array.ndim else mp.mpf(float(array))


def to_float(values) -> np.ndarray:
    """Nested lists of mpf as float64, each rounded once."""
    return np.array([to_float(part) for part in values]) if isinstance(values, list) else np.float64(float(values))


def dot(x: Sequence, z: Sequence):
    """x . z."""
    return mp.fsum(a * b for a, b in zip(x, z, strict=True))


def mean(values: Sequence):
    """Of a list."""
    return mp.fsum(values) / len(values)


def solve(matrix: list, right: list) -> list:
    """The solution of a regular system."""
    return list(mp.lu_solve(mp.matrix(matrix), mp.matrix(right)))


# D05 and D06


def quantile(values: Sequence, q: float):
    """Linear between order statistics: position q (n - 1)."""
    ordered, place = sorted(values), mp.mpf(q) * (len(values) - 1)
    below = int(mp.floor(place))
    above = min(below + 1, len(values) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def bounds(X: list, q: float = 1.0) -> list[tuple]:
    """(lower, upper) of each column; the maximum where the quantile is no more than the minimum."""
    pairs = [(min(column), max(column), quantile(column, q)) for column in zip(*X, strict=True)]
    return [(low, upper if upper > low else top) for low, top, upper in pairs]


def scale(X: list, limits: list[tuple], clip: bool = False) -> list:
    """(x - lower) / (upper - lower); 0 in a constant column."""
    scaled = [[(x - a) / (b - a) if b > a else mp.mpf(0) for x, (a, b) in zip(row, limits, strict=True)] for row in X]
    return [[min(max(x, mp.mpf(0)), mp.mpf(1)) for x in row] for row in scaled] if clip else scaled


def moments(y: list) -> tuple:
    """Mean, and deviation of the population (1 where all are equal)."""
    centre = mean(y)
    deviation = mp.sqrt(mean([(v - centre) ** 2 for v in y]))
    return centre, deviation if max(y) > min(y) else mp.mpf(1)


# Linear models


@dataclass(frozen=True)
class Plane:
    """f(x) = weights . x + intercept, and whatever else the fit found."""

    weights: list
    intercept: object
    more: dict = field(default_factory=dict)

    def __call__(self, x: Sequence):
        return dot(self.weights, x) + self.intercept

    @property
    def coefficients(self) -> list:
        """Weights, then intercept."""
        return [*self.weights, self.intercept]


def centred(X: list, y: list) -> tuple[list, list, list, object]:
    """X and y less their means, and the means."""
    means, y_mean = [mean(column) for column in zip(*X, strict=True)], mean(y)
    return [[x - m for x, m in zip(row, means, strict=True)] for row in X], [v - y_mean for v in y], means, y_mean


def plane(weights: list, means: list, y_mean, **more) -> Plane:
    """The plane through the means."""
    return Plane(weights, y_mean - dot(weights, means), more)


def row_basis(A: list) -> list:
    """Orthogonal vectors that span the rows of A."""
    basis, largest = [], max(dot(row, row) for row in A)
    for row in A:
        for vector in basis:
            share = dot(row, vector) / dot(vector, vector)
            row = [x - share * v for x, v in zip(row, vector, strict=True)]
        if dot(row, row) > largest * mp.mpf(10) ** -60:
            basis.append(row)
    return basis


def linear(X: list, y: list) -> Plane:
    """Least squares; of least norm, because the weights are a combination of rows of the centred X."""
    A, t, means, y_mean = centred(X, y)
    basis = row_basis(A)
    if not basis:
        return plane([mp.mpf(0)] * len(means), means, y_mean)
    B = [[dot(row, vector) for vector in basis] for row in A]
    columns = list(zip(*B, strict=True))
    shares = solve([[dot(p, q) for q in columns] for p in columns], [dot(p, t) for p in columns])
    weights = [dot(shares, component) for component in zip(*basis, strict=True)]
    return plane(weights, means, y_mean)


def bayesian(
    X: list, y: list, max_iter=300, tol=1e-3, alpha_1=1e-6, alpha_2=1e-6, lambda_1=1e-6, lambda_2=1e-6
) -> Plane:
    """MacKay's updates as the contract states them; ``more`` has alpha, lambda and the change of w at each update."""
    A, t, means, y_mean = centred(X, y)
    a1, a2, l1, l2 = (mp.mpf(v) for v in (alpha_1, alpha_2, lambda_1, lambda_2))
    columns, n, d = list(zip(*A, strict=True)), len(t), len(means)
    gram, moment = [[dot(p, q) for q in columns] for p in columns], [dot(p, t) for p in columns]
    alpha, lam, before, changes = n / dot(t, t), mp.mpf(1), None, []

    def posterior():
        return [[alpha * gram[i][j] + (lam if i == j else 0) for j in range(d)] for i in range(d)]

    for _ in range(max_iter):
        w = solve(posterior(), [alpha * m for m in moment])
        inverse = mp.matrix(posterior()) ** -1
        gamma = d - lam * mp.fsum(inverse[i, i] for i in range(d))
        residual = [v - dot(row, w) for row, v in zip(A, t, strict=True)]
        lam = (gamma + 2 * l1) / (dot(w, w) + 2 * l2)
        alpha = (n - gamma + 2 * a1) / (dot(residual, residual) + 2 * a2)
        if before is not None:
            changes.append(mp.fsum(abs(p - q) for p, q in zip(w, before, strict=True)))
            if changes[-1] < tol:
                break
        before = w
    clear = all(abs(mp.log(change / tol)) > mp.mpf("0.01") for change in changes)
    assert clear, "the last update is a matter of rounding: choose another tol"
    weights = solve(posterior(), [alpha * m for m in moment])
    return plane(weights, means, y_mean, alpha=alpha, lam=lam, changes=changes)


def elastic_net(X: list, y: list, alpha=0.1, l1_ratio=0.5) -> Plane:
    """The one pattern of signs whose optimality conditions hold."""
    if alpha == 0:
        return linear(X, y)
    A, t, means, y_mean = centred(X, y)
    n, d = len(t), len(means)
    l1, l2 = n * mp.mpf(alpha) * mp.mpf(l1_ratio), n * mp.mpf(alpha) * (1 - mp.mpf(l1_ratio))
    columns = list(zip(*A, strict=True))
    found = []
    for signs in itertools.product((-1, 0, 1), repeat=d):
        w = _with_signs(columns, t, signs, l1, l2)
        if w is not None and _optimal(columns, A, t, w, signs, l1, l2):
            found.append(w)
    assert found and all(max(abs(p - q) for p, q in zip(w, found[0], strict=True)) < 1e-40 for w in found)
    return plane(found[0], means, y_mean)


def _with_signs(columns, t, signs, l1, l2) -> list | None:
    """The stationary w whose nonzero weights have these signs, or None."""
    used = [j for j, sign in enumerate(signs) if sign]
    w = [mp.mpf(0)] * len(signs)
    if not used:
        return w
    gram = [[dot(columns[i], columns[j]) + (l2 if i == j else 0) for j in used] for i in used]
    try:
        part = solve(gram, [dot(columns[j], t) - l1 * signs[j] for j in used])
    except ZeroDivisionError:
        return None
    for j, value in zip(used, part, strict=True):
        w[j] = value
    return w


def _optimal(columns, A, t, w, signs, l1, l2) -> bool:
    """Signs as assumed, and no weight at 0 that should leave it."""
    residual = [v - dot(row, w) for row, v in zip(A, t, strict=True)]
    for column, value, sign in zip(columns, w, signs, strict=True):
        if (sign and value * sign <= 0) or (not sign and abs(dot(column, residual)) > l1 * (1 + mp.mpf(10) ** -40)):
            return False
    return True


# SVR


def gamma_of(X: list, gamma) -> object:
    """D06: 1 / (d Var X) over all entries for "scale", 1 where that is 0; 1 / d for "auto"."""
    if not isinstance(gamma, str):
        return mp.mpf(gamma)
    d, entries = len(X[0]), [x for row in X for x in row]
    if gamma == "auto":
        return mp.mpf(1) / d
    centre = mean(entries)
    variance = mean([(x - centre) ** 2 for x in entries])
    return 1 / (d * variance) if variance else mp.mpf(1)


def kernel_value(x: Sequence, z: Sequence, kernel: str, gamma, degree=3, coef0=0.0):
    """k(x, z)."""
    if kernel == "rbf":
        return mp.exp(-gamma * mp.fsum((a - b) ** 2 for a, b in zip(x, z, strict=True)))
    return dot(x, z) if kernel == "linear" else (gamma * dot(x, z) + mp.mpf(coef0)) ** degree


@dataclass(frozen=True)
class Machine:
    """f(x) = sum beta k(x_k, x) + b, with what is known of its accuracy."""

    X: list
    beta: list
    b: object
    kernel: Callable
    free: list[int]
    libsvm: svm.SVR

    def __call__(self, x: Sequence):
        return mp.fsum(beta * self.kernel(row, x) for beta, row in zip(self.beta, self.X, strict=True) if beta) + self.b

    def reach(self, x: Sequence) -> float:
        """How far f(x) may be off where the residual of each free sample is off by TOLERANCE."""
        system = [[float(self.kernel(self.X[i], self.X[j])) for j in self.free] + [1.0] for i in self.free]
        system.append([1.0] * len(self.free) + [0.0])
        share = np.linalg.solve(np.array(system), [*(float(self.kernel(self.X[i], x)) for i in self.free), 1.0])
        return TOLERANCE * float(np.abs(share[:-1]).sum())


def svr(X: list, y: list, kernel="rbf", C=1.0, epsilon=0.1, gamma="scale", degree=3, coef0=0.0) -> Machine:
    """The solution to 50 digits: LIBSVM's active set, solved and verified.

    It is unique: at least one sample is free, which fixes b, and no multiplier of the others is 0.
    """
    width = gamma_of(X, gamma)
    settings = {"kernel": kernel, "C": C, "epsilon": epsilon, "gamma": gamma, "degree": degree, "coef0": coef0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        libsvm = svm.SVR(**settings, tol=1e-12, max_iter=10_000_000).fit(to_float(X), to_float(y))
    beta = np.zeros(len(y))
    beta[libsvm.support_] = libsvm.dual_coef_[0]

    def values(x, z):
        return kernel_value(x, z, kernel, width, degree, coef0)

    return polished(X, y, values, mp.mpf(C), mp.mpf(epsilon), beta, libsvm)


def polished(X, y, values, C, epsilon, start, libsvm) -> Machine:
    """The KKT system of the active set of ``start``, and the verification of all its conditions."""
    near = float(C) * 1e-5
    free = [k for k, b in enumerate(start) if near < abs(b) < float(C) - near]
    assert free, "no free sample: b is not unique"
    sign = [int(math.copysign(1, b)) for b in start]
    beta = [C * sign[k] if abs(start[k]) >= float(C) - near else mp.mpf(0) for k in range(len(y))]
    K = [[values(X[i], X[j]) for j in range(len(y))] for i in range(len(y))]
    system = [[K[i][j] for j in free] + [mp.mpf(1)] for i in free] + [[mp.mpf(1)] * len(free) + [mp.mpf(0)]]
    right = [y[i] - epsilon * sign[i] - dot(K[i], beta) for i in free] + [-mp.fsum(beta)]
    *inner, b = solve(system, right)
    for i, value in zip(free, inner, strict=True):
        beta[i] = value
    verify(K, y, beta, b, C, epsilon, free)
    return Machine(X, beta, b, values, free, libsvm)


def verify(K, y, beta, b, C, epsilon, free) -> None:
    """Every condition of optimality, those that are inequalities with room to spare."""
    room, nothing = mp.mpf(10) ** -6, mp.mpf(10) ** -40
    assert abs(mp.fsum(beta)) < nothing
    for k, value in enumerate(beta):
        residual = y[k] - dot(K[k], beta) - b
        if k in free:
            assert room * C < abs(value) < C * (1 - room), (k, value)
            assert abs(residual - epsilon * mp.sign(value)) < nothing
        elif value == 0:
            assert abs(residual) < epsilon - room, (k, residual)
        else:
            assert residual * mp.sign(value) > epsilon + room, (k, residual)


# Fig. 1


MODELS = {"svr": svr, "bayesian": bayesian, "linear": linear, "elastic_net": elastic_net}


@dataclass(frozen=True)
class Fitted:
    """A model with the scalings of its fit (D05, D06)."""

    model: Callable
    limits: list[tuple]
    centre: object
    deviation: object

    def of_scaled(self, Z: list) -> list:
        """Emission for rows that are scaled."""
        return [self.model(row) * self.deviation + self.centre for row in Z]

    def __call__(self, drivers: list) -> list:
        """Emission for drivers in their own units, not clipped."""
        return self.of_scaled(scale(drivers, self.limits))


def fitted(model: str, drivers: list, emission: list, settings: dict | None = None) -> Fitted:
    """Drivers to [0, 1], emission standardised, and the model fitted."""
    limits, (centre, deviation) = bounds(drivers), moments(emission)
    target = [(v - centre) / deviation for v in emission]
    return Fitted(MODELS[model](scale(drivers, limits), target, **(settings or {})), limits, centre, deviation)
