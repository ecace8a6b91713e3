"""Deliberate deviations from the method, each a line that an implementer could write, and whether `verify` notices.

A mutant is refimpl with one place of its source replaced as it is imported; nothing on disk changes.  Mutants of the
method, and of all else in plain NumPy, are verified with ``--backend numpy``, those of the windowed forms with
``--backend both``, and those of the kernels with ``--backend numba``, on machine code that is compiled anew.
``python -m tests.mutants`` verifies each with the whole suite and prints the kill rate by layer; a mutant is killed
where ``refimpl verify`` fails and names the mutant's stage.
"""
