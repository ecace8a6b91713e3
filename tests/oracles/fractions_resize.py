"""Keys's kernel, resizing and downsampling (D16, D19) in exact fractions.

``resize`` agrees inside the map with Pillow's BICUBIC and PyTorch's antialiased bicubic (both a = -0.5); at the edge
they cut the kernel off where the contract mirrors the map.
"""

from __future__ import annotations

import numpy as np

from tests.oracles import exact_resize, suite
from tests.oracles.exact_resize import ROUNDING, exact, rounded

FLAGS = {
    "keys-three-quarters": "The cubic kernel has a = -0.75 (OpenCV, PyTorch without antialias) instead of -0.5: edges "
    "overshoot half as much again, and a straight slope does not stay straight.",
    "keys-other-cubic": "Another cubic: a = -1, the B-spline (which blurs) or Mitchell's; or the sign of the distance "
    "is not dropped.",
    "no-antialias": "The kernel is not stretched when the image shrinks: three cells of four hardly count, and "
    "noise aliases.",
    "stretched-both-axes": "One stretch for both axes, or one also where the image grows: an axis that keeps its size "
    "is blurred.",
    "corner-misaligned": "Centres at o n_in/n_out, or (n_in - 1)/(n_out - 1) (align_corners): the image "
    "moves by up to half a cell or is stretched.",
    "border-other-mirror": "Beyond the edge the border cell is left out (reflect), repeated (clamp), or the far "
    "side comes in (wrap), instead of -1 being 0: two or three rows along the edge are wrong.",
    "border-zero": "Beyond the edge there is 0: the edge of the map fades.",
    "border-cut": "The kernel is cut off at the edge and normalised again (Pillow, PyTorch antialias), instead of "
    "the map being mirrored.",
    "mirror-once": "An axis shorter than the kernel is mirrored once only: the index leaves it.",
    "rows-for-columns": "rows and cols are exchanged, or the result is transposed.",
    "overshoot-clipped": "The result is clipped to the range of the input, or to [0, 1].",
    "resize-zero-fill": "Invalid cells take part as 0: values fade towards the coast and the border.",
    "separate-normalisation": "Each axis is divided by its own share of valid cells, instead of the "
    "two-dimensional one.",
    "half-limit": "A cell is valid where any, all, or more than half (instead of at least half) of the weight "
    "is valid.",
    "block-zero-fill": "The 2x2 mean divides by 4 whatever is valid.",
    "block-any-for-all": "A block is valid only where all four cells are, or always.",
    "block-odd-edge": "A last odd row or column is dropped, or averaged with zeros or with a copy of another row.",
    "block-sum": "Cells are added up, or one of four taken, instead of averaged: a density is not a count.",
    "downsample-floor": "Odd sizes are halved downwards.",
}
EXACT = "Every weight and product as a fraction, rounded to float64 once."
LIMIT = 2e-14


def kernel(name, title, distance, flags) -> suite.Case:
    """A case of ``keys_kernel``."""
    distance = np.asarray(distance, float)
    answer = rounded(np.array([exact_resize.keys(d) for d in exact(distance)], object))
    why = "polynomials of terms up to 10: some 2e-15; the kernels of the flags are 0.01 and more away"
    return suite.Case(
        f"keys-{name}", title, "zssr", "keys_kernel", ["D16"], flags, "fractions", EXACT, {},
        {"distance.npy": distance},
        {"weight.npy": suite.Output(answer, "abs", LIMIT, why)},
    )  # fmt: skip


def pair(image, valid, answer, inside, names, limit=1e-13) -> tuple[dict, dict]:
    """Inputs and outputs of an operation on an image with validity."""
    image = np.asarray(image)
    outputs = {
        f"{names[0]}.npy": suite.Output(rounded(answer, image.dtype.str), "scaled", limit, ROUNDING),
        f"{names[1]}.npy": suite.Output(inside, "exact", 0, "true or false; no share lies near the limit"),
    }
    return {"image.npy": image, "valid.npy": valid}, outputs


def resize(name, title, image, shape, flags, valid=None, decisions=("D16", "D19"), limit=1e-13) -> suite.Case:
    """A case of ``resize``; without ``valid`` every cell is."""
    image = np.asarray(image, "f4" if getattr(image, "dtype", None) == np.float32 else "f8")
    valid = np.ones(image.shape, bool) if valid is None else np.asarray(valid, bool)
    image = np.where(valid, image, 0).astype(image.dtype)
    answer = exact_resize.resized_valid(exact(image), valid, shape)
    inputs, outputs = pair(image, valid, *answer, ("resized", "resized_valid"), limit)
    return suite.Case(
        f"resize-{name}", title, "zssr", "resize", decisions, flags, "fractions", EXACT,
        {"rows": shape[0], "cols": shape[1]}, inputs, outputs,
    )  # fmt: skip


