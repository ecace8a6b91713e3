"""Axes and keys of a figure: nice tick values, axes, colour bar, scale bar, legend.

Tick values are 1, 2 or 5 times a power of ten.  A colour bar marks with "<" and ">" the ends beyond which values lie.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from refimpl.figures.canvas import FAINT, INK, LABEL, MUTED, SMALL_LABEL, Canvas
from refimpl.figures.colour import NODATA, Scale
from refimpl.figures.typeset import text_width

BAR_WIDTH = 22


def nice_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """About ``count`` round values within [low, high], ascending, in steps of 1, 2 or 5 times a power of ten.

    >>> nice_ticks(0.0, 37.0)
    [0.0, 10.0, 20.0, 30.0]
    """
    if not high > low:
        return [float(low)]
    rough = (high - low) / max(1, count)
    power = 10.0 ** np.floor(np.log10(rough))
    step = power * min((1, 2, 5, 10), key=lambda factor: abs(np.log(factor * power / rough)))
    first, last = np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9)
    return [float(f"{index * step:.10g}") + 0.0 for index in np.arange(first, last + 1)]


def log_ticks(low: float, high: float, count: int = 7) -> list[float]:
    """Round values within [low, high] for a logarithmic axis: powers of ten, and 2 and 5 times them where they fit.

    >>> log_ticks(0.05, 9.0), log_ticks(1.0, 1e4)
    ([0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0], [1.0, 10.0, 100.0, 1000.0, 10000.0])
    """
    exponents = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        ticks = [float(f"{factor}e{exponent}") for exponent in exponents for factor in factors]
        ticks = [tick for tick in ticks if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]
        if len(ticks) <= count:
            return ticks if len(ticks) > 1 else nice_ticks(low, high, 3)
    return ticks[:: -(-len(ticks) // count)]


def format_number(value: float) -> str:
    """A tick label: with commas between thousands, or a power of ten where it would be long.

    >>> [format_number(value) for value in (0.0, 0.05, 12500.0, 1e-4, 2e7)]
    ['0', '0.05', '12,500', '10^-4', '2·10^7']
    """
    if value == 0 or 1e-3 <= abs(value) < 1e6:
        return f"{value:,.6g}" if abs(value) < 1e5 else f"{value:,.0f}"
    mantissa, exponent = f"{value:.2e}".split("e")
    mantissa = f"{float(mantissa):g}"
    power = f"10^{int(exponent)}"
    return {"1": power, "-1": "-" + power}.get(mantissa, f"{mantissa}·{power}")


@dataclass(frozen=True)
class Frame:
    """A plot area in pixels and the data ranges that it shows; ``x`` and ``y`` turn data into pixels."""

    left: int
    top: int
    right: int
    bottom: int
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    y_log: bool = False
    x_log: bool = False

    def x(self, values) -> np.ndarray:
        """Pixels from the left edge of the sheet; nan for values that cannot be drawn."""
        values, (low, high) = np.asarray(values, float), self.x_range
        if self.x_log:
            values = np.log10(np.where(values > 0, values, np.nan))
            low, high = np.log10(low), np.log10(high)
        return self.left + (values - low) / (high - low) * (self.right - self.left)

    def y(self, values) -> np.ndarray:
        """Pixels from the upper edge of the sheet, greater values higher up; nan for values that cannot be drawn."""
        values, (low, high) = np.asarray(values, float), self.y_range
        if self.y_log:
            values = np.log10(np.where(values > 0, values, np.nan))
            low, high = np.log10(low), np.log10(high)
        return self.bottom - (values - low) / (high - low) * (self.bottom - self.top)

    def draw(self, canvas: Canvas, x_label: str, y_label: str, x_count: int = 7):
        """Draw grid lines, tick labels and axis titles."""
        for tick in log_ticks(*self.y_range) if self.y_log else nice_ticks(*self.y_range):
            y = float(self.y(tick))
            canvas.box(self.left, y, self.right, y + 1, FAINT)
            canvas.text(self.left - 10, y, format_number(tick), SMALL_LABEL, MUTED, "rm")
        for tick in log_ticks(*self.x_range, x_count) if self.x_log else nice_ticks(*self.x_range, x_count):
            x = float(self.x(tick))
            canvas.box(x, self.top, x + 1, self.bottom, FAINT)
            canvas.text(x, self.bottom + 12, format_number(tick), SMALL_LABEL, MUTED, "mt")
        canvas.box(self.left, self.bottom, self.right + 1, self.bottom + 2, MUTED)
        canvas.text((self.left + self.right) / 2, self.bottom + 42, x_label, LABEL, INK, "mt")
        canvas.text(self.left - 92, (self.top + self.bottom) / 2, y_label, LABEL, INK, upright=True)


def colour_bar_ticks(scale: Scale, below: bool, above: bool, gap: float = 0.05) -> list[tuple[float, str]]:
    """Ticks of a colour bar from the bottom, as (position in [0, 1], label): both ends, others at least ``gap`` apart.

    >>> colour_bar_ticks(Scale("log", 0.1, 20.0), below=True, above=False)[0]
    (0.0, '< 0.1')
    """
    if scale.kind == "log":
        inner = log_ticks(scale.low, scale.high)
    else:
        inner = nice_ticks(scale.low, scale.high, 6)
    ends = (float(f"{scale.low:.3g}"), float(f"{scale.high:.3g}"))
    ticks = [(0.0, ("< " if below else "") + format_number(ends[0]))]
    for tick in inner:
        position = float(scale.position(tick))
        if ticks[-1][0] + gap < position < 1 - gap:
            ticks.append((position, format_number(tick)))
    return ticks + [(1.0, ("> " if above else "") + format_number(ends[1]))]


def colour_bar_width(scale: Scale, units: str) -> int:
    """Width in pixels of a colour bar with its labels and its units above."""
    labels = max(text_width(label, SMALL_LABEL) for _, label in colour_bar_ticks(scale, True, True))
    return max(BAR_WIDTH + 14 + labels, text_width(units, SMALL_LABEL)) + 2


def colour_bar(canvas: Canvas, scale: Scale, left: int, top: int, height: int, units: str, below: bool, above: bool):
    """Draw an upright colour bar, high values up, units above; ``below``, ``above`` mark values beyond its ends."""
    if units:
        canvas.text(left, top - 18, units, SMALL_LABEL, INK)
    ramp = scale.colours()[np.rint(np.linspace(255, 0, height)).astype(int)]
    canvas.picture(left, top, np.repeat(ramp[:, None], BAR_WIDTH, axis=1))
    canvas.box(left - 1, top - 1, left + BAR_WIDTH + 1, top + height + 1, outline=MUTED)
    for position, label in colour_bar_ticks(scale, below, above, max(0.04, 20 / height)):
        y = top + (1 - position) * (height - 1)
        canvas.box(left + BAR_WIDTH, round(y), left + BAR_WIDTH + 6, round(y) + 1, MUTED)
        canvas.text(left + BAR_WIDTH + 11, y, label, SMALL_LABEL, INK, "lm")


def scale_bar(canvas: Canvas, left: int, top: int, km_per_pixel: float, room: int = 260) -> int:
    """Draw a scale bar of a round length in km, at most ``room`` pixels; returns the x at which its label ends."""
    longest = room * km_per_pixel
    power = 10.0 ** np.floor(np.log10(longest))
    length = max(factor * power for factor in (1, 2, 5) if factor * power <= longest * (1 + 1e-9))
    pixels = max(1, round(length / km_per_pixel))
    canvas.box(left, top, left + pixels, top + 6, INK)
    canvas.box(left + pixels // 2, top + 1, left + pixels - 1, top + 5, (255, 255, 255))
    label = f"{format_number(float(f'{length:.3g}'))} km"
    canvas.text(left + pixels + 10, top + 3, label, SMALL_LABEL, INK, "lm")
    return left + pixels + 10 + text_width(label, SMALL_LABEL)


def swatches(canvas: Canvas, left: int, top: int, entries: Sequence[tuple[tuple, str]]) -> int:
    """Draw a legend in one row, a filled box and a label for each (colour, label); returns the x at which it ends."""
    for colour, label in entries:
        canvas.box(left, top - 4, left + 22, top + 10, colour, MUTED if colour == NODATA else None)
        canvas.text(left + 31, top + 3, label, SMALL_LABEL, INK, "lm")
        left += 31 + text_width(label, SMALL_LABEL) + 26
    return left - 26
