"""Transverse Mercator on the ellipsoid: UTM and Gauss-Krueger.

Section "Raster data".  Krueger's series to the sixth power of the third flattening n, from Karney 2011 ("Transverse
Mercator with an accuracy of a few nanometers", Journal of Geodesy 85, 475-485): eqs. 7-9 (conformal latitude), 10-11
(spherical transverse Mercator), 14 and 35-36 (series), 19-21 (inverse), 24-25 (scale).

tau is the tangent of the latitude, tau' the tangent of the conformal latitude.  (xi', eta') are northing and easting on
the sphere, (xi, eta) on the ellipsoid, in units of the rectifying radius.  float64, radians.

Against 40-digit arithmetic the series is off by 4e-9 m at 40 degrees from the central meridian.  At |eta'| = 1, where
the map ends, it is off by 1e-7 m; that is 6,400 km from the meridian, or 50 degrees along the equator.  The map reaches
over the poles.  It does not reach the equator behind them, where it would be torn.
"""

from __future__ import annotations

import numpy as np

REACH = 1.0, 0.75 * np.pi
"""The largest |eta'| and the largest |xi'| on the map."""

# Karney's eqs. 35 and 36: a row for each harmonic, a column for each power n^1 to n^6.
_ALPHA = np.array([
    [1 / 2, -2 / 3, 5 / 16, 41 / 180, -127 / 288, 7891 / 37800],
    [0, 13 / 48, -3 / 5, 557 / 1440, 281 / 630, -1983433 / 1935360],
    [0, 0, 61 / 240, -103 / 140, 15061 / 26880, 167603 / 181440],
    [0, 0, 0, 49561 / 161280, -179 / 168, 6601661 / 7257600],
    [0, 0, 0, 0, 34729 / 80640, -3418889 / 1995840],
    [0, 0, 0, 0, 0, 212378941 / 319334400],
])  # fmt: skip
_BETA = np.array([
    [1 / 2, -2 / 3, 37 / 96, -1 / 360, -81 / 512, 96199 / 604800],
    [0, 1 / 48, 1 / 15, -437 / 1440, 46 / 105, -1118711 / 3870720],
    [0, 0, 17 / 480, -37 / 840, -209 / 4480, 5569 / 90720],
    [0, 0, 0, 4397 / 161280, -11 / 504, -830251 / 7257600],
    [0, 0, 0, 0, 4583 / 161280, -108847 / 3991680],
    [0, 0, 0, 0, 0, 20648693 / 638668800],
])  # fmt: skip


def _third_flattening(f: float) -> float:
    return f / (2 - f)


def rectifying_radius(a: float, f: float) -> float:
    """Radius in metres of the circle whose circumference is the length of a meridian (eq. 14).

    >>> round(rectifying_radius(6378137.0, 1 / 298.257223563) * np.pi / 2, 4)
    10001965.7293
    """
    n2 = _third_flattening(f) ** 2
    return a / (1 + n2**0.5) * (1 + n2 / 4 + n2**2 / 64 + n2**3 / 256)


def _series(table: np.ndarray, f: float) -> np.ndarray:
    """The coefficients of the six harmonics 2, 4 ... 12."""
    return table @ _third_flattening(f) ** np.arange(1, 7)


def _conformal_tangent(tau, f: float):
    """tau' from tau (eqs. 7-9), in closed form, not as a series in the flattening."""
    e = np.sqrt(f * (2 - f))
    secant = np.hypot(1, tau)
    sigma = np.sinh(e * np.arctanh(e * tau / secant))
    return tau * np.hypot(1, sigma) - sigma * secant


def _geodetic_tangent(conformal, f: float):
    """tau from tau' by Newton's method (eqs. 19-21)."""
    e2 = f * (2 - f)
    e = np.sqrt(e2)
    # Newton's method converges from both starts.  The second factor is the limit of tau / tau' at the pole.
    tau = conformal * np.where(np.abs(conformal) < 70, 1 / (1 - e2), np.exp(e * np.arctanh(e)))
    for _ in range(6):
        found = _conformal_tangent(tau, f)
        gradient = (1 - e2) * np.hypot(1, found) * np.hypot(1, tau) / (1 + (1 - e2) * tau**2)
        step = (conformal - found) / gradient
        tau = tau + step
        if not np.any(np.abs(step) > 1e-15 * np.hypot(1, tau)):
            break
    return tau


