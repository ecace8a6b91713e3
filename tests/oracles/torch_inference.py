"""Trained weights on an image of any size, Fig. 8's map from given weights, and one whole training (Fig. 8; D08-D19).

The network is PyTorch's in float64, what surrounds it ``dense_resize``.
"""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from tests.oracles import suite
from tests.oracles import torch_method as method
from tests.oracles.dense_resize import children
from tests.oracles.torch_training import scene

S = method.Settings

FLAGS = {
    "infer-halo-missing": "A window or tile is computed from its own cells: zeros, not its neighbours, lie around it.",
    "infer-halo-short": "Tiles overlap by fewer cells than the network has layers.",
    "infer-invalid-kept": "Invalid cells are not set to 0 after the network.",
    "infer-window-order": "The window is read as [top, left, bottom, right], or as sizes.",
    "apply-residual-of-coarse": "The residual is not added to the interpolated image, or to the replicated one.",
    "apply-mean-for-median": "The mean of the eight outputs is taken, or the fourth of them, not the median.",
    "apply-inverse-order": "Outputs are turned back in the wrong order: quarter turns first, the mirror last.",
    "apply-no-ensemble": "One output stands for the eight, or eight are made where one is asked for.",
    "apply-back-projection-once": "With the ensemble, only the median is back-projected, not each output before.",
    "apply-back-projection-ignored": "The map is not back-projected, or always ten times.",
    "apply-back-projection-sign": "The difference is subtracted: each iteration leads away from the coarse map.",
    "apply-back-projection-in-curve": "Back-projection runs under the curve: the coarse map is the mean of densities, "
    "not of their logarithms or roots.",
    "apply-curve-not-undone": "The network's output is not brought back from under the curve.",
    "apply-baseline-kept": "The map's minimum, which is removed, comes back, or does not where it is kept.",
    "apply-scale-by-maximum": "The image is scaled by its maximum, not by its 99.99 % quantile: weights are not "
    "homogeneous, so that the map differs under a curve and with biases.",
    "apply-negative-kept": "Negative values of the coarse map set its minimum, or are made positive.",
    "apply-overshoot-kept": "Fine values below 0 are kept, or values above the coarse maximum cut off.",
    "apply-nodata-as-zero": "Invalid cells take part in the interpolation as 0: coasts are too dark.",
    "apply-invalid-into-network": "The network sees interpolated values in invalid cells.",
    "apply-mask-eroded": "Fine cells along the coast are lost, or added.",
    "apply-grid-not-refined": "The fine map has the coarse map's cell size, or is shifted by half a fine cell.",
    "apply-downsampling-ignored": "Back-projection coarsens by another kernel than is asked for.",
    "apply-constant-divided": "The range of a constant map, 0, divides it.",
}

ALBERS = (512000.0, 4210000.0, 1000.0, -1200.0)
DEGREES = (113.5, 38.25, 0.05, -0.04)
EXACT = "float64: some thousand products a cell, 1e-15 in practice; a bug makes 1e-3"


def window_case(name, title, shape, window, flags, *, s=None, hole=False, dtype=float) -> suite.Case:
    """A case of ``infer_window``, by default of three layers of eight channels."""
    s = s or S(3, 8, False)
    case_id = f"infer-{name}"
    image, valid = scene(case_id, shape, hole)
    image = image.astype(dtype)
    parameters = method.draw_parameters(suite.rng(case_id), s.layers, s.channels, s.bias, 1.0).astype(dtype)
    top, bottom, left, right = window
    whole = np.where(valid, method.forward(image.astype(float), parameters, s), 0.0)
    limit, why = (1e-12, EXACT) if dtype is float else (2e-5, "float32: PyTorch's own float32 is 5e-7 away")
    output = suite.Output(whole[top:bottom, left:right].astype(dtype), "scaled", limit, why)
    given = {"layers": s.layers, "channels": s.channels, "bias": s.bias, "window": window}
    how = "conv2d in float64 on the whole image, then cut."
    inputs = {"image.npy": image, "valid.npy": valid, "parameters.npy": parameters}
    return suite.Case(case_id, title, "zssr", "infer_window", ("Fig. 8", "D17"), flags, "pytorch-float64", how, given,
                      inputs, {"fine.npy": output})  # fmt: skip


def windows() -> list[suite.Case]:
    """Tiles against the whole."""
    halo = ("infer-halo-missing", "infer-halo-short")
    return [
        window_case("window-in-the-corner", "A window at the border sees zeros above and to the left, cells elsewhere",
                    (24, 31), [0, 9, 0, 12], ("infer-halo-missing", "infer-window-order")),
        window_case("window-inside", "A window inside of the image sees its neighbours", (40, 50), [17, 23, 21, 41],
                    (*halo, "infer-window-order"), s=S(6, 8, False)),
        window_case("last-cell", "The last cell of the image alone", (11, 9), [10, 11, 8, 9], halo, s=S(4, 8, True)),
        window_case("invalid-cells", "With biases the network has an output in invalid cells too: 0 is asked for",
                    (20, 18), [0, 12, 1, 16], ("infer-invalid-kept",), s=S(2, 8, True), hole=True),
        window_case("across-tiles", "An image larger than a tile of 128 or 192 cells, at a seam of both", (200, 210),
                    [120, 200, 183, 199], halo, dtype=np.float32),
    ]  # fmt: skip


