"""The verb ``info``: what a raster is, what its cells hold, how it looks, and what would go wrong with it here.

Section "Raster data". The facts come from ``refimpl.formats.facts`` and ``survey``, the advice from
``refimpl.formats.advice``. Here they become lines of text or JSON.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path

from refimpl.cli.arguments import count
from refimpl.errors import InputError
from refimpl.formats.files import check_outputs

HELP = "what a raster is, and what would go wrong with it here"
SHARES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
"""Quantiles that are listed."""
MOST_LISTED = 20
"""Different whole numbers that are listed one by one; of more, only how many."""


def options(verb: argparse.ArgumentParser) -> None:
    """Arguments of ``info``."""
    verb.add_argument("file", type=Path, help="a GeoTIFF, or a TIFF or PNG with its side files")
    verb.add_argument("--band", type=count, default=1, help="of the file, from 1")
    verb.add_argument(
        "--window", type=int, nargs=4, metavar=("R0", "R1", "C0", "C1"),
        help="only rows R0 to R1 and columns C0 to C1, from 0; R1 and C1 are not in it",
    )  # fmt: skip
    verb.add_argument("--png", type=Path, metavar="FILE", help="write the quick look as a map")
    verb.add_argument("--json", action="store_true", help="print the facts as JSON")


def call(args) -> None:
    """Print the facts; of a file that is refused, those that can still be read."""
    from refimpl.formats.advice import advice
    from refimpl.formats.facts import file_facts, place_facts, told_facts
    from refimpl.formats.geotiff import checked_window, open_raster
    from refimpl.formats.survey import survey

    if args.png is not None:
        if args.png.suffix.lower() != ".png":
            raise InputError(f"--png {args.png}: expected a name that ends in .png")
        check_outputs([args.png], [args.file])
    facts = file_facts(args.file) | {"band": args.band}
    try:
        with open_raster(args.file, band=args.band) as raster:
            facts |= told_facts(args.file, args.band, facts["type"]) | place_facts(raster.grid)
            facts["type_read"] = raster.dtype.name
            rows, cols = raster.grid.shape
            found = survey(raster, checked_window(args.window or (0, rows, 0, cols), (rows, cols), str(args.file)))
    except InputError:
        if not args.json:
            print("\n".join(lines(facts)))
        raise
    facts |= cell_facts(found) | {"window": args.window}
    facts["here"] = advice(facts)
    if args.png is not None:
        draw(facts, found, args.png)
    if args.json:
        print(json.dumps(finite(facts), indent=2, ensure_ascii=False, allow_nan=False))
        return
    say("\n".join([*lines(facts), *quick_look(facts, found), *(f"Here: {sentence}." for sentence in facts["here"])]))


def cell_facts(found) -> dict:
    """The survey of the cells as facts by name."""
    statistics = found.statistics
    facts = {"cells": statistics.cells, "valid": statistics.count, "negative": found.negative}
    facts |= {"suspects": found.suspects, "distinct": found.distinct if statistics.count else None}
    if statistics.count:
        facts |= {"minimum": statistics.minimum, "maximum": statistics.maximum, "mean": statistics.mean}
        facts |= {"deviation": statistics.deviation, "total": found.total, "total_by_area": found.total_by_area}
        facts["quantiles"] = {f"{share:g}": found.quantile(share) for share in SHARES}
    return facts


def finite(facts):
    """Facts that JSON can hold: None for numbers that are not finite, and texts for keys."""
    if isinstance(facts, dict):
        return {key if isinstance(key, str) else f"{key:g}": finite(value) for key, value in facts.items()}
    if isinstance(facts, (list, tuple)):
        return [finite(value) for value in facts]
    return None if isinstance(facts, float) and not math.isfinite(facts) else facts


def say(text: str) -> None:
    """Print; a character that the terminal's encoding lacks becomes a question mark."""
    encoding = sys.stdout.encoding or "ascii"
    print(text.encode(encoding, "replace").decode(encoding))


def lines(facts: dict) -> list[str]:
    """The name of the file, then a line for each kind of fact that is known.

    >>> facts = {"file": "a.tif", "bytes": 2048, "format": "TIFF", "byte_order": "little", "beside": []}
    >>> print("\\n".join(lines(facts)))
    a.tif
      file      2,048 bytes, TIFF, little-endian
    """
    told = {kind: words_of(facts) for kind, words_of in KINDS.items()}
    return [facts["file"], *(f"  {kind:<9} {words}" for kind, words in told.items() if words)]


def _file(facts: dict) -> str:
    size = facts["bytes"]
    words = f"{size:,} bytes" if size < 1e6 else f"{size / 1e6:,.1f} MB"
    return f"{words}, {facts['format']}, {facts['byte_order']}-endian"


def _raster(facts: dict) -> str:
    if "rows" not in facts:
        return ""
    bands = f"{facts['bands']} bands" if facts["bands"] > 1 else "1 band"
    masks = ", internal mask" if facts["mask"] else ""
    return f"{facts['rows']:,} rows x {facts['columns']:,} columns, {bands}{masks}, {facts['type']}"


def _stored(facts: dict) -> str:
    if "codec" not in facts:
        return ""
    predictor = f", predictor {facts['predictor']}" if facts["predictor"] != 1 else ""
    smaller = ", ".join(f"{rows} x {cols}" for rows, cols in facts["overviews"][:4])
    more = " ..." if len(facts["overviews"]) > 4 else ""
    codec = "not compressed" if facts["codec"] == "none" else facts["codec"]
    return f"{codec}{predictor}, {facts['layout']}" + (f", overviews of {smaller}{more}" if smaller else "")


