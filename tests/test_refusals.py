"""What functions refuse that would otherwise go wrong in silence: the same, and by name, with either backend."""

import numpy as np
import pytest

from refimpl.conformance.operations.regression import svr_of
from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA
from refimpl.earth.warp import warp, warp_mean
from refimpl.errors import InputError
from refimpl.evaluation.other_inventories import odiac_density
from refimpl.method.adam import adam_step
from refimpl.method.back_projection import back_project
from refimpl.method.image_range import compress, expand, measure_range
from refimpl.method.inventory import Fuel
from refimpl.method.kernel_functions import checked_kernel
from refimpl.method.metrics import mean_absolute_error
from refimpl.method.network import Network, initialise, loss_and_gradients
from refimpl.method.resize import downsample, resize_bicubic, resize_valid
from refimpl.method.schedule import LearningRatePolicy
from refimpl.method.selection import fit_model
from refimpl.method.training_pairs import Draw, crop_size, cut, pyramid, rotate_mirror, undo_rotate_mirror
from refimpl.twins import BACKENDS, backend
from refimpl.windows.allocated_map import allocate_cells
from refimpl.windows.levels import pyramid_of
from refimpl.windows.predicted_map import predict_coarse
from refimpl.windows.scaled import in_memory

IMAGE, VALID = np.arange(1.0, 25.0).reshape(4, 6), np.ones((4, 6), bool)
HOLED = VALID & (IMAGE != 3)
GRID = Grid(ALBERS_CHINA, (0.0, 4000.0, 1000.0, -1000.0), (4, 6))
LEVELS = pyramid(IMAGE, VALID, 4, (1.0,))
READ_LEVELS = pyramid_of(in_memory(IMAGE, VALID), 4, pyramid=False)
NETWORK = initialise(np.random.default_rng(0), 2, 8)
LINEAR = fit_model("linear", [[0.0], [1.0]], [0.0, 1.0])
SUPPORT = np.array([[0.0], [1.0]]), np.array([1.0, -1.0]), 0.5


def raster(west=0.0):
    return Raster(IMAGE, VALID, Grid(ALBERS_CHINA, (west, 4000.0, 1000.0, -1000.0), (4, 6)))


