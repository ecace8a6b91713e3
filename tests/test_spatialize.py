"""``spatialize``: every wrong argument is one sentence that names it, and every total is kept."""

import math

import numpy as np
import pytest

from refimpl import UpscaleSettings, Year, spatialize
from refimpl.errors import DataWarning, InputError
from refimpl.method.network import initialise
from refimpl.method.training_pairs import Draw, Tape

ZONES = np.repeat(1 + np.arange(12) // 4, 12).reshape(12, 12)
LIGHTS = np.random.default_rng(1).random((12, 12)) * ZONES
COAL = np.array([100.0, 210.0, 290.0])
EC = 20908 * 26.37 * 0.94 * 44 / 12 * 1e-6  # Table 3 and Eq. 1


def year(coal=COAL, lights=LIGHTS, **more):
    return Year({"coal": coal}, {"lights": lights}, **more)


def made(**changed):
    arguments = {"fit": year(), "test": year(0.9 * COAL, 0.9 * LIGHTS), "codes": [1, 2, 3], "zones": ZONES}
    arguments |= {"areas": np.ones(12), "settings": UpscaleSettings(layers=2, channels=8, max_steps=3)}
    return spatialize(**arguments | changed)


def test_every_province_sums_exactly_to_its_statistic_and_other_provinces_are_nodata():
    zones = ZONES.copy()
    zones[:, 11] = 9  # a province without a statistic (D20)
    found = made(zones=zones)
    fine = zones.repeat(2, 0).repeat(2, 1)
    for code, amount in zip((1, 2, 3), COAL):
        assert math.fsum(found.emission[fine == code]) == pytest.approx(amount * EC, rel=1e-15)
    assert not found.mapped[fine == 9].any() and (found.emission[fine == 9] == 0).all()


def test_a_province_of_masked_or_missing_cells_has_no_value_there():
    lights = LIGHTS.copy()
    lights[0, :5] = np.nan
    masked = np.ma.masked_array(np.where(np.isnan(lights), -9999.0, lights), np.isnan(lights))
    one, two = made(fit=year(lights=lights)), made(fit=year(lights=masked))
    assert not one.coarse_valid[0, :5].any() and one.emission.tobytes() == two.emission.tobytes()


def test_negative_cells_are_told():
    with pytest.warns(DataWarning, match=r"fit\.drivers\['lights'\]: cells are negative, the lowest -9999"):
        made(fit=year(lights=np.where(LIGHTS < 0.1, -9999.0, LIGHTS)))


def test_known_totals_of_the_drivers_take_the_place_of_their_sums():
    totals = {"lights": np.array([1.0, 2.0, 4.0])}
    known = made(fit=year(driver_totals=totals), test=year(driver_totals=totals))
    assert known.table["linear"].fitted.feature_scaler.data_max_.tolist() == [4.0]


def test_a_factor_of_4_trains_two_networks():
    found = made(settings=UpscaleSettings(layers=2, channels=8, max_steps=3, factor=4))
    assert found.emission.shape == (48, 48) and len(found.trained) == 2
    assert math.fsum(found.emission.ravel()) == pytest.approx(600 * EC, rel=1e-14)


def test_given_weights_and_crops_replace_every_random_number():
    network, tape = initialise(np.random.default_rng(5), 2, 8), Tape(tuple(Draw(n, 1.0, 0, 0, n) for n in range(4)))
    one, two = (made(network=network, tape=tape, seed=seed) for seed in (1, 2))
    assert one.emission.tobytes() == two.emission.tobytes() and one.trained[0].tape == tape


WRONG = [
    ({"codes": [1, 1, 3]}, "codes: 1 stands there twice"),
    ({"codes": ["1", "2", "3"]}, "codes: hold text"),
    ({"codes": [1.5, 2, 3]}, "codes: hold 1.5"),
    ({"codes": [1, 2]}, "codes: 2 provinces have statistics"),
    ({"codes": [1, 2, 9]}, "codes: province 9 has a statistic, but no cell"),
    ({"zones": -ZONES}, "zones: hold -"),
    ({"zones": np.where(ZONES == 1, np.nan, ZONES)}, "zones: hold nan"),
    ({"zones": ZONES.astype(str)}, "zones: hold text"),
    ({"zones": ZONES[0]}, "zones: have shape"),
    ({"areas": -np.ones(12)}, "areas: hold -1.0"),
    ({"areas": np.ones(1)}, "areas: has shape"),
    ({"areas": np.ones((12, 12))}, "areas: has shape"),
    ({"fine_zones": np.ones((3, 3), int)}, "fine_zones: have shape"),
    ({"fine_zones": np.full((24, 24), 9)}, "fine_zones: hold none of the codes"),
    ({"fine_areas": np.ones(3)}, "fine_areas: has shape"),
    ({"fit": year(COAL[:1])}, r"fit.fuels\['coal'\]: has shape"),
    ({"fit": year(np.array(["a", "b", "c"]))}, r"fit.fuels\['coal'\]: holds what is no number"),
    ({"fit": year(-COAL)}, "fuel 'coal': an amount is negative"),
    ({"fit": year(0 * COAL)}, "fit.fuels: all amounts are 0"),
    ({"fit": Year({"cole": COAL}, {"lights": LIGHTS})}, "unknown fuel 'cole'; did you mean 'coke'"),
    ({"fit": Year(COAL, {"lights": LIGHTS})}, "fit.fuels: is ndarray"),
    ({"fit": Year({"coal": COAL}, {})}, "fit.drivers: is dict"),
    ({"fit": [1]}, "fit: is list"),
    ({"fit": year(lights=LIGHTS[:5])}, r"fit.drivers\['lights'\]: has shape"),
    ({"fit": year(lights=LIGHTS * 1j)}, r"fit.drivers\['lights'\]: holds complex numbers"),
    ({"fit": year(lights=LIGHTS * np.nan)}, "no cell with a value of 'lights'"),
    ({"test": Year({"coal": COAL}, {"people": LIGHTS})}, "test.drivers: has no 'lights'"),
    ({"fit": year(driver_totals={"people": COAL})}, "fit.driver_totals: has no 'lights'"),
    ({"fit": year(driver_totals={"lights": COAL[:2]})}, r"fit.driver_totals\['lights'\]: has shape"),
    ({"fit": year(driver_totals={"lights": COAL * np.nan})}, r"fit.driver_totals\['lights'\]: holds nan"),
    ({"seed": None}, "seed: is None"),
    ({"seed": -1}, "seed: is -1"),
    ({"settings": {}}, "settings: is dict"),
    ({"settings": UpscaleSettings(crop=33)}, "upscale.crop: 33 is odd"),
    ({"models": {"svr": None}}, "models: is"),
    ({"models": {"svr": {"c": 1}}}, "unknown parameter 'c'; did you mean 'C'"),
    ({"model": "svm"}, "unknown model 'svm'"),
    ({"scaling": "both"}, "unknown scaling 'both'"),
    ({"tape": Tape(())}, "tape: lacks crops"),
]


@pytest.mark.parametrize("changed, sentence", WRONG, ids=[sentence[:30] for _, sentence in WRONG])
def test_a_wrong_argument_is_one_sentence(changed, sentence):
    with pytest.raises(InputError, match=sentence) as fault:
        made(**changed)
    assert "\n" not in str(fault.value) and len(str(fault.value)) < 300
