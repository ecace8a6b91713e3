"""Reference systems as WKT in its dialects; expected values by hand, from what each text says."""

import numpy as np
import pytest

from refimpl.earth.crs import CRS, IAG_1975, KRASOVSKY_1940
from refimpl.earth.epsg import crs_of_epsg, utm
from refimpl.earth.projection import ALBERS_CHINA, MODIS_SINUSOIDAL, WEB_MERCATOR, WGS84
from refimpl.errors import InputError
from refimpl.formats.geokeys import crs_from_geokeys
from refimpl.formats.wkt import crs_from_wkt
from refimpl.formats.wkt_tree import parse_wkt

DEGREE, GREENWICH = 'UNIT["Degree",0.0174532925199433]', 'PRIMEM["Greenwich",0.0]'
WGS_BODY = 'SPHEROID["WGS_1984",6378137.0,298.257223563]'


def geographic(datum="D_WGS_1984", body=WGS_BODY, meridian=GREENWICH, unit=DEGREE):
    return f'GEOGCS["GCS",DATUM["{datum}",{body}],{meridian},{unit}]'


KRASOVSKY = geographic("D_Krasovsky_1940", 'SPHEROID["Krasovsky_1940",6378245.0,298.3]')
BEIJING = geographic("D_Beijing_1954", 'SPHEROID["Krasovsky_1940",6378245.0,298.3]')
SPHERE = geographic("D_Unknown", 'SPHEROID["MODIS",6371007.181,0.0]')


def projected(method, earth=None, unit='UNIT["Meter",1.0]', after="", **parameters):
    given = "".join(f',PARAMETER["{name}",{value}]' for name, value in parameters.items())
    return f'PROJCS["P",{geographic() if earth is None else earth},PROJECTION["{method}"]{given},{unit}{after}]'


def albers(earth=None, south=25.0, north=47.0, meridian=105.0, origin=0.0, method="Albers", **more):
    return projected(
        method, earth, False_Easting=0.0, False_Northing=0.0, Central_Meridian=meridian, Standard_Parallel_1=south,
        Standard_Parallel_2=north, Latitude_Of_Origin=origin, **more,
    )  # fmt: skip


WEB = dict(False_Easting=0.0, False_Northing=0.0, Central_Meridian=0.0, Standard_Parallel_1=0.0)
PROJ4 = ',EXTENSION["PROJ4","+proj=merc +a=6378137 +b=6378137 +lat_ts=0 +lon_0=0 +nadgrids=@null +wktext"]'
UTM_2 = """PROJCRS["WGS 84 / UTM zone 50S",
    BASEGEOGCRS["WGS 84",ENSEMBLE["World Geodetic System 1984 ensemble",MEMBER["World Geodetic System 1984 (Transit)"],
        ELLIPSOID["WGS 84",6378137,298.257223563,LENGTHUNIT["metre",1]],ENSEMBLEACCURACY[2.0]],
        PRIMEM["Greenwich",0,ANGLEUNIT["degree",0.0174532925199433]],ID["EPSG",4326]],
    CONVERSION["UTM zone 50S",METHOD["Transverse Mercator",ID["EPSG",9807]],
        PARAMETER["Latitude of natural origin",0,ANGLEUNIT["degree",0.0174532925199433],ID["EPSG",8801]],
        PARAMETER["Longitude of natural origin",117,ANGLEUNIT["degree",0.0174532925199433],ID["EPSG",8802]],
        PARAMETER["Scale factor at natural origin",0.9996,SCALEUNIT["unity",1],ID["EPSG",8805]],
        PARAMETER["False easting",500000,LENGTHUNIT["metre",1]],PARAMETER["False northing",10,LENGTHUNIT["Mm",1e6]]],
    CS[Cartesian,2],AXIS["(E)",east,ORDER[1],LENGTHUNIT["metre",1]],AXIS["(N)",north,ORDER[2],LENGTHUNIT["metre",1]],
    USAGE[SCOPE["Navigation."],AREA["Between 114°E and 120°E."],BBOX[-80,114,0,120]],ID["EPSG",32750]]"""
XIAN_2015 = """GEODCRS["Xian 1980",DATUM["Xian 1980",ELLIPSOID["IAG 1975",6378140,298.257,LENGTHUNIT["metre",1]]],
    PRIMEM["Greenwich",0,ANGLEUNIT["degree",0.0174532925199433]],CS[ellipsoidal,2],
    AXIS["latitude",north,ORDER[1]],AXIS["longitude",east,ORDER[2]],ANGLEUNIT["degree",0.0174532925199433]]"""


def test_brackets_quotes_and_bare_words_are_read_as_the_standard_has_them():
    tree = parse_wkt(' A("say ""so""", -1.5e1,north, B[ .5 ]) ,C["left out"]', "a.prj")
    assert tree.keyword == "A" and tree.name == 'say "so"' and tree.values[1:3] == (-15.0, "north")
    assert tree.first("B").numbers == [0.5] and tree.first("C") is None


