"""The pyramid of a map larger than memory: each crop is read, and shrunk, when it is drawn (Fig. 8; D14, D15).

``pyramid_of`` equals ``refimpl.method.training_pairs.pyramid``: the same levels, corners and crops, to the bit.  A
level keeps only the corners of its crops in memory (``corners``), one bit for each place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from refimpl.earth.grid import Source
from refimpl.method.training_pairs import SCALES, admissible, no_crop
from refimpl.windows.corners import Corners, overlapping
from refimpl.windows.scaled import Scaled


@dataclass(frozen=True, eq=False)
class StoredLevel:
    """The ``map`` at one ``scale``, and the admissible ``corners`` of crops on it.

    It equals ``refimpl.method.training_pairs.Level``.
    """

    scale: float
    map: Scaled
    corners: Corners

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the map at this scale."""
        return self.map.shape

    def crop(self, row: int, column: int, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Values and validity of the size x size cells below and right of a corner."""
        return self.map.part((row, row + size, column, column + size))


def pyramid_of(
    source: Source, size: int, pyramid: bool = True, dtype: np.dtype | type = np.float32
) -> list[StoredLevel]:
    """The map at each scale that has an admissible crop of size x size cells, full size first; crops are of ``dtype``.

    It equals ``refimpl.method.training_pairs.pyramid``.  The source is read once for each scale, in bands of rows;
    ``corners`` tells the memory that this takes.

    Raises
    ------
    InputError
        The full size has no admissible crop.
    """
    levels, every_valid = [], False
    for scale in SCALES if pyramid else SCALES[:1]:
        shape = tuple(round(scale * n) for n in source.grid.shape)
        if min(shape) < size:
            break
        scaled = Scaled(source, shape, np.dtype(dtype), every_valid)
        corners, valid, lit = _survey(scaled, size)
        if len(corners):
            levels.append(StoredLevel(scale, scaled, corners))
        elif scale == 1:
            raise no_crop(shape, valid, lit, size)
        every_valid = every_valid or (scale == 1 and valid == shape[0] * shape[1])
    return levels


def _survey(scaled: Scaled, size: int) -> tuple[Corners, int, bool]:
    """The admissible corners of a map, the number of its valid cells, and whether one of these is not 0."""
    valid, lit = 0, False

    def counted():
        nonlocal valid, lit
        for values, inside in scaled.bands(size):
            valid += np.count_nonzero(inside)
            lit = lit or bool(np.any(values[inside]))
            yield values, inside

    corners = Corners.packed(admissible(*band, size) for band in overlapping(counted(), size - 1))
    return corners, valid, lit
