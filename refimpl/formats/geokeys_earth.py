"""The Earth in GeoTIFF keys: ellipsoid, datum and angles of a geographic system, or of a projected one's base.

Source: OGC GeoTIFF 1.1, annex B; EPSG codes of ellipsoids, datums and geographic systems.  Where no datum
is named it stays unknown: an ellipsoid alone does not tell which of the datums on it is meant.  The exception is the
ellipsoid of WGS 84, which no other datum uses.
"""

from __future__ import annotations

from collections.abc import Mapping

import refimpl.formats.geokey_directory as geokey
from refimpl.earth.crs import CRS, DATUMS, IAG_1975, KRASOVSKY_1940, WGS84_ELLIPSOID
from refimpl.earth.epsg import GEOGRAPHIC, epsg_of_crs
from refimpl.errors import InputError
from refimpl.formats.geokey_directory import CONVERT, USER_DEFINED, number

GREENWICH, DEGREES, RADIANS_A_DEGREE = 8901, (9102, 9122), 0.0174532925199433
_ELLIPSOIDS = {
    1024: WGS84_ELLIPSOID,
    7004: (6377397.155, 299.1528128),
    7008: (6378206.4, 294.9786982),
    7019: (6378137.0, 298.257222101),
    7022: (6378388.0, 297.0),
    7024: KRASOVSKY_1940,
    7030: WGS84_ELLIPSOID,
    7035: (6371000.0, 0.0),
    7048: (6371007.0, 0.0),
    7049: IAG_1975,
}
"""By EPSG code.  4000 and the last two digits make the code of its geographic system of unknown datum, up to 7035."""
_DATUM_CODES = {6326: "WGS 84", 1043: "CGCS2000", 6214: "Beijing 1954", 6610: "Xian 1980"}
_NAMED_DATUMS = range(6100, 7000)
"""Codes of datums that have a name; 6001 to 6047 are unknown ones on known ellipsoids."""
_DATUM_WORDS = {
    "cgcs2000": "CGCS2000",
    "china2000": "CGCS2000",
    "chinageodeticcoordinatesystem2000": "CGCS2000",
    "beijing1954": "Beijing 1954",
    "xian1980": "Xian 1980",
}
"""What programs without EPSG codes write into the citation, here in lower case without blanks and underscores."""


def check_angles(keys: Mapping, where: str) -> None:
    """Refuse grads, and longitudes from Paris.

    >>> check_angles({2054: 9102}, "a.tif")
    """
    units, meridian = keys.get(geokey.ANGULAR_UNITS, DEGREES[0]), keys.get(geokey.PRIME_MERIDIAN, GREENWICH)
    size = number(keys, (geokey.ANGULAR_UNIT_SIZE,), 0.0, where)
    degrees = units in DEGREES or (units == USER_DEFINED and abs(size - RADIANS_A_DEGREE) < 1e-15)
    if not degrees or meridian not in (GREENWICH, USER_DEFINED):
        raise InputError(f"{where}: its angles are not degrees from Greenwich; {CONVERT}")
    if keys.get(geokey.PRIME_MERIDIAN_LONGITUDE, 0) != 0:
        raise InputError(f"{where}: its prime meridian is not Greenwich; {CONVERT}")


def earth_from_geokeys(keys: Mapping, where: str) -> dict:
    """``ellipsoid`` and ``datum`` as CRS takes them; no datum where none is named.

    >>> earth_from_geokeys({2048: 4024}, "a.tif")
    {'ellipsoid': (6378245.0, 298.3)}
    """
    code = keys.get(geokey.GEOGRAPHIC_CODE, USER_DEFINED)
    if code in GEOGRAPHIC:
        return {"ellipsoid": DATUMS[GEOGRAPHIC[code]], "datum": GEOGRAPHIC[code]}
    if code in range(4001, 4036) and code + 3000 in _ELLIPSOIDS:
        return {"ellipsoid": _ELLIPSOIDS[code + 3000]}
    if code != USER_DEFINED:
        raise InputError(f"{where}: its geographic system is EPSG:{code}, expected EPSG:4326 or EPSG:4490; {CONVERT}")
    named = datum_of_words(str(keys.get(geokey.GEOGRAPHIC_CITATION, "")))
    datum = _DATUM_CODES.get(keys.get(geokey.DATUM), named)
    if geokey.SEMI_MAJOR in keys or keys.get(geokey.ELLIPSOID) not in _ELLIPSOIDS:
        ellipsoid = DATUMS[datum] if datum and geokey.SEMI_MAJOR not in keys else _axes(keys, where)
    else:
        ellipsoid = _ELLIPSOIDS[keys[geokey.ELLIPSOID]]
    return earth_of(ellipsoid, datum, keys.get(geokey.DATUM, USER_DEFINED))


