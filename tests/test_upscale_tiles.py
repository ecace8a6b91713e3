"""The fine map part by part: any part has the bytes of the whole, costs what it holds, and comes from anywhere."""

import pickle
import tracemalloc
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import refimpl.windows.ensemble as ensemble_module
import refimpl.windows.fine_map as fine_module
import refimpl.windows.whole_maps as whole_maps
from refimpl.earth.grid import Grid, Raster, Source
from refimpl.earth.projection import ALBERS_CHINA
from refimpl.errors import InputError
from refimpl.formats.writing import write_parts
from refimpl.method.image_range import measure_range
from refimpl.method.network import initialise
from refimpl.method.resize import downsample, resize_bicubic, upsample_valid
from refimpl.method.settings import UpscaleSettings
from refimpl.windows.fine_map import Bicubic, NetworkOutput, Plain, Replicated, SuperResolved
from refimpl.windows.measured_range import clip_negatives, measure
from refimpl.windows.reach import box_of, reach
from refimpl.windows.stored import Stored
from refimpl.windows.walks import tiles_of
from refimpl.windows.whole_maps import apply_network, bicubic, replicate

SMALL = UpscaleSettings(layers=3, channels=8, back_projection=2)


def some_map(shape=(37, 53), ragged=True, seed=0, negative=False):
    rng = np.random.default_rng([seed, *shape])
    y, x = np.indices(shape)
    round_about = ((y - shape[0] / 2) / shape[0]) ** 2 + ((x - shape[1] / 2) / shape[1]) ** 2 < 0.22
    valid = round_about & (rng.random(shape) < 0.95) if ragged else np.ones(shape, bool)
    values = 50 * rng.random(shape) ** 3 - (3 if negative else -3)
    return Raster(np.where(valid, values, 0), valid, Grid(ALBERS_CHINA, (500, 9000, 1000, -1000), shape), "t/km2")


def some_network(layers=3, channels=8):
    network = initialise(np.random.default_rng(layers), layers, channels)
    network.layers[-1].weights[...] *= 30                   # a residual as large as the image
    return network


def super_resolved(coarse, options, channels=8):
    return SuperResolved(some_network(options.layers, channels), coarse, measure(coarse).range, options)


def all_of(source):
    return source.part((0, source.grid.shape[0], 0, source.grid.shape[1]))


def same(part, whole, window):
    """Are values and mask of the part, to the bit, those of the whole?"""
    cells = np.s_[window[0] : window[1], window[2] : window[3]]
    return (part.values.shape, part.values.tobytes(), part.valid.tobytes()) == (
        whole.values[cells].shape, whole.values[cells].tobytes(), whole.valid[cells].tobytes()
    )  # fmt: skip


@pytest.mark.parametrize("downsampling, ensemble", [("mean", True), ("mean", False), ("bicubic", True)])
@pytest.mark.parametrize("transform, layers", [("linear", 8), ("log", 3), ("sqrt", 4)])
@pytest.mark.parametrize("shape, ragged", [((37, 53), True), ((70, 41), False)])
def test_tiles_of_any_size_have_the_bytes_of_the_whole_map(shape, ragged, transform, layers, downsampling, ensemble):
    options = UpscaleSettings(layers, 8, transform=transform, downsampling=downsampling, self_ensemble=ensemble)
    for iterations in (2, 10):
        source = super_resolved(some_map(shape, ragged), replace(options, back_projection=iterations))
        whole = all_of(source)
        for tile in ((32, 32), (31, 47), (200, 10)):
            for window in tiles_of(source.grid.shape, tile):
                assert same(source.part(window), whole, window), (tile, window)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_window_has_the_bytes_of_the_whole_map(data):
    shape = data.draw(st.tuples(st.integers(1, 60), st.integers(1, 60)))
    coarse = some_map(shape, data.draw(st.booleans()), data.draw(st.integers(0, 99)), data.draw(st.booleans()))
    if not coarse.valid.any():
        return
    options = replace(
        SMALL, layers=data.draw(st.integers(2, 6)), self_ensemble=data.draw(st.booleans()),
        back_projection=data.draw(st.integers(0, 4)), downsampling=data.draw(st.sampled_from(["mean", "bicubic"])),
    )  # fmt: skip
    kept = measure(coarse).range, options.back_projection, "keep", options.downsampling
    for source in (super_resolved(coarse, options), Bicubic(coarse, *kept), Replicated(coarse, kept[0])):
        whole = all_of(source)
        for _ in range(4):
            top, left = (data.draw(st.integers(0, 2 * n - 1)) for n in shape)
            bottom = data.draw(st.integers(top + 1, 2 * shape[0]))
            window = top, bottom, left, data.draw(st.integers(left + 1, 2 * shape[1]))
            assert same(source.part(window), whole, window)
            assert source.part(window).grid == source.grid.part(window)


