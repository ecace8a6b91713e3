"""Operations of stage regression: scaling, kernels, the four models, and the choice among them."""

from __future__ import annotations

import numpy as np

from refimpl.conformance.operations.reading import array, arrays, given, named, table
from refimpl.conformance.task import Task
from refimpl.errors import InputError
from refimpl.formats.table1 import selection_rows
from refimpl.formats.tables import columns_of
from refimpl.method.bayesian import BayesianRegression
from refimpl.method.elastic_net import ElasticNet
from refimpl.method.estimator import training_data
from refimpl.method.fitted_regression import FittedRegression
from refimpl.method.hyperparameters import finite
from refimpl.method.kernel_functions import checked_kernel
from refimpl.method.kernel_functions import kernel_matrix as matrix_of_kernel
from refimpl.method.linear import LinearRegression
from refimpl.method.scaling import MinMaxScaler, StandardScaler
from refimpl.method.selection import best, fit_model
from refimpl.method.selection import compare_models as compare
from refimpl.method.svr import SVR

STRICT = {"svr": {"tol": 1e-9}, "elastic_net": {"tol": 1e-12, "max_iter": 100_000}}
"""Stopping rules that are as exact as the contract demands; refimpl's own defaults stop earlier."""
KERNEL = ("kernel", "gamma", "degree", "coef0")


def settings(found: object) -> dict[str, dict]:
    """The task's settings by model, with ``STRICT`` for those that it does not set."""
    if not (isinstance(found, dict) and all(isinstance(part, dict) for part in found.values())):
        raise InputError(f"settings are {found!r}; expected parameters by their names")
    return {model: STRICT.get(model, {}) | found.get(model, {}) for model in {**STRICT, **found}}


def min_max_scale(task: Task) -> dict:
    """D05: min-max scaling."""
    scaler = MinMaxScaler(**given(task, "upper_quantile", "clip"))
    with arrays("fit"):
        scaler.fit(array(task, "fit", 2))
    with arrays("data"):
        scaled = scaler.transform(array(task, "data", 2))
    return {"scaled": scaled, "bounds": np.stack([scaler.data_min_, scaler.data_max_])}


def standardise(task: Task) -> dict:
    """D06: the standardised target."""
    scaler = StandardScaler()
    with arrays("y"):
        z = scaler.fit(array(task, "y", 1)).transform(array(task, "y", 1))
    return {"z": z, "moments": named(mean=float(scaler.mean_), scale=float(scaler.scale_))}


def kernel_matrix(task: Task) -> dict:
    """D06: the kernel k(x, z) of all pairs."""
    defaults = SVR().get_params()
    kernel = checked_kernel(*(task.parameter(name, *_default(defaults, name)) for name in KERNEL))
    with arrays("X", "Z"):
        return {"K": matrix_of_kernel(array(task, "X", 2), array(task, "Z", 2), *kernel)}


def _default(defaults: dict, name: str) -> list:
    return [defaults[name]] if name in ("degree", "coef0") else []


def fitted(task: Task, model) -> tuple:
    """``model``, fitted on X and y, and its prediction for X_new."""
    with arrays("X", "y"):
        model.fit(array(task, "X", 2), array(task, "y", 1))
    with arrays("X_new"):
        return model, model.predict(array(task, "X_new", 2))


def linear_answer(model, predicted: np.ndarray) -> dict:
    """The prediction and the coefficients of a linear model, intercept last."""
    return {"predicted": predicted, "coefficients": np.append(model.coef_, model.intercept_)}


def svr_fit(task: Task) -> dict:
    """D06: epsilon-SVR."""
    model = SVR(**STRICT["svr"], **given(task, "C", "epsilon", *KERNEL))
    return {"predicted": fitted(task, model)[1]}


