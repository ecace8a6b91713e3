"""Other gridded inventories (Fig. 6), brought to t CO2 / km2 / year on the grid of the map (D24).

The paper gives only the units: ODIAC comes as twelve months of t C per cell, FFDAS as kg C/m2/year.

D24 defines their density as the mean over the part of a cell that has a value (``odiac_density``, ``ffdas_density``).
A comparison of totals must neither lose nor add emission at a coast or at the inventory's edge.  So
``inventory_density`` carries the emission itself, pixel by pixel, and divides by the area of the whole cell.  Where
every pixel has a value, as in ODIAC's files, the two agree; they differ only because the straight edges of cells miss
a little of the true areas.

Published layouts: ODIAC 43,200 x 21,600 cells of 30", float32, t C per cell and month, no nodata, 0 over the sea;
FFDAS 3,600 x 1,800 cells of 0.1 degree, kg C/m2/year; EDGAR 3,600 x 1,800, t CO2 per cell or kg CO2/m2/s.  Only the
part of a file under the map is read, window by window.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from refimpl.earth.grid import Grid, Raster, Source, Window
from refimpl.earth.warp import cropped, warp_mean
from refimpl.earth.warped import Warped
from refimpl.errors import InputError
from refimpl.evaluation.derived import Cropped, like, parts
from refimpl.evaluation.units import inventory_unit
from refimpl.formats.geotiff import open_raster
from refimpl.method.inventory import CARBON_TO_CO2
from refimpl.windows.computed import Computed
from refimpl.windows.stored import Stored
from refimpl.windows.tiled import write_tiled

UNITS = "t CO2 / km2 / year"
STORED_BLOCK = (512, 8192)
"""Rows and columns of a source that are read at once to be stored: wide, so that long strips are read only once."""
WORLD = 1e11
"""Tonnes of CO2: twice what the whole world emits in a year; a pixel with more than that holds a fill value."""


def inventory_density(
    source: Source, units: str, grid: Grid, where: str = "inventory", days: int = 365, store: Path | None = None
) -> Source:
    """Any gridded inventory as a density on ``grid``; the total of the part under ``grid`` is kept to 1e-9.

    Parameters
    ----------
    source : emission per pixel or per area, 0 or more.
    units : such as "t C/cell" or "kg C/m2/yr" (``inventory_unit``).
    where : the beginning of an error's sentence, such as a file's name.
    days : of the year, for units per day, hour or second.
    store : a file to write, which then holds the emission of the pixels under ``grid``.  It pays for a source that is
        slow to read (twelve months in long strips): each pixel is then read only once.

    Returns
    -------
    (rows, cols) float64, t CO2 / km2 / year: the emission under a cell, divided by the true area of the whole cell;
    valid where the inventory has a value under any part of the cell.  All pixels under ``grid`` are checked at once.
    Cells are computed as they are read, except those of a ``Raster`` in memory, which are computed at once.

    Raises
    ------
    InputError
        Units that are not understood, a negative value, or a value beyond what the world emits (a fill value).

    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> source = Raster.masked([[3.0, 9.0]], [[True, True]], Grid(ALBERS_CHINA, (0, 0, 1000, -1000), (1, 2)))
    >>> inventory_density(source, "t C/cell", Grid(ALBERS_CHINA, (0, 0, 2000, -1000), (1, 1))).values.tolist()
    [[22.0]]
    """
    emission: Source = Emission(Cropped(source, grid), units, where, days)
    if store is not None:
        write_tiled(store, emission, STORED_BLOCK, plain=True)
        emission = Stored(store)
    elif isinstance(source, Raster):
        emission = emission.whole()
    else:
        for _ in parts(emission):
            pass
    return like(source, Density(Warped(emission, grid, "sum")))


class Emission(Computed):
    """An inventory's pixels in t CO2 a year each, checked as they are read."""

    def __init__(self, source: Source, units: str, where: str, days: int):
        super().__init__(source.grid, "t CO2 per cell per year")
        self.source, self.words, self.where = source, units, where
        self.unit, self.areas = inventory_unit(units, where, days), source.grid.cell_areas()

    def part(self, window: Window) -> Raster:
        """The cells of (row start, row stop, column start, column stop).

        Raises
        ------
        InputError
            A negative value, or a value beyond what the world emits.
        """
        found = self.source.part(window)
        emission = np.asarray(found.values, np.float64) * self.unit.factor
        if not self.unit.per_cell:
            emission *= self.areas[window[0] : window[1], np.newaxis]
        for wrong in (emission < 0, emission > WORLD):
            if wrong.any():
                row, col = np.argwhere(wrong)[0]
                raise InputError(
                    f"{self.where}: holds {found.values[row, col]:g} ({self.words}); expected emission, 0 or more; if "
                    "that is nodata, declare it with gdal_translate -a_nodata, else check the unit"
                )
        return Raster.unchecked(emission, found.valid, found.grid, self.units)


