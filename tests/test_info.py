"""refimpl info: facts, survey, quick look and advice; expected values by hand or from NumPy on the whole array."""

import io
import json
import re
import sys

import numpy as np
import pytest
from PIL import Image

from refimpl.cli import main
from refimpl.earth.epsg import utm
from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA, WGS84, forward
from refimpl.figures.characters import character_shape, shaded, signed, signs_of
from refimpl.formats import survey as surveying
from refimpl.formats.advice import advice
from refimpl.formats.facts import extent_degrees, file_facts
from refimpl.formats.geotiff import open_raster
from refimpl.formats.survey import survey
from tests.tiff_writer import tiff, with_mask

GRID = Grid(ALBERS_CHINA, (0, 9e4, 1e3, -1e3), (90, 130))


def raster(values, valid=None, grid=None):
    values = np.asarray(values)
    grid = Grid(ALBERS_CHINA, (0, 1e3 * values.shape[0], 1e3, -1e3), values.shape) if grid is None else grid
    return Raster.masked(values, np.ones(values.shape, bool) if valid is None else valid, grid)


def put(folder, content, name="a.tif"):
    (folder / name).write_bytes(content)
    return folder / name


def said(capsys, *words, status=0):
    assert main(["info", *map(str, words)]) == status
    return capsys.readouterr()


@pytest.mark.parametrize("kind", ["float32", "float64", "int32", "uint8"])
@pytest.mark.parametrize("cells", [37, 700, 2**20])
def test_a_survey_by_windows_finds_what_numpy_finds_in_the_whole(monkeypatch, kind, cells):
    monkeypatch.setattr(surveying, "BLOCK_CELLS", cells)
    random = np.random.Generator(np.random.PCG64(4))
    values = random.lognormal(3, 2, GRID.shape) * random.choice([-1, 1, 1], GRID.shape)
    values = (np.abs(values) % 256 if kind == "uint8" else values).astype(kind)
    valid = random.random(GRID.shape) < 0.8
    found, chosen = survey(raster(values, valid), room=(20, 40)), values[valid].astype(float)
    statistics = found.statistics
    assert (statistics.count, statistics.minimum, statistics.maximum) == (chosen.size, chosen.min(), chosen.max())
    # Sums of 10^4 numbers in another order: some units of the 16th digit.
    assert statistics.mean == pytest.approx(chosen.mean(), rel=1e-12)
    assert statistics.deviation == pytest.approx(chosen.std(), rel=1e-12)
    assert found.total == pytest.approx(chosen.sum(), rel=1e-12) == found.total_by_area
    assert found.negative == (chosen < 0).sum()
    for share in (0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.99, 1):
        exact = np.quantile(chosen, share, method="lower")
        assert found.quantile(share) == pytest.approx(exact, rel=2**-8)  # 8 bits of the fraction are kept
    if kind == "uint8":
        numbers, many = np.unique(chosen, return_counts=True)
        assert found.distinct == dict(zip(numbers.tolist(), many.tolist()))
        assert found.quantile(0.6) == np.quantile(chosen, 0.6, method="lower")  # exact for whole numbers so small
    else:
        assert found.distinct is None


def test_the_pictures_are_means_and_middle_cells_of_equal_groups(monkeypatch):
    monkeypatch.setattr(surveying, "BLOCK_CELLS", 13)
    values = np.arange(35.0).reshape(5, 7)
    valid = np.ones((5, 7), bool)
    valid[0, 0] = valid[1, 1] = False
    found = survey(raster(values, valid), room=(2, 3))  # groups of 3 x 3: one down, two across, the rest left out
    assert found.mean_picture.values.tolist() == [[(1 + 2 + 7 + 9 + 14 + 15 + 16) / 7, 11]]
    assert found.class_picture.values.tolist() == [[0, 11]] and found.class_picture.valid.tolist() == [[False, True]]
    assert found.mean_picture.grid.transform == (0, 5e3, 3e3, -3e3)
    part = survey(raster(values, valid), window=(1, 3, 2, 5))
    assert part.statistics.count == 6 and part.total == 9 + 10 + 11 + 16 + 17 + 18
    assert part.mean_picture.grid.transform == (2e3, 4e3, 1e3, -1e3)


