"""GeoKeys in all their spellings, there and back; expected values by hand, from the OGC and EPSG registers."""

import numpy as np
import pytest

from refimpl.earth.crs import CRS, IAG_1975, KRASOVSKY_1940
from refimpl.earth.epsg import crs_of_epsg, epsg_of_crs, utm
from refimpl.earth.projection import ALBERS_CHINA, MODIS_SINUSOIDAL, WEB_MERCATOR, WGS84
from refimpl.errors import InputError
from refimpl.formats.geokey_directory import parse_geokeys
from refimpl.formats.geokeys import crs_from_geokeys, geokeys_from_crs

PE_STRING = 'ESRI PE String = PROJCS["WGS_1984_Web_Mercator_Auxiliary_Sphere",PROJECTION["Mercator_Auxiliary_Sphere"]]'
SPHERE_KEYS = {1024: 1, 2048: 32767, 2057: 6378137.0, 2058: 6378137.0, 3072: 32767, 3075: 7}
KRASOVSKY_KEYS = {2048: 32767, 2057: 6378245.0, 2059: 298.3}
GAUSS_KRUEGER_KEYS = {1024: 1, 3072: 32767, 3075: 1, 3080: 117.0, 3081: 0.0, 3082: 5e5, 3083: 0.0, 3092: 1.0}


def gauss_krueger(ellipsoid, meridian, easting, datum=""):
    return CRS(
        "transverse_mercator", ellipsoid, central_meridian=meridian, false_easting=easting, scale=1.0, datum=datum
    )


def read(keys):
    return crs_from_geokeys(keys, "a.tif")


@pytest.mark.parametrize(
    "code, crs, datum",
    [
        (4326, CRS("geographic"), "WGS 84"),
        (4490, CRS("geographic", datum="CGCS2000"), "CGCS2000"),
        (4214, CRS("geographic", KRASOVSKY_1940, datum="Beijing 1954"), "Beijing 1954"),
        (4610, CRS("geographic", IAG_1975, datum="Xian 1980"), "Xian 1980"),
        (3857, WEB_MERCATOR, "WGS 84"),
        (32601, CRS("transverse_mercator", central_meridian=-177, false_easting=5e5, scale=0.9996), "WGS 84"),
        (32650, CRS("transverse_mercator", central_meridian=117, false_easting=5e5, scale=0.9996), "WGS 84"),
        (32760, CRS("transverse_mercator", (6378137, 298.257223563), (0, 0), 0, 177, 5e5, 1e7, 0.9996), "WGS 84"),
        (4528, gauss_krueger(WGS84.ellipsoid, 120, 40.5e6), "CGCS2000"),
        (4547, gauss_krueger(WGS84.ellipsoid, 114, 5e5), "CGCS2000"),
        (2401, gauss_krueger(KRASOVSKY_1940, 75, 25.5e6, "Beijing 1954"), "Beijing 1954"),
        (21453, gauss_krueger(KRASOVSKY_1940, 75, 5e5, "Beijing 1954"), "Beijing 1954"),
        (2333, gauss_krueger(IAG_1975, 111, 19.5e6, "Xian 1980"), "Xian 1980"),
    ],
)
def test_an_epsg_code_is_read_and_written(code, crs, datum):
    model, key = (2, 2048) if crs.kind == "geographic" else (1, 3072)
    found = read({1024: model, key: code})
    assert found == crs and found.datum == datum and epsg_of_crs(found) == code
    written = parse_geokeys(*geokeys_from_crs(found), "a.tif")
    assert written[key] == code and read(written) == crs and read(written).datum == datum
    assert 2057 not in written and 3075 not in written


def test_codes_that_stand_for_one_map_are_written_as_the_first():
    # Gauss-Krueger with meridian 75, as one of 6 degrees (4502) and of 3 (4534).
    assert crs_of_epsg(4502) == crs_of_epsg(4534) and epsg_of_crs(crs_of_epsg(4534)) == 4502
    assert crs_of_epsg(4555) is None and crs_of_epsg(32661) is None and crs_of_epsg(32767) is None


