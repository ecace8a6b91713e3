"""How kernels are compiled, and how their machine code is kept on disk and told from stale code.

    @kernel     a function that Python calls: it releases the interpreter lock, and its machine code is kept
    @inner      a function that kernels call; it becomes part of each of them

Compilation happens at the first call with arguments of a kind.  Where the machine code is kept is numba's business:
beside the source, or in the user's cache folder if that is read-only, or in ``NUMBA_CACHE_DIR``.  What is added here:

- numba takes stored code for fresh as long as the kernel's own file is unchanged.  But an ``inner`` function of another
  file is part of the code: the text of every kernel file that the kernel's file imports, directly or not, is added to
  what numba compares.
- Where no folder can be written, or writing fails, or what was stored cannot be read, the kernel is compiled for this
  process alone: slow to start, but right.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from contextlib import suppress
from pathlib import Path

from numba import njit

PACKAGE_FOLDER = Path(__file__).parent.parent

inner = njit(error_model="numpy", forceinline=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
"""Compile a function that kernels call; it becomes part of each of them."""


def kernel(function):
    """Compile a kernel: lazily, without the interpreter lock, stored on disk and never stale."""
    try:
        compiled = njit(nogil=True, cache=True, error_model="numpy")(function)
    except RuntimeError:  # no folder where numba could keep it
        return njit(nogil=True, error_model="numpy")(function)
    if hasattr(compiled, "_cache"):  # not so under NUMBA_DISABLE_JIT
        index = compiled._cache._cache_file
        index._source_stamp = (index._source_stamp, source_digest(Path(function.__code__.co_filename)))
        compiled._cache = _Forgiving(compiled._cache)
    return compiled


def is_kept(compiled) -> bool:
    """Whether machine code of a kernel lies on disk; true, too, where none can be kept and there is nothing to gain."""
    index = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    try:
        return index is None or bool(index._load_index())
    except Exception:  # a damaged index
        return False


@functools.cache
def source_digest(path: Path) -> str:
    """SHA-256 of the text of a source file and of all kernel files that it imports, directly or not."""
    found, ahead = {}, [path]
    while ahead:
        file = ahead.pop()
        if file not in found:
            found[file] = file.read_bytes()
            ahead += _imported(found[file])
    return hashlib.sha256(b"".join(found[file] for file in sorted(found))).hexdigest()


def _imported(source: bytes) -> list[Path]:
    """The files of ``kernels`` that a source text imports."""
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.append(node.module)
            names += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    parts = [name.split(".") for name in names]
    files = [PACKAGE_FOLDER.joinpath(*part[1:]).with_suffix(".py") for part in parts if part[0] == "kernels" and len(part) > 1]
    return [file for file in files if file.exists()]


class _Forgiving:
    """numba's store of one kernel, for which a file that cannot be read or written is a file that is not there."""

    def __init__(self, store):
        self._store = store

    def __getattr__(self, name):
        return getattr(self._store, name)

    def load_overload(self, *args):
        try:
            return self._store.load_overload(*args)
        except Exception:  # damaged files raise anything, from EOFError to what LLVM makes of them
            return None

    def save_overload(self, *args):
        try:
            self._store.save_overload(*args)
        except Exception:
            with suppress(Exception):  # a damaged index is emptied, then it can take the code; a full disk stays full
                self._store.flush()
                self._store.save_overload(*args)
