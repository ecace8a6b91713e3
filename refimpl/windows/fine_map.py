"""The fine map and its plain alternatives as sources, computed window by window (Fig. 8; D08, D09, D16-D19).

Coarse maps (rows, cols) and fine maps (2 rows, 2 cols) are sources.  The fine map lies on ``grid.refined()``; a fine
cell is valid where its coarse cell is.  Values are float64 in the units of the coarse map, at least 0 (D18).  The cost
of a part is that of its valid cells and of the cells around them that they depend on (``reach``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np

from refimpl.earth.grid import Grid, Raster, Source, Window
from refimpl.method.back_projection import back_project, children
from refimpl.method.image_range import ImageRange, expand
from refimpl.method.network import Network
from refimpl.method.resize import upsample_valid
from refimpl.method.settings import UpscaleSettings
from refimpl.progress import Progress
from refimpl.windows.computed import Computed
from refimpl.windows.ensemble import ensemble, interpolated, turned_output
from refimpl.windows.measured_range import clip_negatives
from refimpl.windows.reach import INTERPOLATION, Cut, box_of, cells_around, grown, reach, within

TILE_SIDE = 768
"""Side of a tile of the fine map in coarse cells.  Its eight outputs take 170 MB; with smaller tiles more cells would
be computed twice."""


class FineMap(Computed, ABC):
    """A source at twice the resolution of ``coarse``; ``baseline`` as in ``ImageRange.to_map``."""

    coarse: Source
    image_range: ImageRange
    baseline: str

    @property
    def grid(self) -> Grid:
        """The grid of the coarse map, refined (D19)."""
        return self.coarse.grid.refined()

    @property
    def units(self) -> str:
        """The units of the coarse map."""
        return self.coarse.units

    @property
    def dtype(self) -> np.dtype:
        """float64."""
        return np.dtype(np.float64)

    @abstractmethod
    def _reach(self) -> int:
        """Coarse cells on each side that a part needs."""

    @abstractmethod
    def _fine(self, cut: Cut, window: Window, progress: Progress | None) -> np.ndarray:
        """The linear fine image of the coarse cells in ``window``; ``cut`` is the linear coarse image around it."""

    def _finished(self, fine: np.ndarray) -> np.ndarray:
        """A linear fine image in the map's units, at least 0 (D18)."""
        return np.maximum(self.image_range.to_map(fine, self.baseline), 0)

    def part(self, window: Window, progress: Progress | None = None) -> Raster:
        """The cells of (row start, row stop, column start, column stop); ``progress`` is told the finished share."""
        shape, reached = self.coarse.grid.shape, self._reach()
        under = window[0] // 2, -(-window[1] // 2), window[2] // 2, -(-window[3] // 2)
        place = grown(under, reached, shape)
        read, _ = clip_negatives(self.coarse.part(place))
        cut = Cut(read.values, read.valid, place, shape)
        inside = cut.valid[within(under, place)]
        valid = children(inside)
        values, box = np.zeros(valid.shape, self.dtype), box_of(inside, under)
        if box:
            cut = cut.around(box, reached)
            image = self.image_range.to_image(cut.values, cut.valid)
            fine = self._fine(replace(cut, values=image), box, progress)
            values[within(box, under, 2)] = self._finished(fine)
            values[~valid] = 0
        cells = within(window, tuple(2 * end for end in under))
        return Raster.unchecked(values[cells], valid[cells], self.grid.part(window), self.units)


@dataclass(frozen=True, eq=False)
class NetworkOutput(FineMap):
    """The network's output for the unturned interpolated image, in the network's dtype and on the curve of D09.

    It equals ``refimpl.method.network.forward`` of that image, 0 where invalid.  In a file, it serves twice: as the
    first of the ensemble's eight outputs, and for the map of the network alone (``Plain``).
    """

    network: Network
    coarse: Source
    image_range: ImageRange
    settings: UpscaleSettings
    baseline = ""

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the network's parameters."""
        return self.network.parameters.dtype

    def _reach(self) -> int:
        return reach(self.settings, self.network.depth).network

    def _fine(self, cut: Cut, window: Window, progress: Progress | None) -> np.ndarray:
        return turned_output(self.network, *interpolated(self.network, cut, self.settings), cut, window, 0, progress)

    def _finished(self, fine: np.ndarray) -> np.ndarray:
        return fine


