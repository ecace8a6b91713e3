"""The network's images: range, curves, resizing as dense matrices, turns, back-projection."""

from __future__ import annotations

import math

import numpy as np

from tests.peers.second_implementation.files import Task, named, refuse_unless

CURVES = ("linear", "log", "sqrt")
DOWNSAMPLINGS = ("mean", "bicubic")


def keys(distance: np.ndarray) -> np.ndarray:
    """Keys 1981, a = -1/2."""
    d = np.abs(distance)
    return np.where(d <= 1, (1.5 * d - 2.5) * d**2 + 1, np.where(d < 2, ((-0.5 * d + 2.5) * d - 4) * d + 2, 0))


def resizing(n_in: int, n_out: int) -> np.ndarray:
    """The matrix (n_out, n_in) that resizes one axis."""
    widest = max(n_in, n_out)
    matrix = np.zeros((n_out, n_in))
    for o in range(n_out):
        # Twice n_out times the centre is a whole number: distances at the kernel's knots are exact, zeros stay zeros.
        centre = (2 * o + 1) * n_in - n_out
        reach = -(-2 * widest // n_out)
        taps = np.arange(centre // (2 * n_out) - reach, centre // (2 * n_out) + reach + 2)
        weights = keys((2 * n_out * taps - centre) / (2 * widest))
        mirrored = taps % (2 * n_in)
        mirrored = np.where(mirrored < n_in, mirrored, 2 * n_in - 1 - mirrored)
        np.add.at(matrix[o], mirrored, weights / weights.sum())
    return matrix


def plain_resized(image: np.ndarray, rows: int, cols: int) -> np.ndarray:
    """Resizing without validity."""
    return resizing(image.shape[0], rows) @ image @ resizing(image.shape[1], cols).T


def resized(image: np.ndarray, valid: np.ndarray, rows: int, cols: int) -> tuple[np.ndarray, np.ndarray]:
    """Resizing where invalid cells take no part."""
    if valid.all():
        return plain_resized(image, rows, cols), np.ones((rows, cols), bool)
    weight = plain_resized(valid.astype(float), rows, cols)
    there = weight >= 0.5 - 1e-6
    return np.where(there, plain_resized(np.where(valid, image, 0), rows, cols) / np.where(there, weight, 1), 0), there


def halved(image: np.ndarray, valid: np.ndarray, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """D16: downsampled by two."""
    rows, cols = -(-image.shape[0] // 2), -(-image.shape[1] // 2)
    if kind == "bicubic":
        return resized(image, valid, rows, cols)
    margin = ((0, 2 * rows - image.shape[0]), (0, 2 * cols - image.shape[1]))
    blocks = lambda a: np.pad(a, margin).reshape(rows, 2, cols, 2).sum(axis=(1, 3))  # noqa: E731
    count = blocks(valid.astype(float))
    return blocks(np.where(valid, image, 0)) / np.maximum(count, 1), count > 0


def compressed(image: np.ndarray, curve: str) -> np.ndarray:
    """D09's curve."""
    if curve == "log":
        return np.log1p(100 * np.maximum(image, 0)) / math.log1p(100)
    return np.sqrt(np.maximum(image, 0)) if curve == "sqrt" else image


def expanded(image: np.ndarray, curve: str) -> np.ndarray:
    """D09's curve undone."""
    if curve == "log":
        return np.expm1(image * math.log1p(100)) / 100
    return image * np.abs(image) if curve == "sqrt" else image


def turned(image: np.ndarray, turn: int) -> np.ndarray:
    """Quarter turns anticlockwise, then mirrored from turn 4 on."""
    image = np.rot90(image, turn % 4)
    return np.fliplr(image) if turn >= 4 else image


def turned_back(image: np.ndarray, turn: int) -> np.ndarray:
    """The inverse of ``turned``."""
    return np.rot90(np.fliplr(image) if turn >= 4 else image, -(turn % 4))


def doubled(mask: np.ndarray) -> np.ndarray:
    """Each cell four times."""
    return mask.repeat(2, axis=0).repeat(2, axis=1)


def back_projected(
    fine: np.ndarray, coarse: np.ndarray, valid: np.ndarray, iterations: int, downsampling: str
) -> np.ndarray:
    """D17: what the fine map lacks of the coarse one is added."""
    inside = doubled(valid)
    fine = np.where(inside, fine, 0)
    for _ in range(iterations):
        lacking = np.where(valid, coarse - halved(fine, inside, downsampling)[0], 0)
        fine = np.where(inside, fine + plain_resized(lacking, *fine.shape), 0)
    return fine


def ranged(values: np.ndarray, valid: np.ndarray) -> tuple[np.ndarray, float, float, int]:
    """D08, D09: the image, minimum and scale of a coarse map, and how many cells were clipped."""
    refuse_unless(bool(valid.any()), "coarse", "no cell is valid")
    clipped = int((values[valid] < 0).sum())
    positive = np.maximum(values, 0)
    minimum = float(positive[valid].min())
    above = positive[valid] - minimum
    scale = float(np.quantile(above, 0.9999, method="linear")) or float(above.max()) or 1.0
    return np.where(valid, (positive - minimum) / scale, 0), minimum, scale, clipped


def image_range(task: Task) -> dict:
    """A coarse map as an image."""
    from tests.peers.second_implementation.rasters import band

    coarse = band(task, "coarse")
    image, minimum, scale, clipped = ranged(coarse.values, coarse.valid)
    return {"image.npy": image, "range.csv": named(minimum=minimum, scale=scale, clipped=clipped)}


def intensity_curve(task: Task) -> dict:
    """The curve or its inverse."""
    curve, direction = task.choice("transform", CURVES), task.choice("direction", ("compress", "expand"))
    image = task.array("image", 2)
    return {
        "curved.npy": (compressed if direction == "compress" else expanded)(image.astype(float), curve).astype(
            image.dtype
        )
    }


def keys_kernel(task: Task) -> dict:
    """Weights by distance."""
    return {"weight.npy": keys(task.array("distance", 1))}


def downsample(task: Task) -> dict:
    """Half as many rows and columns."""
    kind = task.choice("kind", DOWNSAMPLINGS)
    image, valid = task.masked_image()
    coarse, there = halved(image, valid, kind)
    return {"coarse.npy": coarse.astype(task.array("image").dtype), "coarse_valid.npy": there}


def resize(task: Task) -> dict:
    """Another number of rows and columns."""
    rows, cols = task.whole("rows", 1), task.whole("cols", 1)
    values, there = resized(*task.masked_image(), rows, cols)
    return {"resized.npy": values.astype(task.array("image").dtype), "resized_valid.npy": there}


def rotate_mirror(task: Task) -> dict:
    """D14."""
    turn = task.whole("turn", 0, most=7)
    return {"turned.npy": (turned_back if task.flag("inverse", False) else turned)(task.array("image", 2), turn)}


def median(task: Task) -> dict:
    """D17: the median of each cell."""
    images = task.array("images", 3)
    refuse_unless(images.size > 0, "images", "it has no values")
    return {"median.npy": np.median(images, axis=0).astype(images.dtype)}


def back_project(task: Task) -> dict:
    """D17."""
    iterations, downsampling = task.whole("iterations", 0), task.choice("downsampling", DOWNSAMPLINGS, "mean")
    coarse, valid = task.masked_image("coarse")
    fine = task.array("fine", 2)
    expected = (2 * coarse.shape[0], 2 * coarse.shape[1])
    refuse_unless(fine.shape == expected, "fine", f"its shape is {fine.shape}, expected {expected}")
    corrected = back_projected(fine.astype(float), coarse, valid, iterations, downsampling)
    return {"corrected.npy": corrected.astype(fine.dtype)}


def as_weights(fine: np.ndarray, coarse, minimum: float, scale: float, baseline: str):
    """An image on the refined grid in the map's units, nowhere below 0."""
    from tests.peers.second_implementation.rasters import Raster

    values = np.maximum(fine * scale + (minimum if baseline == "keep" else 0), 0)
    valid = doubled(coarse.valid)
    return Raster(np.where(valid, values, 0), valid, coarse.grid.refined(2))


def interpolate(task: Task) -> dict:
    """The plain alternatives to the network."""
    from tests.peers.second_implementation.rasters import band

    method, baseline = (
        task.choice("method", ("replicate", "bicubic")),
        task.choice("baseline", ("remove", "keep"), "remove"),
    )
    iterations, downsampling = task.whole("back_projection", 0, 0), task.choice("downsampling", DOWNSAMPLINGS, "mean")
    coarse = band(task, "coarse")
    image, minimum, scale, _ = ranged(coarse.values, coarse.valid)
    if method == "replicate":
        fine = doubled(image)
    else:
        fine = resized(image, coarse.valid, 2 * image.shape[0], 2 * image.shape[1])[0]
        fine = back_projected(fine, image, coarse.valid, iterations, downsampling)
    return {"weights.tif": as_weights(fine, coarse, minimum, scale, baseline)}
