"""Projections in 50-digit arithmetic: Snyder's closed formulas (1987, USGS PP 1395), PROJ as a second voice.

The meridian distance is integrated and the inverses are solved for, so that no series and no printed iteration is used.
Every answer for the ellipsoid or sphere is also asked of PROJ, which must agree (``PROJ_METRES``, ``PROJ_DEGREES``).
"""

from __future__ import annotations

import math
from functools import lru_cache

import pyproj
from mpmath import MPContext

from tests.oracles import suite

mp = MPContext()
mp.dps = 50

PROJ_METRES, PROJ_DEGREES = 1e-6, 1e-9
NAN = math.nan
KRASSOVSKY = {"a": 6378245.0, "inverse_flattening": 298.3}
CLARKE_1866 = {"a": 6378206.4, "inverse_flattening": 294.978698214}
FALSE_ORIGIN = {"kind": "albers", **KRASSOVSKY, "parallels": [20, 52], "latitude_of_origin": 10}
FALSE_ORIGIN |= {"central_meridian": 110, "false_easting": 4000000, "false_northing": -1000000}
AUSTRALIA = {"kind": "albers", "parallels": [-18, -36], "central_meridian": 132}
ONE_PARALLEL = {"kind": "albers", "parallels": [35, 35], "central_meridian": 90}
ALBERS_SPHERE = {"kind": "albers", "a": 6370997, "inverse_flattening": 0, "parallels": [29.5, 45.5]}
ALBERS_SPHERE |= {"latitude_of_origin": 23, "central_meridian": -96}
SINUSOIDAL_WGS84 = {"kind": "sinusoidal", "central_meridian": 100, "false_easting": 500000, "false_northing": -20000}
PACIFIC = {"kind": "albers", "parallels": [30, 60], "latitude_of_origin": 5, "central_meridian": 170}


def e2_of(crs) -> object:
    """Squared eccentricity."""
    inverse = crs.get("inverse_flattening", 298.257223563)
    f = 1 / mp.mpf(inverse) if inverse else mp.mpf(0)
    return f * (2 - f)


def authalic_q(phi, e2):
    """Eq. 3-12."""
    s, e = mp.sin(phi), mp.sqrt(e2)
    if e2 == 0:
        return 2 * s
    return (1 - e2) * (s / (1 - e2 * s**2) - mp.log((1 - e * s) / (1 + e * s)) / (2 * e))


def meridian_distance(phi, a, e2):
    """Eq. 3-20, by quadrature."""
    return a * (1 - e2) * mp.quad(lambda t: (1 - e2 * mp.sin(t) ** 2) ** mp.mpf(-1.5), [0, phi]) if e2 else a * phi


def parallel_radius(phi, a, e2):
    """Of the circle of latitude phi: a m, eq. 14-15."""
    return a * mp.cos(phi) / mp.sqrt(1 - e2 * mp.sin(phi) ** 2)


@lru_cache
def _cone(a, e2, parallels, origin):
    """n, C and rho0: eqs. 14-14, 14-13, 14-3."""
    p1, p2 = (mp.radians(mp.mpf(p)) for p in parallels)
    m1, m2 = (parallel_radius(p, 1, e2) ** 2 for p in (p1, p2))
    n = mp.sin(p1) if p1 == p2 else (m1 - m2) / (authalic_q(p2, e2) - authalic_q(p1, e2))
    c = m1 + n * authalic_q(p1, e2)
    return n, c, a * mp.sqrt(c - n * authalic_q(mp.radians(mp.mpf(origin)), e2)) / n


def parts(crs):
    """a, e2, the cone, and false easting and northing."""
    a, e2 = mp.mpf(crs.get("a", 6378137.0)), e2_of(crs)
    albers = crs["kind"] == "albers"
    cone = _cone(a, e2, tuple(crs["parallels"]), crs.get("latitude_of_origin", 0)) if albers else None
    return a, e2, cone, mp.mpf(crs.get("false_easting", 0)), mp.mpf(crs.get("false_northing", 0))


