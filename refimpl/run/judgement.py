"""What a run's map is compared with, and the numbers that come of it (Figs. 4-6).

Land cover, other inventories and drivers at the fine cell size are looked at before the training, so that a wrong file
costs no time; they are read again, window by window, when the map is judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from refimpl.earth.grid import Grid, Source
from refimpl.earth.warped import Warped
from refimpl.evaluation.agreement import InventoryComparison, compare_inventory
from refimpl.evaluation.alternatives import (
    COARSE,
    ORDER,
    REFERENCE,
    RESULT,
    alternatives,
    reference_of,
)
from refimpl.evaluation.land_cover import coarse_shares
from refimpl.evaluation.scorecard import Judged, judge_all
from refimpl.method.fitted_regression import FittedRegression
from refimpl.method.land_cover import LandCoverShares
from refimpl.run.area import Area
from refimpl.run.config import Config
from refimpl.run.provinces import prediction_drivers
from refimpl.run.reference_maps import coarser, read_inventories, read_land_cover
from refimpl.run.stages import Here
from refimpl.windows.predicted_map import CoarseMap, Predicted


@dataclass(frozen=True)
class Compared:
    """What the map is judged by, on the fine grid."""

    land_cover: Source | None
    """IGBP classes."""
    coarse_land_cover: Source | None
    """The same on the coarse grid."""
    inventories: Mapping[str, Source]
    """ODIAC, FFDAS and others, t CO2 / km2 / year (D24)."""
    lights: Source | None
    drivers: Mapping[str, Source]
    """Empty where they are coarser than the fine grid: then there is nothing to recover."""


@dataclass(frozen=True)
class Verdict:
    """All numbers of a run's map."""

    judged: list[Judged]
    """The map and its alternatives, each with its numbers."""
    coarse_shares: LandCoverShares | None
    """The corrected coarse map by the land cover of its own cells."""
    inventories: dict[str, InventoryComparison] = field(default_factory=dict)
    """The map against ODIAC, FFDAS and others."""


def look_at_compared(here: Here, config: Config, area: Area) -> Compared:
    """Land cover and other inventories that the configuration names, and the drivers at the fine cell size.

    Raises
    ------
    InputError
        One of them is wrong, or has nothing under the map.
    """
    land_cover, coarse_cover, fine = None, None, area.zones.grid
    if config.land_cover.raster:
        land_cover = read_land_cover(config.land_cover.raster, fine, config.land_cover.rule)
        coarse = coarser(fine, config.upscale.factor)
        coarse_cover = read_land_cover(config.land_cover.raster, coarse, config.land_cover.rule)
    inventories = read_inventories(config, area.zones, here.folder)
    sources, lights = prediction_drivers(config), config.evaluate.lights
    fine_lights = Warped(sources[lights], fine, "mean") if lights in sources else None
    fine_drivers = {}
    if has_fine_drivers(config, sources, fine):
        fine_drivers = {name: Warped(source, fine, "mean") for name, source in sources.items()}
    return Compared(land_cover, coarse_cover, inventories, fine_lights, fine_drivers)


def has_fine_drivers(config: Config, sources: Mapping[str, Source], fine: Grid) -> bool:
    """Whether there is something to recover: drivers about as fine as the fine map (``evaluate.fine_reference``)."""
    if config.evaluate.fine_reference != "auto":
        return config.evaluate.fine_reference == "yes"
    coarsest = max(float(np.median(source.grid.cell_areas())) for source in sources.values())
    return coarsest <= 1.5 * float(np.median(fine.cell_areas()))


def judge_map(
    here: Here,
    config: Config,
    model: FittedRegression,
    coarse: CoarseMap,
    network_alone: Source,
    emission: Source,
    area: Area,
    compared: Compared,
) -> Verdict:
    """Figs. 4-5 and the comparison of the map with its plain alternatives (``evaluation.comparison``), and Fig. 6.

    Parameters
    ----------
    network_alone : the density that the network alone makes, without ensemble and back-projection.
    emission : the map, 10^4 t per cell.
    """
    zones, totals = area.zones, area.totals
    maps = alternatives(coarse.raster, None, config.upscale, compared.lights, zones, totals, network_alone)
    maps[RESULT] = emission
    reference = None
    if compared.drivers:
        predicted = Predicted(model, compared.drivers, coarse.scaler, config.regression.scaling)
        reference = reference_of(predicted, coarse.raster, config.upscale.baseline, zones, totals)
        maps[REFERENCE] = reference
    here.progress.update(0.3)
    ordered = {name: maps[name] for name in ORDER if name in maps}
    judged = judge_all(
        ordered, zones, totals, compared.land_cover, reference, lambda done: here.progress.update(0.3 + 0.6 * done)
    )
    shares = None
    if compared.coarse_land_cover is not None:
        shares = coarse_shares(maps[COARSE], zones, compared.coarse_land_cover)
    inventories = {
        name: compare_inventory(
            name, emission, density, zones, compared.land_cover, totals, RESULT, Path(here.folder)
        )
        for name, density in compared.inventories.items()
    }  # fmt: skip
    return Verdict(judged, shares, inventories)
