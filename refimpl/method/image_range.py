"""The coarse map as an image with values near [0, 1], and back (D08, D09).

D08: negative values of the map, (rows, cols) in any units, count as 0.  D09: it is then shifted by its minimum over
valid cells and divided by the 99.99 % quantile of the shifted values; nothing is clipped above.  Invalid cells hold 0.
The shift removes the regression's intercept, which would otherwise spread most of the emission evenly over empty land;
``baseline="keep"`` adds it back at the end.

This image is called *linear*.  A curve (``log``, ``sqrt``) may lie between it and what the network sees;
back-projection works on the linear one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from refimpl.errors import InputError, did_you_mean

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


def clip_negative(values: np.ndarray) -> np.ndarray:
    """D08: the map, (rows, cols), with its negative values set to 0.

    >>> clip_negative(np.array([-4.0, 5.0]))
    array([0., 5.])
    """
    return np.where(values < 0, 0.0, values)


def measure_range(values: np.ndarray, valid: np.ndarray) -> ImageRange:
    """D09: minimum and 99.99 % quantile (linear interpolation) of the valid cells.

    Where more than 99.99 % of the cells are at the minimum, the scale is the largest shifted value instead; a constant
    map has scale 1.

    Raises
    ------
    InputError
        No cell is valid.

    >>> measure_range(np.array([[5.0, 7.0, 9.0]]), np.array([[True, True, False]]))
    ImageRange(minimum=5.0, scale=1.9998)
    """
    inside = np.asarray(values, np.float64)[valid]
    if not inside.size:
        raise no_valid_cell()
    shifted = inside - inside.min()
    return ImageRange(float(inside.min()), float(np.quantile(shifted, QUANTILE)) or float(shifted.max()) or 1.0)


def no_valid_cell() -> InputError:
    """The sentence for a coarse map without a valid cell.

    >>> str(no_valid_cell()).startswith("coarse map: no cell is valid")
    True
    """
    return InputError("coarse map: no cell is valid, expected at least one; check the nodata value and the zones")


def compress(image: np.ndarray, transform: str) -> np.ndarray:
    """The curve of D09 applied to a linear image: linear, ``log1p(100 v) / log1p(100)``, or the square root.

    For the two curves, values below 0 (which interpolation may leave) count as 0.

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
        return np.expm1(image * np.log1p(LOG_GAIN)) / LOG_GAIN
    return image * np.abs(image) if transform == "sqrt" else image


def _check_transform(transform: str) -> None:
    if transform not in TRANSFORMS:
        raise InputError(f"unknown transform {transform!r}{did_you_mean(str(transform), TRANSFORMS)}")