def forward(crs, lon, lat):
    """Metres (mpf) of degrees; None beyond the poles."""
    if crs["kind"] == "geographic":
        return mp.mpf(lon), mp.mpf(lat)
    if abs(lat) > 90:
        return None
    a, e2, cone, east, north = parts(crs)
    turn = mp.mpf(lon) - crs.get("central_meridian", 0)
    turn -= 360 * mp.nint(turn / 360)
    assert abs(turn) < 180, "a point on the seam of the map has two answers"
    delta, phi = mp.radians(turn), mp.radians(mp.mpf(lat))
    if cone is None:
        return parallel_radius(phi, a, e2) * delta + east, meridian_distance(phi, a, e2) + north  # 30-6, 30-7
    n, c, rho0 = cone
    rho = a * mp.sqrt(c - n * authalic_q(phi, e2)) / n  # 14-12
    return rho * mp.sin(n * delta) + east, rho0 - rho * mp.cos(n * delta) + north  # 14-1, 14-2


def inverse(crs, x, y):
    """Degrees (mpf), longitude in [-180, 180], of metres; None off the map."""
    if crs["kind"] == "geographic":
        return mp.mpf(x), mp.mpf(y)
    a, e2, cone, east, north = parts(crs)
    x, y, pole = mp.mpf(x) - east, mp.mpf(y) - north, mp.pi / 2
    if cone is None:
        if abs(y) >= meridian_distance(pole, a, e2):
            return None
        phi = _solved(lambda p: meridian_distance(p, a, e2) - y, y / a)
        delta = x / parallel_radius(phi, a, e2)
    else:
        n, c, rho0 = cone
        q = (c - (x**2 + (rho0 - y) ** 2) * (n / a) ** 2) / n  # 14-10, 14-19
        if abs(q) >= authalic_q(pole, e2):
            return None
        phi = _solved(lambda p: authalic_q(p, e2) - q, mp.asin(q / authalic_q(pole, e2)))
        delta = mp.atan2(mp.sign(n) * x, mp.sign(n) * (rho0 - y)) / n  # 14-11
    if abs(delta) > mp.pi:
        return None
    lon = mp.degrees(delta) + crs.get("central_meridian", 0)
    return lon - 360 * mp.nint(lon / 360), mp.degrees(phi)


def _solved(function, start):
    """The root to 40 digits, from a start that is close."""
    return mp.findroot(function, start, tol=mp.mpf(10) ** -70)


def table(crs, points, way) -> dict:
    """Columns of the answer, after PROJ has been asked the same."""
    found = [way(crs, *point) for point in points]
    proj, back = pyproj.Proj(suite.proj_text(crs)), way is inverse
    for point, answer in zip(points, found, strict=True):
        if answer is not None:
            second = proj(*map(float, point), inverse=back)
            apart = max(abs(float(p - q)) for p, q in zip(answer, second, strict=True))
            assert apart < (PROJ_DEGREES if back else PROJ_METRES)
    names = ("lon", "lat") if back else ("x", "y")
    return {n: [NAN if p is None else float(p[k]) for p in found] for k, n in enumerate(names)}


FLAGS = {
    "albers-on-sphere": "The Albers projection is computed on a sphere although an ellipsoid is given, or with the "
    "ellipsoid of WGS 84 whatever is given: points are kilometres off.",
    "albers-constants": "A constant of the cone is wrong (m not squared, n halved, C without n, rho0 left out): the "
    "whole map is scaled or shifted.",
    "lon-lat-swapped": "Longitude and latitude, or x and y, change places: China lands in the Arctic.",
    "parallels-order": "The two standard parallels are taken as ordered, so that swapping them changes the map.",
    "false-origin-dropped": "False easting or northing, or the latitude of origin, is ignored or has the wrong sign: "
    "the map is shifted by megametres.",
    "cone-of-the-south": "n is negative for southern parallels and its sign is lost: the map is turned upside down.",
    "one-parallel": "With both parallels equal n is 0 / 0, and the map is empty instead of n = sin(parallel).",
    "sphere-divides-by-e": "Formulas of the ellipsoid are used with e = 0: division by 0, and every point is empty.",
    "pole-clamped": "A latitude beyond the pole is clamped to the pole, wrapped over it, or stops the program, instead "
    "of giving an empty cell.",
    "longitude-not-wrapped": "The difference to the central meridian is not brought within 180 degrees: 190 E and "
    "170 W are two places.",
    "modis-latitude-converted": "Latitudes are converted from geodetic to authalic, geocentric or another datum's "
    "before the spherical sinusoidal projection: MODIS rasters move by up to 21 km north or south.",
    "sinusoidal-on-sphere": "The sinusoidal projection is computed on a sphere although an ellipsoid is given: 20 km.",
    "authalic-for-geodetic": "The inverse returns the authalic or rectifying latitude, without the step to the "
    "geodetic one: up to 0.13 degrees, 14 km.",
    "off-the-map": "A point outside the map, which no longitude and latitude project to, is wrapped into some place "
    "instead of giving an empty cell: pixels beyond the rim of a world map show a second Earth.",
    "longitude-range": "Longitudes beyond 180 are returned as they come, not within [-180, 180].",
}

