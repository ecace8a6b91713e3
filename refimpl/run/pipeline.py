"""The method from top to bottom (Fig. 9): statistics and driver rasters in, a corrected fine emission map out.

Read ``run`` first: it is the table of contents.  Each call with ``stages`` is one stage, and leads to a function that
says what goes in, what comes out, and which function of ``refimpl.method`` does the same on arrays.  A stage writes its
maps to files, which the next one reads window by window: a country takes no more memory than a province.  A finished
stage is not done again (refimpl/run/stages.py).  Every input is checked before the training starts, so that a wrong
one costs no time.

========== ============================== ============================================================
paper      function                       from -> to
========== ============================== ============================================================
Eq. 1      inventory.read_inventory       fuels -> emission SC_n of each province, 10^4 t CO2 a year
D03        provinces.total_drivers        driver rasters, zones -> province totals of each driver
Table 1    fit_regression                 province totals of two years -> the chosen regression (D07)
D04        area.lay_out                   driver rasters -> densities on the working grid; SC_n to share out
-          judgement.open_references      land cover, other inventories -> maps to compare with, checked
Fig. 1     predict_map                    regression, densities -> coarse map CE
Fig. 8     refine                         CE -> network -> weights CW at half the cell size
Eq. 3      allocate_emission              CW, SC_n -> emission of each cell, totals exact
Eqs. 4-6   judgement.judge_map            the map and its alternatives -> shares and errors (Figs. 4-6)
========== ============================== ============================================================

The results of the stages have their types in refimpl/run/results.py; refimpl/run/report.py writes them for people.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

from refimpl.earth.datum import other_datums
from refimpl.earth.grid import Source
from refimpl.errors import told
from refimpl.formats.energy_table import Inventory, read_inventory
from refimpl.method.image_range import ImageRange
from refimpl.method.network import Network
from refimpl.method.selection import choose, compare_models
from refimpl.method.settings import UpscaleSettings
from refimpl.method.training import Trained
from refimpl.method.training_pairs import Tape
from refimpl.run.area import check_zoom, lay_out
from refimpl.run.config import Config
from refimpl.run.judgement import judge_map, open_references
from refimpl.run.provinces import read_zones, total_drivers
from refimpl.run.report import DESCRIPTIONS
from refimpl.run.results import (
    AllocatedEmission,
    Area,
    ChosenRegression,
    FitAndTest,
    Refined,
    Results,
    TrainedOnMap,
)  # fmt: skip
from refimpl.run.stage_keys import stages_in
from refimpl.run.stages import Here, Stages, as_stage
from refimpl.windows.allocated_map import allocate, per_km2
from refimpl.windows.checkpoint import Checkpoint
from refimpl.windows.fine_map import TILE_SIDE, NetworkOutput, Plain, SuperResolved
from refimpl.windows.measured_range import measure
from refimpl.windows.predicted_map import CoarseMap, count_negative, predicted_map
from refimpl.windows.stored import Stored
from refimpl.windows.tiled import write_tiled
from refimpl.windows.training_on_file import train_on_map
from refimpl.windows.walks import WRITTEN

FINE_TILE = (2 * TILE_SIDE, 2 * TILE_SIDE)
"""Rows and columns of the fine map that are one task."""


def run(
    config: Config,
    network: Network | None = None,
    tape: Tape | None = None,
    work: Path | Stages | None = None,
    executor: Executor | None = None,
    trained: Sequence[Trained] = (),
) -> Results:
    """Fig. 9: the whole method.  It writes no files but those of its stages.

    ``refimpl.method.svr_zssr`` is the same on arrays.

    Parameters
    ----------
    network, tape : replace the first weights and the draws of the training, to repeat another implementation's run.
    work : the folder that keeps the stages, or the stages themselves (``stages_in``).  What is finished there is not
        done again.  By default a folder that is removed with the results.
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

        provinces = total_drivers(stages, config, inventory, zones)
        regression = fit_regression(stages, config, provinces)
        area = lay_out(stages, config, inventory, zones, executor)
        check_zoom(config, area.zones.grid)
        references = open_references(stages, config, area)
        coarse = predict_map(stages, config, regression, area, executor)
        fine = refine(stages, config, coarse, executor, network, tape, trained)
        allocation = allocate_emission(stages, fine, area)
        verdict = judge_map(stages, config, regression, area, references, coarse, fine, allocation)
    return Results(
        config, inventory, provinces, regression, area, references, coarse, fine, allocation, verdict,
        stages, texts, temporary,
    )  # fmt: skip


def check_years(config: Config, inventory: Inventory) -> None:
    """Refuse a year that the energy table does not have, before anything is computed."""
    for key in ("fit_year", "test_year", "map_year"):
        year = getattr(config.statistics, key) or config.map_year
        inventory.of_year(year, f"{config.path}: statistics.{key}")


@as_stage("fit")
def fit_regression(here: Here, config: Config, provinces: FitAndTest) -> ChosenRegression:
    """Table 1: four regressions, fitted on one year and tested on the other, and the one that makes the map.

    D07 chooses it, or ``regression.model`` names it.  ``refimpl.method.selection.compare_models`` does the work.
    """
    fit, test = provinces.fit, provinces.test
    details = {"feature_names": fit.names, "metadata": {"fit_year": fit.year, "test_year": test.year}}
    selection = compare_models(fit.totals, fit.emission, test.totals, test.emission, config.models, **details)
    wanted = config.regression.model
    return ChosenRegression(selection, choose(selection) if wanted == "auto" else wanted)


