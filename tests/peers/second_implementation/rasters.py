"""GeoTIFFs by GDAL: values with a mask, north up."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import RasterioError

from tests.peers.second_implementation.files import Refused, Task, refuse_unless
from tests.peers.second_implementation.grids import Crs, Grid

warnings.filterwarnings("ignore", category=rasterio.errors.NotGeoreferencedWarning)


@dataclass(frozen=True)
class Raster:
    """Values (0 where not valid), mask and grid; ``raw`` has the file's numbers and type."""

    values: np.ndarray
    valid: np.ndarray
    grid: Grid
    raw: np.ndarray | None = None
    nodata: float | None = None

    def write(self, path: Path) -> None:
        """Write a GeoTIFF: float64 with NaN, or the raw type with a nodata value that no cell has."""
        (x0, y0, dx, dy), (rows, cols) = self.grid.transform, self.grid.shape
        if self.raw is None:
            written, nodata = np.where(self.valid, self.values, np.nan), np.nan
        else:
            nodata = self.nodata if self.nodata is not None else _unused(self.raw[self.valid], self.raw.dtype)
            written = np.where(self.valid, self.raw, np.asarray(nodata).astype(self.raw.dtype))
        profile = {
            "driver": "GTiff",
            "width": cols,
            "height": rows,
            "count": 1,
            "dtype": written.dtype,
            "nodata": nodata,
        }
        crs = rasterio.crs.CRS.from_string(self.grid.crs.proj())
        with rasterio.open(path, "w", crs=crs, transform=rasterio.Affine(dx, 0, x0, 0, dy, y0), **profile) as dataset:
            dataset.write(written, 1)


def _unused(used: np.ndarray, dtype: np.dtype) -> float:
    """A value of the type that is not used; NaN for floats."""
    if dtype.kind == "f":
        return np.nan
    limits = np.iinfo(dtype)
    return next(value for value in range(limits.max, limits.min - 1, -1) if not np.any(used == value))


def band(task: Task, name: str, index: int = 1) -> Raster:
    """A band of ``NAME.tif``."""
    path = task.path(f"{name}.tif")
    try:
        with rasterio.open(path) as dataset:
            if index > dataset.count:
                raise Refused(f"band: {name}.tif has {dataset.count} bands, not {index}")
            crs, transform = _crs(dataset, name), dataset.transform
            raw, scale, offset = dataset.read(index), dataset.scales[index - 1], dataset.offsets[index - 1]
            nodata = dataset.nodatavals[index - 1]
    except (RasterioError, OSError) as fault:
        raise Refused(f"{name}: {name}.tif cannot be read as a GeoTIFF") from fault
    refuse_unless(raw.dtype.kind in "iuf", name, f"its type {raw.dtype} is not one of plain numbers")
    rotated = transform.b != 0 or transform.d != 0
    refuse_unless(
        not rotated and transform.a > 0 and transform.e != 0, name, "a raster that is not rotated is expected"
    )
    x0, y0, dx, dy = transform.c, transform.f, transform.a, transform.e
    if dy > 0:
        raw, y0, dy = raw[::-1], y0 + dy * raw.shape[0], -dy
    valid = np.isfinite(raw)
    if nodata is not None and np.isfinite(nodata):
        with np.errstate(over="ignore"):
            fits = raw.dtype.kind == "f" or (
                nodata == int(nodata) and np.can_cast(np.min_scalar_type(int(nodata)), np.int64)
            )
            valid &= raw != (raw.dtype.type(nodata) if raw.dtype.kind == "f" else int(nodata)) if fits else True
    values = np.where(valid, raw, 0).astype(float) * scale + offset
    values = np.where(valid & np.isfinite(values), values, 0.0)
    return Raster(values, valid, Grid(crs, (x0, y0, dx, dy), raw.shape), np.ascontiguousarray(raw), nodata)


def _crs(dataset, name: str) -> Crs:
    """The file's coordinate system, one of the contract's kinds."""
    from pyproj import CRS

    refuse_unless(dataset.crs is not None and bool(dataset.crs.to_wkt()), name, "it has no CRS")
    crs = CRS(dataset.crs.to_wkt())
    refuse_unless(crs.ellipsoid is not None, name, "its CRS has no ellipsoid")
    ellipsoid = (crs.ellipsoid.semi_major_metre, crs.ellipsoid.inverse_flattening)
    if crs.is_geographic:
        return Crs("geographic", *ellipsoid)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parts = crs.to_dict()
    kind = {"aea": "albers", "sinu": "sinusoidal"}.get(parts.get("proj"))
    refuse_unless(kind is not None, name, "its CRS is none of geographic, Albers equal-area and sinusoidal")
    refuse_unless(parts.get("units", "m") == "m" and "to_meter" not in parts, name, "its CRS is not in metres")
    origin = [float(parts.get(part, 0)) for part in ("lat_0", "lon_0", "x_0", "y_0")]
    return Crs(
        kind, *ellipsoid, (float(parts.get("lat_1", 0)), float(parts.get("lat_2", parts.get("lat_1", 0)))), *origin
    )


def on_grid(task: Task, name: str, first: Raster) -> Raster:
    """Another raster, which must lie on the grid of the first."""
    raster = band(task, name)
    refuse_unless(raster.grid.same(first.grid), name, f"{name}.tif lies on another grid")
    return raster


def codes(raster: Raster, name: str) -> np.ndarray:
    """Zones as integers, 0 where there is none."""
    values = raster.values
    refuse_unless(
        bool(np.all(values == np.round(values)) and np.all(values >= 0)), name, "whole codes from 0 are expected"
    )
    return values.astype(np.int64)


def cell_area(grid: Grid) -> np.ndarray:
    """km2 of each cell."""
    return np.repeat(grid.areas()[:, None], grid.shape[1], axis=1)
