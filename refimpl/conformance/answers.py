"""Answers to a case: read from a program's OUT_DIR without trusting it, or returned by a Python function.

Only plain files are opened, and no file much larger than the expected one is read.  An array or raster is allocated
only when its header fits what is expected (golden/README.md, "File formats").
"""

from __future__ import annotations

import itertools
import math
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import tifffile

from refimpl.conformance.csv_and_npy import Columns, read_columns, read_npy, typed
from refimpl.conformance.task import Task
from refimpl.earth.grid import Raster
from refimpl.errors import InputError
from refimpl.formats.geotiff import read_raster
from refimpl.formats.tables import format_cell

Answer = np.ndarray | Columns | Raster
SLACK = 2**20
"""Bytes that a file may have beyond four times the size of the expected one."""
MOST_FILES = 100
MOST_PAGES = 2
MOST_CELLS = 2**22
"""Cells that a raster's strips or tiles may hold beyond 256 times the expected cells."""
MOST_SAID = 400
"""Most characters of a sentence about a file: it can quote what stands there."""


def size_limit(expected: Path) -> int:
    """Most bytes of the answer that is compared with the file ``expected``."""
    return 4 * expected.stat().st_size + SLACK


def read_expected(path: Path) -> Answer:
    """The content of an expected file of the suite."""
    return {".npy": read_npy, ".csv": read_columns, ".tif": read_raster}[path.suffix](path)


def listed(out_dir: Path) -> list[str]:
    """The names in the output folder, at most ``MOST_FILES`` + 1.

    Raises
    ------
    InputError
        The folder was removed or replaced, or cannot be listed.
    """
    if os.path.islink(out_dir) or not os.path.isdir(out_dir):
        raise InputError("the output folder was removed or replaced")
    try:
        with os.scandir(out_dir) as entries:
            return [entry.name for entry in itertools.islice(entries, MOST_FILES + 1)]
    except OSError as fault:
        raise InputError(f"the output folder cannot be listed ({fault.strerror})") from None


def read_answers(out_dir: Path, expected_dir: Path, names: Sequence[str]) -> tuple[dict[str, Answer], list[str]]:
    """The answers by file name, and one sentence for each file that is missing, extra, too large or unreadable."""
    try:
        there = listed(out_dir)
    except InputError as fault:
        return {}, [str(fault)]
    if len(there) > MOST_FILES:
        return {}, [f"there are more than {MOST_FILES} files in the output folder; expected {', '.join(names)}"]
    faults = [f"{name[:80]!r} is no output of this operation" for name in sorted(set(there) - set(names))]
    answers = {}
    for name in names:
        try:
            answers[name] = _read_answer(out_dir / name, expected_dir / name)
        except InputError as fault:
            faults.append(str(fault).replace(str(out_dir) + os.sep, "")[:MOST_SAID])
    return answers, faults


def _read_answer(path: Path, expected: Path) -> Answer:
    """One answer; InputError if it is missing, not a plain file, too large or unreadable."""
    try:
        status = path.lstat()
    except OSError:
        raise InputError(f"{path.name} is missing") from None
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{path.name} is no plain file (a link, a folder or a pipe), which is not read")
    if status.st_size > size_limit(expected):
        raise InputError(f"{path.name} has {status.st_size} bytes, {expected.stat().st_size} expected; it is not read")
    try:
        with np.errstate(all="ignore"):
            if path.suffix == ".tif":
                _check_raster_header(path, expected)
            return read_expected(path)
    except InputError:
        raise
    except MemoryError:
        raise InputError(f"{path.name} claims more than there is memory for") from None
    except Exception as fault:  # a damaged file can make its reader raise anything
        raise InputError(f"{path.name} cannot be read ({' '.join(str(fault).split())[:200]})") from None


def _check_raster_header(path: Path, expected: Path) -> None:
    """Refuse a TIFF that claims far more than expected, or more than one band, before any pixel is decoded."""
    with tifffile.TiffFile(expected) as handle:
        wanted = handle.pages[0].imagelength, handle.pages[0].imagewidth
    with tifffile.TiffFile(path) as handle:
        pages = list(itertools.islice(iter(handle.pages), MOST_PAGES + 1))
        # Strips and tiles are decoded as a whole, and can be much larger than the image that they are cut to.
        claimed = max(math.prod(map(int, (*page.chunked, *page.chunks))) for page in pages)
        got, bands = (int(pages[0].imagelength), int(pages[0].imagewidth)), pages[0].samplesperpixel
    if len(pages) > MOST_PAGES:
        raise InputError(f"{path.name} has more than {MOST_PAGES} pages, expected one image and at most a mask")
    if claimed > MOST_CELLS + 256 * math.prod(wanted):
        if got == wanted:
            raise InputError(f"{path.name} has strips or tiles of {claimed} cells, expected {math.prod(wanted)}")
        raise InputError(f"{path.name} has {got[0]} rows and {got[1]} columns, expected {wanted[0]} and {wanted[1]}")
    if bands != 1:
        raise InputError(f"{path.name} has {bands} bands, expected 1")


def given_answers(given: object, task: Task) -> tuple[dict[str, Answer], list[str]]:
    """What a Python function returned, by file name, and the faults; keys are file names with or without ending."""
    if not isinstance(given, Mapping):
        return {}, [f"a {type(given).__name__} was returned; expected a dict of outputs: {', '.join(task.outputs)}"]
    stems = {name.rsplit(".", 1)[0]: name for name in task.outputs}
    named = {stems.get(str(key), str(key)): value for key, value in given.items()}
    faults = [f"{name[:80]!r} is no output of this operation" for name in sorted(set(named) - set(task.outputs))]
    answers = {}
    for name in task.outputs:
        try:
            if name not in named:
                raise InputError(f"{name} is missing")
            answers[name] = normalised(name, named[name])
        except InputError as fault:
            faults.append(str(fault))
        except Exception as fault:  # a foreign object can raise anything when it is looked at
            faults.append(f"{name}: is a {type(named[name]).__name__} that cannot be read ({type(fault).__name__})")
    return answers, faults


def normalised(name: str, value: object) -> Answer:
    """``value`` as it would be read back from the file ``name``.

    >>> normalised("a.csv", {"code": [11, 12], "total": [1.5, None]})
    {'code': array([11, 12]), 'total': array([1.5, nan])}
    """
    if name.endswith(".tif"):
        if not isinstance(value, Raster):
            raise InputError(f"{name}: is a {type(value).__name__}, expected a Raster")
        return value
    if name.endswith(".npy"):
        array = np.asarray(value)
        if array.dtype.kind not in "fiub":
            raise InputError(f"{name}: is of type {array.dtype}, expected numbers")
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    if not isinstance(value, Mapping):
        raise InputError(f"{name}: is a {type(value).__name__}, expected a dict of columns")
    columns = {str(key): _cells(column) for key, column in value.items()}
    if len({len(column) for column in columns.values()}) > 1:
        raise InputError(f"{name}: its columns have lengths {', '.join(str(len(c)) for c in columns.values())}")
    return {key: typed(column) for key, column in columns.items()}


def _cells(column: object) -> list[str]:
    """A column as its text cells; one cell without a list around it is a column of one row."""
    bare = isinstance(column, str) or not hasattr(column, "__iter__") or getattr(column, "ndim", 1) == 0
    return ["" if cell is None else format_cell(cell) for cell in ([column] if bare else column)]
