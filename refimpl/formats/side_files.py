"""Side files as tags: what stands beside a raster joins what stands in it, in GDAL's order of precedence.

Section "Raster data".  NAME.EXT.aux.xml takes precedence over the file's own tags, and these over a world file (a PNG
has no tags; there the world file comes first).  Scale and offset are replaced together.  NAME.prj names the reference
system where nothing else does: GDAL does not read it beside a TIFF or PNG, but ArcGIS writes it there.  The result is
the dictionary that ``geo_tags`` makes, so that later steps need not know where a word came from.  A world file counts
from the centre of the first pixel, GDAL's transform from its corner: such a raster is pixel-is-area.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

from refimpl.errors import InputError
from refimpl.formats.aux_xml import AuxXml, read_aux_xml
from refimpl.formats.geokey_directory import (
    GEOGRAPHIC_CODE,
    MODEL_TYPE,
    PROJECTED_CODE,
    RASTER_TYPE,
    pack_geokeys,
    parse_geokeys,
)
from refimpl.formats.geokeys import geokeys_from_crs
from refimpl.formats.tags import (
    GDAL_METADATA,
    GDAL_NODATA,
    GEO_ASCII,
    GEO_DIRECTORY,
    GEO_DOUBLES,
    PIXEL_SCALE,
    TIEPOINT,
    TRANSFORMATION,
    band_words,
    geokeys_of,
)
from refimpl.formats.wkt import crs_from_wkt
from refimpl.formats.wkt_tree import MOST_TEXT
from refimpl.formats.world_file import read_world_file, world_file_of

_ROLES = {"Scale": "scale", "Offset": "offset", "UnitType": "unittype", "Description": "description"}


def with_side_files(path: str | os.PathLike, tags: Mapping, band: int = 1, world_first: bool = False) -> dict:
    """``tags`` (as ``geo_tags`` has them) of the raster ``path``, completed and overruled by what stands beside it.

    Raises
    ------
    InputError
        A side file is damaged or its reference system not understood, or it gives a place and nothing gives the system.

    >>> import tempfile
    >>> from refimpl.formats.tags import georeference
    >>> path = Path(tempfile.mkdtemp()) / "a.tif"
    >>> _ = path.with_name("a.tfw").write_text("0.5\\n0\\n0\\n-0.5\\n100.25\\n39.75\\n")
    >>> _ = path.with_name("a.prj").write_text("EPSG:4490")
    >>> grid_of, flipped = georeference(with_side_files(path, {}), "a.tif")
    >>> grid_of((2, 3)).bounds, grid_of((2, 3)).crs.datum
    ((100.0, 39.0, 101.5, 40.0), 'CGCS2000')
    """
    path, tags = Path(path), dict(tags)
    aux_path = path.with_name(path.name + ".aux.xml")
    aux = read_aux_xml(aux_path) if os.path.isfile(aux_path) else AuxXml()
    placed, keys = _placed(path, tags, aux, world_first), geokeys_of(tags, str(path))
    keys_found = _system(path, keys, aux, aux_path)
    if placed is not None:
        if not (_named(keys) if keys_found is None else keys_found):
            raise InputError(
                f"{path}: {placed} says where its pixels lie, but nothing names their reference system; put its WKT "
                f"into {path.stem}.prj beside it, or use 'gdal_translate -a_srs EPSG:4326 IN.tif OUT.tif'"
            )
        keys_found = (keys if keys_found is None else keys_found) | {RASTER_TYPE: 1}
    elif keys_found is not None:
        keys_found |= {RASTER_TYPE: keys.get(RASTER_TYPE, 1)}
    if keys_found is not None:
        tags |= dict(zip((GEO_DIRECTORY, GEO_DOUBLES, GEO_ASCII), pack_geokeys(keys_found)))
    return tags | _band_tags(tags, aux.bands.get(band, {}), band, str(path))


def overruled(path: str | os.PathLike, tags: Mapping, world_first: bool = False) -> list[str]:
    """Names of the world file and .prj beside the raster that are not looked at, because others take precedence.

    >>> overruled("there-is-none.tif", {})
    []
    """
    path = Path(path)
    aux_path, world = path.with_name(path.name + ".aux.xml"), world_file_of(path)
    aux = read_aux_xml(aux_path) if os.path.isfile(aux_path) else AuxXml()
    found = [world.name] if world is not None and _placed(path, dict(tags), aux, world_first) != world.name else []
    if aux.system or (aux.system is None and _named(geokeys_of(tags, str(path)))):
        found += [prj.name for prj in _prj_of(path)]
    return found


def _prj_of(path: Path) -> list[Path]:
    """The .prj beside a raster, if there is one."""
    names = (f"{path.stem}.prj", f"{path.stem}.PRJ")
    return [path.with_name(name) for name in names if os.path.isfile(path.with_name(name))][:1]


def _placed(path: Path, tags: dict, aux: AuxXml, world_first: bool) -> str | None:
    """Put the place that a side file gives into ``tags``; returns the name of that file, or None."""
    placed = aux.transform is not None or {PIXEL_SCALE, TIEPOINT} <= set(tags) or TRANSFORMATION in tags
    world = world_file_of(path) if world_first or not placed else None
    if world is not None:
        numbers, name = read_world_file(world), world.name
    elif aux.transform is not None:
        x, width, across, y, down, height = aux.transform
        numbers = (width, across, 0.0, x, down, height, 0.0, y, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
        name = path.name + ".aux.xml"
    else:
        return None
    tags[TRANSFORMATION] = numbers
    tags.pop(PIXEL_SCALE, None)
    tags.pop(TIEPOINT, None)
    return name


def _named(keys: Mapping) -> bool:
    """Whether the file itself names a reference system."""
    return any(keys.get(key, 0) != 0 for key in (MODEL_TYPE, GEOGRAPHIC_CODE, PROJECTED_CODE))


def _system(path: Path, keys: Mapping, aux: AuxXml, aux_path: Path) -> dict | None:
    """The keys of the system that a side file names, {} if it names none at all; None where the file's own stay."""
    if aux.system:
        return _keys_of(aux.system, str(aux_path))
    if aux.system is None and _named(keys):
        return None
    for prj in _prj_of(path):
        with open(prj, "rb") as handle:
            text = handle.read(MOST_TEXT + 1).decode("utf-8-sig", "replace")
        return _keys_of(text, str(prj))
    return {} if aux.system == "" and _named(keys) else None


def _keys_of(text: str, where: str) -> dict:
    return parse_geokeys(*geokeys_from_crs(crs_from_wkt(text, where)), where)


def _band_tags(tags: Mapping, words: Mapping[str, str], band: int, where: str) -> dict:
    """Nodata and metadata of one band, where the .aux.xml has any of them."""
    found = {GDAL_NODATA: words["NoDataValue"]} if "NoDataValue" in words else {}
    given = {_ROLES[name]: word for name, word in words.items() if name in _ROLES}
    if not given:
        return found
    roles = band_words(tags.get(GDAL_METADATA), band, where)
    if "scale" in given or "offset" in given:
        roles |= {"scale": "1", "offset": "0"}
    items = (f'<Item sample="{band - 1}" role="{role}">{escape(word)}</Item>' for role, word in (roles | given).items())
    return found | {GDAL_METADATA: f"<GDALMetadata>{''.join(items)}</GDALMetadata>"}
