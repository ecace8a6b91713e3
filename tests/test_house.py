"""The house stands as its table says: floors, the method's few imports, the road's length and depth, README's map."""

import ast
import importlib
import os
import re
import runpy
import subprocess
import sys

import pytest

from refimpl.cli import main
from refimpl.twins import backend
from tests.calls import FORMULAS, called, code_of, toy_road
from tests.house import FLOORS, METHOD_MAY_IMPORT, ROOT, forbidden, modules, road

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAPER = [f"Eq. {n}" for n in range(1, 7)] + [f"Table {n}" for n in range(1, 4)] + [f"Fig. {n}" for n in range(1, 10)]
DRAWN_OR_READ = {"refimpl.method.inventory.FUELS"}
"""A table, which nobody calls."""


def test_a_module_imports_only_from_its_floor_or_below_and_the_method_only_arrays():
    assert forbidden(modules()) == []
    assert METHOD_MAY_IMPORT == {
        "__future__", "numpy", "math", "dataclasses", "functools", "typing", "collections.abc",
    }  # fmt: skip


def test_the_package_holds_the_ground_and_the_floors_and_nothing_else():
    rooms = {room for rooms in FLOORS.values() for room in rooms}
    assert {path.stem for path in (ROOT / "refimpl").iterdir() if path.name != "__pycache__"} == rooms


@pytest.mark.parametrize("floor", ["method", "earth", "formats", "windows", "evaluation", "figures", "run", "cli"])
def test_the_reading_order_of_a_floor_names_every_module(floor):
    text = importlib.import_module(f"refimpl.{floor}").__doc__
    files = {path.stem for path in (ROOT / "refimpl" / floor).glob("*.py")} - {"__init__"}
    assert files - set(re.findall(r"``([a-z_0-9]+)``", text)) == set()


@pytest.fixture(scope="module")
def calls():
    return toy_road()


def test_the_road_from_eq_1_to_eq_3_is_short_and_the_readme_says_how_short(calls):
    lines, code = road(set(calls.depth))
    assert lines <= 2300 and code <= 1150
    stated = re.search(r"([\d,]+)\s+lines\s+with\s+docstrings,\s+([\d,]+)\s+of\s+code", README)
    assert [int(number.replace(",", "")) for number in stated.groups()] == [lines, code]


@pytest.mark.parametrize("name", FORMULAS)
def test_three_frames_at_most_lie_between_spatialize_and_a_formula(calls, name):
    assert calls.between(name) <= 3


def test_every_public_function_of_the_method_has_an_example():
    for module in modules():
        for node in module.tree.body if module.floor == "method" else ():
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                assert ">>>" in (ast.get_docstring(node) or ""), f"{module.name}.{node.name}"


def paper_map():
    """README's rows: paper, what, in the method, in the run."""
    rows = re.findall(r"^\| ((?:Eq|Table|Fig)\. ?\d|Table \d) \|[^|]*\| ([^|]*) \| ([^|]*) \|$", README, re.MULTILINE)
    return {place: [re.findall(r"`(refimpl\.[\w.]+)`", cell) for cell in cells] for place, *cells in rows}


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
    for name in sum(paper_map()[place], []):
        found, module = resolve(name)
        text = (found.__doc__ or "") + (module.__doc__ or "")
        number = int(place.split()[-1])
        cited = {
            int(n)
            for a, b in re.findall(r"(?:Eq|Table|Fig)s?\.? (\d)(?:-(\d))?", text)
            for n in range(int(a), int(b or a) + 1)
        }
        assert number in cited, f"{name} does not cite {place}"


def test_spatialize_and_the_run_really_call_what_the_readme_names(calls, world, tmp_path):
    with backend("numpy"), called() as seen:
        assert main(["run", str(world / "run.toml"), "--output", str(tmp_path / "out"), "--quiet"]) == 0
    of_method = {(str(path), line) for path, line in calls.depth}
    judged = ("Fig. 4", "Fig. 5")  # the map is judged after it is made: not by spatialize
    for place, (in_method, in_run) in paper_map().items():
        for name in set(in_method) - DRAWN_OR_READ:
            if place not in judged:
                assert of_method & set(code_of(resolve(name)[0])), f"{place}: spatialize does not call {name}"
        for name in set(in_run) - DRAWN_OR_READ:
            if place != "Fig. 6":  # needs another inventory: tests/test_inventories.py
                assert seen & set(code_of(resolve(name)[0])), f"{place}: the run does not call {name}"


def test_the_house_prints_itself():
    done = subprocess.run([sys.executable, "-m", "tests.house"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and "forbidden imports: none" in done.stdout, done.stdout + done.stderr


def test_the_readmes_first_lines_of_python_run():
    names: dict = {}
    exec(re.search(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)[1], names)
    emission = names["made"].emission
    assert emission.shape == (24, 24) and emission.sum() == pytest.approx(1140.1793, abs=1e-3)


def test_the_example_on_the_samples_files_runs_and_keeps_every_total(tmp_path, monkeypatch):
    import numpy as np
    import tifffile

    text = (ROOT / "examples" / "china.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 30
    (tmp_path / "golden").symlink_to(ROOT / "golden")
    quick = tmp_path / "china.py"  # the same with few steps and one output
    quick.write_text(text.replace("max_steps=300", "max_steps=20, self_ensemble=False"))
    monkeypatch.chdir(tmp_path)
    names = runpy.run_path(str(quick))
    emission, made = tifffile.imread(tmp_path / "china.tif"), names["made"]
    assert np.array_equal(np.isfinite(emission), made.mapped) and os.path.getsize(tmp_path / "china.tif") > 0
    table, coal = names["table"], 1.9003  # Table 3, printed to 4 decimals
    beijing = emission[names["zones"] == 11].sum()
    row = table[(table["code"] == 11) & (table["year"] == 2010)][0]
    assert beijing > coal * row["coal"] and made.model == "svr"
