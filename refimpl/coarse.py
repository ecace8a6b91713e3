"""Fig. 1: the regression, fitted on province totals, applied to every cell of the working grid.

The coarse map CE has the unit of a province's emission, because the regression was trained on
provinces; only its proportions carry meaning, and Eq. 3 uses nothing else.  D05: cells are scaled by
their own minimum and their 99.9 % quantile, so that they span the range in which the regression was
trained; larger cells are held at 1.  (Option: one scaling for both.  Cell totals, density x area, are
then scaled as the province totals were; they are a million times smaller, so every cell falls on the
lower corner of that range and the map is nearly uniform.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from refimpl.errors import InputError, did_you_mean
from refimpl.raster.grid import Raster
from refimpl.regression.fitted import FittedRegression
from refimpl.regression.hyperparameters import share
from refimpl.regression.scaling import MinMaxScaler

BLOCK = 2**18
"""Cells that are predicted at once: memory beyond the drivers and the map does not grow with the raster."""

UNITS = "10^4 t CO2 (relative: the regression's answer at the scale of provinces)"


@dataclass(frozen=True)
class CoarseMap:
    """CE and what it took to make it."""

    raster: Raster
    scaler: MinMaxScaler
    """The cells' scaling, to apply the same regression at another cell size."""
    negative: int
    """Cells with a negative prediction, which D08 clips to 0 before the super-resolution."""


def layers_and_mask(drivers: Mapping[str, Raster], names: tuple[str, ...]) -> tuple[list[Raster], np.ndarray]:
    """The rasters in the order of the model's features, and the (rows, cols) mask of cells that have all of them."""
    missing = [name for name in names if name not in drivers]
    if missing:
        raise InputError(f"driver {missing[0]!r} is missing; the model was fitted on {', '.join(names)}")
    layers = [drivers[name] for name in names]
    if any(layer.grid != layers[0].grid for layer in layers):
        raise InputError(f"the drivers {', '.join(names)} lie on different grids; warp them to one grid first")
    valid = np.logical_and.reduce([layer.valid for layer in layers])
    if not valid.any():
        raise InputError(f"no cell has all of {', '.join(names)}; do the rasters overlap the working grid?")
    return layers, valid


def predict_coarse(
    fitted: FittedRegression,
    drivers: Mapping[str, Raster],
    scaling: str = "separate",
    upper_quantile: float = 0.999,
    scaler: MinMaxScaler | None = None,
) -> CoarseMap:
    """The coarse map CE: one prediction for each cell that has every driver.

    Parameters
    ----------
    fitted : the regression with its scalings.
    drivers : a raster for each of ``fitted.feature_names``, all on one grid.
    scaling : D05, "separate" (cells scaled by themselves) or "shared" (as the totals were).
    upper_quantile : D05, the quantile of the cells that becomes 1.
    scaler : a scaling to reuse, that of the coarse cells for a map at another cell size.

    Returns
    -------
    CoarseMap: float64, unit 10^4 t at province scale; negative predictions are kept here and counted (D08).  Beyond the
    map, memory holds the cells of one driver at a time, for its quantile, and those of a few rows.

    Raises
    ------
    InputError
        A missing driver, different grids, no cell with all drivers; an unknown scaling, a quantile beyond [0, 1].
    """
    if scaling not in ("separate", "shared"):
        raise InputError(f"unknown scaling {scaling!r}{did_you_mean(str(scaling), ('separate', 'shared'))}")
    share("coarse map", "upper_quantile", upper_quantile)
    layers, valid = layers_and_mask(drivers, fitted.feature_names)
    if scaler is None and scaling == "shared":
        scaler = fitted.feature_scaler
    elif scaler is None:
        columns = (layer.values[valid] for layer in layers)
        scaler = MinMaxScaler(upper_quantile=upper_quantile, clip=True).fit_columns(columns)
    grid, values, negative = layers[0].grid, np.zeros(valid.shape), 0
    areas, step = grid.cell_areas()[:, np.newaxis], max(1, BLOCK // grid.shape[1])
    for start in range(0, grid.shape[0], step):
        rows = slice(start, start + step)
        cells = np.stack([np.asarray(layer.values[rows][valid[rows]], np.float64) for layer in layers], axis=1)
        if scaling == "shared":  # as totals: density times area
            cells *= areas[rows][np.nonzero(valid[rows])[0]]
        predicted = fitted.predict_scaled(scaler.transform(cells))
        values[rows][valid[rows]] = predicted
        negative += int(np.count_nonzero(predicted < 0))
    return CoarseMap(Raster(values, valid, grid, UNITS), scaler, negative)
