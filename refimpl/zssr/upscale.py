"""The coarse map at twice its resolution: train, apply, correct (Fig. 8, Eq. 2; D08, D09, D16-D19).

Eq. 2: CW = ZSSR(CE).  The network is applied to the interpolated coarse map in its eight rotations and mirrors; each
output is corrected by back-projection, their median is taken, and corrected once more (Shocher, Cohen & Irani 2018,
section 3).  Maps are ``Raster``s: coarse (rows, cols), fine (2 rows, 2 cols) on ``grid.refined()``; a fine cell is
valid where its coarse cell is.  The result is in the units of the coarse map, at least 0 (D18).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from refimpl.errors import InputError
from refimpl.progress import Progress
from refimpl.raster.grid import Raster
from refimpl.zssr.augment import rotate_mirror, undo_rotate_mirror
from refimpl.zssr.intensity import ImageRange, clip_negatives, compress, expand, measure_range
from refimpl.zssr.network import Network, forward
from refimpl.zssr.resize import downsample, upsample, upsample_valid
from refimpl.zssr.settings import UpscaleSettings, validate
from refimpl.zssr.tape import Tape
from refimpl.zssr.train import History, train

TILE = 192
"""Side of an inference tile, in fine cells, a multiple of 4: tiles start where a kernel's own blocks do."""

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
) -> SuperResolution:
    """Eq. 2: the coarse map at twice its resolution, by a network trained on it alone.

    Raises
    ------
    InputError
        A setting is out of range, or the map has no valid cell, no structure or no admissible crop (D15).
    """
    validate(settings)
    positive, clipped = clip_negatives(_some_valid(coarse))
    image_range = measure_range(positive.values, positive.valid)
    image = image_range.to_image(positive.values, positive.valid)
    trained = train(image, positive.valid, settings, rng, _part(progress, 0.0, TRAINING_SHARE), tape)
    weights = apply_network(trained.network, coarse, settings, _part(progress, TRAINING_SHARE, 1.0))
    return SuperResolution(weights, trained.history, trained.tape, trained.network, image_range, clipped)


def apply_network(
    network: Network, coarse: Raster, settings: UpscaleSettings, progress: Progress | None = None
) -> Raster:
    """The fine map that a trained network makes of a coarse one (D17); an ablation need not train again."""
    coarse, _ = clip_negatives(_some_valid(coarse))
    image_range = measure_range(coarse.values, coarse.valid)
    image = image_range.to_image(coarse.values, coarse.valid)
    interpolated = upsample_valid(compress(image, settings.transform).astype(np.float32), coarse.valid)
    inside = _children(coarse.valid)

    def correct(fine: np.ndarray) -> np.ndarray:
        return back_project(fine, image, coarse.valid, settings.back_projection, settings.downsampling)

    turns = range(8 if settings.self_ensemble else 1)
    outputs = np.empty((len(turns), *inside.shape))
    for turn in turns:
        part = _part(progress, turn / len(turns), (turn + 1) / len(turns))
        turned = infer(network, rotate_mirror(interpolated, turn), rotate_mirror(inside, turn), progress=part)
        fine = expand(undo_rotate_mirror(turned, turn).astype(np.float64), settings.transform)
        outputs[turn] = correct(fine) if settings.self_ensemble else fine
    return _finish(correct(_median(outputs)), coarse, image_range, settings.baseline)


