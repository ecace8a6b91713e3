"""The verb ``upscale``: a map at twice its resolution (Fig. 8 and section ZSSR), from a file of any size.

The network is trained on that map alone.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from refimpl.cli.arguments import cog_argument, datum_argument, seed, settable, worker_arguments
from refimpl.formats.files import check_outputs

HELP = "ZSSR: a map at twice its resolution, by a network trained on it alone"


def options(verb: argparse.ArgumentParser) -> None:
    """Arguments of ``upscale``."""
    verb.add_argument("coarse", type=Path, help="the coarse map")
    verb.add_argument("--settings", type=Path, help="a run.toml whose [upscale] table is used")
    verb.add_argument("--seed", type=seed, default=0, help="of the random draws")
    verb.add_argument("--output", type=Path, default=Path("weights.tif"), help="the fine map")
    verb.add_argument("--curve", type=Path, help="loss and learning rate of each step as CSV")
    verb.add_argument("--tape", type=Path, help="every random draw as CSV")
    verb.add_argument("--replay", type=Path, help="a tape to follow instead of drawing")
    settable(verb)
    datum_argument(verb)
    cog_argument(verb)
    worker_arguments(verb)


def call(args) -> None:
    """Write the fine map CW; of several doublings, the maps between lie beside it under numbered names."""
    from tempfile import TemporaryDirectory

    from refimpl.formats.tape import read_tape, write_history, write_tape
    from refimpl.progress import stage
    from refimpl.run.config import read_upscale_settings
    from refimpl.run.workers import executor_of
    from refimpl.windows.fine_map import TILE_SIDE, SuperResolved
    from refimpl.windows.measured_range import measure
    from refimpl.windows.stored import Stored
    from refimpl.windows.tiled import write_tiled
    from refimpl.windows.training_on_file import train_on_map

    settings = read_upscale_settings(args.settings, tuple(args.set))
    files = [
        [numbered(path, doubling, settings.doublings) for path in (args.output, args.curve, args.tape)]
        for doubling in range(1, settings.doublings + 1)
    ]
    check_outputs([path for paths in files for path in paths], [args.coarse, args.settings, args.replay])
    half, tape = Stored(args.coarse), read_tape(args.replay) if args.replay else None
    half.grid  # a wrong file is refused before workers are started
    with executor_of(args.workers, args.processes, args.scheduler) as executor:
        for doubling, (output, curve, draws) in enumerate(files, 1):
            if doubling > 1:  # only the first doubling takes the baseline away
                settings, tape = replace(settings, baseline="keep"), None
            measured = measure(half)
            with stage("train") as progress, TemporaryDirectory(prefix="refimpl-") as folder:
                image_range, place = measured.range, Path(folder)
                made = train_on_map(half, image_range, settings, args.seed, doubling, place, progress, tape)
            fine = SuperResolved(made.network, half, measured.range, settings)
            description = "fine map CW, the weights of Eq. 3"
            with stage("upscale") as progress:
                tile = 2 * TILE_SIDE, 2 * TILE_SIDE
                write_tiled(output, fine, tile, executor, progress, description=description, cog=args.cog)
            if curve:
                write_history(curve, made.history)
            if draws:
                write_tape(draws, made.tape)
            if measured.clipped:
                print(f"{measured.clipped} negative cells of the coarse map were clipped to 0 (D08)")
            half = Stored(output)


def numbered(path: Path | None, doubling: int, doublings: int) -> Path | None:
    """The file of one doubling: the last has the name that was given, the others a number too.

    >>> str(numbered(Path("weights.tif"), 1, 2)), str(numbered(Path("weights.tif"), 2, 2))
    ('weights-1.tif', 'weights.tif')
    """
    return path if path is None or doubling == doublings else path.with_name(f"{path.stem}-{doubling}{path.suffix}")