def downsample(name, title, image, kind, flags, valid=None) -> suite.Case:
    """A case of ``downsample``."""
    image = np.asarray(image, float)
    valid = np.ones(image.shape, bool) if valid is None else np.asarray(valid, bool)
    image = np.where(valid, image, 0.0)
    answer = exact_resize.downsampled(exact(image), valid, kind)
    inputs, outputs = pair(image, valid, *answer, ("coarse", "coarse_valid"))
    return suite.Case(
        f"downsample-{name}", title, "zssr", "downsample", ["D16"], flags, "fractions", EXACT, {"kind": kind}, inputs,
        outputs,
    )  # fmt: skip


def drawn(case_id, shape, dtype="f8") -> np.ndarray:
    """Multiples of 1/64 in [0, 1], all different in practice."""
    return (suite.rng(case_id).integers(0, 65, shape) / 64).astype(dtype)


def kernels() -> list[suite.Case]:
    """Keys's kernel."""
    other = ["keys-three-quarters", "keys-other-cubic"]
    return [
        kernel("knots", "At 0, 1/2, 1, 3/2, 2 and beyond, on both sides",
               [0, 0.5, 1, 1.5, 2, 2.5, 40, -0.5, -1, -1.5, -2, -3], other),
        kernel("quarters", "At the distances of doubling: 1/4, 3/4, 5/4, 7/4", [0.25, -0.75, 1.25, -1.75], other),
    ]  # fmt: skip


def resizes() -> list[suite.Case]:
    """Resizing without invalid cells."""
    keys, border = ["keys-three-quarters", "keys-other-cubic"], ["border-other-mirror", "border-zero", "border-cut"]
    impulse, edge = np.zeros((7, 5)), np.zeros((5, 6))
    impulse[3, 2], edge[:, 3:] = 1, 1
    aligned = ["corner-misaligned", "rows-for-columns"]
    ramp = np.add.outer(np.arange(7) * 3.0, np.arange(6) ** 2 / 4)
    return [
        resize("up-impulse", "One cell of 1, doubled: the kernel itself", impulse, (14, 10), keys + aligned),
        resize("up-two-by-three", "2 x 3 cells to 4 x 6: nothing but edge", [[1, 4, 2], [8, 5, 7]], (4, 6),
               border + aligned),
        resize("up-edge-overshoots", "A step from 0 to 1 overshoots on both sides", edge, (10, 12),
               ["overshoot-clipped", *keys]),
        resize("up-by-uneven-factors", "4 x 6 to 7 x 8: weights differ from cell to cell",
               drawn("resize-up-by-uneven-factors", (4, 6)), (7, 8), keys + aligned),
        resize("up-one-cell", "One cell becomes nine of the same", [[3.25]], (3, 3), ["mirror-once", "border-zero"]),
        resize("down-antialias", "10 x 8 to 5 x 4 with the stretched kernel", drawn("resize-down-antialias", (10, 8)),
               (5, 4), ["no-antialias", *keys]),
        resize("down-09", "10 x 20 to 9 x 18, as the pyramid's second level", drawn("resize-down-09", (10, 20)),
               (9, 18), ["no-antialias", "corner-misaligned"], decisions=("D14", "D16")),
        resize("down-odd", "7 x 6 to 5 x 4: the two axes shrink by different factors", ramp, (5, 4),
               ["stretched-both-axes", "border-cut", *aligned]),
        resize("down-rows-up-columns", "Rows shrink, columns grow: each axis has its own stretch",
               drawn("resize-down-rows-up-columns", (9, 4)), (4, 7),
               ["stretched-both-axes", "no-antialias", "rows-for-columns"]),
        resize("down-to-one-row", "3 x 9 to 1 x 2: the kernel is longer than the axis",
               drawn("resize-down-to-one-row", (3, 9)), (1, 2), ["mirror-once", *border]),
        resize("float32", "float32 in, float32 out", drawn("resize-float32", (6, 4), "f4"), (12, 8), keys, limit=2e-6),
    ]  # fmt: skip


def masked() -> list[suite.Case]:
    """Resizing with invalid cells."""
    coast = np.array([[1, 1, 1, 0, 0], [1, 1, 0, 0, 1], [1, 1, 1, 1, 1], [0, 1, 1, 1, 0]], bool)
    values = np.array([[9, 5, 7, 0, 0], [4, 8, 0, 0, 6], [5, 9, 7, 3, 8], [0, 6, 4, 9, 0]])
    fill, norm = ["resize-zero-fill"], ["separate-normalisation"]
    shores = suite.rng("resize-down-coast").random((9, 11)) < 0.6
    return [
        resize("up-coast", "A ragged coast, doubled", values, (8, 10), fill + norm, coast),
        resize("down-coast", "60 % of 9 x 11 cells valid, to 6 x 8", 1 + drawn("resize-down-coast", (9, 11)), (6, 8),
               [*fill, *norm, "half-limit", "no-antialias"], shores),
        resize("half-valid", "Two cells to one, one of them valid: exactly half of the weight is enough",
               [[3, 0], [5, 0]], (1, 1), ["half-limit", *fill], [[True, False]] * 2),
        resize("half-valid-by-symmetry", "Exactly half of the weight of the middle cell of three, by symmetry",
               [[2, 4, 6, 0, 0, 0]], (1, 3), ["half-limit"], [[True] * 3 + [False] * 3]),
        resize("few-valid", "A quarter of the cells valid is not enough", [[8, 0], [0, 0]], (1, 1), ["half-limit"],
               [[True, False], [False, False]]),
        resize("none-valid", "No valid cell: 0 and invalid everywhere, not 0/0", np.zeros((2, 3)), (4, 6),
               ["half-limit"], np.zeros((2, 3))),
    ]  # fmt: skip


