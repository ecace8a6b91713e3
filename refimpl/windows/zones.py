"""Zones (provinces) on the working grid: their codes on it, a grid that covers them, and the share of each inside it.

Section "Raster data".  Zones are a raster of integer codes, 0 outside, or polygons.  A province that the edge of the
grid cuts must not receive its whole total, so the run compares each zone's area inside the grid with its whole area.
Areas are true areas (D03), km2; those of polygons are exact in the grid's plane.  A zone raster is walked in blocks of
rows, so that little memory is needed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from refimpl.earth.grid import Grid, Raster, Source, Window
from refimpl.earth.pixels import pixel_coordinates
from refimpl.earth.polygons import Polygons, carried
from refimpl.earth.projection import CRS, transform_points
from refimpl.earth.warped import Warped
from refimpl.earth.zone_labels import zone_labels
from refimpl.formats.blocks import FILE_TILE
from refimpl.windows.polygon_coverage import shares_inside, whole_grid

Zones = Source | Polygons

_MASK_BLOCK_CELLS = 2**18
"""Cells of one block of a walk over a zone raster or a mask."""


def zones_in(zones: Zones, grid: Grid, window: Window) -> Raster:
    """Zones as codes in a window of a grid: the zone at each cell's centre; polygons by their own rule.

    ``window`` is (row start, row stop, column start, column stop).

    Raises
    ------
    InputError
        Polygons that cannot be carried into the grid's CRS.

    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> zones = Raster(np.array([[11, 12]]), np.array([[True, True]]), Grid(ALBERS_CHINA, (0, 0, 2, -2), (1, 2)))
    >>> zones_in(zones, Grid(ALBERS_CHINA, (0, 0, 1, -1), (1, 3)), (0, 1, 1, 3)).values.tolist()
    [[11, 12]]
    """
    if isinstance(zones, Polygons):
        return zone_labels(zones, grid, window=window)
    return Warped(zones, grid, "nearest").part(window)


def cover(zones: Zones, crs: CRS, cell_size: float) -> Grid:
    """The smallest grid of square cells, with edges at multiples of ``cell_size``, that covers every zone.

    The extent is that of the corners of the outermost zone cells.  A map is continuous, so no inner cell reaches
    further.

    Raises
    ------
    ValueError
        No cell has a zone, a zone cell lies off the map of ``crs``, or the cell size is not a positive number.

    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> zones = Raster(np.array([[0, 11]]), np.array([[True, True]]), Grid(ALBERS_CHINA, (0, 0, 7, -7), (1, 2)))
    >>> cover(zones, ALBERS_CHINA, 5.0).bounds
    (5.0, -10.0, 15.0, 0.0)
    """
    if not (math.isfinite(cell_size) and cell_size > 0):
        raise ValueError(f"cell size {cell_size}, expected a positive number of metres or degrees")
    low, high = _bounds_of_polygons(zones, crs) if isinstance(zones, Polygons) else _bounds_of_cells(zones, crs)
    # An extent that ends on a cell's edge within rounding ends there.
    first = np.floor(low / cell_size + 1e-9)
    last = np.ceil(high / cell_size - 1e-9)
    cols, rows = (int(number) for number in last - first)
    west, north = float(first[0] * cell_size + 0.0), float(last[1] * cell_size + 0.0)  # + 0.0: no negative zero
    return Grid(crs, (west, north, cell_size, -cell_size), (max(rows, 1), max(cols, 1)))


def _bounds_of_polygons(polygons: Polygons, crs: CRS) -> tuple[np.ndarray, np.ndarray]:
    """Lower left and upper right corner of all vertices; the edges between vertices are straight."""
    moved = carried(polygons, crs)
    if not moved.x.size:
        raise ValueError(f"no polygon of {polygons.where} lies on the map of {crs.describe()}")
    return np.array(moved.bounds[:2]), np.array(moved.bounds[2:])


def _bounds_of_cells(zones: Source, crs: CRS) -> tuple[np.ndarray, np.ndarray]:
    """Lower left and upper right corner of all cells with a zone."""
    low, high = np.full(2, np.inf), np.full(2, -np.inf)
    for start, stop in _row_blocks(zones):
        x, y = _outline_corners(zones, start, stop)
        corners = np.stack(transform_points(zones.grid.crs, crs, x, y)).reshape(2, -1)
        if not np.all(np.isfinite(corners)):
            raise ValueError(f"rows {start} to {stop} of the zones lie partly off the map of {crs.describe()}")
        if corners.size:
            low, high = np.minimum(low, corners.min(1)), np.maximum(high, corners.max(1))
    if not np.all(np.isfinite(low)):
        raise ValueError("no cell of the zone raster has a zone")
    return low, high


def _outline_corners(zones: Source, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
    """x and y of the corners of the zone cells, in rows start to stop, that have a neighbour without a zone."""
    rows, cols = zones.grid.shape
    above, below = max(start - 1, 0), min(stop + 1, rows)
    inside = np.zeros((stop - start + 2, cols + 2), bool)
    part = zones.part((above, below, 0, cols))
    inside[above - start + 1 : below - start + 1, 1:-1] = (part.values != 0) & part.valid
    inner = inside[:-2, 1:-1] & inside[2:, 1:-1] & inside[1:-1, :-2] & inside[1:-1, 2:]
    row, col = np.nonzero(inside[1:-1, 1:-1] & ~inner)
    x, y = zones.grid.edges()
    row = row + start
    return np.stack([x[col], x[col + 1], x[col], x[col + 1]]), np.stack([y[row], y[row], y[row + 1], y[row + 1]])


@dataclass(frozen=True)
class Coverage:
    """Share of each zone's area, by code, in [0, 1]."""

    inside: dict[int, float]
    """The share inside the grid and all frames; below 1 where an edge cuts the zone."""
    known: dict[int, float]
    """The share on valid cells of the grid."""


