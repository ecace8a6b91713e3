"""D08, D09, D14, D16 and D17 around the network, as dense matrices in float64, to join what PyTorch computes.

A resized image is A x B^T, with one explicit matrix an axis; nothing is separable loops or strips.
"""

from __future__ import annotations

import numpy as np


def keys(t: float) -> float:
    """Keys 1981, eq. 15: the cubic convolution kernel with a = -1/2."""
    t = abs(t)
    if t <= 1:
        return 1.5 * t**3 - 2.5 * t**2 + 1
    return -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2 if t < 2 else 0.0


def mirrored(place: int, n: int) -> int:
    """Half-sample mirror: ... 1 0 | 0 1 ... n-1 | n-1 ..."""
    place %= 2 * n
    return place if place < n else 2 * n - 1 - place


def matrix(n_in: int, n_out: int) -> np.ndarray:
    """(n_out, n_in): each output cell as a mean of input cells, the kernel stretched when shrinking (D16)."""
    weights, ratio = np.zeros((n_out, n_in)), n_in / n_out
    stretch = max(1.0, ratio)
    for o in range(n_out):
        centre = (o + 0.5) * ratio - 0.5
        for place in range(int(np.floor(centre - 2 * stretch)), int(np.ceil(centre + 2 * stretch)) + 1):
            weights[o, mirrored(place, n_in)] += keys((centre - place) / stretch)
    return weights / weights.sum(axis=1, keepdims=True)


def plain(image: np.ndarray, rows: int, cols: int) -> np.ndarray:
    """The image (n, m) as (rows, cols)."""
    return matrix(image.shape[0], rows) @ image @ matrix(image.shape[1], cols).T


def resize(image: np.ndarray, valid: np.ndarray, rows: int, cols: int) -> tuple[np.ndarray, np.ndarray]:
    """Image and validity (rows, cols): invalid cells take no part, and less than half of a kernel makes no value."""
    weight = plain(valid.astype(float), rows, cols)
    inside = weight >= 0.5 - 1e-6
    values = plain(np.where(valid, image, 0.0), rows, cols) / np.where(inside, weight, 1.0)
    return np.where(inside, values, 0.0), inside


def children(cells: np.ndarray) -> np.ndarray:
    """Each cell four times."""
    return np.kron(cells, np.ones((2, 2), cells.dtype)).astype(cells.dtype)


def downsample(image: np.ndarray, valid: np.ndarray, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Half the size: the mean of the valid cells of each 2x2 block, or ``resize``; image and validity."""
    rows, cols = (-(-n // 2) for n in image.shape)
    if kind == "bicubic":
        return resize(image, valid, rows, cols)
    gather = [np.kron(np.eye(half), [1.0, 1.0])[:, :n] for half, n in zip((rows, cols), image.shape, strict=True)]
    total = gather[0] @ np.where(valid, image, 0.0) @ gather[1].T
    count = gather[0] @ valid.astype(float) @ gather[1].T
    return total / np.maximum(count, 1), count > 0


def back_project(fine: np.ndarray, coarse: np.ndarray, valid: np.ndarray, iterations: int, kind: str) -> np.ndarray:
    """D17: fine += upsample(coarse - downsample(fine)), again and again; 0 at invalid cells throughout."""
    inside = children(valid)
    fine = np.where(inside, fine, 0.0)
    for _ in range(iterations):
        difference = np.where(valid, coarse - downsample(fine, inside, kind)[0], 0.0)
        fine = np.where(inside, fine + plain(difference, *fine.shape), 0.0)
    return fine


def compress(image: np.ndarray, transform: str) -> np.ndarray:
    """D09: the curve that the network sees the image under."""
    if transform == "log":
        return np.log1p(100 * np.maximum(image, 0)) / np.log1p(100)
    return np.sqrt(np.maximum(image, 0)) if transform == "sqrt" else image


def expand(image: np.ndarray, transform: str) -> np.ndarray:
    """The inverse of ``compress``, which also takes negative numbers."""
    if transform == "log":
        return np.expm1(image * np.log1p(100)) / 100
    return image * np.abs(image) if transform == "sqrt" else image


def image_range(values: np.ndarray, valid: np.ndarray) -> tuple[np.ndarray, float, float]:
    """D08, D09: image (0 where invalid), minimum and scale of a map; its negative values count as 0."""
    values = np.maximum(values, 0.0)
    minimum = values[valid].min()
    heights = np.sort(values[valid] - minimum)
    place = 0.9999 * (len(heights) - 1)
    below = int(place)
    above = min(below + 1, len(heights) - 1)
    scale = heights[below] + (place - below) * (heights[above] - heights[below])
    scale = scale if scale > 0 else heights[-1]
    scale = scale if scale > 0 else 1.0
    return np.where(valid, (values - minimum) / scale, 0.0), minimum, scale


def turned(image: np.ndarray, turn: int) -> np.ndarray:
    """D14: ``turn`` mod 4 quarter turns anticlockwise, then, from 4 on, left and right swapped."""
    for _ in range(turn % 4):
        image = image.T[::-1]
    return image[:, ::-1] if turn >= 4 else image


def turned_back(image: np.ndarray, turn: int) -> np.ndarray:
    """The inverse: the swap first, then quarter turns clockwise."""
    image = image[:, ::-1] if turn >= 4 else image
    for _ in range(turn % 4):
        image = image[::-1].T
    return image
