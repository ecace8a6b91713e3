"""A checkpoint: the state of a training in a file, from which it goes on bit for bit.

A step depends on the image, the settings and the state that is kept here: weights, both moments of Adam, the learning
rate's schedule, the crops taken and the generator that draws them.  The file is NumPy's ``.npz``, not compressed, with
a checksum for each array.  It is replaced as a whole, so that a complete file is always there.

========== ============ ==================================================================================
array      shape        what
========== ============ ==================================================================================
about      ()           JSON: ``format``, ``key``, ``facts``, and the states of ``generator`` and ``schedule``
parameters (n,)         weights and biases, in the dtype of the training
moments    (2, n)       Adam's, in that dtype
draws      (k, 4)       int64: step, row, column and turn of each crop, the fixed ones (step 0) first
scales     (k,)         float64: scale of each crop
history    (steps, 3)   float64: loss, learning rate and reconstruction error of each step
========== ============ ==================================================================================
"""

from __future__ import annotations

import json
import os
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from refimpl.errors import DataWarning
from refimpl.formats.files import atomic_path
from refimpl.method.network import Network, parameter_count
from refimpl.method.schedule import LearningRatePolicy
from refimpl.method.settings import UpscaleSettings
from refimpl.method.training import TrainingState
from refimpl.method.training_pairs import Draw

FORMAT = 1
EVERY = 200
"""Steps between two checkpoints: some 15 seconds of work; writing a checkpoint takes less than 1 % of that."""
MOVING = ("rate", "last_change", "finished", "steps", "errors")
"""The fields of the learning rate's policy that change while a network trains."""


class Resumed(NamedTuple):
    """The saved state of a training, and the saved state of its bit generator."""

    state: TrainingState
    generator: dict


@dataclass(frozen=True)
class Checkpoint:
    """The file that a training is saved in, and every how many steps; ``key`` names all that shapes the training.

    A file with another key belongs to another training, and is overwritten.
    """

    path: Path
    key: str
    every: int = EVERY

    def __post_init__(self):
        if self.every < 1:
            raise ValueError(f"every is {self.every}, expected 1 step or more between two checkpoints")

    def save(self, state: TrainingState, facts: dict, rng: np.random.Generator) -> None:
        """Save the state and that of ``rng``; ``facts`` (texts and numbers) are compared when it is loaded.

        Raises
        ------
        InputError
            The file cannot be written; the previous one stays.
        """
        schedule = {name: getattr(state.policy, name) for name in MOVING}
        about = {"format": FORMAT, "key": self.key, "facts": facts}
        about |= {"generator": rng.bit_generator.state, "schedule": schedule}
        draws = np.array([(draw.step, draw.row, draw.column, draw.turn) for draw in state.draws], np.int64)
        arrays = {
            "about": np.array(json.dumps(about, default=np.ndarray.tolist)),
            "parameters": state.network.parameters,
            "moments": state.moments,
            "draws": draws.reshape(-1, 4),
            "scales": np.array([draw.scale for draw in state.draws], np.float64),
            "history": np.array(state.rows, np.float64).reshape(-1, 3),
        }
        with atomic_path(self.path) as temporary, open(temporary, "wb") as handle:
            np.savez(handle, **arrays)

    def load(self, facts: dict, settings: UpscaleSettings, rng: np.random.Generator) -> Resumed | None:
        """The training that was saved under this key; None if there is none.

        A file that cannot be used gives a warning and None.  ``rng`` tells the kind of generator; it is not changed.
        """
        if not os.path.exists(self.path):
            return None
        try:
            about, arrays = _read(self.path)
            if about["format"] == FORMAT and about["key"] != self.key:
                return None
            state = _checked(about, arrays, facts, settings)
            type(rng.bit_generator)().state = about["generator"]
            return Resumed(state, about["generator"])
        except Exception as fault:  # a damaged file makes zipfile, NumPy and json raise many kinds
            reason = str(fault) if isinstance(fault, _UnfitError) else "it is damaged"
            sentence = f"{self.path}: this checkpoint cannot be used ({reason}); training starts over"
            warnings.warn(sentence, DataWarning, stacklevel=2)
            return None


class _UnfitError(Exception):
    """The reason why a checkpoint that can be read is not used."""


def _read(path: str | os.PathLike) -> tuple[dict, dict[str, np.ndarray]]:
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    return json.loads(str(arrays.pop("about"))), arrays


def _checked(
    about: dict, arrays: dict[str, np.ndarray], facts: dict, settings: UpscaleSettings
) -> TrainingState:
    """The state, if its parts agree with each other and with ``facts``."""
    if about["format"] != FORMAT:
        raise _UnfitError(f"its format is {about['format']}, expected {FORMAT}")
    for name, value in facts.items():
        if about["facts"].get(name) != value:
            raise _UnfitError(f"its {name} is {about['facts'].get(name)!r}, expected {value!r}")
    parameters, moments, draws, scales, history = (
        arrays[name] for name in ("parameters", "moments", "draws", "scales", "history")
    )
    size = parameter_count(facts["layers"], facts["channels"], facts["bias"])
    count, done = len(draws), len(history)
    shapes = [parameters.shape, moments.shape, draws.shape, scales.shape, history.shape]
    if shapes != [(size,), (2, size), (count, 4), (count,), (done, 3)]:
        raise _UnfitError(f"its arrays have shapes {shapes}")
    kinds = [each.dtype.name for each in (parameters, moments, draws, scales, history)]
    if kinds != [facts["dtype"]] * 2 + ["int64", "float64", "float64"]:
        raise _UnfitError(f"its arrays have types {kinds}")
    if draws[:, 0].tolist() != [0] * (count - done) + list(range(1, done + 1)):
        raise _UnfitError("its steps do not count 0, ..., 0, 1, 2, ...")
    rows = zip(draws.tolist(), scales.tolist())
    policy = LearningRatePolicy(settings.learning_rate, settings.final_rate)
    policy = replace(policy, **{name: about["schedule"][name] for name in MOVING})
    return TrainingState(
        Network(parameters, facts["layers"], facts["channels"], facts["bias"]),
        moments,
        policy,
        [Draw(step, scale, row, column, turn) for (step, row, column, turn), scale in rows],
        [tuple(row) for row in history.tolist()],
    )
