"""``python -m tests.house``: the floors of refimpl, their lines, the road through the method, and forbidden imports."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {
    "ground": ("errors", "twins", "progress"),
    "method": ("method",),
    "earth": ("earth",),
    "formats": ("formats",),
    "windows": ("windows",),
    "evaluation": ("evaluation",),
    "figures": ("figures",),
    "run": ("run",),
    "conformance": ("conformance",),
    "cli": ("cli", "__init__", "__main__"),
}
"""From the ground up: a module imports from its own floor or from one below.  (``__init__`` names what users call.)"""
CHECKS = {"checked_inputs", "hyperparameters"}
"""Modules of the method that hold checks of what a user gives, and no step of the road."""
METHOD_MAY_IMPORT = {"__future__", "numpy", "math", "dataclasses", "functools", "typing", "collections.abc"}
"""Beside itself, ``refimpl.errors`` and ``refimpl.twins``: no file, window, thread, lock or progress."""


@dataclass(frozen=True)
class Module:
    """One source file: its dotted name, its floor, its text."""

    name: str
    floor: str
    path: Path

    @property
    def tree(self) -> ast.Module:
        """The parsed text."""
        return ast.parse(self.path.read_text(encoding="utf-8"))

    @property
    def imports(self) -> list[str]:
        """Every module that is imported anywhere in it, by its dotted name."""
        names = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                names.append(node.module)
                names += [f"{node.module}.{alias.name}" for alias in node.names if node.module == "refimpl"]
            elif isinstance(node, ast.Import):
                names += [alias.name for alias in node.names]
        return names


def modules() -> list[Module]:
    """All modules of refimpl."""
    floor_of = {room: floor for floor, rooms in FLOORS.items() for room in rooms}
    found = []
    for path in sorted((ROOT / "refimpl").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found.append(Module(".".join(parts).removesuffix(".__init__"), floor_of.get(parts[1], ""), path))
    return found


def forbidden(every: list[Module]) -> list[str]:
    """A sentence for each import from a floor above, a module without a floor, and what method must not import."""
    level = {floor: height for height, floor in enumerate(FLOORS)}
    floor_of = {room: floor for floor, rooms in FLOORS.items() for room in rooms}
    faults = [f"{module.name} is on no floor" for module in every if not module.floor]
    for module in every:
        for name in module.imports:
            room = name.split(".")[1] if name.startswith("refimpl.") else ""
            if name.split(".")[0] == "numba":
                faults.append(f"{module.name} imports numba, which belongs in kernels/")
            if room in floor_of and module.floor and level[floor_of[room]] > level[module.floor]:
                faults.append(f"{module.name} ({module.floor}) imports {name} ({floor_of[room]})")
            own = name.startswith(("refimpl.method", "refimpl.errors", "refimpl.twins"))
            if module.floor == "method" and not own and name not in METHOD_MAY_IMPORT:
                faults.append(f"{module.name} (method) imports {name}")
    return faults


def lines_of(path: Path, chosen: set[int] | None = None) -> tuple[int, int]:
    """Lines that are not blank, and those of them that are code: no docstring, comment or import.

    ``chosen`` are the line numbers that count; by default all.
    """
    text = path.read_text(encoding="utf-8")
    lines, words, imports = text.splitlines(), set(), set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            imports |= set(range(node.lineno, node.end_lineno + 1))
        for child in node.body if isinstance(getattr(node, "body", None), list) else []:
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                words |= set(range(child.lineno, child.end_lineno + 1))
    full = {number for number, line in enumerate(lines, 1) if line.strip()}
    full &= full if chosen is None else chosen
    code = {n for n in full - words - imports if not lines[n - 1].lstrip().startswith("#")}
    return len(full), len(code)


def road(called: set[tuple[Path, int]]) -> tuple[int, int]:
    """Lines and code of the road through the method: ``called`` functions (file, first line), and what frames them.

    What frames them: the docstring and constants of their modules, and the heads of classes.  CHECKS do not count.
    """
    total = [0, 0]
    for path in sorted({path for path, _ in called if path.stem not in CHECKS}):
        first_lines = {line for file, line in called if file == path}
        tree, chosen = ast.parse(path.read_text(encoding="utf-8")), set()
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                inner = {line for child in node.body if isinstance(child, ast.FunctionDef) for line in span(child)}
                chosen |= span(node) - inner
            elif not isinstance(node, (ast.FunctionDef, ast.Import, ast.ImportFrom)):
                chosen |= span(node)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and first_lines & {node.lineno, min(span(node))}:
                chosen |= span(node)
        total = [a + b for a, b in zip(total, lines_of(path, chosen))]
    return total[0], total[1]


def span(node: ast.stmt) -> set[int]:
    """The line numbers of a statement, its decorators included."""
    first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])
    return set(range(first, node.end_lineno + 1))


def main() -> int:
    """Print the house; 1 where an import is forbidden."""
    from tests.calls import toy_road

    every = modules()
    print(f"{'floor':<12} {'files':>6} {'lines':>7} {'code':>7}")
    for floor in FLOORS:
        here = [module for module in every if module.floor == floor]
        counted = [lines_of(module.path) for module in here]
        print(f"{floor:<12} {len(here):>6} {sum(n for n, _ in counted):>7} {sum(c for _, c in counted):>7}")
    kernels = [lines_of(path) for path in (ROOT / "kernels").rglob("*.py")]
    print(f"{'kernels':<12} {len(kernels):>6} {sum(n for n, _ in kernels):>7} {sum(c for _, c in kernels):>7}")
    calls = toy_road()
    lines, code = road(set(calls.depth))
    print(f"the road from Eq. 1 to Eq. 3: {lines} lines, {code} of code; {calls.frames()} frames to a formula at most")
    faults = forbidden(every)
    print("\n".join(["forbidden imports:", *faults]) if faults else "forbidden imports: none")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
