"""Reading of a task's arrays, tables, rasters and parameters, which are refused by name where they are malformed.

refimpl's own sentences do not know the names of the task's inputs.  ``naming`` puts these names before such a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np

from refimpl.conformance.task import Task
from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA, CRS, WGS84_ELLIPSOID
from refimpl.errors import InputError
from refimpl.formats.geotiff import read_raster
from refimpl.formats.tables import Table, read_table
from refimpl.run.provinces import read_codes

CRS_PARTS = ("parallels", "latitude_of_origin", "central_meridian", "false_easting", "false_northing")
NUMBERS = frozenset(
    "rate beta1 beta2 epsilon factor minimum_valid upper_quantile C coef0 alpha l1_ratio tol learning_rate final_rate "
    "scale intercept alpha_1 alpha_2 lambda_1 lambda_2".split()
)
SWITCHES = frozenset(("clip", "inverse", "bias", "pyramid", "self_ensemble"))
WORDS = frozenset("kind direction kernel model method scaling downsampling baseline policy_loss scheme".split())
"""Parameters by their type; whole numbers are checked where they are read (``whole``)."""


def refuse_wrong_types(parameters: Mapping[str, object]) -> None:
    """InputError for a parameter of ``NUMBERS``, ``SWITCHES`` or ``WORDS`` that is of another type.

    >>> refuse_wrong_types({"rate": True})
    Traceback (most recent call last):
    refimpl.errors.InputError: rate is True; expected a number
    """
    for name, value in parameters.items():
        switch, number, word = isinstance(value, bool), isinstance(value, (int, float)), isinstance(value, str)
        if name in SWITCHES and not switch:
            raise InputError(f"{name} is {value!r}; expected true or false")
        if name in NUMBERS and (switch or not number):
            raise InputError(f"{name} is {value!r}; expected a number")
        if name in WORDS and not word:
            raise InputError(f"{name} is {value!r}; expected a word")


@contextmanager
def naming(*names: str, refusals: tuple[type[Exception], ...] = (InputError, ValueError)) -> Iterator[None]:
    """Inside, a refusal becomes an InputError whose sentence begins with the inputs or parameters ``names``."""
    try:
        yield
    except refusals as fault:
        raise InputError(f"{', '.join(names)}: {fault}") from fault


def arrays(*names: str):
    """``naming`` for wrong shapes of arrays only: these are ValueErrors; an InputError names its parameter already."""
    return naming(*names, refusals=(ValueError,))


def array(task: Task, name: str, dimensions: int) -> np.ndarray:
    """The input array ``name``, of finite numbers."""
    values = task.array(name)
    if values.ndim != dimensions:
        raise InputError(f"{name}: has shape {values.shape}; expected {dimensions} dimensions")
    if values.dtype.kind != "f":
        raise InputError(f"{name}: holds {values.dtype}; expected float64 or float32")
    if not np.isfinite(values).all():
        raise InputError(f"{name}: holds a value that is not finite; expected numbers")
    return values


def mask(task: Task, name: str, like: np.ndarray) -> np.ndarray:
    """The input array ``name``, bool, of the shape of ``like``."""
    values = task.array(name)
    if values.dtype != bool or values.shape != like.shape:
        raise InputError(f"{name}: is {values.dtype} {values.shape}; expected bool {like.shape}")
    return values


def image(task: Task) -> tuple[np.ndarray, np.ndarray]:
    """The input arrays ``image.npy`` and ``valid.npy``."""
    values = array(task, "image", 2)
    return values, mask(task, "valid", values)


def whole(task: Task, name: str, *default: int) -> int:
    """The parameter ``name``, a whole number."""
    value = task.parameter(name, *default)
    if type(value) is not int:
        raise InputError(f"{name} is {value!r}; expected a whole number")
    return value


def given(task: Task, *names: str) -> dict[str, object]:
    """The named parameters that the task has, by name; refimpl's defaults apply for the others."""
    return {name: task.parameters[name] for name in names if name in task.parameters}


def table(task: Task, name: str, *columns: str) -> Table:
    """The input table ``name``, with the named columns."""
    with naming(name):
        return read_table(task.path(name), columns, f"the input {name}")


def raster(task: Task, name: str, grid: Grid | None = None) -> Raster:
    """The input raster ``name``, which must lie on ``grid`` if one is given."""
    with naming(name):
        return _on(grid, read_raster(task.path(name)))


def codes(task: Task, name: str, what: str, grid: Grid | None = None) -> Raster:
    """The input raster ``name``, of whole numbers from 0 up, which must lie on ``grid`` if one is given."""
    with naming(name):
        return _on(grid, read_codes(task.path(name), what))


def zones(task: Task, grid: Grid | None = None) -> Raster:
    """The input raster ``zones.tif``, of province codes."""
    return codes(task, "zones", "province codes, 0 outside", grid)


def _on(grid: Grid | None, values: Raster) -> Raster:
    if grid is not None and values.grid != grid:
        raise InputError("lies on another grid than the raster it belongs to; warp it first")
    return values


def crs(task: Task) -> CRS:
    """The parameter ``crs`` as a CRS."""
    with naming("crs", refusals=(ValueError, TypeError)):
        parts = task.parameter("crs")
        if parts == "albers-china":
            return ALBERS_CHINA
        parts = dict(parts)
        a, inverse_flattening = WGS84_ELLIPSOID
        ellipsoid = parts.pop("a", a), parts.pop("inverse_flattening", inverse_flattening)
        unknown = sorted(set(parts) - {"kind", *CRS_PARTS})
        if unknown:
            raise ValueError(f"unknown part {unknown[0]!r}")
        return CRS(parts.pop("kind", None), ellipsoid, **parts)


def grid(task: Task, of: CRS) -> Grid:
    """The grid of the parameters ``transform`` and ``shape``."""
    for name in ("transform", "shape"):
        if not isinstance(task.parameter(name), list):
            raise InputError(f"{name} is {task.parameter(name)!r}; expected a list of numbers")
    return Grid(of, tuple(task.parameter("transform")), tuple(task.parameter("shape")))


def named(**values: float) -> dict[str, list]:
    """A table of names and values."""
    return {"name": list(values), "value": list(values.values())}
