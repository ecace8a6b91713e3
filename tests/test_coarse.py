"""The coarse map against the same arithmetic on all cells at once; blocks, scalings, refusals, memory."""

from __future__ import annotations

import pickle
import tracemalloc

import numpy as np
import pytest

from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA, WGS84
from refimpl.errors import InputError
from refimpl.formats.writing import write_raster
from refimpl.method.selection import MODELS, fit_model
from refimpl.windows import predicted_map as engine
from refimpl.windows.predicted_map import count_negative, predict_coarse, predicted_map
from refimpl.windows.stored import Stored

NAMES = ("ntl", "population", "gdp")


def fitted(name="svr"):
    rng = np.random.default_rng(0)
    totals = rng.lognormal(size=(12, 3)) * [1e5, 1e3, 1e4]
    return fit_model(name, totals, totals @ [0.02, 3.0, 0.4] + 500 * rng.standard_normal(12), feature_names=NAMES)


def world(shape, crs=WGS84, dtype=np.float32):
    grid = Grid(crs, (80.0, 50.0, 0.01, -0.01) if crs is WGS84 else (0, 0, 1000, -1000), shape)
    rng = np.random.default_rng(1)
    made = {name: (rng.lognormal(size=shape).astype(dtype), rng.random(shape) < 0.8) for name in NAMES}
    return {name: Raster.masked(values, valid, grid) for name, (values, valid) in made.items()}


def expected(model, drivers, scaling, quantile=0.999):
    """The map, its scaling's bounds and the number of negative cells, from all cells at once."""
    valid = np.all([drivers[name].valid for name in NAMES], axis=0)
    cells = np.stack([drivers[name].values[valid].astype(float) for name in NAMES], axis=1)
    lower, upper = cells.min(axis=0), np.quantile(cells, quantile, axis=0)
    scaled = np.clip((cells - lower) / (upper - lower), 0, 1)
    if scaling == "shared":
        areas = np.broadcast_to(drivers["ntl"].grid.cell_areas()[:, None], valid.shape)[valid]
        lower, upper = model.feature_scaler.data_min_, model.feature_scaler.data_max_
        scaled = (cells * areas[:, None] - lower) / (upper - lower)
    values = np.zeros(valid.shape)
    values[valid] = model.target_scaler.inverse_transform(model.model.predict(scaled))
    return values, valid, lower, upper, np.count_nonzero(values < 0)


@pytest.mark.parametrize("scaling", ["separate", "shared"])
@pytest.mark.parametrize("name", MODELS)
def test_the_map_is_that_of_all_cells_at_once_whatever_the_blocks(name, scaling, monkeypatch):
    model, drivers = fitted(name), world((23, 17))
    values, valid, lower, upper, negative = expected(model, drivers, scaling)
    for block in (1, 40, 10**6):  # single rows, a few rows, everything
        monkeypatch.setattr(engine, "PREDICTED_AT_ONCE", block)
        found = predict_coarse(model, drivers, scaling)
        assert found.raster.values.tobytes() == values.tobytes() and np.array_equal(found.raster.valid, valid)
        assert (found.scaler.data_min_.tolist(), found.scaler.data_max_.tolist()) == (lower.tolist(), upper.tolist())
        assert found.negative == negative


def test_negative_cells_of_all_blocks_are_counted(monkeypatch):
    rng = np.random.default_rng(2)
    totals = rng.random((12, 3))
    model = fit_model("linear", totals, totals.sum(axis=1) - 1.5, feature_names=NAMES)  # 0 in the middle of the range
    monkeypatch.setattr(engine, "PREDICTED_AT_ONCE", 17)
    found = predict_coarse(model, world((23, 17)))
    values = found.raster.values[found.raster.valid]
    assert 0 < found.negative == np.count_nonzero(values < 0) < values.size


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1)])
def test_maps_of_one_row_or_column(shape):
    everywhere = Raster(np.ones(shape), np.ones(shape, bool), world(shape)["ntl"].grid)
    found = predict_coarse(fitted(), dict.fromkeys(NAMES, everywhere)).raster
    assert found.valid.all() and np.ptp(found.values) == 0  # constant drivers are 0 everywhere


