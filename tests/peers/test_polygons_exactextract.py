"""Zones from polygons against exactextract (exact shares), GDAL's rasteriser (centres), shapely and PROJ."""

import json

import numpy as np
import pytest

from refimpl.earth.grid import Grid, Raster
from refimpl.earth.projection import ALBERS_CHINA, WGS84
from refimpl.earth.zone_labels import zone_labels
from refimpl.formats.geojson import read_polygons
from refimpl.formats.geotiff import open_raster
from refimpl.windows.zonal_statistics import zonal_statistics
from refimpl.windows.zones import coverage

exactextract = pytest.importorskip("exactextract")
rasterio = pytest.importorskip("rasterio")
shapely = pytest.importorskip("shapely")
pyproj = pytest.importorskip("pyproj")
from exactextract.feature import JSONFeatureSource  # noqa: E402
from exactextract.raster import NumPyRasterSource  # noqa: E402
from rasterio.features import rasterize  # noqa: E402
from rasterio.transform import Affine  # noqa: E402
from shapely.geometry import box, mapping, shape  # noqa: E402
from shapely.ops import polygonize, unary_union  # noqa: E402

GRID = Grid(WGS84, (100.0, 40.0, 0.1, -0.1), (60, 80))
"""100 to 108 E, 34 to 40 N."""
FLOAT32 = 2.0**-24
"""exactextract keeps the share of each cell in float32, so that a sum of positive terms is off by this at most."""
AFFINE = Affine(0.1, 0, 100, 0, -0.1, 40)


