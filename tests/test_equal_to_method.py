"""The engine is a faster form of the method: every windowed form beside the function that it equals, to the bit.

Random maps, masks, cuts into windows and threads, on both backends.
"""

import importlib
import math
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA, WGS84
from refimpl.evaluation.accuracy import accuracy_by_province
from refimpl.evaluation.land_cover import coarse_shares, land_cover_pairs
from refimpl.evaluation.zone_sums import Sums
from refimpl.method import correction, land_cover, metrics, super_resolution, training, training_pairs
from refimpl.method.back_projection import back_project, children
from refimpl.method.coarse_map import predict_coarse
from refimpl.method.image_range import clip_negative, measure_range
from refimpl.method.network import forward, initialise
from refimpl.method.province_totals import zonal_sums
from refimpl.method.resize import upsample_valid
from refimpl.method.selection import fit_model
from refimpl.method.settings import UpscaleSettings
from refimpl.twins import backend
from refimpl.windows import allocated_map, fine_map, levels, measured_range, predicted_map
from refimpl.windows.inference import infer
from refimpl.windows.scaled import in_memory
from refimpl.windows.training_on_file import LinearImage, train_on
from refimpl.windows.zonal_statistics import zonal_statistics

BACKENDS = pytest.mark.parametrize("chosen", ["numba", "numpy"])


@pytest.fixture(autouse=True)
def on_backend(request, monkeypatch):
    """The backend of the test, and a number of threads that differs from test to test."""
    chosen = request.node.callspec.params["chosen"]
    monkeypatch.setenv("REFIMPL_THREADS", str(1 + len(request.node.name) % 3))
    with backend(chosen):
        yield


