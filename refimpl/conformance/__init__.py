"""Judge of implementations by the golden suite: ``check`` a Python function, ``refimpl verify`` a whole program.

The contract is golden/README.md.

========================= ===========================================================================================
the suite                 ``suite``, ``case``, ``task``, ``vocabulary``
who answers               ``answerers``: a program (``foreign``, ``ending``) or refimpl itself (``operations/``)
answers as files          ``answers``, ``csv_and_npy``, ``writing``
the judgement             ``judge``, ``compare``, ``compare_tables``, ``comparators``, ``invariants``, ``ulp``
what people get           ``verify``, ``findings``, ``likeness``, ``difference``, ``picture``; machines: ``records``
========================= ===========================================================================================
"""

from refimpl.conformance.task import Task
from refimpl.conformance.verify import check

__all__ = ["Task", "check"]