@as_stage("predict")
def predict_map(
    here: Here, config: Config, regression: ChosenRegression, area: Area, executor: Executor | None
) -> CoarseMap:
    """Fig. 1: the coarse map CE, ``coarse.tif``; D05 scales its cells, D08 counts the negative ones.

    The form for large maps of ``refimpl.method.coarse_map.predict_coarse``.
    """
    settings, path = config.regression, here.path("coarse.tif")
    predicted = predicted_map(regression.model, area.drivers, settings.scaling, settings.upper_quantile)
    write_tiled(path, predicted, (TILE_SIDE, TILE_SIDE), executor, here.progress, description=DESCRIPTIONS[path.name])
    return CoarseMap(Stored(path), predicted.scaler, count_negative(Stored(path)))


def refine(
    stages: Stages,
    config: Config,
    coarse: CoarseMap,
    executor: Executor | None = None,
    network: Network | None = None,
    tape: Tape | None = None,
    trained: Sequence[Trained] = (),
) -> Refined:
    """Fig. 8 and section "ZSSR": from the coarse map CE to the weights CW, three stages for each doubling.

    The map of one doubling is what the next network is trained on (gradual super-resolution: D17; Shocher, Cohen &
    Irani 2018, section 3.2).  Only the first doubling takes away the baseline (D09), and only the first training takes
    ``network`` and ``tape``.  The form for large maps of ``refimpl.windows.whole_maps.super_resolve``.
    """
    settings, weights = config.upscale, coarse.raster
    for doubling in range(1, settings.doublings + 1):
        half = weights
        if doubling > 1:
            settings, network, tape = replace(settings, baseline="keep"), None, None
        before = trained[doubling - 1] if trained else None
        found = train_network.of(doubling)(stages, config, half, doubling, network, tape, before)
        made, image_range = found.trained, found.measured.range
        output = run_network.of(doubling)(stages, settings, half, made.network, image_range, executor)
        weights = make_weights.of(doubling)(stages, settings, half, made.network, image_range, output, executor)
    return Refined(weights, Plain(output, image_range, settings), made.network, made.history, made.tape)


@as_stage("train", resumes=True)
def train_network(
    here: Here,
    config: Config,
    half: Source,
    doubling: int,
    network: Network | None,
    tape: Tape | None,
    trained: Trained | None,
) -> TrainedOnMap:
    """Fig. 8 and Eq. 2: a network, trained with the L1 loss on crops of ``half``, the map to be refined.

    An interrupted training goes on from its checkpoint.  Where ``trained`` is given, nothing is trained.  The form for
    large maps of ``refimpl.method.training.train``.
    """
    measured = measure(half)
    if trained:
        return TrainedOnMap(trained, measured)
    checkpoint, settings = Checkpoint(here.path("checkpoint.npz"), here.digest), config.upscale
    found = train_on_map(
        half, measured.range, settings, config.seed, doubling, here.folder, here.progress, tape, network, checkpoint
    )
    checkpoint.path.unlink(missing_ok=True)
    return TrainedOnMap(found, measured)


@as_stage("network")
def run_network(
    here: Here,
    settings: UpscaleSettings,
    half: Source,
    network: Network,
    image_range: ImageRange,
    executor: Executor | None,
) -> Stored:
    """Fig. 8: the output of the network for the interpolated map as it lies, ``output.tif``.

    It is the first of the ensemble's eight, and the map of the network alone, which is judged too.  The form for large
    maps of ``refimpl.method.network.forward``.
    """
    path = here.path("output.tif")
    write_tiled(path, NetworkOutput(network, half, image_range, settings), FINE_TILE, executor, here.progress)
    return Stored(path)


@as_stage("upscale")
def make_weights(
    here: Here,
    settings: UpscaleSettings,
    half: Source,
    network: Network,
    image_range: ImageRange,
    output: Stored,
    executor: Executor | None,
) -> Stored:
    """Fig. 8 and section "ZSSR": the fine map CW, ``weights.tif``, by ensemble and back-projection (D17-D19).

    ``output`` is that of ``run_network``.  The form for large maps of
    ``refimpl.windows.whole_maps.apply_network``.
    """
    path = here.path("weights.tif")
    fine = SuperResolved(network, half, image_range, settings, output)
    write_tiled(path, fine, FINE_TILE, executor, here.progress, description=DESCRIPTIONS[path.name])
    return Stored(path)


@as_stage("allocate")
def allocate_emission(here: Here, fine: Refined, area: Area) -> AllocatedEmission:
    """Eq. 3: the emission of each cell, ``emissions.tif``, and per km2, ``emissions_per_km2.tif`` (D20-D22).

    Both are float64, so that the cells of a province sum exactly to its statistic in the file too.  The form for large
    maps of ``refimpl.method.correction.allocate``.
    """
    allocation = allocate(fine.weights, area.zones, area.totals)
    emission, density = here.path("emissions.tif"), here.path("emissions_per_km2.tif")
    write_tiled(emission, allocation.emission, WRITTEN, description=DESCRIPTIONS[emission.name])
    here.progress.update(0.7)
    write_tiled(density, per_km2(Stored(emission, keep=0)), WRITTEN, description=DESCRIPTIONS[density.name])
    return AllocatedEmission(Stored(emission, keep=0), Stored(density, keep=0), allocation.balance)
