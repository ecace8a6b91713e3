"""The verb ``predict``: the coarse map CE (Fig. 1), tile by tile, whatever its size.

Modules are imported inside the verb, so that ``--help`` stays fast.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from refimpl.cli.arguments import cog_argument, datum_argument, quantile, worker_arguments
from refimpl.errors import InputError, did_you_mean
from refimpl.formats.files import check_outputs

TILE = (512, 2048)
"""Rows and columns that are computed in one piece."""
KEPT = 2**25
"""Decoded bytes of each driver that are kept: the strips under a row of tiles."""


def options_predict(verb: argparse.ArgumentParser) -> None:
    """Arguments of ``predict``."""
    verb.add_argument("drivers", nargs="+", metavar="NAME=FILE", help="rasters on one grid")
    verb.add_argument("--model", type=Path, required=True)
    verb.add_argument("--scaling", choices=("separate", "shared"), default="separate", help="D05")
    verb.add_argument("--upper-quantile", type=quantile, default=0.999, help="D05: of the cells, scaled to 1")
    verb.add_argument("--output", type=Path, default=Path("coarse.tif"))
    datum_argument(verb)
    cog_argument(verb)
    worker_arguments(verb)


def verb_predict(args) -> None:
    """The coarse map CE."""
    from refimpl.cli.verbs import named_rasters
    from refimpl.method.fitted_regression import FittedRegression
    from refimpl.progress import stage
    from refimpl.run.workers import executor_of
    from refimpl.windows.coarse_map import count_negative, no_cell, predicted_map
    from refimpl.windows.stored import Stored
    from refimpl.windows.tiled import write_tiled

    files = named_rasters(args.drivers)
    check_outputs([args.output], [*files.values(), args.model])
    model = FittedRegression.load(args.model)
    unknown = sorted(set(files) - set(model.feature_names))
    if unknown:
        raise InputError(
            f"driver {unknown[0]!r} is not one the model was fitted on{did_you_mean(unknown[0], model.feature_names)}"
        )
    with executor_of(args.workers, args.processes, args.scheduler) as executor, stage("predict") as progress:
        drivers = {name: Stored(path, keep=KEPT) for name, path in files.items()}
        coarse = predicted_map(model, drivers, args.scaling, args.upper_quantile)
        empty, description = no_cell(model.feature_names), "coarse map CE"
        write_tiled(args.output, coarse, TILE, executor, progress, empty, description=description, cog=args.cog)
    negative = count_negative(Stored(args.output, keep=0))
    if negative:
        print(f"{negative} cells are negative; the super-resolution clips them to 0 (D08)")
