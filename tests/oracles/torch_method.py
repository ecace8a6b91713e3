"""The network of Fig. 8 in PyTorch: forward, gradients by autograd, training steps with torch.optim.Adam, Fig. 8's map.

Convolution is torch.nn.functional.conv2d; what surrounds it is ``dense_resize``.  Everything is float64 unless a caller
asks for float32, which is how the limits of float32 cases were measured.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import conv2d

from tests.oracles import dense_resize as dense

torch.set_num_threads(1)

SCALES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)


@dataclass(frozen=True)
class Settings:
    """Parameters of ``train_steps`` and ``apply_network``, with the contract's defaults."""

    layers: int = 8
    channels: int = 64
    bias: bool = False
    crop: int = 128
    pyramid: bool = True
    downsampling: str = "mean"
    transform: str = "linear"
    learning_rate: float = 1e-3
    final_rate: float = 1e-6
    policy_loss: str = "l1"
    baseline: str = "remove"
    self_ensemble: bool = True
    back_projection: int = 10


def shapes(layers: int, channels: int, bias: bool) -> list[tuple[int, ...]]:
    """Of each array of ``parameters.npy``, in its order."""
    widths = [1] + [channels] * (layers - 1) + [1]
    return [s for c, o in zip(widths[:-1], widths[1:], strict=True) for s in [(3, 3, c, o), (o,)][: 1 + bias]]


def draw_parameters(rng, layers: int, channels: int, bias: bool = False, last: float = 0.3) -> np.ndarray:
    """He weights, the last layer times ``last`` so that the residual has the size of the image; biases of 0.1."""
    drawn = []
    for shape in shapes(layers, channels, bias):
        deviation = np.sqrt(2 / (9 * shape[2])) if len(shape) == 4 else 0.1
        drawn.append(rng.normal(0, deviation * (last if shape[-1] == 1 else 1), shape).ravel())
    return np.concatenate(drawn)


def tensors(parameters: np.ndarray, layers: int, channels: int, bias: bool, dtype=None) -> list[torch.Tensor]:
    """Leaves for autograd, in the layout of the contract."""
    parts, start = [], 0
    for shape in shapes(layers, channels, bias):
        part = torch.tensor(parameters[start : start + int(np.prod(shape))].reshape(shape), dtype=dtype)
        parts.append(part.requires_grad_())
        start += part.numel()
    assert start == parameters.size
    return parts


def network(parts: list[torch.Tensor], image: torch.Tensor, bias: bool) -> torch.Tensor:
    """Fig. 8: the image (rows, cols) plus its residual."""
    layers = [(parts[i], parts[i + 1] if bias else None) for i in range(0, len(parts), 1 + bias)]
    x = image[None, None]
    for number, (weights, offset) in enumerate(layers, start=1):
        x = conv2d(x, weights.permute(3, 2, 0, 1), offset, padding=1)
        x = torch.relu(x) if number < len(layers) else x
    return image + x[0, 0]


def flat(parts) -> np.ndarray:
    """Tensors as one vector."""
    return torch.cat([part.detach().reshape(-1) for part in parts]).numpy()


def forward(image: np.ndarray, parameters: np.ndarray, s: Settings, dtype=torch.float64) -> np.ndarray:
    """``forward`` of the contract."""
    parts = tensors(parameters, s.layers, s.channels, s.bias, dtype)
    with torch.no_grad():
        return network(parts, torch.tensor(np.ascontiguousarray(image), dtype=dtype), s.bias).numpy()


def loss_of(parts, image, target, mask, bias: bool) -> torch.Tensor:
    """D15: mean absolute error over the cells of the mask."""
    error = network(parts, image, bias) - target
    return error[mask].abs().mean()


def gradients(image, target, mask, parameters, s: Settings, dtype=torch.float64) -> tuple[float, np.ndarray]:
    """Loss and its gradient."""
    parts = tensors(parameters, s.layers, s.channels, s.bias, dtype)
    arrays = torch.tensor(image, dtype=dtype), torch.tensor(target, dtype=dtype), torch.tensor(mask)
    loss = loss_of(parts, *arrays, s.bias)
    loss.backward()
    return loss.item(), flat([part.grad for part in parts])


def crop_size(shape, crop: int) -> int:
    """D15."""
    return min(crop, *shape) // 2 * 2


