"""Pairs (D14, D15) and the tape: rotations, admissible crops, what a pair is, what is written down."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from refimpl.errors import InputError
from refimpl.formats.tape import read_tape, write_tape
from refimpl.method.settings import UpscaleSettings
from refimpl.method.training_pairs import (
    SCALES,
    Draw,
    Tape,
    admissible,
    crop_size,
    cut,
    draw_crop,
    draw_fixed_crops,
    pyramid,
    rotate_mirror,
    sums_of_windows,
    training_pair,
    undo_rotate_mirror,
)
from refimpl.windows.levels import pyramid_of
from refimpl.windows.scaled import in_memory


def read_pyramid(image, valid, size, scales=SCALES):
    """The engine's pyramid: crops are read when they are drawn."""
    return pyramid_of(in_memory(image, valid), size, len(scales) > 1, image.dtype)


FORMS = pytest.mark.parametrize("levels_of", [pyramid, read_pyramid], ids=["method", "engine"])
FULL_SIZE = SCALES[:1]


def network_input(father, valid, kind, transform="linear"):
    """What the network sees of a crop."""
    return training_pair(father, valid, UpscaleSettings(downsampling=kind, transform=transform))[0]


def some_map(rows=40, cols=50, seed=0):
    rng = np.random.default_rng(seed)
    return rng.random((rows, cols)).astype(np.float32), np.ones((rows, cols), bool)


@pytest.mark.parametrize("shape", [(5, 5), (4, 7), (1, 6)])
def test_the_eight_rotations_and_mirrors_round_trip(shape):
    image = np.arange(np.prod(shape)).reshape(shape)
    for turn in range(8):
        assert np.array_equal(undo_rotate_mirror(rotate_mirror(image, turn), turn), image)


def test_the_eight_rotations_and_mirrors_differ_and_are_those_of_the_square():
    image = np.array([[1, 2], [3, 4]])
    seen = {tuple(rotate_mirror(image, turn).ravel().tolist()) for turn in range(8)}
    turned = {(1, 2, 3, 4), (2, 4, 1, 3), (4, 3, 2, 1), (3, 1, 4, 2)}
    mirrored = {(2, 1, 4, 3), (4, 2, 3, 1), (3, 4, 1, 2), (1, 3, 2, 4)}
    assert seen == turned | mirrored
    assert rotate_mirror(image, 1).tolist() == [[2, 4], [1, 3]]         # turn 1 is anticlockwise
    assert rotate_mirror(image, 4).tolist() == [[2, 1], [4, 3]]         # turn 4 is the mirror alone


def test_a_crop_is_even_and_fits_the_map():
    assert [crop_size(shape, 128) for shape in [(500, 400), (127, 400), (400, 90)]] == [128, 126, 90]


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(np.int8, st.tuples(st.integers(4, 12), st.integers(4, 12)), elements=st.integers(-1, 1)),
       st.sampled_from([2, 4]))
def test_admissible_corners_are_those_found_by_counting(codes, size):
    image, valid = (codes == 1).astype(np.float32), codes >= 0          # -1 invalid, 0 valid and dark, 1 valid and lit
    found = admissible(image, valid, size)
    for row in range(codes.shape[0] - size + 1):
        for column in range(codes.shape[1] - size + 1):
            window = codes[row : row + size, column : column + size]
            assert found[row, column] == (np.sum(window >= 0) >= window.size / 2 and np.any(window == 1))
    assert found.shape == sums_of_windows(valid, size).shape == tuple(n - size + 1 for n in codes.shape)


@FORMS
def test_every_drawn_crop_is_half_valid_and_not_dark(levels_of):
    image, valid = some_map(60, 70)
    valid[:, :30] = False
    image[:, 50:] = 0
    image = np.where(valid, image, 0)
    levels = levels_of(image, valid, 16)
    rng = np.random.default_rng(1)
    for draw in [draw_crop(levels, rng, step) for step in range(1, 300)] + draw_fixed_crops(levels, rng, 16):
        father, inside = cut(levels, draw, 16)
        assert father.shape == (16, 16) and inside.mean() >= 0.5 and np.any(father[inside])


