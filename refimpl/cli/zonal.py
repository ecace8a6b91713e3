"""The verb ``zonal``: totals, means and counts of drivers by province, and the drivers ranked by Pearson r."""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

from refimpl.cli.arguments import count, datum_argument, emissions_arguments, zone_arguments
from refimpl.cli.shared_inputs import ZONAL_SUFFIXES, emissions_of, named_rasters
from refimpl.errors import DataWarning, InputError
from refimpl.formats.files import check_outputs

HELP = "province totals, means and counts of drivers; with --emissions, drivers ranked by Pearson r"


def options(verb: argparse.ArgumentParser) -> None:
    """Arguments of ``zonal``."""
    verb.add_argument("drivers", nargs="+", metavar="NAME=FILE", help="rasters of one area")
    zone_arguments(verb)
    verb.add_argument("--band", type=count, default=1, help="of every driver's file, from 1")
    verb.add_argument(
        "--kind", choices=("density", "count"), default="density", help="what the values are: per km2, or per cell"
    )
    emissions_arguments(verb)
    verb.add_argument("--output", type=Path, default=Path("zonal.csv"), help="the totals, means and counts as CSV")
    datum_argument(verb)


def call(args) -> None:
    """Write a row for each province; with ``--emissions``, print the ranking too."""
    from refimpl.formats.tables import write_table
    from refimpl.run.provinces import read_zones

    files = named_rasters(args.drivers)
    check_outputs([args.output], [*files.values(), args.zones, args.emissions])
    zones = read_zones(args.zones, args.zone_id, args.zone_rule)
    columns: dict = {}
    for name, path in files.items():
        codes, found = statistics_of(path, zones, args)
        if columns and columns["code"].tolist() != codes.tolist():
            raise InputError(f"{path}: covers other provinces than the first driver; give rasters of one area")
        columns["code"] = codes
        columns |= dict(zip((name, *(name + suffix for suffix in ZONAL_SUFFIXES)), found))
    if args.emissions:
        print_ranking(args, list(files), columns)
    write_table(args.output, columns)


def statistics_of(path: Path, zones, args) -> tuple:
    """Of the provinces that one raster covers whole: codes (n,), and (total, mean, count, area in km2), each (n,)."""
    from refimpl.run.drivers import OpenDriver
    from refimpl.windows.zonal_statistics import zonal_statistics
    from refimpl.windows.zones import coverage

    with OpenDriver(path, args.kind, args.band) as raster:
        table = zonal_statistics(raster, zones, align=True)
        raster.tell_negative()
        known = coverage(zones, raster.grid, raster)
    if not table.codes.size:
        raise InputError(f"{path}: no cell of it has a zone of {args.zones}; check their extents and projections")
    whole = whole_provinces(table.codes, known, args.zones, f"{path.name}: ")
    if not whole.any():
        raise InputError(f"{path}: covers none of the provinces of {args.zones} whole; name a raster that does")
    found = (table.total, table.mean, table.count, table.area_km2)
    return table.codes[whole], tuple(one[whole] for one in found)


def whole_provinces(codes, found, zones: Path, where: str):
    """(n,) bool: the provinces that the raster covers whole; a warning tells of each that is left out."""
    import numpy as np

    from refimpl.run.provinces import fault_of
    from refimpl.run.sections import ZoneSettings

    faults = [fault_of(code, found, ZoneSettings(zones)) for code in codes.tolist()]
    for code, fault in zip(codes.tolist(), faults):
        if fault:
            warnings.warn(
                f"{where}province {code}: only {fault}; left out, for its total is unknown", DataWarning, stacklevel=2
            )
    return np.array([not fault for fault in faults], bool)


def print_ranking(args, drivers: list[str], columns: dict) -> None:
    """Print the drivers by their correlation with emission, over the provinces that both tables have."""
    import numpy as np

    from refimpl.formats.tables import format_table
    from refimpl.method.province_totals import rank_drivers
    from refimpl.run.report import ranking_columns

    emission = emissions_of(args.emissions, args.year)
    rows = np.flatnonzero(np.isin(columns["code"], list(emission)))
    if rows.size < 2:
        raise InputError(f"{args.emissions}: has {rows.size} of the provinces of {args.zones}; r needs 2 or more")
    observed = [emission[code] for code in columns["code"][rows].tolist()]
    print(format_table(ranking_columns(rank_drivers({name: columns[name][rows] for name in drivers}, observed))))
