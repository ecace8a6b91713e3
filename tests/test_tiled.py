"""Sources computed tile by tile, by whoever computes them."""

import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

from refimpl.errors import InputError
from refimpl.files import sha256
from refimpl.raster.geotiff import read_raster
from refimpl.raster.grid import Grid, Raster
from refimpl.raster.projection import ALBERS_CHINA
from refimpl.raster.stored import Stored
from refimpl.raster.tiled import Tiled, write_tiled
from refimpl.raster.windows import windows
from refimpl.raster.writing import write_raster


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
