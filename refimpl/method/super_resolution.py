"""The coarse map at twice its resolution: train, apply, correct (Fig. 8, Eq. 2; D08, D09, D16-D19).

Eq. 2: CW = ZSSR(CE).  The network is applied to the interpolated coarse map in its eight rotations and mirrors; each
output is corrected by back-projection, their median is taken, and corrected once more (Shocher, Cohen & Irani 2018,
section 3).  The functions here take and make whole ``Raster``s: coarse (rows, cols), fine (2 rows, 2 cols) on
``grid.refined()``; a fine cell is valid where its coarse cell is.  The result is in the units of the coarse map, at
least 0 (D18).  A map larger than memory is trained on and made as a source: ``train``, then ``SuperResolved``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from refimpl.earth.grid import Raster
from refimpl.formats.tape import Tape
from refimpl.method.image_range import ImageRange, clip_negatives, measure
from refimpl.method.network import Network
from refimpl.method.settings import UpscaleSettings, validate
from refimpl.method.training import History, train
from refimpl.progress import Progress
from refimpl.windows.ensemble import part_of
from refimpl.windows.fine_map import Bicubic, FineMap, Replicated, SuperResolved
from refimpl.windows.walks import tiles_of

TILE = 768
"""Side of a tile in coarse cells.  Its eight outputs take 170 MB; of smaller ones more would be computed twice."""
TRAINING_SHARE = 0.9
"""Part of the progress line that belongs to the training."""


@dataclass(frozen=True)
class SuperResolution:
    """What ``super_resolve`` made.

    ``weights`` is the fine map, CW of Eq. 2; then the training's history, tape and network, the image range of the
    coarse map, and the number of its cells that were negative and ``clipped`` (D08).
    """

    weights: Raster
    history: History
    tape: Tape
    network: Network
    image_range: ImageRange
    clipped: int


def super_resolve(
    coarse: Raster,
    settings: UpscaleSettings,
    rng: np.random.Generator,
    progress: Progress | None = None,
    tape: Tape | None = None,
    network: Network | None = None,
) -> SuperResolution:
    """Eq. 2: the coarse map at twice its resolution, by a network trained on it alone.

    ``tape`` and ``network`` replace the draws and the first weights, as in ``train``; together they repeat a training
    without a random number.  Training and inference follow the dtype of ``network``, by default float32.

    Raises
    ------
    InputError
        A setting is out of range, or the map has no valid cell, no structure or no admissible crop (D15).
    """
    validate(settings)
    measured = measure(coarse)
    positive, _ = clip_negatives(coarse)
    image = measured.range.to_image(positive.values, positive.valid)
    dtype = np.float32 if network is None else network.parameters.dtype
    part = part_of(progress, 0.0, TRAINING_SHARE)
    trained = train(image, positive.valid, settings, rng, part, tape, network, dtype)
    fine = SuperResolved(trained.network, coarse, measured.range, settings)
    weights = _whole(fine, part_of(progress, TRAINING_SHARE, 1.0))
    return SuperResolution(
        weights, trained.history, trained.tape, trained.network, measured.range, measured.clipped
    )


def apply_network(
    network: Network, coarse: Raster, settings: UpscaleSettings, progress: Progress | None = None
) -> Raster:
    """The fine map that a trained network makes of a coarse one (D17), computed in the network's dtype.

    An ablation need not train again.  It is made in tiles: beyond the result, memory does not grow with the map.
    """
    return _whole(SuperResolved(network, coarse, measure(coarse).range, settings), progress)


def replicate(coarse: Raster, baseline: str = "remove") -> Raster:
    """The plainest fine map, to compare with: each coarse value four times."""
    return _whole(Replicated(coarse, measure(coarse).range, baseline))


def bicubic(coarse: Raster, back_projection: int = 0, baseline: str = "remove", downsampling: str = "mean") -> Raster:
    """The interpolated fine map, to compare with: what the network starts from, corrected ``back_projection`` times."""
    return _whole(Bicubic(coarse, measure(coarse).range, back_projection, baseline, downsampling))


def _whole(fine: FineMap, progress: Progress | None = None) -> Raster:
    """All of a fine map, in memory."""
    tiles = tiles_of(fine.grid.shape, (2 * TILE, 2 * TILE))
    values, valid = np.empty(fine.grid.shape), np.empty(fine.grid.shape, bool)
    for done, window in enumerate(tiles):
        part = fine.part(window, part_of(progress, done / len(tiles), (done + 1) / len(tiles)))
        cells = np.s_[window[0] : window[1], window[2] : window[3]]
        values[cells], valid[cells] = part.values, part.valid
    return Raster.unchecked(values, valid, fine.grid, fine.units)
