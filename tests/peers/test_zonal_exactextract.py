"""Zonal statistics against exactextract, with provinces as polygons along the cells' edges."""

import numpy as np
import pytest

from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import WGS84
from refimpl.windows.zonal_statistics import zonal_statistics

exactextract = pytest.importorskip("exactextract")
pytest.importorskip("rasterio")
from exactextract.feature import JSONFeatureSource  # noqa: E402
from exactextract.raster import NumPyRasterSource  # noqa: E402
from rasterio.features import shapes  # noqa: E402
from rasterio.transform import Affine  # noqa: E402


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_totals_areas_and_counts_are_those_of_exactextract(dtype):
    rng = np.random.default_rng(12)
    grid = Grid(WGS84, (100.0, 50.0, 0.25, -0.25), (90, 130))
    zones = np.repeat(np.repeat(rng.integers(0, 9, (18, 13)), 5, axis=0), 10, axis=1).astype(np.uint8)
    density = Raster.masked(1000 * rng.random(grid.shape).astype(dtype), rng.random(grid.shape) > 0.2, grid)
    found = zonal_statistics(density, Raster(zones, zones > 0, grid))

    polygons: dict[int, list] = {}
    for shape, code in shapes(zones, mask=zones > 0, transform=Affine(0.25, 0, 100, 0, -0.25, 50)):
        polygons.setdefault(int(code), []).append(shape["coordinates"])
    features = [
        {"type": "Feature", "properties": {}, "geometry": {"type": "MultiPolygon", "coordinates": polygons[code]}}
        for code in sorted(polygons)
    ]
    xmin, ymin, xmax, ymax = grid.bounds
    values = np.where(density.valid, density.values.astype(float), np.nan)
    areas = np.repeat(grid.cell_areas()[:, None], grid.shape[1], axis=1)
    source, weights = (NumPyRasterSource(each, xmin, ymin, xmax, ymax) for each in (values, areas))
    names = ["weighted_sum", "weighted_mean", "count"]
    rows = exactextract.exact_extract(source, JSONFeatureSource(features), names, weights=weights)
    total, mean, count = (np.array([row["properties"][name] for row in rows]) for name in names)

    assert found.codes.tolist() == sorted(polygons) and found.count.tolist() == count.round().astype(int).tolist()
    np.testing.assert_allclose(count, count.round(), rtol=1e-12)  # the polygons follow the cells
    # exactextract adds some hundred products in plain float64.
    np.testing.assert_allclose(found.total, total, rtol=1e-12)
    np.testing.assert_allclose(found.mean, mean, rtol=1e-12)
    np.testing.assert_allclose(found.area_km2, total / mean, rtol=1e-12)