def downsamples() -> list[suite.Case]:
    """D16's two kinds."""
    odd = [[1, 3, 5, 8, 2], [7, 9, 2, 6, 4], [4, 8, 12, 5, 10]]
    values = [[1, 6, 3, 0, 0, 0], [4, 0, 0, 0, 0, 0], [2, 5, 7, 9, 0, 8], [3, 1, 0, 4, 6, 0], [5, 7, 0, 2, 0, 0]]
    valid = [[1, 1, 1, 0, 0, 0], [1, 0, 0, 0, 0, 0], [1, 1, 1, 1, 0, 1], [1, 1, 0, 1, 1, 0], [1, 1, 0, 1, 0, 0]]
    return [
        downsample("mean", "Four blocks of 2 x 2", [[1, 2, 3, 4], [5, 6, 7, 9]], "mean", ["block-sum"]),
        downsample("mean-odd", "3 x 5 cells: the last row and column by themselves", odd, "mean",
                   ["block-odd-edge", "downsample-floor"]),
        downsample("mean-invalid", "Blocks with 4, 3, 2, 1 and 0 valid cells, and an odd last row", values, "mean",
                   ["block-zero-fill", "block-any-for-all", "block-odd-edge"], valid),
        downsample("mean-valid-zero", "A valid 0 counts, an invalid one does not", [[0, 6], [0, 0]], "mean",
                   ["block-zero-fill"], [[True, True], [False, True]]),
        downsample("bicubic", "8 x 6 cells, antialiased", drawn("downsample-bicubic", (8, 6)), "bicubic",
                   ["no-antialias", "keys-three-quarters", "border-cut"]),
        downsample("bicubic-odd", "5 x 7 cells to 3 x 4: the factor is 5/3 and 7/4, not 2",
                   drawn("downsample-bicubic-odd", (5, 7)), "bicubic", ["downsample-floor", "corner-misaligned"]),
        downsample("bicubic-invalid", "Invalid cells, with at least half of the weight", values, "bicubic",
                   ["resize-zero-fill", "half-limit"], valid),
    ]  # fmt: skip


def invalid() -> list[suite.Case]:
    """What is refused."""
    image, size = np.array([[1.0, 4.0, 2.0], [8.0, 5.0, 7.0]]), {"rows": 4, "cols": 6}
    valid, hole = np.ones((2, 3), bool), np.array([[1.0, np.nan, 2.0], [8.0, 5.0, 7.0]])
    whole, infinite = {"image.npy": image, "valid.npy": valid}, np.where(image > 7, np.inf, image)
    kind = {"kind": "mean"}
    rows = [
        ("keys-refuses-nan", "keys_kernel", ["distance"], "a distance is NaN", {},
         {"distance.npy": np.array([0.5, np.nan])}),
        ("resize-refuses-no-rows", "resize", ["rows"], "an image of 0 rows", size | {"rows": 0}, whole),
        ("resize-refuses-negative-columns", "resize", ["cols"], "an image of -6 columns", size | {"cols": -6}, whole),
        ("resize-refuses-half-a-row", "resize", ["rows"], "4.5 rows", size | {"rows": 4.5}, whole),
        ("resize-refuses-other-shape", "resize", ["valid", "image"], "valid is transposed", size,
         whole | {"valid.npy": valid.T}),
        ("resize-refuses-one-axis", "resize", ["image"], "an image with one axis only", size,
         {"image.npy": image[0], "valid.npy": valid[0]}),
        ("resize-refuses-nan", "resize", ["image"], "NaN in the image", size, whole | {"image.npy": hole}),
        ("downsample-refuses-unknown-kind", "downsample", ["kind"], "nearest is no kind of downsampling",
         {"kind": "nearest"}, whole),
        ("downsample-refuses-other-shape", "downsample", ["valid", "image"], "valid has a column less than the image",
         kind, whole | {"valid.npy": valid[:, :2]}),
        ("downsample-refuses-infinity", "downsample", ["image"], "an infinity in the image", {"kind": "bicubic"},
         whole | {"image.npy": infinite}),
        ("downsample-refuses-nan-without-data", "downsample", ["image"], "NaN stands for nodata, where arrays hold 0",
         kind, {"image.npy": hole, "valid.npy": np.isfinite(hole)}),
    ]  # fmt: skip
    return [
        suite.refused(name, None, "zssr", operation, ["D16"], fields, why, files, given)
        for name, operation, fields, why, given, files in rows
    ]


def cases() -> list[suite.Case]:
    """All of them."""
    return kernels() + resizes() + masked() + downsamples() + invalid()
