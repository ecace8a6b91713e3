"""The verb ``predict``: the coarse map CE (Fig. 1), tile by tile, for a map of any size."""

from __future__ import annotations

import argparse
from pathlib import Path

from refimpl.cli.arguments import cog_argument, datum_argument, quantile, worker_arguments
from refimpl.cli.shared_inputs import named_rasters
from refimpl.errors import InputError, did_you_mean
from refimpl.formats.files import check_outputs

HELP = "the coarse map CE: the model on every cell"
COARSE_TILE = (512, 2048)
"""Rows and columns of the map that are computed at a time."""
KEPT = 2**25
"""Decoded bytes of each driver that stay in memory: enough for the strips under one row of tiles."""


def options(verb: argparse.ArgumentParser) -> None:
    """Arguments of ``predict``."""
    verb.add_argument("drivers", nargs="+", metavar="NAME=FILE", help="rasters on one grid")
    verb.add_argument("--model", type=Path, required=True, help="what 'refimpl fit' wrote")
    verb.add_argument("--scaling", choices=("separate", "shared"), default="separate", help="of the drivers, by D05")
    verb.add_argument(
        "--upper-quantile", type=quantile, default=0.999, help="of a driver's cells; it is scaled to 1 (D05)"
    )
    verb.add_argument("--output", type=Path, default=Path("coarse.tif"), help="the coarse map")
    datum_argument(verb)
    cog_argument(verb)
    worker_arguments(verb)


def call(args) -> None:
    """Write the coarse map, and tell how many of its cells are negative."""
    from refimpl.formats.model_file import read_model
    from refimpl.method.coarse_map import no_cell
    from refimpl.progress import stage
    from refimpl.run.workers import executor_of
    from refimpl.windows.predicted_map import count_negative, predicted_map
    from refimpl.windows.stored import Stored
    from refimpl.windows.tiled import write_tiled

    files = named_rasters(args.drivers)
    check_outputs([args.output], [*files.values(), args.model])
    model = read_model(args.model)
    unknown = sorted(set(files) - set(model.feature_names))
    if unknown:
        raise InputError(
            f"driver {unknown[0]!r} is not one the model was fitted on{did_you_mean(unknown[0], model.feature_names)}"
        )
    with executor_of(args.workers, args.processes, args.scheduler) as executor, stage("predict") as progress:
        drivers = {name: Stored(path, keep=KEPT) for name, path in files.items()}
        coarse = predicted_map(model, drivers, args.scaling, args.upper_quantile)
        empty, description = no_cell(model.feature_names), "coarse map CE"
        write_tiled(args.output, coarse, COARSE_TILE, executor, progress, empty, description=description, cog=args.cog)
    negative = count_negative(Stored(args.output, keep=0))
    if negative:
        print(f"{negative} cells are negative; the super-resolution clips them to 0 (D08)")
