"""GeoTIFF keys to a CRS and back (OGC GeoTIFF 1.1, annex B).

Understood: the EPSG codes of refimpl/earth/epsg.py; geographic systems on any ellipsoid (geokeys_earth.py); and on
these, user-defined, Albers equal-area (method 11), sinusoidal (24), transverse Mercator (1) and Mercator on a sphere
(7), in metres.  Web Mercator is understood as GDAL writes it for ESRI, too.  Where the keys do not suffice, the WKT
that ArcGIS writes into a citation is read (refimpl/formats/wkt.py).  Anything else is refused, with the command that
converts it.
"""

from __future__ import annotations

from collections.abc import Mapping

import refimpl.formats.geokey_directory as geokey
from refimpl.earth.crs import CRS
from refimpl.earth.epsg import GEOGRAPHIC, crs_of_epsg, epsg_of_crs, utm
from refimpl.errors import InputError
from refimpl.formats.geokey_directory import CONVERT, KNOWN, RASTER_TYPE, USER_DEFINED, number, pack_geokeys
from refimpl.formats.geokeys_earth import check_angles, earth_from_geokeys, geokeys_of_earth
from refimpl.formats.wkt import crs_from_wkt

METRE = 9001
METHODS = {"transverse_mercator": 1, "web_mercator": 7, "albers": 11, "sinusoidal": 24}
_OTHERS = {
    3: "oblique Mercator", 8: "Lambert conformal conic", 9: "Lambert conformal conic",
    10: "Lambert azimuthal equal-area", 12: "azimuthal equidistant", 13: "equidistant conic", 14: "stereographic",
    15: "polar stereographic", 16: "oblique stereographic", 17: "equirectangular", 22: "polyconic", 23: "Robinson",
    28: "cylindrical equal-area",
}  # fmt: skip
"""Names of methods that are refused, for the error."""
_ENGINE = "ESRI PE String ="


def crs_from_geokeys(keys: Mapping, where: str) -> CRS:
    """The CRS that ``keys`` describe; ``where`` names the file in errors.

    Raises
    ------
    InputError
        No CRS, or one that is not understood (see the module's docstring).

    >>> crs_from_geokeys({1024: 2, 2048: 4490}, "a.tif").describe()
    'geographic, CGCS2000'
    """
    try:
        return _crs_of_keys(keys, where)
    except InputError:
        places = geokey.PROJECTED_CITATION, geokey.CITATION, geokey.GEOGRAPHIC_CITATION
        citations = (str(keys.get(place, "")) for place in places)
        text = next((words.partition(_ENGINE)[2] for words in citations if _ENGINE in words), "")
        if not text:
            raise
    return crs_from_wkt(text, where)


def _crs_of_keys(keys: Mapping, where: str) -> CRS:
    """The CRS by the keys alone."""
    coded = 1 if geokey.PROJECTED_CODE in keys else 2 if geokey.GEOGRAPHIC_CODE in keys else None
    model = keys.get(geokey.MODEL_TYPE, coded)
    if model == USER_DEFINED and _is_web_mercator(keys):
        model = 1
    if model not in (1, 2):
        raise InputError(
            f"{where}: has no coordinate reference system that can be read, {KNOWN}; "
            "name it with 'gdal_translate -a_srs EPSG:4326 IN.tif OUT.tif'"
        )
    check_angles(keys, where)
    try:
        return CRS("geographic", **earth_from_geokeys(keys, where)) if model == 2 else _projected(keys, where)
    except ValueError as fault:
        raise InputError(f"{where}: its projection cannot be used ({fault}); {CONVERT}") from fault


def _is_web_mercator(keys: Mapping) -> bool:
    words = f"{keys.get(geokey.PROJECTED_CITATION, '')} {keys.get(geokey.CITATION, '')}".lower()
    said = "mercator_auxiliary_sphere" in words or "pseudo-mercator" in words
    return said and keys.get(geokey.METHOD) == METHODS["web_mercator"]


