"""The verb ``evaluate``: a map beside land cover, another map, other inventories and its plain alternatives.

Figs. 4-6. Everything is read, window by window, and computed before the first file is written.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from refimpl.cli.arguments import datum_argument, emissions_arguments, zone_arguments
from refimpl.cli.shared_inputs import emissions_of
from refimpl.errors import InputError, did_you_mean
from refimpl.formats.files import check_outputs, full_disk_in_one_sentence

HELP = "judge a map: land covers, errors against another map, its plain alternatives"


def options(verb: argparse.ArgumentParser) -> None:
    """Arguments of ``evaluate``."""
    verb.add_argument("emission", type=Path, help="the map to judge, 10^4 t per cell")
    zone_arguments(verb)
    datum_argument(verb)
    verb.add_argument("--land-cover", type=Path, help="IGBP classes (MCD12)")
    verb.add_argument(
        "--land-cover-rule", choices=("majority", "nearest"), default="majority",
        help="for classes finer than the cells: the land cover of most of a cell, or the one at its centre",
    )  # fmt: skip
    verb.add_argument("--reference", type=Path, help="another emission map, 10^4 t per cell")
    verb.add_argument(
        "--coarse", type=Path, help="its coarse map, to compare it with the plain alternatives (needs --emissions)"
    )
    verb.add_argument("--lights", type=Path, help="night lights, for 'lights alone' among the alternatives")
    verb.add_argument("--odiac", type=Path, nargs="+", metavar="MONTH", help="twelve months, t C per cell (D24)")
    verb.add_argument("--ffdas", type=Path, help="kg C/m2/year (D24)")
    verb.add_argument(
        "--inventory", action="append", default=[], metavar="NAME=FILE", help="any other inventory; may be repeated"
    )
    verb.add_argument(
        "--units", action="append", default=[], metavar="NAME=UNITS",
        help="of one --inventory, such as 't CO2/cell' or 'kg CO2/m2/s'; by default what its file says",
    )  # fmt: skip
    emissions_arguments(verb)
    verb.add_argument("--output", type=Path, default=Path("land_cover.csv"), help="land-cover shares by province")
    verb.add_argument("--accuracy", type=Path, default=Path("accuracy.csv"), help="R2, MAE and RMSE by province")
    verb.add_argument("--comparison", type=Path, default=Path("comparison.csv"), help="the map and its alternatives")
    verb.add_argument(
        "--inventories", type=Path, default=Path("inventories.csv"),
        help="the other inventories; the same by province and by land cover is written beside it",
    )  # fmt: skip
    verb.add_argument("--figures", type=Path, help="folder for Figs. 5 and 6 as PNG")
    verb.add_argument("--title", default="CO2 emission", help="of the figures")


def call(args) -> None:
    """Check the options and the outputs, then evaluate."""
    from refimpl.run.report import check_folder

    check_options(args)
    check_outputs(files_written(args), files_read(args))
    if args.figures:
        check_folder(args.figures)
    with TemporaryDirectory(prefix="refimpl-") as folder, full_disk_in_one_sentence(folder):
        evaluate(args, Path(folder))


def evaluate(args, folder: Path) -> None:
    """Read and judge the maps, then write the tables and figures that the options ask for.

    ``folder`` holds intermediate rasters that take long to make and are read several times.
    """
    from refimpl.earth.warped import Warped
    from refimpl.evaluation.agreement import compare_inventory
    from refimpl.evaluation.alternatives import ORDER
    from refimpl.evaluation.scorecard import judge_all
    from refimpl.run.provinces import read_zones
    from refimpl.run.reference_maps import read_land_cover, require_values, store_zones
    from refimpl.windows.stored import Stored

    emission = read_emission(args.emission)
    grid, own = emission.grid, args.emission.name
    zones = store_zones(read_zones(args.zones, args.zone_id, args.zone_rule), grid, folder / "zones.tif")
    maps = {own: emission}
    totals, names = totals_and_names(args, zones, emission)
    if args.coarse:
        maps |= plain_alternatives(args, grid, zones, totals)
    land_cover = read_land_cover(args.land_cover, grid, args.land_cover_rule) if args.land_cover else None
    reference = Warped(Stored(args.reference), grid, "sum") if args.reference else None
    if reference is not None:
        require_values(reference, args.reference)
    inventories = read_inventories(args, grid, folder)
    ordered = {name: maps[name] for name in (*ORDER, own) if name in maps}
    judged = judge_all(ordered, zones, totals, land_cover, reference)
    compared = [
        compare_inventory(name, maps[own], density, zones, land_cover, totals, own, folder)
        for name, density in inventories.items()
    ]
    write_judged(args, judged)
    if compared:
        write_compared(args, compared, names)
    if args.figures:
        write_figures(args, judged[-1], compared, zones, names)


def check_options(args) -> None:
    """Refuse options that do not go together, before anything is read."""
    others = has_inventories(args)
    if not (args.land_cover or args.reference or args.coarse or others):
        raise InputError(
            "neither --land-cover, --reference nor --coarse is given, and no --odiac, --ffdas or --inventory; expected "
            "at least one to judge the map by"
        )
    if args.coarse and not args.emissions:
        raise InputError("--coarse needs --emissions: Eq. 3 gives the alternatives the same province totals")
    if args.figures and not (args.land_cover or others):
        raise InputError("--figures: nothing to draw; expected --land-cover, --odiac, --ffdas or --inventory")


def has_inventories(args) -> bool:
    """Whether any other inventory is given."""
    return bool(args.odiac or args.ffdas or args.inventory)


def files_written(args) -> list[Path | None]:
    """The tables that the options ask for."""
    from refimpl.run.columns import inventory_files

    judged = [args.land_cover and args.output, args.reference and args.accuracy, args.coarse and args.comparison]
    compared = inventory_files(args.inventories, bool(args.land_cover)) if has_inventories(args) else ()
    return [*judged, *compared]


def files_read(args) -> list[Path | None]:
    """The files that the options name."""
    others = [Path(file) for file in named_words(args.inventory, "--inventory", "edgar=edgar_2010.tif").values()]
    named = [args.zones, args.land_cover, args.reference, args.coarse, args.lights, args.ffdas, args.emissions]
    return [args.emission, *named, *(args.odiac or ()), *others]


def read_emission(path: Path):
    """The map to judge, float64; a density is refused."""
    from refimpl.evaluation.derived import Floats
    from refimpl.windows.stored import Stored

    emission = Stored(path)
    if "km2" in emission.units:
        raise InputError(f"{path}: holds {emission.units}; expected 10^4 t per cell, such as emissions.tif")
    return Floats(emission)


def totals_and_names(args, zones, emission) -> tuple[dict[int, float], dict[int, str]]:
    """From ``--emissions``: 10^4 t of each province that has a cell on the map, and the names of all provinces."""
    from refimpl.evaluation.scorecard import province_sums
    from refimpl.formats.tables import read_table

    if not args.emissions:
        return {}, {}
    there = province_sums(emission, zones)
    totals = {code: total for code, total in emissions_of(args.emissions, args.year).items() if code in there}
    table = read_table(args.emissions, ("code",), "emissions")
    named = "province" in table.columns
    return totals, dict(zip(table.integers("code").tolist(), table.text("province"))) if named else {}


def plain_alternatives(args, grid, zones, totals):
    """The alternatives made of ``--coarse`` and ``--lights``, on the grid of the map."""
    from refimpl.earth.warped import Warped
    from refimpl.evaluation.alternatives import alternatives
    from refimpl.method.settings import UpscaleSettings
    from refimpl.windows.stored import Stored

    coarse = Stored(args.coarse)
    if coarse.grid.refined() != grid:
        raise InputError(
            f"{args.coarse}: is not the coarse map of {args.emission}; "
            "expected the same corner and twice the cell size (D19)"
        )
    lights = Warped(Stored(args.lights), grid, "mean") if args.lights else None
    return alternatives(coarse, None, UpscaleSettings(), lights, zones, totals)


def read_inventories(args, grid, folder: Path) -> dict:
    """ODIAC, FFDAS and every ``--inventory`` by name, t CO2/km2/year on the grid of the map."""
    from refimpl.run.reference_maps import InventoryFile, read_ffdas, read_inventory_file, read_odiac

    files = named_words(args.inventory, "--inventory", "edgar=edgar_2010.tif")
    units = named_words(args.units, "--units", "edgar=t CO2/cell")
    for name in units:
        if name not in files:
            raise InputError(f"--units {name}=...: no --inventory of that name{did_you_mean(name, files)}")
    taken = [name for name, given in (("ODIAC", args.odiac), ("FFDAS", args.ffdas)) if given]
    for name in files:
        if name in taken:
            raise InputError(f"--inventory {name}=...: is the name of --{name.lower()}; name it otherwise")
    found = {}
    if args.odiac:
        found["ODIAC"] = read_odiac(args.odiac, grid, store=folder / "odiac.tif")
    if args.ffdas:
        found["FFDAS"] = read_ffdas(args.ffdas, grid, store=folder / "ffdas.tif")
    for name, file in files.items():
        one = InventoryFile(name, Path(file), units.get(name, ""), f"--units '{name}=UNITS'")
        found[name] = read_inventory_file(one, grid, args.year, folder / f"inventory_{len(found)}.tif")
    return found


def named_words(words: list[str], option: str, example: str) -> dict[str, str]:
    """``NAME=VALUE`` words of a repeated option as a dict.

    >>> named_words(["edgar=t CO2/cell"], "--units", "edgar=t CO2/cell")
    {'edgar': 't CO2/cell'}
    """
    pairs: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise InputError(f"{option} {word}: expected NAME=VALUE, such as {example!r}")
        if name in pairs:
            raise InputError(f"{option} {word}: {name!r} is given twice; name each once")
        pairs[name] = value
    return pairs


def write_judged(args, judged) -> None:
    """Write and print land-cover shares, accuracy by province, and the comparison with the alternatives."""
    from refimpl.evaluation.scorecard import comparison_table
    from refimpl.formats.tables import format_table, write_table
    from refimpl.method.land_cover import LAND_COVERS
    from refimpl.run.report import accuracy_columns, land_cover_columns, without_names

    result = judged[-1]
    if result.land_cover is not None:
        write_table(args.output, without_names(land_cover_columns(result.land_cover, {})))
        shares = ", ".join(f"{name} {result.land_cover.mean(name):.3f}" for name in LAND_COVERS)
        print(f"mean share of emission: {shares}")
    if result.cells is not None:
        write_table(args.accuracy, without_names(accuracy_columns(judged, {})))
        print(format_table(without_names(accuracy_columns([result], {}))))
    if args.coarse:
        write_table(args.comparison, comparison_table(judged))
        print(format_table(comparison_table(judged)))


def write_compared(args, compared, names) -> None:
    """Write the tables of the other inventories, and print the first."""
    from refimpl.evaluation.other_inventory_tables import inventories_table
    from refimpl.formats.tables import format_table
    from refimpl.run.report import write_inventories

    write_inventories(args.inventories, compared, names)
    print(format_table(inventories_table(compared)))


def write_figures(args, result, compared, zones, names) -> None:
    """Draw Figs. 5 and 6 as PNG files in the folder ``--figures``."""
    from refimpl.figures.inventory_figures import inventory_figures
    from refimpl.figures.stacked import land_cover_figure
    from refimpl.windows.allocated_map import per_km2

    if result.land_cover is not None:
        land_cover_figure(result.land_cover, names, args.figures / "land_cover.png", args.title)
    if compared:
        density = per_km2(result.emission)
        inventory_figures(density, compared, args.figures, zones, result.name, args.title)
