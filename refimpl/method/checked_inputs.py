"""Checks of what ``spatialize`` is given, before anything is computed: one sentence for each fault.

Nothing of the method stands here.  What passes comes back as NumPy arrays; the masked cells of a masked array are NaN.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from refimpl.errors import InputError, warn


@dataclass(frozen=True)
class Year:
    """What is known of one year.

    ``fuels``: consumption by fuel of Table 3, each (n,), 10^4 t (natural gas: 10^8 m3), in the order of the province
    codes.  ``drivers``: densities per km2 by name, each (rows, cols); a cell without a value holds NaN, or is masked.
    ``driver_totals``: their province totals, each (n,), where they are known better than from these cells (from the
    drivers' own, finer grids, say).

    >>> year = Year({"coal": np.array([100.0, 210.0])}, {"ntl": np.array([[3.5, np.nan, 60.0]])})
    >>> list(year.fuels), year.drivers["ntl"].shape
    (['coal'], (1, 3))
    """

    fuels: Mapping[str, np.ndarray]
    drivers: Mapping[str, np.ndarray]
    driver_totals: Mapping[str, np.ndarray] | None = None


def whole_numbers(name: str, values, dimensions: int, least: int) -> np.ndarray:
    """``values`` as int64, with so many dimensions, none below ``least``.

    >>> whole_numbers("codes", [11, 12.0], 1, 1)
    array([11, 12])
    >>> whole_numbers("codes", ["11"], 1, 1)
    Traceback (most recent call last):
    refimpl.errors.InputError: codes: hold text (11, ...), expected whole numbers from 1 up
    """
    array = np.ma.filled(np.ma.asarray(values), 0) if np.ma.isMaskedArray(values) else np.asarray(values)
    if array.ndim != dimensions or array.size == 0:
        what = "one row of numbers" if dimensions == 1 else "(rows, cols)"
        raise InputError(f"{name}: have shape {array.shape}, expected {what} with at least one")
    if array.dtype.kind not in "iuf":
        kind = "text" if array.dtype.kind in "US" else str(array.dtype)
        raise InputError(f"{name}: hold {kind} ({array.flat[0]}, ...), expected whole numbers from {least} up")
    wrong = ~(np.isfinite(array) & (np.floor(array) == array) & (array >= least))
    if wrong.any():
        raise InputError(f"{name}: hold {array[wrong].flat[0]}, expected whole numbers from {least} up")
    return array.astype(np.int64)


def real_numbers(name: str, values, shape: tuple[int, ...]) -> np.ndarray:
    """``values`` as float64 of that shape; masked ones become NaN.

    >>> real_numbers("areas", [1, 2], (2,))
    array([1., 2.])
    """
    if np.iscomplexobj(values):
        raise InputError(f"{name}: holds complex numbers, expected an array of shape {shape}")
    try:
        array = np.ma.filled(np.ma.asarray(values).astype(float), np.nan)
    except (TypeError, ValueError):
        raise InputError(f"{name}: holds what is no number, expected an array of shape {shape}") from None
    if array.shape != shape:
        raise InputError(f"{name}: has shape {array.shape}, expected {shape} real numbers")
    return array


def positive(name: str, values, shape: tuple[int, ...]) -> np.ndarray:
    """``real_numbers`` that are finite and above 0.

    >>> positive("areas", [1.0, -2.0], (2,))
    Traceback (most recent call last):
    refimpl.errors.InputError: areas: hold -2.0, expected numbers above 0 (km2)
    """
    array = real_numbers(name, values, shape)
    wrong = ~((array > 0) & np.isfinite(array))
    if wrong.any():
        raise InputError(f"{name}: hold {array[wrong].flat[0]}, expected numbers above 0 (km2)")
    return array


def province_codes(codes) -> np.ndarray:
    """Codes (n,) int64 from 1 up, each once, three at least.

    >>> province_codes([11, 11, 12])
    Traceback (most recent call last):
    refimpl.errors.InputError: codes: 11 stands there twice, expected each province once
    """
    array = whole_numbers("codes", codes, 1, 1)
    found, counts = np.unique(array, return_counts=True)
    if (counts > 1).any():
        raise InputError(f"codes: {found[counts > 1][0]} stands there twice, expected each province once")
    if array.size < 3:
        raise InputError(f"codes: {array.size} provinces have statistics, a regression needs 3 or more; give more")
    return array


def mapping(name: str, given) -> Mapping:
    """``given`` itself if it is a mapping from names with at least one entry.

    >>> mapping("fit.fuels", {"coal": 1})
    {'coal': 1}
    """
    if not isinstance(given, Mapping) or not given or not all(isinstance(key, str) for key in given):
        raise InputError(f"{name}: is {type(given).__name__}, expected a dict of arrays by name, with at least one")
    return given


def checked_year(which: str, year: Year, count: int, shape: tuple[int, int], names: tuple[str, ...]) -> Year:
    """A year as float64 arrays: fuels and totals (``count``,), drivers of that ``shape``, named as ``names``.

    Warns with ``DataWarning`` where a driver has negative cells.

    >>> year = Year({"coal": [1, 2, 3]}, {"ntl": [[0.5, 2.5]]})
    >>> checked_year("fit", year, 3, (1, 2), ("ntl",)).fuels["coal"]
    array([1., 2., 3.])
    """
    if not isinstance(year, Year):
        raise InputError(f"{which}: is {type(year).__name__}, expected refimpl.Year(fuels, drivers)")
    fuels = {
        name: real_numbers(f"{which}.fuels[{name!r}]", amounts, (count,))
        for name, amounts in mapping(f"{which}.fuels", year.fuels).items()
    }
    drivers, totals = dict(mapping(f"{which}.drivers", year.drivers)), year.driver_totals
    for name in names:
        if name not in drivers or (totals is not None and name not in mapping(f"{which}.driver_totals", totals)):
            where = "drivers" if name not in drivers else "driver_totals"
            raise InputError(f"{which}.{where}: has no {name!r}; give both years the same drivers")
        drivers[name] = real_numbers(f"{which}.drivers[{name!r}]", drivers[name], shape)
        lowest = np.nanmin(drivers[name], initial=0.0)
        if lowest < 0:
            where = f"{which}.drivers[{name!r}]"
            warn(f"{where}: cells are negative, the lowest {lowest:g}; if that is nodata, give NaN", stacklevel=4)
    if totals is not None:
        totals = {name: real_numbers(f"{which}.driver_totals[{name!r}]", totals[name], (count,)) for name in names}
        for name, total in totals.items():
            if not np.isfinite(total).all():
                raise InputError(f"{which}.driver_totals[{name!r}]: holds {total[~np.isfinite(total)][0]}, expected "
                                 "a number for each province")  # fmt: skip
    return Year(fuels, {name: drivers[name] for name in names}, totals)


class World(NamedTuple):
    """What ``spatialize`` works on: the arguments of ``checked_world``, checked, the fine ones filled in."""

    fit: Year
    test: Year
    codes: np.ndarray
    zones: np.ndarray
    areas: np.ndarray
    fine_zones: np.ndarray
    fine_areas: np.ndarray


def checked_world(fit: Year, test: Year, codes, zones, areas, fine_zones, fine_areas, factor: int) -> World:
    """The statistics, drivers, zones and areas of ``spatialize``; ``factor`` fine cells lie along a coarse cell's side.

    Where ``fine_zones`` is None, a fine cell has its coarse cell's zone; where ``fine_areas`` is, an equal part of its
    area.

    >>> year = Year({"coal": [1, 2, 3]}, {"ntl": [[0.5, 2.5, 1.0]]})
    >>> checked_world(year, year, [1, 2, 3], [[1, 2, 3]], [4.0], None, None, 2).fine_areas
    array([1., 1.])
    """
    codes, zones = province_codes(codes), whole_numbers("zones", zones, 2, 0)
    areas, names = positive("areas", areas, zones.shape[:1]), tuple(getattr(fit, "drivers", ()))
    fit = checked_year("fit", fit, codes.size, zones.shape, names)
    test = checked_year("test", test, codes.size, zones.shape, names)
    shape = zones.shape[0] * factor, zones.shape[1] * factor
    fine_zones = zones.repeat(factor, axis=0).repeat(factor, axis=1) if fine_zones is None else fine_zones
    fine_zones = whole_numbers("fine_zones", fine_zones, 2, 0)
    if fine_zones.shape != shape:
        raise InputError(f"fine_zones: have shape {fine_zones.shape}, expected {shape}, {factor} times that of zones")
    if not np.isin(fine_zones, codes).any():
        raise InputError("fine_zones: hold none of the codes, expected at least one; compare zones and codes")
    fine_areas = np.repeat(areas / factor**2, factor) if fine_areas is None else fine_areas
    return World(fit, test, codes, zones, areas, fine_zones, positive("fine_areas", fine_areas, shape[:1]))


def check_training(models, seed, tape) -> None:
    """Settings are by model; the seed is a whole number from 0 up; a tape has fixed crops and training crops.

    >>> check_training(None, None, None)
    Traceback (most recent call last):
    refimpl.errors.InputError: seed: is None, expected a whole number from 0 up
    """
    by_model = models if isinstance(models, Mapping) else {"": models}
    if models is not None and not all(isinstance(settings, Mapping) for settings in by_model.values()):
        raise InputError(f"models: is {models!r}, expected settings by model, such as {{'svr': {{'C': 10.0}}}}")
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"seed: is {seed!r}, expected a whole number from 0 up")
    if tape is not None and not (tape.fixed and tape.training):
        raise InputError("tape: lacks crops of step 0 or of the training, expected both; give the whole tape")


def check_emission(emission: np.ndarray) -> None:
    """Some province emits something.

    >>> check_emission(np.array([0.0, 0.5]))
    """
    if not (emission > 0).any():
        raise InputError("fit.fuels: all amounts are 0, so there is nothing to map; give the year's consumption")