@FORMS
def test_the_full_size_is_drawn_half_of_the_time_and_the_other_scales_alike(levels_of):
    levels = levels_of(*some_map(), 16)
    rng = np.random.default_rng(2)
    draws = [draw_crop(levels, rng, step) for step in range(1, 20001)]
    shares = {level.scale: np.mean([draw.scale == level.scale for draw in draws]) for level in levels}
    assert list(shares) == [1.0, 0.9, 0.8, 0.7, 0.6, 0.5]
    # Four standard deviations of a share of 20,000 draws: 4 sqrt(p (1 - p) / 20000).
    assert abs(shares.pop(1.0) - 0.5) < 0.0142
    assert all(abs(share - 0.1) < 0.0085 for share in shares.values())
    turns = np.bincount([draw.turn for draw in draws]) / len(draws)
    assert turns.size == 8 and np.abs(turns - 1 / 8).max() < 0.0094


@FORMS
def test_crops_reach_every_corner_of_the_map(levels_of):
    levels = levels_of(*some_map(9, 10), 8, FULL_SIZE)
    rng = np.random.default_rng(3)
    assert {draw_crop(levels, rng, 1)[2:4] for _ in range(300)} == {(r, c) for r in range(2) for c in range(3)}


@FORMS
def test_without_pyramid_or_with_a_map_as_small_as_the_crop_only_the_full_size_is_drawn(levels_of):
    rng = np.random.default_rng(4)
    for levels in (levels_of(*some_map(), 16, FULL_SIZE), levels_of(*some_map(20, 17), 16)):
        assert [level.scale for level in levels] == [1.0]
        assert {draw_crop(levels, rng, step).scale for step in range(50)} == {1.0}
    assert [level.scale for level in levels_of(*some_map(40, 40), 32)] == [1.0, 0.9, 0.8]


@FORMS
def test_fixed_crops_are_different_crops_of_the_map_as_it_lies(levels_of):
    levels = levels_of(*some_map(), 16)
    fixed = draw_fixed_crops(levels, np.random.default_rng(5), 16)
    assert len(set(fixed)) == 16 and {(d.step, d.scale, d.turn) for d in fixed} == {(0, 1.0, 0)}
    few = draw_fixed_crops(levels_of(*some_map(18, 19), 16), np.random.default_rng(5), 16)
    assert {(d.row, d.column) for d in few} == {(r, c) for r in range(3) for c in range(4)} and len(few) == 12


@FORMS
def test_a_level_of_the_pyramid_is_the_mean_brightness_of_valid_cells_alone(levels_of):
    image, valid = np.full((40, 40), 3.0, np.float32), np.ones((40, 40), bool)
    valid[:, 25:] = False
    for level in levels_of(np.where(valid, image, 0), valid, 16):
        shrunk, inside = level.map.part((0, level.shape[0], 0, level.shape[1])) if levels_of is read_pyramid else (
            level.image, level.valid)
        assert np.abs(shrunk[inside] - 3).max() < 3e-6 and not shrunk[~inside].any()
        assert abs(inside.mean() - 25 / 40) <= 0.5 / inside.shape[1] + 1e-9             # the coast to half a cell


@FORMS
def test_a_map_without_an_admissible_crop_is_refused_with_its_reason(levels_of):
    image, valid = some_map(20, 20)
    with pytest.raises(InputError, match="all of its valid cells have one value"):
        levels_of(np.zeros_like(image), valid, 8)
    valid[...] = False
    valid[::3, ::3] = True
    with pytest.raises(InputError, match=r"no crop of 8 x 8 .* \(49 of 400 cells .* choose a smaller upscale.crop"):
        levels_of(np.where(valid, image, 0), valid, 8)


