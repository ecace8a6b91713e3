"""Every option of the super-resolution stage, its default and what it means (decisions D09-D17).

The defaults are those of the decisions; each option is documented in the metadata of its field.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields

from refimpl.errors import InputError, did_you_mean


def _option(default, doc: str, **limits):
    return field(default=default, metadata={"doc": doc, **limits})


@dataclass(frozen=True)
class UpscaleSettings:
    """The options of the super-resolution; check them with ``validate``.

    >>> UpscaleSettings().channels
    64
    """

    layers: int = _option(8, "3x3 convolutions, ReLU after all but the last (D10)", least=2)
    channels: int = _option(64, "channels between the layers; a multiple of 8 is fast (D10)", least=1)
    bias: bool = _option(False, "whether the convolutions have a bias (D10)")
    initialisation: str = _option("he", "first weights: He, or the published N(0, 0.1/(9 C_in)) (D11)",
                                  choices=("he", "published"))
    crop: int = _option(128, "side of a training crop in cells, even; a smaller map is taken whole (D15)",
                        least=4, even=True)
    pyramid: bool = _option(True, "whether crops also come from the map shrunk to 0.9, 0.8, ... 0.5 (D14)")
    baseline: str = _option("remove", "the map's minimum: removed for good, or added back after the network (D09)",
                            choices=("remove", "keep"))
    transform: str = _option("linear", "curve between map and image, undone after the network (D09)",
                             choices=("linear", "log", "sqrt"))
    downsampling: str = _option("mean", "coarse map from a fine one: mean for densities, bicubic for images (D16)",
                                choices=("mean", "bicubic"))
    learning_rate: float = _option(1e-3, "learning rate of the first step", above=0.0)
    final_rate: float = _option(1e-6, "training stops when the rate would reach this (D13)", above=0.0)
    max_steps: int = _option(10_000, "training stops after this many steps at the latest", least=1)
    policy_loss: str = _option("l1", "reconstruction error that the learning-rate test follows (D12)",
                              choices=("l1", "mse"))
    self_ensemble: bool = _option(True, "median over the eight rotations and mirrors, at eight times the cost (D17)")
    back_projection: int = _option(10, "iterations of back-projection (D17)", least=0)
    factor: int = _option(2, "how many times finer the map becomes: beyond 2 gradually, each time doubled by a "
                          "network trained on the map before (D17)", choices=(2, 4, 8))

    @property
    def doublings(self) -> int:
        """How often the resolution is doubled."""
        return self.factor.bit_length() - 1


def validate(settings: UpscaleSettings) -> UpscaleSettings:
    """``settings`` itself if every option is of its type and in its range.

    Raises
    ------
    InputError
        Names the key, as ``upscale.KEY``, and what was expected.

    >>> validate(UpscaleSettings(crop=33))
    Traceback (most recent call last):
    refimpl.errors.InputError: upscale.crop: 33 is odd; expected an even number of cells
    """
    if not isinstance(settings, UpscaleSettings):
        raise InputError(f"settings: is {type(settings).__name__}, expected refimpl.UpscaleSettings(...)")
    for option in fields(settings):
        _check(f"upscale.{option.name}", getattr(settings, option.name), option.default, option.metadata)
    if settings.final_rate >= settings.learning_rate:
        raise InputError(f"upscale.final_rate: {settings.final_rate!r} is not below upscale.learning_rate, "
                         f"{settings.learning_rate!r}; expected a smaller number")
    return settings


def _check(key: str, value, default, limits) -> None:
    kind = type(default)
    accepted = (int, float) if kind is float else kind
    if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
        names = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
        raise InputError(f"{key}: {value!r} is of the wrong type; expected {names[kind]}, as in {default!r}")
    if "choices" in limits and value not in limits["choices"]:
        near = did_you_mean(str(value), [str(choice) for choice in limits["choices"]])
        raise InputError(f"{key}: unknown value {value!r}{near}")
    if "least" in limits and value < limits["least"]:
        raise InputError(f"{key}: {value!r} is too small; expected {limits['least']} or more")
    if "above" in limits and not (value > limits["above"] and math.isfinite(value)):
        raise InputError(f"{key}: {value!r} is out of range; expected a finite number above {limits['above']:g}")
    if limits.get("even") and value % 2:
        raise InputError(f"{key}: {value!r} is odd; expected an even number of cells")
