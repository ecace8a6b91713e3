"""Support vector regression: LIBSVM finds the active set (its kernel is in float32), float64 solves on it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np

from tests.peers.second_implementation.files import Task, check_number, check_whole, refuse_unless

SETTINGS = {"kernel": "rbf", "C": 1.0, "epsilon": 0.1, "gamma": "scale", "degree": 3, "coef0": 0.0}


def checked(settings: Mapping) -> dict:
    """The settings of an SVR with their defaults."""
    for name in settings:
        refuse_unless(name in SETTINGS, name, "it is no setting of an SVR")
    full = {**SETTINGS, **settings}
    refuse_unless(
        full["kernel"] in ("rbf", "linear", "poly"), "kernel", f"{full['kernel']!r} is none of rbf, linear, poly"
    )
    full["C"] = check_number(full["C"], "C", lambda v: v > 0, "a number above 0")
    full["epsilon"] = check_number(full["epsilon"], "epsilon", lambda v: v >= 0, "a number of at least 0")
    full["coef0"] = check_number(full["coef0"], "coef0", lambda v: True, "a number")
    full["degree"] = check_whole(full["degree"], "degree", 1)
    if full["gamma"] not in ("scale", "auto"):
        full["gamma"] = check_number(full["gamma"], "gamma", lambda v: v > 0, "a number above 0, scale or auto")
    return full


def gamma_of(gamma: float | str, X: np.ndarray) -> float:
    """The number that scale and auto stand for."""
    if gamma == "auto":
        return 1 / X.shape[1]
    if gamma == "scale":
        variance = X.var()
        return 1 / (X.shape[1] * variance) if variance > 0 else 1.0
    return gamma


def kernel(X: np.ndarray, Z: np.ndarray, settings: Mapping) -> np.ndarray:
    """The kernel of every pair."""
    if settings["kernel"] == "rbf":
        return np.exp(-settings["gamma"] * ((X[:, None, :] - Z[None]) ** 2).sum(axis=2))
    if settings["kernel"] == "linear":
        return X @ Z.T
    return (settings["gamma"] * (X @ Z.T) + settings["coef0"]) ** settings["degree"]


def solve(K: np.ndarray, y: np.ndarray, C: float, epsilon: float) -> tuple[np.ndarray, float]:
    """Coefficients and intercept, from LIBSVM's start or, where that leads nowhere, from an interior point's."""
    from sklearn.svm import SVR

    model = SVR(kernel="precomputed", C=C, epsilon=epsilon, tol=1e-10, max_iter=1_000_000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(K, y)
    start = np.zeros(y.size)
    start[model.support_] = model.dual_coef_[0]
    for beta in (start, None):
        beta = interior_point(K, y, C, epsilon)[0] if beta is None else beta
        found = polished(beta, K, y, C, epsilon)
        if found is not None:
            return found
    # Rows that repeat each other leave many active sets; the function is the same for all of them.
    return interior_point(K, y, C, epsilon)


def polished(beta: np.ndarray, K, y, C: float, epsilon: float) -> tuple[np.ndarray, float] | None:
    """The conditions of optimality met one violation after the other; None where that does not end."""
    side, bound = np.sign(beta), np.abs(beta) >= C * (1 - 1e-6)
    side[np.abs(beta) <= C * 1e-9] = 0
    close = 1e-11 * max(1.0, np.abs(y).max())
    for _ in range(20 * y.size):
        beta, intercept = on_active_set(K, y, C, epsilon, side, bound)
        rest = y - K @ beta - intercept
        free = (side != 0) & ~bound
        if abs(beta.sum()) > 1e-11 * C * y.size or np.any(np.abs(rest - epsilon * side)[free] > close):
            return None
        worst = violations(rest, beta, C, epsilon, side, bound)
        i = int(np.argmax(worst))
        if worst[i] <= close:
            return beta, intercept
        if side[i] == 0:
            side[i] = np.sign(rest[i])
        elif bound[i]:
            bound[i] = False
        else:
            bound[i] = beta[i] * side[i] > 0
            side[i] = side[i] if bound[i] else 0
    return None


def interior_point(K: np.ndarray, y: np.ndarray, C: float, epsilon: float) -> tuple[np.ndarray, float]:
    """The dual by a primal-dual interior point: z = (above, below) in [0, C], l and u the multipliers of its bounds."""
    n = y.size
    Q, p = np.block([[K, -K], [-K, K]]), epsilon - np.concatenate([y, -y])
    A = np.repeat([1.0, -1.0], n)
    z, lower, upper, b = np.full(2 * n, C / 2), np.ones(2 * n), np.ones(2 * n), 0.0
    for _ in range(200):
        room = C - z
        gap = (lower @ z + upper @ room) / (4 * n)
        dual = Q @ z + p + b * A - lower + upper
        if gap < 1e-15 * C and np.abs(dual).max() < 1e-12 * max(1.0, np.abs(y).max()):
            break
        mu = 0.1 * gap
        matrix = np.block([[Q + np.diag(lower / z + upper / room), A[:, None]], [A[None], np.zeros((1, 1))]])
        right = np.append(-(Q @ z + p + b * A) + mu / z - mu / room, -(A @ z))
        step = np.linalg.solve(matrix, right)
        dz, db = step[:-1], step[-1]
        dl, du = (mu - lower * dz) / z - lower, (mu + upper * dz) / room - upper
        ways = [(z, dz), (room, -dz), (lower, dl), (upper, du)]
        length = min(1.0, *(0.99 * float(np.min(-v[d < 0] / d[d < 0], initial=np.inf)) for v, d in ways))
        z, b, lower, upper = z + length * dz, b + length * db, lower + length * dl, upper + length * du
    return z[:n] - z[n:], float(b)


def on_active_set(K, y, C, epsilon, side, bound) -> tuple[np.ndarray, float]:
    """The solution where the free vectors lie exactly on the tube's edge and the others where their set says."""
    beta = np.where(bound, side * C, 0.0)
    free = np.flatnonzero((side != 0) & ~bound)
    if free.size == 0:
        rest = y - K @ beta
        # Only an interval of intercepts is optimal; its middle is taken, as LIBSVM does.
        low = np.where((side >= 0) & ~(bound & (side > 0)), rest - epsilon, -np.inf)
        low = np.where(bound & (side < 0), rest + epsilon, low)
        high = np.where((side <= 0) & ~(bound & (side < 0)), rest + epsilon, np.inf)
        high = np.where(bound & (side > 0), rest - epsilon, high)
        return beta, float((low.max() + high.min()) / 2)
    matrix = np.zeros((free.size + 1, free.size + 1))
    matrix[:-1, :-1], matrix[:-1, -1], matrix[-1, :-1] = K[np.ix_(free, free)], 1, 1
    right = np.append(y[free] - epsilon * side[free] - K[free] @ beta, -beta.sum())
    solution = np.linalg.lstsq(matrix, right, rcond=1e-14)[0]
    solution += np.linalg.lstsq(matrix, right - matrix @ solution, rcond=1e-14)[0]
    beta[free] = solution[:-1]
    return beta, float(solution[-1])


