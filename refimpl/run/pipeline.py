"""The method from top to bottom (Fig. 9): statistics and driver rasters in, a corrected fine emission map out.

Read ``run`` first: it is the table of contents.  A ``do`` is one stage: it writes files, and hands on small values and
rasters that are read from these files window by window, so that a country takes no more memory than a province.  A
finished stage is not done again (refimpl/run/stages.py).  Every input is looked at before the training starts, so that a
wrong one costs no time; ``report`` writes the results.

======== ============================ ==========================================================
paper    function                     from -> to
======== ============================ ==========================================================
Eq. 1    inventory.read_inventory     fuels -> province totals E_n, 10^4 t CO2 a year
-        provinces.province_drivers   driver rasters, zones -> province totals of each driver (D03)
Table 1  selection.compare_models     totals of two years -> the winning regression (D07)
-        area.lay_out                 driver rasters -> densities on the working grid (D04)
Fig. 1   predict                      regression, drivers -> coarse map CE
Fig. 8   zssr.train.train_on          CE -> the network
Eq. 2    zssr.fine.SuperResolved      network, CE -> weights CW at half the cell size
Eq. 3    correct                      CW, E_n -> emission of each cell, totals exact
Figs 4-6 judging.judge_map            the map and its alternatives -> shares and errors
======== ============================ ==========================================================
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from refimpl.earth.datum import other_datums
from refimpl.earth.grid import Source
from refimpl.errors import told
from refimpl.evaluation.agreement import InventoryComparison
from refimpl.evaluation.scorecard import Judged
from refimpl.formats.energy_table import Inventory, read_inventory
from refimpl.method.fitted_regression import FittedRegression
from refimpl.method.land_cover import LandCoverShares
from refimpl.method.network import Network
from refimpl.method.scaling import MinMaxScaler
from refimpl.method.selection import SelectionTable, choose, compare_models
from refimpl.method.training import Trained
from refimpl.method.training_pairs import Tape
from refimpl.run.area import Area, check_zoom, lay_out
from refimpl.run.config import Config
from refimpl.run.judgement import Compared, judge_map, look_at_compared
from refimpl.run.provinces import ProvinceDrivers, province_drivers, read_zones
from refimpl.run.report import DESCRIPTIONS
from refimpl.run.stage_keys import name_of, stages_in
from refimpl.run.stages import Here, Stages
from refimpl.windows.allocated_map import Allocation, MassBalance, allocate, per_km2
from refimpl.windows.checkpoint import Checkpoint
from refimpl.windows.fine_map import TILE_CELLS as TILE
from refimpl.windows.fine_map import NetworkOutput, Plain, SuperResolution, SuperResolved
from refimpl.windows.measured_range import Measured, measure
from refimpl.windows.predicted_map import CoarseMap, count_negative, predicted_map
from refimpl.windows.stored import Stored
from refimpl.windows.tiled import write_tiled
from refimpl.windows.training_on_file import train_on_map
from refimpl.windows.walks import WRITTEN
from refimpl.windows.zones import Coverage

TILES = (2 * TILE, 2 * TILE)
"""Rows and columns of the fine map that are one task."""


@dataclass
class Results:
    """All that one run made; rasters are sources in files, tables small values."""

    config: Config
    inventory: Inventory
    fit: ProvinceDrivers
    test: ProvinceDrivers
    selection: SelectionTable
    model_name: str
    coarse: CoarseMap
    zones: Source
    """Province codes on the fine grid."""
    compared: Compared
    coverage: Coverage
    """Part of each province's area that lies on the map."""
    totals: dict[int, float]
    """What each mapped province receives, 10^4 t."""
    fine: SuperResolution
    """Of the last doubling; its ``weights`` are those of Eq. 3."""
    allocation: Allocation
    density: Source
    """The map as t CO2 / km2 / year."""
    judged: list[Judged]
    """The map and its alternatives, each with its numbers."""
    coarse_shares: LandCoverShares | None
    """The corrected coarse map by the land cover of its own cells."""
    inventories: dict[str, InventoryComparison]
    """The map against ODIAC, FFDAS and others."""
    stages: Stages
    warnings: list[str] = field(default_factory=list)
    """Each once, in the order in which they were given."""
    temporary: Any = None
    """Holds the folder of a run that was given none, as long as the results live."""

    @property
    def model(self) -> FittedRegression:
        """The regression that the map was made with."""
        return self.selection[self.model_name].fitted

    @property
    def seconds(self) -> dict[str, float]:
        """How long each stage took when it was done."""
        return self.stages.seconds


