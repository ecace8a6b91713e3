"""GeoTIFFs as they are written: same bytes for all ways there, bounded memory, nothing left of what failed."""

import os
import signal
import statistics as standard
import struct
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA
from refimpl.errors import InputError
from refimpl.formats import writing
from refimpl.formats.cell_statistics import CellStatistics
from refimpl.formats.geotiff import read_raster
from refimpl.formats.overviews import overview_shapes, shrunk, window_below
from refimpl.formats.writing import write_parts, write_raster
from refimpl.twins import backend
from tests.memory import KNOWN, peak_of_program


def raster_of(shape=(1100, 1030), dtype="float32", smooth=True, holes=0.2):
    """Values that a predictor helps, or noise; some cells invalid."""
    random = np.random.Generator(np.random.PCG64(5))
    row, col = np.mgrid[: shape[0], : shape[1]]
    values = row * 3.0 + col * 0.5 if smooth else 1e4 * random.random(shape)
    row, col = row // 16, col // 16
    valid = (row * 7919 + col * 104729) % 100 >= 100 * holes
    return Raster.masked(values.astype(dtype), valid, Grid(ALBERS_CHINA, (0, 0, 1e3, -1e3), shape), "t")


def page_tags(path, page=0):
    with tifffile.TiffFile(path) as handle:
        return {tag.code: tag.value for tag in handle.pages[page].tags.values()}


@pytest.mark.parametrize("cog", [False, True])
@pytest.mark.parametrize("dtype, nodata", [("float32", None), ("int16", -1), ("float64", -9.0)])
def test_neither_threads_nor_backend_nor_parts_show_in_the_bytes(tmp_path, monkeypatch, cog, dtype, nodata):
    raster, contents = raster_of(dtype=dtype), set()
    for threads in ("1", "2", "4"):
        monkeypatch.setenv("REFIMPL_THREADS", threads)
        write_raster(tmp_path / "a.tif", raster, nodata, "map", cog)
        contents.add((tmp_path / "a.tif").read_bytes())
    write_parts(tmp_path / "a.tif", raster.grid, dtype, raster.part, "t", nodata, "map", cog)
    contents.add((tmp_path / "a.tif").read_bytes())
    with backend("numpy"):
        write_raster(tmp_path / "a.tif", raster, nodata, "map", cog)
    contents.add((tmp_path / "a.tif").read_bytes())
    assert len(contents) == 1 and os.listdir(tmp_path) == ["a.tif"]
    again = read_raster(tmp_path / "a.tif")
    assert np.array_equal(again.values, raster.values) and np.array_equal(again.valid, raster.valid)


def test_parts_are_asked_for_once_each_row_by_row(tmp_path):
    def windows(shape, **options):
        asked, raster = [], raster_of(shape)

        def part(window):
            asked.append(window)
            return raster.part(window)

        write_parts(tmp_path / "a.tif", raster.grid, "f4", part, **options)
        return asked

    tiles = [(0, 512, 0, 512), (0, 512, 512, 600), (512, 513, 0, 512), (512, 513, 512, 600)]
    assert windows((513, 600)) == windows((513, 600), cog=True) == tiles
    assert windows((513, 512)) == [(k, min(k + 128, 513), 0, 512) for k in range(0, 513, 128)]  # strips of 256 KB
    assert windows((1, 65536)) == [(0, 1, 0, 65536)]
    assert windows((1, 65537))[:2] == [(0, 1, 0, 512), (0, 1, 512, 1024)]  # a row without end is no strip


@pytest.mark.parametrize(
    "shape, tiled", [((512, 512), False), ((513, 512), False), ((513, 513), True), ((1, 700), False)]
)
def test_what_is_larger_than_a_tile_both_ways_is_tiled(tmp_path, shape, tiled):
    for cog in (False, True):
        write_raster(tmp_path / "a.tif", raster_of(shape), cog=cog)
        assert (322 in page_tags(tmp_path / "a.tif")) == (tiled or cog)
        assert np.array_equal(read_raster(tmp_path / "a.tif").values, raster_of(shape).values)


