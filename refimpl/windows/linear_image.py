"""The linear image of a coarse map as a source: what crops for the training are drawn from (D08, D09, D15)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from refimpl.earth.grid import Raster, Source, Window
from refimpl.formats.tape import Tape
from refimpl.method.image_range import ImageRange, clip_negatives
from refimpl.method.network import Network
from refimpl.method.settings import UpscaleSettings
from refimpl.method.training import Trained, train_on
from refimpl.progress import Progress
from refimpl.windows.checkpoint import Checkpoint
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
    """Fig. 8 for a map of any size: ``train_on`` its linear image, which lies in ``folder`` meanwhile.

    The file is not compressed, so that a crop is read in a millisecond.  ``doubling`` counts from 1; each has random
    numbers of its own.  The dtype is that of ``network``, by default float32.
    """
    dtype = np.dtype(np.float32) if network is None else network.parameters.dtype
    path = folder / "image.tif"
    write_tiled(path, LinearImage(coarse, image_range, dtype), WRITTEN, plain=True)
    rng = np.random.Generator(np.random.PCG64(seed if doubling == 1 else (seed, doubling)))
    trained = train_on(Stored(path), settings, rng, progress, tape, network, dtype, checkpoint)
    path.unlink(missing_ok=True)
    return trained


class LinearImage:
    """``coarse`` shifted and scaled by ``image_range``, its negative values 0, in ``dtype``; 0 at invalid cells.

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
