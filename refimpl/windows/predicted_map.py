"""The coarse map CE as a source: the regression applied to every cell of drivers larger than memory (Fig. 1, D05, D08).

``Predicted`` equals ``refimpl.method.coarse_map.predict_coarse`` to the bit, in windows of any size.  The scaling takes
one walk over all drivers together, which finds the cells that have every driver, and two walks over each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from refimpl.earth.grid import Grid, Raster, Source, Window
from refimpl.errors import InputError
from refimpl.method.coarse_map import UPPER_QUANTILE, check_scaling, no_cell
from refimpl.method.estimator import finite_float64
from refimpl.method.fitted_regression import FittedRegression
from refimpl.method.scaling import MinMaxScaler
from refimpl.windows.quantiles import order_statistics
from refimpl.windows.walks import windows

PREDICTED_AT_ONCE = 2**16
"""Cells that are predicted at once: memory beyond the drivers and the map does not grow with the raster."""
WALKED = 2**19
"""Cells of a window in the scaling's walks over the drivers."""

UNITS = "10^4 t CO2 (relative: the regression's answer at the scale of provinces)"


@dataclass(frozen=True)
class CoarseMap:
    """CE, the scaling that made it, and a count of its negative cells."""

    raster: Source
    scaler: MinMaxScaler
    """The scaling of the cells, to use with the same regression at another cell size."""
    negative: int
    """Cells with a negative prediction, which D08 clips to 0 before the super-resolution."""


