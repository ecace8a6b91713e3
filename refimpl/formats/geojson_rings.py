"""The rings of a GeoJSON geometry as arrays, each checked.

Section "Raster data"; RFC 7946, sections 3.1.6 to 3.1.8.  A ring is closed: its last position repeats the first.  An
open ring is closed without a warning, as by GDAL's rasteriser.  The first ring of a polygon is its shell, the others
are holes; their direction does not matter.  A third coordinate, the height, is ignored.
"""

from __future__ import annotations

from itertools import chain

import numpy as np

from refimpl.errors import InputError, did_you_mean

_WITHOUT_AREA = ("Point", "MultiPoint", "LineString", "MultiLineString")
_KINDS = ("Polygon", "MultiPolygon", "GeometryCollection", *_WITHOUT_AREA)
MOST_METRES = 1e8
"""The false easting of China's last zone is 4.55e7; half the Earth's circumference is 2e7."""
_CONVERT = "'ogr2ogr -t_srs EPSG:4326 -lco RFC7946=YES OUT.geojson IN'"


def rings_of(geometry: dict, place: str) -> tuple[list[tuple[np.ndarray, bool]], set[str]]:
    """(rings, kinds): every ring as (n, 2) float64, closed, and whether it is a shell; kinds of geometry without area.

    ``place`` begins the errors' sentences.

    Raises
    ------
    InputError
        The geometry is of an unknown kind, or a ring of it is broken.

    >>> square = [[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]
    >>> rings, _ = rings_of({"type": "MultiPolygon", "coordinates": [[square, square[::-1]]]}, "a.geojson")
    >>> [(len(ring), shell) for ring, shell in rings]
    [(5, True), (5, False)]
    """
    rings: list[tuple[np.ndarray, bool]] = []
    others, ahead = set(), [geometry] if geometry else []
    while ahead:
        part = ahead.pop()
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in _KINDS:
            near = did_you_mean(kind, _KINDS) if isinstance(kind, str) else "; expected a Polygon or a MultiPolygon"
            raise InputError(f"{place}: has a geometry of type {ascii(kind)[:60]}{near}")
        if kind in _WITHOUT_AREA:
            others.add(kind)
            continue
        name = "geometries" if kind == "GeometryCollection" else "coordinates"
        inside = _list(part.get(name), f"{place}: the {name} of a {kind}")
        if kind == "GeometryCollection":
            ahead.extend(reversed(inside))
            continue
        for polygon in [inside] if kind == "Polygon" else inside:
            for at, positions in enumerate(_list(polygon, f"{place}: a polygon")):
                rings.append((_ring(positions, f"{place}: ring {at + 1} of a polygon"), at == 0))
    return rings, others


def _list(value, what: str) -> list:
    if not isinstance(value, list):
        raise InputError(f"{what}: is {ascii(value)[:60]}, expected a list")
    return value


def _ring(positions, what: str) -> np.ndarray:
    """Positions as a closed (n, 2) float64 array."""
    if not isinstance(positions, list) or not set(map(type, positions)) <= {list}:
        raise InputError(f"{what}: is no list of positions; expected such as [[100, 30], [101, 30], [101, 31]]")
    numbers = set(map(type, chain.from_iterable(positions))) <= {int, float}
    if not numbers or not set(map(len, positions)) <= {2, 3}:
        good = (len(each) in (2, 3) and set(map(type, each)) <= {int, float} for each in positions)
        at = list(good).index(False)
        raise InputError(
            f"{what}: position {at + 1} is {ascii(positions[at])[:60]}, expected two or three numbers: longitude, "
            "latitude, height"
        )
    try:
        ring = np.array([each[:2] for each in positions], float).reshape(-1, 2)
    except OverflowError:  # a whole number of hundreds of digits
        ring = np.full((1, 2), np.inf)
    if not np.isfinite(ring).all():
        raise InputError(f"{what}: has a coordinate that is larger than any number here; expected degrees or metres")
    if len(ring) and (ring[0] != ring[-1]).any():
        ring = np.concatenate([ring, ring[:1]])
    if len(ring) < 4:
        raise InputError(f"{what}: has {len(ring)} positions, expected 4 or more, the last the same as the first")
    return ring


def check_on_earth(rings: list[np.ndarray], places: list[str], degrees: bool) -> None:
    """Refuse longitudes beyond 360 and latitudes beyond 90 degrees, or metres beyond MOST_METRES.

    ``places`` says for the error where each ring stands.

    >>> check_on_earth([np.array([[116.0, 40.0], [40.0, 116.0]])], ["a.geojson: feature 1"], True)
    Traceback (most recent call last):
    refimpl.errors.InputError: a.geojson: feature 1: the position 40, 116 lies beyond the Earth; expected longitude
    before latitude, in degrees
    """
    for ring, place in zip(rings, places):
        most = (360, 90 + 1e-9) if degrees else (MOST_METRES, MOST_METRES)
        beyond = (np.abs(ring) > most).any(1)
        if beyond.any():
            x, y = ring[int(np.argmax(beyond))]
            hint = "expected longitude before latitude, in degrees"
            if not degrees:
                hint = "expected metres; check the file's coordinate system"
            elif max(abs(x), abs(y)) > 360:
                hint = f"it looks projected, in metres: convert the file with {_CONVERT}"
            raise InputError(f"{place}: the position {x:.10g}, {y:.10g} lies beyond the Earth; {hint}")
        if degrees:
            np.clip(ring[:, 1], -90, 90, out=ring[:, 1])
