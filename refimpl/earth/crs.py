"""Coordinate reference systems: a projection with its parameters, an ellipsoid and a datum.

Section "Raster data": the drivers are brought to one "uniform coordinate system".  The formulas are in
refimpl/earth/projection.py, the EPSG codes in refimpl/earth/epsg.py, the GeoTIFF keys in refimpl/formats/geokeys.py.

A datum says where the ellipsoid lies.  Points are never shifted between datums:

- WGS 84 and CGCS2000 are taken as one datum, with coordinates unchanged.  Both follow the ITRS.  EPSG's transformation
  between them changes nothing and is accurate to 1 m.  Their ellipsoids differ by 0.1 mm at the pole; WGS 84's is used
  for both.
- A sphere fits any datum: MODIS treats geodetic latitudes as if they were spherical.
- Between all other datums ``transform_points`` raises an error.  The user can allow such a source to be taken
  ``on_any_datum`` (refimpl/earth/datum.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

KINDS = ("geographic", "albers", "sinusoidal", "web_mercator", "transverse_mercator")
_NAMES = ("geographic", "Albers equal-area", "sinusoidal", "Web Mercator", "transverse Mercator")
WGS84_ELLIPSOID = (6378137.0, 298.257223563)
KRASOVSKY_1940, IAG_1975 = (6378245.0, 298.3), (6378140.0, 298.257)
DATUMS = {
    "WGS 84": WGS84_ELLIPSOID,
    "CGCS2000": WGS84_ELLIPSOID,
    "Beijing 1954": KRASOVSKY_1940,
    "Xian 1980": IAG_1975,
}
"""Datums known by name, and their ellipsoids."""
_UNKNOWN, _ANY = "", "any"


@dataclass(frozen=True)
class CRS:
    """A reference system of one of the KINDS; angles in degrees, lengths in metres.

    ``ellipsoid`` is (semi-major axis, inverse flattening); an inverse flattening of 0 means a sphere.  ``parallels``
    belong to Albers, ``latitude_of_origin`` to Albers and transverse Mercator, ``scale`` (on the central meridian) to
    transverse Mercator.  ``datum`` is a name in DATUMS, "EPSG:" with the code of another datum, "any", or "" for
    unknown.  Its default is "WGS 84" on the ellipsoid of WGS 84, "any" on a sphere, and unknown on other ellipsoids.
    Two CRS are equal if a point has the same coordinates in both; WGS 84 and CGCS2000 compare as equal.

    Raises
    ------
    ValueError
        An unknown kind or datum, or parameters that define no map.

    >>> CRS("albers", parallels=(25, 47), central_meridian=105).describe()
    'Albers equal-area, parallels 25 and 47, meridian 105, WGS 84'
    >>> CRS("geographic", datum="CGCS2000") == CRS("geographic"), CRS("geographic", KRASOVSKY_1940) == CRS("geographic")
    (True, False)
    """

    kind: str
    ellipsoid: tuple[float, float] = WGS84_ELLIPSOID
    parallels: tuple[float, float] = (0.0, 0.0)
    latitude_of_origin: float = 0.0
    central_meridian: float = 0.0
    false_easting: float = 0.0
    false_northing: float = 0.0
    scale: float = 1.0
    datum: str = field(default=_UNKNOWN, compare=False)
    frame: str = field(init=False, repr=False)
    """The datum that equality compares: "WGS 84" also for CGCS2000."""

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"kind of CRS is {self.kind!r}, expected one of {', '.join(KINDS)}")
        for name in ("ellipsoid", "parallels"):
            first, second = getattr(self, name)
            object.__setattr__(self, name, (float(first), float(second)))
        for name in ("latitude_of_origin", "central_meridian", "false_easting", "false_northing", "scale"):
            object.__setattr__(self, name, float(getattr(self, name)))
        a, inverse_flattening = self.ellipsoid
        if not (np.isfinite(a) and a > 0 and (inverse_flattening == 0 or inverse_flattening > 10)):
            raise ValueError(f"ellipsoid {self.ellipsoid}, expected metres and an inverse flattening: above 10, or 0")
        self._check_parameters()
        self._settle_datum()

    def _check_parameters(self) -> None:
        south, north = self.parallels
        if not (abs(south) <= 90 and abs(north) <= 90 and abs(self.latitude_of_origin) <= 90):
            raise ValueError(f"parallels {self.parallels}, origin {self.latitude_of_origin}: expected within 90")
        if self.kind == "albers" and abs(south + north) < 1e-9:
            raise ValueError(f"Albers parallels {self.parallels} mirror each other at the equator: there is no cone")
        if self.kind != "albers" and self.parallels != (0.0, 0.0):
            raise ValueError(f"parallels belong to Albers, not to a {self.kind} CRS")
        if self.kind not in ("albers", "transverse_mercator") and self.latitude_of_origin != 0:
            raise ValueError(f"a latitude of origin belongs to no {self.kind} CRS")
        if not 0.1 < self.scale < 10 or (self.kind != "transverse_mercator" and self.scale != 1):
            raise ValueError(f"scale {self.scale}, expected about 1, and only in transverse Mercator")
        origin = self.central_meridian, self.false_easting, self.false_northing
        if not np.all(np.isfinite(origin)):
            raise ValueError("central meridian and false origin must be finite")
        elliptic = self.kind == "web_mercator" and self.ellipsoid[1] != 0
        if elliptic and (self.ellipsoid != WGS84_ELLIPSOID or any(origin)):
            raise ValueError("Web Mercator is on WGS 84's ellipsoid, meridian 0 and no false origin, or on a sphere")

    def _settle_datum(self) -> None:
        datum = self.datum
        if not datum:
            datum = "WGS 84" if self.ellipsoid == WGS84_ELLIPSOID else _UNKNOWN if self.ellipsoid[1] else _ANY
        coded = datum.startswith("EPSG:") and datum[5:].isdecimal()
        if not coded and datum not in (_ANY, _UNKNOWN) and DATUMS.get(datum) != self.ellipsoid:
            raise ValueError(f"datum {datum!r} on ellipsoid {self.ellipsoid}, expected one of {DATUMS}")
        object.__setattr__(self, "datum", datum)
        object.__setattr__(self, "frame", "WGS 84" if datum == "CGCS2000" else datum)

    @property
    def a(self) -> float:
        """Semi-major axis, metres."""
        return self.ellipsoid[0]

    @property
    def f(self) -> float:
        """Flattening."""
        return 1 / self.ellipsoid[1] if self.ellipsoid[1] else 0.0

    @property
    def e2(self) -> float:
        """Squared eccentricity, f (2 - f)."""
        return self.f * (2 - self.f)

    def on_any_datum(self) -> CRS:
        """The same map with its datum ignored: points pass to and from any other CRS unshifted, without an error.

        >>> CRS("geographic", KRASOVSKY_1940).on_any_datum().describe()
        'geographic, ellipsoid of 6378245 m, any datum'
        """
        return replace(self, datum=_ANY)

    def describe(self) -> str:
        """A short name for messages."""
        body = self.datum if self.datum in DATUMS else f"{'ellipsoid' if self.f else 'sphere'} of {self.a:.10g} m"
        if self.datum not in DATUMS and self.f and self.datum:
            body += f", {self.datum} datum"
        words = [_NAMES[KINDS.index(self.kind)]]
        if self.kind == "albers":
            words.append(f"parallels {self.parallels[0]:.10g} and {self.parallels[1]:.10g}")
        if self.kind not in ("geographic", "web_mercator") or self.central_meridian:
            words.append(f"meridian {self.central_meridian:.10g}")
        if self.scale != 1:
            words.append(f"scale {self.scale:.10g}")
        if self.latitude_of_origin:
            words.append(f"origin {self.latitude_of_origin:.10g}")
        if self.false_easting or self.false_northing:
            words.append(f"false origin {self.false_easting:.10g}, {self.false_northing:.10g}")
        return ", ".join([*words, body])


def datum_change(source: CRS, target: CRS) -> str:
    """The sentence that tells how the datums of ``source`` and ``target`` differ; "" if points may pass unshifted.

    >>> datum_change(CRS("geographic", KRASOVSKY_1940, datum="Beijing 1954"), CRS("albers", parallels=(25, 47)))
    'their datums differ, Beijing 1954 and WGS 84, which may misplace points by some 100 m'
    >>> datum_change(CRS("geographic", datum="CGCS2000"), CRS("sinusoidal", (6371007.181, 0)))
    ''
    """
    same = source.frame == target.frame and (source.frame or source.ellipsoid == target.ellipsoid)
    if same or _ANY in (source.frame, target.frame):
        return ""
    names = [
        crs.datum or f"an unknown one on the ellipsoid of {crs.a:.10g} m and 1/{crs.ellipsoid[1]:.10g}"
        for crs in (source, target)
    ]
    return f"their datums differ, {names[0]} and {names[1]}, which may misplace points by some 100 m"
