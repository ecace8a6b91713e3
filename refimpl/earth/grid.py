"""Grid and Raster: the two data types that pass between all stages.

Section "Raster data".  Arrays are (row, column), north up.  A grid's transform is (x0, y0, dx, dy) with dy < 0, where
(x0, y0) is the upper left corner of the upper left cell (pixel is area).  x and y are in the units of the CRS, degrees
or metres.

D03: cell areas are true areas.

- Geographic: the area of a cell between latitudes p1 and p2 is dlon a^2 (q(p2) - q(p1)) / 2, with Snyder's q (1987,
  eq. 3-12).
- Albers and sinusoidal are equal-area: the area is dx dy.  On MODIS's sphere it differs from the area on the ellipsoid
  by up to 0.4 % over China, because MODIS treats geodetic latitudes as spherical.
- Web Mercator and transverse Mercator: see refimpl/earth/areas.py.

D19: a refined grid keeps the origin and divides the cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from refimpl.earth.areas import conformal_areas
from refimpl.earth.ellipsoid import authalic_q
from refimpl.earth.projection import CRS

Window = tuple[int, int, int, int]
"""Row start, row stop, column start, column stop."""


@dataclass(frozen=True)
class Grid:
    """Placement of cells: ``crs``, ``transform`` (x0, y0, dx, dy < 0) and ``shape`` (rows, columns).

    Raises
    ------
    ValueError
        A transform that is not four finite numbers or has dx <= 0 or dy >= 0, an empty shape, or cells beyond the
        poles or more than once round the Earth.

    >>> from refimpl.earth.projection import WGS84
    >>> Grid(WGS84, (73, 54, 0.05, -0.05), (720, 1240)).bounds
    (73.0, 18.0, 135.0, 54.0)
    """

    crs: CRS
    transform: tuple[float, float, float, float]
    shape: tuple[int, int]

    def __post_init__(self):
        transform = tuple(float(number) for number in self.transform)
        shape = tuple(int(number) for number in self.shape)
        if len(transform) != 4 or not np.all(np.isfinite(transform)):
            raise ValueError(f"transform {self.transform}, expected four finite numbers x0, y0, dx, dy")
        if transform[2] <= 0 or transform[3] >= 0:
            raise ValueError(f"transform {transform}: expected dx > 0 and dy < 0 (north up)")
        if len(shape) != 2 or min(shape) < 1 or shape != tuple(self.shape):
            raise ValueError(f"shape {self.shape}, expected rows and columns, both at least 1")
        object.__setattr__(self, "transform", transform)
        object.__setattr__(self, "shape", shape)
        xmin, ymin, xmax, ymax = self.bounds
        # Grids whose cell centres lie on the poles reach half a cell beyond them; that half has no area.
        slack = -0.51 * transform[3]
        beyond = ymax > 90 + slack or ymin < -90 - slack or xmax - xmin > 360 + transform[2]
        if self.crs.kind == "geographic" and beyond:
            raise ValueError(
                f"transform {transform} and shape {shape} reach beyond the Earth: latitudes 90, width 360 degrees"
            )

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """xmin, ymin, xmax, ymax of the outer cell edges."""
        (x0, y0, dx, dy), (rows, cols) = self.transform, self.shape
        return x0, y0 + rows * dy, x0 + cols * dx, y0

    def edges(self, start: int = 0, stop: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """x of the column edges (cols + 1,), and y of the row edges (stop - start + 1,) of rows start to stop."""
        (x0, y0, dx, dy), (rows, cols) = self.transform, self.shape
        stop = rows if stop is None else stop
        return x0 + dx * np.arange(cols + 1), y0 + dy * np.arange(start, stop + 1)

    def centres(self, start: int = 0, stop: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """x (cols,) and y (stop - start,) of the cell centres of rows start to stop (default: all).

        >>> from refimpl.earth.projection import ALBERS_CHINA
        >>> x, y = Grid(ALBERS_CHINA, (0, 100, 10, -10), (2, 3)).centres()
        >>> x.tolist(), y.tolist()
        ([5.0, 15.0, 25.0], [95.0, 85.0])
        """
        (x0, y0, dx, dy), (rows, cols) = self.transform, self.shape
        stop = rows if stop is None else stop
        return x0 + dx * (np.arange(cols) + 0.5), y0 + dy * (np.arange(start, stop) + 0.5)

    def cell_areas(self) -> np.ndarray:
        """Area in km2 of one cell of each row, (rows,) float64.

        >>> from refimpl.earth.projection import WGS84
        >>> [round(float(a), 3) for a in Grid(WGS84, (0, 2, 1, -1), (2, 1)).cell_areas()]
        [12304.815, 12308.464]
        """
        rows, (_, _, dx, dy) = self.shape[0], self.transform
        if self.crs.kind in ("web_mercator", "transverse_mercator"):
            return conformal_areas(self.crs, self.transform, self.shape)
        if self.crs.kind != "geographic":
            return np.full(rows, dx * -dy / 1e6)
        latitude = np.clip(self.edges()[1], -90, 90)
        q = authalic_q(np.sin(np.radians(latitude)), self.crs.e2)
        return (self.crs.a / 1e3) ** 2 / 2 * np.radians(dx) * (q[:-1] - q[1:])

    def part(self, window: Window) -> Grid:
        """The grid of the cells in a window (row start, row stop, column start, column stop).

        >>> from refimpl.earth.projection import ALBERS_CHINA
        >>> Grid(ALBERS_CHINA, (0, 100, 10, -10), (4, 4)).part((1, 3, 2, 4)).bounds
        (20.0, 70.0, 40.0, 90.0)
        """
        (x0, y0, dx, dy), (top, bottom, left, right) = self.transform, window
        return Grid(self.crs, (x0 + left * dx, y0 + top * dy, dx, dy), (bottom - top, right - left))

    def refined(self, factor: int = 2) -> Grid:
        """The grid with the same origin and cells ``factor`` times smaller (D19).

        >>> from refimpl.earth.projection import ALBERS_CHINA
        >>> Grid(ALBERS_CHINA, (0, 0, 1000, -1000), (3, 4)).refined().shape
        (6, 8)
        """
        if factor != int(factor) or factor < 1:
            raise ValueError(f"factor {factor}, expected a whole number from 1 up")
        (x0, y0, dx, dy), (rows, cols) = self.transform, self.shape
        return Grid(self.crs, (x0, y0, dx / factor, dy / factor), (rows * int(factor), cols * int(factor)))


class Source(Protocol):
    """Anything that gives a raster window by window: an array (``Raster``), a file, or values computed on request.

    A cell has the same value, to the bit, in every window.  Sources that are passed to other processes can be pickled:
    they hold paths, small arrays and other sources, and no open files.
    """

    grid: Grid
    units: str

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the values."""

    def part(self, window: Window) -> Raster:
        """The cells in a window (row start, row stop, column start, column stop)."""


