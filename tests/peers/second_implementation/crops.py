"""The pyramid of levels, admissible crops and training pairs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tests.peers.second_implementation.files import Task, named, refuse_unless
from tests.peers.second_implementation.images import CURVES, DOWNSAMPLINGS, compressed, halved, resized, turned

SCALES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)


@dataclass(frozen=True)
class Level:
    """The map at one scale and its admissible corners."""

    scale: float
    image: np.ndarray
    valid: np.ndarray
    corners: np.ndarray


def crop_size(crop: int, shape: tuple[int, int]) -> int:
    """D15: the even side of a crop."""
    return min(crop, *shape) // 2 * 2


def crop_of(task: Task) -> int:
    """The parameter crop."""
    crop = task.whole("crop", 4)
    refuse_unless(crop % 2 == 0, "crop", "an even number is expected")
    return crop


def admissible(image: np.ndarray, valid: np.ndarray, size: int) -> np.ndarray:
    """Corners of crops with at least half of their cells valid and some valid one not 0."""
    windows = lambda a: np.lib.stride_tricks.sliding_window_view(a, (size, size))  # noqa: E731
    enough = 2 * windows(valid).sum(axis=(2, 3)) >= size * size
    return enough & windows(valid & (image != 0)).any(axis=(2, 3))


def levels(
    image: np.ndarray, valid: np.ndarray, crop: int, pyramid: bool = True, field: str = "image"
) -> tuple[int, list[Level]]:
    """The side of a crop, and the levels that have an admissible one."""
    size = crop_size(crop, image.shape)
    refuse_unless(size > 0, field, "it is too small for any crop")
    found = []
    for scale in SCALES if pyramid else SCALES[:1]:
        rows, cols = (round(scale * n) for n in image.shape)
        if min(rows, cols) < size:
            break
        at_scale = (image, valid) if scale == 1 else resized(image, valid, rows, cols)
        corners = admissible(*at_scale, size)
        refuse_unless(bool(corners.any()) or scale != 1, field, "no crop has enough valid cells and one that is not 0")
        if corners.any():
            found.append(Level(scale, *at_scale, corners))
    return size, found


def level_of(found: list[Level], scale: float) -> Level | None:
    """The level of a scale, if there is one."""
    return next((level for level in found if math.isclose(level.scale, scale, abs_tol=1e-9)), None)


def pair(level: Level, size: int, row: int, column: int, turn: int, downsampling: str, curve: str):
    """D14-D16: input, target and mask of one crop."""
    window = (slice(row, row + size), slice(column, column + size))
    father, mask = turned(level.image[window], turn), turned(level.valid[window], turn)
    father = np.where(mask, father, 0)
    son, son_valid = halved(father, mask, downsampling)
    son = np.where(son_valid, compressed(son, curve), 0)
    return resized(son, son_valid, size, size)[0], np.where(mask, compressed(father, curve), 0), mask


def crop_corners(task: Task) -> dict:
    """D15."""
    image, valid = task.masked_image()
    size = crop_size(crop_of(task), image.shape)
    refuse_unless(size > 0, "image", "it is too small for any crop")
    return {"size.csv": named(size=size), "corners.npy": admissible(image, valid, size)}


def pyramid(task: Task) -> dict:
    """D14."""
    image, valid = task.masked_image()
    _, found = levels(image, valid, crop_of(task), task.flag("pyramid", True))
    rows = [(level.scale, *level.image.shape, int(level.corners.sum())) for level in found]
    columns = zip(*rows, strict=True)
    return {"levels.csv": dict(zip(("scale", "rows", "cols", "corners"), map(list, columns), strict=True))}


def training_pair(task: Task) -> dict:
    """D14-D16."""
    crop, turn = crop_of(task), task.whole("turn", 0, most=7)
    downsampling, curve = task.choice("downsampling", DOWNSAMPLINGS, "mean"), task.choice("transform", CURVES, "linear")
    scale = task.number(
        "scale", lambda v: any(math.isclose(v, s, abs_tol=1e-9) for s in SCALES), "a level of the pyramid"
    )
    row, column = task.whole("row", 0), task.whole("column", 0)
    image, valid = task.masked_image()
    size = crop_size(crop, image.shape)
    rows, cols = (round(scale * n) for n in image.shape)
    refuse_unless(size > 0, "image", "it is too small for any crop")
    refuse_unless(min(rows, cols) >= size, "scale", f"that level holds no crop of {size} x {size}")
    refuse_unless(row + size <= rows, "row", f"a crop of {size} from row {row} reaches beyond the {rows} rows")
    refuse_unless(
        column + size <= cols, "column", f"a crop of {size} from column {column} reaches beyond the {cols} columns"
    )
    at_scale = (image, valid) if scale == 1 else resized(image, valid, rows, cols)
    made = pair(Level(scale, *at_scale, np.zeros(0)), size, row, column, turn, downsampling, curve)
    dtype = task.array("image").dtype
    return {"input.npy": made[0].astype(dtype), "target.npy": made[1].astype(dtype), "mask.npy": made[2]}
