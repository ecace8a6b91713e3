"""Training on the one coarse map (Fig. 8; D11-D15): a crop a step, L1 loss, Adam, until the rate would reach 1e-6.

The image (rows, cols) is the linear one that ``intensity`` makes of the coarse map; invalid cells hold 0.  The network
trains in float32 (or ``dtype``: float64, to check another implementation's steps).  Draws are made in this order: the
first weights, the fixed crops, then scale, corner and turn of each step.

The image may be larger than memory: ``train_on`` reads a crop from its source when it is drawn.  With a ``Checkpoint``
the training is put away from time to time and at its end, and a later call goes on from there: weights, history, tape
and the generator's next number are, bit for bit, those of a training that was never interrupted.

Memory of the kernels in float32, for crops of n x n cells, L layers of C channels and a map of N cells, in bytes:
4 (L + 1) C n^2 for the activations of a step, some 6,000 C^2 for weights and sums in Winograd's form, 144 n^2 for the
fixed crops, 20 for each parameter, and, of the map, what ``corners`` says: 0.44 N and one band of rows, some 40 MB.
So 60 MB for a step with the default settings, and 50 MB for a map of 20 million cells in a file; 5 N more in memory.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from refimpl.earth.grid import Source
from refimpl.errors import InputError
from refimpl.formats.files import write_text
from refimpl.formats.tape import Draw, Tape
from refimpl.method.adam import BETA1, BETA2, EPSILON, adam_step
from refimpl.method.network import Network, forward, initialise, loss_and_gradients
from refimpl.method.schedule import LearningRatePolicy
from refimpl.method.settings import UpscaleSettings
from refimpl.method.training_pairs import Level, crop_size, draw_crop, draw_fixed_crops, pyramid_of, training_pair
from refimpl.progress import Progress
from refimpl.windows.checkpoint import Checkpoint, State
from refimpl.windows.scaled import in_memory

FIXED_CROPS = 16
"""Crops on which the reconstruction error is measured (D12)."""


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

    def save(self, path: str | os.PathLike) -> None:
        """Write the history as CSV, one row a step; an error that was not measured is an empty field."""
        rows = ["step,loss,learning_rate,reconstruction_error"]
        for step, loss, rate, error in zip(self.step, self.loss, self.learning_rate, self.reconstruction_error):
            rows.append(f"{step},{float(loss)!r},{float(rate)!r},{'' if np.isnan(error) else repr(float(error))}")
        write_text(path, "\n".join(rows) + "\n")


@dataclass(frozen=True)
class Trained:
    """A trained network, the history of its training and the tape of the draws that shaped it."""

    network: Network
    history: History
    tape: Tape


def train(
    image: np.ndarray,
    valid: np.ndarray,
    settings: UpscaleSettings,
    rng: np.random.Generator,
    progress: Progress | None = None,
    tape: Tape | None = None,
    network: Network | None = None,
    dtype: np.dtype | type = np.float32,
    checkpoint: Checkpoint | None = None,
) -> Trained:
    """``train_on`` an image in memory, (rows, cols) float with ``valid`` bool; what invalid cells hold is not used."""
    valid = np.asarray(valid, bool)
    source = in_memory(np.where(valid, image, 0).astype(dtype), valid)
    return train_on(source, settings, rng, progress, tape, network, dtype, checkpoint)


def train_on(
    image: Source,
    settings: UpscaleSettings,
    rng: np.random.Generator,
    progress: Progress | None = None,
    tape: Tape | None = None,
    network: Network | None = None,
    dtype: np.dtype | type = np.float32,
    checkpoint: Checkpoint | None = None,
) -> Trained:
    """Train a network on one linear image; crops come under the curve of D09.

    ``tape`` replaces every draw of a crop and ends the training with its last row at the latest; ``network`` replaces
    the first weights (it is not changed).  Image, weights and moments are of ``dtype``, float32 or float64.  If the
    file of ``checkpoint`` is there, training goes on from it.

    Raises
    ------
    InputError
        The map has no admissible crop (D15), the tape does not fit the map, training diverges, or the checkpoint
        cannot be written.
    """
    size = crop_size(image.grid.shape, settings.crop)
    levels = pyramid_of(image, size, settings.pyramid, dtype)
    facts = _facts(image, size, settings, rng, dtype, tape, network)
    policy = LearningRatePolicy(settings.learning_rate, settings.final_rate)
    state = checkpoint.load(facts, policy, rng) if checkpoint else None
    if state and state.step <= settings.max_steps:
        rng.bit_generator.state = state.generator
    else:
        state = _begin(levels, settings, rng, policy, tape, network, dtype)
    trained = Network(state.parameters, settings.layers, settings.channels, settings.bias)

    def pair(draw: Draw) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return training_pair(levels, draw, size, settings.downsampling, settings.transform)

    saved = state.step
    for step in _steps(trained, state, _draws(state, levels, settings, rng, tape), pair, settings, progress):
        if checkpoint and step % checkpoint.every == 0:
            checkpoint.save(state, facts, rng)
            saved = step
    if checkpoint and state.step > saved:
        checkpoint.save(state, facts, rng)
    loss, rate, error = np.array(state.rows).reshape(-1, 3).T.copy()
    return Trained(trained, History(np.arange(1, state.step + 1), loss, rate, error), Tape(tuple(state.draws)))


def _begin(
    levels: list[Level], settings: UpscaleSettings, rng, policy: LearningRatePolicy, tape: Tape | None, network, dtype
) -> State:
    """Before the first step: first weights and fixed crops, drawn where they are not given."""
    shape = settings.layers, settings.channels, settings.bias
    start = network or initialise(rng, *shape, settings.initialisation, dtype)
    given = start.depth, start.channels, start.bias
    if given != shape:
        raise ValueError(f"the first weights are of (layers, channels, bias) {given}, the settings say {shape}")
    parameters = start.parameters.astype(dtype)
    fixed = tape.fixed if tape else draw_fixed_crops(levels, rng, FIXED_CROPS)
    return State(parameters, np.zeros((2, parameters.size), parameters.dtype), policy, list(fixed), [])


def _draws(state: State, levels: list[Level], settings: UpscaleSettings, rng, tape: Tape | None) -> Iterable[Draw]:
    """The crops still to come, each drawn when it is asked for."""
    done = settings.max_steps if state.policy.finished else state.step
    if tape:
        return tape.training[done : settings.max_steps]
    return (draw_crop(levels, rng, step) for step in range(done + 1, settings.max_steps + 1))


def _facts(image: Source, size: int, settings: UpscaleSettings, rng, dtype, tape: Tape | None, network) -> dict:
    """What a checkpoint must agree with, whatever its key says."""
    weights = network.parameters.astype(dtype).tobytes() if network else b""
    return {
        "rows": image.grid.shape[0],
        "columns": image.grid.shape[1],
        "crop": size,
        "layers": settings.layers,
        "channels": settings.channels,
        "bias": settings.bias,
        "dtype": np.dtype(dtype).name,
        "random numbers": type(rng.bit_generator).__name__,
        "first weights": hashlib.sha256(weights).hexdigest() if network else "drawn",
        "tape": hashlib.sha256(repr(tape.draws).encode()).hexdigest() if tape else "drawn",
    }


def _steps(
    network: Network,
    state: State,
    draws: Iterable[Draw],
    pair: Callable[[Draw], tuple[np.ndarray, np.ndarray, np.ndarray]],
    settings: UpscaleSettings,
    progress: Progress | None,
) -> Iterator[int]:
    """The steps, in place on ``state``, whose parameters ``network`` looks at; yields the number of each done one."""
    policy, moments = state.policy, state.moments
    fixed_pairs = [pair(draw) for draw in state.draws if draw.step == 0]
    for draw in draws:
        loss, gradients = loss_and_gradients(network, *pair(draw))
        if not np.isfinite(loss):
            raise InputError(f"upscale.learning_rate: training diverged at step {draw.step} (the loss is {loss}); "
                             f"choose a rate below {policy.rate:g}")
        rate, error = policy.rate, float("nan")
        adam_step(network.parameters, gradients.parameters, *moments, draw.step, rate, BETA1, BETA2, EPSILON)
        if policy.measures(draw.step):
            error = reconstruction_error(network, fixed_pairs, settings.policy_loss)
            policy.record(draw.step, error)
        policy.advance(draw.step)
        state.draws.append(draw)
        state.rows.append((loss, rate, error))
        if progress:
            note = f"step {draw.step}, loss {loss:.4g}, rate {rate:.0e}"
            progress.update(_fraction(policy, draw.step, settings), note)
        yield draw.step
        if policy.finished:
            break


def reconstruction_error(network: Network, pairs: list, kind: str = "l1") -> float:
    """Mean over the valid cells of all pairs of |output - father| ("l1") or its square ("mse")."""
    total, count = 0.0, 0
    for image, father, valid in pairs:
        error = np.abs(forward(network, image) - father)
        total += float(np.sum(error if kind == "l1" else error * error, where=valid, dtype=np.float64))
        count += np.count_nonzero(valid)
    return total / count


def _fraction(policy: LearningRatePolicy, step: int, settings: UpscaleSettings) -> float:
    """Done part of the training, as far as one can know it: reductions of the rate, or steps."""
    reductions = np.log(settings.learning_rate / policy.rate) / np.log(settings.learning_rate / settings.final_rate)
    return max(step / settings.max_steps, float(reductions))
