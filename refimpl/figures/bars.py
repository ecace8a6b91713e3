"""Bars with their values (Figs. 4-5), and a scatter of estimated over observed province totals (Fig. 6)."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from refimpl.figures.axes import Frame, format_number, nice_ticks, swatches
from refimpl.figures.canvas import FAINT, INK, LABEL, MARGIN, MUTED, SMALL_LABEL, Canvas, footer_height, heading_height
from refimpl.figures.typeset import fitted, text_width
from refimpl.method.metrics import r_squared

WIDTH = 1100
BAR, GAP = 24, 16
COLOURS = ((34, 74, 134), (224, 132, 52), (94, 158, 148), (150, 90, 140), (126, 130, 138), (196, 176, 84))
POINT, LINE = (34, 74, 134), (150, 152, 158)
NAMED = 8
"""Most points that a scatter names: those with the largest residuals."""


def bar_figure(
    labels: Sequence[str],
    groups: Mapping[str, Sequence[float]],
    path: str | os.PathLike,
    title: str,
    subtitle: str = "",
    footer: str = "",
    units: str = "",
) -> Image.Image:
    """Draw horizontal bars with their values, a block per label and in it a bar per group, and return the picture.

    ``groups`` maps a name to one value per label.  A single group has no legend.  Values that are not finite are shown
    as "n/a".

    Raises
    ------
    ValueError
        No label or group, or a group with more or fewer values than there are labels.
    """
    table = np.array([np.asarray(values, float) for values in groups.values()])
    if not labels or table.shape != (len(groups), len(labels)):
        raise ValueError(f"expected {len(labels)} values, one or more, for each of {list(groups)}, got {table.shape}")
    finite = table[np.isfinite(table)]
    low, high = min(0.0, finite.min(initial=0)), max(0.0, finite.max(initial=0))
    captions = [fitted(label, LABEL, WIDTH // 3)[0] for label in labels]
    block = len(groups) * BAR + GAP
    top = heading_height(subtitle) + (38 if len(groups) > 1 else 0)
    bottom = top + block * len(labels) + GAP
    left = MARGIN + 14 + max(text_width(caption, LABEL) for caption in captions) + (84 if low < 0 else 0)
    frame = Frame(left, top, WIDTH - MARGIN - 96, bottom, (low, high if high > low else low + 1.0), (0, 1))
    canvas = Canvas(WIDTH, bottom + (78 if units else 48) + footer_height(footer))
    canvas.heading(title, subtitle, footer)
    if len(groups) > 1:
        swatches(canvas, left, heading_height(subtitle) + 6, list(zip(itertools.cycle(COLOURS), groups)))
    _draw_value_axis(canvas, frame, units)
    for row, caption in enumerate(captions):
        start = top + GAP + row * block
        canvas.text(MARGIN, start + len(groups) * BAR / 2, caption, LABEL, INK, "lm")
        for index, value in enumerate(table[:, row]):
            label = value_label(float(value), float(np.abs(finite).max(initial=0)))
            _draw_bar(canvas, frame, start + index * BAR, float(value), label, COLOURS[index % len(COLOURS)])
    canvas.box(float(frame.x(0)), top, float(frame.x(0)) + 2, bottom, MUTED)
    return canvas.save(path)


def _draw_value_axis(canvas: Canvas, frame: Frame, units: str):
    for tick in nice_ticks(*frame.x_range, 6):
        x = float(frame.x(tick))
        canvas.box(x, frame.top, x + 1, frame.bottom, FAINT)
        canvas.text(x, frame.bottom + 12, format_number(tick), SMALL_LABEL, MUTED, "mt")
    canvas.text((frame.left + frame.right) / 2, frame.bottom + 42, units, LABEL, INK, "mt")


def value_label(value: float, largest: float) -> str:
    """The value with as many decimals as give the figure's largest value three digits.

    >>> value_label(0.34, 0.434), value_label(512.3, 23456.7), value_label(float("nan"), 1.0)
    ('0.340', '512', 'n/a')
    """
    if not np.isfinite(value):
        return "n/a"
    if not 1e-3 <= largest < 1e9:
        return format_number(float(f"{value:.3g}"))
    return f"{value:,.{max(0, 2 - int(np.floor(np.log10(largest))))}f}"


def _draw_bar(canvas: Canvas, frame: Frame, y: float, value: float, label: str, colour):
    """Draw one bar from zero, its value printed beyond its end."""
    zero = float(frame.x(0))
    if not np.isfinite(value):
        canvas.text(zero + 10, y + BAR / 2, label, SMALL_LABEL, MUTED, "lm")
        return
    end = float(frame.x(value))
    canvas.box(min(zero, end), y + 1, max(zero, end), y + BAR - 1, colour)
    canvas.text(end + (8 if value >= 0 else -8), y + BAR / 2, label, SMALL_LABEL, INK, "lm" if value >= 0 else "rm")


def scatter_figure(
    observed,
    estimated,
    labels: Sequence[str],
    path: str | os.PathLike,
    title: str,
    subtitle: str = "",
    footer: str = "",
    units: str = "",
) -> Image.Image:
    """Draw estimated over observed province totals, (n,) each, with the 1:1 line, and return the picture.

    R2 (Eq. 4) stands behind the title; the points with the largest residuals are named.

    Raises
    ------
    ValueError
        No point, or lengths that differ.
    """
    observed, estimated = np.asarray(observed, float).ravel(), np.asarray(estimated, float).ravel()
    if observed.size == 0 or not observed.size == estimated.size == len(labels):
        raise ValueError(f"expected as many (at least one) observed, estimated and labels, got "
                         f"{observed.size}, {estimated.size}, {len(labels)}")
    low, high = min(0.0, observed.min(), estimated.min()), max(observed.max(), estimated.max())
    reach = (low, low + ((high - low) or 1.0) * 1.06)
    top, side = heading_height(subtitle), 640
    canvas = Canvas(2 * MARGIN + 108 + side + 60, top + side + 78 + footer_height(footer))
    canvas.heading(f"{title}, R2 = {r_squared(observed, estimated):.3f}", subtitle, footer)
    frame = Frame(MARGIN + 108, top, MARGIN + 108 + side, top + side, reach, reach)
    behind = f", {units}" if units else ""
    frame.draw(canvas, "observed" + behind, "estimated" + behind, x_count=5)
    ends = np.array(reach)
    canvas.line(np.stack([frame.x(ends), frame.y(ends)], axis=1), 1.5, LINE)
    canvas.text(frame.right + 8, frame.top, "1:1", SMALL_LABEL, MUTED, "lm")
    points = np.stack([frame.x(observed), frame.y(estimated)], axis=1)
    canvas.discs(points, 5, POINT)
    largest = np.argsort(-np.abs(estimated - observed), kind="stable")[:NAMED]
    _name_points(canvas, frame, points, [(int(index), labels[index]) for index in largest])
    return canvas.save(path)


def _name_points(canvas: Canvas, frame: Frame, points: np.ndarray, names: Sequence[tuple[int, str]]):
    """Write each name beside its point, on the first side where it covers no point, no other name and no edge."""
    taken = [(x - 5, y - 5, x + 5, y + 5) for x, y in points]
    for index, name in names:
        x, y = points[index]
        width, height = text_width(name, SMALL_LABEL), 1.3 * SMALL_LABEL
        for across, down in ((10, 0), (-10 - width, 0), (-width / 2, -18), (-width / 2, 18), (8, -14), (8, 14),
                             (-8 - width, -14), (-8 - width, 14)):
            box = (x + across, y + down - height / 2, x + across + width, y + down + height / 2)
            inside = frame.left < box[0] and box[2] < frame.right and frame.top < box[1] and box[3] < frame.bottom
            if inside and not any(_overlap(box, other) for other in taken):
                canvas.text(x + across, y + down, name, SMALL_LABEL, INK, "lm")
                taken.append(box)
                break


def _overlap(one, other) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
