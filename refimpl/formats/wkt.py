"""Reference systems as well-known text: what a .prj, a .aux.xml or ArcGIS's citation in a GeoTIFF says.

Section "Raster data".  OGC's WKT 1, ESRI's dialect of it (D_WGS_1984, Mercator_Auxiliary_Sphere) and WKT 2 of 2015 and
2019.  Understood: geographic systems in degrees from Greenwich, and Albers, sinusoidal, transverse Mercator
(Gauss-Krueger) and Web Mercator in metres, x to the east and y to the north.  Heights are ignored.  A datum is known
by its name or EPSG code.  An unknown datum is not taken for WGS 84, and shifts (TOWGS84) are not applied.
Source: OGC 01-009; ISO 19162; names of ESRI's projection engine as PROJ lists them.
"""

from __future__ import annotations

import math
import re

from refimpl.earth.crs import CRS, WGS84_ELLIPSOID
from refimpl.earth.epsg import crs_of_epsg
from refimpl.errors import InputError
from refimpl.formats.geokey_directory import CONVERT, KNOWN
from refimpl.formats.geokeys_earth import datum_of_words, earth_of, known_ellipsoid
from refimpl.formats.wkt_tree import Node, parse_wkt, unreadable

_GEOGRAPHIC = ("GEOGCS", "GEOGCRS", "GEODCRS", "GEODETICCRS", "GEOGRAPHICCRS")
_PROJECTED = ("PROJCS", "PROJCRS", "PROJECTEDCRS")
_COMPOUND = ("COMPD_CS", "COMPOUNDCRS", "BOUNDCRS", "SOURCECRS")
_BASES = (*_GEOGRAPHIC, "BASEGEOGCRS", "BASEGEODCRS")
_UNITS = ("UNIT", "ANGLEUNIT", "LENGTHUNIT", "SCALEUNIT")
_KINDS = {
    "albers": "albers",
    "albersconicequalarea": "albers",
    "albersequalarea": "albers",
    "sinusoidal": "sinusoidal",
    "transversemercator": "transverse_mercator",
    "transversemercatorcomplex": "transverse_mercator",
    "gausskruger": "transverse_mercator",
    "popularvisualisationpseudomercator": "web_mercator",
    "mercatorauxiliarysphere": "web_mercator",
    "mercator": "mercator",
    "mercator1sp": "mercator",
    "mercator2sp": "mercator",
    "mercatorvarianta": "mercator",
    "mercatorvariantb": "mercator",
}
"""Kinds of CRS by the method's name; a plain Mercator is Web Mercator on a sphere, or where an extension says so."""
_PARAMETERS = {
    r"centralmeridian|longitudeof(cent(er|re)|origin|(natural|false)origin)": "central_meridian",
    r"latitudeof(cent(er|re)|origin|(natural|false)origin)": "latitude_of_origin",
    r"standardparallel1|latitudeof1ststandardparallel": "south",
    r"standardparallel2|latitudeof2ndstandardparallel": "north",
    r"scalefactor(atnaturalorigin)?": "scale",
    r"falseeasting|eastingatfalseorigin": "false_easting",
    r"falsenorthing|northingatfalseorigin": "false_northing",
}
_WGS84_NAMES = r"d?(wgs(19)?84|worldgeodeticsystem(of)?1984)((ensemble|transit|g\d+).*)?"
_NO_NAME = r"d?(unknown|notspecified|unspecified|undefined|unnamed|userdefined|custom).*|d?"
_DEGREE = math.pi / 180


