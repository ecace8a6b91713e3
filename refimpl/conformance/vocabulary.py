"""Vocabulary of the golden suite: stages, operations with their output files, comparators, invariants.

golden/README.md, "Operations", says what each operation does.
"""

from __future__ import annotations

STAGES = ("inventory", "raster", "zonal", "regression", "coarse", "zssr", "allocation", "evaluation", "pipeline")
COMPARATORS = ("exact", "ulp", "abs", "rel", "scaled", "rms", "psnr")
INVARIANTS = ("province_sums", "block_mean", "not_negative")
OPERATIONS = {
    "emission_coefficients": ("inventory", "coefficients.csv"),
    "emission": ("inventory", "emission.csv"),
    "read_raster": ("raster", "values.npy valid.npy grid.csv"),
    "cell_areas": ("raster", "areas.npy"),
    "project": ("raster", "projected.csv"),
    "unproject": ("raster", "points_out.csv"),
    "refine_grid": ("raster", "grid.csv"),
    "warp": ("raster", "warped.tif"),
    "zonal_statistics": ("zonal", "zonal.csv"),
    "rank_drivers": ("zonal", "ranking.csv"),
    "min_max_scale": ("regression", "scaled.npy bounds.npy"),
    "standardise": ("regression", "z.npy moments.csv"),
    "kernel_matrix": ("regression", "K.npy"),
    "svr_fit": ("regression", "predicted.npy"),
    "svr_predict": ("regression", "predicted.npy"),
    "linear_fit": ("regression", "predicted.npy coefficients.npy"),
    "bayesian_fit": ("regression", "predicted.npy coefficients.npy precisions.csv"),
    "elastic_net_fit": ("regression", "predicted.npy coefficients.npy"),
    "choose_model": ("regression", "chosen.csv"),
    "fit_regression": ("regression", "predicted.npy"),
    "compare_models": ("regression", "table.csv"),
    "predict_coarse": ("coarse", "coarse.tif negative.csv"),
    "image_range": ("zssr", "image.npy range.csv"),
    "intensity_curve": ("zssr", "curved.npy"),
    "keys_kernel": ("zssr", "weight.npy"),
    "downsample": ("zssr", "coarse.npy coarse_valid.npy"),
    "resize": ("zssr", "resized.npy resized_valid.npy"),
    "rotate_mirror": ("zssr", "turned.npy"),
    "crop_corners": ("zssr", "size.csv corners.npy"),
    "pyramid": ("zssr", "levels.csv"),
    "training_pair": ("zssr", "input.npy target.npy mask.npy"),
    "initialisation": ("zssr", "deviations.csv"),
    "forward": ("zssr", "fine.npy"),
    "gradients": ("zssr", "loss.csv gradients.npy"),
    "adam": ("zssr", "updated.npy first_moment.npy second_moment.npy"),
    "learning_rate": ("zssr", "rates.csv"),
    "train_steps": ("zssr", "trained.npy losses.csv"),
    "infer_window": ("zssr", "fine.npy"),
    "median": ("zssr", "median.npy"),
    "back_project": ("zssr", "corrected.npy"),
    "interpolate": ("zssr", "weights.tif"),
    "apply_network": ("zssr", "weights.tif"),
    "super_resolve": ("zssr", "weights.tif"),
    "allocate_cells": ("allocation", "emission.csv"),
    "allocate": ("allocation", "emission.tif balance.csv"),
    "emission_density": ("allocation", "density.tif"),
    "accuracy": ("evaluation", "accuracy.csv"),
    "accuracy_by_province": ("evaluation", "accuracy.csv"),
    "land_cover_classes": ("evaluation", "classes.npy"),
    "land_cover_shares": ("evaluation", "shares.csv"),
    "odiac": ("evaluation", "density.tif"),
    "ffdas": ("evaluation", "density.tif"),
    "run": ("pipeline", "coarse.tif weights.tif emission.tif balance.csv shares.csv"),
}
"""By operation: the stage that it belongs to, and its output files."""