def test_a_tile_of_the_default_network_has_the_bytes_of_the_whole_map():
    source = super_resolved(some_map((90, 83)), UpscaleSettings(), channels=64)
    window = (58, 122, 62, 130)
    assert same(source.part(window), all_of(source), window)


@pytest.mark.parametrize("part, change", [
    ("after", {}), ("after", {"downsampling": "bicubic"}), ("after", {"self_ensemble": False, "back_projection": 3}),
    ("within", {}), ("within", {"back_projection": 3}),
    ("network", {}), ("network", {"layers": 8, "back_projection": 0}), ("network", {"layers": 5, "back_projection": 0}),
    ("network", {"layers": 4, "back_projection": 0, "self_ensemble": False}),
])  # fmt: skip
def test_no_part_of_the_reach_could_be_one_cell_less(monkeypatch, part, change):
    source = super_resolved(some_map((64, 60), False), replace(SMALL, **change))
    whole = all_of(source)
    for shorter in (0, 1):
        def cut_short(*given, shorter=shorter):
            right = reach(*given)
            return replace(right, **{part: getattr(right, part) - shorter})

        monkeypatch.setattr(fine_module, "reach", cut_short)
        monkeypatch.setattr(ensemble_module, "reach", cut_short)
        windows = [(start, start + 16, start - 4, start + 12) for start in range(48, 68, 2)]
        alike = [same(source.part(window), whole, window) for window in windows]
        assert all(alike) if shorter == 0 else not all(alike)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["bicubic", "mean"])
def test_valid_weight_of_cells_that_are_all_valid_is_exactly_one(dtype, kind):
    # So a part whose cells are all valid is resized as in a map that has other cells, too.
    rng = np.random.default_rng(4)
    image, valid = rng.random((40, 36)).astype(dtype), np.ones((40, 36), bool)
    valid[:8] = False
    assert np.array_equal(upsample_valid(image, valid)[24:], resize_bicubic(image, (80, 72))[24:])
    plain = downsample(image, np.ones_like(valid), kind)[0]
    assert np.array_equal(downsample(image, valid, kind)[0][8:], plain[8:])


@dataclass
class Counted:
    """A source that keeps what it was asked for."""

    source: Source

    def __post_init__(self):
        self.grid, self.units, self.dtype = self.source.grid, self.source.units, self.source.dtype
        self.asked = []

    def part(self, window):
        self.asked.append(window)
        return self.source.part(window)


def test_a_window_without_valid_cells_does_not_call_the_network(monkeypatch):
    coarse = some_map((60, 60), False)
    coarse.valid[30:], coarse.values[30:] = False, 0
    source, calls = super_resolved(coarse, SMALL), []
    monkeypatch.setattr(ensemble_module, "infer", lambda *given: calls.append(given))
    empty = source.part((60, 120, 0, 120))
    assert not calls and not empty.valid.any() and not empty.values.any()


