"""Inventories and land cover in the layouts in which they are published, written by GDAL, go through ``evaluate``.

ODIAC: global, north up, float32, LZW, no nodata, 0 over the sea, t C per cell and month.  FFDAS: 0.1 degree, south up,
a fill value, kg C/m2/yr.  EDGAR: 0.1 degree, kg CO2/m2/s, longitudes from 0 to 360.  MCD12Q1: sinusoidal tiles of
2,400 x 2,400 pixels, 255 for none.  Spearman's rho is put beside SciPy's, densities beside GDAL's own sums, majorities
beside points that PROJ carries.
"""

from __future__ import annotations

import csv
import math
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from refimpl.cli import main
from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA
from refimpl.evaluation.land_cover_map import land_cover_on
from refimpl.evaluation.other_inventories import inventory_density
from refimpl.evaluation.rank_correlation import spearman_rho
from refimpl.formats.geotiff import read_raster
from refimpl.formats.writing import write_raster
from refimpl.method.land_cover import LAND_COVERS
from refimpl.run.reference_maps import read_odiac

pyproj = pytest.importorskip("pyproj")
rasterio = pytest.importorskip("rasterio")
pytest.importorskip("rasterio.windows")
warp = pytest.importorskip("rasterio.warp")
scipy_stats = pytest.importorskip("scipy.stats")

MAP = Grid(ALBERS_CHINA, (0.0, 4.0e6, 10_000.0, -10_000.0), (60, 70))  # 105-113 E, 33-39 N
ALBERS = "+proj=aea +lat_1=25 +lat_2=47 +lon_0=105 +datum=WGS84 +units=m"


def write(path, values, transform, **options):
    profile = {"driver": "GTiff", "height": values.shape[0], "width": values.shape[1], "count": 1, "crs": "EPSG:4326"}
    with rasterio.open(path, "w", dtype=values.dtype, transform=transform, **{**profile, **options}) as file:
        file.write(values, 1)


def cells(rng, shape) -> np.ndarray:
    """Emission of cells: towns on nearly nothing."""
    return np.where(rng.random(shape) < 0.3, rng.lognormal(3, 2, shape), 0.0)


def area(lat: np.ndarray, size: float) -> np.ndarray:
    """km2 of cells of ``size`` degrees on WGS 84, by Gauss-Legendre integration of the two radii of curvature."""
    a, e2 = 6378.137, 0.0066943799901413165
    nodes, weights = np.polynomial.legendre.leggauss(8)
    phi = np.radians(lat[:, None] + size / 2 * nodes)
    strip = a**2 * (1 - e2) * np.cos(phi) / (1 - e2 * np.sin(phi) ** 2) ** 2
    return (strip * weights).sum(axis=1) * np.radians(size / 2) * np.radians(size)


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A map of two provinces and the four products of one emission, on a globe at a tenth of their size."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    size = 0.1
    globe = np.zeros((1800, 3600))
    window = np.s_[500:600, 2820:2960]  # 102-116 E, 30-40 N: more than the map
    globe[window] = cells(rng, (100, 140))  # t C in a year
    north_up = rasterio.Affine(size, 0, -180, 0, -size, 90)
    part = np.asarray([1 + 0.3 * math.cos(math.pi * month / 6) for month in range(12)]) / 12
    for month in range(12):
        write(f"odiac_{month + 1:02d}.tif", (globe * part[month]).astype("float32"), north_up, compress="lzw")
    lat = 90 - size * (np.arange(1800) + 0.5)
    per_m2 = globe / area(lat, size)[:, None] / 1000  # kg C
    south_up = rasterio.Affine(size, 0, -180, 0, size, -90)
    filled = np.where(globe > 0, per_m2, -9999).astype("float32")
    write("ffdas.tif", filled[::-1], south_up, nodata=-9999, compress="deflate", predictor=3)
    from_zero = rasterio.Affine(size, 0, 0, 0, -size, 90)
    write("edgar.tif", np.roll(per_m2 * 44 / 12 / 365 / 86400, 1800, axis=1), from_zero, tiled=True, compress="zstd")
    zones = np.full(MAP.shape, 11, np.uint8)
    zones[:, 35:] = 12
    zones[:3] = 0
    write_raster("zones.tif", Raster(zones, np.ones(MAP.shape, bool), MAP))
    grid = Grid(ALBERS_CHINA, MAP.transform, MAP.shape)
    emission = rng.lognormal(0, 2, MAP.shape)
    write_raster("emissions.tif", Raster(emission, np.ones(MAP.shape, bool), grid, "10^4 t CO2 per cell per year"))
    return globe


