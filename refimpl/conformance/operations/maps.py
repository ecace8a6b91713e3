"""Operations of stage zssr on maps: from the coarse map to the fine one."""

from __future__ import annotations

import numpy as np

from refimpl.conformance.operations.network import network_of
from refimpl.conformance.operations.reading import array, given, mask, naming, raster, whole
from refimpl.conformance.operations.training import settings_of
from refimpl.conformance.task import Task
from refimpl.errors import InputError
from refimpl.method import back_projection
from refimpl.windows import whole_maps as upscale


def back_project(task: Task) -> dict:
    """D17: back-projection."""
    fine, coarse = array(task, "fine", 2), array(task, "coarse", 2)
    valid = mask(task, "valid", coarse)
    options = {"kind": task.parameters["downsampling"]} if "downsampling" in task.parameters else {}
    corrected = back_projection.back_project(fine, coarse, valid, whole(task, "iterations"), **options)
    return {"corrected": corrected}


def interpolate(task: Task) -> dict:
    """The plain alternatives: replicated cells, bicubic interpolation."""
    settings_of(task)
    coarse, method = raster(task, "coarse"), task.parameter("method")
    if method == "replicate":
        return {"weights": upscale.replicate(coarse, **given(task, "baseline"))}
    if method == "bicubic":
        return {"weights": upscale.bicubic(coarse, **given(task, "back_projection", "baseline", "downsampling"))}
    raise InputError(f"unknown method {method!r}; expected 'replicate' or 'bicubic'")


def apply_network(task: Task) -> dict:
    """Fig. 8 with given weights of the network."""
    settings = settings_of(task)
    return {"weights": upscale.apply_network(network_of(task), raster(task, "coarse"), settings)}


def super_resolve(task: Task) -> dict:
    """Fig. 8 from the first weights of a training to the fine map."""
    with naming("seed", refusals=(ValueError,)):
        rng = np.random.Generator(np.random.PCG64(whole(task, "seed")))
    return {"weights": upscale.super_resolve(raster(task, "coarse"), settings_of(task), rng).weights}


OPERATIONS = {
    "back_project": back_project,
    "interpolate": interpolate,
    "apply_network": apply_network,
    "super_resolve": super_resolve,
}