CLOSED = "float64 formulas round coordinates of 1e7 m to about 1e-8 m; the bugs cost 1 m at least"
SERIES = "Snyder's series for the meridian (3-21) stops at e^6 and is up to 1 mm off; the bugs cost kilometres"
ARC = "float64 rounds to about 1e-13 degrees; 1e-10 degrees are 0.01 mm"
ARC_SERIES = "Snyder's series for the latitude (3-18, 3-26) are up to 1.5e-8 degrees off; the bugs cost 0.001 at least"
CHINA_POINTS = [(73, 18), (135, 54), (73.5, 39.5), (134.75, 48.375), (116.4, 39.9), (121.47, 31.23), (87.6, 43.8)]
CHINA_POINTS += [(109.5, 18.25), (105, 35), (105, 0), (112.34, 3.87)]
ASKED = "Snyder's formulas with 50 digits; PROJ agrees to 1e-6 m."
SOLVED = "Snyder's forward formulas with 50 digits, solved for the point; PROJ agrees to 1e-9 degrees."


def ask(name, title, crs, points, flags, references, **more) -> suite.Case:
    """A case of ``project``; ``named`` replaces the parameter, ``limit`` and ``why`` the closed formulas'."""
    answer = more.get("answer") or table(crs, points, forward)
    output = suite.Output(answer, "abs", more.get("limit", 1e-6), more.get("why", CLOSED))
    inputs = {"points.csv": {"lon": [p[0] for p in points], "lat": [p[1] for p in points]}}
    return suite.Case(
        f"project-{name}", title, "raster", "project", references, flags, more.get("oracle", "mpmath"),
        more.get("how", ASKED), {"crs": more.get("named", crs)}, inputs, {"projected.csv": output},
    )  # fmt: skip


def ask_back(name, title, crs, points, flags, references, limit, why, named=None) -> suite.Case:
    """A case of ``unproject``."""
    inputs = {"points.csv": {"x": [p[0] for p in points], "y": [p[1] for p in points]}}
    output = suite.Output(table(crs, points, inverse), "abs", limit, why)
    return suite.Case(
        f"unproject-{name}", title, "raster", "unproject", references, flags, "mpmath", SOLVED,
        {"crs": named or crs}, inputs, {"points_out.csv": output},
    )  # fmt: skip


