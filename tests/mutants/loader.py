"""Importing refimpl and its kernels with one place of one module replaced."""

from __future__ import annotations

import functools
import importlib.machinery
import sys

from tests.mutants.machine_code import PACKAGES, digest_of_mutant
from tests.mutants.mutant import Mutant

COMPILED = "kernels.tools.compiled"
"""The module that tells stored machine code from stale code."""


class _Loader(importlib.machinery.SourceFileLoader):
    """Compiles the mutated source each time; no byte code is read or written."""

    mutant: Mutant

    def get_code(self, fullname):
        source = self.get_data(self.path).decode("utf-8")
        if source.count(self.mutant.old) != 1:
            raise ImportError(f"mutant {self.mutant.id}: its text stands {source.count(self.mutant.old)} times")
        return compile(source.replace(self.mutant.old, self.mutant.new), self.path, "exec")


class _DigestLoader(importlib.machinery.SourceFileLoader):
    """Loads ``COMPILED`` so that kernels which depend on the mutated file are compiled anew."""

    mutant: Mutant

    def exec_module(self, module):
        super().exec_module(module)
        module.source_digest = functools.partial(digest_of_mutant, self.mutant, module.source_digest)


class MutantFinder:
    """A finder for ``sys.meta_path`` that knows the mutated module and ``COMPILED``."""

    def __init__(self, mutant: Mutant):
        if mutant.module == COMPILED:
            raise ValueError(f"mutant {mutant.id}: {COMPILED} keeps mutants apart and cannot be mutated")
        self.mutant = mutant

    def find_spec(self, fullname, path=None, target=None):
        """The spec of one of the two modules; None for every other module."""
        loader = {self.mutant.module: _Loader, COMPILED: _DigestLoader}.get(fullname)
        if loader is None:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        spec.loader = loader(fullname, spec.origin)
        spec.loader.mutant = self.mutant
        return spec


def install(mutant: Mutant) -> None:
    """From now on imports see the mutant; neither refimpl nor its kernels must have been imported yet."""
    for package in PACKAGES:
        if any(name == package or name.startswith(f"{package}.") for name in sys.modules):
            raise RuntimeError(f"{package} is imported already; a mutant needs a fresh process")
    sys.meta_path.insert(0, MutantFinder(mutant))
