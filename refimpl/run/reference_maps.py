"""Reference maps from files: land cover, ODIAC, FFDAS and any other gridded inventory (Figs. 4-6, D23, D24).

All of them are sources on the grid of the map.  What lies under the map is checked at once, window by window; cells are
computed when they are needed.  The sources hold the names of files, and keep none open.
"""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from refimpl.earth.grid import Grid, Raster, Source, Window
from refimpl.errors import InputError
from refimpl.evaluation.derived import any_in_zones, parts
from refimpl.evaluation.land_cover_map import land_cover_on
from refimpl.evaluation.other_inventories import Reopened, carbon_of_year, inventory_density
from refimpl.evaluation.units import COMMON, inventory_unit, understood
from refimpl.run.config import Config
from refimpl.run.provinces import no_overlap
from refimpl.windows.computed import Computed
from refimpl.windows.stored import Stored
from refimpl.windows.tiled import write_tiled
from refimpl.windows.zones import Zones, zones_in

ZONE_TILE = (512, 4096)
"""Rows and columns of zones that are brought to a grid at once."""
ODIAC_UNITS, FFDAS_UNITS = "t C/cell/month", "kg C/m2/yr"


@dataclass(frozen=True)
class InventoryFile:
    """One inventory.  Where ``units`` is "", the file's tag names them; ``key`` is the option that can name them."""

    name: str
    path: Path
    units: str
    key: str


def read_land_cover(path: Path, grid: Grid, rule: str) -> Source:
    """The seven land covers on ``grid`` (``land_cover_on``), as IGBP classes.

    Raises
    ------
    InputError
        A class beyond 0-17 or a value that is no whole number under the grid, or nothing there.
    """
    try:
        land_cover = land_cover_on(Stored(path), grid, rule)
    except InputError as fault:
        raise InputError(f"{path}: {str(fault).removeprefix(f'{path}: ')}") from None
    require_values(land_cover, path)
    return land_cover


def read_odiac(paths: Sequence[Path], grid: Grid, year: int | None = None, store: Path | None = None) -> Source:
    """ODIAC's twelve months as t CO2 / km2 / year on ``grid``, its total kept (D24).

    ``store`` as for ``inventory_density``: without it the months are read again whenever cells are needed.
    """
    months = []
    for path in paths:
        months.append(Reopened(path))
        check_units(months[-1].units, ODIAC_UNITS, str(path), days_of(year))
    density = inventory_density(carbon_of_year(months), "t C/cell", grid, str(paths[0]), store=store)
    require_values(density, paths[0])
    return density


def read_ffdas(path: Path, grid: Grid, year: int | None = None, store: Path | None = None) -> Source:
    """FFDAS as t CO2 / km2 / year on ``grid``, its total kept (D24)."""
    return read_inventory_file(InventoryFile("FFDAS", path, FFDAS_UNITS, "its own"), grid, year, store)


def read_inventory_file(
    file: InventoryFile, grid: Grid, year: int | None = None, store: Path | None = None
) -> Source:
    """Any inventory as t CO2 / km2 / year on ``grid``, its total kept.

    ``year`` is the year of the inventory, for units per day, hour or second; without it a year has 365 days.  ``store``
    as for ``inventory_density``.

    Raises
    ------
    InputError
        No units, units that are not understood or contradict the file's tag, nothing on the grid.
    """
    days, source = days_of(year), Stored(file.path)
    units = file.units or source.units
    if not file.units and understood(source.units) is None:
        found = f"names the unit {source.units!r}, which is not understood" if source.units else "names no unit"
        raise InputError(f"{file.path}: {found}; name it with {file.key}, such as {COMMON[4]!r}")
    check_units(source.units, units, str(file.path), days)
    density = inventory_density(source, units, grid, str(file.path), days, store)
    require_values(density, file.path)
    return density


def require_values(source: Source, path: Path) -> None:
    """Refuse a source without a value on the grid of the map; reading ends at the first window that has one."""
    if not any(part.valid.any() for part in parts(source)):
        raise no_overlap(path)


