"""Support vector regression: fits from the paper's 30 provinces to 20,000 samples, and the prediction of a raster.

The opponent is scikit-learn (LIBSVM), with the same settings, tolerance and cache, with and without shrinking.
"""

from __future__ import annotations

import functools

import numpy as np

from tests.bench.job import Contender, Job

CELLS = 20_000_000


def samples(n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Features in [0, 1] and a smooth target, standardised, with as much noise as national statistics show."""
    rng = np.random.default_rng(0)
    X = rng.random((n, d))
    y = np.sin(4 * X[:, 0]) + X[:, -1] ** 2 + 0.3 * rng.standard_normal(n)
    return X, (y - y.mean()) / y.std()


def estimator(library: str):
    """The SVR of ours, or of scikit-learn."""
    if library == "ours":
        from refimpl.method.svr import SVR
    else:
        from sklearn.svm import SVR
    return SVR


def prepare_fit(library: str, n: int, d: int, tol: float, **settings):
    SVR, (X, y) = estimator(library), samples(n, d)
    return lambda: SVR(tol=tol, cache_size=200.0, **settings).fit(X, y)


def prepare_prediction(library: str):
    X, y = samples(30, 3)
    fitted = estimator(library)(tol=1e-9).fit(X, y)
    cells = np.random.default_rng(1).random((CELLS, 3))
    return lambda: fitted.predict(cells)


def decision(d: int, fitted) -> np.ndarray:
    """The decision function at 200 points."""
    return fitted.predict(np.random.default_rng(2).random((200, d)))


def fit_job(name: str, n: int, d: int, goal: float, tol: float, tolerance: float, why: str, calls: int = 1) -> Job:
    digest = functools.partial(decision, d)
    prepare = functools.partial(prepare_fit, n=n, d=d, tol=tol)
    contenders = (
        Contender("refimpl", functools.partial(prepare, "ours"), digest, ours=True),
        Contender("scikit-learn", functools.partial(prepare, "sklearn"), digest),
        Contender("scikit-learn, no shrinking", functools.partial(prepare, "sklearn", shrinking=False), digest),
    )
    title = f"SVR fit, {n:,} samples, {d} features, RBF, tolerance {tol:g}"
    return Job(name, title, goal, contenders, tolerance, why, calls=calls)


LOOSE = 5e-3, "each stops somewhere within 1e-3 of the optimality conditions; the decision function is near 1"
TIGHT = 1e-6, "LIBSVM keeps its kernel matrix in single precision"

JOBS = (
    fit_job("svr-fit-30", 30, 3, 5.0, 1e-9, *TIGHT, calls=200),
    fit_job("svr-fit-5000-3", 5000, 3, 1.5, 1e-3, *LOOSE),
    fit_job("svr-fit-5000-20", 5000, 20, 1.5, 1e-3, *LOOSE),
    fit_job("svr-fit-20000-3", 20_000, 3, 1.5, 1e-3, *LOOSE),
    fit_job("svr-fit-20000-20", 20_000, 20, 1.5, 1e-3, *LOOSE),
    Job(
        "svr-predict-20m",
        "SVR prediction, 20 million cells, 27 support vectors, 3 features, RBF",
        20.0,
        (
            Contender("refimpl", functools.partial(prepare_prediction, "ours"), lambda y: y[::100_003], ours=True),
            Contender("scikit-learn", functools.partial(prepare_prediction, "sklearn"), lambda y: y[::100_003]),
        ),
        *TIGHT,
        bytes=CELLS * 4 * 8.0,
    ),
)
