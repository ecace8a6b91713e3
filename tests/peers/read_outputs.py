"""GeoTIFFs of a run as GDAL reads them, held against its tables: ``python -m tests.peers.read_outputs FOLDER``."""

import csv
import math
import sys
from pathlib import Path

import numpy as np
import rasterio

ALBERS = "+proj=aea +lat_0=0 +lon_0=105 +lat_1=25 +lat_2=47 +x_0=0 +y_0=0 +datum=WGS84 +units=m"


def check(folder: Path) -> None:
    """Projection, nodata, geometry and sums of the four maps, as GDAL sees them."""
    expected = rasterio.crs.CRS.from_string(ALBERS)
    maps = {}
    for name in ("coarse", "weights", "emissions", "emissions_per_km2"):
        with rasterio.open(folder / f"{name}.tif") as source:
            maps[name] = source.read(1, masked=True)
            assert source.crs == expected, f"{name}.tif: {source.crs.to_wkt()}"
            assert source.nodata is not None and source.transform.e < 0, name
            assert np.isfinite(maps[name].compressed()).all() and (maps[name].compressed() >= 0).all(), name
            if name != "coarse":
                cell = source.transform.a
            else:
                shape, corner = source.shape, (source.transform.c, source.transform.f, 0.5 * source.transform.a)
            if name == "weights":
                assert (source.transform.c, source.transform.f, cell) == corner, "D19: same corner, half the cell"
                assert source.shape == (2 * shape[0], 2 * shape[1]), "D19: twice the rows and columns"
    with open(folder / "mass_balance.csv", newline="") as handle:
        rows = list(csv.DictReader(handle))
    total = math.fsum(float(row["total_1e4t"]) for row in rows)
    mapped = math.fsum(maps["emissions"].compressed().tolist())
    assert abs(mapped - total) <= len(rows) * math.ulp(total), (mapped, total)
    assert all(abs(float(row["difference_ulp"])) <= 1 for row in rows)
    density = maps["emissions"] * 1e4 / (cell / 1000) ** 2
    assert np.allclose(density.compressed(), maps["emissions_per_km2"].compressed(), rtol=1e-12)
    print(
        f"GDAL {rasterio.__gdal_version__} reads {len(maps)} maps; {len(rows)} provinces, "
        f"{total:,.2f} x 10^4 t, sums agree"
    )


if __name__ == "__main__":
    check(Path(sys.argv[1]))
