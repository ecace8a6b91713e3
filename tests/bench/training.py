"""One step of training (forward, L1 loss, backward, Adam) of the 8-layer, 64-channel network, beside PyTorch.

All start at the same weights, and the timed call goes on from where the last one ended.  The digest is therefore that
of the first step: its loss, and samples of the gradients, which ``prepare`` computes.
"""

from __future__ import annotations

import functools

import numpy as np

from tests.bench.job import Contender, Job

RATE, BETA1, BETA2, EPSILON = 1e-4, 0.9, 0.999, 1e-8


def pair(size: int) -> tuple[np.ndarray, np.ndarray]:
    """An image and a target, (size, size) float32: smooth, with something to learn."""
    row, col = np.mgrid[:size, :size] / 7
    rng = np.random.default_rng(1)
    target = np.sin(row) * np.cos(col) ** 2 + 0.1 * rng.random((size, size))
    return (target + 0.2 * np.sin(3 * row)).astype(np.float32), target.astype(np.float32)


def network():
    from refimpl.method.network import initialise

    return initialise(np.random.default_rng(2))


def sample(loss: float, gradients: list[np.ndarray]) -> np.ndarray:
    """The loss, and the norm of each layer's gradient, as a share of the largest."""
    norms = np.array([np.linalg.norm(np.asarray(g, np.float64)) for g in gradients])
    return np.append(norms / norms.max(), loss)


def given(answer) -> np.ndarray:
    """What ``prepare`` found at the first step; the harness gets it from every call."""
    return answer


def prepare_refimpl(size: int):
    from refimpl.method.adam import adam_step
    from refimpl.method.network import loss_and_gradients

    ours, (image, target) = network(), pair(size)
    mask, moments, steps = np.ones(image.shape, bool), np.zeros((2, ours.parameters.size), np.float32), [0]
    loss, gradients = loss_and_gradients(ours, image, target, mask)
    first = sample(loss, [layer.weights for layer in gradients.layers])

    def step():
        steps[0] += 1
        _, found = loss_and_gradients(ours, image, target, mask)
        adam_step(ours.parameters, found.parameters, *moments, steps[0], RATE, BETA1, BETA2, EPSILON)
        return first

    return step


def prepare_torch(size: int, channels_last: bool = False, compiled: bool = False, onednn: bool = True, fused=False):
    import torch

    torch.set_num_threads(2)
    torch.backends.mkldnn.enabled = onednn
    layout = torch.channels_last if channels_last else torch.contiguous_format
    layers = []
    for layer in network().layers:
        weights = torch.tensor(layer.weights.transpose(3, 2, 0, 1).copy())
        convolution = torch.nn.Conv2d(weights.shape[1], weights.shape[0], 3, padding=1, bias=False)
        convolution.weight.data = weights
        layers += [convolution, torch.nn.ReLU(inplace=True)]
    theirs = torch.nn.Sequential(*layers[:-1]).to(memory_format=layout)
    image, target = (torch.tensor(a)[None, None].to(memory_format=layout) for a in pair(size))
    options = {"fused": True} if fused else {}
    optimiser = torch.optim.Adam(theirs.parameters(), lr=RATE, betas=(BETA1, BETA2), eps=EPSILON, **options)

    def loss_of(x, y):
        return torch.nn.functional.l1_loss(x + theirs(x), y)

    error = torch.compile(loss_of) if compiled else loss_of

    def backward() -> float:
        optimiser.zero_grad()
        loss = error(image, target)
        loss.backward()
        return loss.item()

    loss = backward()
    first = sample(loss, [layer.weight.grad.numpy() for layer in layers[::2]])

    def step():
        backward()
        optimiser.step()
        return first

    return step


def prepare_compiled(size: int, channels_last: bool):
    import shutil

    if not (shutil.which("g++") or shutil.which("clang++")):
        raise RuntimeError("torch.compile needs a C++ compiler, and there is none on this machine")
    return prepare_torch(size, channels_last, compiled=True)


def flops(size: int) -> float:
    """Of the direct algorithm: three convolutions a layer, two for the first, which has no gradient of its input."""
    wide, thin = 9 * 64 * 64, 9 * 64
    return 2.0 * size * size * (3 * 6 * wide + 5 * thin)


def job(size: int, goal: float) -> Job:
    def torch_as(name, **options):
        return Contender(f"PyTorch, {name}", functools.partial(prepare_torch, size, **options), given)

    def compiled(name, channels_last):
        return Contender(f"PyTorch, {name}", functools.partial(prepare_compiled, size, channels_last), given)

    return Job(
        name=f"training-{size}",
        title=f"training step, {size}x{size} crop, 8 layers of 64 channels",
        goal=goal,
        contenders=(
            Contender("refimpl", functools.partial(prepare_refimpl, size), given, ours=True),
            torch_as("eager"),
            torch_as("eager, channels last", channels_last=True),
            torch_as("eager, fused Adam", fused=True),
            torch_as("eager, without oneDNN", onednn=False),
            compiled("compiled", False),
            compiled("compiled, channels last", True),
        ),
        tolerance=2e-3,
        why="float32 gradients of eight layers, where units near zero may fall on either side of the ReLU",
        flops=flops(size),
    )


JOBS = (job(128, 3.3), job(96, 3.3), job(64, 0.0))
