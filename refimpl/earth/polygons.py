"""Polygons: zones as rings of vertices, and their edges in the pixel coordinates of a grid.

Section "Raster data".  Two flat arrays, x and y, hold the vertices of all rings of all zones.  A ring ends at the
vertex with which it begins.  It is a shell or a hole of a shell; its direction in the file does not matter.

Vertices are projected to the grid's CRS, and edges are straight lines there (as GDAL and QGIS draw them).  If the file
has another CRS, a straight line of the file bends in the grid's: an edge of 10 km is off by 20 m in China's Albers.

A projected map ends at a seam, the meridian opposite to its central one.  Polygons that cross the seam are cut there
first, so that none is torn across the map.  On a geographic grid, polygons are repeated on every turn round the Earth
that the grid shows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from refimpl.earth.crs import CRS, datum_change
from refimpl.earth.grid import Grid, Window
from refimpl.earth.pixels import snapped
from refimpl.earth.projection import forward, inverse
from refimpl.errors import InputError

RULES = ("centre", "area")


@dataclass(frozen=True, eq=False)
class Polygons:
    """Zones as polygons, as ``read_polygons`` (refimpl/formats/geojson.py) returns them.

    >>> square = np.array([0.0, 2.0, 2.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0, 1.0, 0.0])
    >>> zones = Polygons(*square, np.array([0, 5]), np.array([True]), np.array([11]), CRS("geographic"))
    >>> zones.zones.tolist(), zones.bounds
    ([11], (0.0, 0.0, 2.0, 1.0))
    """

    x: np.ndarray
    y: np.ndarray
    """(n,) float64, the vertices of all rings, one ring after the other; degrees or metres."""
    starts: np.ndarray
    """(rings + 1,) int64, the index of each ring's first vertex; the last number is n."""
    shells: np.ndarray
    """(rings,) bool: true for an outer ring, false for a hole."""
    codes: np.ndarray
    """(rings,) int64, the zone of each ring, 1 or more."""
    crs: CRS
    rule: str = "centre"
    """How cells are assigned to zones: "centre" or "area" (refimpl/earth/zone_labels.py)."""
    where: str = "polygons"
    """The file, or another name that begins messages about the polygons."""

    @property
    def zones(self) -> np.ndarray:
        """The distinct codes, ascending."""
        return np.unique(self.codes)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """xmin, ymin, xmax, ymax of all vertices."""
        return float(self.x.min()), float(self.y.min()), float(self.x.max()), float(self.y.max())


class Edges(NamedTuple):
    """Edges of all zones in pixel coordinates (u to the right, v down), except horizontal ones; sorted by zone.

    The upper end of each edge comes first.  So two neighbouring zones have the same numbers for their common edge.
    """

    ends: np.ndarray
    """(n, 4) float64: u and v of the upper end, u and v of the lower end."""
    signs: np.ndarray
    """(n,) float64: 1 where the zone lies to the right of the edge, -1 where it lies to the left."""
    ranks: np.ndarray
    """(n,) int64: the index of the edge's zone in ``codes``."""
    codes: np.ndarray
    """(k,) int64, ascending."""
    window: Window = (0, 0, 0, 0)
    """The rows and columns of the grid that the zones' bounding box overlaps; (0, 0, 0, 0) for none."""


def carried(polygons: Polygons, crs: CRS) -> Polygons:
    """The same polygons with vertices in another CRS, cut at the seam of its map.

    Raises
    ------
    InputError
        The two CRS are on different datums, or a vertex lies off the map of the polygons' own CRS.

    >>> square = np.array([0.0, 2.0, 2.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0, 1.0, 0.0])
    >>> zones = Polygons(*square, np.array([0, 5]), np.array([True]), np.array([11]), CRS("geographic"))
    >>> [round(edge) for edge in carried(zones, CRS("sinusoidal", (6371007.181, 0))).bounds]
    [0, 0, 222390, 111195]
    """
    changed = datum_change(polygons.crs, crs)
    if changed:
        raise InputError(
            f"{polygons.where}: cannot be laid on {crs.describe()}: {changed}; convert it with "
            "'ogr2ogr -t_srs EPSG:4326 -lco RFC7946=YES OUT.geojson IN.geojson'"
        )
    if polygons.crs == crs:
        return polygons
    x, y = inverse(polygons.crs, polygons.x, polygons.y)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        at = int(np.flatnonzero(~(np.isfinite(x) & np.isfinite(y)))[0])
        raise InputError(
            f"{polygons.where}: the vertex {polygons.x[at]:g}, {polygons.y[at]:g} lies off the map of "
            f"{polygons.crs.describe()}; check the file's coordinate system"
        )
    if polygons.crs.kind != "geographic":
        x = _continued(x, polygons.starts)
    moved = replace(polygons, x=x, y=y, crs=CRS("geographic", crs.ellipsoid, datum=crs.datum))
    if crs.kind == "geographic":
        return moved
    cut = _cut_at_seam(moved, crs)
    x, y = forward(crs, cut.x, cut.y)
    return replace(cut, x=x, y=y, crs=crs)


