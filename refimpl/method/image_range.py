"""The coarse map as an image with values near [0, 1], and back (D08, D09).

The map (rows, cols), in any units, is shifted by its minimum over valid cells and divided by the 99.99 % quantile of
the shifted values; nothing is clipped above.  Invalid cells hold 0.  The shift removes the regression's intercept,
which would otherwise spread most of the emission evenly over empty land; ``baseline="keep"`` adds it back at the end.
Negative values count as 0 before all of this.  Both numbers are found in walks over the map, window by window.

A curve (``log``, ``sqrt``) may lie between this linear image and what the network sees; back-projection works on the
linear one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from refimpl.earth.grid import Grid, Raster, Source, Window
from refimpl.errors import InputError, did_you_mean
from refimpl.windows.quantiles import Blocks, order_statistics
from refimpl.windows.walks import windows

QUANTILE = 0.9999
LOG_GAIN = 100.0
TRANSFORMS = ("linear", "log", "sqrt")


@dataclass(frozen=True)
class ImageRange:
    """Where the image's 0 and 1 lie on the map: 0 is ``minimum``, 1 is ``minimum + scale``, in the map's units."""

    minimum: float
    scale: float

    def to_image(self, values: np.ndarray, valid: np.ndarray) -> np.ndarray:
        """The linear image (rows, cols) float64 of a map; 0 at invalid cells.

        >>> ImageRange(2.0, 4.0).to_image(np.array([[2.0, 8.0]]), np.array([[True, True]]))
        array([[0. , 1.5]])
        """
        image = np.subtract(values, self.minimum, dtype=np.float64)
        image /= self.scale
        image[~valid] = 0.0
        return image

    def to_map(self, image: np.ndarray, baseline: str = "remove") -> np.ndarray:
        """A linear image in the map's units: without the minimum ("remove") or with it ("keep").

        >>> ImageRange(2.0, 4.0).to_map(np.array([0.0, 1.5]), "keep")
        array([2., 8.])
        """
        return image * self.scale + (self.minimum if baseline == "keep" else 0.0)


@dataclass(frozen=True)
class Measured:
    """The ``range`` of a map whose negative values are 0, and the number of valid cells that this ``clipped`` (D08)."""

    range: ImageRange
    clipped: int


def measure(coarse: Source) -> Measured:
    """D08 and D09 of a map of any size: range and number of negative cells.

    Raises
    ------
    InputError
        No cell is valid.

    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> grid = Grid(ALBERS_CHINA, (0, 0, 1, -1), (1, 3))
    >>> measure(Raster(np.array([[-4.0, 5.0, 0.0]]), np.array([[True, True, False]]), grid))
    Measured(range=ImageRange(minimum=0.0, scale=4.9995), clipped=1)
    """
    negative: dict[Window, int] = {}

    def blocks():
        for window in windows(coarse.grid.shape):
            part, negative[window] = clip_negatives(coarse.part(window))
            yield part.values[part.valid]

    return Measured(_range_of(blocks), sum(negative.values()))


def clip_negatives(raster: Raster) -> tuple[Raster, int]:
    """D08: the raster with its negative values set to 0, and the number of valid cells that this touched."""
    negative = raster.valid & (raster.values < 0)
    count = int(np.count_nonzero(negative))
    return replace(raster, values=np.where(negative, 0.0, raster.values)) if count else raster, count


@dataclass(frozen=True, eq=False)
class Clipped:
    """D08: a source as it is without its negative values; they are 0 in whatever part is asked for."""

    source: Source

    @property
    def grid(self) -> Grid:
        """That of the source."""
        return self.source.grid

    @property
    def units(self) -> str:
        """Those of the source."""
        return self.source.units

    @property
    def dtype(self) -> np.dtype:
        """That of the source."""
        return self.source.dtype

    def part(self, window: Window) -> Raster:
        """The cells of (row start, row stop, column start, column stop)."""
        return clip_negatives(self.source.part(window))[0]


def measure_range(values: np.ndarray, valid: np.ndarray) -> ImageRange:
    """D09: minimum and 99.99 % quantile (linear interpolation) of the valid cells.

    Where more than 99.99 % of the cells are at the minimum, the scale is the largest value instead; a constant map has
    scale 1.

    Raises
    ------
    InputError
        No cell is valid.

    >>> measure_range(np.array([[5.0, 7.0, 9.0]]), np.array([[True, True, False]]))
    ImageRange(minimum=5.0, scale=1.9998)
    """
    inside = np.asarray(values, np.float64)[valid]
    return _range_of(lambda: [inside])


def _range_of(blocks: Blocks) -> ImageRange:
    if not any(block.size for block in blocks()):
        raise InputError("coarse map: no cell is valid, expected at least one; check the nodata value and the zones")
    found = order_statistics(blocks, QUANTILE)
    scale = found.quantile(found.minimum) or found.maximum - found.minimum or 1.0
    return ImageRange(found.minimum, scale)


def compress(image: np.ndarray, transform: str) -> np.ndarray:
    """The curve of D09 applied to a linear image: linear, ``log1p(100 v) / log1p(100)``, or the square root.

    The two curves take what interpolation left below 0 for 0.

    >>> compress(np.array([0.0, 0.25, 1.0]), "sqrt")
    array([0. , 0.5, 1. ])
    """
    _check_transform(transform)
    if transform == "log":
        return np.log1p(LOG_GAIN * np.maximum(image, 0)) / np.log1p(LOG_GAIN)
    return np.sqrt(np.maximum(image, 0)) if transform == "sqrt" else image


def expand(image: np.ndarray, transform: str) -> np.ndarray:
    """The inverse of ``compress``; it keeps the sign of the small negative values that a network may return.

    >>> expand(np.array([-0.5, 0.0, 0.5]), "sqrt")
    array([-0.25,  0.  ,  0.25])
    """
    _check_transform(transform)
    if transform == "log":
        values = np.multiply(image, np.log1p(LOG_GAIN))  # in place from here: there are eight of these to a tile
        np.expm1(values, out=values)
        values /= LOG_GAIN
        return values
    return image * np.abs(image) if transform == "sqrt" else image


def _check_transform(transform: str) -> None:
    if transform not in TRANSFORMS:
        raise InputError(f"unknown transform {transform!r}{did_you_mean(str(transform), TRANSFORMS)}")
