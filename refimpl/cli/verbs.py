"""What each verb of the command line does: read files, call one stage, write files; there is no science here.

Each takes the parsed arguments of its verb.  Modules are imported inside the verbs, so that ``--help`` stays fast.
"""

from __future__ import annotations

import time
from pathlib import Path

from refimpl.errors import InputError, did_you_mean
from refimpl.formats.files import check_outputs


def named_rasters(words: list[str]) -> dict[str, Path]:
    """``ntl=a.tif population=b.tif`` as a dict."""
    pairs = {}
    for word in words:
        name, equals, file = word.partition("=")
        if not equals or not name or not file:
            raise InputError(f"{word!r}: expected NAME=FILE, such as ntl=ntl_2010.tif")
        if name == "code" or name.endswith(("_mean", "_count", "_area_km2")):
            raise InputError(f"driver {name!r}: is the name of another column of our tables; name the driver otherwise")
        if name in pairs:
            raise InputError(f"driver {name!r} is given twice; name each driver once")
        pairs[name] = Path(file)
    return pairs


def verb_inventory(args) -> None:
    """Eq. 1."""
    from refimpl.formats.energy_table import read_inventory
    from refimpl.formats.tables import format_table, write_table
    from refimpl.method.inventory import FUELS
    from refimpl.run.report import inventory_columns

    if args.energy is None:
        fuels = FUELS.values()
        columns = {"fuel": [f.name for f in fuels], "LC": [f.calorific_value for f in fuels]}
        columns |= {"CC": [f"{f.carbon_content:g}" for f in fuels], "COF": [f"{f.oxidation_factor:g}" for f in fuels]}
        columns["EC"] = [f"{f.emission_coefficient:.4f}" for f in fuels]
        print("Table 3: EC in kg CO2/kg (natural gas: kg CO2/m3)\n" + format_table(columns))
        return
    check_outputs([args.output], [args.energy])
    write_table(args.output, inventory_columns(read_inventory(args.energy)))


def verb_zonal(args) -> None:
    """Province totals, means and counts of drivers, and their rank."""
    import numpy as np

    from refimpl.formats.tables import format_table, write_table
    from refimpl.method.province_totals import rank_drivers
    from refimpl.run.drivers import OpenDriver
    from refimpl.run.provinces import read_zones
    from refimpl.run.report import ranking_columns
    from refimpl.windows.zonal_statistics import zonal_statistics
    from refimpl.windows.zones import coverage

    files = named_rasters(args.drivers)
    check_outputs([args.output], [*files.values(), args.zones, args.emissions])
    zones = read_zones(args.zones, args.zone_id, args.zone_rule)
    columns: dict = {}
    for name, path in files.items():
        with OpenDriver(path, args.kind, args.band) as raster:
            table = zonal_statistics(raster, zones, align=True)
            raster.tell_negative()
            known = coverage(zones, raster.grid, raster)
        if not table.codes.size:
            raise InputError(f"{path}: no cell of it has a zone of {args.zones}; check their extents and projections")
        whole = whole_provinces(table.codes, known, args.zones, f"{path.name}: ")
        if not whole.any():
            raise InputError(f"{path}: covers none of the provinces of {args.zones} whole; name a raster that does")
        if columns and columns["code"].tolist() != table.codes[whole].tolist():
            raise InputError(f"{path}: covers other provinces than the first driver; give rasters of one area")
        found = (table.total, table.mean, table.count, table.area_km2)
        columns["code"] = table.codes[whole]
        columns |= dict(zip((name, f"{name}_mean", f"{name}_count", f"{name}_area_km2"), (one[whole] for one in found)))
    if args.emissions:
        emission = emissions_of(args.emissions, args.year)
        rows = np.flatnonzero(np.isin(columns["code"], list(emission)))
        if rows.size < 2:
            raise InputError(f"{args.emissions}: has {rows.size} of the provinces of {args.zones}; r needs 2 or more")
        observed = [emission[code] for code in columns["code"][rows].tolist()]
        ranking = rank_drivers({name: columns[name][rows] for name in files}, observed)
        print(format_table(ranking_columns(ranking)))
    write_table(args.output, columns)


def whole_provinces(codes, found, zones: Path, where: str):
    """(n,) bool: provinces that the raster covers whole; each other one is left out with a warning."""
    import warnings

    import numpy as np

    from refimpl.errors import DataWarning
    from refimpl.run.provinces import fault_of
    from refimpl.run.sections import ZoneSettings

    faults = [fault_of(code, found, ZoneSettings(zones)) for code in codes.tolist()]
    for code, fault in zip(codes.tolist(), faults):
        if fault:
            warnings.warn(
                f"{where}province {code}: only {fault}; left out, for its total is unknown", DataWarning, stacklevel=2
            )
    return np.array([not fault for fault in faults], bool)


