"""Compilation ahead of the first run, which then need not wait for it: ``refimpl warm-up``.

Two processes share the work.  One compiles the resizing and the network's convolutions.  The other runs the method on a
toy country of four provinces, with the convolutions as their references; it reaches the resizing when that is compiled.
``kernels.tools.compiled`` keeps the machine code.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np

from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import WGS84
from refimpl.errors import DataWarning
from refimpl.formats.writing import write_raster
from refimpl.method.adam import BETA1, BETA2, EPSILON, adam_step
from refimpl.method.network import initialise, loss_and_gradients
from refimpl.method.resize import upsample_valid
from refimpl.progress import set_quiet, stage
from refimpl.run.config import read_config
from refimpl.run.pipeline import run
from refimpl.twins import REGISTRY, current_backend
from refimpl.windows.inference import infer

SIDE = 48
"""Cells of the toy country along each side, 0.05 degrees each."""

RUN_TOML = """
[grid]
cell_size = 10000
[zones]
raster = "zones.tif"
[statistics]
energy = "energy.csv"
[drivers.2005]
lights = "lights.tif"
people = "people.tif"
[drivers.2010]
lights = "lights.tif"
people = "people.tif"
[land_cover]
raster = "land_cover.tif"
[evaluate]
lights = "lights"
[upscale]
crop = 8
channels = 8
max_steps = 60
"""


def warm_up() -> None:
    """Compile all kernels that ``run`` needs and does not find in the cache, in two processes.

    Raises
    ------
    InputError
        REFIMPL_THREADS or REFIMPL_WINOGRAD is wrong.
    RuntimeError
        A process failed; its messages stand on standard error.
    """
    importlib.import_module("kernels.tools.threads").thread_count()
    importlib.import_module("kernels.tools.winograd").chosen_edge()
    environment = os.environ | {"REFIMPL_BACKEND": "numba"}
    processes = [
        subprocess.Popen([sys.executable, "-c", f"import refimpl.run.warm_up as w; w.{part}()"], env=environment)
        for part in ("compile_network", "compile_the_rest")
    ]
    if any([process.wait() for process in processes]):
        raise RuntimeError("a process of warm-up failed")


def warm_up_if_cold() -> None:
    """``warm_up`` where the kernels of the network, by far the largest part, are not in the cache.

    Two processes compile in half the time.  If one of them fails, the run itself compiles, or says what is wrong.
    """
    if current_backend() == "numba":
        sweep = importlib.import_module("kernels.tools.sweep").sweep
        if not importlib.import_module("kernels.tools.compiled").is_kept(sweep):
            with suppress(RuntimeError, OSError), stage("compiling, once"):
                warm_up()


def compile_network() -> None:
    """Resizing; one step of training and one inference, with the channels that ``run`` has by default."""
    for dtype in (np.float32, np.float64):
        upsample_valid(np.ones((4, 4), dtype), np.eye(4, dtype=bool))
    network = initialise(np.random.default_rng(0))
    image, mask = np.ones((16, 16), np.float32), np.ones((16, 16), bool)
    moments = np.zeros((2, network.parameters.size), np.float32)
    _, gradients = loss_and_gradients(network, image, 2 * image, mask)
    adam_step(network.parameters, gradients.parameters, *moments, 1, 1e-3, BETA1, BETA2, EPSILON)
    infer(network, image, mask)


def compile_the_rest() -> None:
    """The whole method on the toy country, with the network's functions as their references."""
    for name, pair in REGISTRY.items():
        if name.split(".")[-2] in ("network", "adam", "inference"):
            pair.kernel = pair.reference
    set_quiet(True)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        run(read_config(write_country(Path(folder))))


def write_country(folder: Path) -> Path:
    """A run.toml and all its inputs in ``folder``; returns the path of the run.toml."""
    grid = Grid(WGS84, (110.0, 36.0, 0.05, -0.05), (SIDE, SIDE))
    everywhere, row, col = np.ones(grid.shape, bool), *np.mgrid[:SIDE, :SIDE]
    towns = np.exp(-((row % 12 - 5) ** 2 + (col % 12 - 5) ** 2) / 8) * (1 + row + 2 * col)
    layers = {
        "lights": towns.astype(np.float32),
        "people": (100 * towns + row * col).astype(np.float32),
        "zones": (11 + row // (SIDE // 2) + 2 * (col // (SIDE // 2))).astype(np.uint8),
        "land_cover": np.where(towns > 10, 13, 12).astype(np.uint8),
    }
    for name, values in layers.items():
        write_raster(folder / f"{name}.tif", Raster(values, everywhere, grid))
    rows = [f"{code},P{code},{year},{100 * (code - 10)}" for year in (2005, 2010) for code in range(11, 15)]
    (folder / "energy.csv").write_text("\n".join(["code,province,year,coal", *rows]) + "\n", encoding="utf-8")
    (folder / "run.toml").write_text(RUN_TOML, encoding="utf-8")
    return folder / "run.toml"
