"""A regression together with what it needs to be applied to other data (D05).

A model sees drivers in [0, 1] and a standardised target.  ``FittedRegression`` keeps both scalers with it, so that
drivers (n, d) in their own units lead to emission (n,) in 10^4 t.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from refimpl.method.estimator import Regressor
from refimpl.method.scaling import MinMaxScaler, StandardScaler


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
        return self.target_scaler.inverse_transform(self.model.predict(self.feature_scaler.transform(drivers)))
