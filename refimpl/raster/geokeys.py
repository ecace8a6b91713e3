"""GeoTIFF keys to a CRS and back (OGC GeoTIFF 1.1, chapters 7 and annex B).

Understood: geographic WGS 84 (EPSG:4326), CGCS2000 (EPSG:4490; its ellipsoid differs by 0.1 mm at the pole, so that it
is taken as WGS 84), or a user-defined ellipsoid; and the user-defined projections Albers equal-area (method 11) and
sinusoidal (method 24) in metres on one of these.  Everything else is refused with the command that converts it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from refimpl.errors import InputError
from refimpl.raster.projection import CRS, WGS84_ELLIPSOID

MODEL_TYPE, RASTER_TYPE, CITATION = 1024, 1025, 1026
GEOGRAPHIC_CODE, GEOGRAPHIC_CITATION, DATUM, ANGULAR_UNITS, ELLIPSOID = 2048, 2049, 2050, 2054, 2056
SEMI_MAJOR, SEMI_MINOR, INVERSE_FLATTENING, PRIME_MERIDIAN, PRIME_MERIDIAN_LONGITUDE = 2057, 2058, 2059, 2051, 2061
PROJECTED_CODE, PROJECTION, METHOD, LINEAR_UNITS, LINEAR_UNIT_SIZE = 3072, 3074, 3075, 3076, 3077
PARALLEL_1, PARALLEL_2 = 3078, 3079
# A longitude, latitude or false origin is stored under "natural", "false" or "centre" of the map, as the writer likes.
ORIGIN_LONGITUDE, ORIGIN_LATITUDE = (3080, 3084, 3088), (3081, 3085, 3089)
FALSE_EASTING, FALSE_NORTHING = (3082, 3086, 3090), (3083, 3087, 3091)

USER_DEFINED, DEGREE, METRE, GREENWICH, ALBERS, SINUSOIDAL = 32767, 9102, 9001, 8901, 11, 24
_ELLIPSOIDS = {7030: WGS84_ELLIPSOID, 7019: (6378137.0, 298.257222101), 1024: WGS84_ELLIPSOID, 7048: (6371007.0, 0.0)}
_CONVERT = "convert it with 'gdalwarp -t_srs EPSG:4326 -r average IN.tif OUT.tif' (classes: -r near)"


def parse_geokeys(directory, doubles, text: str, where: str) -> dict[int, int | float | str]:
    """The key directory (tag 34735) as a dictionary; ``doubles`` and ``text`` are tags 34736 and 34737.

    Raises
    ------
    InputError
        The directory is cut short or points beyond the other two tags.
    """
    directory = [int(number) for number in np.atleast_1d(directory)]
    doubles, keys = np.atleast_1d(np.asarray(doubles, float)), {}
    if len(directory) < 4 or len(directory) < 4 + 4 * directory[3]:
        raise InputError(f"{where}: its GeoKey directory is cut short; rewrite it with 'gdal_translate IN.tif OUT.tif'")
    for key, tag, count, value in np.reshape(directory[4 : 4 + 4 * directory[3]], (-1, 4)).tolist():
        if tag == 34736:
            if value >= len(doubles):
                raise InputError(f"{where}: GeoKey {key} points beyond its numbers; rewrite it with 'gdal_translate'")
            keys[key] = float(doubles[value])
        elif tag == 34737:
            keys[key] = text[value : value + count].rstrip("|\0 ")
        else:
            keys[key] = value
    return keys


def crs_from_geokeys(keys: Mapping, where: str) -> CRS:
    """The CRS that ``keys`` describe; ``where`` names the file in errors.

    Raises
    ------
    InputError
        No CRS, or one that is not understood (see the module's docstring).

    >>> crs_from_geokeys({1024: 2, 2048: 4490}, "a.tif").describe()
    'geographic, WGS 84'
    """
    model = keys.get(MODEL_TYPE, 1 if PROJECTED_CODE in keys else 2 if GEOGRAPHIC_CODE in keys else None)
    if model not in (1, 2):
        raise InputError(
            f"{where}: has no coordinate reference system that can be read, expected geographic, Albers or sinusoidal; "
            "name it with 'gdal_translate -a_srs EPSG:4326 IN.tif OUT.tif'"
        )
    meridian = keys.get(PRIME_MERIDIAN, GREENWICH)
    if keys.get(ANGULAR_UNITS, DEGREE) != DEGREE or meridian not in (GREENWICH, USER_DEFINED):
        raise InputError(f"{where}: its angles are not degrees from Greenwich; {_CONVERT}")
    if keys.get(PRIME_MERIDIAN_LONGITUDE, 0) != 0:
        raise InputError(f"{where}: its prime meridian is not Greenwich; {_CONVERT}")
    if model == 2:
        return CRS("geographic", ellipsoid=_ellipsoid(keys, where))
    return _projected(keys, where)


def _ellipsoid(keys: Mapping, where: str) -> tuple[float, float]:
    code = keys.get(GEOGRAPHIC_CODE, USER_DEFINED)
    if code in (4326, 4490):
        return WGS84_ELLIPSOID
    if code != USER_DEFINED:
        raise InputError(f"{where}: its geographic system is EPSG:{code}, expected EPSG:4326 or EPSG:4490; {_CONVERT}")
    a, b, inverse = keys.get(SEMI_MAJOR), keys.get(SEMI_MINOR), keys.get(INVERSE_FLATTENING)
    if a is None and keys.get(ELLIPSOID) in _ELLIPSOIDS:
        return _ELLIPSOIDS[keys[ELLIPSOID]]
    if inverse is None and a and b:
        inverse = 0.0 if a == b else a / (a - b)
    if not a or inverse is None or not (a > 0 and (inverse == 0 or inverse > 10)):
        raise InputError(f"{where}: its ellipsoid is not given as axis and flattening; {_CONVERT}")
    return (float(a), float(inverse))


def _projected(keys: Mapping, where: str) -> CRS:
    code, method = keys.get(PROJECTED_CODE, USER_DEFINED), keys.get(METHOD)
    if code != USER_DEFINED or method not in (ALBERS, SINUSOIDAL):
        named = f"EPSG:{code}" if code != USER_DEFINED else f"a projection of GeoTIFF method {method}"
        raise InputError(f"{where}: its system is {named}, expected geographic, Albers or sinusoidal; {_CONVERT}")
    if keys.get(LINEAR_UNITS, METRE) != METRE and keys.get(LINEAR_UNIT_SIZE) != 1:
        raise InputError(f"{where}: its coordinates are not in metres (unit {keys[LINEAR_UNITS]}); {_CONVERT}")

    def first(names, default=0.0):
        return float(next((keys[name] for name in names if name in keys), default))

    albers = method == ALBERS
    south = first((PARALLEL_1,))
    try:
        return CRS(
            "albers" if albers else "sinusoidal",
            _ellipsoid(keys, where),
            parallels=(south, first((PARALLEL_2,), south)) if albers else (0.0, 0.0),
            latitude_of_origin=first(ORIGIN_LATITUDE) if albers else 0.0,
            central_meridian=first(ORIGIN_LONGITUDE),
            false_easting=first(FALSE_EASTING),
            false_northing=first(FALSE_NORTHING),
        )
    except ValueError as fault:
        raise InputError(f"{where}: its projection cannot be used ({fault}); {_CONVERT}") from fault


def geokeys_from_crs(crs: CRS) -> tuple[tuple[int, ...], tuple[float, ...], str]:
    """Tags 34735, 34736 and 34737 of ``crs``, pixel-is-area, as GDAL writes and reads them.

    >>> from refimpl.raster.projection import WGS84
    >>> geokeys_from_crs(WGS84)[2]
    'geographic, WGS 84|'
    """
    projected = crs.kind != "geographic"
    keys: dict[int, int | float | str] = {MODEL_TYPE: 1 if projected else 2, RASTER_TYPE: 1}
    if projected:
        keys[CITATION] = crs.describe()
    if crs.ellipsoid == WGS84_ELLIPSOID:
        keys |= {GEOGRAPHIC_CODE: 4326, ANGULAR_UNITS: DEGREE}
        keys |= {} if projected else {GEOGRAPHIC_CITATION: crs.describe()}
    else:
        a, inverse = crs.ellipsoid
        keys |= {GEOGRAPHIC_CODE: USER_DEFINED, GEOGRAPHIC_CITATION: CRS("geographic", crs.ellipsoid).describe()}
        keys |= {DATUM: USER_DEFINED, ANGULAR_UNITS: DEGREE, ELLIPSOID: USER_DEFINED, SEMI_MAJOR: a}
        keys |= {INVERSE_FLATTENING: inverse} if inverse else {SEMI_MINOR: a}
    if projected:
        keys |= {PROJECTED_CODE: USER_DEFINED, PROJECTION: USER_DEFINED, LINEAR_UNITS: METRE}
        keys |= {FALSE_EASTING[0]: crs.false_easting, FALSE_NORTHING[0]: crs.false_northing}
    if crs.kind == "albers":
        keys |= {METHOD: ALBERS, PARALLEL_1: crs.parallels[0], PARALLEL_2: crs.parallels[1]}
        keys |= {ORIGIN_LONGITUDE[0]: crs.central_meridian, ORIGIN_LATITUDE[0]: crs.latitude_of_origin}
    elif projected:
        keys |= {METHOD: SINUSOIDAL, ORIGIN_LONGITUDE[2]: crs.central_meridian}
    return _packed(keys)


def _packed(keys: Mapping) -> tuple[tuple[int, ...], tuple[float, ...], str]:
    directory, doubles, text = [1, 1, 0, len(keys)], [], ""
    for key in sorted(keys):
        value = keys[key]
        if isinstance(value, str):
            directory += [key, 34737, len(value) + 1, len(text)]
            text += value + "|"
        elif isinstance(value, float):
            directory += [key, 34736, 1, len(doubles)]
            doubles.append(value)
        else:
            directory += [key, 0, 1, value]
    return tuple(directory), tuple(doubles), text