def coverage(zones: Zones, grid: Grid, valid=None, frames: Iterable[Grid] = ()) -> Coverage:
    """The share of each zone's area inside ``grid`` and every one of ``frames``, and the share on valid cells.

    A cell of the zone raster is inside if its centre is.  Polygons are measured exactly in the grid and in each frame,
    and the smallest share counts.  ``valid`` is (rows, cols) of ``grid``, by default all true, or a raster in a file on
    ``grid``, which is read block by block.  Cells are counted in whole numbers per row, so that the shares depend on
    no order.

    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> zones = Raster(np.array([[11, 11, 11, 12]]), np.ones((1, 4), bool), Grid(ALBERS_CHINA, (0, 0, 1, -1), (1, 4)))
    >>> coverage(zones, Grid(ALBERS_CHINA, (1, 0, 1, -1), (1, 3)), np.array([[True, False, True]]))
    Coverage(inside={11: 0.6666666666666666, 12: 1.0}, known={11: 0.3333333333333333, 12: 1.0})
    """
    valid = _mask_of(valid, grid)
    if isinstance(zones, Polygons):
        inside = np.minimum.reduce([shares_inside(zones, each) for each in {grid, *frames}])
        known = shares_inside(zones, grid, valid)
        return Coverage(*(dict(zip(zones.zones.tolist(), part.tolist())) for part in (inside, known)))
    if zones.dtype.kind not in "iu":
        raise ValueError(f"zones of {zones.dtype}, expected integer codes")
    codes, rank = _ranked_codes(zones)
    n_codes, areas = codes.size, zones.grid.cell_areas()
    area = np.zeros((3, n_codes))  # whole, inside, known; each sums one product per row, in the order of the rows
    for start, stop in _row_blocks(zones):
        part = zones.part((start, stop, 0, zones.grid.shape[1]))
        row, col = np.nonzero((part.values != 0) & part.valid)
        bins = row * n_codes + rank[part.values[row, col]]  # one for each row and code
        inside, at_row, at_col = _centres_inside(zones.grid, grid, start, row, col)
        on_valid = inside & _valid_at(valid, at_row, at_col)
        for frame in frames:
            inside &= _centres_inside(zones.grid, frame, start, row, col)[0]
        for total, chosen in zip(area, (bins, bins[inside], bins[on_valid])):
            count = np.bincount(chosen, minlength=(stop - start) * n_codes).reshape(stop - start, n_codes)
            for line, km2 in zip(count, areas[start:stop]):
                total += line * km2
    shares = np.minimum(area[1:] / area[0], 1.0)
    return Coverage(*(dict(zip(codes.tolist(), share.tolist())) for share in shares))


def _mask_of(valid, grid: Grid) -> Raster:
    """``valid`` of ``coverage``, an array, a source or None, as a source."""
    if hasattr(valid, "part"):
        return valid
    valid = None if valid is None else np.asarray(valid, bool)
    if valid is not None and valid.shape != grid.shape:
        raise ValueError(f"valid {valid.shape}, expected the grid's {grid.shape}")
    return whole_grid(grid, valid)


def _ranked_codes(zones: Source) -> tuple[np.ndarray, np.ndarray]:
    """The codes that occur, ascending, and a table of their places in it, by code; codes may have six digits."""
    present = np.zeros(1, bool)
    for start, stop in _row_blocks(zones):
        part = zones.part((start, stop, 0, zones.grid.shape[1]))
        present = np.pad(present, (0, max(int(part.values.max()) + 1 - present.size, 0)))
        present[part.values[part.valid]] = True
    present[0] = False
    return np.flatnonzero(present), np.cumsum(present) - 1


def _centres_inside(source: Grid, grid: Grid, start: int, row, col) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cells (start + row, col) of ``source``: whether their centres are in ``grid``, and its rows and columns there."""
    x, y = source.centres()
    if grid == source:
        at_row, at_col = row + start, col
        inside = np.ones(row.size, bool)
    else:
        u, v = pixel_coordinates(grid, source, x[col], y[row + start])
        inside = (u >= 0) & (u < grid.shape[1]) & (v >= 0) & (v < grid.shape[0])  # False for nan
        at_row, at_col = np.where(inside, v, 0).astype(np.intp), np.where(inside, u, 0).astype(np.intp)
    return inside, at_row, at_col


def _valid_at(valid: Source, row: np.ndarray, col: np.ndarray) -> np.ndarray:
    """Whether each cell (row, col) is valid; rows are read in blocks, because a few zone cells may span the map."""
    found = np.zeros(row.size, bool)
    if not row.size:
        return found
    rows, cols = valid.grid.shape
    step = max(FILE_TILE, _MASK_BLOCK_CELLS // cols)
    for start in range(int(row.min()) // step * step, int(row.max()) + 1, step):
        here = (row >= start) & (row < start + step)
        if here.any():
            part = valid.part((start, min(start + step, rows), 0, cols))
            found[here] = part.valid[row[here] - start, col[here]]
    return found


def _row_blocks(zones: Source):
    step = max(1, _MASK_BLOCK_CELLS // zones.grid.shape[1])
    return [(start, min(start + step, zones.grid.shape[0])) for start in range(0, zones.grid.shape[0], step)]
