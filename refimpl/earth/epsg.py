"""EPSG codes of the reference systems that are usual for rasters of China and the world.

Section "Raster data".

- Geographic: WGS 84, CGCS2000, Beijing 1954 and Xian 1980.
- Web Mercator.
- UTM on WGS 84.
- Gauss-Krueger zones of China's three datums, 6 degrees wide (zones 13 to 23) or 3 degrees wide (zones 25 to 45).  Each
  zone has two codes: one with the zone's number before its false easting, and one without ("CM").

Source: the EPSG dataset; tests/peers compares each code with PROJ.
"""

from __future__ import annotations

from functools import cache

from refimpl.earth.crs import CRS, DATUMS

GEOGRAPHIC = {4326: "WGS 84", 4490: "CGCS2000", 4214: "Beijing 1954", 4610: "Xian 1980"}
"""Datums by the code of their geographic system."""

# For each width: the first code with zone numbers, the first code without them, degrees per zone.
_GAUSS_KRUEGER = {
    "CGCS2000": ((4491, 4502, 6), (4513, 4534, 3)),
    "Xian 1980": ((2327, 2338, 6), (2349, 2370, 3)),
    "Beijing 1954": ((21413, 21453, 6), (2401, 2422, 3)),
}


def utm(zone: int, south: bool = False, datum: str = "WGS 84") -> CRS:
    """Universal transverse Mercator, zones 1 to 60.

    >>> utm(50).describe()
    'transverse Mercator, meridian 117, scale 0.9996, false origin 500000, 0, WGS 84'
    """
    if zone not in range(1, 61):
        raise ValueError(f"UTM zone {zone}, expected 1 to 60")
    return _transverse(datum, 6 * zone - 183, 500000, 1e7 if south else 0, 0.9996)


def crs_of_epsg(code: int) -> CRS | None:
    """The CRS with this EPSG code; None for a code that is not known here.

    >>> crs_of_epsg(3857).describe(), crs_of_epsg(32733) == utm(33, south=True), crs_of_epsg(2154)
    ('Web Mercator, WGS 84', True, None)
    """
    return _table().get(code)


def epsg_of_crs(crs: CRS) -> int | None:
    """The EPSG code of ``crs`` with its datum; None if no code is known here.

    >>> epsg_of_crs(CRS("geographic")), epsg_of_crs(CRS("geographic", datum="CGCS2000")), epsg_of_crs(CRS("sinusoidal"))
    (4326, 4490, None)
    """
    return _codes().get((crs, crs.datum))  # equal CRS may differ in the name of their datum


@cache
def _table() -> dict[int, CRS]:
    table = {code: CRS("geographic", DATUMS[datum], datum=datum) for code, datum in GEOGRAPHIC.items()}
    table[3857] = CRS("web_mercator")
    table |= {32600 + 100 * south + zone: utm(zone, bool(south)) for south in (0, 1) for zone in range(1, 61)}
    for datum, families in _GAUSS_KRUEGER.items():
        for numbered, unnumbered, degrees in families:
            for place, meridian in enumerate(range(75, 136, degrees)):
                zone = (13 if degrees == 6 else 25) + place
                table[numbered + place] = _transverse(datum, meridian, zone * 1e6 + 500000)
                table[unnumbered + place] = _transverse(datum, meridian, 500000)
    return table


def _transverse(datum: str, meridian, easting, northing=0.0, scale=1.0) -> CRS:
    return CRS(
        "transverse_mercator",
        DATUMS[datum],
        central_meridian=meridian,
        false_easting=easting,
        false_northing=northing,
        scale=scale,
        datum=datum,
    )


@cache
def _codes() -> dict[tuple[CRS, str], int]:
    # A 6-degree zone without its number is also a 3-degree zone.  Reversed, so that the first code in the table wins.
    return {(crs, crs.datum): code for code, crs in reversed(_table().items())}