class Density(Computed):
    """Tonnes per cell as t / km2, by the true area of the whole cell."""

    def __init__(self, emission: Source):
        super().__init__(emission.grid, UNITS)
        self.emission, self.areas = emission, emission.grid.cell_areas()

    def part(self, window: Window) -> Raster:
        """The cells of (row start, row stop, column start, column stop)."""
        found = self.emission.part(window)
        density = found.values / self.areas[window[0] : window[1], np.newaxis]
        return Raster.unchecked(density, found.valid, found.grid, self.units)


def carbon_of_year(months: Iterable[Source]) -> YearOfMonths:
    """The sum of twelve monthly rasters of t C per pixel, on their own grid.

    Raises
    ------
    InputError
        More or fewer than twelve months, or months on different grids.
    """
    months = list(months)
    for count, month in enumerate(months, 1):
        if month.grid != months[0].grid:
            raise InputError(
                f"ODIAC: month {count} lies on another grid than the first; take them from one ODIAC version"
            )
    if len(months) != 12:
        raise InputError(f"ODIAC: {len(months)} files; expected the twelve months of one year")
    return YearOfMonths(months)


class YearOfMonths(Computed):
    """The sum of monthly sources, float64, one month in memory at a time; a pixel is valid where any month is."""

    def __init__(self, months: list[Source]):
        super().__init__(months[0].grid, "t C / cell / year")
        self.months = months

    def part(self, window: Window) -> Raster:
        """The cells of (row start, row stop, column start, column stop)."""
        first = self.months[0].part(window)
        carbon, valid = first.values.astype(np.float64), first.valid
        for source in self.months[1:]:
            month = source.part(window)
            carbon, valid = carbon + month.values, valid | month.valid
        return Raster.unchecked(carbon, valid, first.grid, self.units)


class Reopened(Computed):
    """A raster file that is opened anew for each window and keeps no cells: what twelve open files keep adds up."""

    def __init__(self, path: str | os.PathLike):
        self.path = path
        with open_raster(path) as file:
            super().__init__(file.grid, file.units, file.dtype)

    def part(self, window: Window) -> Raster:
        """The cells of (row start, row stop, column start, column stop)."""
        with open_raster(self.path, keep=0) as file:
            return file.part(window)


def odiac_density(months: Iterable, grid: Grid) -> Raster:
    """ODIAC's density (D24): the sum of twelve months of t C per pixel, x 44/12, per km2 of the pixel's true area.

    Each cell of ``grid`` takes the mean over its valid part.  ``months`` and errors are those of ``carbon_of_year``.
    """
    year = Cropped(carbon_of_year(months), grid).whole()
    carbon, source = year.values, year.grid
    density = carbon * CARBON_TO_CO2 / source.cell_areas()[:, np.newaxis]
    return warp_mean(Raster(density, year.valid, source, UNITS), grid)


def ffdas_density(ffdas, grid: Grid) -> Raster:
    """FFDAS's density (D24): kg C/m2/year x 1000 (t/km2 in 1 kg/m2) x 44/12, the mean over each cell's valid part."""
    ffdas = cropped(ffdas, grid)
    density = np.asarray(ffdas.values, np.float64) * 1000.0 * CARBON_TO_CO2
    return warp_mean(Raster(density, ffdas.valid, ffdas.grid, UNITS), grid)
