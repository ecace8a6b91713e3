"""Training from given weights and crops (Fig. 8; D11-D16): autograd and torch.optim.Adam in float64, step after step.

Ten steps and more follow one path only because weights and crops are given; the limits stand far above what rounding
does to that path (the same steps from an image changed by 1e-15 were tried) and far below what a bug does.
"""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from tests.oracles import suite
from tests.oracles import torch_method as method

S = method.Settings

FLAGS = {
    "train-mask-ignored": "Invalid cells take part in the loss, or in the coarsened crop, with their 0.",
    "train-scale-ignored": "The crop is cut from the full map whatever the scale, or from a level of another size.",
    "train-half-up": "Sizes of the pyramid's levels are rounded half up: 0.5 x 21 makes 11, not 10.",
    "train-turn-ignored": "Crops are not rotated and mirrored, or not as the tape says.",
    "train-corner-swapped": "Row and column of the crop's corner change places.",
    "train-moments-lost": "Adam starts anew at each step, or counts its steps from 0.",
    "train-loss-after-update": "The loss that is reported is that after the step.",
    "train-error-before-update": "The reconstruction error of step 50 is measured before the update of step 50.",
    "train-error-mean-of-means": "The reconstruction error is the mean over crops of each crop's mean, so that a cell "
    "of a crop with few valid cells counts more.",
    "train-policy-loss-ignored": "The error that the policy follows is not of the kind asked for.",
    "train-mse": "The network is trained on squares where only the policy's error is to be squared.",
    "train-downsampling-ignored": "The crop is coarsened by another kernel than is asked for.",
    "train-curve-before-mean": "The curve is applied before coarsening: the mean of logarithms is not the logarithm of "
    "the mean, and the network learns to overshoot peaks.",
    "train-target-linear": "The target is not under the curve that the input is under.",
    "train-crop-odd": "A map smaller than the crop is taken whole although its side is odd, or is refused.",
    "train-rate-kept": "The learning rate never falls.",
    "train-rate-early": "The rate falls although the error does, or before the 257th step.",
    "train-no-end": "Training goes on where the rate would reach its final value.",
}

ASKED = ("layers", "channels", "bias", "crop", "pyramid", "downsampling", "transform", "learning_rate", "final_rate",
         "policy_loss")  # fmt: skip


