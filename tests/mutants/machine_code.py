"""Machine code of a mutant: compiled anew where it depends on the mutated file, and kept apart from the source's.

numba keeps machine code on disk.  It takes a file there for fresh as long as the kernel's source on disk is unchanged,
and all kernel files that it imports (``kernels.tools.compiled.source_digest``).  A mutant changes nothing on disk, so
its kernels would get the code of the source.  Two things prevent that:

- ``digest_of_mutant`` gives another digest to each kernel that imports the mutated file, directly or not.  Files of
  ``refimpl`` count too: their constants are part of the machine code.
- ``private_machine_code`` gives the process a copy of what is stored, and removes it at the end.  What does not depend
  on the mutated file is not compiled again, and what is stored stays as it is.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.mutants.mutant import Mutant

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("refimpl", "kernels")


@contextmanager
def private_machine_code() -> Iterator[None]:
    """Inside, numba works on a copy of its stored code; numba must not have been imported yet."""
    with tempfile.TemporaryDirectory() as folder:
        stored = os.environ.get("NUMBA_CACHE_DIR")
        for sources in (ROOT / "kernels", ROOT / "kernels" / "tools"):
            name = f"{sources.name}_{hashlib.sha1(str(sources).encode()).hexdigest()}"  # as numba names it
            target = Path(folder, name)
            target.mkdir()
            for file in (Path(stored, name) if stored else sources / "__pycache__").glob("*.nb?"):
                shutil.copy2(file, target)
        os.environ["NUMBA_CACHE_DIR"] = folder
        yield


def digest_of_mutant(mutant: Mutant, digest: Callable[[Path], str], path: Path) -> str:
    """``digest(path)``, and another one where the file at ``path`` imports the mutated file, directly or not."""
    own = digest(path)
    if ROOT / mutant.file not in files_of(path.resolve()):
        return own
    return hashlib.sha256(f"{own} {mutant.id} {mutant.old} {mutant.new}".encode()).hexdigest()


def files_of(path: Path) -> set[Path]:
    """A source file, and the files of this project that it imports, directly or not."""
    found, ahead = set(), [path]
    while ahead:
        file = ahead.pop()
        if file not in found:
            found.add(file)
            ahead += imported(file)
    return found


@functools.cache
def imported(path: Path) -> tuple[Path, ...]:
    """The files of this project that a source file imports."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    places = [ROOT.joinpath(*name.split(".")) for name in names if name.split(".")[0] in PACKAGES]
    files = [file for place in places for file in (place.with_suffix(".py"), place / "__init__.py")]
    return tuple(file for file in files if file.exists())