def coarse_map(case_id: str, shape, low: float, high: float, hole=False) -> tuple[np.ndarray, np.ndarray]:
    """Emission between about ``low`` and ``high``, and its valid cells."""
    image, valid = scene(case_id, shape, hole)
    return np.where(valid, (low + (high - low) * image).round(6), 0.0), valid


def apply_case(name, title, flags, s: S, *, shape=(9, 11), span=(3.0, 80.0), hole=False, references=(), negative=False,
               crs=suite.ALBERS_CHINA, transform=ALBERS, nodata=-9999.0, dtype=float) -> suite.Case:  # fmt: skip
    """A case of ``apply_network``."""
    case_id = f"apply-{name}"
    values, valid = coarse_map(case_id, shape, *span, hole)
    if negative:
        values[2, 3:6], values[5, 1] = (-4.0, -0.5, -7.5), -2.25
    parameters = method.draw_parameters(suite.rng(case_id), s.layers, s.channels, s.bias, 0.5).astype(dtype)
    fine, inside = method.upscale(values, valid, parameters, s)
    limit, why = (1e-12, EXACT) if dtype is float else (2e-5, "float32: PyTorch's own float32 is 5e-7 away")
    x0, y0, dx, dy = transform
    tiff = suite.Tiff(fine, (x0, y0, dx / 2, dy / 2), crs, inside)
    default = asdict(S())
    shape_of = ("layers", "channels", "bias")
    named = ("baseline", "transform", "downsampling", "self_ensemble", "back_projection")
    given = {n: v for n, v in asdict(s).items() if n in shape_of or (n in named and v != default[n])}
    how = "Dense resize matrices and conv2d in float64, the eight turns, their median and back-projection."
    inputs = {"coarse.tif": suite.Tiff(values, transform, crs, valid, nodata), "parameters.npy": parameters}
    outputs = {"weights.tif": suite.Output(tiff, "scaled", limit, why)}
    return suite.Case(case_id, title, "zssr", "apply_network", ("Fig. 8", *references), flags,
                      "pytorch-float64", how, given, inputs, outputs)  # fmt: skip


def maps() -> list[suite.Case]:
    """One option after the other, then together."""
    alone = {"self_ensemble": False, "back_projection": 0}
    s = S(3, 8, False)
    geographic = {"crs": suite.WGS84, "transform": DEGREES}
    return [
        apply_case("network-alone", "Interpolation, one pass of the network, and the map's units",
                   ("apply-residual-of-coarse", "apply-overshoot-kept", "apply-grid-not-refined", "apply-no-ensemble",
                    "apply-back-projection-ignored"), S(3, 8, False, **alone), references=("D09", "D16", "D18", "D19")),
        apply_case("back-projection", "One pass of the network, corrected three times",
                   ("apply-back-projection-ignored", "apply-back-projection-sign"),
                   S(3, 8, False, self_ensemble=False, back_projection=3), references=("D17",)),
        apply_case("ensemble", "The median of eight outputs, without back-projection",
                   ("apply-mean-for-median", "apply-inverse-order", "apply-no-ensemble"),
                   S(3, 8, False, back_projection=0), references=("D14", "D17")),
        apply_case("defaults", "All defaults but the network's size: ensemble and ten back-projections",
                   ("apply-back-projection-once", "apply-mean-for-median", "apply-inverse-order"), s, shape=(12, 7),
                   references=("D09", "D16", "D17", "D18", "D19")),
        apply_case("log", "Under the logarithm, corrected on densities", ("apply-curve-not-undone",
                   "apply-back-projection-in-curve", "apply-scale-by-maximum"), S(3, 8, False, transform="log"),
                   references=("D09", "D17")),
        apply_case("sqrt", "Under the square root, with biases", ("apply-curve-not-undone", "apply-scale-by-maximum"),
                   S(2, 8, True, transform="sqrt", self_ensemble=False, back_projection=2), references=("D09",)),
        apply_case("baseline-kept", "The minimum, 3, is added back; degrees", ("apply-baseline-kept",),
                   S(3, 8, False, baseline="keep", **alone), references=("D09", "D19"), nodata=None, **geographic),
        apply_case("coast", "Holes and coast: interpolation takes no invalid cell, the network sees 0 there",
                   ("apply-nodata-as-zero", "apply-invalid-into-network", "apply-mask-eroded"), s, shape=(11, 12),
                   hole=True, references=("D15", "D16", "D17")),
        apply_case("coast-one-pass", "Holes and coast with biases, in degrees, nodata NaN",
                   ("apply-nodata-as-zero", "apply-invalid-into-network", "apply-mask-eroded"),
                   S(2, 8, True, **alone), shape=(10, 13), hole=True, references=("D16",), nodata=np.nan, **geographic),
        apply_case("coast-bicubic", "Back-projection with bicubic downsampling, with holes",
                   ("apply-downsampling-ignored",), S(2, 8, False, downsampling="bicubic", self_ensemble=False),
                   shape=(11, 12), hole=True, references=("D16", "D17")),
        apply_case("negative-cells", "Four cells of the coarse map are negative: they and its minimum count as 0",
                   ("apply-negative-kept",), S(2, 8, False, baseline="keep", self_ensemble=False), negative=True,
                   references=("D08", "D09", "D18")),
        apply_case("float32", "Parameters in float32", ("apply-no-ensemble",), S(3, 8, False, self_ensemble=False),
                   dtype=np.float32, references=("D17",)),
        constant(),
    ]  # fmt: skip


