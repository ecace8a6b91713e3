"""Deliberate deviations from the method: `refimpl verify` must notice each, and name the right stage."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from refimpl.conformance.vocabulary import STAGES
from tests.mutants.__main__ import ROOT, verdicts
from tests.mutants.loader import COMPILED, MutantFinder
from tests.mutants.machine_code import digest_of_mutant, files_of
from tests.mutants.mutant import Mutant
from tests.mutants.mutants import KILLED, MUTANTS, NEW

STAGES_OF_MUTANTS = sorted({mutant.stage for mutant in KILLED.values()}, key=STAGES.index)


def test_a_mutant_changes_one_place_that_stands_in_the_code():
    assert len(KILLED) >= 60
    for mutant in MUTANTS.values():
        source = (ROOT / mutant.file).read_text(encoding="utf-8")
        assert source.count(mutant.old) == 1 and mutant.new != mutant.old, mutant.id


def test_every_mutant_is_python_has_a_name_of_its_own_and_a_stage_of_the_suite():
    assert len(MUTANTS) == len(KILLED) + len(NEW)
    for mutant in MUTANTS.values():
        source = (ROOT / mutant.file).read_text(encoding="utf-8")
        compile(source.replace(mutant.old, mutant.new), mutant.file, "exec")
        assert mutant.stage in STAGES, mutant.id


def test_kernels_and_windowed_forms_have_mutants_of_their_own():
    layers = [mutant.layer for mutant in NEW.values()]
    assert layers.count("kernels") >= 40 and layers.count("windows") >= 25


@pytest.mark.parametrize("stage", STAGES_OF_MUTANTS)
def test_every_mutant_is_killed_by_a_case_of_its_stage(stage):
    chosen = [mutant for mutant in KILLED.values() if mutant.stage == stage]
    found = verdicts(chosen, ("--backend", "numpy"), own_stage=True)
    assert [one.line for one in found if not one.killed] == []


def test_without_a_mutation_nothing_fails():
    from tests.mutants.one import failing

    assert failing(["--stage", "inventory"]) == (0, {})


STEP = """
import sys
from contextlib import nullcontext
from tests.mutants.loader import install
from tests.mutants.machine_code import private_machine_code
from tests.mutants.mutants import MUTANTS

mutant = MUTANTS.get(sys.argv[1])
with private_machine_code() if mutant else nullcontext():
    if mutant:
        install(mutant)
    import numpy as np
    from kernels.adam import adam_step
    parameters = np.zeros(11)
    adam_step(parameters, np.ones(11), np.zeros(11), np.zeros(11), 1, 0.5, 0.9, 0.999, 1e-8)
    print(np.count_nonzero(parameters))
"""
"""One step of Adam from 0, in the source or in a mutant; how many of 11 parameters have moved."""


def moved(name: str, cache: Path) -> int:
    """What ``STEP`` prints in a fresh process, numba's code stored in ``cache``."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache)}
    words = [sys.executable, "-c", STEP, name]
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def contents(folder: Path) -> dict[Path, str]:
    return {file: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.rglob("*") if file.is_file()}


def test_a_mutated_kernel_runs_its_own_machine_code_and_stored_code_stays_as_it_was(tmp_path):
    assert moved("", tmp_path) == 11
    stored = contents(tmp_path)
    assert stored and moved("kernel-adam-whole-vectors-only", tmp_path) == 8
    assert contents(tmp_path) == stored
    assert moved("", tmp_path) == 11


def test_kernels_are_compiled_anew_where_they_depend_on_the_mutated_file():
    warp, zonal, digits = (ROOT / "kernels" / name for name in ("warp.py", "zonal.py", "tools/superaccumulator.py"))
    shares = ROOT / "kernels" / "shares.py"
    assert digits in files_of(shares) and digits not in files_of(zonal)

    def kept(file: str) -> list[bool]:
        mutant = Mutant("made", "zonal", file, "old", "new")
        return [digest_of_mutant(mutant, lambda path: "digest", path) == "digest" for path in (shares, zonal, warp)]

    assert kept("kernels/tools/superaccumulator.py") == [False, True, True]
    assert kept("kernels/tools/compiled.py") == [False, False, False]
    assert kept("refimpl/windows/exact_sums.py") == [False, True, True]  # a constant of it is in the machine code
    assert kept("refimpl/method/adam.py") == [True, True, True]


def test_the_module_that_tells_stale_code_is_no_mutant():
    with pytest.raises(ValueError, match="cannot be mutated"):
        MutantFinder(Mutant("made", "zonal", COMPILED.replace(".", "/") + ".py", "old", "new"))


SAMPLE = (
    "kernel-adam-rounds-to-float32",
    "kernel-crop-loses-the-wrong-row",
    "kernel-mean-counts-never-reset",
    "kernel-residual-placed-within-the-stretch",
    "kernel-exact-sum-carry-lost",
    "kernel-overlap-last-column-cut",
    "kernel-zonal-row-count-never-reset",
    "kernel-land-cover-last-stretch-lost",
    "window-exact-sum-carry-in-short-type",
    "quantile-bin-off-by-one",
    "coarse-mask-unpacked-in-other-order",
)
"""Mutants of kernels and windowed forms that are killed, quick to compile and of different kinds."""


def test_a_sample_of_kernels_and_windowed_forms_is_killed():
    found = verdicts([NEW[name] for name in SAMPLE], own_stage=True)
    assert [one.line for one in found if not one.killed] == []
