"""The trained 8-layer, 64-channel network applied to a large image, beside PyTorch."""

from __future__ import annotations

import functools

import numpy as np

from tests.bench.job import Contender, Job
from tests.bench.training import network


def image_of(size: int) -> np.ndarray:
    return np.random.default_rng(3).random((size, size), np.float32)


def sample(output) -> np.ndarray:
    """Some 3,000 cells, the corners among them."""
    rows, cols = output.shape[-2:]
    return np.asarray(output, np.float64).reshape(rows, cols)[:: rows // 54, :: cols // 54]


def prepare_refimpl(size: int):
    from refimpl.windows.inference import infer

    ours, image = network(), image_of(size)
    valid = np.ones(image.shape, bool)
    return lambda: infer(ours, image, valid)


def prepare_torch(size: int, way: str = "eager", channels_last: bool = False, onednn: bool = True):
    """``way``: eager, scripted (frozen and optimised for inference) or compiled."""
    import shutil

    import torch

    if way == "compiled" and not (shutil.which("g++") or shutil.which("clang++")):
        raise RuntimeError("torch.compile needs a C++ compiler, and there is none on this machine")
    torch.set_num_threads(2)
    torch.backends.mkldnn.enabled = onednn
    layout = torch.channels_last if channels_last else torch.contiguous_format

    class Theirs(torch.nn.Module):
        def __init__(self):
            super().__init__()
            layers = []
            for layer in network().layers:
                weights = torch.tensor(layer.weights.transpose(3, 2, 0, 1).copy())
                convolution = torch.nn.Conv2d(weights.shape[1], weights.shape[0], 3, padding=1, bias=False)
                convolution.weight.data = weights
                layers += [convolution, torch.nn.ReLU(inplace=True)]
            self.layers = torch.nn.Sequential(*layers[:-1])

        def forward(self, x):
            return x + self.layers(x)

    theirs = Theirs().eval().to(memory_format=layout)
    image = torch.tensor(image_of(size))[None, None].to(memory_format=layout)
    with torch.inference_mode():
        if way == "scripted":
            theirs = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(theirs, image)))
        elif way == "compiled":
            theirs = torch.compile(theirs)

    def call():
        with torch.inference_mode():
            return theirs(image).numpy()

    call()
    return call


def job(size: int, goal: float) -> Job:
    def torch_as(name, **options):
        return Contender(f"PyTorch, {name}", functools.partial(prepare_torch, size, **options), sample)

    return Job(
        name=f"inference-{size}",
        title=f"inference, {size}x{size} image, 8 layers of 64 channels",
        goal=goal,
        contenders=(
            Contender("refimpl", functools.partial(prepare_refimpl, size), sample, ours=True),
            torch_as("eager"),
            torch_as("eager, channels last", channels_last=True),
            torch_as("eager, without oneDNN", onednn=False),
            torch_as("frozen", way="scripted"),
            torch_as("frozen, channels last", way="scripted", channels_last=True),
            torch_as("compiled", way="compiled"),
            torch_as("compiled, channels last", way="compiled", channels_last=True),
        ),
        tolerance=1e-4,
        why="eight layers in float32, each with a relative error of some 1e-6; a wrong tap is an error of 1e-2",
        flops=2.0 * size * size * (6 * 9 * 64 * 64 + 2 * 9 * 64),
    )


JOBS = (job(512, 3.2), job(1024, 3.2))
