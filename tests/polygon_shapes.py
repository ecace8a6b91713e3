"""Zones as polygons for tests, written as lists of vertices."""

import numpy as np

from refimpl.earth.grid import Grid
from refimpl.earth.polygons import Polygons
from refimpl.earth.projection import ALBERS_CHINA

METRE = Grid(ALBERS_CHINA, (0, 4, 1, -1), (4, 5))
"""Cells of 1 m, x from 0 to 5, y from 4 down to 0."""


def zones_of(*rings, crs=ALBERS_CHINA, rule="area"):
    """Polygons of (code, shell?, vertices), rings closed here."""
    arrays = [np.array([*vertices, vertices[0]], float) for _, _, vertices in rings]
    x, y = np.concatenate(arrays).T
    starts = np.cumsum([0, *map(len, arrays)])
    shells, codes = np.array([shell for _, shell, _ in rings]), np.array([code for code, _, _ in rings])
    return Polygons(x.copy(), y.copy(), starts, shells, codes, crs, rule)


def box(xmin, ymin, xmax, ymax):
    return [(xmin, ymin), (xmax, ymin), (xmax, ymax), (xmin, ymax)]


def partition(rng, n=4):
    """n x n quadrilaterals with shared random corners, which fill the square [-1, 6] x [-1, 5]; their codes."""
    x, y = np.meshgrid(np.linspace(-1, 6, n + 1), np.linspace(-1, 5, n + 1))
    x[1:-1, 1:-1] += rng.uniform(-0.4, 0.4, (n - 1, n - 1))
    y[1:-1, 1:-1] += rng.uniform(-0.4, 0.4, (n - 1, n - 1))
    corners = np.stack([x, y], axis=2)
    rings = []
    for i, j in np.ndindex(n, n):
        ring = [tuple(corners[i + a, j + b]) for a, b in ((0, 0), (0, 1), (1, 1), (1, 0))]
        rings.append((1 + n * i + j, True, ring[:: 1 - 2 * (j % 2)]))
    return zones_of(*rings)