def test_the_input_of_a_pair_is_the_father_averaged_and_interpolated_back():
    # One bright 2x2 block is one coarse cell; doubled, it is Keys's kernel at quarter cells, by hand.
    father = np.zeros((12, 12))
    father[4:6, 6:8] = 1.0
    taps = np.array([-0.0234375, -0.0703125, 0.2265625, 0.8671875, 0.8671875, 0.2265625, -0.0703125, -0.0234375])
    expected = np.zeros((12, 12))
    expected[1:9, 3:11] = np.outer(taps, taps)
    found = network_input(father, np.ones((12, 12), bool), "mean")
    assert np.abs(found - expected).max() < 1e-15       # one rounding


def test_the_input_of_a_pair_has_no_dark_rim_at_the_coast():
    valid = np.ones((16, 16), bool)
    valid[:, 9:] = False
    for kind in ("mean", "bicubic"):
        found = network_input(np.where(valid, 4.0, 0.0), valid, kind)
        assert np.abs(found[:, :8] - 4).max() < 1e-12
    assert np.abs(network_input(np.where(valid, 4.0, 0.0), valid, "mean")[:, 8] - 4).max() < 1e-12


@FORMS
def test_a_crop_is_cut_where_and_turned_as_its_draw_says(levels_of):
    image, valid = some_map()
    levels = levels_of(image, valid, 8, FULL_SIZE)
    father, inside = cut(levels, Draw(1, 1.0, 5, 9, 6), 8)
    assert np.array_equal(father, rotate_mirror(image[5:13, 9:17], 6)) and inside.all()


@FORMS
@pytest.mark.parametrize("draw", [Draw(3, 0.9, 0, 0, 0), Draw(3, 1.0, 33, 0, 0), Draw(3, 1.0, 0, 43, 0)])
def test_a_draw_that_the_map_does_not_have_is_refused(levels_of, draw):
    with pytest.raises(InputError, match="tape: step 3 takes 8 x 8 cells at scale"):
        cut(levels_of(*some_map(), 8, FULL_SIZE), draw, 8)


def test_a_tape_is_read_back_as_it_was_written(tmp_path):
    tape = Tape((Draw(0, 1.0, 3, 4, 0), Draw(1, 0.9, 5, 6, 7), Draw(2, 0.7, 0, 12, 1)))
    write_tape(tmp_path / "tape.csv", tape)
    rows = (tmp_path / "tape.csv").read_text().splitlines()
    assert rows[:3] == ["step,scale,row,column,turn", "0,1.0,3,4,0", "1,0.9,5,6,7"]
    assert read_tape(tmp_path / "tape.csv") == tape


@pytest.mark.parametrize("text, message", [
    ("step,row\n0,1\n", "no column 'scale'"),
    ("", "holds no rows"),
    ("step,scale,row,column,turn\n0,1.0,3,4,0\n1,1.0,3,x,0\n", "line 3, column 'column': 'x'; expected a number"),
    ("step,scale,row,column,turn\n0,1.0,3,4,0\n1,1.0,3,4,8\n", "line 3: turn 8, expected 0 to 7"),
    ("step,scale,row,column,turn\n0,1.0,3,4,0\n1,1.0,-3,4,0\n", "line 3: row -3, .* no negative number"),
    ("step,scale,row,column,turn\n0,1.0,3,4,0\n2,1.0,3,4,0\n", "column step is out of order"),
    ("step,scale,row,column,turn\n1,1.0,3,4,0\n0,1.0,3,4,0\n", "column step is out of order"),
    ("step,scale,row,column,turn\n0,1.0,3,4,0\n", "column step is out of order"),
    ("step,scale,row,column,turn\n" + "".join(f"{n},1.0,3,4,0\n" for n in range(1, 51)), "has no row of step 0"),
])
def test_a_broken_tape_is_refused_with_its_row(tmp_path, text, message):
    path = tmp_path / "tape.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_tape(path)


def test_the_columns_of_a_tape_may_come_in_any_order(tmp_path):
    (tmp_path / "tape.csv").write_text("turn,step,column,row,scale\n5,1,4,3,0.9\n")
    assert read_tape(tmp_path / "tape.csv") == Tape((Draw(1, 0.9, 3, 4, 5),))
