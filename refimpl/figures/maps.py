"""Maps of one raster, and the same window of several rasters side by side (Figs. 1-3).

They are drawn from a ``Raster`` in memory or any other ``Source``, north up.  A source is read once for a map, window
by window.  Densities (per km2) can be compared between resolutions.  Counts per cell cannot: a cell of half the side
holds a quarter.  Cells inside the country without a value are grey; cells outside it stay white.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from PIL import Image

from refimpl.earth.grid import Grid, Source
from refimpl.figures.axes import colour_bar, colour_bar_width, scale_bar, swatches
from refimpl.figures.canvas import FAINT, INK, LABEL, MARGIN, Canvas, footer_height, heading_height
from refimpl.figures.colour import NODATA, PAPER, Scale, choose_scale
from refimpl.figures.display import Bounds, borders, ground_size, pixel_shape, sample, sample_zones, zones_source
from refimpl.figures.typeset import fitted
from refimpl.figures.zoom import pick_window

__all__ = ["comparison_figure", "map_figure", "pick_window"]

MAP_ROOM = (1100, 1400)
"""Most rows and columns of pixels of a map."""
PANEL_ROOM = (640, 640)
BORDER = (92, 96, 112)
BORDER_STRENGTH = 0.75
LEAST_WIDTH = 760
LEAST_BAR = 240


def map_figure(
    raster: Source,
    title: str,
    path: str | os.PathLike,
    subtitle: str = "",
    footer: str = "",
    zones: Source | np.ndarray | None = None,
    limits: tuple[float, float] | None = None,
    scale: str = "log",
) -> Image.Image:
    """Draw one raster as a PNG map with colour bar, scale bar and legend, and return the picture.

    Parameters
    ----------
    raster : in memory or a file
        (rows, cols) values of any unit; a raster of more than about 1400 columns is averaged for display.
    zones : (rows, cols) integers on the raster's grid, an array or a source, optional
        Provinces, 0 outside the country: their boundaries are drawn, and invalid cells outside are left white.
    limits : (low, high), optional
        Ends of the colour bar in the raster's units; by default quantiles of the values (``choose_scale``).
    scale : "log", "sqrt", "linear" or "diverging"
        "diverging" is for differences: blue below 0, red above.

    Raises
    ------
    ValueError
        ``zones`` has another shape than the raster, or ``scale`` or ``limits`` make no sense.
    """
    zones = None if zones is None else zones_source(zones, raster.grid)
    bounds = raster.grid.bounds
    shape = pixel_shape(raster.grid, bounds, MAP_ROOM)
    values, valid = sample(raster, bounds, shape)
    shown = choose_scale(values[valid], scale, limits)
    pixels, empty = _picture(values, valid, shown, raster.grid, bounds, zones)
    top = heading_height(subtitle) + (30 if raster.units else 0)
    bar_height = max(shape[0], LEAST_BAR)
    bar_width = colour_bar_width(shown, raster.units)
    canvas = Canvas(
        max(2 * MARGIN + shape[1] + 26 + bar_width, LEAST_WIDTH), top + bar_height + 46 + footer_height(footer)
    )
    canvas.heading(title, subtitle, footer)
    bar_left = canvas.width - MARGIN - bar_width
    left = MARGIN + (bar_left - 26 - MARGIN - shape[1]) // 2
    _panel(canvas, left, top + (bar_height - shape[0]) // 2, pixels)
    colour_bar(canvas, shown, bar_left, top, bar_height, raster.units, *_beyond([values[valid]], shown))
    end = scale_bar(canvas, MARGIN, top + bar_height + 22, ground_size(raster.grid, bounds)[0] / shape[1])
    if empty:
        swatches(canvas, end + 40, top + bar_height + 22, [(NODATA, "no data")])
    return canvas.save(path)


def comparison_figure(
    rasters: Sequence[Source],
    titles: Sequence[str],
    path: str | os.PathLike,
    window: Bounds,
    title: str = "",
    subtitle: str = "",
    footer: str = "",
    limits: tuple[float, float] | None = None,
    scale: str = "log",
    zones: Sequence[Source | np.ndarray | None] | None = None,
) -> Image.Image:
    """Draw the same window of several rasters side by side on one colour scale, cells visible as squares.

    ``window`` is (xmin, ymin, xmax, ymax) in the units of the rasters' common CRS; ``pick_window`` finds one that
    shows much.  All rasters have the same units, which are densities if their cells differ in size.  ``zones`` holds
    provinces on the grid of each raster, as for ``map_figure``.

    Raises
    ------
    ValueError
        No raster, more or fewer titles than rasters, units or projections that differ, or a window without area.
    """
    _check_comparison(rasters, titles, window)
    zones = [None] * len(rasters) if zones is None else zones
    zones = [own if own is None else zones_source(own, one.grid) for one, own in zip(rasters, zones, strict=True)]
    shape = pixel_shape(min(rasters, key=lambda raster: raster.grid.transform[2]).grid, window, PANEL_ROOM, 40)
    samples = [sample(raster, window, shape) for raster in rasters]
    values = [value[valid] for value, valid in samples]
    shown = choose_scale(np.concatenate(values), scale, limits)
    units = rasters[0].units
    bar_width, bar_height = colour_bar_width(shown, units), max(shape[0], LEAST_BAR)
    top = (heading_height(subtitle) if title else MARGIN) + 38
    row = len(rasters) * (shape[1] + 24)
    canvas = Canvas(2 * MARGIN + max(row + bar_width, 420), top + bar_height + 46 + footer_height(footer))
    canvas.heading(title, subtitle, footer)
    empty = False
    for index, (value, valid) in enumerate(samples):
        pixels, lacks = _picture(value, valid, shown, rasters[index].grid, window, zones[index])
        empty, left = empty or lacks, MARGIN + index * (shape[1] + 24)
        caption, size = fitted(titles[index], LABEL + 2, shape[1])
        canvas.text(left, top - 14, caption, size, INK)
        _panel(canvas, left, top, pixels)
    colour_bar(canvas, shown, MARGIN + row, top, bar_height, units, *_beyond(values, shown))
    end = scale_bar(canvas, MARGIN, top + bar_height + 22, ground_size(rasters[0].grid, window)[0] / shape[1])
    if empty:
        swatches(canvas, end + 40, top + bar_height + 22, [(NODATA, "no data")])
    return canvas.save(path)


def _picture(values, valid, shown: Scale, grid: Grid, bounds: Bounds, zones) -> tuple[np.ndarray, bool]:
    """Sampled values as pixels with boundaries, (rows, cols, 3) uint8, and whether any pixel shows missing data."""
    pixels = shown.paint(values, valid)
    if zones is None:
        return pixels, not valid.all()
    rows, cols = valid.shape
    codes, halves = sample_zones(zones, grid, bounds, [(rows, cols), (2 * rows, 2 * cols)])
    inside, coverage = codes != 0, borders(halves)
    pixels[~valid & ~inside] = PAPER
    line = coverage > 0
    strength = BORDER_STRENGTH * coverage[line][:, None]
    pixels[line] = np.rint(pixels[line] * (1 - strength) + np.array(BORDER) * strength).astype(np.uint8)
    return pixels, bool((inside & ~valid).any())


def _panel(canvas: Canvas, left: int, top: int, pixels: np.ndarray):
    """Draw a picture in a thin frame."""
    canvas.picture(left, top, pixels)
    canvas.box(left - 1, top - 1, left + pixels.shape[1] + 1, top + pixels.shape[0] + 1, outline=FAINT)


def _beyond(values: Sequence[np.ndarray], shown: Scale) -> tuple[bool, bool]:
    """Whether any value lies below, and above, the ends of the colour bar."""
    return any((value < shown.low).any() for value in values), any((value > shown.high).any() for value in values)


def _check_comparison(rasters: Sequence[Source], titles: Sequence[str], window: Bounds):
    if not rasters or len(rasters) != len(titles):
        raise ValueError(f"expected a title for each raster, got {len(rasters)} rasters and {len(titles)} titles")
    if len({(raster.units, raster.grid.crs) for raster in rasters}) > 1:
        raise ValueError("rasters to compare must have the same units and projection")
    if not (window[0] < window[2] and window[1] < window[3]):
        raise ValueError(f"window {window}: expected (xmin, ymin, xmax, ymax) with an area")
