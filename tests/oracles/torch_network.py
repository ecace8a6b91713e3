"""The network of Fig. 8 and its gradients, by hand and by PyTorch in float64.

Hand cases have kernels of a single tap, so that a layer is a shift; the others are conv2d and autograd.
"""

from __future__ import annotations

import numpy as np

from tests.oracles import suite
from tests.oracles import torch_method as method

FLAGS = {
    "network-kernel-flipped": "The kernels are turned by 180 degrees (a true convolution, as scipy.signal and older "
    "frameworks do it): weights trained elsewhere make another map.",
    "network-taps-transposed": "Row and column taps of the kernels change places.",
    "network-in-out-swapped": "Weights are read as [tap, tap, out, in]: channels are mixed up.",
    "network-residual-dropped": "The output is the residual alone; the interpolated image is not added.",
    "network-border-mirrored": "Beyond the edge of the image a layer sees a mirror or copies of the edge, not 0.",
    "network-border-lost": "The convolution has no padding, or the border is padded once for all layers together.",
    "network-relu-missing": "ReLU is missing after the last layer but one, or everywhere.",
    "network-relu-on-last": "ReLU also follows the last layer: the residual can only be positive.",
    "network-depth": "One layer more or less than `layers` says, or always 8.",
    "network-bias-ignored": "Biases are left out, added after the ReLU, or all read from the end of the parameters.",
    "network-single-precision": "The network computes in float32 (or TF32, float16) although it is given float64.",
    "gradient-over-all-cells": "The loss is the mean over all cells of the crop, not over those of the mask.",
    "gradient-mask-ignored": "Cells outside of the mask take part in the loss.",
    "gradient-sign-of-zero": "The derivative of |e| at 0 is taken as 1 or -1, not as 0.",
    "gradient-squared-loss": "The mean of squares is minimised, not of absolute values.",
    "gradient-sign": "The derivative is that of target - output: training climbs.",
    "gradient-of-sum": "The loss or its gradient is not divided by the number of cells.",
    "gradient-without-relu": "The derivative of the ReLU is left out on the way back.",
    "gradient-kernel-not-turned": "On the way back the error is convolved with the kernel as it stands, not turned.",
}

S = method.Settings


def forward_case(name, title, image, parameters, s, flags, fine, limit, why, oracle="pytorch-float64", how=None):
    """A case of ``forward``."""
    return suite.Case(
        f"forward-{name}", title, "zssr", "forward", ("Fig. 8", "D10"), flags, oracle,
        how or "torch.nn.functional.conv2d in float64 with padding 1, ReLU, and the image added.",
        {"layers": s.layers, "channels": s.channels, "bias": s.bias},
        {"image.npy": image, "parameters.npy": parameters},
        {"fine.npy": suite.Output(fine.astype(image.dtype), "scaled", limit, why)},
    )  # fmt: skip


def taps(s: S, *entries) -> np.ndarray:
    """Parameters that are 0 but for (array's number, index, value)."""
    parts = [np.zeros(shape) for shape in method.shapes(s.layers, s.channels, s.bias)]
    for number, index, value in entries:
        parts[number][index] = value
    return np.concatenate([part.ravel() for part in parts])


EXACT = "sums of a few small integers are exact; 1e-13 leaves room for a fast transform (Winograd, FFT)"


