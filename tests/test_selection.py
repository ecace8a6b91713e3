"""Table 1: scores of the four models, leave-one-out without leaks, and D07's choice."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from refimpl.errors import InputError
from refimpl.formats.table1 import selection_rows, selection_text
from refimpl.method.selection import (
    MODELS,
    ModelScores,
    Scores,
    SelectionTable,
    choose,
    compare_models,
    fit_model,
    leave_one_out,
)


def soft(value, threshold):
    return np.sign(value) * max(abs(value) - threshold, 0.0)


def one_driver_elastic_net(x, y, new, alpha=0.1, l1_ratio=0.5):
    """D05 and D06 scaling and ElasticNet of one driver in closed form: the prediction at ``new``."""
    low, span, mean, deviation = min(x), max(x) - min(x), np.mean(y), np.std(y)
    z, t = (np.array(x) - low) / span, (np.array(y) - mean) / deviation
    centred = z - z.mean()
    w = soft(np.mean(centred * t), alpha * l1_ratio) / (np.mean(centred**2) + alpha * (1 - l1_ratio))
    return mean + deviation * w * ((new - low) / span - z.mean())


def test_leave_one_out_fits_both_scalers_without_the_province_left_out():
    x, y = [0.0, 1.0, 2.0, 4.0, 100.0], [1.0, 2.0, 2.5, 5.0, 400.0]
    predictions = leave_one_out("elastic_net", np.array(x)[:, None], y)
    expected = [one_driver_elastic_net(x[:k] + x[k + 1 :], y[:k] + y[k + 1 :], x[k]) for k in range(5)]
    np.testing.assert_allclose(predictions, expected, rtol=1e-10)  # one coordinate: the sweep is exact
    # With bounds that know the fifth province, the others share 4 % of the range and the penalty flattens the slope.
    z = np.array(x) / 100.0
    t = (np.array(y[:4]) - np.mean(y[:4])) / np.std(y[:4])
    centred = z[:4] - z[:4].mean()
    w = soft(np.mean(centred * t), 0.05) / (np.mean(centred**2) + 0.05)
    leaky = np.mean(y[:4]) + np.std(y[:4]) * w * (1.0 - z[:4].mean())
    assert abs(predictions[4] - leaky) > 10


def test_leave_one_out_scores_are_of_all_provinces_together():
    x, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0.0, 1.0, 2.0, 5.0])
    table = compare_models(x, y, x, y)
    # Lines through the other three, by hand.  Without 0: slope 2, through (2, 8/3): -4/3 at 0.  Without 1: slope 11/7
    # through (5/3, 7/3): 9/7 at 1.  Without 2: slope 12/7 through (4/3, 2): 22/7 at 2.  Without 3: 3 at 3.
    error = np.array([4 / 3, -2 / 7, -8 / 7, 2.0])
    got = table["linear"].leave_one_out
    assert got.r2 == pytest.approx(1 - np.sum(error**2) / 14, rel=1e-12)
    assert got.mae == pytest.approx(np.mean(np.abs(error)), rel=1e-12)
    assert got.rmse == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-12)


def test_the_test_year_is_scaled_with_the_bounds_of_the_year_of_the_fit():
    x, y = np.arange(10.0)[:, None], np.arange(10.0)
    half = x / 2
    table = compare_models(x, y, half, half[:, 0])
    # y = x holds in both years; bounds fitted again on the test year would double every prediction.
    assert table["linear"].test.r2 == pytest.approx(1.0, abs=1e-12)
    for row in table.models:
        model = row.fitted
        z = (half - 0.0) / 9.0
        expected = y.mean() + y.std() * model.model.predict(z)
        assert row.test.rmse == pytest.approx(np.sqrt(np.mean((half[:, 0] - expected) ** 2)), rel=1e-12)


def test_the_target_is_standardised_before_the_fit():
    # Epsilon is 0.1 deviations: other units of emission must not change what is learnt.  A power of 2 keeps every bit.
    rng = np.random.default_rng(0)
    drivers, emission = rng.random((20, 3)), 100 * rng.random(20)
    for name in MODELS:
        small, large = (fit_model(name, drivers, emission * unit) for unit in (1.0, 2.0**13))
        assert large.predict(drivers).tobytes() == (2.0**13 * small.predict(drivers)).tobytes()


def scores(r2, rmse):
    return Scores(r2, rmse, rmse)


def table_of(**test_scores):
    none = scores(0.0, 1.0)
    return SelectionTable(tuple(ModelScores(name, none, test, none, None) for name, test in test_scores.items()))


def test_the_highest_test_r2_wins():
    assert choose(table_of(svr=scores(0.5, 1.0), linear=scores(0.7, 9.0), bayesian=scores(-2.0, 0.1))) == "linear"


def test_ties_go_to_the_lower_rmse_then_to_the_earlier_row():
    assert choose(table_of(svr=scores(0.7, 3.0), linear=scores(0.7, 2.0), bayesian=scores(0.7, 2.5))) == "linear"
    assert choose(table_of(bayesian=scores(0.7, 2.0), linear=scores(0.7, 2.0))) == "bayesian"


def test_an_undefined_r2_never_beats_a_number_and_leaves_the_choice_to_rmse():
    nan = float("nan")
    assert choose(table_of(svr=scores(nan, 0.1), linear=scores(-5.0, 9.0))) == "linear"
    assert choose(table_of(svr=scores(nan, 2.0), linear=scores(nan, 1.0))) == "linear"


def test_train_scores_do_not_decide():
    good, bad = scores(0.99, 0.1), scores(0.1, 9.0)
    table = SelectionTable((ModelScores("svr", bad, good, bad, None), ModelScores("linear", good, bad, good, None)))
    assert choose(table) == "svr"


def small_table():
    rng = np.random.default_rng(2)
    drivers = rng.random((8, 2))
    emission = 1000 * drivers @ [1.0, 2.0]
    return compare_models(drivers, emission, drivers, emission, feature_names=("ntl", "gdp"), metadata={"year": 2010})


def test_rows_write_a_csv_of_table_1():
    text = io.StringIO()
    rows = selection_rows(small_table())
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    lines = text.getvalue().splitlines()
    assert lines[0] == (
        "model,train_r2,train_mae,train_rmse,test_r2,test_mae,test_rmse,"
        "leave_one_out_r2,leave_one_out_mae,leave_one_out_rmse"
    )
    assert [line.split(",")[0] for line in lines[1:]] == list(MODELS)


def test_the_printed_table_has_a_line_for_each_model_and_marks_the_chosen_one():
    table = small_table()
    text = selection_text(table)
    assert all(f"\n{title}" in text for title in ("SVR", "Bayesian", "Linear regression", "ElasticNet"))
    starred = [line for line in text.splitlines() if " * " in line]
    assert len(starred) == 1 and starred[0].startswith("Linear regression *")  # the emission is linear in the drivers
    assert "10^4 t" in text and "leave one province out" in text
    assert table["svr"].fitted.feature_names == ("ntl", "gdp") and table["svr"].fitted.metadata == {"year": 2010}


def test_settings_reach_the_model_and_wrong_ones_are_one_sentence():
    drivers, emission = np.arange(6.0)[:, None], np.arange(6.0)
    fitted = fit_model("svr", drivers, emission, {"svr": {"C": 7.0}, "elastic_net": {"alpha": 0.5}})
    assert fitted.model.C == 7.0
    with pytest.raises(InputError, match="unknown model 'svm'; did you mean 'svr'"):
        fit_model("svm", drivers, emission)
    with pytest.raises(InputError, match="unknown model 'elasticnet'; did you mean 'elastic_net'"):
        fit_model("svr", drivers, emission, {"elasticnet": {}})
    with pytest.raises(InputError, match="^SVR: unknown parameter 'epsilom'; did you mean 'epsilon'"):
        fit_model("svr", drivers, emission, {"svr": {"epsilom": 1}})
    with pytest.raises(InputError, match="C is -1"):
        fit_model("svr", drivers, emission, {"svr": {"C": -1}})


def test_one_province_cannot_be_left_out():
    with pytest.raises(ValueError, match="expected at least 2"):
        leave_one_out("linear", [[1.0]], [1.0])
    assert leave_one_out("svr", [[1.0], [2.0]], [10.0, 30.0]).tolist() == [30.0, 10.0]
