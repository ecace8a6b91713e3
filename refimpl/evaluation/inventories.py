"""Fig. 6: other gridded inventories, brought to t CO2 / km2 / year on the grid of the map (D24).

The paper gives only the units: ODIAC comes as twelve months of t C per cell, FFDAS as kg C/m2/year.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from refimpl.errors import InputError
from refimpl.inventory import CARBON_TO_CO2
from refimpl.raster.grid import Grid, Raster
from refimpl.raster.warp import cropped, warp_mean

UNITS = "t CO2 / km2 / year"


def odiac_density(months: Iterable[Raster], grid: Grid) -> Raster:
    """D24: the twelve months of t C per cell summed, x 44/12, per km2 of the cell's true area.

    The months are taken one at a time (a generator will do: ODIAC's are large), cut to the frame of the map, and
    summed on their own grid.  A cell is valid where any month is.

    Raises
    ------
    InputError
        Other than twelve months, or months on different grids.
    """
    carbon, count, whole = None, 0, None
    for count, month in enumerate(months, 1):
        if whole not in (None, month.grid):
            raise InputError(
                f"evaluate.odiac: month {count} lies on another grid than the first; take them from one ODIAC version"
            )
        whole, month = month.grid, cropped(month, grid)
        if carbon is None:
            carbon, valid, source = month.values.astype(np.float64), month.valid.copy(), month.grid
        else:
            carbon, valid = carbon + month.values, valid | month.valid
    if carbon is None or count != 12:
        raise InputError(f"evaluate.odiac: {count} files; expected the twelve months of one year")
    density = carbon * CARBON_TO_CO2 / source.cell_areas()[:, np.newaxis]
    return warp_mean(Raster(density, valid, source, UNITS), grid)


def ffdas_density(ffdas: Raster, grid: Grid) -> Raster:
    """D24: kg C/m2/year x 1000 (t per km2 in a kg per m2) x 44/12."""
    ffdas = cropped(ffdas, grid)
    density = np.asarray(ffdas.values, np.float64) * 1000.0 * CARBON_TO_CO2
    return warp_mean(Raster(density, ffdas.valid, ffdas.grid, UNITS), grid)
