"""Operations of stage inventory: Eq. 1 and Table 3."""

from __future__ import annotations

from refimpl.conformance.operations.reading import naming, table
from refimpl.conformance.task import Task
from refimpl.formats.energy_table import read_inventory
from refimpl.method.inventory import Fuel


def emission_coefficients(task: Task) -> dict:
    """Table 3: the emission coefficient EC of each fuel."""
    fuels = table(task, "fuels", "fuel", "LC", "CC", "COF")
    names, numbers = fuels.text("fuel"), [fuels.numbers(name).tolist() for name in ("LC", "CC", "COF")]
    coefficients = [Fuel(*row).emission_coefficient for row in zip(names, *numbers, strict=True)]
    return {"coefficients": {"fuel": names, "EC": coefficients}}


def emission(task: Task) -> dict:
    """Eq. 1 applied to an energy table."""
    with naming("consumption"):
        found = read_inventory(task.path("consumption"))
    return {"emission": {"code": found.codes, "year": found.years, "emission": found.emission}}


OPERATIONS = {"emission_coefficients": emission_coefficients, "emission": emission}