def rows(path):
    with open(path, newline="") as handle:
        return list(csv.DictReader(handle))


def test_products_in_their_published_layouts_go_through_evaluate(files):
    tile()
    assert main([
        "evaluate", "emissions.tif", "--zones", "zones.tif", "--odiac", *(f"odiac_{m:02d}.tif" for m in range(1, 13)),
        "--ffdas", "ffdas.tif", "--inventory", "EDGAR=edgar.tif", "--units", "EDGAR=kg CO2/m2/s",
        "--land-cover", "mcd12q1.tif", "--figures", "figures", "--quiet",
    ]) == 0  # fmt: skip
    odiac, ffdas, edgar = rows("inventories.csv")
    # The same emission three times: ODIAC and FFDAS are float32, and EDGAR's year has 365 days.
    for name in ("inventory_1e4t", "rho", "rmse_t_per_km2"):
        assert float(odiac[name]) == pytest.approx(float(edgar[name]), rel=1e-6), name
    # FFDAS has no cell where nothing is emitted: fewer cells, the same sum in each province.
    assert int(ffdas["cells"]) < int(odiac["cells"]) == int(edgar["cells"]) == 57 * 70
    for one, other in zip(*(
        [row for row in rows("inventories_by_province.csv") if row["inventory"] == name] for name in ("FFDAS", "EDGAR")
    )):  # fmt: skip
        assert one["code"] == other["code"]
        assert float(one["total_1e4t"]) == pytest.approx(float(other["total_1e4t"]), rel=1e-6)
    assert {row["land_cover"] for row in rows("inventories_by_land_cover.csv")} == {*LAND_COVERS, "none"}
    with Image.open("figures/inventories.png") as picture:
        assert picture.width > 3 * 300


def test_an_inventorys_total_under_the_map_is_that_of_gdals_sum(files):
    write("year.tif", files, rasterio.Affine(0.1, 0, -180, 0, -0.1, 90))
    ours = inventory_density(read_raster("year.tif"), "t C/cell", MAP)
    theirs = np.zeros(MAP.shape)
    target = rasterio.Affine(MAP.transform[2], 0, MAP.transform[0], 0, MAP.transform[3], MAP.transform[1])
    with rasterio.open("year.tif") as file:
        warp.reproject(
            rasterio.band(file, 1), theirs, dst_transform=target, dst_crs=ALBERS, resampling=warp.Resampling.sum
        )
    mass = ours.values * MAP.cell_areas()[:, None] * 12 / 44
    # GDAL takes the overlap of the bounding box of a cell in the source, which a rotated cell exceeds: 1 % of the sum.
    assert mass.sum() == pytest.approx(theirs.sum(), rel=0.01)
    assert np.corrcoef(mass.ravel(), theirs.ravel())[0, 1] > 0.97


def test_the_sum_over_a_map_that_holds_all_is_the_inventorys(files):
    write("year.tif", files, rasterio.Affine(0.1, 0, -180, 0, -0.1, 90))
    wide = Grid(ALBERS_CHINA, (-6e5, 4.9e6, 25_000.0, -25_000.0), (80, 80))
    density = inventory_density(read_raster("year.tif"), "t C/cell", wide)
    assert math.fsum((density.values * 625.0).ravel()) == pytest.approx(files.sum() * 44 / 12, rel=1e-9)


