"""refimpl's answers to the golden suite: every operation of the contract, what it refuses, and refimpl as a program."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from refimpl.conformance.answers import given_answers
from refimpl.conformance.csv_and_npy import write_columns, write_npy
from refimpl.conformance.operations import OPERATIONS, answer
from refimpl.conformance.task import Task
from refimpl.conformance.vocabulary import OPERATIONS as CONTRACT
from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA
from refimpl.errors import InputError
from refimpl.formats.writing import write_raster
from refimpl.twins import backend

README = Path(__file__).parents[1] / "golden" / "README.md"
ALBERS = {"crs": "albers-china"}
RNG = np.random.default_rng(0)
WORLD = Grid(ALBERS_CHINA, (0.0, 24000.0, 1000.0, -1000.0), (24, 24))


def tif(values, cell=1000.0, top=6000.0):
    values = np.asarray(values)
    return Raster(values, np.ones(values.shape, bool), Grid(ALBERS_CHINA, (0.0, top, cell, -cell), values.shape))


def grid(cell, rows, cols, top=6000.0):
    return ALBERS | {"transform": [0.0, top, cell, -cell], "shape": [rows, cols]}


IMAGE = RNG.random((6, 8))
VALID = np.ones((6, 8), bool)
ZONES = tif(np.repeat([[11, 12]], 6, axis=0).repeat(4, axis=1))
PARAMETERS = RNG.normal(0, 0.1, 9 * 2 + 9 * 2 * 2 + 9 * 2)
NETWORK = {"layers": 3, "channels": 2, "bias": False}
TAPE = {"step": [0, 1, 2], "scale": [1.0, 1.0, 0.9], "row": [0, 1, 0], "column": [2, 3, 1], "turn": [0, 5, 2]}
X, Y, X_NEW = RNG.random((6, 2)), RNG.random(6), RNG.random((3, 2))
FIT = {"X.npy": X, "y.npy": Y, "X_new.npy": X_NEW}
PICTURE = {"image.npy": IMAGE, "valid.npy": VALID}
PLAIN = {"image.npy": IMAGE}
COARSE = {"coarse.tif": tif(IMAGE)}
WEIGHTS = {"parameters.npy": PARAMETERS}
TOTALS = {"totals.csv": {"code": [12, 11], "total": [3.0, 5.0]}}
ENERGY = {"code": [11, 12, 13], "province": ["A", "B", "C"]}
MODEL = {"model": "svr", "settings": {"C": 2.0}}


def world() -> dict:
    """Three provinces, two drivers, two years, 24 x 24 cells."""
    zones = np.repeat([11, 12, 13], 8)[np.newaxis].repeat(24, axis=0)
    inputs = {"zones.tif": Raster(zones, zones > 0, WORLD), "igbp.tif": Raster(zones % 10 + 11, zones > 0, WORLD)}
    for name in ("lights", "people"):
        for year in ("fit", "test"):
            inputs[f"{name}_{year}.tif"] = Raster(RNG.random((24, 24)) * zones, zones > 0, WORLD)
    table = {name: values * 2 for name, values in ENERGY.items()} | {"year": [2010] * 3 + [2005] * 3}
    return inputs | {"energy.csv": table | {"coal": [10.0, 30.0, 20.0, 9.0, 25.0, 16.0]}}


TASKS = {
    "emission_coefficients": ({}, {"fuels.csv": {"fuel": ["peat"], "LC": [1e4], "CC": [28.0], "COF": [0.9]}}),
    "emission": ({}, {"consumption.csv": ENERGY | {"year": [2010] * 3, "coal": [1.0, 2.0, 0.0]}}),
    "read_raster": ({}, {"raster.tif": tif(IMAGE)}),
    "cell_areas": ({"crs": {"kind": "geographic"}, "transform": [0, 2, 1, -1], "shape": [2, 3]}, {}),
    "project": (ALBERS, {"points.csv": {"lon": [105.0], "lat": [35.0]}}),
    "unproject": (ALBERS, {"points.csv": {"x": [0.0], "y": [4e6]}}),
    "refine_grid": ({"transform": [0, 6, 2, -2], "shape": [3, 4]}, {}),
    "warp": (grid(2000.0, 3, 4) | {"kind": "count"}, {"source.tif": tif(IMAGE)}),
    "zonal_statistics": ({}, {"density.tif": tif(IMAGE), "zones.tif": ZONES}),
    "rank_drivers": ({}, {"totals.csv": {"code": [1, 2, 3], "emission": [1.0, 2.0, 4.0], "lights": [2.0, 3.0, 4.0]}}),
    "min_max_scale": ({"clip": True}, {"fit.npy": X, "data.npy": X_NEW}),
    "standardise": ({}, {"y.npy": Y}),
    "kernel_matrix": ({"kernel": "rbf", "gamma": 0.5}, {"X.npy": X, "Z.npy": X_NEW}),
    "svr_fit": ({"C": 2.0}, FIT),
    "svr_predict": (
        {"kernel": "poly", "gamma": 0.5, "intercept": 1.0},
        {"support_vectors.npy": X, "dual_coef.npy": Y, "X_new.npy": X_NEW},
    ),
    "linear_fit": ({}, FIT),
    "bayesian_fit": ({}, FIT),
    "elastic_net_fit": ({"alpha": 0.01}, FIT),
    "choose_model": (
        {},
        {"scores.csv": {"model": ["a", "b"], "test_r2": [float("nan"), -1.0], "test_rmse": [1.0, 2.0]}},
    ),
    "fit_regression": (MODEL, {"drivers.npy": X, "emission.npy": Y, "drivers_new.npy": X_NEW}),
    "compare_models": (
        {},
        {"drivers_fit.npy": X, "emission_fit.npy": Y, "drivers_test.npy": X[::-1], "emission_test.npy": Y},
    ),
    "predict_coarse": (
        MODEL,
        {"drivers.npy": X, "emission.npy": Y, "driver_1.tif": tif(IMAGE), "driver_2.tif": tif(IMAGE.max() - IMAGE)},
    ),
    "image_range": ({}, COARSE),
    "intensity_curve": ({"transform": "log", "direction": "expand"}, PLAIN),
    "keys_kernel": ({}, {"distance.npy": np.array([0.5, -1.5])}),
    "downsample": ({"kind": "mean"}, PICTURE),
    "resize": ({"rows": 3, "cols": 5}, PICTURE),
    "rotate_mirror": ({"turn": 5, "inverse": True}, PLAIN),
    "crop_corners": ({"crop": 4}, PICTURE),
    "pyramid": ({"crop": 4}, PICTURE),
    "training_pair": ({"crop": 4, "scale": 0.9, "row": 1, "column": 2, "turn": 3}, PICTURE),
    "initialisation": ({"layers": 3, "channels": 2}, {}),
    "forward": (NETWORK, PLAIN | WEIGHTS),
    "gradients": (NETWORK, PLAIN | WEIGHTS | {"target.npy": IMAGE[::-1], "mask.npy": VALID}),
    "adam": ({}, {"parameters.npy": Y, "gradients.npy": np.stack([Y, -Y])}),
    "learning_rate": ({"steps": 400}, {"errors.csv": {"step": [50, 100, 150, 200, 250], "error": [1.0] * 5}}),
    "train_steps": (NETWORK | {"crop": 4}, PICTURE | WEIGHTS | {"tape.csv": TAPE}),
    "infer_window": (NETWORK | {"window": [1, 4, 0, 3]}, PICTURE | WEIGHTS),
    "median": ({}, {"images.npy": RNG.random((8, 2, 3))}),
    "back_project": ({"iterations": 2}, {"fine.npy": np.zeros((12, 16)), "coarse.npy": IMAGE, "valid.npy": VALID}),
    "interpolate": ({"method": "bicubic", "back_projection": 1}, COARSE),
    "apply_network": (NETWORK | {"back_projection": 1}, COARSE | WEIGHTS),
    "super_resolve": (NETWORK | {"seed": 1, "crop": 4, "max_steps": 2, "back_projection": 0}, COARSE),
    "allocate_cells": (
        {},
        {"cells.csv": {"code": [11, 12, 11, 13], "weight": [1.0, 2.0, 3.0, 4.0], "area_km2": [1.0] * 4}} | TOTALS,
    ),
    "allocate": ({}, {"weights.tif": tif(IMAGE), "zones.tif": ZONES} | TOTALS),
    "emission_density": ({}, {"emission.tif": tif(IMAGE)}),
    "accuracy": ({}, {"observed.npy": Y, "estimated.npy": Y + 1}),
    "accuracy_by_province": ({}, {"observed.tif": tif(IMAGE), "estimated.tif": tif(IMAGE + 1), "zones.tif": ZONES}),
    "land_cover_classes": ({}, {"igbp.npy": np.array([0, 17, 13], np.uint8)}),
    "land_cover_shares": (
        {},
        {"emission.tif": tif(IMAGE), "zones.tif": ZONES, "igbp.tif": tif(np.full((6, 8), 13, np.uint8))},
    ),
    "odiac": (grid(2000.0, 3, 4), {f"month_{month:02d}.tif": tif(IMAGE * month) for month in range(1, 13)}),
    "ffdas": (grid(2000.0, 3, 4), {"ffdas.tif": tif(IMAGE)}),
    "run": (
        grid(2000.0, 12, 12, 24000.0)
        | NETWORK
        | {"drivers": ["lights", "people"], "fit_year": 2010, "test_year": 2005}
        | {"crop": 4, "self_ensemble": False, "back_projection": 1},
        world() | WEIGHTS | {"tape.csv": TAPE},
    ),
}
"""A small task of every operation."""


def written(folder: Path, operation: str, change: dict | None = None, without: str = "", **parameters) -> Task:
    """The small task with its files in ``folder``, some inputs changed or left out, some parameters changed."""
    given, inputs = TASKS.get(operation, ({}, {}))
    inputs = {name: value for name, value in (inputs | (change or {})).items() if name != without}
    writers = {".npy": write_npy, ".csv": write_columns, ".tif": write_raster}
    for name, value in inputs.items():
        writers[Path(name).suffix](folder / name, value)
    outputs = tuple(CONTRACT.get(operation, ("", ""))[1].split())
    return Task("toy", operation, given | parameters, folder, tuple(inputs), outputs)


def refusal(task: Task) -> str:
    with backend("numpy"), pytest.raises((InputError, ValueError)) as refused:
        answer(task)
    return str(refused.value)


def names(word: str, text: str) -> bool:
    return re.search(rf"(?<![A-Za-z0-9_]){re.escape(word)}(?![A-Za-z0-9_])", text) is not None


def test_the_contract_and_these_operations_are_the_same():
    rows = re.findall(r"^\| `(\w+)` \|", README.read_text(encoding="utf-8").split("## Operations")[1], re.MULTILINE)
    assert len(rows) == len(set(rows)) and set(rows) == set(OPERATIONS) == set(CONTRACT) == set(TASKS)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_answers_with_the_files_that_the_contract_names(tmp_path, operation):
    task = written(tmp_path, operation)
    with backend("numpy"):
        answers, faults = given_answers(answer(task), task)
    assert not faults and set(answers) == set(task.outputs)
    for name, value in answers.items():
        kind = {".npy": np.ndarray, ".csv": dict, ".tif": Raster}[Path(name).suffix]
        assert isinstance(value, kind), name


@pytest.mark.parametrize("operation", [name for name, (_, inputs) in TASKS.items() if inputs])
def test_a_missing_input_is_refused_by_name(tmp_path, operation):
    for missing in TASKS[operation][1]:
        task = written(tmp_path, operation, without=missing)
        assert names(missing.split(".")[0], refusal(task)), missing


@pytest.mark.parametrize("operation", TASKS)
def test_a_nan_in_an_array_or_table_is_refused_by_name(tmp_path, operation):
    for name, value in TASKS[operation][1].items():
        if name.endswith(".npy") and value.dtype.kind == "f":
            wrong = value.copy()
            wrong.flat[-1] = np.nan
            assert names(name[:-4], refusal(written(tmp_path, operation, {name: wrong}))), name
        if name.endswith(".csv"):
            for column, cells in value.items():
                if isinstance(cells[0], str) or column == "test_r2":
                    continue
                wrong = value | {column: [*cells[:-1], float("nan")]}
                assert names(column, refusal(written(tmp_path, operation, {name: wrong}))), column


@pytest.mark.parametrize("operation", [name for name, (_, inputs) in TASKS.items() if "image.npy" in inputs])
def test_float32_images_give_float32_answers(tmp_path, operation):
    inputs = TASKS[operation][1]
    single = {n: v.astype(np.float32) for n, v in inputs.items() if n.endswith(".npy") and v.dtype == np.float64}
    with backend("numpy"):
        found = answer(written(tmp_path, operation, single))
    assert {v.dtype for v in found.values() if isinstance(v, np.ndarray)} <= {np.dtype(np.float32), np.dtype(bool)}


WRONG = [
    ("emission", "code", {}, {"consumption.csv": ENERGY | {"code": [11, 11, 13], "year": [1] * 3, "coal": [1] * 3}}),
    ("emission_coefficients", "COF", {}, {"fuels.csv": {"fuel": ["x"], "LC": [1.0], "CC": [1.0], "COF": [1.5]}}),
    ("read_raster", "band", {"band": 2}, {}),
    ("cell_areas", "shape", {"shape": [0, 3]}, {}),
    ("cell_areas", "transform", {"transform": [0, 2, 1, 1]}, {}),
    ("project", "crs", {"crs": {"kind": "mercator"}}, {}),
    ("unproject", "crs", {"crs": {"kind": "albers", "parallels": [30, -30]}}, {}),
    ("project", "crs", {"crs": {"kind": "albers", "parallel": 25}}, {}),
    ("refine_grid", "factor", {"factor": 0}, {}),
    ("warp", "kind", {"kind": "mean"}, {}),
    ("zonal_statistics", "zones", {}, {"zones.tif": tif(np.full((6, 8), 1.5))}),
    ("zonal_statistics", "zones", {}, {"zones.tif": tif(np.ones((6, 8), int), 2000.0)}),
    ("standardise", "y", {}, {"y.npy": X}),
    ("svr_fit", "y", {}, {"y.npy": Y[:5]}),
    ("svr_fit", "X_new", {}, {"X_new.npy": X_NEW[:, :1]}),
    ("svr_fit", "epsilon", {"epsilon": -1}, {}),
    ("kernel_matrix", "Z", {}, {"Z.npy": X_NEW[:, :1]}),
    ("fit_regression", "model", {"model": "svm"}, {}),
    ("fit_regression", "gamma", {"settings": {"gamma": "wide"}}, {}),
    ("fit_regression", "settings", {"settings": [1]}, {}),
    ("predict_coarse", "driver_2", {}, {"driver_2.tif": tif(IMAGE, 500.0)}),
    ("predict_coarse", "driver_3", {}, {"driver_3.tif": tif(IMAGE)}),
    ("image_range", "coarse", {}, {"coarse.tif": Raster(np.zeros((6, 8)), ~VALID, tif(IMAGE).grid)}),
    ("intensity_curve", "direction", {"direction": "up"}, {}),
    ("resize", "rows", {"rows": 2.5}, {}),
    ("crop_corners", "crop", {"crop": 5}, {}),
    ("pyramid", "image", {}, {"image.npy": np.zeros((6, 8))}),
    ("downsample", "valid", {}, {"valid.npy": VALID[:5]}),
    ("training_pair", "scale", {"scale": 0.55}, {}),
    ("forward", "parameters", {"bias": True}, {}),
    ("forward", "bias", {"bias": 1}, {}),
    ("gradients", "mask", {}, {"mask.npy": ~VALID}),
    ("adam", "gradients", {}, {"gradients.npy": np.ones((2, 3))}),
    ("learning_rate", "final_rate", {"final_rate": 1e-3}, {}),
    ("learning_rate", "step", {}, {"errors.csv": {"step": [100, 50], "error": [1.0, 1.0]}}),
    ("train_steps", "step", {}, {"tape.csv": TAPE | {"step": [0, 2, 1]}}),
    ("train_steps", "tape", {}, {"tape.csv": TAPE | {"row": [0, 4, 0]}}),
    ("train_steps", "policy_loss", {"policy_loss": "l2"}, {}),
    ("infer_window", "window", {"window": [0, 7, 0, 8]}, {}),
    ("infer_window", "window", {"window": [0, 6, 0]}, {}),
    ("median", "images", {}, {"images.npy": IMAGE}),
    ("back_project", "iterations", {"iterations": -1}, {}),
    ("interpolate", "method", {"method": "nearest"}, {}),
    ("apply_network", "transform", {"transform": "exp"}, {}),
    ("super_resolve", "seed", {"seed": -1}, {}),
    ("allocate_cells", "code", {}, {"totals.csv": {"code": [11, 11], "total": [1.0, 2.0]}}),
    ("allocate_cells", "total", {}, {"totals.csv": {"code": [11], "total": [-1.0]}}),
    ("allocate_cells", "weight", {}, {"cells.csv": {"code": [11], "weight": [-1.0], "area_km2": [1.0]}}),
    ("allocate_cells", "area_km2", {}, {"cells.csv": {"code": [11], "weight": [1.0], "area_km2": [0.0]}}),
    ("allocate", "weights", {}, {"weights.tif": tif(IMAGE - 0.5)}),
    ("accuracy", "estimated", {}, {"estimated.npy": Y[:5]}),
    ("land_cover_classes", "igbp", {}, {"igbp.npy": np.array([18], np.uint8)}),
    ("odiac", "month_13", {}, {"month_13.tif": tif(IMAGE)}),
    ("odiac", "month_03", {}, {"month_03.tif": tif(IMAGE, 500.0)}),
    ("run", "test_year", {"test_year": 2010}, {}),
    ("run", "drivers", {"drivers": []}, {}),
    ("adam", "beta1", {"beta1": "0.9"}, {}),
    ("warp", "minimum_valid", {"minimum_valid": True}, {}),
    ("intensity_curve", "direction", {"direction": ["compress"]}, {}),
    ("pyramid", "pyramid", {"pyramid": 1}, {}),
]


@pytest.mark.parametrize("operation, field, parameters, change", WRONG)
def test_a_fault_is_refused_for_the_sake_of_its_field(tmp_path, operation, field, parameters, change):
    assert names(field, refusal(written(tmp_path, operation, change, **parameters)))


def test_a_warning_about_the_data_does_not_disturb_an_answer(tmp_path, recwarn):
    change = {"cells.csv": {"code": [11], "weight": [0.0], "area_km2": [1.0]}}
    with backend("numpy"):
        found = answer(written(tmp_path, "allocate_cells", change))["emission"]
    assert found["emission"].tolist() == [5.0] and not recwarn.list


def program(task: Task, tmp_path: Path) -> subprocess.CompletedProcess:
    task.write(tmp_path / "in")
    (tmp_path / "out").mkdir()
    command = [sys.executable, "-m", "refimpl.conformance", str(tmp_path / "in"), str(tmp_path / "out")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("operation, parameters, status, says", [
    ("refine_grid", {}, 0, ""),
    ("refine_grid", {"factor": 1.5}, 1, "factor"),
    ("teleport", {}, 2, "teleport"),
])
def test_refimpl_is_a_program_of_the_suite(tmp_path, operation, parameters, status, says):
    (tmp_path / "files").mkdir()
    done = program(written(tmp_path / "files", operation, **parameters), tmp_path)
    assert done.returncode == status and names(says, done.stderr) and "Traceback" not in done.stderr
    there = {file.name for file in (tmp_path / "out").iterdir()}
    assert there == ({"grid.csv"} if status == 0 else set())
