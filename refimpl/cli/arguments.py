"""Kinds of arguments for ``argparse``, and the options that several verbs share."""

from __future__ import annotations

import argparse
from pathlib import Path


def length(text: str) -> float:
    """A finite length above 0."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a length above 0")
    return value


def folder(text: str) -> Path:
    """A folder name that is not empty."""
    if not text.strip():
        raise argparse.ArgumentTypeError("an empty name; is a shell variable unset?")
    return Path(text)


def quantile(text: str) -> float:
    """A quantile in (0.5, 1]."""
    if not 0.5 < float(text) <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a quantile in (0.5, 1]")
    return float(text)


def share(text: str) -> float:
    """A part from 0 to 1."""
    if not 0 <= float(text) <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a part from 0 to 1")
    return float(text)


def seed(text: str) -> int:
    """A whole number from 0 up."""
    if int(text) < 0:
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return int(text)


def positive_seconds(text: str) -> float:
    """A finite number of seconds above 0."""
    if not 0 < float(text) < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a time above 0, in seconds")
    return float(text)


def count(text: str) -> int:
    """A whole number from 1 up."""
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is below 1")
    return int(text)


def settable(verb: argparse.ArgumentParser) -> None:
    """``--set``, for the verbs that read settings."""
    verb.add_argument(
        "--set", action="append", default=[], metavar="TABLE.KEY=VALUE", help="override one setting; may be repeated"
    )


def zone_arguments(verb: argparse.ArgumentParser, required: bool = True) -> None:
    """``--zones`` and how to read it, for the verbs that need provinces."""
    verb.add_argument("--zones", type=Path, required=required, help="GeoTIFF of province codes, or GeoJSON of polygons")
    verb.add_argument("--zone-id", default="code", metavar="COLUMN", help="GeoJSON: the column that holds the codes")
    verb.add_argument(
        "--zone-rule", choices=("centre", "area"), default="centre",
        help="GeoJSON: a cell belongs to the zone at its centre, or to the one that covers most of it (totals: exact)",
    )  # fmt: skip


def emissions_arguments(verb: argparse.ArgumentParser, required: bool = False) -> None:
    """``--emissions`` and ``--year``, for the verbs that need the emission of provinces in one year."""
    verb.add_argument("--emissions", type=Path, required=required, help="what 'refimpl inventory' wrote")
    verb.add_argument("--year", type=int, help="of the emissions; by default their last")


def datum_argument(verb: argparse.ArgumentParser) -> None:
    """``--ignore-datum``, for the verbs that bring rasters together."""
    verb.add_argument(
        "--ignore-datum", action="store_true", help="take coordinates on another datum than WGS 84 as they are"
    )


def cog_argument(verb: argparse.ArgumentParser) -> None:
    """``--cog``, for the verbs that write a raster."""
    verb.add_argument("--cog", action="store_true", help="write a Cloud-Optimized GeoTIFF, with overviews")


def worker_arguments(verb: argparse.ArgumentParser) -> None:
    """``--workers``, ``--processes`` and ``--scheduler``, for the verbs that compute a map tile by tile."""
    verb.add_argument(
        "--workers", type=count, metavar="N", help="tiles at a time, in as many threads; the result is the same"
    )
    verb.add_argument("--processes", action="store_true", help="the workers are processes of this machine")
    verb.add_argument(
        "--scheduler", metavar="ADDRESS", help="of a Dask cluster, such as tcp://HOST:8786, that computes the tiles"
    )
