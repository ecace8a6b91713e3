"""Fig. 6: the map and other inventories side by side, their differences, and their cells against each other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from refimpl.evaluation.agreement import InventoryComparison
from refimpl.figures.cells import cells_figure
from refimpl.figures.maps import comparison_figure
from refimpl.raster.grid import Raster

DIFFERENCE_QUANTILE = 0.98
"""Of the absolute differences that are not 0: beyond it the colours of a difference map end."""


def inventory_figures(
    density: Raster,
    compared: Sequence[InventoryComparison],
    folder: Path,
    zones: np.ndarray,
    name: str = "map",
    title: str = "CO2 emission",
    footer: str = "",
) -> list[Path]:
    """Write ``inventories.png``, ``inventories_difference.png`` and a ``inventories_cells_NAME.png`` for each.

    Parameters
    ----------
    density : the map called ``name``, t CO2 / km2 / year.
    compared : the others, on the grid of the map; what lies outside the provinces is not drawn.
    zones : (rows, cols) province codes, 0 outside.

    Returns
    -------
    The files written.
    """
    folder, window = Path(folder), density.grid.bounds
    others = [clipped(one.density, zones) for one in compared]
    names = [name, *(one.name for one in compared)]
    every = {"title": title, "footer": footer}
    written = [folder / "inventories.png", folder / "inventories_difference.png"]
    comparison_figure(
        [density, *others], names, written[0], window,
        subtitle="one colour scale for all", zones=[zones] * len(names), **every,
    )  # fmt: skip
    differences = [difference(density, other) for other in others]
    comparison_figure(
        differences, [f"{name} less {one.name}" for one in compared], written[1], window,
        subtitle="blue: less than the other inventory, red: more", limits=difference_limits(differences),
        scale="diverging", zones=[zones] * len(differences), **every,
    )  # fmt: skip
    for one, other in zip(compared, others):
        both = density.valid & other.valid & (zones > 0)
        written.append(folder / f"inventories_cells_{slug(one.name)}.png")
        cells_figure(
            other.values[both], density.values[both], written[-1], f"{name} against {one.name}",
            (one.name, name), "number of cells by their value in both maps", footer, density.units,
        )  # fmt: skip
    return written


def clipped(raster: Raster, zones: np.ndarray) -> Raster:
    """The raster inside the provinces only."""
    return Raster.masked(raster.values, raster.valid & (zones > 0), raster.grid, raster.units)


def difference(ours: Raster, other: Raster) -> Raster:
    """Ours less the other where both have a value, in their unit."""
    both = ours.valid & other.valid
    return Raster.masked(np.where(both, ours.values - other.values, 0.0), both, ours.grid, ours.units)


def difference_limits(differences: Sequence[Raster]) -> tuple[float, float]:
    """Symmetric about 0, one range for all; a few cities would otherwise leave the rest of the map without colour."""
    values = np.concatenate([np.abs(raster.values[raster.valid]) for raster in differences])
    values = values[values > 0]
    reach = float(f"{np.quantile(values, DIFFERENCE_QUANTILE):.2g}") if values.size else 1.0
    return -reach, reach


def slug(name: str) -> str:
    """A name as a part of a file name.

    >>> slug("EDGAR v8 / CO2"), slug("ODIAC"), slug("碳")
    ('edgar-v8-co2', 'odiac', '碳')
    """
    return re.sub(r"[^\w]+", "-", name).strip("-").lower() or "inventory"
