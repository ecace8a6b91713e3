"""Land-cover classes and shares in exact fractions of the float64 values."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from tests.oracles.fractions_zonal import GRID
from tests.oracles.suite import WGS84, Case, Output, Tiff, refused

FLAGS = {
    "land-cover-class-moved": "One IGBP class falls into another of the seven (D23), or all are shifted by one.",
    "land-cover-wetland-as-land": "Class 11, permanent wetlands, counts as land, not as water.",
    "land-cover-mosaic": "Class 14, the cropland mosaic, is not cropland; or 13 and 14 are exchanged.",
    "land-cover-shape": "The classes come back flattened, transposed or in the input's type.",
    "shares-of-cells": "Shares of the number or area of the cells, not of their emission.",
    "shares-with-unclassified": "Cells without a class count in the whole, or as water.",
    "shares-of-nothing": "A province without emission divides by 0, or is left out.",
}

LAND_COVERS = {
    "forest": (1, 2, 3, 4, 5),
    "shrubland": (6, 7),
    "grasslands": (8, 9, 10),
    "water": (0, 11, 15, 17),
    "croplands": (12, 14),
    "built-up": (13,),
    "bare": (16,),
}
CLASS_OF = {member: index for index, members in enumerate(LAND_COVERS.values()) for member in members}
SHARE_COLUMNS = ("code", *LAND_COVERS, "unclassified")


def classes(name, title, igbp: np.ndarray, flags, how) -> Case:
    """A case of land_cover_classes."""
    answer = np.vectorize(CLASS_OF.get)(igbp).astype(np.int64)
    outputs = {"classes.npy": Output(answer, "exact", 0, "a table of integers")}
    key = {"stage": "evaluation", "operation": "land_cover_classes", "references": ("D23", "Fig. 4"), "oracle": "hand"}
    return Case(name, title, flags=flags, how=how, inputs={"igbp.npy": igbp}, outputs=outputs, **key)


def shares(name, title, emission: Tiff, zones: np.ndarray, igbp: Tiff, flags, how, oracle="fractions") -> Case:
    """A case of land_cover_shares."""
    valid = np.ones(zones.shape, bool) if emission.valid is None else emission.valid
    known = np.ones(zones.shape, bool) if igbp.valid is None else igbp.valid
    table: dict[str, list] = {column: [] for column in SHARE_COLUMNS}
    for code in sorted({int(c) for c in zones[valid]} - {0}):
        inside = [(i, j) for i, j in np.argwhere(valid & (zones == code))]
        on = {cover: Fraction(0) for cover in (*LAND_COVERS, None)}
        for at in inside:
            cover = next((c for c, members in LAND_COVERS.items() if known[at] and igbp.values[at] in members), None)
            on[cover] += Fraction(float(emission.values[at]))
        none = on.pop(None)
        whole = sum(on.values())
        parts = [float(part / whole) if whole else None for part in on.values()]
        row = [code, *parts, float(none / (whole + none)) if whole + none else 0.0]
        for column, value in zip(table.values(), row, strict=True):
            column.append(value)
    raster = Tiff(zones, emission.transform, emission.crs)
    outputs = {"shares.csv": Output(table, "abs", 1e-14, "two sums and a quotient, at most 1")}
    inputs = {"emission.tif": emission, "zones.tif": raster, "igbp.tif": igbp}
    key = {"stage": "evaluation", "operation": "land_cover_shares", "references": ("D23", "Fig. 4", "Fig. 5")}
    return Case(name, title, flags=flags, oracle=oracle, how=how, inputs=inputs, outputs=outputs, **key)


def land_cover_cases() -> list[Case]:
    mixed = np.array([[13, 0, 17, 4, 16, 9], [12, 14, 7, 1, 10, 15], [11, 2, 5, 3, 6, 8]], np.uint8)
    emission = np.array([[1.0, 3.0, 4.0, 2.0], [6.0, 0.5, 0.0, 0.0], [5.0, 20.0, 3.0, 8.0]])
    zones = np.array([[11, 11, 12, 12], [11, 12, 54, 54], [65, 65, 0, 11]], np.int16)
    igbp = np.array([[13, 12, 11, 14], [255, 5, 16, 10], [255, 255, 1, 17]], np.uint8)
    seen = np.ones((3, 4), bool)
    seen[2, 3] = False
    degrees = (75.0, 50.0, 1.5, -10.0)
    every = np.arange(18, dtype=np.uint8).reshape(3, 6)
    weights = np.array(
        [[2.0**i for i in range(6)], [3.0, 5.0, 7.0, 11.0, 13.0, 17.0], [1.5, 0.25, 100.0, 40.0, 6.0, 9.0]]
    )
    return [
        classes(
            "d23-all-classes",
            "Classes 0 to 17 in their order",
            np.arange(18, dtype=np.uint8),
            ("land-cover-class-moved", "land-cover-wetland-as-land"),
            "D23's list, one by one",
        ),
        classes(
            "d23-classes-of-a-map",
            "All classes on a map of 3 by 6",
            mixed,
            ("land-cover-shape", "land-cover-class-moved"),
            "D23's list, one by one",
        ),
        classes(
            "d23-wetland-is-water",
            "Wetland, snow, water and 0",
            np.array([11, 15, 17, 0], np.uint8),
            ("land-cover-wetland-as-land",),
            "all are water, 3",
        ),
        classes(
            "d23-cropland-mosaic",
            "Croplands, built-up, mosaic",
            np.array([12, 13, 14], np.uint8),
            ("land-cover-mosaic",),
            "4, 5, 4",
        ),
        shares(
            "shares-hand",
            "Five provinces: a cell without a class, no emission, no class at all, an invalid cell",
            Tiff(emission, GRID, valid=seen),
            zones,
            Tiff(igbp, GRID, valid=igbp < 255, nodata=255),
            ("shares-with-unclassified", "shares-of-nothing", "shares-of-cells"),
            "of 4: built-up 1, croplands 3, unclassified 6 of 10; of 6.5: water 4, croplands 2, forest 0.5; none; all",
            oracle="hand",
        ),
        shares(
            "shares-every-class-geographic",
            "All classes in one province; rows of 10 degrees",
            Tiff(weights, degrees, WGS84),
            np.full((3, 6), 15, np.uint8),
            Tiff(every, degrees, WGS84),
            ("land-cover-class-moved", "shares-of-cells", "land-cover-wetland-as-land"),
            "sums of emission by class over their sum, in exact fractions; areas play no part",
        ),
    ]


def invalid_land_covers() -> list[Case]:
    emission, zones = Tiff(np.array([[1.0, 2.0], [4.0, 3.0]]), GRID), Tiff(np.array([[1, 1], [2, 1]], np.uint8), GRID)
    igbp = np.array([[13, 12], [5, 1]], np.uint8)

    def maps(name, title, fields, why, **changes):
        inputs = {"emission.tif": emission, "zones.tif": zones, "igbp.tif": Tiff(igbp, GRID)}
        inputs |= changes["files"]
        return refused(name, title, "evaluation", "land_cover_shares", ("D23", "Fig. 4"), fields, why, inputs)

    def codes(name, title, values, why):
        inputs = {"igbp.npy": np.array(values, np.uint8)}
        return refused(name, title, "evaluation", "land_cover_classes", ("D23",), ["igbp"], why, inputs)

    negative = Tiff(np.array([[1, -1], [2, 1]], np.int16), GRID)
    return [
        codes("d23-refuses-class-18", "Class 18", [1, 17, 18], "MCD12 ends at 17"),
        codes(
            "d23-refuses-fill-value",
            "The fill value 255 among classes",
            [[12, 255], [13, 0]],
            "no class; it is no water either",
        ),
        maps(
            "shares-refuses-unknown-class",
            "Class 254, not marked as nodata, in a province",
            ["igbp"],
            "the classes are 0 to 17",
            files={"igbp.tif": Tiff(np.array([[13, 254], [5, 1]], np.uint8), GRID)},
        ),
        maps(
            "shares-refuses-igbp-on-another-grid",
            "Land cover in cells twice as fine",
            ["igbp"],
            "another grid",
            files={"igbp.tif": Tiff(np.kron(igbp, np.ones((2, 2), np.uint8)), (*GRID[:2], 500.0, -500.0))},
        ),
        maps(
            "shares-refuses-negative-zone",
            "A zone of -1",
            ["zones"],
            "codes are 0 or more",
            files={"zones.tif": negative},
        ),
    ]


def cases() -> list[Case]:
    """D23 and Figs. 4-5."""
    return [*land_cover_cases(), *invalid_land_covers()]
