"""The verb ``fit``: Table 1, the four regression models fitted on one year and tested on another; the best is saved."""

from __future__ import annotations

import argparse
from pathlib import Path

from refimpl.cli.arguments import settable
from refimpl.cli.shared_inputs import ZONAL_SUFFIXES, emissions_of
from refimpl.errors import InputError, did_you_mean
from refimpl.formats.files import check_outputs

HELP = "Table 1: fit the four models on one year, test them on another, save the best (D07)"


def options(verb: argparse.ArgumentParser) -> None:
    """Arguments of ``fit``."""
    verb.add_argument("--drivers", type=Path, required=True, help="what 'refimpl zonal' wrote for the year of the fit")
    verb.add_argument(
        "--test-drivers", type=Path, required=True, help="what 'refimpl zonal' wrote for the year of the test"
    )
    verb.add_argument(
        "--emissions", type=Path, required=True, help="what 'refimpl inventory' wrote, with both years in it"
    )
    verb.add_argument("--year", type=int, required=True, help="the year of the fit")
    verb.add_argument("--test-year", type=int, required=True, help="the year of the test")
    verb.add_argument("--model", default="auto", help="auto (the best), svr, bayesian, linear or elastic_net")
    verb.add_argument("--settings", type=Path, help="a run.toml whose [regression] table is used")
    verb.add_argument("--output", type=Path, default=Path("model.json"), help="the fitted model as JSON")
    verb.add_argument("--table", type=Path, help="Table 1 as CSV")
    settable(verb)


def call(args) -> None:
    """Print Table 1, and save the chosen model."""
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


def drivers_and_emission(zonal: Path, emissions: Path, year: int, names: list[str] | None):
    """Names (d,), drivers (n, d) and emission (n,) of the n provinces that both files have.

    ``names`` are the drivers to take, in this order; None takes every driver of the table.
    """
    import numpy as np

    from refimpl.formats.tables import read_table

    table = read_table(zonal, ("code",), "province totals, as 'refimpl zonal' writes them")
    names = names or [c for c in table.columns if c != "code" and not c.endswith(ZONAL_SUFFIXES)]
    if not names:
        raise InputError(f"{zonal}: has no driver column; expected a table as 'refimpl zonal' writes it")
    emission = emissions_of(emissions, year)
    codes = table.integers("code").tolist()
    rows = [i for i, code in enumerate(codes) if code in emission]
    if len(rows) < 3:
        raise InputError(f"{zonal}: has {len(rows)} provinces that {emissions} has too; a regression needs 3 or more")
    columns = [table.numbers(name)[rows] for name in names]
    return names, np.stack(columns, axis=1), np.array([emission[codes[i]] for i in rows])
