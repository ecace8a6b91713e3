"""The kernels on another processor than this one: no AVX2, no fused multiply-add."""

import os
import subprocess
import sys
from pathlib import Path

import numba
import pytest

ROOT = Path(__file__).resolve().parent.parent


def compare_all_pairs(environment):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_twins.py"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(numba.config.CPU_NAME == "generic", reason="this is the run for a generic processor")
def test_kernels_compiled_for_a_generic_processor_give_what_their_references_give():
    """All pairs, as ``test_twins`` has them, in a process whose machine code is for any processor of this kind."""
    environment = os.environ | {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    compare_all_pairs(environment)


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="this is the run without compilation")
def test_kernels_work_without_compilation():
    """NUMBA_DISABLE_JIT: vectors do not exist there, and the pairs still agree."""
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    compare_all_pairs(environment)
