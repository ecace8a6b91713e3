"""A fitted regression with its scalers: predictions in units, and its JSON form."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from refimpl.errors import InputError
from refimpl.formats.model_file import FORMAT, model_from_json, model_to_json, read_model, write_model
from refimpl.method.estimator import Estimator
from refimpl.method.scaling import MinMaxScaler
from refimpl.method.selection import MODELS, fit_model

NAMES = ("ntl", "population", "gdp")


def totals(n=12, seed=0):
    rng = np.random.default_rng(seed)
    drivers = rng.lognormal(size=(n, 3)) * [1e5, 1e3, 1e4]
    return drivers, drivers @ [0.02, 3.0, 0.4] + 500 * rng.standard_normal(n)


def fitted(name="svr", **settings):
    return fit_model(name, *totals(), {name: settings}, feature_names=NAMES, metadata={"year": 2010, "title": "碳"})


def of_scaled(model, Z):
    """Emission of drivers that are scaled already."""
    return model.target_scaler.inverse_transform(model.model.predict(Z))


def same_bits(one, other):
    """Equal in type, shape and every bit, through all attributes."""
    if isinstance(one, Estimator):
        return type(one) is type(other) and vars(one).keys() == vars(other).keys() and all(
            same_bits(value, vars(other)[name]) for name, value in vars(one).items()
        )  # fmt: skip
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    return type(one) is type(other) and repr(one) == repr(other)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_read_back_is_bitwise_the_one_that_was_saved(name, tmp_path):
    model = fitted(name)
    write_model(tmp_path / "model.json", model)
    back = read_model(tmp_path / "model.json")
    for part in ("model", "feature_scaler", "target_scaler"):
        assert same_bits(getattr(model, part), getattr(back, part)), part
    assert (back.feature_names, back.target_units, back.metadata) == (NAMES, "10^4 t", {"year": 2010, "title": "碳"})
    drivers = totals(seed=1)[0]
    assert back.predict(drivers).tobytes() == model.predict(drivers).tobytes()
    assert model_to_json(back) == model_to_json(model)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=4, max_size=4))
@example([5e-324, -0.0, 2.2250738585072011e-308, 0.1])
@example([1e22, 9007199254740993.0, -1.0, 0.30000000000000004])
def test_every_float_keeps_its_bits(values):
    model = fit_model("linear", *totals(), feature_names=NAMES)
    model.model.coef_ = np.array(values[:3])
    model.model.intercept_ = values[3]
    text = json.dumps(json.loads(model_to_json(model)))  # what another JSON tool would hand on
    with np.errstate(all="ignore"):
        try:
            back = model_from_json(text)
        except InputError as refusal:  # such weights overflow at the fit's own data
            assert "do not fit" in str(refusal) or "nan or infinite" in str(refusal)
            return
    assert back.model.coef_.tobytes() == model.model.coef_.tobytes()
    assert np.float64(back.model.intercept_).tobytes() == np.float64(values[3]).tobytes()


def test_a_model_without_support_vectors_survives_the_round_trip():
    model = fitted("svr", epsilon=100.0)
    back = model_from_json(model_to_json(model))
    assert back.model.support_vectors_.shape == (0, 3)
    assert back.predict(totals()[0]).tobytes() == model.predict(totals()[0]).tobytes()


def test_predictions_are_in_emission_units_with_the_scaling_of_the_fit():
    model = fit_model("linear", [[0.0], [10.0]], [100.0, 300.0], feature_names=["ntl"])
    # Another year's totals are scaled with the fit's bounds: 20 becomes 2, not 1.
    np.testing.assert_allclose(model.predict([[20.0], [5.0]]), [500.0, 200.0], rtol=1e-14)
    np.testing.assert_allclose(of_scaled(model, [[1.0], [0.25]]), [300.0, 150.0], rtol=1e-14)


def test_cells_scaled_on_cells_span_the_range_of_the_totals():
    model = fit_model("linear", [[1e6], [5e6]], [100.0, 300.0])
    cells = np.array([[0.0], [2.0], [4.0]])
    scaled = MinMaxScaler().fit(cells).transform(cells)
    np.testing.assert_allclose(of_scaled(model, scaled), [100.0, 200.0, 300.0], rtol=1e-14)
    assert np.ptp(model.predict(cells)) < 1e-3, "cells scaled on totals see almost nothing"


def test_parameters_of_the_fit_are_kept():
    back = model_from_json(model_to_json(fitted("svr", C=np.float64(2.5), kernel="linear")))
    assert back.model.get_params()["C"] == 2.5 and back.model.kernel == "linear"
    assert back.model.coef_.shape == (1, 3)


def test_a_file_without_the_settings_that_svr_gained_later_is_read():
    model = fitted("svr", C=3.0)
    document = json.loads(model_to_json(model))
    for name in ("cache_size", "shrinking"):
        del document["model"]["parameters"][name]
    back = model_from_json(json.dumps(document))
    assert back.model.get_params() == model.model.get_params() and back.model.cache_size == 200.0
    assert back.predict(totals()[0]).tobytes() == model.predict(totals()[0]).tobytes()


def test_a_file_with_the_setting_and_scores_that_bayesian_regression_once_had_is_read():
    model = fitted("bayesian")
    document = json.loads(model_to_json(model))
    for kept in (False, True):
        document["model"]["parameters"]["compute_score"] = kept
        scores = [-3.5, -2.25] if kept else []
        document["model"]["fitted"]["scores_"] = {"dtype": "float64", "shape": [len(scores)], "values": scores}
        back = model_from_json(json.dumps(document))
        assert same_bits(back.model, model.model) and model_to_json(back) == model_to_json(model)
        assert back.predict(totals()[0]).tobytes() == model.predict(totals()[0]).tobytes()
    document = json.loads(model_to_json(fitted("svr")))
    document["model"]["parameters"]["compute_score"] = False  # which the SVR never had
    with pytest.raises(InputError, match="SVR has missing or unknown attributes"):
        model_from_json(json.dumps(document))


def damaged(change):
    document = json.loads(model_to_json(fitted("svr")))
    change(document)
    return json.dumps(document)


@pytest.mark.parametrize(
    "text, said",
    [
        ("", "is no JSON"),
        ("[1, 2]", "has format None"),
        ('{"type": "FeatureCollection"}', "has format None"),
        (model_to_json(fitted())[:-40], "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        (damaged(lambda d: d.update(version=2)), "has version 2, expected 1"),
        (damaged(lambda d: d.update(format="other")), "has format 'other'"),
        (damaged(lambda d: d.pop("metadata")), "metadata"),
        (damaged(lambda d: d.update(extra=1)), "extra"),
        (damaged(lambda d: d["model"].update(kind="Ridge")), "unknown kind 'Ridge'"),
        (damaged(lambda d: d["model"]["fitted"].pop("gamma_")), "missing or unknown attributes"),
        (damaged(lambda d: d["model"]["parameters"].update(__class__=1)), "missing or unknown attributes"),
        (damaged(lambda d: d["model"]["parameters"].pop("tol")), "missing or unknown attributes"),
        (damaged(lambda d: d["model"]["parameters"].update(kernel="quartic")), "quartic"),
        (damaged(lambda d: d["model"]["fitted"]["dual_coef_"]["values"].pop()), "reshape"),
        (damaged(lambda d: d["model"]["fitted"]["dual_coef_"].update(values=["7"])), "'7' is no finite number"),
        (damaged(lambda d: d["model"]["fitted"]["dual_coef_"].update(dtype="object")), "KeyError: 'object'"),
        (damaged(lambda d: d["model"]["fitted"].update(gamma_=float("nan"))), "NaN is no JSON number"),
        (damaged(lambda d: d["model"]["fitted"].update(gamma_=True)), "True is no finite number"),
        (damaged(lambda d: d["model"].update(fitted=None)), "is a damaged"),
        (damaged(lambda d: d.update(model="SVR")), "is a damaged"),
        (damaged(lambda d: d["target_scaler"]["fitted"]["mean_"].update(shape=[2], values=[1.0, 2.0])), "do not fit"),
        (damaged(lambda d: d.update(feature_names=["ntl"])), "1 feature names for 3 features"),
        (damaged(lambda d: d.update(feature_names=[1, 2, 3])), "1 is no text"),
        (damaged(lambda d: d["feature_scaler"].update(kind="SVR")), "unknown kind 'SVR'"),
    ],
)
def test_a_foreign_or_damaged_file_is_one_sentence_with_its_path(text, said, tmp_path):
    path = tmp_path / "model.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as refusal:
        read_model(path)
    sentence = str(refusal.value)
    assert sentence.startswith(f"{path}: ") and said in sentence
    assert "\n" not in sentence and len(sentence) < 300 + len(str(path))


def test_a_missing_or_binary_file_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read_model(tmp_path / "absent.json")
    (tmp_path / "image.json").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(InputError, match="is no text"):
        read_model(tmp_path / "image.json")


def test_what_json_cannot_hold_is_refused_and_the_old_file_survives(tmp_path):
    model, path = fitted(), tmp_path / "model.json"
    write_model(path, model)
    before = path.read_bytes()
    model.model.gamma_ = float("nan")
    with pytest.raises(ValueError):
        write_model(path, model)
    with pytest.raises(TypeError, match="no JSON form"):
        write_model(path, fit_model("linear", *totals(), metadata={"when": object()}))
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_names_must_match_the_features():
    with pytest.raises(ValueError, match="2 feature names for 3 features"):
        fit_model("linear", *totals(), feature_names=["a", "b"])


def test_the_file_names_its_format_first():
    assert model_to_json(fitted()).splitlines()[1] == f' "format": "{FORMAT}",'
