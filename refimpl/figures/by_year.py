"""Lines of numbers by year, for a run over several years: national totals, say, or the share on built-up land.

Numbers of one unit share a panel; panels stand one above the other over a single axis of years.  Every axis of values
starts at 0, or below it if a value is negative, so that a change looks as large as it is.  Names stand at the ends of
the lines.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from refimpl.figures.axes import Frame, format_number, nice_ticks
from refimpl.figures.bars import COLOURS, value_label
from refimpl.figures.canvas import FAINT, INK, LABEL, MARGIN, MUTED, SMALL_LABEL, Canvas, footer_height, heading_height
from refimpl.figures.typeset import fitted, text_width

WIDTH = 1100
HEIGHTS = (420, 260)
"""Pixels of a panel that stands alone, and of one of several."""
GAP = 58
"""Pixels between panels; the unit of the lower one stands there."""
NAME_ROOM = 230
"""Most pixels across of a name at the end of its line."""
LINE_STEP = 22
"""Least pixels from one name down to the next at the ends of lines."""


def series_figure(
    years: Sequence[int],
    values_by_name: Mapping[str, Sequence[float]],
    path: str | os.PathLike,
    title: str,
    subtitle: str = "",
    footer: str = "",
    units: str | Mapping[str, str] = "",
) -> Image.Image:
    """Draw numbers by year as a PNG and return the picture.

    Parameters
    ----------
    years : ascending, any distance apart.
    values_by_name : one value per year for each name; values that are not finite leave a gap in the line.
    units : one unit for all names, or a mapping from name to unit; each unit has a panel.

    Raises
    ------
    ValueError
        No year or name, years that do not ascend, or a series with more or fewer values than there are years.
    """
    years = np.asarray(years, float).ravel()
    table = {name: np.asarray(values, float).ravel() for name, values in values_by_name.items()}
    if not years.size or not table or any(values.shape != years.shape for values in table.values()):
        lengths = {name: values.size for name, values in table.items()}
        raise ValueError(f"expected {years.size} values, one or more, for each name, got {lengths}")
    if not np.all(np.diff(years) > 0):
        raise ValueError(f"years {years.tolist()}, expected ascending ones")
    panels: dict[str, dict[str, np.ndarray]] = {}
    for name, values in table.items():
        panels.setdefault(units if isinstance(units, str) else units.get(name, ""), {})[name] = values
    height = HEIGHTS[len(panels) > 1]
    top = heading_height(subtitle) + 28
    canvas = Canvas(WIDTH, top + len(panels) * (height + GAP) - GAP + 44 + footer_height(footer))
    canvas.heading(title, subtitle, footer)
    right = WIDTH - MARGIN - 24 - max(text_width(name, LABEL) for name in map(_short, table))
    air = 0.05 * (years[-1] - years[0]) or 1.0
    for index, (unit, series) in enumerate(panels.items()):
        upper = top + index * (height + GAP)
        ranges = (years[0] - air, years[-1] + air), _value_range(list(series.values()))
        frame = Frame(MARGIN + 92, upper, right, upper + height, *ranges)
        _draw_panel(canvas, frame, years, series, unit)
    _draw_years(canvas, frame, years)
    return canvas.save(path)


def _short(name: str) -> str:
    return fitted(name, LABEL, NAME_ROOM)[0]


def _value_range(series: Sequence[np.ndarray]) -> tuple[float, float]:
    """The range of a value axis: from 0, with room for numbers above the highest point."""
    values = np.concatenate(series)
    values = values[np.isfinite(values)]
    low, high = min(0.0, values.min(initial=0.0)), max(0.0, values.max(initial=0.0))
    span = (high - low) or 1.0
    return float(low - 0.08 * span if low < 0 else 0.0), float(high + 0.12 * span)


def _draw_panel(canvas: Canvas, frame: Frame, years: np.ndarray, series: Mapping[str, np.ndarray], unit: str):
    """Draw grid lines, lines with a disc a year, and names at the right; a single line has its values written on it."""
    if unit:
        text, size = fitted(unit, SMALL_LABEL, frame.right - MARGIN)
        canvas.text(MARGIN, frame.top - 14, text, size, INK)
    for tick in nice_ticks(*frame.y_range):
        y = round(float(frame.y(tick)))
        canvas.box(frame.left, y, frame.right, y + 1, MUTED if tick == 0 else FAINT)
        canvas.text(frame.left - 22, y, format_number(tick), SMALL_LABEL, MUTED, "rm")
    ends = []
    for colour, (name, values) in zip(itertools.cycle(COLOURS), series.items()):
        points = np.stack([frame.x(years), frame.y(values)], axis=1)
        canvas.line(points, 2.5, colour)
        canvas.discs(points, 5, colour)
        drawn = points[np.isfinite(values)]
        ends.append((float(drawn[-1, 1]) if len(drawn) else float(frame.bottom), _short(name), colour))
        if len(series) == 1:
            _draw_values(canvas, points, values)
    _draw_names(canvas, frame, ends)


def _draw_values(canvas: Canvas, points: np.ndarray, values: np.ndarray):
    """Write numbers above points, from the last year back, leaving out those for which there is no room."""
    free, largest = np.inf, float(np.abs(values[np.isfinite(values)]).max(initial=0.0))
    for (x, y), value in zip(points[::-1].tolist(), values[::-1].tolist()):
        label = value_label(value, largest)
        half = text_width(label, SMALL_LABEL) / 2
        if np.isfinite(value) and x + half < free:
            canvas.text(x, y - 14, label, SMALL_LABEL, INK, "ms")
            free = x - half - 6


def _draw_names(canvas: Canvas, frame: Frame, ends: Sequence[tuple[float, str, tuple]]):
    """Write each name beside the end of its line, moved where it would cover another."""
    ends = sorted(ends, key=lambda end: end[0])
    y = np.array([end[0] for end in ends])
    steps = np.arange(len(y)) * LINE_STEP
    y = np.maximum.accumulate(y - steps) + steps
    y = np.minimum(y, frame.bottom - steps[::-1])
    for place, (_, name, colour) in zip(y.tolist(), ends):
        canvas.box(frame.right + 14, place - 2, frame.right + 26, place + 2, colour)
        canvas.text(frame.right + 32, place, name, LABEL, INK, "lm")


def _draw_years(canvas: Canvas, frame: Frame, years: np.ndarray):
    """Write years below the lowest panel, from the last one back, leaving out those for which there is no room."""
    free = np.inf
    for x, year in zip(frame.x(years)[::-1].tolist(), years[::-1].tolist()):
        half = text_width(f"{year:g}", SMALL_LABEL) / 2
        if x + half < free:
            canvas.box(round(x), frame.bottom, round(x) + 1, frame.bottom + 6, MUTED)
            canvas.text(x, frame.bottom + 14, f"{year:g}", SMALL_LABEL, MUTED, "mt")
            free = x - half - 12
