"""Operations of stage coarse: the regression on every cell."""

from __future__ import annotations

from refimpl.conformance.operations.reading import given, named, raster
from refimpl.conformance.operations.regression import fitted_on_totals
from refimpl.conformance.task import Task
from refimpl.errors import InputError
from refimpl.method.fitted_regression import FittedRegression
from refimpl.windows import predicted_map as coarse


def regression_of(task: Task) -> FittedRegression:
    """The regression on the task's totals; a driver too many is refused."""
    fitted = fitted_on_totals(task)
    beyond = f"driver_{len(fitted.feature_names) + 1}"
    if task.has(beyond):
        raise InputError(f"{beyond}: the drivers have {len(fitted.feature_names)} columns")
    return fitted


def predict_coarse(task: Task) -> dict:
    """Fig. 1."""
    fitted = regression_of(task)
    layers = {name: raster(task, name) for name in fitted.feature_names}
    found = coarse.predict_coarse(fitted, layers, **given(task, "scaling", "upper_quantile"))
    return {"coarse": found.raster, "negative": named(negative=found.negative)}


OPERATIONS = {"predict_coarse": predict_coarse}
