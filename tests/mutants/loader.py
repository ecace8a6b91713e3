"""Importing refimpl with one place of one module replaced."""

from __future__ import annotations

import importlib.machinery
import sys

from tests.mutants.mutant import Mutant


class _Loader(importlib.machinery.SourceFileLoader):
    """Compiles the mutated source each time; no byte code is read or written."""

    mutant: Mutant

    def get_code(self, fullname):
        source = self.get_data(self.path).decode("utf-8")
        if source.count(self.mutant.old) != 1:
            raise ImportError(f"mutant {self.mutant.id}: its text stands {source.count(self.mutant.old)} times")
        return compile(source.replace(self.mutant.old, self.mutant.new), self.path, "exec")


class MutantFinder:
    """A finder for ``sys.meta_path`` that knows one module."""

    def __init__(self, mutant: Mutant):
        self.mutant = mutant

    def find_spec(self, fullname, path=None, target=None):
        """The mutated module's spec; None for every other module."""
        if fullname != self.mutant.module:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        spec.loader = _Loader(fullname, spec.origin)
        spec.loader.mutant = self.mutant
        return spec


def install(mutant: Mutant) -> None:
    """From now on imports see the mutant; refimpl must not have been imported yet."""
    if any(name == "refimpl" or name.startswith("refimpl.") for name in sys.modules):
        raise RuntimeError("refimpl is imported already; a mutant needs a fresh process")
    sys.meta_path.insert(0, MutantFinder(mutant))
