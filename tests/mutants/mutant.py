"""What a mutant is."""

from __future__ import annotations

from dataclasses import dataclass

BACKENDS = {"kernels": "numba", "windows": "both"}
"""The backend on which a mutant of a layer is verified; those of the other layers run on ``numpy``."""


@dataclass(frozen=True)
class Mutant:
    """``old``, which stands once in ``file`` (a path from the root), becomes ``new``; ``stage`` should be named."""

    id: str
    stage: str
    file: str
    old: str
    new: str

    @property
    def module(self) -> str:
        """The dotted name of the mutated module.

        >>> Mutant("a", "zssr", "refimpl/method/adam.py", "x", "y").module
        'refimpl.method.adam'
        """
        return self.file.removesuffix(".py").replace("/", ".")

    @property
    def layer(self) -> str:
        """The part of the project that is mutated: a folder of ``refimpl``, or the kernels.

        >>> Mutant("a", "zssr", "refimpl/method/adam.py", "x", "y").layer
        'method'
        >>> Mutant("a", "zssr", "kernels/tools/simd.py", "x", "y").layer
        'kernels'
        """
        package, folder, *_ = self.file.split("/")
        return package if package == "kernels" else folder

    @property
    def backend(self) -> str:
        """What ``refimpl verify --backend`` is told.

        >>> Mutant("a", "zssr", "kernels/tools/simd.py", "x", "y").backend
        'numba'
        """
        return BACKENDS.get(self.layer, "numpy")
