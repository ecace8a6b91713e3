"""Training on the one coarse map (Eq. 2, Fig. 8; D11-D15): a crop a step, L1 loss, Adam, until the rate reaches 1e-6.

    loss = mean over the valid cells of |network(son interpolated) - father|                    (Eq. 2)

The network trains in float32 (or in the dtype of its first weights).  Draws are made in this order: the first weights,
the fixed crops, then scale, corner and turn of each step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from refimpl.errors import InputError
from refimpl.method.adam import BETA1, BETA2, EPSILON, adam_step
from refimpl.method.network import Network, forward, initialise, loss_and_gradients
from refimpl.method.schedule import LearningRatePolicy
from refimpl.method.settings import UpscaleSettings
from refimpl.method.training_pairs import Draw, Level, Tape, cut, draw_crop, draw_fixed_crops, training_pair

FIXED_CROPS = 16
"""Crops on which the reconstruction error is measured (D12)."""


@dataclass
class TrainingState:
    """A training between two steps: all that the next step depends on, but the map and the generator.

    ``network`` and Adam's ``moments`` (2, n) are of one dtype and change in place; ``draws`` are the crops taken, the
    fixed ones first; ``rows`` are loss, rate and error of each step.
    """

    network: Network
    moments: np.ndarray
    policy: LearningRatePolicy
    draws: list[Draw]
    rows: list[tuple[float, float, float]]

    @property
    def step(self) -> int:
        """How many steps are done."""
        return len(self.rows)


@dataclass(frozen=True)
class History:
    """What happened at each step; four arrays of shape (steps,).

    ``loss`` is the L1 loss of the step's crop in image units, before the update; ``learning_rate`` that of the update;
    ``reconstruction_error`` is that after the update, nan where it was not measured.
    """

    step: np.ndarray
    loss: np.ndarray
    learning_rate: np.ndarray
    reconstruction_error: np.ndarray


@dataclass(frozen=True)
class Trained:
    """A trained network, the history of its training and the tape of the draws that shaped it."""

    network: Network
    history: History
    tape: Tape


def train(
    levels: Sequence[Level], size: int, settings: UpscaleSettings, rng: np.random.Generator,
    network: Network | None = None, tape: Tape | None = None, state: TrainingState | None = None,
    after_step: Callable[[TrainingState], None] | None = None,
) -> Trained:  # fmt: skip
    """Train a network on crops of size x size cells of the map's ``levels``.

    Parameters
    ----------
    levels : the linear image in its scales (``pyramid``); the curve of D09 is applied to each crop.
    network, tape : replace the first weights (they are not changed) and every draw of a crop; the tape's last row ends
        the training at the latest.
    state : a training to go on with instead; it is changed.
    after_step : called after every step with the state.

    Raises
    ------
    InputError
        The tape does not fit the map, or training diverges.

    >>> from refimpl.method.training_pairs import pyramid
    >>> settings = UpscaleSettings(layers=2, channels=8, max_steps=3)
    >>> levels = pyramid(np.eye(8, dtype=np.float32), np.ones((8, 8), bool), 8)
    >>> trained = train(levels, 8, settings, np.random.default_rng(1))
    >>> trained.network.parameters.shape, trained.history.step.tolist()
    ((144,), [1, 2, 3])
    """
    state = state or first_state(levels, settings, rng, network, tape)
    network, policy, given = state.network, state.policy, tape.training if tape else ()
    fixed = [training_pair(*cut(levels, draw, size), settings) for draw in state.draws if draw.step == 0]
    last = min(settings.max_steps, len(given)) if tape else settings.max_steps
    while state.step < last and not policy.finished:
        step = state.step + 1
        draw = given[step - 1] if tape else draw_crop(levels, rng, step)
        loss, gradients = loss_and_gradients(network, *training_pair(*cut(levels, draw, size), settings))
        if not np.isfinite(loss):
            raise InputError(f"upscale.learning_rate: training diverged at step {step} (the loss is {loss}); choose a "
                             f"rate below {policy.rate:g}")  # fmt: skip
        rate, error = policy.rate, float("nan")
        adam_step(network.parameters, gradients.parameters, *state.moments, step, rate, BETA1, BETA2, EPSILON)
        if policy.measures(step):
            error = reconstruction_error(network, fixed, settings.policy_loss)
            policy.record(step, error)
        policy.advance(step)
        state.draws.append(draw)
        state.rows.append((loss, rate, error))
        if after_step:
            after_step(state)
    columns = np.array(state.rows).reshape(-1, 3).T.copy()
    return Trained(network, History(np.arange(1, state.step + 1), *columns), Tape(tuple(state.draws)))


def generator_of(seed: int, doubling: int) -> np.random.Generator:
    """The random numbers of a doubling, counted from 1 (D17): the first has the seed itself, each later one its own.

    >>> [int(generator_of(7, doubling).integers(100)) for doubling in (1, 2)]
    [94, 28]
    """
    return np.random.Generator(np.random.PCG64(seed if doubling == 1 else (seed, doubling)))


def dtype_of(network: Network | None) -> np.dtype:
    """The dtype of a training: that of its first weights, by default float32.

    >>> dtype_of(None)
    dtype('float32')
    """
    return np.dtype(np.float32) if network is None else network.parameters.dtype


def first_state(
    levels: Sequence[Level], settings: UpscaleSettings, rng: np.random.Generator, network: Network | None = None,
    tape: Tape | None = None,
) -> TrainingState:  # fmt: skip
    """Before the first step: first weights (D11) and fixed crops (D12), drawn where they are not given.

    >>> start = Network(np.zeros(144), depth=2, channels=8)
    >>> state = first_state([], UpscaleSettings(layers=2, channels=8), None, start, Tape((Draw(0, 1.0, 0, 0, 0),)))
    >>> state.step, state.moments.shape, len(state.draws)
    (0, (2, 144), 1)
    """
    shape = settings.layers, settings.channels, settings.bias
    start = network or initialise(rng, *shape, settings.initialisation)
    given = start.depth, start.channels, start.bias
    if given != shape:
        raise ValueError(f"the first weights are of (layers, channels, bias) {given}, the settings say {shape}")
    fixed = tape.fixed if tape else draw_fixed_crops(levels, rng, FIXED_CROPS)
    moments = np.zeros((2, start.parameters.size), start.parameters.dtype)
    policy = LearningRatePolicy(settings.learning_rate, settings.final_rate)
    return TrainingState(start.like(start.parameters.copy()), moments, policy, list(fixed), [])


def reconstruction_error(network: Network, pairs: list, kind: str = "l1") -> float:
    """Mean over the valid cells of all pairs of |output - father| ("l1") or its square ("mse") (D12).

    >>> network = Network(np.zeros(144), depth=2, channels=8)  # finds no residual
    >>> float(reconstruction_error(network, [(np.zeros((1, 2)), np.array([[3.0, 9.0]]), np.array([[True, False]]))]))
    3.0
    """
    total, count = 0.0, 0
    for image, father, valid in pairs:
        error = np.abs(forward(network, image) - father)
        total += float(np.sum(error if kind == "l1" else error * error, where=valid, dtype=np.float64))
        count += np.count_nonzero(valid)
    return total / count
