"""Back-projection: correct a fine image until, coarsened, it is the coarse one (Irani & Peleg 1991; D17).

    fine += interpolate(coarse - downsample(fine)),  a given number of times

``coarse`` and ``valid`` are (rows, cols), ``fine`` is (2 rows, 2 cols); a fine cell is valid where its coarse cell is,
and 0 elsewhere.  With the 2x2 mean, coarsening after interpolation is a symmetric filter whose response lies between
0.6875 and 1 along each axis, so each iteration shrinks the Euclidean norm of the difference over the valid cells by
1 - 0.6875^2 = 0.527 or better: ten by 0.0017.
"""

from __future__ import annotations

import numpy as np

from refimpl.errors import InputError
from refimpl.method.resize import downsample, resize_bicubic
from refimpl.twins import twin


def back_project(
    fine: np.ndarray, coarse: np.ndarray, valid: np.ndarray, iterations: int, kind: str = "mean"
) -> np.ndarray:
    """The fine image corrected ``iterations`` times; ``kind`` is the downsampling (D16).

    Raises
    ------
    InputError
        A negative number of iterations.
    ValueError
        ``fine`` is not twice as high and wide as ``coarse`` and ``valid``.

    >>> coarse = np.array([[0.0, 1.0], [2.0, 3.0]])
    >>> fine = back_project(np.zeros((4, 4)), coarse, np.ones((2, 2), bool), 10)
    >>> bool(abs(downsample(fine, np.ones((4, 4), bool), "mean")[0] - coarse).max() < 0.002 * 14**0.5)
    True
    """
    if iterations < 0:
        raise InputError(f"iterations of back-projection are {iterations}; expected 0 or more")
    if not fine.shape == (2 * valid.shape[0], 2 * valid.shape[1]) == (2 * coarse.shape[0], 2 * coarse.shape[1]):
        shapes = f"{fine.shape}, {coarse.shape} and {valid.shape}"
        raise ValueError(f"fine, coarse and valid are {shapes}; expected fine twice as high and wide as the others")
    inside = children(valid)
    fine = np.where(inside, fine, 0)
    for _ in range(iterations):
        if kind == "mean":
            difference = coarse_difference(fine, coarse, valid)
        else:
            difference = np.where(valid, coarse - downsample(fine, inside, kind)[0], 0)
        add_upsampled(fine, difference, valid)
    return fine


def children(cells: np.ndarray) -> np.ndarray:
    """Each cell four times, (rows, cols) -> (2 rows, 2 cols): what its children inherit (D19).

    >>> children(np.array([[1, 2]]))
    array([[1, 1, 2, 2],
           [1, 1, 2, 2]])
    """
    return cells.repeat(2, axis=0).repeat(2, axis=1)


@twin("kernels.back_projection")
def coarse_difference(fine: np.ndarray, coarse: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """``coarse`` less the mean of the four children of each cell; 0 at invalid cells.

    >>> coarse_difference(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[3.0]]), np.array([[True]]))
    array([[0.5]])
    """
    total = (fine[::2, ::2] + fine[::2, 1::2]) + (fine[1::2, ::2] + fine[1::2, 1::2])
    return np.where(valid, coarse - total / 4, 0)


@twin("kernels.back_projection")
def add_upsampled(fine: np.ndarray, difference: np.ndarray, valid: np.ndarray) -> None:
    """Add the interpolated ``difference`` to ``fine`` (C-contiguous), in place; invalid cells become 0.

    >>> fine = np.ones((2, 4))
    >>> add_upsampled(fine, np.full((1, 2), 3.0), np.array([[True, False]]))
    >>> fine
    array([[4., 4., 0., 0.],
           [4., 4., 0., 0.]])
    """
    fine[...] = np.where(children(valid), fine + resize_bicubic(difference, fine.shape), 0)
