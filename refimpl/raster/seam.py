"""The seam of a source's map, where it is cut open: cells that lie across it.

Section "Raster data".  A cell's corners on two sides of the seam fall on opposite ends of the source.  Coordinates are
pixel coordinates as in refimpl/raster/pixels.py.
"""

from __future__ import annotations

import numpy as np

from refimpl.raster.grid import Grid


def turn_of(source: Grid) -> float:
    """Pixels once round the Earth, along the equator.

    >>> from refimpl.raster.projection import WGS84
    >>> turn_of(Grid(WGS84, (0, 90, 2, -2), (90, 180)))
    180.0
    """
    return (360.0 if source.crs.kind == "geographic" else 2 * np.pi * source.crs.a) / source.transform[2]


def crosses_seam(u: np.ndarray, source: Grid) -> bool:
    """Whether a cell of the corner lattice lies across the seam of the source's map.

    >>> from refimpl.raster.projection import WGS84
    >>> crosses_seam(np.array([[3599.5, 0.5]]), Grid(WGS84, (0, 90, 0.1, -0.1), (1800, 3600)))
    True
    """
    if u.max() - u.min() <= turn_of(source) / 2:  # False for nan
        return False
    return bool(torn(u, source).any())


def torn(u: np.ndarray, source: Grid) -> np.ndarray:
    """Which upper or lower edges of cells would reach half round the Earth: they cross the seam of the source's map."""
    with np.errstate(invalid="ignore"):
        return np.abs(np.diff(u, axis=1)) > turn_of(source) / 2


def continued(u: np.ndarray, source: Grid) -> tuple[np.ndarray, tuple[float, ...]]:
    """The corner lattice continued across the seam, and the shifts at which it has to be laid on the source.

    Longitudes repeat after a turn; a projected map does not, and there the cells beside the seam are given up.
    """
    turn, turns = turn_of(source), (0.0,)
    u = u.copy()
    if source.crs.kind == "geographic":
        turns = (-turn, 0.0, turn)
        u[1:, 0] -= turn * np.cumsum(np.round(np.nan_to_num(np.diff(u[:, 0])) / turn))
        u[:, 1:] -= turn * np.cumsum(np.round(np.nan_to_num(np.diff(u, axis=1)) / turn), axis=1)
    given_up = torn(u, source)
    u[:, :-1][given_up] = np.nan
    u[:, 1:][given_up] = np.nan
    return u, turns
