"""What stands beside a raster, PNGs, alpha bands and foreign formats; expected values by hand."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from refimpl.earth.crs import CRS, KRASOVSKY_1940
from refimpl.earth.epsg import crs_of_epsg
from refimpl.earth.projection import WGS84
from refimpl.errors import DataWarning, InputError
from refimpl.formats.facts import file_facts, told_facts
from refimpl.formats.geotiff import open_raster, read_raster
from tests.tiff_writer import GEO, tiff

VALUES = np.arange(6, dtype=np.float32).reshape(2, 3)
PLAIN = {33550: None, 33922: None, 34735: None}
"""A TIFF that says nothing of its place."""
TFW = "0.5\n0\n0\n-0.25\n100.25\n39.875\n"
PLACE, AUX_PLACE = (100.0, 40.0, 0.5, -0.25), (5.0, 6.0, 2.0, -2.0)
BEIJING = (
    'GEOGCS["GCS_Beijing_1954",DATUM["D_Beijing_1954",SPHEROID["Krasovsky_1940",6378245.0,298.3]],'
    'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
)
AUX = "<PAMDataset><SRS>EPSG:4490</SRS><GeoTransform>5, 2, 0, 6, 0, -2</GeoTransform></PAMDataset>"
ESRI = (
    '<PAMDataset><SRS>EPSG:4490</SRS><Metadata domain="xml:ESRI" format="xml"><GeodataXform '
    'xsi:type="typens:IdentityXform" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><SpatialReference><WKT>'
    + BEIJING.replace('"', "&quot;")
    + "</WKT></SpatialReference></GeodataXform></Metadata></PAMDataset>"
)


def lay(folder, content, **files):
    """a.tif or a.png, and beside it files by their ending: tfw="...", aux="..." for a.tif.aux.xml."""
    name = "a.png" if content[:4] == b"\x89PNG" else "a.tif"
    (folder / name).write_bytes(content)
    for ending, text in files.items():
        beside = folder / (name + ".aux.xml" if ending == "aux" else f"a.{ending}")
        beside.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder / name


def refused(path, sentence):
    with pytest.raises(InputError, match=f"(?s){sentence}") as fault:
        read_raster(path)
    assert str(fault.value).startswith(str(path.parent)) and "\n" not in str(fault.value)


def band(*words, number=1):
    return f'<PAMDataset><PAMRasterBand band="{number}">{"".join(words)}</PAMRasterBand></PAMDataset>'


def png(values, mode=None, **options):
    file = io.BytesIO()
    (Image.fromarray(np.asarray(values)) if mode is None else values).save(file, "PNG", **options)
    return file.getvalue()


@pytest.mark.parametrize("ending", ["tfw", "TFW", "tifw", "TIFW", "wld", "WLD"])
def test_a_world_file_and_a_prj_place_a_plain_tiff(tmp_path, ending):
    raster = read_raster(lay(tmp_path, tiff(VALUES, tags=PLAIN), **{ending: TFW}, prj=BEIJING))
    assert raster.grid.transform == PLACE and raster.grid.crs == crs_of_epsg(4214)
    assert raster.values.tolist() == VALUES.tolist()


def test_a_south_up_world_file_flips_the_rows(tmp_path):
    south_up = "0.5\r\n0\r\n0\r\n0.25\r\n100.25\r\n39.625\r\n\x1a"
    raster = read_raster(lay(tmp_path, tiff(VALUES, tags=PLAIN), tfw=south_up, prj="EPSG:4326"))
    assert raster.grid.transform == PLACE and raster.values.tolist() == [[3, 4, 5], [0, 1, 2]]


@pytest.mark.parametrize(
    "tags, files, place, crs",
    [
        ({}, dict(tfw=TFW, prj=BEIJING), (100, 40, 0.5, -0.25), WGS84),
        ({}, dict(tfw=TFW, aux=AUX), AUX_PLACE, crs_of_epsg(4490)),
        ({}, dict(aux=ESRI), (100, 40, 0.5, -0.25), crs_of_epsg(4214)),
        (PLAIN, dict(tfw=TFW, aux=AUX, prj=BEIJING), AUX_PLACE, crs_of_epsg(4490)),
        (PLAIN | {34735: (3, GEO[34735][1])}, dict(tfw=TFW, prj=BEIJING), PLACE, WGS84),
        ({34735: (3, [1, 1, 0, 1, 1025, 0, 1, 1])}, dict(prj=BEIJING), (100, 40, 0.5, -0.25), crs_of_epsg(4214)),
        ({34735: None}, dict(prj="\ufeff" + BEIJING), (100, 40, 0.5, -0.25), crs_of_epsg(4214)),
        ({34735: None}, dict(PRJ=BEIJING), (100, 40, 0.5, -0.25), crs_of_epsg(4214)),
    ],
)
def test_the_aux_xml_goes_before_the_file_and_the_file_before_world_file_and_prj(tmp_path, tags, files, place, crs):
    grid = read_raster(lay(tmp_path, tiff(VALUES, tags=tags), **files)).grid
    assert grid.transform == place and grid.crs == crs and grid.crs.datum == crs.datum


@pytest.mark.parametrize(
    "tags, files, names",
    [
        ({}, dict(tfw=TFW, prj=BEIJING), ["a.tfw", "a.prj"]),
        (PLAIN, dict(tfw=TFW, prj=BEIJING), []),
        (PLAIN, dict(tfw=TFW, aux=AUX), ["a.tfw"]),
        (PLAIN, dict(tfw=TFW, prj=BEIJING, aux=ESRI), ["a.prj"]),
        ({34735: None}, dict(tfw=TFW, prj=BEIJING), ["a.tfw"]),
    ],
)
def test_a_side_file_that_is_not_looked_at_is_named(tmp_path, tags, files, names):
    assert told_facts(lay(tmp_path, tiff(VALUES, tags=tags), **files), 1, "float32")["overruled"] == names


def test_a_pixel_is_point_is_shifted_by_the_files_own_place_alone(tmp_path):
    keys = {34735: (3, [1, 1, 0, 3, 1024, 0, 1, 2, 1025, 0, 1, 2, 2048, 0, 1, 4326])}
    own = read_raster(lay(tmp_path, tiff(VALUES, tags=keys)))
    assert own.grid.transform == (99.75, 40.125, 0.5, -0.25)
    named = AUX.replace("<GeoTransform>5, 2, 0, 6, 0, -2</GeoTransform>", "")
    assert read_raster(lay(tmp_path, tiff(VALUES, tags=keys), aux=named)).grid.transform == own.grid.transform
    assert read_raster(lay(tmp_path, tiff(VALUES, tags=keys), aux=AUX)).grid.transform == AUX_PLACE
    (tmp_path / "a.tif.aux.xml").unlink()
    beside = read_raster(lay(tmp_path, tiff(VALUES, tags=keys | {33550: None, 33922: None}), tfw=TFW))
    assert beside.grid.transform == PLACE and beside.grid.crs == WGS84


def test_nodata_scale_and_unit_beside_the_file_go_before_its_own(tmp_path):
    own = b'<a><Item sample="0" role="scale">4</Item><Item sample="0" role="offset">9</Item></a>\0'
    content = tiff(VALUES, tags={42113: (2, b"5\0"), 42112: (2, own)})
    raster = read_raster(lay(tmp_path, content))
    assert raster.values.tolist() == [[9, 13, 17], [21, 25, 0]]
    raster = read_raster(lay(tmp_path, content, aux=band("<NoDataValue>3</NoDataValue><UnitType>a&lt;b</UnitType>")))
    assert raster.values.tolist() == [[9, 13, 17], [0, 25, 29]] and raster.units == "a<b"
    # Scale and offset belong together: one alone sets the other to its default.
    raster = read_raster(lay(tmp_path, content, aux=band("<Offset>100</Offset>")))
    assert raster.values.tolist() == [[100, 101, 102], [103, 104, 0]]
    raster = read_raster(lay(tmp_path, content, aux=band("<Scale>1</Scale>")))
    assert raster.values.tolist() == [[0, 1, 2], [3, 4, 0]] and raster.values.dtype == np.float32
    exact = '<NoDataValue le_hex_equiv="0000000000000840">2.9999999</NoDataValue>'  # 3.0 by its bits
    assert not read_raster(lay(tmp_path, content, aux=band(exact))).valid[1, 0]
    two = np.stack([VALUES, VALUES])
    path = lay(tmp_path, tiff(two), aux=band("<NoDataValue>1</NoDataValue>", number=2))
    assert read_raster(path).valid.all()
    assert read_raster(path, band=2).valid.tolist() == [[True, False, True], [True] * 3]


def test_what_else_an_aux_xml_holds_is_passed_over(tmp_path):
    more = "<Histograms><HistItem><HistMin>1</HistMin></HistItem></Histograms><Metadata><MDI key='a'>b</MDI></Metadata>"
    more += "<GDALRasterAttributeTable><Row index='0'><F>1</F></Row></GDALRasterAttributeTable>"
    text = "\ufeff<?xml version='1.0'?><!-- x -->" + band(more, "<NoDataValue></NoDataValue>")
    raster = read_raster(lay(tmp_path, tiff(VALUES), aux=text))
    assert raster.valid.all() and raster.grid.crs == WGS84


@pytest.mark.parametrize(
    "tags, files, sentence",
    [
        (PLAIN, dict(tfw=TFW), "a.tfw says where.*nothing names.*a.prj beside it.*gdal_translate -a_srs"),
        (PLAIN, dict(aux=AUX.replace("<SRS>EPSG:4490</SRS>", "")), "a.tif.aux.xml says where.*a.prj"),
        ({}, dict(aux="<PAMDataset><SRS></SRS></PAMDataset>"), "no coordinate reference system"),
        (PLAIN, dict(prj=BEIJING), "does not say where its pixels lie.*no world file"),
        (PLAIN, dict(tfw=TFW.replace(".", ","), prj=BEIJING), "a.tfw: has a comma.*with points"),
        (PLAIN, dict(tfw="0.5\n0\n0\n-0.25\n100\n", prj=BEIJING), "a.tfw: expected six numbers"),
        (PLAIN, dict(tfw="0.5 0 0 -0.25 100 40", prj=BEIJING), "a.tfw: expected six numbers"),
        (PLAIN, dict(tfw="a\nb\nc\nd\ne\nf", prj=BEIJING), "a.tfw: expected six numbers"),
        (PLAIN, dict(tfw=b"", prj=BEIJING), "a.tfw: expected six numbers"),
        (PLAIN, dict(tfw=TFW.replace("100.25", "nan"), prj=BEIJING), "a.tfw: .*not finite"),
        (PLAIN, dict(tfw=TFW.replace("0.5\n0\n", "0.5\n0.1\n"), prj=BEIJING), "a.tif: is rotated"),
        (PLAIN, dict(tfw=TFW.replace("0.5\n", "-0.5\n", 1), prj=BEIJING), "a.tif: cells of -0.5"),
        (PLAIN, dict(tfw=TFW, prj="hello"), "a.prj: cannot be read as the WKT"),
        (PLAIN, dict(tfw=TFW, prj=b"\xff\xfeG\0E\0O\0"), "a.prj: cannot be read as the WKT"),
        ({}, dict(aux="<PAMDataset>"), "a.tif.aux.xml: cannot be read.*no element found"),
        ({}, dict(aux="<Other/>"), "a.tif.aux.xml: cannot be read.*PAMDataset"),
        ({}, dict(aux=b"\xff\xfe<\0"), "a.tif.aux.xml: cannot be read"),
        ({}, dict(aux="<!DOCTYPE a [<!ENTITY b 'c'>]><PAMDataset/>"), "a.tif.aux.xml: .*document type"),
        ({}, dict(aux="<PAMDataset><GeoTransform>1,2,3</GeoTransform></PAMDataset>"), "a.tif.aux.xml: .*six numbers"),
        ({}, dict(aux="<PAMDataset><GeoTransform>1,2,3,4,5,inf</GeoTransform></PAMDataset>"), "six numbers"),
        ({}, dict(aux="<PAMDataset>" + "<a>" * 70 + "</a>" * 70 + "</PAMDataset>"), "a.tif.aux.xml: .*65 deep"),
        ({}, dict(aux="<PAMDataset><SRS>EPSG:2154</SRS></PAMDataset>"), "a.tif.aux.xml: its system is EPSG:2154"),
        ({}, dict(aux=band("<NoDataValue>1,5</NoDataValue>")), "a.tif: its nodata value is '1,5'"),
        ({}, dict(aux=band("<NoDataValue le_hex_equiv='zz00000000000840'>1</NoDataValue>")), "a.tif.aux.xml: cannot"),
        ({}, dict(aux=band("<Scale>zzz</Scale>")), "a.tif: its GDAL metadata cannot be read.*zzz"),
    ],
)  # fmt: skip
def test_a_side_file_that_cannot_serve_is_one_sentence(tmp_path, tags, files, sentence):
    refused(lay(tmp_path, tiff(VALUES, tags=tags), **files), sentence)


def read_png(folder, content, **options):
    return read_raster(lay(folder, content, pgw=TFW, prj="EPSG:4326"), **options)


def test_a_png_is_read_with_its_side_files_and_windows(tmp_path):
    values = np.array([[7, 300, 65535], [0, 1, 2]], np.uint16)
    raster = read_png(tmp_path, png(values))
    assert raster.values.dtype == np.uint16 and np.array_equal(raster.values, values) and raster.valid.all()
    assert raster.grid.transform == PLACE and raster.grid.crs == WGS84
    with open_raster(tmp_path / "a.png", units="K") as file:
        part = file.part((1, 2, 1, 3))
        assert (file.grid.shape, file.dtype, file.units) == ((2, 3), np.dtype(np.uint16), "K")
    assert part.values.tolist() == [[1, 2]] and part.grid.transform == (100.5, 39.75, 0.5, -0.25)
    # With a PNG, GDAL takes the place from the world file even where the .aux.xml has one.
    lay(tmp_path, png(values), aux=AUX.replace("<SRS>", "<PAMRasterBand band='1'><NoDataValue>7</NoDataValue>"
        "<Scale>2</Scale></PAMRasterBand><SRS>"))  # fmt: skip
    raster = read_raster(tmp_path / "a.png")
    assert raster.values.tolist() == [[0, 600, 131070], [0, 2, 4]] and raster.valid.sum() == 5
    assert raster.grid.transform == PLACE and raster.grid.crs.datum == "CGCS2000"
    with open_raster(tmp_path / "a.png") as file:
        assert file.nodata == 7
    lay(tmp_path, png(values), prj=BEIJING).with_name("a.png.aux.xml").unlink()
    with pytest.warns(DataWarning, match="a.png: the datum"):
        assert read_raster(tmp_path / "a.png", ignore_datum=True).grid.crs.datum == "any"


def test_palette_numbers_are_the_values_and_what_is_transparent_is_invalid(tmp_path):
    classes = Image.fromarray(np.array([[3, 0, 9], [1, 2, 3]], np.uint8), "P")
    classes.putpalette([5] * 30)
    assert read_png(tmp_path, png(classes, "P")).values.tolist() == [[3, 0, 9], [1, 2, 3]]
    raster = read_png(tmp_path, png(classes, "P", transparency=bytes([0, 255, 9, 0])))
    assert raster.valid.tolist() == [[False, False, True], [True, True, False]] and raster.values[0, 0] == 0
    assert read_png(tmp_path, png(classes, "P", bits=4)).values.tolist() == [[3, 0, 9], [1, 2, 3]]
    raster = read_png(tmp_path, png(np.array([[3, 0, 9]], np.uint8), transparency=3))
    assert raster.valid.tolist() == [[False, True, True]]


def test_colours_are_bands_and_alpha_masks_them(tmp_path):
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    pixels[0, 1, 3] = 0
    content = png(pixels)
    third = read_png(tmp_path, content, band=3)
    assert third.values.tolist() == [[2, 0, 10], [14, 18, 22]]
    assert third.valid.tolist() == [[True, False, True], [True] * 3]
    alpha = read_png(tmp_path, content, band=4)
    assert alpha.valid.all() and alpha.values.tolist() == [[3, 0, 11], [15, 19, 23]]
    opaque = read_png(tmp_path, png(pixels[..., :3], transparency=(0, 1, 2)))
    assert opaque.valid.tolist() == [[False, True, True], [True] * 3]
    grey = read_png(tmp_path, png(pixels[..., 2:]))
    assert grey.values.tolist() == [[2, 0, 10], [14, 18, 22]] and not grey.valid[0, 1]
    with pytest.raises(InputError, match="a.png: has no band 5, it has 4"):
        read_png(tmp_path, content, band=5)


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def by_hand(width, height, depth, colour, rows, extra=b""):
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_greys_of_few_bits_are_as_stored(tmp_path):
    # Rows of three pixels: a filter byte (none), then 1, 2 or 4 bits each, the first in the high bits.
    assert read_png(tmp_path, by_hand(3, 2, 1, 0, b"\0\xa0\0\x40")).values.tolist() == [[1, 0, 1], [0, 1, 0]]
    assert read_png(tmp_path, by_hand(3, 2, 2, 0, b"\0\x1b\0\xc6")).values.tolist() == [[0, 1, 2], [3, 0, 1]]
    assert read_png(tmp_path, by_hand(3, 2, 4, 0, b"\0\x7f\x10\0\x03\xe0")).values.tolist() == [[7, 15, 1], [0, 3, 14]]
    clear = chunk(b"tRNS", b"\0\x02")
    assert read_png(tmp_path, by_hand(3, 1, 2, 0, b"\0\x1b", clear)).valid.tolist() == [[True, True, False]]


@pytest.mark.parametrize(
    "content, sentence",
    [
        (by_hand(1, 1, 16, 2, bytes(7)), "16 bits, expected 8"),
        (by_hand(0, 1, 8, 0, b""), "0 columns"),
        (by_hand(1, 1, 3, 0, bytes(2)), "3 bits"),
        (by_hand(1, 1, 8, 3, bytes(2)), "no palette"),
        (by_hand(40000, 40000, 8, 0, bytes(9)), "claim to hold 1600000000"),
        (by_hand(20, 20, 8, 0, bytes(9)), "cannot be read as a PNG"),
        (by_hand(2, 2, 8, 0, b"\x09\0\0\x09\0\0"), "cannot be read as a PNG"),
        (by_hand(2, 2, 8, 0, bytes(6))[:-12], "missing or stands twice"),
        (by_hand(2, 2, 8, 0, bytes(6))[:-5], "cut short"),
        (by_hand(2, 2, 8, 0, bytes(6)).replace(b"IHDR\0\0\0\2", b"IHDR\0\0\0\3"), "checksum of chunk 'IHDR'"),
        (b"\x89PNG\r\n\x1a\n", "missing"),
    ],
)
def test_a_png_that_cannot_be_true_is_one_sentence(tmp_path, content, sentence):
    refused(lay(tmp_path, content, pgw=TFW, prj="EPSG:4326"), f"a.png: .*{sentence}")


def test_a_png_larger_than_allowed_is_refused_before_it_is_decoded(tmp_path):
    path = lay(tmp_path, png(np.zeros((30, 40), np.uint8)), pgw=TFW, prj="EPSG:4326")
    assert read_raster(path, most_bytes=1200).values.shape == (30, 40)
    with pytest.raises(InputError, match="a.png: takes 1200 bytes.*REFIMPL_MOST_BYTES"):
        read_raster(path, most_bytes=1199)
    refused(lay(tmp_path, png(np.zeros((30, 40), np.uint8)), pgw="no"), "a.pgw: expected six numbers")


@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_an_alpha_band_masks_the_others(tmp_path, dtype, separate):
    values = np.arange(24, dtype=dtype).reshape(4, 2, 3)
    values[3] = [[255, 0, 1], [255, 255, 0]]
    tags = {338: (3, [0, 2])}
    path = lay(tmp_path, tiff(values, "deflate", tags=tags, separate=separate))
    first = read_raster(path)
    assert first.valid.tolist() == [[True, False, True], [True, True, False]]
    assert first.values.tolist() == [[0, 0, 2], [3, 4, 0]]
    assert read_raster(path, band=4).valid.all()
    with open_raster(path, band=2) as file:
        assert file.part((1, 2, 1, 3)).valid.tolist() == [[True, False]]
    assert read_raster(lay(tmp_path, tiff(values, tags={338: (3, [0])}))).valid.all()
    assert read_raster(lay(tmp_path, tiff(values[:1], tags={338: (3, [2])}))).valid.all()  # nothing to mask


@pytest.mark.parametrize("codec", ["none", "deflate"])
def test_a_mask_file_marks_what_is_invalid(tmp_path, codec):
    path = lay(tmp_path, tiff(np.stack([VALUES + 1, VALUES + 7]), codec))
    beside = tmp_path / "a.tif.msk"
    beside.write_bytes(tiff(np.array([[0, 255, 1], [255, 0, 255]], np.uint8), codec))
    expected = [[False, True, True], [True, False, True]]
    for band in (1, 2):
        raster = read_raster(path, band=band)
        assert raster.valid.tolist() == expected and raster.values[0, 0] == 0
    beside.write_bytes(tiff(np.array([[[1] * 3] * 2, [[0, 1, 1], [1, 0, 1]]], np.uint8), codec))
    assert read_raster(path).valid.all() and read_raster(path, band=2).valid.tolist() == expected
    with open_raster(path, band=2) as file:
        assert file.part((1, 2, 0, 2)).valid.tolist() == [[True, False]]
    beside.write_bytes(tiff(np.ones((3, 3), np.uint8)))
    refused(path, "a.tif.msk: has 3 rows and 3 columns")
    beside.write_bytes(b"no")
    refused(path, "a.tif.msk: cannot be read")


@pytest.mark.parametrize(
    "name, content, sentence",
    [
        ("a.tif", b"", "is empty.*again"),
        ("vnl.tif.gz", b"\x1f\x8b\x08\0", "gzip.*gunzip -c .*vnl.tif.gz > OUT.tif"),
        ("a.zip", b"PK\3\4\0", "zip.*unzip"),
        ("a.tif", b"BZh91AY", "bzip2"),
        ("a.tif", b"\xfd7zXZ\0", "by xz"),
        ("a.tar", bytes(257) + b"ustar\0", "tar archive"),
        ("a.nc", b"CDF\x01\0", "is NetCDF, .*gdal_translate NETCDF:.*a.nc:VARIABLE OUT.tif"),
        ("ffdas.nc", b"\x89HDF\r\n\x1a\n", "NetCDF-4 or HDF5.*NETCDF:.*HDF5:.*ffdas.nc://DATASET"),
        ("MCD12Q1.hdf", b"\x0e\x03\x13\x01", "HDF4.*gdalinfo.*HDF4_EOS:EOS_GRID:.*MCD12Q1.hdf:MCD12Q1:LC_Type1"),
        ("a.jp2", b"\0\0\0\x0cjP  \r\n", "JPEG 2000"),
        ("a.jpg", b"\xff\xd8\xff\xe0", "is JPEG, "),
        ("a.img", b"EHFA_HEADER_TAG\0", "ERDAS.*gdal_translate .*a.img OUT.tif"),
        ("a.vrt", b'<VRTDataset rasterXSize="2">', "is a VRT"),
        ("a.tif", b"\n<!DOCTYPE html><html>", "web page"),
        ("a.tif", b"<HTML><body>Sign in", "web page"),
        ("a.tif", b'<?xml version="1.0"?><Error><Code>AccessDenied', "XML"),
        ("a.tif.aux.xml", b"<PAMDataset>", "the raster itself"),
        ("a.tif", b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS.*git lfs pull"),
        ("a.hdr", b"ENVI\nsamples = 3\n", "ENVI"),
        ("a.hdr", b"BYTEORDER      I\nLAYOUT       BIL\nNROWS  3\n", "BIL"),
        ("a.asc", b"ncols 3\nnrows 4\nnbits 8\n", "ASCII grid"),
        ("a.asc", b"ncols 3\nnrows 4\nxllcorner 73.0\nyllcorner 18.0\ncellsize 1\n1 2 3\n", "ASCII grid"),
        ("a.csv", "code,province\n11,\u5317\u4eac\n".encode(), "text, not a raster"),
        ("a.geojson", b'{"type": "FeatureCollection"', "JSON"),
        ("a.prj", BEIJING.encode(), "is the .prj"),
        ("w001001.adf", b"\0\0\x27\x0a\xff\xff", "ESRI GRID.*gdal_translate"),
    ],
)  # fmt: skip
def test_another_format_is_named_with_the_command_that_converts_it(tmp_path, name, content, sentence):
    (tmp_path / name).write_bytes(content)
    refused(tmp_path / name, sentence)


def test_folders_and_headers_tell_a_format_that_has_no_first_bytes(tmp_path):
    (tmp_path / "gdp").mkdir()
    (tmp_path / "gdp" / "hdr.adf").write_bytes(b"GRID1.2\0")
    refused(tmp_path / "gdp", "ESRI GRID, .*'gdal_translate .*gdp OUT.tif'")
    (tmp_path / "b.bil").write_bytes(bytes(range(9)))
    (tmp_path / "b.hdr").write_bytes(b"NROWS 3\n")
    refused(tmp_path / "b.bil", "ENVI or BIL.*gdal_translate .*b.bil OUT.tif")
    refused(tmp_path, "is a folder, expected a GeoTIFF; check the path")


ORIGINALS = {
    "prj": [BEIJING.encode()],
    "tfw": [TFW.encode()],
    "aux": [AUX.encode(), ESRI.encode(), band("<NoDataValue>3</NoDataValue><Scale>2</Scale>").encode()],
}
CHANGES = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 30), st.binary(max_size=3)), max_size=4)


@pytest.mark.parametrize("ending", sorted(ORIGINALS))
@settings(max_examples=150, derandomize=True, deadline=None)
@given(data=st.data())
def test_mutated_side_files_are_read_or_refused_in_one_sentence(tmp_path_factory, ending, data):
    content = bytearray(data.draw(st.sampled_from(ORIGINALS[ending])))
    for at, size, new in data.draw(CHANGES):
        content[at % (len(content) + 1) : at % (len(content) + 1) + size] = new
    folder = tmp_path_factory.mktemp("mutated")
    others = {"prj": dict(tfw=TFW), "tfw": dict(prj=BEIJING), "aux": dict(tfw=TFW, prj=BEIJING)}[ending]
    path = lay(folder, tiff(VALUES, tags=PLAIN), **others, **{ending: bytes(content)})
    try:
        raster = read_raster(path)
        assert raster.values.shape == (2, 3) and np.isfinite(raster.values).all()
    except InputError as fault:
        assert str(fault).startswith(str(folder)) and "\n" not in str(fault)


def test_mutated_pngs_are_read_or_refused_in_one_sentence(tmp_path):
    random, seen = np.random.Generator(np.random.PCG64(3)), {"read": 0, "refused": 0}
    palette = Image.fromarray(np.arange(60, dtype=np.uint8).reshape(6, 10) % 9, "P")
    palette.putpalette(list(range(27)))
    pixels = random.integers(0, 256, (6, 10, 4)).astype(np.uint8)
    originals = [png(pixels), png(pixels[..., 0]), png(palette, "P", transparency=b"\0\1"),
                 png(pixels[..., 0].astype(np.uint16) * 99, transparency=0)]  # fmt: skip
    for number in range(800):
        whole = originals[number % 4]
        content = bytearray(whole)
        for _ in range(random.integers(1, 4)):
            at = int(random.integers(8, len(content)))
            content[at] = random.integers(256)
        if number % 2:  # with checksums that are right, so that the damage reaches the decoder
            content = bytearray(resealed(bytes(content)))
        path = lay(tmp_path, bytes(content), pgw=TFW, prj="EPSG:4326")
        try:
            raster = read_raster(path)
            shape = struct.unpack(">II", bytes(content[16:24]))[::-1]
            assert raster.values.shape == shape
            seen["read"] += 1
        except InputError as fault:
            assert str(fault).startswith(str(path)) and "\n" not in str(fault)
            seen["refused"] += 1
    assert min(seen.values()) > 20


def resealed(content):
    """A PNG whose chunks have the checksums of what they hold."""
    out, place = content[:8], 8
    while place + 12 <= len(content):
        (length,) = struct.unpack(">I", content[place : place + 4])
        out += chunk(content[place + 4 : place + 8], content[place + 8 : place + 8 + length])
        place += 12 + length
    return out


def test_krasovsky_albers_as_institutes_of_china_ship_it(tmp_path):
    text = (
        'PROJCS["Krasovsky_1940_Albers",GEOGCS["GCS_Krasovsky_1940",DATUM["D_Krasovsky_1940",'
        'SPHEROID["Krasovsky_1940",6378245.0,298.3]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],'
        'PROJECTION["Albers"],PARAMETER["False_Easting",0.0],PARAMETER["False_Northing",0.0],'
        'PARAMETER["Central_Meridian",105.0],PARAMETER["Standard_Parallel_1",25.0],'
        'PARAMETER["Standard_Parallel_2",47.0],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]'
    )
    world = "1000\n0\n0\n-1000\n-2625500\n5966500\n"
    grid = read_raster(lay(tmp_path, tiff(VALUES, tags=PLAIN), tfw=world, prj=text)).grid
    assert grid.transform == (-2626000, 5967000, 1000, -1000)
    assert grid.crs == CRS("albers", KRASOVSKY_1940, (25, 47), central_meridian=105)


def test_a_name_so_long_that_nothing_can_stand_beside_it_is_read(tmp_path):
    path = tmp_path / ("n" * 251 + ".tif")  # 255 bytes, the most that a name may have
    path.write_bytes(tiff(VALUES))
    assert read_raster(path).values.tolist() == VALUES.tolist() and file_facts(path)["beside"] == []
