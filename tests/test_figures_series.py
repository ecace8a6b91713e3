"""The figure of a run over several years: points where they belong, gaps, a panel a unit, and names that stay apart."""

from __future__ import annotations

import numpy as np
import pytest

from refimpl.figures import series_figure
from refimpl.figures.bars import COLOURS
from refimpl.figures.by_year import HEIGHTS
from tests.test_figures import check_captions, sheets  # noqa: F401

YEARS = [2000, 2005, 2010, 2012]


def line_of(image):
    """Pixel columns that hold the first line, called "total", and the middle row of it in each."""
    blue = (np.asarray(image) == COLOURS[0]).all(axis=2)
    blue[:, -130:] = False  # the key beside the name
    cols = np.flatnonzero(blue.any(axis=0))
    return cols, np.array([np.flatnonzero(blue[:, col]).mean() for col in cols])


def test_points_lie_at_their_years_and_as_high_as_they_say(tmp_path):
    # 10 and 2 more each year: one straight line, however far apart the years are.
    cols, rows = line_of(series_figure(YEARS, {"total": [10, 20, 30, 34]}, tmp_path / "s.png", "T"))
    slope, height = np.polyfit(cols, rows, 1)
    # Beyond the first and last point only discs are seen, 5 pixels wide; the line climbs a third of that there.
    assert slope < 0 and np.abs(rows - (slope * cols + height)).max() < 2
    # From 0 at the bottom to 1.12 times the largest value at the top.
    assert rows.max() - rows.min() == pytest.approx((34 - 10) * HEIGHTS[0] / (1.12 * 34), abs=3)


def test_a_line_alone_prints_its_values_and_every_year_that_was_run(tmp_path, sheets):  # noqa: F811
    series_figure(YEARS, {"total": [1000.0, 1500.0, 2000.0, 2345.0]}, tmp_path / "s.png", "T", units="10^4 t")
    assert {"1,000", "1,500", "2,345", "2000", "2005", "2010", "2012", "total", "10^4 t"} <= set(sheets[0].captions)
    assert "2,000" in sheets[0].captions and "2011" not in sheets[0].captions
    check_captions(sheets)


def test_units_have_a_panel_each_and_lines_of_one_unit_share_one(tmp_path, sheets):  # noqa: F811
    units = {"total": "10^4 t CO2", "ZSSR": "share", "bicubic": "share"}
    values = {"total": [5, 6, 7, 8], "ZSSR": [0.31, 0.3, 0.32, 0.33], "bicubic": [0.3, 0.3, 0.31, 0.33]}
    two = series_figure(YEARS, values, tmp_path / "s.png", "T", "s", "f", units)
    assert sheets[0].captions.count("share") == 1 and sheets[0].captions.count("10^4 t CO2") == 1
    # The two lines end at one place: their names must not cover each other.
    check_captions(sheets)
    one = series_figure(YEARS, {"total": [5, 6, 7, 8]}, tmp_path / "s.png", "T", "s", "f")
    assert two.height > one.height


def test_a_year_without_a_value_leaves_a_gap(tmp_path):
    years, values = range(2000, 2005), [3, 3, 3, 3, 3]
    whole, _ = line_of(series_figure(years, {"total": values}, tmp_path / "s.png", "T"))
    parts, _ = line_of(series_figure(years, {"total": [3, 3, np.nan, 3, 3]}, tmp_path / "s.png", "T"))
    missing = np.setdiff1d(whole, parts)
    # From 2001 to 2003, half of what lies between the first and the last point, less half a disc at both sides.
    assert np.all(np.diff(missing) == 1) and np.all(np.diff(whole) == 1)
    assert missing.size == pytest.approx((whole.size - 11) / 2 - 10, abs=3)
    assert missing.mean() == pytest.approx(whole.mean(), abs=2)


@pytest.mark.parametrize("values", [[1.0], [0.0], [-5.0], [np.nan], [1e12]])
def test_one_year_is_drawn(tmp_path, sheets, values):  # noqa: F811
    series_figure([2010], {"a": values}, tmp_path / "s.png", "One")
    assert "2010" in sheets[0].captions
    check_captions(sheets)


def test_many_years_many_lines_and_long_texts_stay_apart_and_on_the_sheet(tmp_path, sheets):  # noqa: F811
    rng, long = np.random.default_rng(1), "A very long heading about CO2 per km2 " * 8
    many = {f"{long[:60]} {index}": rng.normal(0, 1, 40) for index in range(9)}
    series_figure(range(1980, 2020), many, tmp_path / "s.png", long, long, long, long)
    series_figure(range(1980, 2020), {"a": rng.normal(0, 1e5, 40)}, tmp_path / "s.png", long)
    assert all("2019" in sheet.captions for sheet in sheets)
    check_captions(sheets)


def test_series_have_the_same_bytes_twice(tmp_path):
    for name in "ab":
        series_figure(YEARS, {"x": [1, 2, 3, 5], "y": [2, 2, 1, np.nan]}, tmp_path / name, "T")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_series_that_do_not_fit_their_years_are_refused(tmp_path):
    for years, series in (([2000, 2001], {"a": [1]}), ([], {"a": []}), ([2000], {}), ([2001, 2000], {"a": [1, 2]})):
        with pytest.raises(ValueError, match="expected"):
            series_figure(years, series, tmp_path / "x.png", "T")
    assert not (tmp_path / "x.png").exists()
