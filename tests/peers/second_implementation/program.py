"""The program: task in, output files and exit status out; the module of the stage is imported when it is needed."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from tests.peers.second_implementation.files import Refused, Task, write

MODULES = {
    "inventory": ("emission_coefficients", "emission"),
    "grids": ("read_raster", "cell_areas", "project", "unproject", "refine_grid"),
    "warp": ("warp",),
    "zonal": ("zonal_statistics", "rank_drivers"),
    "scaling": ("min_max_scale", "standardise"),
    "support_vectors": ("kernel_matrix", "svr_fit", "svr_predict"),
    "linear_models": ("linear_fit", "bayesian_fit", "elastic_net_fit"),
    "models": ("choose_model", "fit_regression", "compare_models", "predict_coarse"),
    "images": ("image_range", "intensity_curve", "keys_kernel", "downsample", "resize", "rotate_mirror", "median",
               "back_project", "interpolate"),
    "crops": ("crop_corners", "pyramid", "training_pair"),
    "network": ("initialisation", "forward", "gradients", "adam", "infer_window", "apply_network"),
    "training": ("learning_rate", "train_steps", "super_resolve"),
    "allocation": ("allocate_cells", "allocate", "emission_density"),
    "evaluation": ("accuracy", "accuracy_by_province", "land_cover_classes", "land_cover_shares", "odiac", "ffdas"),
    "pipeline": ("run",),
}  # fmt: skip


def answer(task: Task) -> dict[str, object]:
    """The outputs of the task by file name; raises Refused, or NotImplementedError."""
    for module, operations in MODULES.items():
        if task.operation in operations:
            return getattr(importlib.import_module(f"tests.peers.second_implementation.{module}"), task.operation)(task)
    raise NotImplementedError(f"the operation {task.operation} is not supported")


def main(in_dir: str | Path, out_dir: str | Path) -> int:
    """Answer the case in ``in_dir``: 0 with the outputs in ``out_dir``, 1 refused, 2 not supported."""
    try:
        outputs = answer(Task(Path(in_dir)))
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except NotImplementedError as missing:
        print(missing, file=sys.stderr)
        return 2
    for name, value in outputs.items():
        write(Path(out_dir) / name, value)
    return 0
