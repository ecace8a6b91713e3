"""The directories of a TIFF file and their tags, read without trusting a number in them.

Section "Raster data".  A directory is a list of entries (code, type, count, value or where it lies).  A value is looked
up only when it is asked for, and only inside the file.  Classic TIFF and BigTIFF, both byte orders.

tifffile and Pillow read directories too, but believe them or skip what they do not understand.  Of 1,500 damaged files
(``python -m tests.peers.other_readers``) tifffile gave a wrong array for 115 that are refused here: 79 are empty, 4
have another shape, 32 other values; at most its log says so.  Pillow gave 44 such arrays.  It also read 53 big-endian
files with other values, for it leaves their numbers as they come.  Where tifffile and this project both read, their
values were always the same.
Source: TIFF 6.0, section 2; BigTIFF as in libtiff; sizes in bytes.
"""

from __future__ import annotations

import os
import struct
import threading
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

import numpy as np

from refimpl.errors import InputError

INTEGERS = {1: "u1", 3: "u2", 4: "u4", 6: "i1", 8: "i2", 9: "i4", 13: "u4", 16: "u8", 17: "i8", 18: "u8"}
FLOATS = {11: "f4", 12: "f8"}
TEXTS = {1: "u1", 2: "u1", 7: "u1"}
_SIZES = {5: 8, 10: 8} | {code: np.dtype(kind).itemsize for code, kind in (INTEGERS | FLOATS | TEXTS).items()}
MOST_DIRECTORIES = 4096
MOST_TAG_BYTES = 2**28
"""More than any tag that is read here needs: the offsets of 33 million tiles."""


def damaged(where: str, what: str) -> InputError:
    """The error for a file that is no TIFF, or whose numbers contradict each other."""
    return InputError(f"{where}: cannot be read as a TIFF ({what}); expected a GeoTIFF, convert it with gdal_translate")


def cut_short(where: str, expected: int, size: int) -> InputError:
    """The error for a file that ends before what it points to."""
    return InputError(f"{where}: is cut short, {expected} bytes expected and {size} found; copy it again")


class FileBytes:
    """The bytes of an open file, which several threads may read."""

    def __init__(self, handle: BinaryIO, where: str):
        self.handle, self.where, self.lock = handle, where, threading.Lock()
        self.size = handle.seek(0, os.SEEK_END)

    def read(self, start: int, count: int) -> bytes:
        """``count`` bytes from ``start``, or InputError."""
        if start + count > self.size:
            raise cut_short(self.where, start + count, self.size)
        with self.lock:
            self.handle.seek(start)
            content = self.handle.read(count)
        if len(content) != count:
            raise cut_short(self.where, start + count, start + len(content))
        return content


@dataclass(frozen=True)
class Directory:
    """One directory of ``file``: ``entries`` are {code: (type, count, place of the value in the file)}."""

    file: FileBytes
    order: str
    entries: dict[int, tuple[int, int, int]]

    def values(self, code: int, kinds: dict[int, str], least: int = 1) -> np.ndarray | None:
        """The numbers of a tag whose type is one of ``kinds``; None without the tag."""
        if code not in self.entries:
            return None
        kind, count, place = self.entries[code]
        if kind not in kinds or count < least:
            raise damaged(self.file.where, f"tag {code} has type {kind} and {count} values")
        dtype = np.dtype(kinds[kind]).newbyteorder(self.order)
        if count * dtype.itemsize > MOST_TAG_BYTES:
            raise damaged(self.file.where, f"tag {code} has {count} values")
        return np.frombuffer(self.file.read(place, count * dtype.itemsize), dtype)

    def integer(self, code: int, default: int | None = None) -> int:
        """The one whole number of a tag; without the tag ``default``, or InputError if that is None."""
        numbers = self.values(code, INTEGERS)
        if numbers is None:
            if default is None:
                raise damaged(self.file.where, f"tag {code} is missing")
            return default
        if len(numbers) != 1:
            raise damaged(self.file.where, f"tag {code} has {len(numbers)} values, expected one")
        return int(numbers[0])

    def text(self, code: int) -> str:
        """The text of a tag, up to its first zero; empty without the tag."""
        numbers = self.values(code, TEXTS, least=0)
        return "" if numbers is None else numbers.tobytes().partition(b"\0")[0].decode("utf-8", "replace")


def read_directories(file: FileBytes) -> list[Directory]:
    """All directories of a file, in the order of their chain.

    Raises
    ------
    InputError
        The file is no TIFF, a directory does not lie inside it, or their chain does not end.
    """
    head = file.read(0, min(16, file.size))
    orders = {b"II*\0": "<", b"MM\0*": ">", b"II+\0": "<", b"MM\0+": ">"}
    order, big = orders.get(head[:4]), head[2:4] in (b"+\0", b"\0+")
    if order is None or len(head) < (16 if big else 8):
        raise damaged(file.where, "its first bytes are not those of a TIFF")
    number = partial(struct.unpack, order + ("Q" if big else "I"))
    if big and struct.unpack(order + "HH", head[4:8]) != (8, 0):
        raise damaged(file.where, "its first bytes are not those of a BigTIFF")
    (place,) = number(head[8:16] if big else head[4:8])
    found: dict[int, Directory] = {}
    while place:
        if place in found or len(found) == MOST_DIRECTORIES:
            raise damaged(file.where, "its chain of directories does not end")
        found[place], following = _directory(file, order, big, place)
        (place,) = number(following)
    if not found:
        raise damaged(file.where, "it has no image")
    return list(found.values())


def _directory(file: FileBytes, order: str, big: bool, place: int) -> tuple[Directory, bytes]:
    """The directory at ``place``, and the bytes that say where the next one lies."""
    word, width = ("Q", 8) if big else ("I", 4)
    head = 8 if big else 2
    (count,) = struct.unpack(order + ("Q" if big else "H"), file.read(place, head))
    step, entries = 4 + 2 * width, {}
    content = file.read(place + head, count * step + width)
    for k, (code, kind, many) in enumerate(struct.iter_unpack(f"{order}HH{word}{width}x", content[:-width])):
        size, inside = _SIZES.get(kind, 1) * many, k * step + 4 + width
        lies = place + head + inside
        if size > width:
            (lies,) = struct.unpack(order + word, content[inside : inside + width])
        if code in entries:
            raise damaged(file.where, f"tag {code} stands twice")
        entries[code] = (kind, many, lies)
    return Directory(file, order, entries), content[-width:]
