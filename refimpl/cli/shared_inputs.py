"""Inputs that several verbs take: drivers named on the command line, and the emission of each province."""

from __future__ import annotations

from pathlib import Path

from refimpl.errors import InputError

ZONAL_SUFFIXES = ("_mean", "_count", "_area_km2")
"""What ``refimpl zonal`` adds to a driver's name for its other columns; no driver's name ends so."""


def named_rasters(words: list[str]) -> dict[str, Path]:
    """``NAME=FILE`` words as a dict.

    >>> list(named_rasters(["ntl=a.tif", "population=b.tif"]))
    ['ntl', 'population']
    """
    pairs = {}
    for word in words:
        name, equals, file = word.partition("=")
        if not equals or not name or not file:
            raise InputError(f"{word!r}: expected NAME=FILE, such as ntl=ntl_2010.tif")
        if name == "code" or name.endswith(ZONAL_SUFFIXES):
            raise InputError(f"driver {name!r}: is the name of another column of our tables; name the driver otherwise")
        if name in pairs:
            raise InputError(f"driver {name!r} is given twice; name each driver once")
        pairs[name] = Path(file)
    return pairs


def emissions_of(path: Path, year: int | None) -> dict[int, float]:
    """Emission in 10^4 t by province code, from a file of ``refimpl inventory``; by default that of its last year."""
    from refimpl.formats.tables import read_table

    table = read_table(path, ("code", "year", "emission_1e4t"), "emissions, as 'refimpl inventory' writes them")
    codes, years, emission = table.integers("code"), table.integers("year"), table.numbers("emission_1e4t", minimum=0.0)
    wanted = int(years.max()) if year is None else year
    rows = years == wanted
    if not rows.any():
        raise InputError(f"{path}: has no year {wanted}; it has {', '.join(map(str, sorted(set(years.tolist()))))}")
    emission_of = dict(zip(codes[rows].tolist(), emission[rows].tolist()))
    if len(emission_of) < rows.sum():
        raise InputError(f"{path}: a province stands twice in {wanted}; keep one row for each province and year")
    return emission_of
