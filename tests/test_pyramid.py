"""Levels that are made where they are looked at: windows of a resized map, corners in bits, memory (D14, D15)."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA
from refimpl.formats.writing import write_parts
from refimpl.method.resize import bicubic_taps, resize_valid
from refimpl.method.settings import UpscaleSettings
from refimpl.method.training_pairs import (
    Draw,
    admissible,
    cut,
    draw_crop,
    draw_fixed_crops,
    pyramid,
    training_pair,
)
from refimpl.twins import BACKENDS, backend
from refimpl.windows import scaled
from refimpl.windows.corners import Corners, overlapping
from refimpl.windows.levels import pyramid_of
from refimpl.windows.scaled import Scaled, in_memory
from refimpl.windows.stored import Stored
from tests.memory import KNOWN, peak_of


@dataclass
class Asked:
    """A source that remembers what it was asked for."""

    raster: Raster

    def __post_init__(self):
        self.grid, self.windows = self.raster.grid, []

    def part(self, window):
        self.windows.append(window)
        return self.raster.part(window)


def read_pyramid(image, valid, size):
    """The levels of an image in memory, as the engine reads it."""
    return pyramid_of(in_memory(image, valid), size)


def coast(rows, cols, seed=0, dtype=np.float32):
    """Noise with dark patches, invalid beyond a crooked coast."""
    rng = np.random.default_rng(seed)
    image = rng.random((rows, cols)).astype(dtype)
    image[rng.random((rows, cols)) < 0.2] = 0
    row, col = np.mgrid[:rows, :cols]
    valid = (col + 5 * np.sin(row / 7) < 0.8 * cols) & (rng.random((rows, cols)) < 0.95)
    return np.where(valid, image, 0).astype(dtype), valid


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_a_window_of_a_shrunken_map_has_the_bits_of_the_whole_resized_map(data):
    rows, cols = data.draw(st.integers(2, 60)), data.draw(st.integers(2, 60))
    scale, chosen = data.draw(st.sampled_from([0.9, 0.8, 0.7, 0.6, 0.5])), data.draw(st.sampled_from(BACKENDS))
    image, valid = coast(rows, cols, 3, data.draw(st.sampled_from([np.float32, np.float64])))
    if data.draw(st.booleans()):
        valid[:] = True
    shape = tuple(max(int(round(scale * n)), 1) for n in (rows, cols))
    top, left = data.draw(st.integers(0, shape[0] - 1)), data.draw(st.integers(0, shape[1] - 1))
    window = top, data.draw(st.integers(top + 1, shape[0])), left, data.draw(st.integers(left + 1, shape[1]))
    with backend(chosen):
        whole = resize_valid(image, valid, shape)
        found = Scaled(in_memory(image, valid), shape, image.dtype, bool(valid.all())).part(window)
    for one, every in zip(found, whole):
        there = every[window[0] : window[1], window[2] : window[3]]
        assert one.tobytes() == there.tobytes() and one.dtype == there.dtype


@pytest.mark.parametrize("chosen", BACKENDS)
def test_wide_bands_have_the_bits_of_the_whole_resized_map(chosen):
    image, valid = coast(40, 9000, 1)       # columns of more than one part of the kernel's work
    with backend(chosen):
        whole = resize_valid(image, valid, (20, 4500))
        found = list(Scaled(in_memory(image, valid), (20, 4500), image.dtype).bands())
    for at in (0, 1):
        assert np.concatenate([band[at] for band in found]).tobytes() == whole[at].tobytes()


def test_a_window_is_the_sum_over_the_taps_in_exact_fractions():
    # A cell of the level from the definition, with the taps' float64 weights taken as exact numbers.
    image, valid = coast(31, 37, 2, np.float64)
    shape = 22, 26
    values, inside = Scaled(in_memory(image, valid), shape, image.dtype).part((9, 12, 17, 23))
    (rows, down), (cols, across) = bicubic_taps(31, 22), bicubic_taps(37, 26)
    checked = 0
    for r in range(9, 12):
        for c in range(17, 23):
            total = share = Fraction(0)
            for i, wi in zip(rows[r], down[r]):
                for j, wj in zip(cols[c], across[c]):
                    weight = Fraction(float(wi)) * Fraction(float(wj)) * int(valid[i, j])
                    share, total = share + weight, total + weight * Fraction(float(image[i, j]))
            assert inside[r - 9, c - 17] == (share >= Fraction(1, 2))
            expected = float(total / share) if share >= Fraction(1, 2) else 0.0
            assert abs(values[r - 9, c - 17] - expected) < 1e-14     # some 200 additions of numbers below 1
            checked += inside[r - 9, c - 17]
    assert 0 < checked < 18


def test_one_invalid_cell_far_away_decides_whether_sums_are_divided_by_their_share():
    # The whole map is one image: a crop without invalid cells is divided too if the map has one anywhere.
    image, valid = coast(60, 60)
    valid[:], image[0, 0] = True, 0.5
    holed = valid.copy()
    holed[59, 59] = False
    for mask in (valid, holed):
        level = read_pyramid(image, mask, 16)[3]
        whole = resize_valid(np.where(mask, image, 0).astype(np.float32), mask, level.shape)[0]
        assert level.map.part((0, 16, 0, 16))[0].tobytes() == whole[:16, :16].tobytes()
        assert pyramid(image, mask, 16)[3].crop(0, 0, 16)[0].tobytes() == whole[:16, :16].tobytes()
    assert [level.map.every_valid for level in read_pyramid(image, valid, 16)] == [False] + 5 * [True]
    assert not any(level.map.every_valid for level in read_pyramid(image, holed, 16))


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 20))), st.integers(1, 9))
def test_packed_corners_count_and_place_as_the_list_of_them_does(cells, height):
    corners = Corners.packed(cells[top : top + height] for top in range(0, len(cells), height))
    expected = np.argwhere(cells).tolist()
    assert len(corners) == len(expected)
    assert [list(corners[number]) for number in range(len(corners))] == expected


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(np.int8, st.tuples(st.integers(4, 14), st.integers(4, 12)), elements=st.integers(-1, 1)),
       st.sampled_from([2, 4]), st.integers(1, 6), st.sampled_from(BACKENDS))
def test_corners_found_band_by_band_are_those_found_by_counting(codes, size, height, chosen):
    image, valid = (codes == 1).astype(np.float32), codes >= 0          # -1 invalid, 0 valid and dark, 1 valid and lit
    bands = [(image[top : top + height], valid[top : top + height]) for top in range(0, len(codes), height)]
    with backend(chosen):
        corners = Corners.packed(admissible(*band, size) for band in overlapping(bands, size - 1))
    expected = []
    for row in range(codes.shape[0] - size + 1):
        for column in range(codes.shape[1] - size + 1):
            window = codes[row : row + size, column : column + size]
            if np.sum(window >= 0) >= window.size / 2 and np.any(window == 1):
                expected.append((row, column))
    assert [corners[number] for number in range(len(corners))] == expected


@pytest.mark.parametrize("count, many", [(16, 5), (16, 17), (16, 9_000), (16, 11_000), (300, 11_000), (16, 3_000_000)])
def test_a_choice_of_numbers_draws_what_a_choice_of_places_draws(count, many):
    # Tapes do not depend on how corners are kept: NumPy's choice of k from a list is the list at its choice of numbers.
    places, count = 7 * np.arange(many) + 3, min(count, many)
    rng, same = np.random.default_rng(3), np.random.default_rng(3)
    assert np.array_equal(rng.choice(places, count, replace=False), places[same.choice(many, count, replace=False)])
    assert rng.bit_generator.state == same.bit_generator.state


@pytest.mark.parametrize("method", [True, False], ids=["method", "engine"])
def test_draws_are_those_from_whole_levels_and_lists_of_corners(method):
    image, valid = coast(90, 77, 4)
    levels, size = (pyramid if method else read_pyramid)(image, valid, 16), 16
    lists = []
    for scale in (1.0, 0.9, 0.8, 0.7, 0.6, 0.5):
        shape = tuple(int(round(scale * n)) for n in image.shape)
        at_scale = (image, valid) if scale == 1 else resize_valid(image, valid, shape)
        lists.append((scale, *at_scale, np.flatnonzero(admissible(*at_scale, size)), shape[1] - size + 1))
    assert [len(level.corners) for level in levels] == [corners.size for *_, corners, _ in lists]

    rng, same = np.random.default_rng(8), np.random.default_rng(8)
    corners, width = lists[0][3:]
    chosen = same.choice(corners, size=16, replace=False)
    assert draw_fixed_crops(levels, rng, 16) == [Draw(0, 1.0, *divmod(int(corner), width), 0) for corner in chosen]
    for step in range(1, 200):
        draw, share = draw_crop(levels, rng, step), same.random()
        scale, values, inside, corners, width = lists[0 if share < 0.5 else 1 + int((share - 0.5) / 0.5 * 5)]
        row, column = divmod(int(corners[same.integers(corners.size)]), width)
        assert draw == Draw(step, scale, row, column, int(same.integers(8)))
        upright = cut(levels, draw._replace(turn=0), size)
        assert upright[0].tobytes() == values[row : row + size, column : column + size].tobytes()
        assert upright[1].tobytes() == inside[row : row + size, column : column + size].tobytes()


def test_a_map_is_read_once_for_each_scale_and_a_crop_reads_what_its_taps_touch(monkeypatch):
    monkeypatch.setattr(scaled, "BAND_CELLS", 10_000)
    image, valid = coast(500, 200)
    source = Asked(in_memory(image, valid))
    levels = pyramid_of(source, 32)
    read = np.zeros(500)
    for top, bottom, left, right in source.windows:
        read[top:bottom] += 1
        assert (left, right) == (0, 200) and bottom - top <= 80     # 10,000 cells are 50 rows; 32 at half size, 64 + 7
    assert read.min() == 6 and read.mean() < 7                      # neighbours share a few rows where taps overlap
    source.windows.clear()
    cut(levels, Draw(1, 0.5, 100, 50, 3), 32)
    # At one half, cell o has taps from 2 o - 3 to 2 o + 4; the crop is 100 ... 131 by 50 ... 81.
    assert source.windows == [(197, 267, 97, 167)]
    source.windows.clear()
    cut(levels, Draw(1, 1.0, 100, 50, 3), 32)
    assert source.windows == [(100, 132, 50, 82)]


def test_a_stored_image_gives_the_pairs_of_the_image_in_memory(tmp_path):
    image, valid = coast(150, 700)
    stored = store(tmp_path / "image.tif", (150, 700), lambda window: in_memory(image, valid).part(window))
    here, there, plain = read_pyramid(image, valid, 32), pyramid_of(stored, 32), pyramid(image, valid, 32)
    rng = np.random.default_rng(5)
    for step in range(1, 40):
        draw = draw_crop(here, rng, step)
        pairs = [training_pair(*cut(levels, draw, 32), UpscaleSettings()) for levels in (here, there, plain)]
        for one, *others in zip(*pairs, strict=True):
            assert all(one.tobytes() == other.tobytes() and one.dtype == other.dtype for other in others)


def store(path, shape, part):
    write_parts(path, Grid(ALBERS_CHINA, (0.0, 0.0, 1000.0, -1000.0), shape), np.float32, part, plain=True)
    return Stored(path)


def pairs_of(source, many):
    levels, rng = pyramid_of(source, 128), np.random.default_rng(1)
    for step in range(1, many + 1):
        training_pair(*cut(levels, draw_crop(levels, rng, step), 128), UpscaleSettings())
    return levels


@pytest.mark.skipif(not KNOWN, reason="this system does not tell a process's peak of memory")
def test_pairs_of_thirty_million_stored_cells_take_less_than_150_mb(tmp_path):
    def band(window):
        (top, bottom, left, right), rng = window, np.random.default_rng(window[0])
        values = rng.random((bottom - top, right - left), np.float32)
        return Raster.masked(values, values > 0.1, Grid(ALBERS_CHINA, (0.0, 0.0, 1000.0, -1000.0), values.shape))

    large = store(tmp_path / "large.tif", (6000, 5000), band)
    small = store(tmp_path / "small.tif", (300, 400), band)
    pairs_of(small, 3)                                          # kernels are loaded
    found = []
    assert peak_of(lambda: found.append(pairs_of(large, 20))) < 150 * 2**20
    kept = sum(level.corners.bits.nbytes + level.corners.until.nbytes for level in found[0])
    assert len(found[0]) == 6 and kept < 0.45 * 6000 * 5000     # bits of 3.55 maps; the image itself: 150 MB more
