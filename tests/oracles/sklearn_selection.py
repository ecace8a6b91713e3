"""Table 1 and D07: models on drivers in their own units, of the exact models; scikit-learn is the second voice.

scikit-learn differs in one thing: it scales a constant driver by 1, so folds that have one are not asked of it.
"""

from __future__ import annotations

import math
import warnings

import numpy as np
from sklearn import compose, linear_model, model_selection, pipeline, preprocessing, svm

from tests.oracles import exact_models as em
from tests.oracles import suite
from tests.oracles.fractions_scaling import UNITS

FLAGS = {
    "drivers-unscaled": "The drivers reach the model in their own units: GDP of 10^12 fills the kernel, which returns "
    "its bias everywhere.",
    "test-year-own-bounds": "The drivers of the test year are scaled by their own bounds: growth between the years "
    "vanishes.",
    "prediction-drivers-clipped": "Drivers of the test year beyond the bounds of the fit are held within [0, 1]: "
    "growth is cut off.",
    "target-unstandardised": "Emission is not standardised, so that C = 1 and epsilon = 0.1 are 10^4 t: the SVR is "
    "flat.",
    "prediction-in-standard-units": "The prediction is not brought back to the emission's unit.",
    "settings-ignored": "Settings of the task do not reach the model, or reach another one.",
    "elastic-net-alpha-one": "ElasticNet has scikit-learn's alpha of 1.0, not 0.1: every weight is 0.",
    "constant-driver-in-fit": "A driver that is the same in all provinces gives 0/0, and every prediction is NaN.",
    "leave-one-out-leak": "The scalers have seen the province that is left out: only the model is fitted again.",
    "leave-one-out-one-by-one": "R2 or RMSE is taken of each left-out province by itself and averaged, not of all "
    "together.",
    "test-year-refitted": "The model is fitted again on the test year before it is judged there.",
    "squared-correlation": "R2 is the square of Pearson's r, not Eq. 4: a bias costs nothing.",
    "fold-constant-driver": "A driver becomes constant where its one odd province is left out: 0/0 in that fold, or "
    "the province is given a scaled driver of 67.5 instead of 0.",
    "chosen-by-error": "The model with the lowest RMSE is taken, or the lowest R2.",
    "tie-by-rmse": "Equal R2 are not decided by the lower RMSE.",
    "tie-by-row": "Where R2 and RMSE are equal the later row is taken, or the first by the alphabet.",
    "empty-r2-wins": "An empty R2 is 0, or NaN compares as it likes: a model without R2 beats one with a negative R2.",
}

CLOSED = "scaling and a plane round to about 1e-14; the bugs cost 1e-2 at least"
BAYESIAN = "some updates, whose number no rounding changes (verified); the bugs cost 1e-3 at least"
GAP = "a gap of 1e-12 y.y leaves less than 1e-5 in the prediction; the bugs cost 1e-2 at least"
SOLVER = "an SVR solved to 1e-9 is off by less than 1e-7 (verified), LIBSVM by 2e-6; the bugs cost 1e-2 at least"
LIMITS = {"linear": (1e-11, CLOSED), "bayesian": (1e-10, BAYESIAN), "elastic_net": (2e-5, GAP), "svr": (1e-5, SOLVER)}
WORST = "ElasticNet's gap and LIBSVM's float32 kernel leave less than 1e-5 of a prediction; the bugs cost 1e-2 at least"
COMPOSED = "Scalings and models in 50-digit arithmetic, the SVR from LIBSVM's active set; scikit-learn agrees."
TABLE_1 = ["Table 1", "D05", "D06"]
METRICS = ("r2", "mae", "rmse")

DRIVERS = [*UNITS, [118.0, 37600000, 2.8e12], [63.5, 25800000, 8.4e11]]
EMISSION = [9120.5, 33400.25, 61750.0, 3890.75, 58020.5, 24310.0, 40875.25, 12460.0]
DRIVERS_2005 = [[190.5, 11020000, 6.4e11], [101.75, 121300000, 2.2e12], [365.0, 19800000, 4.1e12], [9.5, 2870000, 9e10]]


