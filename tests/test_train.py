"""Training: draws, tape, history, stopping, and that it is the same every time."""

import io
from dataclasses import replace

import numpy as np
import pytest

from refimpl.errors import InputError
from refimpl.formats.tape import read_tape, write_history, write_tape
from refimpl.method.network import Network, initialise, loss_and_gradients, parameter_count
from refimpl.method.settings import UpscaleSettings
from refimpl.method.training import reconstruction_error, train
from refimpl.method.training_pairs import SCALES, Tape, crop_size, cut, pyramid, rotate_mirror, training_pair
from refimpl.progress import Progress
from refimpl.twins import backend
from refimpl.windows.whole_maps import train_image
from tests.memory import KNOWN, peak_of_program

SMALL = UpscaleSettings(layers=3, channels=8, crop=16, max_steps=60)


@pytest.fixture(autouse=True)
def plain_reference():
    with backend("numpy"):
        yield


def blocks(rows=40, cols=36, seed=0):
    """An image with edges, and a coast."""
    rng = np.random.default_rng(seed)
    image = np.zeros((rows, cols))
    for _ in range(40):
        row, column, height, width = *rng.integers(0, rows - 4, 2) % [rows, cols], *rng.integers(2, 9, 2)
        image[row : row + height, column : column + width] = rng.random()
    valid = np.ones((rows, cols), bool)
    valid[30:, :10] = False
    return image, valid


def plain(image, valid, settings, rng, tape=None, network=None):
    """The method's training, as a caller writes it."""
    image = np.where(valid, image, 0).astype(np.float32 if network is None else network.parameters.dtype)
    size = crop_size(image.shape, settings.crop)
    levels = pyramid(image, valid, size, SCALES if settings.pyramid else SCALES[:1])
    return train(levels, size, settings, rng, network, tape)


FORMS = {"method": plain, "engine": train_image}
BOTH = pytest.mark.parametrize("form", FORMS)


def trained(seed=1, settings=SMALL, form="engine", **extra):
    return FORMS[form](*blocks(), settings, np.random.default_rng(seed), **extra)


def bytes_of(run):
    """All that a training finds, as bytes, and its tape."""
    columns = run.history.step, run.history.loss, run.history.learning_rate, run.history.reconstruction_error
    return [array.tobytes() for array in (run.network.parameters, *columns)], run.tape


@pytest.mark.parametrize("change", [
    {}, {"pyramid": False}, {"downsampling": "bicubic"}, {"transform": "sqrt"}, {"bias": True}, {"crop": 20},
    {"policy_loss": "mse"},
])
def test_the_engine_trains_to_the_bytes_of_the_method(change):
    settings = replace(SMALL, **change)
    for start in (None, initialise(np.random.default_rng(6), 3, 8, settings.bias, dtype=np.float64)):
        found = [bytes_of(trained(1, settings, form, network=start)) for form in FORMS]
        assert found[0] == found[1]


@BOTH
def test_the_same_seed_gives_the_same_bytes_and_another_does_not(form):
    first, again, other = trained(1, form=form), trained(1, form=form), trained(2, form=form)
    assert first.network.parameters.tobytes() == again.network.parameters.tobytes()
    assert first.history.loss.tobytes() == again.history.loss.tobytes() and first.tape == again.tape
    assert first.network.parameters.tobytes() != other.network.parameters.tobytes()


def test_the_kernels_train_as_the_reference_does_and_the_same_every_time():
    few = replace(SMALL, max_steps=8)
    reference = trained(1, few)
    with backend("numba"):
        first, again = trained(1, few), trained(1, few)
    assert first.network.parameters.tobytes() == again.network.parameters.tobytes()
    assert first.tape == reference.tape
    # float32 in another order of summation, through eight steps; the losses themselves differ by 1e-1 between steps.
    assert np.abs(first.history.loss / reference.history.loss - 1).max() < 1e-4


@BOTH
def test_replaying_a_tape_from_its_file_gives_the_same_bytes_without_a_draw(tmp_path, form):
    first = trained(1, form=form)
    write_tape(tmp_path / "tape.csv", first.tape)
    start = initialise(np.random.default_rng(1), 3, 8)
    before = start.parameters.copy()
    rng = np.random.default_rng(99)
    replayed = FORMS[form](*blocks(), SMALL, rng, tape=read_tape(tmp_path / "tape.csv"), network=start)
    assert replayed.network.parameters.tobytes() == first.network.parameters.tobytes()
    assert replayed.history.reconstruction_error.tobytes() == first.history.reconstruction_error.tobytes()
    assert replayed.tape == first.tape
    assert rng.random() == np.random.default_rng(99).random()       # nothing was drawn
    assert np.array_equal(start.parameters, before)                 # and the first weights are the caller's


