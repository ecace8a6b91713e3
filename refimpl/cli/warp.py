"""The verb ``warp``: one raster to a working grid, tile by tile, for a raster of any size."""

from __future__ import annotations

import argparse
from pathlib import Path

from refimpl.cli.arguments import cog_argument, count, datum_argument, length, share, worker_arguments, zone_arguments
from refimpl.errors import InputError
from refimpl.formats.files import check_outputs

HELP = "bring a raster to a working grid, clipped to the zones if they are given"
METHOD_OF = {"density": "mean", "count": "sum", "class": "mode"}
"""The method for each ``--kind``, unless ``--method`` names another."""
WARPED_TILE = (1024, 1024)
"""Rows and columns of the working grid that are computed at a time."""


def options(verb: argparse.ArgumentParser) -> None:
    """Arguments of ``warp``."""
    verb.add_argument("raster", type=Path, help="GeoTIFF, or a TIFF or PNG with its side files")
    verb.add_argument("--band", type=count, default=1, help="of the raster, from 1")
    verb.add_argument(
        "--kind", choices=tuple(METHOD_OF), default="density",
        help="what the values are: per km2 (mean), per cell (sum), or classes (mode); --method overrides it",
    )  # fmt: skip
    verb.add_argument(
        "--method", choices=("mean", "sum", "mode", "nearest", "bilinear", "cubic"),
        help="mean by area, sum, or class of most of the cell (exact overlaps); pixel at its centre; or interpolation",
    )  # fmt: skip
    verb.add_argument(
        "--minimum-valid", type=share, default=0.0, help="part of a cell that valid pixels must cover (0: any)"
    )
    verb.add_argument(
        "--projection", default="albers", help="albers (D04), geographic, sinusoidal (MODIS), or a code: EPSG:32650"
    )
    verb.add_argument("--cell-size", type=length, required=True, help="metres, or degrees")
    verb.add_argument(
        "--extent", type=float, nargs=4, metavar=("XMIN", "YMIN", "XMAX", "YMAX"), help="by default: cover the zones"
    )
    zone_arguments(verb, required=False)
    datum_argument(verb)
    cog_argument(verb)
    worker_arguments(verb)
    verb.add_argument("--output", type=Path, required=True, help="the warped raster as GeoTIFF")


def call(args) -> None:
    """Write the raster on the working grid."""
    from refimpl.earth.warped import Warped
    from refimpl.progress import stage
    from refimpl.run.provinces import no_overlap
    from refimpl.run.workers import executor_of
    from refimpl.windows.clipped import Touching
    from refimpl.windows.stored import Stored
    from refimpl.windows.tiled import write_tiled

    if not args.extent and not args.zones:
        raise InputError("neither --extent nor --zones is given; expected one of them to say which area to cover")
    check_outputs([args.output], [args.raster, args.zones])
    raster = Stored(args.raster, band=args.band)
    raster.grid  # a wrong file is refused before the zones are read
    grid, zones = grid_and_zones(args)
    cells = Warped(raster, grid, args.method or METHOD_OF[args.kind], args.minimum_valid)
    nodata = unused_value(raster, args.raster) if cells.dtype.kind != "f" else None
    if zones is not None:
        cells = Touching(cells, zones)
    empty = no_overlap(args.raster)
    with executor_of(args.workers, args.processes, args.scheduler) as executor, stage("warp") as progress:
        write_tiled(args.output, cells, WARPED_TILE, executor, progress, empty, nodata=nodata, cog=args.cog)


def grid_and_zones(args):
    """The working grid, and the zones at half its cell size as a source (None without ``--zones``).

    Only here is a raster of zones held in memory.
    """
    from refimpl.run.provinces import read_zones, working_grid
    from refimpl.windows.stored_zones import zones_of_file

    zones = read_zones(args.zones, args.zone_id, args.zone_rule) if args.zones else None
    extent = tuple(args.extent) if args.extent else "cover"
    grid = working_grid(args.projection, args.cell_size, extent, zones, "--cell-size and --extent")
    return grid, None if zones is None else zones_of_file(args.zones, zones, grid.refined(), args.zone_id)


def unused_value(raster, path: Path) -> int:
    """A nodata value that no class has: the file's own, or the largest value of the type that is free."""
    import numpy as np

    if getattr(raster, "nodata", None) is not None:
        return int(raster.nodata)
    used: set[int] = set()
    for start in range(0, raster.grid.shape[0], 512):
        part = raster.part((start, min(start + 512, raster.grid.shape[0]), 0, raster.grid.shape[1]))
        used |= set(np.unique(part.values[part.valid]).tolist())
    info = np.iinfo(raster.dtype)
    for value in (*range(info.max, max(info.max - 1000, info.min), -1), 0):
        if value not in used:
            return value
    raise InputError(f"{path}: uses every value of {raster.dtype}, none is left for nodata; convert it to a wider type")