def _continued(x: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Longitudes of rings, continued where ``inverse`` jumps by a turn at its seam."""
    turns = np.round(np.diff(x, prepend=x[:1]) / 360)
    turns[starts[:-1]] = 0
    sums = np.cumsum(turns)
    return x - 360 * (sums - np.repeat(sums[starts[:-1]], np.diff(starts)))


_REACH = {"transverse_mercator": (45.0, 90.0), "web_mercator": (180.0, 89.9)}
"""Greatest degrees from the central meridian and from the equator on a map; other maps show all of the Earth."""
_SEAM = 1e-9


def _cut_at_seam(polygons: Polygons, crs: CRS) -> Polygons:
    """The rings cut to what the map of ``crs`` shows, with longitudes within 180 degrees of its central meridian.

    Rings off the map are dropped.
    """
    width, height = _REACH.get(crs.kind, (180.0, 90.0))
    east, west = crs.central_meridian + width - _SEAM, crs.central_meridian - width + _SEAM
    if west <= polygons.x.min() and polygons.x.max() <= east and np.abs(polygons.y).max() <= height:
        return polygons
    parts: list[tuple[int, np.ndarray, np.ndarray]] = []
    for ring, (start, stop) in enumerate(zip(polygons.starts[:-1].tolist(), polygons.starts[1:].tolist())):
        x, y = polygons.x[start:stop], polygons.y[start:stop]
        for turn in range(int(np.ceil((west - x.max()) / 360)), int(np.floor((east - x.min()) / 360)) + 1):
            u, v = x + 360.0 * turn, y
            for limit, side, axis in ((east, 1, 0), (west, -1, 0), (height, 1, 1), (-height, -1, 1)):
                u, v = _cut((u, v), axis, limit, side)
            if u.size:
                parts.append((ring, u, v))
    rings = np.array([ring for ring, _, _ in parts], np.intp)
    return replace(
        polygons,
        x=np.concatenate([u for _, u, _ in parts] or [np.zeros(0)]),
        y=np.concatenate([v for _, _, v in parts] or [np.zeros(0)]),
        starts=np.cumsum([0] + [u.size for _, u, _ in parts]),
        shells=polygons.shells[rings],
        codes=polygons.codes[rings],
    )


def _cut(ring: tuple[np.ndarray, np.ndarray], axis: int, limit: float, side: int) -> tuple[np.ndarray, np.ndarray]:
    """The part of a closed ring where side x (coordinate - limit) <= 0, closed (Sutherland and Hodgman 1974)."""
    along, across = ring[axis], ring[1 - axis]
    inside = side * (along - limit) <= 0
    if inside.all() or not along.size:
        return ring
    if not inside.any():
        return along[:0], along[:0]
    crossing = np.flatnonzero(inside[:-1] != inside[1:])
    share = (limit - along[crossing]) / (along[crossing + 1] - along[crossing])
    met = across[crossing] + share * (across[crossing + 1] - across[crossing])
    kept = np.flatnonzero(inside[:-1])
    order = np.argsort(np.concatenate([kept, crossing + 0.5]), kind="stable")
    along = np.concatenate([along[kept], np.full(crossing.size, limit)])[order]
    across = np.concatenate([across[kept], met])[order]
    along, across = np.append(along, along[0]), np.append(across, across[0])
    return (along, across) if axis == 0 else (across, along)


def edges_on(polygons: Polygons, grid: Grid) -> Edges:
    """The edges of the polygons that cross the rows of ``grid``, inside it or to its left, in its pixel coordinates.

    Coordinates within 1e-9 pixels of a whole number are set to that number.

    Raises
    ------
    InputError
        As for ``carried``.

    >>> square = np.array([0.0, 2.0, 2.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0, 1.0, 0.0])
    >>> zones = Polygons(*square, np.array([0, 5]), np.array([True]), np.array([11]), CRS("geographic"))
    >>> found = edges_on(zones, Grid(CRS("geographic"), (0, 2, 1, -1), (2, 3)))
    >>> found.ends.tolist(), found.signs.tolist()
    ([[2.0, 1.0, 2.0, 2.0], [0.0, 1.0, 0.0, 2.0]], [-1.0, 1.0])
    """
    codes, polygons = polygons.zones, carried(polygons, grid.crs)
    parts = [edges_between(polygons, *pixels_of(polygons, grid, turn), grid.shape) for turn in _turns(polygons, grid)]
    ends, signs, of_edge, boxes = (np.concatenate(each) for each in zip(*parts)) if parts else _NO_EDGES
    order = np.argsort(of_edge, kind="stable")
    ranks = np.searchsorted(codes, of_edge[order])
    return Edges(np.ascontiguousarray(ends[order]), signs[order], ranks, codes, _window(boxes, grid.shape))


_NO_EDGES = np.zeros((0, 4)), np.zeros(0), np.zeros(0, np.int64), np.zeros((0, 4))


def _window(boxes: np.ndarray, shape: tuple[int, int]) -> Window:
    """The window of the cells that boxes (n, 4) overlap; a box is u and v of two corners."""
    if not boxes.size:
        return 0, 0, 0, 0
    (left, top), (right, bottom) = np.floor(boxes[:, :2].min(0)), np.ceil(boxes[:, 2:].max(0))
    top, bottom, left, right = max(top, 0), min(bottom, shape[0]), max(left, 0), min(right, shape[1])
    if top >= bottom or left >= right:  # the polygons have no area in the grid
        return 0, 0, 0, 0
    return int(top), int(bottom), int(left), int(right)


def pixels_of(polygons: Polygons, grid: Grid, turn: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Vertices in the grid's CRS, shifted by ``turn`` degrees, as pixel coordinates u, v of the grid."""
    x0, y0, dx, dy = grid.transform
    return snapped((polygons.x + turn - x0) / dx), snapped((polygons.y - y0) / dy)


def _turns(polygons: Polygons, grid: Grid) -> list[float]:
    """Shifts in degrees, whole turns, with which the polygons lie on the grid; only 0 on a projected grid."""
    if not polygons.x.size or grid.crs.kind != "geographic":
        return [0.0] if polygons.x.size else []
    (west, _, east, _), (low, _, high, _) = grid.bounds, polygons.bounds
    first, last = int(np.ceil((west - high) / 360)), int(np.floor((east - low) / 360))
    return [360.0 * turn for turn in range(first, last + 1)]


def edges_between(polygons: Polygons, u: np.ndarray, v: np.ndarray, shape, top: float = 0):
    """(ends, signs, code of each edge, boxes of rings) within columns from 0 and rows from ``top``, up to ``shape``.

    Edges to the right of these cells, above or below them are left out; so are horizontal edges.
    """
    begin, sizes = polygons.starts[:-1], np.diff(polygons.starts)
    (rows, cols), ring = shape, np.repeat(np.arange(sizes.size), sizes)
    boxes = np.stack([part.reduceat(w, begin) for part in (np.minimum, np.maximum) for w in (u, v)], axis=1)
    reaches = (boxes[:, :2] < (cols, rows)).all(1) & (boxes[:, 2:] > (0, top)).all(1)
    # The shoelace formula, with coordinates relative to each ring's first vertex.
    from_u, from_v = u - u[begin][ring], v - v[begin][ring]
    twice = np.append(from_u[:-1] * from_v[1:] - from_u[1:] * from_v[:-1], 0.0)
    round_about = np.sign(np.add.reduceat(np.where(_last(polygons), 0.0, twice), begin))
    round_about = np.where(polygons.shells, round_about, -round_about)
    first = np.flatnonzero(~_last(polygons) & reaches[ring])
    first = first[(v[first] != v[first + 1]) & (np.minimum(u[first], u[first + 1]) < cols)]
    first = first[(np.minimum(v[first], v[first + 1]) < rows) & (np.maximum(v[first], v[first + 1]) > top)]
    down = v[first + 1] > v[first]
    upper, lower = np.where(down, first, first + 1), np.where(down, first + 1, first)
    ends = np.stack([u[upper], v[upper], u[lower], v[lower]], axis=1)
    # In (u, v), with v down, a ring of positive area goes down on its right side.
    signs = np.where(down, -1.0, 1.0) * round_about[ring[first]]
    return ends, signs, polygons.codes[ring[first]], boxes[reaches]


def _last(polygons: Polygons) -> np.ndarray:
    """(n,) bool: true for the vertex that closes its ring."""
    last = np.zeros(polygons.x.size, bool)
    last[polygons.starts[1:] - 1] = True
    return last
