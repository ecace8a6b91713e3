"""Resampling to another grid, computed window by window on request.

Section "Raster data"; D04 names the working grid.  ``Warped.part(window)`` computes a window of the new raster and
reads only the pixels of the source that this window needs.  So rasters larger than memory can be warped.  A cell has
the same value, to the bit, in every window.

The method depends on what the values are:

======== =================================================================================================
mean     a density (per km2): the mean over the cell, each pixel weighted by the true area of its overlap
sum      a count per pixel: divided among the cells by overlap, so that the sum is conserved
mode     a class: the one with the largest true area in the cell; the lowest, if several have the same
nearest  a class: that of the pixel that contains the cell's centre
bilinear a value at points: interpolated at the cell's centre between four pixels
cubic    a value at points: interpolated at the cell's centre between sixteen pixels
======== =================================================================================================

Overlaps are exact (refimpl/earth/overlap.py), not sampled.  Invalid pixels have no influence.  Interpolation looks only
at points, so it is refused where cells are much coarser than pixels.  Means, sums and interpolated values are float64;
classes keep their dtype.
"""

from __future__ import annotations

import numpy as np

from refimpl.earth.grid import Grid, Raster, Source, Window
from refimpl.earth.interpolation import sample_points
from refimpl.earth.lattice import centre_lattice, corner_lattice, lies_across_seam, tiles
from refimpl.earth.overlap import overlap_modes, overlap_sums
from refimpl.earth.seam import laid_on_turns
from refimpl.earth.threads import in_threads
from refimpl.errors import InputError, did_you_mean

METHODS = ("mean", "sum", "mode", "nearest", "bilinear", "cubic")
MOST_PIXELS = 2**23
"""The most pixels of the source that are read at once; a piece of a tile that needs more is halved."""
MOST_UNDER_POINT = 4.0
"""The most pixels under a cell for interpolation; with more, it would skip many of them."""
Under = tuple[Window, np.ndarray, np.ndarray]
"""A window of the source, and points as pixel coordinates u, v that count from this window's corner."""


