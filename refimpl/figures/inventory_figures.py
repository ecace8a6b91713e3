"""Figures of the map and other inventories (Fig. 6): side by side, their differences, cells against each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from refimpl.earth.grid import Raster, Source, Window
from refimpl.evaluation.agreement import InventoryComparison
from refimpl.evaluation.derived import codes_in
from refimpl.figures.cells import cells_figure
from refimpl.figures.display import zones_source
from refimpl.figures.maps import comparison_figure
from refimpl.windows.computed import Computed
from refimpl.windows.quantiles import quantile
from refimpl.windows.walks import windows

DIFFERENCE_QUANTILE = 0.98
"""Of the absolute differences that are not 0: the colours of a difference map end there."""

WINDOW_CELLS = 2**19
"""Cells of a window in which values are compared; intermediate arrays take several times their memory."""


def inventory_figures(
    density: Source,
    compared: Sequence[InventoryComparison],
    folder: Path,
    zones: Source | np.ndarray,
    name: str = "map",
    title: str = "CO2 emission",
    footer: str = "",
) -> list[Path]:
    """Write ``inventories.png``, ``inventories_difference.png`` and, for each, an ``inventories_cells_NAME.png``.

    Parameters
    ----------
    density : the map called ``name``, t CO2 / km2 / year.
    compared : the other inventories, on the grid of the map; cells outside the provinces are not drawn.
    zones : (rows, cols) province codes, 0 outside; an array or a source.

    Every map is walked window by window: once for its own picture, twice for the density of points, and two to four
    times for the limits of the differences.

    Returns
    -------
    The paths of the files written.
    """
    folder, window, zones = Path(folder), density.grid.bounds, zones_source(zones, density.grid)
    others = [Clipped(one.density, zones) for one in compared]
    names = [name, *(one.name for one in compared)]
    every = {"title": title, "footer": footer}
    written = [folder / "inventories.png", folder / "inventories_difference.png"]
    comparison_figure(
        [density, *others], names, written[0], window,
        subtitle="one colour scale for all", zones=[zones] * len(names), **every,
    )  # fmt: skip
    differences = [Difference(density, other) for other in others]
    comparison_figure(
        differences, [f"{name} less {one.name}" for one in compared], written[1], window,
        subtitle="blue: less than the other inventory, red: more", limits=difference_limits(differences),
        scale="diverging", zones=[zones] * len(differences), **every,
    )  # fmt: skip
    for one, other in zip(compared, others):
        written.append(folder / f"inventories_cells_{slug(one.name)}.png")
        numbers = {number: float(one.overall.numbers[number][0]) for number in ("r", "rho")}
        cells_figure(
            partial(pairs, other, density), written[-1], f"{name} against {one.name}", numbers,
            (one.name, name), "number of cells by their value in both maps", footer, density.units,
        )  # fmt: skip
    return written


class Clipped(Computed):
    """The part of a raster that lies inside the provinces."""

    def __init__(self, raster: Source, zones: Source | np.ndarray):
        super().__init__(raster.grid, raster.units, raster.dtype)
        self.raster, self.zones = raster, zones

    def part(self, window: Window) -> Raster:
        """The cells of (row start, row stop, column start, column stop)."""
        found = self.raster.part(window)
        return Raster.masked(found.values, found.valid & (codes_in(self.zones, window) > 0), found.grid, self.units)


class Difference(Computed):
    """Our map less the other where both have a value, float64, in the unit of ours.

    >>> from refimpl.earth.grid import Grid
    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> grid = Grid(ALBERS_CHINA, (0, 0, 1, -1), (1, 2))
    >>> Difference(*(Raster.masked([v], [[True, v[1] > 0]], grid) for v in ([5.0, 1.0], [2.0, 0.0]))).values.tolist()
    [[3.0, 0.0]]
    """

    def __init__(self, ours: Source, other: Source):
        super().__init__(ours.grid, ours.units)
        self.ours, self.other = ours, other

    def part(self, window: Window) -> Raster:
        """The cells of (row start, row stop, column start, column stop)."""
        ours, other = self.ours.part(window), self.other.part(window)
        both = ours.valid & other.valid
        values = np.subtract(ours.values, other.values, dtype=float)
        return Raster.masked(np.where(both, values, 0.0), both, ours.grid, self.units)


def difference_limits(differences: Sequence[Source]) -> tuple[float, float]:
    """Limits of the colours, symmetric about 0, one pair for all maps; the few largest differences lie beyond them."""
    sizes = partial(_sizes, differences)
    if not any(block.size for block in sizes()):
        return -1.0, 1.0
    reach = float(f"{quantile(sizes, DIFFERENCE_QUANTILE):.2g}")
    return -reach, reach


def _sizes(differences: Sequence[Source]) -> Iterator[np.ndarray]:
    """The absolute differences that are not 0, block by block."""
    for source in differences:
        for window in windows(source.grid.shape, WINDOW_CELLS):
            part = source.part(window)
            yield np.abs(part.values[part.valid & (part.values != 0)])


def pairs(one: Source, other: Source) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Values (n,) in both of the cells that have one in both, block by block."""
    for window in windows(one.grid.shape, WINDOW_CELLS):
        parts = one.part(window), other.part(window)
        both = parts[0].valid & parts[1].valid
        yield parts[0].values[both], parts[1].values[both]


def slug(name: str) -> str:
    """A name as a part of a file name.

    >>> slug("EDGAR v8 / CO2"), slug("ODIAC"), slug("碳")
    ('edgar-v8-co2', 'odiac', '碳')
    """
    return re.sub(r"[^\w]+", "-", name).strip("-").lower() or "inventory"