def test_a_sum_of_densities_is_weighted_by_true_areas():
    grid = Grid(WGS84, (100, 2, 1, -1), (2, 1))
    found = survey(raster([[1.0], [3.0]], grid=grid))
    # 12304.815 and 12308.464 km2, as the doctest of Grid.cell_areas has them.
    assert found.total == 4 and found.total_by_area == pytest.approx(12304.815 + 3 * 12308.464, abs=4e-3)
    wide = survey(raster(np.ones((1, 4)), grid=Grid(utm(50), (-1e6, 4e6, 9e5, -9e3), (1, 4))))
    assert wide.total == 4 and wide.total_by_area is None


def test_numbers_that_stand_for_nothing_are_counted():
    values = np.array([[-9999, 5, 6], [-3.4028235e38, -9999, 1]], np.float32)
    assert survey(raster(values)).suspects == {-9999.0: 2, -3.4028234663852886e38: 1}
    assert survey(raster(np.array([[255, 0]], np.uint8))).suspects == {255.0: 1}
    assert survey(raster(np.array([[254, 0]], np.uint8))).suspects == {}


FACTS = {
    "file": "a.tif", "beside": [], "type": "float32", "valid": 100, "negative": 0, "minimum": 1.0, "maximum": 9.0,
    "suspects": {}, "distinct": None, "nodata": None, "nodata_fits": True, "bands": 1, "band": 1, "alpha": None,
    "extent_degrees": [100, 20, 110, 30], "datum_change": "", "datum": "WGS 84", "scale": 1.0, "offset": 0.0,
}  # fmt: skip


@pytest.mark.parametrize(
    "given, sentence",
    [
        ({}, "taken as it stands"),
        ({"valid": 0}, "no cell is valid"),
        ({"suspects": {-9999.0: 7}, "minimum": -9999.0}, "-9999 stands in 7 cells.*gdal_edit.py -a_nodata -9999 a.tif"),
        ({"suspects": {255.0: 7}, "maximum": 255, "type": "uint8"}, "255 stands in 7 cells"),
        ({"negative": 3, "minimum": -2.0}, "below 0 stand in 3 cells"),
        ({"type": "uint8", "distinct": {1.0: 50, 9.0: 50}}, "2 whole numbers look like classes.*--kind class"),
        ({"maximum": 1.0}, "all valid cells hold 1"),
        ({"datum_change": "their datums differ, x and WGS 84"}, "datums differ.*ignore_datum"),
        ({"datum": "CGCS2000"}, "CGCS2000 is taken as WGS 84"),
        ({"datum": "any"}, "sphere.*MODIS"),
        ({"south_up": True}, "flipped"),
        ({"pixel_is_point": True}, "half a cell"),
        ({"area_fault": "too wide"}, "areas cannot be given"),
        ({"extent_degrees": [-60, 20, -50, 30]}, "does not touch China"),
        ({"extent_degrees": [190, 20, 240, 30]}, "does not touch China"),
        ({"nodata": "-9999", "nodata_fits": False, "type": "uint8"}, "-9999 fits no uint8"),
        ({"scale": 0.1, "offset": 2.0}, "multiplied by 0.1 and 2 is added"),
        ({"alpha": 4}, "band 4 is alpha"),
        ({"bands": 3}, "of its 3 bands, band 1"),
        ({"overruled": ["a.tfw", "a.prj"]}, "a.tfw and a.prj beside it: not looked at"),
        ({"beside": ["a.tif.msk"]}, "mask beside it .* marks"),
        ({"beside": ["a.tif.msk"], "mask": True}, "mask beside it .* not looked at"),
        ({"rows": 2**17, "columns": 2**16, "bits": 32}, "34,359,738,368 bytes.*REFIMPL_MOST_BYTES"),
    ],
)
def test_what_is_done_with_a_raster_is_said(given, sentence):
    found = advice(FACTS | given)
    assert len(found) == 1 and re.search(sentence, found[0])


@pytest.mark.parametrize(
    "given",
    [
        {"suspects": {255.0: 1}, "maximum": 255.0, "valid": 1000, "type": "uint8"},  # a picture that reaches white
        {"suspects": {255.0: 70}, "maximum": 255.0, "type": "float32"},
        {"suspects": {9999.0: 5}, "maximum": 20000.0},
        {"type": "uint8", "distinct": {float(k): 1 for k in range(50)}},
        {"extent_degrees": [0, -90, 360, 90]},
    ],
)
def test_what_is_likely_meant_is_not_warned_of(given):
    assert advice(FACTS | given) == ["it is taken as it stands"]


