"""Resampling of whole rasters to another grid, and the part of a raster under a grid.

Section "Raster data"; D04 names the working grid.  Each function computes a whole raster by a method of
refimpl/earth/warped.py, from a raster in memory or in a file.  ``cover`` and ``coverage`` (refimpl/windows/zones.py)
make and check the working grid.
"""

from __future__ import annotations

import numpy as np

from refimpl.earth.grid import Grid, Raster, Source, Window
from refimpl.earth.lattice import corner_lattice, tiles
from refimpl.earth.warped import Warped
from refimpl.errors import InputError, did_you_mean


def warp(raster: Source, grid: Grid, kind: str, minimum_valid: float = 0.0) -> Raster:
    """The raster on another grid, by the method for its ``kind``: "density", "count" or "class".

    Densities take the mean, counts the sum, classes the nearest pixel.  ``minimum_valid`` does not apply to classes.

    Raises
    ------
    InputError
        An unknown kind, or a ``minimum_valid`` outside [0, 1].
    """
    methods = {"density": "mean", "count": "sum", "class": "nearest"}
    if kind not in methods:
        raise InputError(f"unknown kind {kind!r} of a raster{did_you_mean(str(kind), methods)}")
    return Warped(raster, grid, methods[kind], minimum_valid).whole()


def warp_mean(raster: Source, grid: Grid, minimum_valid: float = 0.0) -> Raster:
    """The area-weighted mean of a density over the cells of ``grid``, over valid pixels only.

    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> source = Raster.masked([[1.0, 2.0, 6.0]], [[True, True, True]], Grid(ALBERS_CHINA, (0, 0, 2, -2), (1, 3)))
    >>> warp_mean(source, Grid(ALBERS_CHINA, (0, 0, 3, -2), (1, 2))).values.round(12).tolist()
    [[1.333333333333, 4.666666666667]]
    """
    return Warped(raster, grid, "mean", minimum_valid).whole()


def warp_nearest(raster: Source, grid: Grid) -> Raster:
    """The class of the source pixel that contains the centre of each cell of ``grid``, in the raster's dtype.

    A centre on the edge of two pixels belongs to the right and lower one.

    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> classes = np.array([[11, 12]], np.uint8)
    >>> source = Raster(classes, classes > 0, Grid(ALBERS_CHINA, (0, 0, 2, -2), (1, 2)))
    >>> warp_nearest(source, Grid(ALBERS_CHINA, (1, 0, 2, -2), (1, 2))).values.tolist()
    [[12, 0]]
    """
    return Warped(raster, grid, "nearest").whole()


def touched(source: Grid, grid: Grid) -> Window:
    """The window of a raster on ``source`` that the cells of ``grid`` touch.

    If a corner of a cell is off the raster's map, it is the whole raster.

    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> touched(Grid(ALBERS_CHINA, (0, 4, 1, -1), (4, 4)), Grid(ALBERS_CHINA, (2, 3, 1, -1), (1, 1)))
    (1, 2, 2, 3)
    """
    (rows, cols), low, high = source.shape, np.full(2, np.inf), np.full(2, -np.inf)
    for tile in tiles((0, grid.shape[0], 0, grid.shape[1])):
        corners = np.stack(corner_lattice(source, grid, tile)).reshape(2, -1)
        low, high = np.minimum(low, corners.min(1)), np.maximum(high, corners.max(1))
    if not np.isfinite([low, high]).all():
        return 0, rows, 0, cols
    left, top = (int(np.clip(np.floor(edge), 0, size - 1)) for edge, size in zip(low, (cols, rows)))
    right = int(np.clip(np.ceil(high[0]), left + 1, cols))
    bottom = int(np.clip(np.ceil(high[1]), top + 1, rows))
    return top, bottom, left, right


def cropped(raster: Source, grid: Grid) -> Raster:
    """The part of ``raster`` that the cells of ``grid`` touch, with pixels unchanged; of a file, only this is read.

    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> source = Raster(np.arange(16.0).reshape(4, 4), np.ones((4, 4), bool), Grid(ALBERS_CHINA, (0, 4, 1, -1), (4, 4)))
    >>> cropped(source, Grid(ALBERS_CHINA, (2, 3, 1, -1), (1, 1))).values.shape
    (1, 1)
    """
    return raster.part(touched(raster.grid, grid))