def random_map(seed, rows=45, cols=53, below=0.0):
    """Peaks on a plain, a ragged mask, four provinces."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:rows, :cols]
    peaks = [(rng.uniform(0, rows), rng.uniform(0, cols), rng.lognormal(0, 1), rng.uniform(1, 9)) for _ in range(30)]
    values = sum(h * np.exp(-((y - a) ** 2 + (x - b) ** 2) / (2 * s)) for a, b, h, s in peaks) - below
    valid = (np.hypot(y - rows / 2, x - cols / 2) < 0.55 * max(rows, cols)) & (rng.random((rows, cols)) < 0.97)
    zones = 1 + (y > rows / 2) + 2 * (x > cols / 2)
    grid = Grid(ALBERS_CHINA, (0.0, 0.0, 1000.0, -1000.0), (rows, cols))
    return SimpleNamespace(values=np.where(valid, values, 0), valid=valid, zones=zones, grid=grid, rng=rng)


class Cut:
    """A raster that is handed out in windows only, never as a whole in memory."""

    def __init__(self, raster: Raster):
        self.raster, self.grid, self.units, self.dtype = raster, raster.grid, raster.units, raster.dtype

    def part(self, window):
        return self.raster.part(window)


def source_of(world) -> Cut:
    return Cut(Raster(world.values, world.valid, world.grid))


def pieces(source, height, width):
    """All of a source, put together from windows of that size."""
    rows, cols = source.grid.shape
    values, valid = np.zeros((rows, cols)), np.zeros((rows, cols), bool)
    for top in range(0, rows, height):
        for left in range(0, cols, width):
            cells = np.s_[top : min(top + height, rows), left : min(left + width, cols)]
            part = source.part((top, min(top + height, rows), left, min(left + width, cols)))
            values[cells], valid[cells] = part.values, part.valid
    return values, valid


@BACKENDS
@pytest.mark.parametrize("seed", range(4))
def test_zonal_statistics_equal_zonal_sums(chosen, seed):
    world = random_map(seed)
    grid = Grid(WGS84, (80.0, 50.0, 0.1, -0.1), world.grid.shape)
    found = zonal_statistics(Raster(world.values, world.valid, grid), Raster(world.zones, world.zones > 0, grid))
    codes, totals, areas, counts = zonal_sums.reference(world.values, world.valid, world.zones, grid.cell_areas())
    assert found.codes.tolist() == codes.tolist() and found.count.tolist() == counts.tolist()
    assert found.total.tobytes() == totals.tobytes() and found.area_km2.tobytes() == areas.tobytes()
    sums = Sums()  # and window by window
    for window in ((0, 20, 0, 30), (0, 20, 30, 53), (20, 45, 0, 53)):
        cells = np.s_[window[0] : window[1], window[2] : window[3]]
        sums.add_cells(
            world.values[cells], world.valid[cells], world.zones[cells], grid.cell_areas()[window[0] : window[1]]
        )
    assert sums.totals()[1].tobytes() == totals.tobytes()


@BACKENDS
@pytest.mark.parametrize("model", ["svr", "linear"])
@pytest.mark.parametrize("scaling", ["separate", "shared"])
def test_predicted_equals_predict_coarse(chosen, model, scaling, monkeypatch):
    world = random_map(11)
    grid = Grid(WGS84, (80.0, 50.0, 0.1, -0.1), world.grid.shape)
    X, names = world.rng.lognormal(8, 2, (30, 3)), ["a", "b", "c"]
    fitted = fit_model(model, X, X @ [1.0, 2.0, 3.0], feature_names=names)
    drivers = {name: np.where(world.valid, world.rng.lognormal(0, 3, grid.shape), 0) for name in names}
    expected = predict_coarse(fitted, drivers, world.valid, grid.cell_areas(), scaling)
    sources = {name: Cut(Raster(cells, world.valid, grid)) for name, cells in drivers.items()}
    monkeypatch.setattr(predicted_map, "WALKED", 2**18)
    monkeypatch.setattr(predicted_map, "PREDICTED_AT_ONCE", 100)
    values, valid = pieces(predicted_map.predicted_map(fitted, sources, scaling), 13, 17)
    assert values.tobytes() == expected.tobytes() and np.array_equal(valid, world.valid)


@BACKENDS
@pytest.mark.parametrize("seed", range(4))
def test_measure_and_linear_image_equal_measure_range(chosen, seed):
    world = random_map(seed, below=0.05)
    positive = clip_negative(world.values)
    expected, measured = measure_range(positive, world.valid), measured_range.measure(source_of(world))
    assert measured.range == expected and measured.clipped == np.count_nonzero(world.values < 0)
    image = LinearImage(source_of(world), measured.range)
    values, _ = pieces(image, 7, 11)
    assert np.array_equal(values, expected.to_image(positive, world.valid).astype(np.float32))


@BACKENDS
@pytest.mark.parametrize("holes", [True, False])
def test_the_pyramid_of_a_source_equals_that_of_an_image(chosen, holes):
    world = random_map(3, 61, 40)
    valid = world.valid if holes else np.ones_like(world.valid)
    image = np.where(valid, np.maximum(world.values, 0), 0).astype(np.float32)
    whole = training_pairs.pyramid(image, valid, 16)
    stored = levels.pyramid_of(Cut(in_memory(image, valid)), 16)
    assert [one.scale for one in stored] == [one.scale for one in whole] and len(whole) == 6
    for one, two in zip(stored, whole):
        assert [one.corners[n] for n in range(len(one.corners))] == [tuple(corner) for corner in two.corners]
        for number in (0, len(two.corners) // 2, len(two.corners) - 1):
            for a, b in zip(one.crop(*one.corners[number], 16), two.crop(*two.corners[number], 16)):
                assert np.array_equal(a, b)


@BACKENDS
@pytest.mark.parametrize("transform, kind", [("linear", "mean"), ("log", "bicubic")])
def test_training_on_a_source_equals_training_on_an_image(chosen, transform, kind):
    world = random_map(5)
    image = np.where(world.valid, np.maximum(world.values, 0), 0).astype(np.float32)
    settings = UpscaleSettings(layers=3, channels=8, crop=16, max_steps=60, transform=transform, downsampling=kind)
    rngs = [np.random.Generator(np.random.PCG64(7)) for _ in range(2)]
    plain = training.train(training_pairs.pyramid(image, world.valid, 16), 16, settings, rngs[0])
    stored = train_on(Cut(in_memory(image, world.valid)), settings, rngs[1])
    assert stored.network.parameters.tobytes() == plain.network.parameters.tobytes()
    assert stored.history.loss.tobytes() == plain.history.loss.tobytes() and stored.tape == plain.tape
    assert rngs[0].random() == rngs[1].random()


@BACKENDS
@pytest.mark.parametrize(
    "transform, kind, together", [("linear", "mean", True), ("log", "bicubic", True), ("sqrt", "mean", False)]
)
def test_super_resolved_equals_apply_network(chosen, transform, kind, together):
    world = random_map(8, 40, 37, below=0.05)
    settings = UpscaleSettings(
        layers=3, channels=8, transform=transform, downsampling=kind, self_ensemble=together, back_projection=3
    )
    network = initialise(np.random.default_rng(2), 3, 8)
    found = measure_range(clip_negative(world.values), world.valid)
    image = found.to_image(clip_negative(world.values), world.valid)
    fine = super_resolution.apply_network(network, image, world.valid, settings)
    expected = np.where(children(world.valid), super_resolution.weights_of(fine, found, settings), 0)
    source = fine_map.SuperResolved(network, source_of(world), found, settings)
    whole, _ = pieces(source, 80, 74)
    cut, valid = pieces(source, 22, 30)
    assert np.array_equal(valid, children(world.valid))
    if chosen == "numba":
        assert np.array_equal(cut, expected) and np.array_equal(whole, expected)
    else:  # NumPy's matrix product may round a cell differently in an image of another size: float32, values near 1
        for values in (cut, whole):
            assert np.abs(values - expected).max() <= 4e-6 * found.scale


@BACKENDS
def test_the_output_of_windows_equals_forward(chosen):
    world = random_map(9, 70, 66)
    network, image = initialise(np.random.default_rng(2), 4, 8), world.values.astype(np.float32)
    expected = np.where(world.valid, forward(network, image), np.float32(0))
    for window in ((0, 70, 0, 66), (5, 38, 17, 66)):
        cells = np.s_[window[0] : window[1], window[2] : window[3]]
        found = infer(network, image, world.valid, window)
        if chosen == "numba":
            assert np.array_equal(found, expected[cells])
        else:  # as above
            assert np.abs(found - expected[cells]).max() <= 4e-6 * np.abs(expected).max()


@BACKENDS
@pytest.mark.parametrize("kind", ["mean", "bicubic"])
def test_the_plain_alternatives_equal_their_formulas(chosen, kind):
    world = random_map(10, below=0.05)
    found = measure_range(clip_negative(world.values), world.valid)
    image, inside = found.to_image(clip_negative(world.values), world.valid), children(world.valid)
    replicated = np.where(inside, np.maximum(found.to_map(children(image)), 0), 0)
    assert np.array_equal(pieces(fine_map.Replicated(source_of(world), found), 22, 30)[0], replicated)
    fine = back_project(upsample_valid(image, world.valid), image, world.valid, 4, kind)
    bicubic = np.where(inside, np.maximum(found.to_map(fine), 0), 0)
    source = fine_map.Bicubic(source_of(world), found, 4, "remove", kind)
    assert np.array_equal(pieces(source, 22, 30)[0], bicubic)


@pytest.mark.filterwarnings("ignore:province")
@BACKENDS
def test_allocated_equals_allocate(chosen):
    for seed in range(60):
        rng = np.random.default_rng(seed)
        shape, count = tuple(rng.integers(1, 60, 2)), int(rng.integers(1, 7))
        weights = rng.lognormal(0, [1, 4, 12, 60, 0.1, 3][seed % 6], shape)
        weights = np.minimum(weights, 1e30 if seed % 7 == 0 else 1e250)
        if seed % 6 == 5:
            weights = np.where(rng.random(shape) < 0.7, 0, weights)
        weights = weights.astype(np.float32 if seed % 7 == 0 else np.float64)
        valid, zones = rng.random(shape) < 0.9, rng.integers(0, count + 1, shape)
        weights = np.where(valid, weights, weights.dtype.type(0))
        if seed % 10 == 9:  # a province whose weights are all 0 (D21)
            weights[zones == 1] = 0
        grid = Grid(WGS84, (100.0, 60.0, 0.5, -0.5), shape)
        totals = dict(enumerate(rng.lognormal(6, 3, count).tolist(), 1))
        emission, mapped = correction.allocate(weights, valid, zones, grid.cell_areas(), totals)
        found = allocated_map.allocate(Cut(Raster(weights, valid, grid)), zones, totals)
        values, inside = pieces(found.emission, 7, 19)
        assert values.tobytes() == emission.tobytes() and np.array_equal(inside, mapped), seed
        for code, total, sum_ in zip(found.balance.codes, found.balance.total, found.balance.cell_sum):
            assert math.fsum(emission[mapped & (zones == code)]) == total == sum_


@BACKENDS
def test_the_first_pass_finds_the_same_in_any_windows(chosen, monkeypatch):
    world = random_map(2)
    weights, totals = np.maximum(world.values, 0), {1: 10.0, 2: 20.0, 3: 30.0, 4: 40.5}
    expected, _ = correction.allocate(weights, world.valid, world.zones, world.grid.cell_areas(), totals)
    for cuts in ([(0, 45, 0, 53)], [(0, 9, 0, 53), (9, 45, 0, 20), (9, 45, 20, 53)]):
        monkeypatch.setattr(allocated_map, "windows", lambda shape, cuts=cuts: cuts)
        found = allocated_map.allocate(Cut(Raster(weights, world.valid, world.grid)), world.zones, totals)
        assert np.array_equal(found.emission.part((0, 45, 0, 53)).values, expected)


@BACKENDS
@pytest.mark.parametrize("seed", range(3))
def test_density_and_land_cover_shares_equal_the_method(chosen, seed):
    world = random_map(seed, 44, 52)
    emission = np.maximum(world.values, 0)
    areas = Grid(WGS84, (80.0, 50.0, 0.1, -0.1), world.grid.shape).cell_areas()
    grid = Grid(WGS84, (80.0, 50.0, 0.1, -0.1), world.grid.shape)
    density = allocated_map.per_km2(Cut(Raster(emission, world.valid, grid)))
    assert np.array_equal(pieces(density, 9, 31)[0], correction.per_km2(emission, areas))
    igbp = world.rng.integers(0, 18, (22, 26))
    cover = Raster(igbp, np.ones(igbp.shape, bool), Grid(WGS84, (80.0, 50.0, 0.2, -0.2), igbp.shape))
    fine, known = children(igbp), np.ones(emission.shape, bool)
    expected = land_cover.land_cover_shares(emission, world.valid, world.zones, fine, known)
    found = coarse_shares(Cut(Raster(emission, world.valid, grid)), world.zones, cover)
    assert found.codes.tolist() == expected.codes.tolist() and found.shares.tobytes() == expected.shares.tobytes()
    codes, pairs = land_cover_pairs(emission, world.valid, world.zones, fine, known)
    plain = land_cover.land_cover_sums.reference(emission, world.valid, world.zones, fine, known)
    assert codes.tolist() == plain[0].tolist() and pairs[0].tobytes() == plain[1].tobytes()


@BACKENDS
def test_accuracy_by_province_equals_the_metrics_to_rounding(chosen):
    """Moments are centred sums, so that only the last digits may differ: 1e-12 of the value."""
    world = random_map(4)
    other = world.values * 1.1 + 0.01
    found = accuracy_by_province(world.values, other, world.valid, world.zones)
    for n, code in enumerate(found.codes.tolist()):
        cells = world.valid & (world.zones == code)
        pair = world.values[cells], other[cells]
        assert found.r2[n] == pytest.approx(metrics.r_squared(*pair), rel=1e-12)
        assert found.mae[n] == pytest.approx(metrics.mean_absolute_error(*pair), rel=1e-12)
        assert found.rmse[n] == pytest.approx(metrics.root_mean_square_error(*pair), rel=1e-12)
        assert found.r[n] == pytest.approx(metrics.pearson_r(*pair), rel=1e-12)


@pytest.mark.parametrize("chosen", ["numpy"])
def test_every_function_of_the_method_that_a_text_names_exists(chosen):
    floors = Path(correction.__file__).parents[1]
    files = [file for floor in ("windows", "evaluation", "run") for file in (floors / floor).rglob("*.py")]
    names = set().union(*(re.findall(r"refimpl\.method\.\w+(?:\.\w+)*", file.read_text("utf-8")) for file in files))
    assert len(names) > 30
    for name in names:
        module, *attributes = name.split(".")[2:]
        found = importlib.import_module(f"refimpl.method.{module}")
        for attribute in attributes:
            found = getattr(found, attribute, None)
        assert found is not None, name
