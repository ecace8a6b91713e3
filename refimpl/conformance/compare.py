"""Comparison of one output with the expected one: structure, then numbers (golden/README.md, "Comparators").

Structure is shape, type, CRS, transform, valid mask, columns and number of rows.  The worst cell and the measured value
are reported for a success too, so that a limit that is nearly reached is seen.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from refimpl.conformance.answers import Answer
from refimpl.conformance.case import Expectation
from refimpl.conformance.comparators import measure
from refimpl.conformance.compare_tables import compare_tables
from refimpl.conformance.difference import Difference, beyond, located, passing, with_hint
from refimpl.conformance.likeness import likeness, turned
from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import CRS

TRANSFORM_TOLERANCE = 1e-6
"""Of a cell's size: about what a transform can lose when it is written as text or as GeoTIFF tags."""


def compare(expectation: Expectation, expected: Answer, got: Answer) -> Difference:
    """Compare one answer with the expected one.

    >>> e = Expectation("a.npy", "abs", 1e-9, "two roundings")
    >>> compare(e, np.array([1.0, 2.0]), np.array([1.0, 2.5])).sentence
    '1 of 2 values is beyond the limit'
    >>> compare(e, np.zeros((2, 3)), np.zeros((3, 2))).sentence
    'its shape is (3, 2), expected (2, 3): it is the transpose of what was expected'
    """
    blank = Difference(expectation.of, expectation.cmp, expectation.limit, expectation.why)
    if type(expected) is not type(got):
        words = {np.ndarray: "an array", dict: "a table", Raster: "a raster"}
        return replace(blank, sentence=f"it is {words[type(got)]}, expected {words[type(expected)]}")
    if isinstance(expected, dict):
        return compare_tables(blank, expected, got)
    if isinstance(expected, Raster):
        return compare_rasters(blank, expected, got)
    return compare_arrays(blank, expected, got)


def compare_arrays(blank: Difference, expected: np.ndarray, got: np.ndarray) -> Difference:
    """Compare shape, type, then values; with hints such as transposed, flipped, a constant factor."""
    shown = (expected, got) if expected.ndim == got.ndim == 2 else None
    blank = replace(blank, shown=shown)
    passes = passing(blank)
    if got.shape != expected.shape:
        hint = turned(expected, got, passes)
        return replace(blank, sentence=with_hint(f"its shape is {got.shape}, expected {expected.shape}", hint))
    if got.dtype != expected.dtype:
        return replace(blank, sentence=f"its type is {got.dtype}, expected {expected.dtype}")
    measured = measure(expected, got, blank.cmp, blank.limit)
    sentence = "" if measured.passed else with_hint(beyond(measured, expected.size), likeness(expected, got, passes))
    return located(replace(blank, sentence=sentence), expected, got, measured, _array_cell)


def compare_rasters(blank: Difference, expected: Raster, got: Raster) -> Difference:
    """Compare grid, type, valid mask, then the values of valid cells."""
    blank = replace(blank, shown=(expected, got))
    passes = passing(blank)
    filled = _filled(expected), _filled(got)
    hint = turned(*filled, passes)
    if got.values.shape != expected.values.shape:
        shapes = f"its shape is {got.values.shape}, expected {expected.values.shape}"
        return replace(blank, sentence=with_hint(shapes, hint))
    fault = _grid_fault(expected.grid, got.grid)
    if fault or got.values.dtype != expected.values.dtype:
        fault = fault or f"its type is {got.values.dtype}, expected {expected.values.dtype}"
        return replace(blank, sentence=fault)
    differing = expected.valid != got.valid
    if differing.any():
        at = tuple(int(i) for i in np.argwhere(differing)[0])
        what = "has a value where none is expected" if got.valid[at] else "has none where one is expected"
        cells = f"its mask differs at {differing.sum()} cells, first at {_array_cell(at)}, which {what}"
        return replace(blank, sentence=with_hint(cells, hint), at=at, cell=_array_cell(at))
    places = np.argwhere(expected.valid)
    pair = expected.values[expected.valid], got.values[got.valid]
    measured = measure(*pair, blank.cmp, blank.limit)
    sentence = "" if measured.passed else with_hint(beyond(measured, len(places)), likeness(*filled, passes))
    judged = located(replace(blank, sentence=sentence), *pair, measured, lambda at: _array_cell(places[at[0]].tolist()))
    return judged if judged.at is None else replace(judged, at=tuple(places[judged.at[0]].tolist()))


def _filled(raster: Raster) -> np.ndarray:
    """Values with nan in invalid cells, so that mask and values are turned together."""
    return np.where(raster.valid, raster.values, np.nan)


def _array_cell(at: tuple[int, ...]) -> str:
    """A place in an array, counted from 0.

    >>> _array_cell((3, 4)), _array_cell((7,))
    ('row 3, column 4', 'index 7')
    """
    return f"row {at[0]}, column {at[1]}" if len(at) == 2 else f"index {', '.join(map(str, at))}"


def _grid_fault(expected: Grid, got: Grid) -> str:
    """What is wrong with CRS or transform, or an empty text."""
    if not same_crs(expected.crs, got.crs):
        return f"its CRS is {got.crs.describe()}, expected {expected.crs.describe()}"
    for at, name in enumerate(("x0", "y0", "dx", "dy")):
        a, b, cell = expected.transform[at], got.transform[at], expected.transform[2 + at % 2]
        if not abs(a - b) <= TRANSFORM_TOLERANCE * abs(cell):
            return f"its transform has {name} = {b!r}, expected {a!r}"
    return ""


def same_crs(a: CRS, b: CRS) -> bool:
    """Whether two CRS make the same map; numbers must agree to 9 digits, the parallels can come in either order."""

    def numbers(crs: CRS) -> list[float]:
        origin = [] if crs.kind == "geographic" else [crs.central_meridian, crs.false_easting, crs.false_northing]
        return [*crs.ellipsoid, *sorted(crs.parallels), crs.latitude_of_origin, crs.scale, *origin]

    return a.kind == b.kind and bool(np.allclose(numbers(a), numbers(b), rtol=1e-9, atol=1e-9))
