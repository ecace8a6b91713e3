"""The golden suite as a judge: ``check`` one function of yours, or ``refimpl verify`` a whole program.

The contract is golden/README.md.
"""

from refimpl.conformance.task import Task
from refimpl.conformance.verify import check

__all__ = ["Task", "check"]
