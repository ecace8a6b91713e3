"""What each stage of a run depends on: settings by their dotted names, input files by their SHA-256, stages before it.

A stage whose key is what it was is not done again (refimpl/stages.py); where a part has changed, it is named.  Tables of
a run.toml are taken whole unless a stage says otherwise, so that a new setting cannot be forgotten.

=========== ========================================================= ========================
stage       its settings and files                                    builds on
=========== ========================================================= ========================
zonal       statistics, zones, the drivers of both years              -
warp        grid, zones, the drivers of the map, supplied totals      -
predict     regression                                                zonal, warp
compared    evaluate, land_cover, report.zoom                         warp
train       upscale but for what only its use needs, seed             predict
upscale     upscale                                                   train
allocate    -                                                         upscale, warp
evaluate    evaluate, land_cover                                      allocate, compared
draw        title, attribution, report                                evaluate
=========== ========================================================= ========================
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from refimpl.config import Config

Key = dict[str, Any]
USED_AFTER_TRAINING = ("self_ensemble", "back_projection", "baseline", "factor")
"""Keys of [upscale] that no training step looks at."""
NOT_RESULTS = ("path", "output")
"""Keys of a run.toml that shape no result."""

STAGES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "zonal": (("statistics", "zones", "drivers", "grid.ignore_datum"), ()),
    "warp": (("grid", "zones", "statistics", "drivers", "supplied_totals"), ()),
    "predict": (("regression", "models"), ("zonal", "warp")),
    "compared": (("evaluate", "land_cover", "report.zoom"), ("warp",)),
    "train": (("upscale", "seed"), ("predict",)),
    "upscale": (("upscale",), ("train",)),
    "allocate": ((), ("upscale", "warp")),
    "evaluate": (("evaluate", "land_cover", "upscale"), ("allocate", "compared")),
    "draw": (("title", "attribution", "report"), ("evaluate",)),
}
"""Of each stage: the tables or keys of a run.toml that it looks at, and the stages that it builds on."""


def stage_settings(config: Config, sums: Mapping[Path, str]) -> dict[str, Key]:
    """The own part of each stage's key: dotted setting -> value, or the SHA-256 of the file that it names.

    ``sums`` holds the SHA-256 of every input file.
    """
    values = {name: value for name, value in flat(config.effective()) if name.split(".")[0] not in NOT_RESULTS}
    by_text = {str(path): digest for path, digest in sums.items()}
    values = {name: by_text.get(value, value) if isinstance(value, str) else value for name, value in values.items()}
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
