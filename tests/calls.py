"""Who is called on the road through the method, and how deep: from a trace of ``spatialize`` on a toy world."""

from __future__ import annotations

import importlib
import pkgutil
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import refimpl.method
from refimpl.twins import backend

METHOD = Path(refimpl.method.__file__).parent
FORMULAS = (
    "inventory.emission_coefficient inventory.emission province_totals.zonal_sums kernel_functions.kernel_matrix "
    "kernel_functions.kernel_expansion smo.minimise_dual svr._gamma linear.least_squares linear.weighted_features "
    "bayesian._maximise_evidence elastic_net.sweep elastic_net.duality_gap scaling.transform scaling.inverse_transform "
    "scaling.centre metrics.r_squared metrics.mean_absolute_error metrics.root_mean_square_error selection.best "
    "coarse_map.predict_coarse image_range.to_image image_range.to_map image_range.measure_range resize.keys_kernel "
    "resize.bicubic_taps resize.weigh resize.weigh_valid image_range.compress image_range.expand resize.downsample_mean_valid training_pairs.admissible "
    "training_pairs.sums_of_windows training_pairs.draw_crop training_pairs.training_pair network.initialise "
    "network.convolve network.convolve_backward_data network.convolve_backward_weights network.loss_and_gradients "
    "adam.adam_step schedule.slope_and_deviation schedule.has_flattened training.reconstruction_error "
    "super_resolution.median back_projection.coarse_difference back_projection.add_upsampled "
    "super_resolution.weights_of correction.share_out correction.allocate"
).split()
"""The functions that hold a formula of the road, by module and name; ``frames`` takes the shortest way to each."""


@dataclass
class Calls:
    """``depth``: frames of the method between ``spatialize`` and a function, by file and first line; ``names`` of them.

    The frame that a pairing puts before a hot function (``refimpl.twins``) and those of comprehensions do not count.
    """

    depth: dict[tuple[Path, int], int] = field(default_factory=dict)
    names: dict[tuple[Path, int], str] = field(default_factory=dict)

    def between(self, name: str) -> int:
        """The frames between ``spatialize`` and the function ``module.name``."""
        return min(depth for key, depth in self.depth.items() if self.names[key] == name)

    def frames(self) -> int:
        """The most frames between ``spatialize`` and a formula."""
        return max(self.between(name) for name in FORMULAS)


def toy_road() -> Calls:
    """The calls of ``spatialize`` on five provinces of 20 x 20 cells, with the plain NumPy functions."""
    from refimpl import UpscaleSettings, Year, spatialize
    from refimpl.method import resize

    for found in pkgutil.iter_modules([str(METHOD)], "refimpl.method."):
        importlib.import_module(found.name)
    rng, zones = np.random.default_rng(1), np.repeat(1 + np.arange(20) // 4, 20).reshape(20, 20)
    lights, people = rng.random((20, 20)) * zones, rng.random((20, 20))
    coal = np.array([100.0, 210.0, 290.0, 400.0, 510.0])
    years = [Year({"coal": coal * k}, {"lights": lights * k, "people": people}) for k in (1.0, 0.9)]
    settings = UpscaleSettings(layers=3, channels=8, max_steps=320, crop=8)
    calls = Calls()

    def profile(frame, event, argument) -> None:
        if event != "call" or Path(frame.f_code.co_filename).parent != METHOD:
            return
        key = Path(frame.f_code.co_filename), frame.f_code.co_firstlineno
        between, caller = 0, frame.f_back
        while caller is not None and caller.f_code.co_name != "spatialize":
            mine = Path(caller.f_code.co_filename).parent == METHOD
            between += mine and not caller.f_code.co_name.startswith("<")
            caller = caller.f_back
        if caller is not None or frame.f_code.co_name == "spatialize":
            calls.depth[key] = min(between, calls.depth.get(key, between))
            calls.names[key] = f"{key[0].stem}.{frame.f_code.co_name}"

    with backend("numpy"):
        sys.setprofile(profile)
        try:
            for model in ("auto", "svr"):
                resize.bicubic_taps.cache_clear()
                spatialize(*years, [1, 2, 3, 4, 5], zones, np.ones(20), settings, model=model)
        finally:
            sys.setprofile(None)
    return calls


@contextmanager
def called():
    """The functions of refimpl that are called inside, in any thread: a set of (file, first line)."""
    seen: set[tuple[str, int]] = set()

    def profile(frame, event, argument) -> None:
        if event == "call":
            seen.add((frame.f_code.co_filename, frame.f_code.co_firstlineno))

    threading.setprofile(profile)
    sys.setprofile(profile)
    try:
        yield seen
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def code_of(thing) -> list[tuple[str, int]]:
    """Where a function begins, or the functions of a class: what ``called`` would have seen of it."""
    plain = getattr(thing, "reference", thing)
    functions = list(vars(plain).values()) if isinstance(plain, type) else [plain]
    codes = [one.__code__ for one in functions if hasattr(one, "__code__")]
    return [(code.co_filename, code.co_firstlineno) for code in codes]
