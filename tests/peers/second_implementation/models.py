"""Province models: fitting, judging, choosing, and the coarse map."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from tests.peers.second_implementation import linear_models, support_vectors
from tests.peers.second_implementation.files import Task, named, numbers, refuse_unless
from tests.peers.second_implementation.scaling import bounds_of, moments, scaled, upper_quantile_of

MODELS = ("svr", "bayesian", "linear", "elastic_net")


def fitter(model: str, settings: object) -> Callable[[np.ndarray, np.ndarray], Callable[[np.ndarray], np.ndarray]]:
    """How to fit a model with its settings, which are checked before any data is looked at."""
    refuse_unless(isinstance(settings, Mapping), "settings", "settings by name are expected")
    line = lambda c: lambda X: X @ c[:-1] + c[-1]  # noqa: E731
    if model == "svr":
        full = support_vectors.checked(settings)
        return lambda X, y: support_vectors.fit(X, y, full)
    if model == "bayesian":
        priors = linear_models.bayesian_settings(settings)
        return lambda X, y: line(linear_models.bayesian(X, y, priors)[0])
    if model == "elastic_net":
        net = linear_models.net_settings({"alpha": 0.1, **settings})
        return lambda X, y: line(linear_models.elastic_net(X, y, *net))
    for name in settings:
        refuse_unless(False, name, "least squares have no settings")
    return lambda X, y: line(linear_models.least_squares(X, y))


def regression(drivers: np.ndarray, emission: np.ndarray, fit) -> tuple[Callable[[np.ndarray], np.ndarray], np.ndarray]:
    """D05, D06: emission from scaled drivers, and the bounds of scaling."""
    bounds, (mean, scale) = bounds_of(drivers), moments(emission)
    predict = fit(scaled(drivers, bounds), (emission - mean) / scale)
    return (lambda X: predict(X) * scale + mean), bounds


def totals_of(task: Task, drivers: str = "drivers", emission: str = "emission") -> tuple[np.ndarray, np.ndarray]:
    """Province totals of the drivers and their emission."""
    X, y = task.array(drivers, 2), task.array(emission, 1)
    refuse_unless(X.size > 0, drivers, "it has no values")
    refuse_unless(y.size == X.shape[0], emission, f"it has {y.size} values for {X.shape[0]} provinces")
    return X, y


def fit_regression(task: Task) -> dict:
    """Fit on province totals, predict other provinces."""
    fit = fitter(task.choice("model", MODELS), task.value("settings", {}))
    X, y = totals_of(task)
    X_new = task.array("drivers_new", 2)
    refuse_unless(
        X_new.shape[1] == X.shape[1], "drivers_new", f"it has {X_new.shape[1]} columns, drivers has {X.shape[1]}"
    )
    predict, bounds = regression(X, y, fit)
    return {"predicted.npy": predict(scaled(X_new, bounds))}


def metrics(observed: np.ndarray, estimated: np.ndarray) -> tuple[float, float, float]:
    """Eqs. 4-6: R2, MAE, RMSE."""
    error = observed - estimated
    spread = np.sum((observed - observed.mean()) ** 2)
    flat = spread == 0 or bool(np.all(observed == observed[0]))
    r2 = math.nan if flat else float(1 - np.sum(error**2) / spread)
    return r2, float(np.abs(error).mean()), float(np.sqrt(np.mean(error**2)))


def judged(X, y, X_test, y_test, settings: Mapping) -> dict[str, list]:
    """Table 1: every model on the fit, on the test year and leaving one province out."""
    columns = [f"{part}_{name}" for part in ("train", "test", "leave_one_out") for name in ("r2", "mae", "rmse")]
    table: dict[str, list] = {"model": list(MODELS), **{column: [] for column in columns}}
    for model in MODELS:
        fit = fitter(model, settings.get(model, {}))
        predict, bounds = regression(X, y, fit)
        left_out = []
        for i in range(y.size):
            others = np.arange(y.size) != i
            predict_one, bounds_one = regression(X[others], y[others], fit)
            left_out.append(predict_one(scaled(X[i : i + 1], bounds_one))[0])
        values = [*metrics(y, predict(scaled(X, bounds))), *metrics(y_test, predict(scaled(X_test, bounds)))]
        for column, value in zip(columns, [*values, *metrics(y, np.array(left_out))], strict=True):
            table[column].append(value)
    return table


def compare_models(task: Task) -> dict:
    """Table 1."""
    X, y = totals_of(task, "drivers_fit", "emission_fit")
    X_test, y_test = totals_of(task, "drivers_test", "emission_test")
    refuse_unless(X_test.shape[1] == X.shape[1], "drivers_test", f"it has {X_test.shape[1]} columns, not {X.shape[1]}")
    refuse_unless(y.size > 1, "drivers_fit", "at least two provinces are expected")
    settings = task.value("settings", {})
    refuse_unless(isinstance(settings, Mapping), "settings", "settings by model are expected")
    for model in settings:
        refuse_unless(model in MODELS, model, "there is no such model")
    return {"table.csv": judged(X, y, X_test, y_test, settings)}


def best(models: list[str], r2: np.ndarray, rmse: np.ndarray) -> str:
    """D07: the highest R2, then the lower RMSE, then the earlier row."""
    worth = [
        (-math.inf if math.isnan(a) else a, -math.inf if math.isnan(b) else -b) for a, b in zip(r2, rmse, strict=True)
    ]
    return models[max(range(len(models)), key=lambda i: (*worth[i], -i))]


def choose_model(task: Task) -> dict:
    """D07."""
    table = task.table("scores", "model", "test_r2", "test_rmse")
    refuse_unless(bool(table["model"]), "scores", "there are no rows")
    r2, rmse = numbers(table, "test_r2", empty=True), numbers(table, "test_rmse")
    refuse_unless(bool(np.all(rmse >= 0)), "test_rmse", "values of at least 0 are expected")
    return {"chosen.csv": {"model": [best(table["model"], r2, rmse)]}}


def coarse_map(predict, bounds, densities: list, scaling: str, upper_quantile: float):
    """Fig. 1: the model on every cell with all drivers; the map and the number of negative cells."""
    from tests.peers.second_implementation.rasters import Raster, cell_area

    grid = densities[0].grid
    valid = np.logical_and.reduce([density.valid for density in densities])
    refuse_unless(bool(valid.any()), f"driver_{len(densities)}", "no cell has all drivers")
    cells = np.stack([density.values[valid] for density in densities], axis=1)
    if scaling == "shared":
        inputs = scaled(cells * cell_area(grid)[valid][:, None], bounds)
    else:
        inputs = scaled(cells, bounds_of(cells, upper_quantile), clip=True)
    values = np.zeros(grid.shape)
    values[valid] = predict(inputs)
    return Raster(values, valid, grid), int((values[valid] < 0).sum())


def predict_coarse(task: Task) -> dict:
    """The coarse map."""
    from tests.peers.second_implementation.rasters import band, on_grid

    fit = fitter(task.choice("model", MODELS), task.value("settings", {}))
    scaling = task.choice("scaling", ("separate", "shared"), "separate")
    upper_quantile = upper_quantile_of(task, 0.999)
    X, y = totals_of(task)
    densities = [band(task, "driver_1")]
    densities += [on_grid(task, f"driver_{i}", densities[0]) for i in range(2, X.shape[1] + 1)]
    extra = f"driver_{X.shape[1] + 1}"
    refuse_unless(f"{extra}.tif" not in task.inputs, extra, f"drivers has only {X.shape[1]} columns")
    predict, bounds = regression(X, y, fit)
    coarse, negative = coarse_map(predict, bounds, densities, scaling, upper_quantile)
    return {"coarse.tif": coarse, "negative.csv": named(negative=negative)}