def forward_cases() -> list[suite.Case]:
    """Degrees to metres."""
    albers, china = ["D04", "Snyder 1987, 14-1 ... 14-21", "Raster data"], suite.ALBERS_CHINA
    sinusoidal = ["Snyder 1987, 30-1 ... 30-11", "Raster data"]
    snyder = {"kind": "albers", **CLARKE_1866, "parallels": [29.5, 45.5], "latitude_of_origin": 23}
    snyder |= {"central_meridian": -96}
    printed = {"x": [1885472.7], "y": [1535925.0]}
    x, y = forward(snyder, -75, 35)
    assert abs(x - printed["x"][0]) < 0.06 and abs(y - printed["y"][0]) < 0.06
    turns = [(190, 40), (-170, 40), (350, 55.5), (-10, 55.5), (465, 30), (105, 30)]
    beyond = [(100, 91), (120, 40), (120, -90.5), (110, 90), (90, 1000)]
    modis = [(116.4, 39.9), (73.5, 53.25), (-60.25, -33.5), (179.5, 0.125), (0, 45)]
    ellipsoidal = [(116.4, 39.9), (73.5, 53.25), (100, -33.5), (-120.5, 71.125)]
    return [
        ask("albers-snyder-example", "Snyder's printed example: Clarke 1866, 35 N 75 W", snyder, [(-75, 35)],
            ["albers-constants"], [*albers[:2], "Snyder 1987, page 292"], answer=printed, oracle="hand", limit=0.1,
            how="As printed by Snyder; 50-digit arithmetic rounds to the same.", why="printed to 0.1 m"),
        ask("albers-china-points", "Corners and cities of China in D04's Albers", china, CHINA_POINTS,
            ["albers-on-sphere", "albers-constants", "lon-lat-swapped"], albers, named="albers-china"),
        ask("albers-swapped-parallels", "Parallels 47 and 25 make the map of 25 and 47",
            {**china, "parallels": [47, 25]}, CHINA_POINTS[:5], ["parallels-order"], albers),
        ask("albers-false-origin", "Krassovsky's ellipsoid, another origin, and numbers added to x and y", FALSE_ORIGIN,
            CHINA_POINTS[2:6], ["false-origin-dropped", "albers-on-sphere"], albers),
        ask("albers-south", "A cone over Australia: n is negative", AUSTRALIA,
            [(115.86, -31.95), (151.2, -33.87), (132, -20), (140, 5)], ["cone-of-the-south"], albers),
        ask("albers-one-parallel", "Both parallels at 35", ONE_PARALLEL, [(75, 30), (104.06, 30.67), (90, 35)],
            ["one-parallel"], albers),
        ask("albers-sphere", "Snyder's map on a sphere of 6370997 m", ALBERS_SPHERE, [(-75, 35), (-123.5, 48.25)],
            ["sphere-divides-by-e"], albers),
        ask("beyond-the-pole", "Latitudes 91 and -90.5 have no place on the map; 90 has", china, beyond,
            ["pole-clamped"], albers),
        ask("longitude-turns", "190 is -170, 350 is -10, 465 is 105", china, turns, ["longitude-not-wrapped"], albers),
        ask("across-the-date-line", "Meridian 170: -178 is 12 degrees east of it", PACIFIC,
            [(-178, 41), (182, 41), (160, 12.5)], ["longitude-not-wrapped", "false-origin-dropped"], albers),
        ask("sinusoidal-modis", "MODIS: geodetic latitudes on a sphere of 6371007.181 m as they are", suite.MODIS,
            modis, ["modis-latitude-converted", "lon-lat-swapped"], sinusoidal),
        ask("sinusoidal-beyond-the-pole", "Latitude 90.001 has no place on MODIS's map", suite.MODIS,
            [(60, 90.001), (60, 89.5), (-60, -100)], ["pole-clamped"], sinusoidal),
        ask("sinusoidal-ellipsoid", "The sinusoidal projection of WGS 84's ellipsoid, with a false origin",
            SINUSOIDAL_WGS84, ellipsoidal, ["sinusoidal-on-sphere", "false-origin-dropped"], sinusoidal, limit=5e-3,
            why=SERIES),
    ]  # fmt: skip


def backward_cases() -> list[suite.Case]:
    """Metres to degrees."""
    albers, china = ["D04", "Snyder 1987, 14-1 ... 14-21", "Raster data"], suite.ALBERS_CHINA
    sinusoidal = ["Snyder 1987, 30-1 ... 30-11", "Raster data"]
    places = [(969654.25, 4386120.5), (-2700000, 2250000), (2600000, 5900000), (0, 4000000), (460000, 0)]
    off = [(0, 4000000), (0, 11000000), (9000000, 17000000), (0, -30000000), (700000, 9600000)]
    return [
        ask_back("albers-china-points", "Metres of D04's Albers to degrees", china, places,
                 ["authalic-for-geodetic", "lon-lat-swapped"], albers, 1e-7, ARC_SERIES, "albers-china"),
        ask_back("albers-false-origin", "The false origin is taken off first", FALSE_ORIGIN,
                 [(4500000, 1500000), (1800000, 2750000)], ["false-origin-dropped"], albers, 1e-7, ARC_SERIES),
        ask_back("albers-south", "The angle of a southern cone needs the signs of 14-11 turned", AUSTRALIA,
                 [(-1500000, -3200000), (1700000, -3500000), (0, 1000)], ["cone-of-the-south"], albers, 1e-7,
                 ARC_SERIES),
        ask_back("longitude-range", "East of the date line longitudes are negative", PACIFIC,
                 [(2500000, 4000000), (-2500000, 4000000)], ["longitude-range"], albers, 1e-7, ARC_SERIES),
        ask_back("albers-off-the-map", "Beyond the pole, beyond the cone's edges, below the South Pole", china, off,
                 ["off-the-map"], albers, 1e-7, ARC_SERIES),
        ask_back("sinusoidal-modis", "Corners of MODIS tile h27v05, and points elsewhere", suite.MODIS,
                 [(10007554.677, 4447802.0785), (8895604.1575, 3335851.5589), (-5500000, -3250000)],
                 ["modis-latitude-converted", "lon-lat-swapped"], sinusoidal, 1e-10, ARC),
        ask_back("sinusoidal-off-the-map", "Right of the map's edge at 60 N, and above the pole", suite.MODIS,
                 [(10100000, 6671703), (9900000, 6671703), (0, 10010000), (-12000000, -5000000)],
                 ["off-the-map"], sinusoidal, 1e-10, ARC),
        ask_back("sinusoidal-ellipsoid", "The latitude at a distance along WGS 84's meridian", SINUSOIDAL_WGS84,
                 [(1890000, 4410000), (-700000, 5900000)], ["authalic-for-geodetic", "sinusoidal-on-sphere"],
                 sinusoidal, 1e-7, ARC_SERIES),
    ]  # fmt: skip


