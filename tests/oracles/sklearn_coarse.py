"""Fig. 1: the regression on every cell, by the exact models; scikit-learn and NumPy's quantile are the second voice."""

from __future__ import annotations

import math
import warnings

import numpy as np
from sklearn import preprocessing

from tests.oracles import exact_models as em
from tests.oracles import mpmath_areas, suite
from tests.oracles.sklearn_selection import DRIVERS, EMISSION, LIMITS, peer

FLAGS = {
    "cells-scaled-as-totals": "Cells are scaled by the bounds of the province totals, a million times larger: every "
    "cell falls on the lower corner, and the map is flat.",
    "cell-maximum-for-quantile": "The cells' upper bound is the maximum, not the 99.9 % quantile: one gas flare sets "
    "the scale of a country.",
    "cells-not-clipped": "Cells beyond the quantile are not held at 1, and the regression is extrapolated far beyond "
    "the provinces it has seen.",
    "quantile-argument-ignored": "upper_quantile is not passed on: it stays 0.999.",
    "cells-without-all-drivers": "A cell that lacks one driver is predicted all the same (with 0 for nodata), or takes "
    "part in the minimum and quantile of the others.",
    "shared-without-area": "With one scaling for both, densities per km2 are scaled by totals, without the area of the "
    "cell.",
    "one-area-for-all-rows": "The area of a cell is that of the first or middle row, or dx dy in square degrees.",
    "shared-clipped": "With one scaling for both, cells are clipped to [0, 1], which is for the separate scaling "
    "only.",
    "negative-set-to-zero": "Negative predictions become 0 here already (D08 is the next step's), or are not counted, "
    "or counted after they were set to 0.",
    "coarse-in-standard-units": "The map is left in standard deviations of the emission.",
    "drivers-in-file-order": "Drivers are matched to columns by another order than their number.",
    "constant-over-cells": "A driver that is the same in all cells gives 0/0, and an empty map, or is scaled by the "
    "totals instead of becoming 0.",
    "all-zero-lights": "Lights are 0 in nearly all cells, so that their quantile is 0: the driver is dropped instead "
    "of being scaled by its maximum.",
}

D05 = ["Fig. 1", "D05", "Table 1"]
GEOGRAPHIC = {"crs": suite.WGS84, "transform": (100.0, 52.0, 0.5, -0.75)}
ALBERS = {"crs": suite.ALBERS_CHINA, "transform": (-512000.0, 4387500.0, 12000.0, -9500.0)}
HOW = "Cells scaled and predicted with 50 digits (an SVR from LIBSVM's active set); scikit-learn agrees."


def densities(case_id: str, shape=(5, 7)) -> list[np.ndarray]:
    """Lights, people and GDP per km2, with few digits, and one gas flare in the lights."""
    random = suite.rng(case_id)
    town = random.lognormal(0, 1.2, shape)
    lights, people, gdp = (town * random.lognormal(0, 0.5, shape) * unit for unit in (4.0, 150.0, 8e6))
    lights = np.where(town < 0.6, 0.0, np.round(lights, 2))
    lights[3, 5] = 1400.0
    return [lights, np.round(people, 1), np.round(gdp, -2)]


def scaled_cells(cells, fitted: em.Fitted, place, index, scaling, upper_quantile) -> list:
    """The rows of valid cells as the model sees them."""
    exact = em.exact(cells)
    if scaling == "separate":
        limits = em.bounds(exact, upper_quantile)
        top = np.quantile(cells, upper_quantile, axis=0)
        high = em.to_float([upper for _, upper in limits])
        assert np.allclose(np.where(top > cells.min(axis=0), top, high), high, rtol=1e-12)
        return em.scale(exact, limits, clip=True)
    areas = mpmath_areas.areas(place["crs"], place["transform"], (index[0].max() + 1, 1))
    return em.scale([[v * em.mp.mpf(areas[row]) for v in cell] for cell, row in zip(exact, index[0], strict=True)],
                    fitted.limits)  # fmt: skip


