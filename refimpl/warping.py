"""The verb ``warp``: one raster to a working grid, block by block, whatever its size.

Modules are imported inside the verb, so that ``--help`` stays fast.
"""

from __future__ import annotations

from pathlib import Path

from refimpl.errors import InputError
from refimpl.files import check_outputs

METHOD_OF = {"density": "mean", "count": "sum", "class": "mode"}
"""What ``--kind`` means where ``--method`` is not given."""


def verb_warp(args) -> None:
    """One raster to a working grid."""
    from refimpl.provinces import read_zones, working_grid
    from refimpl.raster.geotiff import open_raster
    from refimpl.raster.warped import Warped
    from refimpl.raster.writing import write_parts

    if not args.extent and not args.zones:
        raise InputError("neither --extent nor --zones is given; expected one of them to say which area to cover")
    check_outputs([args.output], [args.raster, args.zones])
    with open_raster(args.raster, band=args.band) as raster:
        zones = read_zones(args.zones, args.zone_id, args.zone_rule) if args.zones else None
        extent = tuple(args.extent) if args.extent else "cover"
        grid = working_grid(args.projection, args.cell_size, extent, zones, "--cell-size and --extent")
        warped = Warped(raster, grid, args.method or METHOD_OF[args.kind], args.minimum_valid)
        nodata = unused_value(raster, args.raster) if warped.dtype.kind != "f" else None
        cells = Clipped(warped, zones, args.raster)
        write_parts(args.output, grid, warped.dtype, cells.part, warped.units, nodata, cog=args.cog)


class Clipped:
    """The cells of ``warped`` that touch a zone (all, if ``zones`` is None); refused at the last if there are none."""

    def __init__(self, warped, zones, path: Path):
        self.warped, self.zones, self.path, self.found = warped, zones, path, False

    def part(self, window):
        """The cells of a window."""
        from refimpl.provinces import no_overlap, touching
        from refimpl.raster.grid import Raster
        from refimpl.raster.zones import zones_in

        part = self.warped.part(window)
        if self.zones is not None:
            fine = zones_in(self.zones, self.warped.grid.refined(), tuple(2 * edge for edge in window))
            part = Raster.masked(part.values, part.valid & touching(fine), part.grid, part.units)
        self.found = self.found or bool(part.valid.any())
        if not self.found and (window[1], window[3]) == self.warped.grid.shape:
            raise no_overlap(self.path)
        return part


def unused_value(raster, path: Path) -> int:
    """A nodata value for classes that is none of them: the file's own, or the largest of the type that is free."""
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
