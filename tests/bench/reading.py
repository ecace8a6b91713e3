"""Reading LZW GeoTIFFs, beside GDAL (rasterio): tiles of float32 and GDAL's own strips of class codes.

The files are written by GDAL, of a made map of lights (float32, dark and nodata over most of it) and of its classes
(uint8).  Ours gives values and valid mask; GDAL is asked for the values alone, by the threads that ours has and by one,
and for values and mask, which is shown.  The file lies in the system's cache; GDAL's own cache of blocks starts empty.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

import numpy as np

from tests.bench.job import Contender, Job

SHAPE, NODATA = (4320, 7440), -9999.0


def lights() -> np.ndarray:
    """(4320, 7440) float32: bright towns on dark land, nodata at sea, hundredths as measured lights have them."""
    rng = np.random.default_rng(12)
    coarse = np.repeat(np.repeat(rng.gamma(0.1, 20, (270, 465)), 16, axis=0), 16, axis=1)
    values = np.round(coarse * rng.random(SHAPE), 2).astype(np.float32)
    values[coarse < 0.05] = 0
    values[:, :1500] = NODATA
    return values


def classes() -> np.ndarray:
    """(4320, 7440) uint8: the lights in 17 classes."""
    return np.digitize(lights(), [0, *2.0 ** np.arange(-8, 8)]).astype(np.uint8)


def written(make, **options) -> str:
    """The path of a file that is removed with the process."""
    import rasterio
    from rasterio.transform import Affine

    folder = tempfile.mkdtemp(prefix="bench-reading-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    values = make()
    shape = {"count": 1, "height": SHAPE[0], "width": SHAPE[1], "dtype": values.dtype, "crs": "EPSG:4326"}
    shape |= {"transform": Affine(1 / 120, 0, 73, 0, -1 / 120, 54), "compress": "LZW"}
    with rasterio.open(f"{folder}/a.tif", "w", driver="GTiff", **shape, **options) as dataset:
        dataset.write(values, 1)
    return f"{folder}/a.tif"


def digest(answer) -> np.ndarray:
    """Sums over rows, nodata as 0."""
    values = np.asarray(getattr(answer, "values", answer))
    return np.where(values == NODATA, 0, values).sum(axis=1, dtype=float)


def prepare_refimpl(make, options):
    def prepare():
        from refimpl.formats.geotiff import read_raster

        path = written(make, **options)
        return lambda: read_raster(path)

    return prepare


def prepare_rasterio(make, options, threads=None, masked=False):
    def prepare():
        import rasterio

        path, many = written(make, **options), threads or os.environ["REFIMPL_THREADS"]

        def read():
            with rasterio.Env(GDAL_NUM_THREADS=str(many)), rasterio.open(path) as dataset:
                values = dataset.read(1, masked=masked)
                return values.filled(0) if masked else values

        return read

    return prepare


def job(name, title, make, **options) -> Job:
    return Job(
        name, title, goal=0.5, tolerance=1e-12, why="the same pixels",
        contenders=(
            Contender("refimpl", prepare_refimpl(make, options), digest, ours=True),
            Contender("rasterio, values", prepare_rasterio(make, options), digest),
            Contender("rasterio, values, one thread", prepare_rasterio(make, options, 1), digest),
            Contender("rasterio, values and mask", prepare_rasterio(make, options, None, True), digest, counts=False),
        ),
    )  # fmt: skip


JOBS = (
    job("read-lzw-tiles", "reading LZW tiles, 32 million float32", lights, nodata=NODATA, tiled=True),
    job("read-lzw-predictor", "reading LZW tiles, predictor 3, 32 million float32", lights,
        nodata=NODATA, tiled=True, predictor=3),
    job("read-lzw-strips", "reading LZW strips, 32 million uint8", classes),
)  # fmt: skip
