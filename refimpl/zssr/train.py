"""Training on the one coarse map (Fig. 8; D11-D15): a crop a step, L1 loss, Adam, until the rate would reach 1e-6.

The image (rows, cols) is the linear one that ``intensity`` makes of the coarse map; invalid cells hold 0.  The network
trains in float32 (or ``dtype``: float64, to check another implementation's steps).  Draws are made in this order: the
first weights, the fixed crops, then scale, corner and turn of each step.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from refimpl.errors import InputError
from refimpl.files import write_text
from refimpl.progress import Progress
from refimpl.zssr.adam import BETA1, BETA2, EPSILON, adam_step
from refimpl.zssr.augment import build_pyramid, crop_size, draw_crop, draw_fixed_crops, training_pair
from refimpl.zssr.network import Network, forward, initialise, loss_and_gradients
from refimpl.zssr.schedule import LearningRatePolicy
from refimpl.zssr.settings import UpscaleSettings
from refimpl.zssr.tape import Draw, Tape

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
) -> Trained:
    """Train a network on one linear image, (rows, cols) float with ``valid`` bool; crops come under the curve of D09.

    ``tape`` replaces every draw of a crop and ends the training with its last row at the latest; ``network`` replaces
    the first weights (it is not changed).  Image, weights and moments are of ``dtype``, float32 or float64.

    Raises
    ------
    InputError
        The map has no admissible crop (D15), the tape does not fit the map, or training diverges.
    """
    image, valid = np.where(valid, image, 0).astype(dtype), np.asarray(valid, bool)
    size = crop_size(image.shape, settings.crop)
    shape = settings.layers, settings.channels, settings.bias
    start = network or initialise(rng, *shape, settings.initialisation, dtype)
    given = start.depth, start.channels, start.bias
    if given != shape:
        raise ValueError(f"the first weights are of (layers, channels, bias) {given}, the settings say {shape}")
    start = start.like(start.parameters.astype(dtype))
    levels = build_pyramid(image, valid, size, settings.pyramid)
    fixed = tape.fixed if tape else draw_fixed_crops(levels, rng, FIXED_CROPS)

    def pair(draw: Draw) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return training_pair(levels, draw, size, settings.downsampling, settings.transform)

    def draws():
        if tape:
            yield from tape.training[: settings.max_steps]
        else:
            yield from (draw_crop(levels, rng, step) for step in range(1, settings.max_steps + 1))

    return _run(start, [pair(draw) for draw in fixed], draws(), pair, fixed, settings, progress)


def _run(network: Network, fixed_pairs, draws, pair, fixed, settings: UpscaleSettings, progress) -> Trained:
    """The steps, in place on the parameters of ``network``."""
    moments = np.zeros((2, network.parameters.size), network.parameters.dtype)
    policy = LearningRatePolicy(settings.learning_rate, settings.final_rate)
    taken, rows = list(fixed), []
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
        taken.append(draw)
        rows.append((loss, rate, error))
        if progress:
            note = f"step {draw.step}, loss {loss:.4g}, rate {rate:.0e}"
            progress.update(_fraction(policy, draw.step, settings), note)
        if policy.finished:
            break
    loss, rate, error = np.array(rows).reshape(-1, 3).T.copy()
    return Trained(network, History(np.arange(1, len(rows) + 1), loss, rate, error), Tape(tuple(taken)))


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
