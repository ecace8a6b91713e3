"""Configuration of a run, in one TOML file: grid, zones, statistics, drivers and settings (Fig. 9).

``read_config`` checks everything that can be checked before the first computation.  Each fault is one sentence that
names the file, the key and the nearest right spelling.  Input files are relative to the TOML file, the output folder to
the folder in which the command is called.
"""

from __future__ import annotations

import json
import os
import tomllib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from refimpl.earth.projection import named_crs
from refimpl.errors import InputError, did_you_mean
from refimpl.formats.files import existing_file
from refimpl.method.selection import MODELS
from refimpl.method.settings import UpscaleSettings, validate
from refimpl.run.sections import (
    Bounds,
    EvaluateSettings,
    GridSettings,
    LandCoverSettings,
    RegressionSettings,
    ReportSettings,
    SeriesSettings,
    StatisticsSettings,
    ZoneSettings,
)  # fmt: skip
from refimpl.run.toml_settings import Place, as_table, convert, describe, fill, setting
from refimpl.twins import backend


@dataclass(frozen=True)
class Drivers:
    """Driver rasters: the same names, in the same order, for every year and for the map."""

    names: tuple[str, ...]
    by_year: dict[int, dict[str, Path]]
    predict: dict[str, Path]
    kinds: dict[str, str]
    """'density' (per km2; averaged) or 'count' (per cell; summed) of each name."""
    bands: dict[str, int]
    """Band of the files of each name, from 1."""


@dataclass(frozen=True)
class Config:
    """All settings of one run; its tables are the fields."""

    path: Path
    grid: GridSettings
    zones: ZoneSettings
    statistics: StatisticsSettings
    drivers: Drivers
    title: str = setting("heading of the maps", "CO2 emission")
    attribution: str = setting("sources of the data, printed under the maps", "")
    seed: int = setting("of every random draw", 0)
    output: str = setting("folder for the results, relative to where the command is called", "refimpl-output")
    land_cover: LandCoverSettings = LandCoverSettings()
    regression: RegressionSettings = RegressionSettings()
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    upscale: UpscaleSettings = UpscaleSettings()
    supplied_totals: dict[int, float] = field(default_factory=dict)
    evaluate: EvaluateSettings = EvaluateSettings()
    series: SeriesSettings = SeriesSettings()
    report: ReportSettings = ReportSettings()

    def effective(self) -> dict[str, Any]:
        """Every setting that the run uses, defaults included, as plain values for run.json."""
        values = asdict(self)
        values["models"] = {name: kind().get_params() | self.models.get(name, {}) for name, kind in MODELS.items()}
        return json.loads(json.dumps(values, default=str))

    def input_files(self) -> list[Path]:
        """Every file that the run reads, the configuration first, each once."""
        evaluate = self.evaluate
        files = [self.path, self.statistics.energy, self.zones.raster]
        files += [path for year in self.drivers.by_year.values() for path in year.values()]
        files += [*self.drivers.predict.values(), self.land_cover.raster]
        files += [*evaluate.odiac, evaluate.ffdas, *evaluate.inventories]
        return list(dict.fromkeys(path for path in files if path is not None))

    @property
    def map_year(self) -> int:
        """The year whose totals are put on the map."""
        return self.statistics.map_year or self.statistics.fit_year


TOP_LEVEL = ("title", "attribution", "seed", "output")
SECTIONS = {
    "grid": GridSettings,
    "zones": ZoneSettings,
    "statistics": StatisticsSettings,
    "land_cover": LandCoverSettings,
    "regression": RegressionSettings,
    "upscale": UpscaleSettings,
    "evaluate": EvaluateSettings,
    "series": SeriesSettings,
    "report": ReportSettings,
}
TABLES = (*SECTIONS, "drivers", "allocate")
REQUIRED = ("grid", "zones", "statistics", "drivers")