class Warped:
    """``source`` resampled to ``grid``, computed on request; it is itself a ``Source``.

    ``method`` is one of METHODS.  A cell is valid if valid pixels cover at least the share ``minimum_valid`` of it.
    With 0, any overlap is enough, so that the coast is not lost.  For "nearest", "bilinear" and "cubic", a cell is
    valid if the pixel at its centre is.  On the source's own grid the values are returned unchanged.

    Raises
    ------
    InputError
        An unknown method; a ``minimum_valid`` outside [0, 1]; interpolation to much coarser cells; different datums;
        cells that span half the Earth.

    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> source = Raster.masked([[1.0, 2.0, 6.0]], [[True, True, True]], Grid(ALBERS_CHINA, (0, 0, 2, -2), (1, 3)))
    >>> Warped(source, Grid(ALBERS_CHINA, (0, 0, 3, -2), (1, 2)), "sum").part((0, 1, 1, 2)).values.tolist()
    [[7.0]]
    """

    def __init__(self, source: Source, grid: Grid, method: str, minimum_valid: float = 0.0):
        if method not in METHODS:
            raise InputError(f"unknown method {method!r}{did_you_mean(str(method), METHODS)}")
        if not 0 <= minimum_valid <= 1:
            raise InputError(f"minimum_valid is {minimum_valid}; expected a share of the cell, from 0 to 1")
        if grid.crs.kind == "geographic" and grid.transform[2] >= 180 and source.grid != grid:
            raise InputError(f"a cell of {grid.transform[2]:g} degrees; expected less than half round the Earth, 180")
        self.source, self.grid, self.units = source, grid, source.units
        self.method, self.minimum_valid = method, minimum_valid
        self.dtype = source.dtype if method in ("mode", "nearest") else np.dtype(float)
        # Counts are divided by overlap in pixels; densities and classes are weighted by true areas.
        alike = method not in ("mean", "mode")
        self._weights = np.ones(source.grid.shape[0]) if alike else source.grid.cell_areas()
        if method in ("bilinear", "cubic"):
            self._check_not_coarser()

    def part(self, window: Window) -> Raster:
        """The cells in a window (row start, row stop, column start, column stop).

        Raises
        ------
        InputError
            The source cannot be read there, or its values are too large to be added up.
        """
        shape, grid = (window[1] - window[0], window[3] - window[2]), self.grid.part(window)
        if self.source.grid == self.grid:
            same = self.source.part(window)
            return Raster(same.values.astype(self.dtype), same.valid.copy(), grid, self.units)
        values, valid, pieces = np.zeros(shape, self.dtype), np.zeros(shape, bool), tiles(window)

        def work(k: int) -> None:
            self._fill(pieces[k], window, values, valid)

        with np.errstate(over="ignore"):
            in_threads(work, len(pieces))
        if self.method not in ("mode", "nearest") and not np.isfinite(values).all():
            raise InputError(
                f"{self.method}: a cell's value is larger than any number; if pixels hold a nodata value that the "
                "raster does not name, declare it with 'gdal_edit.py -a_nodata'"
            )
        return Raster.unchecked(values, valid, grid, self.units)

    def whole(self) -> Raster:
        """The whole raster."""
        return self.part((0, self.grid.shape[0], 0, self.grid.shape[1]))

    def _fill(self, piece: Window, window: Window, values: np.ndarray, valid: np.ndarray) -> None:
        """Compute the cells of a piece of a tile and write them into the arrays of ``window``, which hold zeros."""
        top, bottom, left, right = piece
        under = self._centres(piece) if self.method in ("nearest", "bilinear", "cubic") else self._corners(piece)
        pixels = sum((place[1] - place[0]) * (place[3] - place[2]) for place, _, _ in under or ())
        if (under is None or pixels > MOST_PIXELS) and (bottom - top, right - left) != (1, 1):
            for half in _halves(piece):
                self._fill(half, window, values, valid)
            return
        cells = np.s_[top - window[0] : bottom - window[0], left - window[2] : right - window[2]]
        if under:
            method = {"mean": self._sums, "sum": self._sums, "mode": self._modes}.get(self.method, self._at_centres)
            method(under, values[cells], valid[cells])

    def _sums(self, under: list[Under], values: np.ndarray, valid: np.ndarray) -> None:
        parts = []
        for place, u, v in under:
            pixels = self.source.part(place)
            weights = self._weights[place[0] : place[1]]
            parts.append(overlap_sums(_as_float(pixels.values), pixels.valid, weights, u, v))
        weighted, weight, covered = (sum(part[1:], start=part[0]) for part in zip(*parts))
        np.greater(weight, 0, out=valid)
        if self.minimum_valid > 0:
            valid &= covered >= self.minimum_valid * (1 - 1e-9)
        if self.method == "mean":
            with np.errstate(invalid="ignore"):  # 0 / 0 where no pixel is valid
                np.divide(weighted, weight, out=values)
        else:
            values[:] = weighted
        if not valid.all():
            np.copyto(values, 0, where=~valid)

    def _modes(self, under: list[Under], values: np.ndarray, valid: np.ndarray) -> None:
        most, covered = np.zeros(values.shape), np.zeros(values.shape)
        for place, u, v in under:  # across a seam: the side with the larger share decides
            pixels = self.source.part(place)
            weights = self._weights[place[0] : place[1]]
            found, part = overlap_modes(pixels.values, pixels.valid, weights, u, v)
            np.copyto(values, found, where=(part > most) | ((part == most) & (part > 0) & (found < values)))
            np.maximum(most, part, out=most)
            covered += part
        valid[:] = (covered > 0) & (covered >= self.minimum_valid * (1 - 1e-9))
        np.copyto(values, 0, where=~valid)

    def _at_centres(self, under: list[Under], values: np.ndarray, valid: np.ndarray) -> None:
        (place, u, v), *_ = under
        pixels = self.source.part(place)
        if self.method != "nearest":
            values[:], valid[:] = sample_points(_as_float(pixels.values), pixels.valid, u, v, self.method == "cubic")
            return
        rows, cols = pixels.grid.shape
        inside = (u >= 0) & (u < cols) & (v >= 0) & (v < rows)  # False for nan
        row, col = np.where(inside, v, 0).astype(np.intp), np.where(inside, u, 0).astype(np.intp)
        valid[:] = inside & pixels.valid[row, col]
        np.copyto(values, pixels.values[row, col], where=valid)

    def _corners(self, window: Window) -> list[Under] | None:
        """The pixels under cells, for each turn round the Earth, and the cells' corners u, v among them.

        None if a cell lies across a seam and cannot be placed on turns.  Then the window is halved; a single cell stays
        invalid.
        """
        shape, (laid, v) = self.source.grid.shape, self._laid(window)
        places = ((_window_under(u, v, shape), u) for u in laid)
        # Whole numbers are subtracted, so that the fractions of the coordinates stay the same.
        return [(place, u - place[2], v - place[0]) for place, u in places if place] if laid else None

    def _laid(self, window: Window) -> tuple[list[np.ndarray], np.ndarray]:
        """The corners of cells in the source's pixel coordinates: a list of u, one for each turn or empty, and v."""
        source = self.source.grid
        u, v = corner_lattice(source, self.grid, window)
        if source.crs.kind == "geographic":
            return laid_on_turns(u, source), v
        return [] if lies_across_seam(source, self.grid, window) else [u], v

    def _centres(self, window: Window) -> list[Under]:
        """The pixels around the centres of cells, enough to interpolate, and the centres u, v among them."""
        shape = self.source.grid.shape
        u, v = centre_lattice(self.source.grid, self.grid, window)
        inside = (u >= 0) & (u < shape[1]) & (v >= 0) & (v < shape[0])
        place = _window_under(u[inside], v[inside], shape, 2)
        return [(place, u - place[2], v - place[0])] if place else []

    def _check_not_coarser(self) -> None:
        row, col = (size // 2 for size in self.grid.shape)
        laid, v = self._laid((row, row + 1, col, col + 1))
        u = laid[0] if laid else np.full(v.shape, np.nan)
        under = abs((u[0, 1] - u[0, 0]) * (v[1, 0] - v[0, 0]) - (u[1, 0] - u[0, 0]) * (v[0, 1] - v[0, 0]))
        if under > MOST_UNDER_POINT:
            raise InputError(
                f"{self.method}: a cell of the grid lies over {under:.3g} pixels of the raster, most of which "
                "interpolation would pass over; take 'mean' for densities or 'sum' for counts, or smaller cells"
            )


def _halves(window: Window) -> tuple[Window, Window]:
    top, bottom, left, right = window
    if bottom - top >= right - left:
        middle = (top + bottom) // 2
        return (top, middle, left, right), (middle, bottom, left, right)
    middle = (left + right) // 2
    return (top, bottom, left, middle), (top, bottom, middle, right)


def _as_float(values: np.ndarray) -> np.ndarray:
    return values if values.dtype in (np.float32, np.float64) else values.astype(float)


def _window_under(u: np.ndarray, v: np.ndarray, shape: tuple[int, int], beyond: int = 0) -> Window | None:
    """The source's pixels between the extremes of u and v, and ``beyond`` more on each side; None if there are none."""
    finite = np.isfinite(u) & np.isfinite(v)
    if not finite.all():
        u, v = u[finite], v[finite]
    if not u.size:
        return None
    top, bottom = max(int(np.floor(v.min())) - beyond, 0), min(int(np.ceil(v.max())) + beyond + 1, shape[0])
    left, right = max(int(np.floor(u.min())) - beyond, 0), min(int(np.ceil(u.max())) + beyond + 1, shape[1])
    return (top, bottom, left, right) if top < bottom and left < right else None
