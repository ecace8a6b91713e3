"""The network in PyTorch: forward, gradients, Adam, inference."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tests.peers.second_implementation.files import Task, named, refuse_unless
from tests.peers.second_implementation.images import (
    CURVES,
    DOWNSAMPLINGS,
    as_weights,
    back_projected,
    compressed,
    doubled,
    expanded,
    ranged,
    resized,
    turned,
    turned_back,
)


@dataclass(frozen=True)
class Shape:
    """Layers, channels between them, and whether there are biases."""

    layers: int
    channels: int
    bias: bool

    def channels_of(self) -> list[tuple[int, int]]:
        """(C_in, C_out) of each layer."""
        between = [1, *[self.channels] * (self.layers - 1), 1]
        return list(zip(between[:-1], between[1:], strict=True))

    def parts(self) -> list[tuple[int, ...]]:
        """Shapes of the arrays that stand in the vector of parameters, in their order."""
        return [part for i, o in self.channels_of() for part in ((3, 3, i, o), (o,))[: 2 if self.bias else 1]]

    def size(self) -> int:
        """How many parameters there are."""
        return sum(math.prod(part) for part in self.parts())


def shape_of(task: Task) -> Shape:
    """The parameters layers, channels and bias."""
    return Shape(task.whole("layers", 2, 8), task.whole("channels", 1, 64), task.flag("bias", False))


def parameters_of(task: Task, shape: Shape) -> np.ndarray:
    """The vector of parameters, of the right length."""
    vector = task.array("parameters", 1)
    refuse_unless(vector.size == shape.size(), "parameters", f"it has {vector.size} values, the network {shape.size()}")
    return vector


def outputs(vector, images, shape: Shape):
    """Fig. 8 on a batch (n, rows, cols) of torch tensors: what it returns can be differentiated."""
    import torch.nn.functional as F

    hidden, at = images[:, None], 0
    for layer, (c_in, c_out) in enumerate(shape.channels_of(), start=1):
        weights = vector[at : at + 9 * c_in * c_out].reshape(3, 3, c_in, c_out).permute(3, 2, 0, 1)
        at += 9 * c_in * c_out
        bias = vector[at : at + c_out] if shape.bias else None
        at += c_out if shape.bias else 0
        hidden = F.conv2d(hidden, weights, bias, padding=1)
        if layer < shape.layers:
            hidden = F.relu(hidden)
    return hidden[:, 0] + images


def infer(vector: np.ndarray, image: np.ndarray, shape: Shape) -> np.ndarray:
    """The network on one image, in float64."""
    import torch

    with torch.no_grad():
        batch = torch.from_numpy(np.ascontiguousarray(image, dtype=float))[None]
        return outputs(torch.from_numpy(np.array(vector, dtype=float)), batch, shape)[0].numpy()


def loss_and_gradient(vector: np.ndarray, image, target, mask, shape: Shape) -> tuple[float, np.ndarray]:
    """D15: the masked L1 loss and its gradient."""
    import torch

    p = torch.tensor(vector, dtype=torch.float64, requires_grad=True)
    batch, goal = (torch.from_numpy(np.ascontiguousarray(a, dtype=float))[None] for a in (image, target))
    inside = torch.from_numpy(np.ascontiguousarray(mask))[None]
    loss = (outputs(p, batch, shape) - goal).abs()[inside].mean()
    loss.backward()
    return float(loss.detach()), p.grad.numpy()


def initialisation(task: Task) -> dict:
    """D11: the deviation of each layer's weights."""
    scheme = task.choice("scheme", ("he", "published"), "he")
    shape = Shape(task.whole("layers", 2), task.whole("channels", 1), False)
    variance = 2 if scheme == "he" else 0.1
    deviations = [math.sqrt(variance / (9 * c_in)) for c_in, _ in shape.channels_of()]
    if scheme == "he":
        deviations[-1] *= 0.03
    return {"deviations.csv": {"layer": list(range(1, shape.layers + 1)), "deviation": deviations}}


def forward(task: Task) -> dict:
    """Fig. 8."""
    shape = shape_of(task)
    image = task.array("image", 2)
    refuse_unless(image.size > 0, "image", "it has no cells")
    return {"fine.npy": infer(parameters_of(task, shape), image, shape).astype(image.dtype)}