def _sphere(delta, lat, f: float):
    """(xi', eta') of longitudes from the meridian and latitudes (eqs. 10-11); nan beyond REACH."""
    conformal, cosine = _conformal_tangent(np.tan(lat), f), np.cos(delta)
    xi, eta = np.arctan2(conformal, cosine), np.arcsinh(np.sin(delta) / np.hypot(conformal, cosine))
    off = (np.abs(eta) > REACH[0]) | (np.abs(xi) > REACH[1])
    return np.where(off, np.nan, xi), np.where(off, np.nan, eta)


def transverse_forward(delta, lat, a: float, f: float):
    """Easting and northing in metres, at scale 1, of longitudes from the central meridian and latitudes (radians).

    >>> x, y = transverse_forward(np.radians(3.0), np.radians(30.0), 6378137.0, 1 / 298.257223563)
    >>> round(float(x), 3), round(float(y), 3)
    (289525.463, 3323905.467)
    """
    xi, eta = _sphere(delta, lat, f)
    x, y = eta, xi
    for j, alpha in enumerate(_series(_ALPHA, f), 1):
        y = y + alpha * np.sin(2 * j * xi) * np.cosh(2 * j * eta)
        x = x + alpha * np.cos(2 * j * xi) * np.sinh(2 * j * eta)
    radius = rectifying_radius(a, f)
    return radius * x, radius * y


def transverse_inverse(x, y, a: float, f: float):
    """Longitude from the central meridian and latitude (radians); nan off the map.

    >>> delta, lat = transverse_inverse(289525.463, 3323905.467, 6378137.0, 1 / 298.257223563)
    >>> round(float(np.degrees(delta)), 6), round(float(np.degrees(lat)), 6)
    (3.0, 30.0)
    """
    radius = rectifying_radius(a, f)
    xi, eta = y / radius, x / radius
    # The limit is a little beyond that of the forward map, so that a point at the edge of the map comes back.
    off = (np.abs(eta) > REACH[0] + 0.01) | (np.abs(xi) > REACH[1] + 0.01)
    xi, eta = np.where(off, np.nan, xi), np.where(off, np.nan, eta)
    north, east = xi, eta
    for j, beta in enumerate(_series(_BETA, f), 1):
        north = north - beta * np.sin(2 * j * xi) * np.cosh(2 * j * eta)
        east = east - beta * np.cos(2 * j * xi) * np.sinh(2 * j * eta)
    cosine, sinh = np.cos(north), np.sinh(east)
    lat = np.arctan(_geodetic_tangent(np.sin(north) / np.hypot(sinh, cosine), f))
    return np.arctan2(sinh, cosine), lat


def transverse_scale(delta, lat, a: float, f: float):
    """Point scale: length on the map over length on the ellipsoid, the same in all directions (eqs. 24-25).

    >>> float(transverse_scale(0.0, 0.5, 6378137.0, 0.0))
    1.0
    """
    xi, eta = _sphere(delta, lat, f)
    real, imaginary = np.ones_like(xi), np.zeros_like(xi)
    for j, alpha in enumerate(_series(_ALPHA, f), 1):
        real = real + 2 * j * alpha * np.cos(2 * j * xi) * np.cosh(2 * j * eta)
        imaginary = imaginary + 2 * j * alpha * np.sin(2 * j * xi) * np.sinh(2 * j * eta)
    tau = np.tan(lat)
    on_sphere = np.hypot(1, tau) * np.sqrt(1 - f * (2 - f) * np.sin(lat) ** 2)
    on_sphere = on_sphere / np.hypot(_conformal_tangent(tau, f), np.cos(delta))
    return rectifying_radius(a, f) / a * on_sphere * np.hypot(real, imaginary)