def emissions_of(path: Path, year: int | None) -> dict[int, float]:
    """Emission by province code of one year, from the file that ``refimpl inventory`` writes."""
    from refimpl.formats.tables import read_table

    table = read_table(path, ("code", "year", "emission_1e4t"), "emissions, as 'refimpl inventory' writes them")
    codes, years, emission = table.integers("code"), table.integers("year"), table.numbers("emission_1e4t", minimum=0.0)
    wanted = int(years.max()) if year is None else year
    rows = years == wanted
    if not rows.any():
        raise InputError(f"{path}: has no year {wanted}; it has {', '.join(map(str, sorted(set(years.tolist()))))}")
    emission_of = dict(zip(codes[rows].tolist(), emission[rows].tolist()))
    if len(emission_of) < rows.sum():
        raise InputError(f"{path}: a province stands twice in {wanted}; keep one row for each province and year")
    return emission_of


def drivers_and_emission(zonal: Path, emissions: Path, year: int | None, names: list[str] | None):
    """Arrays for the regression: (names, drivers (n, d), emission (n,)), provinces that both files have."""
    import numpy as np

    from refimpl.formats.tables import read_table

    table = read_table(zonal, ("code",), "province totals, as 'refimpl zonal' writes them")
    others = [c for c in table.columns if c != "code" and not c.endswith(("_mean", "_count", "_area_km2"))]
    names = names or others
    if not names:
        raise InputError(f"{zonal}: has no driver column; expected a table as 'refimpl zonal' writes it")
    emission = emissions_of(emissions, year)
    codes = table.integers("code").tolist()
    rows = [i for i, code in enumerate(codes) if code in emission]
    if len(rows) < 3:
        raise InputError(f"{zonal}: has {len(rows)} provinces that {emissions} has too; a regression needs 3 or more")
    columns = [table.numbers(name)[rows] for name in names]
    return names, np.stack(columns, axis=1), np.array([emission[codes[i]] for i in rows])


def verb_fit(args) -> None:
    """Table 1, and the chosen model as JSON."""
    from refimpl.formats.model_file import write_model
    from refimpl.formats.table1 import selection_rows, selection_text
    from refimpl.formats.tables import columns_of, write_table
    from refimpl.method.selection import MODELS, choose, compare_models
    from refimpl.run.config import read_model_settings

    if args.model not in ("auto", *MODELS):
        raise InputError(f"--model {args.model}{did_you_mean(args.model, ('auto', *MODELS))}")
    if args.year == args.test_year:
        raise InputError(f"--test-year {args.test_year}: is the year of the fit; expected another, to test on")
    check_outputs([args.output, args.table], [args.drivers, args.test_drivers, args.emissions, args.settings])
    settings = read_model_settings(args.settings, tuple(args.set))
    names, drivers, emission = drivers_and_emission(args.drivers, args.emissions, args.year, None)
    _, test_drivers, test_emission = drivers_and_emission(args.test_drivers, args.emissions, args.test_year, names)
    details = {"feature_names": names, "metadata": {"fit_year": args.year, "test_year": args.test_year}}
    table = compare_models(drivers, emission, test_drivers, test_emission, settings, **details)
    print(selection_text(table))
    write_model(args.output, table[choose(table) if args.model == "auto" else args.model].fitted)
    if args.table:
        write_table(args.table, columns_of(selection_rows(table)))


def verb_explain(args) -> None:
    """Decisions and configuration keys."""
    if args.topic == "decisions":
        from refimpl.method.decisions import DECISIONS

        for one in DECISIONS:
            option = f"; option {one.option}" if one.option else ""
            print(f"{one.id}  {one.question}: {one.decision} [{one.acts_in}{option}]")
        return
    from refimpl.run.config import documentation

    for key, default, doc in documentation():
        print(f"{key} = {default}\n    {doc}")


def verb_verify(args) -> int:
    """The golden suite; 1 where something failed."""
    from refimpl.conformance.verify import verify

    return verify(args)


def verb_warm_up(args) -> None:
    """Compile ahead."""
    from refimpl.run.warm_up import warm_up

    start = time.perf_counter()
    warm_up()
    print(f"compiled what a run needs, in {time.perf_counter() - start:.0f} s")
