"""Drivers as densities, from files: whole, or window by window.

Section "Raster data".  A count per cell is divided by the cell's true area (D03).  A negative value gives a warning: it
is most often a nodata value that the file does not name.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from refimpl.earth.grid import Raster, Window
from refimpl.errors import DataWarning
from refimpl.windows.stored import Stored
from refimpl.windows.walks import windows


class OpenDriver:
    """A driver of ``kind`` "density" or "count" in a file, as a density; a context manager, and a source of cells.

    It can be sent to another process, which opens the file itself and treats its datum as it was treated here.

    >>> import tempfile
    >>> from refimpl.earth.grid import Grid
    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> from refimpl.formats.writing import write_raster
    >>> path = Path(tempfile.mkdtemp()) / "people.tif"
    >>> grid = Grid(ALBERS_CHINA, (0, 0, 2000, -2000), (1, 2))
    >>> write_raster(path, Raster(np.array([[8.0, 2.0]]), np.ones((1, 2), bool), grid, "persons"))
    >>> with OpenDriver(path, "count") as driver:  # persons on 4 km2
    ...     driver.part((0, 1, 0, 2)).values.tolist()
    [[2.0, 0.5]]
    """

    def __init__(self, path: Path, kind: str, band: int = 1):
        self._file, self._name = Stored(path, band=band), Path(path).name
        self.grid = self._file.grid
        self._areas = self.grid.cell_areas() if kind == "count" else None
        self.units = self._file.units if kind == "density" else "per km2"
        self.dtype = self._file.dtype if kind == "density" else np.dtype(float)
        self._negative: list[tuple[int, float]] = []

    def part(self, window: Window) -> Raster:
        """The cells of (row start, row stop, column start, column stop)."""
        part = self._file.part(window)
        if negative := _negative_cells(part):
            self._negative.append(negative)
        if self._areas is None:
            return part
        density = part.values / self._areas[window[0] : window[1], np.newaxis]
        return Raster.unchecked(density, part.valid, part.grid, self.units)

    def tell_negative(self, everywhere: bool = False) -> None:
        """Give a DataWarning if any cell that this process has read so far is negative; then forget them.

        With ``everywhere`` the whole file is read, and all of its cells count.
        """
        if everywhere:
            parts = (self._file.part(window) for window in windows(self.grid.shape))
            self._negative = [found for part in parts if (found := _negative_cells(part))]
        if self._negative:
            warnings.warn(
                f"{self._name}: {sum(count for count, _ in self._negative)} cells are negative, the lowest "
                f"{min(lowest for _, lowest in self._negative):g}; if that is nodata, declare it with "
                "gdal_translate -a_nodata",
                DataWarning,
                stacklevel=3,
            )
        self._negative = []

    def __enter__(self) -> OpenDriver:
        return self

    def __exit__(self, *exception) -> None:
        self._file.close()

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_negative": []}


def _negative_cells(part: Raster) -> tuple[int, float] | None:
    """How many cells are negative, and the lowest; None where none is."""
    lowest = part.values.min()  # invalid cells hold 0
    return (int(np.count_nonzero(part.values < 0)), float(lowest)) if lowest < 0 else None
