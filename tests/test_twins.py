"""Every pair of the registry: the kernel gives what the reference gives, for odd shapes and both float types."""

import ast
import importlib
import pkgutil
import re
from pathlib import Path

import numpy as np
import pytest

import kernels
import refimpl
from refimpl.earth.grid import Grid
from refimpl.earth.polygons import Polygons, edges_on
from refimpl.earth.projection import ALBERS_CHINA
from refimpl.method.network import initialise
from refimpl.method.resize import bicubic_taps
from refimpl.twins import REGISTRY, backend
from tests.tiff_writer import compressed

for found in pkgutil.walk_packages(refimpl.__path__, "refimpl."):
    if found.name != "refimpl.__main__":
        importlib.import_module(found.name)


def overlap_arguments(rng, dtype):
    values, valid = rng.random((5, 7)).astype(dtype), rng.random((5, 7)) < 0.8
    u, v = np.meshgrid(np.linspace(-0.7, 7.3, 5), np.linspace(-0.4, 5.6, 4))
    return values, valid, 1 + rng.random(5), u + 0.1 * v, v - 0.05 * u


def adam_arguments(rng, dtype):
    arrays = [rng.standard_normal(37).astype(dtype) for _ in range(3)]
    return *arrays, rng.random(37).astype(dtype), 3, 1e-3, 0.9, 0.999, 1e-8


def zonal_arguments(rng, dtype):
    values, valid, zones = rng.random((9, 11)).astype(dtype), rng.random((9, 11)) < 0.8, rng.integers(0, 5, (9, 11))
    return values, valid, zones.astype(np.uint8), 1 + rng.random(9)


def edges_arguments(rng):
    """Three zones of three triangles each, rows 2 to 10 of which are looked at."""
    corners = np.cumsum(rng.random((9, 3, 2)) * 5, axis=1)
    rings = np.concatenate([corners, corners[:, :1]], axis=1)
    starts, every = np.arange(0, 37, 4), np.ones(9, bool)
    zones = Polygons(*rings.reshape(-1, 2).T, starts, every, np.repeat([3, 4, 90], 3), ALBERS_CHINA)
    return edges_on(zones, Grid(ALBERS_CHINA, (1, 14, 1, -1), (12, 11)))


def shares_arguments(rng, dtype):
    return *zonal_arguments(rng, dtype), np.array([1, 3, 4, 7]), np.array([0.0, 1.0, 0.0, 0.0])


def land_cover_arguments(rng, dtype):
    values, valid, zones, _ = zonal_arguments(rng, dtype)
    return values, valid, zones, rng.integers(0, 18, (9, 11)).astype(np.uint8), rng.random((9, 11)) < 0.7


def solver_arguments(rng, dtype):
    X, few = rng.random((14, 3)), 5  # steps: later on, rounding decides between pairs that are equal
    return X, np.sin(5 * X[:, 0]) + rng.random(14), "rbf", 2.0, 3, 0.0, 1.0, 0.1, 1e-9, few, 200.0, True


def network_arguments(rng, dtype):
    return initialise(rng, 4, 8, True, dtype=dtype), *rng.random((2, 9, 13)).astype(dtype)


