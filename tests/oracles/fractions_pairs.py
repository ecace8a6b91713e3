"""Training pairs (D09, D14-D16): the level, the crop, the father, the son and its interpolation in exact fractions.

The logarithm of D09 comes from mpmath with 60 digits, as a fraction; interpolation after it is exact again.
"""

from __future__ import annotations

from fractions import Fraction

import mpmath
import numpy as np

from tests.oracles import suite
from tests.oracles.dense_resize import turned
from tests.oracles.exact_resize import doubled, downsampled, exact, of_mpf, resized_valid, rounded

FLAGS = {
    "pair-mean-of-logs": "The curve lies under the father before it is coarsened: the mean of logarithms is less "
    "than the logarithm of the mean, and the network learns to overshoot every peak.",
    "pair-curve-missing": "Input or target is left linear, or the curve is applied twice.",
    "pair-son-of-target": "The pair is exchanged, or the input is the son enlarged by repetition instead of "
    "interpolation.",
    "pair-coarsened-before-turn": "The crop is turned after the son is made from it, or input and target are "
    "turned differently.",
    "pair-turn": "Quarter turns clockwise, or mirrored before they are turned.",
    "pair-corner": "row and column are exchanged, are taken on the full size instead of the level, or "
    "as the centre of the crop.",
    "pair-zero-fill": "Invalid cells take part as 0 in the level, in the son or in its interpolation.",
    "pair-mask": "The mask is all true, that of the son, or is not turned with the crop.",
    "pair-downsampling": "Always the mean, or always bicubic.",
    "pair-crop-first": "The crop is cut before the map is resized to the level: its edges are mirrored "
    "instead of seen.",
    "pair-level-of-level": "The level is made of the one before instead of the full size.",
    "pair-range-again": "Crops are stretched to [0, 1] one by one, or clipped to it.",
}
HOW = "Level, son and interpolation as fractions, the logarithm with 60 digits; rounded once."
WHY = "three resizings and a logarithm in float64: some 1e-15 of the largest value; the flags move it by 1e-4"


def log1p(value: Fraction) -> Fraction:
    """log(1 + value) to 60 digits, as a fraction."""
    with mpmath.workdps(60):
        return of_mpf(mpmath.log1p(mpmath.mpf(value.numerator) / value.denominator))


def square_root(value: Fraction) -> Fraction:
    """To 60 digits, as a fraction."""
    with mpmath.workdps(60):
        return of_mpf(mpmath.sqrt(mpmath.mpf(value.numerator) / value.denominator))


def curved(image: np.ndarray, transform: str) -> np.ndarray:
    """D09's curves; what is below 0 is 0 under the logarithm and the root."""
    curves = {"log": lambda v: log1p(100 * max(v, 0)) / log1p(Fraction(100)), "sqrt": lambda v: square_root(max(v, 0))}
    curve = curves.get(transform, lambda v: v)
    return exact(np.array([curve(v) for v in image.ravel()], object)).reshape(image.shape)


