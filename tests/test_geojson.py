"""GeoJSON zones: what is read, and one sentence for each fault."""

import json
import warnings

import numpy as np
import pytest

from refimpl.earth.crs import CRS, KRASOVSKY_1940
from refimpl.earth.epsg import utm
from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import WEB_MERCATOR, WGS84
from refimpl.errors import DataWarning, InputError
from refimpl.formats.geojson import read_polygons
from refimpl.formats.writing import write_raster
from refimpl.run.provinces import read_zones

SQUARE = [[100, 30], [102, 30], [102, 32], [100, 32], [100, 30]]
HOLE = [[101, 31], [101.5, 31], [101.5, 31.5], [101, 31]]


def polygon(*rings):
    return {"type": "Polygon", "coordinates": list(rings)}


def feature(geometry, **columns):
    return {"type": "Feature", "properties": columns, "geometry": geometry}


def collection(*features, **members):
    return {"type": "FeatureCollection", "features": list(features)} | members


@pytest.fixture
def written(tmp_path):
    def write(document, name="zones.geojson"):
        path = tmp_path / name
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        path.write_bytes(data)
        return path

    return write


def test_polygons_holes_and_collections_become_rings_in_order(written):
    inner = {"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [1, 2]}, polygon(SQUARE)]}
    path = written(collection(
        feature(polygon(SQUARE, HOLE), code=11),
        feature({"type": "MultiPolygon", "coordinates": [[HOLE], [SQUARE, HOLE]]}, code=12),
        feature({"type": "GeometryCollection", "geometries": [inner, polygon(HOLE)]}, code=11),
    ))  # fmt: skip
    found = read_polygons(path)
    assert found.codes.tolist() == [11, 11, 12, 12, 12, 11, 11]
    assert found.shells.tolist() == [True, False, True, True, False, True, True]
    assert np.diff(found.starts).tolist() == [5, 4, 4, 5, 4, 5, 4]
    assert found.x[:5].tolist() == [100, 102, 102, 100, 100] and found.y[5:9].tolist() == [31, 31, 31.5, 31]
    assert found.crs == WGS84 and found.rule == "centre" and found.zones.tolist() == [11, 12]


def test_a_single_feature_a_byte_order_mark_and_heights_are_read(written):
    high = [[x, y, 8848] if x > 100 else [x, y] for x, y in SQUARE]
    found = read_polygons(written(b"\xef\xbb\xbf" + json.dumps(feature(polygon(high), code=11)).encode()))
    assert found.x.tolist() == [100, 102, 102, 100, 100]


@pytest.mark.parametrize("value, code", [(11, 11), (11.0, 11), ("11", 11), (" 0042 ", 42), (10**6, 10**6)])
def test_whole_numbers_in_any_spelling_are_codes(written, value, code):
    assert read_polygons(written(feature(polygon(SQUARE), adcode=value)), "adcode").zones.tolist() == [code]


@pytest.mark.parametrize("value", [0, -1, 10**6 + 1, 1.5, "11a", "", None, True, [11], 1e300, "1" * 5000, "١١"])
def test_what_is_no_code_is_refused(written, value):
    with pytest.raises(InputError, match=r"zones.geojson: feature 1: its code is .*expected a whole number from 1"):
        read_polygons(written(feature(polygon(SQUARE), code=value)))


def test_a_missing_column_is_told_with_those_that_are_there_and_the_nearest(written):
    path = written(feature(polygon(SQUARE), name="Beijing", adcode=110000))
    with pytest.raises(InputError, match="feature 1: has no column 'code', it has name, adcode; did you mean 'adcode'"):
        read_polygons(path)
    with pytest.raises(InputError, match="has no column 'code', it has none; name the column"):
        read_polygons(written({"type": "Feature", "geometry": polygon(SQUARE)}))


def test_the_id_of_a_feature_serves_where_no_property_is_called_id(written):
    own = feature(polygon(SQUARE)) | {"id": 7}
    assert read_polygons(written(own), "id").zones.tolist() == [7]
    assert read_polygons(written(own | {"properties": {"id": 8}}), "id").zones.tolist() == [8]


def test_features_without_a_polygon_are_skipped_and_those_with_lines_are_told(written):
    line = {"type": "LineString", "coordinates": [[100, 30], [101, 31]]}
    empty = {"type": "Polygon", "coordinates": []}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path = written(collection(feature(None), feature(empty), feature(polygon(SQUARE), code=3)))
        assert read_polygons(path).zones.tolist() == [3]
    with pytest.warns(DataWarning, match=r"features without a polygon \(LineString\) are skipped"):
        read_polygons(written(collection(feature(line), feature(polygon(SQUARE), code=3))))
    with pytest.raises(InputError, match="holds no polygon"):
        read_polygons(written(collection(feature(None))))


def test_an_open_ring_is_closed(written):
    assert read_polygons(written(feature(polygon(SQUARE[:-1]), code=1))).x.tolist() == [100, 102, 102, 100, 100]


@pytest.mark.parametrize("ring, what", [
    (SQUARE[:2], "has 3 positions, expected 4 or more"),
    ([], "has 0 positions"),
    ([[100, 30]] * 3, "has 3 positions"),
    ([[100, 30], [101]], r"position 2 is \[101\]"),
    ([[100, 30, 1, 2], *SQUARE], "position 1 is"),
    ([[100, 30], ["101", 31], [102, 32]], "position 2 is .'101', 31., expected two or three numbers"),
    ([[100, 30], [None, 31], [102, 32]], "position 2 is"),
    ([[100, 30], [True, 31], [102, 32]], "position 2 is"),
    ([[100, 30], [[1], 31], [102, 32]], "position 2 is"),
    ([[100, 30], 5, [102, 32]], "is no list of positions"),
    ("ring", "is no list of positions"),
    ([[100, 30], [int("9" * 400), 31], [102, 32]], "larger than any number"),
    ([[30, 116], [31, 116], [31, 117], [30, 116]], "30, 116 lies beyond the Earth; expected longitude before latitude"),
    ([[4e5, 3e6], [5e5, 3e6], [5e5, 4e6]], "400000, 3000000 lies beyond the Earth; it looks projected.*ogr2ogr"),
])  # fmt: skip
def test_a_faulty_ring_is_one_sentence_that_names_the_feature(written, ring, what):
    path = written(collection(feature(polygon(SQUARE), code=1), feature(polygon(SQUARE, ring), code=2)))
    with pytest.raises(InputError, match=f"zones.geojson: feature 2.*{what}") as caught:
        read_polygons(path)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500


@pytest.mark.parametrize("text, what", [
    (b"", "is no JSON"),
    (b'{"type": "FeatureCollection", "features": [', "is no JSON: .* at line 1, column 44; is the file complete"),
    (b"[" * 200_000, "nested too deeply"),
    (b'{"a":' * 200_000, "nested too deeply"),
    (b'{"type": "FeatureCollection", "features": [], "features": []}', "'features' stands twice"),
    (b'{"type": "Feature", "bbox": [NaN]}', "NaN is no number of JSON"),
    (b'{"type": ' + b"1" * 5000 + b"}", "is no GeoJSON"),
    (b'{"type": "Feature", "\xff": 1}', "is no UTF-8 text"),
    ('{"type": "Feature"}'.encode("utf-16"), "is no UTF-8 text"),
    (b"[]", "is a JSON list; expected a FeatureCollection"),
    (b"null", "is a JSON NoneType"),
    (b'{"type": "Topology"}', "its type is 'Topology', expected .* convert it with 'ogr2ogr"),
    (b'{"type": "Polygon", "coordinates": []}', "its type is 'Polygon', expected 'FeatureCollection' or 'Feature'"),
    (b"{}", "its type is missing"),
    (b'{"type": "FeatureCollection"}', "has no list 'features'"),
    (b'{"type": "FeatureCollection", "features": [1]}', "feature 1: its type is 1"),
    (b'{"type": "Feature", "geometry": 5}', "its geometry is 5"),
    (b'{"type": "Feature", "geometry": {"type": "Polygone"}}', "type 'Polygone'; did you mean 'Polygon'"),
    (b'{"type": "Feature", "geometry": {"type": [1]}}', r"type \[1\]; expected a Polygon"),
    (b'{"type": "Feature", "geometry": {"type": "Polygon"}}', "coordinates of a Polygon: is None, expected a list"),
    (b'{"type": "Feature", "geometry": {"type": "MultiPolygon", "coordinates": [1]}}', "a polygon: is 1"),
    (b'{"type": "Feature", "geometry": {"type": "GeometryCollection", "geometries": [3]}}', "has a geometry of type"),
])  # fmt: skip
def test_what_is_no_geojson_is_one_sentence(written, text, what):
    with pytest.raises(InputError, match=f"zones.geojson: .*{what}"):
        read_polygons(written(text))


@pytest.mark.parametrize("name, crs", [
    ("urn:ogc:def:crs:OGC:1.3:CRS84", WGS84), ("OGC:CRS84", WGS84), ("EPSG:4326", WGS84),
    ("urn:ogc:def:crs:EPSG::4490", CRS("geographic", datum="CGCS2000")),
    ("urn:ogc:def:crs:EPSG:9.8:3857", WEB_MERCATOR),
    ("http://www.opengis.net/def/crs/EPSG/0/32650", utm(50)), ("epsg:32650", utm(50)),
])  # fmt: skip
def test_the_crs_member_of_the_first_version_is_understood(written, name, crs):
    member = {"type": "name", "properties": {"name": name}}
    found = read_polygons(written(collection(feature(polygon(SQUARE), code=1), crs=member)))
    assert found.crs == crs and found.crs.datum == crs.datum


def test_metres_beyond_any_map_are_refused(written):
    member = {"type": "name", "properties": {"name": "EPSG:32650"}}
    path = written(collection(feature(polygon([[1e9, 0], [2e9, 0], [2e9, 1]]), code=1), crs=member))
    with pytest.raises(InputError, match="1000000000, 0 lies beyond the Earth; expected metres; check"):
        read_polygons(path)


@pytest.mark.parametrize("member", [
    {"type": "name", "properties": {"name": "EPSG:2154"}}, {"type": "name", "properties": {"name": "local"}},
    {"type": "link", "properties": {"href": "x.prj"}}, {"type": "name"}, "EPSG:4326", {"properties": {"name": 4326}},
    {"type": "name", "properties": {"name": "EPSG:" + "9" * 5000}},
])  # fmt: skip
def test_an_unknown_crs_is_refused_with_the_command_that_converts(written, member):
    with pytest.raises(InputError, match="its coordinate system is .* not known here; convert it with 'ogr2ogr"):
        read_polygons(written(collection(feature(polygon(SQUARE), code=1), crs=member)))


def test_another_datum_is_kept_and_refused_where_it_meets_wgs_84_unless_ignored(written):
    member = {"type": "name", "properties": {"name": "EPSG:4214"}}
    path = written(collection(feature(polygon(SQUARE), code=1), crs=member))
    assert read_polygons(path).crs == CRS("geographic", KRASOVSKY_1940, datum="Beijing 1954")
    with pytest.warns(DataWarning, match="datum of its coordinates is ignored"):
        assert read_polygons(path, ignore_datum=True).crs.datum == "any"


def test_a_file_larger_than_allowed_is_not_read(written, monkeypatch):
    path = written(feature(polygon(SQUARE), code=1))
    with pytest.raises(InputError, match="more than is read at once"):
        read_polygons(path, most_bytes=10)
    monkeypatch.setenv("REFIMPL_MOST_BYTES", "10")
    with pytest.raises(InputError, match="REFIMPL_MOST_BYTES"):
        read_polygons(path)


def test_zones_are_polygons_or_a_raster_by_what_the_file_holds(written, tmp_path):
    document = collection(feature(polygon(SQUARE), code=11, adcode=12))
    for name in ("zones.geojson", "zones.json", "zones.txt"):
        assert read_zones(written(document, name), "adcode", "area").zones.tolist() == [12]
    tiff = tmp_path / "zones.tif"
    write_raster(tiff, Raster(np.ones((2, 2), np.uint8), np.ones((2, 2), bool), Grid(WGS84, (0, 2, 1, -1), (2, 2))))
    assert isinstance(read_zones(tiff), Raster)
    for wrong in (("adcode", "centre"), ("code", "area")):
        with pytest.raises(InputError, match="is a raster.*belong to GeoJSON"):
            read_zones(tiff, *wrong)
    with pytest.raises(InputError, match="unknown rule 'center'.*did you mean 'centre'"):
        read_zones(written(document), rule="center")
    with pytest.raises(InputError, match="does not exist"):
        read_zones(tmp_path / "none.geojson")
