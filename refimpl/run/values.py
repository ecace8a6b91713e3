"""Small results of a stage as bytes, to be kept in its folder (refimpl/run/stages.py).

Python's pickle, with two restrictions: files inside the folder of the stages are named relative to it, and the inputs
of the run by the setting that names them, so that both may be moved; and nothing is made from the bytes but what this
project and NumPy define, so that a folder from elsewhere runs no programs.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def dump(value: Any, folder: Path, inputs: Mapping[str, Path] = {}) -> bytes:
    """``value`` as bytes; ``folder`` is that of the stages, ``inputs`` the files of the run by their settings.

    >>> load(dump({"map": Path("a/b/map.tif")}, Path("a")), Path("/c"))["map"].as_posix()
    '/c/b/map.tif'
    """
    stream = io.BytesIO()
    _Relative(stream, folder, inputs).dump(value)
    return stream.getvalue()


def load(content: bytes, folder: Path, inputs: Mapping[str, Path] = {}) -> Any:
    """The value that ``dump`` was given.

    Raises
    ------
    pickle.UnpicklingError
        It is made of what is none of ours.  Damaged bytes raise this and whatever else pickle does.
    """
    return _OwnThings(io.BytesIO(content), folder, inputs).load()


class _Relative(pickle.Pickler):
    def __init__(self, stream: io.BytesIO, folder: Path, inputs: Mapping[str, Path]):
        super().__init__(stream, protocol=5)
        self._folder = folder.absolute()
        self._inputs = {Path(path).absolute(): name for name, path in inputs.items()}

    def persistent_id(self, thing: Any) -> tuple[str, str] | None:
        if not isinstance(thing, Path):
            return None
        path = thing.absolute()
        if path in self._inputs:
            return "input", self._inputs[path]
        return ("stage", path.relative_to(self._folder).as_posix()) if path.is_relative_to(self._folder) else None


class _OwnThings(pickle.Unpickler):
    """Makes nothing but what this project and NumPy define: a file from elsewhere must not run programs."""

    def __init__(self, stream: io.BytesIO, folder: Path, inputs: Mapping[str, Path]):
        super().__init__(stream)
        self._folder, self._inputs = folder.absolute(), inputs

    def persistent_load(self, named: tuple[str, str]) -> Path:
        kind, name = named
        return Path(self._inputs[name]).absolute() if kind == "input" else self._folder / name

    def find_class(self, module: str, name: str) -> Any:
        room = module.split(".")[0]
        numpy = room == "numpy" and name in ("_reconstruct", "ndarray", "dtype", "scalar", "_frombuffer")
        if "." not in name and (room == "refimpl" or numpy or (room == "pathlib" and name.endswith("Path"))):
            found = super().find_class(module, name)
            if room != "refimpl" or isinstance(found, type) and found.__module__ == module:
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is none of ours")
