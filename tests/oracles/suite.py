"""One case of the golden suite as a script writes it, and its files (the contract is golden/README.md).

Rasters are written by GDAL (rasterio), arrays by NumPy, tables by the standard library: nothing of refimpl is used.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType

import numpy as np

STAGES = ("inventory", "raster", "zonal", "regression", "coarse", "zssr", "allocation", "evaluation", "pipeline")
ORACLES: dict[str, tuple[str, ...]] = {
    "contract": (),
    "hand": (),
    "fractions": ("mpmath",),
    "numpy": ("numpy",),
    "mpmath": ("mpmath",),
    "scipy": ("scipy",),
    "scikit-learn": ("scikit-learn",),
    "libsvm-polished": ("scikit-learn", "mpmath"),
    "pytorch-float64": ("torch",),
    "proj": ("pyproj",),
    "gdal": ("rasterio",),
    "exactextract": ("exactextract",),
    "second-implementation": ("torch", "scikit-learn", "rasterio"),
}
"""Oracles, and the distributions whose versions the index states."""
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
"""Ids and flags: a folder's name must be the same on every file system, whatever it makes of upper case."""

Table = Mapping[str, Sequence]
WGS84 = {"kind": "geographic"}
ALBERS_CHINA = {"kind": "albers", "parallels": [25, 47], "central_meridian": 105}
MODIS = {"kind": "sinusoidal", "a": 6371007.181, "inverse_flattening": 0}


@dataclass(frozen=True)
class Tiff:
    """A raster: ``values`` (rows, cols) with ``nodata`` where not ``valid``; ``crs`` as in the contract.

    ``tags`` go into GDAL's metadata of the band; ``scale`` and ``offset`` are the band's.
    """

    values: np.ndarray
    transform: tuple[float, float, float, float]
    crs: Mapping | None = field(default_factory=lambda: ALBERS_CHINA)
    valid: np.ndarray | None = None
    nodata: float | None = None
    scale: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True)
class Raw:
    """A file's bytes as they are: for malformed inputs, and GeoTIFFs that need special tags."""

    content: bytes


@dataclass(frozen=True)
class Output:
    """An expected file, and how it is compared: ``cmp`` and ``limit`` of golden/README.md, and why so."""

    value: object
    cmp: str
    limit: float | tuple[float, float]
    why: str


@dataclass(frozen=True)
class Invariant:
    """What the answer itself must satisfy."""

    of: str
    cmp: str
    limit: float
    why: str


@dataclass(frozen=True)
class Case:
    """One question.  File names carry their ending ("weights.tif"); ``fault`` alone makes a case invalid."""

    id: str
    title: str
    stage: str
    operation: str
    references: Sequence[str]
    flags: Sequence[str]
    oracle: str
    how: str
    """One sentence: how the oracle came to this answer."""
    parameters: Mapping[str, object] = field(default_factory=dict)
    inputs: Mapping[str, object] = field(default_factory=dict)
    """File name to array, Table (columns), Tiff or Raw."""
    outputs: Mapping[str, Output] = field(default_factory=dict)
    invariants: Sequence[Invariant] = ()
    fault: tuple[Sequence[str], str] | None = None
    """(names of which the refusal must give one, why it is invalid)."""


def refused(
    id: str,
    title: str | None,
    stage: str,
    operation: str,
    references: Sequence[str],
    fields: Sequence[str],
    why: str,
    inputs: Mapping[str, object] = MappingProxyType({}),
    parameters: Mapping[str, object] = MappingProxyType({}),
    how: str = "The contract refuses it.",
) -> Case:
    """An invalid case: the contract is its oracle; without a title ``why`` is the title."""
    title = f"Refused: {why}" if title is None else title
    return Case(
        id, title, stage, operation, references, (), "contract", how, parameters, inputs, fault=(fields, why)
    )  # fmt: skip


def refused_rows(stage: str, operations: Mapping[str, tuple[str, Sequence[str]]], rows: Sequence[tuple]) -> list[Case]:
    """Invalid cases of (operation, name, parameters, inputs, fields, why).

    ``operations`` has what an operation's ids begin with, and its references; inputs are as ``named`` takes them.
    """
    found = []
    for operation, name, parameters, inputs, fields, why in rows:
        slug, references = operations[operation]
        found.append(refused(f"{slug}-refuses-{name}", None, stage, operation, references, fields, why, named(inputs),
                             parameters))  # fmt: skip
    return found


def with_columns(table: Table, changes: Table) -> dict[str, Sequence]:
    """The table with the columns of ``changes`` in place of its own; a column of no cells is left out."""
    return {name: cells for name, cells in {**table, **changes}.items() if cells}


def named(inputs: Mapping[str, object]) -> dict[str, object]:
    """Inputs by file name: a Tiff's ends in .tif, a Table's in .csv, an array's in .npy."""
    return {f"{name}.{ending(value)}": value for name, value in inputs.items()}


def ending(value: object) -> str:
    """Of the file that holds the value."""
    return "tif" if isinstance(value, Tiff) else "csv" if isinstance(value, Mapping) else "npy"


