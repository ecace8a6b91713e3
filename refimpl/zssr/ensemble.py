"""The network's output, or the median of its outputs for the eight rotations and mirrors of the image (D17).

Shocher, Cohen & Irani 2018, section 3: each output is corrected by back-projection, then the median is taken cell by
cell.  Eight fine maps are too much at national size, so the map is made strip by strip, full width.  Back-projection
looks at a known number of cells to either side, so a strip that is corrected together with so many rows above and
below holds, to the last bit, what it holds in the whole map.  Rows that two strips share pass through the network once.
"""

from __future__ import annotations

import numpy as np

from refimpl.twins import twin
from refimpl.zssr.augment import turned, undo_rotate_mirror
from refimpl.zssr.back_projection import REACH, children, correct
from refimpl.zssr.inference import infer
from refimpl.zssr.intensity import expand
from refimpl.zssr.network import Network
from refimpl.zssr.settings import UpscaleSettings

STRIP_BYTES = 256 * 2**20
"""Memory for the outputs of one strip; fewer rows would cost time, because the network's own halo is computed anew."""


def ensemble(
    network: Network,
    image: np.ndarray,
    coarse: np.ndarray,
    valid: np.ndarray,
    settings: UpscaleSettings,
    progress=None,
    height: int | None = None,
) -> np.ndarray:
    """The linear fine image (2 rows, 2 cols), float64, before the last back-projection; 0 at invalid cells.

    Parameters
    ----------
    image : (2 rows, 2 cols) float32, the interpolated image under the curve of D09, 0 at invalid cells.
    coarse, valid : (rows, cols), the linear coarse image and its valid cells.
    height : coarse rows of a strip; by default, what ``STRIP_BYTES`` allows.  The result does not depend on it.

    Memory beyond the arguments and the result: a byte for each fine cell, for the mask; and with n outputs (8, or 1
    without the ensemble), strips of h x W fine cells and r = 2 x iterations x ``REACH`` fine rows on each side,
    8 n h W bytes (``STRIP_BYTES`` at most), some 30 (h + 2r) W, 8 n r W for the rows that strips share, and what
    ``infer`` takes.
    """
    outputs = 8 if settings.self_ensemble else 1
    iterations = settings.back_projection if settings.self_ensemble else 0
    reach = iterations * REACH[settings.downsampling]
    inside, fine = children(valid), np.zeros(image.shape)
    turns = [_Turn(network, image, inside, turn, 4 * reach) for turn in range(outputs)]
    strips = _strips(valid, height or strip_height(image.shape[1], outputs))
    for number, (top, bottom) in enumerate(strips):
        first, last = max(top - reach, 0), min(bottom + reach, len(valid))
        corrected = np.empty((outputs, 2 * (bottom - top), image.shape[1]))
        for turn, output in zip(turns, corrected):
            done = number + turn.turn / outputs
            part = part_of(progress, done / len(strips), (done + 1 / outputs) / len(strips))
            linear = expand(turn.rows(2 * first, 2 * last, part).astype(np.float64), settings.transform)
            correct(linear, coarse[first:last], valid[first:last], iterations, settings.downsampling)
            output[...] = linear[2 * (top - first) : 2 * (bottom - first)]
        fine[2 * top : 2 * bottom] = median(corrected)
    return fine


def strip_height(fine_columns: int, outputs: int) -> int:
    """Coarse rows of a strip whose float64 ``outputs`` fit in ``STRIP_BYTES``; one at least.

    >>> strip_height(10_000, 8)
    209
    """
    return max(STRIP_BYTES // (2 * fine_columns * 8 * outputs), 1)


def _strips(valid: np.ndarray, height: int) -> list[tuple[int, int]]:
    """First and last (exclusive) coarse row of each strip that has a valid cell; strips of about one height."""
    height = -(-len(valid) // -(-len(valid) // height))
    strips = ((top, min(top + height, len(valid))) for top in range(0, len(valid), height))
    return [(top, bottom) for top, bottom in strips if valid[top:bottom].any()]


@twin("kernels.ensemble")
def median(images: np.ndarray) -> np.ndarray:
    """Median of images (n, rows, cols), cell by cell; for even n the mean of the middle two.  They hold no NaN.

    >>> median(np.array([[[1.0]], [[9.0]], [[2.0]], [[4.0]]]))
    array([[3.]])
    """
    return np.median(images, axis=0)


class _Turn:
    """The network's output for one rotation and mirror of the image, turned back, some rows at a time.

    The last ``keep`` rows of an answer are kept for the next one.
    """

    def __init__(self, network: Network, image: np.ndarray, valid: np.ndarray, turn: int, keep: int):
        self.network, self.shape, self.turn, self.keep = network, image.shape, turn, keep
        self.image, self.valid = turned(image, turn), turned(valid, turn)
        self.start, self.kept = 0, np.empty((0, image.shape[1]), image.dtype)

    def rows(self, first: int, last: int, progress=None) -> np.ndarray:
        """Rows [first, last) of the output, in the image's own orientation."""
        stop = self.start + len(self.kept)
        rows = self.kept[first - self.start :] if self.start <= first < stop else self.kept[:0]
        if len(rows) < last - first:
            window = turned_window((first + len(rows), last, 0, self.shape[1]), self.shape, self.turn)
            new = infer(self.network, self.image, self.valid, window, progress)
            rows = np.concatenate([rows, undo_rotate_mirror(new, self.turn)])
        self.start = max(last - self.keep, first)
        self.kept = rows[self.start - first :].copy()
        return rows


def turned_window(window: tuple[int, int, int, int], shape: tuple[int, int], turn: int) -> tuple[int, int, int, int]:
    """Where the cells of a window (first row, row stop, first column, column stop) lie after ``turned``.

    >>> turned_window((0, 1, 0, 3), (2, 3), 1)
    (0, 3, 0, 1)
    """
    (top, bottom, left, right), (rows, cols) = window, shape
    for _ in range(turn % 4):
        top, bottom, left, right = cols - right, cols - left, top, bottom
        rows, cols = cols, rows
    return (top, bottom, cols - right, cols - left) if turn >= 4 else (top, bottom, left, right)


class _Part:
    """The part from ``start`` to ``end`` of a progress line, as a progress line of its own."""

    def __init__(self, progress, start: float, end: float):
        self.progress, self.start, self.end = progress, start, end

    def update(self, fraction: float, note: str = "") -> None:
        self.progress.update(self.start + (self.end - self.start) * fraction, note)


def part_of(progress, start: float, end: float) -> _Part | None:
    """A progress line for the part from ``start`` to ``end`` of another; None for None."""
    return _Part(progress, start, end) if progress else None
