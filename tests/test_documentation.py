"""README and docstrings stay true: the paper's map, the decisions, the twins, the house's floors."""

import ast
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import refimpl
from refimpl.cli import parser
from refimpl.method.decisions import DECISIONS
from refimpl.twins import REGISTRY

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAPER = [f"Eq. {n}" for n in range(1, 7)] + [f"Table {n}" for n in range(1, 4)] + [f"Fig. {n}" for n in range(1, 10)]

FLOORS = [
    ["errors", "arguments", "files", "progress", "twins", "metrics", "tables", "settings", "decisions"],
    ["cluster", "workers"],
    ["lock", "program", "values", "stages"],
    ["raster"],
    ["inventory"],
    ["regression"],
    ["coarse"],
    ["zssr"],
    ["allocation", "shares", "exact_sums"],
    ["evaluation"],
    ["figures"],
    ["columns", "summary"],
    ["report"],
    ["sections", "config", "drivers"],
    ["keys", "series"],
    ["provinces"],
    ["compared"],
    ["area"],
    ["judging"],
    ["pipeline"],
    ["warm_up"],
    ["conformance"],
    ["verbs", "allocating", "running", "evaluating", "info", "predicting", "upscaling", "warping"],
    ["cli", "__main__"],
]
"""From the ground up: a room imports from its own floor or from one below."""


def modules():
    for found in pkgutil.walk_packages(refimpl.__path__, "refimpl."):
        if found.name != "refimpl.__main__":
            yield importlib.import_module(found.name)


def paper_map():
    rows = re.findall(r"^\| ((?:Eq|Table|Fig)\. ?\d|Table \d) \|[^|]*\| ([^|]*) \|$", README, re.MULTILINE)
    return {place: re.findall(r"`(refimpl\.[\w.]+)`", functions) for place, functions in rows}


def resolve(name):
    """The object of that dotted name, and the module that it stands in."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found = module = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[cut:]:
            found = getattr(found, attribute)
        return found, module
    raise AssertionError(name)


def test_every_equation_table_and_figure_of_the_paper_stands_in_the_readme():
    assert list(paper_map()) == PAPER


@pytest.mark.parametrize("place", PAPER)
def test_the_functions_that_the_readme_names_exist_and_cite_their_place_in_the_paper(place):
    for name in paper_map()[place]:
        found, module = resolve(name)
        text = (found.__doc__ or "") + (module.__doc__ or "")
        number = int(place.split()[-1])
        cited = {
            int(n)
            for a, b in re.findall(r"(?:Eq|Table|Fig)s?\.? (\d)(?:-(\d))?", text)
            for n in range(int(a), int(b or a) + 1)
        }
        assert number in cited, f"{name} does not cite {place}"


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda d: d.id)
def test_a_decision_is_named_where_it_acts(decision):
    acts_in = importlib.import_module(decision.acts_in)
    source = Path(acts_in.__file__).read_text(encoding="utf-8")
    texts = [
        ast.get_docstring(node) or ""
        for node in ast.walk(ast.parse(source))
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
    ]
    assert any(decision.id in re.sub(r"D(\d\d)-D?(\d\d)", expand, text) for text in texts)


def expand(match):
    return ", ".join(f"D{n:02d}" for n in range(int(match[1]), int(match[2]) + 1))


def test_there_are_24_decisions_in_order():
    assert [d.id for d in DECISIONS] == [f"D{n:02d}" for n in range(1, 25)]


def test_every_reference_has_a_kernel_with_the_same_parameters():
    list(modules())
    assert REGISTRY
    for name, pair in REGISTRY.items():
        tree = ast.parse((ROOT / (pair.kernel_module.replace(".", "/") + ".py")).read_text())
        kernels = {
            node.name: [a.arg for a in node.args.args] for node in tree.body if isinstance(node, ast.FunctionDef)
        }
        reference = list(pair.reference.__code__.co_varnames[: pair.reference.__code__.co_argcount])
        assert kernels.get(pair.reference.__name__) == reference, name


def test_a_room_imports_only_from_its_floor_or_below():
    level = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}
    for path in (ROOT / "refimpl").rglob("*.py"):
        room = path.relative_to(ROOT / "refimpl").parts[0].removesuffix(".py")
        if room == "__init__":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                assert name.split(".")[0] != "numba", f"{path}: numba belongs in kernels/"
                if name.startswith("refimpl."):
                    assert level[name.split(".")[1]] <= level[room], f"{path} imports {name}"


def test_every_public_function_has_a_docstring():
    for module in modules():
        tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
        assert ast.get_docstring(tree), module.__name__
        for node in tree.body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                assert ast.get_docstring(node), f"{module.__name__}.{node.name}"


def test_the_readme_names_every_verb():
    verbs = next(a for a in parser()._actions if a.dest == "verb").choices
    for verb in verbs:
        assert f"`{verb}`" in README, verb


def test_run_time_dependencies_are_the_four():
    text = (ROOT / "setup.cfg").read_text()
    block = re.search(r"install_requires =\n((?:    .*\n)+)", text)[1]
    assert [re.match(r"\s+([\w-]+)", line)[1] for line in block.splitlines()] == [
        "numpy",
        "numba",
        "pillow",
        "tifffile",
    ]


def test_the_readme_is_finished_and_its_pictures_and_files_exist():
    assert not re.findall(r"^[A-Z]{6,}$|RUNTIME|TBD", README, re.MULTILINE)
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert links
    for link in links:
        assert (ROOT / link).exists(), link
    for path in re.findall(r"`(golden/[\w./-]+)`", README):
        assert (ROOT / path).exists(), path


def test_the_table_of_the_earth_names_every_module_and_none_imports_from_a_part_below_its_own():
    folder = ROOT / "refimpl" / "earth"
    parts: dict[str, int] = {}
    for number, line in enumerate((folder / "__init__.py").read_text(encoding="utf-8").splitlines()):
        new = bool(line[:1].strip()) and not line.startswith("=")
        for name in re.findall(r"``([a-z_0-9]+)``", line):
            parts[name] = number if new else max(parts.values())
    assert set(parts) == {path.stem for path in folder.glob("*.py")} - {"__init__"}
    for name, part in parts.items():
        for node in ast.walk(ast.parse((folder / f"{name}.py").read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("refimpl.earth."):
                assert parts[node.module.split(".")[2]] <= part, f"{name} imports {node.module}"