def parse_toml(path: str | os.PathLike | None, overrides: tuple[str, ...] = ()) -> dict[str, Any]:
    """Read ``path`` (None: an empty document) and apply ``table.key=value`` overrides, whose value is TOML.

    Raises
    ------
    InputError
        No such file, no TOML, an override that is not key=value.
    """
    try:
        document = tomllib.loads(existing_file(path, "a run.toml").read_text(encoding="utf-8")) if path else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise InputError(f"{path}: is not valid TOML: {fault}; text stands in quotes, tables in [brackets]") from None
    for override in overrides:
        key, equals, value = override.partition("=")
        *tables, name = key.strip().split(".")
        try:
            parsed = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            parsed = value.strip()  # a bare word, such as --set regression.model=svr
        if not equals or not name:
            raise InputError(f"--set {override}: expected table.key=value, such as upscale.max_steps=200")
        target = document
        for table in tables:
            target = target.setdefault(table, {})
            if not isinstance(target, dict):
                raise InputError(f"--set {override}: {table!r} is a value, not a table; expected table.key=value")
        target[name] = parsed
    return document


def read_config(path: str | os.PathLike, overrides: tuple[str, ...] = ()) -> Config:
    """Read and check a whole run.

    Raises
    ------
    InputError
        One sentence for the first fault: file, key, what was expected.
    """
    path = Path(path)
    document = parse_toml(path, overrides)
    for name in document:
        if name not in (*TOP_LEVEL, *TABLES):
            raise InputError(f"{path}: {name}: unknown key{did_you_mean(name, (*TOP_LEVEL, *TABLES))}")
    for name in REQUIRED:
        if name not in document:
            raise InputError(f"{path}: table [{name}] is missing; a run needs {', '.join(f'[{r}]' for r in REQUIRED)}")
    kinds = {"title": str, "attribution": str, "seed": int, "output": str}
    top = {name: convert(kinds[name], document[name], Place(path), name) for name in TOP_LEVEL if name in document}
    tables = {name: dict(as_table(document.get(name, {}), Place(path, name))) for name in TABLES}
    models = _models(tables["regression"], Place(path, "regression"))
    filled = {
        name: fill(kind, tables[name], Place(path, name), also=MODELS if name == "regression" else ())
        for name, kind in SECTIONS.items()
    }
    config = Config(
        path=path,
        **top,
        **filled,
        models=models,
        drivers=_drivers(tables["drivers"], Place(path, "drivers"), filled["statistics"]),
        supplied_totals=_supplied_totals(tables["allocate"], Place(path, "allocate")),
    )
    _check(config)
    return config


