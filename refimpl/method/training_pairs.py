"""Training pairs from the one coarse map (D14, D15; Shocher, Cohen & Irani 2018, section 3).

The map (rows, cols) float32 is seen in a pyramid of scales.  A step draws a scale (the full size half of the time), a
crop of n x n cells with at least half of them valid and not all 0, and one of eight rotations and mirrors: the
*father*, which is the target.  Its coarsened copy, interpolated back to n x n, is the input; the loss counts the
valid cells.

Of the levels of the pyramid only the places of crops are kept (``corners``); a crop is read from the source of the map,
and shrunk, when it is drawn (``scaled``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from refimpl.earth.grid import Source
from refimpl.errors import InputError
from refimpl.formats.tape import Draw
from refimpl.method.image_range import compress
from refimpl.method.resize import downsample, upsample_valid
from refimpl.twins import twin
from refimpl.windows.corners import Corners, overlapping
from refimpl.windows.scaled import Scaled, in_memory

SCALES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
FULL_SIZE_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class Level:
    """The ``map`` at one ``scale``, and the admissible ``corners`` of crops on it."""

    scale: float
    map: Scaled
    corners: Corners

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the map at this scale."""
        return self.map.shape


def turned(image: np.ndarray, turn: int) -> np.ndarray:
    """A view of the image: ``turn`` % 4 quarter turns anticlockwise, then, from turn 4 on, left and right swapped.

    Raises
    ------
    InputError
        ``turn`` is not one of 0 .. 7.

    >>> turned(np.array([[1, 2], [3, 4]]), 5)
    array([[4, 2],
           [3, 1]])
    """
    _check_turn(turn)
    rotated = np.rot90(image, turn % 4)
    return rotated[:, ::-1] if turn >= 4 else rotated


def rotate_mirror(image: np.ndarray, turn: int) -> np.ndarray:
    """``turned``, as a contiguous array of its own (or the image itself, if it is one and ``turn`` is 0)."""
    return np.ascontiguousarray(turned(image, turn))


def undo_rotate_mirror(image: np.ndarray, turn: int) -> np.ndarray:
    """The inverse of ``rotate_mirror``.

    >>> undo_rotate_mirror(np.array([[4, 2], [3, 1]]), 5)
    array([[1, 2],
           [3, 4]])
    """
    _check_turn(turn)
    return np.ascontiguousarray(np.rot90(image[:, ::-1] if turn >= 4 else image, -(turn % 4)))


def _check_turn(turn: int) -> None:
    if turn not in range(8):
        raise InputError(f"turn is {turn!r}; expected 0 to 7: quarter turns, from 4 on mirrored")


def crop_size(shape: tuple[int, int], wanted: int) -> int:
    """D15: min(wanted, rows, cols), made even; InputError for a map with fewer than 2 rows or columns.

    >>> crop_size((95, 300), 128)
    94
    """
    if min(shape) < 2:
        cells = " x ".join(map(str, shape))
        raise InputError(f"image of the coarse map: {cells} cells, expected 2 x 2 at least; use another")
    return min(wanted, *shape) // 2 * 2


def sums_of_windows(counts: np.ndarray, size: int) -> np.ndarray:
    """Sum over each size x size window, by its upper left corner, from a summed-area table.

    >>> sums_of_windows(np.array([[1, 0, 1], [0, 1, 1]]), 2)
    array([[2, 3]])
    """
    table = np.zeros((counts.shape[0] + 1, counts.shape[1] + 1), np.int64)
    np.cumsum(counts, axis=0, out=table[1:, 1:])
    np.cumsum(table[1:, 1:], axis=1, out=table[1:, 1:])
    return table[size:, size:] - table[:-size, size:] - table[size:, :-size] + table[:-size, :-size]


@twin("kernels.admissible")
def admissible(image: np.ndarray, valid: np.ndarray, size: int) -> np.ndarray:
    """(rows - size + 1, cols - size + 1) bool: corners of crops with at least half of the cells valid and not all 0."""
    enough = 2 * sums_of_windows(valid, size) >= size * size
    return enough & (sums_of_windows(valid & (image != 0), size) > 0)


def build_pyramid(image: np.ndarray, valid: np.ndarray, size: int, pyramid: bool = True) -> list[Level]:
    """``pyramid_of`` an image in memory, (rows, cols), that is 0 where it is not ``valid``."""
    return pyramid_of(in_memory(image, valid), size, pyramid, image.dtype)


