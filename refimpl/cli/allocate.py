"""The verb ``allocate``: Eq. 3 from file to file, window by window, for a map of any size.

The weights are read four times: to find what part of each province they cover, twice for Eq. 3, and to write the
result. Every fault of the weights is found before the first file is written.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from refimpl.cli.arguments import cog_argument, datum_argument, emissions_arguments, zone_arguments
from refimpl.cli.shared_inputs import emissions_of
from refimpl.formats.files import check_outputs

HELP = "Eq. 3: province totals onto the cells of a map, exactly"


def options(verb: argparse.ArgumentParser) -> None:
    """Arguments of ``allocate``."""
    verb.add_argument("weights", type=Path, help="the fine map that says how a province's total is shared out")
    zone_arguments(verb)
    emissions_arguments(verb, required=True)
    verb.add_argument("--output", type=Path, default=Path("emissions.tif"), help="the fine map, 10^4 t CO2 per cell")
    verb.add_argument(
        "--cut", choices=("leave-out", "share"), default="leave-out",
        help="a province cut by the map's edge is left out, or gets the share of its total that lies on the map",
    )  # fmt: skip
    verb.add_argument("--per-km2", type=Path, help="the density map, t CO2/km2/year")
    verb.add_argument("--balance", type=Path, help="the mass balance as CSV")
    datum_argument(verb)
    cog_argument(verb)


def call(args) -> None:
    """Write the emission map and print the mass balance."""
    from refimpl.formats.tables import format_table, write_table
    from refimpl.run.provinces import mapped_totals, read_zones
    from refimpl.run.reference_maps import ZonesOn
    from refimpl.run.report import balance_columns, without_names
    from refimpl.run.sections import ZoneSettings
    from refimpl.windows.allocated_map import allocate, per_km2
    from refimpl.windows.stored import Stored
    from refimpl.windows.zones import coverage

    check_outputs([args.output, args.per_km2, args.balance], [args.weights, args.zones, args.emissions])
    weights, zones = Stored(args.weights), read_zones(args.zones, args.zone_id, args.zone_rule)
    found = coverage(zones, weights.grid, weights)
    settings = ZoneSettings(args.zones, cut=args.cut)
    totals = mapped_totals(emissions_of(args.emissions, args.year), {}, found, settings, str(args.weights))
    result = allocate(weights, ZonesOn(zones, weights.grid), totals)
    columns = without_names(balance_columns(result.balance, {}))
    write(args.output, result.emission, "CO2 emission per cell", args.cog)
    if args.per_km2:  # read back from the file, which is quicker than to compute it again
        write(args.per_km2, per_km2(Stored(args.output)), "CO2 emission density", args.cog)
    if args.balance:
        write_table(args.balance, columns)
    print(format_table(columns))


def write(path: Path, source, description: str, cog: bool) -> None:
    """Write a source as a GeoTIFF."""
    from refimpl.windows.tiled import write_tiled
    from refimpl.windows.walks import WRITTEN

    write_tiled(path, source, WRITTEN, description=description, cog=cog)