def read_model_settings(path: Path | None, overrides: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Hyperparameters by model, from the [regression] table of a run.toml and overrides; other tables are not read."""
    table, place = _one_table(path, overrides, "regression")
    models = _models(table, place)
    fill(RegressionSettings, table, place, also=MODELS)
    return models


def read_upscale_settings(path: Path | None, overrides: tuple[str, ...]) -> UpscaleSettings:
    """The [upscale] table of a run.toml, with overrides; other tables are not read."""
    table, place = _one_table(path, overrides, "upscale")
    return validate(fill(UpscaleSettings, table, place))


def _one_table(path: Path | None, overrides: tuple[str, ...], name: str) -> tuple[dict[str, Any], Place]:
    """One table of a run.toml, for a verb that needs no other; its overrides must be of this table."""
    for override in overrides:
        if override.split(".")[0].strip() != name:
            raise InputError(f"--set {override}: this verb reads the table {name!r} only; expected {name}.KEY=VALUE")
    place = Place(path or Path("--set"), name)
    return dict(as_table(parse_toml(path, overrides).get(name, {}), place)), place


def _models(regression: dict[str, Any], place: Place) -> dict[str, dict[str, Any]]:
    """Take the sub-tables [regression.svr] ... out of [regression]: hyperparameters, checked by the model itself."""
    found = {}
    for name in [name for name in regression if name in MODELS]:
        inside = place.inside(name)
        table = as_table(regression.pop(name), inside)
        defaults = MODELS[name]().get_params()
        for key, value in table.items():
            if key not in defaults:
                raise InputError(f"{inside.key(key)}: unknown key{did_you_mean(key, defaults)}")
            kind = float | str if key == "gamma" else float if defaults[key] is None else type(defaults[key])
            table[key] = convert(kind, value, inside, key)
        try:
            with backend("numpy"):  # nothing is compiled before the whole file is known to be right
                MODELS[name](**table).fit([[0.0], [1.0]], [0.0, 1.0])  # a fit checks the settings of its model
        except InputError as fault:
            raise InputError(f"{inside.file}: [{inside.table}]: {fault}") from None
        found[name] = table
    return found


def _drivers(table: dict[str, Any], place: Place, statistics: StatisticsSettings) -> Drivers:
    """[drivers.2010], [drivers.predict], [drivers.kinds] and [drivers.bands], with one set of names."""
    rasters: dict[str, dict[str, Path]] = {}
    for key, value in table.items():
        if key not in ("kinds", "bands", "predict") and not key.isdigit():
            raise InputError(
                f"{place.key(key)}: unknown key; expected a year such as [drivers.2010], "
                "[drivers.predict], [drivers.kinds] or [drivers.bands]"
            )
        if key not in ("kinds", "bands"):
            inside = place.inside(key)
            rasters[key] = {name: convert(Path, file, inside, name) for name, file in as_table(value, inside).items()}
    for year, why in ((statistics.fit_year, "statistics.fit_year"), (statistics.test_year, "statistics.test_year")):
        if str(year) not in rasters:
            raise InputError(
                f"{place.file}: table [drivers.{year}] is missing; {why} = {year} needs its driver rasters"
            )
    map_year = str(statistics.map_year or statistics.fit_year)
    if "predict" not in rasters and map_year not in rasters:
        raise InputError(
            f"{place.file}: table [drivers.predict] is missing; expected it, or [drivers.{map_year}], to map {map_year}"
        )
    names = tuple(rasters[str(statistics.fit_year)])
    if not names:
        raise InputError(
            f'{place.file}: [drivers.{statistics.fit_year}] names no raster; expected such as ntl = "ntl.tif"'
        )
    for key, files in rasters.items():
        if set(files) != set(names):
            odd = sorted(set(files) ^ set(names))[0]
            raise InputError(
                f"{place.file}: driver {odd!r} stands in one of [drivers.{statistics.fit_year}] and "
                f"[drivers.{key}] only; name the same drivers in both"
            )
    reserved = sorted({"code", "province", "year", "emission_1e4t", "estimate_1e4t"} & set(names))
    if reserved:
        raise InputError(
            f"{place.file}: a driver is called {reserved[0]!r}, which is a column of our tables; name it otherwise"
        )
    kinds = _by_name(table, place.inside("kinds"), names, Literal["density", "count"], "density")
    bands = _by_name(table, place.inside("bands"), names, int, 1)
    ordered = {key: {name: files[name] for name in names} for key, files in rasters.items()}
    by_year = {int(key): files for key, files in ordered.items() if key != "predict"}
    return Drivers(names, by_year, ordered.get("predict", ordered.get(map_year)), kinds, bands)


def _by_name(table: dict[str, Any], inside: Place, names: tuple[str, ...], kind: Any, default: Any) -> dict[str, Any]:
    """A table such as [drivers.kinds]: one value for each driver, ``default`` where it has none."""
    values = dict.fromkeys(names, default)
    for name, value in as_table(table.get(inside.table.rpartition(".")[2], {}), inside).items():
        if name not in names:
            raise InputError(f"{inside.key(name)}: no such driver{did_you_mean(name, names)}")
        values[name] = convert(kind, value, inside, name)
    return values


def _supplied_totals(table: dict[str, Any], place: Place) -> dict[int, float]:
    """[allocate.totals]: totals of provinces without a statistic (D20), or in its place; 10^4 t by code."""
    for name in table:
        if name != "totals":
            raise InputError(f"{place.key(name)}: unknown key{did_you_mean(name, ['totals'])}")
    inside = place.inside("totals")
    totals = {}
    for code, value in as_table(table.get("totals", {}), inside).items():
        if not code.isdigit():
            raise InputError(f"{inside.key(code)}: is no province code; expected such as 54 = 300.0 (10^4 t)")
        totals[int(code)] = convert(float, value, inside, code)
        if not 0 <= totals[int(code)] < float("inf"):
            raise InputError(f"{inside.key(code)} = {value}; expected 10^4 t, 0 or more")
    return totals


def _check(config: Config) -> None:
    """Check what types alone cannot."""
    zones, regression, statistics = config.zones, config.regression, config.statistics
    rules = (
        ("seed", config.seed >= 0, config.seed, "a whole number, 0 or more"),
        ("grid.cell_size", 0 < config.grid.cell_size < 1e7, config.grid.cell_size, "a length above 0"),
        ("zones.minimum_share", 0 < zones.minimum_share <= 1, zones.minimum_share, "a part in (0, 1]"),
        ("zones.minimum_known", 0 < zones.minimum_known <= 1, zones.minimum_known, "a part in (0, 1]"),
        (
            "regression.upper_quantile",
            0.5 < regression.upper_quantile <= 1,
            regression.upper_quantile,
            "a quantile in (0.5, 1]",
        ),
        (
            "statistics.test_year",
            statistics.test_year != statistics.fit_year,
            statistics.test_year,
            "another year than fit_year, to test on",
        ),
        (
            "evaluate.odiac",
            len(config.evaluate.odiac) in (0, 12),
            f"{len(config.evaluate.odiac)} files",
            "the twelve months of one year",
        ),
        _window("grid.extent", config.grid.extent),
        _window("report.zoom", config.report.zoom),
    )
    for name, good, value, expected in rules:
        if not good:
            raise InputError(f"{config.path}: {name} = {value}; expected {expected}")
    _check_names(config)
    try:
        named_crs(config.grid.projection)
        validate(config.upscale)
    except InputError as fault:
        raise InputError(f"{config.path}: {fault}") from None


def _window(name: str, window: str | Bounds) -> tuple[str, bool, object, str]:
    """The rule for bounds: a word, or xmin below xmax and ymin below ymax."""
    good = isinstance(window, str) or (window[0] < window[2] and window[1] < window[3])
    return name, good, list(window), "[xmin, ymin, xmax, ymax] with xmin < xmax and ymin < ymax"


def _check_names(config: Config) -> None:
    """Check the names of the model and, where it is not the default, of the lights."""
    model, lights = config.regression.model, config.evaluate.lights
    if model not in ("auto", *MODELS):
        raise InputError(f"{config.path}: regression.model = {model!r}{did_you_mean(model, ('auto', *MODELS))}")
    if lights != EvaluateSettings.lights and lights not in config.drivers.names:
        near = did_you_mean(lights, config.drivers.names)
        raise InputError(f"{config.path}: evaluate.lights = {lights!r}: no such driver{near}")


def documentation() -> list[tuple[str, str, str]]:
    """Every key of a run.toml as (key, default, what it means)."""
    rows = [row for row in describe(Config, "") if row[0] in TOP_LEVEL]
    for name, kind in SECTIONS.items():
        rows += describe(kind, name)
        if name == "regression":
            for model, estimator in MODELS.items():
                rows += [
                    (f"regression.{model}.{key}", repr(value), f"see {estimator.__module__}")
                    for key, value in estimator().get_params().items()
                ]
    rows += [
        (
            "drivers.YEAR.NAME",
            "required",
            "GeoTIFF of driver NAME in YEAR, for fit_year and test_year; the same names each year",
        ),
        ("drivers.predict.NAME", "those of map_year", "GeoTIFF of driver NAME that the map is made from"),
        ("drivers.kinds.NAME", "'density'", "'density' (per km2: averaged) or 'count' (per cell: summed)"),
        ("drivers.bands.NAME", "1", "band of the files of driver NAME, where they hold several"),
        (
            "allocate.totals.CODE",
            "none",
            "total of province CODE in 10^4 t, where there is no statistic (D20) or in its place",
        ),
    ]
    return rows