@pytest.mark.parametrize(
    "keys, crs",
    [
        ({1024: 2, 2048: 32767, 2056: 7024}, CRS("geographic", KRASOVSKY_1940)),
        ({1024: 2, 2048: 4024}, CRS("geographic", KRASOVSKY_1940)),
        ({1024: 2, 2048: 4030}, WGS84),
        ({1024: 2, 2048: 32767, 2050: 6326}, WGS84),
        ({1024: 2, **KRASOVSKY_KEYS, 2050: 6214}, crs_of_epsg(4214)),
        ({1024: 2, **KRASOVSKY_KEYS, 2050: 6284}, CRS("geographic", KRASOVSKY_1940, datum="EPSG:6284")),
        ({1024: 2, **KRASOVSKY_KEYS, 2050: 6024}, CRS("geographic", KRASOVSKY_1940)),
        ({1024: 2, **KRASOVSKY_KEYS, 2049: "GCS_Beijing_1954"}, crs_of_epsg(4214)),
        ({1024: 2, 2048: 32767, 2056: 7049, 2049: "Datum = D_Xian_1980"}, crs_of_epsg(4610)),
        ({1024: 2, 2048: 32767, 2057: 6378137.0, 2059: 298.257222101, 2049: "D_China_2000"}, crs_of_epsg(4490)),
        ({1024: 2, 2048: 32767, 2057: 6378137.0, 2058: 6356752.3142}, WGS84),  # the axis rounded to 0.1 mm
        ({1024: 2, 2048: 32767, 2057: 6378137.0, 2058: 6356752.3141}, CRS("geographic", (6378137, 298.257222101))),
        ({1024: 2, 2048: 4326, 2054: 32767, 2055: 0.0174532925199433}, WGS84),
        ({1024: 2, 2048: 4326, 2054: 9122}, WGS84),
        ({1024: 1, 2048: 4326, 3074: 16050}, utm(50)),
        ({1024: 1, **KRASOVSKY_KEYS, 3072: 32767, 3074: 16150},
         CRS("transverse_mercator", KRASOVSKY_1940, (0, 0), 0, 117, 5e5, 1e7, 0.9996)),
        ({**KRASOVSKY_KEYS, **GAUSS_KRUEGER_KEYS}, gauss_krueger(KRASOVSKY_1940, 117, 5e5)),
        ({2048: 4490, **GAUSS_KRUEGER_KEYS, 3081: 10.0, 3092: 0.9999},
         CRS("transverse_mercator", latitude_of_origin=10, central_meridian=117, false_easting=5e5, scale=0.9999)),
        (SPHERE_KEYS, CRS("web_mercator", (6378137, 0))),
        ({**SPHERE_KEYS, 3080: 100.0, 3092: 1.0, 3082: 7.0},
         CRS("web_mercator", (6378137, 0), central_meridian=100, false_easting=7)),
        ({1024: 32767, 2048: 4326, 3072: 32767, 3073: PE_STRING, 3075: 7, 3080: 0.0, 3092: 1.0}, WEB_MERCATOR),
        ({1024: 1, 3072: 3857, 4096: 5773}, WEB_MERCATOR),  # a height system beside it does not matter
    ],
)  # fmt: skip
def test_user_defined_systems_are_read_in_all_their_spellings(keys, crs):
    found = read(keys)
    assert found == crs
    assert epsg_of_crs(crs) is None or found.datum == crs.datum


