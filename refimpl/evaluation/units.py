"""Units of gridded inventories, as a user or a file's tag spells them, and their factor to tonnes of CO2 a year.

Fig. 6 and D24 compare products in different units.  A unit is

    mass  of C or CO2  per cell, m2 or km2  [per year, month, day, hour or second]

such as "t C/cell/month" (ODIAC), "kg C/m2/yr" (FFDAS), "t CO2/cell" and "kg CO2/m2/s" (EDGAR), "10^4 t CO2/cell"
(ours).  A unit without a time means the amount of the compared year.  A rate per month is taken for the mean month and
multiplied by 12.  A rate per day, hour or second is multiplied by a year of 365 days, or 366 in a leap year.
"""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass

from refimpl.errors import InputError
from refimpl.method.inventory import CARBON_TO_CO2

TONNES = {"g": 1e-6, "kg": 1e-3, "t": 1.0, "Mg": 1.0, "kt": 1e3, "Gg": 1e3, "Mt": 1e6, "Tg": 1e6}
"""Tonnes in one unit of mass; a mass in words ("tonnes", "metric tons") is always tonnes."""
CELL_WORDS = ("cell", "gridcell", "pixel")
TIMES = {"yr": "year", "y": "year", "a": "year", "year": "year", "annum": "year", "mon": "month", "month": "month",
         "mo": "month", "d": "day", "day": "day", "h": "hour", "hr": "hour", "hour": "hour", "s": "second",
         "sec": "second", "second": "second"}  # fmt: skip
PER_DAY = {"day": 1, "hour": 24, "second": 86400}
COMMON = (
    "t C/cell", "t C/cell/month", "t C/km2", "t CO2/cell", "t CO2/cell/month", "t CO2/km2", "10^4 t CO2/cell",
    "kg C/cell", "kg CO2/cell", "kg C/m2", "kg C/m2/yr", "kg CO2/m2", "kg CO2/m2/s", "kg C/m2/s", "g C/m2",
    "g C/m2/day", "g CO2/m2",
)  # fmt: skip
"""Spellings among which the nearest to a wrong one is suggested."""

_SPELLED = str.maketrans({"²": "2", "₂": "2", "³": "^3", "⁴": "^4", "⁶": "^6", "⁻": "-", "¹": "1", "−": "-", "·": " "})
_UNIT = re.compile(
    r"(?:(?P<power>10\^\d+|1e\d+|1000)x?)?(?P<mass>tonnes?|tons?|metrictons?|Mg|Mt|Gg|Tg|kt|kg|g|t)(?:of)?"
    r"(?P<species>CO2|carbon|C)/(?P<area>km2|m2|cell|gridcell|pixel)(?:/(?P<time>[a-z]+))?"
)


@dataclass(frozen=True)
class InventoryUnit:
    """A unit: 1 of it is ``amount`` t CO2 per cell (``per_cell``) or else per km2, ``times`` a year."""

    amount: float
    per_cell: bool
    times: float | None
    """None where the unit names no time: the value is then the amount of the year."""

    @property
    def factor(self) -> float:
        """Value x ``factor`` is t CO2 a year per cell, or per km2."""
        return self.amount * (self.times or 1.0)

    def agrees(self, said: InventoryUnit) -> bool:
        """Whether a file's tag, ``said``, means this unit too; a tag without a time agrees with any time."""
        times = said.times in (None, self.times or 1.0)
        return math.isclose(said.amount, self.amount, rel_tol=1e-9) and said.per_cell == self.per_cell and times


def inventory_unit(text: str, where: str, days: int = 365) -> InventoryUnit:
    """The unit that ``text`` names; ``where`` begins an error's sentence, ``days`` are those of the year.

    Raises
    ------
    InputError
        A unit that is not understood; the sentence suggests the nearest right spelling.

    >>> inventory_unit("kg C/m2/yr", "ffdas").factor, inventory_unit("10^4 t CO2 per cell", "ours")
    (3666.6666666666665, InventoryUnit(amount=10000.0, per_cell=True, times=None))
    """
    found = understood(text, days)
    if found is None:
        near = difflib.get_close_matches(text, COMMON, 1, 0.5)
        expected = "expected mass of C or CO2 per cell, m2 or km2, and per time, as 'kg C/m2/yr'"
        hint = f"did you mean {near[0]!r}?" if near else expected
        raise InputError(f"{where}: the unit {text!r} is not understood; {hint}")
    return found


def understood(text: str, days: int = 365) -> InventoryUnit | None:
    """The unit that ``text`` names, or None if it names none.

    >>> understood("tonne carbon/cell") == understood("t C/cell") and understood("persons/km2") is None
    True
    """
    match = _UNIT.fullmatch(_normal(text))
    if match is None or (match["time"] and match["time"] not in TIMES):
        return None
    amount = TONNES.get(match["mass"], 1.0) * float((match["power"] or "1").replace("10^", "1e"))
    amount *= 1.0 if match["species"] == "CO2" else CARBON_TO_CO2
    time = TIMES.get(match["time"])
    times = {None: None, "year": 1.0, "month": 12.0}[time] if time not in PER_DAY else float(days * PER_DAY[time])
    per_cell = match["area"] in CELL_WORDS
    return InventoryUnit(amount if per_cell or match["area"] == "km2" else amount * 1e6, per_cell, times)


def _normal(text: str) -> str:
    """``text`` without spaces, with a slash for each "per" and each negative power: "kg CO2 m-2 s-1" is kgCO2/m2/s."""
    text = re.sub(r"\bper\b", "/", text.translate(_SPELLED))
    text = re.sub(r"\^?-2\b", "-2", text)
    text = re.sub(r"\s+(k?m)-2", r"/\g<1>2", text)
    text = re.sub(r"\s+([a-z]+)\^?-1\b", r"/\1", text)
    text = re.sub(r"\b(k?m)\^2", r"\g<1>2", text)
    text = re.sub(r"\s|[()]", "", text)
    return re.sub(r"co2", "CO2", text, flags=re.IGNORECASE)