def datum_of_words(words: str) -> str:
    """The datum that a citation names; empty where it names none of ours.

    >>> datum_of_words("GCS_Beijing_1954")
    'Beijing 1954'
    """
    words = words.lower().replace("_", "").replace(" ", "")
    return next((datum for word, datum in _DATUM_WORDS.items() if word in words), "")


def earth_of(ellipsoid: tuple[float, float], datum: str, code: int = USER_DEFINED) -> dict:
    """``ellipsoid`` and ``datum`` as CRS takes them, from a datum's name here or else its EPSG ``code``, if any.

    >>> earth_of((6378245.0, 298.3), "", 6284)
    {'ellipsoid': (6378245.0, 298.3), 'datum': 'EPSG:6284'}
    """
    datum = _DATUM_CODES.get(code, datum)
    # CGCS2000's own flattening differs from WGS 84's, which stands for it, in the ninth digit.
    if datum and abs(ellipsoid[0] - DATUMS[datum][0]) < 1e-3 and abs(ellipsoid[1] - DATUMS[datum][1]) < 2e-6:
        return {"ellipsoid": DATUMS[datum], "datum": datum}
    return {"ellipsoid": ellipsoid, "datum": f"EPSG:{code}"} if code in _NAMED_DATUMS else {"ellipsoid": ellipsoid}


def _axes(keys: Mapping, where: str) -> tuple[float, float]:
    """The ellipsoid by its axes or flattening, or the known one from which it differs only by rounding."""
    a, b = (number(keys, (name,), 0.0, where) for name in (geokey.SEMI_MAJOR, geokey.SEMI_MINOR))
    inverse = number(keys, (geokey.INVERSE_FLATTENING,), -1.0, where)
    if inverse < 0 and a > 0 and b > 0:
        inverse = 0.0 if a == b else a / (a - b)
    if not (a > 0 and (inverse == 0 or inverse > 10)):
        raise InputError(f"{where}: its ellipsoid is not given as axis and flattening; {CONVERT}")
    return known_ellipsoid(a, inverse)


def known_ellipsoid(a: float, inverse: float) -> tuple[float, float]:
    """(semi-major axis, inverse flattening), or those of a known ellipsoid from which they differ only by rounding.

    >>> known_ellipsoid(6378137.0, 298.2572236)
    (6378137.0, 298.257223563)
    """
    for known in _ELLIPSOIDS.values():
        # Half of what WGS 84 and GRS 1980 differ by; 0.03 mm of the shorter axis.
        if known[1] and inverse and abs(a - known[0]) < 1e-6 and abs(inverse - known[1]) < 7e-7:
            return known
    return a, inverse


def geokeys_of_earth(crs: CRS) -> dict:
    """The keys of the ellipsoid and datum of ``crs``; by EPSG code if there is one.

    >>> geokeys_of_earth(CRS("sinusoidal", datum="CGCS2000"))
    {2048: 4490, 2054: 9102}
    """
    earth = CRS("geographic", crs.ellipsoid, datum=crs.datum)
    code = epsg_of_crs(earth)
    keys = {geokey.GEOGRAPHIC_CODE: code or USER_DEFINED, geokey.ANGULAR_UNITS: DEGREES[0]}
    if code is None or crs.kind == "geographic":
        keys[geokey.GEOGRAPHIC_CITATION] = earth.describe()
    if code is None:
        a, inverse = crs.ellipsoid
        datum = int(crs.datum[5:]) if crs.datum.startswith("EPSG:") else USER_DEFINED
        keys |= {geokey.DATUM: datum, geokey.ELLIPSOID: USER_DEFINED, geokey.SEMI_MAJOR: a}
        keys |= {geokey.INVERSE_FLATTENING: inverse} if inverse else {geokey.SEMI_MINOR: a}
    return keys
