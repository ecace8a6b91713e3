"""Rasters as characters in a terminal: shades for amounts, one sign for each class.

North is up.  A character counts as twice as high as wide.  A blank means no value.  Amounts are shaded by rank, so that
a heavy tail does not leave nearly all cells pale.
"""

from __future__ import annotations

import numpy as np

from refimpl.figures.display import ground_size, sample

SHADES, PLAIN_SHADES = "░▒▓█", ".:+*#@"
SIGNS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def character_shape(grid, width: int = 60, most_rows: int = 40) -> tuple[int, int]:
    """Rows and columns of characters for a grid.

    >>> from refimpl.earth.grid import Grid
    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> character_shape(Grid(ALBERS_CHINA, (0, 0, 1, -1), (100, 200)))
    (15, 60)
    """
    across, down = ground_size(grid, grid.bounds)
    rows = max(1, round(width * down / across / 2))
    return (rows, width) if rows <= most_rows else (most_rows, max(1, round(width * most_rows / rows)))


def shaded(raster, shades: str = SHADES, width: int = 60) -> list[str]:
    """The raster as lines of shades, pale for low values.

    >>> from refimpl.earth.grid import Grid, Raster
    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> grid = Grid(ALBERS_CHINA, (0, 0, 1, -2), (1, 5))
    >>> shaded(Raster.masked([[1.0, 2.0, np.nan, 5.0, 9.0]], np.ones((1, 5)), grid), "abcd", 5)
    ['ab cd']
    """
    values, valid = sample(raster, raster.grid.bounds, character_shape(raster.grid, width))
    edges = np.unique(np.quantile(values[valid], np.linspace(0, 1, len(shades) + 1)[1:-1])) if valid.any() else []
    ranks = np.searchsorted(edges, values, side="left") + (len(shades) - 1 - len(edges))
    return ["".join(shades[r] if v else " " for r, v in zip(*line)).rstrip() for line in zip(ranks, valid)]


def signs_of(classes) -> dict[float, str]:
    """The sign of each class: the number itself from 0 to 9, then letters.

    >>> signs_of([0, 5, 13, 17])
    {0: '0', 5: '5', 13: 'd', 17: 'h'}
    """
    classes = sorted(classes)
    if all(0 <= value < len(SIGNS) for value in classes):
        return {value: SIGNS[int(value)] for value in classes}
    return {value: SIGNS[place % len(SIGNS)] for place, value in enumerate(classes)}


def signed(raster, signs: dict[float, str], width: int = 60) -> list[str]:
    """The raster as lines of signs; a character shows the class in the middle of the cells that it covers."""
    shape = character_shape(raster.grid, width)
    middles = [(np.arange(n) + 0.5) * size / n for n, size in zip(shape, raster.values.shape)]
    cells = np.ix_(*(places.astype(int) for places in middles))
    chosen = zip(raster.values[cells].tolist(), raster.valid[cells].tolist())
    return ["".join(signs.get(value, "?") if v else " " for value, v in zip(*line)).rstrip() for line in chosen]