def run(
    config: Config,
    network: Network | None = None,
    tape: Tape | None = None,
    work: Path | Stages | None = None,
    executor: Executor | None = None,
    trained: Sequence[Trained] = (),
) -> Results:
    """The whole method; nothing is written but the files of its stages.

    Parameters
    ----------
    network, tape : replace the first weights and the draws of the training (``train_on``), to repeat another
        implementation's run.
    work : the folder that keeps the stages, or these (``stages_in``); what is finished there is not done again.  By
        default a folder that is removed with the results.
    executor : computes the tiles of the drivers, the coarse and the fine map; by default the kernels' own threads.
    trained : networks that were trained before, on the map of another year, one for each doubling; then none is
        trained.

    Raises
    ------
    InputError
        Any fault of the input, in one sentence.
    """
    with told() as texts, other_datums(config.grid.ignore_datum):
        temporary = None if work else tempfile.TemporaryDirectory(prefix="refimpl-", ignore_cleanup_errors=True)
        stages = work
        if not isinstance(work, Stages):
            stages = stages_in(Path(work or temporary.name), config, network, tape, trained)
        inventory = read_inventory(config.statistics.energy)
        check_years(config, inventory)
        zones = read_zones(config.zones.raster, config.zones.id, config.zones.rule)

        totals = stages.do("zonal", lambda here: province_drivers(config, inventory, zones, here.progress))
        selection, model_name = stages.do("fit", lambda here: fit_regression(config, *totals.value)).value
        model = selection[model_name].fitted

        laid = stages.do("warp", lambda here: lay_out(here, config, inventory, zones, executor))
        area = Area.of(laid, config)
        check_zoom(config, area.zones.grid)
        compared = stages.do("compared", lambda here: look_at_compared(here, config, area)).value

        predicted = stages.do("predict", lambda here: predict(here, config, model, area, executor))
        coarse = CoarseMap(Stored(predicted.path("coarse.tif")), *predicted.value)

        fine, alone = super_resolve(stages, config, coarse.raster, network, tape, executor, trained)

        allocated = stages.do("allocate", lambda here: correct(here, fine.weights, area))
        emission = Stored(allocated.path("emissions.tif"), keep=0)
        density = Stored(allocated.path("emissions_per_km2.tif"), keep=0)

        judged = stages.do(
            "evaluate", lambda here: judge_map(here, config, model, coarse, alone, emission, area, compared)
        ).value
    return Results(
        config, inventory, *totals.value, selection, model_name, coarse, area.zones, compared, area.coverage,
        area.totals, fine, Allocation(emission, allocated.value), density, judged.judged, judged.coarse_shares,
        judged.inventories, stages, texts, temporary,
    )  # fmt: skip


def check_years(config: Config, inventory: Inventory) -> None:
    """Refuse a year that the energy table does not have, before anything is computed."""
    for key in ("fit_year", "test_year", "map_year"):
        year = getattr(config.statistics, key) or config.map_year
        inventory.of_year(year, f"{config.path}: statistics.{key}")


def fit_regression(config: Config, fit: ProvinceDrivers, test: ProvinceDrivers) -> tuple[SelectionTable, str]:
    """Table 1 and the name of the model that the map is made with (D07, or the one that the configuration names)."""
    details = {"feature_names": fit.names, "metadata": {"fit_year": fit.year, "test_year": test.year}}
    selection = compare_models(fit.totals, fit.emission, test.totals, test.emission, config.models, **details)
    name = choose(selection) if config.regression.model == "auto" else config.regression.model
    return selection, name