def test_the_extent_on_earth_bulges_as_parallels_do():
    x, y = (float(number) for number in forward(ALBERS_CHINA, 105.0, 40.0))
    west, south, east, north = extent_degrees(Grid(ALBERS_CHINA, (x - 1e6, y, 1e6, -1e6), (1, 2)))
    assert north == pytest.approx(40, abs=1e-9)  # a line across is farthest north at the central meridian
    assert west == pytest.approx(210 - east, abs=1e-9) and south < 32 and 90 < west < 95
    assert extent_degrees(Grid(ALBERS_CHINA, (9e7, 9e7, 1, -1), (1, 1))) is None


def test_the_facts_of_a_tiff_are_told_line_by_line(tmp_path, capsys):
    values = np.arange(600, dtype=np.float32).reshape(20, 30)
    item = b'<GDALMetadata><Item sample="0" role="unittype">K</Item></GDALMetadata>\0'
    content = tiff(values, "lzw", 2, tile=(16, 16), tags={42113: (2, b"599\0"), 42112: (2, item)})
    mask = np.ones((20, 30), bool)
    mask[0, :2] = False
    out = said(capsys, put(tmp_path, with_mask(content, mask))).out
    expected = [
        "TIFF, little-endian",
        "raster    20 rows x 30 columns, 1 band, internal mask, float32",
        "stored    LZW, predictor 2, tiles of 16 x 16",
        "system    geographic, WGS 84 (EPSG:4326)",
        "cell      0.5 x 0.25 degrees, true area ",
        "extent    x 100 to 115, y 35 to 40",
        "told      nodata 599, unit 'K'",
        "valid     597 of 600 cells (99.5%)",
        "values    min 2, max 598, mean 300, std 172.339",  # sqrt((597^2 - 1) / 12)
        "sums      of the cells (if they are counts) 179100; each times",
        "50% 300",
        "Here: it is taken as it stands.",
    ]
    for line in expected:
        assert line in out
    assert max(map(len, out.splitlines())) < 180 and out.count("█") > 20


def test_classes_are_listed_and_drawn_by_sign(tmp_path, capsys):
    values = np.repeat([[3, 13]], 20, axis=0).repeat(10, axis=1).astype(np.uint8)
    path = put(tmp_path, tiff(values))
    out = said(capsys, path).out
    assert "numbers   3 (50.00%), 13 (50.00%)" in out and "d = 13" in out and "--kind class" in out
    assert "  " + "3" * 30 + "d" * 30 in out.splitlines()


def test_a_window_is_looked_at_alone(tmp_path, capsys):
    path = put(tmp_path, tiff(np.arange(600, dtype=np.float32).reshape(20, 30)))
    out = said(capsys, path, "--window", 1, 3, 0, 2).out
    assert "4 of 4 cells of the window 1 3 0 2" in out and "min 30, max 61" in out
    for window in ((1, 30, 0, 2), (3, 3, 0, 2), (3, 1, 0, 2)):
        assert f"has no window {window}" in said(capsys, path, "--window", *window, status=2).err


def test_json_has_the_same_facts(tmp_path, capsys):
    values = np.array([[[1, 2], [3, 255]]] * 2, np.uint8)
    path = put(tmp_path, tiff(values, tags={338: (3, [0])}))
    found = json.loads(said(capsys, path, "--json", "--band", 2).out)
    assert found["file"] == str(path) and found["band"] == 2 and found["bands"] == 2
    assert found["distinct"] == {"1": 1, "2": 1, "3": 1, "255": 1} and found["suspects"] == {"255": 1}
    assert found["epsg"] == 4326 and found["extent"] == [100, 39.5, 101, 40] and found["nodata"] is None
    assert any("255 stands in 1 cells" in sentence for sentence in found["here"])
    huge = put(tmp_path, tiff(np.array([[1e308, -1e308]])))
    assert json.loads(said(capsys, huge, "--json").out)["deviation"] is None  # beyond what float64 can square


