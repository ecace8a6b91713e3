"""Table 1's linear models in 50-digit arithmetic; scikit-learn, which solves them otherwise, is the second voice."""

from __future__ import annotations

import math
import warnings

import numpy as np
from sklearn import linear_model

from tests.oracles import exact_models as em
from tests.oracles import suite

FLAGS = {
    "no-intercept": "The plane is led through the origin, or the intercept is penalised with the weights.",
    "not-minimum-norm": "Where drivers depend on each other, the weights are not those of least norm (one of a pair is "
    "dropped, or the matrix is inverted as it is): another year's prediction goes astray.",
    "norm-with-intercept": "The least norm is sought for weights and intercept together, with a column of ones, not "
    "for the weights of centred data.",
    "normal-equations": "X'X is inverted: its condition is the square of that of X, and half of the digits are lost "
    "where drivers are nearly collinear.",
    "constant-column-linear": "A constant driver makes the system singular: NaN, or an error.",
    "alpha-lambda-swapped": "The precision of the noise, alpha, and that of the weights, lambda, change places, in the "
    "ridge lambda/alpha, in their priors or in the output.",
    "gamma-shape-rate-swapped": "Shape (alpha_1, lambda_1) and rate (alpha_2, lambda_2) of the priors change places, "
    "or lack their factor 2.",
    "bayesian-start": "The updates begin at other precisions than 1/Var y and 1, or with the variance of n - 1: "
    "visible where few updates are made.",
    "stale-weights": "The weights are those before the last update of alpha and lambda, not computed afresh from them.",
    "fixed-ridge": "alpha and lambda are not updated at all: ridge regression with a fixed penalty.",
    "effective-parameters": "gamma is d, or n - d is taken for n - gamma: the noise is estimated too small.",
    "bayesian-stop": "The updates stop elsewhere: at the change of alpha or lambda, at the largest change of w instead "
    "of the sum, or one update earlier or later.",
    "objective-without-n": "The squared error is not divided by n (or by 2n): the penalty is n times too weak.",
    "penalties-swapped": "l1_ratio weighs the square and 1 - l1_ratio the absolute value.",
    "half-of-the-square": "The factor 1/2 of the squared penalty, or of the error, is missing.",
    "threshold-missing": "Small weights are shrunk towards 0 but not set to it.",
    "ridge-limit": "l1_ratio 0 or alpha 0, where there is no absolute value, divides by 0 or stops early.",
    "gap-tolerance": "Coordinate descent stops at a gap of 1e-4 y.y (scikit-learn's default), which shows in the third "
    "digit where drivers are correlated.",
}

LINEAR = "the singular value decomposition of these data rounds to about 1e-14; the bugs cost 1e-3 at least"
BAYESIAN = "a handful of updates, whose number no rounding changes (verified), each to about 1e-14; the bugs cost 1e-4"
GAP = (
    "a gap of 1e-12 y.y bounds abs(X (w - w*)) by 1.5e-6 abs(y), and usually does much better; the bugs cost 1e-3"
)
SOLVED = "Solved with 50 digits; scikit-learn agrees."
REFERENCES = ["Table 1"]

X = [[0.0, 0.5], [0.125, 0.25], [0.25, 1.0], [0.375, 0.0], [0.5, 0.75], [0.75, 0.875], [0.875, 0.25], [1.0, 0.625]]
Y = [1.5, 1.125, 3.75, 0.5, 4.25, 5.5, 2.875, 5.0]
NEW = [[0.625, 0.375], [1.25, -0.5], [0.0, 0.0]]
X3 = [[0.0, 0.25, 0.5], [0.25, 0.125, 1.0], [0.375, 0.5, 0.0], [0.5, 0.375, 0.75], [0.875, 1.0, 0.25], [1.0, 0.75, 0.5]]
X3 += [[0.625, 0.875, 0.875], [0.125, 0.0, 0.375]]
Y3 = [0.25, 0.5, 1.0, 1.125, 2.5, 2.25, 2.0, 0.125]
NEW3 = [[0.5, 0.5, 0.5], [1.25, 0.0, 1.0], [0.0, 1.5, 0.25]]


