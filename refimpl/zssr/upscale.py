"""The coarse map at twice its resolution: train, apply, correct (Fig. 8, Eq. 2; D08, D09, D16-D19).

Eq. 2: CW = ZSSR(CE).  The network is applied to the interpolated coarse map in its eight rotations and mirrors; each
output is corrected by back-projection, their median is taken, and corrected once more (Shocher, Cohen & Irani 2018,
section 3).  Maps are ``Raster``s: coarse (rows, cols), fine (2 rows, 2 cols) on ``grid.refined()``; a fine cell is
valid where its coarse cell is.  The result is in the units of the coarse map, at least 0 (D18).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from refimpl.progress import Progress
from refimpl.raster.grid import Raster
from refimpl.zssr.back_projection import back_project, children, correct
from refimpl.zssr.ensemble import ensemble, part_of
from refimpl.zssr.intensity import ImageRange, clip_negatives, compress, measure_range
from refimpl.zssr.network import Network
from refimpl.zssr.resize import upsample_valid
from refimpl.zssr.settings import UpscaleSettings, validate
from refimpl.zssr.tape import Tape
from refimpl.zssr.train import History, train

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
    positive, clipped = clip_negatives(coarse)
    image_range = measure_range(positive.values, positive.valid)
    image = image_range.to_image(positive.values, positive.valid)
    dtype = np.float32 if network is None else network.parameters.dtype
    part = part_of(progress, 0.0, TRAINING_SHARE)
    trained = train(image, positive.valid, settings, rng, part, tape, network, dtype)
    weights = apply_network(trained.network, coarse, settings, part_of(progress, TRAINING_SHARE, 1.0))
    return SuperResolution(weights, trained.history, trained.tape, trained.network, image_range, clipped)


def apply_network(
    network: Network, coarse: Raster, settings: UpscaleSettings, progress: Progress | None = None
) -> Raster:
    """The fine map that a trained network makes of a coarse one (D17), computed in the network's dtype.

    An ablation need not train again.
    """
    coarse, _ = clip_negatives(coarse)
    image_range = measure_range(coarse.values, coarse.valid)
    image = image_range.to_image(coarse.values, coarse.valid)
    dtype = network.parameters.dtype
    interpolated = upsample_valid(compress(image, settings.transform).astype(dtype, copy=False), coarse.valid)
    fine = ensemble(network, interpolated, image, coarse.valid, settings, progress)
    del interpolated
    correct(fine, image, coarse.valid, settings.back_projection, settings.downsampling)
    return _finish(fine, coarse, image_range, settings.baseline)


def replicate(coarse: Raster, baseline: str = "remove") -> Raster:
    """The plainest fine map, to compare with: each coarse value four times."""
    coarse, _ = clip_negatives(coarse)
    image_range = measure_range(coarse.values, coarse.valid)
    return _finish(children(image_range.to_image(coarse.values, coarse.valid)), coarse, image_range, baseline)


def bicubic(coarse: Raster, back_projection: int = 0, baseline: str = "remove", downsampling: str = "mean") -> Raster:
    """The interpolated fine map, to compare with: what the network starts from, corrected ``back_projection`` times."""
    coarse, _ = clip_negatives(coarse)
    image_range = measure_range(coarse.values, coarse.valid)
    image = image_range.to_image(coarse.values, coarse.valid)
    fine = back_project(upsample_valid(image, coarse.valid), image, coarse.valid, back_projection, downsampling)
    return _finish(fine, coarse, image_range, baseline)


def _finish(fine: np.ndarray, coarse: Raster, image_range: ImageRange, baseline: str) -> Raster:
    inside, values = children(coarse.valid), image_range.to_map(fine, baseline)
    np.maximum(values, 0, out=values)
    values[~inside] = 0
    return replace(coarse, values=values, valid=inside, grid=coarse.grid.refined())