def answer(image, valid, given) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Input, target and mask."""
    scale, size = Fraction(str(given["scale"])), min(given["crop"], *image.shape) // 2 * 2
    level, inside = exact(image), valid
    if scale != 1:
        level, inside = resized_valid(level, valid, tuple(round(scale * n) for n in image.shape))
    window = np.s_[given["row"] : given["row"] + size, given["column"] : given["column"] + size]
    father, mask = turned(level[window], given["turn"]), turned(inside[window], given["turn"])
    assert father.shape == (size, size) and 2 * mask.sum() >= mask.size
    transform = given.get("transform", "linear")
    son, son_valid = downsampled(father, mask, given.get("downsampling", "mean"))
    return doubled(curved(son, transform), son_valid), curved(father, transform), mask


def pair(name, title, image, valid, given, flags, decisions=("D14", "D15", "D16")) -> suite.Case:
    """A case of ``training_pair``."""
    image = np.where(valid, image, 0).astype(image.dtype)
    kind, limit = image.dtype.str, 1e-13 if image.dtype == float else 3e-6
    why = WHY if image.dtype == float else "the same in float32: some 3e-7 of the largest value"
    oracle = "mpmath" if "transform" in given else "fractions"
    given_input, target, mask = answer(image, valid, given)
    outputs = {
        "input.npy": suite.Output(rounded(given_input, kind), "scaled", limit, why),
        "target.npy": suite.Output(rounded(target, kind), "scaled", limit, why),
        "mask.npy": suite.Output(np.ascontiguousarray(mask), "exact", 0, "true or false; no share lies near the limit"),
    }
    return suite.Case(
        f"pair-{name}", title, "zssr", "training_pair", decisions, flags, oracle, HOW, given,
        {"image.npy": image, "valid.npy": valid}, outputs,
    )  # fmt: skip


def world(shape=(12, 14), dtype="f8") -> tuple[np.ndarray, np.ndarray]:
    """A heavy-tailed image of multiples of 1/256, and a validity with a coast and a lake."""
    steps = suite.rng("pair-world")
    image = np.round(256 * steps.random(shape) ** 4 * (1 + steps.integers(0, 2, shape))) / 256
    rows, cols = np.indices(shape)
    valid = (cols + rows // 3 < shape[1] - 1) & ~((abs(rows - 5) < 2) & (abs(cols - 4) < 2))
    return image.astype(dtype), valid


def valid_cases() -> list[suite.Case]:
    """What is answered."""
    image, coast = world()
    everywhere, at = np.ones(image.shape, bool), {"crop": 8, "scale": 1.0, "row": 1, "column": 3, "turn": 0}
    turn, curve = ["pair-turn", "pair-coarsened-before-turn"], ["pair-mean-of-logs", "pair-curve-missing"]
    hole = ["pair-zero-fill", "pair-mask"]
    level = ["pair-crop-first", "pair-level-of-level", "pair-corner"]
    small = {"crop": 4, "scale": 1.0, "row": 0, "column": 1, "turn": 0}
    ramp = np.array([[9, 1, 2, 3, 8], [9, 5, 7, 6, 8], [9, 4, 4, 8, 8], [9, 0, 2, 5, 8.0]])
    curves = ("D09", "D15", "D16")
    return [
        pair("by-hand", "4 x 4 cells with means 3.75, 6.25, 2.5 and 7.25", ramp, ramp >= 0, small,
             ["pair-son-of-target", "pair-corner", "pair-range-again"]),
        pair("turn-5", "Turned once and mirrored", image, everywhere, at | {"turn": 5}, turn),
        pair("coast", "A crop with a lake and a coast", image, coast, at | {"row": 2, "column": 4}, hole),
        pair("coast-bicubic", "Bicubic coarsening of valid cells alone", image, coast,
             at | {"row": 2, "column": 5, "downsampling": "bicubic"}, [*hole, "pair-downsampling"]),
        pair("level-07", "8 x 10 cells at scale 0.7, crop 6", image, everywhere,
             {"crop": 6, "scale": 0.7, "row": 2, "column": 3, "turn": 0}, level),
        pair("level-07-coast-turn-5", "Scale 0.7 with invalid cells, turn 5", image, coast,
             {"crop": 6, "scale": 0.7, "row": 2, "column": 1, "turn": 5}, level + hole + turn),
        pair("level-05-last-corner", "Scale 0.5: 6 x 7 cells, the last corner of all", image, everywhere,
             {"crop": 4, "scale": 0.5, "row": 2, "column": 3, "turn": 6}, level),
        pair("log", "The logarithm after coarsening, not before", image, everywhere, at | {"transform": "log"}, curve,
             curves),
        pair("sqrt", "The square root after coarsening", image, everywhere, at | {"transform": "sqrt", "turn": 2},
             curve, curves),
        pair("log-coast-level-08", "Scale 0.8, coast, turn 1 and the logarithm; undershoots count as 0", image, coast,
             {"crop": 6, "scale": 0.8, "row": 1, "column": 3, "turn": 1, "transform": "log"}, [*curve, *hole, *level],
             curves),
        pair("float32", "float32 in, float32 out", *world(dtype="f4"),
             at | {"row": 2, "column": 4, "transform": "log", "turn": 4},
             [*curve, *hole], curves),
    ]  # fmt: skip


def invalid() -> list[suite.Case]:
    """What is refused."""
    image, valid = world()
    files = {"image.npy": image, "valid.npy": np.ones(image.shape, bool)}
    at = {"crop": 8, "scale": 1.0, "row": 1, "column": 3, "turn": 0}
    rows = [
        ("crop-7", ["crop"], "a crop of 7 cannot be halved", {"crop": 7}, {}),
        ("scale-095", ["scale"], "0.95 is no scale of the pyramid", {"scale": 0.95}, {}),
        ("scale-0", ["scale"], "a map of scale 0", {"scale": 0.0}, {}),
        ("row-beyond", ["row"], "row 5 and 8 cells reach beyond 12 rows", {"row": 5}, {}),
        ("column-beyond-level", ["column"], "column 3 and 8 cells reach beyond the 10 columns of scale 0.7",
         {"scale": 0.7, "row": 0}, {}),
        ("negative-column", ["column"], "column -1 is none", {"column": -1}, {}),
        ("level-too-small", ["scale", "crop", "row"], "6 x 7 cells at scale 0.5 hold no crop of 8",
         {"scale": 0.5, "row": 0, "column": 0}, {}),
        ("turn-8", ["turn"], "turn 8 is none of 0 to 7", {"turn": 8}, {}),
        ("unknown-transform", ["transform"], "ln is no transform", {"transform": "ln"}, {}),
        ("unknown-downsampling", ["downsampling"], "lanczos is no kind of downsampling", {"downsampling": "lanczos"},
         {}),
        ("other-shape", ["valid", "image"], "valid is transposed", {}, {"valid.npy": np.ones((14, 12), bool)}),
        ("nan", ["image"], "NaN in the image", {}, {"image.npy": np.where(valid, image, np.nan)}),
    ]  # fmt: skip
    return [
        suite.refused(f"pair-refuses-{name}", None, "zssr", "training_pair", ["D14", "D15"], fields, why,
                      files | other, at | given)
        for name, fields, why, given, other in rows
    ]  # fmt: skip


def cases() -> list[suite.Case]:
    """All of them."""
    return valid_cases() + invalid()