@dataclass(frozen=True, eq=False)
class Raster:
    """``values`` (rows, cols) on a ``grid``, with a mask ``valid`` (rows, cols) bool; invalid cells hold 0.

    ``units`` is a label for people and files ("persons/km2").  It does not choose a method: the caller gives
    ``refimpl.earth.warp.warp`` the kind, density or count.

    Raises
    ------
    ValueError
        Shapes that differ, a mask that is not bool, values that are not numbers, or an invalid cell that is not 0.
    """

    values: np.ndarray
    valid: np.ndarray
    grid: Grid
    units: str = ""

    def __post_init__(self):
        values, valid = np.asarray(self.values), np.asarray(self.valid)
        if values.shape != self.grid.shape or valid.shape != self.grid.shape:
            raise ValueError(f"values {values.shape} and valid {valid.shape}, expected the grid's {self.grid.shape}")
        if valid.dtype != bool or values.dtype.kind not in "fiu":
            raise ValueError(f"values {values.dtype} and valid {valid.dtype}, expected real numbers and bool")
        if _any_under_mask(values, valid):
            raise ValueError("an invalid cell holds a value other than 0; build it with Raster.masked")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "valid", valid)

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the values."""
        return self.values.dtype

    def part(self, window: Window) -> Raster:
        """The cells in a window (row start, row stop, column start, column stop), as a view.

        >>> from refimpl.earth.projection import ALBERS_CHINA
        >>> whole = Raster.masked([[1.0, 2.0], [3.0, 4.0]], np.eye(2), Grid(ALBERS_CHINA, (0, 0, 1, -1), (2, 2)))
        >>> whole.part((0, 2, 1, 2)).values.tolist()
        [[0.0], [4.0]]
        """
        cells = np.s_[window[0] : window[1], window[2] : window[3]]
        return Raster.unchecked(self.values[cells], self.valid[cells], self.grid.part(window), self.units)

    @classmethod
    def unchecked(cls, values: np.ndarray, valid: np.ndarray, grid: Grid, units: str = "") -> Raster:
        """A raster made without checks, for a function that has just written 0 to each invalid cell.

        On a large map the checks would take as long as the function itself.

        >>> from refimpl.earth.projection import ALBERS_CHINA
        >>> grid = Grid(ALBERS_CHINA, (0, 0, 1, -1), (1, 2))
        >>> Raster.unchecked(np.zeros((1, 2)), np.zeros((1, 2), bool), grid, "K").units
        'K'
        """
        raster = object.__new__(cls)
        for name, value in (("values", values), ("valid", valid), ("grid", grid), ("units", units)):
            object.__setattr__(raster, name, value)
        return raster

    @classmethod
    def masked(cls, values, valid, grid: Grid, units: str = "") -> Raster:
        """A raster whose invalid cells are set to 0; cells with values that are not finite become invalid.

        >>> from refimpl.earth.projection import ALBERS_CHINA
        >>> raster = Raster.masked([[1.5, np.nan]], [[True, True]], Grid(ALBERS_CHINA, (0, 0, 1, -1), (1, 2)))
        >>> raster.values.tolist(), raster.valid.tolist()
        ([[1.5, 0.0]], [[True, False]])
        """
        values, valid = np.asarray(values), np.asarray(valid, bool)
        if values.dtype.kind == "f":
            valid = valid & np.isfinite(values)
        return cls(np.where(valid, values, values.dtype.type(0)), valid, grid, units)


_CHECK_BLOCK_CELLS = 2**16
"""Cells checked in one step: few enough to stay in the processor's cache, so that the check makes no large arrays."""


def _any_under_mask(values: np.ndarray, valid: np.ndarray) -> bool:
    """Whether an invalid cell holds a value other than 0."""
    step = max(1, _CHECK_BLOCK_CELLS // values.shape[1])
    blocks = (slice(start, start + step) for start in range(0, values.shape[0], step))
    return any(values[rows][~valid[rows]].any() for rows in blocks)
