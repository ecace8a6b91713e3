"""Polygons: zones as rings of vertices, and their edges in the pixel coordinates of a grid.

Section "Raster data".  All rings of all zones stand in two flat arrays; a ring ends at the vertex it begins with.  A
ring is a shell or the hole of one; which way round it goes in the file plays no part.  Vertices are carried into the
grid's CRS, and between them edges are straight there (as GDAL and QGIS draw them): where the CRS is another than the
file's, a long edge is off by what a straight line bends, 20 m for 10 km in China's Albers projection.

A projected map ends at a seam, the meridian opposite to its own.  Polygons that reach across are cut there first, so
that none is torn across the map.  On a geographic grid they are laid on every turn round the Earth that the grid shows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from refimpl.earth.crs import CRS, datum_change
from refimpl.earth.grid import Grid, Window
from refimpl.earth.projection import forward, inverse
from refimpl.errors import InputError

RULES = ("centre", "area")


@dataclass(frozen=True, eq=False)
class Polygons:
    """Zones as polygons; ``read_polygons`` (refimpl/formats/geojson.py) makes them.

    >>> square = np.array([0.0, 2.0, 2.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0, 1.0, 0.0])
    >>> zones = Polygons(*square, np.array([0, 5]), np.array([True]), np.array([11]), CRS("geographic"))
    >>> zones.zones.tolist(), zones.bounds
    ([11], (0.0, 0.0, 2.0, 1.0))
    """

    x: np.ndarray
    y: np.ndarray
    """(n,) float64, the vertices of all rings, one ring after the other; degrees or metres."""
    starts: np.ndarray
    """(rings + 1,) int64, where each ring begins; the last number is n."""
    shells: np.ndarray
    """(rings,) bool: an outer ring; false for a hole."""
    codes: np.ndarray
    """(rings,) int64, the zone of each ring, 1 or more."""
    crs: CRS
    rule: str = "centre"
    """How cells take a zone: "centre" or "area" (refimpl/earth/zone_labels.py)."""
    where: str = "polygons"
    """Begins the sentences about them: the file."""

    @property
    def zones(self) -> np.ndarray:
        """The distinct codes, ascending."""
        return np.unique(self.codes)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """xmin, ymin, xmax, ymax of all vertices."""
        return float(self.x.min()), float(self.y.min()), float(self.x.max()), float(self.y.max())


class Edges(NamedTuple):
    """Edges of all zones in pixel coordinates (u to the right, v down), without those that run along a row.

    Sorted by zone.  Each stands with its upper end first, so that two neighbours have the same numbers for the edge
    that they share.
    """

    ends: np.ndarray
    """(n, 4) float64: u and v of the upper end, u and v of the lower end."""
    signs: np.ndarray
    """(n,) float64: 1 where the zone begins to the right of the edge, -1 where it ends there."""
    ranks: np.ndarray
    """(n,) int64: the place of the edge's zone in ``codes``."""
    codes: np.ndarray
    """(k,) int64, ascending."""
    window: Window = (0, 0, 0, 0)
    """The rows and columns of the grid that the zones' bounding box meets; empty where it meets none."""


def carried(polygons: Polygons, crs: CRS) -> Polygons:
    """The same polygons with vertices in another CRS, cut at the seam of its map.

    Raises
    ------
    InputError
        The datum changes, or a vertex lies off the map of the polygons' own CRS.

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
    """Longitudes of rings without the jumps of a turn that ``inverse`` makes at its seam."""
    turns = np.round(np.diff(x, prepend=x[:1]) / 360)
    turns[starts[:-1]] = 0
    sums = np.cumsum(turns)
    return x - 360 * (sums - np.repeat(sums[starts[:-1]], np.diff(starts)))


_REACH = {"transverse_mercator": (45.0, 90.0), "web_mercator": (180.0, 89.9)}
"""Degrees from the central meridian and from the equator that a map is used for; others show all of the Earth."""
_SEAM = 1e-9


def _cut_at_seam(polygons: Polygons, crs: CRS) -> Polygons:
    """Longitude and latitude of rings cut to what the map of ``crs`` shows, brought to its turn; rings may be gone."""
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
    """The part of a closed ring where side x (coordinate - limit) <= 0 (Sutherland and Hodgman 1974), closed."""
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
    """The edges of the polygons that meet the rows of ``grid``, in or left of it, in its pixel coordinates.

    Coordinates that are whole but for 1e-9 of a pixel are whole.

    Raises
    ------
    InputError
        As ``carried``.

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
    """The cells that boxes (n, 4), each u and v of two corners, meet."""
    if not boxes.size:
        return 0, 0, 0, 0
    (left, top), (right, bottom) = np.floor(boxes[:, :2].min(0)), np.ceil(boxes[:, 2:].max(0))
    top, bottom, left, right = max(top, 0), min(bottom, shape[0]), max(left, 0), min(right, shape[1])
    if top >= bottom or left >= right:  # of polygons without area
        return 0, 0, 0, 0
    return int(top), int(bottom), int(left), int(right)


_SNAP = 1e-9


def pixels_of(polygons: Polygons, grid: Grid, turn: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """The vertices, in the grid's CRS and shifted by ``turn`` degrees, in its pixel coordinates u, v."""
    x0, y0, dx, dy = grid.transform
    return _snapped((polygons.x + turn - x0) / dx), _snapped((polygons.y - y0) / dy)


def _snapped(coordinate: np.ndarray) -> np.ndarray:
    whole = np.round(coordinate)
    return np.where(np.abs(coordinate - whole) < _SNAP, whole, coordinate)


def _turns(polygons: Polygons, grid: Grid) -> list[float]:
    """Degrees by which the polygons are shifted to where the grid shows them; 0 on a projected grid."""
    if not polygons.x.size or grid.crs.kind != "geographic":
        return [0.0] if polygons.x.size else []
    (west, _, east, _), (low, _, high, _) = grid.bounds, polygons.bounds
    first, last = int(np.ceil((west - high) / 360)), int(np.floor((east - low) / 360))
    return [360.0 * turn for turn in range(first, last + 1)]


def edges_between(polygons: Polygons, u: np.ndarray, v: np.ndarray, shape, top: float = 0):
    """(ends, signs, code of each, boxes of rings) of the rings in columns 0 and rows ``top`` to ``shape``.

    Edges right of it, above, below or along a row are left out.
    """
    begin, sizes = polygons.starts[:-1], np.diff(polygons.starts)
    (rows, cols), ring = shape, np.repeat(np.arange(sizes.size), sizes)
    boxes = np.stack([part.reduceat(w, begin) for part in (np.minimum, np.maximum) for w in (u, v)], axis=1)
    reaches = (boxes[:, :2] < (cols, rows)).all(1) & (boxes[:, 2:] > (0, top)).all(1)
    # The shoelace formula, with coordinates from each ring's first vertex.
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
    # In (u, v), v down, a ring of positive area goes down on its right side.
    signs = np.where(down, -1.0, 1.0) * round_about[ring[first]]
    return ends, signs, polygons.codes[ring[first]], boxes[reaches]


def _last(polygons: Polygons) -> np.ndarray:
    """(n,) bool: the vertex that closes its ring."""
    last = np.zeros(polygons.x.size, bool)
    last[polygons.starts[1:] - 1] = True
    return last
