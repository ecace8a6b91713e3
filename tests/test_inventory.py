"""Eq. 1 and Table 3: expected values are the paper's EC row and hand calculation."""

from fractions import Fraction

import numpy as np
import pytest

from refimpl.errors import InputError
from refimpl.formats.energy_table import read_inventory
from refimpl.method.inventory import FUELS, emission

EC_ROW = {
    "coal": "1.9003",
    "coke": "2.8604",
    "crude_oil": "3.0202",
    "gasoline": "2.9251",
    "kerosene": "3.0179",
    "diesel": "3.0959",
    "fuel_oil": "3.1705",
    "natural_gas": "2.1622",
}
HEADER = "code,province,year,coal,natural_gas\n"


def energy(tmp_path, text):
    path = tmp_path / "energy.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("fuel", EC_ROW)
def test_emission_coefficient_equals_the_printed_row_of_table_3(fuel):
    assert f"{FUELS[fuel].emission_coefficient:.4f}" == EC_ROW[fuel]


def test_table_3_has_exactly_the_eight_fuels():
    assert list(FUELS) == list(EC_ROW)


def test_emission_is_the_sum_over_fuels_in_1e4_tonnes():
    # exact fractions: 100 x 10^4 t of coal, and 1 x 10^8 m3 of gas, whose kg/m3 x 10^8 m3 = 10^8 kg = 10 x 10^4 t
    coal = Fraction(20908) * Fraction("26.37") * Fraction("0.94") * Fraction(44, 12) / 10**6 * 100
    gas = Fraction(38931) * Fraction("15.3") * Fraction("0.99") * Fraction(44, 12) / 10**6 * 10
    got = emission({"natural_gas": np.array([1.0]), "coal": np.array([100.0])})
    assert got[0] == pytest.approx(float(coal + gas), rel=1e-15)  # a handful of float64 roundings


def test_fuel_columns_may_stand_in_any_order(tmp_path):
    one = read_inventory(energy(tmp_path, "code,province,year,coal,diesel\n11,Beijing,2010,3,5\n"))
    two = read_inventory(energy(tmp_path, "diesel,year,code,coal,province\n5,2010,11,3,Beijing\n"))
    assert one.emission[0] == pytest.approx(3 * 1.9003 + 5 * 3.0959, rel=1e-4)  # the row is printed to 4 decimals
    assert (one.emission == two.emission).all() and one.provinces == two.provinces


def test_a_table_saved_by_a_spreadsheet_with_byte_order_mark_and_blank_lines_is_read(tmp_path):
    inventory = read_inventory(energy(tmp_path, "\ufeff" + HEADER + "\n11,Beijing,2010,1,0\n\n"))
    assert inventory.codes.tolist() == [11]


@pytest.mark.parametrize(
    "text, says",
    [
        ("code,province,year,cool\n11,Beijing,2010,1\n", "did you mean 'coal'"),
        (HEADER + "11,Beijing,2010,-1,0\n", "line 2, column 'coal': -1 is less than 0"),
        (HEADER + "11,Beijing,2010,,0\n", "the cell is empty"),
        (HEADER + "11,Beijing,2010,1 000,0\n", "expected a number"),
        (HEADER + "11,Beijing,2010,nan,0\n", "not a finite number"),
        (
            HEADER + "11,Beijing,2010,1,0\n\n11,Beijing,2010,1,0\n",
            "line 4: code 11 in year 2010 stands in line 2 already",
        ),
        (HEADER + "11.5,Beijing,2010,1,0\n", "not a whole number"),
        (HEADER + "11,Beijing,2010,1\n", "4 cells, expected 5"),
        (HEADER, "holds no rows"),
        ("code,province,coal\n11,Beijing,1\n", "no column 'year'; its columns are code, province, coal"),
        ("code;province;year;coal\n11;Beijing;2010;1\n", "separated by semicolons"),
        ("code,province,year,coal,coal\n11,Beijing,2010,1,2\n", "stands twice"),
    ],
)
def test_a_wrong_energy_table_is_refused_in_one_sentence(tmp_path, text, says):
    with pytest.raises(InputError) as fault:
        read_inventory(energy(tmp_path, text))
    assert says in str(fault.value) and "energy.csv" in str(fault.value) and "\n" not in str(fault.value)


def test_a_missing_energy_table_is_refused_with_its_path(tmp_path):
    with pytest.raises(InputError, match="none.csv: does not exist, expected an energy table"):
        read_inventory(tmp_path / "none.csv")


def test_an_unknown_fuel_or_a_negative_amount_is_refused_from_python_too():
    with pytest.raises(InputError, match="unknown fuel 'peat'"):
        emission({"peat": np.array([1.0])})
    with pytest.raises(InputError, match="'coal'"):
        emission({"coal": np.array([1.0, -0.1])})


def test_a_year_without_rows_is_refused_with_the_years_there_are(tmp_path):
    inventory = read_inventory(energy(tmp_path, HEADER + "11,Beijing,2010,1,0\n"))
    with pytest.raises(InputError, match="statistics.fit_year: the energy table has no year 2012; it has 2010"):
        inventory.of_year(2012, "statistics.fit_year")
