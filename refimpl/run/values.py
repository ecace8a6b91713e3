"""Values of stages as bytes, to be kept in their folders (refimpl/run/stages.py).

The format is Python's pickle, with three restrictions.  Files inside the folder of the stages are named relative to it,
and the inputs of the run by the setting that names them, so that both may be moved.  A raster that a stage wrote is
nothing but the name of its file.  From the bytes nothing is made that this project and NumPy do not define, so that a
folder from elsewhere runs no programs.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from refimpl.windows.stored import Stored


def dump(value: Any, folder: Path, inputs: Mapping[str, Path] = {}) -> bytes:
    """``value`` as bytes; ``folder`` is that of the stages, ``inputs`` the files of the run by their settings.

    >>> load(dump({"map": Path("a/b/map.tif")}, Path("a")), Path("/c"))["map"].as_posix()
    '/c/b/map.tif'
    >>> load(dump(Stored("a/b/map.tif", keep=0), Path("a")), Path("/c")).path.as_posix()
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
        It needs something that neither this project nor NumPy defines.  Damaged bytes may raise any other exception.
    """
    return _OwnThings(io.BytesIO(content), folder, inputs).load()


class _Relative(pickle.Pickler):
    def __init__(self, stream: io.BytesIO, folder: Path, inputs: Mapping[str, Path]):
        super().__init__(stream, protocol=5)
        self._folder = folder.absolute()
        self._inputs = {Path(path).absolute(): name for name, path in inputs.items()}

    def persistent_id(self, thing: Any) -> tuple | None:
        if isinstance(thing, Stored) and thing.path.is_relative_to(self._folder):
            return "raster", thing.path.relative_to(self._folder).as_posix(), tuple(thing.how.items())
        if not isinstance(thing, Path):
            return None
        path = thing.absolute()
        if path in self._inputs:
            return "input", self._inputs[path]
        return ("stage", path.relative_to(self._folder).as_posix()) if path.is_relative_to(self._folder) else None


class _OwnThings(pickle.Unpickler):
    """Makes nothing that this project and NumPy do not define: a file from elsewhere must not run programs."""

    def __init__(self, stream: io.BytesIO, folder: Path, inputs: Mapping[str, Path]):
        super().__init__(stream)
        self._folder, self._inputs = folder.absolute(), inputs
        self._rasters: dict[tuple, Stored] = {}

    def persistent_load(self, named: tuple) -> Path | Stored:
        kind, name, *how = named
        if kind == "raster":  # maps that share a file share what is decoded of it
            return self._rasters.setdefault(named, Stored(self._folder / name, **dict(*how)))
        return Path(self._inputs[name]).absolute() if kind == "input" else self._folder / name

    def find_class(self, module: str, name: str) -> Any:
        package = module.split(".")[0]
        numpy = package == "numpy" and name in ("_reconstruct", "ndarray", "dtype", "scalar", "_frombuffer")
        if "." not in name and (package == "refimpl" or numpy or (package == "pathlib" and name.endswith("Path"))):
            found = super().find_class(module, name)
            if package != "refimpl" or isinstance(found, type) and found.__module__ == module:
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is none of ours")