CASES = {
    "refimpl.evaluation.land_cover.land_cover_pairs": land_cover_arguments,
    "refimpl.method.land_cover.land_cover_sums": land_cover_arguments,
    "refimpl.evaluation.moments.group_moments": lambda rng, dtype: (
        rng.random((9, 11)).astype(dtype), *zonal_arguments(rng, dtype)[:3],
    ),
    "refimpl.formats.codecs.lzw_decode": lambda rng, dtype: (
        np.frombuffer(compressed(b"7777177777728", "lzw"), np.uint8), 13,
    ),
    "refimpl.formats.codecs.packbits_decode": lambda rng, dtype: (np.array([254, 7, 128, 1, 8, 9], np.uint8), 4),
    "refimpl.earth.polygon_sums.polygon_sums": lambda rng, dtype: (
        *(each for at, each in enumerate(zonal_arguments(rng, dtype)) if at != 2), edges_arguments(rng), 2,
        dtype is np.float32,
    ),
    "refimpl.earth.zone_labels.label_cells": lambda rng, dtype: (edges_arguments(rng), 2, 9, 11, dtype is np.float32),
    "refimpl.formats.predictors.undo_differences": lambda rng, dtype: (
        rng.integers(0, 256, (5, 7, 3)).astype(f"u{np.dtype(dtype).itemsize}") << 17,
    ),
    "refimpl.formats.predictors.undo_float_differences": lambda rng, dtype: (
        rng.integers(0, 256, (5, 7 * 3 * np.dtype(dtype).itemsize)).astype(np.uint8), 3, np.dtype(dtype).itemsize,
    ),
    "refimpl.earth.interpolation.sample_points": lambda rng, dtype: (
        rng.random((9, 7)).astype(dtype), rng.random((9, 7)) < 0.9,
        *(8 * rng.random((2, 11, 13)) - 0.5), bool(np.dtype(dtype).itemsize == 8),
    ),
    "refimpl.earth.lattice.interpolated": lambda rng, dtype: (
        rng.random((11, 11)), rng.random((11, 5)), rng.random((11, 40)),
    ),
    "refimpl.earth.overlap.overlap_modes": lambda rng, dtype: (
        rng.integers(1, 4, (5, 7)).astype(dtype), *overlap_arguments(rng, dtype)[1:],
    ),
    "refimpl.earth.overlap.overlap_sums": overlap_arguments,
    "refimpl.windows.zonal_pairs.zonal_pairs": zonal_arguments,
    "refimpl.method.province_totals.zonal_sums": zonal_arguments,
    "refimpl.method.kernel_functions.kernel_expansion": lambda rng, dtype: (
        rng.random((9, 5)), rng.random((6, 5)), rng.standard_normal(6), "poly", 0.7, 3, 0.5,
    ),
    "refimpl.method.linear.weighted_features": lambda rng, dtype: (rng.random((9, 5)), rng.random(5), 0.3),
    "refimpl.method.smo.minimise_dual": solver_arguments,
    "refimpl.windows.shares.share_cells": lambda rng, dtype: (*shares_arguments(rng, dtype), *rng.random((2, 4))),
    "refimpl.windows.shares.weigh_cells": lambda rng, dtype: (*shares_arguments(rng, dtype), (2, 3)),
    "refimpl.method.adam.adam_step": adam_arguments,
    "refimpl.method.network.convolve": lambda rng, dtype: (
        rng.standard_normal((9, 7, 8)).astype(dtype), rng.standard_normal((3, 3, 8, 16)).astype(dtype),
        rng.standard_normal(16).astype(dtype), True,
    ),
    "refimpl.method.network.convolve_backward_data": lambda rng, dtype: (
        rng.standard_normal((9, 7, 16)).astype(dtype), rng.standard_normal((3, 3, 8, 16)).astype(dtype),
        rng.standard_normal((9, 7, 8)).astype(dtype),
    ),
    "refimpl.method.network.convolve_backward_weights": lambda rng, dtype: (
        rng.standard_normal((9, 7, 8)).astype(dtype), rng.standard_normal((9, 7, 16)).astype(dtype),
    ),
    "refimpl.method.network.forward": lambda rng, dtype: network_arguments(rng, dtype)[:2],
    "refimpl.method.network.loss_and_gradients": lambda rng, dtype: (
        *network_arguments(rng, dtype), rng.random((9, 13)) < 0.7,
    ),
    "refimpl.windows.inference.infer": lambda rng, dtype: (
        *network_arguments(rng, dtype)[:2], rng.random((9, 13)) < 0.7, (1, 8, 2, 13),
    ),
    "refimpl.method.training_pairs.admissible": lambda rng, dtype: (
        rng.integers(0, 2, (9, 11)).astype(dtype), rng.random((9, 11)) < 0.5, 2,
    ),
    "refimpl.method.back_projection.add_upsampled": lambda rng, dtype: (
        rng.random((10, 14)).astype(dtype), rng.random((5, 7)).astype(dtype), rng.random((5, 7)) < 0.8,
    ),
    "refimpl.method.back_projection.coarse_difference": lambda rng, dtype: (
        rng.random((10, 14)).astype(dtype), rng.random((5, 7)).astype(dtype), rng.random((5, 7)) < 0.8,
    ),
    "refimpl.method.super_resolution.median": lambda rng, dtype: (rng.random((8, 5, 7)).astype(dtype),),
    "refimpl.method.resize.downsample_mean_valid": lambda rng, dtype: (
        rng.random((9, 11)).astype(dtype), rng.random((9, 11)) < 0.6,
    ),
    "refimpl.method.resize.resize_bicubic": lambda rng, dtype: (rng.random((9, 11)).astype(dtype), (7, 15)),
    "refimpl.method.resize.resize_valid": lambda rng, dtype: (
        rng.random((9, 11)).astype(dtype), rng.random((9, 11)) < 0.6, (18, 22),
    ),
    "refimpl.windows.scaled.weigh_window": lambda rng, dtype: (
        rng.random((9, 11)).astype(dtype), rng.random((9, 11)) < 0.6, bicubic_taps(9, 5), bicubic_taps(11, 8), False,
    ),
}  # fmt: skip


