"""Stage coarse: the regression on every cell."""

from __future__ import annotations

from refimpl.conformance.operations.reading import array, arrays, given, named, raster
from refimpl.conformance.operations.regression import settings
from refimpl.conformance.task import Task
from refimpl.errors import InputError
from refimpl.method.selection import fit_model
from refimpl.windows import predicted_map as coarse


def predict_coarse(task: Task) -> dict:
    """Fig. 1."""
    model = str(task.parameter("model"))
    with arrays("drivers", "emission"):
        data = array(task, "drivers", 2), array(task, "emission", 1)
        fitted = fit_model(model, *data, settings({model: task.parameter("settings", {})}))
    beyond = f"driver_{len(fitted.feature_names) + 1}"
    if task.has(beyond):
        raise InputError(f"{beyond}: the drivers have {len(fitted.feature_names)} columns")
    layers = {name: raster(task, name) for name in fitted.feature_names}
    found = coarse.predict_coarse(fitted, layers, **given(task, "scaling", "upper_quantile"))
    return {"coarse": found.raster, "negative": named(negative=found.negative)}


OPERATIONS = {"predict_coarse": predict_coarse}