@pytest.mark.parametrize("cog", [False, True])
def test_a_part_that_fails_leaves_no_file_and_keeps_an_old_one(tmp_path, cog):
    raster = raster_of()

    def fails_at_last(window):
        if window[0] >= 1024 and window[2] >= 1024:
            raise InputError("the source ends here")
        return raster.part(window)

    (tmp_path / "old.tif").write_text("old")
    for name in ("old.tif", "new.tif"):
        with pytest.raises(InputError, match="the source ends here"):
            write_parts(tmp_path / name, raster.grid, "f4", fails_at_last, cog=cog)
    assert os.listdir(tmp_path) == ["old.tif"] and (tmp_path / "old.tif").read_text() == "old"


@pytest.mark.parametrize("cog", [False, True])
@pytest.mark.parametrize(
    "dtype, nodata, last, valid, sentence",
    [
        ("float32", -1.0, -1.0, True, "nodata -1.0 is also the value of valid cells"),
        ("int16", -1, -1, True, "nodata -1 is also the value of valid cells"),
        ("uint8", None, 0, False, "integer raster with invalid cells: name the nodata value"),
        ("float64", None, np.nan, True, "is not finite; build the raster with Raster.masked"),
        ("float64", None, np.inf, True, "is not finite; build the raster with Raster.masked"),
        ("int16", 0.5, 0, True, "nodata 0.5 does not fit int16"),
    ],
)
def test_a_nodata_that_hurts_only_the_last_cell_is_refused_with_nothing_written(
    tmp_path, cog, dtype, nodata, last, valid, sentence
):
    raster = raster_of(dtype=dtype, holes=0)
    values, mask = raster.values.copy(), np.ones(raster.grid.shape, bool)
    values[-1, -1], mask[-1, -1] = last, valid
    with pytest.raises(ValueError, match=sentence):
        write_raster(tmp_path / "a.tif", Raster.unchecked(values, mask, raster.grid), nodata, cog=cog)
    assert not os.listdir(tmp_path)


def test_a_part_of_another_shape_or_type_is_a_programming_error(tmp_path):
    raster = raster_of((600, 700))
    for part in (lambda window: raster, lambda window: raster_of((600, 700), "float64").part(window)):
        with pytest.raises(ValueError, match="window .* has .* values of .*, expected .* of float32"):
            write_parts(tmp_path / "a.tif", raster.grid, "f4", part)
    with pytest.raises(ValueError, match="expected real numbers"):
        write_parts(tmp_path / "a.tif", raster.grid, complex, raster.part)
    assert not os.listdir(tmp_path)


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    for cog in (False, True):
        with pytest.raises(InputError, match="cannot be written"):
            write_raster(tmp_path / "file" / "a.tif", raster_of((3, 4)), cog=cog)


