"""Training pairs from the one coarse map (Fig. 8, section "ZSSR"; D14, D15; Shocher et al. 2018, section 3).

The linear image (rows, cols) of the map is seen in a pyramid of scales.  A step draws a scale (the full size half of
the time), a crop of n x n cells with at least half of them valid and not all 0, and one of eight rotations and mirrors:
the *father*, which is the target.  Its coarsened copy (the *son*), interpolated back to n x n, is the input.  The loss
counts the valid cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from refimpl.errors import InputError
from refimpl.method.image_range import compress
from refimpl.method.resize import downsample, resize_valid, upsample_valid
from refimpl.method.settings import UpscaleSettings
from refimpl.twins import twin

SCALES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
FULL_SIZE_SHARE = 0.5


class Draw(NamedTuple):
    """One crop: its upper left corner on the map shrunk to ``scale``, and its rotation and mirror ``turn`` (0 .. 7)."""

    step: int
    scale: float
    row: int
    column: int
    turn: int


@dataclass(frozen=True)
class Tape:
    """The crops of one training, in order: another implementation can replay it without NumPy's generator.

    >>> tape = Tape((Draw(0, 1.0, 3, 4, 0), Draw(1, 0.9, 5, 6, 7)))
    >>> len(tape.fixed), len(tape.training)
    (1, 1)
    """

    draws: tuple[Draw, ...]

    @property
    def fixed(self) -> tuple[Draw, ...]:
        """The crops of step 0, on which the reconstruction error is measured (D12)."""
        return tuple(draw for draw in self.draws if draw.step == 0)

    @property
    def training(self) -> tuple[Draw, ...]:
        """The crops of the training steps, from 1 on."""
        return tuple(draw for draw in self.draws if draw.step > 0)


@dataclass(frozen=True, eq=False)
class Level:
    """The map at one ``scale``: ``image`` and ``valid`` (rows, cols), and the ``corners`` of admissible crops."""

    scale: float
    image: np.ndarray
    valid: np.ndarray
    corners: Sequence[tuple[int, int]]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the map at this scale."""
        return self.image.shape

    def crop(self, row: int, column: int, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Values and validity of the size x size cells below and right of a corner."""
        cells = np.s_[row : row + size, column : column + size]
        return self.image[cells], self.valid[cells]


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
    """``turned``, as a contiguous array of its own (or the image itself, if it is one and ``turn`` is 0).

    >>> rotate_mirror(np.array([[1, 2], [3, 4]]), 1)
    array([[2, 4],
           [1, 3]])
    """
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
        raise InputError(f"image of the coarse map: {shape[0]} x {shape[1]} cells, expected 2 x 2 at least")
    return min(wanted, *shape) // 2 * 2


@twin("kernels.admissible")
def admissible(image: np.ndarray, valid: np.ndarray, size: int) -> np.ndarray:
    """(rows - size + 1, cols - size + 1) bool: corners of crops with at least half of the cells valid and not all 0.

    >>> admissible(np.array([[0.0, 5.0, 0.0, 0.0]] * 2), np.ones((2, 4), bool), 2)
    array([[ True,  True, False]])
    """
    enough = 2 * sums_of_windows(valid, size) >= size * size
    return enough & (sums_of_windows(valid & (image != 0), size) > 0)


def sums_of_windows(counts: np.ndarray, size: int) -> np.ndarray:
    """Sum over each size x size window, by its upper left corner, from a summed-area table.

    >>> sums_of_windows(np.array([[1, 0, 1], [0, 1, 1]]), 2)
    array([[2, 3]])
    """
    table = np.zeros((counts.shape[0] + 1, counts.shape[1] + 1), np.int64)
    np.cumsum(counts, axis=0, out=table[1:, 1:])
    np.cumsum(table[1:, 1:], axis=1, out=table[1:, 1:])
    return table[size:, size:] - table[:-size, size:] - table[size:, :-size] + table[:-size, :-size]


def pyramid(image: np.ndarray, valid: np.ndarray, size: int, scales: Sequence[float] = SCALES) -> list[Level]:
    """The map at each scale that has an admissible crop of size x size cells, full size first (D14).

    ``image`` (rows, cols) is 0 where it is not ``valid``.

    Raises
    ------
    InputError
        The full size has no admissible crop.

    >>> [(level.scale, level.shape) for level in pyramid(np.eye(10), np.ones((10, 10), bool), 8)]
    [(1.0, (10, 10)), (0.9, (9, 9)), (0.8, (8, 8))]
    """
    levels = []
    for scale in scales:
        shape = tuple(round(scale * n) for n in image.shape)
        if min(shape) < size:
            break
        values, inside = (image, valid) if scale == 1 else resize_valid(image, valid, shape)
        corners = np.argwhere(admissible(values, inside, size))
        if len(corners):
            levels.append(Level(scale, values, inside, corners.tolist()))
        elif scale == 1:
            raise no_crop(shape, np.count_nonzero(valid), bool((image[valid] != 0).any()), size)
    return levels


def no_crop(shape: tuple[int, int], valid: int, lit: bool, size: int) -> InputError:
    """The sentence for a map without an admissible crop; ``lit``: one of its ``valid`` cells is not 0.

    >>> str(no_crop((9, 9), 4, True, 8)).startswith("image of the coarse map: no crop of 8 x 8 cells")
    True
    """
    if not lit:
        return InputError("image of the coarse map: all of its valid cells have one value, expected a map with "
                          "structure; check the prediction")  # fmt: skip
    return InputError(f"image of the coarse map: no crop of {size} x {size} cells has half of its cells valid and a "
                      f"value above the map's minimum ({valid} of {shape[0] * shape[1]} cells are valid); choose a "
                      "smaller upscale.crop")  # fmt: skip


def draw_crop(levels: Sequence[Level], rng: np.random.Generator, step: int) -> Draw:
    """One crop, three draws: a level (the full size with probability 1/2, the others alike), a corner, a turn.

    >>> level = Level(1.0, np.ones((4, 4)), np.ones((4, 4), bool), [(0, 0)])
    >>> draw = draw_crop([level], np.random.default_rng(1), 7)
    >>> draw.step, draw.scale, draw.row, draw.column, draw.turn in range(8)
    (7, 1.0, 0, 0, True)
    """
    share, other = rng.random(), len(levels) - 1
    beyond = (share - FULL_SIZE_SHARE) / (1 - FULL_SIZE_SHARE)
    level = levels[0 if share < FULL_SIZE_SHARE or not other else 1 + int(beyond * other)]
    row, column = level.corners[int(rng.integers(len(level.corners)))]
    return Draw(step, level.scale, row, column, int(rng.integers(8)))


def draw_fixed_crops(levels: Sequence[Level], rng: np.random.Generator, count: int) -> list[Draw]:
    """``count`` different crops (or as many as there are) of the full size, as it lies, to measure on (D12).

    >>> level = Level(1.0, np.ones((4, 4)), np.ones((4, 4), bool), [(0, 0), (0, 1)])
    >>> sorted(draw.column for draw in draw_fixed_crops([level], np.random.default_rng(1), 16))
    [0, 1]
    """
    corners = levels[0].corners
    chosen = rng.choice(len(corners), size=min(count, len(corners)), replace=False)
    return [Draw(0, 1.0, *corners[int(number)], 0) for number in chosen]


def cut(levels: Sequence[Level], draw: Draw, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The crop that ``draw`` names: values and validity, (size, size), turned.

    Raises
    ------
    InputError
        The draw, from a tape, names a scale or a place that this map does not have.

    >>> level = Level(1.0, np.arange(9.0).reshape(3, 3), np.ones((3, 3), bool), [(0, 0)])
    >>> cut([level], Draw(1, 1.0, 1, 1, 4), 2)[0]
    array([[5., 4.],
           [8., 7.]])
    """
    level = next((level for level in levels if level.scale == draw.scale), None)
    if level is None or not all(0 <= start <= n - size for start, n in zip((draw.row, draw.column), level.shape)):
        raise InputError(f"tape: step {draw.step} takes {size} x {size} cells at scale {draw.scale}, row {draw.row}, "
                         f"column {draw.column}, which this map does not have; use the map and crop size of its run")
    values, valid = level.crop(draw.row, draw.column, size)
    return rotate_mirror(values, draw.turn), rotate_mirror(valid, draw.turn)


def training_pair(
    father: np.ndarray, valid: np.ndarray, settings: UpscaleSettings
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a step trains on, from a crop of the linear image, (n, n) with n even: input, target and valid cells.

    The target is the father under the curve (D09).  The input is the son, that is the father coarsened as D16 has it,
    under the curve, interpolated back.  The density is what adds up, so it is coarsened before the curve is applied, as
    the map itself was: the mean of logarithms is less than the logarithm of the mean, and a network trained on it would
    overshoot every peak.

    >>> father = np.array([[1.0, 3.0, 5.0, 7.0]] * 4)  # its son is 2, 6: the input lies around them
    >>> son, target, valid = training_pair(father, np.ones((4, 4), bool), UpscaleSettings())
    >>> son[0], target[0]
    (array([1.625 , 2.8125, 5.1875, 6.375 ]), array([1., 3., 5., 7.]))
    """
    son, inside = downsample(father, valid, settings.downsampling)
    target, curved = (compress(image, settings.transform).astype(father.dtype, copy=False) for image in (father, son))
    return upsample_valid(curved, inside), target, valid
