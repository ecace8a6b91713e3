"""Pixel coordinates of the corners and centres of a grid's cells, tile by tile.

Section "Raster data".  To project one point costs some hundred operations.  But a projection is smooth: over a tile of
512 x 512 cells it equals a polynomial up to rounding.  So 11 x 11 points of a tile are projected exactly, and the other
points are interpolated between them.  The 11 x 11 points are Chebyshev points, which keep the error even.

The polynomial is tested at 10 x 10 points half way between the nodes.  Every point of the tile is projected exactly if
one of them is off by more than 1e-10 pixels, or if the tile may lie across the seam of a map.
Tiles are counted from the grid's origin, so that a point has the same coordinates in every window.

(u, v) are float64 pixel coordinates as in refimpl/earth/pixels.py; nan off the map.
Source: Berrut and Trefethen 2004, SIAM Review 46, eq. 4.2 and 5.4 (barycentric interpolation between Chebyshev points).
"""

from __future__ import annotations

import numpy as np

from refimpl.earth.grid import Grid, Window
from refimpl.earth.pixels import pixel_coordinates, snapped
from refimpl.earth.projection import inverse, wrapped
from refimpl.earth.seam import is_torn
from refimpl.twins import twin

LATTICE_TILE = 512
"""Cells along each side of a tile."""
_COUNT = 11
_NODES = LATTICE_TILE / 2 * (1 - np.cos(np.pi * np.arange(_COUNT) / (_COUNT - 1)))
_BETWEEN = (_NODES[1:] + _NODES[:-1]) / 2
_TOLERANCE = 1e-10


def tiles(window: Window) -> list[Window]:
    """The pieces of a window of a grid, cut along the borders of tiles, row by row.

    >>> tiles((0, 100, 200, 600))
    [(0, 100, 200, 512), (0, 100, 512, 600)]
    """
    rows, cols = (
        [(max(start, a), min(start + LATTICE_TILE, b)) for start in range(_tile_start(a), b, LATTICE_TILE)]
        for a, b in (window[:2], window[2:])
    )
    return [(*row, *col) for row in rows for col in cols]


def _tile_start(place: int) -> int:
    """The first row (or column) of the tile that contains row (or column) ``place``."""
    return place // LATTICE_TILE * LATTICE_TILE


def corner_lattice(source: Grid, target: Grid, window: Window) -> tuple[np.ndarray, np.ndarray]:
    """u and v, (rows + 1, cols + 1) each, of the corners of the target's cells in a window within one tile.

    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> source, target = (Grid(ALBERS_CHINA, (0, 0, size, -size), (9, 9)) for size in (2.0, 3.0))
    >>> corner_lattice(source, target, (0, 1, 1, 3))[0].tolist()
    [[1.5, 3.0, 4.5], [1.5, 3.0, 4.5]]
    """
    top, bottom, left, right = window
    return _lattice(source, target, window, np.arange(top, bottom + 1.0), np.arange(left, right + 1.0))


def centre_lattice(source: Grid, target: Grid, window: Window) -> tuple[np.ndarray, np.ndarray]:
    """u and v, (rows, cols) each, of the centres of the target's cells in a window within one tile.

    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> source, target = (Grid(ALBERS_CHINA, (0, 0, size, -size), (9, 9)) for size in (2.0, 3.0))
    >>> centre_lattice(source, target, (0, 1, 1, 3))[0].tolist()
    [[2.25, 3.75]]
    """
    top, bottom, left, right = window
    return _lattice(source, target, window, np.arange(top, bottom) + 0.5, np.arange(left, right) + 0.5)


def _lattice(source: Grid, target: Grid, window: Window, rows, cols) -> tuple[np.ndarray, np.ndarray]:
    """u and v of the points at ``rows`` x ``cols``, counted in cells from the target's origin."""
    first_row, first_col = _tile_start(window[0]), _tile_start(window[2])
    nodal = _interpolates(source, target, first_row, first_col)
    if nodal is None:
        return _exact(source, target, rows, cols)
    row_basis, col_basis = basis(rows - first_row), basis(cols - first_col)
    return tuple(interpolated(each, row_basis, col_basis) for each in nodal)


def _exact(source: Grid, target: Grid, rows, cols) -> tuple[np.ndarray, np.ndarray]:
    x0, y0, dx, dy = target.transform
    return pixel_coordinates(source, target, (x0 + dx * cols)[None, :], (y0 + dy * rows)[:, None])