@dataclass(frozen=True, eq=False)
class Plain:
    """The fine map of the network alone, without ensemble and back-projection, from its ``output``.

    It equals ``refimpl.method.super_resolution.weights_of`` that output, made linear.
    """

    output: Source
    image_range: ImageRange
    settings: UpscaleSettings
    units: str = ""
    dtype = np.dtype(np.float64)

    @property
    def grid(self) -> Grid:
        """The grid of the output."""
        return self.output.grid

    def part(self, window: Window) -> Raster:
        """The cells of (row start, row stop, column start, column stop)."""
        found = self.output.part(window)
        linear = expand(found.values.astype(np.float64), self.settings.transform)
        values = np.maximum(self.image_range.to_map(linear, self.settings.baseline), 0)
        return Raster.unchecked(np.where(found.valid, values, 0.0), found.valid, found.grid, self.units)


@dataclass(frozen=True, eq=False)
class SuperResolved(FineMap):
    """Fig. 8: the fine map that a trained ``network`` makes (D17), computed in the dtype of its parameters.

    It equals ``refimpl.method.super_resolution.apply_network``, in the map's units and at least 0
    (``refimpl.method.super_resolution.weights_of``).  ``output`` is the ``NetworkOutput``, if it has been computed
    before.  With the kernels and a network in float32, a cell has the same bits in every window that holds it; NumPy's
    matrix products may round it differently in windows of other sizes.

    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> from refimpl.method.network import initialise
    >>> grid = Grid(ALBERS_CHINA, (0, 0, 1000, -1000), (4, 4))
    >>> coarse = Raster(np.eye(4), np.ones((4, 4), bool), grid)
    >>> fine = SuperResolved(initialise(np.random.default_rng(1)), coarse, ImageRange(0.0, 1.0), UpscaleSettings())
    >>> fine.part((2, 6, 0, 5)).values.shape
    (4, 5)
    """

    network: Network
    coarse: Source
    image_range: ImageRange
    settings: UpscaleSettings
    output: Source | None = None

    @property
    def baseline(self) -> str:
        """The baseline of the settings."""
        return self.settings.baseline

    def _reach(self) -> int:
        return reach(self.settings, self.network.depth).total

    def _known(self, window: Window) -> np.ndarray:
        return self.output.part(window).values

    def _fine(self, cut: Cut, window: Window, progress: Progress | None) -> np.ndarray:
        around = cut.around(window, reach(self.settings, self.network.depth).after)
        first = self._known if self.output is not None else None
        fine = ensemble(self.network, cut, around.window, self.settings, progress, first)
        iterations, kind = self.settings.back_projection, self.settings.downsampling
        fine = back_project(fine, around.values, around.valid, iterations, kind)
        return fine[within(window, around.window, 2)]


@dataclass(frozen=True, eq=False)
class Replicated(FineMap):
    """The plainest fine map, to compare with: each coarse value four times.

    It equals ``refimpl.method.back_projection.children`` of the coarse map.
    """

    coarse: Source
    image_range: ImageRange
    baseline: str = "remove"

    def _reach(self) -> int:
        return 0

    def _fine(self, cut: Cut, window: Window, progress: Progress | None) -> np.ndarray:
        return children(cut.part(window).values)


@dataclass(frozen=True, eq=False)
class Bicubic(FineMap):
    """The interpolated fine map, to compare with: the input of the network, corrected ``back_projection`` times.

    It equals ``refimpl.method.resize.upsample_valid`` followed by ``refimpl.method.back_projection.back_project``.
    """

    coarse: Source
    image_range: ImageRange
    back_projection: int = 0
    baseline: str = "remove"
    downsampling: str = "mean"

    def _reach(self) -> int:
        return cells_around(self.back_projection, self.downsampling) + INTERPOLATION

    def _fine(self, cut: Cut, window: Window, progress: Progress | None) -> np.ndarray:
        fine = upsample_valid(cut.values, cut.valid)
        fine = back_project(fine, cut.values, cut.valid, self.back_projection, self.downsampling)
        return fine[within(window, cut.window, 2)]
