"""README and docstrings stay true: the decisions, the twins, the verbs, the dependencies, the links."""

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


def modules():
    for found in pkgutil.walk_packages(refimpl.__path__, "refimpl."):
        if found.name != "refimpl.__main__":
            yield importlib.import_module(found.name)


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
