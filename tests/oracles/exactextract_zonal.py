"""Zonal statistics as exactextract finds them for zones drawn as polygons; the exact fractions must agree.

A zone is the multipolygon of its cells, the weights are the true cell areas (D03) of ``fractions_zonal``.
"""

from __future__ import annotations

import math

import numpy as np

from tests.oracles.fractions_zonal import row_areas, zonal
from tests.oracles.suite import WGS84, Case, Output, Tiff, rng

FLAGS = {
    "zonal-mask-per-zone": "Valid cells of one zone leak into another, or its area holds cells without a value.",
    "zonal-rows-flipped": "Zones or areas are laid over the density upside down or mirrored.",
    "zonal-negative-density": "Negative densities are taken for nodata or clipped: the mean is too high.",
}
AGREE = 1e-12
WHY = "both sum 60 products in float64, and each row's area carries the 3e-14 of q2 - q1"


def boxes(zones: np.ndarray, transform, code: int) -> dict:
    """The cells of one zone as a GeoJSON feature."""
    x0, y0, dx, dy = transform
    polygons = []
    for i, j in np.argwhere(zones == code):
        west, north, east, south = x0 + j * dx, y0 + i * dy, x0 + (j + 1) * dx, y0 + (i + 1) * dy
        polygons.append([[[west, south], [east, south], [east, north], [west, north], [west, south]]])
    shape = {"type": "MultiPolygon", "coordinates": polygons}
    return {"type": "Feature", "properties": {"code": code}, "geometry": shape}


def extracted(density: Tiff, zones: np.ndarray) -> dict[str, list]:
    """The table of zonal_statistics from exactextract's weighted sums."""
    from exactextract import exact_extract
    from exactextract.raster import NumPyRasterSource

    x0, y0, dx, dy = density.transform
    rows, columns = density.values.shape
    frame = {"xmin": x0, "ymin": y0 + rows * dy, "xmax": x0 + columns * dx, "ymax": y0, "nodata": math.nan}
    area = np.array([[float(size)] * columns for size in row_areas(density.transform, rows, density.crs)])
    valid = density.valid
    sources = {
        "area": NumPyRasterSource(area, name="area", **frame),
        "value": NumPyRasterSource(np.where(valid, density.values, np.nan), name="value", **frame),
        "covered": NumPyRasterSource(np.where(valid, area, np.nan), name="covered", **frame),
    }
    codes = sorted({int(code) for code in zones.flat} - {0})
    features = [boxes(zones, density.transform, code) for code in codes]
    found = exact_extract(
        sources["value"], features, ["weighted_sum", "weighted_mean", "count"], weights=sources["area"]
    )
    covered = exact_extract(sources["covered"], features, ["sum"])
    rows = [one["properties"] | two["properties"] for one, two in zip(found, covered, strict=True)]
    return {
        "code": codes,
        "total": [row["weighted_sum"] for row in rows],
        "mean": [row["weighted_mean"] for row in rows],
        "count": [round(row["count"]) for row in rows],
        "area_km2": [row["sum"] for row in rows],
    }


def case(name: str, title: str, density: Tiff, zones: np.ndarray, flags) -> Case:
    """Answered by exactextract, held against the fractions."""
    table, exact = extracted(density, zones), zonal(density, zones)
    for column in table:
        np.testing.assert_allclose(table[column], exact[column], rtol=AGREE, atol=0, err_msg=f"{name}: {column}")
    return Case(
        name,
        title,
        "zonal",
        "zonal_statistics",
        ("D03", "Raster data"),
        flags,
        "exactextract",
        "weighted sums over each zone's polygons; the exact fractions agree to 1e-12",
        inputs={"density.tif": density, "zones.tif": Tiff(zones, density.transform, density.crs)},
        outputs={"zonal.csv": Output(table, "rel", AGREE, WHY)},
    )


def cases() -> list[Case]:
    """Two patchworks of zones with gaps, geographic and projected."""
    random = rng("zonal-patchwork")
    values = random.integers(1, 900, (12, 5)) / 4
    zones = random.choice(np.array([0, 11, 12, 31, 650000], np.int32), (12, 5), p=[0.2, 0.2, 0.2, 0.2, 0.2])
    gaps = random.random((12, 5)) < 0.75
    anomaly = random.normal(1, 5, (6, 10))
    blocks = np.kron(np.array([[3, 1, 2], [2, 3, 3]]), np.ones((3, 4)))[:, :10].astype(np.uint8)
    return [
        case(
            "zonal-patchwork-geographic",
            "Scattered cells of four zones with gaps, 0.75 by 0.5 degrees",
            Tiff(values, (98.0, 41.5, 0.75, -0.5), WGS84, valid=gaps),
            zones,
            ("zonal-mask-per-zone", "zonal-rows-flipped"),
        ),
        case(
            "zonal-negative-densities",
            "An anomaly with negative values, gaps marked by 1e20",
            Tiff(anomaly, (-500000.0, 3900000.0, 10000.0, -7500.0), valid=random.random((6, 10)) < 0.8, nodata=1e20),
            blocks,
            ("zonal-negative-density", "zonal-rows-flipped"),
        ),
    ]
