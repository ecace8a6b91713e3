"""Rasters on a screen: any window of any grid, as rows x columns of square pixels, north up.

Along each axis, cells smaller than a pixel are averaged by area (an invalid cell has no weight) and cells larger than a
pixel are repeated, so that they stay visible as squares.  On a geographic grid a degree of longitude is drawn shorter
than one of latitude, by the cosine of the window's middle latitude.
"""

from __future__ import annotations

import numpy as np

Bounds = tuple[float, float, float, float]
KM_PER_DEGREE = 111.32
"""Length of a degree of latitude: good enough for a scale bar."""


def ground_size(grid, bounds: Bounds) -> tuple[float, float]:
    """Width and height of a window, (xmin, ymin, xmax, ymax) in the units of the CRS, in km along its middle lines."""
    xmin, ymin, xmax, ymax = bounds
    if grid.crs.kind == "geographic":
        shrink = max(np.cos(np.radians((ymin + ymax) / 2)), 0.05)
        return (xmax - xmin) * KM_PER_DEGREE * shrink, (ymax - ymin) * KM_PER_DEGREE
    return (xmax - xmin) / 1000, (ymax - ymin) / 1000


def pixel_shape(grid, bounds: Bounds, room: tuple[int, int], largest_cell: int = 64) -> tuple[int, int]:
    """(rows, cols) of pixels for a window: a whole number of pixels a cell inside ``room`` (rows, cols), or shrunk.

    >>> from refimpl.raster.projection import ALBERS_CHINA
    >>> from refimpl.raster.grid import Grid
    >>> grid = Grid(ALBERS_CHINA, (0, 0, 10, -10), (20, 40))
    >>> pixel_shape(grid, grid.bounds, (500, 500)), pixel_shape(grid, grid.bounds, (500, 20))
    ((240, 480), (10, 20))
    """
    width, height = ground_size(grid, bounds)
    _, _, dx, dy = grid.transform
    rows, cols = (bounds[3] - bounds[1]) / -dy, (bounds[2] - bounds[0]) / dx
    # Cells are drawn `across` x `down` pixels when the smaller side of a cell gets a whole number.
    across, down = width / cols, height / rows
    across, down = across / min(across, down), down / min(across, down)
    fit = min(room[0] / (rows * down), room[1] / (cols * across), largest_cell)
    fit = np.floor(fit + 1e-9) if fit >= 1 else fit
    return max(1, round(rows * down * fit)), max(1, round(cols * across * fit))


def sample(raster, bounds: Bounds, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """A raster over a window in ``shape`` (rows, cols) pixels: values float64, valid bool; invalid off the grid."""
    rows, cols = _edges(raster.grid, bounds, shape)
    if max(rows[1] - rows[0], cols[1] - cols[0]) <= 1 + 1e-9:
        row, row_on = _centres(rows, raster.values.shape[0])
        col, col_on = _centres(cols, raster.values.shape[1])
        valid = raster.valid[np.ix_(row, col)] & row_on[:, None] & col_on
        return np.where(valid, raster.values[np.ix_(row, col)], 0.0).astype(float), valid
    return _area_mean(raster, _at_least_a_cell(rows), _at_least_a_cell(cols))


def sample_zones(zones: np.ndarray, grid, bounds: Bounds, shape: tuple[int, int]) -> np.ndarray:
    """The zone under each pixel's centre, (rows, cols) of ``shape``; 0 off the grid."""
    rows, cols = _edges(grid, bounds, shape)
    row, row_on = _centres(rows, zones.shape[0])
    col, col_on = _centres(cols, zones.shape[1])
    return np.where(row_on[:, None] & col_on, zones[np.ix_(row, col)], 0)


def borders(zones: np.ndarray) -> np.ndarray:
    """Coverage of boundaries in [0, 1], (rows, cols), from zones at twice the pixels, (2 rows, 2 cols).

    >>> borders(np.array([[1, 1, 1, 2], [1, 1, 1, 2]])).tolist()
    [[0.0, 1.0]]
    """
    line = np.zeros(zones.shape)
    across, down = zones[:, 1:] != zones[:, :-1], zones[1:] != zones[:-1]
    for edge in (line[:, 1:], line[:, :-1]):
        edge[across] = 1
    for edge in (line[1:], line[:-1]):
        edge[down] = 1
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
    """(n, 2) start and end of each pixel; where a pixel is smaller than a cell, those of the cell under its centre."""
    if edges[1] - edges[0] > 1 + 1e-9:
        return np.stack([edges[:-1], edges[1:]], axis=1)
    cell = np.floor((edges[:-1] + edges[1:]) / 2)
    return np.stack([cell, cell + 1], axis=1)


def _area_mean(raster, rows: np.ndarray, cols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean over the valid part of each pixel, (n, 2) spans of rows and columns; valid where that is half or more."""
    height, width = raster.values.shape
    places = np.arange(width + 1)
    values, valid = np.zeros((len(rows), len(cols))), np.zeros((len(rows), len(cols)), bool)
    for index, (start, end) in enumerate(rows):
        first, last = max(0, int(np.floor(start))), min(height, int(np.ceil(end)))
        if first >= last:
            continue
        reach = np.minimum(np.arange(first, last) + 1, end) - np.maximum(np.arange(first, last), start)
        present = raster.valid[first:last]
        sums = reach @ np.where(present, raster.values[first:last], 0.0)
        areas = reach @ present.astype(float)
        total, area = (_between(places, line, cols) for line in (sums, areas))
        valid[index] = area >= 0.5 * (end - start) * (cols[:, 1] - cols[:, 0]) * (1 - 1e-9)
        values[index] = np.where(valid[index], total / np.where(area > 0, area, 1), 0.0)
    return values, valid


def _between(places: np.ndarray, line: np.ndarray, spans: np.ndarray) -> np.ndarray:
    """Integral of a line of cells over spans of fractional column numbers."""
    running = np.concatenate([[0.0], np.cumsum(line)])
    return np.interp(spans[:, 1], places, running) - np.interp(spans[:, 0], places, running)
