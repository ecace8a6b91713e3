"""Medians by hand and back-projection (D16, D17) in exact fractions."""

from __future__ import annotations

import numpy as np

from tests.oracles import suite
from tests.oracles.exact_resize import back_projected, children, exact, rounded

FLAGS = {
    "median-mean": "The mean of the eight instead of their median: one bad turn spoils the cell.",
    "median-even": "For an even number the lower (PyTorch) or the upper of the middle two instead of their mean.",
    "median-wrong-axis": "The median is taken along the rows or over the whole image.",
    "median-unsorted": "The middle one as they come, or sorted by absolute value.",
    "back-projection-sign": "downsample(fine) - coarse is added: the error doubles instead of vanishing.",
    "back-projection-once": "One iteration whatever is asked, or one more or fewer than asked.",
    "back-projection-residual": "The difference is not interpolated but repeated, or interpolated "
    "with validity (D17: plain).",
    "back-projection-invalid": "Invalid cells start with what they hold, have a difference, or keep what the "
    "interpolation put there: it leaks to the coast.",
    "back-projection-kind": "Always the 2x2 mean, or always the bicubic kernel.",
    "back-projection-sum": "The four cells are added up, or the difference is divided by four.",
    "back-projection-clip": "Values are clipped at 0 between iterations.",
    "back-projection-kernel": "Keys with a = -0.75, or the edge cut off instead of mirrored, in the interpolation.",
}
WHY = "ten iterations of resizing in float64: some 3e-15 of the largest value; the flags move values by 1e-4 or more"


def median(name, title, images, answer, flags) -> suite.Case:
    """A case of ``median``."""
    output = suite.Output(np.array(answer, float), "ulp", 1, "a choice, or half of a sum")
    return suite.Case(
        f"median-{name}", title, "zssr", "median", ["D17"], flags, "hand", "Sorted by hand.", {},
        {"images.npy": np.array(images, float)}, {"median.npy": output},
    )  # fmt: skip


def back_project(name, title, fine, coarse, valid, iterations, flags, kind=None) -> suite.Case:
    """A case of ``back_project``."""
    fine, coarse = np.asarray(fine, float), np.asarray(coarse, float)
    valid = np.ones(coarse.shape, bool) if valid is None else np.asarray(valid, bool)
    coarse = np.where(valid, coarse, 0)
    answer = rounded(back_projected(exact(fine), exact(coarse), valid, iterations, kind or "mean"))
    return suite.Case(
        f"back-project-{name}", title, "zssr", "back_project", ["D16", "D17"], flags, "fractions",
        "Every iteration as fractions, rounded once.",
        {"iterations": iterations} | ({"downsampling": kind} if kind else {}),
        {"fine.npy": fine, "coarse.npy": coarse, "valid.npy": valid},
        {"corrected.npy": suite.Output(answer, "scaled", 1e-13, WHY)},
    )  # fmt: skip


def medians() -> list[suite.Case]:
    """D17: of the ensemble."""
    order = ["median-unsorted", "median-mean"]
    eight = np.array([[[8, -1, 0.5]], [[1, -2, 4]], [[7, -30, 0.25]], [[2, 5, 16]], [[100, 6, 2]], [[3, -4, 1]],
    [[5, 0, 8]],
                      [[4, -8, 32]]])  # fmt: skip
    return [
        median("of-eight", "The mean of the middle two of eight", eight, [[4.5, -1.5, 3]], [*order, "median-even"]),
        median("of-five", "The middle one of five", eight[:5], [[7, -1, 2]], order),
        median("of-two", "Two images: their mean", [[[1, -3], [2, 8]], [[4, -5], [2, 0]]], [[2.5, -4], [2, 4]],
               ["median-even", "median-wrong-axis"]),
        median("of-one", "One image is its own median, 3 x 2 cells", [[[3, 1], [-2, 9], [5, 4]]],
               [[3, 1], [-2, 9], [5, 4]], ["median-wrong-axis"]),
        median("of-four-negative", "Negative values are sorted by value, not by size",
               [[[-8, 1]], [[2, -1]], [[-1, -3]], [[0.5, 5]]], [[-0.25, 0]], [*order, "median-even"]),
    ]  # fmt: skip


