"""Years of a series: a configuration for each, and the table and figure that set their maps side by side.

Every year has its own statistics and drivers and is mapped by the same regression.  Each has a network of its own, or
all take that of the first year (``series.network``).  Then fine structure is learnt from one map only, and the years
differ by their inputs alone.  The table says which network made a map.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from refimpl.earth.grid import Source
from refimpl.errors import InputError, told
from refimpl.evaluation.alternatives import RESULT
from refimpl.evaluation.scorecard import comparison_table
from refimpl.figures.by_year import series_figure
from refimpl.formats.energy_table import read_inventory
from refimpl.formats.tables import write_table
from refimpl.run.config import Config
from refimpl.run.results import Results
from refimpl.run.sections import SeriesSettings
from refimpl.windows.walks import windows

Row = dict[str, object]
PANELS = {
    "total_1e4t": ("emission of the mapped provinces", "10^4 t CO2"),
    "built-up_share": ("built-up land", "share of emission"),
}
"""Columns that are drawn, with their names and units."""


def configs_of(config: Config) -> dict[int, Config]:
    """A configuration for each year of ``series.years``.

    Each takes the drivers and statistics of its year.  ``drivers.predict`` and other inventories belong to the mapped
    year (``statistics.map_year``), and are used for its map only.  ``{year}`` in the title becomes the year; without
    it the year is added.

    Raises
    ------
    InputError
        A year without drivers or statistics, or named twice.
    """
    found, where = {}, f"{config.path}: series.years"
    if not config.series.years:
        return found
    with told():  # each run gives these warnings itself
        inventory = read_inventory(config.statistics.energy)
    for year in config.series.years:
        if year in found:
            raise InputError(f"{where}: names {year} twice; name each year once")
        if year not in config.drivers.by_year:
            there = ", ".join(map(str, sorted(config.drivers.by_year)))
            raise InputError(f"{where}: there is no [drivers.{year}], there are those of {there}; add its rasters")
        inventory.of_year(year, where)
        rasters, evaluate = config.drivers.by_year[year], config.evaluate
        if year != config.map_year:
            evaluate = replace(evaluate, odiac=(), ffdas=None, inventories=(), inventory_names=(), inventory_units=())
        title = config.title.replace("{year}", str(year))
        found[year] = replace(
            config,
            title=title if title != config.title else f"{title}, {year}",
            statistics=replace(config.statistics, map_year=year),
            drivers=config.drivers if year == config.map_year else replace(config.drivers, predict=rasters),
            evaluate=evaluate,
            series=SeriesSettings(),
        )
    return found


def row_of(results: Results, network: str) -> Row:
    """The numbers of one year; ``network`` says whose network made the map: "own", or "of 2005"."""
    table = comparison_table(results.verdict.judged)
    at, plain = table["map"].index(RESULT), table["map"].index("bicubic + Eq. 3")
    return {
        "year": results.config.map_year,
        "network": network,
        "steps": int(results.fine.history.step[-1]),
        "regression": results.regression.name,
        "provinces": int(results.allocation.balance.codes.size),
        "total_1e4t": float(results.allocation.balance.total.sum()),
        "largest_cell_t_per_km2": largest(results.allocation.density),
        "built-up_share": table["built-up_share"][at],
        "built-up_share_bicubic": table["built-up_share"][plain],
        "cells_r2": table["cells_r2"][at],
        "cells_mae_t_per_km2": table["cells_mae_t_per_km2"][at],
    }


def largest(density: Source) -> float:
    """The largest value of a raster, window by window."""
    return max(float(density.part(window).values.max()) for window in windows(density.grid.shape))


def write_series(folder: Path, rows: list[Row], config: Config) -> None:
    """``series.csv``, and ``series.png`` of what is drawn by year."""
    rows = sorted(rows, key=lambda row: row["year"])
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    write_table(folder / "series.csv", columns)
    drawn = {PANELS[name]: columns[name] for name in PANELS if np.isfinite(np.array(columns[name], float)).any()}
    title = config.title.replace("{year}", f"{rows[0]['year']}-{rows[-1]['year']}")
    series_figure(
        columns["year"], {name: values for (name, _), values in drawn.items()}, folder / "series.png", title,
        footer=config.attribution, units={name: unit for name, unit in drawn},
    )  # fmt: skip
