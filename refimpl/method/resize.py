"""Down and up by two, and bicubic resizing to any size (D16).

Images are (rows, cols) arrays of float32 or float64; results have the dtype of the input.  A coarse emission map is
the exact 2x2 mean of the fine one, corner-aligned (D19).  Bicubic resizing is Keys 1981 with a = -0.5 (third-order
convergence); when it shrinks, the kernel is stretched by the scale, so that it does not alias.  Output cell o has its
centre at (o + 1/2) n_in / n_out - 1/2 on the input; beyond the edge the image is mirrored about the edge (half-sample
symmetric).

With invalid cells, resizing is a normalised convolution: resize(image x valid) / resize(valid) (Knutsson & Westin
1993); a cell of the result is valid where valid input carries at least half of its weight.
"""

from __future__ import annotations

import functools

import numpy as np

from refimpl.errors import InputError
from refimpl.twins import twin

Taps = tuple[np.ndarray, np.ndarray]
"""For each output cell of one axis: ``indices`` and ``weights`` of input cells, both (cells, taps)."""
HALF = 0.5 - 1e-6
"""Half of the weight; with the slack, a cell cut exactly in half is valid whatever the rounding, also in float32."""


@twin("kernels.block_mean")
def downsample_mean_valid(image: np.ndarray, valid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean over the valid cells of each 2x2 block; a block without any is invalid and holds 0.

    >>> downsample_mean_valid(np.array([[1.0, 3.0], [0.0, 0.0]]), np.array([[True, True], [False, False]]))
    (array([[2.]]), array([[ True]]))
    """
    even = [(0, n % 2) for n in image.shape]
    cells = np.pad(np.where(valid, image, 0).astype(image.dtype), even)
    inside = np.pad(valid.astype(image.dtype), even)
    sums = [(a[::2, ::2] + a[::2, 1::2]) + (a[1::2, ::2] + a[1::2, 1::2]) for a in (cells, inside)]
    return sums[0] / np.maximum(sums[1], 1), sums[1] > 0


def keys_kernel(distance: np.ndarray) -> np.ndarray:
    """Keys's cubic convolution kernel with a = -0.5, of a distance in cells; 0 from 2 on.

    >>> keys_kernel(np.array([0.0, 0.5, 1.0, 1.5, 2.0]))
    array([ 1.    ,  0.5625,  0.    , -0.0625,  0.    ])
    """
    d = np.abs(distance)
    near = (1.5 * d - 2.5) * d * d + 1
    far = ((-0.5 * d + 2.5) * d - 4) * d + 2
    return np.where(d < 1, near, np.where(d < 2, far, 0.0))


@functools.lru_cache(maxsize=64)
def bicubic_taps(n_in: int, n_out: int) -> Taps:
    """Which input cells make each output cell of one axis, and how much of each.

    Returns
    -------
    indices : (n_out, taps) int, mirrored into 0 .. n_in - 1
    weights : (n_out, taps) float64, each row sums to 1

    >>> bicubic_taps(16, 8)[1][4]
    array([-0.01171875, -0.03515625,  0.11328125,  0.43359375,  0.43359375,
            0.11328125, -0.03515625, -0.01171875])
    >>> bicubic_taps(16, 8)[0][0]
    array([2, 1, 0, 0, 1, 2, 3, 4])
    """
    stretch = max(1.0, n_in / n_out)
    centres = (np.arange(n_out) + 0.5) * (n_in / n_out) - 0.5
    first = np.floor(centres - 2 * stretch).astype(np.int64) + 1
    indices = first[:, None] + np.arange(int(np.ceil(4 * stretch)) + 1)
    weights = keys_kernel((indices - centres[:, None]) / stretch)
    used = np.any(weights != 0, axis=0)
    indices, weights = indices[:, used], weights[:, used]
    weights /= weights.sum(axis=1, keepdims=True)
    folded = indices % (2 * n_in)
    indices = np.minimum(folded, 2 * n_in - 1 - folded)
    indices.flags.writeable = weights.flags.writeable = False
    return indices, weights


@twin("kernels.resize")
def resize_bicubic(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The image resized to ``shape`` = (rows, cols): first along the rows' axis, then along the columns'.

    Raises
    ------
    InputError
        ``shape`` has no cell.

    >>> resize_bicubic(np.arange(8.0)[None, :].repeat(8, 0), (4, 4))[1, 1:3]
    array([2.48828125, 4.51171875])
    """
    check_shape(shape)
    return weigh(image, bicubic_taps(image.shape[0], shape[0]), bicubic_taps(image.shape[1], shape[1]))


@twin("kernels.resize")
def resize_valid(image: np.ndarray, valid: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Bicubic resizing that valid cells alone take part in; 0 where less than half of the weight is valid.

    >>> values, valid = resize_valid(np.array([[1.0, 2.0, 9.0]]), np.array([[True, True, False]]), (1, 6))
    >>> valid
    array([[ True,  True,  True,  True, False, False]])
    """
    check_shape(shape)
    rows, cols = bicubic_taps(image.shape[0], shape[0]), bicubic_taps(image.shape[1], shape[1])
    return weigh_valid(image, valid, rows, cols, bool(valid.all()))


def weigh_valid(
    image: np.ndarray, valid: np.ndarray, rows: Taps, cols: Taps, every_valid: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Sums over given taps, divided by the share of them that is valid; values and validity.

    ``every_valid`` says that the whole map is valid: nothing is divided then.

    >>> halves = np.array([[0, 1]]), np.array([[0.5, 0.5]])
    >>> weigh_valid(np.array([[1.0, 9.0], [3.0, 9.0]]), np.array([[True, False], [True, False]]), halves, halves, False)
    (array([[2.]]), array([[ True]]))
    """
    if every_valid:
        return weigh(image, rows, cols), np.ones((len(rows[0]), len(cols[0])), bool)
    share = weigh(valid.astype(image.dtype), rows, cols)
    total = weigh(np.where(valid, image, 0).astype(image.dtype), rows, cols)
    enough = share >= HALF
    return np.where(enough, total / np.where(enough, share, 1), 0).astype(image.dtype), enough


def weigh(image: np.ndarray, rows: Taps, cols: Taps) -> np.ndarray:
    """Sums over the taps in their order, each product rounded: along the rows' axis, then along the columns'.

    >>> halves = np.array([[0, 1]]), np.array([[0.5, 0.5]])
    >>> weigh(np.array([[1.0, 2.0], [3.0, 6.0]]), halves, halves)
    array([[3.]])
    """
    for indices, weights in (rows, cols):  # no matrix product, so that the bytes do not depend on a library's threads
        weights = weights.astype(image.dtype)
        out = image[indices[:, 0]] * weights[:, :1]
        for tap in range(1, indices.shape[1]):
            out += image[indices[:, tap]] * weights[:, tap : tap + 1]
        image = out.T
    return np.ascontiguousarray(image)


def check_shape(shape: tuple[int, int]) -> None:
    """Refuse to resize to less than a cell.

    >>> check_shape((0, 5))
    Traceback (most recent call last):
    refimpl.errors.InputError: cannot resize to rows 0, cols 5; expected 1 or more of each
    """
    if min(shape) < 1:
        raise InputError(f"cannot resize to rows {shape[0]}, cols {shape[1]}; expected 1 or more of each")


def upsample_valid(image: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Bicubic interpolation to twice the rows and columns, corner-aligned (D19), from valid cells only.

    The result is 0 in the four children of an invalid cell, and only there: a cell carries 0.752 of its children's
    weight; whatever its neighbours are, their part of the share stays within (-0.206, 0.454).

    >>> upsample_valid(np.array([[4.0, 9.0]]), np.array([[True, False]]))
    array([[4., 4., 0., 0.],
           [4., 4., 0., 0.]])
    """
    return resize_valid(image, valid, (2 * image.shape[0], 2 * image.shape[1]))[0]


def downsample(image: np.ndarray, valid: np.ndarray, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """A coarse map from a fine one, as ``kind`` = "mean" or "bicubic" has it (D16); values and validity.

    >>> downsample(np.array([[1.0, 2.0], [3.0, 6.0]]), np.ones((2, 2), bool), "mean")
    (array([[3.]]), array([[ True]]))
    """
    if kind == "mean":
        return downsample_mean_valid(image, valid)
    if kind != "bicubic":
        raise InputError(f"unknown kind of downsampling {kind!r}; expected 'mean' or 'bicubic'")
    return resize_valid(image, valid, ((image.shape[0] + 1) // 2, (image.shape[1] + 1) // 2))
