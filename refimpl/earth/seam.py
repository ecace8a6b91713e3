"""Cells across the seam of a source's map: the meridian along which the map is cut open.

Section "Raster data".  If a cell has corners on both sides of the seam, they fall on opposite ends of the source.  On a
geographic source, longitudes repeat after a turn, so such a cell is placed on both ends.  A projected map does not
repeat, and the cell stays without a value.  Coordinates are pixel coordinates as in refimpl/earth/pixels.py.
"""

from __future__ import annotations

import numpy as np

from refimpl.earth.grid import Grid
from refimpl.earth.projection import wrapped


def turn_of(source: Grid) -> float:
    """The number of pixels of a geographic source once round the Earth.

    >>> from refimpl.earth.projection import WGS84
    >>> turn_of(Grid(WGS84, (0, 90, 2, -2), (90, 180)))
    180.0
    """
    return 360.0 / source.transform[2]


def laid_on_turns(u: np.ndarray, source: Grid) -> list[np.ndarray]:
    """The columns u of a corner lattice, for each turn on which it lies on a geographic source: one turn, or three.

    In one of the three, a cell has its original coordinates, to the bit.  The list is empty if the corners cannot be
    continued from cell to cell, because they surround a pole or points off the map.  A smaller part of the lattice, or
    a single cell, may then still work.

    >>> from refimpl.earth.projection import WGS84
    >>> world = Grid(WGS84, (0, 90, 2, -2), (90, 180))
    >>> [u.tolist() for u in laid_on_turns(np.array([[179.5, 0.5]]), world)]
    [[[-0.5, 0.5]], [[179.5, 180.5]], [[359.5, 360.5]]]
    """
    turn = turn_of(source)
    if u.max() - u.min() <= turn / 2:  # False for nan
        return [u]
    turns = np.zeros(u.shape)  # whole turns that bring each corner next to its neighbour
    turns[1:, 0] = -np.cumsum(_turns_apart(np.diff(u[:, 0]), turn))
    turns[:, 1:] = turns[:, :1] - np.cumsum(_turns_apart(np.diff(u, axis=1), turn), axis=1)
    if _jumps(u + turn * turns, turn / 2):
        return []
    return [u + turn * (turns + more) for more in (-1.0, 0.0, 1.0)] if turns.any() else [u]


def _turns_apart(difference: np.ndarray, turn: float) -> np.ndarray:
    """Whole turns between neighbours; 0 if one of them is off the map."""
    return np.round(np.nan_to_num(difference) / turn)


def _jumps(corners: np.ndarray, most: float) -> bool:
    """Whether an edge of a cell is longer than ``most``."""
    with np.errstate(invalid="ignore"):
        return any(bool((np.abs(np.diff(corners, axis=axis)) > most).any()) for axis in (0, 1))


def is_torn(lon: np.ndarray, source: Grid) -> bool:
    """Whether a cell whose corners have these longitudes lies across the seam of a projected source.

    >>> from refimpl.earth.projection import MODIS_SINUSOIDAL
    >>> source = Grid(MODIS_SINUSOIDAL, (-2e7, 1e7, 1e5, -1e5), (200, 400))
    >>> is_torn(np.array([[178.5, 179.5, -179.5]]), source), is_torn(np.array([[178.5, 179.5]]), source)
    (True, False)
    """
    return _jumps(wrapped(lon - source.crs.central_meridian), 180.0)
