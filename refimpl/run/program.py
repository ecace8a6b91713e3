"""Program digest: what a result depends on beside its inputs and settings, namely this code and what it runs on."""

from __future__ import annotations

import functools
import hashlib
import os
import platform
from importlib import metadata
from pathlib import Path

from refimpl.twins import current_backend


def program_digest() -> str:
    """A SHA-256 over the code, the versions that it runs with, the backend and the kind of machine.

    >>> program_digest() == program_digest(), len(program_digest())
    (True, 64)
    """
    options = [os.environ.get(name, "") for name in ("REFIMPL_WINOGRAD",)]
    parts = [code_digest(), platform.python_version(), platform.machine(), current_backend(), *_versions(), *options]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@functools.cache
def code_digest(root: Path = Path(__file__).resolve().parents[2]) -> str:
    """The SHA-256 of the sources of the packages refimpl and kernels below ``root``, by name and content.

    >>> code_digest() == code_digest(Path("nowhere"))
    False
    """
    found = hashlib.sha256()
    for package in ("refimpl", "kernels"):
        for path in sorted((root / package).rglob("*.py")):
            found.update(f"{path.relative_to(root).as_posix()}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return found.hexdigest()


@functools.cache
def _versions() -> tuple[str, ...]:
    return tuple(metadata.version(package) for package in ("numpy", "numba", "pillow", "tifffile"))