def test_the_draws_of_a_tape_are_what_shapes_the_run():
    first = trained(1)
    draws = list(first.tape.draws)
    draws[-1] = draws[-1]._replace(turn=(draws[-1].turn + 1) % 8)
    assert trained(1, tape=Tape(tuple(draws))).network.parameters.tobytes() != first.network.parameters.tobytes()


def test_a_tape_records_16_fixed_crops_and_one_for_each_step():
    tape = trained(1).tape
    assert len(tape.fixed) == 16 and [draw.step for draw in tape.training] == list(range(1, 61))
    assert {draw.scale for draw in tape.training} > {1.0, 0.9} and len({draw.turn for draw in tape.training}) == 8


@BOTH
def test_training_ends_with_its_tape(form):
    draws = trained(1).tape.draws[:26]
    assert trained(1, form=form, tape=Tape(draws)).history.step.tolist() == list(range(1, 11))


@BOTH
def test_a_network_of_zeros_learns_nothing_and_is_stopped_by_the_schedule_at_step_900(form):
    # No gradient passes a layer of zeros: the error is constant, the rate falls at 300 and 600, training ends at 900.
    settings = replace(SMALL, layers=2, max_steps=5000)
    zeros = Network(np.zeros(parameter_count(2, 8, False), np.float32), 2, 8)
    run = trained(3, settings, form, network=zeros)
    assert not run.network.parameters.any()
    rates = run.history.learning_rate
    assert run.history.step.size == 900
    assert np.allclose(rates, np.repeat([1e-3, 1e-4, 1e-5], 300), rtol=1e-12)

    # Its output is the interpolated son, so each loss is known: a mean over the crop that the tape names.
    image, valid = blocks()
    levels = pyramid(np.where(valid, image, 0).astype(np.float32), valid, 16)
    for draw, loss in list(zip(run.tape.training, run.history.loss))[:40]:
        father, inside = cut(levels, draw, 16)
        expected = np.abs(training_pair(father, inside, SMALL)[0] - father)[inside].mean(dtype=np.float64)
        assert abs(loss - expected) < 1e-7 * max(expected, 1)       # float32
    measured = ~np.isnan(run.history.reconstruction_error)
    assert np.flatnonzero(measured).tolist() == list(range(49, 900, 50))
    assert len(set(run.history.reconstruction_error[measured])) == 1


def test_a_full_size_crop_comes_from_where_its_draw_says():
    image, valid = blocks()
    draw = next(draw for draw in trained(1).tape.training if draw.scale == 1 and draw.turn == 5)
    levels = pyramid(image, valid, 16, SCALES[:1])
    window = np.s_[draw.row : draw.row + 16, draw.column : draw.column + 16]
    assert np.array_equal(cut(levels, draw, 16)[0], rotate_mirror(image[window], 5))


def test_each_step_is_the_step_of_adam_with_its_own_number():
    # Algorithm 1 of Kingma & Ba written out in float64, on the gradients of the crops that the tape names.
    run = trained(1, replace(SMALL, max_steps=5))
    image, valid = blocks()
    levels = pyramid(np.where(valid, image, 0), valid, 16)
    network = initialise(np.random.default_rng(1), 3, 8, dtype=np.float64)
    m = v = 0
    for t, draw in enumerate(run.tape.training, start=1):
        father, inside = cut(levels, draw, 16)
        gradient = loss_and_gradients(network, *training_pair(father, inside, SMALL))[1].parameters
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        network.parameters[:] -= 1e-3 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    # float32: rounding moves the few weights whose gradient is nearly 0; a wrong step number moves all, by 1e-3.
    assert np.median(np.abs(run.network.parameters - network.parameters)) < 1e-6


def test_training_lowers_the_reconstruction_error():
    errors = trained(1, replace(SMALL, channels=16, max_steps=200)).history.reconstruction_error
    errors = errors[~np.isnan(errors)]
    zeros = Network(np.zeros(parameter_count(2, 8, False), np.float32), 2, 8)
    untrained = trained(1, replace(SMALL, layers=2, max_steps=50), network=zeros).history.reconstruction_error[49]
    assert errors.size == 4 and errors[-1] < 0.95 * untrained


def test_the_reconstruction_error_counts_every_valid_cell_once():
    zeros = Network(np.zeros(parameter_count(2, 8, False)), 2, 8)
    half = np.array([[True, False], [False, False]])
    image, whole = np.zeros((2, 2)), np.ones((2, 2), bool)
    pairs = [(image, np.full((2, 2), 1.0), whole), (image, np.full((2, 2), -6.0), half)]
    assert reconstruction_error(zeros, pairs, "l1") == (4 * 1 + 6) / 5
    assert reconstruction_error(zeros, pairs, "mse") == (4 * 1 + 36) / 5


