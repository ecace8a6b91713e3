"""The seam of a source's map, where it is cut open: cells that lie across it.

Section "Raster data".  A cell's corners on two sides of the seam fall on opposite ends of the source.  Longitudes
repeat after a turn, so that on a geographic source such a cell is laid on both ends; a projected map does not repeat,
and the cell is given up.  Coordinates are pixel coordinates as in refimpl/earth/pixels.py.
"""

from __future__ import annotations

import numpy as np

from refimpl.earth.grid import Grid
from refimpl.earth.projection import wrapped


def turn_of(source: Grid) -> float:
    """Pixels once round the Earth, of a geographic source.

    >>> from refimpl.earth.projection import WGS84
    >>> turn_of(Grid(WGS84, (0, 90, 2, -2), (90, 180)))
    180.0
    """
    return 360.0 / source.transform[2]


def laid_on_turns(u: np.ndarray, source: Grid) -> list[np.ndarray]:
    """The columns of a corner lattice as often as it has to be laid on a geographic source: once, or on three turns.

    A cell has its own coordinates, to the bit, in one of them.  None at all where the corners cannot be continued, for
    they go round a pole or round what is off the map: fewer cells, or one, may be.

    >>> from refimpl.earth.projection import WGS84
    >>> world = Grid(WGS84, (0, 90, 2, -2), (90, 180))
    >>> [u.tolist() for u in laid_on_turns(np.array([[179.5, 0.5]]), world)]
    [[[-0.5, 0.5]], [[179.5, 180.5]], [[359.5, 360.5]]]
    """
    turn = turn_of(source)
    if u.max() - u.min() <= turn / 2:  # False for nan
        return [u]
    turns = np.zeros(u.shape)  # that bring each corner to where its neighbour is
    turns[1:, 0] = -np.cumsum(_turns_apart(np.diff(u[:, 0]), turn))
    turns[:, 1:] = turns[:, :1] - np.cumsum(_turns_apart(np.diff(u, axis=1), turn), axis=1)
    if _jumps(u + turn * turns, turn / 2):
        return []
    return [u + turn * (turns + more) for more in (-1.0, 0.0, 1.0)] if turns.any() else [u]


def _turns_apart(difference: np.ndarray, turn: float) -> np.ndarray:
    """Whole turns between neighbours; 0 where one of them is off the map."""
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
