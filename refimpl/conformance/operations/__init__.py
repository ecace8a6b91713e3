"""Answers of refimpl itself to the golden suite: one thin function for each operation of golden/README.md.

Each reads the task's inputs, calls what a user of refimpl would call, and names the outputs.  It has no science of its
own, so that a bug of refimpl shows.  ``answer`` finds the function.  ``method_forms`` holds a second set of answers:
those of ``refimpl.method``, for operations that a run answers by a windowed form of it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping

from refimpl.conformance.operations import (
    allocation,
    coarse,
    evaluation,
    images,
    inventory,
    maps,
    method_forms,
    network,
    pipeline,
    raster,
    regression,
    training,
    zonal,
)
from refimpl.conformance.operations.reading import refuse_wrong_types
from refimpl.conformance.task import Task
from refimpl.errors import DataWarning

ZSSR = (images, network, training, maps)
STAGES = (inventory, raster, zonal, regression, coarse, *ZSSR, allocation, evaluation, pipeline)
OPERATIONS: dict[str, Callable[[Task], Mapping[str, object]]] = {
    name: function for stage in STAGES for name, function in stage.OPERATIONS.items()
}
"""Every operation by its name, answered by the code that a run uses."""
METHOD_OPERATIONS = OPERATIONS | method_forms.OPERATIONS
"""Every operation by its name, answered by ``refimpl.method`` where a run uses a form of it for larger maps."""


def answer(task: Task, operations: Mapping[str, Callable[[Task], Mapping[str, object]]] = OPERATIONS):
    """The outputs by file name without ending; each is an array, a dict of columns, or a Raster.

    ``operations`` is OPERATIONS or METHOD_OPERATIONS.

    Raises
    ------
    InputError or ValueError
        The task is invalid; the sentence names the field at fault.
    NotImplementedError
        refimpl has no such operation.
    """
    if task.operation not in operations:
        raise NotImplementedError(f"operation {task.operation!r}")
    refuse_wrong_types(task.parameters)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return operations[task.operation](task)
