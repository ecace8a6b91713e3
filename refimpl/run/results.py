"""Results of a run: one type for each stage, in the order of ``pipeline.run``, and all of them together.

Fields are plain: numbers, texts, arrays, tables of these, and rasters.  A raster that a stage wrote is a ``Stored``:
the name of its file, which is read window by window where its cells are needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from refimpl.earth.grid import Source
from refimpl.evaluation.agreement import InventoryComparison
from refimpl.evaluation.scorecard import Judged
from refimpl.formats.energy_table import Inventory
from refimpl.method.fitted_regression import FittedRegression
from refimpl.method.land_cover import LandCoverShares
from refimpl.method.network import Network
from refimpl.method.province_totals import rank_drivers
from refimpl.method.selection import SelectionTable
from refimpl.method.training import History, Trained
from refimpl.method.training_pairs import Tape
from refimpl.run.config import Config
from refimpl.run.stages import Stages
from refimpl.windows.allocated_map import MassBalance
from refimpl.windows.measured_range import Measured
from refimpl.windows.predicted_map import CoarseMap
from refimpl.windows.stored import Stored
from refimpl.windows.zones import Coverage


@dataclass(frozen=True)
class ProvinceTotals:
    """Province totals of the drivers in one year, for the provinces that have statistics (D03)."""

    year: int
    codes: np.ndarray
    """(n,) int64, province codes."""
    provinces: tuple[str, ...]
    names: tuple[str, ...]
    """Of the d drivers."""
    totals: np.ndarray
    """(n, d) float64, density x km2."""
    emission: np.ndarray
    """(n,) float64, 10^4 t CO2."""

    @property
    def ranking(self) -> list[tuple[str, float]]:
        """Drivers by Pearson's r with emission, the strongest first."""
        return rank_drivers(dict(zip(self.names, self.totals.T)), self.emission)


@dataclass(frozen=True)
class FitAndTest:
    """Stage ``zonal``: the province totals of the year of the fit and of the year of the test."""

    fit: ProvinceTotals
    test: ProvinceTotals


@dataclass(frozen=True)
class ChosenRegression:
    """Stage ``fit``: Table 1, and the name of the regression that the map is made with (D07)."""

    selection: SelectionTable
    name: str

    @property
    def model(self) -> FittedRegression:
        """The regression of that name, fitted."""
        return self.selection[self.name].fitted


@dataclass(frozen=True)
class Area:
    """Stage ``warp``: the provinces and drivers on the grids of the map, and what each province receives."""

    zones: Stored
    """Province codes on the fine grid, 0 outside."""
    drivers: Mapping[str, Stored]
    """Densities on the coarse grid."""
    coverage: Coverage
    """Part of each province's area that lies on the map."""
    totals: dict[int, float]
    """What each mapped province receives, 10^4 t."""


@dataclass(frozen=True)
class ReferenceMaps:
    """Stage ``compared``: what the map is judged by, on the fine grid."""

    land_cover: Source | None
    """IGBP classes."""
    coarse_land_cover: Source | None
    """The same on the coarse grid."""
    inventories: Mapping[str, Source]
    """ODIAC, FFDAS and others, t CO2 / km2 / year (D24)."""
    lights: Source | None
    drivers: Mapping[str, Source]
    """Empty where they are coarser than the fine grid: then there is no finer truth to compare with."""


@dataclass(frozen=True)
class TrainedOnMap:
    """Stage ``train``: the network of one doubling, and the range of the map that it was trained on (D08, D09)."""

    trained: Trained
    measured: Measured


@dataclass(frozen=True)
class Refined:
    """Stages ``train``, ``network`` and ``upscale`` of the last doubling: the fine map and how it was made."""

    weights: Stored
    """CW of Eq. 3."""
    network_alone: Source
    """What the network makes without ensemble and back-projection, to compare with."""
    network: Network
    history: History
    tape: Tape


@dataclass(frozen=True)
class AllocatedEmission:
    """Stage ``allocate``: the result of Eq. 3 and its proof."""

    emission: Stored
    """10^4 t CO2 per cell a year."""
    density: Stored
    """The same as t CO2 / km2 / year."""
    balance: MassBalance


@dataclass(frozen=True)
class Verdict:
    """Stage ``evaluate``: all numbers of the map."""

    judged: list[Judged]
    """The map and its alternatives, each with its numbers."""
    coarse_shares: LandCoverShares | None
    """The corrected coarse map by the land cover of its own cells."""
    inventories: dict[str, InventoryComparison]
    """The map against ODIAC, FFDAS and others."""


@dataclass(frozen=True)
class Drawn:
    """Stage ``draw``: the tables and figures, and the maps that are written in another layout."""

    files: tuple[Path, ...]


@dataclass
class Results:
    """All that one run made: the results of its stages, in their order."""

    config: Config
    inventory: Inventory
    provinces: FitAndTest
    regression: ChosenRegression
    area: Area
    references: ReferenceMaps
    coarse: CoarseMap
    """Stage ``predict``."""
    fine: Refined
    allocation: AllocatedEmission
    verdict: Verdict
    stages: Stages
    warnings: list[str] = field(default_factory=list)
    """Each once, in the order in which they were given."""
    temporary: Any = None
    """Holds the folder of a run that was given none, as long as the results live."""