def test_every_pair_of_the_registry_has_a_case_here():
    assert {name for name in REGISTRY if name.startswith("refimpl.")} == set(CASES)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CASES)
def test_the_kernel_gives_what_the_reference_gives(name, dtype):
    pair = REGISTRY[name]
    answers = []
    for chosen in ("numpy", "numba"):
        arguments = CASES[name](np.random.default_rng(5), dtype)
        with backend(chosen):
            answer = pair(*arguments)
        answers.append(answer if answer is not None else arguments[0])  # adam_step works in place
    # float32: Winograd F(4x4, 3x3) has a relative rms error of about 2e-6, with outliers of some ten times that;
    # float64 and the sums differ by the order of additions only
    tolerance = 1e-4 if dtype is np.float32 and "convolve" in name else 1e-6 if dtype is np.float32 else 1e-12
    answers = [(a[0], a[1].parameters) if name.endswith("loss_and_gradients") else a for a in answers]
    for one, two in zip(*[a if isinstance(a, tuple) else (a,) for a in answers], strict=True):
        one, two = np.asarray(one), np.asarray(two)  # the solver's numbers are plain
        assert one.shape == two.shape and one.dtype == two.dtype
        np.testing.assert_allclose(one, two, rtol=tolerance, atol=tolerance)


KERNELS = Path(kernels.__file__).parent


def module_names(folder):
    return {path.stem for path in folder.glob("*.py")} - {"__init__"}


def docstring_of(path):
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def test_a_module_of_kernels_has_twins_and_its_tools_have_none():
    assert {pair.kernel_module for pair in REGISTRY.values()} == {f"kernels.{name}" for name in module_names(KERNELS)}


def test_the_tools_of_kernels_import_no_twin():
    for path in (KERNELS / "tools").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("kernels"):
                assert node.module.startswith("kernels.tools."), f"{path} imports {node.module}"


def test_a_module_of_kernels_names_the_references_of_its_twins():
    for pair in REGISTRY.values():
        path, reference = KERNELS / f"{pair.kernel_module.removeprefix('kernels.')}.py", pair.reference.__module__
        assert f"``{reference}" in docstring_of(path), f"{path} does not name {reference}"


@pytest.mark.parametrize("folder", [KERNELS, KERNELS / "tools"], ids=["kernels", "tools"])
def test_the_reading_order_names_every_module_once(folder):
    listed = re.findall(r"^``(\w+)``  ", docstring_of(folder / "__init__.py"), re.MULTILINE)
    assert sorted(listed) == sorted(module_names(folder))