def hand_forwards() -> list[suite.Case]:
    """Shifts, biases and the border, by hand."""
    three, two = S(3, 8, False), S(2, 8, True)
    image = np.array([[7, 2, 9, 4, 1], [3, 8, 5, 6, 11], [10, 13, 12, 17, 14], [16, 15, 21, 19, 18]], float)
    # Layers: the neighbour to the right (channel 2), the cell itself (2 to 5), twice the neighbour above.
    shift = taps(three, (0, (1, 2, 0, 2), 1), (1, (1, 1, 2, 5), 1), (2, (0, 1, 5, 0), 2))
    right = np.pad(image, ((0, 0), (0, 1)))[:, 1:]
    shifted = image + 2 * np.pad(right, ((1, 0), (0, 0)))[:-1]
    # max(0, image - 8) x 3 - 20 + image: below 8 the residual is -20, which a last ReLU would hold at 0.
    bias = taps(two, (0, (1, 1, 0, 6), 1), (1, (6,), -8), (2, (1, 1, 6, 0), 3), (3, (0,), -20))
    biased = image + 3 * np.maximum(0, image - 8) - 20
    count = taps(S(2, 8, False), (0, (1, 1, 0, 1), 1), (1, (slice(None), slice(None), 1, 0), 1))
    rows, cols = [2, 3, 2], [2, 3, 3, 3, 2]
    reach = 10 * (1 + np.outer(rows, cols)).astype(float)
    # Two layers of "the neighbour to the left" after "to the right": the first column is lost at the border.
    there_and_back = taps(S(2, 8, False), (0, (1, 2, 0, 0), 1), (1, (1, 0, 0, 0), 1))
    returned = np.array([[4, 6, 0, 2, 5]], float)
    shift_flags = ("network-kernel-flipped", "network-taps-transposed", "network-in-out-swapped")
    bias_flags = ("network-bias-ignored", "network-relu-on-last", "network-relu-missing")
    return [
        forward_case("shift-hand", "Three layers of one tap each shift the image up and right", image, shift, three,
                     (*shift_flags, "network-residual-dropped"), shifted, 1e-13, EXACT, "hand",
                     "image + 2 x image[i - 1, j + 1], 0 beyond the edge."),
        forward_case("bias-hand", "One tap with bias on both sides of the ReLU", image, bias, two, bias_flags, biased,
                     1e-13, EXACT, "hand", "image + 3 max(0, image - 8) - 20."),
        forward_case("border-hand", "A kernel of ones counts the neighbours within the image", np.full((3, 5), 10.0),
                     count, S(2, 8, False), ("network-border-mirrored", "network-border-lost"), reach, 1e-13, EXACT,
                     "hand", "10 + 10 x the number of neighbours: 4 in a corner, 6 on an edge, 9 inside."),
        forward_case("border-every-layer-hand", "Each layer sees zeros beyond its own edge", returned, there_and_back,
                     S(2, 8, False), ("network-border-lost",), returned + np.array([[0, 6, 0, 2, 5]]), 1e-13, EXACT,
                     "hand", "Shifted by one column and back, the image is 0 in the first column: image + that."),
    ]  # fmt: skip


def torch_forwards() -> list[suite.Case]:
    """Random weights, in float64 and float32."""
    found = []
    everything = ("network-kernel-flipped", "network-in-out-swapped", "network-relu-missing", "network-depth")
    wanted = (
        ("three-layers", "Three layers with bias, weights of both signs", S(3, 8, True), (9, 12), float, 1e-13,
         (*everything, "network-bias-ignored", "network-single-precision")),
        ("eight-layers", "Eight layers of eight channels", S(8, 8, False), (11, 7), float, 1e-12,
         (*everything, "network-single-precision")),
        ("one-row", "An image of one row: kernels reach beyond it on both sides", S(3, 8, False), (1, 13), float, 1e-13,
         ("network-border-mirrored", "network-taps-transposed")),
        ("published-size", "The published network, 8 layers of 64 channels, in float32", S(8, 64, False), (16, 20),
         np.float32, 3e-5, everything),
    )  # fmt: skip
    reasons = {
        1e-13: "float64, a few hundred products: 1e-15 in practice",
        1e-12: "float64, eight layers deep: a few 1e-15 in practice; float32 would miss it by 1e5",
        3e-5: "float32, eight layers of up to 576 products each: PyTorch's own float32 is 1e-6 away",
    }
    for name, title, s, shape, dtype, limit, flags in wanted:
        rng = suite.rng(f"forward-{name}")
        image = rng.random(shape).astype(dtype)
        parameters = method.draw_parameters(rng, s.layers, s.channels, s.bias).astype(dtype)
        fine = method.forward(image, parameters, s)
        found.append(forward_case(name, title, image, parameters, s, flags, fine, limit, reasons[limit]))
    return found


