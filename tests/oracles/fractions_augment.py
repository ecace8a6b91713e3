"""Rotations and mirrors, crops and the scale pyramid (D14, D15): by hand, by counting, and in exact fractions.

An admissible crop needs a valid cell that is not 0: no cell may be so near 0 that rounding decides.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from tests.oracles import suite
from tests.oracles.exact_resize import exact, resized_valid

FLAGS = {
    "turn-clockwise": "Quarter turns go clockwise: the tape of another program is replayed on other crops.",
    "mirror-before-turn": "The mirror comes before the turn, so that turns 5 and 7 are exchanged.",
    "mirror-upside-down": "The mirror swaps top and bottom instead of left and right.",
    "inverse-in-wrong-order": "The inverse turns back before it mirrors back: the eight maps of the ensemble "
    "do not lie on each other.",
    "turn-count": "Only four turns, or turns counted from 1.",
    "crop-size-odd": "An odd crop is kept, or made even upwards: it does not halve, or reaches beyond the map.",
    "crop-not-limited": "The crop is not limited by the shorter side of the map, or by the rows alone.",
    "crop-half-limit": "More than half of the cells, or all, must be valid, where at least half is enough.",
    "crop-all-zero": "Crops of zeros alone are drawn: they teach the network nothing.",
    "crop-last-corner": "The last row and column of corners is missing (or one too many is there).",
    "round-half-up": "Sizes are rounded half up, or down to a whole number, instead of half to even: 2.5 is 2.",
    "level-too-small": "A level on which the crop has no place is kept, or the crop shrinks with it.",
    "level-without-corner": "A level without any admissible corner is kept, so that drawing from it fails.",
    "level-mask": "The level's validity is not resized with the image, or its invalid cells count as 0.",
    "pyramid-scales": "Other scales (powers of 0.9, say), or the full size is missing.",
    "pyramid-ignored": "The option without pyramid is ignored.",
}
COUNT = "A count: no rounding."
SCALES = [Fraction(10 - tenths, 10) for tenths in range(6)]


def turns() -> list[suite.Case]:
    """The eight, of rows 1 2 3 and 4 5 6, written down by hand; the inverses of the odd ones lead back."""
    image, bugs = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), ["turn-clockwise", "mirror-upside-down", "turn-count"]
    rows = [
        [[1, 2, 3], [4, 5, 6]],
        [[3, 6], [2, 5], [1, 4]],
        [[6, 5, 4], [3, 2, 1]],
        [[4, 1], [5, 2], [6, 3]],
        [[3, 2, 1], [6, 5, 4]],
        [[6, 3], [5, 2], [4, 1]],
        [[4, 5, 6], [1, 2, 3]],
        [[1, 4], [2, 5], [3, 6]],
    ]
    found = []
    for turn, answer in enumerate(rows):
        turned = np.array(answer, float)
        flags = bugs + (["mirror-before-turn"] if turn in (5, 7) else [])
        for inverse in (False, True)[: 1 + turn % 2]:
            start, end = (turned, image) if inverse else (image, turned)
            wrong = flags + (["inverse-in-wrong-order"] if inverse and turn in (5, 7) else [])
            found.append(suite.Case(
                f"turn-{turn}" + ("-inverse" if inverse else ""), f"Turn {turn}" + (" undone" if inverse else ""),
                "zssr", "rotate_mirror", ["D14", "D17"] if inverse else ["D14"], wrong, "hand", "Written down by hand.",
                {"turn": turn, "inverse": inverse}, {"image.npy": start},
                {"turned.npy": suite.Output(end, "exact", 0, "cells change places only")},
            ))  # fmt: skip
    return found


def size_of(shape, crop) -> int:
    """D15: even."""
    size = min(crop, *shape)
    return size - size % 2


def admissible(image, valid, size) -> np.ndarray:
    """By counting each window; no value may be so near 0 that rounding decides."""
    shape = tuple(n - size + 1 for n in image.shape)
    assert all(number == 0 or abs(number) > Fraction(1, 10**6) for number in image.ravel())
    corners = np.zeros(shape, bool)
    for i, j in np.ndindex(shape):
        window = np.s_[i : i + size, j : j + size]
        inside = valid[window]
        corners[i, j] = 2 * int(inside.sum()) >= size * size and any(image[window][inside] != 0)
    return corners


def corners(name, title, image, valid, crop, flags) -> suite.Case:
    """A case of ``crop_corners``."""
    valid = np.asarray(valid, bool)
    image = np.where(valid, np.asarray(image, float), 0)
    size = size_of(image.shape, crop)
    outputs = {
        "size.csv": suite.Output({"name": ["size"], "value": [size]}, "exact", 0, COUNT),
        "corners.npy": suite.Output(admissible(exact(image), valid, size), "exact", 0, COUNT),
    }
    return suite.Case(
        f"crop-{name}", title, "zssr", "crop_corners", ["D15"], flags, "hand", "Each window counted cell by cell.",
        {"crop": crop}, {"image.npy": image, "valid.npy": valid}, outputs,
    )  # fmt: skip


def level_shape(shape, scale) -> tuple[int, ...]:
    """Half to even; the same whether 0.7 is that fraction or its float64."""
    found = tuple(round(scale * n) for n in shape)
    assert found == tuple(round(float(scale) * n) for n in shape), (shape, scale)
    return found


def pyramid(name, title, image, valid, crop, flags, option=None) -> suite.Case:
    """A case of ``pyramid``."""
    valid = np.asarray(valid, bool)
    image = np.where(valid, np.asarray(image, float), 0)
    size, table = size_of(image.shape, crop), {"scale": [], "rows": [], "cols": [], "corners": []}
    for scale in SCALES if option is not False else SCALES[:1]:
        shape = level_shape(image.shape, scale)
        if min(shape) < size:
            continue
        level = (exact(image), valid) if scale == 1 else resized_valid(exact(image), valid, shape)
        count = int(admissible(*level, size).sum())
        if count:
            for column, value in zip(table.values(), (float(scale), *shape, count), strict=True):
                column.append(value)
    parameters = {"crop": crop} | ({} if option is None else {"pyramid": option})
    return suite.Case(
        f"pyramid-{name}", title, "zssr", "pyramid", ["D14", "D15"], flags, "fractions",
        "Levels resized in fractions, windows counted cell by cell.", parameters,
        {"image.npy": image, "valid.npy": valid}, {"levels.csv": suite.Output(table, "exact", 0, COUNT)},
    )  # fmt: skip


def crops() -> list[suite.Case]:
    """D15."""
    ones, half = np.ones((7, 9)), np.indices((6, 8))[1] < 4
    values = suite.rng("crop-holes").integers(1, 9, (9, 11))
    holes = suite.rng("crop-holes").random((9, 11)) < 0.45
    single = np.zeros((6, 9))
    single[4, 1] = 3
    return [
        corners("odd-map", "A crop of 128 on 7 x 9 cells is 6", ones, ones, 128, ["crop-size-odd", "crop-not-limited"]),
        corners("fewer-columns", "A crop of 128 on 9 x 5 cells is 4", np.ones((9, 5)), np.ones((9, 5)), 128,
                ["crop-not-limited", "crop-size-odd"]),
        corners("half-valid", "The western half is valid: a crop exactly half on it is admissible", 2 * np.ones((6, 8)),
                half, 4, ["crop-half-limit"]),
        corners("holes", "45 % of the cells valid, at random", values, holes, 4,
                ["crop-half-limit", "crop-last-corner"]),
        corners("all-zero", "One cell above 0: only the crops that hold it", single, np.ones((6, 9)), 4,
                ["crop-all-zero", "crop-last-corner"]),
        corners("negative-counts", "A negative value is a value: not all zero", -single, np.ones((6, 9)), 4,
                ["crop-all-zero"]),
        corners("none", "Less than half valid everywhere: no corner, and no refusal", np.ones((5, 6)),
                np.indices((5, 6))[1] % 4 == 1, 4, ["crop-half-limit"]),
    ]  # fmt: skip


def pyramids() -> list[suite.Case]:
    """D14."""
    big, islands = 1 + suite.rng("pyramid-six-levels").random((20, 30)), np.zeros((12, 14), bool)
    islands[2:8, 3:6] = islands[9:, 8:13] = islands[0:4, 9:12] = True
    # Of 11 x 13 cells no level's kernel meets the bright cell at its own zeros, where rounding would decide what is 0.
    west = np.zeros((11, 13))
    west[2, 1] = 4
    ramp = 1.0 + np.indices((15, 13))[1]
    strip = np.zeros((10, 11), bool)
    strip[3:6, 4:8] = True
    return [
        pyramid("six-levels", "20 x 30 cells, crop 8: all six levels", big, big > 0, 8,
                ["pyramid-scales", "crop-last-corner"]),
        pyramid("half-to-even", "13.5 rows are 14, 10.5 are 10, 7.5 are 8; 6.5 columns are 6", ramp, ramp > 0, 6,
                ["round-half-up", "level-too-small"]),
        pyramid("small-map", "5 x 3 cells, crop 2: 4.5 is 4, 3.5 is 4, 2.5 is 2", ramp[:5, :3], ramp[:5, :3] > 0, 4,
                ["round-half-up", "crop-not-limited"]),
        pyramid("levels-dropped", "9 x 12 cells, crop 6: 0.5 leaves 4 rows, 0.6 leaves 5", big[:9, :12],
                big[:9, :12] > 0, 6, ["level-too-small"]),
        pyramid("without", "The option without pyramid: the full size alone", big, big > 0, 8, ["pyramid-ignored"],
                False),
        pyramid("islands", "Validity is resized with the image", 2 + big[:12, :14], islands, 4,
                ["level-mask", "crop-half-limit"]),
        pyramid("level-without-corner", "Scales 0.9 and 0.7 have no corner, 0.8 between them has", big[:10, :11], strip,
                4,
                ["level-without-corner", "level-mask"]),
        pyramid("one-bright-cell", "Crops that hold no value but 0 do not count", west, np.ones((11, 13)), 4,
                ["crop-all-zero"]),
    ]  # fmt: skip


def invalid() -> list[suite.Case]:
    """What is refused."""
    image, valid = 1 + np.arange(42.0).reshape(6, 7), np.ones((6, 7), bool)
    whole, zeros = {"image.npy": image, "valid.npy": valid}, {"image.npy": np.zeros((6, 7)), "valid.npy": valid}
    few = valid & (np.indices((6, 7))[1] < 1)
    sparse = {"image.npy": np.where(few, image, 0), "valid.npy": few}
    corner, levels, turned = [("crop_corners", "D15"), ("pyramid", "D14"), ("rotate_mirror", "D14")]
    rows = [
        ("turn-refuses-8", turned, ["turn"], "turn 8 is none of 0 to 7", {"turn": 8}, {"image.npy": image}),
        ("turn-refuses-negative", turned, ["turn"], "turn -1 is none of 0 to 7", {"turn": -1}, {"image.npy": image}),
        ("turn-refuses-half", turned, ["turn"], "one and a half quarter turns", {"turn": 1.5, "inverse": True},
         {"image.npy": image}),
        ("turn-refuses-nan", turned, ["image"], "NaN in the image", {"turn": 3},
         {"image.npy": np.where(image > 5, image, np.nan)}),
        ("crop-refuses-odd", corner, ["crop"], "a crop of 5 cannot be halved", {"crop": 5}, whole),
        ("crop-refuses-2", corner, ["crop"], "a crop of 2 is below 4", {"crop": 2}, whole),
        ("crop-refuses-other-shape", corner, ["valid", "image"], "valid has a row less than the image", {"crop": 4},
         whole | {"valid.npy": valid[1:]}),
        ("crop-refuses-one-row", corner, ["image", "crop"], "one row of cells holds no crop at all", {"crop": 4},
         {"image.npy": image[:1], "valid.npy": valid[:1]}),
        ("crop-refuses-infinity", corner, ["image"], "an infinity in the image", {"crop": 4},
         whole | {"image.npy": np.where(image == 9, -np.inf, image)}),
        ("pyramid-refuses-odd-crop", levels, ["crop"], "a crop of 127 cannot be halved", {"crop": 127}, whole),
        ("pyramid-refuses-zeros", levels, ["image"], "a map of zeros alone has no admissible corner", {"crop": 4},
         zeros),
        ("pyramid-refuses-few-valid", levels, ["image", "valid"], "no crop of 6 x 6 cells is half valid", {"crop": 6},
         sparse),
    ]  # fmt: skip
    return [
        suite.refused(name, None, "zssr", op, [decision], fields, why, files, given)
        for name, (op, decision), fields, why, given, files in rows
    ]


def cases() -> list[suite.Case]:
    """All of them."""
    return turns() + crops() + pyramids() + invalid()
