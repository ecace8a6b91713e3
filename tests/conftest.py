"""A toy world for the tests of the whole road: four provinces, three drivers, two years, 48 x 48 cells."""

from __future__ import annotations

import numpy as np
import pytest

from refimpl import progress
from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import WGS84
from refimpl.formats.writing import write_raster

ZONES = Grid(WGS84, (110.0, 36.0, 0.05, -0.05), (96, 96))
DRIVERS = Grid(WGS84, (110.0, 36.0, 0.1, -0.1), (48, 48))

RUN_TOML = """
title = "Toy"
seed = 1

[grid]
cell_size = 20000

[zones]
raster = "zones.tif"

[statistics]
energy = "energy.csv"

[drivers.2005]
ntl = "ntl_2005.tif"
population = "population_2005.tif"

[drivers.2010]
ntl = "ntl_2010.tif"
population = "population_2010.tif"

[land_cover]
raster = "land_cover.tif"

[upscale]
channels = 8
crop = 16
max_steps = 6
"""


def toy_zones() -> np.ndarray:
    """Four quarters, 11 12 / 13 14, and a strip of 15, which has no statistics, along the east."""
    zones = np.zeros(ZONES.shape, np.uint8)
    zones[:48, :40], zones[:48, 40:80], zones[48:, :40], zones[48:, 40:80] = 11, 12, 13, 14
    zones[:, 80:] = 15
    return zones


@pytest.fixture(autouse=True)
def progress_as_before(monkeypatch):
    """``--quiet`` in one test silences no other."""
    monkeypatch.setattr(progress, "_quiet", progress._quiet)


@pytest.fixture
def world(tmp_path):
    """A folder with a run.toml that runs in seconds, and all its inputs."""
    rng = np.random.default_rng(0)
    everywhere = np.ones(DRIVERS.shape, bool)
    row, col = np.mgrid[:48, :48]
    towns = sum(np.exp(-((row - r) ** 2 + (col - c) ** 2) / 8) for r, c in rng.integers(3, 44, (14, 2)))
    for year, growth in ((2005, 1.0), (2010, 1.5)):
        for name, scale in (("ntl", 30.0), ("population", 4000.0)):
            values = (scale * growth * towns + rng.random(DRIVERS.shape)).astype(np.float32)
            write_raster(tmp_path / f"{name}_{year}.tif", Raster(values, everywhere, DRIVERS, ""), nodata=-9999)
    write_raster(tmp_path / "zones.tif", Raster(toy_zones(), np.ones(ZONES.shape, bool), ZONES, ""))
    classes = np.where(towns > 0.3, 13, 12).astype(np.uint8)
    write_raster(tmp_path / "land_cover.tif", Raster(classes, everywhere, DRIVERS, ""))
    rows = ["code,province,year,coal,diesel"]
    for year in (2005, 2010):
        rows += [f"{code},P{code},{year},{100 * (code - 10) + year - 2005},{code}" for code in (11, 12, 13, 14)]
    (tmp_path / "energy.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "run.toml").write_text(RUN_TOML)
    return tmp_path
