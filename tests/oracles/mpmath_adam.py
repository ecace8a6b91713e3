"""Adam in 50 digits, from algorithm 1 of Kingma & Ba 2015; ten steps and float32 by torch.optim.Adam."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import torch
from mpmath import MPContext

from tests.oracles import suite

mp = MPContext()
mp.dps = 50

FLAGS = {
    "adam-without-bias-correction": "Moments are not divided by 1 - beta^step: the first steps are "
    "three times too large or, without that of the first moment alone, ten times too small.",
    "adam-epsilon-inside-root": "epsilon stands inside of the root: sqrt(v + epsilon) is 1e-4 at least.",
    "adam-epsilon-uncorrected": "epsilon is added to the root of the uncorrected moment (the paper's short "
    "form): small gradients take smaller steps at first.",
    "adam-step-from-zero": "The step is counted from 0, or not at all: bias correction divides by 0 or stands still.",
    "adam-settings-ignored": "Betas, epsilon or rate are the usual ones, whatever is asked.",
    "adam-skips-zero-gradient": "A parameter whose gradient is 0 is left out of the step, although it has "
    "momentum.",
    "adam-first-moment-only": "The second moment is of the gradients, not of their squares, or decays with beta1.",
}


def adam_exact(parameters, gradients, rate, beta1, beta2, epsilon):
    """Algorithm 1 of Kingma & Ba with 50 digits, from the float64 values of its settings."""
    rate, beta1, beta2, epsilon = (mp.mpf(number) for number in (rate, beta1, beta2, epsilon))
    updated, first, second = [], [], []
    for place, theta in enumerate(parameters):
        theta, m, v = mp.mpf(float(theta)), mp.mpf(0), mp.mpf(0)
        for step, g in enumerate(gradients[:, place], start=1):
            g = mp.mpf(float(g))
            m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
            theta -= rate * (m / (1 - beta1**step)) / (mp.sqrt(v / (1 - beta2**step)) + epsilon)
        updated, first, second = [*updated, float(theta)], [*first, float(m)], [*second, float(v)]
    return np.array(updated), np.array(first), np.array(second)


def adam_torch(parameters, gradients, rate, beta1, beta2, epsilon):
    """torch.optim.Adam, the plain loop over tensors."""
    leaf = torch.tensor(parameters, requires_grad=True)
    adam = torch.optim.Adam([leaf], lr=rate, betas=(beta1, beta2), eps=epsilon, foreach=False)
    for row in gradients:
        leaf.grad = torch.tensor(row)
        adam.step()
    state = adam.state[leaf]
    return leaf.detach().numpy(), state["exp_avg"].numpy(), state["exp_avg_sq"].numpy()


ADAM_DEFAULTS = {"rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}


def adam_case(name, title, parameters, gradients, flags, oracle="mpmath", limits=(1e-14, 1e-12), **given) -> suite.Case:
    """A case of ``adam``: float64's rounding of 1 - beta^step, some 1e-13, decides the limit."""
    settings = tuple((ADAM_DEFAULTS | given).values())
    solve = adam_exact if oracle == "mpmath" else adam_torch
    answer = solve(parameters.astype(float), gradients.astype(float), *settings)
    why = "parameters near 1 move by the rate, known to 1e-13 of it; float32 is 1e-7 of its numbers"
    of_moments = "sums of a few products; bugs cost 1e-3 at least" if limits[1] < 1e-9 else "float32: a few 1e-7"
    how = "torch.optim.Adam, foreach=False." if solve is adam_torch else "Algorithm 1 of Kingma & Ba with 50 digits."
    names = ("updated.npy", "first_moment.npy", "second_moment.npy")
    outputs = {
        file: suite.Output(array.astype(parameters.dtype), "scaled" if file == "updated.npy" else "rel", limit, reason)
        for file, array, limit, reason in zip(names, answer, (limits[0], *limits[1:] * 2), (why, *[of_moments] * 2),
                                              strict=True)
    }  # fmt: skip
    inputs = {"parameters.npy": parameters, "gradients.npy": gradients}
    return suite.Case(f"adam-{name}", title, "zssr", "adam", ("D11",), flags, oracle, how, given, inputs, outputs)


