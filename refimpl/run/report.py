"""Files of a run's results, in one folder: GeoTIFFs, tables, maps, curves and ``run.json``.

Nothing here computes: every function takes the results of ``pipeline.run`` and writes one kind of file.  All files are
made in the folder of the stages first.  Then they appear in the output folder, each whole, ``run.json`` last.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Iterable
from fnmatch import fnmatch
from importlib import metadata
from pathlib import Path

import numpy as np

from refimpl import __version__
from refimpl.errors import InputError, told
from refimpl.evaluation.alternatives import COARSE, RESULT
from refimpl.evaluation.scorecard import comparison_table
from refimpl.figures.bars import bar_figure, scatter_figure
from refimpl.figures.curves import curve_figure
from refimpl.figures.inventory_figures import inventory_figures
from refimpl.figures.maps import comparison_figure, map_figure, pick_window
from refimpl.figures.stacked import land_cover_figure
from refimpl.formats.energy_table import Inventory
from refimpl.formats.files import atomic_path, in_one_sentence, sha256, sweep_stale, write_text
from refimpl.formats.model_file import write_model
from refimpl.formats.table1 import selection_rows
from refimpl.formats.tables import columns_of, write_table
from refimpl.formats.tape import write_history, write_tape
from refimpl.method.selection import TITLES
from refimpl.run.columns import (
    accuracy_columns,
    balance_columns,
    driver_columns,
    inventory_columns,
    land_cover_columns,
    ranking_columns,
    write_inventories,
)
from refimpl.run.results import Drawn, Results
from refimpl.run.stages import Here, Stages, as_stage, digest
from refimpl.run.summary import cell_words, named
from refimpl.twins import current_backend
from refimpl.windows.allocated_map import per_km2
from refimpl.windows.stored import Stored
from refimpl.windows.tiled import write_tiled
from refimpl.windows.walks import WRITTEN

ZOOM = 50
"""Side of the zoomed window, coarse cells, where the configuration names none: few enough to see each."""


def check_folder(folder: Path) -> None:
    """Refuse an output folder that cannot be made or written to, before the long computation; it is not made yet."""
    try:
        there = next(part for part in (folder.absolute(), *folder.absolute().parents) if part.exists())
    except OSError as fault:
        raise InputError(
            f"{folder}: cannot be the output folder ({fault.strerror}); name another"
        ) from None
    if not there.is_dir():
        raise InputError(f"{folder}: cannot be the output folder, {there} is a file; name another")
    if not os.access(there, os.W_OK | os.X_OK):
        raise InputError(f"{folder}: cannot be written to; name another output folder")


def check_inputs_stay(inputs: Iterable[Path], folder: Path) -> None:
    """Refuse an output folder in which an input has the name of a result: it would be written over."""
    for path in inputs:
        inside = folder.is_dir() and path.parent.samefile(folder)
        if inside and any(fnmatch(path.name, name) for name in (*FILES, "run.json")):
            raise InputError(
                f"{path}: is read by this run and has the name of one of its results; name another output folder"
            )


def write_results(results: Results, folder: Path) -> list[Path]:
    """Write all files of one run; returns their paths, ``run.json`` last.

    The files of an earlier run are removed from the folder when all of this one's files are made.
    """
    check_folder(folder)
    with told() as texts:
        drawn = draw(results.stages, results)
    results.warnings += [text for text in texts if text not in results.warnings]
    redrawn = {path.name for path in drawn.files}
    made = [raster.path for raster in maps_of(results) if raster.path.name not in redrawn]
    made += drawn.files
    folder.mkdir(parents=True, exist_ok=True)
    sweep_stale(folder)
    for path in (folder / "run.json", *files_of_a_run(folder)):  # those of an earlier run
        with in_one_sentence(path):
            path.unlink(missing_ok=True)
    for path in made:
        place(path, folder / path.name)
    written = files_of_a_run(folder)
    write_text(folder / "run.json", run_json(results, written))
    return [*written, folder / "run.json"]


def place(path: Path, target: Path) -> None:
    """Let a finished file appear in the output folder: as a hard link where the disk has links, else as a copy."""
    with atomic_path(target) as temporary:
        try:
            os.link(path, temporary)
        except OSError:
            shutil.copyfile(path, temporary)


def maps_of(results: Results) -> list[Stored]:
    """The four maps, float64, so that the sums of the cells are exact in the files too."""
    return [results.coarse.raster, results.fine.weights, results.allocation.emission, results.allocation.density]


@as_stage("draw")
def draw(here: Here, results: Results) -> Drawn:
    """Draw every table and figure (Figs. 1-7), and write the maps in the layout of ``report.cog``."""
    write_tables(results, here.folder)
    here.progress.update(0.1)
    write_figures(results, here.folder)
    for raster in maps_of(results) if results.config.report.cog else ():
        name = raster.path.name
        write_tiled(here.path(name), raster, WRITTEN, description=DESCRIPTIONS[name], cog=True)
    return Drawn(tuple(files_of_a_run(here.folder)))


def already_there(folder: Path, stages: Stages) -> dict | None:
    """What a finished run said, if this one would make the same files and they are all there, unchanged."""
    try:
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        kept = json.loads((stages.folder / SAID).read_text(encoding="utf-8"))
        same = record["key"] == kept["key"] == digest(stages.key("draw"))
        if same and all(sha256(folder / name) == found for name, found in record["outputs"].items()):
            return kept["said"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    return None


def conclude(results: Results, said: dict) -> None:
    """Keep what is said of the run, and of its stages only the training: it is small, and takes the longest."""
    stages = results.stages
    stages.forget(keep=tuple(name for name in stages.keys if name.startswith("train")))
    write_text(stages.folder / SAID, json.dumps({"key": digest(stages.key("draw")), "said": said}))


SAID = "finished.json"
"""File in the folder of the stages that keeps what a finished run said."""
DESCRIPTIONS = {
    "coarse.tif": "coarse map CE",
    "weights.tif": "fine map CW, the weights of Eq. 3",
    "emissions.tif": "CO2 emission per cell",
    "emissions_per_km2.tif": "CO2 emission density",
}
"""Of each map, as its file has it."""


def files_of_a_run(folder: Path) -> list[Path]:
    """The files of ``FILES`` that the folder holds, by name."""
    return sorted({path for name in FILES for path in folder.glob(name)})


FILES = (
    "coarse.tif", "weights.tif", "emissions.tif", "emissions_per_km2.tif",
    "inventory.csv", "drivers_fit.csv", "drivers_test.csv", "drivers_ranked.csv", "table1.csv", "model.json",
    "training.csv", "tape.csv", "mass_balance.csv", "land_cover.csv", "land_cover_coarse.csv", "comparison.csv",
    "accuracy_by_province.csv", "inventories.csv", "inventories_by_province.csv", "inventories_by_land_cover.csv",
    "coarse.png", "emissions.png", "zoom.png", "training.png", "comparison.png", "regression.png", "land_cover.png",
    "inventories.png", "inventories_difference.png", "inventories_cells_*.png",
)  # fmt: skip
"""What a run can write beside ``run.json``; comparisons only where there is something to compare with."""


def without_names(columns: dict[str, object]) -> dict[str, object]:
    """The same columns without the province names, where only codes are known."""
    return {name: column for name, column in columns.items() if name != "province"}


def write_tables(results: Results, folder: Path) -> None:
    """Every table as CSV, and the model as JSON."""
    names = province_names(results.inventory)
    write_table(folder / "inventory.csv", inventory_columns(results.inventory))
    write_table(folder / "drivers_fit.csv", driver_columns(results.provinces.fit, results.regression.model))
    write_table(folder / "drivers_test.csv", driver_columns(results.provinces.test, results.regression.model))
    write_table(folder / "drivers_ranked.csv", ranking_columns(results.provinces.fit.ranking))
    write_table(folder / "table1.csv", columns_of(selection_rows(results.regression.selection)))
    write_model(folder / "model.json", results.regression.model)
    write_history(folder / "training.csv", results.fine.history)
    write_tape(folder / "tape.csv", results.fine.tape)
    write_table(folder / "mass_balance.csv", balance_columns(results.allocation.balance, names))
    write_table(folder / "comparison.csv", comparison_table(results.verdict.judged))
    final = named(results.verdict.judged, RESULT)
    if final.land_cover is not None:
        write_table(folder / "land_cover.csv", land_cover_columns(final.land_cover, names))
    if results.verdict.coarse_shares is not None:
        write_table(folder / "land_cover_coarse.csv", land_cover_columns(results.verdict.coarse_shares, names))
    others = list(results.verdict.inventories.values())
    if others:
        write_inventories(folder / "inventories.csv", others, names)
    compared = [one for one in [*results.verdict.judged, *(other.judged for other in others)] if one.cells is not None]
    if compared:
        write_table(folder / "accuracy_by_province.csv", accuracy_columns(compared, names))


def write_figures(results: Results, folder: Path) -> None:
    """Maps (coarse, fine, a zoom of both), the training curve, the comparison and the regression."""
    config, zones = results.config, results.area.zones
    size, large = results.area.zones.grid.transform[2], results.coarse.raster.grid.transform[2]
    fine, coarse = results.allocation.density, per_km2(named(results.verdict.judged, COARSE).emission)
    titles = [
        f"{cell_words(large, results)}: the regression's map, corrected",
        f"{cell_words(size, results)}: after super-resolution",
    ]
    footer = config.attribution
    for name, raster, subtitle in (("coarse.png", coarse, titles[0]), ("emissions.png", fine, titles[1])):
        map_figure(raster, config.title, folder / name, subtitle=subtitle, footer=footer, zones=zones)
    window = config.report.zoom if config.report.zoom != "auto" else pick_window(fine, ZOOM * large)
    comparison_figure(
        [coarse, fine], titles, folder / "zoom.png", window, title=config.title, footer=footer, zones=[zones, zones]
    )
    final, names = named(results.verdict.judged, RESULT), province_names(results.inventory)
    if final.land_cover is not None:
        land_cover_figure(final.land_cover, names, folder / "land_cover.png", config.title, footer)
    if others := list(results.verdict.inventories.values()):
        inventory_figures(fine, others, folder, zones, RESULT, config.title, footer)
    history = results.fine.history
    measured = np.isfinite(history.reconstruction_error)
    curve_figure(
        history.loss, history.learning_rate, folder / "training.png",
        reconstruction=(history.step[measured], history.reconstruction_error[measured]),
        title="Training of the super-resolution network",
    )  # fmt: skip
    table = comparison_table(results.verdict.judged)
    labels = {
        "built-up_share": "mean share of emission on built-up land",
        "cells_r2": "R2 of cells against fine drivers",
        "totals_r2": "R2 of province totals",
    }
    column = next(name for name in labels if np.isfinite(table[name]).any())
    label = labels[column]
    bar_figure(table["map"], {label: table[column]}, folder / "comparison.png", "What each step adds", units=label)
    fit, test = results.provinces.fit, results.provinces.test
    scatter_figure(
        test.emission, results.regression.model.predict(test.totals), test.provinces, folder / "regression.png",
        f"{TITLES[results.regression.name]}: fitted on {fit.year}, tested on {test.year}", units="10^4 t CO2",
    )  # fmt: skip


def province_names(inventory: Inventory) -> dict[int, str]:
    """Province names by code."""
    return dict(zip(inventory.codes.tolist(), inventory.provinces))


def run_json(results: Results, written: list[Path]) -> str:
    """Versions, settings, seed, checksums of inputs and outputs, warnings and seconds per stage."""
    config = results.config
    packages = ("numpy", "numba", "pillow", "tifffile")
    record = {
        "refimpl": __version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "packages": {name: metadata.version(name) for name in packages},
        "backend": current_backend(),
        "configuration": str(config.path),
        "settings": config.effective(),
        "seed": config.seed,
        "key": digest(results.stages.key("draw")),
        "inputs": {str(path): sha256(path) for path in config.input_files()},
        "outputs": {path.name: sha256(path) for path in written},
        "warnings": results.warnings,
        "seconds": {name: round(value, 3) for name, value in results.stages.seconds.items()},
    }
    return json.dumps(record, indent=2, ensure_ascii=False) + "\n"
