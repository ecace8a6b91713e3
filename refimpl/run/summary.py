"""Summary at the end of a run: Table 1, the comparison of the map with its alternatives, and ten lines (Figs. 4-5).

Nothing here computes: every function takes the results of ``pipeline.run``.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from refimpl.evaluation.alternatives import RESULT
from refimpl.evaluation.scorecard import Judged, comparison_table
from refimpl.formats.table1 import selection_text as selection_text
from refimpl.formats.tables import format_table
from refimpl.method.selection import TITLES
from refimpl.run.results import Refined, Results
from refimpl.windows.walks import windows


def tables(results: Results) -> str:
    """Table 1 and the comparison of the map with its alternatives, for the end of a run."""
    comparison = format_table(comparison_table(results.verdict.judged))
    return f"{selection_text(results.regression.selection)}\n\n{comparison}"


def summary(results: Results, folder: Path) -> str:
    """Ten lines: what was made, how well, and where it is."""
    selection, balance, fine = results.regression.selection, results.allocation.balance, results.fine
    row = selection[results.regression.name]
    ranking = ", ".join(f"{name} {r:.3f}" for name, r in results.provinces.fit.ranking)
    table = comparison_table(results.verdict.judged)
    share = dict(zip(table["map"], table.get("built-up_share", [])))
    cells = dict(zip(table["map"], table["cells_r2"]))
    rows, cols = results.area.zones.grid.shape
    coarse = results.coarse
    worst = float(np.abs(balance.difference_ulp).max())
    names = ("lights alone + Eq. 3", "bicubic + Eq. 3", RESULT)
    cells_valid = sum(int(np.count_nonzero(coarse.raster.part(w).valid)) for w in windows(coarse.raster.grid.shape))
    lines = [
        f"{results.config.title}: {cols} x {rows} cells of {cell_words(results.area.zones.grid.transform[2], results)}",
        f"provinces: {balance.codes.size} with totals, together {balance.total.sum():,.0f} x 10^4 t CO2",
        f"drivers by Pearson r with emission: {ranking}",
        f"regression: {TITLES[results.regression.name]}, R2 {row.train.r2:.3f} in {results.provinces.fit.year}, "
        f"{row.test.r2:.3f} in {results.provinces.test.year}, {row.leave_one_out.r2:.3f} leaving one province out",
        f"coarse map: {cells_valid:,} cells, {coarse.negative} negative (clipped to 0)",
        f"super-resolution: {history_words(fine)}",
        f"mass balance: every province within {worst:g} ulp of its statistic",
        "share on built-up land: " + shown_numbers(share, names, "land_cover.raster is not set"),
        "R2 of cells against fine drivers: " + shown_numbers(cells, names, "no drivers as fine as the map"),
        f"files: {folder}{os.sep} (emissions.tif, emissions_per_km2.tif, emissions.png, comparison.csv, run.json ...)",
    ]
    return "\n".join(lines + [f"warning: {text}" for text in results.warnings])


def history_words(fine: Refined) -> str:
    """How long the network was trained, and how its loss changed."""
    loss = fine.history.loss
    first, last = (float(np.median(part)) for part in (loss[:50], loss[-50:]))
    rate = fine.history.learning_rate[-1]
    return f"{loss.size:,} steps, loss (median of 50) {first:.5f} -> {last:.5f}, last rate {rate:.0e}"


def shown_numbers(values: dict[str, float], names: tuple[str, ...], why_not: str) -> str:
    """The numbers by name, or the reason why there are none."""
    known = [
        f"{name.removesuffix(' + Eq. 3')} {values[name]:.3f}" for name in names if np.isfinite(values.get(name, np.nan))
    ]
    return ", ".join(known) or f"not measured ({why_not})"


def cell_words(size: float, results: Results) -> str:
    """A cell size as people read it: '5 km', '500 m', '0.05 degree'."""
    if results.area.zones.grid.crs.kind == "geographic":
        return f"{size:g} degree"
    return f"{size / 1000:g} km" if size >= 1000 else f"{size:g} m"


def named(judged: list[Judged], name: str) -> Judged:
    """The map of that name."""
    return next(one for one in judged if one.name == name)
