"""Labels from polygons: the zone of each cell of a grid.

Section "Raster data".  Two rules:

- "centre": the zone whose polygon contains the cell's centre.  A centre on a border belongs to the zone to its right;
  on a horizontal border, to the zone below.  So exactly one of two neighbours gets it, as in GDAL's rasteriser.
- "area": the zone that covers the largest share of the cell, if all zones together cover at least half of it; else no
  zone.  So a coast moves neither out nor in, and the area of the labels is right on average.  The shares of two
  provinces at a coast are added for the test, so that their border does not turn land into sea.

If zones cover equal shares (up to rounding, or because polygons overlap), the smallest code gets the cell.
"""

from __future__ import annotations

import warnings

import numpy as np

from refimpl.earth.grid import Grid, Raster, Window
from refimpl.earth.polygon_sums import ASTRAY, COVERAGE_NOISE, held, row_coverage, row_winding
from refimpl.earth.polygons import RULES, Edges, Polygons, edges_on
from refimpl.errors import DataWarning, InputError, did_you_mean
from refimpl.twins import twin

_LABEL_BLOCK_CELLS = 2**20


@twin("kernels.zone_labels")
def label_cells(edges: Edges, first_row: int, rows: int, cols: int, by_area: bool):
    """Labels of the cells in ``rows`` rows from ``first_row`` on, by the rule "area" or "centre".

    Returns
    -------
    labels : (rows, cols) int64, 1 + the index of the zone in ``edges.codes``; 0 for no zone.
    astray : (k,) bool, true if the zone's polygons overlap or cross themselves.

    >>> square = Edges(np.array([[0.5, 0, 0.5, 1], [2, 0, 2, 1.0]]), np.array([1.0, -1]), np.zeros(2, int), [11])
    >>> [label_cells.reference(square, 0, 1, 3, by_area)[0].tolist() for by_area in (True, False)]
    [[[1, 1, 0]], [[1, 1, 0]]]
    """
    zones = [(edges.ends[edges.ranks == rank], edges.signs[edges.ranks == rank]) for rank in range(len(edges.codes))]
    labels, astray = np.zeros((rows, cols), np.int64), np.zeros(len(zones), bool)
    coverage_of = row_coverage if by_area else row_winding
    for row, line in enumerate(labels):
        best, every = np.zeros(cols), np.zeros(cols)
        for rank, (ends, signs) in enumerate(zones):
            raw = coverage_of(ends, signs, first_row + row, cols)
            astray[rank] |= bool((np.abs(raw - 0.5) > 0.5 + ASTRAY).any())
            share = held(raw)
            every += share
            larger = share > best + COVERAGE_NOISE
            best[larger], line[larger] = share[larger], rank + 1
        line[every < 0.5 - COVERAGE_NOISE] = 0
    return labels, astray


def zone_labels(polygons: Polygons, grid: Grid, rule: str = "", window: Window | None = None) -> Raster:
    """The zone's code of each cell; 0 and invalid where there is none.  The default rule is that of the polygons.

    ``window`` is (row start, row stop, column start, column stop) of the grid; default: all.  A cell has the same zone
    in every window.

    Raises
    ------
    InputError
        An unknown rule, or polygons that cannot be projected to the grid's CRS.

    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> triangle = np.array([0.0, 30.0, 30.0, 0.0]), np.array([0.0, 0.0, 30.0, 0.0])
    >>> zones = Polygons(*triangle, np.array([0, 4]), np.array([True]), np.array([11]), ALBERS_CHINA)
    >>> zone_labels(zones, Grid(ALBERS_CHINA, (0, 30, 10, -10), (3, 3))).values.tolist()
    [[0, 0, 11], [0, 11, 11], [11, 11, 11]]
    """
    rule = checked_rule(rule or polygons.rule)
    edges = edges_on(polygons, grid)
    # The smallest type that holds all codes.
    codes = np.append(0, edges.codes)
    codes = codes.astype(next(kind for kind in (np.uint8, np.uint16, np.int32) if codes.max() <= np.iinfo(kind).max))
    top, bottom, left, right = window or (0, grid.shape[0], 0, grid.shape[1])
    values, astray = np.zeros((bottom - top, right - left), codes.dtype), np.zeros(codes.size - 1, bool)
    step = max(1, _LABEL_BLOCK_CELLS // right)
    for start in range(0, bottom - top, step):
        block = values[start : start + step]
        # Rows and columns count from the grid's corner: counted from a window's, edges would be rounded differently.
        labels, here = label_cells(edges, top + start, block.shape[0], right, rule == "area")
        block[:], astray = codes[labels[:, left:]], astray | here
    warn_astray(polygons, edges.codes[astray])
    return Raster.unchecked(values, values != 0, grid if window is None else grid.part(window))


def checked_rule(rule: str) -> str:
    """``rule`` itself, if it is one of RULES; else an InputError.

    >>> checked_rule("center")
    Traceback (most recent call last):
    refimpl.errors.InputError: unknown rule 'center' for cells of polygons; did you mean 'centre'?
    """
    if rule not in RULES:
        raise InputError(f"unknown rule {rule!r} for cells of polygons{did_you_mean(str(rule), RULES)}")
    return rule


def warn_astray(polygons: Polygons, codes: np.ndarray) -> None:
    """Warn of zones whose polygons overlap or cross themselves; no warning if ``codes`` is empty."""
    if codes.size:
        listed = ", ".join(map(str, codes[:5].tolist())) + (" ..." if codes.size > 5 else "")
        warnings.warn(
            f"{polygons.where}: polygons of zone {listed} overlap or cross themselves; cells there count once at most "
            "(repair them with 'ogr2ogr -makevalid')",
            DataWarning,
            stacklevel=3,
        )
