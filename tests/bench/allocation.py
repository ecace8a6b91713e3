"""Eq. 3 on 80 million cells, beside NumPy: the map of ``tests.bench.zonal``, float32 weights, 34 statistics.

NumPy's maps are what one would write: cells in proportion to the weights, and a mask.  They do not look for wrong
weights and do not make the sums exact (D22).  Each method comes on the whole raster, on one thread, and on blocks of
rows that stay in the processor's cache, on two.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from tests.bench.job import Contender, Job
from tests.bench.zonal import CELL_KM2, SHAPE, ZONES, blobs, driver

TOTALS = np.concatenate([[0.0], 1e4 + 1234.5 * np.arange(1, ZONES + 1)])


def sample(emission, mapped) -> np.ndarray:
    """Some 8,000 cells, the sums of some rows, and the number of mapped cells, as a share of all."""
    cells = emission[::97, ::101].ravel() / emission.max()
    rows = emission[::500].sum(axis=1) / emission[::500].sum()
    return np.concatenate([cells, rows, [np.count_nonzero(mapped) / mapped.size]])


def prepare_refimpl():
    from refimpl.earth.grid import Grid, Raster
    from refimpl.earth.projection import ALBERS_CHINA
    from refimpl.windows.allocated_map import allocate

    weights = Raster(*driver(), Grid(ALBERS_CHINA, (0.0, 0.0, 500.0, -500.0), SHAPE), "1")
    zones, totals = blobs(), {code: TOTALS[code] for code in range(1, ZONES + 1)}
    return lambda: allocate(weights, zones, totals)


def sums_by_bincount(weights, zones) -> np.ndarray:
    return np.bincount(zones.ravel(), weights.ravel(), ZONES + 1)


def cells_by_gather(weights, zones, factors, emission) -> None:
    np.multiply(weights, factors[zones], out=emission)


def cells_by_take(weights, zones, factors, emission) -> None:
    np.take(factors, zones, out=emission, mode="clip")
    emission *= weights


def sums_by_runs(weights, zones) -> np.ndarray:
    zones = zones.ravel()
    starts = np.concatenate([[0], np.flatnonzero(zones[1:] != zones[:-1]) + 1])
    return np.bincount(zones[starts], np.add.reduceat(weights.ravel(), starts, dtype=np.float64), ZONES + 1)


def cells_by_runs(weights, zones, factors, emission) -> None:
    flat = zones.ravel()
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    each = np.repeat(factors[flat[starts]], np.diff(starts, append=flat.size))
    np.multiply(weights, each.reshape(zones.shape), out=emission)


def prepare_numpy(sums, cells, rows, threads):
    """Two passes over blocks of so many rows, on so many threads; invalid weights are 0."""

    def prepare():
        (weights, valid), zones = driver(), blobs()
        pool = ThreadPoolExecutor(threads)
        blocks = [np.s_[start : start + rows] for start in range(0, SHAPE[0], rows)]

        def allocate():
            whole = sum(pool.map(lambda block: sums(weights[block], zones[block]), blocks)) * CELL_KM2
            factors = np.divide(TOTALS * CELL_KM2, whole, out=np.zeros(ZONES + 1), where=whole > 0)
            emission, mapped = np.empty(SHAPE), np.empty(SHAPE, bool)

            def fill(block):
                cells(weights[block], zones[block], factors, emission[block])
                np.logical_and(zones[block], valid[block], out=mapped[block])

            list(pool.map(fill, blocks))
            return emission, mapped

        return allocate

    return prepare


def contenders() -> tuple[Contender, ...]:
    found = [Contender("refimpl", prepare_refimpl, lambda a: sample(a.emission.values, a.emission.valid), ours=True)]
    for name, sums, cells in (
        ("bincount, gather", sums_by_bincount, cells_by_gather),
        ("bincount, take", sums_by_bincount, cells_by_take),
        ("reduceat and repeat by runs", sums_by_runs, cells_by_runs),
    ):
        for where, rows, threads in (("whole raster", SHAPE[0], 1), ("blocks of rows, two threads", 16, 2)):
            prepare = prepare_numpy(sums, cells, rows, threads)
            found.append(Contender(f"NumPy, {name}, {where}", prepare, lambda answer: sample(*answer)))
    return tuple(found)


JOBS = (
    Job(
        "allocation-80m", "Eq. 3, 34 provinces, 80 million cells", goal=3.0, contenders=contenders(), tolerance=1e-9,
        why="NumPy sums in plain float64 and leaves the rest of rounding where it is",
        bytes=(2 * 6 + 9) * SHAPE[0] * SHAPE[1], memory_goal=0.5,
    ),
)  # fmt: skip