def violations(rest, beta, C, epsilon, side, bound) -> np.ndarray:
    """By how much each point breaks its condition, in units of y (of C for the coefficients)."""
    free = (side != 0) & ~bound
    outside = np.maximum(np.abs(rest) - epsilon, 0)
    inside = np.maximum(epsilon - side * rest, 0)
    beyond = np.maximum(np.maximum(-beta * side, beta * side - C), 0) / C
    return np.where(free, beyond, np.where(bound, inside, outside))


def fit(X: np.ndarray, y: np.ndarray, settings: Mapping):
    """A function of new X; ``settings`` are checked already."""
    settings = {**settings, "gamma": gamma_of(settings["gamma"], X)}
    beta, intercept = solve(kernel(X, X, settings), y, settings["C"], settings["epsilon"])
    return lambda X_new: kernel(X_new, X, settings) @ beta + intercept


def samples(task: Task) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """X, y and X_new, of shapes that fit."""
    X, y, X_new = task.array("X", 2), task.array("y", 1), task.array("X_new", 2)
    refuse_unless(X.size > 0, "X", "it has no values")
    refuse_unless(y.size == X.shape[0], "y", f"it has {y.size} values for {X.shape[0]} rows of X")
    refuse_unless(X_new.shape[1] == X.shape[1], "X_new", f"it has {X_new.shape[1]} columns, X has {X.shape[1]}")
    return X, y, X_new


def kernel_settings(task: Task) -> dict:
    """The settings of a kernel alone, whose gamma is a number."""
    name = task.choice("kernel", ("rbf", "linear", "poly"))
    gamma = task.number("gamma", lambda v: v > 0, "a number above 0")
    return {"kernel": name, "gamma": gamma, "degree": task.whole("degree", 1, 3),
            "coef0": task.number("coef0", lambda v: True, "a number", 0)}  # fmt: skip


def kernel_matrix(task: Task) -> dict:
    """The kernel of every row of X with every row of Z."""
    X, Z = task.array("X", 2), task.array("Z", 2)
    refuse_unless(X.shape[1] == Z.shape[1], "Z", f"it has {Z.shape[1]} columns, X has {X.shape[1]}")
    return {"K.npy": kernel(X, Z, kernel_settings(task))}


def svr_fit(task: Task) -> dict:
    """D06: epsilon-SVR."""
    X, y, X_new = samples(task)
    return {"predicted.npy": fit(X, y, checked(task.given(SETTINGS)))(X_new)}


def svr_predict(task: Task) -> dict:
    """A given SVR at new points."""
    vectors, dual, X_new = task.array("support_vectors", 2), task.array("dual_coef", 1), task.array("X_new", 2)
    refuse_unless(
        dual.size == vectors.shape[0], "dual_coef", f"it has {dual.size} values for {vectors.shape[0]} vectors"
    )
    refuse_unless(
        X_new.shape[1] == vectors.shape[1], "X_new", f"it has {X_new.shape[1]} columns, not {vectors.shape[1]}"
    )
    intercept = task.number("intercept", lambda v: True, "a number")
    return {"predicted.npy": kernel(X_new, vectors, kernel_settings(task)) @ dual + intercept}