def test_the_edge_of_the_study_area_costs_what_it_touches(monkeypatch):
    coarse, areas = some_map((200, 200), False), []
    coarse.valid[:, 9:], coarse.values[:, 9:] = False, 0
    infer = ensemble_module.infer

    def recording(network, image, valid, window, progress):
        areas.append((window[1] - window[0]) * (window[3] - window[2]))
        return infer(network, image, valid, window, progress)

    monkeypatch.setattr(ensemble_module, "infer", recording)
    source = super_resolved(coarse, replace(SMALL, self_ensemble=False, back_projection=0))
    source.part((100, 300, 0, 400))
    assert areas == [200 * 18]


def test_a_part_reads_only_what_it_needs():
    options = replace(SMALL, self_ensemble=False)
    counted = Counted(some_map((200, 200), False))
    source = SuperResolved(some_network(), counted, measure(counted.source).range, options)
    source.part((200, 220, 100, 120))
    far = reach(options, 3).total
    assert counted.asked == [(100 - far, 110 + far, 50 - far, 60 + far)] and far == 8


def test_any_number_of_threads_gives_the_same_bytes(monkeypatch):
    answers = set()
    for threads in ("1", "2", "4"):
        monkeypatch.setenv("REFIMPL_THREADS", threads)
        answers.add(super_resolved(some_map((60, 70)), SMALL).part((11, 90, 8, 120)).values.tobytes())
    assert len(answers) == 1


def test_maps_in_memory_are_made_in_tiles_that_do_not_show(monkeypatch):
    coarse, network = some_map((50, 45), negative=True), some_network()

    def maps():
        yield apply_network(network, coarse, SMALL)
        yield bicubic(coarse, 2)
        yield replicate(coarse, "keep")

    expected = list(maps())
    monkeypatch.setattr(whole_maps, "TILE_SIDE", 16)
    for found, whole in zip(maps(), expected, strict=True):
        assert same(found, whole, (0, 100, 0, 90)) and found.units == "t/km2" and found.grid == whole.grid


def test_memory_beyond_the_result_does_not_grow_with_the_map(monkeypatch):
    peaks, network = [], some_network()
    monkeypatch.setattr(whole_maps, "TILE_SIDE", 32)
    for rows in (64, 512):
        coarse = some_map((rows, 64), False)
        apply_network(network, some_map((8, 8), False), SMALL)                      # compiles
        tracemalloc.start()
        fine = apply_network(network, coarse, SMALL)
        # Less the result, and the range's copy of the map's valid cells, with their bits and their order.
        peaks.append(tracemalloc.get_traced_memory()[1] - fine.values.nbytes - fine.valid.nbytes)
        tracemalloc.stop()
    assert peaks[1] < 1.25 * peaks[0]


def test_a_fine_map_in_a_file_is_the_coarse_map_of_the_next_one(tmp_path):
    # Gradual super-resolution, as D17 leaves it open: the minimum was subtracted once, and is kept then.
    coarse = some_map((20, 23))
    first = super_resolved(coarse, SMALL)
    write_parts(tmp_path / "first.tif", first.grid, first.dtype, first.part, first.units)
    stored = Stored(tmp_path / "first.tif")
    again = super_resolved(stored, replace(SMALL, baseline="keep"))
    expected = all_of(super_resolved(all_of(first), replace(SMALL, baseline="keep")))
    assert again.grid.transform == (500, 9000, 250, -250) and again.grid.shape == (80, 92)
    for window in ((0, 80, 0, 92), (33, 71, 5, 40)):
        assert same(again.part(window), expected, window)
    fours = expected.values.reshape(40, 2, 46, 2).mean(axis=(1, 3))
    assert np.abs(fours - all_of(first).values)[1:-1, 1:-1].mean() < 0.3 < all_of(first).values.mean()


def test_a_fine_map_goes_to_another_process_as_it_is():
    for source in (super_resolved(some_map(), SMALL), Bicubic(some_map(), measure(some_map()).range, 2)):
        window = (13, 40, 20, 77)
        assert same(pickle.loads(pickle.dumps(source)).part(window), all_of(source), window)


