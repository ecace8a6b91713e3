"""Two integrals over an ellipsoid of revolution that equal-area mapping needs, and their inverses.

Section "Raster data": areas and map projections are taken on the ellipsoid, not on a sphere (D03, D04).

- Authalic q(phi), Snyder 1987 (USGS PP 1395), eq. 3-12: the area between the equator and latitude phi, for one radian
  of longitude, is a^2 q / 2.
- Meridian distance M(phi), eq. 3-20: metres from the equator to latitude phi.

Latitudes are geodetic, radians, float64 arrays of any shape; ``e2`` is the squared eccentricity, 0 for a sphere.
"""

from __future__ import annotations

import numpy as np

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(10)
_MAX_STEPS = 12


def authalic_q(sine, e2: float):
    """q as a function of sin(phi), dimensionless (eq. 3-12).

    The logarithm of the printed equation is written as an inverse hyperbolic tangent, which stays exact for small e.

    >>> float(authalic_q(0.5, 0.0))
    1.0
    """
    sine = np.asarray(sine, float)
    if e2 == 0:
        return 2 * sine
    e = np.sqrt(e2)
    return (1 - e2) * (sine / (1 - e2 * sine * sine) + np.arctanh(e * sine) / e)


def authalic_q_inverse(q, e2: float):
    """sin(phi) whose authalic q is ``q``; nan where |q| exceeds its value at the pole.

    Newton's method is applied to sin(phi), not to phi (eq. 3-16): the derivative dq/dsin is never zero, so that the
    method converges at the poles too.

    >>> bool(abs(authalic_q_inverse(authalic_q(0.6, 0.00669438), 0.00669438) - 0.6) < 1e-15)
    True
    """
    polar = float(authalic_q(1.0, e2))
    q = np.asarray(q, float)
    # The q of a pole, after a projection and its inverse, may exceed its largest value by a rounding error.
    sine = np.where(np.abs(q) <= polar * (1 + 4e-15), np.clip(q / polar, -1, 1), np.nan)
    if e2 == 0:
        return sine
    for _ in range(_MAX_STEPS):
        step = (q - authalic_q(sine, e2)) * (1 - e2 * sine * sine) ** 2 / (2 * (1 - e2))
        sine = np.clip(sine + step, -1, 1)
        if not np.any(np.abs(step) > 1e-15):
            break
    return sine


def meridian_distance(latitude, a: float, e2: float):
    """Metres along the meridian from the equator to ``latitude`` (eq. 3-20, north positive).

    Snyder's series (3-21) stops at e^6 and is off by 0.1 mm.  Ten Gauss-Legendre nodes are exact to the last digits.

    >>> round(float(meridian_distance(np.pi / 2, 6378137.0, 0.0066943799901413165)), 4)
    10001965.7293
    """
    latitude = np.asarray(latitude, float)
    if e2 == 0:
        return a * latitude
    total = np.zeros_like(latitude)
    for node, weight in zip(_NODES, _WEIGHTS):
        total = total + weight * (1 - e2 * np.sin(latitude * (1 + node) / 2) ** 2) ** -1.5
    return a * (1 - e2) * latitude / 2 * total


def meridian_latitude(distance, a: float, e2: float):
    """Latitude (radians) at a meridian ``distance`` (metres), inverse of ``meridian_distance``; nan past the poles.

    >>> round(float(np.degrees(meridian_latitude(5000000.0, 6371007.181, 0.0))), 9)
    44.966029613
    """
    distance = np.asarray(distance, float)
    polar = float(meridian_distance(np.pi / 2, a, e2))
    latitude = np.where(np.abs(distance) <= polar * (1 + 4e-15), np.clip(distance / polar, -1, 1) * (np.pi / 2), np.nan)
    if e2 == 0:
        return latitude
    for _ in range(_MAX_STEPS):
        gradient = a * (1 - e2) * (1 - e2 * np.sin(latitude) ** 2) ** -1.5
        step = (distance - meridian_distance(latitude, a, e2)) / gradient
        latitude = np.clip(latitude + step, -np.pi / 2, np.pi / 2)
        if not np.any(np.abs(step) > 1e-15):
            break
    return latitude
