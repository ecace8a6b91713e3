"""The file NAME.EXT.aux.xml ("PAM") of GDAL and ArcGIS beside a raster: reference system, place, nodata, scale, unit.

Section "Raster data".  Elements are known by their path while the text streams by.  Everything else (histograms,
attribute tables) is passed over, so that memory stays small.  A document type is refused, because its entities can make
a short text grow without bound.
Source: GDAL's PAM; ArcGIS's xml:ESRI domain, whose system takes precedence over SRS as in GDAL.
"""

from __future__ import annotations

import math
import re
import struct
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

from refimpl.errors import InputError

MOST_BYTES, MOST_DEPTH, MOST_WORD, MOST_BANDS = 2**24, 64, 2**18, 65535
_BAND_WORDS = ("NoDataValue", "Offset", "Scale", "UnitType", "Description")


@dataclass
class AuxXml:
    """What the file says; None or empty where it says nothing.

    ``system`` is WKT, or "" where the file says that there is none; ``transform`` has six numbers, as GDAL has it.
    ``bands`` holds the texts of NoDataValue, Offset, Scale, UnitType and Description by band (1-based).
    """

    system: str | None = None
    transform: tuple[float, ...] | None = None
    bands: dict[int, dict[str, str]] = field(default_factory=dict)


class _Listener:
    """Gathers an ``AuxXml`` from a stream of elements."""

    def __init__(self):
        self.found, self._path, self._words = AuxXml(), [], []
        self._band, self._domain, self._bits = 0, "", ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._path.append(tag)
        self._words = []
        if len(self._path) == 1 and tag != "PAMDataset" or len(self._path) > MOST_DEPTH:
            raise ValueError(f"element {tag[:40]!r}, {len(self._path)} deep, where PAMDataset should hold all")
        if len(self._path) == 2:
            number = attributes.get("band", "") if tag == "PAMRasterBand" else ""
            self._band = int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 0
            self._domain = attributes.get("domain", "") if tag == "Metadata" else ""
        self._bits = attributes.get("le_hex_equiv", "")

    def data(self, text: str) -> None:
        if len(self._path) > 1 and sum(map(len, self._words)) < MOST_WORD:
            self._words.append(text)

    def end(self, tag: str) -> None:
        word, path = "".join(self._words).strip(), self._path[1:]
        if path == ["SRS"] and self.found.system is None:
            self.found.system = word
        elif path[:2] == ["Metadata", "GeodataXform"] and path[2:] == ["SpatialReference", "WKT"]:
            if self._domain == "xml:ESRI" and word:
                self.found.system = word
        elif path == ["GeoTransform"]:
            self.found.transform = _six(word)
        elif path[:1] == ["PAMRasterBand"] and path[1:] and path[1] in _BAND_WORDS and len(path) == 2:
            if word and 0 < self._band <= MOST_BANDS:
                exact = tag == "NoDataValue" and len(self._bits) == 16
                self.found.bands.setdefault(self._band, {})[tag] = _exactly(self._bits) if exact else word
        self._path.pop()
        self._words = []

    def close(self) -> AuxXml:
        return self.found


def _six(word: str) -> tuple[float, ...]:
    numbers = tuple(float(number) for number in word.split(","))
    if len(numbers) != 6 or not all(math.isfinite(number) for number in numbers):
        raise ValueError(f"GeoTransform {word[:80]!r}, expected six numbers")
    return numbers


def _exactly(bits: str) -> str:
    """A number that GDAL writes beside its decimal digits: eight bytes in hexadecimal, the lowest first."""
    return repr(struct.unpack("<d", bytes.fromhex(bits))[0])


def read_aux_xml(path: Path) -> AuxXml:
    """What the file says.

    Raises
    ------
    InputError
        The file is not such XML, is too large, or has text where a number should stand.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.tif.aux.xml"
    >>> _ = path.write_text("<PAMDataset><GeoTransform>5, 2, 0, 6, 0, -2</GeoTransform><PAMRasterBand band='1'>"
    ...     "<NoDataValue>-99</NoDataValue></PAMRasterBand></PAMDataset>")
    >>> read_aux_xml(path)
    AuxXml(system=None, transform=(5.0, 2.0, 0.0, 6.0, 0.0, -2.0), bands={1: {'NoDataValue': '-99'}})
    """
    parser = ElementTree.XMLParser(target=_Listener())
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"it has {path.stat().st_size} bytes")
        text = path.read_bytes().decode("utf-8-sig")
        if re.search("<!(DOCTYPE|ENTITY)", text, re.IGNORECASE):
            raise ValueError("it declares a document type")
        parser.feed(text)
        return parser.close()
    except (ElementTree.ParseError, ValueError, struct.error) as fault:
        cure = "remove it, or write it anew with 'gdal_edit.py' or 'gdalinfo -stats' on the raster"
        raise InputError(f"{path}: cannot be read as the .aux.xml of a raster ({fault}); {cure}") from fault
