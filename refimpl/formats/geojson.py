"""Zones from GeoJSON (RFC 7946): polygons, the zone of each from a property, the CRS.

Section "Raster data".  A FeatureCollection or one Feature, of Polygons and MultiPolygons with holes, also inside
GeometryCollections.  Features with the same code are one zone.  Features without a geometry are skipped; so are points
and lines, which have no area, with a warning.  Coordinates are longitude and latitude on WGS 84.  The "crs" member of
the format's first version (GDAL and QGIS still write it) is understood for the EPSG codes of refimpl/earth/epsg.py.  A
polygon that crosses the 180th meridian is cut there, as RFC 7946 asks, or goes on beyond it (181, 182 ...).
Nothing is guessed: a code that is no whole number, an unknown CRS and a broken ring are refused.
"""

from __future__ import annotations

import json
import os
import re
import warnings
from pathlib import Path

import numpy as np

from refimpl.earth.datum import on_our_datum
from refimpl.earth.epsg import crs_of_epsg
from refimpl.earth.polygons import Polygons
from refimpl.earth.projection import CRS, WGS84
from refimpl.earth.zone_labels import checked_rule
from refimpl.errors import DataWarning, InputError, did_you_mean
from refimpl.formats.files import existing_file
from refimpl.formats.geojson_rings import check_on_earth, rings_of
from refimpl.formats.preflight import most_bytes_allowed

MOST_CODE = 10**6
MOST_TEXT = 2**28
"""Bytes of a file that are read unless the caller allows more; in memory it takes some ten times as many."""
_CRS_NAME = re.compile(
    r"(?:urn:(?:x-)?ogc:def:crs:|https?://www\.opengis\.net/def/crs/)?(EPSG|OGC)(?:[:/][\d.]*)?[:/](\w+)", re.IGNORECASE
)


def is_geojson(path: str | os.PathLike) -> bool:
    """Whether a file is JSON by its name or by its first character.

    >>> is_geojson("a.geojson"), is_geojson("a.tif")
    (True, False)
    """
    path = Path(path)
    if path.suffix.lower() in (".geojson", ".json"):
        return True
    try:
        with open(path, "rb") as handle:
            return handle.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"
    except OSError:
        return False


def read_polygons(
    path: str | os.PathLike,
    id_field: str = "code",
    rule: str = "centre",
    most_bytes: int | None = None,
    ignore_datum: bool | None = None,
) -> Polygons:
    """The zones of a GeoJSON file; ``id_field`` names the property that holds their codes, 1 to 10^6.

    A code is a whole number, also written as 11.0 or "11".  If no property is called "id", ``id_field="id"`` means the
    features' own.  ``rule`` is kept for ``zone_labels``.  ``most_bytes`` allows a larger file than usual (default:
    ``REFIMPL_MOST_BYTES``); ``ignore_datum`` is that of ``refimpl.earth.datum.on_our_datum``.

    Raises
    ------
    InputError
        The file is missing or is not such a GeoJSON; a feature has no code or a broken ring; the CRS is not known here.

    >>> import tempfile
    >>> path = tempfile.mkdtemp() + "/a.geojson"
    >>> ring = [[100, 30], [101, 30], [101, 31], [100, 30]]
    >>> feature = {"type": "Feature", "properties": {"code": 11}}
    >>> feature["geometry"] = {"type": "Polygon", "coordinates": [ring]}
    >>> _ = Path(path).write_text(json.dumps(feature))
    >>> polygons = read_polygons(path)
    >>> polygons.zones.tolist(), polygons.bounds
    ([11], (100.0, 30.0, 101.0, 31.0))
    """
    where = str(existing_file(path, "a GeoJSON file of zones"))
    rule, document = checked_rule(rule), _document(Path(path), most_bytes)
    crs = on_our_datum(_crs(document, where), ignore_datum, where)
    rings, shells, codes, places, others = [], [], [], [], set()
    for number, feature in enumerate(_features(document, where), 1):
        place = f"{where}: feature {number}"
        found, beside = rings_of(_member(feature, "geometry", place), place)
        if not found:
            others |= beside
            continue
        code = _code(feature, id_field, place)
        rings += [ring for ring, _ in found]
        shells += [shell for _, shell in found]
        codes += [code] * len(found)
        places += [f"{place} ({id_field} {code})"] * len(found)
    if not rings:
        raise InputError(f"{where}: holds no polygon; expected features with a Polygon or a MultiPolygon")
    if others:
        kinds = ", ".join(sorted(others))
        warnings.warn(f"{where}: features without a polygon ({kinds}) are skipped", DataWarning, stacklevel=2)
    check_on_earth(rings, places, crs.kind == "geographic")
    x, y = np.concatenate(rings).T
    starts = np.cumsum([0] + [len(ring) for ring in rings])
    flat = np.ascontiguousarray(x), np.ascontiguousarray(y)
    return Polygons(*flat, starts, np.array(shells), np.array(codes, np.int64), crs, rule, where)