def gradients(task: Task) -> dict:
    """Loss and gradient."""
    shape, image = shape_of(task), task.array("image", 2)
    vector = parameters_of(task, shape)
    target, mask = task.array("target", 2), task.array("mask", 2, "b")
    refuse_unless(target.shape == image.shape, "target", f"its shape is {target.shape}, the image's {image.shape}")
    refuse_unless(mask.shape == image.shape, "mask", f"its shape is {mask.shape}, the image's {image.shape}")
    refuse_unless(bool(mask.any()), "mask", "it is empty: there is nothing to average over")
    loss, gradient = loss_and_gradient(vector, image, target, mask, shape)
    return {"loss.csv": named(loss=loss), "gradients.npy": gradient.astype(vector.dtype)}


def adam(task: Task) -> dict:
    """D11: torch's Adam, fed with given gradients."""
    import torch

    rate = task.number("rate", lambda v: v > 0, "a number above 0", 1e-3)
    betas = tuple(
        task.number(f"beta{i}", lambda v: 0 <= v < 1, "a number in [0, 1)", d) for i, d in ((1, 0.9), (2, 0.999))
    )
    epsilon = task.number("epsilon", lambda v: v >= 0, "a number of at least 0", 1e-8)
    vector, steps = task.array("parameters", 1), task.array("gradients", 2)
    refuse_unless(
        steps.shape[1] == vector.size, "gradients", f"it has {steps.shape[1]} columns for {vector.size} parameters"
    )
    p = torch.nn.Parameter(torch.tensor(vector, dtype=torch.float64))
    optimiser = torch.optim.Adam([p], lr=rate, betas=betas, eps=epsilon)
    for gradient in steps:
        p.grad = torch.tensor(gradient, dtype=torch.float64)
        optimiser.step()
    state = optimiser.state[p]
    results = (p.detach(), *(state.get(name, torch.zeros_like(p)) for name in ("exp_avg", "exp_avg_sq")))
    arrays = [result.detach().numpy().astype(vector.dtype) for result in results]
    return dict(zip(("updated.npy", "first_moment.npy", "second_moment.npy"), arrays, strict=True))


def infer_window(task: Task) -> dict:
    """A window of the network's output on the whole image."""
    shape = shape_of(task)
    vector = parameters_of(task, shape)
    image, valid = task.masked_image()
    window = task.value("window")
    right = (
        isinstance(window, list)
        and len(window) == 4
        and all(isinstance(v, int) and not isinstance(v, bool) for v in window)
    )
    refuse_unless(right, "window", "top, bottom, left, right are expected")
    top, bottom, left, end = window
    fits = 0 <= top < bottom <= image.shape[0] and 0 <= left < end <= image.shape[1]
    refuse_unless(fits, "window", f"{window} does not lie within {image.shape}")
    fine = np.where(valid, infer(vector, image, shape), 0)[top:bottom, left:end]
    return {"fine.npy": fine.astype(task.array("image").dtype)}


@dataclass(frozen=True)
class Upscaling:
    """The settings of ``apply_network``."""

    baseline: str = "remove"
    curve: str = "linear"
    downsampling: str = "mean"
    self_ensemble: bool = True
    back_projection: int = 10


def upscaling_of(task: Task) -> Upscaling:
    """Those settings as parameters."""
    return Upscaling(
        task.choice("baseline", ("remove", "keep"), "remove"),
        task.choice("transform", CURVES, "linear"),
        task.choice("downsampling", DOWNSAMPLINGS, "mean"),
        task.flag("self_ensemble", True),
        task.whole("back_projection", 0, 10),
    )


def upscaled(coarse, vector: np.ndarray, shape: Shape, options: Upscaling):
    """The whole way from a coarse map and trained weights to fine weights."""
    image, minimum, scale, _ = ranged(coarse.values, coarse.valid)
    curved = np.where(coarse.valid, compressed(image, options.curve), 0)
    larger = np.where(doubled(coarse.valid), resized(curved, coarse.valid, *(2 * n for n in image.shape))[0], 0)
    project = lambda fine: back_projected(fine, image, coarse.valid, options.back_projection, options.downsampling)  # noqa: E731
    results = []
    for turn in range(8 if options.self_ensemble else 1):
        fine = turned_back(infer(vector, turned(larger, turn), shape), turn)
        fine = np.where(doubled(coarse.valid), expanded(fine, options.curve), 0)
        results.append(project(fine) if options.self_ensemble else fine)
    return as_weights(project(np.median(results, axis=0)), coarse, minimum, scale, options.baseline)


def apply_network(task: Task) -> dict:
    """Eq. 2 with given weights."""
    from tests.peers.second_implementation.rasters import band

    shape, options = shape_of(task), upscaling_of(task)
    return {"weights.tif": upscaled(band(task, "coarse"), parameters_of(task, shape), shape, options)}