def svr_of(support_vectors, dual_coef, intercept: float, gamma: float, **kernel) -> SVR:
    """The model of a solution that another program found.

    ``support_vectors`` (n, d), ``dual_coef`` (n,); ``kernel`` holds any of ``kernel``, ``degree``, ``coef0``.

    >>> svr_of([[0.0], [2.0]], [-0.5, 0.5], 1.0, 1.0, kernel="linear").predict([[4.0]])
    array([5.])
    """
    model = SVR(gamma=gamma, **kernel)
    model.support_vectors_, weights = training_data(support_vectors, dual_coef)
    model.support_, model.dual_coef_ = np.arange(weights.size), weights[np.newaxis]
    model.gamma_ = checked_kernel(model.kernel, gamma, model.degree, model.coef0)[1]
    model.intercept_ = np.array([finite("SVR", "intercept", intercept)])
    model.n_iter_, model.kkt_gap_, model.n_features_in_ = 0, 0.0, model.support_vectors_.shape[1]
    return model


def svr_predict(task: Task) -> dict:
    """D06: the prediction of a given solution."""
    solution = array(task, "support_vectors", 2), array(task, "dual_coef", 1), task.parameter("intercept")
    with arrays("support_vectors", "dual_coef"):
        model = svr_of(*solution, task.parameter("gamma"), **given(task, "kernel", "degree", "coef0"))
    with arrays("X_new"):
        return {"predicted": model.predict(array(task, "X_new", 2))}


def linear_fit(task: Task) -> dict:
    """Table 1: least squares."""
    return linear_answer(*fitted(task, LinearRegression()))


def bayesian_fit(task: Task) -> dict:
    """Table 1: Bayesian regression by evidence maximisation."""
    priors = given(task, "max_iter", "tol", "alpha_1", "alpha_2", "lambda_1", "lambda_2")
    model, predicted = fitted(task, BayesianRegression(**priors))
    return linear_answer(model, predicted) | {"precisions": named(alpha=model.alpha_, **{"lambda": model.lambda_})}


def elastic_net_fit(task: Task) -> dict:
    """Table 1: the elastic net by coordinate descent."""
    model = ElasticNet(task.parameter("alpha"), **given(task, "l1_ratio"), **STRICT["elastic_net"])
    return linear_answer(*fitted(task, model))


def choose_model(task: Task) -> dict:
    """D07: the model with the highest R2 on the test year."""
    scores = table(task, "scores", "model", "test_r2", "test_rmse")
    r2 = scores.numbers("test_r2", empty=float("nan"))
    return {"chosen": {"model": [scores.text("model")[best(r2.tolist(), scores.numbers("test_rmse").tolist())]]}}


def fitted_on_totals(task: Task) -> FittedRegression:
    """The task's regression, fitted on its ``drivers`` and ``emission``."""
    model = str(task.parameter("model"))
    with arrays("drivers", "emission"):
        data = array(task, "drivers", 2), array(task, "emission", 1)
        return fit_model(model, *data, settings({model: task.parameter("settings", {})}))


def fit_regression(task: Task) -> dict:
    """D05, D06: the regression's prediction for new drivers, in the emission's unit."""
    regression = fitted_on_totals(task)
    with arrays("drivers_new"):
        return {"predicted": regression.predict(array(task, "drivers_new", 2))}


def compare_models(task: Task) -> dict:
    """Table 1: the four models compared."""
    names = ("drivers_fit", "emission_fit", "drivers_test", "emission_test")
    data = [array(task, name, 2 if name.startswith("drivers") else 1) for name in names]
    with arrays(*names):
        return {"table": columns_of(selection_rows(compare(*data, settings(task.parameter("settings", {})))))}


OPERATIONS = {
    "min_max_scale": min_max_scale,
    "standardise": standardise,
    "kernel_matrix": kernel_matrix,
    "svr_fit": svr_fit,
    "svr_predict": svr_predict,
    "linear_fit": linear_fit,
    "bayesian_fit": bayesian_fit,
    "elastic_net_fit": elastic_net_fit,
    "choose_model": choose_model,
    "fit_regression": fit_regression,
    "compare_models": compare_models,
}
