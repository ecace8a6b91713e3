"""Fig. 1: the regression, fitted on province totals, applied to every cell (section ""Coarse" scale spatialization").

The coarse map CE has the unit of a province's emission, because the regression was trained on provinces.  Only its
proportions carry meaning, and Eq. 3 uses nothing else.  D05: cells are scaled by their own minimum and their 99.9 %
quantile, so that they span the range in which the regression was trained; larger cells are held at 1.

(Option "shared": one scaling for both.  Cell totals, density x area, are then scaled as the province totals were.  They
are a million times smaller, so every cell falls on the lower corner of that range and the map is nearly uniform.)
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from refimpl.errors import InputError, did_you_mean
from refimpl.method.fitted_regression import FittedRegression
from refimpl.method.hyperparameters import share
from refimpl.method.scaling import MinMaxScaler

UPPER_QUANTILE = 0.999
"""D05: the quantile of the cells that becomes 1."""


def predict_coarse(
    fitted: FittedRegression, drivers: Mapping[str, np.ndarray], valid: np.ndarray, areas: np.ndarray | None = None,
    scaling: str = "separate", upper_quantile: float = UPPER_QUANTILE,
) -> np.ndarray:  # fmt: skip
    """CE, (rows, cols) float64: one prediction for each valid cell, 0 elsewhere; negative ones are kept (D08).

    Parameters
    ----------
    fitted : the regression with its scalings.
    drivers : a density (rows, cols) for each of ``fitted.feature_names``.
    valid : (rows, cols) bool, the cells that have all of them.
    areas : (rows,) km2, area of a cell of each row; the scaling "shared" needs it.
    scaling : D05, "separate" (cells scaled by themselves) or "shared" (as the totals were).
    upper_quantile : D05, the quantile of the cells that becomes 1.

    Raises
    ------
    InputError
        A missing driver, no valid cell, an unknown scaling, or a quantile beyond [0, 1].

    >>> from refimpl.method.selection import fit_model
    >>> fitted = fit_model("linear", [[0.0], [10.0], [20.0]], [5.0, 10.0, 15.0], feature_names=["lights"])
    >>> predict_coarse(fitted, {"lights": np.array([[0.0, 1.0, 2.0]])}, np.ones((1, 3), bool), upper_quantile=1.0)
    array([[ 5., 10., 15.]])
    """
    check_scaling(scaling, upper_quantile)
    names = fitted.feature_names
    for name in names:
        if name not in drivers:
            raise InputError(f"driver {name!r} is missing; the model was fitted on {', '.join(names)}")
    if not valid.any():
        raise no_cell(names)
    if scaling == "shared" and areas is None:
        raise InputError("coarse map: the scaling 'shared' needs the areas of the cells; give areas (rows,), km2")
    cells = np.stack([drivers[name][valid].astype(float) for name in names], axis=1)
    if scaling == "shared":  # as totals: density times area
        scaler, cells = fitted.feature_scaler, cells * areas[np.nonzero(valid)[0], np.newaxis]
    else:
        scaler = MinMaxScaler(upper_quantile, clip=True).fit(cells)
    coarse = np.zeros(valid.shape)
    coarse[valid] = fitted.target_scaler.inverse_transform(fitted.model.predict(scaler.transform(cells)))
    return coarse


def check_scaling(scaling: str, upper_quantile: float) -> None:
    """InputError for an unknown scaling or a quantile beyond [0, 1].

    >>> check_scaling("seperate", 0.999)
    Traceback (most recent call last):
    refimpl.errors.InputError: unknown scaling 'seperate'; did you mean 'separate'?
    """
    if scaling not in ("separate", "shared"):
        raise InputError(f"unknown scaling {scaling!r}{did_you_mean(str(scaling), ('separate', 'shared'))}")
    share("coarse map", "upper_quantile", upper_quantile)


def no_cell(names: tuple[str, ...]) -> InputError:
    """The sentence for drivers that have no cell in common.

    >>> str(no_cell(("ntl", "gdp")))
    'no cell has all of ntl, gdp; do the rasters overlap the working grid?'
    """
    return InputError(f"no cell has all of {', '.join(names)}; do the rasters overlap the working grid?")
