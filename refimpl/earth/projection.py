"""Map projections: coordinates from degrees to metres and back.

Section "Raster data": the drivers are brought to one "uniform coordinate system", which the paper does not name.
D04 takes Albers equal-area, the usual one for China.

Formulas: Snyder 1987, "Map projections: a working manual" (USGS PP 1395), ellipsoidal Albers (eqs. 14-1 to 14-21) and
sinusoidal (30-1 to 30-11), Mercator on the sphere (7-1 to 7-5).  A sphere is the case e = 0.  Web Mercator (EPSG method
1024) puts geodetic coordinates into the formulas of a sphere with the ellipsoid's semi-major axis.  Transverse Mercator
is in refimpl/earth/transverse_mercator.py.

All functions take float64 arrays that broadcast against each other, and expand them as late as they can: a column of
latitudes and a row of longitudes cost one sine per row and column.  Units are degrees on the geographic side and metres
on the projected side.  A point that the projection cannot show is nan.

Points are never shifted between datums (refimpl/earth/crs.py).  Between a sphere and an ellipsoid, latitudes stay as
they are; that is MODIS's convention.
"""

from __future__ import annotations

import numpy as np

from refimpl.earth.crs import CRS, KINDS, WGS84_ELLIPSOID, datum_change
from refimpl.earth.ellipsoid import authalic_q, authalic_q_inverse, meridian_distance, meridian_latitude
from refimpl.earth.epsg import crs_of_epsg
from refimpl.earth.transverse_mercator import transverse_forward, transverse_inverse
from refimpl.errors import InputError, did_you_mean

__all__ = [
    "ALBERS_CHINA",
    "CRS",
    "KINDS",
    "MODIS_SINUSOIDAL",
    "WEB_MERCATOR",
    "WGS84",
    "WGS84_ELLIPSOID",
    "forward",
    "inverse",
    "named_crs",
    "transform_points",
    "wrapped",
]

WGS84 = CRS("geographic")
ALBERS_CHINA = CRS("albers", parallels=(25.0, 47.0), central_meridian=105.0)
"""D04: the usual equal-area projection for China."""
MODIS_SINUSOIDAL = CRS("sinusoidal", ellipsoid=(6371007.181, 0.0))
WEB_MERCATOR = CRS("web_mercator")

_NAMED = {"geographic": WGS84, "albers": ALBERS_CHINA, "sinusoidal": MODIS_SINUSOIDAL}


def named_crs(word: str) -> CRS:
    """The CRS behind a word of the configuration: geographic, albers, sinusoidal, or "EPSG:" and a code known here.

    Raises
    ------
    InputError
        Another word, a code that is not known here, or a code on another datum than WGS 84.

    >>> named_crs("geographic") is WGS84, named_crs("EPSG:32650").describe()
    (True, 'transverse Mercator, meridian 117, scale 0.9996, false origin 500000, 0, WGS 84')
    """
    if word in _NAMED:
        return _NAMED[word]
    code = word[5:] if word.upper().startswith("EPSG:") else ""
    if not (code.isascii() and code.isdigit()):
        raise InputError(f"unknown projection {word!r}{did_you_mean(str(word), [*_NAMED, 'EPSG:32650'])}")
    crs = crs_of_epsg(int(code))
    if crs is None or datum_change(crs, WGS84):
        raise InputError(
            f"projection {word!r} is not among those that a map is made in; expected albers, geographic, sinusoidal, "
            "EPSG:4326, 4490, 3857, 326xx, 327xx (UTM), 4491-4554 (CGCS2000 / Gauss-Krueger)"
        )
    return crs


def wrapped(degrees):
    """Longitude differences brought to -180 to 180 degrees; those within it, both ends included, keep their bits."""
    degrees = np.asarray(degrees, float)
    return np.where(np.abs(degrees) > 180, (degrees + 180) % 360 - 180, degrees)


def forward(crs: CRS, lon, lat):
    """Longitude and latitude in degrees to coordinates of ``crs`` (metres; degrees if it is geographic).

    Returns
    -------
    x, y : float64 arrays; nan off the map, and on a projected map for latitudes beyond 90 degrees.

    >>> x, y = forward(ALBERS_CHINA, 105.0, 35.0)
    >>> float(x), round(float(y), 3)
    (0.0, 3734810.818)
    """
    lon, lat = np.asarray(lon, float), np.asarray(lat, float)
    if crs.kind == "geographic":
        return lon, lat
    delta = np.radians(wrapped(lon - crs.central_meridian))
    lat = np.where(np.abs(lat) <= 90, np.radians(lat), np.nan)
    x, y = _FORMULAS[crs.kind][0](crs, delta, lat)
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
    delta, lat = _FORMULAS[crs.kind][1](crs, x, y)
    delta, lat = np.degrees(delta), np.degrees(lat)
    delta = np.where(np.isnan(lat) | (np.abs(delta) > 180 + 1e-9), np.nan, delta)
    return wrapped(delta + crs.central_meridian), np.where(np.isnan(delta), np.nan, lat)


