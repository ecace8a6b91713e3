"""Operations of stage raster: reading, areas, projections, grids and warping."""

from __future__ import annotations

import numpy as np

from refimpl.conformance.operations.reading import crs, grid, named, naming, table
from refimpl.conformance.operations.reading import raster as raster_of
from refimpl.conformance.task import Task
from refimpl.earth.projection import ALBERS_CHINA, forward, inverse
from refimpl.earth.warp import warp as warped
from refimpl.formats.geotiff import read_raster as read


def grid_table(of) -> dict:
    """The table of a grid's transform: x0, y0, dx, dy by name."""
    return named(**dict(zip(("x0", "y0", "dx", "dy"), of.transform, strict=True)))


def read_raster(task: Task) -> dict:
    """One band of a raster, north up."""
    with naming("raster"):
        found = read(task.path("raster"), band=task.parameter("band", 1))
    return {"values": found.values.astype(np.float64), "valid": found.valid, "grid": grid_table(found.grid)}


def cell_areas(task: Task) -> dict:
    """D03: the area of one cell of each row, km2."""
    return {"areas": grid(task, crs(task)).cell_areas()}


def project(task: Task) -> dict:
    """Degrees projected to metres."""
    points = table(task, "points", "lon", "lat")
    x, y = forward(crs(task), points.numbers("lon"), points.numbers("lat"))
    return {"projected": {"x": x, "y": y}}


def unproject(task: Task) -> dict:
    """Metres turned back into degrees."""
    points = table(task, "points", "x", "y")
    lon, lat = inverse(crs(task), points.numbers("x"), points.numbers("y"))
    return {"points_out": {"lon": lon, "lat": lat}}


def refine_grid(task: Task) -> dict:
    """D19: a finer grid.  The task gives no CRS; any plane one will do."""
    fine = grid(task, ALBERS_CHINA).refined(task.parameter("factor", 2))
    rows, cols = fine.shape
    return {"grid": named(**dict(zip(("x0", "y0", "dx", "dy"), fine.transform, strict=True)), rows=rows, cols=cols)}


def warp(task: Task) -> dict:
    """A raster of densities, counts or classes on another grid."""
    options = [task.parameter("minimum_valid")] if "minimum_valid" in task.parameters else []
    return {"warped": warped(raster_of(task, "source"), grid(task, crs(task)), task.parameter("kind"), *options)}


OPERATIONS = {
    "read_raster": read_raster,
    "cell_areas": cell_areas,
    "project": project,
    "unproject": unproject,
    "refine_grid": refine_grid,
    "warp": warp,
}
