"""Fig. 8, section "ZSSR": range, ensemble, back-projection, geometry, and a gain over bicubic on unseen truth."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA
from refimpl.errors import InputError
from refimpl.method.back_projection import back_project
from refimpl.method.image_range import clip_negative, compress, expand, measure_range
from refimpl.method.network import Network, initialise, parameter_count
from refimpl.method.resize import downsample_mean_valid, resize_bicubic
from refimpl.method.settings import UpscaleSettings, validate
from refimpl.method.training_pairs import rotate_mirror
from refimpl.twins import backend
from refimpl.windows.measured_range import clip_negatives
from refimpl.windows.whole_maps import apply_network, bicubic, replicate, super_resolve, train_image

SMALL = UpscaleSettings(layers=3, channels=8, crop=16, max_steps=20)


@pytest.fixture(autouse=True)
def plain_reference():
    with backend("numpy"):
        yield


def raster(values, valid=None):
    values = np.asarray(values, float)
    valid = np.ones(values.shape, bool) if valid is None else valid
    grid = Grid(ALBERS_CHINA, (500, 9000, 1000, -1000), values.shape)
    return Raster(np.where(valid, values, 0), valid, grid, "t/km2")


def coast(rows=24, cols=20, seed=0, offset=50.0):
    """A map with a minimum far from 0 and a part without values."""
    rng = np.random.default_rng(seed)
    valid = np.ones((rows, cols), bool)
    valid[:7, 12:] = False
    return raster(offset + 100 * rng.random((rows, cols)) ** 3, valid)


def zeros(layers=3, channels=8):
    return Network(np.zeros(parameter_count(layers, channels, False), np.float32), layers, channels)


def test_the_result_lies_on_the_refined_grid_and_is_valid_where_its_coarse_cell_is():
    coarse = coast()
    result = super_resolve(coarse, SMALL, np.random.default_rng(1))
    fine = result.weights
    assert fine.grid.transform == (500, 9000, 500, -500) and fine.grid.shape == fine.values.shape == (48, 40)
    assert np.array_equal(fine.valid, np.kron(coarse.valid, np.ones((2, 2), bool)))
    assert fine.units == "t/km2" and fine.values.dtype == np.float64
    assert fine.values.min() >= 0 and not fine.values[~fine.valid].any() and np.isfinite(fine.values).all()
    assert len(result.history.step) == len(result.tape.training) == 20 and result.clipped == 0


def test_the_same_seed_gives_the_same_map():
    runs = [super_resolve(coast(), SMALL, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    first, again, other = (run.weights.values for run in runs)
    assert first.tobytes() == again.tobytes() != other.tobytes()


def doubled(image):
    return resize_bicubic(image, (2 * image.shape[0], 2 * image.shape[1]))


def means_of_children(fine):
    return fine.reshape(fine.shape[0] // 2, 2, fine.shape[1] // 2, 2).mean(axis=(1, 3))


@settings(max_examples=40, deadline=None)
@given(hnp.arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))), st.integers(0, 2**32), st.integers(1, 12))
def test_back_projection_brings_the_mean_of_four_cells_to_the_coarse_value_by_the_stated_bound(valid, seed, iterations):
    rng = np.random.default_rng(seed)
    inside = np.kron(valid, np.ones((2, 2), bool))
    coarse, fine = np.where(valid, rng.random(valid.shape), 0), rng.normal(size=inside.shape)
    before = np.linalg.norm((coarse - means_of_children(np.where(inside, fine, 0)))[valid])
    corrected = back_project(fine, coarse, valid, iterations)
    after = np.linalg.norm((coarse - means_of_children(corrected))[valid])
    # Each iteration shrinks the difference by 1 - 0.6875^2 or better, whatever the mask; then rounding.
    assert after <= (1 - 0.6875**2) ** iterations * before + 1e-14 * np.sqrt(valid.size)
    assert not corrected[~inside].any()


def test_the_bound_of_back_projection_is_reached_by_checkers_and_not_by_a_plain_offset():
    checkers = np.indices((16, 16)).sum(axis=0) % 2 * 2.0 - 1
    difference = means_of_children(back_project(np.zeros((32, 32)), checkers, np.ones((16, 16), bool), 1)) - checkers
    assert abs(np.abs(difference[4:-4, 4:-4]).max() - (1 - 0.6875**2)) < 1e-14
    offset = back_project(np.zeros((32, 32)), np.ones((16, 16)), np.ones((16, 16), bool), 1)
    assert np.abs(offset - 1).max() < 1e-14


@pytest.mark.parametrize("transform", ["linear", "log", "sqrt"])
def test_the_mean_of_the_result_is_the_coarse_map_in_linear_space(transform):
    # Untrained but not idle; ten iterations leave 0.0017 of the first difference, in the 2-norm.
    coarse = coast()
    network = initialise(np.random.default_rng(1), 3, 8)
    options = replace(SMALL, transform=transform, baseline="keep")
    after, before = (apply_network(network, coarse, replace(options, back_projection=n)).values for n in (10, 0))
    differences = [np.linalg.norm((means_of_children(fine) - coarse.values)[coarse.valid]) for fine in (after, before)]
    assert differences[1] > 10 and differences[0] < 0.0017 * differences[1] + 1e-9


def test_a_curve_is_undone_after_the_network():
    # With a network of zeros the fine map under the square root is the square of the interpolated root.
    coarse = coast()
    coarse = raster(coarse.values[8:] - coarse.values[8:].min())
    image = coarse.values / np.quantile(coarse.values, 0.9999)
    root = doubled(np.sqrt(image))
    expected = np.maximum(root * np.abs(root), 0) * np.quantile(coarse.values, 0.9999)
    found = apply_network(zeros(), coarse, replace(SMALL, transform="sqrt", self_ensemble=False, back_projection=0))
    assert np.abs(found.values - expected).max() < 1e-4      # float32 of a range of 100


@pytest.mark.parametrize("transform, curve", [("sqrt", np.sqrt), ("log", lambda v: np.log1p(100 * v) / np.log1p(100))])
def test_training_coarsens_the_density_and_then_applies_the_curve(transform, curve):
    image = np.random.default_rng(3).random((16, 16)) ** 3
    options = replace(SMALL, transform=transform, crop=16, pyramid=False, max_steps=1)
    blank = zeros()                                         # its output is its input, the interpolated son
    loss = train_image(image, np.ones((16, 16), bool), options, np.random.default_rng(1), network=blank).history.loss[0]
    son = image.reshape(8, 2, 8, 2).mean(axis=(1, 3))
    expected = np.abs(doubled(curve(son)) - curve(image)).mean()   # the same whatever the turn
    wrong = np.abs(doubled(curve(image).reshape(8, 2, 8, 2).mean(axis=(1, 3))) - curve(image)).mean()
    assert abs(loss - expected) < 1e-6 < abs(wrong - expected)       # float32


def test_negative_values_are_clipped_before_the_network_sees_them():
    coarse, network = coast(offset=-5.0), initialise(np.random.default_rng(1), 3, 8)
    assert np.any(coarse.values < 0)
    positive = raster(np.maximum(coarse.values, 0), coarse.valid)
    for make in (lambda c: apply_network(network, c, SMALL), replicate, bicubic):
        assert np.array_equal(make(coarse).values, make(positive).values)


@pytest.mark.parametrize("ensemble", [True, False])
def test_a_network_of_zeros_leaves_the_bicubic_map(ensemble):
    # float32 between interpolation and network: 6e-8 of a range of 100, and back-projection does not amplify it.
    coarse = coast()
    fine = apply_network(zeros(), coarse, replace(SMALL, self_ensemble=ensemble, back_projection=0))
    assert np.abs(fine.values - bicubic(coarse).values).max() < 2e-5
    once = apply_network(zeros(), coarse, replace(SMALL, self_ensemble=False, back_projection=10))
    assert np.abs(once.values - bicubic(coarse, 10).values).max() < 2e-5


def test_the_baseline_is_removed_or_kept():
    coarse = coast()
    minimum = coarse.values[coarse.valid].min()
    network = initialise(np.random.default_rng(1), 3, 8)
    removed, kept = (apply_network(network, coarse, replace(SMALL, baseline=kind)) for kind in ("remove", "keep"))
    positive = removed.values > 0                           # where nothing was clipped
    assert positive.mean() > 0.5 and np.abs(kept.values - removed.values - minimum)[positive].max() < 1e-10
    assert np.abs(replicate(coarse).values[0, 0] - (coarse.values[0, 0] - minimum)) < 1e-12
    assert np.abs(replicate(coarse, "keep").values[:2, :2] - coarse.values[0, 0]).max() < 1e-12


def test_the_ensemble_turns_with_the_map():
    network, coarse = initialise(np.random.default_rng(2), 3, 8), coast()
    fine = apply_network(network, coarse, SMALL).values
    alone = replace(SMALL, self_ensemble=False)
    for turn in range(1, 8):
        turned = raster(rotate_mirror(coarse.values, turn), rotate_mirror(coarse.valid, turn))
        # The same eight outputs in another order: float32 rounding of a range of 100.
        assert np.abs(apply_network(network, turned, SMALL).values - rotate_mirror(fine, turn)).max() < 1e-3
        assert np.abs(apply_network(network, turned, alone).values
                      - rotate_mirror(apply_network(network, coarse, alone).values, turn)).max() > 0.1


def test_the_ensemble_is_the_median_of_eight_corrected_outputs():
    network, coarse = initialise(np.random.default_rng(2), 3, 8), coast()
    alone, outputs = replace(SMALL, self_ensemble=False, baseline="keep", back_projection=0), []
    for turn in range(8):
        turned = raster(rotate_mirror(coarse.values, turn), rotate_mirror(coarse.valid, turn))
        back = np.rot90(apply_network(network, turned, alone).values[:, :: -1 if turn >= 4 else 1], -(turn % 4))
        outputs.append(back)
    found = apply_network(network, coarse, replace(alone, self_ensemble=True)).values
    assert np.abs(found - np.median(outputs, axis=0)).max() < 1e-3      # as above


def test_negative_values_are_clipped_and_counted():
    values = np.array([[-1.0, 2.0, -0.5], [3.0, 0.0, -7.0]])
    valid = np.array([[True, True, True], [True, True, False]])
    clipped, count = clip_negatives(raster(values, valid))
    assert count == 2 and clipped.values.tolist() == [[0, 2, 0], [3, 0, 0]]
    assert clip_negative(np.where(valid, values, 0)).tolist() == [[0, 2, 0], [3, 0, 0]]
    coarse = coast(offset=-5.0)
    assert super_resolve(coarse, SMALL, np.random.default_rng(1)).clipped == np.sum(coarse.values < 0) > 0


def test_the_range_is_minimum_and_9999_quantile_and_nothing_is_clipped_above():
    values, valid = np.append(np.arange(10001.0) + 5, 1e9).reshape(2, 5001), np.ones((2, 5001), bool)
    valid[1, -1] = False                                    # 5 .. 10005
    found = measure_range(values, valid)
    assert found.minimum == 5 and abs(found.scale - 9999.0) < 1e-9
    image = found.to_image(values, valid)
    assert image.min() == 0 and image.max() > 1 and image[1, -1] == 0
    assert np.abs(found.to_map(image, "keep") - values)[valid].max() < 1e-9


def test_a_map_that_is_dark_but_for_one_cell_is_scaled_by_it():
    values = np.zeros((200, 200))
    values[3, 4] = 8.0
    assert measure_range(values, np.ones(values.shape, bool)).scale == 8.0
    assert measure_range(np.full((2, 2), 3.0), np.ones((2, 2), bool)).scale == 1.0


@pytest.mark.parametrize("transform, half", [("linear", 0.5), ("log", np.log(51) / np.log(101)), ("sqrt", 0.5**0.5)])
def test_each_curve_keeps_0_and_1_and_is_undone(transform, half):
    image = np.array([0.0, 0.5, 1.0, 3.0])
    assert np.abs(compress(image, transform)[:3] - [0, half, 1]).max() < 1e-15
    assert np.abs(expand(compress(image, transform), transform) - image).max() < 1e-14
    assert expand(np.array([-0.1]), transform)[0] < 0       # a small negative output stays one


def test_a_constant_map_is_refused_by_the_network_and_accepted_by_the_plain_alternatives():
    flat = raster(np.full((20, 20), 4.0))
    with pytest.raises(InputError, match="all of its valid cells have one value"):
        super_resolve(flat, SMALL, np.random.default_rng(1))
    assert np.abs(bicubic(flat, 3, "keep").values - 4).max() < 1e-13 and not replicate(flat).values.any()


def test_a_map_without_a_valid_cell_is_refused():
    empty = raster(np.zeros((20, 20)), np.zeros((20, 20), bool))
    for attempt in (lambda: super_resolve(empty, SMALL, np.random.default_rng(1)), lambda: replicate(empty)):
        with pytest.raises(InputError, match="no cell is valid"):
            attempt()


def buildings(n, seed):
    """Rectangles of all sizes: edges that interpolation blurs and that recur across scales."""
    rng, image = np.random.default_rng(seed), np.zeros((n, n))
    for _ in range(n * n // 100):
        (height, width), (row, column) = rng.integers(2, n // 6, 2), rng.integers(-4, n, 2)
        image[max(row, 0) : max(row + height, 0), max(column, 0) : max(column + width, 0)] = rng.random()
    return image


@pytest.mark.parametrize("seed", [1, 2])
def test_a_trained_network_is_closer_to_the_unseen_truth_than_bicubic_with_back_projection(seed):
    truth = buildings(96, seed)
    coarse = raster(downsample_mean_valid(truth, np.ones(truth.shape, bool))[0])
    options = UpscaleSettings(channels=16, crop=24, max_steps=300, baseline="keep")
    fine = super_resolve(coarse, options, np.random.default_rng(seed)).weights

    def error(result):
        return np.sqrt(np.mean((result.values - truth) ** 2))

    assert error(bicubic(coarse, 10, "keep")) < error(bicubic(coarse, 0, "keep")) < error(replicate(coarse, "keep"))
    # Measured: 16 % and 19 % lower; a broken gradient, pair or ensemble gains nothing.
    assert error(fine) < 0.9 * error(bicubic(coarse, 10, "keep"))


def test_the_defaults_are_valid_and_every_option_is_documented():
    assert validate(UpscaleSettings()) == UpscaleSettings()
    assert all(option.metadata["doc"] for option in fields(UpscaleSettings))


@pytest.mark.parametrize("change, message", [
    ({"crop": 33}, "upscale.crop: 33 is odd; expected an even number of cells"),
    ({"crop": 2}, "upscale.crop: 2 is too small; expected 4 or more"),
    ({"channels": 0}, "upscale.channels: 0 is too small; expected 1 or more"),
    ({"channels": 64.0}, "upscale.channels: 64.0 is of the wrong type; expected a whole number, as in 64"),
    ({"layers": True}, "upscale.layers: True is of the wrong type; expected a whole number"),
    ({"bias": 1}, "upscale.bias: 1 is of the wrong type; expected true or false"),
    ({"baseline": "removed"}, "upscale.baseline: unknown value 'removed'; did you mean 'remove'?"),
    ({"transform": "exp"}, "upscale.transform: unknown value 'exp'; expected one of linear, log, sqrt"),
    ({"learning_rate": float("nan")}, "upscale.learning_rate: nan is out of range; expected a finite number above 0"),
    ({"final_rate": 0}, "upscale.final_rate: 0 is out of range"),
    ({"final_rate": 1e-2}, "upscale.final_rate: 0.01 is not below upscale.learning_rate, 0.001"),
    ({"max_steps": 0}, "upscale.max_steps: 0 is too small; expected 1 or more"),
    ({"back_projection": -1}, "upscale.back_projection: -1 is too small; expected 0 or more"),
    ({"initialisation": "He"}, "upscale.initialisation: unknown value 'He'"),
    ({"policy_loss": 1}, "upscale.policy_loss: 1 is of the wrong type; expected a text, as in 'l1'"),
])
def test_a_wrong_setting_is_refused_with_its_key(change, message):
    with pytest.raises(InputError) as refusal:
        super_resolve(coast(), replace(SMALL, **change), np.random.default_rng(1))
    assert str(refusal.value).startswith(message)


def test_first_weights_and_a_tape_repeat_a_run_without_a_random_number():
    few = replace(SMALL, max_steps=5)
    first = super_resolve(coast(), few, np.random.default_rng(1))
    rng = np.random.default_rng(1)
    start = initialise(rng, few.layers, few.channels, few.bias)
    again = super_resolve(coast(), few, np.random.default_rng(9), tape=first.tape, network=start)
    assert again.weights.values.tobytes() == first.weights.values.tobytes()


def test_a_network_in_float64_is_applied_in_float64():
    start = initialise(np.random.default_rng(1), 3, 8, dtype=np.float64)
    exact = apply_network(start, coast(), SMALL)
    rounded = apply_network(start.like(start.parameters.astype(np.float32)), coast(), SMALL)
    difference = np.abs(exact.values - rounded.values).max() / exact.values.max()
    assert 0 < difference < 1e-5                                    # float32