def _sinusoidal(crs: CRS, delta, lat):
    sine = np.sin(lat)
    x = crs.a * np.cos(lat) / np.sqrt(1 - crs.e2 * sine**2) * delta  # 30-6
    return x, meridian_distance(lat, crs.a, crs.e2) + 0 * delta  # 30-7


def _sinusoidal_inverse(crs: CRS, x, y):
    lat = meridian_latitude(y, crs.a, crs.e2)  # 30-8
    scale = np.cos(lat) / np.sqrt(1 - crs.e2 * np.sin(lat) ** 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        delta = np.where(np.abs(scale) > 1e-15, x / (crs.a * scale), np.where(np.abs(x) < 1e-6, 0.0, np.nan))
    return delta, lat


def _albers(crs: CRS, delta, lat):
    n, c, rho0 = _albers_constants(crs)
    sine = np.sin(lat)
    rho = crs.a * np.sqrt(np.maximum(c - n * authalic_q(sine, crs.e2), 0)) / n  # 14-12
    x = rho * np.sin(n * delta)  # 14-1
    y = rho0 - rho * np.cos(n * delta)  # 14-2
    return x, y


def _albers_inverse(crs: CRS, x, y):
    n, c, rho0 = _albers_constants(crs)
    side = np.copysign(1.0, n)
    delta = np.arctan2(side * x, side * (rho0 - y)) / n  # 14-9, 14-11
    q = (c - (x**2 + (rho0 - y) ** 2) * (n / crs.a) ** 2) / n  # 14-10, 14-19
    return delta, np.arcsin(authalic_q_inverse(q, crs.e2))


def _albers_constants(crs: CRS) -> tuple[float, float, float]:
    """The constants n, C and rho0 of Albers (eqs. 14-14, 14-13, 14-3; 14-15 gives m)."""
    sine = np.sin(np.radians(crs.parallels))
    m2 = (1 - sine**2) / (1 - crs.e2 * sine**2)
    q = authalic_q(sine, crs.e2)
    n = sine[0] if abs(crs.parallels[0] - crs.parallels[1]) < 1e-10 else (m2[0] - m2[1]) / (q[1] - q[0])
    c = m2[0] + n * q[0]
    origin = authalic_q(np.sin(np.radians(crs.latitude_of_origin)), crs.e2)
    return float(n), float(c), float(crs.a * np.sqrt(max(c - n * origin, 0)) / n)


def _web_mercator(crs: CRS, delta, lat):
    lat = np.where(np.abs(lat) < np.pi / 2, lat, np.nan)  # the poles are infinitely far away
    return crs.a * delta + 0 * lat, crs.a * np.arcsinh(np.tan(lat)) + 0 * delta  # 7-1, 7-2 in another form


def _web_mercator_inverse(crs: CRS, x, y):
    with np.errstate(over="ignore"):
        return x / crs.a + 0 * y, np.arctan(np.sinh(y / crs.a)) + 0 * x  # 7-5, 7-4


def _transverse_origin(crs: CRS) -> float:
    return float(crs.scale * transverse_forward(0.0, np.radians(crs.latitude_of_origin), crs.a, crs.f)[1])


def _transverse_mercator(crs: CRS, delta, lat):
    x, y = transverse_forward(delta, lat, crs.a, crs.f)
    return crs.scale * x, crs.scale * y - _transverse_origin(crs)


def _transverse_mercator_inverse(crs: CRS, x, y):
    return transverse_inverse(x / crs.scale, (y + _transverse_origin(crs)) / crs.scale, crs.a, crs.f)


_FORMULAS = {
    "albers": (_albers, _albers_inverse),
    "sinusoidal": (_sinusoidal, _sinusoidal_inverse),
    "web_mercator": (_web_mercator, _web_mercator_inverse),
    "transverse_mercator": (_transverse_mercator, _transverse_mercator_inverse),
}
"""Forward and inverse formula of each kind: radians from the central meridian, metres without the false origin."""


def transform_points(source: CRS, target: CRS, x, y):
    """Points of the CRS ``source`` in coordinates of ``target``; unchanged, to the bit, if the two are equal.

    Raises
    ------
    InputError
        The two CRS are on different datums (refimpl/earth/crs.py).

    >>> x, y = transform_points(WGS84, MODIS_SINUSOIDAL, 90.0, 0.0)
    >>> round(float(x), 3), float(y)
    (10007554.678, 0.0)
    """
    if source == target:
        return np.asarray(x, float), np.asarray(y, float)
    undone = datum_change(source, target)
    if undone:
        raise InputError(
            f"no points pass between {source.describe()} and {target.describe()}: {undone}; convert one file with "
            "'gdalwarp -t_srs EPSG:4326 -r average IN.tif OUT.tif' (classes: -r near), or allow the datum to be ignored"
        )
    return forward(target, *inverse(source, x, y))
