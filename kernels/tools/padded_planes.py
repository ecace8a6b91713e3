"""Planes: images with a border of zeros, so that a 3x3 window or a tile of Winograd's never reaches out of memory.

The plane of an (H, W, C) image is (H4 + 2, W4 + 2, C), H4 and W4 the next multiples of 4; pixel (i, j) lies at
(i + 1, j + 1).  Kernels write only inside the image, so the border stays 0.
"""

from __future__ import annotations

import numpy as np

from kernels.tools.work_memory import work_array


def plane_shape(height: int, width: int, *channels: int) -> tuple[int, ...]:
    return (-(-height // 4) * 4 + 2, -(-width // 4) * 4 + 2, *channels)


def inside_of(plane: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The image's part of a plane."""
    return plane[1 : shape[0] + 1, 1 : shape[1] + 1]


def zero_plane(shape: tuple[int, ...]) -> np.ndarray:
    """A new plane of zeros for an image of this shape, (H, W) or (H, W, C)."""
    return np.zeros(plane_shape(*shape), np.float32)


def plane_of(image: np.ndarray) -> np.ndarray:
    """A copy of an image in a plane."""
    plane = zero_plane(image.shape)
    inside_of(plane, image.shape)[...] = image
    return plane


def work_planes(purpose: str, count: int, shape: tuple[int, int, int]) -> np.ndarray:
    """``count`` planes to work in (``kernels.tools.work_memory.work_array``): the border is 0, the inside anything."""
    planes = work_array(purpose, (count, *plane_shape(*shape)))
    height, width = shape[:2]
    planes[:, 0] = planes[:, height + 1 :] = planes[:, :, 0] = planes[:, :, width + 1 :] = 0
    return planes
