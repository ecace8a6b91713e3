"""Super-resolution of whole rasters in memory, by the windowed forms (Fig. 8; D08, D09, D16-D19).

Coarse maps are (rows, cols), fine ones (2 rows, 2 cols) on ``grid.refined()``; a fine cell is valid where its coarse
cell is.  Results are in the units of the coarse map, at least 0 (D18).  They are computed in tiles: beyond the result,
memory does not grow with the map.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from refimpl.earth.grid import Raster
from refimpl.method.image_range import ImageRange
from refimpl.method.network import Network
from refimpl.method.settings import UpscaleSettings, validate
from refimpl.method.training import History, Trained, dtype_of
from refimpl.method.training_pairs import Tape
from refimpl.progress import Progress
from refimpl.windows.checkpoint import Checkpoint
from refimpl.windows.ensemble import part_of
from refimpl.windows.fine_map import TILE_SIDE, Bicubic, FineMap, Replicated, SuperResolved
from refimpl.windows.measured_range import measure
from refimpl.windows.scaled import in_memory
from refimpl.windows.training_on_file import LinearImage, train_on
from refimpl.windows.walks import tiles_of

TRAINING_SHARE = 0.9
"""The part of the progress line that the training takes."""


@dataclass(frozen=True)
class SuperResolution:
    """The result of ``super_resolve``.

    ``weights`` is the fine map, CW of Eq. 3.  ``history``, ``tape`` and ``network`` are those of the training.
    ``image_range`` is that of the coarse map, and ``clipped`` the number of its negative cells (D08).
    """

    weights: Raster
    history: History
    tape: Tape
    network: Network
    image_range: ImageRange
    clipped: int


def train_image(
    image: np.ndarray,
    valid: np.ndarray,
    settings: UpscaleSettings,
    rng: np.random.Generator,
    progress: Progress | None = None,
    tape: Tape | None = None,
    network: Network | None = None,
    checkpoint: Checkpoint | None = None,
) -> Trained:
    """``train_on`` an image in memory, (rows, cols) float, with ``valid`` bool; invalid cells may hold any value.

    It equals ``refimpl.method.training.train``.
    """
    valid = np.asarray(valid, bool)
    source = in_memory(np.where(valid, image, 0).astype(dtype_of(network)), valid)
    return train_on(source, settings, rng, progress, tape, network, checkpoint)


def super_resolve(
    coarse: Raster,
    settings: UpscaleSettings,
    rng: np.random.Generator,
    progress: Progress | None = None,
    tape: Tape | None = None,
    network: Network | None = None,
) -> SuperResolution:
    """Fig. 8: the coarse map at twice its resolution, by a network that is trained only on this map.

    It equals ``refimpl.method.training.train`` followed by ``refimpl.method.super_resolution.apply_network``.
    ``tape`` and ``network`` replace the draws and the first weights, as in ``train``; with both, a training is repeated
    without a random number.  Training and inference have the dtype of ``network``, by default float32.

    Raises
    ------
    InputError
        A setting is out of range, or the map has no valid cell, no structure or no admissible crop (D15).
    """
    validate(settings)
    measured = measure(coarse)
    rows, cols = coarse.grid.shape
    image = LinearImage(coarse, measured.range, dtype_of(network)).part((0, rows, 0, cols))
    trained = train_on(image, settings, rng, part_of(progress, 0.0, TRAINING_SHARE), tape, network)
    weights = apply_network(trained.network, coarse, settings, part_of(progress, TRAINING_SHARE, 1.0))
    return SuperResolution(
        weights, trained.history, trained.tape, trained.network, measured.range, measured.clipped
    )


def apply_network(
    network: Network, coarse: Raster, settings: UpscaleSettings, progress: Progress | None = None
) -> Raster:
    """The fine map that a trained network makes of a coarse one (D17), computed in the network's dtype.

    It equals ``refimpl.method.super_resolution.apply_network``, in the map's units.
    """
    return _whole(SuperResolved(network, coarse, measure(coarse).range, settings), progress)


def replicate(coarse: Raster, baseline: str = "remove") -> Raster:
    """The plainest fine map, to compare with: each coarse value four times.

    It equals ``refimpl.method.back_projection.children`` of the coarse map.
    """
    return _whole(Replicated(coarse, measure(coarse).range, baseline))


def bicubic(coarse: Raster, back_projection: int = 0, baseline: str = "remove", downsampling: str = "mean") -> Raster:
    """The interpolated fine map, to compare with: the input of the network, corrected ``back_projection`` times.

    It equals ``refimpl.method.resize.upsample_valid`` followed by ``refimpl.method.back_projection.back_project``.
    """
    return _whole(Bicubic(coarse, measure(coarse).range, back_projection, baseline, downsampling))


def _whole(fine: FineMap, progress: Progress | None = None) -> Raster:
    """All of a fine map, in memory."""
    tiles = tiles_of(fine.grid.shape, (2 * TILE_SIDE, 2 * TILE_SIDE))
    values, valid = np.empty(fine.grid.shape), np.empty(fine.grid.shape, bool)
    for done, window in enumerate(tiles):
        part = fine.part(window, part_of(progress, done / len(tiles), (done + 1) / len(tiles)))
        cells = np.s_[window[0] : window[1], window[2] : window[3]]
        values[cells], valid[cells] = part.values, part.valid
    return Raster.unchecked(values, valid, fine.grid, fine.units)