def adams() -> list[suite.Case]:
    """Steps of Adam, from one to ten."""
    start = np.array([1.0, -0.5, 0.25, 0.75])
    plain = np.array([[8.0, -0.25, 0.5, -3.0]])
    tiny = np.array([[1e-8, -3e-9, 2e-10, 1e-6], [2e-8, 1e-9, -1e-10, -5e-7]])
    stops = np.array([[0.5, -2.0, 0.125, 0.0], [0.0, 0.0, 0.25, 0.0], [0.0, 0.0, 0.0, 0.0]])
    rng = suite.rng("adam-ten-steps")
    ten = rng.normal(0, [1.0, 1e-3, 1e-6, 30.0, 0.2, 4.0], (10, 6)).round(9)
    six = rng.normal(0, 1, 6).round(6)
    correction = ("adam-without-bias-correction", "adam-step-from-zero", "adam-first-moment-only")
    small = ("adam-epsilon-inside-root", "adam-epsilon-uncorrected")
    ignored = ("adam-settings-ignored",)
    return [
        adam_case("one-step", "The first step is the rate, whatever the gradient", start, plain, correction),
        adam_case("two-steps", "Two steps with gradients of both signs", start,
                  np.array([[0.5, -2.0, 0.125, 3.0], [0.25, 1.0, -0.5, 3.0]]), correction),
        adam_case("ten-steps", "Ten steps of gradients of all sizes", six, ten, (*correction, *small),
                  "pytorch-float64"),
        adam_case("tiny-gradients", "Gradients of the size of epsilon", start * 1e-3, tiny, small,
                  limits=(1e-12, 1e-12)),
        adam_case("gradient-stops", "Momentum goes on where the gradient becomes 0", start, stops,
                  ("adam-skips-zero-gradient",)),
        adam_case("other-settings", "Rate, betas and epsilon are all given", start, np.concatenate([plain, -plain / 4]),
                  ignored, rate=0.02, beta1=0.5, beta2=0.875, epsilon=0.0625),
        adam_case("betas-zero", "Without memory, a step is rate x g / (|g| + epsilon)", start,
                  np.concatenate([plain, plain * 0.5 - 1]), ignored, beta1=0.0, beta2=0.0, epsilon=0.5),
        adam_case("float32", "Five steps in float32", six.astype(np.float32), ten[:5].astype(np.float32),
                  correction[:1], "pytorch-float64", (1e-6, 1e-5)),
    ]  # fmt: skip


def refusals() -> list[suite.Case]:
    """What Adam refuses."""
    one, two = np.array([0.5, -1.0, 2.0]), np.array([[0.25, 1.0, -1.0], [1.0, 0.5, 0.25]])
    of_adam = (
        ("rate-zero", "rate is 0", {"rate": 0.0}, two, ["rate"]),
        ("negative-rate", "rate is below 0", {"rate": -1e-3}, two, ["rate"]),
        ("beta1-one", "beta1 is 1: the first moment never moves", {"beta1": 1.0}, two, ["beta1"]),
        ("beta2-negative", "beta2 is below 0", {"beta2": -0.5}, two, ["beta2"]),
        ("gradients-for-others", "gradients of four parameters for three", {}, two[:, [0, 1, 2, 0]],
         ["gradients", "parameters"]),
        ("nan-gradient", "a gradient is NaN", {}, two * [1.0, np.nan, 1.0], ["gradients"]),
    )  # fmt: skip
    return [
        suite.refused(f"adam-refuses-{name}", None, "zssr", "adam", ("D11",), fields, why,
                      {"parameters.npy": one, "gradients.npy": g}, given)
        for name, why, given, g, fields in of_adam
    ]  # fmt: skip


def check_hand() -> None:
    """Adam's second step for one parameter, in fractions where it has no root: a check on ``adam_exact``."""
    m = Fraction(9, 10) * Fraction(1, 10) * Fraction(1, 2) + Fraction(1, 10) * Fraction(1, 4)
    first = adam_exact(np.array([1.0]), np.array([[0.5], [0.25]]), *ADAM_DEFAULTS.values())[1][0]
    assert abs(first - float(m)) < 1e-15


def cases() -> list[suite.Case]:
    """All of Adam."""
    check_hand()
    return [*adams(), *refusals()]
