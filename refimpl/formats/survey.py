"""One pass over a raster, window by window: what its cells hold, and a coarse picture of it.

Section "Raster data".  Memory is that of a window of about 2^20 cells and of the picture, whatever the raster's size.
Quantiles come from counts by the leading 20 bits of the float64 (sign, exponent, 8 bits of the fraction): they are
right to 2^-8 of the value (0.4 %) and exact for whole numbers up to 511.  Values are those that ``read_raster`` gives,
scale and offset applied.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from refimpl.earth.grid import Grid, Raster, Window
from refimpl.errors import InputError
from refimpl.formats.cell_statistics import CellStatistics

BLOCK_CELLS, MOST_DISTINCT, _KEYS, _SHIFT = 2**20, 256, 2**20, np.uint64(44)
ROOM = (1100, 1400)
"""Most rows and columns of the picture."""
SUSPECTS = [
    -9999.0, -99999.0, -999.0, -32768.0, -32767.0, -2147483648.0, -3.4028234663852886e38, 3.4028234663852886e38,
    -1.7976931348623157e308, 1.70141e38, 1.7014118346046923e38, 9.969209968386869e36, 1e20, 9999.0, 255.0, 65535.0,
    2147483647.0, 4294967295.0,
]  # fmt: skip
"""Numbers that files use for cells without a value, among them those of ESRI, NetCDF and Surfer."""


@dataclass
class Survey:
    """What was found; ``distinct`` is {value: cells}, None with fractions or with more than MOST_DISTINCT values."""

    statistics: CellStatistics = field(default_factory=CellStatistics)
    negative: int = 0
    total: float = 0.0
    total_by_area: float | None = 0.0
    distinct: dict[float, int] | None = field(default_factory=dict)
    suspects: dict[float, int] = field(default_factory=dict)
    counts: np.ndarray = field(default_factory=lambda: np.zeros(_KEYS, np.int64))
    mean_picture: Raster | None = None
    class_picture: Raster | None = None

    def quantile(self, share: float) -> float:
        """The value below which ``share`` of the valid cells lie."""
        rank = share * (self.statistics.count - 1)
        key = np.uint64(np.searchsorted(np.cumsum(self.counts), rank, side="right"))
        found = float(_numbers(np.array([key]))[0])
        return min(max(found, self.statistics.minimum), self.statistics.maximum)


def survey(source, window: Window | None = None, room: tuple[int, int] = ROOM) -> Survey:
    """Look at every cell of ``source`` (a Raster or an open file), or of a window of it.

    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> values = np.array([[1, 2, 2], [-9999, 0, 7]], np.int16)
    >>> found = survey(Raster(values, np.ones((2, 3), bool), Grid(ALBERS_CHINA, (0, 2e3, 1e3, -1e3), (2, 3))))
    >>> found.distinct[2], found.negative, found.suspects, found.quantile(0.5), found.total
    (2, 1, {-9999.0: 1}, 1.0, -9987.0)
    """
    top, bottom, left, right = (0, source.grid.shape[0], 0, source.grid.shape[1]) if window is None else window
    across, down = -(-(right - left) // room[1]), -(-(bottom - top) // room[0])
    shape = (bottom - top) // down, (right - left) // across
    areas = _areas(source.grid)
    found = Survey(total_by_area=None if areas is None else 0.0)
    picture = _Picture(shape, down, across, source.dtype)
    width = max(across, min(right - left, BLOCK_CELLS // down // across * across))
    height = max(down, BLOCK_CELLS // width // down * down)
    for row in range(top, bottom, height):
        for col in range(left, right, width):
            part = source.part((row, min(row + height, bottom), col, min(col + width, right)))
            _look(found, part, None if areas is None else areas[row : row + height])
            picture.add(part, (row - top) // down, (col - left) // across)
    x0, y0, dx, dy = source.grid.transform
    place = (x0 + left * dx, y0 + top * dy, dx * across, dy * down)
    found.mean_picture, found.class_picture = picture.rasters(Grid(source.grid.crs, place, shape), source.units)
    return found


def _areas(grid: Grid) -> np.ndarray | None:
    """Areas of the cells of each row in km2; None where those of a row are too far apart."""
    try:
        return grid.cell_areas()
    except InputError:
        return None


def _look(found: Survey, part: Raster, areas: np.ndarray | None) -> None:
    """Count in one window."""
    found.statistics.add(part.values, part.valid)
    values = part.values if part.valid.all() else part.values[part.valid]
    if not values.size:
        return
    numbers = values.astype(float, copy=False).ravel()
    found.negative += int((values < 0).sum())
    with np.errstate(over="ignore", invalid="ignore"):
        by_row = np.where(part.valid, part.values, 0).sum(axis=1, dtype=float)
        found.total += float(by_row.sum())
        if areas is not None:
            found.total_by_area += float(by_row @ areas[: len(by_row)])
    found.counts += np.bincount(_keys(numbers), minlength=_KEYS)
    low, high = float(values.min()), float(values.max())
    for suspect in SUSPECTS:
        with np.errstate(over="ignore"):
            near = values.dtype.type(suspect) if values.dtype.kind == "f" else suspect
        if low <= near <= high and (many := int((values == near).sum())):
            found.suspects[suspect] = found.suspects.get(suspect, 0) + many
    _count_distinct(found, values, numbers)


def _count_distinct(found: Survey, values: np.ndarray, numbers: np.ndarray) -> None:
    if found.distinct is None:
        return
    if values.dtype.kind == "f" and not np.array_equal(np.floor(numbers), numbers):
        found.distinct = None
        return
    for value, many in zip(*(part.tolist() for part in np.unique(numbers, return_counts=True))):
        found.distinct[value] = found.distinct.get(value, 0) + many
        if len(found.distinct) > MOST_DISTINCT:
            found.distinct = None
            return


def _keys(numbers: np.ndarray) -> np.ndarray:
    """Leading bits of float64, so that their order is that of the numbers."""
    bits = (numbers + 0.0).view(np.uint64)  # adding 0 turns -0 into 0
    ordered = np.where(bits >> np.uint64(63), ~bits, bits | np.uint64(1 << 63))
    return (ordered >> _SHIFT).astype(np.int64)


def _numbers(keys: np.ndarray) -> np.ndarray:
    """The number nearest to 0 that has each key."""
    ordered = keys.astype(np.uint64) << _SHIFT
    positive = ordered >> np.uint64(63) == 1
    bits = np.where(positive, ordered & np.uint64((1 << 63) - 1), ~(ordered | np.uint64((1 << 44) - 1)))
    return bits.view(float)


class _Picture:
    """Means, and middle cells, of groups of ``down`` x ``across`` cells; cells left over at the edge are not drawn."""

    def __init__(self, shape: tuple[int, int], down: int, across: int, dtype: np.dtype):
        self.down, self.across = down, across
        self.sums, self.cells = np.zeros(shape), np.zeros(shape, np.int64)
        self.middle, self.known = np.zeros(shape, dtype), np.zeros(shape, bool)

    def add(self, part: Raster, row: int, col: int) -> None:
        """Draw a window whose first cell is the first of group (row, col)."""
        rows = min(part.values.shape[0] // self.down, self.sums.shape[0] - row)
        cols = min(part.values.shape[1] // self.across, self.sums.shape[1] - col)
        into = slice(row, row + rows), slice(col, col + cols)
        whole = slice(rows * self.down), slice(cols * self.across)
        groups = (rows, self.down, cols, self.across)
        with np.errstate(over="ignore"):
            self.sums[into] = part.values[whole].reshape(groups).sum(axis=(1, 3), dtype=float)
        self.cells[into] = part.valid[whole].reshape(groups).sum(axis=(1, 3))
        middle = slice(self.down // 2, None, self.down), slice(self.across // 2, None, self.across)
        self.middle[into], self.known[into] = part.values[whole][middle], part.valid[whole][middle]

    def rasters(self, grid: Grid, units: str) -> tuple[Raster, Raster]:
        """The two pictures as rasters."""
        means = self.sums / np.maximum(self.cells, 1)
        return Raster.masked(means, self.cells > 0, grid, units), Raster.masked(self.middle, self.known, grid, units)