def pyramid_of(source: Source, size: int, pyramid: bool = True, dtype: np.dtype | type = np.float32) -> list[Level]:
    """The map at each scale that has an admissible crop of size x size cells, full size first; crops are of ``dtype``.

    The source is read once for each scale, in bands of rows; for what is held meanwhile and kept, see ``corners``.

    Raises
    ------
    InputError
        The full size has no admissible crop.
    """
    levels, every_valid = [], False
    for scale in SCALES if pyramid else SCALES[:1]:
        shape = tuple(int(round(scale * n)) for n in source.grid.shape)
        if min(shape) < size:
            break
        scaled = Scaled(source, shape, np.dtype(dtype), every_valid)
        corners, valid, lit = _survey(scaled, size)
        if corners.size:
            levels.append(Level(scale, scaled, corners))
        elif scale == 1:
            raise InputError(_no_crop(shape, valid, lit, size))
        every_valid = every_valid or (scale == 1 and valid == shape[0] * shape[1])
    return levels


def _survey(scaled: Scaled, size: int) -> tuple[Corners, int, bool]:
    """The admissible corners of a map, how many of its cells are valid, and whether one of them is not 0."""
    valid, lit = 0, False

    def counted():
        nonlocal valid, lit
        for values, inside in scaled.bands(size):
            valid += np.count_nonzero(inside)
            lit = lit or bool(np.any(values[inside]))
            yield values, inside

    corners = Corners.packed(admissible(*band, size) for band in overlapping(counted(), size - 1))
    return corners, valid, lit


def _no_crop(shape: tuple[int, int], valid: int, lit: bool, size: int) -> str:
    if not lit:
        return ("image of the coarse map: all of its valid cells have one value, expected a map with structure; "
                "check the prediction")
    return (f"image of the coarse map: no crop of {size} x {size} cells has half of its cells valid and a value above "
            f"the map's minimum ({valid} of {shape[0] * shape[1]} cells are valid); choose a smaller upscale.crop")


def draw_crop(levels: list[Level], rng: np.random.Generator, step: int) -> Draw:
    """One crop, three draws: a level (the full size with probability 1/2, the others alike), a corner, a turn."""
    share, other = rng.random(), len(levels) - 1
    beyond = (share - FULL_SIZE_SHARE) / (1 - FULL_SIZE_SHARE)
    level = levels[0 if share < FULL_SIZE_SHARE or not other else 1 + int(beyond * other)]
    row, column = level.corners.place(int(rng.integers(level.corners.size)))
    return Draw(step, level.scale, row, column, int(rng.integers(8)))


def draw_fixed_crops(levels: list[Level], rng: np.random.Generator, count: int) -> list[Draw]:
    """``count`` different crops (or as many as there are) of the full size, as it lies, to measure on (D12)."""
    corners = levels[0].corners
    chosen = rng.choice(corners.size, size=min(count, corners.size), replace=False)
    return [Draw(0, 1.0, *corners.place(int(number)), 0) for number in chosen]


def cut(levels: list[Level], draw: Draw, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The crop that ``draw`` names: values and validity, (size, size), turned.

    Raises
    ------
    InputError
        The draw, from a tape, names a scale or a place that this map does not have.
    """
    level = next((level for level in levels if level.scale == draw.scale), None)
    if level is None or not _holds(level.shape, draw, size):
        raise InputError(f"tape: step {draw.step} takes {size} x {size} cells at scale {draw.scale}, row {draw.row}, "
                         f"column {draw.column}, which this map does not have; use the map and crop size of its run")
    values, valid = level.map.part((draw.row, draw.row + size, draw.column, draw.column + size))
    return rotate_mirror(values, draw.turn), rotate_mirror(valid, draw.turn)


def _holds(shape: tuple[int, int], draw: Draw, size: int) -> bool:
    return 0 <= draw.row <= shape[0] - size and 0 <= draw.column <= shape[1] - size


def training_pair(
    levels: list[Level], draw: Draw, size: int, downsampling: str = "mean", transform: str = "linear"
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a step trains on: the network's input, its target (the father under the curve) and the valid cells."""
    father, valid = cut(levels, draw, size)
    target = compress(father, transform).astype(father.dtype, copy=False)
    return network_input(father, valid, downsampling, transform), target, valid


def network_input(father: np.ndarray, valid: np.ndarray, downsampling: str, transform: str = "linear") -> np.ndarray:
    """The linear father coarsened as D16 has it (the *son*), under the curve, interpolated back: (n, n), n even.

    The density is what adds up, so it is coarsened before the curve (D09) is applied, as the map itself was: the
    mean of logarithms is less than the logarithm of the mean, and a network trained on it would overshoot every peak.

    >>> network_input(np.full((4, 4), 3.0), np.ones((4, 4), bool), "mean")[0]
    array([3., 3., 3., 3.])
    """
    son, inside = downsample(father, valid, downsampling)
    return upsample_valid(compress(son, transform).astype(father.dtype, copy=False), inside)
