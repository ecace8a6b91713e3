"""Drivers as densities, from files: whole, or window by window.

Section "Raster data".  A count per cell is divided by the cell's true area (D03).  A negative value is told, for it is
most often a nodata value that the file does not name.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from refimpl.errors import DataWarning
from refimpl.raster.geotiff import open_raster
from refimpl.raster.grid import Raster, Window


class OpenDriver:
    """A driver of ``kind`` "density" or "count" in a file, as a density; a context manager, and a source of cells."""

    def __init__(self, path: Path, kind: str, band: int = 1):
        self._file, self._name = open_raster(path, band=band), Path(path).name
        self._areas = self._file.grid.cell_areas() if kind == "count" else None
        self.grid = self._file.grid
        self.units = self._file.units if kind == "density" else "per km2"
        self.dtype = self._file.dtype if kind == "density" else np.dtype(float)
        self._negative, self._lowest = 0, 0.0

    def part(self, window: Window) -> Raster:
        """The cells of (row start, row stop, column start, column stop)."""
        part = self._file.part(window)
        lowest = part.values.min()  # invalid cells hold 0
        if lowest < 0:
            self._negative += int(np.count_nonzero(part.values < 0))
            self._lowest = min(self._lowest, float(lowest))
        if self._areas is None:
            return part
        density = part.values / self._areas[window[0] : window[1], np.newaxis]
        return Raster.unchecked(density, part.valid, part.grid, self.units)

    def tell_negative(self) -> None:
        """A DataWarning if any of the cells so far was negative; they are forgotten."""
        if self._negative:
            warnings.warn(
                f"{self._name}: {self._negative} cells are negative, the lowest {self._lowest:g}; if that is nodata, "
                "declare it with gdal_translate -a_nodata",
                DataWarning,
                stacklevel=3,
            )
        self._negative, self._lowest = 0, 0.0

    def __enter__(self) -> OpenDriver:
        return self

    def __exit__(self, *exception) -> None:
        self._file.__exit__(*exception)


def read_driver(path: Path, kind: str, band: int = 1) -> Raster:
    """A driver as a density.

    >>> import tempfile
    >>> from refimpl.raster.grid import Grid
    >>> from refimpl.raster.projection import ALBERS_CHINA
    >>> from refimpl.raster.writing import write_raster
    >>> path = Path(tempfile.mkdtemp()) / "people.tif"
    >>> grid = Grid(ALBERS_CHINA, (0, 0, 2000, -2000), (1, 2))
    >>> write_raster(path, Raster(np.array([[8.0, 2.0]]), np.ones((1, 2), bool), grid, "persons"))
    >>> read_driver(path, "count").values.tolist()
    [[2.0, 0.5]]
    """
    with OpenDriver(path, kind, band) as driver:
        rows, cols = driver.grid.shape
        raster = driver.part((0, rows, 0, cols))
        driver.tell_negative()
    return raster
