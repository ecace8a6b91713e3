"""Sections of a run.toml: every key with its type, its default and one line of documentation.

``refimpl explain config`` prints them; ``config`` reads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from refimpl.run.toml_settings import setting

Bounds = tuple[float, float, float, float]
DEFAULT_ID = "code"


@dataclass(frozen=True)
class GridSettings:
    """The working grid of the coarse map; the fine map divides its cells by ``upscale.factor`` (D04, D19)."""

    cell_size: float = setting("cell size in metres (degrees where projection is 'geographic')")
    projection: str = setting(
        "'albers' (equal-area for China, D04), 'geographic' (WGS 84 longitude and latitude), 'sinusoidal' (MODIS), or "
        "'EPSG:' and a code",
        "albers",
    )
    extent: Literal["cover"] | Bounds = setting(
        "'cover' (all zones) or [xmin, ymin, xmax, ymax] in the unit of cell_size", "cover"
    )
    ignore_datum: bool = setting(
        "take files whose coordinates are on another datum than WGS 84 or CGCS2000 as they are (some 100 m off)", False
    )


@dataclass(frozen=True)
class ZoneSettings:
    """The provinces, and when one counts as whole."""

    raster: Path = setting("GeoTIFF of province codes, 0 outside, or GeoJSON of their polygons")
    id: str = setting("GeoJSON: the column that holds the province codes", DEFAULT_ID)
    rule: Literal["centre", "area"] = setting(
        "GeoJSON: a cell belongs to the province at its centre, and so do totals; or to the one that covers most of "
        "it, and totals are of exact shares of cells",
        "centre",
    )
    cut: Literal["leave-out", "share"] = setting(
        "a province cut by the edge of the grid: left out (nodata), or given its share of the total", "leave-out"
    )
    minimum_share: float = setting(
        "part of a province's area that must lie inside the grid for it to count as whole", 0.995
    )
    minimum_known: float = setting("part of a province's area that must have driver values; coasts cost a little", 0.95)


@dataclass(frozen=True)
class StatisticsSettings:
    """The emission of the provinces, and the years that are used."""

    energy: Path = setting(
        "CSV with columns code, province, year and one for each fuel of Table 3 (see: refimpl inventory), 10^4 t"
    )
    fit_year: int = setting("the year the regression learns from", 2010)
    test_year: int = setting("the year the models are compared on (D07)", 2005)
    map_year: int | None = setting("the year that is mapped; by default fit_year", None)


@dataclass(frozen=True)
class LandCoverSettings:
    """Land cover, for the evaluation."""

    raster: Path | None = setting("GeoTIFF of IGBP classes (MCD12); without it no land-cover table is made", None)
    rule: Literal["majority", "nearest"] = setting(
        "of pixels finer than the cells: the land cover that holds the most of a cell, or that at its centre",
        "majority",
    )


@dataclass(frozen=True)
class RegressionSettings:
    """The regression and its scaling."""

    model: str = setting("'auto' (D07: the best on the test year) or one of svr, bayesian, linear, elastic_net", "auto")
    scaling: Literal["separate", "shared"] = setting(
        "D05: drivers scaled on province totals for fitting and on cells for the map, or as the totals for both",
        "separate",
    )
    upper_quantile: float = setting(
        "D05: quantile of the cells that is scaled to 1; larger cells are held there", 0.999
    )


@dataclass(frozen=True)
class EvaluateSettings:
    """Other maps that the map is compared with."""

    lights: str = setting("the driver that is night lights, for 'lights alone' in the comparison", "ntl")
    fine_reference: Literal["auto", "yes", "no"] = setting(
        "compare with the regression applied to the drivers at the fine cell size; auto: where they are that fine",
        "auto",
    )
    odiac: tuple[Path, ...] = setting("the twelve monthly ODIAC GeoTIFFs of the year, t C per cell (D24)", ())
    ffdas: Path | None = setting("the FFDAS GeoTIFF of the year, kg C/m2/year (D24)", None)
    inventories: tuple[Path, ...] = setting("GeoTIFFs of any other gridded inventories of the year", ())
    inventory_names: tuple[str, ...] = setting("their names; by default those of the files", ())
    inventory_units: tuple[str, ...] = setting(
        "their units, such as 't CO2/cell', 'kg CO2/m2/s'; by default (or where \"\") what the files say", ()
    )


@dataclass(frozen=True)
class SeriesSettings:
    """Several years in one run."""

    years: tuple[int, ...] = setting(
        "years to be mapped in one run, each into a folder of its own; by default the mapped year alone", ()
    )
    network: Literal["own", "shared"] = setting(
        "'own': a network is trained for each year; 'shared': the first year's is used for all", "own"
    )


@dataclass(frozen=True)
class ReportSettings:
    """The maps that are written and drawn."""

    zoom: Literal["auto"] | Bounds = setting(
        "window of the comparison map, [xmin, ymin, xmax, ymax] of the working grid, or 'auto'", "auto"
    )
    cog: bool = setting("write Cloud-Optimized GeoTIFFs, with overviews", False)