class Predicted:
    """CE as a source: one prediction for each cell that has every driver, float64, 10^4 t at the scale of provinces.

    It equals ``refimpl.method.coarse_map.predict_coarse`` to the bit.  ``drivers`` are sources on one grid, one for
    each of ``fitted.feature_names``; ``scaler`` and ``scaling`` are those of ``predict_coarse``.  Negative predictions
    are kept (D08).  With the kernels a cell has the same bits in windows of any size; NumPy may round an exponential
    differently in windows of other sizes.

    Raises
    ------
    InputError
        A missing driver, or different grids.
    """

    def __init__(
        self, fitted: FittedRegression, drivers: Mapping[str, Source], scaler: MinMaxScaler, scaling: str = "separate"
    ):
        self.fitted, self.layers, self.scaler = fitted, layers_of(drivers, fitted.feature_names), scaler
        self.scaling, self.units, self.dtype = scaling, UNITS, np.dtype(float)
        self.grid: Grid = self.layers[0].grid

    def part(self, window: Window) -> Raster:
        """The cells of (row start, row stop, column start, column stop)."""
        here = self.grid.part(window)
        areas = self.grid.cell_areas()[window[0] : window[1], np.newaxis]
        step = max(1, PREDICTED_AT_ONCE // here.shape[1])
        parts, valid = _parts(self.layers, window)
        values = np.zeros(here.shape)
        for start in range(0, here.shape[0], step):
            rows = slice(start, start + step)
            if not valid[rows].any():
                continue
            cells = np.stack([np.asarray(part.values[rows][valid[rows]], np.float64) for part in parts], axis=1)
            if self.scaling == "shared":  # as totals: density times area
                cells *= areas[rows][np.nonzero(valid[rows])[0]]
            predicted = self.fitted.model.predict(self.scaler.transform(cells))
            values[rows][valid[rows]] = self.fitted.target_scaler.inverse_transform(predicted)
        return Raster.unchecked(values, valid, here, self.units)


def layers_of(drivers: Mapping[str, Source], names: tuple[str, ...]) -> list[Source]:
    """The drivers in the order of the model's features, all on one grid."""
    missing = [name for name in names if name not in drivers]
    if missing:
        raise InputError(f"driver {missing[0]!r} is missing; the model was fitted on {', '.join(names)}")
    layers = [drivers[name] for name in names]
    if any(layer.grid != layers[0].grid for layer in layers):
        raise InputError(f"the drivers {', '.join(names)} lie on different grids; warp them to one grid first")
    return layers


def _parts(layers: list[Source], window: Window) -> tuple[list[Raster], np.ndarray]:
    """A window of each layer, and its cells that are valid in all of them."""
    parts = [layer.part(window) for layer in layers]
    return parts, np.logical_and.reduce([part.valid for part in parts])


def scaler_of_cells(drivers: Mapping[str, Source], names: tuple[str, ...], upper_quantile: float) -> MinMaxScaler:
    """D05: the scaling of the cells by their own minimum and quantile, over the cells that have every driver.

    It equals that of ``refimpl.method.coarse_map.predict_coarse``.  Memory holds one bit for each cell.  Drivers that
    take long to compute should be written to a file first: each is read three times or more.

    Raises
    ------
    InputError
        A missing driver, different grids, no cell with all drivers.
    """
    layers = layers_of(drivers, names)
    masks: dict[Window, np.ndarray] = {}
    for window in windows(layers[0].grid.shape, WALKED):
        valid = _parts(layers, window)[1]
        if valid.any():
            masks[window] = np.packbits(valid)
    if not masks:
        raise no_cell(names)

    def blocks(layer: Source) -> Iterator[np.ndarray]:
        for window, bits in masks.items():
            values = layer.part(window).values
            valid = np.unpackbits(bits, count=values.size).view(bool).reshape(values.shape)
            yield finite_float64(values[valid], "X")

    found = [order_statistics(partial(blocks, layer), upper_quantile) for layer in layers]
    upper = [one.quantile() if upper_quantile < 1 else one.maximum for one in found]
    bounds = [one.minimum for one in found], upper, [one.maximum for one in found]
    return MinMaxScaler(upper_quantile=upper_quantile, clip=True).set_bounds(*map(np.array, bounds))


def predict_coarse(
    fitted: FittedRegression,
    drivers: Mapping[str, Source],
    scaling: str = "separate",
    upper_quantile: float = UPPER_QUANTILE,
    scaler: MinMaxScaler | None = None,
) -> CoarseMap:
    """The coarse map CE in memory; for larger maps ``Predicted`` is the same map as a source.

    It equals ``refimpl.method.coarse_map.predict_coarse``, for rasters.

    Parameters
    ----------
    fitted : the regression with its scalings.
    drivers : a raster for each of ``fitted.feature_names``, all on one grid.
    scaling : D05, "separate" (cells are scaled by their own range) or "shared" (by the range of the totals).
    upper_quantile : D05, the quantile of the cells that becomes 1.
    scaler : a scaling to reuse, such as that of the coarse cells for a map at another cell size.

    Returns
    -------
    CoarseMap: float64, unit 10^4 t at province scale; negative predictions are kept and counted (D08).  Beyond the map,
    memory holds the cells of one window.

    Raises
    ------
    InputError
        A missing driver, different grids, no cell with all drivers; an unknown scaling, a quantile outside [0, 1].
    """
    predicted = predicted_map(fitted, drivers, scaling, upper_quantile, scaler)
    rows, cols = predicted.grid.shape
    raster = predicted.part((0, rows, 0, cols))
    if not raster.valid.any():
        raise no_cell(fitted.feature_names)
    return CoarseMap(raster, predicted.scaler, int(np.count_nonzero(raster.values < 0)))


def predicted_map(
    fitted: FittedRegression,
    drivers: Mapping[str, Source],
    scaling: str = "separate",
    upper_quantile: float = UPPER_QUANTILE,
    scaler: MinMaxScaler | None = None,
) -> Predicted:
    """``Predicted`` with the scaling of D05; parameters and errors are those of ``predict_coarse``."""
    check_scaling(scaling, upper_quantile)
    layers_of(drivers, fitted.feature_names)
    if scaler is None and scaling == "shared":
        scaler = fitted.feature_scaler
    elif scaler is None:
        scaler = scaler_of_cells(drivers, fitted.feature_names, upper_quantile)
    return Predicted(fitted, drivers, scaler, scaling)


def count_negative(coarse: Source) -> int:
    """The number of negative cells of a coarse map (D08), counted in one walk over it.

    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> grid = Grid(ALBERS_CHINA, (0, 0, 1, -1), (1, 3))
    >>> count_negative(Raster(np.array([[-1.0, 0.0, 2.0]]), np.ones((1, 3), bool), grid))
    1
    """
    return sum(int(np.count_nonzero(coarse.part(window).values < 0)) for window in windows(coarse.grid.shape))
