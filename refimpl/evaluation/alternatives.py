"""Plain alternatives to the result, all as emission in 10^4 t per cell of the fine grid.

``scorecard`` lists them and says why each is there.  The reference, where there is one, is what the super-resolution
tries to recover.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from refimpl.earth.grid import Raster, Source, Window
from refimpl.evaluation.derived import like, parts, times_finer, under
from refimpl.evaluation.scorecard import corrected, one_factor
from refimpl.method.image_range import ImageRange
from refimpl.method.network import Network
from refimpl.method.settings import UpscaleSettings
from refimpl.windows.computed import Computed
from refimpl.windows.fine_map import Bicubic, Replicated, SuperResolved
from refimpl.windows.measured_range import measure

RESULT = "ZSSR + Eq. 3"
COARSE = "replicate + Eq. 3"
REFERENCE = "fine drivers + Eq. 3"
ORDER = (
    "regression, baseline kept",
    "regression, baseline removed",
    COARSE,
    "bicubic + Eq. 3",
    "bicubic, back-projected + Eq. 3",
    "network alone + Eq. 3",
    RESULT,
    "lights alone + Eq. 3",
    REFERENCE,
)
"""The maps in the order in which they are shown."""


def alternatives(
    coarse: Source,
    network: Network | None,
    settings: UpscaleSettings,
    lights: Source | None,
    zones: Source | np.ndarray,
    totals: Mapping[int, float],
    network_alone: Source | None = None,
) -> dict[str, Source]:
    """Every map of ``ORDER`` except the result and the reference; maps made of sources are computed as they are read.

    Parameters
    ----------
    coarse : the coarse map CE.
    network, settings : the trained network; it is applied once, with no ensemble and no back-projection.  None leaves
        that map out.
    lights : night lights on the fine grid, or None where there is no such driver.
    zones : (rows, cols) province codes on the fine grid.
    totals : statistic of each mapped province, 10^4 t.
    network_alone : the density made with ``network_alone_settings``, where it is known already; ``network`` is then
        not applied.
    """
    plain = PlainMaps(coarse, settings)
    densities = {
        COARSE: plain.replicated(settings.baseline),  # baseline as in the map itself (D09)
        "bicubic + Eq. 3": plain.bicubic(0),
        "bicubic, back-projected + Eq. 3": plain.bicubic(settings.back_projection or 10),
    }
    if network_alone is None and network is not None:
        alone = SuperResolved(network, coarse, plain.range, network_alone_settings(settings))
        network_alone = like(coarse, alone)
    if network_alone is not None:
        densities["network alone + Eq. 3"] = network_alone
    if lights is not None:
        densities["lights alone + Eq. 3"] = like(lights, Positive(lights, coarse))
    maps = corrected(densities, zones, totals)
    maps["regression, baseline kept"] = one_factor(plain.replicated("keep"), zones, totals)
    maps["regression, baseline removed"] = one_factor(plain.replicated("remove"), zones, totals)
    return maps


class PlainMaps:
    """The fine maps that need no network, ``settings.factor`` times as fine as the coarse map, by doublings (D17).

    They are in memory where the coarse map is, else sources.
    """

    def __init__(self, coarse: Source, settings: UpscaleSettings):
        self.coarse, self.settings, self.range = coarse, settings, measure(coarse).range

    def replicated(self, baseline: str) -> Source:
        """The map that repeats each coarse value in all its fine cells."""
        fine: Source = Replicated(self.coarse, self.range, baseline)
        for _ in range(self.settings.doublings - 1):
            fine = Replicated(fine, AS_IT_IS)
        return like(self.coarse, fine)

    def bicubic(self, back_projection: int) -> Source:
        """The interpolated map, after ``back_projection`` iterations of back-projection at each doubling."""
        kept = self.settings.baseline, self.settings.downsampling
        fine: Source = Bicubic(self.coarse, self.range, back_projection, *kept)
        for _ in range(self.settings.doublings - 1):
            fine = Bicubic(fine, AS_IT_IS, back_projection, "keep", self.settings.downsampling)
        return like(self.coarse, fine)


AS_IT_IS = ImageRange(0.0, 1.0)
"""The range of a map that is neither shifted nor scaled."""


def network_alone_settings(settings: UpscaleSettings) -> UpscaleSettings:
    """The settings of the map "network alone": no ensemble, no back-projection."""
    return replace(settings, self_ensemble=False, back_projection=0)


class Positive(Computed):
    """``density`` less ``minimum``, at least 0 (D08); valid only where the ``coarse`` cell around it is valid."""

    def __init__(self, density: Source, coarse: Source, minimum: float = 0.0):
        super().__init__(density.grid, "", density.dtype if minimum == 0 else float)
        self.density, self.coarse, self.minimum = density, coarse, minimum
        self.factor = times_finer(density.grid, coarse.grid)

    def part(self, window: Window) -> Raster:
        """The cells of (row start, row stop, column start, column stop)."""
        found = self.density.part(window)
        values = np.maximum(found.values - self.minimum if self.minimum else found.values, 0)
        return Raster.masked(values, found.valid & under(self.coarse, window, self.factor).valid, found.grid)


def reference_of(
    predicted: Source, coarse: Source, baseline: str, zones: Source | np.ndarray, totals: Mapping[int, float]
) -> Source:
    """The reference: what the regression ``predicted`` at the fine cell size, corrected by Eq. 3.

    ``coarse`` is the coarse map CE.  With ``baseline`` "remove" its minimum is subtracted here too (D09; else "keep"),
    so that only the cell size differs.  A reference means something only where the drivers really are that fine.
    """
    minimum = 0.0
    if baseline == "remove":
        minimum = min(float(np.maximum(part.values[part.valid], 0.0).min(initial=np.inf)) for part in parts(coarse))
    density = like(predicted, Positive(predicted, coarse, minimum))
    return corrected({REFERENCE: density}, zones, totals)[REFERENCE]