def peer(model: str, settings: dict):
    """The same in scikit-learn: scalers and model in one pipeline, as sharp as it goes."""
    kinds = {
        "svr": lambda **own: svm.SVR(**own, tol=1e-10),
        "bayesian": lambda **own: linear_model.BayesianRidge(**own),
        "linear": lambda **own: linear_model.LinearRegression(**own),
        "elastic_net": lambda **own: linear_model.ElasticNet(**{"alpha": 0.1} | own, tol=1e-14, max_iter=1_000_000),
    }
    steps = pipeline.make_pipeline(preprocessing.MinMaxScaler(), kinds[model](**settings))
    return compose.TransformedTargetRegressor(steps, transformer=preprocessing.StandardScaler())


def agreed(model: str, settings: dict, drivers, emission, new, own: np.ndarray) -> None:
    """scikit-learn predicts the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        second = peer(model, settings).fit(np.array(drivers, float), np.array(emission, float)).predict(new)
    assert np.abs(second - own).max() < (3e-6 if model == "svr" else 1e-8) * np.abs(own).max(), model


def fit_case(name, title, model, drivers, emission, new, flags, references=TABLE_1, **settings) -> suite.Case:
    """A case of ``fit_regression``."""
    drivers, emission, new = (np.array(v, float) for v in (drivers, emission, new))
    fitted = em.fitted(model, em.exact(drivers), em.exact(emission), settings)
    predicted = em.to_float(fitted(em.exact(new)))
    agreed(model, settings, drivers, emission, new, predicted)
    if model == "svr":
        assert max(fitted.model.reach(z) for z in em.scale(em.exact(new), fitted.limits)) < 1e-7
    parameters = {"model": model} | ({"settings": settings} if settings else {})
    oracle = "libsvm-polished" if model == "svr" else "mpmath"
    return suite.Case(
        f"fit-{name}", title, "regression", "fit_regression", references, flags, oracle, COMPOSED, parameters,
        {"drivers.npy": drivers, "emission.npy": emission, "drivers_new.npy": new},
        {"predicted.npy": suite.Output(predicted, "scaled", *LIMITS[model])},
    )  # fmt: skip


def fits() -> list[suite.Case]:
    """Each model on eight provinces."""
    level = [[lights, 5.5e7, gdp] for lights, _, gdp in DRIVERS]
    data = (DRIVERS, EMISSION, DRIVERS_2005)
    all_models = ["prediction-in-standard-units", "test-year-own-bounds", "prediction-drivers-clipped"]
    return [
        fit_case("linear", "Least squares; the test year has lights and people beyond the fit's", "linear", *data,
                 all_models),
        fit_case("bayesian", "Bayesian regression on scaled drivers and standardised emission", "bayesian", *data,
                 [*all_models, "drivers-unscaled", "target-unstandardised"]),
        fit_case("elastic-net", "ElasticNet's own default alpha, 0.1", "elastic_net", *data,
                 [*all_models, "elastic-net-alpha-one", "drivers-unscaled", "target-unstandardised"]),
        fit_case("elastic-net-settings", "alpha and l1_ratio given", "elastic_net", *data, ["settings-ignored"],
                 alpha=0.03125, l1_ratio=0.875),
        fit_case("svr", "The paper's choice with D06's settings", "svr", *data,
                 [*all_models, "drivers-unscaled", "target-unstandardised"]),
        fit_case("svr-settings", "A linear SVR with C 10 and epsilon 0.25 standard deviations", "svr", *data,
                 ["settings-ignored", "target-unstandardised"], kernel="linear", C=10.0, epsilon=0.25),
        fit_case("constant-driver", "As many people in every province: that driver is 0, and stays so", "linear",
                 level, EMISSION, DRIVERS_2005, ["constant-driver-in-fit"]),
        fit_case("equal-emission", "Equal emissions: deviation 0, scale 1, and the prediction is that emission",
                 "elastic_net", DRIVERS, [1234.5] * 8, DRIVERS_2005, ["constant-driver-in-fit"]),
    ]  # fmt: skip


def judged(observed: list, estimated: list) -> tuple[float, float, float]:
    """Eqs. 4-6, rounded once; R2 is NaN where all observations are equal."""
    centre = em.mean(observed)
    squares = em.mp.fsum((v - centre) ** 2 for v in observed)
    errors = [o - e for o, e in zip(observed, estimated, strict=True)]
    lost = em.mp.fsum(e**2 for e in errors)
    rmse = em.mp.sqrt(lost / len(errors))
    return float(1 - lost / squares) if squares else math.nan, float(em.mean([abs(e) for e in errors])), float(rmse)


def left_out(model: str, drivers: list, emission: list, settings: dict) -> list:
    """Each province predicted by a fit that has not seen it."""
    found = []
    for k in range(len(emission)):
        others = [i for i in range(len(emission)) if i != k]
        fitted = em.fitted(model, [drivers[i] for i in others], [emission[i] for i in others], settings)
        found += fitted([drivers[k]])
    return found


def table_1(fit, emission_fit, test, emission_test, settings: dict) -> dict:
    """The columns of ``table.csv``."""
    arrays = [np.array(v, float) for v in (fit, emission_fit, test, emission_test)]
    fit, emission_fit, test, emission_test = (em.exact(array) for array in arrays)
    table = {"model": list(em.MODELS)}
    for model in em.MODELS:
        own = settings.get(model, {})
        fitted, alone = em.fitted(model, fit, emission_fit, own), left_out(model, fit, emission_fit, own)
        agreed(model, own, *arrays[:3], em.to_float(fitted(test)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            second = model_selection.cross_val_predict(peer(model, own), *arrays[:2], cv=model_selection.LeaveOneOut())
        varies = [np.ptp(np.delete(arrays[0], k, axis=0), axis=0).all() for k in range(len(alone))]
        assert np.abs(second - em.to_float(alone))[varies].max() < 1e-5 * np.abs(arrays[1]).max(), model
        pairs = ((emission_fit, fitted(fit)), (emission_test, fitted(test)), (emission_fit, alone))
        for on, pair in zip(("train", "test", "leave_one_out"), pairs, strict=True):
            for metric, value in zip(METRICS, judged(*pair), strict=True):
                table.setdefault(f"{on}_{metric}", []).append(value)
    return table


def compare_case(name, title, fit, emission_fit, test, emission_test, flags, settings=None) -> suite.Case:
    """A case of ``compare_models``."""
    table = table_1(fit, emission_fit, test, emission_test, settings or {})
    names = ("drivers_fit", "emission_fit", "drivers_test", "emission_test")
    given = (fit, emission_fit, test, emission_test)
    inputs = {f"{key}.npy": np.array(value, float) for key, value in zip(names, given, strict=True)}
    return suite.Case(
        f"compare-{name}", title, "regression", "compare_models", [*TABLE_1, "Eq. 4", "Eq. 5", "Eq. 6"], flags,
        "libsvm-polished", COMPOSED, {"settings": settings} if settings else {}, inputs,
        {"table.csv": suite.Output(table, "scaled", 5e-5, WORST)},
    )  # fmt: skip


def provinces(case_id: str, n: int) -> tuple[np.ndarray, ...]:
    """Lights, people and GDP of two years, with growth, and their emission in 10^4 t; skewed as provinces are."""
    random = suite.rng(case_id)
    size = random.lognormal(0, 0.6, n)
    fit = np.stack([size * random.lognormal(0, 0.3, n) * unit for unit in (120, 4e7, 2e12)], axis=1)
    emission = 2e4 * size * random.lognormal(0, 0.2, n)
    test = fit * random.uniform(0.55, 1.05, (n, 1)) * [0.85, 0.97, 0.5]
    then = emission * random.uniform(0.5, 0.9, n)
    digits = [2, 0, -9]
    fit, test = (np.stack([np.round(a[:, k], digits[k]) for k in range(3)], axis=1) for a in (fit, test))
    return fit, np.round(emission, 2), test, np.round(then, 2)


def comparisons() -> list[suite.Case]:
    """Table 1 of nine provinces, and of thirty."""
    nine, odd = provinces("compare-nine-provinces", 9), provinces("compare-odd-province", 9)
    single = np.full(9, 12.5)
    single[6] = 80.0
    odd_fit = np.stack([single, odd[0][:, 2]], axis=1)
    settings = {
        "svr": {"C": 4.0, "epsilon": 0.05, "gamma": 0.75},
        "elastic_net": {"alpha": 0.02, "l1_ratio": 0.25},
        "bayesian": {"tol": 1e-6},
    }
    judged_alike = ["leave-one-out-leak", "leave-one-out-one-by-one", "test-year-refitted", "squared-correlation"]
    return [
        compare_case("nine-provinces", "Four models, three judgements, all defaults", *nine,
                     [*judged_alike, "test-year-own-bounds", "prediction-drivers-clipped"]),
        compare_case("settings", "Settings by model reach that model alone", *nine, ["settings-ignored"], settings),
        compare_case("constant-test-year", "A test year with equal emissions has no R2", *nine[:3],
                     np.full(9, 15000.0), ["empty-r2-wins"]),
        compare_case("odd-province", "One province alone differs in a driver: without it the driver is constant, and 0",
                     odd_fit, odd[1], odd[2][:, :2] * [0.2, 2.5e4], odd[3],
                     ["fold-constant-driver", "leave-one-out-leak"]),
        compare_case("thirty-provinces", "Thirty provinces and three drivers, as in the paper",
                     *provinces("compare-thirty-provinces-of-china", 30), judged_alike),
    ]  # fmt: skip


def choose_case(name, title, r2, rmse, chosen, flags, models=tuple(em.MODELS)) -> suite.Case:
    """A case of ``choose_model``."""
    table = {"model": list(models[: len(r2)]), "test_r2": r2, "test_rmse": rmse}
    return suite.Case(
        f"choose-{name}", title, "regression", "choose_model", ["D07", "Table 1"], flags, "hand",
        "Read off the table.", {}, {"scores.csv": table},
        {"chosen.csv": suite.Output({"model": [chosen]}, "exact", 0.0, "a name")},
    )  # fmt: skip


def choices() -> list[suite.Case]:
    """Who wins."""
    none = math.nan
    return [
        choose_case("highest-r2", "The highest R2 wins, though another RMSE is lower", [0.5, 0.25, 0.72, 0.71],
                    [90.0, 70.0, 88.0, 60.0], "linear", ["chosen-by-error"]),
        choose_case("tie-by-rmse", "Two R2 of 0.625: the lower RMSE", [0.625, 0.5, 0.625, 0.25],
                    [81.5, 60.0, 81.25, 90.0], "linear", ["tie-by-rmse"]),
        choose_case("tie-by-row", "Two equal rows: the earlier", [0.25, 0.625, 0.625, 0.5], [60.0, 81.5, 81.5, 90.0],
                    "zonal", ["tie-by-row"], ("svr", "zonal", "bayesian", "linear")),
        choose_case("empty-r2", "An empty R2 loses against a negative one, whatever its RMSE",
                    [none, -3.5, none, -0.75], [10.0, 90.0, 12.0, 95.0], "elastic_net",
                    ["empty-r2-wins", "chosen-by-error"]),
        choose_case("no-r2-at-all", "No model has an R2: the lower RMSE", [none, none, none], [30.0, 12.5, 20.0],
                    "bayesian", ["empty-r2-wins", "tie-by-rmse"]),
    ]  # fmt: skip


def refused() -> list[suite.Case]:
    """What cannot be fitted, compared or chosen."""
    fit = {"drivers": np.array(DRIVERS), "emission": np.array(EMISSION), "drivers_new": np.array(DRIVERS_2005)}
    years = {"drivers_fit": fit["drivers"], "emission_fit": fit["emission"]}
    years |= {"drivers_test": 0.75 * fit["drivers"], "emission_test": 0.5 * fit["emission"]}
    alone = {key: value[:1] for key, value in years.items()}
    hole, endless = fit["drivers"].copy(), fit["emission"].copy()
    hole[2, 1], endless[5] = math.nan, math.inf
    scores = {"model": ["svr", "linear"], "test_r2": [0.5, 0.25], "test_rmse": [80.0, 90.0]}
    no_r2 = {key: value for key, value in scores.items() if key != "test_r2"}
    nobody = {key: [] for key in scores}
    rows = [
        ("fit_regression", "unknown-model", {"model": "forest"}, fit, ["model"], "there is no model forest"),
        ("fit_regression", "misspelt-setting", {"model": "svr", "settings": {"epsilom": 0.1}}, fit, ["epsilom"],
         "the SVR has no setting epsilom (did you mean epsilon?)"),
        ("fit_regression", "setting-of-another-model", {"model": "linear", "settings": {"alpha": 0.5}}, fit, ["alpha"],
         "least squares has no setting alpha"),
        ("fit_regression", "zero-c", {"model": "svr", "settings": {"C": 0}}, fit, ["C"], "C is 0"),
        ("fit_regression", "negative-ratio", {"model": "elastic_net", "settings": {"l1_ratio": -0.5}}, fit,
         ["l1_ratio"], "l1_ratio is negative"),
        ("fit_regression", "nan-in-drivers", {"model": "linear"}, fit | {"drivers": hole}, ["drivers"],
         "drivers holds a NaN"),
        ("fit_regression", "short-emission", {"model": "bayesian"}, fit | {"emission": fit["emission"][:7]},
         ["emission", "drivers"], "seven emissions for eight provinces"),
        ("fit_regression", "driver-missing-in-new", {"model": "linear"}, fit | {"drivers_new": np.ones((2, 2))},
         ["drivers_new", "drivers"], "drivers_new has two columns, drivers three"),
        ("compare_models", "one-province", {}, alone, ["drivers_fit", "emission_fit"],
         "one province cannot be left out: none is left to fit"),
        ("compare_models", "short-test-year", {}, years | {"emission_test": years["emission_test"][:5]},
         ["emission_test", "drivers_test"], "five emissions of the test year for eight provinces"),
        ("compare_models", "driver-missing-in-test-year", {}, years | {"drivers_test": years["drivers_test"][:, :2]},
         ["drivers_test", "drivers_fit"], "the test year has two drivers, the fit three"),
        ("compare_models", "unknown-model", {"settings": {"svm": {"C": 2.0}}}, years, ["svm", "settings"],
         "settings for a model svm, which there is not"),
        ("compare_models", "negative-epsilon", {"settings": {"svr": {"epsilon": -0.5}}}, years, ["epsilon"],
         "epsilon is negative"),
        ("compare_models", "infinite-emission", {}, years | {"emission_fit": endless}, ["emission_fit"],
         "emission_fit holds an infinity"),
        ("choose_model", "no-r2-column", {}, {"scores": no_r2}, ["test_r2", "scores"], "the column test_r2 is missing"),
        ("choose_model", "no-models", {}, {"scores": nobody}, ["scores", "model"], "there is no row to choose"),
        ("choose_model", "empty-rmse", {}, {"scores": scores | {"test_rmse": [80.0, math.nan]}},
         ["test_rmse", "scores"], "an empty cell in test_rmse, where only test_r2 may be empty"),
    ]  # fmt: skip
    operations = {
        "fit_regression": ("fit", TABLE_1), "compare_models": ("compare", TABLE_1), "choose_model": ("choose", ["D07"]),
    }  # fmt: skip
    return suite.refused_rows("regression", operations, rows)


def cases() -> list[suite.Case]:
    """All of them."""
    return fits() + comparisons() + choices() + refused()