@pytest.mark.parametrize(
    "keys, sentence",
    [
        ({1024: 1, 3072: 5070}, "its system is EPSG:5070, expected geographic, Albers.*UTM.*gdalwarp -t_srs EPSG:4326"),
        ({1024: 1, 3072: 32661}, "its system is EPSG:32661"),  # UPS, not UTM
        ({1024: 1, 3072: 32650, 3076: 9002}, r"not in metres \(unit 9002\)"),
        ({1024: 1, 3072: 4326}, "its system is EPSG:4326"),  # no projected system
        ({1024: 1, 2048: 4326, 3075: 8}, r"a projection of GeoTIFF method 8 \(Lambert conformal conic\), expected"),
        ({1024: 1, 2048: 4326, 3074: 16061}, "a projection of GeoTIFF method None"),
        ({1024: 1, 2048: 4269, 3074: 16050}, "geographic system is EPSG:4269"),
        ({1024: 1, 2048: 4326, 3075: 7, 3080: 0.0}, "a Mercator other than Web Mercator"),
        ({**SPHERE_KEYS, 3078: 20.0}, "a Mercator other than Web Mercator"),
        ({**SPHERE_KEYS, 3092: 0.9}, "a Mercator other than Web Mercator"),
        ({**GAUSS_KRUEGER_KEYS, 2048: 4326, 3076: 9002}, r"not in metres \(unit 9002\)"),
        ({**GAUSS_KRUEGER_KEYS, 2048: 4326, 3092: 0.0}, "cannot be used .scale 0.0"),
        ({**GAUSS_KRUEGER_KEYS, 2048: 4326, 3080: "east"}, "GeoKey 3080 is 'east', expected a finite number"),
        ({**GAUSS_KRUEGER_KEYS, 2048: 4326, 3082: np.nan}, "GeoKey 3082 is nan, expected a finite number"),
        ({1024: 2, 2048: 32767, 2057: "wide", 2059: 298.3}, "GeoKey 2057 is 'wide'"),
        ({1024: 2, 2048: 4326, 2054: 9101}, "not degrees"),
        ({1024: 32767, 2048: 4326, 3075: 7}, "no coordinate reference system"),
    ],
)
def test_what_is_not_understood_gets_one_sentence_with_the_cure(keys, sentence):
    with pytest.raises(InputError, match="^a.tif: .*" + sentence) as caught:
        read(keys)
    assert "gdal" in str(caught.value) and "\n" not in str(caught.value)


WRITTEN = [
    ALBERS_CHINA,
    MODIS_SINUSOIDAL,
    CRS("geographic", KRASOVSKY_1940),
    CRS("geographic", KRASOVSKY_1940, datum="EPSG:6284"),
    CRS("geographic", (6371000.0, 0.0)),
    CRS("albers", KRASOVSKY_1940, (25, 47), 12, 110, 4e6, 5e5),
    CRS("albers", datum="CGCS2000", parallels=(20, 50), central_meridian=100),
    CRS("albers", IAG_1975, (25, 47), datum="Xian 1980"),
    CRS("sinusoidal", central_meridian=100, false_northing=-3),
    CRS("transverse_mercator", KRASOVSKY_1940, (0, 0), 30, 111, 1e5, -2e5, 0.9999),
    CRS("transverse_mercator", central_meridian=117, false_easting=5e5, scale=0.9996, datum="CGCS2000"),
    CRS("web_mercator", (6378137, 0), central_meridian=90, false_easting=-10),
]


@pytest.mark.parametrize("crs", WRITTEN, ids=lambda crs: crs.describe())
def test_user_defined_systems_are_written_and_read_back_with_their_datum(crs):
    directory, doubles, text = geokeys_from_crs(crs)
    keys = parse_geokeys(directory, doubles, text, "a.tif")
    found = read(keys)
    assert found == crs and found.datum == crs.datum
    assert list(directory[4::4]) == sorted(keys)  # the standard asks for ascending keys
    assert keys[2048 if crs.kind == "geographic" else 3072] == 32767


def test_a_datum_that_was_ignored_is_not_written():
    ignored = crs_of_epsg(4214).on_any_datum()
    assert read(parse_geokeys(*geokeys_from_crs(ignored), "a.tif")) == CRS("geographic", KRASOVSKY_1940)


def test_a_damaged_directory_ends_in_a_crs_or_a_sentence():
    random, refused = np.random.Generator(np.random.PCG64(5)), 0
    for crs in [*WRITTEN, utm(50), WGS84]:
        directory, doubles, text = geokeys_from_crs(crs)
        for _ in range(300):
            broken = list(directory)
            for place in random.integers(0, len(broken), 2):
                broken[place] = int(random.choice([0, 1, 2, 7, 4326, 32767, 34736, 34737, 65535]))
            try:
                assert isinstance(read(parse_geokeys(broken, doubles, text, "a.tif")), CRS)
            except InputError as fault:
                assert str(fault).startswith("a.tif: ")
                refused += 1
    assert refused > 500
