"""The contract is small enough for 33 lines of shell and awk, which know nothing but golden/README.md."""

import shutil
from pathlib import Path

import pytest

from refimpl.cli import main

HERE = Path(__file__).resolve().parent

if not (shutil.which("sh") and shutil.which("awk")):
    pytest.skip("needs sh and awk", allow_module_level=True)


def verify(tmp_path, *more):
    program = f"sh '{HERE / 'eq1_eq3.sh'}'"
    stages = ("--stage", "inventory", "--stage", "allocation")
    return main(["verify", "--quiet", "--program", program, *stages, "--pictures", str(tmp_path), *more])


def test_the_shell_program_passes_all_that_it_supports_but_the_residual_of_rounding(tmp_path, capsys):
    assert verify(tmp_path, "--xfails", str(HERE / "eq1_eq3.xfails")) == 0
    assert "8" in next(line for line in capsys.readouterr().out.splitlines() if line.startswith("allocation"))


def test_a_finding_names_the_equation_the_bug_the_cell_and_the_reason(tmp_path, capsys):
    assert verify(tmp_path, "--case", "eq3-sum-of-a-tenth") == 1
    said = capsys.readouterr().out
    for words in ("Eq. 3", "D22", "residual", "province 11", "expected 0.1, got 0.09999999999999999, 1 ulp apart"):
        assert words in said
