"""Least squares, MacKay's evidence, and the elastic net."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np

from tests.peers.second_implementation.files import Task, check_number, check_whole, named, refuse_unless
from tests.peers.second_implementation.support_vectors import samples

PRIORS = ("alpha_1", "alpha_2", "lambda_1", "lambda_2")


def centred(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """X and y about their means, and the means."""
    return X - X.mean(axis=0), y - y.mean(), X.mean(axis=0), float(y.mean())


def with_intercept(weights: np.ndarray, x_mean: np.ndarray, y_mean: float) -> np.ndarray:
    """Weights, then the intercept."""
    return np.append(weights, y_mean - x_mean @ weights)


def least_squares(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The coefficients of least norm."""
    Xc, yc, x_mean, y_mean = centred(X, y)
    return with_intercept(np.linalg.lstsq(Xc, yc, rcond=1e-13)[0], x_mean, y_mean)


def bayesian(X: np.ndarray, y: np.ndarray, settings: Mapping) -> tuple[np.ndarray, float, float]:
    """MacKay's iteration in the coordinates of the singular vectors."""
    Xc, yc, x_mean, y_mean = centred(X, y)
    u, s, vt = np.linalg.svd(Xc, full_matrices=False)
    along, variance = u.T @ yc, yc @ yc / yc.size
    alpha, lambda_ = (1 / variance if variance > 0 else 1 / np.finfo(float).eps), 1.0
    weigh = lambda: vt.T @ (alpha * s / (lambda_ + alpha * s**2) * along)  # noqa: E731
    before = None
    for _ in range(settings["max_iter"]):
        weights = weigh()
        rest = yc - Xc @ weights
        gamma = np.sum(alpha * s**2 / (lambda_ + alpha * s**2))
        lambda_ = (gamma + 2 * settings["lambda_1"]) / (weights @ weights + 2 * settings["lambda_2"])
        alpha = (yc.size - gamma + 2 * settings["alpha_1"]) / (rest @ rest + 2 * settings["alpha_2"])
        if before is not None and np.abs(weights - before).sum() < settings["tol"]:
            break
        before = weights
    return with_intercept(weigh(), x_mean, y_mean), float(alpha), float(lambda_)


def elastic_net(X: np.ndarray, y: np.ndarray, alpha: float, l1_ratio: float) -> np.ndarray:
    """Coordinate descent by scikit-learn, then the equations of its active set in one step, if its signs stand."""
    from sklearn.linear_model import ElasticNet

    if alpha == 0:
        return least_squares(X, y)
    Xc, yc, x_mean, y_mean = centred(X, y)
    n, d = Xc.shape
    model = ElasticNet(alpha=alpha, l1_ratio=l1_ratio, fit_intercept=False, tol=1e-14, max_iter=1_000_000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weights = model.fit(Xc, yc).coef_.copy()
    return with_intercept(on_active_set(weights, Xc, yc, alpha, l1_ratio), x_mean, y_mean)


def on_active_set(weights: np.ndarray, X: np.ndarray, y: np.ndarray, alpha: float, l1_ratio: float) -> np.ndarray:
    """The equations of the active set, which is mended until its signs stand."""
    n, d = X.shape
    signs = np.sign(weights) if l1_ratio else np.ones(d)
    for _ in range(10 * d):
        active = np.flatnonzero(signs)
        A, exact = X[:, active], np.zeros(d)
        matrix = A.T @ A / n + alpha * (1 - l1_ratio) * np.eye(active.size)
        exact[active] = np.linalg.lstsq(matrix, A.T @ y / n - alpha * l1_ratio * signs[active], rcond=1e-14)[0]
        wrong = exact * signs < 0
        slope = X.T @ (y - X @ exact) / n
        outside = (signs == 0) & (np.abs(slope) > alpha * l1_ratio * (1 + 1e-9))
        if l1_ratio == 0 or not (wrong.any() or outside.any()):
            return exact
        if wrong.any():
            signs[wrong] = 0
        else:
            entering = np.argmax(np.where(outside, np.abs(slope), 0))
            signs[entering] = np.sign(slope[entering])
    raise NotImplementedError("the active set of this elastic net was not found")


def bayesian_settings(settings: Mapping) -> dict:
    """The settings of the Bayesian fit, checked."""
    for name in settings:
        refuse_unless(name in ("max_iter", "tol", *PRIORS), name, "it is no setting of the Bayesian fit")
    return {
        "max_iter": check_whole(settings.get("max_iter", 300), "max_iter", 1),
        "tol": check_number(settings.get("tol", 1e-3), "tol", lambda v: v > 0, "a number above 0"),
        **{
            name: check_number(settings.get(name, 1e-6), name, lambda v: v >= 0, "a number of at least 0")
            for name in PRIORS
        },
    }


def net_settings(settings: Mapping) -> tuple[float, float]:
    """alpha and l1_ratio, checked."""
    for name in settings:
        refuse_unless(name in ("alpha", "l1_ratio"), name, "it is no setting of the elastic net")
    refuse_unless("alpha" in settings, "alpha", "the parameter is missing")
    alpha = check_number(settings["alpha"], "alpha", lambda v: v >= 0, "a number of at least 0")
    return alpha, check_number(settings.get("l1_ratio", 0.5), "l1_ratio", lambda v: 0 <= v <= 1, "a part in [0, 1]")


def answers(X_new: np.ndarray, coefficients: np.ndarray) -> dict:
    """Predictions and coefficients as files."""
    return {"predicted.npy": X_new @ coefficients[:-1] + coefficients[-1], "coefficients.npy": coefficients}


def linear_fit(task: Task) -> dict:
    """Least squares."""
    X, y, X_new = samples(task)
    return answers(X_new, least_squares(X, y))


def bayesian_fit(task: Task) -> dict:
    """Bayesian ridge regression."""
    X, y, X_new = samples(task)
    coefficients, alpha, lambda_ = bayesian(X, y, bayesian_settings(task.given(("max_iter", "tol", *PRIORS))))
    return {**answers(X_new, coefficients), "precisions.csv": named(alpha=alpha, **{"lambda": lambda_})}


def elastic_net_fit(task: Task) -> dict:
    """The elastic net."""
    X, y, X_new = samples(task)
    return answers(X_new, elastic_net(X, y, *net_settings(task.given(("alpha", "l1_ratio")))))
