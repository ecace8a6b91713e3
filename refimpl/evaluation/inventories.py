"""Fig. 6: other gridded inventories, brought to t CO2 / km2 / year on the grid of the map (D24).

The paper gives only the units: ODIAC comes as twelve months of t C per cell, FFDAS as kg C/m2/year.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from refimpl.errors import InputError
from refimpl.inventory import CARBON_TO_CO2
from refimpl.raster.grid import Grid, Raster
from refimpl.raster.warp import warp_mean

UNITS = "t CO2 / km2 / year"


def odiac_density(months: Sequence[Raster], grid: Grid) -> Raster:
    """D24: the twelve months of t C per cell summed, x 44/12, per km2 of the cell's true area.

    Raises
    ------
    InputError
        Other than twelve months, or months on different grids.
    """
    if len(months) != 12:
        raise InputError(f"evaluate.odiac: {len(months)} files; expected the twelve months of one year")
    if any(month.grid != months[0].grid for month in months):
        raise InputError("evaluate.odiac: the months lie on different grids; take them from one ODIAC version")
    carbon = sum(np.where(month.valid, month.values, 0.0) for month in months)
    valid = np.logical_or.reduce([month.valid for month in months])
    density = carbon * CARBON_TO_CO2 / months[0].grid.cell_areas()[:, np.newaxis]
    return warp_mean(Raster(density, valid, months[0].grid, UNITS), grid)


def ffdas_density(ffdas: Raster, grid: Grid) -> Raster:
    """D24: kg C/m2/year x 1000 (t per km2 in a kg per m2) x 44/12."""
    density = np.asarray(ffdas.values, np.float64) * 1000.0 * CARBON_TO_CO2
    return warp_mean(Raster(density, ffdas.valid, ffdas.grid, UNITS), grid)
