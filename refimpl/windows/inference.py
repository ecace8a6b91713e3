"""The trained network applied to an image of any size, in memory that does not grow with it (Fig. 8, D17).

A cell of the output depends on the cells of the image at most ``depth`` rows and columns away.  So a piece of the image
with that many cells around it gives the same output as the whole image.  In the kernels it is the same to the last bit
if the piece has a few more cells around it (``halo``) and begins where one of their tiles begins.
"""

from __future__ import annotations

import numpy as np

from refimpl.method.network import Network, forward
from refimpl.progress import Progress
from refimpl.twins import twin

PIECE = 192
"""Side of a piece in the reference, in cells."""
ALIGNMENT = 4
"""Side of the kernels' tiles in cells.  They are counted from the corner of the image that a kernel receives, so a
piece of a larger image begins at a multiple of this."""


def halo(depth: int) -> int:
    """Cells on each side that a cell of the output depends on to the last bit, in a network of ``depth`` layers.

    By the definition it is one for each layer.  The kernels need more.  They compute the layers between the first and
    the last in tiles of 4 x 4 cells by Winograd's transform.  A tile reads its own cells and one more on each side, and
    the rounding of each of its cells depends on most of them.  The outermost cell on one side takes part only in the
    first cell of the tile, the others in all cells.  So a cell that is not the first of its tile depends on the whole
    tile.  Through the first cell of that tile, one layer before, it depends on one cell of the next tile: four cells
    for every two layers.

    >>> halo(8), halo(9)
    (14, 17)
    """
    return max(2 * depth - 2 + depth % 2, depth)


@twin("kernels.inference")
def infer(
    network: Network,
    image: np.ndarray,
    valid: np.ndarray,
    window: tuple[int, int, int, int] | None = None,
    progress: Progress | None = None,
) -> np.ndarray:
    """The output of a network for an image (H, W), or for one window of it, piece by piece; 0 where not ``valid``.

    It equals ``refimpl.method.network.forward`` at the valid cells.
    ``window`` is (row start, row stop, column start, column stop), or None for the whole image.  The result has the
    shape of the window and the dtype of ``image``.  It is that part of the result of the whole image: bit for bit with
    the kernels in float32; up to rounding here, because NumPy's matrix product may round the same cell differently in
    pieces of different sizes.  Pieces without a valid cell are not computed.  ``progress`` is told the finished share.

    >>> from refimpl.method.network import initialise
    >>> network, image = initialise(np.random.default_rng(1), 3, 8), np.eye(6, dtype=np.float32)
    >>> whole = infer(network, image, image >= 0)
    >>> np.array_equal(infer(network, image, image >= 0, (1, 4, 2, 6)), whole[1:4, 2:6])
    True

    Raises
    ------
    ValueError
        ``valid`` and ``image`` differ in shape, or ``window`` reaches beyond the image.
    """
    top, bottom, left, right = check_window(image, valid, window)
    output = np.zeros((bottom - top, right - left), image.dtype)
    for row in range(top, bottom, PIECE):
        for column in range(left, right, PIECE):
            here = np.s_[row : min(row + PIECE, bottom), column : min(column + PIECE, right)]
            if valid[here].any():
                fine = _forward_around(network, image, row, column)[: bottom - row, : right - column]
                output[row - top : row - top + PIECE, column - left : column - left + PIECE] = fine
        if progress:
            progress.update((min(row + PIECE, bottom) - top) / (bottom - top))
    return np.where(valid[top:bottom, left:right], output, output.dtype.type(0))


def check_window(image: np.ndarray, valid: np.ndarray, window) -> tuple[int, int, int, int]:
    """``window``, or that of the whole image if None; both must fit ``image`` and ``valid``."""
    rows, cols = image.shape
    top, bottom, left, right = window = (0, rows, 0, cols) if window is None else tuple(map(int, window))
    if valid.shape != image.shape or not (0 <= top <= bottom <= rows and 0 <= left <= right <= cols):
        raise ValueError(f"expected a window inside of image and valid, got {window}, {image.shape}, {valid.shape}")
    return window


def _forward_around(network: Network, image: np.ndarray, row: int, column: int) -> np.ndarray:
    """The output for the piece that starts at (row, column), computed with ``depth`` cells around it."""
    first, second = max(row - network.depth, 0), max(column - network.depth, 0)
    around = image[first : row + PIECE + network.depth, second : column + PIECE + network.depth]
    return forward(network, around)[row - first : row - first + PIECE, column - second : column - second + PIECE]
