"""The verb ``inventory``: Eq. 1, from fuel consumption to the emission of each province and year."""

from __future__ import annotations

import argparse
from pathlib import Path

from refimpl.formats.files import check_outputs

HELP = "Eq. 1: fuel consumption to emission; without a file, prints Table 3"


def options(verb: argparse.ArgumentParser) -> None:
    """Arguments of ``inventory``."""
    verb.add_argument(
        "energy",
        nargs="?",
        type=Path,
        help="CSV: code, province, year and a column for each fuel (10^4 t; gas 10^8 m3)",
    )
    verb.add_argument("--output", type=Path, default=Path("inventory.csv"), help="emission by province and year as CSV")


def call(args) -> None:
    """Write the emission of each row of the file; without a file, print the emission coefficients."""
    if args.energy is None:
        print_table_3()
        return
    from refimpl.formats.energy_table import read_inventory
    from refimpl.formats.tables import write_table
    from refimpl.run.report import inventory_columns

    check_outputs([args.output], [args.energy])
    write_table(args.output, inventory_columns(read_inventory(args.energy)))


def print_table_3() -> None:
    """Print Table 3: calorific value, carbon content, oxidation factor and emission coefficient of each fuel."""
    from refimpl.formats.tables import format_table
    from refimpl.method.inventory import FUELS

    fuels = FUELS.values()
    columns = {"fuel": [f.name for f in fuels], "LC": [f.calorific_value for f in fuels]}
    columns |= {"CC": [f"{f.carbon_content:g}" for f in fuels], "COF": [f"{f.oxidation_factor:g}" for f in fuels]}
    columns["EC"] = [f"{f.emission_coefficient:.4f}" for f in fuels]
    print("Table 3: EC in kg CO2/kg (natural gas: kg CO2/m3)\n" + format_table(columns))
