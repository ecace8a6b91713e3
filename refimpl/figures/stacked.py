"""Stacked bars of the land covers' shares in each province's emission, one bar a province (Fig. 5)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from refimpl.figures.axes import swatches
from refimpl.figures.canvas import FAINT, INK, LABEL, MARGIN, MUTED, SMALL_LABEL, Canvas, footer_height, heading_height
from refimpl.figures.colour import PAPER
from refimpl.figures.typeset import fitted, text_width
from refimpl.method.land_cover import LAND_COVERS, LandCoverShares

WIDTH = 1100
BAR, STEP = 20, 26
LAND_COVER_COLOURS = {
    "forest": (38, 98, 62),
    "shrubland": (134, 128, 72),
    "grasslands": (160, 200, 116),
    "water": (74, 136, 194),
    "croplands": (242, 202, 96),
    "built-up": (190, 52, 54),
    "bare": (196, 182, 166),
}
"""Colours common in land-cover maps; neighbours in a bar differ in lightness too."""
OTHERS = ((34, 74, 134), (224, 132, 52), (94, 158, 148), (150, 90, 140), (126, 130, 138), (196, 176, 84))
LEAST_PRINTED = 0.08
"""Least share whose percentage is printed inside its part of the bar."""


def stacked_figure(
    labels: Sequence[str],
    parts: Mapping[str, Sequence[float]],
    path: str | os.PathLike,
    title: str,
    subtitle: str = "",
    footer: str = "",
    units: str = "share of emission",
) -> Image.Image:
    """Draw one horizontal bar a label, with the named parts from left to right, 0 to 100 %, and return the picture.

    ``parts`` maps a name to one share in [0, 1] per label.  A label whose shares are not finite is shown as "n/a".
    Land covers have their own colours.

    Raises
    ------
    ValueError
        No label or part, a part with more or fewer shares than labels, or shares of a label that are negative or sum
        to more than 1.
    """
    table = np.array([np.asarray(values, float) for values in parts.values()])
    if not labels or table.shape != (len(parts), len(labels)):
        raise ValueError(f"expected {len(labels)} shares, one or more, for each of {list(parts)}, got {table.shape}")
    sums = table.sum(axis=0)
    if (table < 0).any() or (sums > 1 + 1e-9).any():
        raise ValueError("shares of a label must be 0 or more and sum to 1 at most")
    captions = [fitted(label, LABEL, WIDTH // 4)[0] for label in labels]
    rows = legend_rows(list(parts), WIDTH - 2 * MARGIN)
    top = heading_height(subtitle) + 26 * len(rows) + 14
    left = MARGIN + 14 + max(text_width(caption, LABEL) for caption in captions)
    right, bottom = WIDTH - MARGIN - 24, top + STEP * len(labels) + 6
    canvas = Canvas(WIDTH, bottom + (78 if units else 48) + footer_height(footer))
    canvas.heading(title, subtitle, footer)
    colours = colours_of(list(parts))
    for index, row in enumerate(rows):
        swatches(canvas, MARGIN, heading_height(subtitle) + 2 + 26 * index, [(colours[name], name) for name in row])
    for tick in range(0, 101, 20):
        x = left + tick / 100 * (right - left)
        canvas.box(x, top, x + 1, bottom, FAINT)
        canvas.text(x, bottom + 12, f"{tick} %", SMALL_LABEL, MUTED, "mt")
    canvas.text((left + right) / 2, bottom + 42, units, LABEL, INK, "mt")
    for row, caption in enumerate(captions):
        y = top + 6 + row * STEP
        canvas.text(MARGIN, y + BAR / 2, caption, LABEL, INK, "lm")
        if np.isfinite(sums[row]):
            _draw_parts(canvas, left, right, y, table[:, row], [colours[name] for name in parts])
        else:
            canvas.text(left + 10, y + BAR / 2, "n/a", SMALL_LABEL, MUTED, "lm")
    canvas.box(left, top, left + 1, bottom, MUTED)
    return canvas.save(path)


def colours_of(names: Sequence[str]) -> dict[str, tuple[int, int, int]]:
    """A colour for each part: the land cover's own colour, else the next of ``OTHERS``."""
    others = [name for name in names if name not in LAND_COVER_COLOURS]
    return {name: LAND_COVER_COLOURS.get(name) or OTHERS[others.index(name) % len(OTHERS)] for name in names}


def legend_rows(names: Sequence[str], room: int) -> list[list[str]]:
    """The names of a legend, broken into rows of at most ``room`` pixels.

    >>> legend_rows(["forest", "water"], 1000), legend_rows(["forest", "water"], 100)
    ([['forest', 'water']], [['forest'], ['water']])
    """
    rows: list[list[str]] = [[]]
    used = 0
    for name in names:
        width = 31 + text_width(name, SMALL_LABEL) + 26
        if rows[-1] and used + width - 26 > room:
            rows.append([])
            used = 0
        rows[-1].append(name)
        used += width
    return rows


def _draw_parts(canvas: Canvas, left: int, right: int, y: int, shares: np.ndarray, colours):
    """Draw one bar; edges are rounded from running sums, so that parts meet without gap or overlap."""
    edges = np.rint(left + np.concatenate([[0.0], np.cumsum(shares)]) * (right - left)).astype(int)
    for share, start, stop, colour in zip(shares, edges, edges[1:], colours):
        canvas.box(start, y, stop, y + BAR, colour)
        if share >= LEAST_PRINTED:
            dark = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2] < 140
            ink = PAPER if dark else INK
            canvas.text((start + stop) / 2, y + BAR / 2, f"{100 * share:.0f}", SMALL_LABEL, ink, "mm")


def land_cover_figure(
    found: LandCoverShares,
    names: Mapping[int, str],
    path: str | os.PathLike,
    title: str = "CO2 emission",
    footer: str = "",
) -> Image.Image:
    """Draw the shares of the seven land covers, one bar a province, labelled by its name in ``names`` or its code."""
    labels = [names.get(code) or str(code) for code in found.codes.tolist()]
    parts = dict(zip(LAND_COVERS, found.shares.T))
    return stacked_figure(labels, parts, path, title, "by land cover, in each province", footer)