def provinces(rng, lines=14):
    """Features: the faces that random lines cut out of a box which reaches beyond the grid, some with a hole or two."""
    frame = box(99.3, 33.2, 107.1, 41.0)
    across = [[(99, rng.uniform(33, 41)), (108, rng.uniform(33, 41))] for _ in range(lines // 2)]
    down = [[(rng.uniform(99, 108), 33), (rng.uniform(99, 108), 42)] for _ in range(lines // 2)]
    cuts = [shapely.LineString(ends) for ends in across + down]
    faces = polygonize(unary_union([frame.exterior, *cuts]).intersection(frame))
    features = []
    for number, face in enumerate(faces):
        if number % 3 == 0:
            face = face.difference(face.centroid.buffer(0.13)).difference(face.representative_point().buffer(0.05))
        if not face.is_empty and face.geom_type in ("Polygon", "MultiPolygon"):
            columns = {"code": 1 + number // 2}
            features.append({"type": "Feature", "properties": columns, "geometry": mapping(face)})
    return features


def read(features, folder, rule="area"):
    path = folder / "zones.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return read_polygons(path, rule=rule)


def merged(features):
    """One MultiPolygon for each code, by code."""
    parts = {}
    for feature in features:
        geometry = shape(feature["geometry"])
        parts.setdefault(feature["properties"]["code"], []).extend(getattr(geometry, "geoms", [geometry]))
    return {code: shapely.MultiPolygon(parts[code]) for code in sorted(parts)}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("seed", range(4))
def test_totals_means_areas_and_counts_are_those_of_exactextract(tmp_path, seed, dtype):
    rng = np.random.default_rng(seed)
    features = provinces(rng)
    density = Raster.masked(1000 * rng.random(GRID.shape).astype(dtype), rng.random(GRID.shape) > 0.2, GRID)
    found = zonal_statistics(density, read(features, tmp_path))

    xmin, ymin, xmax, ymax = GRID.bounds
    values = np.where(density.valid, density.values.astype(float), np.nan)
    areas = np.repeat(GRID.cell_areas()[:, None], GRID.shape[1], axis=1)
    source, weights = (NumPyRasterSource(each, xmin, ymin, xmax, ymax) for each in (values, areas))
    whole = [
        {"type": "Feature", "properties": {"code": code}, "geometry": mapping(geometry)}
        for code, geometry in merged(features).items()
        if geometry.intersection(box(*GRID.bounds)).area > 0
    ]
    names = ["weighted_sum", "weighted_mean", "cell_id"]
    rows = exactextract.exact_extract(source, JSONFeatureSource(whole), names, weights=weights)
    total, mean = (np.array([row["properties"][name] for row in rows], float) for name in names[:2])
    assert found.codes.tolist() == [one["properties"]["code"] for one in whole] and found.codes.size > 10
    known = total > 0  # where no cell is valid its mean is nan, ours too
    assert known.sum() > 20 and (np.isnan(found.mean) == ~known).all() and not found.area_km2[~known].any()
    np.testing.assert_allclose(found.total, total, rtol=FLOAT32)
    np.testing.assert_allclose(found.mean[known], mean[known], rtol=2 * FLOAT32)
    np.testing.assert_allclose(found.area_km2[known], (total / mean)[known], rtol=2 * FLOAT32)
    # cell_id lists every cell of which the zone has a share, valid or not.
    met = [np.asarray(row["properties"]["cell_id"]).astype(int) for row in rows]
    assert found.count.tolist() == [int(density.valid.ravel()[cells].sum()) for cells in met]


@pytest.mark.parametrize("seed", range(4))
def test_the_cells_at_whose_centre_a_zone_lies_are_those_of_gdal(tmp_path, seed):
    features = provinces(np.random.default_rng(seed))
    expected = rasterize(
        [(one["geometry"], one["properties"]["code"]) for one in features], GRID.shape, transform=AFFINE, dtype="uint8"
    )
    found = zone_labels(read(features, tmp_path), GRID, "centre")
    assert (found.values == expected).all() and np.unique(expected).size > 10


def test_rings_that_are_open_or_go_the_other_way_round_are_what_gdal_takes_them_for(tmp_path):
    rng = np.random.default_rng(9)
    angle = np.linspace(0, 2 * np.pi, 30)[:-1]
    ring = np.stack([104 + (1 + rng.random(29)) * np.cos(angle), 37 + (1 + rng.random(29)) * np.sin(angle)], axis=1)
    hole = np.stack([104 + 0.5 * np.cos(angle), 37 + 0.5 * np.sin(angle)], axis=1)
    for outer in (ring.tolist(), ring[::-1].tolist()):
        for inner in (hole.tolist(), hole[::-1].tolist()):
            geometry = {"type": "Polygon", "coordinates": [outer, inner]}
            expected = rasterize([(geometry, 5)], GRID.shape, transform=AFFINE, dtype="uint8")
            feature = {"type": "Feature", "properties": {"code": 5}, "geometry": geometry}
            assert (zone_labels(read([feature], tmp_path), GRID, "centre").values == expected).all()


@pytest.mark.parametrize("seed", range(3))
def test_by_area_a_cell_takes_the_zone_of_which_shapely_finds_most_in_it(tmp_path, seed):
    features = provinces(np.random.default_rng(seed))
    zones, grid = merged(features), Grid(WGS84, (100.0, 40.0, 0.5, -0.5), (12, 16))
    found = zone_labels(read(features, tmp_path), grid).values
    for row, col in np.ndindex(grid.shape):
        cell = box(100 + 0.5 * col, 40 - 0.5 * (row + 1), 100 + 0.5 * (col + 1), 40 - 0.5 * row)
        parts = {code: cell.intersection(zone).area / 0.25 for code, zone in zones.items()}
        code = max(parts, key=parts.get) if sum(parts.values()) >= 0.5 else 0
        assert found[row, col] == code


def test_a_file_of_rasterio_gives_the_totals_of_exactextract_on_the_file(tmp_path):
    rng = np.random.default_rng(21)
    features = provinces(rng)
    shape_of = {"height": 60, "width": 80, "count": 1, "dtype": "float32", "nodata": -1, "crs": "EPSG:4326"}
    options = {"tiled": True, "blockxsize": 16, "blockysize": 16, "compress": "LZW"}
    with rasterio.open(tmp_path / "a.tif", "w", driver="GTiff", transform=AFFINE, **shape_of, **options) as dataset:
        dataset.write(np.where(rng.random((60, 80)) > 0.1, rng.random((60, 80)), -1).astype("f4"), 1)
    areas = np.repeat(GRID.cell_areas()[:, None], GRID.shape[1], axis=1)
    with open_raster(tmp_path / "a.tif") as source:
        found = zonal_statistics(source, read(features, tmp_path))
    zones = [{"type": "Feature", "properties": {}, "geometry": mapping(one)} for one in merged(features).values()]
    weights = NumPyRasterSource(areas, *GRID.bounds)
    with rasterio.open(tmp_path / "a.tif") as dataset:
        rows = exactextract.exact_extract(dataset, JSONFeatureSource(zones), ["weighted_sum"], weights=weights)
    total = np.array([row["properties"]["weighted_sum"] for row in rows], float)
    np.testing.assert_allclose(found.total, total[total > 0], rtol=FLOAT32)


def test_zones_in_degrees_on_an_albers_grid_have_the_area_of_their_vertices_carried_by_proj(tmp_path):
    features = provinces(np.random.default_rng(4))
    carry = pyproj.Transformer.from_crs(
        "EPSG:4326", "+proj=aea +lat_1=25 +lat_2=47 +lon_0=105 +datum=WGS84", always_xy=True
    ).transform
    carried = {code: shapely.transform(zone, carry, interleaved=False) for code, zone in merged(features).items()}
    xmin, ymin, xmax, ymax = unary_union(list(carried.values())).bounds
    grid = Grid(ALBERS_CHINA, (xmin - 500, ymax + 500, 3000, -3000), (int(ymax - ymin) // 3000 + 2, 250))
    assert grid.bounds[2] > xmax
    found = zonal_statistics(Raster(np.ones(grid.shape), np.ones(grid.shape, bool), grid), read(features, tmp_path))
    # PROJ's coordinates and ours agree to 1e-8 m.
    np.testing.assert_allclose(found.area_km2, [zone.area / 1e6 for zone in carried.values()], rtol=1e-9)
    half = Grid(ALBERS_CHINA, grid.transform, (grid.shape[0] // 2, 117))
    inside = coverage(read(features, tmp_path), half).inside
    expected = {code: zone.intersection(box(*half.bounds)).area / zone.area for code, zone in carried.items()}
    assert inside == pytest.approx(expected, rel=1e-9, abs=1e-12)