def test_what_is_refused_still_tells_its_size_and_ends_with_status_2(tmp_path, capsys):
    keys = {34735: (3, [1, 1, 0, 2, 1024, 0, 1, 1, 3072, 0, 1, 3413])}
    path = put(tmp_path, tiff(np.ones((2, 3), np.float32), tags=keys))
    told = said(capsys, path, status=2)
    assert "2 rows x 3 columns" in told.out and "EPSG:3413" in told.err and "gdalwarp" in told.err
    assert said(capsys, path, "--json", status=2).out == ""
    assert "has no band 7" in said(capsys, put(tmp_path, tiff(np.ones((2, 3)))), "--band", 7, status=2).err
    for content, sentence in ((b"", "is empty"), (b"\x1f\x8b", "gunzip"), (b"II*\0", "cut short|cannot be read")):
        told = said(capsys, put(tmp_path, content), status=2)
        assert told.out == "" and told.err.startswith(f"refimpl: {path}") and told.err.count("\n") == 1
    assert "does not exist" in said(capsys, tmp_path / "b.tif", status=2).err


def test_a_raster_without_a_valid_cell_is_told_and_not_drawn(tmp_path, capsys):
    path = put(tmp_path, tiff(np.zeros((2, 3), np.float32), tags={42113: (2, b"0\0")}))
    assert "0 of 6 cells" in said(capsys, path).out
    assert "nothing to draw" in said(capsys, path, "--png", tmp_path / "a.png", status=2).err
    assert not (tmp_path / "a.png").exists()


def test_a_terminal_without_shades_gets_plain_characters(tmp_path, monkeypatch):
    path = put(tmp_path, tiff(np.arange(600, dtype=np.float32).reshape(20, 30)), "größe.tif")
    bare = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr(sys, "stdout", bare)
    assert main(["info", str(path)]) == 0
    bare.seek(0)
    text = bare.read()
    assert "#@" in text.replace("\n", "") or "@@@" in text
    assert "gr??e.tif" in text


def test_the_png_is_a_map_with_the_same_bytes_each_time(tmp_path, capsys):
    path = put(tmp_path, tiff(np.arange(600, dtype=np.float32).reshape(20, 30)))
    said(capsys, path, "--png", tmp_path / "a.png")
    said(capsys, path, "--png", tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.width > 700 and len(np.unique(np.asarray(picture).reshape(-1, 3), axis=0)) > 50


def test_a_small_cut_of_memory_is_enough_for_a_raster_of_many_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(surveying, "BLOCK_CELLS", 1000)
    asked = []
    values, place = np.arange(200_000, dtype=np.float32).reshape(2000, 100), {33550: (12, [0.01, 0.01, 0])}
    with open_raster(put(tmp_path, tiff(values, "deflate", rows=7, tags=place))) as file:
        part = file.part
        monkeypatch.setattr(file, "part", lambda window: asked.append(window) or part(window))
        found = survey(file)
    assert found.statistics.count == 200_000 and found.total == 200_000 * 199_999 / 2
    assert max((bottom - top) * (right - left) for top, bottom, left, right in asked) <= 1000


def test_shades_go_by_rank_and_signs_by_class():
    grid = Grid(ALBERS_CHINA, (0, 0, 1, -1), (2, 8))
    ramp = Raster(np.array([[1.0] * 2 + [2] * 2 + [900] * 2 + [1e6] * 2] * 2), np.ones((2, 8), bool), grid)
    assert shaded(ramp, "abcd", 8) == ["aabbccdd"]
    assert shaded(Raster(np.ones((2, 8)), np.ones((2, 8), bool), grid), "abcd", 8) == ["cccccccc"]
    assert signs_of([300, 7, -1]) == {-1: "0", 7: "1", 300: "2"}
    assert signed(Raster.masked(np.full((2, 8), 11), np.eye(2, 8, 1) < 1, grid), {11: "b"}, 8) == ["bb bbbbb"]
    assert character_shape(Grid(WGS84, (0, 60, 1, -1), (60, 60)), 60)[1] <= 60
    assert character_shape(Grid(ALBERS_CHINA, (0, 0, 1, -1), (1000, 10))) == (40, 1)


def test_a_png_and_side_files_are_facts_too(tmp_path, capsys):
    Image.fromarray(np.arange(6, dtype=np.uint8).reshape(2, 3)).save(tmp_path / "a.png")
    assert file_facts(tmp_path / "a.png")["format"] == "PNG"
    assert "does not say where" in said(capsys, tmp_path / "a.png", status=2).err
    (tmp_path / "a.pgw").write_text("1\n0\n0\n-1\n100\n30\n")
    (tmp_path / "a.prj").write_text("EPSG:4326")
    out = said(capsys, tmp_path / "a.png").out
    assert "PNG" in out and "beside it a.pgw, a.prj" in out and "x 99.5 to 102.5, y 28.5 to 30.5" in out
