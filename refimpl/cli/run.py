"""The verb ``run``: the whole method, going on where an earlier run with the same inputs and settings stopped.

The folder of the stages lies in the output folder. A run holds the lock of that folder.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from refimpl.cli.arguments import folder, settable, worker_arguments
from refimpl.errors import InputError

HELP = "the whole method; without a file, the sample case (China, 10 km to 5 km)"
SAMPLE = Path("golden") / "china-10km" / "run.toml"


def options(verb: argparse.ArgumentParser) -> None:
    """Arguments of ``run``."""
    verb.add_argument("config", nargs="?", type=Path, help="a run.toml (see: refimpl explain config)")
    verb.add_argument("--output", type=folder, help="folder for the results, instead of the configuration's")
    verb.add_argument(
        "--fresh", action="store_true", help="do every stage anew, instead of going on where a run was interrupted"
    )
    settable(verb)
    worker_arguments(verb)


def sample_case() -> Path:
    """The run.toml of the sample case, in a source checkout or below the current folder."""
    for root in (Path(__file__).resolve().parents[2], Path.cwd()):
        if (root / SAMPLE).is_file():
            return root / SAMPLE
    raise InputError(
        f"{SAMPLE}: not found; run in a checkout of the source, or name a run.toml: refimpl run PATH/run.toml"
    )


def call(args) -> None:
    """Run one year, or several (``series.years``), each in a folder of its own."""
    from refimpl.formats.files import in_one_sentence, sweep_stale
    from refimpl.run.config import read_config
    from refimpl.run.report import check_folder
    from refimpl.run.workers import executor_of
    from refimpl.run.years import configs_of, write_series

    config = read_config(args.config or sample_case(), tuple(args.set))
    output = Path(args.output or config.output)
    check_folder(output)
    years = configs_of(config)
    with executor_of(args.workers, args.processes, args.scheduler) as executor:
        if not years:
            print(run_in(output, config, executor, args.fresh)["text"])
            return
        rows, first, trained = [], min(years), ()
        for path in (output / "series.csv", output / "series.png"):  # of an earlier run, perhaps over other years
            with in_one_sentence(path):
                path.unlink(missing_ok=True)
        for year, one in sorted(years.items()):
            shared = config.series.network == "shared" and year != first
            network = f"of {first}" if shared else "own"
            done = run_in(output / str(year), one, executor, args.fresh, trained if shared else (), network)
            print(f"{year}, network {network}\n\n{done['text']}\n")
            rows.append(done["row"])
            trained = trained or done["trained"]
        sweep_stale(output)
        write_series(output, rows, config)
        print(f"series: {output / 'series.csv'}, {output / 'series.png'}")


def run_in(output: Path, config, executor=None, fresh: bool = False, trained=(), network: str = "") -> dict:
    """One run in its folder: what it prints (``text``), its ``row`` in a series, and its ``trained`` networks.

    Results that are there already are not made again. ``network`` is what the row says of the network; outside a
    series it is empty, and there is no row.
    """
    from refimpl.progress import say, stage
    from refimpl.run.lock import locked
    from refimpl.run.pipeline import run
    from refimpl.run.report import already_there, check_inputs_stay, conclude, write_results
    from refimpl.run.stage_keys import check_unchanged, stages_in
    from refimpl.run.stages import WORK
    from refimpl.run.summary import summary, tables
    from refimpl.run.warm_up import warm_up_if_cold
    from refimpl.run.years import row_of

    check_inputs_stay(config.input_files(), output)
    work = output / WORK
    with locked(work, output), leaving_no_trace(output, work):
        stages = stages_in(work, config, trained=trained)
        if fresh:
            stages.clear()
        elif (
            (found := already_there(output, stages))
            and len(networks_of(stages)) == config.upscale.doublings
            and (found["row"] or not network)
        ):
            say(f"{output}: holds the results of this run already; --fresh makes them anew")
            return found | {"trained": networks_of(stages)}
        warm_up_if_cold()
        results = run(config, work=stages, executor=executor, trained=trained)
        with stage("write"):
            check_unchanged(stages, config)
            write_results(results, output)
        text = tables(results) + "\n\n" + summary(results, output)
        row = row_of(results, network) if network else None
        conclude(results, {"text": text, "row": row})
        return {"text": text, "row": row, "trained": networks_of(stages)}


def networks_of(stages) -> tuple:
    """The trained networks that the stages hold, one for each doubling."""
    kept = [stages.kept(name) for name in stages.keys if name.startswith("train")]
    return tuple(one.value.trained for one in kept if one)


@contextmanager
def leaving_no_trace(output: Path, work: Path) -> Iterator[None]:
    """Remove the output folder if a run fails before its first stage is done and the folder holds nothing else."""
    try:
        yield
    except BaseException:
        with suppress(OSError):
            if not any(found.is_dir() for found in work.iterdir()):
                for found in work.iterdir():  # the lock, and what was printed
                    found.unlink()
                work.rmdir()
                output.rmdir()
        raise
