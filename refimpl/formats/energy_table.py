"""Energy tables: consumption by fuel of each province and year as a CSV, read and turned into emission by Eq. 1.

Columns are ``code``, ``province``, ``year`` and one for each fuel of Table 3, in any order.  A fuel's column is its
consumption E in 10^4 t (natural gas: 10^8 m3).
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from refimpl.errors import InputError, did_you_mean, warn
from refimpl.formats.tables import read_table
from refimpl.method.inventory import FUELS, emission

KEY_COLUMNS = ("code", "province", "year")


@dataclass(frozen=True)
class Inventory:
    """Emission of each province and year; arrays (n,), rows in the order of the energy table."""

    codes: np.ndarray
    """int64: province codes, as in the zone raster."""
    provinces: tuple[str, ...]
    years: np.ndarray
    """int64."""
    emission: np.ndarray
    """float64, SC of Eq. 1: 10^4 t CO2."""

    def of_year(self, year: int, what: str) -> Inventory:
        """The rows of one year; InputError if it is absent, whose sentence begins with ``what`` asked for it."""
        rows = np.flatnonzero(self.years == year)
        if rows.size == 0:
            raise InputError(
                f"{what}: the energy table has no year {year}; it has {', '.join(map(str, np.unique(self.years)))}"
            )
        return self.rows(rows)

    def rows(self, chosen) -> Inventory:
        """The rows with the given indices, in the order of the indices."""
        return Inventory(
            self.codes[chosen], tuple(self.provinces[i] for i in chosen), self.years[chosen], self.emission[chosen]
        )


def read_inventory(path: str | os.PathLike) -> Inventory:
    """Read an energy table and apply Eq. 1 to each row.

    A fuel of Table 3 that has no column counts as not consumed, with a warning.

    Raises
    ------
    InputError
        A column that is not a fuel of Table 3, a negative or unreadable amount, or a province twice in a year.
    """
    table = read_table(path, KEY_COLUMNS, "an energy table")
    fuels = [name for name in table.columns if name not in KEY_COLUMNS]
    for name in fuels:
        if name not in FUELS:
            raise InputError(f"{table.path}: column {name!r} is no fuel of Table 3{did_you_mean(name, FUELS)}")
    absent = [name for name in FUELS if name not in fuels]
    if absent:
        warn(f"{table.path.name}: has no column for {', '.join(absent)}; counted as 0")
    codes, years = table.integers("code"), table.integers("year")
    seen: dict[tuple[int, int], int] = {}
    for line, key in zip(table.lines, zip(codes.tolist(), years.tolist())):
        if key in seen:
            raise InputError(
                f"{table.path}, line {line}: code {key[0]} in year {key[1]} stands in line {seen[key]} already; "
                "keep one row for each province and year"
            )
        seen[key] = line
    amounts = {name: table.numbers(name, minimum=0.0) for name in fuels}
    return Inventory(codes, tuple(table.text("province")), years, emission(amounts))
