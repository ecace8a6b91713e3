"""Eq. 1 in exact fractions of the printed decimals, rounded once; small whole numbers also by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.oracles.fractions_coefficients import TABLE_3, invalid_coefficients, total, valid_coefficients
from tests.oracles.suite import Case, Output, Raw, refused, with_columns

FLAGS = {
    "coefficient-without-oxidation": "COF is left out of EC: every fuel emits 1 to 7 % too much, coke most.",
    "coefficient-carbon-upside-down": "x 12/44 in place of x 44/12: the map shows 7 % of the emission.",
    "coefficient-carbon-not-to-co2": "The 44/12 is left out: tonnes of carbon are reported as tonnes of CO2.",
    "coefficient-power-of-ten": "LC in kJ/kg and CC per GJ need 10^-6 (D01): 10^-3 or none is off by thousands.",
    "coefficient-molar-masses": "44.01/12.011 or 3.67 in place of 44/12: a shift of 0.1 % in every province.",
    "coefficient-table-hard-coded": "EC is looked up by the fuel's name, in place of computed from the given factors.",
    "fuel-factor-mistyped": "One LC, CC or COF of Table 3 is mistyped, or two fuels are exchanged.",
    "gas-unit": "10^8 m3 of gas at kg/m3 make 10 x 10^4 t: without the ten, gas counts for a tenth.",
    "fuels-not-summed": "The sum over fuels is dropped, as in the paper's second '=' (D02): one fuel stands for all.",
    "absent-fuel-refused": "A fuel without a column or with 0 is not a fault: it counts as 0.",
    "columns-by-position": "Columns are read by position, not by name: years become tonnes.",
    "inventory-rows-sorted": "Rows are sorted, merged by province or reduced to one year.",
    "inventory-single-precision": "Computed in float32 or rounded to decimals: small provinces lose their digits.",
}

SUM_WHY = "no term is negative: at most a dozen roundings of 1.1e-16 each in any order"


def emission(name: str, title: str, columns: Mapping[str, Sequence[str]], flags, how, **changes) -> Case:
    """A case of consumption columns as text; code, province and year are made up where not given."""
    n = len(next(iter(columns.values())))
    table = {"code": ["11", "13", "15", "65"][:n], "province": ["Beijing", "Hebei", "Nei Mongol", "Xinjiang"][:n]}
    table |= {"year": ["2010"] * n, **columns}
    table = {column: table[column] for column in changes.pop("order", table)}
    fuels = [fuel for fuel in table if fuel in TABLE_3]
    sums = [total({fuel: table[fuel][i] for fuel in fuels}) for i in range(n)]
    exact = {"code": table["code"], "year": table["year"], "emission": sums}
    given = {
        "inputs": {"consumption.csv": table},
        "outputs": {"emission.csv": Output(exact, "rel", 1e-14, SUM_WHY)},
        "references": ("Eq. 1", "Table 3"),
    }
    key = {"stage": "inventory", "operation": "emission", "oracle": "fractions"}
    return Case(name, title, flags=flags, how=how, **{**key, **given, **changes})


def single_fuels() -> list[Case]:
    """One case a fuel whose factors no other case isolates, and all of them, one to a row."""
    alone = {
        fuel: emission(
            f"eq1-{fuel.replace('_', '-')}-hand",
            f"100 units of {fuel.replace('_', ' ')} alone",
            {fuel: ["100"]},
            flags,
            how,
            oracle="hand",
            references=("Eq. 1", "Table 3", "D01"),
        )
        for fuel, flags, how in (
            (
                "coal",
                ("fuel-factor-mistyped", "coefficient-power-of-ten", "coefficient-carbon-upside-down"),
                "100 x 20908 x 26.37 x 0.94 x 44/12 x 10^-6 = 190.02988488, exactly",
            ),
            (
                "crude_oil",
                ("fuel-factor-mistyped", "coefficient-without-oxidation"),
                "100 x 41816 x 20.1 x 0.98 x 44/12 x 10^-6 = 302.0202416, exactly",
            ),
            (
                "natural_gas",
                ("gas-unit", "fuel-factor-mistyped"),
                "100 x 10^8 m3 x 2.162188809 kg/m3 = 2.162188809 x 10^10 kg = 2162.188809 x 10^4 t",
            ),
        )
    }
    each = {fuel: [str(10 + i) if i == at else "0" for i in range(8)] for at, fuel in enumerate(TABLE_3)}
    keys = {"code": [str(code) for code in (11, 12, 13, 14, 15, 21, 22, 23)], "province": list("ABCDEFGH")}
    return [
        *alone.values(),
        emission(
            "eq1-one-fuel-a-row",
            "Eight provinces, each burning one of the eight fuels",
            {**keys, "year": ["2005"] * 8, **each},
            ("fuel-factor-mistyped", "gas-unit"),
            "10 ... 17 units x EC of Table 3 as fractions",
        ),
    ]


def valid_emissions() -> list[Case]:
    fractions = "sum of SC x EC over the fuels as fractions of the decimals, rounded once"
    mixed = {fuel: [f"{7 + i}.{i + 1}25", str(311 - 17 * i)] for i, fuel in enumerate(TABLE_3)}
    years = {
        "code": ["65", "11", "65", "11", "13"],
        "province": ["Xinjiang", "Beijing", "Xinjiang", "Beijing", "Hebei"],
    }
    years |= {
        "year": ["2010", "2005", "2005", "2010", "2010"],
        "coal": ["8106.43", "3068.88", "3850", "2634.62", "27464.72"],
    }
    return [
        emission(
            "eq1-sum-over-fuels",
            "All eight fuels burnt together",
            mixed,
            ("fuels-not-summed", "gas-unit"),
            fractions,
            references=("Eq. 1", "Table 3", "D02"),
        ),
        emission(
            "eq1-two-fuels-hand",
            "3 x 10^4 t of coal and 2 x 10^8 m3 of gas",
            {"coal": ["3"], "natural_gas": ["2"]},
            ("fuels-not-summed", "gas-unit"),
            "3 x 1.9002988488 + 2 x 10 x 2.162188809 = 48.9446727264",
            oracle="hand",
            references=("Eq. 1", "D02"),
        ),
        emission(
            "eq1-absent-columns",
            "Only kerosene and fuel oil have a column",
            {"kerosene": ["9.5", "0.25"], "fuel_oil": ["1", "40"]},
            ("absent-fuel-refused", "fuel-factor-mistyped"),
            fractions,
        ),
        emission(
            "eq1-zero-consumption",
            "A province that burns nothing, and one with zeros among its fuels",
            {"coal": ["0", "12.5"], "coke": ["0.0", "0"], "natural_gas": ["0", "0"]},
            ("absent-fuel-refused",),
            fractions,
        ),
        emission(
            "eq1-several-years",
            "Two years, rows in no order: the answer keeps the order of the rows",
            years,
            ("inventory-rows-sorted",),
            fractions,
        ),
        emission(
            "eq1-columns-in-any-order",
            "Year first, fuels backwards, code in the middle",
            {"diesel": ["5", "6.5"], "coke": ["30", "2"], "gasoline": ["0.5", "44"]},
            ("columns-by-position",),
            fractions,
            order=("year", "gasoline", "code", "diesel", "coke", "province"),
        ),
        emission(
            "eq1-large-and-tiny-amounts",
            "Amounts from 10^-12 to 10^15",
            {
                "coal": ["1e15", "0.000000000001", "123456789.123456789"],
                "diesel": ["1e-12", "0.0000001", "987654321.0123"],
            },
            ("inventory-single-precision",),
            fractions,
        ),
    ]


def invalid_emissions() -> list[Case]:
    def table(name, title, content, fields, why):
        inputs = {"consumption.csv": content}
        return refused(name, title, "inventory", "emission", ("Eq. 1",), fields, why, inputs)

    def case(name, title, fields, why, **changes):
        rows = {"code": ["11", "13"], "province": ["Beijing", "Hebei"], "year": ["2010"] * 2, "coal": ["10", "20"]}
        return table(name, title, with_columns(rows, changes), fields, why)

    semicolons = Raw(b"code;province;year;coal\n11;Beijing;2010;10,5\n")
    header = Raw(b"code,province,year,coal\n")
    doubled = Raw(b"code,province,year,coal,coal\n11,Beijing,2010,10,20\n")
    return [
        case(
            "emission-refuses-negative-amount",
            "A province burns -3 x 10^4 t",
            ["coke"],
            "no fuel is burnt negatively",
            coke=["5", "-3"],
        ),
        case(
            "emission-refuses-empty-amount",
            "An empty cell of gas",
            ["natural_gas"],
            "it is unknown, not 0: only an absent column is 0",
            natural_gas=["1.5", ""],
        ),
        case(
            "emission-refuses-unreadable-amount",
            "'n.a.' for an amount",
            ["diesel"],
            "text is no amount",
            diesel=["n.a.", "7"],
        ),
        case(
            "emission-refuses-thousands-separator",
            "'1,234.5' in quotes",
            ["coal"],
            "a comma is no part of a number",
            coal=["10", "1,234.5"],
        ),
        case(
            "emission-refuses-infinite-amount",
            "'inf' for an amount",
            ["kerosene"],
            "infinities are refused everywhere",
            kerosene=["inf", "1"],
        ),
        case(
            "emission-refuses-unknown-fuel",
            "A column 'peat'",
            ["peat"],
            "Table 3 has no such fuel: its CO2 would be lost silently",
            peat=["1", "2"],
        ),
        case(
            "emission-refuses-doubled-province",
            "Code 11 twice in 2010",
            ["code"],
            "which of the two is it?",
            code=["11", "11"],
        ),
        case("emission-refuses-missing-code", "No column 'code'", ["code"], "totals cannot be tied to zones", code=[]),
        case("emission-refuses-missing-year", "No column 'year'", ["year"], "the column is missing", year=[]),
        table(
            "emission-refuses-no-rows",
            "A header and no rows",
            header,
            ["consumption"],
            "nothing to compute",
        ),
        table(
            "emission-refuses-semicolons",
            "Semicolons and decimal commas, as spreadsheets of many countries write",
            semicolons,
            ["consumption", "code", "province", "year"],
            "no column is there",
        ),
        table(
            "emission-refuses-doubled-column",
            "Two columns 'coal'",
            doubled,
            ["coal", "consumption"],
            "one of the two would be lost",
        ),
    ]


def cases() -> list[Case]:
    """All of stage inventory."""
    return [*valid_coefficients(), *single_fuels(), *valid_emissions(), *invalid_coefficients(), *invalid_emissions()]
