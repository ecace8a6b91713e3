"""Judgement of a run's map: the maps that it is compared with, and the numbers of the comparison (Figs. 4-6).

Land cover, other inventories and drivers at the fine cell size are checked before the training, so that a wrong file
costs no time.  They are read again, window by window, when the map is judged.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from refimpl.earth.grid import Grid, Source
from refimpl.earth.warped import Warped
from refimpl.evaluation.agreement import compare_inventory
from refimpl.evaluation.alternatives import (
    COARSE,
    ORDER,
    REFERENCE,
    RESULT,
    alternatives,
    reference_of,
)
from refimpl.evaluation.land_cover import coarse_shares
from refimpl.evaluation.scorecard import judge_all
from refimpl.run.config import Config
from refimpl.run.provinces import prediction_drivers
from refimpl.run.reference_maps import coarser, read_inventories, read_land_cover
from refimpl.run.results import AllocatedEmission, Area, ChosenRegression, ReferenceMaps, Refined, Verdict
from refimpl.run.stages import Here, as_stage
from refimpl.windows.predicted_map import CoarseMap, Predicted


@as_stage("compared")
def open_references(here: Here, config: Config, area: Area) -> ReferenceMaps:
    """Figs. 4-6: land cover (D23), other inventories (D24) and fine drivers that the configuration names, checked.

    The form for large maps of ``refimpl.method.land_cover``.

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
    return ReferenceMaps(land_cover, coarse_cover, inventories, fine_lights, fine_drivers)


def has_fine_drivers(config: Config, sources: Mapping[str, Source], fine: Grid) -> bool:
    """Whether the drivers are about as fine as the fine map, so that it has something to recover.

    ``evaluate.fine_reference`` decides otherwise where it is "yes" or "no".
    """
    if config.evaluate.fine_reference != "auto":
        return config.evaluate.fine_reference == "yes"
    coarsest = max(float(np.median(source.grid.cell_areas())) for source in sources.values())
    return coarsest <= 1.5 * float(np.median(fine.cell_areas()))


@as_stage("evaluate")
def judge_map(
    here: Here,
    config: Config,
    regression: ChosenRegression,
    area: Area,
    references: ReferenceMaps,
    coarse: CoarseMap,
    fine: Refined,
    allocation: AllocatedEmission,
) -> Verdict:
    """Eqs. 4-6 and Figs. 4-6: the numbers of the map and of its plain alternatives, and of other inventories.

    The alternatives and their reasons stand in ``refimpl.evaluation.scorecard``.  The form for large maps of
    ``refimpl.method.metrics`` and ``refimpl.method.land_cover.land_cover_shares``.
    """
    zones, totals, emission = area.zones, area.totals, allocation.emission
    maps = alternatives(coarse.raster, None, config.upscale, references.lights, zones, totals, fine.network_alone)
    maps[RESULT] = emission
    reference = None
    if references.drivers:
        predicted = Predicted(regression.model, references.drivers, coarse.scaler, config.regression.scaling)
        reference = reference_of(predicted, coarse.raster, config.upscale.baseline, zones, totals)
        maps[REFERENCE] = reference
    here.progress.update(0.3)
    ordered = {name: maps[name] for name in ORDER if name in maps}
    judged = judge_all(
        ordered, zones, totals, references.land_cover, reference, lambda done: here.progress.update(0.3 + 0.6 * done)
    )
    shares = None
    if references.coarse_land_cover is not None:
        shares = coarse_shares(maps[COARSE], zones, references.coarse_land_cover)
    inventories = {
        name: compare_inventory(
            name, emission, density, zones, references.land_cover, totals, RESULT, here.folder
        )
        for name, density in references.inventories.items()
    }  # fmt: skip
    return Verdict(judged, shares, inventories)
