"""Operations of stage zssr on training: the learning rate, and steps from given weights and crops."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from refimpl.conformance.operations.network import network_of
from refimpl.conformance.operations.reading import given, image, naming, table, whole
from refimpl.conformance.task import Task
from refimpl.errors import InputError
from refimpl.formats.tape import read_tape
from refimpl.method.schedule import LearningRatePolicy
from refimpl.method.settings import UpscaleSettings, validate
from refimpl.method.training import Trained
from refimpl.method.training_pairs import Tape
from refimpl.windows.whole_maps import train_image


def settings_of(task: Task, **known: object) -> UpscaleSettings:
    """The task's settings of the super-resolution, with refimpl's defaults for the rest, checked."""
    return validate(UpscaleSettings(**given(task, *(option.name for option in fields(UpscaleSettings))), **known))


def learning_rate(task: Task) -> dict:
    """D12, D13: the learning rate by step."""
    settings, steps = settings_of(task), whole(task, "steps")
    if steps < 1:
        raise InputError(f"steps is {steps}; expected 1 or more")
    errors = table(task, "errors", "step", "error")
    rows = list(zip(errors.integers("step").tolist(), errors.numbers("error").tolist(), strict=True))
    listed, policy = (LearningRatePolicy(settings.learning_rate, settings.final_rate) for _ in range(2))
    for row in rows:
        listed.record(*row)
    return {"rates": rates(policy, dict(rows), steps)}


def rates(policy: LearningRatePolicy, errors: dict[int, float], steps: int) -> dict:
    """The first rate, each change, and the end of the training if it comes before ``steps``."""
    found = [(0, policy.rate)]
    for step in range(1, steps + 1):
        if step in errors:
            policy.record(step, errors[step])
        policy.advance(step)
        if policy.finished:
            found.append((step, 0.0))
            break
        if policy.rate != found[-1][1]:
            found.append((step, policy.rate))
    return dict(zip(("step", "rate"), zip(*found, strict=True), strict=False))


def tape_of(task: Task) -> Tape:
    """The input ``tape.csv``."""
    with naming("tape"):
        return read_tape(task.path("tape"))


def train_steps(task: Task) -> dict:
    """Eq. 2, D11-D15: a training from given weights and crops."""
    values, valid = image(task)
    tape, network = tape_of(task), network_of(task, values.dtype)
    settings = settings_of(task, max_steps=len(tape.training))
    return outputs(train_image(values, valid, settings, np.random.default_rng(0), tape=tape, network=network))


def outputs(found: Trained) -> dict:
    """The parameters and the losses of a training."""
    names = ("step", "loss", "learning_rate", "reconstruction_error")
    return {"trained": found.network.parameters, "losses": {name: getattr(found.history, name) for name in names}}


OPERATIONS = {"learning_rate": learning_rate, "train_steps": train_steps}
