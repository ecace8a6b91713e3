"""Training curve of the network (Eq. 2, Fig. 8, D12, D13): loss, learning rate and reconstruction error by step.

The loss of each step is drawn with its running median.  Loss and error share one logarithmic axis: both are L1
distances on images scaled to about [0, 1].
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from PIL import Image

from refimpl.figures.axes import Frame, format_number, swatches
from refimpl.figures.canvas import FAINT, INK, MARGIN, MUTED, SMALL_LABEL, Canvas, footer_height, heading_height
from refimpl.figures.typeset import text_width

WIDTH, PLOT_HEIGHT = 1200, 480
LOSS, MEDIAN, ERROR, RATE = (190, 204, 224), (34, 74, 134), (200, 72, 40), (128, 124, 136)


def running_median(values, window: int) -> np.ndarray:
    """Median of the ``window`` (odd) values around each value, (n,) float64; the window is cut at the ends.

    >>> running_median([5.0, 1.0, 3.0, 9.0], 3).tolist()
    [3.0, 3.0, 3.0, 6.0]
    """
    if not len(values):
        return np.empty(0)
    half = window // 2
    padded = np.pad(np.asarray(values, float), half, constant_values=np.nan)
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)
    finite = np.isfinite(around).any(axis=1)
    result = np.full(len(around), np.nan)
    result[finite] = np.nanmedian(around[finite], axis=1)
    return result


def curve_figure(
    loss,
    learning_rate,
    path: str | os.PathLike,
    reconstruction: tuple[Sequence, Sequence] = ((), ()),
    title: str = "Training",
    subtitle: str = "",
    footer: str = "",
) -> Image.Image:
    """Draw the training curve as a PNG and return the picture.

    Parameters
    ----------
    loss, learning_rate : (steps,)
        Training loss of each step, and the learning rate of that step; steps count from 1.
    reconstruction : (steps, errors)
        Steps at which the reconstruction error was measured, and its values.

    Raises
    ------
    ValueError
        ``loss`` and ``learning_rate``, or steps and errors, of different lengths.
    """
    loss, rate = np.asarray(loss, float).ravel(), np.asarray(learning_rate, float).ravel()
    steps, errors = (np.asarray(part, float).ravel() for part in reconstruction)
    if loss.shape != rate.shape or steps.shape != errors.shape:
        raise ValueError(f"{loss.size} losses and {rate.size} rates, {steps.size} steps and {errors.size} errors: "
                         "expected as many of one as of the other")
    top = heading_height(subtitle) + 60
    canvas = Canvas(WIDTH, top + PLOT_HEIGHT + 74 + footer_height(footer))
    canvas.heading(title, subtitle, footer)
    frame = Frame(MARGIN + 108, top, WIDTH - MARGIN, top + PLOT_HEIGHT, (0.0, float(max(loss.size, 10, *steps, 0))),
                  _log_range(np.concatenate([loss, errors])), y_log=True)
    frame.draw(canvas, "step", "L1 loss, log scale")
    _draw_rates(canvas, frame, rate)
    at = np.arange(1, loss.size + 1)
    canvas.line(np.stack([frame.x(at), frame.y(loss)], axis=1), 1, LOSS)
    window = max(3, loss.size // 40) | 1
    canvas.line(np.stack([frame.x(at), frame.y(running_median(loss, window))], axis=1), 2.5, MEDIAN)
    entries = [(LOSS, "loss of each step"), (MEDIAN, f"running median of {window}")]
    if steps.size:
        canvas.discs(np.stack([frame.x(steps), frame.y(errors)], axis=1), 4, ERROR)
        entries.append((ERROR, "reconstruction error"))
    swatches(canvas, frame.left, top - 52, entries)
    return canvas.save(path)


def _log_range(values: np.ndarray) -> tuple[float, float]:
    """The range of the positive values with some air; the lowest 0.2 %, which would flatten the rest, is left out."""
    drawable = values[np.isfinite(values) & (values > 0)]
    if not drawable.size:
        return 0.1, 1.0
    low, high = float(np.quantile(drawable, 0.002)), float(drawable.max())
    air = max((high / low) ** 0.06, 1.05)
    return low / air, high * air


def _draw_rates(canvas: Canvas, frame: Frame, rate: np.ndarray):
    """Draw a vertical line where the learning rate changes, and write each rate above its steps where there is room."""
    if not rate.size:
        return
    starts = np.concatenate([[0], np.flatnonzero(np.diff(rate)) + 1])
    free = frame.left - 92
    canvas.text(free, frame.top - 16, "learning rate", SMALL_LABEL, MUTED, "ls")
    free += text_width("learning rate", SMALL_LABEL) + 8
    for start in starts:
        x = float(frame.x(start))
        if start:
            canvas.box(x, frame.top, x + 1, frame.bottom, RATE)
        label = format_number(float(f"{rate[start]:.3g}"))
        width = text_width(label, SMALL_LABEL)
        at = min(max(x + 5, free) if not start else x + 5, frame.right + MARGIN - 8 - width)
        if at >= free:
            canvas.text(at, frame.top - 16, label, SMALL_LABEL, INK, "ls")
            free = at + width + 8
    canvas.box(frame.left, frame.top, frame.right, frame.top + 1, FAINT)
