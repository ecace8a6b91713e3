"""Coordinate systems by PROJ, grids, areas on the ellipsoid."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tests.peers.second_implementation.files import Task, check_number, check_whole, named, numbers, refuse_unless


@dataclass(frozen=True)
class Crs:
    """A coordinate system of the contract."""

    kind: str
    a: float = 6378137.0
    inverse_flattening: float = 298.257223563
    parallels: tuple[float, float] = (0.0, 0.0)
    latitude_of_origin: float = 0.0
    central_meridian: float = 0.0
    false_easting: float = 0.0
    false_northing: float = 0.0

    def numbers(self) -> list[float]:
        """All that distinguishes it from others of its kind."""
        shift = [self.central_meridian, self.false_easting, self.false_northing]
        more = {
            "geographic": [],
            "sinusoidal": shift,
            "albers": [*sorted(self.parallels), self.latitude_of_origin, *shift],
        }
        return [self.a, self.inverse_flattening, *more[self.kind]]

    def same(self, other: Crs) -> bool:
        """Whether both are one system, to the rounding of a file."""
        return self.kind == other.kind and bool(np.allclose(self.numbers(), other.numbers(), rtol=1e-12, atol=1e-9))

    def proj(self, meridian: float | None = None) -> str:
        """The system as PROJ text, about ``meridian`` instead of its own if given."""
        round_ = self.inverse_flattening == 0
        body = f"+R={self.a!r}" if round_ else f"+a={self.a!r} +rf={self.inverse_flattening!r}"
        if (self.a, self.inverse_flattening) == (6378137.0, 298.257223563):
            body = "+datum=WGS84"
        meridian = self.central_meridian if meridian is None else meridian
        shift = f"+lon_0={meridian!r} +x_0={self.false_easting!r} +y_0={self.false_northing!r} +units=m"
        south, north = self.parallels
        names = {
            "geographic": "+proj=longlat",
            "sinusoidal": f"+proj=sinu {shift}",
            "albers": f"+proj=aea +lat_1={south!r} +lat_2={north!r} +lat_0={self.latitude_of_origin!r} {shift}",
        }
        return f"{names[self.kind]} {body} +no_defs"

    def forward(self, lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Degrees to coordinates; NaN beyond the poles."""
        lon, lat = np.array(lon, dtype=float), np.array(lat, dtype=float)
        lat[~(np.abs(lat) <= 90)] = np.nan
        if self.kind == "geographic":
            return np.where(np.isnan(lat), np.nan, lon), lat
        away = lon - self.central_meridian
        away = np.where(np.abs(away) <= 180, away, _turned(away))
        x, y = _pyproj(self)(away, lat)
        x, y = np.asarray(x), np.asarray(y)
        off = ~(np.isfinite(x) & np.isfinite(y))
        return np.where(off, np.nan, x), np.where(off, np.nan, y)

    def inverse(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates to degrees; NaN off the map, found by going back: PROJ itself turns on round the cone."""
        x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
        if self.kind == "geographic":
            off = ~(np.abs(y) <= 90)
            return np.where(off, np.nan, x), np.where(off, np.nan, y)
        away, lat = (np.asarray(part) for part in _pyproj(self)(x, y, inverse=True))
        off = ~(np.isfinite(away) & np.isfinite(lat))
        away, lat = np.where(off, 0, away), np.where(off, 0, lat)
        x_again, y_again = (np.asarray(part) for part in _pyproj(self)(away, lat))
        off |= ~(np.hypot(x_again - x, y_again - y) < 1e-3)
        lon = away + self.central_meridian
        lon = np.where(np.abs(lon) <= 180, lon, _turned(lon))
        return np.where(off, np.nan, lon), np.where(off, np.nan, lat)


def _turned(degrees: np.ndarray) -> np.ndarray:
    """Degrees within [-180, 180)."""
    return (degrees + 180) % 360 - 180


def _pyproj(crs: Crs):
    """PROJ's projection about the meridian 0."""
    from pyproj import Proj

    return Proj(crs.proj(meridian=0.0))


def read_crs(given: object) -> Crs:
    """A crs parameter."""
    if given == "albers-china":
        return Crs("albers", parallels=(25.0, 47.0), central_meridian=105.0)
    refuse_unless(isinstance(given, dict) and "kind" in given, "crs", "a kind is expected")
    refuse_unless(
        given["kind"] in ("geographic", "albers", "sinusoidal"), "crs", f"the kind {given['kind']!r} is unknown"
    )
    unknown = set(given) - set(Crs.__dataclass_fields__)
    refuse_unless(not unknown, "crs", f"it has no {', '.join(sorted(unknown))}")
    parts = {}
    for name in set(given) - {"kind", "parallels"}:
        parts[name] = check_number(given[name], "crs", lambda value: True, f"a number for {name}")
    if "parallels" in given:
        refuse_unless(
            isinstance(given["parallels"], list) and len(given["parallels"]) == 2, "crs", "two parallels are expected"
        )
        near = [
            check_number(p, "crs", lambda v: abs(v) <= 90, "parallels within 90 degrees") for p in given["parallels"]
        ]
        parts["parallels"] = tuple(near)
    crs = Crs(given["kind"], **parts)
    refuse_unless(crs.a > 0, "crs", "the axis a must be above 0")
    refuse_unless(
        crs.inverse_flattening == 0 or crs.inverse_flattening > 1, "crs", "inverse_flattening is 0 or above 1"
    )
    refuse_unless(abs(crs.latitude_of_origin) <= 90, "crs", "latitude_of_origin must be within 90 degrees")
    if crs.kind == "albers":
        refuse_unless(abs(sum(crs.parallels)) > 1e-9, "crs", "parallels that mirror each other have no cone")
    return crs


@dataclass(frozen=True)
class Grid:
    """Where cells lie: system, outer corner of the upper left cell, size of a cell, rows and columns."""

    crs: Crs
    transform: tuple[float, float, float, float]
    shape: tuple[int, int]

    def same(self, other: Grid) -> bool:
        """Whether both are one grid, to 1e-6 of a cell."""
        if self.shape != other.shape or not self.crs.same(other.crs):
            return False
        (x0, y0, dx, dy), there = self.transform, other.transform
        cell, size = np.array([dx, dy, dx, dy]), np.array([1, 1, self.shape[1], self.shape[0]])
        return bool(np.all(np.abs((np.array(there) - [x0, y0, dx, dy]) / cell) * size <= 1e-6))

    def refined(self, factor: int) -> Grid:
        """The same corner, cells ``factor`` times smaller."""
        x0, y0, dx, dy = self.transform
        return Grid(self.crs, (x0, y0, dx / factor, dy / factor), (self.shape[0] * factor, self.shape[1] * factor))

    def areas(self) -> np.ndarray:
        """km2 of one cell of each row."""
        _, y0, dx, dy = self.transform
        rows = self.shape[0]
        if self.crs.kind != "geographic":
            return np.full(rows, abs(dx * dy) / 1e6)
        f = 1 / self.crs.inverse_flattening if self.crs.inverse_flattening else 0.0
        e2 = f * (2 - f)
        nodes, weights = np.polynomial.legendre.leggauss(40)
        half, middle = -dy / 2, y0 + dy * (np.arange(rows) + 0.5)
        phi = np.radians(middle[:, None] + half * nodes)
        # The strip of a meridian times that of a parallel, M N cos phi, integrated: no difference of large numbers.
        integrand = (1 - e2) * np.cos(phi) / (1 - e2 * np.sin(phi) ** 2) ** 2
        return self.crs.a**2 * math.radians(dx) * math.radians(half) * (integrand @ weights) / 1e6


def read_grid(task: Task, crs: Crs | None = None) -> Grid:
    """The grid of the parameters transform and shape."""
    transform, shape = task.value("transform"), task.value("shape")
    refuse_unless(isinstance(transform, list) and len(transform) == 4, "transform", "x0, y0, dx, dy are expected")
    x0, y0, dx, dy = (check_number(part, "transform", lambda v: True, "finite numbers") for part in transform)
    refuse_unless(dx > 0 > dy, "transform", "dx above 0 and dy below 0 are expected")
    refuse_unless(isinstance(shape, list) and len(shape) == 2, "shape", "rows and columns are expected")
    rows, cols = (check_whole(part, "shape", 1) for part in shape)
    crs = read_crs(task.value("crs")) if crs is None else crs
    if crs.kind == "geographic":
        poles = max(abs(y0), abs(y0 + rows * dy)) <= 90 + 1e-6 * abs(dy)
        refuse_unless(poles, "transform", "the grid reaches beyond a pole")
    return Grid(crs, (x0, y0, dx, dy), (rows, cols))


def cell_areas(task: Task) -> dict:
    """True areas of cells by row."""
    return {"areas.npy": read_grid(task).areas()}


def project(task: Task) -> dict:
    """Points to a map."""
    crs, table = read_crs(task.value("crs")), task.table("points", "lon", "lat")
    x, y = crs.forward(numbers(table, "lon"), numbers(table, "lat"))
    return {"projected.csv": {"x": x, "y": y}}


def unproject(task: Task) -> dict:
    """Points of a map to degrees."""
    crs, table = read_crs(task.value("crs")), task.table("points", "x", "y")
    lon, lat = crs.inverse(numbers(table, "x"), numbers(table, "y"))
    return {"points_out.csv": {"lon": lon, "lat": lat}}


def refine_grid(task: Task) -> dict:
    """D19: the grid of cells ``factor`` times smaller."""
    # No crs is given here, and none matters: a plane has no poles to reach beyond.
    fine = read_grid(task, Crs("sinusoidal")).refined(task.whole("factor", 1, 2))
    (x0, y0, dx, dy), (rows, cols) = fine.transform, fine.shape
    return {"grid.csv": named(x0=x0, y0=y0, dx=dx, dy=dy, rows=rows, cols=cols)}


def read_raster(task: Task) -> dict:
    """A raster as the method sees it."""
    from tests.peers.second_implementation.rasters import band

    raster = band(task, "raster", task.whole("band", 1, 1))
    x0, y0, dx, dy = raster.grid.transform
    return {"values.npy": raster.values, "valid.npy": raster.valid, "grid.csv": named(x0=x0, y0=y0, dx=dx, dy=dy)}