KILLED = """
import sys, time
from tests.test_writing import raster_of
from refimpl.formats.writing import write_parts
raster = raster_of()
def part(window):
    if window[0] >= 1024:
        print("here", flush=True)
        time.sleep(60)
    return raster.part(window)
write_parts(sys.argv[1], raster.grid, "f4", part, cog=sys.argv[2] == "cog")
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system cannot kill")
@pytest.mark.parametrize("kind", ["plain", "cog"])
def test_a_killed_writer_leaves_only_temporaries_that_are_swept(tmp_path, kind):
    root = Path(__file__).resolve().parent.parent
    command = [sys.executable, "-c", KILLED, str(tmp_path / "a.tif"), kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root) as child:
        child.stdout.readline()
        child.kill()
    left = os.listdir(tmp_path)
    assert left and all(name.startswith(".refimpl-partial-") for name in left)


@pytest.mark.parametrize(
    "dtype, smooth, predictor",
    [("float32", True, 3), ("float64", True, 3), ("int16", True, 2), ("int32", True, 2), ("int64", True, 1)]
    + [(dtype, False, 1) for dtype in ("uint8", "uint16", "float32", "float64")],
)
def test_a_predictor_is_used_where_it_saves(tmp_path, dtype, smooth, predictor):
    raster = raster_of((700, 900), dtype, smooth, holes=0)
    for cog in (False, True):
        write_raster(tmp_path / "a.tif", raster, cog=cog)
        assert page_tags(tmp_path / "a.tif")[317] == predictor
        assert np.array_equal(read_raster(tmp_path / "a.tif").values, raster.values)
    assert page_tags(tmp_path / "a.tif", 1)[317] == predictor


def test_empty_blocks_do_not_choose_the_predictor(tmp_path):
    row, col = np.mgrid[:1100, :1030]
    smooth = np.hypot(row, col).astype(np.float32)
    write_raster(tmp_path / "a.tif", Raster.masked(smooth, row >= 512, Grid(ALBERS_CHINA, (0, 0, 1, -1), smooth.shape)))
    assert page_tags(tmp_path / "a.tif")[317] == 3


@pytest.mark.parametrize("cog", [False, True])
def test_what_might_not_fit_in_4_gb_becomes_a_bigtiff(tmp_path, monkeypatch, cog):
    raster = raster_of()
    write_raster(tmp_path / "small.tif", raster, cog=cog)
    # Nine tiles of a MB, a thousandth and 64 bytes each; as COG also four and one of overviews.
    most = (14 if cog else 9) * (2**20 + 2**20 // 1000 + 64)
    monkeypatch.setattr(writing, "CLASSIC_BYTES", most)
    write_raster(tmp_path / "limit.tif", raster, cog=cog)
    monkeypatch.setattr(writing, "CLASSIC_BYTES", most - 1)
    write_raster(tmp_path / "big.tif", raster, cog=cog)
    heads = [(tmp_path / f"{name}.tif").read_bytes()[:8] for name in ("small", "limit", "big")]
    assert [struct.unpack("<H", head[2:4])[0] for head in heads] == [42, 42, 43] and heads[2][4:] == b"\x08\0\0\0"
    again = read_raster(tmp_path / "big.tif")
    assert np.array_equal(again.values, raster.values) and np.array_equal(again.valid, raster.valid)
    assert again.grid == raster.grid and again.units == "t"


LARGE = """
import sys
import numpy as np
from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA
from refimpl.formats.writing import write_parts
grid = Grid(ALBERS_CHINA, (0, 0, 100, -100), (10240, 16000))
def part(window):
    here, rows = grid.part(window), np.arange(window[0], window[1], dtype=np.float32)
    return Raster(np.broadcast_to(rows[:, None], here.shape), np.ones(here.shape, bool), here)