def named_inventories(config: Config) -> list[InventoryFile]:
    """The other inventories that a run.toml names, besides ODIAC and FFDAS.

    Raises
    ------
    InputError
        Names or units that are not as many as files, or a name given twice.
    """
    table, where = config.evaluate, f"{config.path}: evaluate."
    count = len(table.inventories)
    for key in ("inventory_names", "inventory_units"):
        given = getattr(table, key)
        if given and len(given) != count:
            raise InputError(f"{where}{key}: {len(given)} for {count} inventories; expected one for each, in order")
    names = table.inventory_names or tuple(path.stem for path in table.inventories)
    taken = [*names, *(["ODIAC"] if table.odiac else []), *(["FFDAS"] if table.ffdas else [])]
    doubled = [name for name in names if taken.count(name) > 1 or not name.strip()]
    if doubled:
        raise InputError(f"{where}inventory_names: {doubled[0]!r} is empty or stands twice; name each inventory once")
    units = table.inventory_units or ("",) * count
    key = f"{where}inventory_units"
    return [InventoryFile(name, path, unit, key) for name, path, unit in zip(names, table.inventories, units)]


def read_inventories(config: Config, zones: Source, folder: Path | None = None) -> dict[str, Source]:
    """ODIAC, FFDAS and the others that a run.toml names, t CO2 / km2 / year on the grid of ``zones``, totals kept.

    ``folder``: where the emission of their pixels is stored, as ``inventory_0.tif`` and so on (``inventory_density``).
    """
    files, table, found, grid = named_inventories(config), config.evaluate, {}, zones.grid

    def store() -> Path | None:
        return None if folder is None else folder / f"inventory_{len(found)}.tif"

    if table.odiac:
        found["ODIAC"] = read_odiac(table.odiac, grid, config.map_year, store())
    if table.ffdas:
        found["FFDAS"] = read_ffdas(table.ffdas, grid, config.map_year, store())
    for file in files:
        found[file.name] = read_inventory_file(file, grid, config.map_year, store())
    for name, density in found.items():
        if not any_in_zones(density, zones):
            raise InputError(f"{config.path}: evaluate: {name} has no value in any zone; check its extent and nodata")
    return found


def store_zones(zones: Zones, grid: Grid, file: Path) -> Stored:
    """Zones as codes on ``grid``, 0 outside, written to ``file``, so that they are brought to the grid only once."""
    write_tiled(file, ZonesOn(zones, grid), ZONE_TILE, nodata=0)
    return Stored(file)


class ZonesOn(Computed):
    """Zones as codes on a grid (``zones_in``), valid where there is one."""

    def __init__(self, zones: Zones, grid: Grid):
        super().__init__(grid, "", zones_in(zones, grid, (0, 1, 0, 1)).dtype)
        self.zones = zones

    def part(self, window: Window) -> Raster:
        """The cells of (row start, row stop, column start, column stop)."""
        codes = zones_in(self.zones, self.grid, window).values
        return Raster.unchecked(codes, codes != 0, self.grid.part(window))


def coarser(grid: Grid, factor: int = 2) -> Grid:
    """The coarse grid of a fine one: the same corner, ``factor`` times the cell size (D19).

    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> coarser(Grid(ALBERS_CHINA, (0, 0, 500, -500), (4, 6))).shape
    (2, 3)
    """
    (x0, y0, dx, dy), (rows, cols) = grid.transform, grid.shape
    return Grid(grid.crs, (x0, y0, factor * dx, factor * dy), (rows // factor, cols // factor))


def check_units(tag: str, units: str, where: str, days: int = 365) -> None:
    """Refuse ``units`` that contradict the file's own ``tag``, where the tag is understood."""
    said = understood(tag, days)
    if said is not None and not inventory_unit(units, where, days).agrees(said):
        raise InputError(
            f"{where}: is {tag!r} by its own tag and {units!r} by what it is given as; correct the one that is wrong"
        )


def days_of(year: int | None) -> int:
    """Days of a year; 365 where it is not known."""
    return 366 if year is not None and calendar.isleap(year) else 365