def constant() -> suite.Case:
    """A constant map is an image of zeros, of which a network without biases makes zeros: the minimum is left."""
    valid = np.ones((4, 5), bool)
    valid[0, 3:] = False
    parameters = method.draw_parameters(suite.rng("apply-constant"), 2, 8)
    x0, y0, dx, dy = ALBERS
    fine = suite.Tiff(np.full((8, 10), 12.5), (x0, y0, dx / 2, dy / 2), valid=children(valid))
    return suite.Case(
        "apply-constant-hand", "A constant map comes back as it is where the baseline is kept", "zssr", "apply_network",
        ("Fig. 8", "D09"), ("apply-constant-divided", "apply-baseline-kept"), "hand",
        "The image is 0, so is its residual without biases; + 12.5.",
        {"layers": 2, "channels": 8, "bias": False, "baseline": "keep"},
        {"coarse.tif": suite.Tiff(np.full((4, 5), 12.5), ALBERS, valid=valid, nodata=-1.0),
         "parameters.npy": parameters},
        {"weights.tif": suite.Output(fine, "scaled", 1e-14, "0 x 1 + 12.5")},
    )  # fmt: skip


def refusals() -> list[suite.Case]:
    """Everything right but for one thing."""
    image, valid = scene("infer-refusals", (6, 9))
    parameters = method.draw_parameters(suite.rng("infer-refusals"), 2, 8)
    shape = {"layers": 2, "channels": 8, "bias": False}
    right = {"image.npy": image, "valid.npy": valid, "parameters.npy": parameters}
    of_windows = (
        ("window-beyond", "columns 4 to 9 of 9 columns", {"window": [0, 4, 4, 10]}, {}, ["window"]),
        ("window-upside-down", "top lies below bottom", {"window": [5, 2, 0, 9]}, {}, ["window"]),
        ("negative-window", "the window begins above the image", {"window": [-2, 3, 0, 9]}, {}, ["window"]),
        ("three-edges", "a window of three numbers", {"window": [0, 3, 9]}, {}, ["window"]),
        ("valid-of-another-shape", "the mask is transposed", {"window": [0, 3, 0, 9]}, {"valid.npy": valid.T},
         ["valid"]),
    )  # fmt: skip
    found = [
        suite.refused(f"infer-refuses-{name}", None, "zssr", "infer_window", ("Fig. 8", "D17"), fields, why,
                      right | change, shape | given)
        for name, why, given, change, fields in of_windows
    ]  # fmt: skip
    values, inside = coarse_map("apply-refusals", (5, 6), 1.0, 9.0)
    spoilt = parameters.copy()
    spoilt[3] = np.nan
    coarse = suite.Tiff(values, ALBERS)
    nowhere = suite.Tiff(values, ALBERS, valid=~inside, nodata=-1.0)
    of_maps = (
        ("negative-back-projection", "back_projection is -1", {"back_projection": -1}, {}, ["back_projection"], "D17"),
        ("unknown-transform", "transform is gamma", {"transform": "gamma"}, {}, ["transform"], "D09"),
        ("unknown-baseline", "baseline is drop", {"baseline": "drop"}, {}, ["baseline"], "D09"),
        ("unknown-downsampling", "downsampling is nearest", {"downsampling": "nearest"}, {}, ["downsampling"], "D16"),
        ("map-without-cells", "the coarse map has no valid cell", {}, {"coarse.tif": nowhere}, ["coarse"], "D09"),
        ("missing-weights", "parameters of two layers for four", {"layers": 4}, {}, ["parameters"], "D10"),
        ("nan-weight", "a weight is NaN", {}, {"parameters.npy": spoilt}, ["parameters"], "D10"),
    )
    inputs = {"coarse.tif": coarse, "parameters.npy": parameters}
    return found + [
        suite.refused(f"apply-refuses-{name}", None, "zssr", "apply_network", ("Fig. 8", decision), fields, why,
                      inputs | change, shape | given)
        for name, why, given, change, fields, decision in of_maps
    ]  # fmt: skip


def cases() -> list[suite.Case]:
    """Windows and maps."""
    return [*windows(), *maps(), *refusals()]
