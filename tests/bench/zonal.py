"""Zonal totals, areas and counts of 80 million cells, beside NumPy and exactextract.

34 provinces as blobs with winding borders cover most of a map of 8,000 x 10,000 cells of 500 m; the driver is float32,
a corner of it has no values.  Opponents get the same arrays; exactextract, which takes polygons, gets the provinces as
polygons along the cells' edges and the driver with NaN where it is not valid, both made before the clock starts.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from tests.bench.job import Contender, Job

SHAPE, ZONES, BLOCK = (8000, 10_000), 34, 10
CELL_KM2 = 0.25


def provinces() -> np.ndarray:
    """(800, 1000) uint8: the nearest of 34 seeds on a warped plane, 0 beyond a radius; each is 10 x 10 cells."""
    rng = np.random.default_rng(34)
    rows, cols = (size // BLOCK for size in SHAPE)
    y, x = np.mgrid[0:rows, 0:cols].astype(np.float32)
    y, x = y + 25 * np.sin(x / 23) + 3 * rng.random(x.shape, np.float32), x + 25 * np.sin(y / 19)
    nearest, zones = np.full(x.shape, np.float32(280**2)), np.zeros(x.shape, np.uint8)
    for code, (row, col) in enumerate(rng.random((ZONES, 2)) * (rows, cols), start=1):
        distance = (y - row) ** 2 + (x - col) ** 2
        zones[distance < nearest] = code
        np.minimum(nearest, distance, out=nearest)
    return zones


def fine(blocks: np.ndarray) -> np.ndarray:
    return np.repeat(np.repeat(blocks, BLOCK, axis=0), BLOCK, axis=1)


def driver() -> tuple[np.ndarray, np.ndarray]:
    """(values, valid): uniform on [0, 1000), float32, 0 and not valid in the upper left corner."""
    values, valid = np.random.default_rng(80).random(SHAPE, np.float32), np.ones(SHAPE, bool)
    values *= 1000
    values[:2000, :1500], valid[:2000, :1500] = 0, False
    return values, valid


def random_zones() -> np.ndarray:
    return np.random.default_rng(35).integers(1, ZONES + 1, SHAPE, np.uint8)


def blobs() -> np.ndarray:
    return fine(provinces())


def table(answer) -> np.ndarray:
    """(zones, 3): total, area in km2, count."""
    return np.array(answer, float).T


def of_statistics(found) -> np.ndarray:
    return table([found.total, found.area_km2, found.count])


def prepare_refimpl(make_zones):
    def prepare():
        from refimpl.earth.grid import Grid, Raster
        from refimpl.earth.projection import ALBERS_CHINA
        from refimpl.windows.zonal_statistics import zonal_statistics

        grid = Grid(ALBERS_CHINA, (0.0, 0.0, 500.0, -500.0), SHAPE)
        density, codes = Raster(*driver(), grid, "persons/km2"), make_zones()
        zones = Raster(codes, np.ones(SHAPE, bool), grid)
        return lambda: zonal_statistics(density, zones)

    return prepare


def by_bincount(values, valid, zones) -> np.ndarray:
    """(2, 35): sums and counts; a cell without a value counts for zone 0."""
    zones = np.where(valid, zones, np.uint8(0)).ravel()
    return np.array([np.bincount(zones, values.ravel(), ZONES + 1), np.bincount(zones, minlength=ZONES + 1)])


def by_bincount_of_intp(values, valid, zones) -> np.ndarray:
    """The same; the codes are converted once and not in each bincount."""
    zones = (zones * valid).ravel().astype(np.intp)
    return np.array([np.bincount(zones, values.ravel(), ZONES + 1), np.bincount(zones, minlength=ZONES + 1)])


def by_runs(values, valid, zones) -> np.ndarray:
    """(2, 35): sums of neighbours of one zone by ``reduceat``; the few sums of runs by bincount."""
    zones = np.where(valid, zones, np.uint8(0)).ravel()
    starts = np.concatenate([[0], np.flatnonzero(zones[1:] != zones[:-1]) + 1])
    sums = np.add.reduceat(values.ravel(), starts, dtype=np.float64)
    lengths = np.diff(starts, append=zones.size)
    return np.array([np.bincount(zones[starts], each, ZONES + 1) for each in (sums, lengths)])


def prepare_numpy(method, make_zones, rows, threads):
    """``method`` on blocks of so many rows, on so many threads."""

    def prepare():
        (values, valid), zones = driver(), make_zones()
        pool = ThreadPoolExecutor(threads)
        blocks = [np.s_[start : start + rows] for start in range(0, SHAPE[0], rows)]

        def statistics():
            parts = pool.map(lambda block: method(values[block], valid[block], zones[block]), blocks)
            sums, counts = sum(parts)[:, 1:]
            return table([sums * CELL_KM2, counts * CELL_KM2, counts])

        return statistics

    return prepare


def prepare_exactextract(strategy):
    def prepare():
        from exactextract import exact_extract
        from exactextract.feature import JSONFeatureSource
        from exactextract.raster import NumPyRasterSource
        from rasterio.features import shapes
        from rasterio.transform import Affine

        values, valid = driver()
        values[~valid] = np.nan
        rings: dict[int, list] = {code: [] for code in range(1, ZONES + 1)}
        coarse = provinces()
        for shape, code in shapes(coarse, mask=coarse > 0, transform=Affine(BLOCK, 0, 0, 0, -BLOCK, SHAPE[0])):
            rings[int(code)].append(shape["coordinates"])
        features = [
            {"type": "Feature", "properties": {}, "geometry": {"type": "MultiPolygon", "coordinates": polygons}}
            for polygons in rings.values()
        ]
        source, polygons = NumPyRasterSource(values), JSONFeatureSource(features)

        def statistics():
            found = exact_extract(source, polygons, ["sum", "count"], strategy=strategy, max_cells_in_memory=10**8)
            sums, counts = (np.array([one["properties"][name] for one in found]) for name in ("sum", "count"))
            return table([sums * CELL_KM2, counts * CELL_KM2, counts])

        return statistics

    return prepare


def contenders(make_zones) -> tuple[Contender, ...]:
    found = [Contender("refimpl", prepare_refimpl(make_zones), of_statistics, ours=True)]
    for name, method, rows, threads in (
        ("bincount, whole raster", by_bincount, SHAPE[0], 1),
        ("bincount, blocks of rows", by_bincount, 16, 1),
        ("bincount, blocks of rows, two threads", by_bincount, 16, 2),
        ("bincount of intp, blocks of rows, two threads", by_bincount_of_intp, 16, 2),
        ("reduceat by runs, blocks of rows, two threads", by_runs, 16, 2),
    ):
        prepare = prepare_numpy(method, make_zones, rows, threads)
        # The goal names bincount; what uses that neighbours share a zone is shown beside it.
        found.append(Contender(f"NumPy, {name}", prepare, np.asarray, counts=method is not by_runs))
    return tuple(found)


WHY = "opponents add 80 million values in plain float64; exactextract measures polygons"
FIXED = {"goal": 3.0, "tolerance": 1e-9, "why": WHY, "bytes": 6.0 * SHAPE[0] * SHAPE[1]}
JOBS = (
    Job(
        "zonal-80m", "zonal statistics, 34 provinces, 80 million cells",
        contenders=contenders(blobs) + tuple(
            Contender(f"exactextract, {strategy}", prepare_exactextract(strategy), np.asarray)
            for strategy in ("feature-sequential", "raster-sequential")
        ), **FIXED,
    ),
    Job(
        "zonal-80m-random", "zonal statistics, 34 zones scattered at random, 80 million cells",
        contenders=contenders(random_zones), **FIXED | {"goal": 0.0},
    ),
)  # fmt: skip
