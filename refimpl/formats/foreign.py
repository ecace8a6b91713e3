"""Files that are no GeoTIFF: each is named by its first bytes, with the command that makes a GeoTIFF of it.

Section "Raster data".  The paper's data come packed (".tif.gz"), as NetCDF (FFDAS), HDF-EOS (MCD12Q1) or ESRI GRID
folders.  A download that went wrong is a web page or a pointer.  Source: the formats' magic numbers.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

from refimpl.errors import InputError

_LOOK = 1024
_PLAIN = "'gdal_translate {file} OUT.tif'"
_HDF = "'gdalinfo {file}' lists what it holds; take one raster with 'gdal_translate "
_PACKED = {
    b"\x1f\x8b": ("gzip", "unpack it with 'gunzip -c {file} > OUT.tif'"),
    b"PK\x03\x04": ("zip", "unpack it with 'unzip {file}'"),
    b"BZh": ("bzip2", "unpack it with 'bunzip2 -c {file} > OUT.tif'"),
    b"\xfd7zXZ": ("xz", "unpack it with 'xz -dc {file} > OUT.tif'"),
    b"7z\xbc\xaf": ("7-Zip", "unpack it with '7z x {file}'"),
    b"Rar!": ("RAR", "unpack it with 'unrar x {file}'"),
}
_FORMATS = {
    b"CDF\x01": ("NetCDF", _HDF + "NETCDF:{file}:VARIABLE OUT.tif'"),
    b"CDF\x02": ("NetCDF", _HDF + "NETCDF:{file}:VARIABLE OUT.tif'"),
    b"CDF\x05": ("NetCDF", _HDF + "NETCDF:{file}:VARIABLE OUT.tif'"),
    b"\x89HDF\r\n\x1a\n": (
        "NetCDF-4 or HDF5",
        _HDF + "NETCDF:{file}:VARIABLE OUT.tif' (HDF5: 'gdal_translate HDF5:{file}://DATASET OUT.tif')",
    ),
    b"\x0e\x03\x13\x01": ("HDF4", _HDF + "HDF4_EOS:EOS_GRID:{file}:MCD12Q1:LC_Type1 OUT.tif', for example"),
    b"\x00\x00\x00\x0cjP  ": ("JPEG 2000", f"convert it with {_PLAIN}"),
    b"\xffO\xffQ": ("JPEG 2000", f"convert it with {_PLAIN}"),
    b"\xff\xd8\xff": ("JPEG", f"its packing has changed the values; if that does no harm, convert it with {_PLAIN}"),
    b"GIF8": ("GIF", f"convert it with {_PLAIN}"),
    b"EHFA_HEADER_TAG": ("ERDAS Imagine", f"convert it with {_PLAIN}"),
    b"GRIB": ("GRIB", "convert it with 'gdal_translate -b 1 {file} OUT.tif'"),
    b"SQLite format 3": ("SQLite or GeoPackage", f"convert it with {_PLAIN}"),
    b"\x93NUMPY": ("NumPy", "an array has no place on the Earth; write it with rasterio or refimpl.formats.writing"),
    b"%PDF": ("PDF", f"convert it with {_PLAIN}"),
}
_TEXTS = [
    (r"version https://git-lfs", "a pointer of Git LFS, not the raster itself", "fetch it with 'git lfs pull'"),
    (r"(<!--.*?-->\s*)?<(!doctype )?html", "a web page, not a raster", "download it again, signed in if the site asks"),
    (r"(<\?xml.*?\?>\s*)?<VRTDataset", "a VRT", f"convert it with {_PLAIN}"),
    (r"(<\?xml.*?\?>\s*)?<PAMDataset", "the .aux.xml of a raster", "name the raster itself"),
    (r"<", "XML, not a raster", "read what it says; if it is the answer of a server, download the raster again"),
    (r"ENVI\s", "the header of an ENVI raster", "convert the raster beside it with 'gdal_translate RASTER OUT.tif'"),
    (
        r"(\s*(byteorder|layout|nrows|ncols|nbands|nbits|ulxmap|pixeltype|[xy]ll(corner|center))\s+\S+\s*\n){3}",
        "the header of a BIL raster, or an ASCII grid",
        "convert it (the .bil, .flt or .asc) with 'gdal_translate RASTER OUT.tif'",
    ),
    (r"\s*[{\[]", "JSON, not a raster", "name a raster; polygons serve only as zones"),
    (r"(GEOGCS|PROJCS|GEOGCRS|PROJCRS)\[", "the .prj of a raster", "name the raster itself"),
]


def refuse_foreign(path: str | os.PathLike) -> None:
    """Refuse a file of a known other format.  An unknown one passes, and is refused later as a damaged TIFF.

    Raises
    ------
    InputError
        The file is of another format; the sentence names it and the command that converts it.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.tif"
    >>> _ = path.write_bytes(b"\\x1f\\x8b\\x08")
    >>> try:
    ...     refuse_foreign(path)
    ... except InputError as fault:
    ...     print(str(fault).replace(str(path), "a.tif"))
    a.tif: is packed by gzip, expected a GeoTIFF; unpack it with 'gunzip -c a.tif > OUT.tif'
    """
    path = Path(path)
    grid = path / "hdr.adf" if os.path.isdir(path) else path
    if grid.suffix.lower() == ".adf" and os.path.isfile(grid):
        folder = path if os.path.isdir(path) else path.parent
        cure = f"convert it with 'gdal_translate {shlex.quote(str(folder))} OUT.tif'"
        raise InputError(f"{path}: is an ESRI GRID, expected a GeoTIFF; {cure}")
    if not os.path.isfile(path):
        return
    try:
        with open(path, "rb") as handle:
            head = handle.read(_LOOK)
    except OSError:
        return
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"\x89PNG"):
        return
    kind, cure = _kind(path, head)
    if kind:
        raise InputError(f"{path}: is {kind}, expected a GeoTIFF; {cure.format(file=shlex.quote(str(path)))}")


def _kind(path: Path, head: bytes) -> tuple[str, str]:
    """(what the file is, what to do with it), both empty where it is not known."""
    if not head:
        return "empty", "download or copy it again"
    for start, (name, cure) in _PACKED.items():
        if head.startswith(start):
            return f"packed by {name}", cure
    if head[257:262] == b"ustar":
        return "a tar archive", "unpack it with 'tar -xf {file}'"
    for start, (name, cure) in _FORMATS.items():
        if head.startswith(start):
            return name, cure
    text = head.decode("utf-8-sig", "replace").lstrip()
    for pattern, name, cure in _TEXTS:
        if re.match(pattern, text, re.IGNORECASE | re.DOTALL):
            return name, cure
    headers = (path.with_suffix(".hdr"), path.with_name(path.name + ".hdr"))
    if any(header.is_file() and header != path for header in headers):
        return "an ENVI or BIL raster, as its .hdr says", f"convert it with {_PLAIN}"
    if re.fullmatch(r"[^\x00-\x08\x0b-\x0c\x0e-\x1f\x7f\ufffd]+\ufffd?", text):  # the last character may be cut
        return "text, not a raster", "name a raster; tables serve only as statistics and results"
    return "", ""
