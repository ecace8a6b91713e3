"""Deliberate deviations from the method, each a line that an implementer could write, and whether `verify` notices.

A mutant is refimpl with one place of its source replaced as it is imported; nothing on disk changes.  The plain NumPy
references are mutated and verified (``--backend numpy``): the kernels are compared with them by the parity tests.
``python -m tests.mutants`` verifies each with the whole suite and prints the kill rate; a mutant is killed where
``refimpl verify`` fails and names the mutant's stage.
"""
