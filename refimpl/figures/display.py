"""Display of rasters: any window of any grid as rows x columns of square pixels, north up.

Along each axis, cells smaller than a pixel are averaged by area (an invalid cell has no weight), and cells larger than
a pixel are repeated, so that they stay visible as squares.  On a geographic grid a degree of longitude is drawn shorter
than a degree of latitude, by the cosine of the window's middle latitude.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from refimpl.earth.grid import Grid, Raster, Source
from refimpl.figures.area_mean import area_mean, windows_in

Bounds = tuple[float, float, float, float]
KM_PER_DEGREE = 111.32
"""Length of a degree of latitude, exact enough for a scale bar."""


def ground_size(grid, bounds: Bounds) -> tuple[float, float]:
    """Width and height in km, along its middle lines, of a window (xmin, ymin, xmax, ymax) in the units of the CRS."""
    xmin, ymin, xmax, ymax = bounds
    if grid.crs.kind == "geographic":
        shrink = max(np.cos(np.radians((ymin + ymax) / 2)), 0.05)
        return (xmax - xmin) * KM_PER_DEGREE * shrink, (ymax - ymin) * KM_PER_DEGREE
    return (xmax - xmin) / 1000, (ymax - ymin) / 1000


def pixel_shape(grid, bounds: Bounds, room: tuple[int, int], largest_cell: int = 64) -> tuple[int, int]:
    """Rows and columns of pixels for a window, at most ``room``: a whole number of pixels a cell where that fits.

    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> from refimpl.earth.grid import Grid
    >>> grid = Grid(ALBERS_CHINA, (0, 0, 10, -10), (20, 40))
    >>> pixel_shape(grid, grid.bounds, (500, 500)), pixel_shape(grid, grid.bounds, (500, 20))
    ((240, 480), (10, 20))
    """
    width, height = ground_size(grid, bounds)
    _, _, dx, dy = grid.transform
    rows, cols = (bounds[3] - bounds[1]) / -dy, (bounds[2] - bounds[0]) / dx
    # A cell is drawn `across` x `down` pixels, times a factor, with 1 for its shorter side.
    across, down = width / cols, height / rows
    across, down = across / min(across, down), down / min(across, down)
    fit = min(room[0] / (rows * down), room[1] / (cols * across), largest_cell)
    fit = np.floor(fit + 1e-9) if fit >= 1 else fit
    return max(1, round(rows * down * fit)), max(1, round(cols * across * fit))


def sample(source: Source, bounds: Bounds, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """A window of a raster in ``shape`` (rows, cols) pixels: values float64, valid bool; invalid off the grid.

    Each cell of the window is read once, and no other cell; only a few blocks of cells are in memory at a time.
    """
    rows, cols = _edges(source.grid, bounds, shape)
    if max(rows[1] - rows[0], cols[1] - cols[0]) > 1 + 1e-9:
        return area_mean(source, _at_least_a_cell(rows), _at_least_a_cell(cols))
    (row, row_on), (col, col_on) = (_centres(edges, size) for edges, size in zip((rows, cols), source.grid.shape))
    ((values, valid),) = _cells_at(source, [(row, col)])
    valid &= row_on[:, None] & col_on
    return np.where(valid, values, 0.0).astype(float, copy=False), valid


def sample_zones(zones, grid, bounds: Bounds, shapes: Sequence[tuple[int, int]]) -> list[np.ndarray]:
    """The zone under each pixel's centre, (rows, cols) for each of ``shapes``; 0 off the grid.

    ``zones`` is an array (rows, cols) or a source, on ``grid``; it is walked once.
    """
    zones = zones_source(zones, grid)
    places, outside = [], []
    for shape in shapes:
        found = [_centres(edges, size) for edges, size in zip(_edges(grid, bounds, shape), grid.shape)]
        places.append(tuple(cell for cell, _ in found))
        outside.append([~on for _, on in found])
    pictures = [values for values, _ in _cells_at(zones, places)]
    for picture, (above_or_below, beside) in zip(pictures, outside):
        picture[above_or_below], picture[:, beside] = 0, 0
    return pictures


def zones_source(zones, grid: Grid) -> Source:
    """Zones as a source; ``zones`` is an array (rows, cols) of integers, 0 outside, on ``grid``, or a source already.

    Raises
    ------
    ValueError
        The zones have another shape than the grid.
    """
    shape = zones.grid.shape if hasattr(zones, "part") else np.shape(zones)
    if shape != grid.shape:
        raise ValueError(f"zones have shape {shape}, expected that of the raster, {grid.shape}")
    return zones if hasattr(zones, "part") else Raster.unchecked(zones, np.broadcast_to(np.True_, shape), grid)


def borders(zones: np.ndarray) -> np.ndarray:
    """Part of each pixel that boundaries cover, (rows, cols) in [0, 1], from zones at half pixels (2 rows, 2 cols).

    >>> borders(np.array([[1, 1, 1, 2], [1, 1, 1, 2]])).tolist()
    [[0.0, 1.0]]
    """
    line = np.zeros(zones.shape, bool)
    across, down = zones[:, 1:] != zones[:, :-1], zones[1:] != zones[:-1]
    for edge in (line[:, 1:], line[:, :-1]):
        edge |= across
    for edge in (line[1:], line[:-1]):
        edge |= down
    return line.reshape(line.shape[0] // 2, 2, line.shape[1] // 2, 2).mean(axis=(1, 3))


def _edges(grid, bounds: Bounds, shape) -> tuple[np.ndarray, np.ndarray]:
    """Edges of the pixels as fractional row and column numbers, (rows + 1,) and (cols + 1,)."""
    x0, y0, dx, dy = grid.transform
    x = np.linspace(bounds[0], bounds[2], shape[1] + 1)
    y = np.linspace(bounds[3], bounds[1], shape[0] + 1)
    return (y - y0) / dy, (x - x0) / dx


def _centres(edges: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The cell under each pixel's centre, and whether it lies on the grid."""
    cell = np.floor((edges[:-1] + edges[1:]) / 2).astype(int)
    return np.clip(cell, 0, size - 1), (cell >= 0) & (cell < size)


def _at_least_a_cell(edges: np.ndarray) -> np.ndarray:
    """Start and end of each pixel, (n, 2); where pixels are smaller than cells, those of the cell under the centre."""
    if edges[1] - edges[0] > 1 + 1e-9:
        return np.stack([edges[:-1], edges[1:]], axis=1)
    cell = np.floor((edges[:-1] + edges[1:]) / 2)
    return np.stack([cell, cell + 1], axis=1)


def _cells_at(source: Source, places: Sequence[tuple[np.ndarray, np.ndarray]]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Values and valid at the rows (n,) and columns (m,), ascending, of each of ``places``, in one walk."""
    ends = np.array([[(cells[0], cells[-1] + 1) for cells in place] for place in places])
    part = (*_span(ends[:, 0]), *_span(ends[:, 1]))
    found = [tuple(np.zeros((row.size, col.size), kind) for kind in (source.dtype, bool)) for row, col in places]
    for window in windows_in(source.grid.shape, part):
        piece = source.part(window)
        for (row, col), into in zip(places, found):
            here = np.s_[slice(*row.searchsorted(window[:2])), slice(*col.searchsorted(window[2:]))]
            cells = np.ix_(row[here[0]] - window[0], col[here[1]] - window[2])
            into[0][here], into[1][here] = piece.values[cells], piece.valid[cells]
    return found


def _span(ends: np.ndarray) -> tuple[int, int]:
    """The least start and the greatest end of (n, 2) starts and ends."""
    return int(ends[:, 0].min()), int(ends[:, 1].max())
