"""Keys of the stages of a run: settings by their dotted names, files by their SHA-256, and the stages before.

A stage is not done again while its key stays the same (refimpl/run/stages.py).  Where a part has changed, the part is
named.  Tables of a run.toml are taken whole unless a stage says otherwise, so that a new setting cannot be forgotten.

============= ============================================================= ======================
stage         its settings and files                                        builds on
============= ============================================================= ======================
zonal         statistics, zones, the drivers of both years                  -
warp          grid, zones, drivers, supplied totals, the map's factor       -
compared      evaluate, land_cover                                          warp
fit           regression                                                    zonal
predict       regression                                                    fit, warp
train         upscale without what only its use needs, seed                 predict
network       -                                                             train
upscale       upscale                                                       network
allocate      -                                                             upscale, warp
evaluate      -                                                             all before
draw          title, attribution, report                                    evaluate
============= ============================================================= ======================

Each doubling of a map that is refined further has stages ``train``, ``network`` and ``upscale`` of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from refimpl.errors import InputError
from refimpl.formats.files import checksums
from refimpl.formats.world_file import world_file_of
from refimpl.method.network import Network
from refimpl.method.training import Trained
from refimpl.method.training_pairs import Tape
from refimpl.run.config import Config
from refimpl.run.stages import Stages, name_of

Key = dict[str, Any]
USED_AFTER_TRAINING = ("self_ensemble", "back_projection", "baseline", "factor")
"""Keys of [upscale] that no training step uses."""
NOT_RESULTS = ("path", "output", "series")
"""Keys of a run.toml that shape no result of one year."""

STAGES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "zonal": (("statistics", "zones", "drivers", "grid.ignore_datum"), ()),
    "warp": (("grid", "zones", "statistics", "drivers", "supplied_totals", "upscale.factor"), ()),
    "compared": (("evaluate", "land_cover", "drivers", "statistics", "grid.ignore_datum"), ("warp",)),
    "fit": (("regression", "models"), ("zonal",)),
    "predict": (("regression",), ("fit", "warp")),
    "train": (("upscale", "seed"), ("predict",)),
    "network": ((), ("train",)),
    "upscale": (("upscale",), ("network",)),
    "allocate": ((), ("upscale", "warp")),
    "evaluate": ((), ("allocate", "compared")),
    "draw": (("title", "attribution", "report"), ("evaluate",)),
}
"""The tables or keys of a run.toml that each stage depends on, and the stages that it builds on."""


def stages_in(
    folder: Path,
    config: Config,
    network: Network | None = None,
    tape: Tape | None = None,
    trained: Sequence[Trained] = (),
) -> Stages:
    """The stages of a run of ``config``, kept in ``folder``; the rest is what ``pipeline.run`` was given."""
    sums = sums_of(config)
    keys = stage_settings(config, sums)
    keys["train"] |= _given(network, tape)
    names = {name: Path(value) for name, value in _settings(config) if str(value) in set(map(str, sums))}
    after = {name: before for name, (_, before) in STAGES.items()}
    for doubling in range(2, config.upscale.doublings + 1):
        train, network_stage, upscale = (name_of(name, doubling) for name in ("train", "network", "upscale"))
        keys[train], keys[network_stage], keys[upscale] = stage_settings(config, sums)["train"], {}, keys["upscale"]
        after[train] = (name_of("upscale", doubling - 1),)
        after[network_stage], after[upscale] = (train,), (network_stage,)
    for doubling, one in enumerate(trained, 1):
        keys[name_of("train", doubling)] |= {"trained network": _checksum(one.network.parameters)}
    last = name_of("upscale", config.upscale.doublings)
    after["allocate"] = last, "warp"
    return Stages(Path(folder), keys, after, names)


def sums_of(config: Config) -> dict[Path, str]:
    """The SHA-256 of every input file, with the files that belong to it, by its path."""
    return {path: _joined(parts) for path, parts in _with_companions(config.input_files()).items()}


def check_unchanged(stages: Stages, config: Config) -> None:
    """Refuse results that may mix an input as it was when the run began with the same input as it is now.

    Raises
    ------
    InputError
        An input has changed during the run; all stages are removed.
    """
    for name, key in stage_settings(config, sums_of(config)).items():
        for part, value in key.items():
            if part in stages.files and stages.keys[name][part] != value:
                stages.clear()
                raise InputError(
                    f"{stages.files[part]} ({part}): has changed while the run was at work, so that its results would "
                    "mix two files; run again"
                )


def _with_companions(paths: Iterable[Path]) -> dict[Path, list[str]]:
    """The SHA-256 of each file, and of the files beside a raster that describe it."""
    beside = {path: [path, *companions(path)] for path in paths}
    found = checksums({one for files in beside.values() for one in files})
    return {path: [found[one] for one in files] for path, files in beside.items()}


def companions(path: Path) -> list[Path]:
    """Files beside a raster that belong to it: NAME.EXT.aux.xml, NAME.prj, its world file, NAME.EXT.msk."""
    beside = [path.with_name(path.name + ending) for ending in (".aux.xml", ".msk")]
    beside += [path.with_suffix(ending) for ending in (".prj", ".PRJ")]
    world = world_file_of(path) if path.suffix else None
    return [one for one in [*beside, *([world] if world else [])] if one.is_file() and one != path]


def _joined(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else hashlib.sha256("".join(parts).encode()).hexdigest()


def _given(network: Network | None, tape: Tape | None) -> Key:
    """The first weights and the tape that a run was given, as checksums."""
    found = {"first weights": _checksum(network.parameters)} if network else {}
    return found | ({"tape": hashlib.sha256(repr(tape.draws).encode()).hexdigest()} if tape else {})


def _checksum(parameters: np.ndarray) -> str:
    return hashlib.sha256(str(parameters.dtype).encode() + parameters.tobytes()).hexdigest()


def _settings(config: Config) -> list[tuple[str, Any]]:
    return [pair for pair in flat(config.effective()) if pair[0].split(".")[0] not in NOT_RESULTS]


def stage_settings(config: Config, sums: Mapping[Path, str]) -> dict[str, Key]:
    """The own part of each stage's key: dotted setting -> value, or the SHA-256 of the file that it names.

    ``sums`` holds the SHA-256 of every input file.
    """
    by_text = {str(path): found for path, found in sums.items()}
    values = {name: by_text.get(value, value) if isinstance(value, str) else value for name, value in _settings(config)}
    found = {}
    for stage, (wanted, _) in STAGES.items():
        own = {name: value for name, value in values.items() if any(_within(name, table) for table in wanted)}
        if stage == "train":
            own = {name: value for name, value in own.items() if name.split(".")[-1] not in USED_AFTER_TRAINING}
        found[stage] = own
    return found


def _within(name: str, table: str) -> bool:
    return name == table or name.startswith(table + ".")


def flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Nested tables as pairs of a dotted name and a value; lists are numbered from 0, an empty one is itself.

    >>> dict(flat({"grid": {"cell_size": 5.0}, "odiac": ["a.tif"], "zoom": []}))
    {'grid.cell_size': 5.0, 'odiac.0': 'a.tif', 'zoom': []}
    """
    for name, value in values.items():
        value = {str(at): one for at, one in enumerate(value)} if isinstance(value, list) and value else value
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{before}{name}.")
        else:
            yield before + name, value
