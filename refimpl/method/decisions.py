"""The decisions where the paper is silent or ambiguous: one row each, and the function where it acts.

Each is named in the docstring of the code that it governs (a test checks it).  Those with an option name
its key in run.toml; the default stands first.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Decision:
    """One question that the paper leaves open, and the answer taken here."""

    id: str
    question: str
    decision: str
    acts_in: str
    option: str = ""


DECISIONS: tuple[Decision, ...] = (
    Decision(
        "D01",
        "units of Eq. 1",
        "LC kJ/kg x CC kg/GJ x COF x 44/12 x 10^-6 = kg CO2/kg; consumption in 10^4 t",
        "refimpl.method.inventory",
    ),
    Decision("D02", "second '=' of Eq. 1", "the sum over fuels is kept", "refimpl.method.inventory"),
    Decision(
        "D03",
        "zonal statistic",
        "province total = sum of density x true cell area",
        "refimpl.method.province_totals",
    ),
    Decision(
        "D04",
        "working grid",
        "Albers equal-area, parallels 25 and 47, meridian 105, WGS 84",
        "refimpl.earth.projection",
        "grid.projection",
    ),
    Decision(
        "D05",
        "scaling of the drivers",
        "min-max on province totals for fitting, on cells (up to their 99.9 % quantile, held there) for the map",
        "refimpl.method.coarse_map",
        "regression.scaling, regression.upper_quantile",
    ),
    Decision(
        "D06",
        "SVR settings",
        "RBF, C = 1, epsilon = 0.1, gamma = 1/(d Var X), target standardised",
        "refimpl.method.svr",
        "regression.svr.*",
    ),
    Decision(
        "D07",
        "who wins",
        "highest R2 on the test year, ties by RMSE",
        "refimpl.method.selection",
        "regression.model",
    ),
    Decision(
        "D08",
        "negative predictions",
        "clipped to 0 before ZSSR, counted and reported",
        "refimpl.method.image_range",
    ),
    Decision(
        "D09",
        "image range",
        "shifted by the minimum, scaled by the 99.99 % quantile, not clipped above",
        "refimpl.method.image_range",
        "upscale.baseline, upscale.transform",
    ),
    Decision(
        "D10",
        "'8 hidden layers'",
        "8 convolutions 3x3, 64 channels, no bias, ReLU after the first 7, residual",
        "refimpl.method.network",
        "upscale.layers",
    ),
    Decision(
        "D11",
        "initialisation",
        "He, last layer x 0.03; Adam 0.9, 0.999, 1e-8",
        "refimpl.method.network",
        "upscale.initialisation",
    ),
    Decision(
        "D12",
        "learning-rate test",
        "L1 on 16 fixed crops every 50 iterations; every 60, later than 256 after a change, a line through the last 5",
        "refimpl.method.schedule",
        "upscale.policy_loss",
    ),
    Decision("D13", "'until 1e-6'", "training stops when the rate would reach 1e-6", "refimpl.method.schedule"),
    Decision(
        "D14",
        "augmentation",
        "8 rotations and mirrors; scale pyramid, full size half of the time",
        "refimpl.method.training_pairs",
        "upscale.pyramid",
    ),
    Decision(
        "D15",
        "crops",
        "min(128, H, W), even; at least half valid, not all zero; loss masked to valid cells",
        "refimpl.method.training_pairs",
    ),
    Decision(
        "D16",
        "downsampling",
        "2x2 mean of the density; bicubic for images",
        "refimpl.method.resize",
        "upscale.downsampling",
    ),
    Decision(
        "D17",
        "after training",
        "self-ensemble of 8, median; back-projection, 10 iterations; gradual off",
        "refimpl.method.super_resolution",
        "upscale.self_ensemble, upscale.back_projection, upscale.factor",
    ),
    Decision("D18", "clip of the output", "at 0 below, none above", "refimpl.method.super_resolution"),
    Decision("D19", "geometry", "same origin, half the pixel size, twice the rows and columns", "refimpl.earth.grid"),
    Decision(
        "D20",
        "provinces without statistics",
        "nodata, unless a total is supplied",
        "refimpl.method.correction",
        "allocate.totals",
    ),
    Decision(
        "D21",
        "weights that sum to 0",
        "the total is spread evenly over the area, with a warning",
        "refimpl.method.correction",
    ),
    Decision(
        "D22",
        "rounding",
        "the residual of the sum goes to the largest cell, and what that cannot take to the next",
        "refimpl.method.correction",
    ),
    Decision(
        "D23",
        "17 to 7 land covers",
        "forest 1-5, shrubland 6-7, grasslands 8-10, water 0 11 15 17, croplands 12 14, built-up 13, bare 16",
        "refimpl.method.land_cover",
    ),
    Decision(
        "D24",
        "ODIAC and FFDAS units",
        "12 months of t C per cell summed, x 44/12, per km2; kg C/m2/yr x 1000 x 44/12; the mean over the valid part "
        "of a cell (comparisons of maps keep the total instead)",
        "refimpl.evaluation.other_inventories",
    ),
)
