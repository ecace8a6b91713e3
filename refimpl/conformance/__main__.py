"""refimpl as a program of the golden suite: ``python -m refimpl.conformance IN_DIR OUT_DIR`` (golden/README.md).

The exit status is 0 if the task was answered, 1 if it was refused (standard error names the field at fault), and 2 if
it is not supported.
"""

from __future__ import annotations

import sys

from refimpl.conformance.operations import answer
from refimpl.conformance.task import Task
from refimpl.conformance.writing import write_answers
from refimpl.errors import InputError


def main(arguments: list[str]) -> int:
    """Answer one task."""
    if len(arguments) != 2:
        print("expected: python -m refimpl.conformance IN_DIR OUT_DIR", file=sys.stderr)
        return 2
    in_dir, out_dir = arguments
    task = Task.from_folder(in_dir)
    try:
        given = answer(task)
    except (InputError, ValueError) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except NotImplementedError as gap:
        print(f"not supported: {gap}", file=sys.stderr)
        return 2
    write_answers(task, given, out_dir)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
