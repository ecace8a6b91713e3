"""Task of the golden suite, as its answerer sees it: operation, parameters and input files.

Its folder is golden/README.md's IN_DIR: ``task.json``, ``task.csv`` (the same without JSON) and the input files.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from refimpl.conformance.csv_and_npy import Columns, read_columns, read_npy
from refimpl.earth.grid import Raster
from refimpl.errors import InputError, did_you_mean
from refimpl.formats.geotiff import read_raster


@dataclass(frozen=True)
class Task:
    """What is asked: ``operation`` with ``parameters`` on the files ``inputs`` in ``folder``, giving ``outputs``.

    Files are named by their stem: ``task.array("image")`` reads ``image.npy``.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "totals.csv").write_text("code,total\\n11,2.5\\n")
    >>> task = Task("toy", "allocate_cells", {"factor": 2}, folder, ("totals.csv",), ("emission.csv",))
    >>> task.table("totals")["total"], task.parameter("factor"), task.parameter("kind", "density"), task.has("zones")
    (array([2.5]), 2, 'density', False)
    """

    case: str
    operation: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    folder: Path = Path(".")
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    @classmethod
    def from_folder(cls, in_dir: str | os.PathLike) -> Task:
        """The task whose ``task.json`` stands in ``in_dir``."""
        folder = Path(in_dir)
        try:
            task = json.loads((folder / "task.json").read_text(encoding="utf-8"))
            lists = (tuple(map(str, task["inputs"])), tuple(map(str, task["outputs"])))
            return cls(task["case"], task["operation"], dict(task["parameters"]), folder, *lists)
        except (OSError, ValueError, KeyError, TypeError) as fault:
            raise InputError(f"{folder}: holds no task that can be read ({fault}); expected task.json") from fault

    def has(self, name: str) -> bool:
        """Whether the task has an input ``name``."""
        return any(_stem(file) == name for file in self.inputs)

    def path(self, name: str) -> Path:
        """The file of the input ``name``, which is the file's name without its ending."""
        for file in self.inputs:
            if _stem(file) == name:
                return self.folder / file
        raise InputError(f"{self.case}: there is no input {name}{did_you_mean(name, map(_stem, self.inputs))}")

    def array(self, name: str) -> np.ndarray:
        """The input ``name.npy``."""
        return read_npy(self.path(name))

    def table(self, name: str) -> Columns:
        """The input ``name.csv`` by column: int64, float64 with nan for empty cells, or a list of text."""
        return read_columns(self.path(name))

    def raster(self, name: str) -> Raster:
        """The input ``name.tif``: values, valid mask and grid, north up."""
        return read_raster(self.path(name))

    def parameter(self, name: str, *default: Any) -> Any:
        """The parameter ``name``, or ``default`` if it is absent; InputError if there is no default either."""
        if name in self.parameters:
            return self.parameters[name]
        if default:
            return default[0]
        raise InputError(f"{self.case}: the parameter {name} is missing")

    def write(self, in_dir: str | os.PathLike) -> None:
        """Write task.json, task.csv and copies of the inputs into ``in_dir``."""
        in_dir = Path(in_dir)
        in_dir.mkdir(parents=True, exist_ok=True)
        for file in self.inputs:
            try:
                shutil.copyfile(self.folder / file, in_dir / file)
            except FileNotFoundError:
                raise InputError(f"{self.folder / file}: is gone; was the suite changed meanwhile?") from None
        keys = {"case": self.case, "operation": self.operation, "parameters": dict(self.parameters)}
        keys |= {"inputs": list(self.inputs), "outputs": list(self.outputs)}
        (in_dir / "task.json").write_text(json.dumps(keys, indent=1) + "\n", encoding="utf-8")
        (in_dir / "task.csv").write_text("\n".join(self.lines()) + "\n", encoding="utf-8", newline="\n")

    def lines(self) -> list[str]:
        """The lines of task.csv, ``key,value`` each.

        >>> Task("toy", "warp", {"kind": "count", "shape": [2, 3], "crs": {"kind": "geographic"}}).lines()
        ['case,toy', 'operation,warp', 'parameter.kind,count', 'parameter.shape,2 3', 'parameter.crs.kind,geographic']
        """
        return [
            f"case,{self.case}",
            f"operation,{self.operation}",
            *_flat("parameter", self.parameters),
            *(f"input,{file}" for file in self.inputs),
            *(f"output,{file}" for file in self.outputs),
        ]


def _stem(file: str) -> str:
    """``image`` of ``image.npy``."""
    return file.rsplit(".", 1)[0]


def _flat(name: str, value: Any) -> list[str]:
    """``name,value``, or a line for each part of a mapping; the items of a list joined by spaces."""
    if isinstance(value, Mapping):
        return [line for key, part in value.items() for line in _flat(f"{name}.{key}", part)]
    return [f"{name},{' '.join(map(_word, value)) if isinstance(value, (list, tuple)) else _word(value)}"]


def _word(value: Any) -> str:
    """A parameter as text: true and false as JSON writes them, numbers with all their digits."""
    return value if isinstance(value, str) else json.dumps(value)
