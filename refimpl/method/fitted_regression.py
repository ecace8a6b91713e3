"""D05: a regression together with what it needs to be applied to other data, and its JSON form.

A model sees drivers in [0, 1] and a standardised target; ``FittedRegression`` keeps both scalers with
it, so that drivers (n, d) in their own units lead to emission (n,) in 10^4 t.  The JSON form holds
every float with as many digits as bring back the same bits; arrays carry their dtype and shape.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass, field

import numpy as np

from refimpl.errors import InputError
from refimpl.formats.files import existing_file, write_text
from refimpl.method.bayesian import BayesianRegression
from refimpl.method.elastic_net import ElasticNet
from refimpl.method.estimator import Estimator, Regressor
from refimpl.method.linear import LinearRegression
from refimpl.method.scaling import MinMaxScaler, StandardScaler
from refimpl.method.svr import SVR

FORMAT = "refimpl-regression"
VERSION = 1
"""Raised when a reader of the older form could misread the newer."""

MODEL_KINDS = {kind.__name__: kind for kind in (SVR, BayesianRegression, LinearRegression, ElasticNet)}
LATER_PARAMETERS = {"SVR": {"cache_size", "shrinking"}}
"""Parameters that older files do not have; they take their defaults, which change nothing of a fitted model."""
KEYS = {"format", "version", "model", "feature_scaler", "target_scaler", "feature_names", "target_units", "metadata"}


@dataclass(frozen=True)
class FittedRegression:
    """A fitted model with the scalers of its fit.

    Attributes
    ----------
    model : SVR, BayesianRegression, LinearRegression or ElasticNet, fitted on scaled data
    feature_scaler, target_scaler : fitted on the drivers (n, d) and the emission (n,) of the fit
    feature_names : names of the d drivers, in the order of their columns
    target_units : units of the predictions
    metadata : plain JSON values (the year of the fit, say)
    """

    model: Regressor
    feature_scaler: MinMaxScaler
    target_scaler: StandardScaler
    feature_names: tuple[str, ...]
    target_units: str = "10^4 t"
    metadata: dict = field(default_factory=dict)

    def __post_init__(self):
        if len(self.feature_names) != self.model.n_features_in_:
            raise ValueError(f"{len(self.feature_names)} feature names for {self.model.n_features_in_} features")

    def predict(self, drivers) -> np.ndarray:
        """Emission (n,), in ``target_units``, of drivers (n, d) in the units of the fit (another year's totals too)."""
        return self.predict_scaled(self.feature_scaler.transform(drivers))

    def predict_scaled(self, Z) -> np.ndarray:
        """Emission (n,), in ``target_units``, of features (n, d) already in [0, 1]: cells, scaled on cells (D05)."""
        return self.target_scaler.inverse_transform(self.model.predict(Z))

    def to_json(self) -> str:
        """The whole state as JSON text; ``from_json`` brings back the same bits."""
        document = {
            "format": FORMAT,
            "version": VERSION,
            "model": _state(self.model),
            "feature_scaler": _state(self.feature_scaler),
            "target_scaler": _state(self.target_scaler),
            "feature_names": list(self.feature_names),
            "target_units": self.target_units,
            "metadata": self.metadata,
        }
        return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False, default=_plain) + "\n"

    @classmethod
    def from_json(cls, text: str, where: str = "regression") -> FittedRegression:
        """Read what ``to_json`` wrote; ``where`` (a file, say) begins the sentence of an error.

        Raises
        ------
        InputError
            The text is no JSON, of another format or version, incomplete or inconsistent.
        """
        document = _document(text, where)
        try:
            fitted = cls(
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

    def save(self, path: str | os.PathLike) -> None:
        """Write ``to_json`` to ``path``, atomically."""
        write_text(path, self.to_json())

    @classmethod
    def load(cls, path: str | os.PathLike) -> FittedRegression:
        """Read what ``save`` wrote; InputError in one sentence where that is impossible."""
        path = existing_file(path, "a fitted regression (JSON)")
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as fault:
            raise InputError(f"{path}: is no text, expected a {FORMAT} file; give the file that fit wrote") from fault
        except OSError as fault:
            raise InputError(f"{path}: cannot be read ({fault.strerror}); check its permissions") from fault
        return cls.from_json(text, str(path))


def _document(text: str, where: str) -> dict:
    """The JSON object in ``text``, of our format and version, with exactly our keys."""
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
    """NumPy's numbers and arrays as what JSON knows."""
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
    """The estimator whose ``_state`` was written."""
    if state["kind"] not in kinds:
        raise ValueError(f"unknown kind {state['kind']!r}")
    estimator = kinds[state["kind"]]()
    found, known = set(state["parameters"]), set(estimator.get_params())
    missing = known - found - LATER_PARAMETERS.get(state["kind"], set())
    if missing or found - known or set(state["fitted"]) != set(estimator.FITTED):
        raise ValueError(f"{state['kind']} has missing or unknown attributes")
    estimator.set_params(**state["parameters"])
    for name, value in state["fitted"].items():
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