def crs_from_wkt(text: str, where: str) -> CRS:
    """The CRS that a WKT (or "EPSG:" and a code) describes; ``where`` names the file in errors.

    Raises
    ------
    InputError
        The text is no WKT, or describes a system that is not understood (see the module's docstring).

    >>> crs_from_wkt('GEOGCS["GCS_Beijing_1954",DATUM["D_Beijing_1954",SPHEROID["Krasovsky_1940",6378245,298.3]],'
    ...     'PRIMEM["Greenwich",0],UNIT["Degree",0.0174532925199433]]', "a.prj").describe()
    'geographic, Beijing 1954'
    """
    code = re.fullmatch(r"\s*EPSG:(\d{1,9})\s*", text, re.ASCII | re.IGNORECASE)
    if code:
        crs = crs_of_epsg(int(code[1]))
        if crs is None:
            raise InputError(f"{where}: its system is EPSG:{code[1]}, {KNOWN}; {CONVERT}")
        return crs
    tree = parse_wkt(text, where)
    while tree.keyword in _COMPOUND:
        inside = tree.first(*_COMPOUND, *_GEOGRAPHIC, *_PROJECTED)
        if inside is None:
            break
        tree = inside
    try:
        if tree.keyword in _GEOGRAPHIC:
            return _agreeing(_geographic(tree, where), tree, where)
        if tree.keyword in _PROJECTED:
            return _agreeing(_projected(tree, where), tree, where)
    except ValueError as fault:
        raise InputError(f"{where}: its projection cannot be used ({fault}); {CONVERT}") from fault
    raise InputError(f"{where}: its system is a {tree.keyword}, {KNOWN}; {CONVERT}")


def _agreeing(crs: CRS, tree: Node, where: str) -> CRS:
    """``crs``, or the same system by its EPSG code, which may know the datum better.

    It is refused where the two contradict each other.
    """
    code = _code(tree)
    coded = crs_of_epsg(code)
    if coded is None:
        return crs
    same = coded == (CRS(**_fields(crs) | {"datum": coded.datum}) if coded.ellipsoid == crs.ellipsoid else crs)
    if not same or crs.datum not in ("", coded.datum):
        raise InputError(
            f"{where}: calls itself EPSG:{code}, but what it describes is another system ({crs.describe()}); name the "
            "right one with 'gdal_translate -a_srs EPSG:4326 IN.tif OUT.tif' (or the system that it is)"
        )
    return coded


def _fields(crs: CRS) -> dict:
    names = ("kind", "ellipsoid", "parallels", "latitude_of_origin", "central_meridian", "false_easting")
    return {name: getattr(crs, name) for name in (*names, "false_northing", "scale")}


def _code(node: Node) -> int:
    """The EPSG code of a node; 0 without one."""
    name = node.first("AUTHORITY", "ID")
    values = [str(value).partition(".")[0] for value in (() if name is None else name.values[:2])]
    known = len(values) == 2 and values[0].upper() == "EPSG" and values[1].isascii() and values[1].isdigit()
    return int(values[1][:9]) if known else 0