@pytest.mark.parametrize(
    "text, crs, datum",
    [
        (geographic(), WGS84, "WGS 84"),
        (geographic().replace("[", "(").replace("]", ")"), WGS84, "WGS 84"),
        (geographic(unit='UNIT["degree",0.01745329252]'), WGS84, "WGS 84"),
        (geographic("World Geodetic System 1984 (G1762)"), WGS84, "WGS 84"),
        (geographic("unknown"), WGS84, "WGS 84"),
        (geographic("Unknown based on WGS 84 ellipsoid"), WGS84, "WGS 84"),
        ("\n EPSG:4490 ", crs_of_epsg(4490), "CGCS2000"),
        (geographic("D_China_2000", 'SPHEROID["CGCS2000",6378137.0,298.257222101]'), WGS84, "CGCS2000"),
        (BEIJING, crs_of_epsg(4214), "Beijing 1954"),
        (KRASOVSKY, CRS("geographic", KRASOVSKY_1940), ""),
        (geographic("D_Xian_1980", 'SPHEROID["Xian_1980",6378140.0,298.257]'), crs_of_epsg(4610), "Xian 1980"),
        (XIAN_2015, CRS("geographic", IAG_1975, datum="Xian 1980"), "Xian 1980"),
        (SPHERE, CRS("geographic", (6371007.181, 0)), "any"),
        (geographic("D_Pulkovo_1942", 'SPHEROID["K",6378245.0,298.3],AUTHORITY["EPSG","6284"]'),
         CRS("geographic", KRASOVSKY_1940, datum="EPSG:6284"), "EPSG:6284"),
        (f'COMPD_CS["with heights",{geographic()},VERT_CS["h",VERT_DATUM["g",2005],UNIT["metre",1]]]', WGS84, "WGS 84"),
        (geographic() + ',VERTCS["EGM96",VDATUM["EGM96"],UNIT["Meter",1.0]]', WGS84, "WGS 84"),
        (f'BOUNDCRS[SOURCECRS[{BEIJING}],TARGETCRS[{geographic()}],ABRIDGEDTRANSFORMATION["t"]]', crs_of_epsg(4214),
         "Beijing 1954"),
        (albers(), ALBERS_CHINA, "WGS 84"),
        (albers(KRASOVSKY), CRS("albers", KRASOVSKY_1940, (25, 47), central_meridian=105), ""),
        (albers(south=15.0, north=65.0, meridian=95.0, origin=30.0, method="Albers_Conic_Equal_Area"),
         CRS("albers", parallels=(15, 65), latitude_of_origin=30, central_meridian=95), "WGS 84"),
        (projected("Sinusoidal", SPHERE, Central_Meridian=0.0), MODIS_SINUSOIDAL, "any"),
        (projected("Sinusoidal", longitude_of_center=100, false_easting=3),
         CRS("sinusoidal", central_meridian=100, false_easting=3), "WGS 84"),
        (projected("Mercator_Auxiliary_Sphere", **WEB, Auxiliary_Sphere_Type=0.0), WEB_MERCATOR, "WGS 84"),
        (projected("Mercator_1SP", central_meridian=0, scale_factor=1, after=PROJ4), WEB_MERCATOR, "WGS 84"),
        (projected("Mercator_1SP", central_meridian=0, after=',AUTHORITY["EPSG","3857"]'), WEB_MERCATOR, "WGS 84"),
        (projected("Mercator", geographic("u", 'SPHEROID["s",6378137,0]'), Central_Meridian=90.0),
         CRS("web_mercator", (6378137, 0), central_meridian=90), "any"),
        (UTM_2, utm(50, south=True), "WGS 84"),
        (projected("Gauss_Kruger", BEIJING, False_Easting=21500000.0, Central_Meridian=123.0, Scale_Factor=1.0),
         crs_of_epsg(21421), "Beijing 1954"),
        (projected("Transverse_Mercator", KRASOVSKY, Central_Meridian=75.0, False_Easting=500000.0,
                   after=',AUTHORITY["EPSG","21453"]'), crs_of_epsg(21453), "Beijing 1954"),
    ],
)  # fmt: skip
def test_a_text_is_the_system_that_it_describes(text, crs, datum):
    found = crs_from_wkt(text, "a.prj")
    assert found == crs and found.datum == datum


