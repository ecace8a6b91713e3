"""Emission coefficients of Eq. 1 from Table 3's factors, in exact fractions of the printed decimals, rounded once.

Their flags stand in ``fractions_inventory``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from tests.oracles.suite import Case, Output, refused, with_columns

TABLE_3 = {
    "coal": ("20908", "26.37", "0.94"),
    "coke": ("28435", "29.5", "0.93"),
    "crude_oil": ("41816", "20.1", "0.98"),
    "gasoline": ("43070", "18.9", "0.98"),
    "kerosene": ("43070", "19.5", "0.98"),
    "diesel": ("42652", "20.2", "0.98"),
    "fuel_oil": ("41816", "21.1", "0.98"),
    "natural_gas": ("38931", "15.3", "0.99"),
}
"""LC kJ/kg, CC kg C/GJ, COF, as printed."""
PRINTED_EC = (1.9003, 2.8604, 3.0202, 2.9251, 3.0179, 3.0959, 3.1705, 2.1622)
EC_WHY = "four multiplications and a division in float64, 4 ulp at most; the limit is about 45 ulp"


def coefficient(lc: str, cc: str, cof: str) -> Fraction:
    """Eq. 1, D01: kg CO2 per kg."""
    return Fraction(lc) * Fraction(cc) * Fraction(cof) * Fraction(44, 12) / 10**6


def total(row: Mapping[str, str]) -> float:
    """Eq. 1 of one row {fuel: amount as text}, 10^4 t CO2, rounded once."""
    unit = {"natural_gas": 10}
    return float(sum(Fraction(sc) * coefficient(*TABLE_3[fuel]) * unit.get(fuel, 1) for fuel, sc in row.items()))


def coefficients(name: str, title: str, rows: Sequence[tuple[str, str, str, str]], flags, how, **changes) -> Case:
    """A case of (fuel, LC, CC, COF) as text."""
    fuels, lc, cc, cof = zip(*rows, strict=True)
    exact = {"fuel": fuels, "EC": [float(coefficient(*row[1:])) for row in rows]}
    given = {
        "inputs": {"fuels.csv": {"fuel": fuels, "LC": lc, "CC": cc, "COF": cof}},
        "outputs": {"coefficients.csv": Output(exact, "rel", 1e-14, EC_WHY)},
    }
    key = {"stage": "inventory", "operation": "emission_coefficients", "references": ("Eq. 1", "Table 3", "D01")}
    return Case(name, title, flags=flags, **key, **{"oracle": "fractions", "how": how, **given, **changes})


def valid_coefficients() -> list[Case]:
    rows = [(fuel, *factors) for fuel, factors in TABLE_3.items()]
    fractions = "LC x CC x COF x 44/12 / 10^6 as fractions of the decimals, rounded once"
    printed = {"fuel": tuple(TABLE_3), "EC": PRINTED_EC}
    why = "the paper prints four decimals: half a unit of the last one, and a hair"
    return [
        coefficients(
            "table3-ec-row",
            "The EC row of Table 3, as fractions",
            rows,
            ("coefficient-molar-masses", "coefficient-without-oxidation"),
            fractions,
        ),
        coefficients(
            "table3-ec-row-as-printed",
            "The EC row of Table 3, as the paper prints it",
            rows[::-1],
            ("coefficient-power-of-ten", "coefficient-molar-masses"),
            "copied from the paper, in reverse order",
            oracle="hand",
            outputs={
                "coefficients.csv": Output(
                    {"fuel": printed["fuel"][::-1], "EC": printed["EC"][::-1]}, "abs", 5.1e-5, why
                )
            },
        ),
        coefficients(
            "eq1-coefficient-hand",
            "Round factors whose EC is 2.75",
            [("wood", "15000", "50", "1")],
            ("coefficient-carbon-upside-down", "coefficient-carbon-not-to-co2"),
            "15000 x 50 = 750000; x 44/12 = 2750000; x 10^-6 = 2.75",
            oracle="hand",
        ),
        coefficients(
            "eq1-coefficient-other-factors",
            "Coal of another yearbook, beside Table 3's",
            [
                ("coal", "26344", "25.8", "0.9"),
                ("lignite", "14449.5", "27.97", "0.96"),
                ("coal_table_3", *TABLE_3["coal"]),
            ],
            ("coefficient-table-hard-coded", "coefficient-without-oxidation"),
            fractions,
        ),
        coefficients(
            "eq1-coefficient-edges",
            "COF of exactly 1 is allowed; a tiny LC and a tiny COF",
            [
                ("all_burnt", "20908", "26.37", "1"),
                ("hardly_burnt", "20908", "26.37", "0.000001"),
                ("peat", "0.125", "0.01", "0.5"),
            ],
            ("inventory-single-precision", "coefficient-without-oxidation"),
            fractions,
        ),
    ]


def invalid_coefficients() -> list[Case]:
    def case(name, title, fields, why, **changes):
        table = {
            "fuel": ["coal", "coke"],
            "LC": ["20908", "28435"],
            "CC": ["26.37", "29.5"],
            "COF": ["0.94", "0.93"],
        }
        inputs, references = {"fuels.csv": with_columns(table, changes)}, ("Eq. 1", "Table 3")
        return refused(name, title, "inventory", "emission_coefficients", references, fields, why, inputs)

    return [
        case(
            "ec-refuses-zero-calorific-value", "LC of 0", ["LC"], "a fuel without a calorific value", LC=["20908", "0"]
        ),
        case("ec-refuses-negative-carbon", "CC below 0", ["CC"], "a carbon content is above 0", CC=["-26.37", "29.5"]),
        case(
            "ec-refuses-oxidation-in-percent",
            "COF of 93, meant in percent",
            ["COF"],
            "a fraction lies in (0, 1]",
            COF=["0.94", "93"],
        ),
        case("ec-refuses-zero-oxidation", "COF of 0", ["COF"], "0 is outside (0, 1]", COF=["0", "0.93"]),
        case("ec-refuses-missing-column", "No column CC", ["CC"], "Eq. 1 needs LC, CC and COF", CC=[]),
        case(
            "ec-refuses-empty-factor", "An empty LC", ["LC"], "nothing says what it is; it is not 0", LC=["", "28435"]
        ),
    ]