def _beside(facts: dict) -> str:
    return ", ".join(facts["beside"])


def _system(facts: dict) -> str:
    code = f" (EPSG:{facts['epsg']})" if facts.get("epsg") else ""
    return facts["system"] + code if "system" in facts else ""


def _cell(facts: dict) -> str:
    if "cell_size" not in facts:
        return ""
    width, height = (f"{size:.10g}" for size in facts["cell_size"])
    areas = facts["cell_area_km2"]
    area = "" if areas is None else " to ".join(dict.fromkeys(f"{area:.6g}" for area in areas))
    return f"{width} x {height} {facts['unit_of_length']}" + (f", true area {area} km2" if area else "")


def _extent(facts: dict) -> str:
    if "extent" not in facts:
        return ""
    xmin, ymin, xmax, ymax = (f"{edge:.10g}" for edge in facts["extent"])
    return f"x {xmin} to {xmax}, y {ymin} to {ymax}"


def _earth(facts: dict) -> str:
    edges = facts.get("extent_degrees")
    if not edges or facts.get("unit_of_length") == "degrees":
        return ""
    return "longitude {0:.6g} to {2:.6g}, latitude {1:.6g} to {3:.6g}".format(*edges)


def _told(facts: dict) -> str:
    if "nodata" not in facts:
        return ""
    words = [f"nodata {facts['nodata']}" if facts["nodata"] is not None else "no nodata value"]
    if (facts["scale"], facts["offset"]) != (1.0, 0.0):
        words.append(f"scale {facts['scale']:g}, offset {facts['offset']:g}")
    words += [f"{name} {facts[name]!r}" for name in ("unit", "description") if facts[name]]
    return ", ".join(words)


def _valid(facts: dict) -> str:
    if "valid" not in facts:
        return ""
    part = "" if facts.get("window") is None else f" of the window {' '.join(map(str, facts['window']))}"
    return f"{facts['valid']:,} of {facts['cells']:,} cells{part} ({facts['valid'] / facts['cells']:.1%})"


def _values(facts: dict) -> str:
    if not facts.get("valid"):
        return ""
    names = {"minimum": "min", "maximum": "max", "mean": "mean", "deviation": "std"}
    return ", ".join(f"{name} {facts[key]:.6g}" for key, name in names.items())


def _sums(facts: dict) -> str:
    if not facts.get("valid"):
        return ""
    by_area = facts["total_by_area"]
    more = "" if by_area is None else f"; each times its km2 (if they are per km2) {by_area:.8g}"
    return f"of the cells (if they are counts) {facts['total']:.8g}{more}"


def _quantiles(facts: dict) -> str:
    found = facts.get("quantiles", {})
    return ", ".join(f"{float(share):.0%} {value:.4g}" for share, value in found.items())


def _numbers(facts: dict) -> str:
    distinct = facts.get("distinct")
    if not distinct:
        return ""
    if len(distinct) > MOST_LISTED:
        return f"{len(distinct)} different whole numbers"
    return ", ".join(f"{value:g} ({distinct[value] / facts['valid']:.2%})" for value in sorted(distinct))


KINDS = {
    "file": _file,
    "raster": _raster,
    "stored": _stored,
    "beside it": _beside,
    "system": _system,
    "cell": _cell,
    "extent": _extent,
    "on Earth": _earth,
    "told": _told,
    "valid": _valid,
    "values": _values,
    "sums": _sums,
    "quantiles": _quantiles,
    "numbers": _numbers,
}
"""What writes the line of each kind, in the order of the lines; an empty text is no line."""


def is_classes(facts: dict) -> bool:
    """Whether the cells look like classes: few whole numbers."""
    from refimpl.formats.advice import MOST_CLASSES

    return bool(facts.get("distinct")) and len(facts["distinct"]) <= MOST_CLASSES


def quick_look(facts: dict, found) -> list[str]:
    """The raster drawn in characters, and what they mean; in ASCII if the terminal's encoding lacks the shades."""
    from refimpl.figures.characters import PLAIN_SHADES, SHADES, shaded, signed, signs_of

    if not facts["valid"]:
        return []
    if is_classes(facts):
        signs = signs_of(facts["distinct"])
        odd = ", ".join(f"{sign} = {value:g}" for value, sign in signs.items() if sign != f"{value:g}")
        return ["", *("  " + line for line in signed(found.class_picture, signs)), *([f"  {odd}"] if odd else []), ""]
    try:
        SHADES.encode(sys.stdout.encoding or "ascii")
        shades = SHADES
    except UnicodeEncodeError:
        shades = PLAIN_SHADES
    return ["", *("  " + line for line in shaded(found.mean_picture, shades)), ""]


def draw(facts: dict, found, path: Path) -> None:
    """Write the quick look as a PNG map."""
    from refimpl.figures.maps import map_figure

    if not facts["valid"]:
        raise InputError(f"{facts['file']}: has no valid cell, there is nothing to draw; leave out --png")
    spread = facts["quantiles"]["0.99"] > 20 * max(facts["quantiles"]["0.5"], 0) and facts["minimum"] >= 0
    kind = "linear" if is_classes(facts) or not spread else "log"
    raster = found.class_picture if is_classes(facts) else found.mean_picture
    size = f"{facts['cell_size'][0]:.6g} {facts['unit_of_length']}"
    subtitle = f"{facts['rows']:,} x {facts['columns']:,} cells of {size}, {facts['system']}"
    map_figure(raster, Path(facts["file"]).name, path, subtitle, scale=kind)