@pytest.mark.parametrize(
    "text, sentence",
    [
        (projected("Lambert_Conformal_Conic", Central_Meridian=105.0), "'Lambert_Conformal_Conic'.*gdalwarp"),
        (projected("Mercator_1SP", central_meridian=0), "Mercator other than Web Mercator"),
        (projected("Mercator_Auxiliary_Sphere", **WEB, Auxiliary_Sphere_Type=3.0), "'Auxiliary_Sphere_Type' 3"),
        (projected("Mercator_Auxiliary_Sphere", **WEB | {"Standard_Parallel_1": 30.0}), "parallels 30 and 30"),
        (albers(XY_Plane_Rotation=2.0), "'XY_Plane_Rotation' 2"),
        (projected("Sinusoidal", unit='UNIT["Foot_US",0.3048006096012192]'), "'Foot_US'.*expected metres"),
        (geographic(unit='UNIT["grad",0.015707963267948967]'), "'grad'.*expected degrees"),
        (projected("Sinusoidal", geographic(unit='UNIT["grad",0.0157079632]')), "'grad'.*expected degrees"),
        (geographic(meridian='PRIMEM["Paris",2.33722917]'), "not Greenwich"),
        (projected("Sinusoidal", unit='UNIT["Meter",1],AXIS["Y",SOUTH]'), "west or south"),
        (geographic("D_Hartebeesthoek_1994"), "'D_Hartebeesthoek_1994'.*WGS 84.*not known"),
        (albers(south=-30.0, north=30.0), "no cone"),
        (projected("Sinusoidal", after=',AUTHORITY["EPSG","32650"]'), "EPSG:32650.*another system"),
        (geographic()[:-1] + ',AUTHORITY["EPSG","4214"]]', "EPSG:4214.*another system"),
        (BEIJING[:-1] + ',AUTHORITY["EPSG","4326"]]', "EPSG:4326.*another system"),
        ("EPSG:2154", "EPSG:2154"),
        ('GEOCCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]]]', "a GEOCCS"),
        ('LOCAL_CS["unnamed",UNIT["metre",1]]', "a LOCAL_CS"),
        ('COMPD_CS["nothing"]', "a COMPD_CS"),
        (XIAN_2015.replace("ellipsoidal,2", "Cartesian,3"), "geocentric"),
        (geographic(body='SPHEROID["WGS_1984",6378137.0]'), "no datum with an ellipsoid"),
        (geographic(body='SPHEROID["WGS_1984",-6378137.0,298.257223563]'), "ellipsoid of -6.37814e"),
        (geographic(body='SPHEROID["WGS_1984",1e999,298.257223563]'), "ellipsoid of inf"),
        (albers(meridian="1e999"), "'Central_Meridian' has values"),
        (albers(longitude_of_center=1.0), "stands twice"),
        ('PROJCS["P",PROJECTION["Albers"]]', "no geographic system"),
        (geographic()[:-1], "not closed"),
        (geographic().replace("]", ")"), "not closed"),
        ('GEOGCS["a",]', "where a value should stand"),
        ('GEOGCS["a', "at character 8"),
        ("", "begins with ''"),
        ('A"["', "begins with"),
        ("Projection    ALBERS\nDatum         D_KRASOVSKY\n", "begins with 'Projection    ALBERS"),
        ("A[" * 40 + "]" * 40, "brackets 33 deep"),
        ("A[" + "1," * 200000 + "1]", "characters"),
    ],
)  # fmt: skip
def test_another_system_or_a_damaged_text_is_one_sentence(text, sentence):
    with pytest.raises(InputError, match=rf"(?s)^a\.prj: .*{sentence}") as fault:
        crs_from_wkt(text, "a.prj")
    assert "'gdal" in str(fault.value)


def test_what_arcgis_writes_into_a_citation_serves_where_the_keys_do_not():
    text = "ESRI PE String = " + albers(KRASOVSKY) + "|"
    for keys in ({1024: 32767, 3073: text}, {1024: 1, 3072: 32767, 1026: text}, {1024: 1, 3072: 102025, 3073: text}):
        assert crs_from_geokeys(keys, "a.tif") == CRS("albers", KRASOVSKY_1940, (25, 47), central_meridian=105)
    assert crs_from_geokeys({1024: 2, 2048: 4326, 2049: text}, "a.tif") == WGS84  # the keys suffice
    with pytest.raises(InputError, match="a.tif: .*'Robinson'"):
        crs_from_geokeys({1024: 32767, 3073: "ESRI PE String = " + projected("Robinson")}, "a.tif")


def test_mutated_texts_are_read_or_refused_in_one_sentence():
    random, seen = np.random.Generator(np.random.PCG64(5)), {"read": 0, "refused": 0}
    originals = [geographic(), albers(KRASOVSKY), UTM_2, XIAN_2015, projected("Mercator_1SP", after=PROJ4)]
    alphabet = list('[](),"0123456789.-+eE nan UNITDEGRSPHOL\0\né')
    for number in range(2000):
        text = list(originals[number % len(originals)])
        for _ in range(random.integers(1, 4)):
            at, how = int(random.integers(len(text))), random.integers(4)
            piece = text[at : at + int(random.integers(1, 30))]
            if how == 0:
                text[at] = alphabet[random.integers(len(alphabet))]
            elif how == 1:
                del text[at : at + len(piece)]
            elif how == 2:
                text[at:at] = piece
            else:
                text[at:at] = [alphabet[k] for k in random.integers(0, len(alphabet), 3)]
        try:
            assert isinstance(crs_from_wkt("".join(text), "a.prj"), CRS)
            seen["read"] += 1
        except InputError as fault:
            assert str(fault).startswith("a.prj: ") and "\n" not in str(fault)
            seen["refused"] += 1
    assert min(seen.values()) > 200  # both ends of the road are tried
