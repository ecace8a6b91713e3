"""Sources computed tile by tile, by whoever computes them."""

import json
import pickle
import threading
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import nullcontext

import numpy as np
import pytest

from refimpl.earth.crs import CRS
from refimpl.earth.datum import other_datums
from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA
from refimpl.earth.zone_labels import zone_labels
from refimpl.errors import DataWarning, InputError
from refimpl.formats.files import sha256
from refimpl.formats.geojson import read_polygons
from refimpl.formats.geotiff import read_raster
from refimpl.formats.writing import write_raster
from refimpl.windows import stored
from refimpl.windows import stored_zones as zone_file
from refimpl.windows.stored import Stored
from refimpl.windows.stored_zones import zones_of_file
from refimpl.windows.tiled import Tiled, write_tiled
from refimpl.windows.walks import windows


def raster(rows=1300, cols=1700, seed=1):
    rng = np.random.default_rng(seed)
    valid = rng.random((rows, cols)) < 0.7
    valid[: rows // 2, : cols // 3] = False
    return Raster.masked(rng.random((rows, cols)), valid, Grid(ALBERS_CHINA, (0, 0, 500, -500), (rows, cols)), "K")


class Counted:
    """A source that counts how often each window is asked for, and in how many threads at once."""

    def __init__(self, source):
        self.source, self.grid, self.units, self.dtype = source, source.grid, source.units, source.dtype
        self.asked, self.lock = [], threading.Lock()

    def part(self, window):
        with self.lock:
            self.asked.append(window)
        return self.source.part(window)


def test_windows_cover_every_cell_once():
    for shape in ((1, 1), (511, 513), (1300, 1700), (40, 70_000), (9_000, 300)):
        covered = np.zeros(shape, np.uint8)
        for top, bottom, left, right in windows(shape):
            covered[top:bottom, left:right] += 1
            assert top % 512 == 0 and left % 512 == 0 and (bottom - top) * (right - left) <= 2**21
        assert (covered == 1).all()


@pytest.mark.parametrize("tile", [(512, 512), (768, 1024), (100, 90), (4000, 4000)])
@pytest.mark.parametrize("cog", [False, True])
def test_each_tile_is_computed_once_and_the_file_holds_the_source(tmp_path, tile, cog):
    source = Counted(raster())
    write_tiled(tmp_path / "a.tif", source, tile, cog=cog)
    found = read_raster(tmp_path / "a.tif")
    assert np.array_equal(found.values, source.source.values) and np.array_equal(found.valid, source.source.valid)
    assert len(source.asked) == len(set(source.asked)) == -(-1300 // tile[0]) * -(-1700 // tile[1])


def test_threads_and_processes_write_the_same_bytes_as_no_worker(tmp_path):
    write_raster(tmp_path / "source.tif", raster())
    source = Stored(tmp_path / "source.tif")
    write_tiled(tmp_path / "alone.tif", source, (512, 1024))
    expected = sha256(tmp_path / "alone.tif")
    for number, pool in enumerate((ThreadPoolExecutor(1), ThreadPoolExecutor(3), ProcessPoolExecutor(2))):
        with pool:
            write_tiled(tmp_path / f"{number}.tif", source, (512, 1024), pool)
        assert sha256(tmp_path / f"{number}.tif") == expected


def test_a_fault_in_a_worker_is_told_and_leaves_no_file(tmp_path):
    class Broken(Counted):
        def part(self, window):
            if window[0] > 0:
                raise InputError("the map: is damaged; take another")
            return super().part(window)

    with ThreadPoolExecutor(2) as pool, pytest.raises(InputError, match="the map: is damaged"):
        write_tiled(tmp_path / "a.tif", Broken(raster()), (512, 512), pool)
    assert list(tmp_path.iterdir()) == []


def test_only_some_tiles_are_on_their_way_and_what_is_read_is_let_go():
    source = raster(64, 64)
    with ThreadPoolExecutor(1) as pool, Tiled(source, (8, 8), pool) as tiled:
        tiled.part((0, 8, 0, 8))
        assert len(tiled._futures) == 2 and not tiled._open
        tiled.part((0, 8, 8, 12))
        assert len(tiled._open) == 1


def test_an_uncompressed_file_holds_the_same_cells(tmp_path):
    whole = raster(700, 900)
    write_tiled(tmp_path / "a.tif", whole, (512, 512), plain=True)
    found = read_raster(tmp_path / "a.tif")
    assert np.array_equal(found.values, whole.values) and np.array_equal(found.valid, whole.valid)
    assert (tmp_path / "a.tif").stat().st_size > 2 * 2 * 512 * 512 * 8


@pytest.mark.parametrize("workers", [0, 2])
def test_a_source_without_a_valid_cell_is_refused_with_nothing_written(tmp_path, workers):
    nothing = Raster.masked(np.ones((600, 700)), np.zeros((600, 700)), Grid(ALBERS_CHINA, (0, 0, 1, -1), (600, 700)))
    at_the_end = Raster.masked(nothing.values, np.zeros((600, 700)), nothing.grid)
    at_the_end.valid[-1, -1], at_the_end.values[-1, -1] = True, 5.0
    sentence = InputError("a.tif: does not overlap the map; take another")
    with ThreadPoolExecutor(workers) if workers else nullcontext() as pool:
        with pytest.raises(InputError, match="^a.tif: does not overlap the map; take another$"):
            write_tiled(tmp_path / "a.tif", nothing, (200, 300), pool, empty=sentence)
        assert list(tmp_path.iterdir()) == []
        write_tiled(tmp_path / "a.tif", at_the_end, (200, 300), pool, empty=sentence)
    assert read_raster(tmp_path / "a.tif").valid.sum() == 1


def sent(source):
    """What another process makes of a source: everything that is kept by this one is forgotten."""
    stored._reopened.cache_clear()
    zone_file._read_again.cache_clear()
    return pickle.loads(pickle.dumps(source))


def test_a_stored_raster_is_taken_elsewhere_for_what_it_was_taken_here(tmp_path):
    pulkovo = CRS("geographic", (6378245.0, 298.3))
    write_raster(tmp_path / "a.tif", Raster(np.eye(3), np.ones((3, 3), bool), Grid(pulkovo, (100, 40, 1, -1), (3, 3))))
    source = Stored(tmp_path / "a.tif")
    with other_datums(ignored=True), pytest.warns(DataWarning, match="the datum of its coordinates is ignored"):
        assert "any datum" in source.grid.crs.describe()
    with warnings.catch_warnings(action="error"):  # outside of other_datums, as a worker is; and it is not told again
        again = sent(source)
        part = again.part((0, 2, 1, 3))
    assert part.grid.crs == source.grid.crs and part.values.tolist() == [[0.0, 0.0], [1.0, 0.0]]
    with other_datums(ignored=False), pytest.raises(InputError, match="lies on another datum"):
        pickle.dumps(Stored(tmp_path / "a.tif"))


def test_a_file_that_a_worker_does_not_see_or_that_is_another_there_is_one_sentence(tmp_path):
    write_raster(tmp_path / "a.tif", raster(30, 40))
    source = Stored(tmp_path / "a.tif")
    here = pickle.dumps(source)
    assert len(here) < 2000
    write_raster(tmp_path / "a.tif", raster(31, 40))
    with pytest.raises(InputError, match=r"a.tif: is another file on .* than where the work is given out"):
        pickle.loads(here).part((0, 1, 0, 1))
    (tmp_path / "a.tif").unlink()
    with pytest.raises(InputError, match=r"a.tif: is not seen by a worker on .*; put it on a disk that all"):
        pickle.loads(here).part((0, 1, 0, 1))


def test_a_file_written_anew_between_two_tasks_is_read_anew(tmp_path):
    for seed in (1, 2):
        whole = raster(30, 40, seed)
        write_raster(tmp_path / "a.tif", whole)
        assert np.array_equal(pickle.loads(pickle.dumps(Stored(tmp_path / "a.tif"))).values, whole.values)


@pytest.mark.parametrize("rule", ["centre", "area"])
def test_zones_go_to_another_process_by_the_name_of_their_file(tmp_path, rule):
    square = [[102.0, 30.0], [106.3, 30.0], [106.3, 33.2], [102.0, 33.2], [102.0, 30.0]]
    shape = {"type": "Polygon", "coordinates": [square]}
    zone = {"type": "Feature", "properties": {"id": 11}, "geometry": shape}
    path = tmp_path / "zones.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [zone]}))
    polygons, grid = read_polygons(path, "id", rule), Grid(CRS("geographic"), (100, 35, 0.25, -0.25), (30, 40))
    codes = zone_labels(polygons, grid)
    write_raster(tmp_path / "zones.tif", codes, nodata=0)
    for source in (
        zones_of_file(path, polygons, grid, "id"), zones_of_file(tmp_path / "zones.tif", codes, grid)
    ):  # fmt: skip
        assert len(pickle.dumps(source)) < 4000
        again = sent(source)
        for window in ((0, 30, 0, 40), (7, 9, 7, 30)):
            part = again.part(window)
            assert np.array_equal(part.values, codes.part(window).values) and part.grid == grid.part(window)
            assert part.dtype == again.dtype
            assert np.array_equal(part.valid, codes.part(window).valid)
    path.unlink()
    with pytest.raises(InputError, match="zones.geojson: is not seen by a worker"):
        sent(zones_of_file(path, polygons, grid, "id"))