def back_projections() -> list[suite.Case]:
    """D17: correction."""
    steps = suite.rng("back-project")
    coarse = steps.integers(0, 65, (3, 5)) / 16
    fine = np.round(64 * children(coarse) * steps.random((6, 10))) / 64
    valid = np.array([[1, 1, 1, 1, 0], [1, 0, 1, 1, 1], [1, 1, 1, 0, 0]], bool)
    once, mask = ["back-projection-sign", "back-projection-once"], ["back-projection-invalid"]
    little, small = [[0, 8], [4, 2]], np.zeros((4, 4))
    return [
        back_project("none", "No iteration: invalid cells become 0, the rest stays", fine, coarse, valid, 0,
                     [*mask, "back-projection-once"]),
        back_project("once-by-hand", "One cell: the difference of 3 - 2.5 is added to all four", [[1, 2], [3, 4]],
                     [[3]], None, 1, [*once, "back-projection-sum"]),
        back_project("once", "From nothing: the interpolation of the coarse map itself", small, little, None, 1,
                     [*once, "back-projection-residual", "back-projection-kernel", "back-projection-sum"]),
        back_project("three", "Three iterations on 3 x 5 cells", fine, coarse, None, 3,
                     [*once, "back-projection-kernel"]),
        back_project("ten", "Ten iterations on 3 x 5 cells", fine, coarse, None, 10, [*once, "back-projection-sum"]),
        back_project("ten-invalid", "Ten iterations with invalid cells", fine, coarse, valid, 10,
                     [*once, *mask, "back-projection-residual"]),
        back_project("negative", "Values below 0 stay below 0 on the way", fine - 2, coarse - 2.5, None, 3,
                     ["back-projection-clip"]),
        back_project("bicubic", "Two iterations under the bicubic kernel", fine, coarse, None, 2,
                     ["back-projection-kind", "back-projection-sign"], "bicubic"),
        back_project("bicubic-invalid", "The bicubic kernel and invalid cells", fine, coarse, valid, 2,
                     ["back-projection-kind", *mask], "bicubic"),
        back_project("none-valid", "No valid cell: all 0", fine[:2, :4], coarse[:1, :2], [[False, False]], 3, mask),
    ]  # fmt: skip


def invalid() -> list[suite.Case]:
    """What is refused."""
    fine, coarse, valid = np.arange(24.0).reshape(4, 6), np.array([[1.0, 5, 2], [8, 3, 4]]), np.ones((2, 3), bool)
    whole, one = {"fine.npy": fine, "coarse.npy": coarse, "valid.npy": valid}, {"iterations": 1}
    rows = [
        ("negative-iterations", ["iterations"], "-1 iterations", {"iterations": -1}, {}),
        ("half-an-iteration", ["iterations"], "one and a half iterations", {"iterations": 1.5}, {}),
        ("odd-fine", ["fine", "coarse"], "5 fine rows for 2 coarse ones", one, {"fine.npy": np.ones((5, 6))}),
        ("transposed-coarse", ["coarse", "fine", "valid"], "coarse is transposed", one, {"coarse.npy": coarse.T}),
        ("other-valid", ["valid"], "valid has the fine shape", one, {"valid.npy": np.ones((4, 6), bool)}),
        ("nan", ["fine"], "NaN in the fine image", one, {"fine.npy": np.where(fine == 7, np.nan, fine)}),
        ("unknown-downsampling", ["downsampling"], "nearest is no kind of downsampling",
         one | {"downsampling": "nearest"}, {}),
    ]  # fmt: skip
    images = np.arange(12.0).reshape(3, 2, 2)
    of_median = [
        ("one-image", "a single image without the first axis", images[0]),
        ("no-image", "no image at all", images[:0]),
        ("nan", "NaN in one of the images", np.where(images == 5, np.nan, images)),
    ]
    return [
        suite.refused(f"back-project-refuses-{name}", None, "zssr", "back_project", ["D17"], fields, why, whole | other,
                      given)
        for name, fields, why, given, other in rows
    ] + [
        suite.refused(f"median-refuses-{name}", None, "zssr", "median", ["D17"], ["images"], why, {"images.npy": array})
        for name, why, array in of_median
    ]  # fmt: skip


def cases() -> list[suite.Case]:
    """All of them."""
    return medians() + back_projections() + invalid()
