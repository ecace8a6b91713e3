"""Advice on a raster: sentences on what this program does with it, and on what would go wrong.

Section "Raster data".  They follow from its facts (refimpl/formats/facts.py) and from the survey of its cells.
"""

from __future__ import annotations

from collections.abc import Iterator

from refimpl.formats.preflight import MOST_BYTES

MOST_CLASSES, CHINA = 62, (73.0, 18.0, 135.5, 54.0)
_CELLS_A_CLASS = 8
"""With fewer cells for each different number, nothing tells classes from measurements."""
_LIKELY = 0.01
"""Share of cells from which 255 or 65535, as the largest value of an 8- or 16-bit raster, looks like nodata."""


def advice(facts: dict) -> list[str]:
    """Sentences, the most serious first.

    >>> facts = {"datum_change": "their datums differ", "nodata": None, "nodata_fits": True, "beside": []}
    >>> advice(facts)[0]
    'their datums differ: it is refused, unless the datum is ignored (--ignore-datum, or ignore_datum in a run.toml)'
    """
    found = [*_about_cells(facts), *_about_place(facts), *_about_file(facts)]
    return found or ["it is taken as it stands"]


def _about_place(facts: dict) -> Iterator[str]:
    if facts.get("datum_change"):
        yield (
            f"{facts['datum_change']}: it is refused, unless the datum is ignored (--ignore-datum, or ignore_datum "
            "in a run.toml)"
        )
    if facts.get("datum") == "CGCS2000":
        yield "CGCS2000 is taken as WGS 84, coordinates unchanged (they agree to a metre)"
    if facts.get("datum") == "any":
        yield "its latitudes on a sphere are taken as geodetic ones, as MODIS means them"
    if facts.get("south_up"):
        yield "it is stored south-up and is flipped: row 1 is the northernmost"
    if facts.get("pixel_is_point"):
        yield "its coordinates are those of cell centres and are moved by half a cell"
    if facts.get("area_fault"):
        yield "its true cell areas cannot be given by row: warp it to Albers or longitude/latitude before 'zonal'"
    found = facts.get("extent_degrees")
    if found and (found[2] < CHINA[0] or found[0] > CHINA[2] or found[3] < CHINA[1] or found[1] > CHINA[3]):
        if found[2] <= 180 or found[2] - 360 < CHINA[0]:  # longitudes from 0 to 360 may reach it from the other side
            yield "it does not touch China: none of the provinces lies in it"


def _about_file(facts: dict) -> Iterator[str]:
    if not facts.get("nodata_fits", True):
        yield f"its nodata value {facts['nodata']} fits no {facts['type']} and is left out"
    if (facts.get("scale", 1.0), facts.get("offset", 0.0)) != (1.0, 0.0):
        yield f"stored numbers are multiplied by {facts['scale']:g} and {facts['offset']:g} is added, in float64"
    if facts.get("alpha") and facts["alpha"] != facts.get("band"):
        yield f"band {facts['alpha']} is alpha: cells where it is 0 are invalid"
    if facts.get("bands", 1) > 1:
        yield f"of its {facts['bands']} bands, band {facts.get('band', 1)} is looked at; the other verbs read band 1"
    size = facts.get("rows", 0) * facts.get("columns", 0) * facts.get("bits", 0) // 8
    if size > MOST_BYTES:
        yield f"a band takes {size:,} bytes: verbs that read it whole need REFIMPL_MOST_BYTES"
    if facts.get("overruled"):
        names = " and ".join(facts["overruled"])
        yield f"{names} beside it: not looked at, for what stands in the file or its .aux.xml goes first"
    if any(name.endswith(".msk") for name in facts["beside"]):
        yield "the mask beside it (.msk) marks its invalid cells" if not facts.get("mask") else (
            "the mask beside it (.msk) is not looked at, for it has one inside"
        )


def _about_cells(facts: dict) -> Iterator[str]:
    if facts.get("valid") == 0:
        yield "no cell is valid: nothing can be done with it"
        return
    if "valid" not in facts:
        return
    for value, many in _undeclared(facts):
        yield (
            f"{value:.10g} stands in {many:,} cells and looks like nodata, but is taken for a value; declare it with "
            f"'gdal_edit.py -a_nodata {value:.10g} {facts['file']}'"
        )
    classes = facts.get("distinct")
    if facts["negative"] and not any(value < 0 for value, _ in _undeclared(facts)):
        yield f"values below 0 stand in {facts['negative']:,} cells: a density or a count is never below 0"
    whole = classes and not facts["type"].startswith("float")
    if whole and 1 < len(classes) <= MOST_CLASSES and _CELLS_A_CLASS * len(classes) <= facts["valid"]:
        yield f"{len(classes)} whole numbers look like classes: warp it with --kind class, or their means are taken"
    elif facts["minimum"] == facts["maximum"]:
        yield f"all valid cells hold {facts['minimum']:.6g}"


def _undeclared(facts: dict) -> list[tuple[float, int]]:
    """(value, cells) of suspects that are the smallest or the largest value and look like undeclared nodata."""
    found = []
    for value, many in facts.get("suspects", {}).items():
        extreme = value <= facts["minimum"] * (1 - 1e-6) or value >= facts["maximum"] * (1 - 1e-6)
        if value in (255.0, 65535.0, 9999.0, 2147483647.0, 4294967295.0):
            typed = {255.0: "uint8", 65535.0: "uint16", 2147483647.0: "int32", 4294967295.0: "uint32"}
            right_type = facts["type"] == typed.get(value, facts["type"])
            classes = len(facts.get("distinct") or ()) in range(1, MOST_CLASSES + 1)
            likely = right_type and (many >= _LIKELY * facts["valid"] or classes)
        else:
            likely = True
        if extreme and likely:
            found.append((value, many))
    return found