def agreed(model, settings, drivers, emission, rows, own) -> None:
    """scikit-learn, given the scaled cells, predicts the same."""
    scaler = preprocessing.MinMaxScaler().fit(drivers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        second = peer(model, settings).fit(drivers, emission).predict(scaler.inverse_transform(em.to_float(rows)))
    assert np.abs(second - own).max() < (3e-6 if model == "svr" else 1e-7) * np.abs(own).max()


def coarse_map(layers, valid, place, model, drivers, emission, settings, scaling, upper_quantile):
    """The map, 0 where a driver is missing, and the number of negative cells."""
    index = np.nonzero(np.logical_and.reduce(valid))
    fitted = em.fitted(model, em.exact(drivers), em.exact(emission), settings)
    cells = np.stack([layer[index] for layer in layers], axis=1)
    rows = scaled_cells(cells, fitted, place, index, scaling, upper_quantile)
    own = em.to_float(fitted.of_scaled(rows))
    agreed(model, settings, drivers, emission, rows, own)
    largest = np.abs(own).max()
    assert np.abs(own).min() > 1e-4 * largest, "a prediction so near 0 that its sign is rounding"
    if model == "svr":
        assert max(fitted.model.reach(row) for row in rows) * float(fitted.deviation) < 1e-7 * largest
    values = np.zeros(layers[0].shape)
    values[index] = own
    return values, int((own < 0).sum())


def coarse_case(name, title, model, layers, place, flags, **more) -> suite.Case:
    """A case of ``predict_coarse``; ``missing`` are (driver, row, column) without a value."""
    d, missing = len(layers), more.get("missing", ())
    drivers, emission = np.array(DRIVERS)[:, :d], np.array(EMISSION)
    drivers, emission = more.get("drivers", drivers), more.get("emission", emission)
    valid = [np.ones(layers[0].shape, bool) for _ in layers]
    for driver, row, column in missing:
        valid[driver][row, column] = False
    parameters = {"model": model} | {k: more[k] for k in ("settings", "scaling", "upper_quantile") if k in more}
    values, negative = coarse_map(
        layers, valid, place, model, drivers, emission, more.get("settings", {}), more.get("scaling", "separate"),
        more.get("upper_quantile", 0.999),
    )  # fmt: skip
    assert (negative > 0) == ("negative-set-to-zero" in flags), f"{name}: {negative} negative cells"
    inputs = {"drivers.npy": drivers, "emission.npy": emission}
    for k, layer in enumerate(layers):
        nodata = -9999.0 if not valid[k].all() else None
        inputs[f"driver_{k + 1}.tif"] = suite.Tiff(layer, **place, valid=valid[k] if nodata else None, nodata=nodata)
    inside, count = np.logical_and.reduce(valid), {"name": ["negative"], "value": [negative]}
    outputs = {
        "coarse.tif": suite.Output(suite.Tiff(values, **place, valid=inside), "scaled", *LIMITS[model]),
        "negative.csv": suite.Output(count, "exact", 0.0, "a count; no prediction is near 0 (verified)"),
    }  # fmt: skip
    return suite.Case(
        f"coarse-{name}", title, "coarse", "predict_coarse", more.get("references", D05), flags,
        "libsvm-polished" if model == "svr" else "mpmath", HOW, parameters, inputs, outputs,
    )  # fmt: skip


def maps() -> list[suite.Case]:
    """Five rows and seven columns."""
    three = densities("coarse")
    calm = [np.where(three[0] > 100, 61.5, three[0]), *three[1:]]
    dark = np.zeros((5, 7))
    dark[1, 4] = 63.0
    small = np.array(DRIVERS) * [2e-2, 2e-3, 2e-3]
    few = np.array(DRIVERS)[:, :1] * 40
    holes = [(0, 0, 2), (1, 3, 5), (1, 4, 0), (2, 2, 3), (0, 2, 3)]
    own = ["coarse-in-standard-units", "cells-scaled-as-totals"]
    return [
        coarse_case("linear", "Least squares on cells scaled by themselves", "linear", three, ALBERS,
                    [*own, "drivers-in-file-order", "cell-maximum-for-quantile"]),
        coarse_case("svr", "The paper's choice: an RBF machine on the cells", "svr", three, ALBERS,
                    [*own, "drivers-in-file-order", "cell-maximum-for-quantile"]),
        coarse_case("flare-clipped", "The 90 % quantile: the flare is held at 1, and with it two cells", "bayesian",
                    three, ALBERS, ["quantile-argument-ignored", "cells-not-clipped", "cell-maximum-for-quantile"],
                    upper_quantile=0.9),
        coarse_case("maximum", "upper_quantile 1 is the maximum", "elastic_net", three, ALBERS,
                    ["quantile-argument-ignored"], upper_quantile=1.0),
        coarse_case("nodata", "The flare lies where people have no value: it takes no part", "svr", three, ALBERS,
                    ["cells-without-all-drivers"], missing=holes, references=[*D05, "Convention: nodata"]),
        coarse_case("dark-country", "One cell of 35 has lights, and the median is 0: the maximum takes its place",
                    "linear", [dark], ALBERS, ["all-zero-lights", "cells-scaled-as-totals"], upper_quantile=0.5),
        coarse_case("constant-driver", "A driver that is the same in all cells is 0 there", "linear",
                    [three[0], np.full((5, 7), 31.7)], ALBERS, ["constant-over-cells", "negative-set-to-zero"]),
        coarse_case("negative", "A steep plane predicts less than nothing: kept, and counted", "linear", three[1:],
                    ALBERS, ["negative-set-to-zero"], drivers=np.array(DRIVERS)[:, 1:],
                    emission=np.array(EMISSION) - 15000.0, references=[*D05, "D08"]),
        coarse_case("shared-geographic", "One scaling for both: density times the true area of each row's cells",
                    "elastic_net", calm, GEOGRAPHIC, ["shared-without-area", "one-area-for-all-rows", "shared-clipped"],
                    scaling="shared", drivers=small * [900, 500, 900], references=[*D05, "D03"]),
        coarse_case("shared-projected", "One scaling for both in Albers: 114 km2 a cell", "svr", calm[:1], ALBERS,
                    ["shared-without-area", "shared-clipped"], scaling="shared", drivers=few, settings={"C": 2.0}),
        coarse_case("svr-settings", "Settings reach the model", "svr", three[1:], ALBERS,
                    ["drivers-in-file-order", "quantile-argument-ignored"], drivers=np.array(DRIVERS)[:, 1:],
                    settings={"kernel": "linear", "C": 5.0}, upper_quantile=0.8),
    ]  # fmt: skip


def refused() -> list[suite.Case]:
    """What gives no map."""
    lights, people, _ = densities("coarse")
    rasters = {"driver_1": suite.Tiff(lights, **ALBERS), "driver_2": suite.Tiff(people, **ALBERS)}
    good = {"drivers": np.array(DRIVERS)[:, :2], "emission": np.array(EMISSION)} | rasters
    x0, y0, dx, dy = ALBERS["transform"]
    moved = suite.Tiff(people, (x0 + dx / 2, y0, dx, dy), suite.ALBERS_CHINA)
    narrow = suite.Tiff(people[:, :6], **ALBERS)
    left, right = np.zeros((2, 5, 7), bool)
    left[:, :3] = right[:, 3:] = True
    halves = {
        "driver_1": suite.Tiff(lights, **ALBERS, valid=left, nodata=-1.0),
        "driver_2": suite.Tiff(people, **ALBERS, valid=right, nodata=-1.0),
    }
    hole = np.array(EMISSION)
    hole[3] = math.nan
    alone = {key: value for key, value in good.items() if key != "driver_2"}
    linear = {"model": "linear"}
    rows = [
        ("moved-grid", linear, good | {"driver_2": moved}, ["driver_2", "driver_1"],
         "driver_2 lies half a cell east of driver_1"),
        ("narrow-grid", linear, good | {"driver_2": narrow}, ["driver_2", "driver_1"],
         "driver_2 has six columns, driver_1 seven"),
        ("missing-raster", linear, alone, ["driver_2", "drivers"], "drivers has two columns, and driver_2 is missing"),
        ("raster-too-many", linear, good | {"driver_3": suite.Tiff(lights, **ALBERS)}, ["driver_3", "drivers"],
         "there is a driver_3, but drivers has two columns"),
        ("no-common-cell", linear, good | halves, ["driver_1", "driver_2"], "no cell has both drivers"),
        ("unknown-scaling", linear | {"scaling": "common"}, good, ["scaling"], "there is no scaling common"),
        ("quantile-above-one", linear | {"upper_quantile": 1.5}, good, ["upper_quantile"], "upper_quantile is 1.5"),
        ("unknown-model", {"model": "SVM"}, good, ["model"], "there is no model SVM"),
        ("negative-alpha", {"model": "elastic_net", "settings": {"alpha": -0.5}}, good, ["alpha"], "alpha is negative"),
        ("nan-in-emission", linear, good | {"emission": hole}, ["emission"], "emission holds a NaN"),
        ("short-emission", linear, good | {"emission": np.array(EMISSION[:6])}, ["emission", "drivers"],
         "six emissions for eight provinces"),
    ]  # fmt: skip
    return [
        suite.refused(f"coarse-refuses-{name}", None, "coarse", "predict_coarse", D05, fields, why, suite.named(inputs),
                      parameters)
        for name, parameters, inputs, fields, why in rows
    ]  # fmt: skip


def cases() -> list[suite.Case]:
    """All of them."""
    return maps() + refused()
