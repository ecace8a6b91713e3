"""Training on a map that is larger than memory: crops are read from its file, and the training survives interruption.

The steps are those of ``refimpl.method.training.train``, which ``train_on`` calls; only the levels of the map and the
checkpoint differ (Fig. 8, Eq. 2; D08, D09, D11-D15).  With a ``Checkpoint`` the training is saved from time to time and
at its end, and a later call goes on from there.  Weights, history, tape and the generator's next number are, bit for
bit, those of a training that was never interrupted.

Memory of the kernels in float32, for crops of n x n cells, L layers of C channels and a map of N cells, in bytes:
4 (L + 1) C n^2 for the activations of a step, some 6,000 C^2 for weights and sums in Winograd's form, 144 n^2 for the
fixed crops and 20 for each parameter.  The map takes what ``corners`` says: 0.44 N and one band of rows, some 40 MB.
With the default settings a step takes 60 MB, and a map of 20 million cells in a file 50 MB; a map in memory takes 5 N
more.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from refimpl.earth.grid import Raster, Source, Window
from refimpl.method.image_range import ImageRange
from refimpl.method.network import Network
from refimpl.method.settings import UpscaleSettings
from refimpl.method.training import Trained, TrainingState, dtype_of, generator_of, train
from refimpl.method.training_pairs import Tape, crop_size
from refimpl.progress import Progress
from refimpl.windows.checkpoint import Checkpoint
from refimpl.windows.levels import pyramid_of
from refimpl.windows.measured_range import clip_negatives
from refimpl.windows.stored import Stored
from refimpl.windows.tiled import write_tiled
from refimpl.windows.walks import WRITTEN


def train_on_map(
    coarse: Source,
    image_range: ImageRange,
    settings: UpscaleSettings,
    seed: int,
    doubling: int,
    folder: Path,
    progress: Progress | None = None,
    tape: Tape | None = None,
    network: Network | None = None,
    checkpoint: Checkpoint | None = None,
) -> Trained:
    """Fig. 8 for a map of any size: ``train_on`` its linear image, from a temporary file in ``folder``.

    The file is not compressed, so that a crop is read in a millisecond.  ``doubling`` counts from 1; each doubling has
    its own random numbers.  The dtype is that of ``network``, by default float32.
    """
    path = folder / "image.tif"
    write_tiled(path, LinearImage(coarse, image_range, dtype_of(network)), WRITTEN, plain=True)
    trained = train_on(Stored(path), settings, generator_of(seed, doubling), progress, tape, network, checkpoint)
    path.unlink(missing_ok=True)
    return trained


def train_on(
    image: Source,
    settings: UpscaleSettings,
    rng: np.random.Generator,
    progress: Progress | None = None,
    tape: Tape | None = None,
    network: Network | None = None,
    checkpoint: Checkpoint | None = None,
) -> Trained:
    """``refimpl.method.training.train`` on a linear image of any size, whose crops are read as they are drawn.

    If the file of ``checkpoint`` exists, the training goes on from it.

    Raises
    ------
    InputError
        The map has no admissible crop (D15), the tape does not fit the map, training diverges, or the checkpoint
        cannot be written.
    """
    size, dtype = crop_size(image.grid.shape, settings.crop), dtype_of(network)
    levels = pyramid_of(image, size, settings.pyramid, dtype)
    facts = _facts(image, size, settings, rng, tape, network)
    resumed = checkpoint.load(facts, settings, rng) if checkpoint else None
    state = None
    if resumed and resumed.state.step <= settings.max_steps:
        state, rng.bit_generator.state = resumed.state, resumed.generator
    saved, last = state.step if state else 0, state

    def after_step(state: TrainingState) -> None:
        nonlocal saved, last
        last = state
        if progress:
            loss, rate, _ = state.rows[-1]
            note = f"step {state.step}, loss {loss:.4g}, rate {rate:.0e}"
            progress.update(_fraction(state, settings), note)
        if checkpoint and state.step % checkpoint.every == 0:
            checkpoint.save(state, facts, rng)
            saved = state.step

    trained = train(levels, size, settings, rng, network, tape, state, after_step)
    if checkpoint and last and last.step > saved:
        checkpoint.save(last, facts, rng)
    return trained


def _facts(image: Source, size: int, settings: UpscaleSettings, rng, tape: Tape | None, network) -> dict:
    """The facts that a checkpoint must agree with, in addition to its key."""
    return {
        "rows": image.grid.shape[0],
        "columns": image.grid.shape[1],
        "crop": size,
        "layers": settings.layers,
        "channels": settings.channels,
        "bias": settings.bias,
        "dtype": dtype_of(network).name,
        "random numbers": type(rng.bit_generator).__name__,
        "first weights": hashlib.sha256(network.parameters.tobytes()).hexdigest() if network else "drawn",
        "tape": hashlib.sha256(repr(tape.draws).encode()).hexdigest() if tape else "drawn",
    }


def _fraction(state: TrainingState, settings: UpscaleSettings) -> float:
    """An estimate of the finished part of the training: from reductions of the rate, or from steps."""
    falls = np.log(settings.learning_rate / state.policy.rate)
    return max(state.step / settings.max_steps, float(falls / np.log(settings.learning_rate / settings.final_rate)))


class LinearImage:
    """``coarse`` shifted and scaled by ``image_range``, its negative values 0, in ``dtype``; 0 at invalid cells.

    It equals ``refimpl.method.image_range.ImageRange.to_image`` of the map without negative values.

    >>> from refimpl.earth.grid import Grid
    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> coarse = Raster(np.array([[2.0, 8.0]]), np.ones((1, 2), bool), Grid(ALBERS_CHINA, (0, 0, 1, -1), (1, 2)))
    >>> LinearImage(coarse, ImageRange(2.0, 4.0)).part((0, 1, 0, 2)).values.tolist()
    [[0.0, 1.5]]
    """

    def __init__(self, coarse: Source, image_range: ImageRange, dtype: np.dtype | type = np.float32):
        self.coarse, self.image_range = coarse, image_range
        self.grid, self.units, self.dtype = coarse.grid, "", np.dtype(dtype)

    def part(self, window: Window) -> Raster:
        """The cells of (row start, row stop, column start, column stop)."""
        part, _ = clip_negatives(self.coarse.part(window))
        image = self.image_range.to_image(part.values, part.valid).astype(self.dtype, copy=False)
        return Raster.unchecked(image, part.valid, part.grid, self.units)
