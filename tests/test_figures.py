"""Figures: colours that keep their order, true directions, readable numbers, and bytes that do not change."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA, WGS84
from refimpl.errors import InputError
from refimpl.figures import (
    bar_figure,
    bars,
    by_year,
    cells,
    comparison_figure,
    curve_figure,
    curves,
    map_figure,
    maps,
    pick_window,
    scatter_figure,
    stacked,
)
from refimpl.figures.axes import Frame, colour_bar_ticks, format_number, log_ticks, nice_ticks
from refimpl.figures.canvas import Canvas
from refimpl.figures.cells import cells_figure, counted
from refimpl.figures.colour import NODATA, PAPER, Scale, choose_scale, diverging, sequential
from refimpl.figures.curves import running_median
from refimpl.figures.display import borders, pixel_shape, sample
from refimpl.figures.inventory_figures import Difference, difference_limits, inventory_figures
from refimpl.figures.stacked import LAND_COVER_COLOURS, stacked_figure
from refimpl.figures.typeset import fitted, text_width, typeset

DARKEST = tuple(sequential()[-1].tolist())
PALEST = tuple(sequential()[0].tolist())


def albers(values, valid=None, cell=10_000.0, units="t CO2/km2/yr") -> Raster:
    values = np.asarray(values, float)
    valid = np.ones(values.shape, bool) if valid is None else np.asarray(valid, bool)
    return Raster.masked(values, valid, Grid(ALBERS_CHINA, (0.0, 4e6, cell, -cell), values.shape), units)


def geographic(values, top=54.0, cell=1.0) -> Raster:
    values = np.asarray(values, float)
    return Raster(values, np.ones(values.shape, bool), Grid(WGS84, (73.0, top, cell, -cell), values.shape), "t/km2")


@pytest.fixture
def sheets(monkeypatch):
    """Every canvas that is drawn on, to look at its captions."""
    made = []

    class Recorded(Canvas):
        def __init__(self, width, height):
            super().__init__(width, height)
            self.captions, self.pictures = [], []
            made.append(self)

        def text(self, x, y, text, *rest, **named):
            super().text(x, y, text, *rest, **named)
            self.captions.append(text)

        def picture(self, left, top, pixels):
            super().picture(left, top, pixels)
            self.pictures.append((left, top, pixels))

    for module in (maps, bars, curves, cells, by_year, stacked):
        monkeypatch.setattr(module, "Canvas", Recorded)
    return made


def cie_lightness(rgb) -> np.ndarray:
    """CIE 1976 L*, an independent measure of lightness, from sRGB bytes."""
    share = np.asarray(rgb, float) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    return np.where(luminance > 216 / 24389, 116 * np.cbrt(luminance) - 16, luminance * 24389 / 27)


# Colour maps


def test_sequential_lightness_falls_at_every_step_and_nearly_linearly():
    lightness = cie_lightness(sequential())
    # Bytes of colour move L* by up to about 0.3; one of 255 steps is 0.34, so single steps may nearly vanish.
    assert np.all(np.diff(lightness) < 0.05)
    assert np.all(lightness[4:] < lightness[:-4])
    line = np.linspace(lightness[0], lightness[-1], 256)
    # L* and OKLab's lightness are different scales; they bend by a few units against each other.
    assert np.abs(lightness - line).max() < 6
    assert lightness[0] > 93 and lightness[-1] < 12


def test_diverging_is_lightest_in_the_middle_and_symmetric_in_lightness():
    lightness = cie_lightness(diverging())
    assert abs(int(np.argmax(lightness)) - 127.5) < 4
    # Blue and red of one OKLab lightness differ by some units of L* (Helmholtz-Kohlrausch is modelled by neither).
    assert np.abs(lightness - lightness[::-1]).max() < 8
    blue, red = diverging()[0].astype(int), diverging()[-1].astype(int)
    assert blue[2] > blue[0] + 60 and red[0] > red[2] + 60


@pytest.mark.parametrize("table", [sequential(), diverging()])
def test_nodata_and_paper_are_far_from_every_colour_of_the_maps(table):
    for colour in (NODATA, PAPER):
        assert np.abs(table.astype(int) - colour).sum(axis=1).min() > 20


def test_known_oklab_colours_are_converted():
    from refimpl.figures.colour import srgb_from_polar

    # sRGB red is OKLab (0.62796, 0.22486, 0.12585), as published: L 0.62796, C 0.25768, h 29.234 degrees.
    assert np.abs(srgb_from_polar(0.62796, 0.2576, 29.234).astype(int) - [255, 0, 0]).max() <= 2
    assert srgb_from_polar(0.0, 0.1, 0.0).tolist() == [0, 0, 0]


# Scales


def test_log_position_equals_hand_values():
    scale = Scale("log", 0.01, 100.0)
    # log10: -2 -> 0, 0 -> 1/2, 1 -> 3/4; beyond the ends, the ends.  1e-12 is rounding of two logarithms.
    positions = scale.position([0.0, 0.001, 0.01, 1.0, 10.0, 100.0, 1e9])
    assert positions == pytest.approx([0, 0, 0, 0.5, 0.75, 1, 1], abs=1e-12)


def test_sqrt_linear_and_diverging_positions_equal_hand_values():
    assert Scale("sqrt", 0.0, 100.0).position([0, 25, 100]).tolist() == [0, 0.5, 1]
    assert Scale("linear", -1.0, 3.0).position([-1, 0, 3, 9]).tolist() == [0, 0.25, 1, 1]
    assert Scale("diverging", -2.0, 2.0).position([-2, 0, 1]).tolist() == [0, 0.5, 0.75]


def test_default_log_limits_follow_the_positive_cells_only():
    # 1 to 1000 beside a million zeros: the 10 % quantile is 100.9, rounded down to 100; 99.9 % is 999.001.
    values = np.concatenate([np.zeros(10**6), np.arange(1, 1001)])
    scale = choose_scale(values)
    assert (scale.low, scale.high) == (100.0, pytest.approx(999.001))


def test_default_log_scale_spans_about_three_powers_of_ten_of_a_heavy_tail():
    scale = choose_scale(10.0 ** np.linspace(-9, 3, 10_001))
    # 99.9 % quantile 10^2.988 = 973; a thousandth is 0.973, rounded down to 0.5.
    assert scale.high == pytest.approx(973, rel=0.01)
    assert scale.low == 0.5


@pytest.mark.parametrize("values", [[], [0.0, 0.0], [5.0, 5.0], [-3.0, -3.0], [np.nan, np.inf], [1e-30], [1e30]])
@pytest.mark.parametrize("kind", ["log", "sqrt", "linear", "diverging"])
def test_scale_of_degenerate_values_still_has_a_span(values, kind):
    scale = choose_scale(values, kind)
    assert scale.low < scale.high
    assert np.isfinite(scale.position([0.0, 1.0])).all()


def test_impossible_scales_are_refused():
    for arguments in [("log", 0.0, 1.0), ("linear", 1.0, 1.0), ("linear", 0.0, np.nan), ("cube", 0.0, 1.0)]:
        with pytest.raises(ValueError):
            Scale(*arguments)


# Ticks and text


@pytest.mark.parametrize(("low", "high", "expected"), [
    (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
    (-3, 3, [-3, -2, -1, 0, 1, 2, 3]),
    (0, 84_000, [0, 20_000, 40_000, 60_000, 80_000]),
    (0.0012, 0.0023, [0.0012, 0.0014, 0.0016, 0.0018, 0.002, 0.0022]),
])
def test_ticks_are_nice_numbers_inside_the_range(low, high, expected):
    assert nice_ticks(low, high) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("span", [1e-7, 0.03, 1.7, 42.0, 9.9e8])
def test_tick_steps_are_one_two_or_five_times_a_power_of_ten(span):
    ticks = nice_ticks(-span / 3, span)
    step = ticks[1] - ticks[0]
    mantissa = step / 10 ** np.floor(np.log10(step) + 1e-9)
    assert min(abs(mantissa - nice) for nice in (1, 2, 5)) < 1e-6
    assert 3 <= len(ticks) <= 9


def test_log_ticks_are_few_and_inside():
    assert log_ticks(0.01, 10.0) == [0.01, 0.03, 0.1, 0.3, 1, 3, 10]
    assert log_ticks(1e-8, 1e8)[0] == 1e-8 and len(log_ticks(1e-8, 1e8)) <= 7
    assert log_ticks(1.1, 1.4) == [1.1, 1.2, 1.3, 1.4]


def test_colour_bar_marks_the_ends_beyond_which_values_lie():
    ticks = colour_bar_ticks(Scale("log", 0.01, 13.456), below=True, above=True)
    assert ticks[0] == (0.0, "< 0.01") and ticks[-1] == (1.0, "> 13.5")
    positions = [position for position, _ in ticks]
    assert positions == sorted(positions) and min(np.diff(positions)) > 0.04
    assert colour_bar_ticks(Scale("linear", 0, 5), False, False)[0] == (0.0, "0")


def test_numbers_are_written_as_people_read_them():
    written = [format_number(value) for value in (1.0, -0.25, 1500.0, 250_000.0, 1e6, 5e-4, -1e-5)]
    assert written == ["1", "-0.25", "1,500", "250,000", "10^6", "5·10^-4", "-10^-5"]


@pytest.mark.parametrize(("text", "expected"), [
    ("CO2", [("CO", "on"), ("2", "sub")]),
    ("CO₂", [("CO", "on"), ("2", "sub")]),
    ("km2/yr", [("km", "on"), ("2", "super"), ("/yr", "on")]),
    ("R² = 1", [("R", "on"), ("2", "super"), (" = 1", "on")]),
    ("10⁻⁴", [("10", "on"), ("-4", "super")]),
    ("CO2010 km20", [("CO2010 km20", "on")]),
    ("a – b ≥ Zürich", [("a - b >= Zurich", "on")]),
    ("省", [("?", "on")]),
])
def test_captions_are_broken_into_drawable_runs(text, expected):
    assert typeset(text) == expected


def test_subscript_is_drawn_lower_than_superscript():
    def rows(text):
        sheet = Canvas(120, 80)
        sheet.text(5, 50, text, 30)
        ink = np.asarray(sheet.image.convert("L"))[:, 5 + text_width("km", 30) :] < 128
        return np.flatnonzero(ink.any(axis=1)).mean()

    assert rows("km₂") > rows("km²") + 8


def test_long_titles_shrink_and_then_end_in_an_ellipsis():
    text, size = fitted("many words " * 40, 30, 500)
    assert size == 20 and text.endswith("…") and text_width(text, size) <= 500


# Maps


def corner(row, col) -> Raster:
    values = np.full((20, 30), 0.02)
    values[row, col] = 100.0
    return albers(values)


@pytest.mark.parametrize(("row", "col"), [(0, 0), (0, 29), (19, 0), (19, 29)])
def test_a_bright_cell_ends_up_in_its_own_corner_of_the_map(tmp_path, sheets, row, col):
    image = map_figure(corner(row, col), "Corner", tmp_path / "m.png", limits=(0.1, 10.0))
    left, top, pixels = sheets[0].pictures[0]
    height, width = pixels.shape[:2]
    area = np.asarray(image)[top : top + height, left : left + width]
    rows, cols = np.nonzero((area == DARKEST).all(axis=2))
    assert np.all(rows // (height // 20) == row) and np.all(cols // (width // 30) == col)
    # One cell, all of it, and nothing else.
    assert rows.size == height * width // 600


def test_map_paints_missing_data_grey_outside_white_and_says_so(tmp_path, sheets):
    values, valid = np.ones((40, 40)), np.ones((40, 40), bool)
    valid[:, :20] = False
    zones = np.ones((40, 40), int)
    zones[:, :10] = 0
    map_figure(albers(values, valid), "Half", tmp_path / "m.png", zones=zones)
    pixels = sheets[0].pictures[0][2]
    cell = pixels.shape[1] // 40
    assert tuple(pixels[100, 5 * cell]) == PAPER
    assert tuple(pixels[100, 15 * cell]) == NODATA
    assert tuple(pixels[100, 30 * cell]) not in (PAPER, NODATA)
    assert "no data" in sheets[0].captions
    map_figure(albers(values), "Full", tmp_path / "m.png")
    assert "no data" not in sheets[1].captions


def test_province_boundary_is_drawn_between_provinces_only(tmp_path, sheets):
    zones = np.repeat([[1, 2]], 20, axis=0).repeat(10, axis=1)
    map_figure(albers(np.ones((20, 20))), "Two", tmp_path / "m.png", zones=zones, limits=(1.0, 10.0))
    pixels = sheets[0].pictures[0][2]
    drawn = np.flatnonzero((pixels != PALEST).any(axis=(0, 2)))
    assert drawn.tolist() == [pixels.shape[1] // 2 - 1, pixels.shape[1] // 2]


def test_boundaries_are_one_pixel_of_ink_wide():
    zones = np.zeros((8, 8), int)
    zones[:, 4:] = 1
    assert borders(zones).tolist() == [[0, 0.5, 0.5, 0]] * 4


def test_geographic_grid_is_drawn_with_the_aspect_of_its_middle_latitude():
    # Middle latitude 60: a degree of longitude is half as long as one of latitude.
    grid = geographic(np.ones((20, 40)), top=70.0).grid
    assert pixel_shape(grid, grid.bounds, (400, 400)) == (400, 400)
    assert pixel_shape(Grid(ALBERS_CHINA, (0, 0, 10, -10), (20, 40)), (0, -200, 400, 0), (400, 400)) == (200, 400)


def test_display_averages_by_area_and_leaves_out_invalid_cells():
    raster = albers([[1, 3, 5, 5], [1, 3, 9, 9]], [[1, 1, 1, 0], [1, 1, 0, 0]], cell=1.0)
    values, valid = sample(raster, raster.grid.bounds, (1, 2))
    # Right: one valid cell of four, less than half.
    assert values.tolist() == [[2.0, 0.0]] and valid.tolist() == [[True, False]]
    # Pixels of 4/3 cells: 1 and a third of 3; two thirds of 3 and of 5; a third of 5 and 9.
    values, valid = sample(albers([[1, 3, 5, 9]], cell=1.0), (0, 4e6 - 1, 4, 4e6), (1, 3))
    assert values[0] == pytest.approx([(1 + 3 / 3) / (4 / 3), (3 + 5) / 2, (5 / 3 + 9) / (4 / 3)], rel=1e-12)


def test_display_repeats_large_cells_and_leaves_what_is_off_the_grid_invalid():
    raster = albers([[1, 2], [3, 4]], cell=1.0)
    values, valid = sample(raster, (1, 4e6 - 2, 3, 4e6), (4, 4))
    assert values.tolist() == [[2, 2, 0, 0]] * 2 + [[4, 4, 0, 0]] * 2
    assert valid.tolist() == [[True, True, False, False]] * 4


def test_total_on_display_matches_the_raster_when_shrunk():
    values = np.random.default_rng(3).random((61, 47))
    shown, valid = sample(albers(values, cell=1.0), (0, 4e6 - 61, 47, 4e6), (20, 13))
    # Means of equal areas: their mean is the raster's; 1e-9 is rounding of edges at 4e6.
    assert valid.all() and shown.mean() == pytest.approx(values.mean(), rel=1e-9)


@pytest.mark.parametrize("shape", [(1, 1), (1, 2000), (3, 2000), (2000, 3), (7, 5)])
@pytest.mark.parametrize("scale", ["log", "linear"])
def test_rasters_of_odd_shapes_are_drawn_inside_the_sheet(tmp_path, sheets, shape, scale):
    raster = albers(np.arange(np.prod(shape)).reshape(shape))
    map_figure(raster, "Odd", tmp_path / "m.png", scale=scale, footer="source")
    check_captions(sheets)


@pytest.mark.parametrize("values", [0.0, 7.0, -2.0])
@pytest.mark.parametrize("scale", ["log", "sqrt", "linear", "diverging"])
@pytest.mark.parametrize("valid", [True, False])
def test_equal_or_missing_values_are_drawn(tmp_path, values, scale, valid):
    raster = albers(np.full((4, 5), values), np.full((4, 5), valid))
    for zones in (None, np.ones((4, 5), int)):
        assert map_figure(raster, "Flat", tmp_path / "m.png", scale=scale, zones=zones).width > 0


def test_raster_larger_than_the_screen_is_shrunk(tmp_path, sheets):
    map_figure(albers(np.ones((3000, 3500)), cell=1000.0), "Large", tmp_path / "m.png")
    height, width = sheets[0].pictures[0][2].shape[:2]
    assert height <= 1100 and width <= 1400 and width / height == pytest.approx(3500 / 3000, rel=0.01)


def test_map_is_written_as_the_same_bytes_twice_and_equals_the_returned_image(tmp_path):
    raster = albers(np.random.default_rng(0).lognormal(size=(30, 40)))
    image = map_figure(raster, "CO2", tmp_path / "a.png", subtitle="t", footer="f")
    map_figure(raster, "CO2", tmp_path / "b.png", subtitle="t", footer="f")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as written:
        assert np.array_equal(np.asarray(written), np.asarray(image))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png"]


def test_map_that_cannot_be_written_is_an_input_error(tmp_path):
    with pytest.raises(InputError):
        map_figure(albers([[1.0]]), "Folder", tmp_path)


def test_zones_of_another_shape_are_refused(tmp_path):
    with pytest.raises(ValueError, match="zones"):
        map_figure(albers(np.ones((2, 2))), "Zones", tmp_path / "m.png", zones=np.ones((3, 3)))


# Comparison and window


def test_comparison_shows_the_same_window_with_finer_squares_on_one_scale(tmp_path, sheets):
    coarse = albers(np.arange(1, 17).reshape(4, 4), cell=10.0)
    fine = albers(np.arange(1, 17).reshape(4, 4).repeat(2, axis=0).repeat(2, axis=1), cell=5.0)
    window = (10.0, 4e6 - 30, 30.0, 4e6 - 10)
    comparison_figure([coarse, fine], ["coarse", "fine"], tmp_path / "c.png", window, title="Both")
    (left, top, one), (other_left, other_top, two) = sheets[0].pictures[:2]
    assert np.array_equal(one, two) and top == other_top and other_left > left + one.shape[1]
    # The window holds cells 6, 7 / 10, 11: four colours, darker as they grow.
    height, width = one.shape[:2]
    quarters = [one[row, col] for row in (height // 4, 3 * height // 4) for col in (width // 4, 3 * width // 4)]
    assert np.all(np.diff(cie_lightness(quarters)) < 0)


def test_comparison_refuses_unequal_units_titles_and_empty_windows(tmp_path):
    one, other = albers([[1.0]]), albers([[1.0]], units="10^4 t")
    window = one.grid.bounds
    cases = [([one, other], "ab", window), ([one], "ab", window), ([], "", window), ([one], "a", (1, 0, 1, 2))]
    for rasters, titles, where in cases:
        with pytest.raises(ValueError):
            comparison_figure(rasters, titles, tmp_path / "c.png", where)


def test_window_is_centred_on_the_greatest_total_and_stays_on_the_grid():
    values = np.zeros((30, 40))
    values[10, 25] = 5
    assert pick_window(albers(values, cell=1.0), 5) == (23, 4e6 - 13, 28, 4e6 - 8)
    values[0, 0] = 50
    assert pick_window(albers(values, cell=1.0), 5) == (0, 4e6 - 5, 5, 4e6)
    assert pick_window(albers(values, cell=1.0), 999) == (0, 4e6 - 30, 40, 4e6)
    assert pick_window(albers(np.zeros((10, 10)), cell=1.0), 4) == (3, 4e6 - 7, 7, 4e6 - 3)


# Curves, bars, scatter


def test_running_median_equals_hand_values():
    assert running_median([1, 100, 2, 3, 4], 3).tolist() == [50.5, 2, 3, 3, 3.5]
    assert running_median([np.nan, np.nan, np.nan, 1], 3).tolist()[2:] == [1, 1]


def test_frame_puts_greater_values_to_the_right_and_higher_up():
    frame = Frame(100, 50, 300, 250, (0, 10), (1, 100), y_log=True)
    assert float(frame.x(5)) == 200 and float(frame.y(100)) == 50 and float(frame.y(10)) == pytest.approx(150)
    assert np.isnan(frame.y(0.0))


def test_curve_names_each_learning_rate(tmp_path, sheets):
    rate = np.repeat([1e-3, 1e-4, 1e-5], [400, 300, 300])
    curve_figure(np.geomspace(1, 0.01, 1000), rate, tmp_path / "c.png", ([50, 100], [0.5, 0.4]), footer="x")
    for caption in ("0.001", "10^-4", "10^-5", "reconstruction error"):
        assert caption in sheets[0].captions
    check_captions(sheets)


@pytest.mark.parametrize("loss", [[], [0.5], [0.0, 0.0], [np.nan, 1.0, np.inf], [1.0] * 50])
def test_short_or_flat_curves_are_drawn(tmp_path, sheets, loss):
    curve_figure(loss, [1e-3] * len(loss), tmp_path / "c.png")
    check_captions(sheets)


def test_bars_print_every_value_and_are_as_long_as_they_say(tmp_path, sheets):
    image = bar_figure(["ZSSR", "bicubic"], {"share": [0.4, 0.2]}, tmp_path / "b.png", "Built-up")
    assert {"0.400", "0.200"} <= set(sheets[0].captions)
    blue = (np.asarray(image) == bars.COLOURS[0]).all(axis=2).sum(axis=1)
    lengths = blue[blue > 0]
    # The zero line covers two pixels of each bar.
    assert np.unique(lengths).size == 2 and (lengths.max() + 2) / (lengths.min() + 2) == pytest.approx(2, abs=0.02)
    check_captions(sheets)


def test_bars_of_groups_negative_and_missing_values_are_drawn(tmp_path, sheets):
    bar_figure(["a" * 90, "b"], {"R2": [-0.3, np.nan], "r": [0.9, 0.1]}, tmp_path / "b.png", "T", units="score")
    assert {"-0.300", "n/a", "R2", "r"} <= set(sheets[0].captions)
    bar_figure(["only"], {"": [-5e6]}, tmp_path / "b.png", "All negative")
    bar_figure(["only"], {"": [0.0]}, tmp_path / "b.png", "Zero")
    check_captions(sheets)


def test_scatter_tells_r2_and_names_the_largest_residual(tmp_path, sheets):
    observed = np.arange(1.0, 21.0)
    estimated = observed.copy()
    estimated[4] += 9
    names = [f"P{index}" for index in range(20)]
    scatter_figure(observed, estimated, names, tmp_path / "s.png", "Totals", units="10^4 t")
    # sum of squares about the mean of 1..20 is 665: R2 = 1 - 81 / 665 = 0.878
    assert "Totals, R2 = 0.878" in sheets[0].captions and "P4" in sheets[0].captions
    check_captions(sheets)


def test_scatter_of_one_point_is_drawn(tmp_path):
    assert scatter_figure([3.0], [3.0], ["x"], tmp_path / "s.png", "One").height > 0


def test_lengths_that_differ_are_refused(tmp_path):
    for call in (
        lambda: curve_figure([1, 2], [1], tmp_path / "x.png"),
        lambda: bar_figure(["a"], {"g": [1, 2]}, tmp_path / "x.png", "T"),
        lambda: bar_figure([], {}, tmp_path / "x.png", "T"),
        lambda: scatter_figure([1, 2], [1, 2], ["a"], tmp_path / "x.png", "T"),
    ):
        with pytest.raises(ValueError):
            call()
    assert not (tmp_path / "x.png").exists()


def test_parts_of_a_bar_are_as_long_as_their_shares_and_meet_without_a_gap(tmp_path, sheets):
    parts = {"forest": [0.5, 0.0], "water": [0.25, 1 / 3], "built-up": [0.25, 2 / 3]}
    image = np.asarray(stacked_figure(["Hebei", "Tibet"], parts, tmp_path / "s.png", "Fig. 5"))
    first = next(row for row in image if (row == LAND_COVER_COLOURS["forest"]).all(axis=1).sum() > 100)
    lengths = {name: int((first == LAND_COVER_COLOURS[name]).all(axis=1).sum()) for name in parts}
    whole = sum(lengths.values())
    # The line at 0 % covers one pixel, rounding may move an edge by one.
    assert abs(lengths["forest"] - whole / 2) <= 1 and abs(lengths["water"] - whole / 4) <= 1
    place = np.flatnonzero(np.isin(first, list(LAND_COVER_COLOURS.values())).all(axis=1))
    assert place[-1] - place[0] + 1 == whole
    assert {"Hebei", "forest", "50", "25", "33", "67", "100 %"} <= set(sheets[0].captions)
    check_captions(sheets)


def test_thirty_provinces_with_names_stay_apart(tmp_path, sheets):
    shares = np.random.default_rng(0).dirichlet([0.5] * 7, 30).T
    shares[:, 3] = np.nan
    names = [f"Autonomous Region No. {index}" for index in range(30)]
    stacked_figure(names, dict(zip(LAND_COVER_COLOURS, shares)), tmp_path / "s.png", "T" * 90, "s" * 200, "f" * 300)
    assert set(names) <= set(sheets[0].captions) and "n/a" in sheets[0].captions
    check_captions(sheets)


def test_shares_that_are_none_are_refused(tmp_path):
    for parts in ({}, {"forest": [0.5, 0.5]}, {"forest": [-0.1]}, {"forest": [0.7], "water": [0.7]}):
        with pytest.raises(ValueError):
            stacked_figure(["a"], parts, tmp_path / "x.png", "T")
    assert not (tmp_path / "x.png").exists()


def test_cells_are_counted_in_squares_from_lower_left_to_upper_right():
    observed = np.array([1.0, 1.0, 1e4, 1e2, 0.0, 5.0, 1e-9])
    estimated = np.array([1.0, 1.0, 1e4, 1.0, 7.0, 0.0, 1.0])
    found = counted(lambda: [(observed, estimated)])
    counts, size = found.counts, found.counts.shape[0]
    # Seven powers of ten below 10^4 at most: 10^-9 is not drawn, nor are the two with a 0.
    assert found.reach == pytest.approx((1e-3, 1e4))
    assert (found.cells, found.zero, found.drawn) == (7, 2, 4) and counts.sum() == 4
    one, hundred = int(size * 3 / 7), int(size * 5 / 7)  # 10^0 and 10^2 on axes from 10^-3 to 10^4
    assert counts[one, one] == 2 and counts[-1, -1] == 1 and counts[one, hundred] == 1


def test_cells_figure_prints_the_numbers_and_tells_what_is_not_drawn(tmp_path, sheets):
    blocks = [(np.array([0.0, 1.0]), np.array([1.0, 3.0])), (np.array([2.0, 3.0]), np.array([2.0, 4.0]))]
    numbers = {"r": 0.80004, "rho": np.nan}
    cells_figure(lambda: blocks, tmp_path / "c.png", "Ours against X", numbers, ("X", "ours"), units="t")
    assert {"r = 0.800", "rho = n/a", "4 cells; not drawn: 1 with 0 in one map or both"} <= set(sheets[0].captions)
    assert {"X, t", "ours, t", "1:1"} <= set(sheets[0].captions)
    check_captions(sheets)


@pytest.mark.parametrize(("observed", "estimated"), [([5.0], [5.0]), ([0.0], [1.0]), ([1e-30, 1e30], [1.0, 2.0])])
def test_few_or_extreme_cells_are_drawn(tmp_path, sheets, observed, estimated):
    blocks = [(np.array(observed), np.array(estimated))]
    cells_figure(lambda: blocks, tmp_path / "c.png", "Few", {"r": np.nan}, subtitle="s", footer="f")
    check_captions(sheets)


def test_no_cells_at_all_are_refused(tmp_path):
    with pytest.raises(ValueError, match="no cell"):
        cells_figure(lambda: [(np.zeros(0), np.zeros(0))], tmp_path / "c.png", "None", {})


def test_logarithmic_axes_put_powers_of_ten_at_equal_distances():
    frame = Frame(0, 0, 300, 300, (1, 1000), (1, 1000), y_log=True, x_log=True)
    assert frame.x([1, 10, 100, 1000]) == pytest.approx([0, 100, 200, 300]) and np.isnan(frame.x(0.0))
    assert frame.y([1, 1000]) == pytest.approx([300, 0])


def test_differences_are_ours_less_theirs_on_a_scale_symmetric_about_0(tmp_path, sheets):
    ours, theirs = albers([[5.0, 1.0, 0.0]]), albers([[2.0, 9.0, 0.0]], [[True, True, False]])
    got = Difference(ours, theirs)
    assert got.values.tolist() == [[3.0, -8.0, 0.0]] and got.valid.tolist() == [[True, True, False]]
    low, high = difference_limits([got])
    assert low == -high and 7.5 <= high <= 8  # the 98 % quantile of 3 and 8
    assert difference_limits([albers([[0.0, 0.0]])]) == (-1.0, 1.0)


def test_inventories_are_drawn_alike_clipped_to_the_provinces_and_named(tmp_path, sheets):
    from refimpl.evaluation.agreement import compare_inventory

    rng = np.random.default_rng(4)
    ours, zones = albers(rng.lognormal(0, 2, (12, 14)), units="t CO2 / km2 / year"), np.full((12, 14), 11)
    zones[:, :3] = 0
    emission = Raster(ours.values / 100, ours.valid, ours.grid, "10^4 t CO2 per cell per year")  # cells of 100 km2
    compared = [compare_inventory(name, emission, ours, zones) for name in ("ODIAC", "FFDAS")]
    written = inventory_figures(ours, compared, tmp_path, zones, "ZSSR")
    assert [path.name for path in written] == ["inventories.png", "inventories_difference.png",
                                               "inventories_cells_odiac.png", "inventories_cells_ffdas.png"]
    assert {"ZSSR", "ODIAC", "FFDAS"} <= set(sheets[0].captions) and "ZSSR less FFDAS" in sheets[1].captions
    one, two = (sheets[0].pictures[index][2] for index in (1, 2))
    assert np.array_equal(one, two) and (one[:, : one.shape[1] // 5] == PAPER).all()
    assert {"r = 1.000", "rho = 1.000"} <= set(sheets[2].captions)
    middle = diverging()[127:129]
    inside = sheets[1].pictures[0][2][5, one.shape[1] // 2 :]
    # No difference has the colour in the middle of the scale.
    assert (np.abs(inside.astype(int) - middle[0]).max(axis=1) <= 2).all()
    check_captions(sheets)


def check_captions(sheets):
    """No caption is clipped by the sheet's edge or covers another."""
    for sheet in sheets:
        boxes = np.array(sheet.text_boxes)
        assert boxes[:, :2].min() >= 0 and boxes[:, 2].max() <= sheet.width and boxes[:, 3].max() <= sheet.height
        # A caption's box has air above and below its ink; a quarter of the height may be shared.
        for index, one in enumerate(boxes):
            for other in boxes[index + 1 :]:
                across = min(one[2], other[2]) - max(one[0], other[0])
                down = min(one[3], other[3]) - max(one[1], other[1])
                assert across <= 2 or down <= 0.3 * min(one[3] - one[1], other[3] - other[1])


