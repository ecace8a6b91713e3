"""Zones in a file, as codes on a grid: a source that can be sent to another process.

Section "Raster data".  A raster of codes is read window by window; a file of polygons is read once in each process.
Another process receives the file's path.
"""

from __future__ import annotations

import functools
import os
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from refimpl.earth.datum import other_datums
from refimpl.earth.grid import Grid, Raster, Source, Window
from refimpl.earth.polygons import Polygons
from refimpl.earth.projection import CRS
from refimpl.earth.warped import Warped
from refimpl.earth.zone_labels import zone_labels
from refimpl.errors import DataWarning
from refimpl.formats.geojson import read_polygons
from refimpl.windows.stored import OPENING, Stored, state_of
from refimpl.windows.zones import Zones


def zones_of_file(path: str | os.PathLike, zones: Zones, grid: Grid, id_field: str = "code") -> Source:
    """The zones of a file on a grid, as ``zones_in`` gives them; ``zones`` are the file's, read and checked before.

    >>> import pickle, tempfile
    >>> from refimpl.earth.projection import ALBERS_CHINA
    >>> from refimpl.formats.writing import write_raster
    >>> zones = Raster(np.array([[11, 12]]), np.array([[True, True]]), Grid(ALBERS_CHINA, (0, 0, 2, -2), (1, 2)))
    >>> path = tempfile.mkdtemp() + "/zones.tif"
    >>> write_raster(path, zones)
    >>> fine = pickle.loads(pickle.dumps(zones_of_file(path, zones, zones.grid.refined())))
    >>> fine.part((0, 1, 1, 4)).values.tolist()
    [[11, 12, 12]]
    """
    if isinstance(zones, Polygons):
        return _Labels(path, zones, grid, id_field)
    return Warped(Stored(path), grid, "nearest")


class _Labels:
    """Polygons as codes on ``grid``."""

    units = ""

    def __init__(self, path: str | os.PathLike, polygons: Polygons, grid: Grid, id_field: str):
        self.polygons, self.grid = polygons, grid
        self.dtype: np.dtype = self.part((0, 1, 0, 1)).dtype
        self._read = Path(path).absolute(), id_field, polygons.rule, polygons.crs

    def part(self, window: Window) -> Raster:
        """The codes of (row start, row stop, column start, column stop)."""
        return zone_labels(self.polygons, self.grid, window=window)

    def __getstate__(self) -> dict:
        return {name: value for name, value in self.__dict__.items() if name != "polygons"}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self.polygons = _read_again(*self._read, state_of(self._read[0]))


@functools.lru_cache(2)
def _read_again(path: Path, id_field: str, rule: str, crs: CRS, state: tuple) -> Polygons:
    """The polygons that another process read before; their warnings were given there."""
    with OPENING, warnings.catch_warnings(), other_datums(None):
        warnings.simplefilter("ignore", DataWarning)
        return replace(read_polygons(path, id_field, rule), crs=crs)
