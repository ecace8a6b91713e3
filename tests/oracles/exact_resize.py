"""Keys's bicubic resizing, the 2x2 mean and back-projection in exact fractions (D16, D17, D19), rounded once.

Arrays are of ``Fraction``; every float64 is one.  Distances between cells are rational, and so are Keys's weights.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

HALF = Fraction(1, 2) - Fraction(1, 10**6)
ROUNDING = (
    "weights and sums of some 20 products in float64 are good to 1e-15 ... 1e-14 of the largest value; the nearest bug "
    "moves values by more than 1e-4"
)


def exact(values) -> np.ndarray:
    """The numbers as fractions, in the same shape."""
    values = np.asarray(values)
    return np.array([Fraction(number) for number in values.ravel().tolist()], object).reshape(values.shape)


def of_mpf(number) -> Fraction:
    """The fraction that an mpf is."""
    sign, mantissa, exponent, _ = number._mpf_
    return (-1) ** sign * Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def rounded(values: np.ndarray, dtype: str = "f8") -> np.ndarray:
    """The nearest floating-point numbers."""
    return np.array([float(number) for number in values.ravel()], "f8").reshape(values.shape).astype(dtype)


def keys(distance: Fraction) -> Fraction:
    """Keys 1981 with a = -1/2."""
    d = abs(distance)
    if d < 1:
        return Fraction(3, 2) * d**3 - Fraction(5, 2) * d**2 + 1
    return -Fraction(1, 2) * d**3 + Fraction(5, 2) * d**2 - 4 * d + 2 if d < 2 else Fraction(0)


def mirrored(index: int, n: int) -> int:
    """Half-sample symmetric: -1 is 0, n is n - 1."""
    folded = index % (2 * n)
    return min(folded, 2 * n - 1 - folded)


def weights(n_in: int, n_out: int) -> np.ndarray:
    """(n_out, n_in): how much of each input cell is in each output cell; rows sum to 1."""
    stretch = max(Fraction(1), Fraction(n_in, n_out))
    matrix = np.full((n_out, n_in), Fraction(0), object)
    for o in range(n_out):
        centre = (o + Fraction(1, 2)) * Fraction(n_in, n_out) - Fraction(1, 2)
        for i in range(int(centre - 2 * stretch) - 2, int(centre + 2 * stretch) + 3):
            matrix[o, mirrored(i, n_in)] += keys((i - centre) / stretch)
        matrix[o] /= matrix[o].sum()
    return matrix


def resized(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Bicubic, without validity."""
    return weights(image.shape[0], shape[0]) @ image @ weights(image.shape[1], shape[1]).T


def resized_valid(image: np.ndarray, valid: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Normalised convolution; no share may lie so near the limit that rounding decides."""
    share = resized(exact(valid.astype(int)), shape)
    assert all(abs(number - HALF) > Fraction(1, 2 * 10**6) for number in share.ravel()), "a share on the limit"
    total, enough = resized(np.where(valid, image, Fraction(0)), shape), (share >= HALF).astype(bool)
    return np.where(enough, total / np.where(enough, share, 1), Fraction(0)), enough


def mean(image: np.ndarray, valid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of the valid cells of each 2x2 block from the upper left."""
    shape = tuple(-(-n // 2) for n in image.shape)
    values, inside = np.full(shape, Fraction(0), object), np.zeros(shape, bool)
    for i, j in np.ndindex(shape):
        block = np.s_[2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
        cells = image[block][valid[block]]
        if cells.size:
            values[i, j], inside[i, j] = Fraction(cells.sum()) / cells.size, True
    return values, inside


def downsampled(image: np.ndarray, valid: np.ndarray, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """D16, either kind."""
    if kind == "mean":
        return mean(image, valid)
    return resized_valid(image, valid, tuple(-(-n // 2) for n in image.shape))


def doubled(image: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Bicubic to twice the size with validity."""
    return resized_valid(image, valid, (2 * image.shape[0], 2 * image.shape[1]))[0]


def children(cells: np.ndarray) -> np.ndarray:
    """Each cell four times."""
    return cells.repeat(2, axis=0).repeat(2, axis=1)


def back_projected(
    fine: np.ndarray, coarse: np.ndarray, valid: np.ndarray, iterations: int, kind: str = "mean"
) -> np.ndarray:
    """D17: fine += upsample(coarse - downsample(fine)), 0 at invalid cells."""
    inside = children(valid)
    fine = np.where(inside, fine, Fraction(0))
    for _ in range(iterations):
        difference = np.where(valid, coarse - downsampled(fine, inside, kind)[0], Fraction(0))
        fine = np.where(inside, fine + resized(difference, fine.shape), Fraction(0))
    return fine