def predict(
    here: Here, config: Config, model: FittedRegression, area: Area, executor: Executor | None
) -> tuple[MinMaxScaler, int]:
    """Fig. 1: the coarse map; returns the scaling of its cells and how many of them are negative (D08)."""
    regression, path = config.regression, here.path("coarse.tif")
    predicted = predicted_map(model, area.drivers, regression.scaling, regression.upper_quantile)
    write_tiled(path, predicted, (TILE, TILE), executor, here.progress, description=DESCRIPTIONS[path.name])
    return predicted.scaler, count_negative(Stored(path))


def super_resolve(
    stages: Stages,
    config: Config,
    coarse: Source,
    network: Network | None,
    tape: Tape | None,
    executor: Executor | None,
    trained: Sequence[Trained] = (),
) -> tuple[SuperResolution, Source]:
    """Eq. 2, once for each doubling: the last fine map, and that of the network alone, to compare with.

    Gradual super-resolution (D17; Shocher, Cohen & Irani 2018, section 3.2): the map of one doubling is what the next
    network is trained on.  Only the first takes away the baseline.
    """
    settings, weights = config.upscale, coarse
    for doubling in range(1, settings.doublings + 1):
        half = weights
        if doubling > 1:
            settings, network, tape = replace(settings, baseline="keep"), None, None
        before = trained[doubling - 1] if trained else None
        made, measured = stages.do(
            name_of("train", doubling),
            lambda here: train_network(here, config, half, doubling, network, tape, before),
            resumes=True,
        ).value
        output = NetworkOutput(made.network, half, measured.range, settings)
        applied = stages.do(
            name_of("network", doubling),
            lambda here: write_tiled(here.path("output.tif"), output, TILES, executor, here.progress),
        )
        known = Stored(applied.path("output.tif"))
        source = SuperResolved(made.network, half, measured.range, settings, known)
        upscaled = stages.do(name_of("upscale", doubling), lambda here: upscale(here, source, executor))
        weights = Stored(upscaled.path("weights.tif"))
        fine = SuperResolution(weights, made.history, made.tape, made.network, measured.range, measured.clipped)
    return fine, Plain(known, measured.range, settings)


def train_network(
    here: Here,
    config: Config,
    half: Source,
    doubling: int,
    network: Network | None,
    tape: Tape | None,
    trained: Trained | None,
) -> tuple[Trained, Measured]:
    """Fig. 8: the network, trained on crops of a map in a file; from its checkpoint on, if it was interrupted."""
    measured = measure(half)
    if trained:
        return trained, measured
    checkpoint, settings = Checkpoint(here.path("checkpoint.npz"), here.digest), config.upscale
    found = train_on_map(
        half, measured.range, settings, config.seed, doubling, here.folder, here.progress, tape, network, checkpoint
    )
    checkpoint.path.unlink(missing_ok=True)
    return found, measured


def upscale(here: Here, fine: SuperResolved, executor: Executor | None) -> None:
    """Eq. 2: the fine map, tile by tile."""
    path = here.path("weights.tif")
    write_tiled(path, fine, TILES, executor, here.progress, description=DESCRIPTIONS[path.name])


def correct(here: Here, weights: Source, area: Area) -> MassBalance:
    """Eq. 3: emission of each cell, and as a density, float64, so that the sums of the cells are exact in the file."""
    allocation = allocate(weights, area.zones, area.totals)
    emission, density = here.path("emissions.tif"), here.path("emissions_per_km2.tif")
    write_tiled(emission, allocation.emission, WRITTEN, description=DESCRIPTIONS[emission.name])
    here.progress.update(0.7)
    write_tiled(density, per_km2(Stored(emission, keep=0)), WRITTEN, description=DESCRIPTIONS[density.name])
    return allocation.balance