def _projected(keys: Mapping, where: str) -> CRS:
    code, method = keys.get(geokey.PROJECTED_CODE, USER_DEFINED), keys.get(geokey.METHOD)
    known = None if code in GEOGRAPHIC else crs_of_epsg(code)
    zone = keys.get(geokey.PROJECTION, USER_DEFINED) - 16000
    is_utm = zone in range(1, 61) or zone in range(101, 161)
    if known is None and (code != USER_DEFINED or not (is_utm or method in METHODS.values())):
        called = f" ({_OTHERS[method]})" if method in _OTHERS else ""
        named = f"EPSG:{code}" if code != USER_DEFINED else f"a projection of GeoTIFF method {method}{called}"
        raise InputError(f"{where}: its system is {named}, {KNOWN}; {CONVERT}")
    unit = keys.get(geokey.LINEAR_UNITS, METRE)
    if unit != METRE and keys.get(geokey.LINEAR_UNIT_SIZE) != 1:
        raise InputError(f"{where}: its coordinates are not in metres (unit {unit}); {CONVERT}")
    if known is not None:
        return known
    earth = earth_from_geokeys(keys, where)
    if is_utm:
        plain = utm(zone % 100, zone > 100)
        names = ("kind", "central_meridian", "false_easting", "false_northing", "scale")
        return CRS(**earth, **{name: getattr(plain, name) for name in names})
    kind = next(kind for kind, its_method in METHODS.items() if its_method == method)
    return CRS(kind, **earth, **_parameters(keys, kind, earth, where))


def _parameters(keys: Mapping, kind: str, earth: Mapping, where: str) -> dict:
    """What the projection is given besides the Earth."""

    def first(names, default=0.0):
        return number(keys, names, default, where)

    given = {
        "central_meridian": first(geokey.ORIGIN_LONGITUDE),
        "false_easting": first(geokey.FALSE_EASTING),
        "false_northing": first(geokey.FALSE_NORTHING),
    }
    south, latitude, scale = first((geokey.PARALLEL_1,)), first(geokey.ORIGIN_LATITUDE), first((geokey.SCALE,), 1.0)
    if kind == "albers":
        given |= {"parallels": (south, first((geokey.PARALLEL_2,), south)), "latitude_of_origin": latitude}
    elif kind == "transverse_mercator":
        given |= {"latitude_of_origin": latitude, "scale": scale}
    elliptic = earth["ellipsoid"][1] != 0 and not _is_web_mercator(keys)
    if kind == "web_mercator" and (elliptic or south or latitude or scale != 1):
        raise InputError(f"{where}: its system is a Mercator other than Web Mercator (EPSG:3857), {KNOWN}; {CONVERT}")
    return given


def geokeys_from_crs(crs: CRS) -> tuple[tuple[int, ...], tuple[float, ...], str]:
    """Tags 34735, 34736 and 34737 of ``crs``, pixel-is-area, as GDAL writes and reads them; by EPSG code if it has one.

    >>> geokeys_from_crs(CRS("geographic"))[2]
    'geographic, WGS 84|'
    """
    code, projected = epsg_of_crs(crs), crs.kind != "geographic"
    keys: dict[int, int | float | str] = {geokey.MODEL_TYPE: 1 if projected else 2, RASTER_TYPE: 1}
    if projected:
        keys |= {geokey.CITATION: crs.describe(), geokey.LINEAR_UNITS: METRE}
        keys[geokey.PROJECTED_CODE] = USER_DEFINED if code is None else code
    if not (projected and code):
        keys |= geokeys_of_earth(crs)
    if projected and not code:
        keys |= _parameter_keys(crs)
    return pack_geokeys(keys)


def _parameter_keys(crs: CRS) -> dict:
    keys = {
        geokey.PROJECTION: USER_DEFINED,
        geokey.METHOD: METHODS[crs.kind],
        geokey.FALSE_EASTING[0]: crs.false_easting,
        geokey.FALSE_NORTHING[0]: crs.false_northing,
        geokey.ORIGIN_LONGITUDE[2 if crs.kind == "sinusoidal" else 0]: crs.central_meridian,
    }
    if crs.kind != "sinusoidal":
        keys[geokey.ORIGIN_LATITUDE[0]] = crs.latitude_of_origin
    if crs.kind == "albers":
        keys |= {geokey.PARALLEL_1: crs.parallels[0], geokey.PARALLEL_2: crs.parallels[1]}
    elif crs.kind != "sinusoidal":
        keys[geokey.SCALE] = crs.scale
    return keys
