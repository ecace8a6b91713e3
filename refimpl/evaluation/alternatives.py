"""The maps that the result is compared with, all as emission in 10^4 t per cell of the fine grid.

Their list and its reason stand in ``comparison``; the reference, where there is one, is what the
super-resolution tries to recover.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from refimpl.coarse import CoarseMap, predict_coarse
from refimpl.evaluation.comparison import corrected, one_factor
from refimpl.raster.grid import Raster
from refimpl.regression.fitted import FittedRegression
from refimpl.zssr.network import Network
from refimpl.zssr.settings import UpscaleSettings
from refimpl.zssr.upscale import apply_network, bicubic, replicate

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
    coarse: Raster,
    network: Network | None,
    settings: UpscaleSettings,
    lights: Raster | None,
    zones: np.ndarray,
    totals: Mapping[int, float],
) -> dict[str, Raster]:
    """Every map of ``ORDER`` but the result and the reference.

    Parameters
    ----------
    coarse : the coarse map CE.
    network, settings : the trained network, applied once, no ensemble, no back-projection; None leaves that map out.
    lights : night lights on the fine grid, or None where no driver is named so.
    zones : (rows, cols) province codes on the fine grid.
    totals : statistic of each mapped province, 10^4 t.
    """
    baseline = settings.baseline  # each + Eq. 3 as the map itself has it (D09)
    densities = {
        COARSE: replicate(coarse, baseline),
        "bicubic + Eq. 3": bicubic(coarse, baseline=baseline),
        "bicubic, back-projected + Eq. 3": bicubic(
            coarse, settings.back_projection or 10, baseline, settings.downsampling
        ),
    }
    if network is not None:
        plain = replace(settings, self_ensemble=False, back_projection=0)
        densities["network alone + Eq. 3"] = apply_network(network, coarse, plain)
    if lights is not None:
        valid = lights.valid & np.repeat(np.repeat(coarse.valid, 2, axis=0), 2, axis=1)
        densities["lights alone + Eq. 3"] = Raster.masked(np.maximum(lights.values, 0), valid, lights.grid)
    maps = corrected(densities, zones, totals)
    maps["regression, baseline kept"] = one_factor(replicate(coarse, baseline="keep"), zones, totals)
    maps["regression, baseline removed"] = one_factor(replicate(coarse), zones, totals)
    return maps


def fine_reference(
    model: FittedRegression,
    coarse: CoarseMap,
    drivers: Mapping[str, Raster],
    scaling: str,
    baseline: str,
    zones: np.ndarray,
    totals: Mapping[int, float],
) -> Raster:
    """The same regression on ``drivers`` at the fine cell size, corrected by Eq. 3.

    The cells are scaled as the coarse cells were and less the same baseline (D09; ``baseline`` "remove" or "keep"),
    so that only the cell size differs.  It means something only where the drivers really are that fine.
    """
    predicted = predict_coarse(model, drivers, scaling, scaler=coarse.scaler).raster
    minimum = np.maximum(coarse.raster.values[coarse.raster.valid], 0.0).min() if baseline == "remove" else 0.0
    valid = predicted.valid & np.repeat(np.repeat(coarse.raster.valid, 2, axis=0), 2, axis=1)
    density = np.maximum(predicted.values - minimum, 0.0)  # D08
    return corrected({REFERENCE: Raster.masked(density, valid, predicted.grid)}, zones, totals)[REFERENCE]
