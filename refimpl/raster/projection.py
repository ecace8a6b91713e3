"""Coordinate reference systems: geographic, Albers equal-area and sinusoidal, between degrees and metres.

Section "Raster data": the drivers are brought to one "uniform coordinate system", which the paper does not name;
D04 takes Albers equal-area, China's usual one.  Formulas: Snyder 1987, "Map projections: a working manual" (USGS
PP 1395), ellipsoidal Albers (eqs. 14-1 to 14-21) and sinusoidal (30-1 to 30-11); a sphere is the case e = 0.

All functions take float64 arrays that broadcast against each other and keep them unexpanded as long as they can: a
column of latitudes and a row of longitudes cost one sine per row and column.  Degrees on the geographic side, metres
on the projected side; a point that the projection cannot show is nan.

Latitudes are never shifted between ellipsoids: CRS differ in their formulas only.  That is MODIS's convention for its
sphere (geodetic latitudes are used as if they were spherical), and what PROJ does where no datum is known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from refimpl.errors import InputError, did_you_mean
from refimpl.raster.ellipsoid import authalic_q, authalic_q_inverse, meridian_distance, meridian_latitude

KINDS = ("geographic", "albers", "sinusoidal")
WGS84_ELLIPSOID = (6378137.0, 298.257223563)


@dataclass(frozen=True)
class CRS:
    """One of the three reference systems; angles in degrees, lengths in metres.

    ``ellipsoid`` is (semi-major axis, inverse flattening), inverse flattening 0 for a sphere.  ``parallels`` and
    ``latitude_of_origin`` belong to Albers only; the sinusoidal projection has a ``central_meridian`` and false origin.

    Raises
    ------
    ValueError
        An unknown kind, or parameters of which no map can be made.

    >>> ALBERS_CHINA.describe()
    'Albers equal-area, parallels 25 and 47, meridian 105, WGS 84'
    """

    kind: str
    ellipsoid: tuple[float, float] = WGS84_ELLIPSOID
    parallels: tuple[float, float] = (0.0, 0.0)
    latitude_of_origin: float = 0.0
    central_meridian: float = 0.0
    false_easting: float = 0.0
    false_northing: float = 0.0

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"kind of CRS is {self.kind!r}, expected one of {', '.join(KINDS)}")
        for name in ("ellipsoid", "parallels"):
            first, second = getattr(self, name)
            object.__setattr__(self, name, (float(first), float(second)))
        for name in ("latitude_of_origin", "central_meridian", "false_easting", "false_northing"):
            object.__setattr__(self, name, float(getattr(self, name)))
        a, inverse_flattening = self.ellipsoid
        if not (np.isfinite(a) and a > 0 and (inverse_flattening == 0 or inverse_flattening > 10)):
            raise ValueError(f"ellipsoid {self.ellipsoid}, expected metres and an inverse flattening: above 10, or 0")
        south, north = self.parallels
        if not (abs(south) <= 90 and abs(north) <= 90 and abs(self.latitude_of_origin) <= 90):
            raise ValueError(f"parallels {self.parallels}, origin {self.latitude_of_origin}: expected within 90")
        if self.kind == "albers" and abs(south + north) < 1e-9:
            raise ValueError(f"Albers parallels {self.parallels} mirror each other at the equator: there is no cone")
        if self.kind != "albers" and (self.parallels != (0.0, 0.0) or self.latitude_of_origin != 0):
            raise ValueError(f"parallels and latitude of origin belong to Albers, not to a {self.kind} CRS")
        if not np.all(np.isfinite([self.central_meridian, self.false_easting, self.false_northing])):
            raise ValueError("central meridian and false origin must be finite")

    @property
    def a(self) -> float:
        """Semi-major axis, metres."""
        return self.ellipsoid[0]

    @property
    def e2(self) -> float:
        """Squared eccentricity, f (2 - f)."""
        f = 1 / self.ellipsoid[1] if self.ellipsoid[1] else 0.0
        return f * (2 - f)

    def describe(self) -> str:
        """A short name for people."""
        body = f"{'ellipsoid' if self.e2 else 'sphere'} of {self.a:.10g} m"
        body = "WGS 84" if self.ellipsoid == WGS84_ELLIPSOID else body
        if self.kind == "geographic":
            return f"geographic, {body}"
        words = [f"meridian {self.central_meridian:.10g}", body]
        if self.kind == "albers":
            words.insert(0, f"parallels {self.parallels[0]:.10g} and {self.parallels[1]:.10g}")
        if self.latitude_of_origin:
            words.insert(-1, f"origin {self.latitude_of_origin:.10g}")
        if self.false_easting or self.false_northing:
            words.insert(-1, f"false origin {self.false_easting:.10g}, {self.false_northing:.10g}")
        return ", ".join(["Albers equal-area" if self.kind == "albers" else "sinusoidal", *words])


WGS84 = CRS("geographic")
ALBERS_CHINA = CRS("albers", parallels=(25.0, 47.0), central_meridian=105.0)
"""D04."""
MODIS_SINUSOIDAL = CRS("sinusoidal", ellipsoid=(6371007.181, 0.0))

_NAMED = {"geographic": WGS84, "albers": ALBERS_CHINA, "sinusoidal": MODIS_SINUSOIDAL}


def named_crs(word: str) -> CRS:
    """The CRS behind a word of the configuration.

    Raises
    ------
    InputError
        The word is not geographic, albers or sinusoidal.

    >>> named_crs("geographic") is WGS84
    True
    """
    if word not in _NAMED:
        raise InputError(f"unknown projection {word!r}{did_you_mean(str(word), _NAMED)}")
    return _NAMED[word]


def wrapped(degrees):
    """Longitude differences within 180 degrees; those that already are stay as they are, +180 and -180 alike."""
    degrees = np.asarray(degrees, float)
    return np.where(np.abs(degrees) > 180, (degrees + 180) % 360 - 180, degrees)


def forward(crs: CRS, lon, lat):
    """Degrees to the coordinates of ``crs`` (metres; degrees if it is geographic).

    Returns
    -------
    x, y : float64 arrays; nan for latitudes beyond 90 degrees.

    >>> x, y = forward(ALBERS_CHINA, 105.0, 35.0)
    >>> float(x), round(float(y), 3)
    (0.0, 3734810.818)
    """
    lon, lat = np.asarray(lon, float), np.asarray(lat, float)
    if crs.kind == "geographic":
        return lon, lat
    delta = np.radians(wrapped(lon - crs.central_meridian))
    lat = np.where(np.abs(lat) <= 90, np.radians(lat), np.nan)
    sine = np.sin(lat)
    if crs.kind == "sinusoidal":
        x = crs.a * np.cos(lat) / np.sqrt(1 - crs.e2 * sine**2) * delta  # 30-6
        y = meridian_distance(lat, crs.a, crs.e2) + 0 * delta  # 30-7
    else:
        n, c, rho0 = _albers_constants(crs)
        rho = crs.a * np.sqrt(np.maximum(c - n * authalic_q(sine, crs.e2), 0)) / n  # 14-12
        x = rho * np.sin(n * delta)  # 14-1
        y = rho0 - rho * np.cos(n * delta)  # 14-2
    return x + crs.false_easting, y + crs.false_northing


def inverse(crs: CRS, x, y):
    """Coordinates of ``crs`` to longitude and latitude in degrees; nan off the map.

    >>> lon, lat = inverse(ALBERS_CHINA, *forward(ALBERS_CHINA, 121.5, 31.2))
    >>> round(float(lon), 9), round(float(lat), 9)
    (121.5, 31.2)
    """
    x, y = np.asarray(x, float) - crs.false_easting, np.asarray(y, float) - crs.false_northing
    if crs.kind == "geographic":
        return x, y
    if crs.kind == "sinusoidal":
        lat = meridian_latitude(y, crs.a, crs.e2)  # 30-8
        scale = np.cos(lat) / np.sqrt(1 - crs.e2 * np.sin(lat) ** 2)
        with np.errstate(invalid="ignore", divide="ignore"):
            delta = np.where(np.abs(scale) > 1e-15, x / (crs.a * scale), np.where(np.abs(x) < 1e-6, 0.0, np.nan))
    else:
        n, c, rho0 = _albers_constants(crs)
        side = np.copysign(1.0, n)
        delta = np.arctan2(side * x, side * (rho0 - y)) / n  # 14-9, 14-11
        q = (c - (x**2 + (rho0 - y) ** 2) * (n / crs.a) ** 2) / n  # 14-10, 14-19
        lat = np.arcsin(authalic_q_inverse(q, crs.e2))
    delta, lat = np.degrees(delta), np.degrees(lat)
    delta = np.where(np.isnan(lat) | (np.abs(delta) > 180 + 1e-9), np.nan, delta)
    return wrapped(delta + crs.central_meridian), np.where(np.isnan(delta), np.nan, lat)


def _albers_constants(crs: CRS) -> tuple[float, float, float]:
    """n, C and rho0 (eqs. 14-14, 14-13, 14-3; 14-15 is m)."""
    sine = np.sin(np.radians(crs.parallels))
    m2 = (1 - sine**2) / (1 - crs.e2 * sine**2)
    q = authalic_q(sine, crs.e2)
    n = sine[0] if abs(crs.parallels[0] - crs.parallels[1]) < 1e-10 else (m2[0] - m2[1]) / (q[1] - q[0])
    c = m2[0] + n * q[0]
    origin = authalic_q(np.sin(np.radians(crs.latitude_of_origin)), crs.e2)
    return float(n), float(c), float(crs.a * np.sqrt(max(c - n * origin, 0)) / n)


def transform_points(source: CRS, target: CRS, x, y):
    """Points of ``source`` in the coordinates of ``target``; unchanged, to the bit, where the two are the same.

    >>> x, y = transform_points(WGS84, MODIS_SINUSOIDAL, 90.0, 0.0)
    >>> round(float(x), 3), float(y)
    (10007554.678, 0.0)
    """
    if source == target:
        return np.asarray(x, float), np.asarray(y, float)
    return forward(target, *inverse(source, x, y))
