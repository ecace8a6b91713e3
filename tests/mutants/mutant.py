"""What a mutant is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """``old``, which stands once in ``file`` (from the root of the source), becomes ``new``; ``stage`` should be named."""

    id: str
    stage: str
    file: str
    old: str
    new: str

    @property
    def module(self) -> str:
        """The dotted name of the mutated module.

        >>> Mutant("a", "zssr", "zssr/adam.py", "x", "y").module
        'refimpl.method.adam'
        """
        return self.file.removesuffix(".py").replace("/", ".")