def _document(path: Path, most_bytes: int | None) -> dict:
    size = path.stat().st_size
    if size > most_bytes_allowed(most_bytes, MOST_TEXT):
        raise InputError(
            f"{path}: has {size} bytes, more than is read at once; make it simpler with "
            "'ogr2ogr -simplify 0.001 OUT.geojson IN.geojson', or allow it with REFIMPL_MOST_BYTES"
        )
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as fault:
        raise InputError(f"{path}: cannot be read ({fault.strerror}); check the disk") from None
    except UnicodeDecodeError as fault:
        raise InputError(f"{path}: is no UTF-8 text (byte {fault.start}); save it as UTF-8") from None
    try:
        document = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except json.JSONDecodeError as fault:
        raise InputError(
            f"{path}: is no JSON: {fault.msg} at line {fault.lineno}, column {fault.colno}; is the file complete?"
        ) from None
    except RecursionError:
        raise InputError(f"{path}: is nested too deeply for GeoJSON; expected a FeatureCollection") from None
    except ValueError as fault:
        raise InputError(f"{path}: is no GeoJSON: {fault}; write it anew with 'ogr2ogr OUT.geojson IN'") from None
    if not isinstance(document, dict):
        raise InputError(f"{path}: is a JSON {type(document).__name__}; expected a FeatureCollection")
    return document


def _object(pairs: list[tuple]) -> dict:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice[:60]!a} stands twice in one object")
    return found


def _no_constant(word: str):
    raise ValueError(f"{word} is no number of JSON")


def _features(document: dict, where: str) -> list:
    kind = document.get("type")
    if kind == "Feature":
        return [document]
    if kind != "FeatureCollection":
        hint = "; convert it with 'ogr2ogr OUT.geojson IN.json'" if kind == "Topology" else ""
        raise InputError(f"{where}: its type is {_shown(kind)}, expected 'FeatureCollection' or 'Feature'{hint}")
    features = document.get("features")
    if not isinstance(features, list):
        raise InputError(f"{where}: has no list 'features'; expected a FeatureCollection with one")
    for number, feature in enumerate(features, 1):
        kind = feature.get("type") if isinstance(feature, dict) else feature
        if kind != "Feature":
            raise InputError(f"{where}: feature {number}: its type is {_shown(kind)}, expected 'Feature'")
    return features


def _member(feature: dict, name: str, place: str) -> dict:
    """An object of a feature; empty where it is null or missing."""
    found = feature.get(name)
    if found is not None and not isinstance(found, dict):
        raise InputError(f"{place}: its {name} is {_shown(found)}, expected an object or null")
    return found or {}


def _code(feature: dict, id_field: str, place: str) -> int:
    """The code of a feature."""
    columns = _member(feature, "properties", place)
    if id_field not in columns and id_field == "id" and "id" in feature:
        columns = feature
    if id_field not in columns:
        known = [ascii(name)[1:-1] for name in columns]
        near = did_you_mean(id_field, known) if known else ""
        listed = ", ".join(known[:12]) + (" ..." if len(known) > 12 else "")
        has = f"it has {listed}" if known else "it has none"
        near = near if near.startswith("; did") else "; name the column that holds the codes of the zones"
        raise InputError(f"{place}: has no column {id_field!r}, {has}{near}")
    value = columns[id_field]
    number = value
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,9}\s*", value, re.ASCII):
        number = int(value)
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if type(number) is not int or not 1 <= number <= MOST_CODE:
        raise InputError(
            f"{place}: its {id_field} is {_shown(value)}, expected a whole number from 1 to {MOST_CODE}, such as 11; "
            "correct it, or leave the feature out with 'ogr2ogr -where'"
        )
    return number


def _crs(document: dict, where: str) -> CRS:
    """WGS 84, unless the "crs" member of the format's first version names another."""
    member = document.get("crs")
    if member is None:
        return WGS84
    properties = member.get("properties") if isinstance(member, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    match = _CRS_NAME.fullmatch(name.strip()) if isinstance(name, str) else None
    authority, code = (match[1].upper(), match[2].upper()) if match else ("", "")
    crs = None
    if (authority, code) in (("OGC", "CRS84"), ("OGC", "CRS84H"), ("EPSG", "4979")):
        crs = WGS84
    elif authority == "EPSG" and code.isdecimal() and len(code) < 7:
        crs = crs_of_epsg(int(code))
    if crs is None:
        raise InputError(
            f"{where}: its coordinate system is {_shown(name if name is not None else member)}, which is not known "
            "here; convert it with 'ogr2ogr -t_srs EPSG:4326 -lco RFC7946=YES OUT.geojson IN.geojson'"
        )
    return crs


def _shown(value) -> str:
    """A JSON value in a sentence: short, on one line."""
    text = "missing" if value is None else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
