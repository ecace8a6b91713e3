"""Eq. 1 and Table 3: the fuels that a province burns in a year, turned into its CO2 emission.

    SC = sum over fuels w of E_w x EC_w,      EC_w = LC_w x CC_w x COF_w x 44/12 x 10^-6      (Eq. 1)

======  ===========================  ==============================================================
symbol  meaning                      unit
======  ===========================  ==============================================================
E       consumption of the fuel      10^4 t (natural gas: 10^8 m3)
LC      lower calorific value        kJ/kg (natural gas: kJ/m3)
CC      carbon content               kg C per GJ
COF     carbon oxidation factor      1
EC      emission coefficient         kg CO2 per kg (natural gas: per m3)
SC      emission of the province     10^4 t CO2
======  ===========================  ==============================================================

D01: the paper leaves the 10^-6 (GJ per kJ) unsaid; with it the printed EC row of Table 3 holds to
4 decimals.  D02: the paper's second "=" drops the sum over fuels; it is kept here.
Natural gas is counted in 10^8 m3, so its product with kg/m3 is 10^8 kg = 10 x 10^4 t.

Source of the Table 3 figures: LC from the China Energy Statistical Yearbook (GB/T 2589-2008), CC and
COF from the Guidelines for Provincial Greenhouse Gas Inventories (NDRC Climate 2011, no. 1041).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from refimpl.errors import InputError, did_you_mean

CARBON_TO_CO2 = 44.0 / 12.0
"""Mass of CO2 per mass of carbon, from the rounded molar masses that the paper uses."""


@dataclass(frozen=True)
class Fuel:
    """One column of Table 3."""

    name: str
    calorific_value: float
    """LC, kJ/kg; natural gas kJ/m3."""
    carbon_content: float
    """CC, kg C/GJ."""
    oxidation_factor: float
    """COF, fraction of the carbon that is burnt."""
    unit_in_1e4_t: float = 1.0
    """Turns E x EC into 10^4 t: 1 for fuels in 10^4 t, 10 for gas in 10^8 m3."""

    def __post_init__(self):
        for symbol, value in (("LC", self.calorific_value), ("CC", self.carbon_content)):
            if not 0 < value < float("inf"):
                raise InputError(f"fuel {self.name!r}: {symbol} is {value!r}; expected a number above 0")
        if not 0 < self.oxidation_factor <= 1:
            raise InputError(f"fuel {self.name!r}: COF is {self.oxidation_factor!r}; expected the fraction of the "
                             "carbon that is burnt, above 0 and at most 1")  # fmt: skip

    @property
    def emission_coefficient(self) -> float:
        """EC of Eq. 1 (D01), kg CO2 per kg of fuel, natural gas kg CO2/m3.

        >>> f"{FUELS['coal'].emission_coefficient:.4f}"
        '1.9003'
        """
        return self.calorific_value * self.carbon_content * self.oxidation_factor * CARBON_TO_CO2 * 1e-6


TABLE_3 = (
    Fuel("coal", 20908, 26.37, 0.94),
    Fuel("coke", 28435, 29.5, 0.93),
    Fuel("crude_oil", 41816, 20.1, 0.98),
    Fuel("gasoline", 43070, 18.9, 0.98),
    Fuel("kerosene", 43070, 19.5, 0.98),
    Fuel("diesel", 42652, 20.2, 0.98),
    Fuel("fuel_oil", 41816, 21.1, 0.98),
    Fuel("natural_gas", 38931, 15.3, 0.99, unit_in_1e4_t=10.0),
)
FUELS: dict[str, Fuel] = {fuel.name: fuel for fuel in TABLE_3}
"""Table 3, in the paper's order."""


def emission(consumption: Mapping[str, np.ndarray]) -> np.ndarray:
    """Eq. 1: CO2 of the consumed fuels, summed over them (D01, D02).

    Parameters
    ----------
    consumption : dict of fuel name to (n,) float64, in 10^4 t (natural gas: 10^8 m3), none negative.

    Returns
    -------
    (n,) float64, 10^4 t CO2.

    Raises
    ------
    InputError
        No fuel, one that is not in Table 3, or an amount that is negative or not a number.

    >>> emission({"coal": np.array([100.0]), "natural_gas": np.array([1.0])}).round(3)
    array([211.652])
    """
    if not consumption:
        raise InputError(f"no fuel column; expected at least one of {', '.join(FUELS)}")
    total = 0.0
    for name, amount in consumption.items():
        if name not in FUELS:
            raise InputError(f"unknown fuel {name!r}{did_you_mean(name, FUELS)}")
        amount = np.asarray(amount, dtype=np.float64)
        unit = "10^4 t" if FUELS[name].unit_in_1e4_t == 1 else "10^8 m3"
        if not (np.isfinite(amount).all() and (amount >= 0).all()):
            raise InputError(f"fuel {name!r}: an amount is negative or not a number; expected {unit}, 0 or more")
        total = total + amount * (FUELS[name].emission_coefficient * FUELS[name].unit_in_1e4_t)
    return total
