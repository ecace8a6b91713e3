"""Fuels to CO2: Eq. 1 with Table 3."""

from __future__ import annotations

import numpy as np

from tests.peers.second_implementation.files import Refused, Table, Task, integers, numbers, refuse_unless

TABLE_3 = {
    "coal": (20908, 26.37, 0.94),
    "coke": (28435, 29.5, 0.93),
    "crude_oil": (41816, 20.1, 0.98),
    "gasoline": (43070, 18.9, 0.98),
    "kerosene": (43070, 19.5, 0.98),
    "diesel": (42652, 20.2, 0.98),
    "fuel_oil": (41816, 21.1, 0.98),
    "natural_gas": (38931, 15.3, 0.99),
}
"""Calorific value in kJ/kg (gas kJ/m3), carbon content in kg/GJ, oxidised fraction."""


def coefficient(calorific, carbon, oxidised):
    """Eq. 1: kg CO2 per kg of fuel (per m3 of gas)."""
    return calorific * carbon * oxidised * (44 / 12) * 1e-6


def emission_coefficients(task: Task) -> dict:
    """EC of each fuel of ``fuels.csv``."""
    table = task.table("fuels", "fuel", "LC", "CC", "COF")
    calorific, carbon, oxidised = (numbers(table, column) for column in ("LC", "CC", "COF"))
    refuse_unless(bool(np.all(calorific > 0)), "LC", "values above 0 are expected")
    refuse_unless(bool(np.all(carbon > 0)), "CC", "values above 0 are expected")
    refuse_unless(bool(np.all((oxidised > 0) & (oxidised <= 1))), "COF", "fractions in (0, 1] are expected")
    return {"coefficients.csv": {"fuel": table["fuel"], "EC": coefficient(calorific, carbon, oxidised)}}


def emission_rows(table: Table) -> dict[str, np.ndarray]:
    """Code, year and emission in 10^4 t of each row of a table of consumption."""
    code, year = integers(table, "code"), integers(table, "year")
    refuse_unless(code.size > 0, "consumption", "the table has no rows")
    pairs = list(zip(code.tolist(), year.tolist(), strict=True))
    refuse_unless(len(set(pairs)) == len(pairs), "code", "a province stands twice in one year")
    total = np.zeros(code.size)
    for column in table:
        if column in ("code", "province", "year"):
            continue
        if column not in TABLE_3:
            raise Refused(f"{column}: the column {column} is no fuel of Table 3")
        amount = numbers(table, column)
        refuse_unless(bool(np.all(amount >= 0)), column, "an amount is negative")
        # 10^8 m3 of gas at EC kg/m3 are 10^8 EC kg, that is 10 EC times 10^4 t.
        total += amount * coefficient(*TABLE_3[column]) * (10 if column == "natural_gas" else 1)
    return {"code": code, "year": year, "emission": total}


def emission(task: Task) -> dict:
    """Eq. 1 summed over the fuels of each row."""
    return {"emission.csv": emission_rows(task.table("consumption", "code", "province", "year"))}