def _plain(name: str) -> str:
    """A name in the form that all dialects share: only its letters and digits, in lower case."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _geographic(tree: Node, where: str) -> CRS:
    axes = tree.first("CS")
    if tree.first("DERIVINGCONVERSION") or (axes is not None and _plain(axes.name) != "ellipsoidal"):
        raise InputError(f"{where}: its system is geocentric or on turned poles, {KNOWN}; {CONVERT}")
    _check_axes(tree, _DEGREE, where)
    return CRS("geographic", **_earth(tree, where))


def _earth(tree: Node, where: str) -> dict:
    """``ellipsoid`` and ``datum`` of a geographic system as CRS takes them."""
    datum = tree.first("DATUM", "ENSEMBLE", "GEODETICDATUM", "TRF")
    body = None if datum is None else datum.first("SPHEROID", "ELLIPSOID")
    if datum is None or body is None or len(body.numbers) < 2:
        raise unreadable(where, f"{tree.keyword} has no datum with an ellipsoid of an axis and a flattening")
    meridian = tree.first("PRIMEM", "PRIMEMERIDIAN")
    if meridian is not None and meridian.numbers[:1] != [0.0]:
        raise InputError(f"{where}: its prime meridian is not Greenwich; {CONVERT}")
    a, inverse = body.numbers[0] * _unit(body, 1.0), body.numbers[1]
    if not (math.isfinite(a) and a > 0 and (inverse == 0 or inverse > 10)):
        raise unreadable(where, f"an ellipsoid of {a:g} m and 1/{inverse:g}")
    name = _plain(datum.name)
    known = "WGS 84" if re.fullmatch(_WGS84_NAMES, name) else datum_of_words(name)
    earth = earth_of(known_ellipsoid(a, inverse), known, _code(datum) or 32767)
    if "datum" not in earth and earth["ellipsoid"] == WGS84_ELLIPSOID and not re.fullmatch(_NO_NAME, name):
        raise InputError(
            f"{where}: its datum {datum.name!r} is on the ellipsoid of WGS 84 but is not known here; {CONVERT}"
        )
    return earth


def _projected(tree: Node, where: str) -> CRS:
    base, conversion = tree.first(*_BASES), tree.first("CONVERSION")
    held = tree if conversion is None else conversion
    method = held.first("PROJECTION", "METHOD")
    if base is None or method is None:
        raise unreadable(where, f"{tree.keyword} has no geographic system or no projection")
    kind, earth = _KINDS.get(_plain(method.name)), _earth(base, where)
    if kind is None:
        raise InputError(f"{where}: its projection is {method.name!r}, {KNOWN}; {CONVERT}")
    _check_axes(tree, 1.0, where)
    if base.first("UNIT", "ANGLEUNIT") is not None:
        _check_unit(base.first("UNIT", "ANGLEUNIT"), _DEGREE, where)
    given = _parameters(held, where)
    if kind == "mercator":
        if earth["ellipsoid"][1] and not _is_web_mercator(tree):
            raise InputError(f"{where}: is a Mercator other than Web Mercator (EPSG:3857), {KNOWN}; {CONVERT}")
        kind = "web_mercator"
    south = given.pop("south", 0.0)
    north = given.pop("north", south)
    if kind == "albers":
        given["parallels"] = south, north
    elif (south, north) != (0.0, 0.0):
        raise InputError(f"{where}: its projection has parallels {south:g} and {north:g}, {KNOWN}; {CONVERT}")
    return CRS(kind, **earth, **given)


def _is_web_mercator(tree: Node) -> bool:
    """Whether a Mercator on an ellipsoid is Web Mercator by its code, or as GDAL says it in WKT 1."""
    extension = tree.first("EXTENSION")
    words = set() if extension is None else set(" ".join(str(value) for value in extension.values).split())
    return _code(tree) == 3857 or {"+proj=merc", "+a=6378137", "+b=6378137", "+nadgrids=@null"} <= words


def _parameters(held: Node, where: str) -> dict[str, float]:
    """The parameters by CRS's names, in degrees and metres; ``south`` and ``north`` are the parallels."""
    given: dict[str, float] = {}
    for parameter in held.all("PARAMETER"):
        plain, numbers = _plain(parameter.name), parameter.numbers
        name = next((ours for theirs, ours in _PARAMETERS.items() if re.fullmatch(theirs, plain)), None)
        if len(numbers) != 1 or not math.isfinite(numbers[0]) or name in given:
            raise unreadable(where, f"parameter {parameter.name!r} has values {parameter.numbers} or stands twice")
        angle = parameter.first("ANGLEUNIT")
        if angle is not None:
            _check_unit(angle, _DEGREE, where)
        value = numbers[0] * (_unit(parameter, 1.0) if angle is None else 1.0)
        if name is not None:
            given[name] = value
        elif value != 0:  # such as ESRI's turn of the plane, or an auxiliary sphere other than Web Mercator's
            raise InputError(f"{where}: its projection has {parameter.name!r} {value:g}, {KNOWN}; {CONVERT}")
    return given


def _unit(node: Node, default: float) -> float:
    """The size of a node's unit, in metres or radians."""
    unit = node.first(*_UNITS)
    return unit.numbers[0] if unit is not None and unit.numbers else default


def _check_axes(tree: Node, size: float, where: str) -> None:
    """Refuse units other than degrees or metres (``size``), and axes to the west or south."""
    for holder in (tree, *tree.all("AXIS")):
        unit = holder.first(*_UNITS)
        if unit is not None and (holder is tree or _plain(str(holder.values[1:2])) != "up"):
            _check_unit(unit, size, where)
    if any(str(value).lower() in ("west", "south") for axis in tree.all("AXIS") for value in axis.values[1:]):
        raise InputError(f"{where}: its axes go west or south, expected east and north; {CONVERT}")


def _check_unit(unit: Node, size: float, where: str) -> None:
    rounding = 1e-8 * size  # of the printed size of a degree
    if not unit.numbers or abs(unit.numbers[0] - size) > rounding:
        wanted = "metres" if size == 1 else "degrees"
        raise InputError(f"{where}: its unit is {unit.name!r} of {unit.numbers[:1]}, expected {wanted}; {CONVERT}")
