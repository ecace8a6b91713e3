"""The coarse cells that a part of the fine map needs (D17): the fine map is computed tile by tile, to the same bits.

Every step needs a known number of coarse cells on each side.  A part that is computed with that many cells around it is
the same, to the last bit, as in the whole map: interpolation and back-projection take the same sums in the same order,
and the cells that a cut edge spoils lie further out.  At the raster's own edge, where images are mirrored, nothing is
cut off.  It makes no difference whether all cells of the map are valid or only all cells of the part.  The share of
valid weight is then exactly 1, because the weights of doubling and halving are multiples of 1/128 and 1/256.

Windows are (row start, row stop, column start, column stop) in coarse cells of the whole map, of ``shape``
(rows, cols).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from refimpl.earth.grid import Window
from refimpl.method.settings import UpscaleSettings
from refimpl.windows.inference import halo

INTERPOLATION = 2
"""Coarse cells on each side that a fine cell is interpolated from."""
SPOILT = 3
"""Fine cells next to a cut whose interpolation misses a coarse cell: both children of the last coarse cell along an
axis, and the nearer child of the one before."""


def cells_around(iterations: int, kind: str) -> int:
    """Coarse cells on each side that this many iterations of back-projection need; ``kind`` is the downsampling.

    The first child of cell c takes shares of the differences of the cells c - 2 to c + 1, the second child of c - 1 to
    c + 2.  Consider the left side.  With the mean, the difference of c - 2 begins at the first child of c - 2: two
    cells for each iteration.  With the bicubic mean it begins at the second child of c - 4.  From a second child, a
    further iteration begins at the second child three cells to the left: three cells for each iteration, and one more.
    The right side is the same with the children exchanged.

    >>> cells_around(10, "mean"), cells_around(10, "bicubic"), cells_around(0, "bicubic")
    (20, 31, 0)
    """
    return 2 * iterations if kind == "mean" else 3 * iterations + min(iterations, 1)


@dataclass(frozen=True)
class Reach:
    """Coarse cells on each side that each step needs beyond those of the step after it; the last step first.

    ``after``: back-projection of the median; ``within``: back-projection of the eight outputs; ``network``: its layers
    and the interpolation before them.
    """

    after: int
    within: int
    network: int

    @property
    def total(self) -> int:
        """Coarse cells on each side of a part of the fine map."""
        return self.after + self.within + self.network


def reach(settings: UpscaleSettings, depth: int) -> Reach:
    """The coarse cells around a part that the fine map of a network of ``depth`` layers needs.

    Back-projection needs ``cells_around`` coarse cells on each side, inside the ensemble and after it.  The network
    needs ``halo(depth)`` fine cells more.  Its image begins at a multiple of four fine cells of the whole map, in each
    of the eight turns; at most two cells are cut off for that, and these are spoilt in any case.  No part of this can
    be less, with one exception: back-projection from a bicubic mean needs only one child of its last cells, so the step
    before it has one coarse cell to spare.

    >>> reach(UpscaleSettings(), 8)
    Reach(after=20, within=20, network=9)
    """
    once = cells_around(settings.back_projection, settings.downsampling)
    return Reach(once, once if settings.self_ensemble else 0, -(-(halo(depth) + SPOILT) // 2))


def grown(window: Window, cells: int, shape: tuple[int, int]) -> Window:
    """The window with this many cells more on each side, cut at the edge of the map.

    >>> grown((0, 4, 5, 9), 2, (20, 10))
    (0, 6, 3, 10)
    """
    top, bottom, left, right = window
    return max(top - cells, 0), min(bottom + cells, shape[0]), max(left - cells, 0), min(right + cells, shape[1])


def box_of(cells: np.ndarray, window: Window) -> Window | None:
    """The smallest window that holds every true cell of ``cells``, an array at ``window``; None if none is true.

    >>> box_of(np.array([[False, False, False], [False, True, True]]), (10, 12, 20, 23))
    (11, 12, 21, 23)
    """
    rows, columns = np.flatnonzero(cells.any(axis=1)), np.flatnonzero(cells.any(axis=0))
    if not rows.size:
        return None
    ends = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    return tuple(int(end) + window[n // 2 * 2] for n, end in enumerate(ends))


@dataclass(frozen=True)
class Cut:
    """A part of the coarse map: ``values`` and ``valid`` (rows, cols) at ``window`` of a map of ``shape``."""

    values: np.ndarray
    valid: np.ndarray
    window: Window
    shape: tuple[int, int]

    def part(self, window: Window) -> Cut:
        """A part of this part, as contiguous arrays."""
        cells = within(window, self.window)
        values, valid = np.ascontiguousarray(self.values[cells]), np.ascontiguousarray(self.valid[cells])
        return Cut(values, valid, window, self.shape)

    def around(self, window: Window, cells: int) -> Cut:
        """The part at a window and this many cells around it."""
        return self.part(grown(window, cells, self.shape))


def within(window: Window, outer: Window, factor: int = 1) -> tuple[slice, slice]:
    """The slices of a window's cells in an array at ``outer``; with ``factor`` 2, of their children in a fine array.

    >>> within((3, 5, 1, 2), (2, 9, 0, 4), 2)
    (slice(2, 6, None), slice(2, 4, None))
    """
    top, bottom, left, right = window
    rows = slice(factor * (top - outer[0]), factor * (bottom - outer[0]))
    return rows, slice(factor * (left - outer[2]), factor * (right - outer[2]))
