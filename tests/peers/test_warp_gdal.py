"""Resampling against GDAL's warper, where the two mean the same thing."""

import numpy as np
import pytest

from refimpl.earth.grid import Grid, Raster
from refimpl.earth.pixels import pixel_coordinates
from refimpl.earth.projection import ALBERS_CHINA, MODIS_SINUSOIDAL, WGS84
from refimpl.earth.warp import warp_mean, warp_nearest
from refimpl.earth.warped import Warped

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


@pytest.mark.parametrize("hole", [0.0, 0.02])
@pytest.mark.parametrize("method, how", [("bilinear", Resampling.bilinear), ("cubic", Resampling.cubic)])
def test_interpolation_onto_finer_cells_is_that_of_gdal_beside_nodata_too(method, how, hole):
    random = np.random.Generator(np.random.PCG64(7))
    raster = Raster.masked(random.random(CHINA.shape), random.random(CHINA.shape) >= hole, CHINA)
    grid = Grid(ALBERS_CHINA, (-700e3, 4.6e6, 2500.0, -2500.0), (160, 200))
    found, expected = Warped(raster, grid, method).whole(), gdal(raster, grid, how)
    assert np.array_equal(found.valid, np.isfinite(expected)) and found.valid.mean() > 0.9
    # The weights' slope is at most 2.5 a pixel, and coordinates agree to 1e-9 pixels.
    np.testing.assert_allclose(found.values[found.valid], expected[found.valid], rtol=0, atol=1e-8)


def test_interpolation_from_the_centre_of_one_raster_to_its_outer_edge_is_that_of_gdal():
    random = np.random.Generator(np.random.PCG64(8))
    raster = Raster(random.random((7, 9)), np.ones((7, 9), bool), Grid(ALBERS_CHINA, (0, 0, 4000.0, -4000.0), (7, 9)))
    grid = Grid(ALBERS_CHINA, (-1000.0, 1000.0, 1000.0, -1000.0), (30, 38))
    for method, how in (("bilinear", Resampling.bilinear), ("cubic", Resampling.cubic)):
        found, expected = Warped(raster, grid, method).whole(), gdal(raster, grid, how)
        assert np.array_equal(found.valid, np.isfinite(expected))
        np.testing.assert_allclose(found.values[found.valid], expected[found.valid], rtol=0, atol=1e-12)


def test_counts_of_aligned_blocks_add_up_as_in_gdal_and_projected_ones_within_its_straight_boxes():
    random = np.random.Generator(np.random.PCG64(9))
    source = Grid(ALBERS_CHINA, (-1e6, 4e6, 1000.0, -1000.0), (120, 90))
    raster = Raster.masked(random.random(source.shape), random.random(source.shape) >= 0.1, source)
    grid = Grid(ALBERS_CHINA, (-1e6, 4e6, 5000.0, -3000.0), (40, 18))
    found, expected = Warped(raster, grid, "sum").whole(), gdal(raster, grid, Resampling.sum)
    assert np.array_equal(found.valid, np.isfinite(expected))
    np.testing.assert_allclose(found.values[found.valid], expected[found.valid], rtol=1e-12)  # fifteen additions
    field = Raster.masked(random.random(CHINA.shape), random.random(CHINA.shape) >= 0.1, CHINA)
    grid = Grid(ALBERS_CHINA, (-1e6, 4.9e6, 25e3, -25e3), (70, 60))
    found, expected = Warped(field, grid, "sum").whole(), gdal(field, grid, Resampling.sum)
    # GDAL takes the sides of pixels as straight on the cells' map, we those of cells as straight among the pixels: a
    # side of 25 km bows by 13 m there, which is 0.2 km2, a hundredth of a pixel, on each of the four sides.
    assert np.abs(found.values - expected).max() < 0.04
    # Inside, what one cell loses its neighbour gains; 260 cells lie along the grid's sides.
    assert found.values.sum() == pytest.approx(expected.sum(), abs=260 * 0.01 * 0.5)


def test_the_mode_of_aligned_blocks_is_that_of_gdal_where_one_class_leads():
    random = np.random.Generator(np.random.PCG64(10))
    source = Grid(ALBERS_CHINA, (-1e6, 4e6, 1000.0, -1000.0), (120, 90))
    classes = Raster.masked(
        random.choice([3, 8, 9, 200], source.shape, p=[0.4, 0.3, 0.2, 0.1]).astype(np.uint8),
        random.random(source.shape) >= 0.1, source,
    )  # fmt: skip
    grid = Grid(ALBERS_CHINA, (-1e6, 4e6, 5000.0, -3000.0), (40, 18))
    found, expected = Warped(classes, grid, "mode").whole(), gdal(classes, grid, Resampling.mode)
    blocks = np.where(classes.valid, classes.values, 0).reshape(40, 3, 18, 5).swapaxes(1, 2).reshape(40, 18, 15)
    counts = np.sort([(blocks == code).sum(axis=2) for code in (3, 8, 9, 200)], axis=0)
    leads = counts[-1] > counts[-2]  # of several alike GDAL takes the one met first, we the lowest
    assert 0.7 < leads.mean() < 1
    assert np.array_equal(found.values[leads], expected[leads])


def test_the_mode_under_a_projection_is_that_of_many_points_spread_evenly_over_the_cell():
    pyproj = pytest.importorskip("pyproj")
    random = np.random.Generator(np.random.PCG64(11))
    classes = np.repeat(np.repeat(random.integers(1, 5, (100, 180)), 5, 0), 5, 1).astype(np.uint8)
    grid = Grid(ALBERS_CHINA, (-1e6, 4.9e6, 25e3, -25e3), (70, 60))
    found = Warped(Raster(classes, np.ones(CHINA.shape, bool), CHINA), grid, "mode").whole().values
    leading = 0
    for row, col in random.integers(0, (70, 60), (60, 2)):
        across, down = (np.mgrid[:60, :60] + 0.5) / 60
        x, y = -1e6 + 25e3 * (col + across), 4.9e6 - 25e3 * (row + down)
        lon, lat = pyproj.Proj(TEXT[ALBERS_CHINA])(x, y, inverse=True)
        under = classes[np.floor((50 - lat) / 0.05).astype(int), np.floor((lon - 80) / 0.05).astype(int)]
        counts = np.bincount(under.ravel())
        first, second = np.sort(counts)[[-1, -2]]
        if first - second > 120:  # 60 x 60 points know a share to about two rows of them
            leading += 1
            assert found[row, col] == counts.argmax()
    assert leading > 40
