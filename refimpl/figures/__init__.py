"""Figures as PNG files, drawn with Pillow and NumPy alone: maps, bars, scatters, training curves, series of years.

Every function writes its file atomically, returns the Pillow image, and gives the same bytes for the same input.

======================= =============================================================================================
maps (Figs. 1-3)        ``maps``, ``zoom`` (where to look closer)
bars (Figs. 4-5)        ``bars``, ``stacked``
inventories (Fig. 6)    ``inventory_figures``, ``cells``
training, years         ``curves``, ``by_year``
drawn with              ``display``, ``area_mean``, ``colour``, ``axes``, ``canvas``, ``typeset``
as text                 ``characters``
======================= =============================================================================================
"""

from refimpl.figures.bars import bar_figure, scatter_figure
from refimpl.figures.by_year import series_figure
from refimpl.figures.curves import curve_figure
from refimpl.figures.maps import comparison_figure, map_figure, pick_window

__all__ = [
    "bar_figure", "comparison_figure", "curve_figure", "map_figure", "pick_window", "scatter_figure", "series_figure",
]  # fmt: skip