def pair(image: np.ndarray, valid: np.ndarray, row: dict, s: Settings):
    """D14-D16: what one row of the tape trains on: input, target, mask."""
    size, shape = crop_size(image.shape, s.crop), [round(row["scale"] * n) for n in image.shape]
    if row["scale"] != 1:
        image, valid = dense.resize(image, valid, *shape)
    window = np.s_[row["row"] : row["row"] + size, row["column"] : row["column"] + size]
    father, mask = dense.turned(image[window], row["turn"]), dense.turned(valid[window], row["turn"])
    assert father.shape == (size, size)
    son, inside = dense.downsample(father, mask, s.downsampling)
    son = dense.resize(dense.compress(son, s.transform), inside, size, size)[0]
    return [np.ascontiguousarray(a) for a in (son, dense.compress(father, s.transform), mask)]


def flattened(steps: list[int], errors: list[float]) -> bool:
    """D12's test on the last five errors."""
    x, y = np.array(steps[-5:], float), np.array(errors[-5:])
    slope, intercept = np.linalg.lstsq(np.stack([x, np.ones(5)], 1), y, rcond=None)[0]
    spread = ((x - x.mean()) ** 2).sum()
    return not -1.5 * slope > np.sqrt(((y - slope * x - intercept) ** 2).sum() / 3 / spread)


def train(image, valid, parameters, tape: dict, s: Settings, dtype=torch.float64):
    """``train_steps``: the trained parameters and the table of losses."""
    parts = tensors(parameters, s.layers, s.channels, s.bias, dtype)
    rows = [dict(zip(tape, row, strict=True)) for row in zip(*tape.values(), strict=True)]
    as_tensors = [
        [torch.tensor(a, dtype=dtype if a.dtype.kind == "f" else None) for a in pair(image, valid, row, s)]
        for row in rows
    ]
    fixed = [arrays for arrays, row in zip(as_tensors, rows, strict=True) if row["step"] == 0]
    adam = torch.optim.Adam(parts, lr=s.learning_rate, betas=(0.9, 0.999), eps=1e-8, foreach=False)
    rate, last_change, measured, errors, losses = s.learning_rate, 0, [], [], []
    for step, arrays in enumerate(as_tensors[len(fixed) :], start=1):
        adam.zero_grad()
        loss = loss_of(parts, *arrays, s.bias)
        loss.backward()
        adam.step()
        error = float("nan")
        if step % 50 == 0:
            error = reconstruction_error(parts, fixed, s)
            measured, errors = [*measured, step], [*errors, error]
        losses.append((step, loss.item(), rate, error))
        if step % 60 == 0 and step - last_change > 256 and len(errors) >= 5 and flattened(measured, errors):
            if rate / 10 <= s.final_rate * (1 + 1e-9):
                break
            rate, last_change = rate / 10, step
            adam.param_groups[0]["lr"] = rate
    names = ("step", "loss", "learning_rate", "reconstruction_error")
    return flat(parts), {name: list(column) for name, column in zip(names, zip(*losses, strict=True), strict=True)}


def reconstruction_error(parts, fixed, s: Settings) -> float:
    """D12: over all valid cells of the fixed crops together."""
    with torch.no_grad():
        found = [(network(parts, image, s.bias) - target)[mask] for image, target, mask in fixed]
    found = torch.cat(found).double()
    return (found.abs() if s.policy_loss == "l1" else found**2).mean().item()


def upscale(values: np.ndarray, valid: np.ndarray, parameters: np.ndarray, s: Settings, dtype=torch.float64):
    """``apply_network``: the fine map (2 rows, 2 cols) and its valid cells."""
    image, minimum, scale = dense.image_range(values, valid)
    rows, cols = (2 * n for n in image.shape)
    inside = dense.children(valid)
    enlarged = dense.resize(dense.compress(image, s.transform), valid, rows, cols)[0]
    enlarged = np.where(inside, enlarged, 0.0)
    outputs = []
    for turn in range(8 if s.self_ensemble else 1):
        output = forward(dense.turned(enlarged, turn), parameters, s, dtype).astype(float)
        output = np.where(inside, dense.expand(dense.turned_back(output, turn), s.transform), 0.0)
        if s.self_ensemble:
            output = dense.back_project(output, image, valid, s.back_projection, s.downsampling)
        outputs.append(output)
    middle = np.sort(outputs, axis=0)
    fine = (middle[3] + middle[4]) / 2 if s.self_ensemble else outputs[0]
    fine = dense.back_project(fine, image, valid, s.back_projection, s.downsampling)
    fine = fine * scale + (minimum if s.baseline == "keep" else 0.0)
    return np.where(inside, np.maximum(fine, 0.0), 0.0), inside
