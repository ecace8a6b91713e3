"""Operations of stage zssr on images: range, curves, resizing, crops and training pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from refimpl.conformance.operations.reading import array, given, image, named, raster, whole
from refimpl.conformance.task import Task
from refimpl.errors import InputError
from refimpl.method import resize
from refimpl.method import training_pairs as augment
from refimpl.method.image_range import compress, expand
from refimpl.method.settings import UpscaleSettings, validate
from refimpl.method.training_pairs import Draw
from refimpl.windows.levels import pyramid_of
from refimpl.windows.measured_range import measure
from refimpl.windows.scaled import in_memory
from refimpl.windows.training_on_file import LinearImage


def image_range(task: Task) -> dict:
    """D08, D09: the coarse map as an image."""
    coarse = raster(task, "coarse")
    measured = measure(coarse)
    rows, cols = coarse.grid.shape
    image = LinearImage(coarse, measured.range, np.float64).part((0, rows, 0, cols)).values
    table = named(minimum=measured.range.minimum, scale=measured.range.scale, clipped=measured.clipped)
    return {"image": image, "range": table}


def intensity_curve(task: Task) -> dict:
    """D09: the curves and their inverses."""
    curves, direction = {"compress": compress, "expand": expand}, task.parameter("direction")
    if direction not in curves:
        raise InputError(f"unknown direction {direction!r}; expected 'compress' or 'expand'")
    values = array(task, "image", 2)
    return {"curved": curves[direction](values, task.parameter("transform")).astype(values.dtype, copy=False)}


def keys_kernel(task: Task) -> dict:
    """D16: Keys's kernel."""
    return {"weight": resize.keys_kernel(array(task, "distance", 1))}


def downsample(task: Task) -> dict:
    """D16: an image at half its size."""
    coarse, valid = resize.downsample(*image(task), task.parameter("kind"))
    return {"coarse": coarse, "coarse_valid": valid}


def resized(task: Task) -> dict:
    """D16, D19: an image at any size."""
    values, valid = resize.resize_valid(*image(task), (whole(task, "rows"), whole(task, "cols")))
    return {"resized": values, "resized_valid": valid}


def rotate_mirror(task: Task) -> dict:
    """D14: rotations and mirrors."""
    turn = augment.undo_rotate_mirror if task.parameter("inverse", False) else augment.rotate_mirror
    return {"turned": turn(array(task, "image", 2), whole(task, "turn"))}


def crop_of(task: Task, values: np.ndarray) -> int:
    """D15: the size of a crop on a map."""
    settings = validate(UpscaleSettings(crop=task.parameter("crop")))
    return augment.crop_size(values.shape, settings.crop)


def crop_corners(task: Task) -> dict:
    """D15: the corners at which a crop can lie."""
    values, valid = image(task)
    size = crop_of(task, values)
    return {"size": named(size=size), "corners": augment.admissible(values, valid, size)}


def levels_of(task: Task) -> tuple[Sequence[augment.Level], int]:
    """D14: the pyramid of a map, and the size of its crops."""
    values, valid = image(task)
    size, pyramid = crop_of(task, values), task.parameter("pyramid", UpscaleSettings.pyramid)
    return pyramid_of(in_memory(values, valid), size, pyramid, values.dtype), size


def pyramid(task: Task) -> dict:
    """D14: the levels of the pyramid that have a crop."""
    return {"levels": levels_table(levels_of(task)[0])}


def levels_table(levels: Sequence[augment.Level]) -> dict:
    """Scale, size and number of corners of each level."""
    columns = {"scale": [level.scale for level in levels]}
    columns |= {name: [level.shape[axis] for level in levels] for axis, name in enumerate(("rows", "cols"))}
    return columns | {"corners": [len(level.corners) for level in levels]}


def training_pair(task: Task) -> dict:
    """D14-D16: the input and the target of a training step."""
    return pair_of(task, *levels_of(task))


def pair_of(task: Task, levels: Sequence[augment.Level], size: int) -> dict:
    """The training pair made of the crop that the task names."""
    draw = Draw(1, task.parameter("scale"), *(whole(task, name) for name in ("row", "column", "turn")))
    settings = validate(UpscaleSettings(**given(task, "downsampling", "transform")))
    found = augment.training_pair(*augment.cut(levels, draw, size), settings)
    return dict(zip(("input", "target", "mask"), found, strict=True))


OPERATIONS = {
    "image_range": image_range,
    "intensity_curve": intensity_curve,
    "keys_kernel": keys_kernel,
    "downsample": downsample,
    "resize": resized,
    "rotate_mirror": rotate_mirror,
    "crop_corners": crop_corners,
    "pyramid": pyramid,
    "training_pair": training_pair,
}