def refused_cases() -> list[suite.Case]:
    """What no map can be made of."""
    china, good = suite.ALBERS_CHINA, {"lon": [116.4, 105.0], "lat": [39.9, 35.0]}
    back = {"x": [0.0, 460000.0], "y": [4000000.0, 0.0]}
    rows = [
        ("project", "mirrored-parallels", {**china, "parallels": [25, -25]}, good, ["crs", "parallels"],
         "parallels 25 and -25 mirror each other at the equator: n is 0 and there is no cone"),
        ("project", "unknown-kind", {"kind": "lambert"}, good, ["crs", "kind"], "the kind of CRS is none of the three"),
        ("project", "parallel-beyond-the-pole", {**china, "parallels": [25, 91]}, good, ["crs", "parallels"],
         "a standard parallel at 91 degrees"),
        ("project", "three-parallels", {**china, "parallels": [25, 36, 47]}, good, ["crs", "parallels"],
         "a cone has two standard parallels, three are given"),
        ("project", "flattening", {**china, "inverse_flattening": 0.5}, good, ["crs", "inverse_flattening"],
         "an inverse flattening of 0.5: the polar axis would be below 0"),
        ("project", "negative-axis", {**china, "a": -6378137.0}, good, ["crs"], "a semi-major axis below 0"),
        ("project", "no-latitudes", china, {"lon": [116.4], "latitude": [39.9]}, ["lat", "points"],
         "the column lat is missing"),
        ("project", "empty-latitude", china, {"lon": [116.4, 105.0], "lat": [39.9, NAN]}, ["lat", "points"],
         "an empty cell in lat, which must have a number"),
        ("project", "words", china, {"lon": ["116.4", "105E"], "lat": ["39.9", "35"]}, ["lon", "points"],
         "105E in lon is no number"),
        ("project", "infinite-longitude", china, {"lon": [math.inf], "lat": [39.9]}, ["lon", "points"],
         "an infinite longitude"),
        ("unproject", "no-cone", {"kind": "albers", "central_meridian": 105}, back, ["crs", "parallels"],
         "Albers without parallels: both 0, and there is no cone"),
        ("unproject", "no-y", china, {"x": [0.0], "northing": [4000000.0]}, ["y", "points"], "the column y is missing"),
        ("unproject", "infinite-x", china, {"x": [math.inf], "y": [4000000.0]}, ["x", "points"], "an infinite x"),
        ("unproject", "nan", china, {"x": [0.0, NAN], "y": [4000000.0, 0.0]}, ["x", "points"], "an empty cell in x"),
    ]  # fmt: skip
    return [
        suite.refused(f"{operation}-refuses-{name}", None, "raster", operation, ["D04", "Raster data"], fields, why,
                      {"points.csv": points}, {"crs": crs})
        for operation, name, crs, points, fields, why in rows
    ]  # fmt: skip


def cases() -> list[suite.Case]:
    """All of them."""
    return forward_cases() + backward_cases() + refused_cases()