def test_a_given_scaling_is_used_as_it_is():
    model, drivers = fitted(), world((9, 11))
    first = predict_coarse(model, drivers)
    brighter = {name: Raster(2 * layer.values, layer.valid, layer.grid) for name, layer in drivers.items()}
    again = predict_coarse(model, brighter, scaler=first.scaler)
    assert again.scaler is first.scaler and not np.array_equal(again.raster.values, first.raster.values)
    own = predict_coarse(model, brighter).raster.values  # by its own scaling, twice the light is the same map
    np.testing.assert_allclose(own, first.raster.values, rtol=1e-9)


def test_what_cannot_be_mapped_is_one_sentence():
    model, drivers = fitted(), world((6, 7))
    with pytest.raises(InputError, match="driver 'gdp' is missing"):
        predict_coarse(model, {name: drivers[name] for name in NAMES[:2]})
    with pytest.raises(InputError, match="different grids"):
        predict_coarse(model, drivers | {"gdp": world((6, 8))["gdp"]})
    nothing = Raster(np.zeros((6, 7)), np.zeros((6, 7), bool), drivers["ntl"].grid)
    with pytest.raises(InputError, match="no cell has all of ntl, population, gdp"):
        predict_coarse(model, drivers | {"gdp": nothing})


def test_memory_beyond_the_map_holds_one_driver_and_a_few_rows(monkeypatch):
    monkeypatch.setattr(engine, "PREDICTED_AT_ONCE", 2**14)
    model, drivers = fitted(), world((1200, 1000), ALBERS_CHINA)
    predict_coarse(model, drivers)
    tracemalloc.start()
    found = predict_coarse(model, drivers)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    cells = found.raster.values.size
    # 9 bytes a cell are the map and its mask.  One driver in float64, and twice more in its quantile, are 24 of the
    # cells that are valid; three drivers, scaled and clipped, were over 70.
    assert peak < (9 + 24) * cells


def in_files(folder, shape=(700, 1300)):
    """The drivers of ``world`` as sources in files."""
    for name, raster in world(shape, ALBERS_CHINA).items():
        write_raster(folder / f"{name}.tif", raster)
    return {name: Stored(folder / f"{name}.tif") for name in NAMES}


@pytest.mark.parametrize("name, scaling", [(name, "separate") for name in MODELS] + [("svr", "shared")])
def test_a_map_computed_window_by_window_is_the_whole_map_to_the_bit(tmp_path, name, scaling):
    sources, model = in_files(tmp_path), fitted(name)
    in_memory = {name: source.whole() for name, source in sources.items()}
    whole, lazy = predict_coarse(model, in_memory, scaling), predicted_map(model, sources, scaling)
    assert np.array_equal(lazy.scaler.data_max_, whole.scaler.data_max_)
    values, valid, lower, upper, _ = expected(model, in_memory, scaling)
    assert np.array_equal(lazy.scaler.data_min_, lower) and np.array_equal(lazy.scaler.data_max_, upper)
    for window in ((0, 700, 0, 1300), (0, 1, 0, 1300), (100, 133, 7, 1000), (699, 700, 1299, 1300), (5, 600, 500, 517)):
        part, (top, bottom, left, right) = lazy.part(window), window
        assert np.array_equal(part.values, whole.raster.values[top:bottom, left:right])
        assert np.array_equal(part.valid, valid[top:bottom, left:right])


def test_a_map_in_files_goes_to_another_process_and_its_negative_cells_are_counted(tmp_path):
    sources, model = in_files(tmp_path, (30, 40)), fitted()
    again = pickle.loads(pickle.dumps(predicted_map(model, sources))).part((0, 30, 0, 40))
    assert np.array_equal(again.values, predict_coarse(model, sources).raster.values)
    grid = Grid(ALBERS_CHINA, (0, 0, 1, -1), (1, 4))
    assert count_negative(Raster(np.array([[-1.0, 0.0, 2.0, -3.0]]), np.ones((1, 4), bool), grid)) == 2


class Watched:
    """A source that keeps how many cells were read of it."""

    def __init__(self, source):
        self.source, self.grid, self.read = source, source.grid, 0

    def part(self, window):
        self.read += (window[1] - window[0]) * (window[3] - window[2])
        return self.source.part(window)


def test_the_scaling_reads_its_drivers_together_once_and_each_alone_twice():
    drivers = {name: Watched(raster) for name, raster in world((1100, 2100), ALBERS_CHINA).items()}
    predicted_map(fitted(), drivers)
    assert [drivers[name].read for name in NAMES] == [(1 + 2) * 1100 * 2100] * 3
