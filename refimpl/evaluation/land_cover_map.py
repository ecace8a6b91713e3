"""Land cover of each cell of a grid, from MCD12's classes (D23), made window by window.

Classes are joined into the paper's seven land covers before they are counted: five classes of forest count as one.
"""

from __future__ import annotations

import numpy as np

from refimpl.earth.grid import Grid, Raster, Source, Window
from refimpl.earth.warped import Warped
from refimpl.errors import InputError
from refimpl.evaluation.derived import Cropped, like, parts
from refimpl.method.land_cover import LAND_COVERS, seven_classes
from refimpl.windows.computed import Computed


def land_cover_on(igbp: Source, grid: Grid, rule: str = "majority") -> Source:
    """IGBP classes (MCD12) on ``grid``; each land cover is written as the first of its classes.

    With ``rule`` "majority", a cell takes the land cover, of the seven, with the largest share of the cell's
    classified part; of equal ones the first.  This needs pixels that are finer than the cells: at most half their area,
    such as MCD12Q1's 463 m under 1 km.  With coarser pixels (MCD12C1), or ``rule`` "nearest", it takes the pixel at the
    cell's centre.  What lies under the grid is read once to be checked, and again where cells are asked for.  The
    result is in memory if ``igbp`` is.

    Raises
    ------
    InputError
        A class beyond 0-17, or a value that is no whole number, under the grid.

    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> fine = Grid(ALBERS_CHINA, (0, 0, 1, -1), (2, 2))
    >>> igbp = Raster(np.array([[4, 1], [13, 17]], np.uint8), np.ones((2, 2), bool), fine)
    >>> land_cover_on(igbp, Grid(ALBERS_CHINA, (0, 0, 2, -2), (1, 1))).values.tolist()
    [[1]]
    """
    part = Cropped(igbp, grid)
    seven = SevenClasses(part)
    for _ in parts(seven):
        pass
    finer = np.median(part.grid.cell_areas()) <= np.median(grid.cell_areas()) / 2
    method = "mode" if finer and rule == "majority" else "nearest"
    return like(igbp, LandCover(Warped(seven, grid, method)))


class SevenClasses(Computed):
    """The index of each IGBP class's land cover in ``LAND_COVERS``, uint8; classes may be stored as floats."""

    def __init__(self, igbp: Cropped):
        super().__init__(igbp.grid, igbp.units, np.uint8)
        self.igbp = igbp

    def part(self, window: Window) -> Raster:
        """The cells of (row start, row stop, column start, column stop).

        Raises
        ------
        InputError
            A class beyond 0-17, or a value with a fraction.
        """
        found = self.igbp.part(window)
        classes = found.values
        if classes.dtype.kind == "f":
            wrong = found.valid & (classes != np.floor(classes))
            if wrong.any():
                row, column = np.argwhere(wrong)[0]
                top, _, left, _ = self.igbp.window
                raise InputError(
                    f"{classes[row, column]} at row {top + window[0] + row}, column {left + window[2] + column}; "
                    "expected whole numbers (IGBP classes)"
                )
        if classes.dtype.kind == "f" or classes.dtype == np.uint64:  # no class lies beyond int64
            classes = np.clip(classes, -1e18, 1e18)
        joined = np.zeros(classes.shape, np.uint8)
        joined[found.valid] = seven_classes(classes[found.valid])
        return Raster.unchecked(joined, found.valid, found.grid, self.units)


class LandCover(Computed):
    """The first IGBP class of each land cover, from indices of land covers on a grid."""

    def __init__(self, indices: Warped):
        super().__init__(indices.grid, "IGBP class", np.uint8)
        self.indices = indices

    def part(self, window: Window) -> Raster:
        """The cells of (row start, row stop, column start, column stop)."""
        found = self.indices.part(window)
        first = np.array([members[0] for members in LAND_COVERS.values()], np.uint8)
        return Raster.masked(first[found.values], found.valid, found.grid, self.units)
