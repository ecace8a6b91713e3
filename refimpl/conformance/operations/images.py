"""Stage zssr, images: range, curves, resizing, crops and training pairs."""

from __future__ import annotations

import numpy as np

from refimpl.conformance.operations.reading import array, image, named, raster, whole
from refimpl.conformance.task import Task
from refimpl.errors import InputError
from refimpl.formats.tape import Draw
from refimpl.method import resize
from refimpl.method import training_pairs as augment
from refimpl.method.image_range import clip_negatives, compress, expand, measure_range
from refimpl.method.settings import UpscaleSettings, validate


def image_range(task: Task) -> dict:
    """D08, D09."""
    coarse, clipped = clip_negatives(raster(task, "coarse"))
    found = measure_range(coarse.values, coarse.valid)
    table = named(minimum=found.minimum, scale=found.scale, clipped=clipped)
    return {"image": found.to_image(coarse.values, coarse.valid), "range": table}


def intensity_curve(task: Task) -> dict:
    """D09's curves."""
    curves, direction = {"compress": compress, "expand": expand}, task.parameter("direction")
    if direction not in curves:
        raise InputError(f"unknown direction {direction!r}; expected 'compress' or 'expand'")
    values = array(task, "image", 2)
    return {"curved": curves[direction](values, task.parameter("transform")).astype(values.dtype, copy=False)}


def keys_kernel(task: Task) -> dict:
    """D16's kernel."""
    return {"weight": resize.keys_kernel(array(task, "distance", 1))}


def downsample(task: Task) -> dict:
    """To half the size."""
    coarse, valid = resize.downsample(*image(task), task.parameter("kind"))
    return {"coarse": coarse, "coarse_valid": valid}


def resized(task: Task) -> dict:
    """To any size."""
    values, valid = resize.resize_valid(*image(task), (whole(task, "rows"), whole(task, "cols")))
    return {"resized": values, "resized_valid": valid}


def rotate_mirror(task: Task) -> dict:
    """D14's turns."""
    turn = augment.undo_rotate_mirror if task.parameter("inverse", False) else augment.rotate_mirror
    return {"turned": turn(array(task, "image", 2), whole(task, "turn"))}


def crop_of(task: Task, values: np.ndarray) -> int:
    """D15's size of a crop on a map."""
    settings = validate(UpscaleSettings(crop=task.parameter("crop")))
    return augment.crop_size(values.shape, settings.crop)


def crop_corners(task: Task) -> dict:
    """D15: where a crop may lie."""
    values, valid = image(task)
    size = crop_of(task, values)
    return {"size": named(size=size), "corners": augment.admissible(values, valid, size)}


def levels_of(task: Task) -> tuple[list[augment.Level], int]:
    """D14: the pyramid of a map, and the size of its crops."""
    values, valid = image(task)
    size = crop_of(task, values)
    return augment.build_pyramid(values, valid, size, task.parameter("pyramid", UpscaleSettings.pyramid)), size


def pyramid(task: Task) -> dict:
    """The levels that have a crop."""
    levels, _ = levels_of(task)
    columns = {"scale": [level.scale for level in levels]}
    columns |= {name: [level.shape[axis] for level in levels] for axis, name in enumerate(("rows", "cols"))}
    return {"levels": columns | {"corners": [level.corners.size for level in levels]}}


def training_pair(task: Task) -> dict:
    """What a step trains on."""
    levels, size = levels_of(task)
    draw = Draw(1, task.parameter("scale"), *(whole(task, name) for name in ("row", "column", "turn")))
    defaults = UpscaleSettings()
    options = (task.parameter(name, getattr(defaults, name)) for name in ("downsampling", "transform"))
    found = augment.training_pair(levels, draw, size, *options)
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
