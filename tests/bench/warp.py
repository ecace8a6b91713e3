"""The mean of 129 million pixels of 15 seconds over cells of 1 km, from a file, beside GDAL's warper.

The raster is that of ``tests.bench.polygons`` in longitude and latitude, 14,880 x 8,640 float32 from 73 to 135 E and 18
to 54 N, tiles, nodata in a corner; the grid is Albers of 5,200 x 4,400 cells.  Every contender goes from the file to an
array.

The two do not compute the same: refimpl takes each cell's exact overlap with each pixel, weighted by true area; GDAL
averages over the upright box around the cell among the pixels, whose corners it may have off by an eighth of a pixel.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np

from tests.bench.job import Contender, Job

SHAPE, NODATA, STEP = (8640, 14_880), -9999.0, 1 / 240
GRID, CORNER, CELL = (4400, 5200), (-2.7e6, 6.1e6), 1000.0
ALBERS = "+proj=aea +lat_1=25 +lat_2=47 +lon_0=105 +datum=WGS84"


def file(**options) -> str:
    """The path of the raster, in a folder that is removed with the process."""
    import rasterio
    from rasterio.transform import Affine

    folder = Path(tempfile.mkdtemp(prefix="bench-warp-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    rng, rows = np.random.default_rng(15), 360
    shape = {"height": SHAPE[0], "width": SHAPE[1], "count": 1, "dtype": "float32", "nodata": NODATA, "tiled": True}
    shape |= {"crs": "EPSG:4326", "transform": Affine(STEP, 0, 73, 0, -STEP, 54)}
    with rasterio.open(folder / "a.tif", "w", driver="GTiff", **shape, **options) as dataset:
        for top in range(0, SHAPE[0], rows):
            values = np.round(100 * rng.random((rows, SHAPE[1]), np.float32), 1)
            if top < 2000:
                values[:, :1500] = NODATA
            dataset.write(values, 1, window=((top, top + rows), (0, SHAPE[1])))
    return str(folder / "a.tif")


def blocks(values) -> np.ndarray:
    """Means of 100 x 100 cells, of the middle of the grid, where every cell has a value."""
    inner = np.asarray(values)[1000:3000, 1600:3600]
    return inner.reshape(20, 100, 20, 100).mean(axis=(1, 3), dtype=float)


def prepare_refimpl(**options):
    def prepare():
        from refimpl.earth.grid import Grid
        from refimpl.earth.projection import ALBERS_CHINA
        from refimpl.earth.warp import warp_mean
        from refimpl.formats.geotiff import open_raster

        path, grid = file(**options), Grid(ALBERS_CHINA, (*CORNER, CELL, -CELL), GRID)

        def mean():
            with open_raster(path) as raster:
                return warp_mean(raster, grid).values

        return mean

    return prepare


def prepare_gdal(**options):
    def prepare():
        import rasterio
        from rasterio.enums import Resampling
        from rasterio.transform import Affine
        from rasterio.warp import reproject

        path, threads = file(**options), os.environ["REFIMPL_THREADS"]

        def average():
            cells = np.full(GRID, np.nan, np.float32)
            with rasterio.Env(GDAL_NUM_THREADS=threads), rasterio.open(path) as dataset:
                reproject(
                    rasterio.band(dataset, 1), cells, dst_crs=ALBERS, dst_nodata=np.nan, resampling=Resampling.average,
                    dst_transform=Affine(CELL, 0, CORNER[0], 0, -CELL, CORNER[1]), num_threads=int(threads),
                    warp_mem_limit=512,
                )  # fmt: skip
            return cells

        return average

    return prepare


def job(name: str, title: str, **options) -> Job:
    return Job(
        name, title, goal=1.0, tolerance=3e-3, why="the boxes of 10,000 cells hold other pixels than the cells, values 0 to 100 at random",
        contenders=(
            Contender("refimpl", prepare_refimpl(**options), blocks, ours=True),
            Contender("GDAL", prepare_gdal(**options), blocks),
        ), bytes=4.0 * SHAPE[0] * SHAPE[1] + 8.0 * GRID[0] * GRID[1],
    )  # fmt: skip


JOBS = (
    job("warp-mean", "mean of 129 million pixels on 1 km Albers, from a file"),
    job("warp-mean-deflate", "the same, compressed (deflate)", compress="DEFLATE", predictor=3),
)
