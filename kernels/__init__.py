"""Numba twins of the hot functions of ``refimpl``: same names, same signatures, one module a floor.

Each kernel is paired with its reference by ``refimpl.twins.twin``; read the reference first.
"""

BELONGS_TO = "refimpl"
"""The marker that ``refimpl.twins`` checks, so that another distribution's ``kernels`` gets a clear error."""