def scene(case_id: str, shape: tuple[int, int], hole: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """An image in [0, 1] with smooth hills, sharp spots and a little noise, and its valid cells."""
    rng = suite.rng(f"{case_id}: image")
    y, x = np.mgrid[: shape[0], : shape[1]]
    image = 0.02 * rng.random(shape)
    for _ in range(12):
        row, col, width = rng.random() * shape[0], rng.random() * shape[1], 0.6 + 3 * rng.random()
        image += rng.random() * np.exp(-((y - row) ** 2 + 0.6 * (x - col) ** 2) / width**2)
    valid = np.ones(shape, bool)
    if hole:
        valid[:3, 2:6], valid[-4:, -3:], valid[7, 9] = False, False, False
    image = image / image.max()
    return np.where(valid, image, 0.0).round(12), valid


def draw_tape(case_id: str, shape, s: S, fixed: int, steps: int) -> dict[str, list]:
    """Crops of step 0, then of each step; scales, corners and turns change with the step."""
    rng, size, rows = suite.rng(f"{case_id}: tape"), method.crop_size(shape, s.crop), []
    levels = [scale for scale in method.SCALES if min(round(scale * n) for n in shape) >= size] if s.pyramid else [1.0]
    for number in range(fixed + steps):
        step = max(0, number - fixed + 1)
        scale = levels[step % len(levels)] if step else 1.0
        row, col = (int(rng.integers(round(scale * n) - size + 1)) for n in shape)
        rows.append((step, scale, row, col, (3 * step) % 8))
    names = ("step", "scale", "row", "column", "turn")
    return {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def inputs_of(image, valid, parameters, tape) -> dict[str, object]:
    """The four files."""
    return {"image.npy": image, "valid.npy": valid, "parameters.npy": parameters, "tape.csv": tape}


def parameters_of(s: S) -> dict[str, object]:
    """What differs from the contract's defaults, and the network's shape."""
    default = asdict(S())
    named = ("layers", "channels", "bias", "crop")
    return {n: v for n, v in asdict(s).items() if n in ASKED and (n in named or v != default[n])}


def train_case(
    name, title, s: S, shape, flags, why, *, fixed=2, steps=10, hole=False, references=(), dtype=float, given=None
) -> suite.Case:
    """A case of ``train_steps``; ``given`` is an image and a tape in place of drawn ones."""
    case_id = f"train-{name}"
    image, valid = scene(case_id, shape, hole)
    image, tape = given or (image.astype(dtype), draw_tape(case_id, shape, s, fixed, steps))
    parameters = method.draw_parameters(suite.rng(case_id), s.layers, s.channels, s.bias).astype(dtype)
    trained, losses = method.train(image.astype(float), valid, parameters, tape, s)
    single = dtype is np.float32
    outputs = {
        "trained.npy": suite.Output(trained.astype(dtype), *(("rms", 1e-3) if single else ("scaled", 1e-12)), why),
        "losses.csv": suite.Output(losses, "rel", 1e-5 if single else 1e-12, why),
    }
    how = "conv2d, autograd and torch.optim.Adam in float64 on crops made with dense resize matrices."
    return suite.Case(
        case_id, title, "zssr", "train_steps", ("Eq. 2", "Fig. 8", "D11", *references), flags, "pytorch-float64", how,
        parameters_of(s), inputs_of(image, valid, parameters, tape), outputs,
    )  # fmt: skip


SHORT = "float64: rounding makes 1e-15 in ten steps, and an image changed by 1e-15 no more; a bug makes 1e-3"
SINGLE = (
    "float32: PyTorch's own is 3e-7 away, rms, and 1e-7 in the loss; each parameter whose gradient is so near 0 that "
    "rounding turns its sign adds up to 6e-5, a hundred of them 6e-4; no step at all is 1.4e-2 away"
)


def short() -> list[suite.Case]:
    """One step, ten and sixty."""
    small = S(3, 8, False, crop=10)
    pyramid = ("train-scale-ignored", "train-turn-ignored", "train-corner-swapped", "train-moments-lost")
    return [
        train_case("one-step", "One step with biases", S(2, 8, True, crop=8), (10, 13),
                   ("train-loss-after-update", "train-mse"), SHORT, fixed=1, steps=1, references=("D15",)),
        train_case("ten-steps", "Ten steps over the whole pyramid and all turns, with invalid cells", small, (20, 21),
                   (*pyramid, "train-half-up", "train-mask-ignored"), SHORT, hole=True,
                   references=("D14", "D15", "D16")),
        train_case("ten-steps-bicubic", "Ten steps with bicubic downsampling, with invalid cells",
                   S(3, 8, False, crop=10, downsampling="bicubic"), (21, 20), ("train-downsampling-ignored",), SHORT,
                   hole=True, references=("D16",)),
        train_case("ten-steps-log", "Ten steps under the logarithm", S(3, 8, True, crop=8, transform="log"), (16, 19),
                   ("train-curve-before-mean", "train-target-linear"), SHORT, references=("D09",)),
        train_case("ten-steps-sqrt", "Ten steps under the square root, with invalid cells",
                   S(2, 8, False, crop=12, transform="sqrt"), (17, 18),
                   ("train-curve-before-mean", "train-target-linear", "train-mask-ignored"), SHORT, hole=True,
                   references=("D09",)),
        train_case("small-map", "A map smaller than the crop, of odd height: crops of 10 x 10", S(2, 8, False, crop=64),
                   (11, 14), ("train-crop-odd",), SHORT, steps=3, references=("D15",)),
        train_case("sixty-steps", "The reconstruction error at step 50, over crops with and without holes", small,
                   (15, 18), ("train-error-before-update", "train-error-mean-of-means"), SHORT, fixed=3, steps=60,
                   hole=True, references=("D12", "D15")),
        train_case("sixty-steps-mse", "The policy's error squared, the training's loss not",
                   S(2, 8, False, crop=8, policy_loss="mse"), (13, 12),
                   ("train-policy-loss-ignored", "train-mse"), SHORT, fixed=3, steps=60, references=("D12",)),
        train_case("one-step-published-size", "One step of the published network in float32", S(8, 64, False, crop=12),
                   (14, 16), ("train-loss-after-update", "train-turn-ignored"), SINGLE, fixed=1, steps=1,
                   dtype=np.float32, references=("D10",)),
    ]  # fmt: skip


LONG = (
    "float64: rounding makes 1e-14 in 320 steps, and an image changed by 1e-15 no more; the slope's sign is clear, so "
    "that no rounding turns the decision; a bug makes 1e-3"
)


def two_sides(trained: tuple[int, int], judged: tuple[int, int]) -> tuple[np.ndarray, dict]:
    """Waves in columns 0 to 13, noise beyond; 8 x 8 crops to train on and two to measure on, in ranges of columns."""
    rng = suite.rng("train: two sides")
    y, x = np.mgrid[:12, :26]
    waves = 0.5 + 0.4 * np.sin(1.1 * x + 0.4 * y) * np.cos(0.7 * y)
    image = np.where(x < 14, waves, rng.random((12, 26))).round(6)
    ranges = [(0, judged)] * 2 + [(step, trained) for step in range(1, 321)]
    rows = [(step, 1.0, int(rng.integers(5)), int(rng.integers(a, b - 7)), step % 8) for step, (a, b) in ranges]
    names = ("step", "scale", "row", "column", "turn")
    return image, {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def long() -> list[suite.Case]:
    """320 steps: what the reconstruction error does to the learning rate."""
    s = S(2, 8, False, crop=8, pyramid=False)
    waves, noise = (0, 14), (14, 26)
    found = []
    for name, title, settings, judged, flags in (
        ("rate-falls", "Trained on waves, judged on noise: the error rises, and the rate falls at step 300", s, noise,
         ("train-rate-kept",)),
        ("rate-stays", "Trained and judged on waves: the error falls, and the rate stays", s, waves,
         ("train-rate-early",)),
        ("ends", "As the rate would reach its final value at step 300, training ends there",
         S(2, 8, False, crop=8, pyramid=False, final_rate=1e-4), noise, ("train-no-end",)),
    ):  # fmt: skip
        given = two_sides(waves, judged)
        references = ("D12", "D13")
        case = train_case(name, title, settings, (12, 26), flags, LONG, references=references, given=given)
        losses = case.outputs["losses.csv"].value
        assert (len(losses["step"]), losses["learning_rate"][-1]) == {
            "rate-falls": (320, 1e-4), "rate-stays": (320, 1e-3), "ends": (300, 1e-3),
        }[name]  # fmt: skip
        found.append(case)
    return found


def refusals() -> list[suite.Case]:
    """Everything right but for one thing."""
    s = S(2, 8, False, crop=8)
    image, valid = scene("train-refusals", (12, 14))
    parameters = method.draw_parameters(suite.rng("train-refusals"), 2, 8)
    tape = {"step": [0, 1, 2], "scale": [1.0, 0.9, 1.0], "row": [0, 3, 4], "column": [6, 2, 5], "turn": [0, 5, 2]}
    right, shape = inputs_of(image, valid, parameters, tape), parameters_of(s)
    scattered = np.zeros((12, 14), bool)
    scattered[::3, ::2] = True
    tapes = (
        ("steps-out-of-order", "step 2 comes before step 1", {"step": [0, 2, 1]}, ["step", "tape"], "D12"),
        ("step-left-out", "step 2 is not on the tape", {"step": [0, 1, 3]}, ["step", "tape"], "D12"),
        ("crop-beyond-the-map", "rows 5 to 12 of 12 rows", {"row": [0, 3, 5]}, ["tape", "row"], "D15"),
        ("crop-beyond-its-level", "columns 6 to 13 of the level of 13 columns", {"column": [6, 6, 5]},
         ["tape", "column"], "D14"),
        ("negative-row", "a crop that begins above the map", {"row": [0, 3, -1]}, ["tape", "row"], "D15"),
        ("unknown-scale", "0.95 is no scale of the pyramid", {"scale": [1.0, 0.95, 1.0]}, ["tape", "scale"], "D14"),
        ("level-too-small", "at 0.5 the map is 6 x 7, no room for a crop of 8", {"scale": [1.0, 0.5, 1.0],
         "row": [0, 0, 4], "column": [6, 0, 5]}, ["tape", "scale"], "D14"),
        ("turn-nine", "turns are 0 to 7", {"turn": [0, 9, 2]}, ["tape", "turn"], "D14"),
    )  # fmt: skip
    without_turn = {name: column for name, column in tape.items() if name != "turn"}
    others = (
        ("tape-without-turn", "column turn is missing", {}, {"tape.csv": without_turn}, ["turn", "tape"], "D14"),
        ("no-pyramid", "scale 0.9 without the pyramid", {"pyramid": False}, {}, ["tape", "scale", "pyramid"], "D14"),
        ("odd-crop", "crop is 7", {"crop": 7}, {}, ["crop"], "D15"),
        ("final-rate-above-first", "final_rate is not below learning_rate", {"final_rate": 1e-3}, {},
         ["final_rate", "learning_rate"], "D13"),
        ("unknown-policy-loss", "policy_loss is l2", {"policy_loss": "l2"}, {}, ["policy_loss"], "D12"),
        ("unknown-downsampling", "downsampling is nearest", {"downsampling": "nearest"}, {}, ["downsampling"], "D16"),
        ("valid-of-another-shape", "the mask has a column less", {}, {"valid.npy": valid[:, 1:]}, ["valid"], "D15"),
        ("scattered-cells", "no crop has half of its cells valid", {},
         {"valid.npy": scattered, "image.npy": image * scattered}, ["image", "valid", "crop"], "D15"),
        ("weights-of-three-layers", "parameters of two layers for three", {"layers": 3}, {}, ["parameters"], "D10"),
    )  # fmt: skip
    on_tape = [(name, why, {}, {"tape.csv": tape | change}, *rest) for name, why, change, *rest in tapes]
    return [
        suite.refused(f"train-refuses-{name}", None, "zssr", "train_steps", ("Fig. 8", decision), fields, why,
                      right | change, shape | given)
        for name, why, given, change, fields, decision in (*on_tape, *others)
    ]  # fmt: skip


def cases() -> list[suite.Case]:
    """All of the training."""
    return [*short(), *long(), *refusals()]
