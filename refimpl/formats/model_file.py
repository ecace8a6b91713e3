"""Model files: fitted regressions as JSON, which ``refimpl fit`` writes and ``refimpl predict`` reads.

Every float is written with enough digits to be read back with the same bits.  Arrays carry their dtype and shape.
"""

from __future__ import annotations

import json
import math
import os

import numpy as np

from refimpl.errors import InputError
from refimpl.formats.files import existing_file, write_text
from refimpl.method.bayesian import BayesianRegression
from refimpl.method.elastic_net import ElasticNet
from refimpl.method.estimator import Estimator
from refimpl.method.fitted_regression import FittedRegression
from refimpl.method.linear import LinearRegression
from refimpl.method.scaling import MinMaxScaler, StandardScaler
from refimpl.method.svr import SVR

FORMAT = "refimpl-regression"
VERSION = 1
"""Increased when a reader of the older form could misread the newer one."""

MODEL_KINDS = {kind.__name__: kind for kind in (SVR, BayesianRegression, LinearRegression, ElasticNet)}
LATER_PARAMETERS = {"SVR": {"cache_size", "shrinking"}}
"""Parameters that older files lack; they take their defaults, which change nothing in a fitted model."""
FORMER_ATTRIBUTES = {"BayesianRegression": {"compute_score", "scores_"}}
"""Parameters and attributes that only older files have; they are ignored."""
KEYS = {"format", "version", "model", "feature_scaler", "target_scaler", "feature_names", "target_units", "metadata"}


def model_to_json(fitted: FittedRegression) -> str:
    """A fitted regression as JSON text; ``model_from_json`` restores it to the bit."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "model": _state(fitted.model),
        "feature_scaler": _state(fitted.feature_scaler),
        "target_scaler": _state(fitted.target_scaler),
        "feature_names": list(fitted.feature_names),
        "target_units": fitted.target_units,
        "metadata": fitted.metadata,
    }
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False, default=_plain) + "\n"


def model_from_json(text: str, where: str = "regression") -> FittedRegression:
    """The fitted regression that ``model_to_json`` wrote; ``where`` (a file, say) begins the sentence of an error.

    Raises
    ------
    InputError
        The text is not JSON, has another format or version, or is incomplete or inconsistent.
    """
    document = _document(text, where)
    try:
        fitted = FittedRegression(
            _revive(document["model"], MODEL_KINDS),
            _revive(document["feature_scaler"], {"MinMaxScaler": MinMaxScaler}),
            _revive(document["target_scaler"], {"StandardScaler": StandardScaler}),
            tuple(_text(name) for name in document["feature_names"]),
            _text(document["target_units"]),
            dict(document["metadata"]),
        )
        prediction = fitted.predict(fitted.feature_scaler.data_min_[np.newaxis])
        if prediction.shape != (1,) or not np.isfinite(prediction).all():
            raise ValueError("its parts do not fit one another")
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, InputError) as fault:
        raise InputError(f"{where}: is a damaged {FORMAT} file ({_reason(fault)}); save the model again") from fault
    return fitted


def write_model(path: str | os.PathLike, fitted: FittedRegression) -> None:
    """Write a fitted regression to ``path`` as JSON, whole or not at all."""
    write_text(path, model_to_json(fitted))


def read_model(path: str | os.PathLike) -> FittedRegression:
    """Read the fitted regression that ``write_model`` wrote; InputError if the file cannot be read or is damaged."""
    path = existing_file(path, "a fitted regression (JSON)")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as fault:
        raise InputError(f"{path}: is no text, expected a {FORMAT} file; give the file that fit wrote") from fault
    except OSError as fault:
        raise InputError(f"{path}: cannot be read ({fault.strerror}); check its permissions") from fault
    return model_from_json(text, str(path))


def _document(text: str, where: str) -> dict:
    """The JSON object in ``text``, checked to have our format and version and exactly our keys."""
    try:
        document = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as fault:
        raise InputError(f"{where}: is no JSON ({_reason(fault)}); give the whole file that fit wrote") from fault
    name = document.get("format") if isinstance(document, dict) else None
    if name != FORMAT:
        raise InputError(f"{where}: has format {name!r}, expected {FORMAT!r}; give the file that fit wrote")
    if document.get("version") != VERSION:
        found = document.get("version")
        raise InputError(f"{where}: has version {found!r}, expected {VERSION}; fit again with this program")
    if set(document) != KEYS:
        odd = ", ".join(sorted(set(document) ^ KEYS))
        raise InputError(f"{where}: is a damaged {FORMAT} file (missing or unknown: {odd}); save the model again")
    return document


def _refuse_constant(name: str):
    raise ValueError(f"{name} is no JSON number")


def _reason(fault: BaseException) -> str:
    return f"{type(fault).__name__}: {fault}" if isinstance(fault, KeyError) else str(fault).rstrip(".")


def _plain(value):
    """NumPy's numbers and arrays in a form that JSON can hold."""
    if isinstance(value, np.ndarray):
        return {"dtype": value.dtype.name, "shape": list(value.shape), "values": value.ravel().tolist()}
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no JSON form here; keep metadata to text, numbers, lists and dicts")


def _state(estimator: Estimator) -> dict:
    return {
        "kind": type(estimator).__name__,
        "parameters": estimator.get_params(),
        "fitted": {name: getattr(estimator, name) for name in estimator.FITTED},
    }


def _revive(state: dict, kinds: dict[str, type[Estimator]]) -> Estimator:
    """The estimator with the given ``_state``."""
    if state["kind"] not in kinds:
        raise ValueError(f"unknown kind {state['kind']!r}")
    estimator, former = kinds[state["kind"]](), FORMER_ATTRIBUTES.get(state["kind"], set())
    parameters, fitted = ({k: v for k, v in state[of].items() if k not in former} for of in ("parameters", "fitted"))
    found, known = set(parameters), set(estimator.get_params())
    missing = known - found - LATER_PARAMETERS.get(state["kind"], set())
    if missing or found - known or set(fitted) != set(estimator.FITTED):
        raise ValueError(f"{state['kind']} has missing or unknown attributes")
    estimator.set_params(**parameters)
    for name, value in fitted.items():
        setattr(estimator, name, _array(value) if isinstance(value, dict) else _number(value))
    return estimator


def _number(value) -> float | int:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no finite number")
    return value


def _array(encoded: dict) -> np.ndarray:
    dtype = {"float64": np.float64, "int64": np.int64}[encoded["dtype"]]
    return np.array([_number(value) for value in encoded["values"]], dtype=dtype).reshape(encoded["shape"])


def _text(value) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")
    return value
