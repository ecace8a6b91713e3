"""``python -m tests.bench.national DATA``: the national run, 1 km to 500 m, stage by stage, in seconds and memory.

DATA is a folder with ntl_2010.tif, population_2010.tif and gdp_2010.tif at 30 arc-seconds; the rest is that of
golden/china-10km.  Each run is a process of its own with two threads of kernels.  ``--cells`` takes other cell sizes
of the same country, so that the coarse grid has so many million cells; the training is then cut to a few steps, for it
does not depend on their number.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SAMPLE = ROOT / "golden" / "china-10km"
NATIONAL = 20.0
"""Million cells, about, of the coarse grid at 1 km."""
FEW_STEPS = 50


def run_toml(data: Path, cell_size: float, settings: dict[str, object]) -> str:
    """The configuration of a run over China."""
    years = "".join(
        f"[drivers.{year}]\n" + "".join(f'{name} = "{SAMPLE / f"{name}_{year}.tif"}"\n' for name in DRIVERS)
        for year in (2005, 2010)
    )
    predict = "".join(f'{name} = "{data.resolve() / f"{name}_2010.tif"}"\n' for name in DRIVERS)
    upscale = "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
    return f"""title = "CO2 emission of China, 2010"
seed = 2010
[grid]
cell_size = {cell_size}
[zones]
raster = "{SAMPLE / 'provinces_30arcsec.tif'}"
[statistics]
energy = "{SAMPLE / 'energy.csv'}"
{years}[drivers.predict]
{predict}[land_cover]
raster = "{SAMPLE / 'igbp_0.05deg.tif'}"
[upscale]
{upscale}"""


DRIVERS = ("ntl", "population", "gdp")


def measured_run(arguments: list[str]) -> int:
    """In the child: the verb ``run``, its stages timed, each with its own peak of resident memory."""
    from refimpl.cli import main
    from refimpl.progress import stage as plain_stage
    from refimpl.run import stages
    from tests.memory import forget_peak, memory

    found = []

    @contextmanager
    def stage(name):
        forget_peak()
        start, before = time.perf_counter(), os.times()
        with plain_stage(name) as progress:
            yield progress
        used = os.times()
        seconds, busy = time.perf_counter() - start, used.user + used.system - before.user - before.system
        found.append({"stage": name, "seconds": seconds, "cpu": busy, "mib": memory("VmHWM") / 2**20})
        print(f"{name:16}{seconds:9.1f} s {busy:9.1f} s of processors {found[-1]['mib']:7.0f} MiB", flush=True)

    stages.stage = stage
    start = time.perf_counter()
    status = main(arguments)
    found.append({"stage": "all", "seconds": time.perf_counter() - start})
    Path(arguments[arguments.index("--output") + 1], "measured.json").write_text(json.dumps(found))
    return status


def one(data: Path, cell_size: float, settings: dict[str, object], folder: Path, more: list[str]) -> list[dict]:
    """One run in a process of its own; what it measured."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.toml").write_text(run_toml(data, cell_size, settings), encoding="utf-8")
    command = [sys.executable, "-m", "tests.bench.national", "--child", "run", str(folder / "run.toml")]
    command += ["--output", str(folder / "out"), "--fresh", "--quiet", *more]
    environment = os.environ | {"REFIMPL_THREADS": os.environ.get("REFIMPL_THREADS", "2")}
    subprocess.run(command, check=True, cwd=ROOT, env=environment)
    return json.loads((folder / "out" / "measured.json").read_text())


def main() -> int:
    """Measure and print."""
    if sys.argv[1:2] == ["--child"]:
        return measured_run(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="python -m tests.bench.national", description=__doc__)
    parser.add_argument("data", type=Path, help="folder with the drivers at 30 arc-seconds")
    parser.add_argument("--ensemble", action="store_true", help="with the self-ensemble, at eight times the inference")
    parser.add_argument("--cells", type=float, nargs="+", help="million coarse cells; by default the national 1 km")
    parser.add_argument("--workers", type=int, help="threads that compute tiles")
    parser.add_argument("--folder", type=Path, help="where the maps are kept; by default they are removed")
    parser.add_argument("--json", type=Path, help="write all that was measured here")
    args = parser.parse_args()
    more = ["--workers", str(args.workers)] if args.workers else []
    everything = {}
    with tempfile.TemporaryDirectory() as scratch:
        for cells in args.cells or [NATIONAL]:
            settings: dict[str, object] = {"self_ensemble": args.ensemble}
            if args.cells:
                settings["max_steps"] = FEW_STEPS
            size = 1000.0 if not args.cells else round(1000 * (NATIONAL / cells) ** 0.5)
            print(f"cells of {size:g} m, {'with' if args.ensemble else 'without'} the self-ensemble", flush=True)
            folder = (args.folder or Path(scratch)) / f"{size:g}m"
            everything[f"{size:g}"] = one(args.data, size, settings, folder, more)
            print(f"{'all':16}{everything[f'{size:g}'][-1]['seconds']:9.1f} s\n", flush=True)
    if args.json:
        args.json.write_text(json.dumps(everything, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