def _interpolates(source: Grid, target: Grid, first_row: int, first_col: int):
    """u and v at the nodes of a tile, (11, 11) each; None if interpolation between them is not exact enough."""
    if source.crs == target.crs or source.crs.kind == target.crs.kind == "geographic":
        return None  # a row has one v and a column one u, so exact projection costs less
    nodes, between = ((first_row + points, first_col + points) for points in (_NODES, _BETWEEN))
    if _near_seam(source, target, *nodes):
        return None
    nodal = _exact(source, target, *nodes)
    if not np.isfinite(nodal).all():
        return None
    half_way = basis(_BETWEEN)
    for value, found in zip(nodal, _exact(source, target, *between)):
        error = np.abs(interpolated(value, half_way, half_way) - found)
        if not (error <= max(_TOLERANCE, 1e-15 * np.abs(value).max())).all():
            return None
    return nodal


def _near_seam(source: Grid, target: Grid, rows, cols) -> bool:
    """Whether the meridian on which the source's map is cut open may cross the tile."""
    x0, y0, dx, dy = target.transform
    lon, _ = inverse(target.crs, (x0 + dx * cols)[None, :], (y0 + dy * rows)[:, None])
    x, _, width, _ = source.transform
    middle = x + width * source.shape[1] / 2 if source.crs.kind == "geographic" else source.crs.central_meridian
    spread = np.abs(wrapped(lon - lon[:1, :1])).max()
    return not np.abs(wrapped(lon - middle - 180)).min() > spread


def lies_across_seam(source: Grid, target: Grid, window: Window) -> bool:
    """Whether a cell of a window within one tile has corners on both sides of the seam of a projected source.

    >>> from refimpl.earth.projection import MODIS_SINUSOIDAL, WGS84
    >>> source = Grid(MODIS_SINUSOIDAL, (-2e7, 1e7, 1e5, -1e5), (200, 400))
    >>> target = Grid(WGS84, (179, 9, 3, -3), (1, 2))
    >>> lies_across_seam(source, target, (0, 1, 0, 1)), lies_across_seam(source, target, (0, 1, 1, 2))
    (True, False)
    """
    if source.crs.kind == "geographic" or source.crs == target.crs:
        return False
    (top, bottom, left, right), (x0, y0, dx, dy) = window, target.transform
    if not _near_seam(source, target, _tile_start(top) + _NODES, _tile_start(left) + _NODES):
        return False
    x, y = x0 + dx * np.arange(left, right + 1), y0 + dy * np.arange(top, bottom + 1)
    return is_torn(inverse(target.crs, x[None, :], y[:, None])[0], source)


def basis(points: np.ndarray) -> np.ndarray:
    """Values of the Lagrange polynomials of the nodes at ``points`` of a tile, 0 to 512; (11, points).

    >>> bool(np.allclose(basis(np.array([1.0, 2.0])).T @ _NODES**3, [1.0, 8.0]))
    True
    """
    weights = np.where(np.arange(_COUNT) % 2, -1.0, 1.0)
    weights[[0, -1]] /= 2
    distance = np.asarray(points, float)[None, :] - _NODES[:, None]
    on_node = distance == 0
    terms = weights[:, None] / np.where(on_node, 1.0, distance)
    # Python's sum: NumPy's adds in another order if there is only one point.
    return np.where(on_node.any(axis=0), on_node, terms / sum(terms))


@twin("kernels.lattice")
def interpolated(nodal, row_basis, col_basis):
    """The polynomial through ``nodal`` (11, 11) at rows x columns, pixel coordinates.

    ``row_basis`` (11, rows) and ``col_basis`` (11, columns) come from ``basis``.  Results within rounding of a whole
    number become whole (``snapped`` in refimpl/earth/pixels.py).

    >>> middle = basis(np.array([256.0]))
    >>> interpolated.reference(np.add.outer(_NODES, _NODES), middle, middle).tolist()
    [[512.0]]
    """
    by_row = np.zeros((row_basis.shape[1], len(nodal)))
    for k in range(len(nodal)):
        by_row += row_basis[k][:, None] * nodal[k]
    total = np.zeros((row_basis.shape[1], col_basis.shape[1]))
    for k in range(len(nodal)):
        total += by_row[:, k : k + 1] * col_basis[k]
    return snapped(total)
