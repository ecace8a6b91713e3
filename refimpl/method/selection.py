"""Table 1: the four regressions side by side, and which one is chosen (D07).

Each model is fitted on the province totals of one year (the paper: 2010) and judged by R2, MAE and
RMSE (Eqs. 4-6, emission in 10^4 t)

- on the year of the fit ("train"),
- on the other year ("test", 2005), its drivers scaled with the bounds of the year of the fit (D05),
- on each province in turn, left out of the fit of the others ("leave one out"); both scalers are
  fitted again without it, and the n predictions are judged together.

Drivers (n, d) in their own units, emission (n,), float64.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from refimpl.errors import InputError, did_you_mean
from refimpl.method.bayesian import BayesianRegression
from refimpl.method.elastic_net import ElasticNet
from refimpl.method.estimator import training_data
from refimpl.method.fitted_regression import FittedRegression
from refimpl.method.linear import LinearRegression
from refimpl.method.metrics import mean_absolute_error, r_squared, root_mean_square_error
from refimpl.method.scaling import MinMaxScaler, StandardScaler
from refimpl.method.svr import SVR

MODELS = {"svr": SVR, "bayesian": BayesianRegression, "linear": LinearRegression, "elastic_net": ElasticNet}
"""The models by their name in the settings, in the order of Table 1."""

TITLES = {"svr": "SVR", "bayesian": "Bayesian", "linear": "Linear regression", "elastic_net": "ElasticNet"}

METRICS = (r_squared, mean_absolute_error, root_mean_square_error)

Settings = Mapping[str, Mapping[str, object]]
"""Parameters by model, ``{"svr": {"C": 10.0}, "elastic_net": {"alpha": 0.05}}``; others keep their defaults."""


@dataclass(frozen=True)
class Scores:
    """R2 (nan where all observations are equal), MAE and RMSE, the latter two in units of the emission."""

    r2: float
    mae: float
    rmse: float

    @classmethod
    def of(cls, observed, estimated) -> Scores:
        """Eqs. 4-6 of two arrays (n,)."""
        return cls(*(metric(observed, estimated) for metric in METRICS))


@dataclass(frozen=True)
class ModelScores:
    """One row of Table 1, with the model it judges."""

    name: str
    train: Scores
    test: Scores
    leave_one_out: Scores
    fitted: FittedRegression


@dataclass(frozen=True)
class SelectionTable:
    """Table 1: a row for each model."""

    models: tuple[ModelScores, ...]

    def __getitem__(self, name: str) -> ModelScores:
        return {row.name: row for row in self.models}[name]


def fit_model(
    name: str, drivers, emission, settings: Settings | None = None, feature_names: Sequence[str] | None = None,
    target_units: str = "10^4 t", metadata: Mapping[str, object] | None = None,
) -> FittedRegression:  # fmt: skip
    """Fit one model by its name: drivers (n, d) to [0, 1] (D05), emission (n,) standardised (D06).

    Raises
    ------
    InputError
        An unknown model or parameter, or a parameter out of its range.
    ValueError
        Arrays of wrong shape, or with nan or infinities.

    >>> fitted = fit_model("linear", [[0.0], [10.0], [20.0]], [5.0, 10.0, 15.0])
    >>> fitted.predict([[40.0]]).round(9)
    array([25.])
    """
    for given in (name, *(settings or {})):
        if given not in MODELS:
            raise InputError(f"regression: unknown model {given!r}{did_you_mean(str(given), MODELS)}")
    model, chosen = MODELS[name](), (settings or {}).get(name, {})
    for parameter in chosen:
        if parameter not in model.get_params():
            hint = did_you_mean(str(parameter), model.get_params())
            raise InputError(f"{TITLES[name]}: unknown parameter {parameter!r}{hint}")
    model.set_params(**chosen)
    drivers, emission = training_data(drivers, emission)
    feature_scaler, target_scaler = MinMaxScaler().fit(drivers), StandardScaler().fit(emission)
    model.fit(feature_scaler.transform(drivers), target_scaler.transform(emission))
    names = tuple(feature_names) if feature_names else tuple(f"driver_{k + 1}" for k in range(drivers.shape[1]))
    return FittedRegression(model, feature_scaler, target_scaler, names, target_units, dict(metadata or {}))


def leave_one_out(name: str, drivers, emission, settings: Settings | None = None) -> np.ndarray:
    """Emission (n,) of each province, predicted by a fit, scalers included, that has not seen it; n at least 2.

    >>> leave_one_out("linear", [[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 7.0]).round(9)
    array([1., 3., 5., 7.])
    """
    drivers, emission = training_data(drivers, emission)
    if emission.size < 2:
        raise ValueError("regression: 1 province has statistics, expected at least 2; supply more provinces")
    predictions = np.empty(emission.size)
    for k in range(emission.size):
        others = np.arange(emission.size) != k
        predictions[k] = fit_model(name, drivers[others], emission[others], settings).predict(drivers[k : k + 1])[0]
    return predictions


def compare_models(
    drivers_fit, emission_fit, drivers_test, emission_test, settings: Settings | None = None, **details
) -> SelectionTable:
    """Table 1 for both years' drivers (n, d) and emission (n,); ``details``: names, units, metadata for ``fit_model``.

    >>> drivers = np.arange(12.0)[:, None]
    >>> table = compare_models(drivers, 2 * drivers[:, 0], drivers, 2 * drivers[:, 0] + 1)
    >>> choose(table), round(table["linear"].test.mae, 9)
    ('linear', 1.0)
    """
    drivers_test, emission_test = training_data(drivers_test, emission_test)
    rows = []
    for name in MODELS:
        fitted = fit_model(name, drivers_fit, emission_fit, settings, **details)
        train = Scores.of(emission_fit, fitted.predict(drivers_fit))
        test = Scores.of(emission_test, fitted.predict(drivers_test))
        left_out = Scores.of(emission_fit, leave_one_out(name, drivers_fit, emission_fit, settings))
        rows.append(ModelScores(name, train, test, left_out, fitted))
    return SelectionTable(tuple(rows))


def choose(table: SelectionTable) -> str:
    """D07: the name of the model with the highest test R2; ties go to the lower test RMSE, then to the earlier row.

    (R2 is nan, hence tied, where the test emission is constant.)

    >>> row = lambda name, r2: ModelScores(name, None, Scores(r2, 1.0, 1.0), None, None)
    >>> choose(SelectionTable((row("svr", 0.72), row("linear", 0.65))))
    'svr'
    """
    return table.models[best([row.test.r2 for row in table.models], [row.test.rmse for row in table.models])].name


def best(r2: Sequence[float], rmse: Sequence[float]) -> int:
    """D07's row of a table of test scores: an R2 of nan is worse than any; see ``choose``.

    >>> best([0.5, 0.7, float("nan"), 0.7], [1.0, 3.0, 0.1, 2.0])
    3
    """
    return max(range(len(r2)), key=lambda row: (-np.inf if np.isnan(r2[row]) else r2[row], -rmse[row]))
