"""Fig. 6: other gridded inventories, brought to t CO2 / km2 / year on the grid of the map (D24).

The paper gives only the units: ODIAC comes as twelve months of t C per cell, FFDAS as kg C/m2/year.

D24 says what their density is: a mean over the part of a cell that has a value.  A map whose total is to be compared
must lose or add nothing at a coast or at the inventory's edge: ``inventory_density`` carries the emission itself,
pixel by pixel, and divides by the whole cell.  Where every pixel has a value, as in ODIAC's files, both are the same
but for what the straight edges of cells miss of true areas.

Published layouts: ODIAC 43,200 x 21,600 cells of 30", float32, t C per cell and month, no nodata, 0 over the sea;
FFDAS 3,600 x 1,800 cells of 0.1 degree, kg C/m2/year; EDGAR 3,600 x 1,800, t CO2 per cell or kg CO2/m2/s.  Files are
given open (``open_raster``): only the window under the map is read.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from refimpl.errors import InputError
from refimpl.evaluation.units import inventory_unit
from refimpl.inventory import CARBON_TO_CO2
from refimpl.raster.grid import Grid, Raster
from refimpl.raster.warp import cropped, warp_mean, warp_sum

UNITS = "t CO2 / km2 / year"
WORLD = 1e11
"""Tonnes of CO2: twice what the whole world emits in a year; a pixel with more holds no emission but a fill value."""


def inventory_density(source, units: str, grid: Grid, where: str = "inventory", days: int = 365) -> Raster:
    """Any gridded inventory as a density on ``grid``; the total of the part under ``grid`` is kept to 1e-9.

    Parameters
    ----------
    source : Raster or RasterFile, emission per pixel or per area, 0 or more.
    units : such as "t C/cell" or "kg C/m2/yr" (``inventory_unit``).
    where : begins the sentence of a fault, a file's name say.
    days : of the year, for units per day, hour or second.

    Returns
    -------
    Raster of (rows, cols) float64, t CO2 / km2 / year: the emission under a cell over the true area of the whole cell;
    valid where the inventory has a value under any part of the cell.

    Raises
    ------
    InputError
        Units that are not understood, a negative value, or one beyond what the world emits (a fill value).

    >>> from refimpl.raster.projection import ALBERS_CHINA
    >>> source = Raster.masked([[3.0, 9.0]], [[True, True]], Grid(ALBERS_CHINA, (0, 0, 1000, -1000), (1, 2)))
    >>> inventory_density(source, "t C/cell", Grid(ALBERS_CHINA, (0, 0, 2000, -1000), (1, 1))).values.tolist()
    [[22.0]]
    """
    unit, part = inventory_unit(units, where, days), cropped(source, grid)
    emission = np.asarray(part.values, np.float64) * unit.factor
    if not unit.per_cell:
        emission *= part.grid.cell_areas()[:, np.newaxis]
    for wrong in (emission < 0, emission > WORLD):
        if wrong.any():
            row, col = np.argwhere(wrong)[0]
            raise InputError(
                f"{where}: holds {part.values[row, col]:g} ({units}); expected emission, 0 or more; if that is nodata, "
                "declare it with gdal_translate -a_nodata, else check the unit"
            )
    warped = warp_sum(Raster.unchecked(emission, part.valid, part.grid), grid)
    density = warped.values / grid.cell_areas()[:, np.newaxis]
    return Raster.unchecked(density, warped.valid, grid, UNITS)


def carbon_of_year(months: Iterable, grid: Grid) -> Raster:
    """Twelve monthly rasters or open files of t C per pixel summed in float64, on their own grid, under ``grid`` only.

    The months are taken one at a time (a generator will do: ODIAC's are large).  A pixel is valid where any month is.

    Raises
    ------
    InputError
        Other than twelve months, or months on different grids.
    """
    carbon, count, whole = None, 0, None
    for count, month in enumerate(months, 1):
        if whole not in (None, month.grid):
            raise InputError(
                f"ODIAC: month {count} lies on another grid than the first; take them from one ODIAC version"
            )
        whole, month = month.grid, cropped(month, grid)
        if carbon is None:
            carbon, valid, source = month.values.astype(np.float64), month.valid.copy(), month.grid
        else:
            carbon, valid = carbon + month.values, valid | month.valid
    if carbon is None or count != 12:
        raise InputError(f"ODIAC: {count} files; expected the twelve months of one year")
    return Raster(carbon, valid, source, "t C / cell / year")


def odiac_density(months: Iterable, grid: Grid) -> Raster:
    """D24: the twelve months of t C per cell summed, x 44/12, per km2 of the cell's true area.

    The mean over the valid part of each cell; parameters and errors are those of ``carbon_of_year``.
    """
    year = carbon_of_year(months, grid)
    carbon, source = year.values, year.grid
    density = carbon * CARBON_TO_CO2 / source.cell_areas()[:, np.newaxis]
    return warp_mean(Raster(density, year.valid, source, UNITS), grid)


def ffdas_density(ffdas, grid: Grid) -> Raster:
    """D24: kg C/m2/year x 1000 (t per km2 in a kg per m2) x 44/12; the mean over the valid part of each cell."""
    ffdas = cropped(ffdas, grid)
    density = np.asarray(ffdas.values, np.float64) * 1000.0 * CARBON_TO_CO2
    return warp_mean(Raster(density, ffdas.valid, ffdas.grid, UNITS), grid)