def gradient_case(name, title, arrays, parameters, s, flags, answer, limit, why, oracle="pytorch-float64", how=None):
    """A case of ``gradients``; ``arrays`` are image, target, mask, and ``answer`` loss and gradients."""
    image, target, mask = arrays
    return suite.Case(
        f"gradients-{name}", title, "zssr", "gradients", ("Eq. 2", "Fig. 8", "D15"), flags, oracle,
        how or "Autograd of torch's conv2d in float64; the loss is abs() over the mask, its mean.",
        {"layers": s.layers, "channels": s.channels, "bias": s.bias},
        {"image.npy": image, "parameters.npy": parameters, "target.npy": target, "mask.npy": mask},
        {
            "loss.csv": suite.Output({"name": ["loss"], "value": [answer[0]]}, "rel", limit, why),
            "gradients.npy": suite.Output(answer[1].astype(image.dtype), "scaled", limit, why),
        },
    )  # fmt: skip


def hand_gradients() -> suite.Case:
    """Only biases: the network returns image + 0.5, and the gradient counts signs."""
    s = S(2, 8, True)
    parameters = taps(s, (1, (4,), 2.0), (3, (0,), 0.5))
    image = np.array([[1, 2, 3], [4, 5, 6]], float)
    #   output - target:  0.5  0  -3 | 0  -2  (not in the mask)
    target = np.array([[1, 2.5, 6.5], [4.5, 7.5, 99]])
    mask = np.array([[True, True, True], [True, True, False]])
    sign = np.array([[1, 0, -1], [0, -1, 0]]) / 5
    # Channel 4 holds 2 everywhere (0 beyond the edge); a tap (r, s) of the last layer sees the cell at (i+r-1, j+s-1).
    inside = np.pad(np.full((2, 3), 2.0), 1)
    last = [[(sign * inside[r : r + 2, c : c + 3]).sum() for c in range(3)] for r in range(3)]
    slots = [(2, (r, c, 4, 0), last[r][c]) for r in range(3) for c in range(3)]
    answer = 5.5 / 5, taps(s, *slots, (3, (0,), -1 / 5))
    flags = ("gradient-sign-of-zero", "gradient-sign", "gradient-over-all-cells", "gradient-mask-ignored",
             "gradient-of-sum", "gradient-squared-loss")  # fmt: skip
    return gradient_case(
        "signs-hand", "A network of biases alone: the gradient counts signs, and two errors are exactly 0",
        (image, target, mask), parameters, s, flags, answer, 1e-14, "sums of six numbers", "hand",
        "Errors 0.5, 0, -3, 0, -2 over five cells: loss 5.5/5, signs 1 0 -1 0 -1.",
    )  # fmt: skip