def test_range_and_negative_cells_are_counted_window_by_window():
    # More cells than a window has; expected from NumPy, all at once.
    rng = np.random.default_rng(6)
    values, valid = rng.normal(1, 1, (1500, 1500)).astype(np.float32), rng.random((1500, 1500)) < 0.9
    coarse = Raster(np.where(valid, values, np.float32(0)), valid, Grid(ALBERS_CHINA, (0, 0, 1, -1), (1500, 1500)))
    counted = Counted(coarse)
    found = measure(counted)
    inside = np.maximum(values[valid].astype(float), 0)
    assert found.clipped == np.sum(values[valid] < 0) > 0
    assert (found.range.minimum, found.range.scale) == (inside.min(), np.quantile(inside - inside.min(), 0.9999))
    assert len(set(counted.asked)) > 1


def test_the_range_has_the_bits_of_the_quantile_of_the_shifted_map():
    for seed in range(20):
        values = np.random.default_rng(seed).random((30, 40 + seed)) ** 3 * 10.0 ** (seed - 10) + 0.1
        found = measure_range(values, np.ones(values.shape, bool))
        assert found.scale == np.quantile(values - values.min(), 0.9999) and found.minimum == values.min()


def test_negative_values_are_clipped_in_whatever_part_is_asked_for():
    coarse = some_map(negative=True)
    whole, count = clip_negatives(coarse)
    assert count > 0 and measure(coarse).clipped == count
    for window in ((0, 37, 0, 53), (5, 9, 20, 21)):
        assert same(clip_negatives(coarse.part(window))[0], whole, window)


def test_a_map_without_a_valid_cell_has_no_range():
    grid = Grid(ALBERS_CHINA, (0, 0, 1, -1), (3, 4))
    with pytest.raises(InputError, match="coarse map: no cell is valid, expected at least one"):
        measure(Raster(np.zeros((3, 4)), np.zeros((3, 4), bool), grid))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**25 - 1))
def test_the_box_of_cells_is_the_smallest_window_that_holds_them(bits):
    cells = np.array([bits >> n & 1 for n in range(25)], bool).reshape(5, 5)
    places = [(row + 10, column + 20) for row, column in np.ndindex(5, 5) if cells[row, column]]
    expected = None
    if places:
        rows, columns = zip(*places)
        expected = min(rows), max(rows) + 1, min(columns), max(columns) + 1
    assert box_of(cells, (10, 15, 20, 25)) == expected


@pytest.mark.parametrize("ensemble", [True, False])
@pytest.mark.parametrize("transform", ["linear", "log"])
def test_a_map_from_the_networks_kept_output_has_the_bytes_of_one_without(tmp_path, transform, ensemble):
    options = replace(SMALL, transform=transform, self_ensemble=ensemble)
    plain = super_resolved(some_map(), options)
    output = NetworkOutput(plain.network, plain.coarse, plain.image_range, options)
    write_parts(tmp_path / "output.tif", output.grid, output.dtype, output.part)
    kept = Stored(tmp_path / "output.tif")
    whole = all_of(plain)
    for window in tiles_of(plain.grid.shape, (31, 47)):
        assert same(replace(plain, output=kept).part(window), whole, window)
    alone = all_of(Plain(kept, plain.image_range, options))
    expected = apply_network(plain.network, plain.coarse, replace(options, self_ensemble=False, back_projection=0))
    assert np.array_equal(alone.values, expected.values) and np.array_equal(alone.valid, expected.valid)


def test_the_network_is_applied_once_less_where_its_output_is_known(monkeypatch):
    asked = []
    infer = ensemble_module.infer
    monkeypatch.setattr(ensemble_module, "infer", lambda *args: asked.append(args) or infer(*args))
    plain = super_resolved(some_map(), SMALL)
    output = all_of(NetworkOutput(plain.network, plain.coarse, plain.image_range, SMALL))
    for options, times in ((SMALL, 7), (replace(SMALL, self_ensemble=False), 0)):
        asked.clear()
        all_of(replace(plain, settings=options, output=output))
        assert len(asked) == times