def test_what_invalid_cells_hold_does_not_matter():
    image, valid = blocks()
    holed = np.where(valid, image, np.nan)
    run = train_image(holed, valid, SMALL, np.random.default_rng(1))
    assert run.network.parameters.tobytes() == trained(1).network.parameters.tobytes()


@pytest.mark.parametrize("change", [
    {"bias": True}, {"initialisation": "published"}, {"pyramid": False}, {"downsampling": "bicubic"}, {"layers": 9},
    {"crop": 20}, {"learning_rate": 2e-3},
])
def test_every_training_option_changes_the_result(change):
    few = replace(SMALL, max_steps=12)
    run = trained(1, replace(few, **change))
    assert np.isfinite(run.history.loss).all()
    assert run.history.loss.tobytes() != trained(1, few).history.loss.tobytes()


def test_policy_loss_chooses_what_is_measured():
    runs = [trained(1, replace(SMALL, policy_loss=kind)) for kind in ("l1", "mse")]
    l1, squared = (run.history.reconstruction_error[49] for run in runs)
    assert 0 < squared < l1         # errors below 1


@BOTH
def test_diverging_training_is_refused_with_the_key_to_change(form):
    with pytest.raises(InputError, match=r"upscale.learning_rate: training diverged at step \d+"):
        with np.errstate(all="ignore"):
            trained(1, replace(SMALL, learning_rate=1e25), form)


def test_a_map_of_one_row_is_refused():
    with pytest.raises(InputError, match="coarse map: 1 x 9 cells"):
        train_image(np.ones((1, 9)), np.ones((1, 9), bool), SMALL, np.random.default_rng(1))


def test_history_is_written_with_an_empty_field_where_nothing_was_measured(tmp_path):
    write_history(tmp_path / "history.csv", trained(1).history)
    rows = (tmp_path / "history.csv").read_text().splitlines()
    assert rows[0] == "step,loss,learning_rate,reconstruction_error" and len(rows) == 61
    assert rows[1].startswith("1,0.") and rows[1].endswith(",0.001,") and not rows[50].endswith(",")


def test_progress_is_told_each_step_and_never_runs_backwards():
    class Recorder(Progress):
        fractions = []

        def update(self, fraction, note=""):
            self.fractions.append(fraction)

    trained(1, progress=Recorder("train", io.StringIO()))
    seen = Recorder.fractions
    assert len(seen) == 60 and seen == sorted(seen) and 0 < seen[0] and seen[-1] == 1.0


@BOTH
@pytest.mark.parametrize("chosen", ["numpy", "numba"])
def test_training_in_float64_follows_float32_to_its_rounding(chosen, form):
    few, start = replace(SMALL, max_steps=4), initialise(np.random.default_rng(5), 3, 8, dtype=np.float64)
    with backend(chosen):
        single = trained(1, few, form, network=start.like(start.parameters.astype(np.float32)))
        double = trained(1, few, form, network=start)
    assert single.network.parameters.dtype == np.float32 and double.network.parameters.dtype == np.float64
    assert single.tape == double.tape
    difference = np.abs(double.history.loss / single.history.loss - 1).max()
    assert 0 < difference < 1e-4                                    # float32, through four steps


@BOTH
def test_a_training_with_other_channels_than_the_settings_is_refused(form):
    with pytest.raises(ValueError, match=r"\(3, 16, False\), the settings say \(3, 8, False\)"):
        trained(1, form=form, network=initialise(np.random.default_rng(1), 3, 16))


STEP = """
import sys
import numpy as np
from refimpl.method.network import initialise, loss_and_gradients
side, channels = map(int, sys.argv[1:])
image = np.random.default_rng(0).random((side, side)).astype(np.float32)
network = initialise(np.random.default_rng(0), channels=channels)
loss_and_gradients(network, image, 2 * image, np.ones((side, side), bool))
"""


@pytest.mark.skipif(not KNOWN, reason="this system does not tell a process's peak of memory")
def test_memory_of_a_step_grows_with_channels_and_cells_as_the_formula_says():
    # 4 (L + 1) C n^2 bytes: 9 planes of 64 channels; crops of 256 take 108 MiB more than crops of 128.
    small, large = (peak_of_program(STEP, side, "64") for side in ("128", "256"))
    assert 0.95 * 108 < large - small < 1.15 * 108          # sums for each band of rows, borders of the planes