write_parts(sys.argv[1], grid, "f4", part, cog=sys.argv[2] == "cog")
"""


@pytest.mark.skipif(not KNOWN, reason="the system does not tell")
@pytest.mark.parametrize("kind", ["plain", "cog"])
def test_memory_does_not_grow_with_the_raster(tmp_path, kind):
    # MiB; the cells are 640 MB, numba and its libraries some 200.
    assert peak_of_program(LARGE, str(tmp_path / "a.tif"), kind) < 400
    assert read_raster(tmp_path / "a.tif", window=(10239, 10240, 15998, 16000)).values.tolist() == [[10239, 10239]]


def test_statistics_are_those_of_all_valid_cells_whatever_the_blocks():
    random = np.random.Generator(np.random.PCG64(2))
    values, valid = random.normal(1e6, 1, (60, 7)).astype(np.float32), random.random((60, 7)) > 0.4
    valid[20:30] = False
    found = CellStatistics()
    for start in range(0, 60, 10):
        found.add(values[start : start + 10], valid[start : start + 10])
    exact = [Fraction(float(value)) for value in values[valid]]
    assert (found.cells, found.count) == (420, len(exact))
    assert (found.minimum, found.maximum) == (min(exact), max(exact))
    # Rounding of a few hundred additions of numbers near 1e6 and, for the deviation, of differences near 1.
    assert abs(Fraction(found.mean) - standard.mean(exact)) < 1e-15 * 1e6 * 10
    assert abs(found.deviation / float(standard.pvariance(exact)) ** 0.5 - 1) < 1e-9
    assert found.texts()["STATISTICS_VALID_PERCENT"] == repr(100 * len(exact) / 420)


def test_statistics_of_extreme_values_are_left_out_where_they_are_not_finite():
    found = CellStatistics()
    found.add(np.array([1.7e308, 1.7e308]), np.ones(2, bool))
    assert found.texts()["STATISTICS_MAXIMUM"] == "1.7e+308" and "STATISTICS_STDDEV" not in found.texts()


def test_a_unit_of_any_letters_comes_back_and_a_line_break_does_no_harm(tmp_path):
    raster = raster_of((3, 4))
    for units, again in (("t CO₂ / km² <&>", "t CO₂ / km² <&>"), ("a\nb\0c", "a b c")):
        write_raster(tmp_path / "a.tif", Raster(raster.values, raster.valid, raster.grid, units), description='"d"')
        assert read_raster(tmp_path / "a.tif").units == again


def plainly_shrunk(values, valid, kind):
    """The next overview cell by cell, in exact fractions: dict of the valid ones."""
    fine = values.shape
    coarse, found = tuple(-(-n // 2) for n in fine), {}
    ratio = [Fraction(n, m) for n, m in zip(fine, coarse)]
    for i in range(coarse[0]):
        for j in range(coarse[1]):
            areas = {}
            for r in range(fine[0]):
                for c in range(fine[1]):
                    high = min(r + 1, (i + 1) * ratio[0]) - max(r, i * ratio[0])
                    wide = min(c + 1, (j + 1) * ratio[1]) - max(c, j * ratio[1])
                    if high > 0 and wide > 0 and valid[r, c]:
                        areas[r, c] = high * wide
            if not areas:
                continue
            if kind == "f":
                found[i, j] = sum(Fraction(float(values[at])) * w for at, w in areas.items()) / sum(areas.values())
            else:
                totals = {}
                for at, w in areas.items():
                    totals[values[at].item()] = totals.get(values[at].item(), 0) + w
                found[i, j] = max(totals, key=totals.get)  # the first of equals: dictionaries keep their order
    return found


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_an_overview_is_the_exact_mean_or_the_most_frequent_class_of_valid_cells(data):
    shape = data.draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    random = np.random.Generator(np.random.PCG64(data.draw(st.integers(0, 2**32))))
    dtype = data.draw(st.sampled_from(["float64", "uint8"]))
    values = random.integers(-9 if dtype == "float64" else 0, 4, shape).astype(dtype)
    valid = random.random(shape) > 0.4
    values[~valid] = 0
    coarse = -(-shape[0] // 2), -(-shape[1] // 2)
    whole = (0, coarse[0], 0, coarse[1])
    found, where = shrunk(values, valid, whole, coarse, shape)
    expected = plainly_shrunk(values, valid, values.dtype.kind)
    assert found.dtype == dtype and set(zip(*map(np.ndarray.tolist, np.nonzero(where)))) == set(expected)
    for at, value in expected.items():
        assert abs(Fraction(float(found[at])) - value) < 1e-14  # a sum of nine products of numbers below 10
    assert not found[~where].any()
    top, left = random.integers(0, coarse)  # and a window of it is the same
    window = (int(top), coarse[0], int(left), coarse[1])
    below = window_below(window, coarse, shape)
    part = np.s_[below[0] : below[1], below[2] : below[3]]
    got, _ = shrunk(values[part], valid[part], window, coarse, shape)
    assert np.array_equal(got, found[top:, left:])


def test_overviews_end_where_one_tile_holds_all():
    assert overview_shapes((512, 512), 512) == []
    assert overview_shapes((513, 1), 512) == [(257, 1)]
    assert overview_shapes((1025, 4100), 512) == [(513, 2050), (257, 1025), (129, 513), (65, 257)]


def test_a_mean_that_is_the_nodata_value_stays_valid():
    values, valid = np.array([[-2.0, 0.0]]), np.ones((1, 2), bool)
    for nodata, near in ((-1.0, np.nextafter(-1.0, 0)), (5.0, -1.0)):
        found, where = shrunk(values, valid, (0, 1, 0, 1), (1, 1), (1, 2), np.float64(nodata))
        assert found.tolist() == [[near]] and where.all()
    found, _ = shrunk(values + 1, valid, (0, 1, 0, 1), (1, 1), (1, 2), np.float64(0))
    assert found[0, 0] > 0


def test_means_of_the_largest_floats_are_finite():
    most = np.finfo(float).max
    found, _ = shrunk(np.full((3, 3), most), np.ones((3, 3), bool), (0, 2, 0, 2), (2, 2), (3, 3))
    assert np.isfinite(found).all()