def torch_gradients() -> list[suite.Case]:
    """Random weights, targets and masks."""
    found = [hand_gradients()]
    back = ("gradient-without-relu", "gradient-kernel-not-turned", "network-in-out-swapped")
    loss = ("gradient-mask-ignored", "gradient-over-all-cells", "gradient-squared-loss", "gradient-of-sum")
    wanted = (
        ("masked", "Half of the cells are masked out, and their targets are far away", S(3, 8, False), (8, 11), float,
         1e-12, (*back, *loss)),
        ("bias", "Gradients of biases stand after the weights of their layer", S(3, 8, True), (7, 9), float, 1e-12,
         ("network-bias-ignored", *back)),
        ("eight-layers", "Eight layers deep", S(8, 8, False), (12, 10), float, 1e-12,
         (*back, "network-single-precision")),
        ("border-cells", "Only cells of the border count", S(2, 8, False), (5, 6), float, 1e-12,
         ("network-border-mirrored", "gradient-over-all-cells")),
        ("float32", "Four layers of 16 channels in float32", S(4, 16, False), (16, 14), np.float32, 2e-5, back),
    )  # fmt: skip
    for name, title, s, shape, dtype, limit, flags in wanted:
        rng = suite.rng(f"gradients-{name}")
        image, target = rng.random(shape).astype(dtype), rng.random(shape).astype(dtype)
        mask = rng.random(shape) < 0.5
        if name == "border-cells":
            mask = np.pad(np.zeros((shape[0] - 2, shape[1] - 2), bool), 1, constant_values=True)
        target = np.where(mask, target, dtype(50))
        parameters = method.draw_parameters(rng, s.layers, s.channels, s.bias).astype(dtype)
        answer = method.gradients(image, target, mask, parameters, s)
        why = "float64: sums of some hundred products, 1e-15 in practice"
        if dtype is np.float32:
            why = "float32: PyTorch's own float32 is 1e-6 away; no error is so near 0 that rounding turns its sign"
        found.append(gradient_case(name, title, (image, target, mask), parameters, s, flags, answer, limit, why))
    return found


def refusals() -> list[suite.Case]:
    """What the three operations refuse."""
    s = S(2, 8, False)
    shape = {"layers": 2, "channels": 8, "bias": False}
    weights = method.draw_parameters(suite.rng("network-refusals"), 2, 8)
    image = np.arange(12, dtype=float).reshape(3, 4) / 12
    hole, edge = image.copy(), weights.copy()
    hole[1, 2], edge[17] = np.nan, np.inf
    assert weights.size == sum(int(np.prod(part)) for part in method.shapes(s.layers, s.channels, s.bias))
    pair = {"image.npy": image, "parameters.npy": weights}
    triple = pair | {"target.npy": image[::-1], "mask.npy": image > 0.3}
    of_forward = (
        ("a-missing-weight", "one weight too few", {}, {"parameters.npy": weights[:-1]}, ["parameters"]),
        ("weights-for-biases", "biases are asked for, and none given", {"bias": True}, {}, ["parameters"]),
        ("infinite-weight", "a weight is infinite", {}, {"parameters.npy": edge}, ["parameters"]),
        ("nan-image", "NaN in the image", {}, {"image.npy": hole}, ["image"]),
        ("no-layers", "layers is 0", {"layers": 0}, {}, ["layers"]),
        ("three-axes", "an image of three axes", {}, {"image.npy": image[:, :, None]}, ["image"]),
    )
    of_gradients = (
        ("empty-mask", "no cell of the mask is true", {"mask.npy": image > 9}, ["mask"]),
        ("mask-of-another-shape", "the mask is transposed", {"mask.npy": (image > 0.3).T}, ["mask"]),
        ("target-of-another-shape", "the target has a row less", {"target.npy": image[1:]}, ["target"]),
        ("nan-target", "NaN in the target", {"target.npy": hole}, ["target"]),
        ("surplus-weights", "nine weights too many", {"parameters.npy": np.append(weights, edge[:9])},
         ["parameters"]),
    )  # fmt: skip
    return [
        suite.refused(f"forward-refuses-{name}", None, "zssr", "forward", ("Fig. 8",), fields, why, pair | change,
                      shape | given)
        for name, why, given, change, fields in of_forward
    ] + [
        suite.refused(f"gradients-refuses-{name}", None, "zssr", "gradients", ("Eq. 2", "Fig. 8", "D15"), fields, why,
                      triple | change, shape)
        for name, why, change, fields in of_gradients
    ]  # fmt: skip


def cases() -> list[suite.Case]:
    """All of the network."""
    return [*hand_forwards(), *torch_forwards(), *torch_gradients(), *refusals()]