def test_a_month_of_odiac_in_full_size_is_read_by_its_window(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    values = cells(np.random.default_rng(8), (1200, 1680)).astype("float32")  # 102-116 E, 30-40 N
    profile = {"driver": "GTiff", "height": 21600, "width": 43200, "count": 1, "dtype": "float32", "crs": "EPSG:4326"}
    transform = rasterio.Affine(1 / 120, 0, -180, 0, -1 / 120, 90)
    with rasterio.open("odiac.tif", "w", transform=transform, compress="lzw", sparse_ok=True, **profile) as file:
        file.write(values, 1, window=rasterio.windows.Window(282 * 120, 50 * 120, 1680, 1200))
    wide = Grid(ALBERS_CHINA, (-6e5, 4.9e6, 25_000.0, -25_000.0), (80, 80))
    tracemalloc.start()
    density = read_odiac(["odiac.tif"] * 12, wide)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    emitted = 12 * values.astype(float).sum() * 44 / 12
    assert math.fsum((density.values * 625.0).ravel()) == pytest.approx(emitted, rel=1e-9)
    assert peak < 512 * 2**20  # the whole of a month takes 3.7 GB


def tile():
    """A sinusoidal mosaic like MCD12Q1's, 463 m pixels, over the map; 255 for no class, declared."""
    rng = np.random.default_rng(11)
    blocks = rng.integers(1, 18, (160, 200)).astype(np.uint8)
    classes = np.repeat(np.repeat(blocks, 15, axis=0), 15, axis=1)[:2400, :2400]
    classes[:200, :200] = 255
    step = 463.3127165279165
    crs = "+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m"
    transform = rasterio.Affine(step, 0, 9_600_000.0, 0, -step, 4_330_000.0)
    write("mcd12q1.tif", classes, transform, crs=crs, nodata=255, compress="deflate")
    return classes


def test_mcd12q1_becomes_the_land_cover_that_most_points_of_a_cell_have(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    classes, n = tile(), 20
    seven = np.full(256, 7, np.uint8)
    for at, codes in enumerate(LAND_COVERS.values()):
        seven[list(codes)] = at
    # 20 x 20 points in each cell, carried by PROJ.  GDAL's mode is no oracle here: it counts the bounding box of a
    # cell, and at 105 E the sinusoidal map shears a cell by its own width.
    offsets = (np.arange(n) + 0.5) / n
    x, y = np.meshgrid(
        MAP.transform[0] + (np.arange(70)[:, None] + offsets).ravel() * 1e4,
        MAP.transform[1] - (np.arange(60)[:, None] + offsets).ravel() * 1e4,
    )
    with rasterio.open("mcd12q1.tif") as file:
        crs, transform = file.crs.to_wkt(), file.transform
    x, y = pyproj.Transformer.from_crs(ALBERS, crs, always_xy=True).transform(x, y)
    u, v = (x - transform.c) / transform.a, (y - transform.f) / transform.e
    inside = (u >= 0) & (u < 2400) & (v >= 0) & (v < 2400)
    points = np.where(inside, seven[classes[np.where(inside, v, 0).astype(int), np.where(inside, u, 0).astype(int)]], 7)
    points = points.reshape(60, n, 70, n).transpose(0, 2, 1, 3).reshape(60, 70, n * n)
    votes = np.stack([(points == at).sum(axis=2) for at in range(7)], axis=2)
    first, second = np.sort(votes, axis=2)[:, :, :-3:-1].transpose(2, 0, 1)
    ours = land_cover_on(read_raster("mcd12q1.tif"), MAP)
    # A border through the cell is off by half a point in 20 along it: 5 % of the points tell.
    clear = first - second > 0.05 * n * n
    assert clear.sum() > 3000 and np.array_equal(seven[ours.values[clear]], votes.argmax(axis=2)[clear])
    assert np.array_equal(ours.valid[first > 8], np.ones((first > 8).sum(), bool))


@pytest.mark.parametrize("rounded", [None, 0])
def test_rho_is_scipys(rounded):
    rng = np.random.default_rng(2)
    x = rng.lognormal(0, 2, 3000)
    y = x * rng.lognormal(0, 1, 3000)
    if rounded is not None:
        x, y = x.round(rounded), y.round(rounded)
    # Two formulas for one number: rounding of sums over 3,000 ranks.
    assert spearman_rho(x, y) == pytest.approx(scipy_stats.spearmanr(x, y).statistic, abs=1e-12)
