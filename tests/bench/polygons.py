"""Zonal totals of 129 million cells in a file under 34 polygons, beside exactextract and rasterstats.

The raster is 14,880 x 8,640 float32 as VIIRS's 15 seconds over China, a GeoTIFF in tiles with nodata in a corner; the
zones are the blobs of ``tests.bench.zonal`` as GeoJSON, their outlines bent so that no edge follows a cell, 39,000
vertices.  Every contender goes from the two files to the table.  Both lie in one equal-area plane, so that libraries
which know no cell areas have the same task; GeoJSON cannot name it, so the file names another.

- "zonal-polygons": exact shares of cells, as exactextract takes them; "-deflate": of a compressed file.
- "zonal-polygons-centre": whole cells by their centres, as rasterstats takes them.
"""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np

from tests.bench.job import Contender, Job
from tests.bench.zonal import provinces

SHAPE, CELL, NODATA = (8640, 14_880), 500.0, -9999.0
CELL_KM2 = CELL * CELL / 1e6


def bent(ring) -> list:
    """A ring on the lattice of blobs, a vertex at each of its points, carried to metres by a smooth map."""
    x, y = np.array(ring).T
    along = np.append(0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y))))
    x, y = (np.interp(np.arange(along[-1] + 1), along, each) for each in (x, y))
    x, y = x * SHAPE[1] / 1000, y * SHAPE[0] / 800
    x, y = x + 40 * np.sin(y / 97) + 5 * np.sin(x / 31), y + 40 * np.sin(x / 83)
    return np.stack([CELL * x, -CELL * y], axis=1).tolist()


def winding() -> list[dict]:
    """Features, one for each blob: its outlines (shells and holes), bent."""
    from rasterio.features import shapes

    blobs = provinces()
    polygons: dict[int, list] = {}
    for shape, code in shapes(blobs, mask=blobs > 0):
        polygons.setdefault(int(code), []).append([bent(ring) for ring in shape["coordinates"]])
    return [
        {
            "type": "Feature", "properties": {"code": code},
            "geometry": {"type": "MultiPolygon", "coordinates": polygons[code]},
        }
        for code in sorted(polygons)
    ]  # fmt: skip


def files(**options) -> tuple[str, str]:
    """Paths of the raster and of the polygons, in a folder that is removed with the process."""
    import rasterio
    from rasterio.transform import Affine

    folder = Path(tempfile.mkdtemp(prefix="bench-polygons-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    rng, rows = np.random.default_rng(15), 360
    shape = {"height": SHAPE[0], "width": SHAPE[1], "count": 1, "dtype": "float32", "nodata": NODATA}
    plane = "+proj=aea +lat_1=25 +lat_2=47 +lon_0=105 +datum=WGS84"
    shape |= {"crs": plane, "transform": Affine(CELL, 0, 0, 0, -CELL, 0), "tiled": True}
    with rasterio.open(folder / "a.tif", "w", driver="GTiff", **shape, **options) as dataset:
        for top in range(0, SHAPE[0], rows):
            values = np.round(100 * rng.random((rows, SHAPE[1]), np.float32), 1)
            values[:, :1500] = NODATA if top < 2000 else values[:, :1500]
            dataset.write(values, 1, window=((top, top + rows), (0, SHAPE[1])))
    crs = {"type": "name", "properties": {"name": "EPSG:3857"}}
    text = json.dumps({"type": "FeatureCollection", "crs": crs, "features": winding()})
    (folder / "a.geojson").write_text(text)
    return str(folder / "a.tif"), str(folder / "a.geojson")


def of_statistics(found) -> np.ndarray:
    return np.array([found.total, found.area_km2])


def prepare_refimpl(rule, **options):
    def prepare():
        from dataclasses import replace

        from refimpl.earth.projection import ALBERS_CHINA
        from refimpl.formats.geojson import read_polygons
        from refimpl.formats.geotiff import open_raster
        from refimpl.windows.zonal_statistics import zonal_statistics

        raster_path, polygons_path = files(**options)

        def statistics():
            polygons = replace(read_polygons(polygons_path), crs=ALBERS_CHINA)
            with open_raster(raster_path) as raster:
                return zonal_statistics(raster, polygons, rule=rule)

        return statistics

    return prepare


def prepare_exactextract(strategy, **options):
    def prepare():
        from exactextract import exact_extract
        from exactextract.feature import JSONFeatureSource
        from exactextract.raster import RasterioRasterSource

        raster_path, polygons_path = files(**options)

        def statistics():
            import rasterio

            with rasterio.open(raster_path) as dataset:
                features = JSONFeatureSource(json.loads(Path(polygons_path).read_text())["features"])
                found = exact_extract(
                    RasterioRasterSource(dataset), features, ["sum", "count"], strategy=strategy,
                    include_cols=["code"],
                )  # fmt: skip
            rows = sorted((one["properties"] for one in found), key=lambda row: row["code"])
            return CELL_KM2 * np.array([[row["sum"] for row in rows], [row["count"] for row in rows]])

        return statistics

    return prepare


def prepare_rasterstats(**options):
    def prepare():
        from rasterstats import zonal_stats

        raster_path, polygons_path = files(**options)

        def statistics():
            features = json.loads(Path(polygons_path).read_text())["features"]
            found = zonal_stats(features, raster_path, stats=["sum", "count"])
            return CELL_KM2 * np.array([[row["sum"] for row in found], [row["count"] for row in found]])

        return statistics

    return prepare


def against_exactextract(name: str, title: str, **options) -> Job:
    return Job(
        name, title, goal=1.0, tolerance=1e-7, why="exactextract measures a coverage in float32",
        contenders=(
            Contender("refimpl", prepare_refimpl("area", **options), of_statistics, ours=True),
            *(
                Contender(f"exactextract, {strategy}", prepare_exactextract(strategy, **options), np.asarray)
                for strategy in ("feature-sequential", "raster-sequential")
            ),
        ), bytes=4.0 * SHAPE[0] * SHAPE[1],
    )  # fmt: skip


JOBS = (
    against_exactextract("zonal-polygons", "zonal totals of a file, 34 polygons, 129 million cells"),
    against_exactextract("zonal-polygons-deflate", "the same, compressed (deflate)", compress="DEFLATE", predictor=2),
    Job(
        "zonal-polygons-centre", "zonal totals of a file, 34 polygons, cells by centre", goal=5.0, tolerance=1e-6,
        why="rasterstats adds float32 in float32 pairs", contenders=(
            Contender("refimpl", prepare_refimpl("centre"), of_statistics, ours=True),
            Contender("rasterstats", prepare_rasterstats(), np.asarray),
        ), bytes=4.0 * SHAPE[0] * SHAPE[1],
    ),
)  # fmt: skip