def arrays(X, y, X_new) -> dict:
    """The input files."""
    return {"X.npy": np.array(X, float), "y.npy": np.array(y, float), "X_new.npy": np.array(X_new, float)}


def answers(plane: em.Plane, X_new, cmp: str, limit: float, why: str) -> dict:
    """``predicted.npy`` and ``coefficients.npy``."""
    predicted = em.to_float([plane(x) for x in em.exact(X_new)])
    return {
        "predicted.npy": suite.Output(predicted, cmp, limit, why),
        "coefficients.npy": suite.Output(em.to_float(plane.coefficients), cmp, limit, why),
    }


def second_voice(model, X, y, plane: em.Plane, agreement: float) -> None:
    """scikit-learn's weights and intercept are those found."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(np.array(X, float), np.array(y, float))
    own = em.to_float(plane.coefficients)
    assert np.abs(np.append(model.coef_, model.intercept_) - own).max() <= agreement * np.abs(own).max()


def linear_case(name, title, X, y, X_new, flags, limit=1e-12, why=LINEAR, agreement=1e-12) -> suite.Case:
    """A case of ``linear_fit``."""
    plane = em.linear(em.exact(X), em.exact(y))
    second_voice(linear_model.LinearRegression(), X, y, plane, agreement)
    return suite.Case(
        f"linear-{name}", title, "regression", "linear_fit", REFERENCES, flags, "mpmath", SOLVED, {},
        arrays(X, y, X_new), answers(plane, X_new, "scaled", limit, why),
    )  # fmt: skip


def linear_cases() -> list[suite.Case]:
    """Least squares."""
    nearly = [[a, a + k * 2.0**-17] for a, k in ((0.0, 1), (0.25, -3), (0.5, 2), (0.625, 5), (0.875, -4), (1.0, 0))]
    collinear = [[x, z, 2 * x - z + 0.5] for x, z in X]
    lossy = "the condition of X is 1e5: rounding costs up to 1e-11, and the normal equations 1e-8"
    return [
        linear_case("hand", "Three points, whose line is 0.5 + 1.5 x", [[0], [2], [4]], [1, 2.5, 7], [[1], [-3]],
                    ["no-intercept"]),
        linear_case("two-drivers", "Eight provinces, two drivers", X, Y, NEW, ["no-intercept"]),
        linear_case("dependent-drivers", "The third driver is 2 x - z + 1/2: the weights of least norm", collinear, Y,
                    [[0.625, 0.375, 1.375], [0.0, 0.0, 3.0]], ["not-minimum-norm", "norm-with-intercept"]),
        linear_case("more-drivers-than-provinces", "Two provinces, three drivers", [[0.25, 1, 0.5], [1, 0, 0.125]],
                    [1, 4], NEW3, ["not-minimum-norm", "norm-with-intercept"]),
        linear_case("constant-driver", "A driver that is 0.1 everywhere has weight 0", [[x, 0.1] for x, _ in X], Y,
                    [[0.625, 0.1], [0.0, 7.0]], ["constant-column-linear", "not-minimum-norm"]),
        linear_case("nearly-collinear", "Two drivers that differ by 1e-5: normal equations lose their digits", nearly,
                    [1.0, 0.5, 2.0, 3.5, 1.25, 2.75], [[0.375, 0.375], [0.75, 0.7500305]], ["normal-equations"], 1e-10,
                    lossy, 1e-10),
    ]  # fmt: skip


def bayesian_case(name, title, X, y, X_new, flags, **settings) -> suite.Case:
    """A case of ``bayesian_fit``."""
    plane = em.bayesian(em.exact(X), em.exact(y), **settings)
    model = linear_model.BayesianRidge(**{"max_iter": 300, "tol": 1e-3} | settings)
    second_voice(model, X, y, plane, 1e-11)
    precisions = em.to_float([plane.more["alpha"], plane.more["lam"]])
    assert np.abs(np.array([model.alpha_, model.lambda_]) / precisions - 1).max() < 1e-11
    outputs = answers(plane, X_new, "scaled", 1e-10, BAYESIAN)
    table = {"name": ["alpha", "lambda"], "value": list(precisions)}
    outputs["precisions.csv"] = suite.Output(table, "rel", 1e-9, BAYESIAN)
    return suite.Case(
        f"bayesian-{name}", title, "regression", "bayesian_fit", [*REFERENCES, "MacKay 1992"], flags, "mpmath", SOLVED,
        settings, arrays(X, y, X_new), outputs,
    )  # fmt: skip


def bayesian_cases() -> list[suite.Case]:
    """Evidence maximised."""
    priors = {"alpha_1": 2.0, "alpha_2": 0.25, "lambda_1": 0.5, "lambda_2": 3.0}
    dependent = [[x, z, x + z] for x, z in X]
    return [
        bayesian_case("defaults", "Eight provinces, two drivers, all defaults", X, Y, NEW,
                      ["alpha-lambda-swapped", "fixed-ridge", "effective-parameters", "bayesian-stop", "no-intercept"]),
        bayesian_case("converged", "tol 1e-12: the fixed point, whatever the start", X3, Y3, NEW3,
                      ["effective-parameters", "alpha-lambda-swapped", "fixed-ridge"], tol=1e-12),
        bayesian_case("one-update", "One update from 1/Var y and 1", X3, Y3, NEW3,
                      ["bayesian-start", "stale-weights", "bayesian-stop"], max_iter=1),
        bayesian_case("three-updates", "max_iter 3 ends before tol is reached", X, Y, NEW,
                      ["bayesian-start", "stale-weights", "bayesian-stop"], max_iter=3, tol=1e-9),
        bayesian_case("stop", "tol lies between the largest change of a weight and their sum", X, Y, NEW,
                      ["bayesian-stop"], tol=0.01),
        bayesian_case("priors", "Gamma priors that say something", X3, Y3, NEW3,
                      ["gamma-shape-rate-swapped", "alpha-lambda-swapped"], **priors),
        bayesian_case("dependent-drivers", "A driver that is the sum of the others needs no care: lambda does",
                      dependent, Y, [[0.625, 0.375, 1.0], [0.0, 0.5, -1.0]],
                      ["effective-parameters", "not-minimum-norm"]),
    ]  # fmt: skip


def elastic_case(name, title, X, y, X_new, flags, **settings) -> suite.Case:
    """A case of ``elastic_net_fit``."""
    plane = em.elastic_net(em.exact(X), em.exact(y), **settings)
    own = dict(settings)
    model = linear_model.ElasticNet(**{"l1_ratio": 0.5} | own, tol=1e-15, max_iter=1_000_000)
    second_voice(model, X, y, plane, 1e-7)
    return suite.Case(
        f"elastic-net-{name}", title, "regression", "elastic_net_fit", REFERENCES, flags, "mpmath",
        "Of all patterns of signs, the one whose optimality conditions hold, with 50 digits; scikit-learn agrees.",
        settings, arrays(X, y, X_new), answers(plane, X_new, "scaled", 2e-5, GAP),
    )  # fmt: skip


def elastic_cases() -> list[suite.Case]:
    """Both penalties, one, or none."""
    near = [[a, a + k / 64] for a, k in ((0.0, 1), (0.25, -2), (0.375, 3), (0.5, 0), (0.75, 2), (1.0, -3))]
    return [
        elastic_case("hand", "One driver: the pull 1 is thresholded by 1/4 and shrunk by 1 + 1/2", [[-1], [1]], [1, 3],
                     [[0], [4]], ["objective-without-n", "half-of-the-square", "penalties-swapped", "no-intercept"],
                     alpha=0.75, l1_ratio=1 / 3),
        elastic_case("default-ratio", "l1_ratio 0.5 where it is absent; one weight of three is 0", X3, Y3, NEW3,
                     ["objective-without-n", "half-of-the-square", "threshold-missing", "no-intercept"], alpha=0.0625),
        elastic_case("mixed", "l1_ratio 0.8: the two penalties are not alike", X, Y, NEW,
                     ["penalties-swapped", "half-of-the-square", "objective-without-n"], alpha=0.125, l1_ratio=0.8),
        elastic_case("lasso", "l1_ratio 1: the absolute value alone", X3, Y3, NEW3,
                     ["penalties-swapped", "threshold-missing"], alpha=0.03125, l1_ratio=1.0),
        elastic_case("ridge", "l1_ratio 0: the square alone", X, Y, NEW,
                     ["penalties-swapped", "half-of-the-square", "ridge-limit"], alpha=0.25, l1_ratio=0.0),
        elastic_case("no-penalty", "alpha 0 is least squares", X, Y, NEW, ["ridge-limit"], alpha=0.0),
        elastic_case("all-zero", "A penalty that leaves no weight: the mean", X, Y, NEW,
                     ["threshold-missing", "no-intercept"], alpha=5.0, l1_ratio=0.75),
        elastic_case("correlated-drivers", "Two drivers alike: coordinate descent creeps", near,
                     [1.0, 1.5, 2.75, 2.5, 4.25, 3.5], [[0.625, 0.5], [0.0, 1.0]], ["gap-tolerance"], alpha=0.001,
                     l1_ratio=0.5),
    ]  # fmt: skip


def refused() -> list[suite.Case]:
    """What no plane can be laid through."""
    good = {"X": np.array(X), "y": np.array(Y), "X_new": np.array(NEW)}
    hole, endless, strange = np.array(X), np.array(Y), np.array(NEW)
    hole[0, 0], endless[7], strange[1, 1] = math.nan, -math.inf, math.nan
    rows = [
        ("linear_fit", "nan-in-x", {}, good | {"X": hole}, ["X"], "X holds a NaN"),
        ("linear_fit", "long-y", {}, good | {"y": np.append(Y, 1.0)}, ["y", "X"], "y has nine values, X eight rows"),
        ("linear_fit", "nan-in-x-new", {}, good | {"X_new": strange}, ["X_new"], "X_new holds a NaN"),
        ("linear_fit", "no-samples", {}, good | {"X": np.zeros((0, 2)), "y": np.zeros(0)}, ["X", "y"],
         "X and y have no samples"),
        ("linear_fit", "flat-x", {}, good | {"X": np.array(X)[:, 0]}, ["X"], "X has one axis, not (n, d)"),
        ("bayesian_fit", "zero-tol", {"tol": 0.0}, good, ["tol"], "tol is 0"),
        ("bayesian_fit", "negative-alpha-1", {"alpha_1": -1e-6}, good, ["alpha_1"], "the prior alpha_1 is negative"),
        ("bayesian_fit", "negative-lambda-2", {"lambda_2": -0.5}, good, ["lambda_2"], "the prior lambda_2 is negative"),
        ("bayesian_fit", "no-updates", {"max_iter": 0}, good, ["max_iter"], "max_iter is 0"),
        ("bayesian_fit", "infinite-y", {}, good | {"y": endless}, ["y"], "y holds an infinity"),
        ("elastic_net_fit", "negative-alpha", {"alpha": -0.1}, good, ["alpha"], "alpha is negative"),
        ("elastic_net_fit", "ratio-above-one", {"alpha": 0.1, "l1_ratio": 1.2}, good, ["l1_ratio"],
         "l1_ratio is above 1"),
        ("elastic_net_fit", "no-alpha", {"l1_ratio": 0.5}, good, ["alpha"], "the parameter alpha is missing"),
        ("elastic_net_fit", "wide-x-new", {"alpha": 0.1}, good | {"X_new": np.ones((2, 3))}, ["X_new", "X"],
         "X_new has three columns, X two"),
    ]  # fmt: skip
    slugs = {"linear_fit": "linear", "bayesian_fit": "bayesian", "elastic_net_fit": "elastic-net"}
    return suite.refused_rows("regression", {name: (slug, REFERENCES) for name, slug in slugs.items()}, rows)


def cases() -> list[suite.Case]:
    """All of them."""
    return linear_cases() + bayesian_cases() + elastic_cases() + refused()
