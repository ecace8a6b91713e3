"""A training that is stopped and goes on is, bit for bit, the training that was never stopped."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refimpl.errors import DataWarning, InputError
from refimpl.method.network import initialise
from refimpl.method.settings import UpscaleSettings
from refimpl.method.training_pairs import Tape
from refimpl.twins import backend
from refimpl.windows.checkpoint import Checkpoint
from refimpl.windows.scaled import in_memory
from refimpl.windows.training_on_file import train_on
from refimpl.windows.whole_maps import train_image
from tests.test_pyramid import coast, store

SMALL = UpscaleSettings(layers=2, channels=4, crop=8, max_steps=70)
CONSTANT = replace(SMALL, max_steps=2000, learning_rate=1e-5, final_rate=5e-6)
IMAGE = coast(26, 31)


class Stop(Exception):
    """What the tests interrupt a training with."""


class Until:
    """A progress line that interrupts the training in its step ``last``."""

    def __init__(self, last):
        self.left = last

    def update(self, fraction, note=""):
        self.left -= 1
        if self.left == 0:
            raise Stop


def trained(checkpoint=None, progress=None, kind=np.random.PCG64, options=SMALL, dtype=np.float32, **extra):
    """A training, and all of it that could differ, as bytes; in float64 from first weights of that type."""
    if dtype == np.float64:
        extra["network"] = initialise(np.random.default_rng(2), options.layers, options.channels, dtype=dtype)
    rng = np.random.Generator(kind(7))
    rng.integers(5, dtype=np.uint8)                         # half of a number stays in the generator
    found = train_image(*IMAGE, options, rng, progress, checkpoint=checkpoint, **extra)
    return same(found, rng)


def same(found, rng):
    history = found.history
    arrays = found.network.parameters, history.step, history.loss, history.learning_rate, history.reconstruction_error
    told = found.network.parameters.dtype, repr(found.tape), rng.random(3).tobytes()
    return *(each.tobytes() for each in arrays), *told


def interrupted(checkpoint, steps, **extra):
    """The training stopped so many steps after each start, then let run to its end."""
    for last in steps:
        try:
            return trained(checkpoint, Until(last), **extra)
        except Stop:
            pass
    return trained(checkpoint, **extra)


@pytest.fixture(autouse=True)
def plain_reference():
    with backend("numpy"), warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)
        yield


@pytest.fixture(scope="module")
def uninterrupted():
    with backend("numpy"):
        return {dtype: trained(dtype=dtype) for dtype in (np.float32, np.float64)}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 60), max_size=8), st.integers(1, 80), st.sampled_from([np.float32, np.float64]))
def test_stopped_anywhere_and_resumed_any_number_of_times_is_the_same(
    tmp_path_factory, uninterrupted, stops, every, dtype
):
    checkpoint = Checkpoint(tmp_path_factory.mktemp("kept") / "training.npz", "a", every)
    assert interrupted(checkpoint, stops, dtype=dtype) == uninterrupted[dtype]


def test_a_stop_at_each_single_step_is_the_same_also_across_the_measured_errors(tmp_path, uninterrupted):
    checkpoint = Checkpoint(tmp_path / "training.npz", "a", 1)
    # After a stop in step n the file holds n - 1 steps: two steps a start, one of them kept.
    assert interrupted(checkpoint, [2] * 68) == uninterrupted[np.float32]


def test_kernels_resume_too(tmp_path):
    with backend("numba"):
        eight = {"options": replace(SMALL, channels=8)}
        whole = trained(**eight)
        stopped = interrupted(Checkpoint(tmp_path / "training.npz", "a", 7), [10, 20], **eight)
    assert stopped == whole


def test_the_schedule_goes_on_where_it_was(tmp_path):
    # Weights of 0 have no gradient: the error is constant, so training ends when the schedule's window is full.
    network = initialise(np.random.default_rng(0), 2, 4)
    network.parameters[:] = 0
    whole = trained(options=CONSTANT, network=network)
    checkpoint = Checkpoint(tmp_path / "training.npz", "a", 50)
    assert interrupted(checkpoint, [290, 60, 49, 10], options=CONSTANT, network=network) == whole
    assert len(np.frombuffer(whole[2])) == 300              # ended by the schedule: 6 x 50 and 5 x 60
    finished = trained(checkpoint, Until(1), options=CONSTANT, network=network)
    assert finished == whole                                # not a step more


def test_a_given_tape_and_first_weights_resume_as_well(tmp_path):
    full = trained()
    draws = train_image(*IMAGE, SMALL, np.random.default_rng(3)).tape
    network = initialise(np.random.default_rng(4), 2, 4)
    for at, extra in enumerate([{"tape": draws}, {"network": network}, {"tape": draws, "network": network}]):
        whole = trained(**extra)
        assert interrupted(Checkpoint(tmp_path / f"{at}.npz", "a", 9), [15, 30], **extra) == whole != full


@pytest.mark.parametrize("kind", [np.random.PCG64DXSM, np.random.MT19937, np.random.Philox, np.random.SFC64])
def test_any_of_numpys_generators_is_put_away_and_taken_up(tmp_path, kind):
    whole = trained(kind=kind)
    assert interrupted(Checkpoint(tmp_path / "training.npz", "a", 5), [12, 30], kind=kind) == whole


def test_a_stored_image_is_trained_on_as_the_image_in_memory(tmp_path, uninterrupted):
    image, valid = IMAGE
    stored = store(tmp_path / "image.tif", image.shape, in_memory(image, valid).part)
    checkpoint = Checkpoint(tmp_path / "training.npz", "a", 30)
    for progress in (Until(45), None):
        rng = np.random.default_rng(7)
        rng.integers(5, dtype=np.uint8)
        try:
            found = train_on(stored, SMALL, rng, progress, checkpoint=checkpoint)
        except Stop:
            continue
    assert same(found, rng) == uninterrupted[np.float32]


def test_a_finished_training_is_not_done_again_and_a_longer_one_goes_on(tmp_path, uninterrupted):
    checkpoint = Checkpoint(tmp_path / "training.npz", "a")
    few = replace(SMALL, max_steps=33)
    short = trained(checkpoint, options=few)
    assert trained(checkpoint, Until(1), options=few) == short      # a single step would interrupt it
    assert trained(checkpoint) == uninterrupted[np.float32]
    assert trained(checkpoint, options=few) == short                # more steps than asked for are of no use


def test_another_key_is_another_training_and_takes_the_file_over(tmp_path, uninterrupted):
    path = tmp_path / "training.npz"
    other = replace(SMALL, learning_rate=3e-3)
    trained(Checkpoint(path, "rate 3e-3"), options=other)
    assert trained(Checkpoint(path, "rate 1e-3")) == uninterrupted[np.float32]
    assert trained(Checkpoint(path, "rate 1e-3"), Until(1)) == uninterrupted[np.float32]


def test_a_checkpoint_is_written_every_so_many_steps_and_at_the_end(tmp_path):
    path, steps = tmp_path / "training.npz", []

    class Look:
        def update(self, fraction, note=""):
            steps.append(len(np.load(path)["history"]) if path.exists() else 0)

    trained(Checkpoint(path, "a", 30), Look())
    assert steps == [0] * 30 + [30] * 30 + [60] * 10 and len(np.load(path)["history"]) == 70
    assert [each.name for each in tmp_path.iterdir()] == ["training.npz"]


def test_a_checkpoint_that_is_cut_short_is_told_and_training_starts_over(tmp_path, uninterrupted):
    path = tmp_path / "training.npz"
    trained(Checkpoint(path, "a"))
    content = path.read_bytes()
    for size in [0, 1, 30, 500, *range(1000, len(content), len(content) // 7), len(content) - 1]:
        path.write_bytes(content[:size])
        with pytest.warns(DataWarning, match=r"training.npz: this .* cannot be used \(it is damaged\); training"):
            assert trained(Checkpoint(path, "a", 1000)) == uninterrupted[np.float32]


@pytest.fixture(scope="module")
def forty_steps(tmp_path_factory):
    """The bytes of a checkpoint, and a place for it."""
    path = tmp_path_factory.mktemp("damaged") / "training.npz"
    with backend("numpy"), pytest.raises(Stop):
        trained(Checkpoint(path, "a", 20), Until(41))
    return path, path.read_bytes()


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_changed_byte_is_told_or_changes_nothing(forty_steps, uninterrupted, data):
    path, content = forty_steps[0], bytearray(forty_steps[1])
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert trained(Checkpoint(path, "a", 1000)) == uninterrupted[np.float32]
    assert len([one for one in caught if one.category is DataWarning]) <= 1


def rewritten(path, **changed):
    """The file again with some of its arrays or facts changed."""
    with np.load(path) as archive:
        arrays = dict(archive)
    about = json.loads(str(arrays["about"]))
    for name, value in changed.items():
        if name in arrays:
            arrays[name] = value(arrays[name])
        else:
            about[name] = value(about[name])
    np.savez(path, **arrays | {"about": np.array(json.dumps(about))})


@pytest.mark.parametrize("says, changed", [
    ("its format is 2, expected 1", {"format": lambda _: 2}),
    ("its rows is 27, expected 26", {"facts": lambda facts: facts | {"rows": 27}}),
    ("its tape is None, expected 'drawn'", {"facts": lambda facts: {k: v for k, v in facts.items() if k != "tape"}}),
    (r"its arrays have shapes \[\(71,\),", {"parameters": lambda old: old[:-1]}),
    ("its arrays have shapes", {"moments": lambda old: old[:1]}),
    ("its arrays have shapes", {"scales": lambda old: old[1:]}),
    ("its arrays have types .*'float64', 'float32'", {"parameters": lambda old: old.astype(float)}),
    ("its steps do not count", {"draws": lambda old: old[::-1]}),
    ("its steps do not count", {"history": lambda old: old[:-1]}),
    ("it is damaged", {"schedule": lambda old: {}}),
    ("it is damaged", {"generator": lambda old: old | {"bit_generator": "MT19937"}}),
    ("it is damaged", {"generator": lambda old: None}),
])
def test_a_checkpoint_that_does_not_fit_is_told_with_its_reason(tmp_path, uninterrupted, says, changed):
    path = tmp_path / "training.npz"
    trained(Checkpoint(path, "a"))
    rewritten(path, **changed)
    with pytest.warns(DataWarning, match=says) as caught:
        assert trained(Checkpoint(path, "a")) == uninterrupted[np.float32]
    assert len(caught) == 1
    assert trained(Checkpoint(path, "a"), Until(1)) == uninterrupted[np.float32]        # and is replaced by a good one


@pytest.mark.parametrize("extra, says", [
    ({"dtype": np.float64}, "its dtype is 'float32', expected 'float64'"),
    ({"kind": np.random.MT19937}, "its random numbers is 'PCG64', expected 'MT19937'"),
    ({"options": replace(SMALL, channels=5)}, "its channels is 4, expected 5"),
    ({"options": replace(SMALL, crop=10)}, "its crop is 8, expected 10"),
    ({"network": initialise(np.random.default_rng(4), 2, 4)}, "its first weights is 'drawn'"),
])
def test_a_training_of_another_kind_under_the_same_key_starts_over(tmp_path, extra, says):
    checkpoint = Checkpoint(tmp_path / "training.npz", "a")
    trained(checkpoint)
    with pytest.warns(DataWarning, match=says):
        assert trained(checkpoint, **extra) == trained(**extra)


def test_a_tape_with_another_crop_is_another_training(tmp_path):
    checkpoint = Checkpoint(tmp_path / "training.npz", "a")
    draws = train_image(*IMAGE, SMALL, np.random.default_rng(3)).tape.draws
    trained(checkpoint, tape=Tape(draws))
    other = Tape((*draws[:-1], draws[-1]._replace(turn=(draws[-1].turn + 1) % 8)))
    with pytest.warns(DataWarning, match="its tape is '"):
        assert trained(checkpoint, tape=other) == trained(tape=other)


def test_a_pickle_in_place_of_an_array_is_not_opened(tmp_path, uninterrupted):
    path = tmp_path / "training.npz"
    trained(Checkpoint(path, "a"))
    rewritten(path, scales=lambda old: np.array([Stop], object))
    with pytest.warns(DataWarning, match="it is damaged"):
        assert trained(Checkpoint(path, "a")) == uninterrupted[np.float32]


def test_where_a_checkpoint_cannot_be_written_the_training_ends_with_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file.*training.npz: cannot be written"):
        trained(Checkpoint(tmp_path / "file" / "training.npz", "a", 10))


def test_no_step_between_two_checkpoints_is_refused(tmp_path):
    with pytest.raises(ValueError, match="every is 0"):
        Checkpoint(tmp_path / "training.npz", "a", 0)