def infer(
    network: Network, image: np.ndarray, valid: np.ndarray, tile: int = TILE, progress: Progress | None = None
) -> np.ndarray:
    """``forward`` of a large image (H, W), tile by tile, so that memory does not grow with it; 0 at invalid cells.

    A cell sees as many neighbours on each side as there are layers, so a tile is computed with that many cells around
    it: the result is that of the whole image, in float32 up to rounding, which may depend on where a tile ends.  The
    tiles are always the same, so the bytes are too.  Tiles without a valid cell are skipped.
    """
    rows, cols = image.shape
    halo = -(-network.depth // 4) * 4           # a multiple of 4, as the tiles are
    output = np.zeros(image.shape, image.dtype)
    for top in range(0, rows, tile):
        for left in range(0, cols, tile):
            here = np.s_[top : top + tile, left : left + tile]
            if valid[here].any():
                first, second = max(top - halo, 0), max(left - halo, 0)
                around = image[first : top + tile + halo, second : left + tile + halo]
                fine = forward(network, around)[top - first :, left - second :]
                output[here] = fine[:tile, :tile]
        if progress:
            progress.update(min(top + tile, rows) / rows)
    return np.where(valid, output, 0)


def back_project(
    fine: np.ndarray, coarse: np.ndarray, valid: np.ndarray, iterations: int, kind: str = "mean"
) -> np.ndarray:
    """Correct the fine image so that, coarsened, it is the coarse one (Irani & Peleg 1991; D17).

    fine += upsample(coarse - downsample(fine)), ``iterations`` times; ``coarse``, ``valid`` (rows, cols), ``fine`` (2
    rows, 2 cols); 0 at invalid cells.  With the 2x2 mean, downsample after upsample is a symmetric filter whose
    response lies between 0.6875 and 1 along each axis, so each iteration shrinks the Euclidean norm of the difference
    over the valid cells by 1 - 0.6875^2 = 0.527 or better: ten by 0.0017.

    >>> coarse = np.array([[0.0, 1.0], [2.0, 3.0]])
    >>> fine = back_project(np.zeros((4, 4)), coarse, np.ones((2, 2), bool), 10)
    >>> bool(abs(downsample(fine, np.ones((4, 4), bool), "mean")[0] - coarse).max() < 0.002 * 14**0.5)
    True
    """
    inside = _children(valid)
    fine = np.where(inside, fine, 0)
    for _ in range(iterations):
        difference = np.where(valid, coarse - downsample(fine, inside, kind)[0], 0)
        fine = np.where(inside, fine + upsample(difference), 0)
    return fine


def replicate(coarse: Raster, baseline: str = "remove") -> Raster:
    """The plainest fine map, to compare with: each coarse value four times."""
    coarse, _ = clip_negatives(_some_valid(coarse))
    image_range = measure_range(coarse.values, coarse.valid)
    return _finish(_children(image_range.to_image(coarse.values, coarse.valid)), coarse, image_range, baseline)


def bicubic(coarse: Raster, back_projection: int = 0, baseline: str = "remove", downsampling: str = "mean") -> Raster:
    """The interpolated fine map, to compare with: what the network starts from, corrected ``back_projection`` times."""
    coarse, _ = clip_negatives(_some_valid(coarse))
    image_range = measure_range(coarse.values, coarse.valid)
    image = image_range.to_image(coarse.values, coarse.valid)
    fine = back_project(upsample_valid(image, coarse.valid), image, coarse.valid, back_projection, downsampling)
    return _finish(fine, coarse, image_range, baseline)


def _some_valid(coarse: Raster) -> Raster:
    if not coarse.valid.any():
        raise InputError("coarse map: no cell is valid, expected at least one; check the nodata value and the zones")
    return coarse


def _children(cells: np.ndarray) -> np.ndarray:
    """Each cell four times: what its children inherit."""
    return cells.repeat(2, axis=0).repeat(2, axis=1)


def _median(outputs: np.ndarray) -> np.ndarray:
    """Median along the first axis, in place: at national size a copy of all outputs is too much."""
    middle = sorted({(len(outputs) - 1) // 2, len(outputs) // 2})
    outputs.partition(middle, axis=0)
    return sum(outputs[m] for m in middle) / len(middle)


def _finish(fine: np.ndarray, coarse: Raster, image_range: ImageRange, baseline: str) -> Raster:
    inside = _children(coarse.valid)
    values = np.where(inside, np.maximum(image_range.to_map(fine, baseline), 0), 0)
    return replace(coarse, values=values, valid=inside, grid=coarse.grid.refined())


class _Part:
    """The part from ``start`` to ``end`` of a progress line, as a progress line of its own."""

    def __init__(self, progress, start: float, end: float):
        self.progress, self.start, self.end = progress, start, end

    def update(self, fraction: float, note: str = "") -> None:
        self.progress.update(self.start + (self.end - self.start) * fraction, note)


def _part(progress, start: float, end: float) -> _Part | None:
    return _Part(progress, start, end) if progress else None