def proj_text(crs: Mapping) -> str:
    """The CRS as PROJ (and with it GDAL) reads it; geographic WGS 84 is EPSG:4326."""
    a, f = crs.get("a", 6378137.0), crs.get("inverse_flattening", 298.257223563)
    body = "+ellps=WGS84" if (a, f) == (6378137.0, 298.257223563) else (f"+a={a!r} +rf={f!r}" if f else f"+R={a!r}")
    south, north = crs.get("parallels", (0, 0))
    easting, northing = crs.get("false_easting", 0), crs.get("false_northing", 0)
    origin = f"+lon_0={crs.get('central_meridian', 0)} +x_0={easting} +y_0={northing}"
    if crs["kind"] == "geographic":
        return "EPSG:4326" if body == "+ellps=WGS84" else f"+proj=longlat {body} +no_defs"
    if crs["kind"] == "albers":
        lat = crs.get("latitude_of_origin", 0)
        return f"+proj=aea +lat_1={south} +lat_2={north} +lat_0={lat} {origin} {body} +units=m +no_defs"
    return f"+proj=sinu {origin} {body} +units=m +no_defs"


def tiff_bytes(tiff: Tiff) -> bytes:
    """The GeoTIFF, uncompressed, as GDAL writes it."""
    from rasterio.io import MemoryFile
    from rasterio.transform import Affine

    values = np.asarray(tiff.values)
    nodata = tiff.nodata
    if tiff.valid is not None:
        nodata = float("nan") if nodata is None and values.dtype.kind == "f" else nodata
        values = np.where(tiff.valid, values, np.asarray(nodata, values.dtype))
    x0, y0, dx, dy = tiff.transform
    profile = {"driver": "GTiff", "count": 1, "dtype": values.dtype.name, "nodata": nodata}
    profile |= {"height": values.shape[0], "width": values.shape[1], "transform": Affine(dx, 0, x0, 0, dy, y0)}
    if tiff.crs is not None:
        profile["crs"] = proj_text(tiff.crs)
    with MemoryFile() as memory:
        with memory.open(**profile) as dataset:
            dataset.write(values, 1)
            if (tiff.scale, tiff.offset) != (1.0, 0.0):
                dataset.scales, dataset.offsets = (tiff.scale,), (tiff.offset,)
        return memory.read()


def csv_bytes(table: Table) -> bytes:
    """Columns as CSV: floats with the fewest digits that read back the same, nan and None as empty cells."""

    def cell(value) -> str:
        if value is None or (isinstance(value, (float, np.floating)) and np.isnan(value)):
            return ""
        return repr(float(value)) if isinstance(value, (float, np.floating)) else str(value)

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table)
    writer.writerows([cell(value) for value in row] for row in zip(*table.values(), strict=True))
    return text.getvalue().encode()


def npy_bytes(array: np.ndarray) -> bytes:
    """NumPy's format 1.0: little endian, C order, no pickle."""
    array = np.asarray(array)
    array = np.array(array, dtype=array.dtype.newbyteorder("<"), order="C")
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, version=(1, 0), allow_pickle=False)
    return stream.getvalue()


def file_bytes(name: str, value: object) -> bytes:
    """The file that ``name``'s ending asks for."""
    if isinstance(value, Raw):
        return value.content
    return {"tif": tiff_bytes, "csv": csv_bytes, "npy": npy_bytes}[name.rsplit(".", 1)[1]](value)


def plain(value):
    """Parameters as JSON knows them."""
    if isinstance(value, Mapping):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    return value.item() if isinstance(value, np.generic) else value


def document(case: Case) -> tuple[dict, dict[str, bytes]]:
    """``case.json`` as a dict, and every file by its path below the case's folder."""
    assert case.stage in STAGES and case.oracle in ORACLES, case.id
    assert all(SLUG.fullmatch(slug) for slug in (case.id, *case.flags)), f"{case.id}: an id or flag that is no slug"
    assert bool(case.fault) != bool(case.outputs), f"{case.id}: outputs, or a fault"
    files = {f"in/{name}": file_bytes(name, value) for name, value in case.inputs.items()}
    files |= {f"out/{name}": file_bytes(name, output.value) for name, output in case.outputs.items()}
    digest = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    case_json = {
        "id": case.id,
        "title": case.title,
        "stage": case.stage,
        "operation": case.operation,
        "references": list(case.references),
        "flags": list(case.flags),
        "verdict": "invalid" if case.fault else "valid",
        "parameters": plain(case.parameters),
        "inputs": {name: {"sha256": digest[f"in/{name}"]} for name in case.inputs},
        "outputs": {
            name: {"sha256": digest[f"out/{name}"], "cmp": o.cmp, "limit": plain(o.limit), "why": o.why}
            for name, o in case.outputs.items()
        },
        "invariants": [{"of": i.of, "cmp": i.cmp, "limit": i.limit, "why": i.why} for i in case.invariants],
        "fault": {"fields": list(case.fault[0]), "why": case.fault[1]} if case.fault else None,
        "oracle": {"name": case.oracle, "how": case.how},
    }
    return case_json, files


def write_case(case: Case, root: Path) -> None:
    """``root/<id>/`` with case.json, in/ and out/."""
    case_json, files = document(case)
    folder = root / case.id
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(case_json, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / "case.json").write_text(text + "\n", encoding="utf-8", newline="\n")


def versions() -> dict[str, str]:
    """Of every distribution that an oracle uses."""
    return {name: version(name) for name in sorted({name for names in ORACLES.values() for name in names})}


def rng(case_id: str) -> np.random.Generator:
    """Random numbers of a case: seeded by its id, so that adding a case changes no other."""
    return np.random.Generator(np.random.PCG64(list(hashlib.sha256(case_id.encode()).digest())))