def test_all_captions_of_long_texts_stay_on_the_sheet(tmp_path, sheets):
    long = "A very long heading about CO2 per km2 " * 8
    raster = albers(np.random.default_rng(1).lognormal(0, 3, (20, 25)), units="10^4 t CO2 per km2 and year, corrected")
    map_figure(raster, long, tmp_path / "m.png", subtitle=long, footer=long)
    comparison_figure([raster, raster], [long, long], tmp_path / "c.png", raster.grid.bounds, long, long, long)
    curve_figure([1, 0.5], [1e-3, 1e-4], tmp_path / "l.png", title=long, subtitle=long, footer=long)
    bar_figure([long] * 3, {"g": [1, 2, 3]}, tmp_path / "b.png", long, long, long, "units")
    scatter_figure([1, 2, 3], [3, 1, 2], [long[:20]] * 3, tmp_path / "s.png", long, long, long)
    check_captions(sheets)


def test_every_figure_has_the_same_bytes_twice(tmp_path):
    def draw(name):
        raster = albers(np.random.default_rng(2).lognormal(size=(8, 8)))
        comparison_figure([raster], ["one"], tmp_path / f"{name}c.png", raster.grid.bounds)
        curve_figure([1, 0.5, 0.2], [1, 1, 0.1], tmp_path / f"{name}l.png", ([1], [0.3]))
        bar_figure(["a"], {"g": [1]}, tmp_path / f"{name}b.png", "T")
        scatter_figure([1, 2], [2, 1], ["a", "b"], tmp_path / f"{name}s.png", "T")
        return [(tmp_path / f"{name}{kind}.png").read_bytes() for kind in "clbs"]

    assert draw("first") == draw("second")
