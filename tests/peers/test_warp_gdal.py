"""Resampling against GDAL's warper, where the two mean the same thing."""

import numpy as np
import pytest

from refimpl.raster.grid import Grid, Raster
from refimpl.raster.pixels import pixel_coordinates
from refimpl.raster.projection import ALBERS_CHINA, MODIS_SINUSOIDAL, WGS84
from refimpl.raster.warp import warp_mean, warp_nearest

rasterio = pytest.importorskip("rasterio")
from rasterio.enums import Resampling  # noqa: E402
from rasterio.io import MemoryFile  # noqa: E402
from rasterio.transform import Affine  # noqa: E402
from rasterio.vrt import WarpedVRT  # noqa: E402

TEXT = {
    WGS84: "+proj=longlat +ellps=WGS84 +no_defs",
    ALBERS_CHINA: "+proj=aea +lat_1=25 +lat_2=47 +lat_0=0 +lon_0=105 +ellps=WGS84 +units=m",
    MODIS_SINUSOIDAL: "+proj=sinu +R=6371007.181 +units=m",
}
CHINA = Grid(WGS84, (80.0, 50.0, 0.05, -0.05), (500, 900))


def gdal(raster, grid, how):
    """float64 values on ``grid``, nan where GDAL has none; every point transformed to 1e-9 pixels."""
    source = np.where(raster.valid, raster.values.astype(float), np.nan)
    place, target = (Affine(dx, 0, x0, 0, dy, y0) for x0, y0, dx, dy in (raster.grid.transform, grid.transform))
    rows, cols = source.shape
    profile = dict(driver="GTiff", count=1, dtype="float64", height=rows, width=cols, nodata=np.nan)
    wanted = dict(crs=TEXT[grid.crs], transform=target, height=grid.shape[0], width=grid.shape[1])
    wanted |= dict(resampling=how, tolerance=1e-9, nodata=np.nan)
    with MemoryFile() as memory:
        with memory.open(**profile, crs=TEXT[raster.grid.crs], transform=place) as dataset:
            dataset.write(source, 1)
        with memory.open() as dataset, WarpedVRT(dataset, **wanted) as warped:
            return warped.read(1)


def test_aligned_blocks_average_as_in_gdal_with_and_without_nodata():
    random = np.random.Generator(np.random.PCG64(1))
    source = Grid(ALBERS_CHINA, (-1e6, 4e6, 1000.0, -1000.0), (120, 90))
    for hole in (0.0, 0.6):
        raster = Raster.masked(random.random(source.shape), random.random(source.shape) >= hole, source)
        grid = Grid(ALBERS_CHINA, (-1e6, 4e6, 5000.0, -3000.0), (40, 18))
        found, expected = warp_mean(raster, grid), gdal(raster, grid, Resampling.average)
        assert np.array_equal(found.valid, np.isfinite(expected))
        # Fifteen equal weights.
        np.testing.assert_allclose(found.values[found.valid], expected[found.valid], rtol=1e-12)


def test_a_smooth_field_under_albers_averages_as_in_gdal():
    x, y = CHINA.centres()
    field = 2 + np.sin(np.radians(x[None, :]) * 12) * np.cos(np.radians(y[:, None]) * 14)
    raster = Raster(field, np.ones(CHINA.shape, bool), CHINA)
    grid = Grid(ALBERS_CHINA, (-1e6, 4.9e6, 25e3, -25e3), (70, 60))
    found, expected = warp_mean(raster, grid), gdal(raster, grid, Resampling.average)
    assert found.valid.all() and np.isfinite(expected).all()
    # GDAL averages over the upright bounding box of the cell in source pixels, all pixels alike; we average over the
    # cell itself by true area.  Cells turned by up to 9 degrees have boxes up to 15 % wider, centred alike: the two
    # differ in second order: (2 pi x 25 km / 2,700 km)^2 / 24 x 0.3 on both axes = 1e-4 of an amplitude of 1; measured
    # 2.5e-4 because the box ends on parts of pixels.  Under the sheared sinusoidal the box is another area altogether.
    assert np.abs(found.values - expected).max() < 4e-4
    # A shift of half a source pixel would change the field by up to 5e-3.


@pytest.mark.parametrize("crs, x0, y0", [(ALBERS_CHINA, -1e6, 4.9e6), (MODIS_SINUSOIDAL, 9.0e6, 5.0e6)])
def test_the_mean_over_a_cell_is_that_of_many_points_spread_evenly_over_it(crs, x0, y0):
    pyproj = pytest.importorskip("pyproj")
    field = np.random.Generator(np.random.PCG64(3)).random(CHINA.shape)
    raster, grid = Raster(field, np.ones(CHINA.shape, bool), CHINA), Grid(crs, (x0, y0, 25e3, -25e3), (70, 60))
    found = warp_mean(raster, grid).values
    random = np.random.Generator(np.random.PCG64(4))
    for row, col in ((0, 0), (35, 20), (69, 39)):
        # One random point in each of 400 x 400 squares: a regular lattice would err alike all along a pixel's side.
        across, down = (np.arange(400) + random.random((2, 400, 400))) / 400
        x, y = x0 + 25e3 * (col + across), y0 - 25e3 * (row + np.swapaxes(down, 0, 1))
        lon, lat = pyproj.Proj(TEXT[crs])(x, y, inverse=True)
        sampled = field[np.floor((50 - lat) / 0.05).astype(int), np.floor((lon - 80) / 0.05).astype(int)].mean()
        # Squares astride some ten sides of pixels err at random: sqrt(10 x 400) / 2 of 160,000 x contrast 0.4 = 8e-5.
        # Cell sides that are taken as straight are off by 13 m of 25 km: 5e-4 x contrast, both ways, about 1e-4.
        assert found[row, col] == pytest.approx(sampled, abs=3e-4)


@pytest.mark.parametrize(
    "crs, size, x0, y0",
    [(ALBERS_CHINA, 7e3, -1e6, 4.9e6), (MODIS_SINUSOIDAL, 7e3, 9.0e6, 5.2e6), (WGS84, 0.031, 85.0, 45.0)],
)
def test_nearest_classes_equal_those_of_gdal_away_from_pixel_edges(crs, size, x0, y0):
    codes = np.random.Generator(np.random.PCG64(2)).integers(1, 60, CHINA.shape).astype(np.uint8)
    raster = Raster(codes, np.ones(CHINA.shape, bool), CHINA)
    grid = Grid(crs, (x0, y0, size, -size), (200, 220))
    found, expected = warp_nearest(raster, grid), gdal(raster, grid, Resampling.nearest)
    x, y = grid.centres()
    u, v = pixel_coordinates(CHINA, grid, x[None, :], y[:, None])
    clear = (np.abs(u - np.round(u)) > 1e-6) & (np.abs(v - np.round(v)) > 1e-6)  # rounding may decide the others
    assert clear.mean() > 0.99
    assert np.array_equal(found.valid[clear], np.isfinite(expected)[clear])
    assert np.array_equal(found.values[clear & found.valid], expected[clear & found.valid])
