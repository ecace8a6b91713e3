"""Drivers as densities from files: counts by true areas, negative cells told once, whoever reads them."""

import pickle

import numpy as np
import pytest

from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA
from refimpl.errors import DataWarning
from refimpl.formats.writing import write_raster
from refimpl.run.drivers import OpenDriver


@pytest.fixture
def people(tmp_path):
    """Two rows of cells of 2 km x 2 km, two of them negative."""
    grid = Grid(ALBERS_CHINA, (0, 0, 2000, -2000), (2, 3))
    values = np.array([[8.0, -3.0, 4.0], [0.0, -20.0, 2.0]])
    write_raster(tmp_path / "people.tif", Raster(values, np.ones((2, 3), bool), grid, "persons"))
    return tmp_path / "people.tif"


TOLD = "people.tif: 2 cells are negative, the lowest -20; if that is nodata, declare it with gdal_translate -a_nodata"


@pytest.mark.parametrize("kind, first", [("count", 2.0), ("density", 8.0)])
def test_a_driver_in_another_process_gives_the_same_densities(people, kind, first):
    with OpenDriver(people, kind) as driver:
        again = pickle.loads(pickle.dumps(driver))
        for window in ((0, 2, 0, 3), (1, 2, 0, 2)):
            here, there = driver.part(window), again.part(window)
            assert np.array_equal(here.values, there.values) and here.units == there.units
        assert driver.part((0, 1, 0, 1)).values.tolist() == [[first]]


@pytest.mark.parametrize("kind", ["count", "density"])
def test_negative_cells_are_told_once_in_the_units_of_the_file(people, kind, recwarn):
    with OpenDriver(people, kind) as driver:
        for row in range(2):
            driver.part((row, row + 1, 0, 3))
        driver.tell_negative()
        driver.tell_negative()
    assert [str(one.message) for one in recwarn] == [TOLD]


def test_negative_cells_that_others_read_are_told_from_the_file(people, recwarn):
    with OpenDriver(people, "count") as driver:
        driver.part((0, 1, 0, 3))
        again = pickle.loads(pickle.dumps(driver))
        again.tell_negative()
        assert not recwarn.list
        driver.tell_negative(everywhere=True)
    assert [(one.category, str(one.message)) for one in recwarn] == [(DataWarning, TOLD)]
