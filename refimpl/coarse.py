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

from refimpl.errors import InputError
from refimpl.raster.grid import Raster
from refimpl.regression.fitted import FittedRegression
from refimpl.regression.scaling import MinMaxScaler

UNITS = "10^4 t CO2 (relative: the regression's answer at the scale of provinces)"


@dataclass(frozen=True)
class CoarseMap:
    """CE and what it took to make it."""

    raster: Raster
    scaler: MinMaxScaler
    """The cells' scaling, to apply the same regression at another cell size."""
    negative: int
    """Cells with a negative prediction, which D08 clips to 0 before the super-resolution."""


def stacked(drivers: Mapping[str, Raster], names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The drivers of the cells that have all of them: (cells, d) float64, and their (rows, cols) mask."""
    missing = [name for name in names if name not in drivers]
    if missing:
        raise InputError(f"driver {missing[0]!r} is missing; the model was fitted on {', '.join(names)}")
    layers = [drivers[name] for name in names]
    if any(layer.grid != layers[0].grid for layer in layers):
        raise InputError(f"the drivers {', '.join(names)} lie on different grids; warp them to one grid first")
    valid = np.logical_and.reduce([layer.valid for layer in layers])
    return np.stack([np.asarray(layer.values, np.float64)[valid] for layer in layers], axis=1), valid


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
    CoarseMap: float64, unit 10^4 t at province scale; negative predictions are kept here and counted (D08).

    Raises
    ------
    InputError
        A missing driver, different grids, no cell with all drivers.
    """
    cells, valid = stacked(drivers, fitted.feature_names)
    if len(cells) == 0:
        raise InputError(
            f"no cell has all of {', '.join(fitted.feature_names)}; do the rasters overlap the working grid?"
        )
    grid = drivers[fitted.feature_names[0]].grid
    if scaling == "shared":
        cells = cells * np.broadcast_to(grid.cell_areas()[:, np.newaxis], valid.shape)[valid][:, np.newaxis]
    if scaler is None:
        scaler = (
            fitted.feature_scaler
            if scaling == "shared"
            else MinMaxScaler(upper_quantile=upper_quantile, clip=True).fit(cells)
        )
    values = np.zeros(valid.shape)
    values[valid] = fitted.predict_scaled(scaler.transform(cells))
    return CoarseMap(Raster(values, valid, grid, UNITS), scaler, int(np.count_nonzero(values[valid] < 0)))