def one_step(step=1, rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
    adam_step(np.ones(2), np.ones(2), np.zeros(2), np.zeros(2), step, rate, beta1, beta2, epsilon)


def gradients(mask):
    plain = IMAGE.astype(np.float32)
    loss_and_gradients(NETWORK, plain, plain, mask)


def recorded(*steps):
    policy = LearningRatePolicy()
    for step in steps:
        policy.record(step, 1.0)


def cells(total):
    ones = np.ones((2, 1))
    allocate_cells(ones, ones > 0, np.full((2, 1), 11), np.ones(2), np.array([11]), np.array([total]))


def months(shifted):
    return (raster(500.0 if month == shifted else 0.0) for month in range(1, 13))


CASES = [
    ("LC is 0", lambda: Fuel("peat", 0, 20.0, 0.9)),
    ("LC is nan", lambda: Fuel("peat", float("nan"), 20.0, 0.9)),
    ("CC is -1", lambda: Fuel("peat", 20000, -1, 0.9)),
    ("COF is 0", lambda: Fuel("peat", 20000, 20.0, 0)),
    ("COF is 1.01", lambda: Fuel("peat", 20000, 20.0, 1.01)),
    ("transform .* dy < 0", lambda: Grid(ALBERS_CHINA, (0, 0, 1, 1), (1, 1))),
    ("unknown kind 'clas' .* did you mean 'class'", lambda: warp(raster(), GRID, "clas")),
    ("minimum_valid is 1.5", lambda: warp(raster(), GRID, "class", 1.5)),
    ("minimum_valid is -0.1", lambda: warp_mean(raster(), GRID.refined(), -0.1)),
    ("minimum_valid is 2", lambda: warp(raster(), GRID, "count", 2)),
    ("month 7 lies on another grid", lambda: odiac_density(months(7), GRID)),
    ("observed and estimated", lambda: mean_absolute_error([1.0], [1.0, 2.0])),
    ("unknown scaling 'share'", lambda: predict_coarse(LINEAR, {"driver_1": raster()}, "share")),
    ("upper_quantile is 1.1", lambda: predict_coarse(LINEAR, {"driver_1": raster()}, "shared", 1.1)),
    ("gamma is 0", lambda: checked_kernel("rbf", 0.0, 3, 0.0)),
    ("degree is 0", lambda: checked_kernel("poly", 1.0, 0, 0.0)),
    ("unknown kernel", lambda: svr_of(*SUPPORT, 1.0, kernel="sigmoid")),
    ("gamma is -1", lambda: svr_of(*SUPPORT, -1.0)),
    ("intercept is nan", lambda: svr_of(*SUPPORT[:2], float("nan"), 1.0)),
    ("step is 0", lambda: one_step(step=0)),
    ("rate is 0", lambda: one_step(rate=0)),
    ("rate is nan", lambda: one_step(rate=float("nan"))),
    ("beta1 is 1", lambda: one_step(beta1=1)),
    ("beta2 is -0.5", lambda: one_step(beta2=-0.5)),
    ("epsilon is -1", lambda: one_step(epsilon=-1)),
    ("turn is 8", lambda: rotate_mirror(IMAGE, 8)),
    ("turn is -1", lambda: undo_rotate_mirror(IMAGE, -1)),
    ("image of the coarse map: 1 x 6 cells", lambda: crop_size((1, 6), 4)),
    ("row -1", lambda: cut(LEVELS, Draw(1, 1.0, -1, 0, 0), 4)),
    ("column 3", lambda: cut(LEVELS, Draw(1, 1.0, 0, 3, 0), 4)),
    ("row -1, column 0", lambda: cut(READ_LEVELS, Draw(1, 1.0, -1, 0, 0), 4)),
    ("row 0, column 3", lambda: cut(READ_LEVELS, Draw(1, 1.0, 0, 3, 0), 4)),
    ("iterations .* -1", lambda: back_project(np.zeros((8, 12)), IMAGE, VALID, -1)),
    ("fine, coarse and valid", lambda: back_project(np.zeros((8, 11)), IMAGE, VALID, 0)),
    ("unknown transform 'lin'", lambda: compress(IMAGE, "lin")),
    ("unknown transform 'exp'", lambda: expand(IMAGE, "exp")),
    ("coarse map: no cell is valid", lambda: measure_range(IMAGE, ~VALID)),
    ("layers and channels from 1 up", lambda: Network(np.zeros(9), 0, 8)),
    ("unknown scheme 'He'", lambda: initialise(np.random.default_rng(0), scheme="He")),
    ("layers is 1", lambda: initialise(np.random.default_rng(0), layers=1)),
    ("channels 0", lambda: initialise(np.random.default_rng(0), channels=0)),
    ("mask has no cell", lambda: gradients(~VALID)),
    ("image, target and mask", lambda: gradients(VALID[:3])),
    ("unknown kind of downsampling 'median'", lambda: downsample(IMAGE, VALID, "median")),
    ("rows 0, cols 3", lambda: resize_bicubic(IMAGE, (0, 3))),
    ("rows 2, cols -1", lambda: resize_valid(IMAGE, HOLED, (2, -1))),
    ("final_rate 0.001 and learning_rate 0.001", lambda: LearningRatePolicy(1e-3, 1e-3)),
    ("step 50 comes after step 100", lambda: recorded(100, 50)),
    ("step 50 comes after step 50", lambda: recorded(50, 50)),
    ("total of province 11 is -1", lambda: cells(-1.0)),
]


@pytest.mark.parametrize("chosen", BACKENDS)
@pytest.mark.parametrize("says, call", CASES, ids=[says for says, _ in CASES])
def test_it_is_refused_by_name(chosen, says, call):
    with backend(chosen), pytest.raises((InputError, ValueError), match=says):
        call()
