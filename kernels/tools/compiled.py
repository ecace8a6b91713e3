"""Compilation of kernels: how it is done, where machine code is kept, and how stale code is recognised.

    @kernel     a function that Python calls: it releases the interpreter lock, and its machine code is kept on disk
    @inner      a function that kernels call: it becomes part of each of them

A kernel is compiled at its first call with arguments of a kind.  numba decides where machine code is kept: beside the
source, or in the user's cache folder if that is read-only, or in ``NUMBA_CACHE_DIR``.  This module adds two things:

- numba takes stored code for fresh as long as the kernel's own file is unchanged, although ``inner`` functions of other
  files are part of the code.  So the text of every kernel file that the kernel's file imports, directly or not, is
  added to what numba compares.
- Where no folder can be written, or writing fails, or stored code cannot be read, the kernel is compiled for this
  process alone: the start is slow, the result the same.
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
    """Compile a kernel at its first call; it runs without the interpreter lock, and its code is kept, never stale."""
    try:
        compiled = njit(nogil=True, cache=True, error_model="numpy")(function)
    except RuntimeError:  # no folder where numba could keep it
        return njit(nogil=True, error_model="numpy")(function)
    if hasattr(compiled, "_cache"):  # there is none under NUMBA_DISABLE_JIT
        index = compiled._cache._cache_file
        index._source_stamp = (index._source_stamp, source_digest(Path(function.__code__.co_filename)))
        compiled._cache = _Forgiving(compiled._cache)
    return compiled


def is_kept(compiled) -> bool:
    """Whether machine code of a kernel lies on disk; also true where none can be kept, so that nothing is gained."""
    index = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    try:
        return index is None or bool(index._load_index())
    except Exception:  # a damaged index
        return False


@functools.cache
def source_digest(path: Path) -> str:
    """SHA-256 of the text of a source file, and of all kernel files that it imports, directly or not.

    Files of ``refimpl`` that these import count too: their constants are part of the machine code.
    """
    found, ahead = {}, [path]
    while ahead:
        file = ahead.pop()
        if file not in found:
            found[file] = file.read_bytes()
            ahead += _imported(found[file]) if PACKAGE_FOLDER in file.parents else []
    return hashlib.sha256(b"".join(found[file] for file in sorted(found))).hexdigest()


def _imported(source: bytes) -> list[Path]:
    """The files of ``kernels`` and ``refimpl`` that a source text imports."""
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.append(node.module)
            names += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    wanted = [name.split(".") for name in names if name.startswith(("kernels.", "refimpl."))]
    files = [PACKAGE_FOLDER.parent.joinpath(*parts).with_suffix(".py") for parts in wanted]
    return [file for file in files if file.exists()]


class _Forgiving:
    """numba's store of one kernel, which treats a file that cannot be read or written as a file that does not exist."""

    def __init__(self, store):
        self._store = store

    def __getattr__(self, name):
        return getattr(self._store, name)

    def load_overload(self, *args):
        try:
            return self._store.load_overload(*args)
        except Exception:  # damaged files raise anything, from EOFError to errors of LLVM
            return None

    def save_overload(self, *args):
        try:
            self._store.save_overload(*args)
        except Exception:
            with suppress(Exception):  # an emptied index can take the code; a full disk stays full
                self._store.flush()
                self._store.save_overload(*args)
