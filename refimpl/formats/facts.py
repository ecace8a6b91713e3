"""Facts about a raster file, from what it says of itself, for people and for JSON.

Section "Raster data".  They come in three steps, so that a file whose reference system is not understood still tells
its size and codec: ``file_facts`` (layout), ``told_facts`` (nodata, scale, unit, side files), ``place_facts`` (system,
extent, true areas).  Lengths are in metres or degrees, as in the reference system; areas in km2.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from refimpl.earth.crs import datum_change
from refimpl.earth.epsg import epsg_of_crs
from refimpl.earth.grid import Grid
from refimpl.earth.projection import WGS84, inverse
from refimpl.errors import InputError
from refimpl.formats.alpha import alpha_band
from refimpl.formats.directory import Directory, FileBytes, read_directories
from refimpl.formats.files import existing_file
from refimpl.formats.foreign import refuse_foreign
from refimpl.formats.geokey_directory import RASTER_TYPE
from refimpl.formats.png import is_png, png_header
from refimpl.formats.preflight import LZMA, MASK, NAMES, NONE, OVERVIEW, SUBFILE, Layout, layout_of
from refimpl.formats.side_files import overruled, with_side_files
from refimpl.formats.tags import (
    GDAL_METADATA,
    GDAL_NODATA,
    band_words,
    gdal_metadata,
    geo_tags,
    geokeys_of,
    georeference,
    nodata_like,
)
from refimpl.formats.world_file import world_file_of


def file_facts(path: str | os.PathLike, most_bytes: int | None = None) -> dict:
    """Size, shape, type, codec and layout of a TIFF or PNG; no pixel is decoded.

    Raises
    ------
    InputError
        The file is missing, of another format, or damaged.
    """
    refuse_foreign(path)
    path = existing_file(path, "a GeoTIFF")
    facts = {"file": str(path), "bytes": path.stat().st_size, "beside": beside(path)}
    with open(path, "rb") as handle:
        if is_png(path):
            header = png_header(handle, str(path), most_bytes)
            rows, cols = header.shape
            return facts | {
                "format": "PNG", "rows": rows, "columns": cols, "bands": header.bands, "type": header.dtype.name,
                "bits": header.depth, "codec": "DEFLATE", "layout": "whole", "overviews": [], "mask": False,
                "alpha": {2: 2, 4: 4}.get(header.bands), "predictor": 1, "byte_order": "big",
            }  # fmt: skip
        pages = read_directories(FileBytes(handle, str(path)))
        layout = layout_of(pages[0], most_bytes)
        handle.seek(2)
        big = handle.read(2) in (b"+\0", b"\0+")
        return facts | {"format": "BigTIFF" if big else "TIFF"} | _layout_facts(layout, pages)


def _layout_facts(layout: Layout, pages: list[Directory]) -> dict:
    kinds = [page.integer(SUBFILE, 0) for page in pages]
    smaller = [layout_of(page).shape for page, kind in zip(pages[1:], kinds[1:]) if kind == OVERVIEW]
    name = {NONE: "none", LZMA: "LZMA"}.get(layout.compression) or NAMES.get(layout.compression, "DEFLATE")
    cut = f"tiles of {layout.chunk[0]} x {layout.chunk[1]}" if layout.tiled else f"strips of {layout.chunk[0]} rows"
    bands_apart = ", band after band" if layout.separate else ""
    return {
        "rows": layout.shape[0], "columns": layout.shape[1], "bands": layout.bands,
        "type": layout.dtype.newbyteorder("=").name, "bits": layout.bits, "codec": name,
        "predictor": layout.predictor, "layout": cut + bands_apart, "overviews": [list(shape) for shape in smaller],
        "byte_order": "little" if pages[0].order == "<" else "big", "mask": MASK in kinds,
        "alpha": alpha_band(pages[0], layout.bands),
    }  # fmt: skip


def beside(path: Path) -> list[str]:
    """Names of the side files of a raster that exist.

    >>> beside(Path("there-is-none.tif"))
    []
    """
    names = [f"{path.name}.aux.xml", f"{path.stem}.prj", f"{path.stem}.PRJ", f"{path.name}.msk", f"{path.name}.ovr"]
    world = world_file_of(path)
    found = [path.with_name(name) for name in names if os.path.isfile(path.with_name(name))]
    return [one.name for one in ([] if world is None else [world]) + found]


def told_facts(path: str | os.PathLike, band: int, dtype: str) -> dict:
    """Nodata, scale, offset, unit and description of a band; whether the file is south-up or pixel-is-point.

    Raises
    ------
    InputError
        A tag or side file is damaged, or the reference system or place is not understood.
    """
    where = str(path)
    png, own = is_png(path), {}
    if not png:
        with open(path, "rb") as handle:
            own = geo_tags(read_directories(FileBytes(handle, where))[0])
    tags = with_side_files(path, own, band, world_first=png)
    words = str(tags.get(GDAL_NODATA, "")).strip("\0 \n")
    number = nodata_like(words, np.dtype(dtype), where)
    scale, offset, unit = gdal_metadata(tags.get(GDAL_METADATA), band, where)
    return {
        "nodata": words or None, "nodata_fits": number is not None or not words, "scale": scale, "offset": offset,
        "unit": unit, "description": band_words(tags.get(GDAL_METADATA), band, where).get("description", ""),
        "overruled": overruled(path, own, world_first=png),
        "south_up": georeference(tags, where)[1], "pixel_is_point": geokeys_of(tags, where).get(RASTER_TYPE) == 2,
    }  # fmt: skip


def place_facts(grid: Grid) -> dict:
    """Reference system, cell size, extent (in it, and in degrees of its own datum) and the true areas of cells.

    >>> facts = place_facts(Grid(WGS84, (73, 54, 0.5, -0.5), (72, 124)))
    >>> facts["epsg"], facts["extent_degrees"], [round(area) for area in facts["cell_area_km2"]]
    (4326, [73.0, 18.0, 135.0, 54.0], [1836, 2926])
    """
    _, _, dx, dy = grid.transform
    try:
        areas, fault = grid.cell_areas(), ""
    except InputError as found:
        areas, fault = None, str(found)
    return {
        "system": grid.crs.describe(), "epsg": epsg_of_crs(grid.crs), "datum": grid.crs.datum,
        "unit_of_length": "degrees" if grid.crs.kind == "geographic" else "metres",
        "datum_change": datum_change(grid.crs, WGS84), "cell_size": [dx, -dy], "extent": list(grid.bounds),
        "extent_degrees": extent_degrees(grid), "area_fault": fault,
        "cell_area_km2": None if areas is None else [float(areas.min()), float(areas.max())],
    }  # fmt: skip


def extent_degrees(grid: Grid) -> list[float] | None:
    """[west, south, east, north] that a grid covers; None where no point of it is on the Earth."""
    xmin, ymin, xmax, ymax = grid.bounds
    x, y = np.meshgrid(np.linspace(xmin, xmax, 65), np.linspace(ymin, ymax, 65))
    lon, lat = (x, y) if grid.crs.kind == "geographic" else inverse(grid.crs, x, y)
    on_earth = np.isfinite(lon) & np.isfinite(lat)
    if not on_earth.any():
        return None
    lon, lat = np.asarray(lon)[on_earth], np.asarray(lat)[on_earth]
    return [float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())]
